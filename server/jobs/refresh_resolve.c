/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Us                                 Node
 *   Composition Data Get, new  ----->
 *                              <-----  Status: it has changed
 *                                  silence:
 *   Link Close, old            ----->    with Success when it has said Complete, else with Fail
 *                              <-----  Link Status
 *   Composition Data Get, old  ----->
 *                              <-----  Status: it may not have changed
 *   Composition Data Get, new  ----->    twice: an answer may have been lost
 *                              <-----  Status: it has changed after all
 *
 * New is the candidate key, at the new address for a node that moves; old is what it had. Asking
 * under the old key first would prove nothing: where it keeps its address a node obeys both until
 * it has heard the new one. A Composition Data Get works on every node and changes nothing.
 */
#include "refresh_resolve.h"

#include <string.h>

#include "log.h"
#include "reach.h"
#include "refresh_node.h"

static void ask_new(struct refresh_resolve *r, const struct db_node *n);
static void ask_old(struct refresh_resolve *r, const struct db_node *n);
static void close_link(struct refresh_resolve *r, const struct db_node *n);

static void (*const stages[])(struct refresh_resolve *r, const struct db_node *n) = {
	ask_new, close_link, ask_old, ask_new, ask_new,
};

static void finish(struct refresh_resolve *r, enum refresh_outcome outcome)
{
	r->running = false;
	r->done(r->ctx, outcome);
}

/* The old key proves something only after all else was silent. */
static enum refresh_outcome conclude(struct refresh_resolve *r, struct db_node *n)
{
	struct server *s = server_find(r->jobs, n->address);

	if (!r->old_answered)
		return REFRESH_UNKNOWN;
	if (s)
		s->unclean = true; /* its link, if there is one yet, changes nothing any more */
	return node_refresh_undo(r->jobs, n) ? REFRESH_UNCHANGED : REFRESH_BROKEN;
}

/* Any message under the candidate commits, also one that comes late: see jobs_candidate_used. */
static void go_on(struct refresh_resolve *r)
{
	struct db_node n;

	if (db_node_get_uuid(r->jobs->env.db, r->uuid, &n) != DB_OK)
		finish(r, REFRESH_BROKEN);
	else if (!node_refresh_is_open(&n))
		finish(r, REFRESH_CHANGED);
	else if (r->stage < ARRAY_LEN(stages))
		stages[r->stage++](r, &n);
	else
		finish(r, conclude(r, &n));
	secret_wipe(&n, sizeof n);
}

static struct access_target target(const struct refresh_resolve *r, uint16_t address)
{
	return node_target(r->jobs, address, r->attempt + r->stage - 1);
}

static void ask(struct refresh_resolve *r, const struct access_target *to,
		void (*done)(void *ctx, enum access_result result, struct config_call *call))
{
	r->config.done = done;
	r->config.ctx = r;
	config_composition_get(r->jobs->access, &r->config, to, COMPOSITION_PAGE_MODELS);
}

static void on_new(void *ctx, enum access_result result, struct config_call *call)
{
	struct refresh_resolve *r = ctx;
	struct db_node n;
	bool moved = db_node_get_uuid(r->jobs->env.db, r->uuid, &n) == DB_OK &&
		     result == ACCESS_OK && node_refresh_is_open(&n) && n.refresh.address;

	if (moved && !node_refresh_commit(r->jobs, &n))
		finish(r, REFRESH_BROKEN);
	else
		go_on(r);
	secret_wipe(&n, sizeof n);
}

static void ask_new(struct refresh_resolve *r, const struct db_node *n)
{
	bool moves = n->refresh.address;
	struct access_target to = target(r, moves ? n->refresh.address : n->address);

	to.app_index = moves ? ACCESS_DEVICE_KEY : ACCESS_CANDIDATE_KEY;
	ask(r, &to, on_new);
}

static void on_old(void *ctx, enum access_result result, struct config_call *call)
{
	struct refresh_resolve *r = ctx;

	r->old_answered |= result == ACCESS_OK;
	go_on(r);
}

static void ask_old(struct refresh_resolve *r, const struct db_node *n)
{
	struct access_target to = target(r, n->address);

	ask(r, &to, on_old);
}

static void on_closed(void *ctx, enum access_result result, struct rpr_call *call)
{
	go_on(ctx);
}

static void close_link(struct refresh_resolve *r, const struct db_node *n)
{
	struct access_target to = target(r, n->address);
	bool complete = n->refresh.step == DB_REFRESH_COMPLETE;

	log_info("addr=%04x does not answer under its new key: closing its link", n->address);
	r->rpr.done = on_closed;
	r->rpr.ctx = r;
	rpr_link_close(r->jobs->access, &r->rpr, &to,
		       complete ? PROV_CLOSE_SUCCESS : PROV_CLOSE_FAIL);
}

void refresh_resolve(struct refresh_resolve *r, struct jobs *j, const uint8_t uuid[UUID_LEN],
		     unsigned attempt)
{
	r->jobs = j;
	memcpy(r->uuid, uuid, UUID_LEN);
	r->stage = 0;
	r->attempt = attempt;
	r->old_answered = false;
	r->running = true;
	go_on(r);
}

void refresh_resolve_cancel(struct refresh_resolve *r)
{
	if (!r->running)
		return;
	r->running = false;
	config_call_cancel(&r->config);
	rpr_call_cancel(&r->rpr);
}
