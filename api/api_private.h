/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef MESHMASON_API_PRIVATE_H
#define MESHMASON_API_PRIVATE_H

#include "api.h"
#include "events.h"
#include "files.h"
#include "hasher.h"
#include "logins.h"
#include "router.h"

struct http;

struct api {
	struct api_env env;
	struct events *events;
	struct files *files;
	struct hasher *hasher;
	struct logins logins;
	struct http *http; /* NULL: not listening */
	int epoll;	   /* of the HTTP daemon and the hasher, while listening */
	int64_t started;
	struct importing *importing; /* lists that are being taken, a few rows a turn */
};

/* Before the body: the route and who asks. False with the reply that ends it; the body's limit. */
bool api_admit(struct api *api, struct request *rq, struct reply *out, size_t *body_max);
/* With the whole body. */
struct reply api_answer(struct api *api, struct request *rq);
/* The reply that a REPLY_LATER promised, for rq->call; waits for the turn's commit. */
void api_finish(struct api *api, void *call, struct reply reply);
/* The route's handler, or what it said before to the same request under its Idempotency-Key. */
struct reply idempotent_answer(struct api *api, const struct request *rq);
/* For a handler that answers later: keeps r where the caller wants that, and gives it back. */
struct reply idempotent_kept(struct api *api, const struct request *rq, struct reply r);
/* Drops imports that are under way; their calls are gone. */
void import_stop(struct api *api);
int64_t api_wall(const struct api *api);

/* Who asks, by its headers; kind AUTH_NOBODY with wrong ones. wrong: credentials were sent. */
/* Renders what changed; struct events_env.render. */
void events_render_mark(void *ctx, const struct event_mark *m);

void auth_identify(struct api *api, const struct request *rq, struct auth_who *out, bool *wrong);
/* A browser's request of another site: writes by cookie must come from our own page. */
bool auth_cross_site(const struct request *rq);
/* A session that is in use lives on; false when it has ended. */
bool auth_still_good(struct api *api, const struct auth_who *who);

/* Routes and one object of each list, as the list shows it. NULL: there is none. */
extern const struct route_table status_routes, device_routes, import_routes, node_routes,
	server_routes, job_routes, anchor_routes, crl_routes, trust_check_routes, session_routes,
	event_routes, capture_routes, oob_routes, composition_routes, address_routes;
json_t *device_json(struct api *api, const uint8_t uuid[UUID_LEN]);
json_t *node_json(struct api *api, uint16_t address);
json_t *server_json(struct api *api, uint16_t address);
/* The kinds of jobs by name, NULL last. */
extern const char *const job_kinds[];
json_t *job_json(struct api *api, int64_t id);
struct reply job_create(struct api *api, const struct request *rq); /* POST /jobs */
json_t *task_json(struct api *api, int64_t id);
json_t *task_prompt_json(struct api *api, int64_t task); /* null when it asks nobody */
json_t *job_row_json(struct api *api, const struct db_job *j);
json_t *radio_json(struct api *api);
json_t *certificate_json(const struct db_certificate *c); /* null when not present */

/* {"code","message","advice"}, or null for "". */
json_t *error_json(const char *code, const char *message);
/* A jobs_rc other than JOBS_OK, as a reply. */
struct reply reply_jobs(enum jobs_rc rc, const char *why, const char *field);

/* limit and cursor, first in the parameters of every list. */
struct page_query {
	struct field_int limit;
	struct field_text cursor;
};
#define PAGE_FIELDS(type, member)                                                                \
	{ "limit", FIELD_INT, 0, 1, 1000, NULL, NULL, NULL, offsetof(type, member.limit) },      \
	{                                                                                        \
		"cursor", FIELD_TEXT, 0, 1, 512, NULL, NULL, NULL, offsetof(type, member.cursor) \
	}
struct db_page page_of(const struct page_query *q, const char *sort);
/* The page's end: DB_CONFLICT is a bad cursor. Takes over items. */
struct reply reply_page(enum db_rc rc, json_t *items, const char *next);

/* The id of a path, or the address, or the uuid; false with the problem. */
bool path_id(const struct request *rq, int64_t *out, struct reply *bad);
bool path_address(const struct request *rq, uint16_t *out, struct reply *bad);
bool path_uuid(const struct request *rq, uint8_t out[UUID_LEN], struct reply *bad);

#endif
