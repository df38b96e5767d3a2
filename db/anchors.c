/* SPDX-License-Identifier: Apache-2.0 */
#include "db_devices.h"
#include "facts.h"
#include "sql.h"

static enum db_rc find(struct db *db, const uint8_t fingerprint[32], int64_t *id)
{
	struct sql q = sql_read(db, "SELECT id FROM anchors WHERE cert_fingerprint = ?");

	sql_blob(&q, fingerprint, 32);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK)
		*id = sql_get_int(&q);
	sql_end(&q);
	return rc;
}

enum db_rc db_anchor_insert(struct db *db, const struct db_anchor *a, int64_t *id)
{
	enum db_rc rc = find(db, a->facts.fingerprint, id);

	if (rc != DB_NONE)
		return rc == DB_OK ? DB_CONFLICT : rc;
	struct sql q =
		sql_write(db, "INSERT INTO anchors (name, der, added, added_by, " FACTS_COLUMNS
			      ") VALUES (?,?,?,?,?,?,?,?,?,?,?)");
	sql_text(&q, a->name);
	sql_blob(&q, a->der.p, a->der.n);
	sql_int(&q, a->added);
	sql_text(&q, a->added_by);
	facts_bind(&q, &a->facts);
	rc = sql_run(&q);
	*id = rc == DB_OK ? sql_last_id(db) : 0;
	return rc;
}

enum db_rc db_anchor_delete(struct db *db, int64_t id)
{
	struct sql q = sql_write(db, "DELETE FROM anchors WHERE id = ?");

	sql_int(&q, id);
	return sql_run(&q);
}

struct each {
	void (*each)(void *ctx, const struct db_anchor *a);
	void *ctx;
};

static bool give(struct sql *q, void *ctx)
{
	const struct each *e = ctx;
	struct db_anchor a = { .id = sql_get_int(q) };

	sql_get_text(q, a.name, sizeof a.name);
	a.der = sql_get_bytes(q);
	a.added = sql_get_int(q);
	sql_get_text(q, a.added_by, sizeof a.added_by);
	facts_read(q, &a.facts);
	e->each(e->ctx, &a);
	return true;
}

enum db_rc db_anchors(struct db *db, const struct db_page *page,
		      void (*each)(void *ctx, const struct db_anchor *a), void *ctx,
		      char next[DB_CURSOR])
{
	static const struct sql_sort sorts[] = {
		{ "id", "id" },
		{ "name", "name" },
		{ "not_after", "cert_not_after" },
	};
	static const struct sql_list list = { "id, name, der, added, added_by, " FACTS_COLUMNS,
					      "anchors", "id", sorts, ARRAY_LEN(sorts) };
	struct each e = { each, ctx };
	struct sql_where w = { 0 };

	return sql_list(db, &list, &w, page, give, &e, next);
}

enum db_rc db_anchor_count(struct db *db, int64_t *out)
{
	struct sql_where w = { 0 };

	return sql_count(db, "anchors", &w, out);
}
