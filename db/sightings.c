/* SPDX-License-Identifier: Apache-2.0 */
#include "db_devices.h"
#include "sql.h"

enum db_rc db_sighting_put(struct db *db, const struct db_sighting *s)
{
	struct sql q = sql_write(
		db, "INSERT INTO sightings (uuid, server, rssi, at, count) VALUES (?, ?, ?, ?, ?)"
		    " ON CONFLICT (uuid, server) DO UPDATE SET rssi = excluded.rssi,"
		    " at = excluded.at, count = excluded.count");

	sql_blob(&q, s->uuid, UUID_LEN);
	sql_int(&q, s->server);
	sql_int(&q, s->rssi);
	sql_int(&q, s->when);
	sql_int(&q, s->count);
	return sql_run(&q);
}

static void sighting_where(struct sql_where *w, const struct db_sighting_filter *f)
{
	if (!f)
		return;
	if (f->uuid)
		sql_where_blob(w, "uuid = ?", f->uuid, UUID_LEN);
	if (f->server)
		sql_where_int(w, "server = ?", f->server);
	if (f->since)
		sql_where_int(w, "at >= ?", f->since);
}

struct each {
	void (*each)(void *ctx, const struct db_sighting *s);
	void *ctx;
};

static bool give(struct sql *q, void *ctx)
{
	const struct each *e = ctx;
	struct db_sighting s = { 0 };

	sql_get_blob(q, s.uuid, UUID_LEN);
	s.server = (uint16_t)sql_get_int(q);
	s.rssi = (int)sql_get_int(q);
	s.when = sql_get_int(q);
	s.count = (uint32_t)sql_get_int(q);
	e->each(e->ctx, &s);
	return true;
}

/* Both halves of the primary key in one value that a cursor can hold. */
#define SIGHTING_KEY "hex(uuid) || printf('%04x', server)"

enum db_rc db_sightings(struct db *db, const struct db_sighting_filter *f,
			const struct db_page *page,
			void (*each)(void *ctx, const struct db_sighting *s), void *ctx,
			char next[DB_CURSOR])
{
	static const struct sql_sort sorts[] = {
		{ "device", "uuid" },
		{ "rssi", "rssi" },
		{ "when", "at" },
	};
	static const struct sql_list list = { "uuid, server, rssi, at, count", "sightings",
					      SIGHTING_KEY, sorts, ARRAY_LEN(sorts) };
	struct each e = { each, ctx };
	struct sql_where w = { 0 };

	sighting_where(&w, f);
	return sql_list(db, &list, &w, page, give, &e, next);
}

enum db_rc db_sighting_count(struct db *db, const struct db_sighting_filter *f, int64_t *out)
{
	struct sql_where w = { 0 };

	sighting_where(&w, f);
	return sql_count(db, "sightings", &w, out);
}
