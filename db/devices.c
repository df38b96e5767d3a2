/* SPDX-License-Identifier: Apache-2.0 */
#include "db_devices.h"

#include <string.h>

#include "facts.h"
#include "sql.h"

#define DEVICE_COLUMNS                                                                    \
	"uuid, listed, name, area, profile, static_oob_len, static_oob_sealed, heard,"    \
	" oob_info, uri_hash, first_heard, last_heard, best_server, best_rssi, saw_hmac," \
	" saw_certificates, trust, trust_code, trust_message, created, " FACTS_COLUMNS
#define DEVICE_MEMORY(column)                                                   \
	"EXISTS (SELECT 1 FROM device_memory m WHERE m.uuid = devices.uuid AND" \
	" m." column ")"
#define SCAN_COLUMNS "local_name, uri, appearance, tx_power, ads, scanned"
#define DEVICE_READ                                                              \
	DEVICE_COLUMNS                                                           \
	", certificate IS NOT NULL, coalesce((SELECT address FROM nodes n WHERE" \
	" n.uuid = devices.uuid AND n.state > 0), 0), " DEVICE_MEMORY(           \
		"saw_hmac") ", " DEVICE_MEMORY("saw_certificates") ", " SCAN_COLUMNS

enum { TX_POWER_UNKNOWN = 127, TRIM_MOST = 256 };

static const char *row_of(char out[UUID_TEXT], const uint8_t uuid[UUID_LEN])
{
	return uuid_format(out, uuid);
}

static void scan_read(struct sql *q, struct db_device_scan *s)
{
	sql_get_text(q, s->local_name, sizeof s->local_name);
	sql_get_text(q, s->uri, sizeof s->uri);
	s->has_appearance = !sql_get_is_null(q);
	s->appearance = (uint16_t)sql_get_int(q);
	s->tx_power = sql_get_is_null(q) ? TX_POWER_UNKNOWN : 0;
	s->tx_power += (int)sql_get_int(q);
	size_t n = sql_get_blob(q, s->ads, sizeof s->ads);
	s->ads_len = (uint16_t)(n < sizeof s->ads ? n : sizeof s->ads);
	s->at = sql_get_int(q);
}

static bool device_read(struct sql *q, struct db_device *d)
{
	char row[UUID_TEXT];
	bool ok = true;

	memset(d, 0, sizeof *d);
	sql_get_blob(q, d->uuid, UUID_LEN);
	d->listed = sql_get_int(q);
	sql_get_text(q, d->name, sizeof d->name);
	sql_get_text(q, d->area, sizeof d->area);
	sql_get_text(q, d->profile, sizeof d->profile);
	d->static_oob_len = (uint8_t)sql_get_int(q);
	if (d->static_oob_len > DB_STATIC_OOB)
		return false;
	if (sql_get_is_null(q))
		q->column++;
	else
		ok = sql_get_secret(q, "devices.static_oob", row_of(row, d->uuid), d->static_oob,
				    d->static_oob_len);
	d->heard = sql_get_int(q);
	d->oob_info = (uint16_t)sql_get_int(q);
	d->has_uri_hash = !sql_get_is_null(q);
	d->uri_hash = (uint32_t)sql_get_int(q);
	d->first_heard = sql_get_int(q);
	d->last_heard = sql_get_int(q);
	d->best_server = (uint16_t)sql_get_int(q);
	d->best_rssi = (int)sql_get_int(q);
	d->saw_hmac = sql_get_int(q);
	d->saw_certificates = sql_get_int(q);
	d->trust = (enum db_trust)sql_get_int(q);
	sql_get_text(q, d->trust_code, sizeof d->trust_code);
	sql_get_text(q, d->trust_message, sizeof d->trust_message);
	d->created = sql_get_int(q);
	facts_read(q, &d->certificate);
	d->has_certificate = sql_get_int(q);
	d->node = (uint16_t)sql_get_int(q);
	d->saw_hmac |= sql_get_int(q) != 0;
	d->saw_certificates |= sql_get_int(q) != 0;
	scan_read(q, &d->scan);
	return ok;
}

static void device_bind(struct sql *q, const struct db_device *d)
{
	char row[UUID_TEXT];

	sql_blob(q, d->uuid, UUID_LEN);
	sql_int(q, d->listed);
	sql_text(q, d->name);
	sql_text(q, d->area);
	sql_text(q, d->profile);
	sql_int(q, d->static_oob_len);
	if (d->static_oob_len)
		sql_secret(q, "devices.static_oob", row_of(row, d->uuid), d->static_oob,
			   d->static_oob_len);
	else
		sql_null(q);
	sql_int(q, d->heard);
	sql_int(q, d->oob_info);
	if (d->has_uri_hash)
		sql_int(q, d->uri_hash);
	else
		sql_null(q);
	sql_int(q, d->first_heard);
	sql_int(q, d->last_heard);
	sql_int(q, d->best_server);
	sql_int(q, d->best_rssi);
	sql_int(q, d->saw_hmac);
	sql_int(q, d->saw_certificates);
	sql_int(q, d->trust);
	sql_text(q, d->trust_code);
	sql_text(q, d->trust_message);
	sql_int(q, d->created);
	facts_bind(q, &d->certificate);
}

enum db_rc db_device_get(struct db *db, const uint8_t uuid[UUID_LEN], struct db_device *out)
{
	struct sql q = sql_read(db, "SELECT " DEVICE_READ " FROM devices WHERE uuid = ?");

	sql_blob(&q, uuid, UUID_LEN);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK && !device_read(&q, out))
		rc = DB_ERROR;
	sql_end(&q);
	return rc;
}

enum db_rc db_device_put(struct db *db, const struct db_device *d)
{
	struct sql q = sql_write(
		db, "INSERT INTO devices (" DEVICE_COLUMNS ") VALUES"
		    " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
		    " ON CONFLICT (uuid) DO UPDATE SET (" DEVICE_COLUMNS ") ="
		    " (excluded.uuid, excluded.listed, excluded.name, excluded.area,"
		    " excluded.profile, excluded.static_oob_len, excluded.static_oob_sealed,"
		    " excluded.heard, excluded.oob_info, excluded.uri_hash, excluded.first_heard,"
		    " excluded.last_heard, excluded.best_server, excluded.best_rssi,"
		    " excluded.saw_hmac, excluded.saw_certificates, excluded.trust,"
		    " excluded.trust_code, excluded.trust_message, excluded.created,"
		    " excluded.cert_present, excluded.cert_subject, excluded.cert_issuer,"
		    " excluded.cert_serial, excluded.cert_not_before, excluded.cert_not_after,"
		    " excluded.cert_fingerprint)");

	device_bind(&q, d);
	return sql_run(&q);
}

enum db_rc db_device_set_certificate(struct db *db, const uint8_t uuid[UUID_LEN], struct bytes der)
{
	struct sql q = sql_write(db, "UPDATE devices SET certificate = ? WHERE uuid = ?");

	if (der.n)
		sql_blob(&q, der.p, der.n);
	else
		sql_null(&q);
	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

enum db_rc db_device_certificate(struct db *db, const uint8_t uuid[UUID_LEN], uint8_t *out,
				 size_t cap, size_t *n)
{
	struct sql q = sql_read(db, "SELECT certificate FROM devices WHERE uuid = ?"
				    " AND certificate IS NOT NULL AND length(certificate) <= ?");

	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, (int64_t)cap);
	enum db_rc rc = sql_row(&q);
	*n = rc == DB_OK ? sql_get_blob(&q, out, cap) : 0;
	sql_end(&q);
	return rc;
}

enum db_rc db_device_set_scan(struct db *db, const uint8_t uuid[UUID_LEN],
			      const struct db_device_scan *s)
{
	struct sql q = sql_write(db, "UPDATE devices SET (" SCAN_COLUMNS ") = (?,?,?,?,?,?)"
				     " WHERE uuid = ?");

	sql_text(&q, s->local_name);
	sql_text(&q, s->uri);
	if (s->has_appearance)
		sql_int(&q, s->appearance);
	else
		sql_null(&q);
	if (s->tx_power != TX_POWER_UNKNOWN)
		sql_int(&q, s->tx_power);
	else
		sql_null(&q);
	sql_blob(&q, s->ads, s->ads_len);
	sql_int(&q, s->at);
	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

enum db_rc db_device_delete(struct db *db, const uint8_t uuid[UUID_LEN])
{
	struct sql keep = sql_write(
		db,
		"INSERT INTO device_memory SELECT uuid, saw_hmac, saw_certificates FROM devices"
		" WHERE uuid = ? AND (saw_hmac OR saw_certificates) ON CONFLICT (uuid) DO UPDATE"
		" SET saw_hmac = saw_hmac | excluded.saw_hmac,"
		" saw_certificates = saw_certificates | excluded.saw_certificates");

	sql_blob(&keep, uuid, UUID_LEN);
	if (sql_run(&keep) == DB_ERROR)
		return DB_ERROR;
	struct sql q = sql_write(db, "DELETE FROM devices WHERE uuid = ?");
	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

enum db_rc db_device_memory(struct db *db, const uint8_t uuid[UUID_LEN], bool *saw_hmac,
			    bool *saw_certificates)
{
	struct sql q =
		sql_read(db, "SELECT saw_hmac, saw_certificates FROM device_memory WHERE uuid = ?");

	*saw_hmac = *saw_certificates = false;
	sql_blob(&q, uuid, UUID_LEN);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK) {
		*saw_hmac = sql_get_int(&q);
		*saw_certificates = sql_get_int(&q);
	}
	sql_end(&q);
	return rc;
}

enum db_rc db_devices_trim(struct db *db, int64_t most,
			   bool (*gone)(void *ctx, const uint8_t uuid[UUID_LEN]), void *ctx)
{
	struct sql q = sql_read(
		db, "SELECT uuid FROM devices WHERE listed = 0 AND trust <> ? AND NOT EXISTS"
		    " (SELECT 1 FROM nodes n WHERE n.uuid = devices.uuid) ORDER BY last_heard"
		    " LIMIT min(?, max(0, (SELECT count(*) FROM devices WHERE listed = 0) - ?))");
	uint8_t uuid[TRIM_MOST][UUID_LEN];
	enum db_rc rc;
	size_t n = 0;

	sql_int(&q, DB_TRUST_REJECTED);
	sql_int(&q, TRIM_MOST);
	sql_int(&q, most);
	while ((rc = sql_row(&q)) == DB_OK)
		sql_get_blob(&q, uuid[n++], UUID_LEN);
	if (rc != DB_NONE)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (!gone(ctx, uuid[i]))
			continue;
		rc = db_device_delete(db, uuid[i]);
		if (rc != DB_OK)
			return rc;
	}
	return DB_OK;
}

static void device_where(struct sql_where *w, const struct db_device_filter *f)
{
	if (!f)
		return;
	if (f->area)
		sql_where_text(w, "area = ?", f->area);
	if (f->search)
		sql_where_search(w,
				 "name LIKE ? ESCAPE '\\' OR lower(hex(uuid)) LIKE"
				 " replace(?, '-', '') ESCAPE '\\'",
				 2, f->search);
	if (f->listed >= 0)
		sql_where_int(w, "listed = ?", f->listed);
	if (f->heard >= 0)
		sql_where_int(w, "heard = ?", f->heard);
	if (f->trust >= 0)
		sql_where_int(w, "trust = ?", f->trust);
	if (f->provisioned >= 0)
		sql_where_int(w,
			      "EXISTS (SELECT 1 FROM nodes n WHERE n.uuid = devices.uuid AND"
			      " n.state > 0) = ?",
			      f->provisioned);
}

struct each {
	void (*each)(void *ctx, const struct db_device *d);
	void *ctx;
};

static bool give(struct sql *q, void *ctx)
{
	const struct each *e = ctx;
	struct db_device d;
	bool ok = device_read(q, &d);

	if (ok)
		e->each(e->ctx, &d);
	secret_wipe(d.static_oob, sizeof d.static_oob);
	return ok;
}

enum db_rc db_devices(struct db *db, const struct db_device_filter *f, const struct db_page *page,
		      void (*each)(void *ctx, const struct db_device *d), void *ctx,
		      char next[DB_CURSOR])
{
	static const struct sql_sort sorts[] = {
		{ "uuid", "uuid" },	 { "name", "name" },
		{ "area", "area" },	 { "last_heard", "last_heard" },
		{ "rssi", "best_rssi" }, { "created", "created" },
	};
	static const struct sql_list list = { DEVICE_READ, "devices", "uuid", sorts,
					      ARRAY_LEN(sorts) };
	struct each e = { each, ctx };
	struct sql_where w = { 0 };

	device_where(&w, f);
	return sql_list(db, &list, &w, page, give, &e, next);
}

enum db_rc db_device_count(struct db *db, const struct db_device_filter *f, int64_t *out)
{
	struct sql_where w = { 0 };

	device_where(&w, f);
	return sql_count(db, "devices", &w, out);
}
