/* SPDX-License-Identifier: Apache-2.0 */
/* GET /oob, POST /oob/{task}: what a person is asked while a task waits for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_private.h"

/* Whoever knows what is to be entered can pass for the device: for those who may act only, and so
 * neither in tasks nor in events, which everybody sees. */
static json_t *prompt_json(struct api *api, const struct jobs_prompt *p, bool tells_value)
{
	json_t *o = json_object();
	struct db_device d = { .listed = false };

	db_device_get(api->env.db, p->uuid, &d);
	secret_wipe(d.static_oob, sizeof(d.static_oob));
	json_object_set_new(o, "task", json_integer(p->task));
	json_object_set_new(o, "job", json_integer(p->job));
	json_object_set_new(o, "uuid", json_uuid(p->uuid));
	json_object_set_new(o, "name", json_text(d.name));
	json_object_set_new(o, "area", json_text(d.area));
	json_object_set_new(o, "method", json_string(p->method));
	json_object_set_new(o, "action", json_string(p->action));
	json_object_set_new(o, "type", json_string(p->type));
	json_object_set_new(o, "size", json_integer(p->size));
	json_object_set_new(o, "value",
			    p->value && tells_value ? json_string(p->value) : json_null());
	json_object_set_new(o, "asked_at", json_time_ms(p->asked));
	json_object_set_new(o, "expires_at", json_time_ms(p->expires));
	json_object_set_new(o, "seconds_left", json_integer(p->seconds_left));
	json_object_set_new(o, "server", json_address(p->server));
	return o;
}

json_t *task_prompt_json(struct api *api, int64_t task)
{
	struct jobs_prompt p;

	return jobs_prompt_get(api->env.jobs, task, &p) ? prompt_json(api, &p, false) : json_null();
}

enum { PROMPTS_MOST = 256 }; /* a job opens a handful, and a person answers a few at a time */

struct prompts_query {
	struct page_query page;
};
static const struct field prompts_fields[] = { PAGE_FIELDS(struct prompts_query, page) };

struct walk {
	struct jobs_prompt *found;
	size_t n;
	int64_t after;
};

static void prompt_add(void *ctx, const struct jobs_prompt *p)
{
	struct walk *w = ctx;

	if (p->task > w->after && w->n < PROMPTS_MOST)
		w->found[w->n++] = *p;
}

static int by_task(const void *a, const void *b)
{
	const struct jobs_prompt *x = a, *y = b;

	return (x->task > y->task) - (x->task < y->task);
}

static struct reply list_prompts(struct api *api, const struct request *rq)
{
	bool tells_value = rq->who.role >= DB_ROLE_INSTALLER;
	struct walk w = { .after = 0 };
	size_t limit = 100;
	struct prompts_query q;
	char next[32] = "", *end;
	struct problem p;
	json_t *items;

	if (!query_read(rq->query, rq->n_query, prompts_fields, ARRAY_LEN(prompts_fields), &q,
			sizeof(q), &p))
		return reply_problem(&p);
	if (q.page.cursor.s) {
		bool good = strncmp(q.page.cursor.s, "task-", 5) == 0;

		w.after = good ? strtoll(q.page.cursor.s + 5, &end, 10) : 0;
		if (!good || w.after <= 0 || *end)
			return reply_page(DB_CONFLICT, NULL, "");
	}
	if (q.page.limit.given)
		limit = (size_t)q.page.limit.v;
	w.found = calloc(PROMPTS_MOST, sizeof(*w.found));
	if (!w.found)
		return reply_internal();
	jobs_prompts(api->env.jobs, prompt_add, &w);
	qsort(w.found, w.n, sizeof(*w.found), by_task);
	items = json_array();
	for (size_t i = 0; i < w.n && i < limit; i++)
		json_array_append_new(items, prompt_json(api, &w.found[i], tells_value));
	if (w.n > limit)
		snprintf(next, sizeof(next), "task-%lld", (long long)w.found[limit - 1].task);
	free(w.found);
	return reply_list(items, next);
}

struct answer_body {
	struct field_text value;
	struct field_bool cancel;
};

static bool body_read(const struct request *rq, json_t *object, struct answer_body *b,
		      struct problem *p)
{
	static const struct field fields[] = {
		{ "value", FIELD_TEXT, 0, 1, 8, NULL, NULL, NULL,
		  offsetof(struct answer_body, value) },
		{ "cancel", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL,
		  offsetof(struct answer_body, cancel) },
	};

	if (!fields_read(object, fields, ARRAY_LEN(fields), "", b, sizeof(*b), p))
		return false;
	if (!b->value.given && !b->cancel.given)
		return problem_set(p, 400, "missing_field", "value",
				   "value is wanted: what the device shows.");
	if (b->cancel.given && (!b->cancel.v || b->value.given))
		return problem_set(p, 400, "invalid_value", "cancel",
				   "cancel must be true, and alone.");
	return true;
}

static struct reply answer(struct api *api, const struct request *rq)
{
	struct answer_body b;
	char why[JOBS_WHY] = "";
	struct problem p;
	struct reply bad;
	enum jobs_rc rc;
	json_t *body;
	int64_t task;

	if (!path_id(rq, &task, &bad))
		return bad;
	body = body_parse(rq->body, &p);
	if (!body || !body_read(rq, body, &b, &p)) {
		json_decref(body);
		return reply_problem(&p);
	}
	rc = b.cancel.given ? jobs_prompt_cancel(api->env.jobs, task, why)
			    : jobs_prompt_answer(api->env.jobs, task, b.value.s, why);
	json_decref(body);
	if (rc == JOBS_CONFLICT)
		return reply_error(409, "prompt_closed", NULL, "%s", why);
	return rc == JOBS_OK ? reply_json(202, task_json(api, task)) : reply_jobs(rc, why, "value");
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/oob",
	  .role = DB_ROLE_VIEWER,
	  .query = prompts_fields,
	  .n_query = ARRAY_LEN(prompts_fields),
	  .handle = list_prompts },
	{ .method = HTTP_POST,
	  .pattern = "/oob/{task}",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .body = BODY_JSON,
	  .handle = answer },
};
const struct route_table oob_routes = { routes, ARRAY_LEN(routes) };
