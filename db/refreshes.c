/* SPDX-License-Identifier: Apache-2.0 */
#include "db_refresh.h"
#include "sql.h"

/* What a node went through is shown, not kept for ever. */
static enum db_rc forget_oldest(struct db *db, const uint8_t uuid[UUID_LEN])
{
	struct sql q = sql_write(db, "DELETE FROM refreshes WHERE uuid = ?1 AND id NOT IN"
				     " (SELECT id FROM refreshes WHERE uuid = ?1"
				     " ORDER BY id DESC LIMIT ?2)");

	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, DB_REFRESHES_KEPT);
	return sql_run(&q) == DB_ERROR ? DB_ERROR : DB_OK;
}

enum db_rc db_refresh_insert(struct db *db, const uint8_t uuid[UUID_LEN],
			     const struct db_refreshed *r)
{
	struct sql q = sql_write(
		db, "INSERT INTO refreshes (uuid, at, procedure, task, old_address, new_address,"
		    " before, after, reread, bindings_restored, bindings_lost,"
		    " publications_restored, publications_lost, subscriptions_restored,"
		    " subscriptions_lost) VALUES (?, ?, ?, ?, ?, ?, ?, x'', 0, 0, 0, 0, 0, 0, 0)");

	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, r->at);
	sql_int(&q, r->procedure);
	sql_int(&q, r->task);
	sql_int(&q, r->old_address);
	sql_int(&q, r->new_address);
	sql_blob(&q, r->before.p, r->before.n);
	enum db_rc rc = sql_run(&q);

	return rc == DB_OK ? forget_oldest(db, uuid) : rc;
}

static void restored_bind(struct sql *q, const struct db_restored *r)
{
	sql_int(q, r->restored);
	sql_int(q, r->lost);
}

enum db_rc db_refresh_reread(struct db *db, const uint8_t uuid[UUID_LEN],
			     const struct db_refreshed *r)
{
	struct sql q = sql_write(
		db, "UPDATE refreshes SET after = ?, reread = ?, bindings_restored = ?,"
		    " bindings_lost = ?, publications_restored = ?, publications_lost = ?,"
		    " subscriptions_restored = ?, subscriptions_lost = ?"
		    " WHERE id = (SELECT max(id) FROM refreshes WHERE uuid = ?)");

	sql_blob(&q, r->after.p, r->after.n);
	sql_int(&q, r->reread);
	restored_bind(&q, &r->bindings);
	restored_bind(&q, &r->publications);
	restored_bind(&q, &r->subscriptions);
	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

static void restored_read(struct sql *q, struct db_restored *r)
{
	r->restored = (unsigned)sql_get_int(q);
	r->lost = (unsigned)sql_get_int(q);
}

enum db_rc db_refreshes(struct db *db, const uint8_t uuid[UUID_LEN], unsigned most,
			void (*each)(void *ctx, const struct db_refreshed *r), void *ctx)
{
	struct sql q = sql_read(
		db, "SELECT id, at, procedure, task, old_address, new_address, before, after,"
		    " reread, bindings_restored, bindings_lost, publications_restored,"
		    " publications_lost, subscriptions_restored, subscriptions_lost"
		    " FROM refreshes WHERE uuid = ? ORDER BY id DESC LIMIT ?");
	enum db_rc rc;

	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, most);
	while ((rc = sql_row(&q)) == DB_OK) {
		struct db_refreshed r = { .id = sql_get_int(&q) };

		r.at = sql_get_int(&q);
		r.procedure = (uint8_t)sql_get_int(&q);
		r.task = sql_get_int(&q);
		r.old_address = (uint16_t)sql_get_int(&q);
		r.new_address = (uint16_t)sql_get_int(&q);
		r.before = sql_get_bytes(&q);
		r.after = sql_get_bytes(&q);
		r.reread = sql_get_int(&q);
		restored_read(&q, &r.bindings);
		restored_read(&q, &r.publications);
		restored_read(&q, &r.subscriptions);
		each(ctx, &r);
	}
	return rc == DB_NONE ? DB_OK : rc;
}
