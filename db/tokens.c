/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "db_auth.h"
#include "sql.h"

#define TOKEN_COLUMNS "name, hash, role, user, created, expires, used, revoked"

static void token_read(struct sql *q, struct db_token *t)
{
	memset(t, 0, sizeof *t);
	t->id = sql_get_int(q);
	sql_get_text(q, t->name, sizeof t->name);
	sql_get_blob(q, t->hash, DB_HASH);
	t->role = (enum db_role)sql_get_int(q);
	t->user = sql_get_int(q);
	t->created = sql_get_int(q);
	t->expires = sql_get_int(q);
	t->used = sql_get_int(q);
	t->revoked = sql_get_int(q);
}

enum db_rc db_token_insert(struct db *db, const struct db_token *t, int64_t *id)
{
	struct sql q =
		sql_write(db, "INSERT INTO tokens (" TOKEN_COLUMNS ") VALUES (?,?,?,?,?,?,?,?)");

	sql_text(&q, t->name);
	sql_blob(&q, t->hash, DB_HASH);
	sql_int(&q, t->role);
	if (t->user)
		sql_int(&q, t->user);
	else
		sql_null(&q);
	sql_int(&q, t->created);
	sql_int(&q, t->expires);
	sql_int(&q, t->used);
	sql_int(&q, t->revoked);
	enum db_rc rc = sql_run(&q);
	*id = rc == DB_OK ? sql_last_id(db) : 0;
	return rc;
}

enum db_rc db_token_find(struct db *db, const uint8_t hash[DB_HASH], struct db_token *out)
{
	struct sql q = sql_read(db, "SELECT id, " TOKEN_COLUMNS " FROM tokens WHERE hash = ?");

	sql_blob(&q, hash, DB_HASH);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK)
		token_read(&q, out);
	sql_end(&q);
	return rc;
}

enum db_rc db_token_set_used(struct db *db, int64_t id, int64_t when)
{
	struct sql q = sql_write(db, "UPDATE tokens SET used = ? WHERE id = ?");

	sql_int(&q, when);
	sql_int(&q, id);
	return sql_run(&q);
}

enum db_rc db_token_revoke(struct db *db, int64_t id)
{
	struct sql q = sql_write(db, "UPDATE tokens SET revoked = 1 WHERE id = ?");

	sql_int(&q, id);
	return sql_run(&q);
}

struct each {
	void (*each)(void *ctx, const struct db_token *t);
	void *ctx;
};

static bool give(struct sql *q, void *ctx)
{
	const struct each *e = ctx;
	struct db_token t;

	token_read(q, &t);
	e->each(e->ctx, &t);
	return true;
}

enum db_rc db_tokens(struct db *db, const struct db_page *page,
		     void (*each)(void *ctx, const struct db_token *t), void *ctx,
		     char next[DB_CURSOR])
{
	static const struct sql_sort sorts[] = { { "id", "id" }, { "name", "name" } };
	static const struct sql_list list = { "id, " TOKEN_COLUMNS, "tokens", "id", sorts,
					      ARRAY_LEN(sorts) };
	struct each e = { each, ctx };
	struct sql_where w = { 0 };

	return sql_list(db, &list, &w, page, give, &e, next);
}
