/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remove:
 * Us                           Node
 *   Node Reset         ----->        three times at most
 *                      <-----  Node Reset Status
 *   Composition Get    ----->        it must not know us any more
 *                                silence
 */
#include "node_jobs.h"

#include <stdio.h>
#include <string.h>

#include "configure.h"
#include "devices.h"
#include "log.h"
#include "prove.h"
#include "reach.h"
#include "refresh_node.h"
#include "scan.h"
#include "session.h"

enum { AT_ONCE = 6 };

static void nothing(struct task *t)
{
}

static void over(struct task *t)
{
	task_fail(t, REASON_TIMEOUT, NULL);
}

static bool never_stop(struct task *t)
{
	return false;
}

/* Nodes next to each other share the air: a few at a time. */
static void schedule(struct job *job)
{
	unsigned running = job_running(job);

	if (job->row.state == DB_JOB_PAUSED || job->ending)
		return;
	for (struct task *t = job->tasks; t && running < AT_ONCE; t = t->next) {
		if (t->row.state != DB_TASK_WAITING)
			continue;
		task_start(t, STEP_WAIT + 1);
		running++;
	}
}

/* configure */

static void on_composition(void *ctx, enum access_result r, struct config_call *call)
{
	struct task *t = ctx;
	struct jobs *j = t->job->jobs;
	struct db_node n;

	if (r != ACCESS_OK && configure_may_try_again(t)) {
		t->job->kind->steps[t->step].start(t);
		return;
	}
	if (r != ACCESS_OK) {
		task_fail(t, REASON_CONFIGURATION_FAILED, "The node does not answer.");
		return;
	}
	if (db_node_get(j->env.db, t->row.address, &n) == DB_OK) {
		configure_read_composition(&n, call->composition);
		db_node_update(j->env.db, &n);
		secret_wipe(&n, sizeof n);
	}
	task_next(t);
}

static void read_composition(struct task *t)
{
	struct access_target to = configure_target(t);
	struct db_node n;
	bool there = configure_node_is_there(t, &n);

	secret_wipe(&n, sizeof n);
	if (!there) {
		task_fail(t, REASON_NODE_GONE, NULL);
		return;
	}

	t->work->config.done = on_composition;
	t->work->config.ctx = t;
	config_composition_get(t->job->jobs->access, &t->work->config, &to, 0);
}

static const struct step configure_steps[] = {
	{ "wait", nothing, 0, STEP_WAIT, -1 },
	{ "composition", read_composition, 0, 1, DB_PHASE_PROVE },
	{ "relay", configure_relay, 0, 2, DB_PHASE_CONFIGURE },
	{ "default_ttl", configure_ttl, 0, 3, DB_PHASE_CONFIGURE },
	{ "app_key", configure_app_key, 0, 4, DB_PHASE_CONFIGURE },
	{ "bind", configure_bind, 0, 5, DB_PHASE_CONFIGURE },
	{ "capabilities", configure_capabilities, 0, 6, DB_PHASE_CONFIGURE },
};
const struct job_kind configure_kind = { .steps = configure_steps,
					 .n_steps = ARRAY_LEN(configure_steps),
					 .schedule = schedule,
					 .over = over,
					 .stop = never_stop };

/* remove */

enum { REMOVE_RESET = 1, REMOVE_VERIFY };
enum { VERIFIES = 3 };

static const uint64_t late_answers = SEC(5);

static void forget(struct task *t, const char *message)
{
	struct jobs *j = t->job->jobs;
	struct db_node n;

	if (configure_node_is_there(t, &n)) {
		struct device *d = device_find(j, n.uuid);
		bool adopted = n.state != DB_NODE_PENDING;

		secret_wipe(&n, sizeof n);
		if (d)
			d->is_node = false;
		if (!node_bury(j, t->row.address,
			       adopted ? DB_ADDRESS_EXCLUDED : DB_ADDRESS_BURNT)) {
			task_fail(t, REASON_TIMEOUT,
				  "The node could not be taken out of the store.");
			return;
		}
	}
	task_succeed(t, message);
}

static void on_reset(void *ctx, enum access_result r, struct config_call *call)
{
	struct task *t = ctx;

	if (r == ACCESS_OK)
		task_enter(t, REMOVE_VERIFY);
	else if (configure_may_try_again(t))
		t->job->kind->steps[t->step].start(t);
	else
		forget(t, "The node did not answer. It is out of the inventory and its address is "
			  "excluded, but it may still hold the network key: refresh the key.");
}

/* Only the node knows which key it uses, and where it is: every second time the new ones. */
static void aim(const struct task *t, const struct db_node *n, struct access_target *to)
{
	if (!node_refresh_is_open(n) || t->work->tries % 2 == 0)
		return;
	if (n->refresh.address)
		to->dst = n->refresh.address;
	else
		to->app_index = ACCESS_CANDIDATE_KEY;
}

/* An old job may be taken up when its address is another's: that one must not be reset. */
static void reset(struct task *t)
{
	struct access_target to = configure_target(t);
	struct db_node n;
	bool there = configure_node_is_there(t, &n);

	if (there)
		aim(t, &n, &to);
	secret_wipe(&n, sizeof n);
	if (!there) {
		task_fail(t, REASON_NODE_GONE, NULL);
		return;
	}

	t->work->config.done = on_reset;
	t->work->config.ctx = t;
	config_node_reset(t->job->jobs->access, &t->work->config, &to);
}

static void verify(struct task *t);

static void verify_again(void *ctx)
{
	verify(ctx);
}

/* An answer may be a late one to an earlier question, asked before it reset. */
static void on_verify(void *ctx, enum access_result r, struct config_call *call)
{
	struct task *t = ctx;

	if (r != ACCESS_OK)
		forget(t, NULL);
	else if (++t->work->tries < VERIFIES)
		timer_start(t->job->jobs->env.mesh_timers, &t->work->limit, late_answers,
			    verify_again, t);
	else
		task_fail(t, REASON_DEVICE_REFUSED,
			  "The node said that it would reset, and still answers.");
}

static void verify(struct task *t)
{
	struct access_target to = configure_target(t);

	t->work->config.done = on_verify;
	t->work->config.ctx = t;
	config_composition_get(t->job->jobs->access, &t->work->config, &to, 0);
}

static const struct step remove_steps[] = {
	{ "wait", nothing, 0, STEP_WAIT, -1 },
	{ "reset", reset, 0, REMOVE_RESET, DB_PHASE_CONFIGURE },
	{ "verify", verify, 0, REMOVE_VERIFY, DB_PHASE_PROVE },
};
const struct job_kind remove_kind = { .steps = remove_steps,
				      .n_steps = ARRAY_LEN(remove_steps),
				      .schedule = schedule,
				      .over = over,
				      .stop = never_stop };

/* making and taking up */

static enum jobs_rc add_node_task(struct job *job, uint16_t address)
{
	struct db_node n;
	struct task *t;

	if (db_node_get(job->jobs->env.db, address, &n) != DB_OK)
		return JOBS_NOT_FOUND;
	secret_wipe(&n.device_key, sizeof n.device_key);
	secret_wipe(&n.candidate, sizeof n.candidate);
	t = task_create(job, n.uuid, address);
	return t ? JOBS_OK : JOBS_STORE;
}

/* A node that a provision job is about to configure is that job's. */
static void add_every_node(void *ctx, const struct db_node *n)
{
	struct job *job = ctx;

	if (!job_taking(job->jobs, job, n->uuid, n->address))
		task_create(job, n->uuid, n->address);
}

static enum jobs_rc add_all_nodes(struct job *job)
{
	struct db_node_filter f = { .server = -1, .state = -1 };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];

	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_nodes(job->jobs->env.db, &f, &page, add_every_node, job, next) != DB_OK)
			return JOBS_STORE;
	} while (*next);
	return JOBS_OK;
}

enum jobs_rc node_jobs_create_tasks(struct job *job, const struct jobs_request *rq)
{
	enum jobs_rc rc = JOBS_OK;

	if (job->row.kind == DB_JOB_SCAN)
		return scan_create_tasks(job, rq);
	if (job->row.targets != DB_TARGETS_LIST)
		return add_all_nodes(job);
	for (size_t i = 0; i < rq->n_addresses && rc == JOBS_OK; i++)
		rc = add_node_task(job, rq->addresses[i]);
	for (size_t i = 0; i < rq->n_uuids && rc == JOBS_OK; i++) {
		struct db_node n;
		bool node = db_node_get_uuid(job->jobs->env.db, rq->uuids[i], &n) == DB_OK;

		secret_wipe(&n.device_key, sizeof n.device_key);
		secret_wipe(&n.candidate, sizeof n.candidate);
		if (node)
			rc = add_node_task(job, n.address);
		else if (job->row.kind == DB_JOB_IDENTIFY)
			rc = task_create(job, rq->uuids[i], 0) ? JOBS_OK : JOBS_STORE;
		else
			rc = JOBS_NOT_FOUND;
	}
	return rc;
}

static int step_after_restart(const struct task *t)
{
	const struct job_kind *kind = t->job->kind;

	for (size_t i = 0; i < kind->n_steps; i++)
		if (strcmp(kind->steps[i].name, t->row.step) == 0)
			return kind->steps[i].after_restart;
	return STEP_WAIT;
}

void node_jobs_resume(struct job *job)
{
	for (struct task *t = job->tasks; t; t = t->next) {
		int step = step_after_restart(t);

		if (t->row.state != DB_TASK_RUNNING)
			continue;
		if (job->ending) {
			task_cancel(t);
			continue;
		}
		t->row.attempts -= t->row.attempts > 0;
		if (step == STEP_WAIT)
			task_again(t, 0);
		else
			task_start(t, step);
	}
}
