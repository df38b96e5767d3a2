/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Us                            Server                        Device
 *   Extended Scan Start  ----->
 *    AD types, UUID, t                      <-----  beacon, and what else it advertises
 *                        <-----  Extended Scan Report, at the latest after t seconds
 *   Extended Scan Start  ----->
 *    AD types            <-----  Extended Scan Report of the server itself
 *
 * A server does one at a time, and only while no link is open on it (4.4.5.3); servers work side
 * by side. Our own radio hears everything anyway: it listens for several devices at once.
 */
#include "extended.h"

#include <stdio.h>
#include <string.h>

#include "ad_structures.h"
#include "devices.h"
#include "log.h"
#include "reach.h"
#include "scan.h"
#include "survey.h"

enum {
	AT_ONCE = 12,	   /* servers; their reports share our radio */
	SECONDS_FIRST = 5, /* what every server takes, and most devices answer within */
	SECONDS_NEXT = 15,
	ATTEMPTS = 3,
	REFUSALS = 8, /* it may be at somebody else's scan: that ends */
	QUIET_SURVEYS = 2,
	TRIED = 40, /* dB that a fresh server is worth */
};

static const uint64_t refused_pause = SEC(8);

static bool is_of_server(const struct task *t)
{
	return !t->row.has_uuid;
}

static unsigned seconds_of(const struct task *t)
{
	unsigned asked = t->job->row.options.seconds;

	if (!asked)
		asked = t->row.attempts > 1 ? SECONDS_NEXT : SECONDS_FIRST;
	return asked < RPR_EXTENDED_TIMEOUT_MAX ? asked : RPR_EXTENDED_TIMEOUT_MAX;
}

/* ---- results ---- */

/* New structures first; of the old ones those of which nothing new was heard. */
static void merge_ads(struct db_device_scan *scan, struct bytes ads)
{
	uint8_t out[DB_ADS], type, other;
	struct wr w = wr_to(out, sizeof out);
	struct rd r = rd_from(ads), old = rd_from(bytes_of(scan->ads, scan->ads_len));
	struct bytes data, ignored;

	while (ad_next(&r, &type, &data) && w.cap - w.n >= data.n + 2) {
		wr_u8(&w, (uint8_t)(data.n + 1));
		wr_u8(&w, type);
		wr_bytes(&w, data);
	}
	while (ad_next(&old, &type, &data) && w.cap - w.n >= data.n + 2) {
		struct rd again = rd_from(ads);
		bool told = false;

		while (ad_next(&again, &other, &ignored))
			told |= other == type;
		if (told)
			continue;
		wr_u8(&w, (uint8_t)(data.n + 1));
		wr_u8(&w, type);
		wr_bytes(&w, data);
	}
	memcpy(scan->ads, out, w.n);
	scan->ads_len = (uint16_t)w.n;
}

static bool keep(struct task *t, const uint8_t uuid[UUID_LEN], struct bytes ads)
{
	struct jobs *j = t->job->jobs;
	struct db_device_scan *scan;
	struct db_device row;
	struct ad_facts f;
	bool ok;

	if (!device_row(j, uuid, &row))
		return false;
	scan = &row.scan;
	merge_ads(scan, ads);
	ad_read_facts(&f, bytes_of(scan->ads, scan->ads_len),
		      row.has_uri_hash ? &row.uri_hash : NULL);
	snprintf(scan->local_name, sizeof scan->local_name, "%s", f.name);
	snprintf(scan->uri, sizeof scan->uri, "%s", f.uri);
	scan->has_appearance = f.has_appearance;
	scan->appearance = f.appearance;
	scan->tx_power = f.tx_power;
	scan->at = jobs_wall(j);
	ok = db_device_put(j->env.db, &row) == DB_OK &&
	     db_device_set_scan(j->env.db, uuid, scan) == DB_OK;
	secret_wipe(row.static_oob, sizeof row.static_oob);
	jobs_tell_device(j, uuid, false);
	return ok;
}

static void note_tried(struct task *t)
{
	size_t most = sizeof t->tried / sizeof *t->tried;

	t->tried[t->n_tried < most ? t->n_tried++ : most - 1] = t->row.server;
}

static void failed(struct task *t, enum reason reason, const char *message)
{
	note_tried(t);
	if (t->job->ending)
		task_cancel(t);
	else if (t->row.attempts < ATTEMPTS)
		task_again(t, 0);
	else
		task_fail(t, reason, message);
}

static void heard_nothing(struct task *t)
{
	char message[DB_MESSAGE];

	snprintf(message, sizeof message, "It was not heard in %u seconds.", seconds_of(t));
	failed(t, REASON_NOT_HEARD, message);
}

static void heard(struct task *t, const uint8_t uuid[UUID_LEN], struct bytes ads)
{
	if (!ads.n && !t->job->row.options.seconds && !is_of_server(t) && t->row.attempts < 2) {
		task_again(t, 0); /* it beacons, and may say the rest more rarely */
		return;
	}
	jobs_flush(t->job->jobs); /* its row is there before what is added to it */
	if (!keep(t, uuid, ads))
		task_fail(t, REASON_TIMEOUT, "The store did not take the result.");
	else
		task_succeed(t, ads.n ? NULL : "It says nothing of what was asked for.");
}

/* ---- through a server ---- */

static void refused(struct task *t, uint8_t status)
{
	char message[DB_MESSAGE];

	log_info("server=%04x refuses an extended scan (status %u)", t->row.server, status);
	if (t->job->ending) {
		task_cancel(t);
	} else if (++t->refusals < REFUSALS && status == RPR_LIMITED_RESOURCES) {
		t->row.attempts -= t->row.attempts > 0; /* the device had no part in it */
		task_again(t, refused_pause);
	} else {
		snprintf(message, sizeof message,
			 "The server 0x%04x refused the extended scan (status %u).", t->row.server,
			 status);
		task_fail(t, REASON_SERVER_REFUSED, message);
	}
}

static void on_report(void *ctx, enum access_result r, const struct rpr_extended_report *report)
{
	struct task *t = ctx;
	struct server *s = server_find(t->job->jobs, t->row.server);

	if (r != ACCESS_OK) {
		if (s)
			server_silent(s);
		failed(t, REASON_SERVER_LOST, NULL);
		return;
	}
	if (s)
		server_answered(s);
	if (report->status != RPR_SUCCESS)
		refused(t, report->status);
	else if (!report->has_oob)
		heard_nothing(t);
	else
		heard(t, t->work->extended.uuid, report->ads);
}

static void ask_server(struct task *t, struct server *s)
{
	const struct db_job_options *o = &t->job->row.options;
	struct access_target to = server_target(s);
	struct rpr_extended_start m = { .ad_types = o->ad_types, .n_ad_types = o->n_ad_types };
	struct rpr_extended *x = &t->work->extended;
	uint8_t own[UUID_LEN] = { 0 };
	struct db_node n;

	if (is_of_server(t)) {
		if (db_node_get(t->job->jobs->env.db, s->address, &n) == DB_OK)
			memcpy(own, n.uuid, UUID_LEN);
		secret_wipe(&n, sizeof n);
	} else {
		m.uuid = t->row.uuid;
		m.timeout = (uint8_t)seconds_of(t);
	}
	s->busy = SERVER_EXTENDED;
	t->work->asked = s->address;
	x->done = on_report;
	x->ctx = t;
	rpr_extended_scan(t->job->jobs->access, x, &to, &m, m.uuid ? m.uuid : own);
	jobs_tell_server(t->job->jobs, s->address);
}

/* ---- through our own radio ---- */

static void listen(struct task *t)
{
	struct jobs *j = t->job->jobs;

	for (size_t i = 0; i < ARRAY_LEN(j->listening); i++) {
		if (j->listening[i])
			continue;
		j->listening[i] = t;
		timer_start(j->env.mesh_timers, &t->work->limit, SEC(seconds_of(t)), scan_limit, t);
		return;
	}
	task_again(t, SEC(1));
}

void extended_beacon(struct jobs *j, const struct rpr_scan_report *r, const uint8_t address[6])
{
	for (size_t i = 0; i < ARRAY_LEN(j->listening); i++) {
		struct task *t = j->listening[i];

		if (!t || memcmp(t->row.uuid, r->uuid, UUID_LEN) != 0)
			continue;
		t->work->heard = true;
		memcpy(t->work->heard_from, address, sizeof t->work->heard_from);
	}
}

void extended_advertising(struct jobs *j, const uint8_t address[6], struct bytes ads)
{
	for (size_t i = 0; i < ARRAY_LEN(j->listening); i++) {
		struct task *t = j->listening[i];
		struct work *w = t ? t->work : NULL;

		if (!w || !w->heard || memcmp(w->heard_from, address, 6) != 0)
			continue;
		struct wr out = { .p = w->ads, .cap = sizeof w->ads, .n = w->n_ads };
		bool all = ad_collect(&out, &w->ads_seen, t->job->row.options.ad_types,
				      t->job->row.options.n_ad_types, ads);

		w->n_ads = out.n;
		if (all)
			heard(t, t->row.uuid, bytes_of(w->ads, w->n_ads));
	}
}

void extended_over(struct task *t)
{
	struct work *w = t->work;
	uint8_t ads[DB_ADS];
	size_t n = w->n_ads;

	if (t->row.server != t->job->jobs->own)
		return; /* the call ends by itself */
	memcpy(ads, w->ads, n);
	if (w->heard)
		heard(t, t->row.uuid, bytes_of(ads, n));
	else
		heard_nothing(t);
}

void extended_forget(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct server *s = server_find(j, t->work->asked);

	rpr_extended_cancel(&t->work->extended);
	if (s && s->busy == SERVER_EXTENDED) {
		s->busy = SERVER_IDLE;
		jobs_tell_server(j, s->address);
	}
	for (size_t i = 0; i < ARRAY_LEN(j->listening); i++)
		if (j->listening[i] == t)
			j->listening[i] = NULL;
}

/* ---- who is next, and where ---- */

void extended_ask(struct task *t)
{
	struct server *s = server_find(t->job->jobs, t->row.server);

	if (!s)
		task_fail(t, REASON_SERVER_LOST, NULL);
	else if (s->local)
		listen(t);
	else
		ask_server(t, s);
}

static bool is_free(const struct server *s)
{
	if (s->local)
		return true;
	return server_has_room(s) && s->busy == SERVER_IDLE && !s->links_open;
}

static bool was_tried(const struct task *t, uint16_t server)
{
	for (size_t i = 0; i < t->n_tried; i++)
		if (t->tried[i] == server)
			return true;
	return false;
}

/* Whether the task may use it at all: the one that was asked for comes first. */
static bool may_use(const struct task *t, const struct server *s)
{
	uint16_t fixed = t->job->row.options.server;

	if (!fixed && !t->row.attempts && t->row.server)
		fixed = t->row.server;
	return !s->no_extended && (!fixed || s->address == fixed);
}

/* The best that is free now. able: some server may be used, now or later. */
static struct server *best_server(const struct task *t, bool *able)
{
	const struct device *d = t->device;
	struct server *best = NULL;
	int score = 0;

	*able = false;
	for (size_t i = 0; i < d->n_sightings; i++) {
		struct server *s = server_find(t->job->jobs, d->sighting[i].server);
		int rssi = d->sighting[i].rssi;

		if (!s || !may_use(t, s))
			continue;
		*able = true;
		rssi = (rssi == RSSI_UNKNOWN ? -75 : rssi) - (was_tried(t, s->address) ? TRIED : 0);
		if (!is_free(s) || (best && rssi <= score))
			continue;
		best = s;
		score = rssi;
	}
	return best;
}

/* Otherwise somebody else must hear it first. */
static bool is_able(const struct task *t)
{
	bool able = true;

	if (t->device)
		best_server(t, &able);
	return able;
}

static void start_device(struct task *t)
{
	struct jobs *j = t->job->jobs;
	bool able;
	struct server *s = best_server(t, &able);

	if (s) {
		for (size_t i = 0; i < t->device->n_sightings; i++)
			if (t->device->sighting[i].server == s->address)
				t->row.rssi = t->device->sighting[i].rssi;
		t->row.server = s->address;
		task_start(t, SCAN_EXTENDED);
	} else if (!able && j->survey.quiet >= QUIET_SURVEYS) {
		task_fail(t, t->device->n_sightings ? REASON_SERVER_REFUSED : REASON_NOT_HEARD,
			  t->device->n_sightings ? "No server that hears it can do this." : NULL);
	}
}

static void start(struct task *t)
{
	struct server *s = server_find(t->job->jobs, t->row.server);

	if (!is_of_server(t))
		start_device(t);
	else if (!s)
		task_fail(t, REASON_SERVER_LOST, NULL);
	else if (is_free(s))
		task_start(t, SCAN_EXTENDED);
}

void extended_schedule(struct job *job)
{
	struct jobs *j = job->jobs;
	unsigned running = job_running(job);
	bool unheard = false;

	for (struct task *t = job->tasks; t; t = t->next) {
		if (t->row.state != DB_TASK_WAITING || jobs_now(j) < t->not_before)
			continue;
		if (t->row.has_uuid && !t->device)
			task_set_device(t, device_get(j, t->row.uuid));
		if (running >= AT_ONCE)
			break;
		start(t);
		running += t->row.state == DB_TASK_RUNNING;
		unheard |= t->row.state == DB_TASK_WAITING && !is_able(t);
	}
	survey_run(j, unheard && j->survey.quiet < QUIET_SURVEYS ? SURVEY_ROUNDS : SURVEY_ASKED,
		   running > 0);
}

/* ---- making ---- */

static bool has_task(const struct job *job, const uint8_t *uuid)
{
	for (const struct task *t = job->tasks; t; t = t->next)
		if (t->row.has_uuid && memcmp(t->row.uuid, uuid, UUID_LEN) == 0)
			return true;
	return false;
}

static enum jobs_rc add_device(struct job *job, const uint8_t *uuid, uint16_t server)
{
	struct task *t;

	if (has_task(job, uuid))
		return JOBS_OK;
	t = task_create(job, uuid, 0);
	if (!t)
		return JOBS_STORE;
	t->row.server = server;
	if (server)
		task_save(t);
	return JOBS_OK;
}

struct adding {
	struct job *job;
	enum jobs_rc rc;
};

static void add_heard(void *ctx, const struct db_device *d)
{
	struct adding *a = ctx;

	if (a->rc == JOBS_OK)
		a->rc = add_device(a->job, d->uuid, 0);
}

static enum jobs_rc add_all(struct job *job)
{
	struct db_device_filter f = { .listed = -1, .heard = 1, .trust = -1, .provisioned = 0 };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];
	struct adding a = { job, JOBS_OK };

	jobs_flush(job->jobs);
	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_devices(job->jobs->env.db, &f, &page, add_heard, &a, next) != DB_OK)
			return JOBS_STORE;
	} while (*next && a.rc == JOBS_OK);
	return a.rc;
}

struct hearing {
	struct job *job;
	uint16_t server;
	enum jobs_rc rc;
};

static void add_sighted(void *ctx, const struct db_sighting *s)
{
	struct hearing *h = ctx;
	struct db_node n;
	bool node = db_node_get_uuid(h->job->jobs->env.db, s->uuid, &n) == DB_OK;

	secret_wipe(&n, sizeof n);
	if (!node && h->rc == JOBS_OK)
		h->rc = add_device(h->job, s->uuid, h->server);
}

/* The server itself, and what it hears. */
static enum jobs_rc add_server(struct job *job, uint16_t address)
{
	struct hearing h = { job, address, JOBS_OK };
	struct db_sighting_filter f = { .server = address };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];
	struct task *t;

	if (!server_find(job->jobs, address))
		return JOBS_NOT_FOUND;
	if (address != job->jobs->own) {
		t = task_create(job, NULL, address);
		if (!t)
			return JOBS_STORE;
		t->row.server = address;
		task_save(t);
	}
	jobs_flush(job->jobs);
	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_sightings(job->jobs->env.db, &f, &page, add_sighted, &h, next) != DB_OK)
			return JOBS_STORE;
	} while (*next && h.rc == JOBS_OK);
	return h.rc;
}

enum jobs_rc extended_create_tasks(struct job *job, const struct jobs_request *rq)
{
	enum jobs_rc rc = JOBS_OK;

	if (job->row.targets != DB_TARGETS_LIST)
		return add_all(job);
	for (size_t i = 0; i < rq->n_addresses && rc == JOBS_OK; i++)
		rc = add_server(job, rq->addresses[i]);
	for (size_t i = 0; i < rq->n_uuids && rc == JOBS_OK; i++) {
		struct db_node n;
		bool node = db_node_get_uuid(job->jobs->env.db, rq->uuids[i], &n) == DB_OK &&
			    n.state != DB_NODE_PENDING;

		secret_wipe(&n.device_key, sizeof n.device_key);
		secret_wipe(&n.candidate, sizeof n.candidate);
		rc = node ? add_server(job, n.address) : add_device(job, rq->uuids[i], 0);
	}
	return rc;
}
