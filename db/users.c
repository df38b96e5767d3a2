/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "db_auth.h"
#include "sql.h"

#define USER_COLUMNS "name, password, role, disabled, created, signed_in"

static void user_read(struct sql *q, struct db_user *u)
{
	memset(u, 0, sizeof *u);
	u->id = sql_get_int(q);
	sql_get_text(q, u->name, sizeof u->name);
	sql_get_text(q, u->password, sizeof u->password);
	u->role = (enum db_role)sql_get_int(q);
	u->disabled = sql_get_int(q);
	u->created = sql_get_int(q);
	u->signed_in = sql_get_int(q);
}

static void user_bind(struct sql *q, const struct db_user *u)
{
	sql_text(q, u->name);
	sql_text(q, u->password);
	sql_int(q, u->role);
	sql_int(q, u->disabled);
	sql_int(q, u->created);
	sql_int(q, u->signed_in);
}

enum db_rc db_user_insert(struct db *db, const struct db_user *u, int64_t *id)
{
	struct sql q = sql_write(db, "INSERT INTO users (" USER_COLUMNS ") VALUES (?,?,?,?,?,?)");

	user_bind(&q, u);
	enum db_rc rc = sql_run(&q);
	*id = rc == DB_OK ? sql_last_id(db) : 0;
	return rc;
}

enum db_rc db_user_update(struct db *db, const struct db_user *u)
{
	struct sql q =
		sql_write(db, "UPDATE users SET (" USER_COLUMNS ") = (?,?,?,?,?,?) WHERE id = ?");

	user_bind(&q, u);
	sql_int(&q, u->id);
	return sql_run(&q);
}

static enum db_rc get_one(struct sql *q, struct db_user *out)
{
	enum db_rc rc = sql_row(q);

	if (rc == DB_OK)
		user_read(q, out);
	sql_end(q);
	return rc;
}

enum db_rc db_user_get(struct db *db, int64_t id, struct db_user *out)
{
	struct sql q = sql_read(db, "SELECT id, " USER_COLUMNS " FROM users WHERE id = ?");

	sql_int(&q, id);
	return get_one(&q, out);
}

enum db_rc db_user_get_name(struct db *db, const char *name, struct db_user *out)
{
	struct sql q = sql_read(db, "SELECT id, " USER_COLUMNS " FROM users WHERE name = ?");

	sql_text(&q, name);
	return get_one(&q, out);
}

enum db_rc db_user_delete(struct db *db, int64_t id)
{
	struct sql q = sql_write(db, "DELETE FROM users WHERE id = ?");

	sql_int(&q, id);
	return sql_run(&q);
}

enum db_rc db_user_count(struct db *db, int64_t *out)
{
	struct sql_where w = { 0 };

	return sql_count(db, "users", &w, out);
}

struct each {
	void (*each)(void *ctx, const struct db_user *u);
	void *ctx;
};

static bool give(struct sql *q, void *ctx)
{
	const struct each *e = ctx;
	struct db_user u;

	user_read(q, &u);
	e->each(e->ctx, &u);
	return true;
}

enum db_rc db_users(struct db *db, const struct db_page *page,
		    void (*each)(void *ctx, const struct db_user *u), void *ctx,
		    char next[DB_CURSOR])
{
	static const struct sql_sort sorts[] = { { "id", "id" }, { "name", "name" } };
	static const struct sql_list list = { "id, " USER_COLUMNS, "users", "id", sorts,
					      ARRAY_LEN(sorts) };
	struct each e = { each, ctx };
	struct sql_where w = { 0 };

	return sql_list(db, &list, &w, page, give, &e, next);
}
