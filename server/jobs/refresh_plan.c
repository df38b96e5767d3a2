/* SPDX-License-Identifier: Apache-2.0 */
/* Who is refreshed next: many at once, as many as the air bears. */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "reach.h"
#include "refresh.h"
#include "refresh_node.h"
#include "survey.h"

enum { ATTEMPTS = 3 };

static const uint64_t first_pause = SEC(5), next_pause = SEC(30);

void refresh_attempt_failed(struct task *t, enum reason reason, const char *message)
{
	unsigned most = t->job->row.options.attempts ? t->job->row.options.attempts : ATTEMPTS;

	if (t->job->ending && t->job->cancelled)
		task_cancel(t);
	else if (t->job->ending || !reason_worth_retry(reason) || t->row.attempts >= most)
		task_fail(t, reason, message);
	else
		task_again(t, t->row.attempts <= 1 ? first_pause : next_pause);
}

/* Another job's task does something to that node just now, or did want it earlier. */
static bool is_taken(const struct task *t)
{
	for (const struct job *job = t->job->jobs->active; job; job = job->next) {
		if (job == t->job || job->row.ended || job->row.kind == DB_JOB_SCAN)
			continue;
		for (const struct task *o = job->tasks; o; o = o->next)
			if (!task_is_over(o) && o->row.has_uuid &&
			    (o->row.state == DB_TASK_RUNNING || job->row.id < t->job->row.id) &&
			    memcmp(o->row.uuid, t->row.uuid, UUID_LEN) == 0)
				return true;
	}
	return false;
}

/* Its server, where it has one, must be idle: a link or a scan of ours through it would suffer. */
static bool is_ready(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct db_node n;
	struct server *s;
	bool open;

	if (t->row.state != DB_TASK_WAITING || jobs_now(j) < t->not_before || is_taken(t) ||
	    db_node_get_uuid(j->env.db, t->row.uuid, &n) != DB_OK)
		return t->row.state == DB_TASK_WAITING && jobs_now(j) >= t->not_before &&
		       !is_taken(t);
	open = n.refresh.step != DB_REFRESH_NONE;
	s = server_find(j, n.address);
	secret_wipe(&n, sizeof n);
	if (!s)
		return true;
	return open ? !s->links_open && !s->locked && s->busy == SERVER_IDLE : server_has_room(s);
}

static void start(void *ctx)
{
	refresh_go_on(ctx);
}

void refresh_schedule(struct job *job)
{
	unsigned running = job_running(job);

	survey_run(job->jobs, SURVEY_ASKED, true);
	if (job->row.state == DB_JOB_PAUSED || job->ending)
		return;
	for (struct task *t = job->tasks; t && running < job->pace.limit; t = t->next) {
		if (!is_ready(t))
			continue;
		task_start(t, REFRESH_WAIT);
		start(t);
		running++;
	}
}

/* Data may have reached its node. */
static bool is_open(const struct task *t)
{
	struct db_node n;
	bool open = db_node_get_uuid(t->job->jobs->env.db, t->row.uuid, &n) == DB_OK &&
		    node_refresh_is_open(&n);

	secret_wipe(&n, sizeof n);
	return open;
}

/* What needs a link waits until the one that we left is closed: a server gives its client the old
 * one back as if it were new. */
void refresh_resume(struct job *job)
{
	for (struct task *t = job->tasks; t; t = t->next) {
		if (t->row.state != DB_TASK_RUNNING)
			continue;
		t->row.attempts -= t->row.attempts > 0; /* it was not the node that failed */
		if (!job->ending && !is_open(t)) {
			task_again(t, 0);
			continue;
		}
		task_start(t, REFRESH_WAIT);
		refresh_go_on(t);
	}
}
