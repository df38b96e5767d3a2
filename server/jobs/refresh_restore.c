/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Us                               Node, under its new key, at its new address
 *   Composition Data Get ... ----->        all pages: page_reader.c
 *                            <-----
 *   Default TTL Set          ----->        a new term may have begun with its defaults
 *                            <-----
 *   Relay Set                ----->        where we had switched it on
 *                            <-----
 *   AppKey Add               ----->
 *                            <-----
 *   Model App, Publication, Subscription Get ----->    for each state that it had
 *                            <-----  as before, or not:
 *   Model App Bind, Publication Set, Subscription Add ----->
 *                            <-----
 *
 * Each can be repeated: after a crash all of it begins anew. A state whose model is gone, and one
 * that the node refuses, is lost, and counted so; so is one of a virtual address, whose label the
 * node does not tell.
 */
#include "refresh_restore.h"

#include <string.h>

#include "configure.h"
#include "log.h"
#include "model_reader.h"
#include "network.h"
#include "reach.h"

enum { TRIES = 3, TTL_STEPS = 2, APP_KEY = 0, RELAY_TWICE = 1 | 1 << 3 };
enum { VIRTUAL_FIRST = 0x8000, VIRTUAL_LAST = 0xBFFF };

static void set_ttl(struct refresh_restore *r, const struct db_node *n);
static void set_relay(struct refresh_restore *r, const struct db_node *n);
static void add_app_key(struct refresh_restore *r, const struct db_node *n);

static void (*const stages[])(struct refresh_restore *r, const struct db_node *n) = {
	set_ttl,
	set_relay,
	add_app_key,
};

static void go_on(struct refresh_restore *r);

static void finish(struct refresh_restore *r, bool ok)
{
	r->running = false;
	r->done(r->ctx, ok);
}

static bool node_of(struct refresh_restore *r, struct db_node *n)
{
	bool ok = db_node_get_uuid(r->jobs->env.db, r->uuid, n) == DB_OK;

	if (!ok)
		memset(n, 0, sizeof *n);
	return ok;
}

static struct access_target target(const struct refresh_restore *r, const struct db_node *n)
{
	return node_target(r->jobs, n->address, TTL_STEPS * r->tries);
}

static void next(struct refresh_restore *r)
{
	r->tries = 0;
	r->stage++;
	go_on(r);
}

static void on_set(void *ctx, enum access_result result, struct config_call *call)
{
	struct refresh_restore *r = ctx;

	if (result == ACCESS_OK)
		next(r);
	else if (++r->tries < TRIES)
		go_on(r);
	else
		finish(r, false);
}

static struct config_call *config_for(struct refresh_restore *r,
				      void (*done)(void *ctx, enum access_result result,
						   struct config_call *call))
{
	r->config.done = done;
	r->config.ctx = r;
	return &r->config;
}

static void set_ttl(struct refresh_restore *r, const struct db_node *n)
{
	struct access_target to = target(r, n);

	if (n->default_ttl >= 2)
		config_default_ttl_set(r->jobs->access, config_for(r, on_set), &to, n->default_ttl);
	else
		next(r);
}

static void set_relay(struct refresh_restore *r, const struct db_node *n)
{
	struct access_target to = target(r, n);

	if (n->relay)
		config_relay_set(r->jobs->access, config_for(r, on_set), &to, true, RELAY_TWICE);
	else
		next(r);
}

/* Keys stay, whatever else goes (3.10.8): the node says that it has it. */
static void add_app_key(struct refresh_restore *r, const struct db_node *n)
{
	struct access_target to = target(r, n);
	struct db_app_key key;

	if (r->n && db_app_key_get(r->jobs->env.db, APP_KEY, &key) == DB_OK)
		config_appkey_add(r->jobs->access, config_for(r, on_set), &to, n->net_index,
				  APP_KEY, &key.key);
	else
		next(r);
	secret_wipe(&key, sizeof key);
}

/* ---- the states of models ---- */

static bool is_there(const struct refresh_restore *r, const struct db_model_state *s)
{
	struct db_model_state m;

	for (size_t at = 0; model_reader_at(&r->composition, at, &m); at++)
		if (m.element == s->element && m.vendor == s->vendor && m.model == s->model)
			return true;
	return false;
}

static void done_with(struct refresh_restore *r, bool restored)
{
	struct db_restored *count = &r->result[r->state[r->at].kind];

	if (restored)
		count->restored++;
	else
		count->lost++;
	r->tries = 0;
	r->at++;
	go_on(r);
}

static void changed(struct refresh_restore *r, enum access_result result, uint8_t status)
{
	if (result == ACCESS_OK)
		done_with(r, status == CONFIG_SUCCESS);
	else if (++r->tries < TRIES)
		go_on(r);
	else
		finish(r, false);
}

static void on_bound(void *ctx, enum access_result result, struct config_call *call)
{
	changed(ctx, result, call->status);
}

static void on_changed(void *ctx, enum access_result result, struct model_config *call)
{
	changed(ctx, result, call->status);
}

static bool is_virtual(uint16_t address)
{
	return address >= VIRTUAL_FIRST && address <= VIRTUAL_LAST;
}

static uint16_t address_in(const struct db_model_state *s)
{
	struct rd value = rd_from(bytes_of(s->value, s->n));

	return rd_le16(&value);
}

/* A node does not tell the label of a virtual address, and nobody else knows it. */
static bool can_be_set(const struct db_model_state *s)
{
	struct model_publication p;

	switch (s->kind) {
	case DB_MODEL_BINDING:
		return true;
	case DB_MODEL_PUBLICATION:
		return model_publication_decode(&p, bytes_of(s->value, s->n)) &&
		       !is_virtual(p.address);
	case DB_MODEL_SUBSCRIPTION:
		return !is_virtual(address_in(s));
	}
	return false;
}

/* A publication comes after the binding of its key: the states are in that order. */
static void change(struct refresh_restore *r, const struct db_node *n)
{
	const struct db_model_state *s = &r->state[r->at];
	struct model_ref model = model_reader_ref(s, n->address);
	struct access_target to = target(r, n);
	struct model_publication p;

	r->change.done = on_changed;
	r->change.ctx = r;
	switch (s->kind) {
	case DB_MODEL_BINDING:
		config_model_app_bind(r->jobs->access, config_for(r, on_bound), &to, &model,
				      address_in(s) & 0xFFF);
		break;
	case DB_MODEL_PUBLICATION:
		model_publication_decode(&p, bytes_of(s->value, s->n));
		model_publication_set(r->jobs->access, &r->change, &to, &model, &p);
		break;
	case DB_MODEL_SUBSCRIPTION:
		model_subscription_add(r->jobs->access, &r->change, &to, &model, address_in(s));
		break;
	}
}

static bool is_as_before(const struct refresh_restore *r, const struct db_model_state *s)
{
	uint8_t octets[PUBLICATION_LEN];
	struct wr w = wr_to(octets, sizeof octets);

	if (s->kind == DB_MODEL_PUBLICATION) {
		model_publication_encode(&w, &r->list.publication);
		return bytes_equal(wr_done(&w), bytes_of(s->value, s->n));
	}
	for (size_t i = 0; i < r->list.n; i++)
		if (r->list.list[i] == address_in(s))
			return true;
	return false;
}

static bool same_list(const struct db_model_state *a, const struct db_model_state *b)
{
	return a->element == b->element && a->vendor == b->vendor && a->model == b->model &&
	       a->kind == b->kind;
}

static void on_list(void *ctx, enum access_result result, struct model_config *call)
{
	struct refresh_restore *r = ctx;
	const struct db_model_state *s = &r->state[r->at];

	r->listed = result == ACCESS_OK && call->status == CONFIG_SUCCESS;
	r->silent[s->kind] |= result == ACCESS_TIMEOUT;
	go_on(r);
}

static void list(struct refresh_restore *r, const struct db_node *n)
{
	static void (*const get[])(struct access * a, struct model_config * c,
				   const struct access_target *node,
				   const struct model_ref *model) = {
		[DB_MODEL_BINDING] = model_app_get,
		[DB_MODEL_PUBLICATION] = model_publication_get,
		[DB_MODEL_SUBSCRIPTION] = model_subscription_get,
	};
	const struct db_model_state *s = &r->state[r->at];
	struct access_target to = target(r, n);
	struct model_ref model = model_reader_ref(s, n->address);

	r->list.done = on_list;
	r->list.ctx = r;
	get[s->kind](r->jobs->access, &r->list, &to, &model);
}

static bool end(struct refresh_restore *r, struct db_node *n)
{
	struct db_refreshed done = { .after = bytes_of(n->composition, n->composition_len),
				     .reread = true,
				     .bindings = r->result[DB_MODEL_BINDING],
				     .publications = r->result[DB_MODEL_PUBLICATION],
				     .subscriptions = r->result[DB_MODEL_SUBSCRIPTION] };

	n->refresh = (struct db_refresh){ .step = DB_REFRESH_NONE };
	if (r->composition.n_elements)
		n->elements = r->composition.n_elements;
	jobs_tell_node(r->jobs, n->address, false);
	return db_refresh_reread(r->jobs->env.db, r->uuid, &done) != DB_ERROR &&
	       db_model_states_delete(r->jobs->env.db, r->uuid) != DB_ERROR &&
	       db_node_update(r->jobs->env.db, n) == DB_OK &&
	       network_give_node(r->jobs->env.mesh, n);
}

/* The next state: gone with its model, or to be asked for, or as it was, or to be set again. */
static void go_on_with_states(struct refresh_restore *r, struct db_node *n)
{
	for (; r->at < r->n; r->at++) {
		const struct db_model_state *s = &r->state[r->at];
		bool asked = r->asked && same_list(s, &r->state[r->asked - 1]);

		if (!is_there(r, s) || !can_be_set(s)) {
			r->result[s->kind].lost++;
			continue;
		}
		if (!asked && !r->silent[s->kind]) {
			r->asked = r->at + 1;
			list(r, n);
			return;
		}
		if (asked && r->listed && is_as_before(r, s))
			continue;
		change(r, n);
		return;
	}
	finish(r, end(r, n));
}

static void go_on(struct refresh_restore *r)
{
	struct db_node n;

	if (!node_of(r, &n))
		finish(r, false);
	else if (r->stage < ARRAY_LEN(stages))
		stages[r->stage](r, &n);
	else
		go_on_with_states(r, &n);
	secret_wipe(&n, sizeof n);
}

static void note_state(void *ctx, const struct db_model_state *s)
{
	struct refresh_restore *r = ctx;

	if (r->n < RESTORE_STATES_MAX)
		r->state[r->n++] = *s;
}

/* What the default profile binds, and what is new is bound like the rest. */
static void add_profile(struct refresh_restore *r, const struct db_node *n)
{
	struct db_model_state s;

	for (size_t at = 0; model_reader_at(&r->composition, at, &s); at++) {
		struct wr w = wr_to(s.value, sizeof s.value);

		s.kind = DB_MODEL_BINDING;
		wr_le16(&w, APP_KEY);
		s.n = (uint8_t)w.n;
		if (!s.vendor && n->state == DB_NODE_CONFIGURED)
			db_model_state_put(r->jobs->env.db, r->uuid, &s);
	}
}

static void on_pages(void *ctx, bool ok)
{
	struct refresh_restore *r = ctx;
	struct db_node n;

	if (ok && node_of(r, &n)) {
		if (!composition_decode(&r->composition,
					bytes_of(n.composition, n.composition_len)))
			r->composition.n_elements = 0;
		add_profile(r, &n);
		ok = db_model_states(r->jobs->env.db, r->uuid, note_state, r) == DB_OK;
		secret_wipe(&n, sizeof n);
	}
	if (ok)
		go_on(r);
	else
		finish(r, false);
}

void refresh_restore_start(struct refresh_restore *r, struct jobs *j, const uint8_t uuid[UUID_LEN])
{
	r->jobs = j;
	memcpy(r->uuid, uuid, UUID_LEN);
	r->running = true;
	r->listed = false;
	r->tries = r->stage = 0;
	r->n = r->at = r->asked = 0;
	memset(r->silent, 0, sizeof r->silent);
	memset(r->result, 0, sizeof r->result);
	r->pages.done = on_pages;
	r->pages.ctx = r;
	page_reader_start(&r->pages, j, uuid);
}

void refresh_restore_cancel(struct refresh_restore *r)
{
	if (!r->running)
		return;
	r->running = false;
	page_reader_cancel(&r->pages);
	config_call_cancel(&r->config);
	model_config_cancel(&r->list);
	model_config_cancel(&r->change);
}
