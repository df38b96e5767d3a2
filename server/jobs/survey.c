/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Us                         Server
 *   Link Get         ----->            after a crash or a lost link, before anything else
 *                    <-----  Link Status
 *   Link Close(Fail) ----->            when one is open
 *                    <-----  Link Status
 *   Scan Start       ----->
 *                    <-----  Scan Status
 *                    <-----  Scan Report ...     up to 3 s past the scan's end
 */
#include "survey.h"

#include <string.h>

#include "devices.h"
#include "log.h"
#include "reach.h"
#include "scan.h"

enum {
	SCANS_AT_ONCE = 12, /* servers that report side by side; their reports share our radio */
	SCANS_PER_SERVERS = 16,
	SCANS_GENTLE = 2, /* beside open links */
	FULL_REPEATS = 3,
};

static const uint64_t late_reports = SEC(3), cleaning_pause = SEC(2), mute_limit = SEC(70);

void survey_begin(struct jobs *j)
{
	j->survey.quiet = 0;
	j->survey.running = false;
	j->survey.news = jobs_now(j);
}

static void note_news(struct jobs *j, uint64_t at)
{
	if (at > j->survey.news)
		j->survey.news = at;
	j->survey.quiet = 0;
}

void survey_news(struct jobs *j)
{
	note_news(j, jobs_now(j));
}

void survey_mute(struct jobs *j)
{
	note_news(j, jobs_now(j) + mute_limit);
}

void survey_ask(struct server *s, uint8_t seconds, const uint8_t *uuid, struct task *t)
{
	s->wanted = true;
	s->wanted_one = uuid;
	if (uuid)
		memcpy(s->wanted_uuid, uuid, UUID_LEN);
	s->scan_seconds = seconds;
	s->scan_task = t;
	jobs_kick(s->jobs);
}

void survey_drop(struct jobs *j, struct task *t)
{
	for (struct server *s = j->servers; s; s = s->next) {
		if (s->scan_task != t)
			continue;
		s->scan_task = NULL;
		s->wanted = false;
	}
}

static void call_over(struct server *s)
{
	s->busy = SERVER_IDLE;
	jobs_tell_server(s->jobs, s->address);
	jobs_kick(s->jobs);
}

static void scan_finished(struct server *s, bool heard)
{
	struct task *t = s->scan_task;

	s->scan_task = NULL;
	s->round = s->jobs->survey.round;
	if (heard)
		s->scanned_at = jobs_now(s->jobs);
	call_over(s);
	if (t)
		scan_task_done(t, heard);
}

/* A full list has hidden the others: once more, in another order of beacons. */
static bool scan_was_full(struct server *s)
{
	return s->max_items && s->reports >= s->max_items && ++s->repeats < FULL_REPEATS;
}

static void scan_over(void *ctx)
{
	struct server *s = ctx;

	if (!s->scan_task && !s->wanted_one && scan_was_full(s)) {
		s->scanned_at = jobs_now(s->jobs);
		call_over(s);
		return;
	}
	s->repeats = 0;
	scan_finished(s, true);
}

static void scan_started(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct server *s = ctx;

	if (r != ACCESS_OK) {
		server_silent(s);
		scan_finished(s, false);
		return;
	}
	server_answered(s);
	if (call->scan.status != RPR_SUCCESS) {
		log_info("server=%04x cannot scan now (status %u)", s->address, call->scan.status);
		scan_finished(s, false);
		return;
	}
	s->busy = SERVER_SCANNING;
	timer_start(s->jobs->env.mesh_timers, &s->timer, SEC(s->scan_seconds) + late_reports,
		    scan_over, s);
	jobs_tell_server(s->jobs, s->address);
}

static void scan_start(struct server *s, uint8_t seconds, const uint8_t *uuid)
{
	struct access_target to = server_target(s);

	s->busy = SERVER_STARTING;
	s->reports = 0;
	s->scan_seconds = seconds;
	s->call.done = scan_started;
	s->call.ctx = s;
	rpr_scan_start(s->jobs->access, &s->call, &to, 0, seconds, uuid);
}

static void cleaned(void *ctx)
{
	struct server *s = ctx;

	s->unclean = false;
	db_link_delete(s->jobs->env.db, s->address);
	call_over(s);
}

/* Nobody waits for a scan through a server that does not answer. */
static void clean_later(struct server *s)
{
	struct task *t = s->scan_task;

	s->scan_task = NULL;
	s->wanted = false;
	server_silent(s);
	call_over(s);
	if (t)
		scan_task_done(t, false);
}

static void on_link_close(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct server *s = ctx;

	if (r != ACCESS_OK) {
		clean_later(s);
		return;
	}
	server_answered(s);
	timer_start(s->jobs->env.mesh_timers, &s->timer, cleaning_pause, cleaned, s);
}

static void on_link_get(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct server *s = ctx;
	struct access_target to = server_target(s);

	if (r != ACCESS_OK) {
		clean_later(s);
		return;
	}
	if (call->answered)
		server_answered(s);
	if (call->link.state == RPR_LINK_IDLE) {
		cleaned(s);
		return;
	}
	log_info("server=%04x still has a link: closing it", s->address);
	s->call.done = on_link_close;
	rpr_link_close(s->jobs->access, &s->call, &to, PROV_CLOSE_FAIL);
}

static void clean(struct server *s)
{
	struct access_target to = server_target(s);

	s->busy = SERVER_CLEANING;
	s->call.done = on_link_get;
	s->call.ctx = s;
	rpr_link_get(s->jobs->access, &s->call, &to);
}

static bool may_ask(const struct server *s)
{
	return s->busy == SERVER_IDLE && !s->locked &&
	       !(s->silences && jobs_now(s->jobs) < s->silent_until);
}

static void round_begin(struct jobs *j)
{
	j->survey.running = true;
	j->survey.round++;
	j->survey.since = jobs_now(j);
}

static bool round_is_whole(const struct jobs *j)
{
	if (jobs_now(j) < j->survey.since + SEC(SURVEY_SECONDS))
		return false;
	for (const struct server *s = j->servers; s; s = s->next) {
		bool silent = s->silences && jobs_now(j) < s->silent_until;

		if (!s->local && s->round < j->survey.round && !silent)
			return false;
	}
	return true;
}

static void round_end(struct jobs *j)
{
	j->survey.running = false;
	if (j->survey.news <= j->survey.since)
		j->survey.quiet++;
	else
		j->survey.quiet = 0;
	log_info("survey %llu done, %u without news", (unsigned long long)j->survey.round,
		 j->survey.quiet);
	jobs_kick(j);
}

static void local_scan_over(void *ctx)
{
	scan_finished(ctx, true);
}

/* Our own radio always listens: a scan through it is only time. */
static void local_scan(struct server *s)
{
	s->wanted = false;
	s->busy = SERVER_SCANNING;
	timer_start(s->jobs->env.mesh_timers, &s->timer, SEC(s->scan_seconds), local_scan_over, s);
}

static bool is_due(const struct server *s, enum survey_need need)
{
	if (s->round >= s->jobs->survey.round || need == SURVEY_ASKED)
		return false;
	return need == SURVEY_ROUNDS || !s->round;
}

static void next_call(struct server *s, enum survey_need need, unsigned *room)
{
	uint8_t seconds = s->scan_seconds;

	if (s->local) {
		if (s->wanted && s->busy == SERVER_IDLE)
			local_scan(s);
		return;
	}
	if (!may_ask(s))
		return;
	if (s->unclean && !s->links_open) {
		clean(s);
	} else if (s->wanted && !s->links_open && *room) {
		s->wanted = false;
		--*room;
		scan_start(s, seconds, s->wanted_one ? s->wanted_uuid : NULL);
	} else if (is_due(s, need) && !s->links_open && *room) {
		--*room;
		s->wanted_one = false;
		scan_start(s, SURVEY_SECONDS, NULL);
	}
}

void survey_run(struct jobs *j, enum survey_need need, bool gentle)
{
	unsigned room = gentle ? SCANS_GENTLE
			       : SCANS_AT_ONCE + (unsigned)(j->n_servers / SCANS_PER_SERVERS);
	unsigned scanning = 0;

	for (const struct server *s = j->servers; s; s = s->next)
		scanning += !s->local && (s->busy == SERVER_STARTING || s->busy == SERVER_SCANNING);
	room = scanning < room ? room - scanning : 0;
	if (need == SURVEY_ROUNDS && !j->survey.running)
		round_begin(j);
	for (struct server *s = j->servers; s; s = s->next)
		next_call(s, need, &room);
	if (need == SURVEY_ROUNDS && round_is_whole(j))
		round_end(j);
}

void survey_scan_report(void *ctx, const struct access_message *m)
{
	struct jobs *j = ctx;
	struct rpr_scan_report r;
	struct server *s = server_find(j, m->src);

	if (!s || s->local || !rpr_key_is_right(m))
		return;
	if (!rpr_scan_report_decode(&r, m)) {
		access_malformed(j->access);
		return;
	}
	s->reports++;
	device_sighted(j, &r);
}
