/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan:
 * Us                         Server
 *   Scan Start       ----->        survey.c has the whole of it
 *                    <-----  Scan Report ...
 * with ad_types: extended.c
 */
#include "scan.h"

#include <string.h>

#include "extended.h"
#include "reach.h"
#include "survey.h"

enum { SCAN_DEFAULT = 20, SCAN_MOST = 255 };

static void nothing(struct task *t)
{
}

static void scan_through(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct server *s = server_find(j, t->row.server);
	unsigned seconds = t->job->row.options.seconds;

	if (!s) {
		task_fail(t, REASON_SERVER_LOST, NULL);
		return;
	}
	if (!seconds)
		seconds = SCAN_DEFAULT;
	survey_ask(s, (uint8_t)(seconds < SCAN_MOST ? seconds : SCAN_MOST), NULL, t);
}

void scan_task_done(struct task *t, bool heard)
{
	if (t->row.state != DB_TASK_RUNNING)
		return;
	jobs_flush(t->job->jobs);
	if (heard)
		task_succeed(t, NULL);
	else
		task_fail(t, REASON_SERVER_LOST, "This server did not answer, or cannot scan now.");
}

static bool stop(struct task *t)
{
	survey_drop(t->job->jobs, t);
	task_cancel(t);
	return true;
}

static void over(struct task *t)
{
	if (t->step == SCAN_EXTENDED)
		extended_over(t);
	else
		task_fail(t, REASON_TIMEOUT, NULL);
}

void scan_limit(void *ctx)
{
	over(ctx);
}

/* One scan at a time through each server: the second job's waits for the first one's. */
static bool is_scanning(const struct task *t)
{
	const struct server *s = server_find(t->job->jobs, t->row.server);

	return s && s->scan_task;
}

static void schedule(struct job *job)
{
	if (job->row.state == DB_JOB_PAUSED || job->ending)
		return;
	if (job->row.options.n_ad_types) {
		extended_schedule(job);
		return;
	}
	for (struct task *t = job->tasks; t; t = t->next)
		if (t->row.state == DB_TASK_WAITING && !is_scanning(t))
			task_start(t, SCAN_THROUGH);
	survey_run(job->jobs, SURVEY_ASKED, false);
}

static enum jobs_rc add_server(struct job *job, uint16_t address)
{
	struct task *t;

	if (!server_find(job->jobs, address))
		return JOBS_NOT_FOUND;
	t = task_create(job, NULL, address);
	if (!t)
		return JOBS_STORE;
	t->row.server = address;
	task_save(t);
	return JOBS_OK;
}

enum jobs_rc scan_create_tasks(struct job *job, const struct jobs_request *rq)
{
	uint16_t fixed = job->row.options.server;
	enum jobs_rc rc = JOBS_OK;

	if (job->row.options.n_ad_types)
		return extended_create_tasks(job, rq);
	if (job->row.targets != DB_TARGETS_LIST) {
		for (struct server *s = job->jobs->servers; s && rc == JOBS_OK; s = s->next)
			if (!fixed || s->address == fixed)
				rc = add_server(job, s->address);
		return rc;
	}
	for (size_t i = 0; i < rq->n_addresses && rc == JOBS_OK; i++)
		rc = add_server(job, rq->addresses[i]);
	for (size_t i = 0; i < rq->n_uuids && rc == JOBS_OK; i++) {
		struct db_node n;
		bool node = db_node_get_uuid(job->jobs->env.db, rq->uuids[i], &n) == DB_OK;

		secret_wipe(&n.device_key, sizeof n.device_key);
		secret_wipe(&n.candidate, sizeof n.candidate);
		rc = node ? add_server(job, n.address) : JOBS_NOT_FOUND;
	}
	return rc;
}

/* Servers take turns: the longest scan, through hundreds of them. */
#define SCAN_LIMIT SEC(7200)

static const struct step steps[] = {
	{ "wait", nothing, 0, SCAN_WAIT, -1 },
	{ "scan", scan_through, SCAN_LIMIT, SCAN_WAIT, -1 },
	{ "extended_scan", extended_ask, 0, SCAN_WAIT, -1 },
};
const struct job_kind scan_kind = { .steps = steps,
				    .n_steps = ARRAY_LEN(steps),
				    .schedule = schedule,
				    .over = over,
				    .stop = stop };
