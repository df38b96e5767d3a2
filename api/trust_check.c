/* SPDX-License-Identifier: Apache-2.0 */
/* POST /trust-anchors/check: what a certificate, or a device, would get from a provision job. */
#include <stdlib.h>
#include <string.h>

#include "api_private.h"

enum { CHECK_MAX = 20 }; /* more than the 16 of the longest chain: too long is a verdict, too */

struct given {
	uint8_t *copy[CHECK_MAX];
	struct bytes der[CHECK_MAX];
	size_t n;
	bool too_many;
};

static void given_free(struct given *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->copy[i]);
	g->n = 0;
}

static void given_take(void *ctx, struct bytes der)
{
	struct given *g = ctx;
	uint8_t *copy = malloc(der.n ? der.n : 1);

	if (!copy || g->n == CHECK_MAX) {
		g->too_many = true;
		free(copy);
		return;
	}
	memcpy(copy, der.p, der.n);
	g->copy[g->n] = copy;
	g->der[g->n++] = bytes_of(copy, der.n);
}

static json_t *verdict_json(const struct jobs_verdict *v)
{
	static const char *const verdicts[] = { [JOBS_VERDICT_TRUSTED] = "trusted",
						[JOBS_VERDICT_REFUSED] = "refused",
						[JOBS_VERDICT_UNKNOWN] = "unknown" };
	static const char *const sources[] = { [JOBS_FROM_NOWHERE] = "",
					       [JOBS_FROM_REQUEST] = "request",
					       [JOBS_FROM_LIST] = "imported",
					       [JOBS_FROM_CACHE] = "cached",
					       [JOBS_FROM_DEVICE] = "device" };
	json_t *o = json_object();

	json_object_set_new(o, "verdict", json_string(verdicts[v->is]));
	json_object_set_new(o, "code", v->code ? json_string(v->code) : json_null());
	json_object_set_new(o, "message", json_string(v->message));
	json_object_set_new(o, "advice", v->advice ? json_string(v->advice) : json_null());
	json_object_set_new(o, "anchor", v->anchor ? json_integer(v->anchor) : json_null());
	json_object_set_new(o, "certificate", certificate_json(&v->facts));
	json_object_set_new(o, "source", json_text(sources[v->source]));
	return o;
}

struct check_body {
	struct field_text uuid, pem;
	struct field_json chain;
};

/* The certificates of the request, the device's own first. False with p. */
static bool given_read(const struct check_body *b, struct given *g, struct problem *p)
{
	json_t *one;
	size_t i;

	if (b->chain.given && !json_is_array(b->chain.v))
		return problem_set(p, 400, "wrong_type", "chain", "chain must be a list.");
	if (jobs_certificates_each(bytes_of(b->pem.s, strlen(b->pem.s)), given_take, g) < 1)
		return problem_set(p, 400, "invalid_value", "pem",
				   "No certificate is in it: PEM is wanted.");
	json_array_foreach(b->chain.v, i, one)
	{
		const char *text = json_string_value(one);

		if (!text ||
		    jobs_certificates_each(bytes_of(text, strlen(text)), given_take, g) < 1)
			return problem_set(p, 400, "invalid_value", "chain",
					   "No certificate is in chain[%zu]: PEM is wanted.", i);
	}
	if (g->too_many)
		return problem_set(p, 400, "invalid_value", "chain",
				   "At most %d certificates are checked together.", CHECK_MAX);
	return true;
}

static struct reply check(struct api *api, const struct check_body *b)
{
	uint8_t uuid[UUID_LEN];
	struct given g = { .n = 0 };
	struct jobs_verdict v;
	enum jobs_rc rc;
	struct problem p;
	bool named = b->uuid.s && uuid_parse(b->uuid.s, uuid);

	if (!b->pem.s && !named)
		return reply_error(400, "missing_field", "uuid", "uuid or pem is wanted.");
	if (!b->pem.s && b->chain.given)
		return reply_error(400, "missing_field", "pem", "A chain needs a pem.");
	if (!b->pem.s) {
		rc = jobs_device_check(api->env.jobs, uuid, &v);
	} else {
		if (!given_read(b, &g, &p)) {
			given_free(&g);
			return reply_problem(&p);
		}
		rc = jobs_certificate_check(api->env.jobs, named ? uuid : NULL, g.der, g.n, &v);
		given_free(&g);
	}
	if (rc == JOBS_NOT_FOUND)
		return reply_not_found("device");
	return rc == JOBS_OK ? reply_json(200, verdict_json(&v)) : reply_internal();
}

static struct reply post_check(struct api *api, const struct request *rq)
{
	static const struct field fields[] = {
		{ "uuid", FIELD_TEXT, 0, 1, 64, NULL, field_is_uuid,
		  "8-4-4-4-12 hexadecimal digits", offsetof(struct check_body, uuid) },
		{ "pem", FIELD_TEXT, FIELD_MULTILINE, 1, BODY_MAX, NULL, NULL, NULL,
		  offsetof(struct check_body, pem) },
		{ "chain", FIELD_JSON, 0, 0, 0, NULL, NULL, NULL,
		  offsetof(struct check_body, chain) },
	};
	struct check_body b;
	struct problem p;
	struct reply r;
	json_t *body = body_parse(rq->body, &p);

	if (!body)
		return reply_problem(&p);
	if (fields_read(body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), &p))
		r = check(api, &b);
	else
		r = reply_problem(&p);
	json_decref(body);
	return r;
}

static const struct route routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/trust-anchors/check",
	  .role = DB_ROLE_VIEWER,
	  .body = BODY_JSON,
	  .handle = post_check },
};
const struct route_table trust_check_routes = { routes, ARRAY_LEN(routes) };
