/* SPDX-License-Identifier: Apache-2.0 */
/* POST and DELETE /trust-anchors/{id}/crl: one revocation list for each anchor. */
#include <string.h>

#include "db_certificates.h"
#include "trust_private.h"

static json_t *crl_json(struct api *api, int64_t anchor)
{
	int64_t now = api_wall(api) / 1000;
	struct db_crl c;
	json_t *o;

	if (db_crl_get(api->env.db, anchor, &c) != DB_OK)
		return json_null();
	o = json_object();
	json_object_set_new(o, "issued_at", json_time_s(c.issued));
	json_object_set_new(o, "next_update",
			    c.next_update ? json_time_s(c.next_update) : json_null());
	json_object_set_new(o, "revoked", json_integer(c.revoked));
	json_object_set_new(o, "stale", json_boolean(c.next_update && now > c.next_update));
	return o;
}

void crls_fill(struct api *api, json_t *items)
{
	json_t *anchor;
	size_t i;

	json_array_foreach(items, i, anchor)
	{
		int64_t id = json_integer_value(json_object_get(anchor, "id"));

		json_object_set_new(anchor, "crl", crl_json(api, id));
	}
}

static struct reply take_crl(struct api *api, int64_t id, struct bytes text, const char *field)
{
	char why[JOBS_WHY] = "";
	enum jobs_rc rc = jobs_crl_set(api->env.jobs, id, text, why);
	json_t *items;
	struct reply r;

	if (rc == JOBS_BAD_OPTION)
		return reply_error(422, "crl_not_valid", field, "%s", why);
	if (rc != JOBS_OK)
		return rc == JOBS_NOT_FOUND ? reply_not_found("trust anchor") : reply_internal();
	items = json_array();
	if (anchor_find(api, id, items))
		r = reply_json(200, json_incref(json_array_get(items, 0)));
	else
		r = reply_internal();
	json_decref(items);
	return r;
}

struct crl_body {
	struct field_text pem;
};

static struct reply post_crl(struct api *api, const struct request *rq)
{
	static const struct field fields[] = {
		{ "pem", FIELD_TEXT, FIELD_REQUIRED | FIELD_MULTILINE, 1, BODY_MAX, NULL, NULL,
		  NULL, offsetof(struct crl_body, pem) },
	};
	struct crl_body b;
	struct problem p;
	struct reply r;
	json_t *body;
	int64_t id;

	if (!path_id(rq, &id, &r))
		return r;
	if (rq->body_kind != BODY_JSON)
		return take_crl(api, id, rq->body, NULL);
	body = body_parse(rq->body, &p);
	if (!body)
		return reply_problem(&p);
	if (fields_read(body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), &p))
		r = take_crl(api, id, bytes_of(b.pem.s, strlen(b.pem.s)), "pem");
	else
		r = reply_problem(&p);
	json_decref(body);
	return r;
}

static struct reply delete_crl(struct api *api, const struct request *rq)
{
	struct reply bad;
	int64_t id;

	if (!path_id(rq, &id, &bad))
		return bad;
	return reply_jobs(jobs_crl_delete(api->env.jobs, id), "There is no such revocation list.",
			  NULL);
}

static const struct route routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/trust-anchors/{id}/crl",
	  .role = DB_ROLE_ADMIN,
	  .mutates = true,
	  .body = BODY_JSON | BODY_PEM | BODY_DER,
	  .handle = post_crl },
	{ .method = HTTP_DELETE,
	  .pattern = "/trust-anchors/{id}/crl",
	  .role = DB_ROLE_ADMIN,
	  .mutates = true,
	  .handle = delete_crl },
};
const struct route_table crl_routes = { routes, ARRAY_LEN(routes) };
