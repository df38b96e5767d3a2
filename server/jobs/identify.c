/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device:                        Device
 *   Link Open, Invite (attention) ----->
 *                                 <-----  Capabilities
 *                            it blinks while the link is open
 *   Link Close                    ----->
 * A node:                          Node, under an AppKey bound to its Health Server
 *   Attention Set, seconds        ----->
 *                                 <-----  Attention Status
 *                            it blinks for so long, then the task ends
 *   Attention Set, 0              ----->        when it is stopped before
 *                                 <-----  Attention Status
 */
#include <string.h>

#include "assign.h"
#include "configure.h"
#include "devices.h"
#include "node_jobs.h"
#include "reach.h"
#include "session.h"
#include "survey.h"

enum { ATTENTION_DEFAULT = 10, ATTENTION_MOST = 60, OPEN_SECONDS = 6, APP_KEY = 0 };
enum { IDENTIFY_DEVICE = 1, IDENTIFY_ATTEND, IDENTIFY_NODE, IDENTIFY_BLINK, IDENTIFY_STOP };

static const uint64_t hearing_limit = SEC(8); /* then it says that it is not there */

static unsigned attention_of(const struct task *t)
{
	unsigned seconds = t->job->row.options.seconds;

	if (!seconds)
		seconds = ATTENTION_DEFAULT;
	return seconds < ATTENTION_MOST ? seconds : ATTENTION_MOST;
}

static void attended(void *ctx)
{
	identify_over(ctx);
}

static void on_session(struct task *t, const struct prov_event *ev)
{
	struct work *w = t->work;

	if (ev->type == PROV_EV_LINK_OPEN) {
		prov_invite(w->session->prov, NULL, NULL, (uint8_t)attention_of(t));
	} else if (ev->type == PROV_EV_CAPABILITIES) {
		task_enter(t, IDENTIFY_ATTEND);
		timer_start(t->job->jobs->env.mesh_timers, &w->limit, SEC(attention_of(t)),
			    attended, t);
	} else if (ev->type == PROV_EV_ENDED) {
		bool opened = w->session->opened;

		w->session = NULL;
		if (t->step == IDENTIFY_ATTEND)
			task_succeed(t, NULL);
		else if (t->job->ending)
			task_cancel(t);
		else if (!opened && ev->end == PROV_END_ABORTED)
			task_fail(t, REASON_LINK_OPEN_FAILED, NULL);
		else
			task_fail(t, reason_of_session(ev->end, ev->carrier_end), NULL);
	}
}

static void blink_device(struct task *t)
{
	struct server *s = server_find(t->job->jobs, t->row.server);

	t->work->session = session_open(t, s, OPEN_SECONDS, on_session);
}

static void nothing(struct task *t)
{
}

static void set_attention(struct task *t, unsigned seconds,
			  void (*done)(void *ctx, enum access_result r, struct config_call *call))
{
	struct access_target to = configure_target(t);

	to.app_index = APP_KEY;
	t->work->config.done = done;
	t->work->config.ctx = t;
	health_attention_set(t->job->jobs->access, &t->work->config, &to, (uint8_t)seconds);
}

static void blinks(struct task *t)
{
	timer_start(t->job->jobs->env.mesh_timers, &t->work->limit, SEC(attention_of(t)), attended,
		    t);
}

static void on_attention(void *ctx, enum access_result r, struct config_call *call)
{
	struct task *t = ctx;

	if (r == ACCESS_OK)
		task_enter(t, IDENTIFY_BLINK);
	else
		task_fail(t, REASON_TIMEOUT, "The node does not answer.");
}

static void blink_node(struct task *t)
{
	set_attention(t, attention_of(t), on_attention);
}

/* Whether it answered or not: it ends by itself in the end. */
static void on_stopped(void *ctx, enum access_result r, struct config_call *call)
{
	task_cancel(ctx);
}

static void stop_node(struct task *t)
{
	config_call_cancel(&t->work->config);
	set_attention(t, 0, on_stopped);
}

void identify_over(struct task *t)
{
	if (t->work->session)
		session_abort(t->work->session);
	else if (t->step == IDENTIFY_BLINK)
		task_succeed(t, NULL);
	else if (t->step == IDENTIFY_NODE)
		task_fail(t, REASON_TIMEOUT, "The node does not answer.");
}

bool identify_stop(struct task *t)
{
	if (t->work->session)
		session_abort(t->work->session);
	else if (t->step == IDENTIFY_NODE || t->step == IDENTIFY_BLINK)
		task_enter(t, IDENTIFY_STOP);
	return true;
}

int64_t identify_left(const struct job *job)
{
	uint64_t now = jobs_now(job->jobs), end = now;

	for (const struct task *t = job->tasks; t; t = t->next)
		if (t->row.state == DB_TASK_RUNNING && t->work->limit.at > end &&
		    (t->step == IDENTIFY_ATTEND || t->step == IDENTIFY_BLINK))
			end = t->work->limit.at;
	return end > now ? (int64_t)((end - now) / 1000) : -1;
}

void identify_stop_others(struct jobs *j)
{
	for (struct job *job = j->active; job; job = job->next)
		if (job->row.kind == DB_JOB_IDENTIFY && !job->row.ended && !job->ending)
			job_cancel(job);
}

/* The loudest sighting through a server that has room; fixed: 0, or the only one to take. */
static struct server *loudest(const struct jobs *j, const struct device *d, uint16_t fixed,
			      int *rssi)
{
	struct server *best = NULL;

	for (size_t i = 0; i < d->n_sightings; i++) {
		struct server *s = server_find(j, d->sighting[i].server);

		if (!s || !server_has_room(s) || (fixed && s->address != fixed) ||
		    (best && d->sighting[i].rssi <= *rssi))
			continue;
		best = s;
		*rssi = d->sighting[i].rssi;
	}
	return best;
}

/* The word that ends another's blinking must not come after ours. */
static bool is_stopping(const struct jobs *j, uint16_t address)
{
	for (const struct job *job = j->active; job; job = job->next)
		for (const struct task *t = job->tasks; t; t = t->next)
			if (job->row.kind == DB_JOB_IDENTIFY && t->row.address == address &&
			    t->row.state == DB_TASK_RUNNING)
				return true;
	return false;
}

static void try_device(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct server *s;

	if (!t->device)
		task_set_device(t, device_get(j, t->row.uuid));
	s = t->device && !t->device->session
		    ? loudest(j, t->device, t->job->row.options.server, &t->row.rssi)
		    : NULL;
	if (s) {
		t->row.server = s->address;
		task_start(t, IDENTIFY_DEVICE);
	} else if (jobs_now(j) >= t->job->began + hearing_limit) {
		task_fail(t, REASON_NOT_HEARD, NULL);
	}
}

void identify_schedule(struct job *job)
{
	if (job->row.state == DB_JOB_PAUSED || job->ending)
		return;
	survey_run(job->jobs, job->jobs->survey.quiet ? SURVEY_ASKED : SURVEY_ROUNDS, false);
	for (struct task *t = job->tasks; t; t = t->next) {
		if (t->row.state != DB_TASK_WAITING)
			continue;
		if (!t->row.address)
			try_device(t);
		else if (!is_stopping(job->jobs, t->row.address))
			task_start(t, IDENTIFY_NODE);
	}
}

static const struct step steps[] = {
	{ "wait", nothing, 0, STEP_WAIT, -1 },
	{ "invite", blink_device, SEC(9), STEP_WAIT, DB_PHASE_LINK },
	{ "attend", nothing, SEC(ATTENTION_MOST + 1), STEP_WAIT, -1 },
	{ "attention", blink_node, SEC(9), STEP_WAIT, DB_PHASE_CONFIGURE },
	{ "blink", blinks, 0, STEP_WAIT, -1 },
	{ "stop", stop_node, 0, STEP_WAIT, DB_PHASE_CONFIGURE },
};
const struct job_kind identify_kind = { .steps = steps,
					.n_steps = ARRAY_LEN(steps),
					.schedule = identify_schedule,
					.over = identify_over,
					.stop = identify_stop,
					.left = identify_left };
