/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "extended.h"
#include "fetch_certificate.h"
#include "log.h"
#include "oob_prompt.h"
#include "provision.h"
#include "refresh.h"
#include "session.h"
#include "survey.h"

enum { STOP_AFTER_TASKS = 10 };

bool task_is_over(const struct task *t)
{
	return t->row.state >= DB_TASK_SUCCEEDED;
}

static void name_of(const struct task *t, char out[UUID_TEXT])
{
	if (t->row.has_uuid)
		uuid_format(out, t->row.uuid);
	else
		snprintf(out, UUID_TEXT, "%04x", t->row.address);
}

void task_save(struct task *t)
{
	struct jobs *j = t->job->jobs;

	db_task_update(j->env.db, &t->row);
	jobs_tell(j, &(struct jobs_change){ .what = JOBS_CHANGE_TASK,
					    .job = t->row.job,
					    .task = t->row.id,
					    .address = t->row.address });
}

void job_save(struct job *job)
{
	db_job_update(job->jobs->env.db, &job->row);
	jobs_tell(job->jobs, &(struct jobs_change){ .what = JOBS_CHANGE_JOB, .job = job->row.id });
}

static const struct step *step_of(const struct task *t)
{
	return &t->job->kind->steps[t->step];
}

uint64_t task_step_time(const struct task *t)
{
	return jobs_now(t->job->jobs) - t->work->step_since;
}

/* The time since the last step began belongs to that step's phase. */
static void count_phase(struct task *t)
{
	const struct step *s = step_of(t);

	if (s->phase >= 0)
		t->row.phase_ms[s->phase] += (uint32_t)(task_step_time(t) / 1000);
	t->work->step_since = jobs_now(t->job->jobs);
}

static void on_limit(void *ctx)
{
	struct task *t = ctx;

	t->job->kind->over(t);
}

void task_enter(struct task *t, int step)
{
	struct jobs *j = t->job->jobs;
	char name[UUID_TEXT];

	count_phase(t);
	t->step = step;
	t->work->tries = 0;
	snprintf(t->row.step, sizeof t->row.step, "%s", step_of(t)->name);
	name_of(t, name);
	log_info("job=%lld %s step=%s server=%04x", (long long)t->row.job, name, t->row.step,
		 t->row.server);
	task_save(t);
	timer_stop(j->env.mesh_timers, &t->work->limit);
	if (step_of(t)->limit)
		timer_start(j->env.mesh_timers, &t->work->limit, step_of(t)->limit, on_limit, t);
	step_of(t)->start(t);
}

void task_start(struct task *t, int step)
{
	struct jobs *j = t->job->jobs;

	t->work = calloc(1, sizeof *t->work);
	if (!t->work)
		abort();
	t->work->step_since = jobs_now(j);
	t->step = STEP_WAIT;
	t->row.state = DB_TASK_RUNNING;
	t->row.attempts++;
	memset(t->row.phase_ms, 0, sizeof t->row.phase_ms);
	if (!t->row.started)
		t->row.started = jobs_wall(j);
	if (t->job->row.state == DB_JOB_QUEUED) {
		t->job->row.state = DB_JOB_RUNNING;
		t->job->row.started = t->row.started;
		job_save(t->job);
	}
	task_enter(t, step);
}

/* The work may be on the stack of one of its own callbacks: it is freed in the next turn. */
static void work_retire(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct work *w = t->work;

	if (!w)
		return;
	extended_forget(t);
	t->work = NULL;
	refresh_work_end(t, w);
	fetch_certificate_cancel(j, w);
	timer_stop(j->env.mesh_timers, &w->limit);
	config_call_cancel(&w->config);
	rpr_call_cancel(&w->rpr);
	w->next_dead = j->dead;
	j->dead = w;
}

void runner_sweep(struct jobs *j)
{
	while (j->dead) {
		struct work *w = j->dead;

		j->dead = w->next_dead;
		free(w->refresh);
		free(w->pages);
		secret_wipe(w, sizeof *w);
		free(w);
	}
}

static void leave(struct task *t)
{
	if (t->work)
		count_phase(t);
	work_retire(t);
}

void task_again(struct task *t, uint64_t delay)
{
	leave(t);
	t->step = STEP_WAIT;
	t->row.state = DB_TASK_WAITING;
	snprintf(t->row.step, sizeof t->row.step, "%s", step_of(t)->name);
	t->not_before = jobs_now(t->job->jobs) + delay;
	task_save(t);
	jobs_kick(t->job->jobs);
}

static void finish(struct task *t, enum db_task_state state, const char *code, const char *message)
{
	struct jobs *j = t->job->jobs;
	char name[UUID_TEXT];

	leave(t);
	t->row.state = state;
	t->ended_here = true;
	t->row.ended = jobs_wall(j);
	snprintf(t->row.error_code, sizeof t->row.error_code, "%s", code);
	snprintf(t->row.error_message, sizeof t->row.error_message, "%s", message);
	name_of(t, name);
	log_info("job=%lld %s %s %s", (long long)t->row.job, name, db_task_state_name(state), code);
	if (t->device && t->device->task == t)
		t->device->task = NULL;
	task_save(t);
	jobs_tell(j, &(struct jobs_change){ .what = JOBS_CHANGE_JOB, .job = t->row.job });
	jobs_kick(j);
}

void task_succeed(struct task *t, const char *message)
{
	snprintf(t->row.step, sizeof t->row.step, "done");
	finish(t, DB_TASK_SUCCEEDED, "", message ? message : "");
}

/* It is on no list and has never answered: anybody can make up a beacon, and so end a job. */
static bool is_nobody(const struct task *t)
{
	return t->device && !t->device->listed && t->row.state == DB_TASK_FAILED &&
	       !strcmp(t->row.error_code, reason_code(REASON_LINK_OPEN_FAILED));
}

/* Failed links only, and never on thin evidence: see options.stop_at_failure_percent. */
static void stop_if_hopeless(struct job *job)
{
	unsigned ended = 0, failed = 0;
	unsigned percent = job->row.options.stop_at_failure_percent;
	char message[DB_MESSAGE];

	for (const struct task *t = job->tasks; t; t = t->next) {
		const char *code = t->row.error_code;

		if (is_nobody(t))
			continue;
		ended += t->row.state == DB_TASK_SUCCEEDED || t->row.state == DB_TASK_FAILED;
		failed += t->row.state == DB_TASK_FAILED && !oob_expired(t) &&
			  (!strcmp(code, reason_code(REASON_LINK_OPEN_FAILED)) ||
			   !strcmp(code, reason_code(REASON_LINK_LOST)) ||
			   !strcmp(code, reason_code(REASON_TIMEOUT)) ||
			   !strcmp(code, reason_code(REASON_SERVER_LOST)));
	}
	if (!percent || job->ending || ended < STOP_AFTER_TASKS || failed * 100 < percent * ended)
		return;
	snprintf(message, sizeof message,
		 "Stopped by itself: the links of %u of %u devices failed. Check the radio and "
		 "the power of the site, then retry.",
		 failed, ended);
	job_stop(job, REASON_CANCELLED, message);
}

void task_fail(struct task *t, enum reason reason, const char *message)
{
	const char *code = reason_code(reason);

	finish(t, DB_TASK_FAILED, code, message && *message ? message : jobs_reason(code)->message);
	if (t->job->row.kind == DB_JOB_PROVISION && reason_is_link_failure(reason))
		stop_if_hopeless(t->job);
}

void task_cancel(struct task *t)
{
	const char *code = reason_code(REASON_CANCELLED);

	finish(t, DB_TASK_CANCELLED, code, jobs_reason(code)->message);
}

void task_set_device(struct task *t, struct device *d)
{
	if (t->device)
		t->device->held--;
	t->device = d;
	if (d)
		d->held++;
}

struct task *task_add(struct job *job, const struct db_task *row)
{
	struct task *t = calloc(1, sizeof *t);

	if (!t)
		abort();
	t->row = *row;
	t->job = job;
	*job->tail = t;
	job->tail = &t->next;
	return t;
}

struct task *task_create(struct job *job, const uint8_t *uuid, uint16_t address)
{
	struct db_task row = { .job = job->row.id,
			       .address = address,
			       .rssi = RSSI_UNKNOWN,
			       .created = jobs_wall(job->jobs) };

	row.has_uuid = uuid;
	if (uuid)
		memcpy(row.uuid, uuid, UUID_LEN);
	snprintf(row.step, sizeof row.step, "%s", job->kind->steps[STEP_WAIT].name);
	if (db_task_insert(job->jobs->env.db, &row, &row.id) != DB_OK)
		return NULL;
	jobs_tell(job->jobs, &(struct jobs_change){
				     .what = JOBS_CHANGE_TASK, .job = row.job, .task = row.id });
	return task_add(job, &row);
}

void job_link_opened(struct job *job)
{
	job->row.links_open++;
	if (job->row.links_open > job->row.links_peak)
		job->row.links_peak = job->row.links_open;
	job_save(job);
}

void job_link_closed(struct job *job)
{
	job->row.links_open--;
	job_save(job);
}

unsigned job_running(const struct job *job)
{
	unsigned n = 0;

	for (const struct task *t = job->tasks; t; t = t->next)
		n += t->row.state == DB_TASK_RUNNING;
	return n;
}

static enum db_job_state end_state(const struct job *job)
{
	unsigned good = 0, bad = 0, cancelled = 0;

	for (const struct task *t = job->tasks; t; t = t->next) {
		good += t->row.state == DB_TASK_SUCCEEDED;
		bad += t->row.state == DB_TASK_FAILED;
		cancelled += t->row.state == DB_TASK_CANCELLED;
	}
	if (cancelled || job->cancelled)
		return DB_JOB_CANCELLED;
	if (!bad)
		return DB_JOB_SUCCEEDED;
	return good ? DB_JOB_PARTIAL : DB_JOB_FAILED;
}

void job_check(struct job *job)
{
	if (job->row.ended)
		return;
	for (const struct task *t = job->tasks; t; t = t->next)
		if (!task_is_over(t))
			return;
	if (!job->ending && job->kind->complete && !job->kind->complete(job))
		return;
	job->row.state = end_state(job);
	job->row.ended = jobs_wall(job->jobs);
	if (!job->row.started)
		job->row.started = job->row.ended;
	log_info("job=%lld %s", (long long)job->row.id, db_job_state_name(job->row.state));
	job_save(job);
	jobs_kick(job->jobs);
}

void job_stop(struct job *job, enum reason reason, const char *message)
{
	job->ending = true;
	snprintf(job->row.error_code, sizeof job->row.error_code, "%s", reason_code(reason));
	snprintf(job->row.error_message, sizeof job->row.error_message, "%s", message);
	log_warning("job=%lld %s", (long long)job->row.id, message);
	for (struct task *t = job->tasks; t; t = t->next)
		if (t->row.state == DB_TASK_WAITING)
			finish(t, DB_TASK_FAILED, reason_code(reason), message);
	job_save(job);
}

void job_cancel(struct job *job)
{
	const char *code = reason_code(REASON_CANCELLED);

	job->ending = job->cancelled = true;
	snprintf(job->row.error_code, sizeof job->row.error_code, "%s", code);
	snprintf(job->row.error_message, sizeof job->row.error_message, "%s",
		 jobs_reason(code)->message);
	if (job->row.state == DB_JOB_PAUSED) /* what still runs must be able to end */
		job->row.state = DB_JOB_RUNNING;
	for (struct task *t = job->tasks; t; t = t->next) {
		if (t->row.state == DB_TASK_WAITING)
			task_cancel(t);
		else if (t->row.state == DB_TASK_RUNNING)
			job->kind->stop(t);
	}
	job_save(job);
	job_check(job);
}

static bool changes_something(const struct job *job)
{
	return !job->row.ended && job->row.kind != DB_JOB_SCAN && job->row.kind != DB_JOB_IDENTIFY;
}

const struct job *job_taking(const struct jobs *j, const struct job *except, const uint8_t *uuid,
			     uint16_t address)
{
	for (const struct job *job = j->active; job; job = job->next) {
		if (job == except || !changes_something(job))
			continue;
		for (const struct task *t = job->tasks; t; t = t->next) {
			if (task_is_over(t))
				continue;
			if ((address && t->row.address == address) ||
			    (uuid && t->row.has_uuid && memcmp(t->row.uuid, uuid, UUID_LEN) == 0))
				return job;
		}
	}
	return NULL;
}

static void load_task(void *ctx, const struct db_task *row)
{
	task_add(ctx, row);
}

struct job *job_load(struct jobs *j, int64_t id)
{
	struct job *job = calloc(1, sizeof *job);
	struct db_task_filter f = { .job = id, .state = -1 };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];
	bool ok;

	if (!job)
		return NULL;
	job->jobs = j;
	job->tail = &job->tasks;
	job->began = jobs_now(j);
	ok = db_job_get(j->env.db, id, &job->row) == DB_OK;
	job->kind = ok ? job_kind_of(job->row.kind) : NULL;
	pace_init(&job->pace, job->row.options.max_links);
	job->row.links_open = 0;
	job->ending = *job->row.error_code; /* it was stopping when we were */
	job->cancelled = job->ending && strcmp(job->row.error_message,
					       jobs_reason(job->row.error_code)->message) == 0;
	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		ok = ok && db_tasks(j->env.db, &f, &page, load_task, job, next) == DB_OK;
	} while (ok && *next);
	if (ok) {
		struct job **at = &j->active;

		while (*at)
			at = &(*at)->next;
		*at = job;
		return job;
	}
	job_free(job);
	return NULL;
}

void job_free(struct job *job)
{
	struct jobs *j = job->jobs;

	while (job->tasks) {
		struct task *t = job->tasks;

		job->tasks = t->next;
		if (t->work)
			session_free(t->work->session);
		work_retire(t);
		survey_drop(j, t);
		if (t->device && t->device->task == t)
			t->device->task = NULL;
		task_set_device(t, NULL);
		free(t);
	}
	free(job);
}
