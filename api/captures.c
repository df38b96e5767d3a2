/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /captures, GET and DELETE /captures/{id}, POST /captures/{id}/stop. */
#include <stdlib.h>
#include <string.h>

#include "api_private.h"

enum { SECONDS_DEFAULT = 600, SECONDS_MAX = 86400 };

#define OCTETS_MIN     (INT64_C(4) << 10)
#define OCTETS_DEFAULT (INT64_C(64) << 20)
#define OCTETS_MAX     (INT64_C(1) << 30)

static json_t *capture_json(const struct api_capture *c)
{
	json_t *o = json_object();
	bool running = c->ended == 0;

	json_object_set_new(o, "id", json_integer(c->id));
	json_object_set_new(o, "state", json_string(running ? "running" : "ended"));
	json_object_set_new(o, "started_at", json_time_ms(c->started));
	json_object_set_new(o, "ended_at", json_time_ms(c->ended));
	json_object_set_new(o, "ended_by", c->end ? json_string(c->end) : json_null());
	json_object_set_new(o, "octets", json_integer((json_int_t)c->octets));
	json_object_set_new(o, "frames", c->frames < 0 ? json_null() : json_integer(c->frames));
	json_object_set_new(o, "seconds", running ? json_integer(c->seconds) : json_null());
	json_object_set_new(o, "max_octets",
			    running ? json_integer((json_int_t)c->max_octets) : json_null());
	return o;
}

static struct reply refuse(enum api_capture_rc rc, const char *why)
{
	if (rc == API_CAPTURE_NONE)
		return reply_not_found("capture");
	if (rc == API_CAPTURE_STATE)
		return reply_error(409, "conflict", NULL, "%s", why);
	return reply_error(500, "internal", NULL, "%s", why);
}

static struct reply show(struct api *api, int status, int64_t id)
{
	const struct api_captures *cs = &api->env.captures;
	struct api_capture c;
	struct reply r;

	if (cs->get(cs->ctx, id, &c) != API_CAPTURE_OK)
		return reply_not_found("capture");
	r = reply_json(status, capture_json(&c));
	if (status == 201)
		snprintf(r.location, sizeof(r.location), "/api/v1/captures/%lld", (long long)id);
	return r;
}

/* ---- the list ---- */

struct captures_query {
	struct page_query page;
};
static const struct field captures_fields[] = { PAGE_FIELDS(struct captures_query, page) };

struct walk {
	json_t *items;
	size_t limit;
	int64_t last;
	bool more;
};

static bool capture_add(void *ctx, const struct api_capture *c)
{
	struct walk *w = ctx;

	w->more = json_array_size(w->items) == w->limit;
	if (w->more)
		return false;
	w->last = c->id;
	json_array_append_new(w->items, capture_json(c));
	return true;
}

/* A cursor is "c" and the last id. */
static bool cursor_read(const char *text, int64_t *after)
{
	char *end;

	if (text[0] != 'c' || text[1] < '1' || text[1] > '9' || strlen(text) > 18)
		return false;
	*after = strtoll(text + 1, &end, 10);
	return !*end;
}

static struct reply list_captures(struct api *api, const struct request *rq)
{
	const struct api_captures *cs = &api->env.captures;
	struct walk w = { .limit = 100 };
	struct captures_query q;
	char next[32] = "";
	int64_t after = 0;
	struct problem p;

	if (!query_read(rq->query, rq->n_query, captures_fields, ARRAY_LEN(captures_fields), &q,
			sizeof(q), &p))
		return reply_problem(&p);
	if (q.page.cursor.s && !cursor_read(q.page.cursor.s, &after))
		return reply_page(DB_CONFLICT, NULL, "");
	if (q.page.limit.given)
		w.limit = (size_t)q.page.limit.v;
	w.items = json_array();
	if (cs->each)
		cs->each(cs->ctx, after, capture_add, &w);
	if (w.more)
		snprintf(next, sizeof(next), "c%lld", (long long)w.last);
	return reply_list(w.items, next);
}

/* ---- one ---- */

struct capture_body {
	struct field_int seconds, max_octets;
};

static struct reply post_captures(struct api *api, const struct request *rq)
{
	static const struct field fields[] = {
		{ "seconds", FIELD_INT, 0, 1, SECONDS_MAX, NULL, NULL, NULL,
		  offsetof(struct capture_body, seconds) },
		{ "max_octets", FIELD_INT, 0, OCTETS_MIN, OCTETS_MAX, NULL, NULL, NULL,
		  offsetof(struct capture_body, max_octets) },
	};
	const struct api_captures *cs = &api->env.captures;
	char why[API_WHY] = "This server has no radio to record.";
	enum api_capture_rc rc = API_CAPTURE_STATE;
	struct capture_body b;
	struct problem p;
	int64_t id = 0;
	json_t *body = body_parse(rq->body, &p);
	bool good = body && fields_read(body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), &p);

	json_decref(body);
	if (!good)
		return reply_problem(&p);
	if (cs->start)
		rc = cs->start(cs->ctx, b.seconds.given ? b.seconds.v : SECONDS_DEFAULT,
			       (uint64_t)(b.max_octets.given ? b.max_octets.v : OCTETS_DEFAULT),
			       &id, why);
	return rc == API_CAPTURE_OK ? show(api, 201, id) : refuse(rc, why);
}

static struct reply stop_capture(struct api *api, const struct request *rq)
{
	const struct api_captures *cs = &api->env.captures;
	enum api_capture_rc rc = API_CAPTURE_NONE;
	char why[API_WHY] = "";
	struct reply bad;
	int64_t id;

	if (!path_id(rq, &id, &bad))
		return bad;
	if (cs->stop)
		rc = cs->stop(cs->ctx, id, why);
	return rc == API_CAPTURE_OK ? show(api, 200, id) : refuse(rc, why);
}

static struct reply delete_capture(struct api *api, const struct request *rq)
{
	const struct api_captures *cs = &api->env.captures;
	enum api_capture_rc rc = API_CAPTURE_NONE;
	char why[API_WHY] = "";
	struct reply bad;
	int64_t id;

	if (!path_id(rq, &id, &bad))
		return bad;
	if (cs->remove)
		rc = cs->remove(cs->ctx, id, why);
	return rc == API_CAPTURE_OK ? reply_none() : refuse(rc, why);
}

/* The recording itself; of one that runs, what there is by now. */
static struct reply get_capture(struct api *api, const struct request *rq)
{
	const struct api_captures *cs = &api->env.captures;
	struct reply r = { .kind = REPLY_FD, .status = 200, .type = "application/octet-stream" };
	struct reply bad;
	uint64_t octets;
	int64_t id;

	if (!path_id(rq, &id, &bad))
		return bad;
	r.fd = cs->open ? cs->open(cs->ctx, id, &octets) : -1;
	if (r.fd < 0)
		return reply_not_found("capture");
	r.body_len = octets;
	snprintf(r.file_name, sizeof(r.file_name), "meshmason-%lld.btsnoop", (long long)id);
	return r;
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/captures",
	  .role = DB_ROLE_VIEWER,
	  .query = captures_fields,
	  .n_query = ARRAY_LEN(captures_fields),
	  .handle = list_captures },
	{ .method = HTTP_POST,
	  .pattern = "/captures",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .body = BODY_JSON,
	  .handle = post_captures },
	{ .method = HTTP_GET,
	  .pattern = "/captures/{id}",
	  .role = DB_ROLE_INSTALLER,
	  .handle = get_capture },
	{ .method = HTTP_DELETE,
	  .pattern = "/captures/{id}",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .handle = delete_capture },
	{ .method = HTTP_POST,
	  .pattern = "/captures/{id}/stop",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .handle = stop_capture },
};
const struct route_table capture_routes = { routes, ARRAY_LEN(routes) };
