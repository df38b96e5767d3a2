/* SPDX-License-Identifier: Apache-2.0 */
/* Browser sessions, one-time sign-in links, and answers kept for Idempotency-Keys. */
#include <string.h>

#include "db_auth.h"
#include "sql.h"

#define DAY_MS (24 * 3600 * (int64_t)1000)

enum db_rc db_session_insert(struct db *db, const struct db_session *s)
{
	struct sql q =
		sql_write(db, "INSERT INTO sessions (hash, user, csrf, created, expires, used)"
			      " VALUES (?,?,?,?,?,?)");

	sql_blob(&q, s->hash, DB_HASH);
	if (s->user)
		sql_int(&q, s->user);
	else
		sql_null(&q);
	sql_text(&q, s->csrf);
	sql_int(&q, s->created);
	sql_int(&q, s->expires);
	sql_int(&q, s->used);
	return sql_run(&q);
}

enum db_rc db_session_find(struct db *db, const uint8_t hash[DB_HASH], struct db_session *out)
{
	struct sql q = sql_read(
		db, "SELECT hash, user, csrf, created, expires, used FROM sessions WHERE hash = ?");

	sql_blob(&q, hash, DB_HASH);
	enum db_rc rc = sql_row(&q);
	if (rc != DB_OK)
		return rc;
	memset(out, 0, sizeof *out);
	sql_get_blob(&q, out->hash, DB_HASH);
	out->user = sql_get_int(&q);
	sql_get_text(&q, out->csrf, sizeof out->csrf);
	out->created = sql_get_int(&q);
	out->expires = sql_get_int(&q);
	out->used = sql_get_int(&q);
	sql_end(&q);
	return DB_OK;
}

enum db_rc db_session_set_used(struct db *db, const uint8_t hash[DB_HASH], int64_t when,
			       int64_t expires)
{
	struct sql q = sql_write(db, "UPDATE sessions SET used = ?, expires = ? WHERE hash = ?");

	sql_int(&q, when);
	sql_int(&q, expires);
	sql_blob(&q, hash, DB_HASH);
	return sql_run(&q);
}

enum db_rc db_session_delete(struct db *db, const uint8_t hash[DB_HASH])
{
	struct sql q = sql_write(db, "DELETE FROM sessions WHERE hash = ?");

	sql_blob(&q, hash, DB_HASH);
	return sql_run(&q);
}

enum db_rc db_signin_link_insert(struct db *db, const struct db_signin_link *l)
{
	struct sql q = sql_write(
		db, "INSERT INTO signin_links (hash, role, created, expires) VALUES (?,?,?,?)");

	sql_blob(&q, l->hash, DB_HASH);
	sql_int(&q, l->role);
	sql_int(&q, l->created);
	sql_int(&q, l->expires);
	return sql_run(&q);
}

enum db_rc db_signin_link_find(struct db *db, const uint8_t hash[DB_HASH],
			       struct db_signin_link *out)
{
	struct sql q =
		sql_read(db, "SELECT role, created, expires FROM signin_links WHERE hash = ?");

	sql_blob(&q, hash, DB_HASH);
	enum db_rc rc = sql_row(&q);
	if (rc != DB_OK)
		return rc;
	memcpy(out->hash, hash, DB_HASH);
	out->role = (enum db_role)sql_get_int(&q);
	out->created = sql_get_int(&q);
	out->expires = sql_get_int(&q);
	sql_end(&q);
	return DB_OK;
}

enum db_rc db_signin_link_take(struct db *db, const uint8_t hash[DB_HASH],
			       struct db_signin_link *out)
{
	enum db_rc rc = db_signin_link_find(db, hash, out);

	if (rc != DB_OK)
		return rc;
	struct sql q = sql_write(db, "DELETE FROM signin_links WHERE hash = ?");
	sql_blob(&q, hash, DB_HASH);
	return sql_run(&q);
}

enum db_rc db_idempotency_put(struct db *db, const struct db_idempotency *i, struct bytes body)
{
	struct sql q =
		sql_write(db, "INSERT INTO idempotency (actor, key, request, status, location,"
			      " body, created) VALUES (?,?,?,?,?,CAST(? AS TEXT),?)");

	sql_text(&q, i->actor);
	sql_text(&q, i->key);
	sql_blob(&q, i->request, DB_HASH);
	sql_int(&q, i->status);
	sql_text(&q, i->location);
	sql_blob(&q, body.p, body.n);
	sql_int(&q, i->created);
	return sql_run(&q);
}

enum db_rc db_idempotency_find(struct db *db, const char *actor, const char *key,
			       struct db_idempotency *out,
			       void (*take)(void *ctx, struct bytes body), void *ctx)
{
	struct sql q = sql_read(db, "SELECT actor, key, request, status, location, created, body"
				    " FROM idempotency WHERE actor = ? AND key = ?");

	sql_text(&q, actor);
	sql_text(&q, key);
	enum db_rc rc = sql_row(&q);
	if (rc != DB_OK)
		return rc;
	memset(out, 0, sizeof *out);
	sql_get_text(&q, out->actor, sizeof out->actor);
	sql_get_text(&q, out->key, sizeof out->key);
	sql_get_blob(&q, out->request, DB_HASH);
	out->status = (int)sql_get_int(&q);
	sql_get_text(&q, out->location, sizeof out->location);
	out->created = sql_get_int(&q);
	take(ctx, sql_get_bytes(&q));
	sql_end(&q);
	return DB_OK;
}

static enum db_rc expire(struct db *db, const char *look, const char *take, int64_t before)
{
	struct sql q = sql_read(db, look);

	sql_int(&q, before);
	enum db_rc rc = sql_row(&q);
	sql_end(&q);
	if (rc != DB_OK) /* nothing to take: no transaction, no fsync */
		return rc == DB_NONE ? DB_OK : rc;
	q = sql_write(db, take);
	sql_int(&q, before);
	return sql_run(&q);
}

enum db_rc db_auth_expire(struct db *db, int64_t now)
{
	enum db_rc a = expire(db, "SELECT 1 FROM sessions WHERE expires <= ? LIMIT 1",
			      "DELETE FROM sessions WHERE expires <= ?", now);
	enum db_rc b = expire(db, "SELECT 1 FROM signin_links WHERE expires <= ? LIMIT 1",
			      "DELETE FROM signin_links WHERE expires <= ?", now);
	enum db_rc c = expire(db, "SELECT 1 FROM idempotency WHERE created <= ? LIMIT 1",
			      "DELETE FROM idempotency WHERE created <= ?", now - DAY_MS);

	return a == DB_OK && b == DB_OK && c == DB_OK ? DB_OK : DB_ERROR;
}
