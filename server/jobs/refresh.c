/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One node, provisioned anew through itself. Table in the order of the work:
 *
 *   step           writes before it                              after a restart
 *   read                                                         wait
 *   open_link      procedure, new range, the link                wait (undone, the link is closed)
 *   exchange                                                     wait (the same)
 *   deliver_data   candidate key                                 prove_key
 *   close_link     that it is complete                           prove_key
 *   prove_key      (its answer) new key, new address, old range  prove_key
 *                  in quarantine; or that nothing has changed
 *   restore                                                      restore
 *
 * Nothing leaves before its turn's commit. Whatever dies: a node that may use the candidate has it
 * in the store beside its old key, until it has answered under one of them and cannot use the
 * other any more.
 */
#include "refresh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_refresh.h"
#include "log.h"
#include "reach.h"
#include "refresh_node.h"
#include "refresh_probe.h"
#include "session.h"

enum { FLAG_KEY_REFRESH = 1 << 0, FLAG_IV_UPDATE = 1 << 1, PHASE_NEW_KEY = 2, ROUNDS = 3 };

static const uint64_t round_pause = SEC(30);

static void nothing(struct task *t);
static void open_link(struct task *t);
static void prove(struct task *t);
static void restore(struct task *t);

static const struct step steps[] = {
	{ "wait", nothing, 0, REFRESH_WAIT, -1 },
	{ "read", refresh_read, 0, REFRESH_WAIT, DB_PHASE_CONFIGURE },
	{ "open_link", open_link, SEC(60), REFRESH_WAIT, DB_PHASE_LINK },
	{ "exchange", nothing, SEC(150), REFRESH_WAIT, DB_PHASE_EXCHANGE },
	{ "deliver_data", nothing, SEC(90), REFRESH_PROVE, DB_PHASE_DATA },
	{ "close_link", nothing, SEC(45), REFRESH_PROVE, DB_PHASE_DATA },
	{ "prove_key", prove, 0, REFRESH_PROVE, DB_PHASE_PROVE },
	{ "restore", restore, 0, REFRESH_RESTORE, DB_PHASE_CONFIGURE },
};

const struct job_kind refresh_kind = {
	.steps = steps,
	.n_steps = ARRAY_LEN(steps),
	.schedule = refresh_schedule,
	.over = refresh_over,
	.stop = refresh_stop,
};

bool refresh_procedure(enum db_job_kind kind, enum nppi_procedure *out)
{
	switch (kind) {
	case DB_JOB_REFRESH_DEVICE_KEY:
		*out = NPPI_DEVICE_KEY;
		return true;
	case DB_JOB_REFRESH_ADDRESS:
		*out = NPPI_ADDRESS;
		return true;
	case DB_JOB_REFRESH_COMPOSITION:
		*out = NPPI_COMPOSITION;
		return true;
	case DB_JOB_SCAN:
	case DB_JOB_PROVISION:
	case DB_JOB_CONFIGURE:
	case DB_JOB_REMOVE:
	case DB_JOB_IDENTIFY:
	case DB_JOB_READ_COMPOSITION:
	case DB_JOB_KINDS:
		break;
	}
	return false;
}

enum nppi_procedure refresh_procedure_of(const struct task *t)
{
	enum nppi_procedure p = NPPI_DEVICE_KEY;

	refresh_procedure(t->job->row.kind, &p);
	return p;
}

static void nothing(struct task *t)
{
}

bool refresh_node(struct task *t, struct db_node *n)
{
	if (db_node_get_uuid(t->job->jobs->env.db, t->row.uuid, n) == DB_OK)
		return true;
	memset(n, 0, sizeof *n);
	task_fail(t, REASON_NODE_GONE, NULL);
	return false;
}

struct refresh_work *refresh_work_of(struct task *t)
{
	if (!t->work->refresh)
		t->work->refresh = calloc(1, sizeof *t->work->refresh);
	if (!t->work->refresh)
		abort();
	return t->work->refresh;
}

static void lock(struct task *t, const struct db_node *n)
{
	struct server *s = server_find(t->job->jobs, n->address);

	t->row.server = n->address;
	if (s)
		s->locked = true;
}

void refresh_work_end(struct task *t, struct work *w)
{
	struct server *s = server_find(t->job->jobs, t->row.server);
	enum nppi_procedure p;

	if (s && refresh_procedure(t->job->row.kind, &p))
		s->locked = false;
	if (w->pages)
		page_reader_cancel(w->pages);
	if (!w->refresh)
		return;
	refresh_resolve_cancel(&w->refresh->resolve);
	page_reader_cancel(&w->refresh->pages);
	model_reader_cancel(&w->refresh->models);
	refresh_restore_cancel(&w->refresh->restore);
	refresh_prober_wake(t->job->jobs);
}

static void note_task(void *ctx, const struct db_refreshed *r)
{
	*(int64_t *)ctx = r->task;
}

/* Was the node's last refresh this task's? Then there is no second one. */
static bool is_done(struct task *t)
{
	int64_t last = 0;

	return db_refreshes(t->job->jobs->env.db, t->row.uuid, 1, note_task, &last) == DB_OK &&
	       last == t->row.id;
}

/* One that was begun before, for the same purpose, is as good as one begun now. */
static void adopt(struct task *t, struct db_node *n)
{
	uint16_t to = t->job->row.options.address;

	if (n->refresh.task == t->row.id || n->refresh.procedure != refresh_procedure_of(t) ||
	    (to && to != n->refresh.address))
		return;
	n->refresh.task = t->row.id;
	db_node_update(t->job->jobs->env.db, n);
}

static void succeed(struct task *t, const struct db_node *n)
{
	char message[DB_MESSAGE] = "";

	t->row.server = n->address;
	if (refresh_procedure_of(t) == NPPI_ADDRESS)
		snprintf(message, sizeof message, "It has moved from 0x%04x to 0x%04x.",
			 t->row.address, n->address);
	else if (refresh_procedure_of(t) == NPPI_COMPOSITION)
		snprintf(message, sizeof message, "Its new composition is in force.");
	task_succeed(t, message);
}

void refresh_go_on(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct db_node n;

	if (!refresh_node(t, &n))
		return;
	lock(t, &n);
	if (n.refresh.step == DB_REFRESH_OPENED)
		node_refresh_undo(j, &n);
	if (node_refresh_is_open(&n)) {
		adopt(t, &n);
		task_enter(t, REFRESH_PROVE);
	} else if (n.refresh.step == DB_REFRESH_RESTORE) {
		task_enter(t, REFRESH_RESTORE);
	} else if (is_done(t)) {
		succeed(t, &n);
	} else if (t->job->ending) {
		task_cancel(t);
	} else if (n.state == DB_NODE_PENDING) {
		task_fail(t, REASON_NODE_GONE, "It has not joined yet: provision it first.");
	} else if (!n.server && refresh_procedure_of(t) != NPPI_COMPOSITION) {
		task_fail(t, REASON_REFRESH_NOT_SUPPORTED, NULL);
	} else {
		if (n.server && !server_find(j, n.address))
			server_add(j, &n);
		lock(t, &n);
		task_enter(t, refresh_procedure_of(t) == NPPI_DEVICE_KEY ? REFRESH_OPEN_LINK
									 : REFRESH_READ);
	}
	secret_wipe(&n, sizeof n);
}

/* How the attempt ends is decided here; the link closes first. */
static void decide(struct task *t, enum reason reason, const char *message, bool final)
{
	struct work *w = t->work;

	w->verdict = true;
	w->final = final;
	w->reason = reason;
	snprintf(w->message, sizeof w->message, "%s", message ? message : "");
	session_abort(w->session);
}

/* As refresh_node(), while a link is open: that closes before the task ends. A node that was reset
 * by hand meanwhile, and joins anew, has no row any more. */
static bool node_of_link(struct task *t, struct db_node *n)
{
	if (db_node_get_uuid(t->job->jobs->env.db, t->row.uuid, n) == DB_OK)
		return true;
	memset(n, 0, sizeof *n);
	decide(t, REASON_NODE_GONE, NULL, true);
	return false;
}

static void invite(struct task *t)
{
	struct db_node n;

	if (!node_of_link(t, &n))
		return;
	task_enter(t, REFRESH_EXCHANGE);
	refresh_invite(t, &n);
	secret_wipe(&n, sizeof n);
}

static bool net_key_of(struct jobs *j, const struct db_node *n, struct prov_data *out)
{
	struct db_net_key key;
	struct mesh_iv iv;
	bool ok = db_net_key_get(j->env.db, n->net_index, &key) == DB_OK;
	bool new = ok &&key.phase == PHASE_NEW_KEY &&key.has_new;

	mesh_iv(j->env.mesh, &iv);
	if (ok)
		*out = (struct prov_data){ .net_key = new ? key.new_key : key.key,
					   .net_key_index = n->net_index,
					   .flags = (uint8_t)((new ? FLAG_KEY_REFRESH : 0) |
							      (iv.update ? FLAG_IV_UPDATE : 0)),
					   .iv_index = iv.index };
	secret_wipe(&key, sizeof key);
	return ok;
}

/* The candidate is in the same transaction as the step's name, and the Provisioning Data waits
 * behind that transaction. */
static void key_agreed(struct task *t, const struct prov_event *ev)
{
	struct jobs *j = t->job->jobs;
	struct prov_data data;
	struct db_node n;

	if (!node_of_link(t, &n))
		return;
	if (!refresh_room_for(t, &n, ev->capabilities->elements)) {
		decide(t, REASON_ADDRESS_TAKEN, NULL, true);
	} else if (!net_key_of(j, &n, &data) || !node_refresh_data(j, &n, ev->device_key)) {
		decide(t, REASON_CONFIGURATION_FAILED, "The store failed.", true);
	} else {
		data.address = n.refresh.address ? n.refresh.address : n.address;
		t->work->session->kept = true;
		refresh_authenticated(t, ev);
		task_enter(t, REFRESH_DELIVER_DATA);
		prov_send_data(t->work->session->prov, &data);
	}
	secret_wipe(&data, sizeof data);
	secret_wipe(&n, sizeof n);
}

static void complete(struct task *t)
{
	struct db_node n;

	if (!node_of_link(t, &n))
		return;
	node_refresh_complete(t->job->jobs, &n);
	secret_wipe(&n, sizeof n);
	task_enter(t, REFRESH_CLOSE_LINK);
}

static enum reason reason_of(const struct prov_event *ev)
{
	if (ev->end != PROV_END_CARRIER)
		return reason_of_session(ev->end, ev->carrier_end);
	if (ev->carrier_end == CARRIER_OPEN_FAILED)
		return REASON_DEVICE_REFUSED;
	return ev->carrier_end == CARRIER_SERVER_LOST ? REASON_TIMEOUT /* server and node are one */
						      : reason_of_session(ev->end, ev->carrier_end);
}

static const char *message_of(const struct prov_event *ev)
{
	if (ev->end == PROV_OK) /* as far as the link goes */
		return "The node said that all went well, and goes on as it was.";
	if (ev->end == PROV_END_CARRIER && ev->carrier_end == CARRIER_OPEN_FAILED)
		return "The node refused this procedure.";
	return "";
}

/* Data has left, and the node says that it cannot take them. */
static bool is_refusal(const struct prov_event *ev)
{
	return ev->end == PROV_END_DEVICE_FAILED && ev->device_error == PROV_ERR_INVALID_DATA;
}

static void link_ended(struct task *t, const struct prov_event *ev)
{
	struct jobs *j = t->job->jobs;
	struct work *w = t->work;
	uint64_t latency = w->session->server->latency;
	struct db_node n;

	w->session = NULL;
	if (ev->end == PROV_OK)
		pace_succeeded(&t->job->pace, latency);
	else if (ev->end == PROV_END_CARRIER || ev->end == PROV_END_TIMEOUT)
		pace_failed(&t->job->pace);
	if (!w->verdict) {
		w->reason = reason_of(ev);
		snprintf(w->message, sizeof w->message, "%s", message_of(ev));
	}
	if (!refresh_node(t, &n))
		return;
	if (node_refresh_is_open(&n) && !is_refusal(ev)) {
		task_enter(t, REFRESH_PROVE);
	} else if (is_done(t)) {
		refresh_go_on(t); /* its last words came under its new key: that is proof enough */
	} else {
		node_refresh_undo(j, &n);
		db_link_delete(j->env.db, n.address);
		refresh_attempt_failed(t, w->reason, w->message);
	}
	secret_wipe(&n, sizeof n);
}

static void on_session(struct task *t, const struct prov_event *ev)
{
	switch (ev->type) {
	case PROV_EV_LINK_OPEN:
		invite(t);
		break;
	case PROV_EV_KEY_AGREED:
		key_agreed(t, ev);
		break;
	case PROV_EV_COMPLETE:
		complete(t);
		break;
	case PROV_EV_ENDED:
		link_ended(t, ev);
		break;
	case PROV_EV_RECORDS:
	case PROV_EV_CAPABILITIES:
	case PROV_EV_OOB_OUTPUT:
	case PROV_EV_OOB_INPUT:
	case PROV_EV_DATA_SENT:
		break;
	}
}

static void open_link(struct task *t)
{
	struct server *s = server_find(t->job->jobs, t->row.server);

	if (!s)
		task_fail(t, REASON_REFRESH_NOT_SUPPORTED, NULL);
	if (!s || !refresh_begin(t))
		return;
	t->work->session = session_open_node(t, s, refresh_procedure_of(t), on_session);
}

void refresh_over(struct task *t)
{
	if (t->work->session && !t->work->verdict)
		decide(t, REASON_TIMEOUT, NULL, false);
}

/* Before Data has left a node loses nothing; later only it knows, and is asked to the end. */
bool refresh_stop(struct task *t)
{
	if (t->work->session && t->step < REFRESH_DELIVER_DATA) {
		decide(t, REASON_CANCELLED, NULL, true);
		return true;
	}
	if (t->step != REFRESH_READ)
		return false;
	task_cancel(t);
	return true;
}

static void restore(struct task *t);

static void restore_again(void *ctx)
{
	restore(ctx);
}

static void on_restored(void *ctx, bool ok)
{
	struct task *t = ctx;

	if (ok)
		refresh_go_on(t);
	else if (++refresh_work_of(t)->rounds < ROUNDS)
		timer_start(t->job->jobs->env.mesh_timers, &t->work->limit,
			    round_pause << refresh_work_of(t)->rounds, restore_again, t);
	else
		task_fail(t, REASON_CONFIGURATION_FAILED,
			  "It is done, but the node went silent before its new state was read. It "
			  "is asked again every hour; retry to ask it now.");
}

static void restore(struct task *t)
{
	struct refresh_work *w = refresh_work_of(t);

	w->restore.done = on_restored;
	w->restore.ctx = t;
	refresh_restore_start(&w->restore, t->job->jobs, t->row.uuid);
}

static void prove_again(void *ctx)
{
	prove(ctx);
}

/* Both keys stay in the store, and it is asked again every hour: see refresh_probe.c. */
static void still_unknown(struct task *t)
{
	if (++refresh_work_of(t)->rounds < ROUNDS)
		timer_start(t->job->jobs->env.mesh_timers, &t->work->limit,
			    round_pause << refresh_work_of(t)->rounds, prove_again, t);
	else
		task_fail(t, REASON_REFRESH_UNRESOLVED, NULL);
}

static void on_resolved(void *ctx, enum refresh_outcome outcome)
{
	struct task *t = ctx;
	enum reason reason = t->work->reason;

	switch (outcome) {
	case REFRESH_CHANGED:
		refresh_work_of(t)->rounds = 0;
		refresh_go_on(t);
		break;
	case REFRESH_UNCHANGED:
		refresh_attempt_failed(t, reason == REASON_NOT_HEARD ? REASON_LINK_LOST : reason,
				       t->work->message);
		break;
	case REFRESH_UNKNOWN:
		still_unknown(t);
		break;
	case REFRESH_BROKEN:
		task_fail(t, REASON_CONFIGURATION_FAILED, "The store failed.");
		break;
	}
}

static void prove(struct task *t)
{
	struct refresh_work *w = refresh_work_of(t);

	w->resolve.done = on_resolved;
	w->resolve.ctx = t;
	refresh_resolve(&w->resolve, t->job->jobs, t->row.uuid, 2 * w->rounds);
}
