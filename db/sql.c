/* SPDX-License-Identifier: Apache-2.0 */
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "log.h"

static uint32_t text_hash(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619u;
	return h;
}

static sqlite3_stmt *prepare(struct db *db, const char *text)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v3(db->sql, text, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
		log_error("database: %s", sqlite3_errmsg(db->sql));
	return s;
}

/* Open addressing: the texts are ours and few, so the table never fills. */
static struct sql_prepared *cached(struct db *db, const char *text)
{
	uint32_t at = text_hash(text) % SQL_STATEMENTS;

	for (size_t i = 0; i < SQL_STATEMENTS; i++, at = (at + 1) % SQL_STATEMENTS) {
		struct sql_prepared *p = &db->prepared[at];

		if (p->text && strcmp(p->text, text) == 0)
			return p;
		if (p->text)
			continue;
		p->statement = prepare(db, text);
		p->text = p->statement ? strdup(text) : NULL;
		if (p->text)
			return p;
		sqlite3_finalize(p->statement);
		p->statement = NULL;
		return NULL;
	}
	return NULL;
}

struct sql sql_read(struct db *db, const char *text)
{
	struct sql q = { .db = db };
	struct sql_prepared *p = cached(db, text);

	if (p && !sqlite3_stmt_busy(p->statement)) {
		q.s = p->statement;
	} else {
		q.s = prepare(db, text);
		q.own = true;
	}
	q.failed = !q.s;
	return q;
}

struct sql sql_write(struct db *db, const char *text)
{
	if (!db->writing) {
		struct sql begin = sql_read(db, "BEGIN IMMEDIATE");
		enum db_rc rc = sql_row(&begin);

		db->writing = rc != DB_ERROR;
	}
	struct sql q = sql_read(db, text);
	if (!db->writing)
		q.failed = true;
	return q;
}

static void bound(struct sql *q, int rc)
{
	if (rc != SQLITE_OK)
		q->failed = true;
}

void sql_int(struct sql *q, int64_t v)
{
	if (!q->failed)
		bound(q, sqlite3_bind_int64(q->s, ++q->bound, v));
}

void sql_text(struct sql *q, const char *v)
{
	if (!q->failed)
		bound(q, sqlite3_bind_text(q->s, ++q->bound, v, -1, SQLITE_TRANSIENT));
}

void sql_blob(struct sql *q, const void *p, size_t n)
{
	if (!q->failed)
		bound(q, sqlite3_bind_blob64(q->s, ++q->bound, n ? p : "", n, SQLITE_TRANSIENT));
}

void sql_null(struct sql *q)
{
	if (!q->failed)
		bound(q, sqlite3_bind_null(q->s, ++q->bound));
}

static struct bytes secret_aad(char *out, size_t cap, const char *name, const char *row)
{
	int n = snprintf(out, cap, "%s.%s", name, row);

	return bytes_of(out, n > 0 && (size_t)n < cap ? (size_t)n : 0);
}

void sql_secret(struct sql *q, const char *name, const char *row, const void *key, size_t n)
{
	char aad[128];
	uint8_t nonce[12], sealed[64 + GCM_OVERHEAD];

	if (n > 64) {
		q->failed = true;
		return;
	}
	q->db->random(q->db->random_ctx, nonce, sizeof nonce);
	gcm_seal(&q->db->master, nonce, secret_aad(aad, sizeof aad, name, row), bytes_of(key, n),
		 sealed);
	sql_blob(q, sealed, n + GCM_OVERHEAD);
}

static enum db_rc failure(struct sql *q, int rc)
{
	if ((rc & 0xFF) == SQLITE_CONSTRAINT)
		return DB_CONFLICT;
	q->db->failed = true;
	log_error("database: %s (%s)", sqlite3_errmsg(q->db->sql),
		  q->s ? sqlite3_sql(q->s) : "not prepared");
	return DB_ERROR;
}

void sql_end(struct sql *q)
{
	if (!q->s)
		return;
	sqlite3_reset(q->s);
	sqlite3_clear_bindings(q->s); /* no copy of a sealed key or a text stays behind */
	if (q->own)
		sqlite3_finalize(q->s);
	q->s = NULL;
}

enum db_rc sql_row(struct sql *q)
{
	enum db_rc rc = DB_ERROR;

	if (!q->failed) {
		int step = sqlite3_step(q->s);

		q->column = 0;
		if (step == SQLITE_ROW)
			return DB_OK;
		rc = step == SQLITE_DONE ? DB_NONE : failure(q, step);
	} else {
		q->db->failed = true;
		log_error("database: a statement could not be prepared or bound");
	}
	sql_end(q);
	return rc;
}

enum db_rc sql_run(struct sql *q)
{
	struct db *db = q->db;
	enum db_rc rc = sql_row(q);

	if (rc == DB_OK)
		sql_end(q);
	if (rc != DB_NONE)
		return rc;
	return sqlite3_changes(db->sql) > 0 ? DB_OK : DB_NONE;
}

int64_t sql_get_int(struct sql *q)
{
	return sqlite3_column_int64(q->s, q->column++);
}

void sql_get_text(struct sql *q, char *out, size_t cap)
{
	const unsigned char *text = sqlite3_column_text(q->s, q->column++);

	snprintf(out, cap, "%s", text ? (const char *)text : "");
}

struct bytes sql_get_bytes(struct sql *q)
{
	const void *p = sqlite3_column_blob(q->s, q->column);
	int n = sqlite3_column_bytes(q->s, q->column++);

	return bytes_of(p, p ? (size_t)n : 0);
}

size_t sql_get_blob(struct sql *q, void *out, size_t cap)
{
	struct bytes b = sql_get_bytes(q);

	memset(out, 0, cap);
	if (b.n)
		memcpy(out, b.p, b.n < cap ? b.n : cap);
	return b.n;
}

bool sql_get_is_null(struct sql *q)
{
	return sqlite3_column_type(q->s, q->column) == SQLITE_NULL;
}

bool sql_get_secret(struct sql *q, const char *name, const char *row, void *out, size_t n)
{
	char aad[128];
	struct bytes sealed = sql_get_bytes(q);

	if (sealed.n == n + GCM_OVERHEAD &&
	    gcm_open(&q->db->master, secret_aad(aad, sizeof aad, name, row), sealed, out))
		return true;
	memset(out, 0, n);
	log_error("database: the key %s of row %s does not open: the file is damaged", name, row);
	return false;
}

int64_t sql_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->sql);
}
