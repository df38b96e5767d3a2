/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Us                             Node, for each model that talks under an AppKey
 *   Model App Get         ----->
 *                         <-----  Model App List
 *   Model Publication Get ----->
 *                         <-----  Model Publication Status
 *   Model Subscription Get ---->
 *                         <-----  Model Subscription List
 *
 * A question that a node does not know is not asked again; of bindings that it does not tell we
 * know those that we made.
 */
#include "model_reader.h"

#include <string.h>

#include "configure.h"
#include "log.h"
#include "reach.h"

enum { APP_KEY = 0 };

static void go_on(struct model_reader *r);

static void finish(struct model_reader *r, bool ok)
{
	r->running = false;
	r->done(r->ctx, ok);
}

bool model_reader_at(const struct composition *c, size_t at, struct db_model_state *out)
{
	for (uint8_t e = 0; e < c->n_elements; e++) {
		const struct composition_element *el = &c->elements[e];

		for (size_t i = 0; i < (size_t)el->n_sig + el->n_vendor; i++) {
			bool vendor = i >= el->n_sig;

			if ((!vendor && !configure_binds(el->models[i])) || at--)
				continue;
			*out = (struct db_model_state){ .element = e,
							.vendor = vendor,
							.model = el->models[i] };
			return true;
		}
	}
	return false;
}

struct model_ref model_reader_ref(const struct db_model_state *s, uint16_t address)
{
	return (struct model_ref){ .element = (uint16_t)(address + s->element),
				   .model = s->model,
				   .vendor = s->vendor };
}

static void put(struct model_reader *r, struct db_model_state *s, const struct wr *value)
{
	struct bytes v = wr_done(value);

	s->kind = (enum db_model_kind)r->kind;
	s->n = (uint8_t)v.n;
	db_model_state_put(r->jobs->env.db, r->uuid, s);
}

static void keep(struct model_reader *r, struct db_model_state *s)
{
	struct wr w = wr_to(s->value, sizeof s->value);

	if (r->kind == DB_MODEL_PUBLICATION) {
		model_publication_encode(&w, &r->call.publication);
		if (r->call.publication.address != ADDR_UNASSIGNED)
			put(r, s, &w);
		return;
	}
	for (size_t i = 0; i < r->call.n; i++) {
		w = wr_to(s->value, sizeof s->value);
		wr_le16(&w, r->call.list[i]);
		put(r, s, &w);
	}
}

/* What the default profile has bound. */
static void assume(struct model_reader *r, struct db_model_state *s)
{
	struct wr w = wr_to(s->value, sizeof s->value);
	struct db_node n;
	bool ours = db_node_get_uuid(r->jobs->env.db, r->uuid, &n) == DB_OK &&
		    n.state == DB_NODE_CONFIGURED && !s->vendor;

	secret_wipe(&n, sizeof n);
	wr_le16(&w, APP_KEY);
	if (r->kind == DB_MODEL_BINDING && ours)
		put(r, s, &w);
}

static void on_answer(void *ctx, enum access_result result, struct model_config *call)
{
	struct model_reader *r = ctx;
	struct db_model_state s;

	if (model_reader_at(&r->composition, r->at, &s)) {
		if (result == ACCESS_OK && call->status == CONFIG_SUCCESS)
			keep(r, &s);
		else
			assume(r, &s);
	}
	r->silent[r->kind] |= result == ACCESS_TIMEOUT;
	r->kind++;
	go_on(r);
}

static void ask(struct model_reader *r, const struct db_model_state *s)
{
	static void (*const get[])(struct access * a, struct model_config * c,
				   const struct access_target *node,
				   const struct model_ref *model) = {
		[DB_MODEL_BINDING] = model_app_get,
		[DB_MODEL_PUBLICATION] = model_publication_get,
		[DB_MODEL_SUBSCRIPTION] = model_subscription_get,
	};
	struct access_target to = node_target(r->jobs, r->address, 0);
	struct model_ref model = model_reader_ref(s, r->address);

	r->call.done = on_answer;
	r->call.ctx = r;
	get[r->kind](r->jobs->access, &r->call, &to, &model);
}

static void go_on(struct model_reader *r)
{
	struct db_model_state s;

	while (model_reader_at(&r->composition, r->at, &s)) {
		for (; r->kind <= DB_MODEL_SUBSCRIPTION; r->kind++) {
			if (!r->silent[r->kind]) {
				ask(r, &s);
				return;
			}
			assume(r, &s);
		}
		r->kind = 0;
		r->at++;
	}
	finish(r, true);
}

void model_reader_start(struct model_reader *r, struct jobs *j, const uint8_t uuid[UUID_LEN])
{
	struct db_node n;
	bool ok = db_node_get_uuid(j->env.db, uuid, &n) == DB_OK &&
		  composition_decode(&r->composition, bytes_of(n.composition, n.composition_len));

	if (!ok)
		r->composition.n_elements = 0;
	r->jobs = j;
	memcpy(r->uuid, uuid, UUID_LEN);
	r->address = n.address;
	r->running = true;
	r->kind = 0;
	r->at = 0;
	memset(r->silent, 0, sizeof r->silent);
	secret_wipe(&n, sizeof n);
	if (db_model_states_delete(j->env.db, uuid) == DB_ERROR)
		finish(r, false);
	else
		go_on(r);
}

void model_reader_cancel(struct model_reader *r)
{
	if (!r->running)
		return;
	r->running = false;
	model_config_cancel(&r->call);
}
