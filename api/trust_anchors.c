/* SPDX-License-Identifier: Apache-2.0 */
/* GET and POST /trust-anchors, GET and DELETE /trust-anchors/{id}. */
#include <string.h>

#include "trust_private.h"

enum { ANCHORS_PER_REQUEST = 256 };

static json_t *anchor_row_json(struct api *api, const struct db_anchor *a)
{
	int64_t now = api_wall(api) / 1000;
	json_t *o = certificate_json(&a->facts);

	if (!json_is_object(o))
		o = json_object();
	json_object_set_new(o, "id", json_integer(a->id));
	json_object_set_new(o, "added_at", json_time_ms(a->added));
	json_object_set_new(o, "valid",
			    json_boolean(now >= a->facts.not_before && now <= a->facts.not_after));
	return o;
}

struct walk {
	struct api *api;
	json_t *items;
	int64_t only; /* 0: all */
};

static void anchor_add(void *ctx, const struct db_anchor *a)
{
	struct walk *w = ctx;

	if (!w->only || w->only == a->id)
		json_array_append_new(w->items, anchor_row_json(w->api, a));
}

struct anchors_query {
	struct page_query page;
};
static const struct field anchors_fields[] = { PAGE_FIELDS(struct anchors_query, page) };

static struct reply list_anchors(struct api *api, const struct request *rq)
{
	struct walk w = { .api = api };
	struct anchors_query q;
	char next[DB_CURSOR];
	struct db_page page;
	struct problem p;
	enum db_rc rc;

	if (!query_read(rq->query, rq->n_query, anchors_fields, ARRAY_LEN(anchors_fields), &q,
			sizeof(q), &p))
		return reply_problem(&p);
	page = page_of(&q.page, NULL);
	w.items = json_array();
	rc = db_anchors(api->env.db, &page, anchor_add, &w, next);
	crls_fill(api, w.items);
	return reply_page(rc, w.items, next);
}

/* There are few anchors. */
bool anchor_find(struct api *api, int64_t id, json_t *items)
{
	struct db_page page = { .limit = 1000 };
	struct walk w = { .api = api, .items = items, .only = id };
	size_t before = json_array_size(items);
	char cursor[DB_CURSOR] = "", next[DB_CURSOR];

	do {
		page.cursor = cursor;
		if (db_anchors(api->env.db, &page, anchor_add, &w, next) != DB_OK)
			return false;
		memcpy(cursor, next, sizeof(cursor));
	} while (*next && json_array_size(items) == before);
	crls_fill(api, items);
	return json_array_size(items) > before;
}

static struct reply get_anchor(struct api *api, const struct request *rq)
{
	json_t *items = json_array();
	struct reply r;
	int64_t id;

	if (!path_id(rq, &id, &r))
		;
	else if (anchor_find(api, id, items))
		r = reply_json(200, json_incref(json_array_get(items, 0)));
	else
		r = reply_not_found("trust anchor");
	json_decref(items);
	return r;
}

static struct reply delete_anchor(struct api *api, const struct request *rq)
{
	struct reply bad;
	int64_t id;

	if (!path_id(rq, &id, &bad))
		return bad;
	return reply_jobs(jobs_anchor_delete(api->env.jobs, id), "There is no such trust anchor.",
			  NULL);
}

/* All certificates of one request: checked first, then added, so that it is all or none. */
struct bringing {
	struct api *api;
	const char *by;
	size_t n;
	bool adding;
	json_t *items;
	json_int_t added, there;
	struct problem p;
};

static void bring(void *ctx, struct bytes der)
{
	struct bringing *b = ctx;
	struct db_certificate facts;
	char why[JOBS_WHY];
	enum jobs_rc rc;
	int64_t id = 0;

	if (b->p.status)
		return;
	if (++b->n > ANCHORS_PER_REQUEST) {
		problem_set(&b->p, 422, "trust_anchor_refused", NULL,
			    "More than %d certificates in one request.", ANCHORS_PER_REQUEST);
		return;
	}
	if (!b->adding) {
		rc = jobs_anchor_check(b->api->env.jobs, der, &facts, why);
		if (rc != JOBS_OK && rc != JOBS_CONFLICT)
			problem_set(&b->p, rc == JOBS_STORE ? 500 : 422,
				    rc == JOBS_STORE ? "internal" : "trust_anchor_refused", NULL,
				    "Certificate %zu: %s", b->n, why);
		return;
	}
	rc = jobs_anchor_add(b->api->env.jobs, der, "", b->by, &id, why);
	if (rc == JOBS_OK)
		b->added++;
	else if (rc == JOBS_CONFLICT)
		b->there++;
	else
		problem_set(&b->p, 500, "internal", NULL, "Certificate %zu: %s", b->n, why);
	if (!b->p.status)
		anchor_find(b->api, id, b->items);
}

static struct reply add_anchors(struct api *api, const struct request *rq, struct bytes text)
{
	struct bringing b = { .api = api, .by = rq->who.name };
	struct reply r;
	json_t *o;

	if (jobs_certificates_each(text, bring, &b) < 1 || b.n == 0)
		return reply_error(422, "trust_anchor_refused",
				   rq->body_kind == BODY_JSON ? "pem" : NULL,
				   "No certificate is in it: PEM or DER is wanted.");
	b.n = 0;
	b.adding = true;
	b.items = json_array();
	if (!b.p.status)
		jobs_certificates_each(text, bring, &b);
	if (b.p.status) {
		r = reply_problem(&b.p);
		json_decref(b.items);
		return r;
	}
	o = json_object();
	json_object_set_new(o, "items", b.items);
	json_object_set_new(o, "added", json_integer(b.added));
	json_object_set_new(o, "already_there", json_integer(b.there));
	return reply_json(201, o);
}

struct anchors_body {
	struct field_text pem;
};

static struct reply post_anchors(struct api *api, const struct request *rq)
{
	static const struct field fields[] = {
		{ "pem", FIELD_TEXT, FIELD_REQUIRED | FIELD_MULTILINE, 1, BODY_MAX, NULL, NULL,
		  NULL, offsetof(struct anchors_body, pem) },
	};
	struct anchors_body b;
	struct problem p;
	struct reply r;
	json_t *body;

	if (rq->body_kind != BODY_JSON)
		return add_anchors(api, rq, rq->body);
	body = body_parse(rq->body, &p);
	if (!body)
		return reply_problem(&p);
	if (fields_read(body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), &p))
		r = add_anchors(api, rq, bytes_of(b.pem.s, strlen(b.pem.s)));
	else
		r = reply_problem(&p);
	json_decref(body);
	return r;
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/trust-anchors",
	  .role = DB_ROLE_VIEWER,
	  .query = anchors_fields,
	  .n_query = ARRAY_LEN(anchors_fields),
	  .handle = list_anchors },
	{ .method = HTTP_POST,
	  .pattern = "/trust-anchors",
	  .role = DB_ROLE_ADMIN,
	  .mutates = true,
	  .body = BODY_JSON | BODY_PEM | BODY_DER,
	  .handle = post_anchors },
	{ .method = HTTP_GET,
	  .pattern = "/trust-anchors/{id}",
	  .role = DB_ROLE_VIEWER,
	  .handle = get_anchor },
	{ .method = HTTP_DELETE,
	  .pattern = "/trust-anchors/{id}",
	  .role = DB_ROLE_ADMIN,
	  .mutates = true,
	  .handle = delete_anchor },
};
const struct route_table anchor_routes = { routes, ARRAY_LEN(routes) };
