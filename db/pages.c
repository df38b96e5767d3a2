/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "db_refresh.h"
#include "sql.h"

enum db_rc db_node_page_put(struct db *db, const uint8_t uuid[UUID_LEN],
			    const struct db_node_page *p)
{
	struct sql q = sql_write(db, "INSERT INTO node_pages (uuid, page, data, read_at)"
				     " VALUES (?, ?, ?, ?) ON CONFLICT (uuid, page) DO UPDATE"
				     " SET data = excluded.data, read_at = excluded.read_at");

	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, p->page);
	sql_blob(&q, p->data.p, p->data.n);
	sql_int(&q, p->read_at);
	return sql_run(&q);
}

enum db_rc db_node_page_delete(struct db *db, const uint8_t uuid[UUID_LEN], uint8_t page)
{
	struct sql q = sql_write(db, "DELETE FROM node_pages WHERE uuid = ? AND page = ?");

	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, page);
	return sql_run(&q);
}

enum db_rc db_node_page_get(struct db *db, const uint8_t uuid[UUID_LEN], uint8_t page, uint8_t *out,
			    size_t size, size_t *n)
{
	struct sql q = sql_read(db, "SELECT data FROM node_pages WHERE uuid = ? AND page = ?");

	*n = 0;
	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, page);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK)
		*n = sql_get_blob(&q, out, size);
	sql_end(&q);
	if (*n > size) {
		*n = 0;
		rc = DB_NONE;
	}
	return rc;
}

enum db_rc db_node_pages(struct db *db, const uint8_t uuid[UUID_LEN],
			 void (*each)(void *ctx, const struct db_node_page *p), void *ctx)
{
	struct sql q = sql_read(
		db, "SELECT page, data, read_at FROM node_pages WHERE uuid = ? ORDER BY page");
	enum db_rc rc;

	sql_blob(&q, uuid, UUID_LEN);
	while ((rc = sql_row(&q)) == DB_OK) {
		struct db_node_page p = { .page = (uint8_t)sql_get_int(&q) };

		p.data = sql_get_bytes(&q);
		p.read_at = sql_get_int(&q);
		each(ctx, &p);
	}
	return rc == DB_NONE ? DB_OK : rc;
}

enum db_rc db_model_state_put(struct db *db, const uint8_t uuid[UUID_LEN],
			      const struct db_model_state *s)
{
	struct sql q =
		sql_write(db, "INSERT INTO model_states (uuid, element, vendor, model, kind, value)"
			      " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");

	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, s->element);
	sql_int(&q, s->vendor);
	sql_int(&q, s->model);
	sql_int(&q, s->kind);
	sql_blob(&q, s->value, s->n);
	enum db_rc rc = sql_run(&q);
	return rc == DB_NONE ? DB_OK : rc;
}

enum db_rc db_model_states_delete(struct db *db, const uint8_t uuid[UUID_LEN])
{
	struct sql q = sql_write(db, "DELETE FROM model_states WHERE uuid = ?");

	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

enum db_rc db_model_states(struct db *db, const uint8_t uuid[UUID_LEN],
			   void (*each)(void *ctx, const struct db_model_state *s), void *ctx)
{
	struct sql q = sql_read(db, "SELECT element, vendor, model, kind, value FROM model_states"
				    " WHERE uuid = ? ORDER BY element, vendor, model, kind, value");
	enum db_rc rc;

	sql_blob(&q, uuid, UUID_LEN);
	while ((rc = sql_row(&q)) == DB_OK) {
		struct db_model_state s = { .element = (uint8_t)sql_get_int(&q) };
		size_t n;

		s.vendor = sql_get_int(&q);
		s.model = (uint32_t)sql_get_int(&q);
		s.kind = (enum db_model_kind)sql_get_int(&q);
		n = sql_get_blob(&q, s.value, sizeof s.value);
		s.n = (uint8_t)(n < sizeof s.value ? n : sizeof s.value);
		each(ctx, &s);
	}
	return rc == DB_NONE ? DB_OK : rc;
}
