/* SPDX-License-Identifier: Apache-2.0 */
#include "devices.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "provision.h"
#include "survey.h"

/* Reports of a beacon may be this much older than their arrival. */
static const uint64_t report_delay = SEC(30);
static const uint64_t sighting_life = SEC(1800);
static const uint64_t write_behind = SEC(1);

enum { FORGET_TRIES = 64 };

static size_t bucket_of(const uint8_t uuid[UUID_LEN])
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < UUID_LEN; i++)
		h = (h ^ uuid[i]) * 16777619u;
	return h % DEVICE_BUCKETS;
}

struct device *device_find(const struct jobs *j, const uint8_t uuid[UUID_LEN])
{
	struct device *d = j->buckets[bucket_of(uuid)];

	while (d && memcmp(d->uuid, uuid, UUID_LEN) != 0)
		d = d->next;
	return d;
}

static void age_remove(struct jobs *j, struct device *d)
{
	*(d->older ? &d->older->newer : &j->oldest) = d->newer;
	*(d->newer ? &d->newer->older : &j->newest) = d->older;
	d->older = d->newer = NULL;
}

static void age_insert(struct jobs *j, struct device *d)
{
	d->older = j->newest;
	d->newer = NULL;
	*(j->newest ? &j->newest->newer : &j->oldest) = d;
	j->newest = d;
}

static bool may_be_forgotten(const struct device *d)
{
	return !d->listed && !d->held && !d->task && !d->session && !d->dirty;
}

static void forget(struct jobs *j, struct device *d)
{
	struct device **at = &j->buckets[bucket_of(d->uuid)];

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	age_remove(j, d);
	j->n_devices--;
	for (struct server *s = j->servers; s; s = s->next)
		if (s->device == d)
			s->device = NULL;
	free(d);
}

/* Whoever may not go is asked again when all others were. */
static bool forget_oldest(struct jobs *j)
{
	struct device *d = j->oldest;

	for (size_t tries = FORGET_TRIES; d && tries; tries--) {
		struct device *newer = d->newer;

		if (may_be_forgotten(d)) {
			forget(j, d);
			return true;
		}
		age_remove(j, d);
		age_insert(j, d);
		d = newer;
	}
	return false;
}

struct device *device_get(struct jobs *j, const uint8_t uuid[UUID_LEN])
{
	struct device *d = device_find(j, uuid);
	struct db_device row;
	size_t bucket = bucket_of(uuid);

	if (d)
		return d;
	if (j->n_devices >= j->devices_max)
		forget_oldest(j);
	d = calloc(1, sizeof *d);
	if (!d)
		abort();
	memcpy(d->uuid, uuid, UUID_LEN);
	if (db_device_get(j->env.db, uuid, &row) == DB_OK) {
		d->listed = row.listed;
		d->oob_info = row.oob_info;
		d->is_node = row.node;
		secret_wipe(row.static_oob, sizeof row.static_oob);
	} else {
		struct db_node node;

		d->is_node = db_node_get_uuid(j->env.db, uuid, &node) == DB_OK &&
			     node.state != DB_NODE_PENDING;
		secret_wipe(&node, sizeof node);
	}
	d->node_since = jobs_now(j);
	d->next = j->buckets[bucket];
	j->buckets[bucket] = d;
	j->n_devices++;
	age_insert(j, d);
	return d;
}

bool device_is_free(const struct device *d)
{
	return !d->is_node || d->last_heard > d->node_since;
}

bool device_is_eligible(const struct device *d)
{
	return device_is_free(d) &&
	       (d->listed || (d->heard && (d->oob_info & (OOB_INFO_CBP | OOB_INFO_RECORDS))));
}

bool device_beaconed_after(const struct jobs *j, const struct device *d, uint64_t instant)
{
	for (size_t i = 0; i < d->n_sightings; i++) {
		const struct device_sighting *s = &d->sighting[i];

		if (s->when > instant + (s->server == j->own ? 0 : report_delay))
			return true;
	}
	return false;
}

void device_joined(struct jobs *j, struct device *d)
{
	d->is_node = true;
	d->node_since = jobs_now(j) + report_delay;
	d->n_sightings = 0;
	jobs_tell_device(j, d->uuid, false);
}

static void flush_due(void *ctx)
{
	jobs_flush(ctx);
}

static void mark_dirty(struct jobs *j, struct device *d)
{
	if (!d->dirty) {
		d->dirty = true;
		d->next_dirty = j->dirty;
		j->dirty = d;
	}
	if (!timer_running(&j->behind))
		timer_start(j->env.real_timers, &j->behind, write_behind, flush_due, j);
}

/* That of server, else a free place, else the oldest. */
static struct device_sighting *sighting_slot(struct device *d, uint16_t server)
{
	struct device_sighting *oldest = &d->sighting[0];

	for (size_t i = 0; i < d->n_sightings; i++) {
		if (d->sighting[i].server == server)
			return &d->sighting[i];
		if (d->sighting[i].when < oldest->when)
			oldest = &d->sighting[i];
	}
	if (d->n_sightings < DEVICE_SIGHTINGS)
		oldest = &d->sighting[d->n_sightings++];
	*oldest = (struct device_sighting){ .server = server, .rssi = RSSI_UNKNOWN };
	return oldest;
}

/* Fast up, slow down: one deep fade says little, one loud beacon says much. */
static int blend(int old, int now, uint32_t count)
{
	if (now == RSSI_UNKNOWN || !count || old == RSSI_UNKNOWN)
		return now == RSSI_UNKNOWN ? old : now;
	return now > old ? now : (3 * old + now) / 4;
}

/* A stranger that finds no room is not seen; one of the list always is. */
static bool may_enter(struct jobs *j, const uint8_t uuid[UUID_LEN])
{
	struct db_device row;
	bool listed;

	if (j->n_devices < j->devices_max || forget_oldest(j))
		return true;
	listed = db_device_get(j->env.db, uuid, &row) == DB_OK && row.listed;
	secret_wipe(row.static_oob, sizeof row.static_oob);
	return listed;
}

void device_sighted(struct jobs *j, const struct rpr_scan_report *r)
{
	uint64_t now = jobs_now(j);
	struct device *d = device_find(j, r->uuid);
	struct device_sighting *s;
	bool news;

	if (!d && may_enter(j, r->uuid))
		d = device_get(j, r->uuid);
	if (!d || (d->is_node && now < d->node_since))
		return;
	news = !d->heard || (d->is_node && d->last_heard <= d->node_since);
	if (!d->first_heard || news)
		d->first_heard = now;
	age_remove(j, d);
	age_insert(j, d);
	d->heard = true;
	d->last_heard = now;
	d->heard_wall = jobs_wall(j);
	d->oob_info = r->oob_info;
	d->has_uri_hash = r->has_uri_hash;
	d->uri_hash = r->uri_hash;
	s = sighting_slot(d, r->server);
	s->rssi = blend(s->rssi, r->rssi, s->count);
	s->when = now;
	s->wall = d->heard_wall;
	s->count++;
	s->dirty = true;
	mark_dirty(j, d);
	if (news && (d->listed || d->task)) /* a stranger is none before it is heard again */
		survey_news(j);
	provision_device_heard(j, d);
}

void devices_forget_server(struct jobs *j, uint16_t server)
{
	for (size_t b = 0; b < DEVICE_BUCKETS; b++) {
		for (struct device *d = j->buckets[b]; d; d = d->next) {
			for (size_t i = 0; i < d->n_sightings; i++)
				if (d->sighting[i].server == server)
					d->sighting[i--] = d->sighting[--d->n_sightings];
		}
	}
}

unsigned devices_heard_by(const struct jobs *j, uint16_t server)
{
	unsigned n = 0;

	for (size_t b = 0; b < DEVICE_BUCKETS; b++)
		for (const struct device *d = j->buckets[b]; d; d = d->next)
			for (size_t i = 0; i < d->n_sightings; i++)
				n += d->sighting[i].server == server && device_is_free(d);
	return n;
}

bool device_row(struct jobs *j, const uint8_t uuid[UUID_LEN], struct db_device *out)
{
	enum db_rc rc = db_device_get(j->env.db, uuid, out);

	if (rc != DB_NONE)
		return rc == DB_OK;
	memset(out, 0, sizeof *out);
	memcpy(out->uuid, uuid, UUID_LEN);
	if (db_device_memory(j->env.db, uuid, &out->saw_hmac, &out->saw_certificates) == DB_ERROR)
		return false;
	j->overfull = true; /* by one, perhaps */
	out->best_rssi = RSSI_UNKNOWN;
	out->created = jobs_wall(j);
	return true;
}

static void best_of(const struct device *d, struct db_device *row)
{
	row->best_server = 0;
	row->best_rssi = RSSI_UNKNOWN;
	for (size_t i = 0; i < d->n_sightings; i++) {
		const struct device_sighting *s = &d->sighting[i];
		bool louder = row->best_rssi == RSSI_UNKNOWN ||
			      (s->rssi != RSSI_UNKNOWN && s->rssi > row->best_rssi);

		if (s->when + sighting_life >= d->last_heard && (louder || !row->best_server)) {
			row->best_server = s->server;
			row->best_rssi = s->rssi;
		}
	}
}

static void write_device(struct jobs *j, struct device *d)
{
	struct db_device row;

	if (!device_row(j, d->uuid, &row))
		return;
	row.heard = true;
	row.oob_info = d->oob_info;
	row.has_uri_hash = d->has_uri_hash;
	row.uri_hash = d->uri_hash;
	if (!row.first_heard)
		row.first_heard = d->heard_wall;
	row.last_heard = d->heard_wall;
	best_of(d, &row);
	if (db_device_put(j->env.db, &row) == DB_OK) {
		for (size_t i = 0; i < d->n_sightings; i++) {
			struct device_sighting *s = &d->sighting[i];
			struct db_sighting out = { .server = s->server,
						   .rssi = s->rssi,
						   .when = s->wall,
						   .count = s->count };

			memcpy(out.uuid, d->uuid, UUID_LEN);
			if (s->dirty)
				db_sighting_put(j->env.db, &out);
			s->dirty = false;
		}
	}
	secret_wipe(row.static_oob, sizeof row.static_oob);
	jobs_tell_device(j, d->uuid, false);
}

static bool row_gone(void *ctx, const uint8_t uuid[UUID_LEN])
{
	struct jobs *j = ctx;
	const struct device *d = device_find(j, uuid);

	if (d && (d->held || d->task || d->session))
		return false;
	jobs_tell_device(j, uuid, true);
	return true;
}

/* Rows outlive us, and whoever can send a beacon can make one: there is an end to them, too. */
static void trim_store(struct jobs *j)
{
	struct db_device_filter nobodys = {
		.listed = 0, .heard = -1, .trust = -1, .provisioned = -1
	};
	int64_t n = 0, most = (int64_t)j->devices_max;

	j->overfull = false;
	if (db_device_count(j->env.db, &nobodys, &n) == DB_OK && n > most)
		db_devices_trim(j->env.db, most - most / 100, row_gone, j);
}

void devices_flush(struct jobs *j)
{
	while (j->dirty) {
		struct device *d = j->dirty;

		j->dirty = d->next_dirty;
		d->dirty = false;
		if (d->heard)
			write_device(j, d);
	}
	if (j->overfull)
		trim_store(j);
}

void devices_free(struct jobs *j)
{
	for (size_t b = 0; b < DEVICE_BUCKETS; b++) {
		while (j->buckets[b]) {
			struct device *d = j->buckets[b];

			j->buckets[b] = d->next;
			free(d);
		}
	}
}
