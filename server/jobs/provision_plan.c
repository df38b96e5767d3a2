/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is provisioned next, and through which server. All that can be known of a site is sightings
 * and how the links went; the job grows outward because each node that joins may serve.
 */
#include <string.h>

#include "assign.h"
#include "devices.h"
#include "fetch_certificate.h"
#include "log.h"
#include "oob_prompt.h"
#include "provision.h"
#include "reach.h"
#include "survey.h"

enum {
	ATTEMPTS = 3,
	SERVER_LOSSES = 4,
	PICKS_MOST = PACE_MOST * 2,
	QUIET_SURVEYS = 2,
	BACKLOG_AMPLE = 3,
	STRANGERS_MOST = 1000, /* of them wait at a time: beacons cost nobody anything */
	LISTED_FIRST = 1000,
};

static const uint64_t first_pause = SEC(4), next_pause = SEC(20), lost_pause = SEC(1);
static const uint64_t mute_limit = SEC(65);
static const uint64_t repetition = SEC(3);
static const uint64_t patience = SEC(20); /* with a weak sighting, while others come closer */

struct pick {
	struct task *task;
	struct assign_candidate how;
	int score;
};

struct job *provision_job(const struct jobs *j)
{
	for (struct job *job = j->active; job; job = job->next)
		if (job->row.kind == DB_JOB_PROVISION && !job->row.ended)
			return job;
	return NULL;
}

static struct task *task_for(struct job *job, struct device *d)
{
	struct task *t = task_create(job, d->uuid, 0);

	if (!t)
		return NULL;
	task_set_device(t, d);
	d->task = t;
	return t;
}

/* Has this job dealt with it already? A device's failed task waits for a retry, not for a twin. */
static bool has_task(const struct job *job, const struct device *d)
{
	if (d->task)
		return true;
	for (const struct task *t = job->tasks; t; t = t->next)
		if (memcmp(t->row.uuid, d->uuid, UUID_LEN) == 0)
			return true;
	return false;
}

/* No certificate is shown, and none was imported: no link is needed to refuse. */
static bool is_absent(struct task *t)
{
	struct db_device row;
	bool listed = db_device_get(t->job->jobs->env.db, t->row.uuid, &row) == DB_OK;

	return t->job->row.options.policy == DB_POLICY_CERTIFICATE &&
	       !(t->device->oob_info & (OOB_INFO_CBP | OOB_INFO_RECORDS)) &&
	       !(listed && row.has_certificate) && !fetch_certificate_possible(t);
}

/* A device repeats its beacon: what no list knows and nobody heard again may be made up. */
static bool is_repeated(const struct device *d)
{
	return d->listed || d->last_heard >= d->first_heard + repetition;
}

/* Room for one more that no list knows? Who finds none is heard again. */
static bool has_room_for(const struct job *job, const struct device *d)
{
	size_t waiting = 0;

	if (d->listed)
		return true;
	for (const struct task *t = job->tasks; t; t = t->next)
		waiting += t->row.state == DB_TASK_WAITING && t->device && !t->device->listed;
	return waiting < STRANGERS_MOST;
}

void provision_device_heard(struct jobs *j, struct device *d)
{
	struct job *job = provision_job(j);
	struct task *t = d->task;

	if (!job || job->ending)
		return;
	if (!t && job->row.targets == DB_TARGETS_ALL_TRUSTED && device_is_eligible(d) &&
	    !has_task(job, d) && is_repeated(d) && has_room_for(job, d)) {
		task_for(job, d);
		survey_news(j);
		jobs_kick(j);
	} else if (t && t->row.state == DB_TASK_WAITING && d->n_sightings == 1) {
		jobs_kick(j);
	}
}

static void adopt_device(struct task *t)
{
	task_set_device(t, device_get(t->job->jobs, t->row.uuid));
	if (t->device)
		t->device->task = t;
}

static void add_listed(void *ctx, const struct db_device *row)
{
	struct job *job = ctx;
	struct device *d = device_get(job->jobs, row->uuid);

	if (d && !row->node && !has_task(job, d))
		task_for(job, d);
}

static void add_pending(void *ctx, const struct db_node *n)
{
	struct job *job = ctx;
	struct device *d = device_get(job->jobs, n->uuid);

	if (d && !has_task(job, d))
		task_for(job, d);
}

/* Whoever may have got our network's keys is asked, listed or not: see prove.c. */
static bool add_every_pending(struct job *job)
{
	struct db_node_filter f = { .server = -1, .state = DB_NODE_PENDING, .with_pending = true };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];

	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_nodes(job->jobs->env.db, &f, &page, add_pending, job, next) != DB_OK)
			return false;
	} while (*next);
	return true;
}

static bool add_all_trusted(struct job *job)
{
	struct jobs *j = job->jobs;
	struct db_device_filter f = { .listed = 1, .heard = -1, .trust = -1, .provisioned = 0 };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];

	if (!add_every_pending(job))
		return false;
	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_devices(j->env.db, &f, &page, add_listed, job, next) != DB_OK)
			return false;
	} while (*next);
	for (size_t b = 0; b < DEVICE_BUCKETS; b++)
		for (struct device *d = j->buckets[b]; d; d = d->next)
			if (device_is_eligible(d) && d->n_sightings && !has_task(job, d) &&
			    is_repeated(d) && has_room_for(job, d))
				task_for(job, d);
	return true;
}

bool provision_create_tasks(struct job *job, const struct jobs_request *rq)
{
	if (job->row.targets == DB_TARGETS_ALL_TRUSTED)
		return add_all_trusted(job);
	for (size_t i = 0; i < rq->n_uuids; i++) {
		struct device *d = device_get(job->jobs, rq->uuids[i]);

		if (d && !has_task(job, d) && !task_for(job, d))
			return false;
	}
	return true;
}

/* Its job was ending when we died, and nothing of it can be left on the air. */
static void end_with_job(struct task *t)
{
	if (t->job->cancelled)
		task_cancel(t);
	else
		task_fail(t, REASON_CANCELLED, t->job->row.error_message);
}

/* A pending node is asked, a joined one is configured, whatever the job did to it meanwhile. */
static void resume(struct task *t)
{
	const struct job_kind *kind = t->job->kind;
	bool was_running = t->row.state == DB_TASK_RUNNING;
	enum provision_step entry;

	adopt_device(t);
	for (size_t i = 0; was_running && i < kind->n_steps; i++) {
		if (strcmp(kind->steps[i].name, t->row.step) != 0)
			continue;
		t->step = kind->steps[i].after_restart;
		t->row.attempts -= t->row.attempts > 0; /* it was not the device that failed */
	}
	t->row.state = DB_TASK_WAITING;
	if (!t->device)
		return;
	entry = provision_entry(t);
	if (task_is_over(t))
		return;
	if (entry == PROVISION_WAIT && t->job->ending) {
		end_with_job(t);
	} else if (entry == PROVISION_WAIT) {
		t->step = PROVISION_WAIT;
		if (was_running)
			task_again(t, 0);
	} else {
		/* Configuration goes on where it stood; a lost probe begins anew. */
		if (entry == PROVISION_RELAY && t->step > PROVISION_RELAY)
			entry = (enum provision_step)t->step;
		task_start(t, entry);
	}
}

/* Who ever had a link may hold its end of it for a minute more: we may have died more than once
 * since. Servers close what we left open; of a link to our own radio nobody tells the device. */
static void note_broken_link(struct task *t)
{
	struct jobs *j = t->job->jobs;

	if (!t->row.server)
		return;
	survey_mute(j);
	if (t->row.server == j->own)
		t->mute_since = jobs_now(j);
}

void provision_resume(struct job *job)
{
	bool restarted = job->row.started;

	survey_begin(job->jobs);
	for (struct task *t = job->tasks; t; t = t->next) {
		if (task_is_over(t))
			continue;
		if (restarted)
			note_broken_link(t);
		resume(t);
	}
	if (job->row.targets == DB_TARGETS_ALL_TRUSTED && !job->ending)
		add_all_trusted(job);
}

void provision_retry(struct job *job)
{
	survey_begin(job->jobs);
	for (struct task *t = job->tasks; t; t = t->next)
		if (t->row.state == DB_TASK_WAITING)
			resume(t);
}

void provision_attempt_failed(struct task *t, enum reason reason, const char *message)
{
	unsigned most = t->job->row.options.attempts ? t->job->row.options.attempts : ATTEMPTS;
	bool server_lost = reason == REASON_SERVER_LOST;

	if (t->n_tried < sizeof t->tried / sizeof *t->tried)
		t->tried[t->n_tried++] = t->row.server;
	else
		t->tried[t->n_tried - 1] = t->row.server;
	if (server_lost && t->row.attempts) /* the device had no part in it */
		t->row.attempts -= ++t->server_losses < SERVER_LOSSES;
	if (t->job->ending && t->job->cancelled)
		task_cancel(t);
	else if (t->job->ending || !reason_worth_retry(reason) || t->row.attempts >= most ||
		 t->server_losses >= SERVER_LOSSES)
		task_fail(t, reason, message);
	else
		task_again(t, server_lost	     ? lost_pause
			      : t->row.attempts <= 1 ? first_pause
						     : next_pause);
}

static bool was_tried(const struct task *t, uint16_t server)
{
	for (size_t i = 0; i < t->n_tried; i++)
		if (t->tried[i] == server)
			return true;
	return false;
}

/* The best server that has room now; false when there is none. */
static bool best_server(const struct task *t, struct assign_candidate *out)
{
	const struct jobs *j = t->job->jobs;
	const struct device *d = t->device;
	uint16_t fixed = t->job->row.options.server;
	struct assign_candidate c[DEVICE_SIGHTINGS];
	size_t n = 0;

	for (size_t i = 0; i < d->n_sightings; i++) {
		const struct device_sighting *seen = &d->sighting[i];
		const struct server *s = server_find(j, seen->server);

		if (!s || !server_has_room(s) || (fixed && s->address != fixed))
			continue;
		c[n++] = (struct assign_candidate){
			.server = s->address,
			.rssi = seen->rssi,
			.age = (unsigned)((jobs_now(j) - seen->when) / SEC(1)),
			.hops = server_hops(s),
			.relays = s->relays,
			.failures = s->recent_failures,
			.tried = was_tried(t, s->address),
			.tried_last = t->n_tried && t->tried[t->n_tried - 1] == s->address,
		};
	}
	int best = assign_best(c, n);
	if (best >= 0)
		*out = c[best];
	return best >= 0;
}

/* Keeps the best few, best first. */
static void picks_add(struct pick *picks, size_t *n, size_t room, const struct pick *p)
{
	size_t at = *n;

	while (at > 0 && picks[at - 1].score < p->score)
		at--;
	if (at >= room)
		return;
	if (*n < room)
		++*n;
	memmove(&picks[at + 1], &picks[at], (*n - at - 1) * sizeof *picks);
	picks[at] = *p;
}

/* What may still hold its end of a broken link does not answer a new one. */
static bool is_mute(const struct task *t)
{
	return t->mute_since && !device_beaconed_after(t->job->jobs, t->device, t->mute_since) &&
	       jobs_now(t->job->jobs) < t->mute_since + mute_limit;
}

static bool is_ready(struct task *t)
{
	return t->row.state == DB_TASK_WAITING && t->device && !t->device->session &&
	       jobs_now(t->job->jobs) >= t->not_before && t->device->n_sightings && !is_mute(t);
}

static bool can_wait(const struct task *t, const struct assign_candidate *c)
{
	return assign_is_weak(c) && t->job->row.links_open > 0 &&
	       jobs_now(t->job->jobs) < t->device->first_heard + patience;
}

static size_t choose(struct job *job, struct pick *picks, size_t room)
{
	size_t n = 0;

	for (struct task *t = job->tasks; t; t = t->next) {
		struct pick p = { .task = t };

		if (!is_ready(t) || !best_server(t, &p.how) || can_wait(t, &p.how))
			continue;
		/* First attempts first: what is dead must not hold up what lives, and what was made
		 * up not what is wanted. */
		p.score = assign_score(&p.how) - 100 * (int)t->row.attempts +
			  (t->device->listed ? LISTED_FIRST : 0);
		picks_add(picks, &n, room, &p);
	}
	return n;
}

static void start(struct task *t, const struct assign_candidate *how)
{
	enum provision_step entry;

	if (is_absent(t)) {
		task_fail(t, REASON_CERTIFICATE_ABSENT, NULL);
		return;
	}
	entry = provision_entry(t);
	if (task_is_over(t))
		return;
	t->row.server = how->server;
	t->row.rssi = how->rssi;
	if (entry == PROVISION_WAIT)
		entry = fetch_certificate_wanted(t) ? PROVISION_FETCH : PROVISION_OPEN_LINK;
	task_start(t, entry);
}

/* However many strangers there are, they keep nobody from looking for those who are on the list. */
static size_t backlog_of(const struct job *job)
{
	size_t n = 0, strangers = 0;

	for (const struct task *t = job->tasks; t; t = t->next) {
		if (t->row.state != DB_TASK_WAITING || !t->device || !t->device->n_sightings)
			continue;
		if (t->device->listed)
			n++;
		else if (strangers + 1 < job->pace.limit)
			strangers++;
	}
	return n + strangers;
}

/* Who is heard already and waits is worth more than who might be heard yet: the reports of a scan
 * are floods that the links would pay for. */
static void survey_for(struct job *job)
{
	struct jobs *j = job->jobs;
	size_t backlog = backlog_of(job), open = job->row.links_open;
	enum survey_need need = SURVEY_ROUNDS;

	if (j->survey.quiet >= QUIET_SURVEYS ||
	    (open && backlog >= BACKLOG_AMPLE * job->pace.limit))
		need = SURVEY_ASKED;
	else if (open && backlog >= job->pace.limit)
		need = SURVEY_NEWCOMERS;
	survey_run(j, need, open || backlog);
}

static bool is_hopeless(struct job *job)
{
	return job->jobs->survey.quiet >= QUIET_SURVEYS && !job_running(job);
}

static bool heard_by(const struct task *t, uint16_t server)
{
	for (size_t i = 0; t->device && i < t->device->n_sightings; i++)
		if (!server || t->device->sighting[i].server == server)
			return true;
	return false;
}

/* Two whole surveys without news: who was not heard by now is not here. */
static void give_up(struct job *job)
{
	uint16_t wanted = job->row.options.server;

	for (struct task *t = job->tasks; t; t = t->next) {
		if (t->row.state != DB_TASK_WAITING || heard_by(t, wanted))
			continue;
		task_fail(t, REASON_NOT_HEARD,
			  heard_by(t, 0) ? "Others hear this device, the server asked for does not."
					 : NULL);
	}
}

void provision_schedule(struct job *job)
{
	struct jobs *j = job->jobs;
	struct pick picks[PICKS_MOST + 1];
	bool paused = job->row.state == DB_JOB_PAUSED || job->ending;
	unsigned room, n;

	if (paused) {
		survey_run(j, SURVEY_ASKED, true);
		return;
	}
	room = oob_room(job);
	if (room > PICKS_MOST)
		room = PICKS_MOST;
	n = (unsigned)choose(job, picks, room);
	for (unsigned i = 0; i < n && !job->ending; i++) {
		struct server *s = server_find(j, picks[i].how.server);

		if (s && server_has_room(s) && picks[i].task->row.state == DB_TASK_WAITING)
			start(picks[i].task, &picks[i].how);
	}
	survey_for(job);
	if (is_hopeless(job))
		give_up(job);
}

bool provision_complete(struct job *job)
{
	return job->row.targets != DB_TARGETS_ALL_TRUSTED ||
	       job->jobs->survey.quiet >= QUIET_SURVEYS;
}
