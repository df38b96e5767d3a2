/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency-Key: the same request of the same caller twice is done once. The answer is kept in
 * the transaction of what it did, for a day. Refusals are not kept: what was wrong may be right
 * later. Signing in is left out, its answers are secrets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_private.h"
#include "crypto.h"

enum { HASHED_MAX = REQUEST_PATH_MAX + 2 * REQUEST_QUERY_MAX + 64 };

static bool applies(const struct request *rq)
{
	const struct route *r = rq->route;

	return rq->idempotency_key && r->mutates && !r->is_public && !r->setup;
}

/* Zeros between the parts: none of them has one inside. */
static void hash_of(const struct request *rq, uint8_t out[DB_HASH])
{
	uint8_t text[HASHED_MAX], body[DB_HASH];
	struct wr w = wr_to(text, sizeof(text));
	const char *method = http_method_name(rq->method);

	wr_copy(&w, method, strlen(method) + 1);
	wr_copy(&w, rq->url, strlen(rq->url) + 1);
	for (size_t i = 0; i < rq->n_query; i++) {
		wr_copy(&w, rq->query[i].name, strlen(rq->query[i].name) + 1);
		wr_copy(&w, rq->query[i].value, strlen(rq->query[i].value) + 1);
	}
	sha256(rq->body, body);
	wr_copy(&w, body, sizeof(body));
	sha256(wr_done(&w), out);
}

static void actor_of(const struct request *rq, char out[DB_NAME])
{
	snprintf(out, DB_NAME, "%d:%lld:%.96s", rq->who.kind, (long long)rq->who.user,
		 rq->who.name);
}

struct kept {
	char *body;
	size_t n;
	bool no_memory;
};

static void take_body(void *ctx, struct bytes body)
{
	struct kept *k = ctx;

	if (!body.n)
		return;
	k->body = malloc(body.n);
	k->no_memory = !k->body;
	if (!k->body)
		return;
	memcpy(k->body, body.p, body.n);
	k->n = body.n;
}

static struct reply kept_answer(const struct request *rq, const struct db_idempotency *row,
				const struct kept *k)
{
	struct reply r = { .kind = REPLY_BODY, .status = row->status };
	uint8_t hash[DB_HASH];

	hash_of(rq, hash);
	if (k->no_memory)
		return reply_internal();
	if (memcmp(hash, row->request, DB_HASH) != 0) {
		free(k->body);
		return reply_error(409, "idempotency_conflict", "Idempotency-Key",
				   "This key was used for another request.");
	}
	r.type = k->n ? "application/json" : NULL;
	r.body = k->body;
	r.body_len = k->n;
	snprintf(r.location, sizeof(r.location), "%s", row->location);
	return r;
}

static bool keep(struct api *api, const struct request *rq, const struct reply *r)
{
	struct db_idempotency row = { .status = r->status, .created = api_wall(api) };

	actor_of(rq, row.actor);
	snprintf(row.key, sizeof(row.key), "%s", rq->idempotency_key);
	snprintf(row.location, sizeof(row.location), "%s", r->location);
	hash_of(rq, row.request);
	return db_auth_expire(api->env.db, row.created) == DB_OK &&
	       db_idempotency_put(api->env.db, &row, bytes_of(r->body, r->body_len)) == DB_OK;
}

static bool is_kept(const struct reply *r)
{
	return r->kind == REPLY_BODY && r->status >= 200 && r->status < 300 && !*r->cookie &&
	       (!r->type || strcmp(r->type, "application/json") == 0);
}

struct reply idempotent_kept(struct api *api, const struct request *rq, struct reply r)
{
	if (!applies(rq) || !is_kept(&r) || keep(api, rq, &r))
		return r;
	reply_free(&r);
	return reply_internal();
}

struct reply idempotent_answer(struct api *api, const struct request *rq)
{
	const char *key = rq->idempotency_key;
	struct db_idempotency row;
	struct kept k = { 0 };
	char actor[DB_NAME];
	enum db_rc rc;

	if (!applies(rq))
		return rq->route->handle(api, rq);
	if (!*key || strlen(key) >= DB_NAME || !text_is_clean(key, strlen(key), false))
		return reply_error(400, "invalid_value", "Idempotency-Key",
				   "Idempotency-Key must have 1 to %d characters.", DB_NAME - 1);
	actor_of(rq, actor);
	rc = db_idempotency_find(api->env.db, actor, key, &row, take_body, &k);
	if (rc == DB_OK)
		return kept_answer(rq, &row, &k);
	if (rc != DB_NONE)
		return reply_internal();
	return idempotent_kept(api, rq, rq->route->handle(api, rq));
}
