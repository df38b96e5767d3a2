/* SPDX-License-Identifier: Apache-2.0 */
#include "db_certificates.h"

#include <string.h>

#include "crypto.h"
#include "sql.h"

/* What no device refers to any more. */
static enum db_rc sweep(struct db *db)
{
	struct sql q = sql_write(db, "DELETE FROM certificates WHERE NOT EXISTS (SELECT 1 FROM"
				     " device_certificates d WHERE d.fingerprint ="
				     " certificates.fingerprint)");
	enum db_rc rc = sql_run(&q);

	return rc == DB_NONE ? DB_OK : rc;
}

static enum db_rc forget(struct db *db, const char *text, const uint8_t uuid[UUID_LEN])
{
	struct sql q = sql_write(db, text);

	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

static enum db_rc keep(struct db *db, struct bytes der, uint8_t fingerprint[32])
{
	struct sql q = sql_write(db, "INSERT INTO certificates (fingerprint, der) VALUES (?, ?)"
				     " ON CONFLICT (fingerprint) DO UPDATE SET der = excluded.der");

	sha256(der, fingerprint);
	sql_blob(&q, fingerprint, 32);
	sql_blob(&q, der.p, der.n);
	return sql_run(&q);
}

enum db_rc db_chain_put(struct db *db, const uint8_t uuid[UUID_LEN], const struct bytes *der,
			size_t n, enum db_chain_source source, int64_t at)
{
	enum db_rc rc = forget(db, "DELETE FROM device_certificates WHERE uuid = ?", uuid);
	uint8_t fingerprint[32];

	for (size_t i = 0; i < n && rc != DB_ERROR; i++) {
		rc = keep(db, der[i], fingerprint);
		if (rc == DB_ERROR)
			break;
		struct sql q = sql_write(db, "INSERT INTO device_certificates (uuid, place,"
					     " fingerprint, source, at) VALUES (?, ?, ?, ?, ?)");

		sql_blob(&q, uuid, UUID_LEN);
		sql_int(&q, (int64_t)i);
		sql_blob(&q, fingerprint, sizeof fingerprint);
		sql_int(&q, source);
		sql_int(&q, at);
		rc = sql_run(&q);
	}
	return rc == DB_ERROR ? rc : sweep(db);
}

enum db_rc db_chain(struct db *db, const uint8_t uuid[UUID_LEN],
		    void (*each)(void *ctx, const struct db_chain_link *l), void *ctx)
{
	struct sql q = sql_read(db, "SELECT d.place, d.source, d.at, c.der FROM device_certificates"
				    " d JOIN certificates c ON c.fingerprint = d.fingerprint"
				    " WHERE d.uuid = ? ORDER BY d.place");
	enum db_rc rc;
	bool any = false;

	sql_blob(&q, uuid, UUID_LEN);
	while ((rc = sql_row(&q)) == DB_OK) {
		struct db_chain_link l = { .place = (unsigned)sql_get_int(&q) };

		l.source = (enum db_chain_source)sql_get_int(&q);
		l.at = sql_get_int(&q);
		l.der = sql_get_bytes(&q);
		each(ctx, &l);
		any = true;
	}
	sql_end(&q);
	return rc == DB_ERROR ? rc : any ? DB_OK : DB_NONE;
}

enum db_rc db_chain_delete(struct db *db, const uint8_t uuid[UUID_LEN])
{
	enum db_rc rc = forget(db, "DELETE FROM device_certificates WHERE uuid = ?", uuid);

	return rc == DB_OK ? sweep(db) : rc;
}

enum db_rc db_device_uri_put(struct db *db, const uint8_t uuid[UUID_LEN],
			     const struct db_device_uri *u)
{
	struct sql q = sql_write(db, "INSERT INTO device_uris (uuid, uri, recorded, at) VALUES"
				     " (?, ?, ?, ?) ON CONFLICT (uuid) DO UPDATE SET"
				     " (uri, recorded, at) ="
				     " (excluded.uri, excluded.recorded, excluded.at)");

	sql_blob(&q, uuid, UUID_LEN);
	sql_text(&q, u->uri);
	sql_int(&q, u->recorded);
	sql_int(&q, u->at);
	return sql_run(&q);
}

enum db_rc db_device_uri_get(struct db *db, const uint8_t uuid[UUID_LEN], struct db_device_uri *out)
{
	struct sql q = sql_read(db, "SELECT uri, recorded, at FROM device_uris WHERE uuid = ?");
	enum db_rc rc;

	sql_blob(&q, uuid, UUID_LEN);
	rc = sql_row(&q);
	memset(out, 0, sizeof *out);
	if (rc == DB_OK) {
		sql_get_text(&q, out->uri, sizeof out->uri);
		out->recorded = sql_get_int(&q);
		out->at = sql_get_int(&q);
	}
	sql_end(&q);
	return rc;
}

static void bind_known(struct sql *q, int v)
{
	if (v < 0)
		sql_null(q);
	else
		sql_int(q, v);
}

enum db_rc db_device_product_put(struct db *db, const uint8_t uuid[UUID_LEN],
				 const struct db_product *p)
{
	enum db_rc rc;

	if (p->company < 0 && p->product < 0) {
		rc = forget(db, "DELETE FROM device_products WHERE uuid = ?", uuid);
		return rc == DB_NONE ? DB_OK : rc;
	}
	struct sql q = sql_write(db, "INSERT INTO device_products (uuid, company, product) VALUES"
				     " (?, ?, ?) ON CONFLICT (uuid) DO UPDATE SET"
				     " (company, product) = (excluded.company, excluded.product)");

	sql_blob(&q, uuid, UUID_LEN);
	bind_known(&q, p->company);
	bind_known(&q, p->product);
	return sql_run(&q);
}

static int get_known(struct sql *q)
{
	if (sql_get_is_null(q)) {
		q->column++;
		return -1;
	}
	return (int)sql_get_int(q);
}

enum db_rc db_device_product_get(struct db *db, const uint8_t uuid[UUID_LEN],
				 struct db_product *out)
{
	struct sql q = sql_read(db, "SELECT company, product FROM device_products WHERE uuid = ?");
	enum db_rc rc;

	sql_blob(&q, uuid, UUID_LEN);
	rc = sql_row(&q);
	*out = (struct db_product){ -1, -1 };
	if (rc == DB_OK) {
		out->company = get_known(&q);
		out->product = get_known(&q);
	}
	sql_end(&q);
	return rc;
}

/* ---- revocation lists ---- */

enum db_rc db_crl_put(struct db *db, const struct db_crl *c)
{
	struct sql q = sql_write(db, "INSERT INTO crls (anchor, der, issued, next_update, revoked,"
				     " added) SELECT id, ?, ?, ?, ?, ? FROM anchors WHERE id = ?"
				     " ON CONFLICT (anchor) DO UPDATE SET (der, issued,"
				     " next_update, revoked, added) = (excluded.der,"
				     " excluded.issued, excluded.next_update, excluded.revoked,"
				     " excluded.added)");

	sql_blob(&q, c->der.p, c->der.n);
	sql_int(&q, c->issued);
	sql_int(&q, c->next_update);
	sql_int(&q, c->revoked);
	sql_int(&q, c->added);
	sql_int(&q, c->anchor);
	return sql_run(&q);
}

static struct db_crl crl_read(struct sql *q)
{
	struct db_crl c = { .anchor = sql_get_int(q) };

	c.issued = sql_get_int(q);
	c.next_update = sql_get_int(q);
	c.revoked = sql_get_int(q);
	c.added = sql_get_int(q);
	return c;
}

enum db_rc db_crl_get(struct db *db, int64_t anchor, struct db_crl *out)
{
	struct sql q = sql_read(db, "SELECT anchor, issued, next_update, revoked, added FROM crls"
				    " WHERE anchor = ?");
	enum db_rc rc;

	sql_int(&q, anchor);
	rc = sql_row(&q);
	if (rc == DB_OK)
		*out = crl_read(&q);
	sql_end(&q);
	return rc;
}

enum db_rc db_crl_delete(struct db *db, int64_t anchor)
{
	struct sql q = sql_write(db, "DELETE FROM crls WHERE anchor = ?");

	sql_int(&q, anchor);
	return sql_run(&q);
}

enum db_rc db_crls(struct db *db, void (*each)(void *ctx, const struct db_crl *c), void *ctx)
{
	struct sql q = sql_read(db, "SELECT anchor, issued, next_update, revoked, added, der"
				    " FROM crls ORDER BY anchor");
	enum db_rc rc;

	while ((rc = sql_row(&q)) == DB_OK) {
		struct db_crl c = crl_read(&q);

		c.der = sql_get_bytes(&q);
		each(ctx, &c);
	}
	sql_end(&q);
	return rc == DB_ERROR ? rc : DB_OK;
}
