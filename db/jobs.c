/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "db_jobs.h"
#include "sql.h"

#define JOB_COLUMNS                                                                        \
	"kind, state, targets, policy, min_algorithm, max_links, stop_at_failure_percent," \
	" attempts, server, relay, seconds, profile, created, started, ended, created_by," \
	" links_open, links_peak, error_code, error_message, address, ad_types"
#define COUNT(state) "(SELECT count(*) FROM tasks t WHERE t.job = jobs.id AND t.state = " state ")"
#define JOB_READ           \
	"id, " JOB_COLUMNS \
	", " COUNT("0") ", " COUNT("1") ", " COUNT("2") ", " COUNT("3") ", " COUNT("4")

static void job_read(struct sql *q, struct db_job *j)
{
	struct db_job_options *o = &j->options;

	memset(j, 0, sizeof *j);
	j->id = sql_get_int(q);
	j->kind = (enum db_job_kind)sql_get_int(q);
	j->state = (enum db_job_state)sql_get_int(q);
	j->targets = (enum db_job_targets)sql_get_int(q);
	o->policy = (enum db_job_policy)sql_get_int(q);
	o->min_algorithm = (int)sql_get_int(q);
	o->max_links = (unsigned)sql_get_int(q);
	o->stop_at_failure_percent = (unsigned)sql_get_int(q);
	o->attempts = (unsigned)sql_get_int(q);
	o->server = (uint16_t)sql_get_int(q);
	o->relay = sql_get_int(q);
	o->seconds = (unsigned)sql_get_int(q);
	sql_get_text(q, o->profile, sizeof o->profile);
	j->created = sql_get_int(q);
	j->started = sql_get_int(q);
	j->ended = sql_get_int(q);
	sql_get_text(q, j->created_by, sizeof j->created_by);
	j->links_open = (unsigned)sql_get_int(q);
	j->links_peak = (unsigned)sql_get_int(q);
	sql_get_text(q, j->error_code, sizeof j->error_code);
	sql_get_text(q, j->error_message, sizeof j->error_message);
	o->address = (uint16_t)sql_get_int(q);
	size_t n = sql_get_blob(q, o->ad_types, sizeof o->ad_types);
	o->n_ad_types = (uint8_t)(n < DB_AD_TYPES ? n : DB_AD_TYPES);
	j->waiting = sql_get_int(q);
	j->running = sql_get_int(q);
	j->succeeded = sql_get_int(q);
	j->failed = sql_get_int(q);
	j->cancelled = sql_get_int(q);
	j->total = j->waiting + j->running + j->succeeded + j->failed + j->cancelled;
}

static void job_bind(struct sql *q, const struct db_job *j)
{
	const struct db_job_options *o = &j->options;

	sql_int(q, j->kind);
	sql_int(q, j->state);
	sql_int(q, j->targets);
	sql_int(q, o->policy);
	sql_int(q, o->min_algorithm);
	sql_int(q, o->max_links);
	sql_int(q, o->stop_at_failure_percent);
	sql_int(q, o->attempts);
	sql_int(q, o->server);
	sql_int(q, o->relay);
	sql_int(q, o->seconds);
	sql_text(q, o->profile);
	sql_int(q, j->created);
	sql_int(q, j->started);
	sql_int(q, j->ended);
	sql_text(q, j->created_by);
	sql_int(q, j->links_open);
	sql_int(q, j->links_peak);
	sql_text(q, j->error_code);
	sql_text(q, j->error_message);
	sql_int(q, o->address);
	sql_blob(q, o->ad_types, o->n_ad_types);
}

enum db_rc db_job_insert(struct db *db, const struct db_job *j, int64_t *id)
{
	struct sql q = sql_write(db, "INSERT INTO jobs (" JOB_COLUMNS ") VALUES"
				     " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");

	job_bind(&q, j);
	enum db_rc rc = sql_run(&q);
	*id = rc == DB_OK ? sql_last_id(db) : 0;
	return rc;
}

enum db_rc db_job_update(struct db *db, const struct db_job *j)
{
	struct sql q = sql_write(db, "UPDATE jobs SET (" JOB_COLUMNS ") ="
				     " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) WHERE id = ?");

	job_bind(&q, j);
	sql_int(&q, j->id);
	return sql_run(&q);
}

enum db_rc db_job_get(struct db *db, int64_t id, struct db_job *out)
{
	struct sql q = sql_read(db, "SELECT " JOB_READ " FROM jobs WHERE id = ?");

	sql_int(&q, id);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK)
		job_read(&q, out);
	sql_end(&q);
	return rc;
}

static void job_where(struct sql_where *w, const struct db_job_filter *f)
{
	if (!f)
		return;
	if (f->kind >= 0)
		sql_where_int(w, "kind = ?", f->kind);
	if (f->state >= 0)
		sql_where_int(w, "state = ?", f->state);
	if (f->active)
		sql_where_int(w, "state < ?", DB_JOB_SUCCEEDED);
}

struct each {
	void (*each)(void *ctx, const struct db_job *j);
	void *ctx;
};

static bool give(struct sql *q, void *ctx)
{
	const struct each *e = ctx;
	struct db_job j;

	job_read(q, &j);
	e->each(e->ctx, &j);
	return true;
}

enum db_rc db_jobs(struct db *db, const struct db_job_filter *f, const struct db_page *page,
		   void (*each)(void *ctx, const struct db_job *j), void *ctx, char next[DB_CURSOR])
{
	static const struct sql_sort sorts[] = {
		{ "id", "id" },
		{ "created", "created" },
		{ "ended", "ended" },
	};
	static const struct sql_list list = { JOB_READ, "jobs", "id", sorts, ARRAY_LEN(sorts) };
	struct each e = { each, ctx };
	struct sql_where w = { 0 };

	job_where(&w, f);
	return sql_list(db, &list, &w, page, give, &e, next);
}

enum db_rc db_job_count(struct db *db, const struct db_job_filter *f, int64_t *out)
{
	struct sql_where w = { 0 };

	job_where(&w, f);
	return sql_count(db, "jobs", &w, out);
}

enum db_rc db_link_put(struct db *db, uint16_t server, const uint8_t uuid[UUID_LEN])
{
	struct sql q = sql_write(db, "INSERT INTO links (server, uuid) VALUES (?, ?)"
				     " ON CONFLICT (server) DO UPDATE SET uuid = excluded.uuid");

	sql_int(&q, server);
	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

enum db_rc db_link_delete(struct db *db, uint16_t server)
{
	struct sql q = sql_write(db, "DELETE FROM links WHERE server = ?");

	sql_int(&q, server);
	return sql_run(&q);
}

enum db_rc db_links(struct db *db,
		    void (*each)(void *ctx, uint16_t server, const uint8_t uuid[UUID_LEN]),
		    void *ctx)
{
	struct sql q = sql_read(db, "SELECT server, uuid FROM links ORDER BY server");
	uint8_t uuid[UUID_LEN];
	enum db_rc rc;

	while ((rc = sql_row(&q)) == DB_OK) {
		uint16_t server = (uint16_t)sql_get_int(&q);

		sql_get_blob(&q, uuid, UUID_LEN);
		each(ctx, server, uuid);
	}
	return rc == DB_NONE ? DB_OK : rc;
}
