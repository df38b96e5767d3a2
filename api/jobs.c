/* SPDX-License-Identifier: Apache-2.0 */
/* GET /jobs, GET /jobs/{id}, GET /jobs/{id}/tasks, POST /jobs/{id}/pause and its like. */
#include <string.h>

#include "ad_types.h"
#include "api_private.h"

static json_t *options_json(const struct db_job *j)
{
	const struct db_job_options *opt = &j->options;
	json_t *o = json_object();

	if (j->kind == DB_JOB_PROVISION) {
		json_object_set_new(o, "policy", json_string(db_job_policy_name(opt->policy)));
		if (opt->min_algorithm >= 0)
			json_object_set_new(
				o, "min_algorithm",
				json_string(opt->min_algorithm ? "hmac-sha256" : "cmac"));
		json_object_set_new(o, "max_links", json_integer(opt->max_links));
		json_object_set_new(o, "stop_at_failure_percent",
				    json_integer(opt->stop_at_failure_percent));
		json_object_set_new(o, "attempts", json_integer(opt->attempts));
	}
	if (j->kind == DB_JOB_PROVISION || j->kind == DB_JOB_CONFIGURE)
		json_object_set_new(o, "relay", json_boolean(opt->relay));
	if (j->kind == DB_JOB_SCAN || j->kind == DB_JOB_IDENTIFY)
		json_object_set_new(o, "seconds", json_integer(opt->seconds));
	if (opt->n_ad_types)
		json_object_set_new(o, "ad_types", ad_types_json(opt));
	if (j->kind >= DB_JOB_REFRESH_DEVICE_KEY) {
		json_object_set_new(o, "attempts", json_integer(opt->attempts));
		if (j->kind != DB_JOB_READ_COMPOSITION)
			json_object_set_new(o, "max_links", json_integer(opt->max_links));
		if (opt->address)
			json_object_set_new(o, "address", json_address(opt->address));
	}
	if (opt->server)
		json_object_set_new(o, "server", json_address(opt->server));
	return o;
}

static json_t *job_counts(const struct db_job *j)
{
	json_t *o = json_object();

	json_object_set_new(o, "total", json_integer(j->total));
	json_object_set_new(o, "succeeded", json_integer(j->succeeded));
	json_object_set_new(o, "failed", json_integer(j->failed));
	json_object_set_new(o, "running", json_integer(j->running));
	json_object_set_new(o, "waiting", json_integer(j->waiting));
	json_object_set_new(o, "cancelled", json_integer(j->cancelled));
	return o;
}

json_t *job_row_json(struct api *api, const struct db_job *j)
{
	static const char *const targets[] = { [DB_TARGETS_LIST] = "list",
					       [DB_TARGETS_ALL] = "all",
					       [DB_TARGETS_ALL_TRUSTED] = "all-trusted" };
	json_t *o = json_object(), *links = json_object();
	int64_t left = j->ended ? -1 : jobs_time_left(api->env.jobs, j->id);

	json_object_set_new(o, "id", json_integer(j->id));
	json_object_set_new(o, "kind", json_string(db_job_kind_name(j->kind)));
	json_object_set_new(o, "state", json_string(db_job_state_name(j->state)));
	json_object_set_new(o, "targets", json_string(targets[j->targets]));
	json_object_set_new(o, "options", options_json(j));
	json_object_set_new(o, "counts", job_counts(j));
	json_object_set_new(links, "open", json_integer(j->links_open));
	json_object_set_new(links, "peak", json_integer(j->links_peak));
	json_object_set_new(o, "links", links);
	json_object_set_new(o, "created_at", json_time_ms(j->created));
	json_object_set_new(o, "started_at", json_time_ms(j->started));
	json_object_set_new(o, "ended_at", json_time_ms(j->ended));
	json_object_set_new(o, "seconds_left",
			    left < 0 ? json_null() : json_integer((left + 999) / 1000));
	json_object_set_new(o, "created_by", json_text(j->created_by));
	json_object_set_new(o, "error", error_json(j->error_code, j->error_message));
	return o;
}

json_t *job_json(struct api *api, int64_t id)
{
	struct db_job j;

	return db_job_get(api->env.db, id, &j) == DB_OK ? job_row_json(api, &j) : NULL;
}

static json_t *durations_json(const struct db_task *t)
{
	json_t *o = json_object();

	for (int phase = 0; phase < DB_PHASES; phase++)
		if (t->phase_ms[phase])
			json_object_set_new(o, db_phase_name((enum db_phase)phase),
					    json_integer(t->phase_ms[phase]));
	return o;
}

static json_t *task_row_json(struct api *api, const struct db_task *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "id", json_integer(t->id));
	json_object_set_new(o, "job", json_integer(t->job));
	json_object_set_new(o, "target",
			    t->has_uuid ? json_uuid(t->uuid) : json_address(t->address));
	json_object_set_new(o, "name", json_null());
	json_object_set_new(o, "address", json_address(t->address));
	json_object_set_new(o, "state", json_string(db_task_state_name(t->state)));
	json_object_set_new(o, "step", json_text(t->step));
	json_object_set_new(o, "attempts", json_integer(t->attempts));
	json_object_set_new(o, "server", json_address(t->server));
	json_object_set_new(o, "rssi", json_rssi(t->rssi));
	json_object_set_new(o, "started_at", json_time_ms(t->started));
	json_object_set_new(o, "ended_at", json_time_ms(t->ended));
	json_object_set_new(o, "durations", durations_json(t));
	json_object_set_new(o, "error", error_json(t->error_code, t->error_message));
	json_object_set_new(o, "message", json_text(*t->error_code ? "" : t->error_message));
	json_object_set_new(o, "method", json_text(t->method));
	json_object_set_new(o, "method_reason", json_text(t->method_why));
	json_object_set_new(o, "new_address", json_address(t->new_address));
	/* It is looked for among all tasks of all jobs. */
	json_object_set_new(o, "prompt",
			    strcmp(t->step, "prompt") == 0 ? task_prompt_json(api, t->id)
							   : json_null());
	return o;
}

/* The label that people know the target by, from its device or node. */
static void task_name_fill(struct api *api, json_t *task)
{
	const char *target = json_string_value(json_object_get(task, "target"));
	uint8_t uuid[UUID_LEN];
	uint16_t address;

	if (target && uuid_parse(target, uuid)) {
		struct db_device d;

		if (db_device_get(api->env.db, uuid, &d) == DB_OK)
			json_object_set_new(task, "name", json_text(d.name));
		secret_wipe(d.static_oob, sizeof(d.static_oob));
	} else if (target && address_parse(target, &address)) {
		struct db_node n;

		if (db_node_get(api->env.db, address, &n) == DB_OK)
			json_object_set_new(task, "name", json_text(n.name));
		secret_wipe(&n, sizeof(n));
	}
}

json_t *task_json(struct api *api, int64_t id)
{
	struct db_task t;
	json_t *o;

	if (db_task_get(api->env.db, id, &t) != DB_OK)
		return NULL;
	o = task_row_json(api, &t);
	task_name_fill(api, o);
	return o;
}

const char *const job_kinds[] = { "scan",
				  "provision",
				  "configure",
				  "remove",
				  "identify",
				  "refresh-device-key",
				  "refresh-address",
				  "refresh-composition",
				  "read-composition",
				  NULL };
static const char *const states[] = { "queued",	 "running", "paused",	 "succeeded",
				      "partial", "failed",  "cancelled", NULL };
static const char *const task_states[] = { "waiting", "running",   "succeeded",
					   "failed",  "cancelled", NULL };

struct jobs_query {
	struct page_query page;
	struct field_text kind, state;
};
static const struct field jobs_fields[] = {
	PAGE_FIELDS(struct jobs_query, page),
	{ "kind", FIELD_ENUM, 0, 0, 0, job_kinds, NULL, NULL, offsetof(struct jobs_query, kind) },
	{ "state", FIELD_ENUM, 0, 0, 0, states, NULL, NULL, offsetof(struct jobs_query, state) },
};

struct walk {
	struct api *api;
	json_t *items;
};

static void job_add(void *ctx, const struct db_job *j)
{
	struct walk *w = ctx;

	json_array_append_new(w->items, job_row_json(w->api, j));
}

static struct reply list_jobs(struct api *api, const struct request *rq)
{
	struct db_job_filter f = { .kind = -1, .state = -1 };
	struct walk w = { .api = api };
	struct jobs_query q;
	char next[DB_CURSOR];
	struct db_page page;
	struct problem p;
	enum db_rc rc;

	if (!query_read(rq->query, rq->n_query, jobs_fields, ARRAY_LEN(jobs_fields), &q, sizeof(q),
			&p))
		return reply_problem(&p);
	if (q.kind.s)
		f.kind = db_job_kind_parse(q.kind.s);
	if (q.state.s)
		f.state = db_job_state_parse(q.state.s);
	page = page_of(&q.page, "-id");
	w.items = json_array();
	rc = db_jobs(api->env.db, &f, &page, job_add, &w, next);
	return reply_page(rc, w.items, next);
}

static struct reply get_job(struct api *api, const struct request *rq)
{
	struct reply bad;
	int64_t id;
	json_t *o;

	if (!path_id(rq, &id, &bad))
		return bad;
	o = job_json(api, id);
	return o ? reply_json(200, o) : reply_not_found("job");
}

struct tasks_query {
	struct page_query page;
	struct field_text state;
};
static const struct field tasks_fields[] = {
	PAGE_FIELDS(struct tasks_query, page),
	{ "state", FIELD_ENUM, 0, 0, 0, task_states, NULL, NULL,
	  offsetof(struct tasks_query, state) },
};

static void task_add(void *ctx, const struct db_task *t)
{
	struct walk *w = ctx;

	json_array_append_new(w->items, task_row_json(w->api, t));
}

static struct reply list_tasks(struct api *api, const struct request *rq)
{
	struct db_task_filter f = { .state = -1 };
	struct walk w = { .api = api };
	struct tasks_query q;
	json_t *task;
	char next[DB_CURSOR];
	struct db_page page;
	struct reply bad;
	struct problem p;
	struct db_job j;
	enum db_rc rc;
	size_t i;

	if (!path_id(rq, &f.job, &bad))
		return bad;
	if (!query_read(rq->query, rq->n_query, tasks_fields, ARRAY_LEN(tasks_fields), &q,
			sizeof(q), &p))
		return reply_problem(&p);
	if (db_job_get(api->env.db, f.job, &j) != DB_OK)
		return reply_not_found("job");
	if (q.state.s)
		f.state = db_task_state_parse(q.state.s);
	page = page_of(&q.page, NULL);
	w.items = json_array();
	rc = db_tasks(api->env.db, &f, &page, task_add, &w, next);
	json_array_foreach(w.items, i, task) task_name_fill(api, task);
	return reply_page(rc, w.items, next);
}

/* No body, or an empty object. */
static bool body_is_empty(const struct request *rq, struct reply *bad)
{
	struct problem p;
	json_t *body;
	char nothing;
	bool good;

	if (rq->body.n == 0)
		return true;
	body = body_parse(rq->body, &p);
	good = body && fields_read(body, NULL, 0, "", &nothing, 0, &p);
	json_decref(body);
	if (!good)
		*bad = reply_problem(&p);
	return good;
}

static struct reply act(struct api *api, const struct request *rq,
			enum jobs_rc (*what)(struct jobs *, int64_t, char *))
{
	char why[JOBS_WHY] = "";
	struct reply bad;
	enum jobs_rc rc;
	int64_t id;

	if (!path_id(rq, &id, &bad) || !body_is_empty(rq, &bad))
		return bad;
	rc = what(api->env.jobs, id, why);
	return rc == JOBS_OK ? reply_json(202, job_json(api, id)) : reply_jobs(rc, why, NULL);
}

static struct reply pause_job(struct api *api, const struct request *rq)
{
	return act(api, rq, jobs_pause);
}

static struct reply resume_job(struct api *api, const struct request *rq)
{
	return act(api, rq, jobs_resume);
}

static struct reply cancel_job(struct api *api, const struct request *rq)
{
	return act(api, rq, jobs_cancel);
}

static struct reply retry_job(struct api *api, const struct request *rq)
{
	return act(api, rq, jobs_retry);
}

#define JOB_ACTION(name, function)                                                             \
	{                                                                                      \
		.method = HTTP_POST, .pattern = "/jobs/{id}/" name, .role = DB_ROLE_INSTALLER, \
		.mutates = true, .body = BODY_EMPTY, .handle = function                        \
	}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/jobs",
	  .role = DB_ROLE_VIEWER,
	  .query = jobs_fields,
	  .n_query = ARRAY_LEN(jobs_fields),
	  .handle = list_jobs },
	{ .method = HTTP_POST,
	  .pattern = "/jobs",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .body = BODY_JSON,
	  .handle = job_create },
	{ .method = HTTP_GET, .pattern = "/jobs/{id}", .role = DB_ROLE_VIEWER, .handle = get_job },
	{ .method = HTTP_GET,
	  .pattern = "/jobs/{id}/tasks",
	  .role = DB_ROLE_VIEWER,
	  .query = tasks_fields,
	  .n_query = ARRAY_LEN(tasks_fields),
	  .handle = list_tasks },
	JOB_ACTION("pause", pause_job),
	JOB_ACTION("resume", resume_job),
	JOB_ACTION("cancel", cancel_job),
	JOB_ACTION("retry", retry_job),
};
const struct route_table job_routes = { routes, ARRAY_LEN(routes) };
