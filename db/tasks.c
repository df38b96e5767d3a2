/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "db_jobs.h"
#include "sql.h"

#define TASK_COLUMNS                                                                        \
	"job, uuid, address, state, step, attempts, server, rssi, created, started, ended," \
	" ms_link, ms_records, ms_exchange, ms_data, ms_prove, ms_configure, error_code,"   \
	" error_message, new_address, method, method_why"

static void task_read(struct sql *q, struct db_task *t)
{
	memset(t, 0, sizeof *t);
	t->id = sql_get_int(q);
	t->job = sql_get_int(q);
	t->has_uuid = !sql_get_is_null(q);
	sql_get_blob(q, t->uuid, UUID_LEN);
	t->address = (uint16_t)sql_get_int(q);
	t->state = (enum db_task_state)sql_get_int(q);
	sql_get_text(q, t->step, sizeof t->step);
	t->attempts = (unsigned)sql_get_int(q);
	t->server = (uint16_t)sql_get_int(q);
	t->rssi = (int)sql_get_int(q);
	t->created = sql_get_int(q);
	t->started = sql_get_int(q);
	t->ended = sql_get_int(q);
	for (int i = 0; i < DB_PHASES; i++)
		t->phase_ms[i] = (uint32_t)sql_get_int(q);
	sql_get_text(q, t->error_code, sizeof t->error_code);
	sql_get_text(q, t->error_message, sizeof t->error_message);
	t->new_address = (uint16_t)sql_get_int(q);
	sql_get_text(q, t->method, sizeof t->method);
	sql_get_text(q, t->method_why, sizeof t->method_why);
}

static void task_bind(struct sql *q, const struct db_task *t)
{
	sql_int(q, t->job);
	if (t->has_uuid)
		sql_blob(q, t->uuid, UUID_LEN);
	else
		sql_null(q);
	sql_int(q, t->address);
	sql_int(q, t->state);
	sql_text(q, t->step);
	sql_int(q, t->attempts);
	sql_int(q, t->server);
	sql_int(q, t->rssi);
	sql_int(q, t->created);
	sql_int(q, t->started);
	sql_int(q, t->ended);
	for (int i = 0; i < DB_PHASES; i++)
		sql_int(q, t->phase_ms[i]);
	sql_text(q, t->error_code);
	sql_text(q, t->error_message);
	sql_int(q, t->new_address);
	sql_text(q, t->method);
	sql_text(q, t->method_why);
}

enum db_rc db_task_insert(struct db *db, const struct db_task *t, int64_t *id)
{
	struct sql q = sql_write(db, "INSERT INTO tasks (" TASK_COLUMNS ") VALUES"
				     " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");

	task_bind(&q, t);
	enum db_rc rc = sql_run(&q);
	*id = rc == DB_OK ? sql_last_id(db) : 0;
	return rc;
}

enum db_rc db_task_update(struct db *db, const struct db_task *t)
{
	struct sql q = sql_write(db, "UPDATE tasks SET (" TASK_COLUMNS ") ="
				     " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) WHERE id = ?");

	task_bind(&q, t);
	sql_int(&q, t->id);
	return sql_run(&q);
}

enum db_rc db_task_get(struct db *db, int64_t id, struct db_task *out)
{
	struct sql q = sql_read(db, "SELECT id, " TASK_COLUMNS " FROM tasks WHERE id = ?");

	sql_int(&q, id);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK)
		task_read(&q, out);
	sql_end(&q);
	return rc;
}

static void task_where(struct sql_where *w, const struct db_task_filter *f)
{
	if (!f)
		return;
	if (f->job)
		sql_where_int(w, "job = ?", f->job);
	if (f->state >= 0)
		sql_where_int(w, "state = ?", f->state);
	if (f->code)
		sql_where_text(w, "error_code = ?", f->code);
	if (f->uuid)
		sql_where_blob(w, "uuid = ?", f->uuid, UUID_LEN);
	if (f->address)
		sql_where_int(w, "address = ?", f->address);
}

struct each {
	void (*each)(void *ctx, const struct db_task *t);
	void *ctx;
};

static bool give(struct sql *q, void *ctx)
{
	const struct each *e = ctx;
	struct db_task t;

	task_read(q, &t);
	e->each(e->ctx, &t);
	return true;
}

enum db_rc db_tasks(struct db *db, const struct db_task_filter *f, const struct db_page *page,
		    void (*each)(void *ctx, const struct db_task *t), void *ctx,
		    char next[DB_CURSOR])
{
	static const struct sql_sort sorts[] = {
		{ "id", "id" },
		{ "state", "state" },
		{ "ended", "ended" },
		{ "attempts", "attempts" },
	};
	static const struct sql_list list = { "id, " TASK_COLUMNS, "tasks", "id", sorts,
					      ARRAY_LEN(sorts) };
	struct each e = { each, ctx };
	struct sql_where w = { 0 };

	task_where(&w, f);
	return sql_list(db, &list, &w, page, give, &e, next);
}

enum db_rc db_task_count(struct db *db, const struct db_task_filter *f, int64_t *out)
{
	struct sql_where w = { 0 };

	task_where(&w, f);
	return sql_count(db, "tasks", &w, out);
}
