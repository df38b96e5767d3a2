/* SPDX-License-Identifier: Apache-2.0 */
#include "api_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "http.h"
#include "listen.h"
#include "log.h"

#define API_PREFIX "/api/v1"

static const struct route_table *const tables[] = {
	&status_routes, &device_routes,	 &import_routes, &node_routes,	      &server_routes,
	&job_routes,	&anchor_routes,	 &crl_routes,	 &trust_check_routes, &session_routes,
	&event_routes,	&capture_routes, &oob_routes,	 &composition_routes, &address_routes,
};

/* The whole of the routes, as the router wants them. */
struct all_tables {
	struct route_table t[ARRAY_LEN(tables)];
};

static struct all_tables all_tables(void)
{
	struct all_tables all;

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		all.t[i] = *tables[i];
	return all;
}

int64_t api_wall(const struct api *api)
{
	return api->env.wall(api->env.ctx);
}

/* ---- before the body ---- */

static bool admit_file(struct api *api, struct request *rq, struct reply *out)
{
	static const struct file health = { .type = "application/json",
					    .data = (char *)"{\"status\":\"ok\"}",
					    .n = 15,
					    .etag = "\"ok\"" };

	*out = (struct reply){ .kind = REPLY_FILE, .status = 200 };
	if (rq->method != HTTP_GET) {
		*out = reply_error(405, "method_not_allowed", NULL,
				   "Only GET and HEAD are taken here.");
		memcpy(out->allow, "GET, HEAD", sizeof("GET, HEAD"));
	} else if (strcmp(rq->url, "/healthz") == 0) {
		*out = (struct reply){ .kind = REPLY_BODY, .status = 200, .type = health.type };
		out->body = health.data;
		out->body_len = health.n;
		out->body_static = true;
	} else {
		out->file = api->files ? files_find(api->files, rq->url) : NULL;
		if (!out->file)
			*out = reply_not_found(api->files ? "page"
							  : "page: the dashboard is not built");
	}
	return false;
}

static bool admit_who(struct api *api, struct request *rq, struct reply *out)
{
	const struct route *r = rq->route;
	bool wrong = false;

	if (r->method != HTTP_GET && auth_cross_site(rq)) {
		*out = reply_error(403, "cross_site", "Origin",
				   "This request comes from a page of another site.");
		return false;
	}
	if (r->is_public)
		return true;
	auth_identify(api, rq, &rq->who, &wrong);
	if (rq->who.kind == AUTH_NOBODY) {
		*out = reply_error(401, "not_signed_in", NULL, "%s",
				   wrong ? "The token or session is not, or no longer, good."
					 : "A bearer token or a session cookie is wanted.");
		return false;
	}
	if (rq->who.kind == AUTH_SETUP && !r->setup) {
		*out = reply_error(403, "setup_needed", NULL,
				   "Name the first admin first: POST /api/v1/setup.");
		return false;
	}
	if (rq->who.role < r->role) {
		*out = reply_error(403, "forbidden", NULL, "The role %s is needed, this is %s.",
				   db_role_name(r->role), db_role_name(rq->who.role));
		return false;
	}
	return true;
}

/* The Content-Type, also where a cookie's write has no body: it is what a form of another site
 * cannot send. */
static bool admit_type(struct request *rq, struct reply *out)
{
	const struct route *r = rq->route;
	bool by_cookie = rq->who.kind == AUTH_SESSION || rq->who.kind == AUTH_SETUP;

	rq->body_kind = body_kind_parse(rq->content_type);
	if (r->method == HTTP_GET)
		return true;
	if (r->body & ~(unsigned)BODY_EMPTY) {
		if (rq->body_kind & r->body)
			return true;
	} else if (!rq->content_type ? !by_cookie : rq->body_kind == BODY_JSON) {
		return true;
	}
	*out = reply_error(415, "unsupported_media_type", "Content-Type",
			   "Content-Type must be %s%s here.",
			   r->body & BODY_CSV	? "text/csv or application/json"
			   : r->body & BODY_PEM ? "application/json, application/x-pem-file or "
						  "application/pkix-cert"
						: "application/json",
			   r->body ? "" : " for a write by cookie");
	return false;
}

bool api_admit(struct api *api, struct request *rq, struct reply *out, size_t *body_max)
{
	struct all_tables all = all_tables();
	size_t prefix = strlen(API_PREFIX);
	char allow[ROUTE_ALLOW];

	*body_max = BODY_MAX;
	if (strncmp(rq->url, "/api", 4) != 0 || (rq->url[4] != '/' && rq->url[4]))
		return admit_file(api, rq, out);
	if (strncmp(rq->url, API_PREFIX "/", prefix + 1) != 0) {
		*out = reply_not_found("path");
		return false;
	}
	switch (router_match(all.t, ARRAY_LEN(all.t), rq, rq->url + prefix, allow)) {
	case ROUTE_NO_PATH:
		*out = reply_not_found("path");
		return false;
	case ROUTE_NO_METHOD:
		*out = reply_error(405, "method_not_allowed", NULL, "Only %s are taken here.",
				   allow);
		memcpy(out->allow, allow, sizeof(allow));
		return false;
	case ROUTE_FOUND:
		break;
	}
	if (rq->route->body_max)
		*body_max = rq->route->body_max;
	return admit_who(api, rq, out) && admit_type(rq, out);
}

struct reply api_answer(struct api *api, struct request *rq)
{
	const struct route *r = rq->route;

	if (rq->query_overflow)
		return reply_error(400, "bad_request", "query",
				   "The query is too long, or not well-formed.");
	if (rq->n_query && !r->n_query)
		return reply_error(
			400, "unknown_parameter",
			text_is_clean(rq->query[0].name, strlen(rq->query[0].name), false)
				? rq->query[0].name
				: "?",
			"No parameters are taken here.");
	if (rq->body.n && !r->body)
		return reply_error(400, "bad_request", "body", "No body is taken here.");
	return idempotent_answer(api, rq);
}

void api_finish(struct api *api, void *call, struct reply reply)
{
	http_finish(call, reply);
}

/* ---- the loop's side ---- */

static void wake_reader(void *ctx, void *reader)
{
	http_wake(reader);
}

static bool keep_reader(void *ctx, void *reader)
{
	return auth_still_good(ctx, http_who(reader));
}

struct api *api_new(const struct api_env *env, char why[API_WHY])
{
	struct api *api = calloc(1, sizeof(*api));
	struct events_env events = { .timers = env->timers,
				     .render = events_render_mark,
				     .wake = wake_reader,
				     .keep = keep_reader,
				     .ctx = api };
	char boot[EVENTS_BOOT];
	uint8_t random[4];

	snprintf(why, API_WHY, "No memory for the API.");
	if (!api)
		return NULL;
	api->env = *env;
	api->started = env->wall(env->ctx);
	env->random(env->ctx, random, sizeof(random));
	hex_format(boot, bytes_of(random, sizeof(random)));
	api->events = events_new(&events, boot);
	api->hasher = hasher_new();
	if (!api->events || !api->hasher) {
		api_free(api);
		return NULL;
	}
	if (env->webui) {
		api->files = files_load(env->webui, why, API_WHY);
		if (!api->files) {
			api_free(api);
			return NULL;
		}
	}
	return api;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	api_stop(api);
	hasher_free(api->hasher);
	events_free(api->events);
	files_free(api->files);
	free(api);
}

bool api_http_start(struct api *api, const struct api_listen *l, char why[API_WHY])
{
	struct epoll_event in = { .events = EPOLLIN };

	api->http = http_start(api, l, why);
	if (!api->http)
		return false;
	api->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (api->epoll < 0 || epoll_ctl(api->epoll, EPOLL_CTL_ADD, http_fd(api->http), &in) != 0 ||
	    epoll_ctl(api->epoll, EPOLL_CTL_ADD, hasher_fd(api->hasher), &in) != 0) {
		snprintf(why, API_WHY, "The kernel gives no descriptor to wait on.");
		api_stop(api);
		return false;
	}
	return true;
}

bool api_is_loopback(const char *address)
{
	return listen_is_loopback(address);
}

const char *api_url(const struct api *api)
{
	return api->http ? http_url(api->http) : "";
}

int api_fd(const struct api *api)
{
	return api->epoll;
}

void api_turn(struct api *api)
{
	if (!api->http)
		return;
	hasher_collect(api->hasher);
	http_run(api->http);
}

uint64_t api_timeout(const struct api *api)
{
	return api->http ? http_timeout(api->http) : TIMERS_NEVER;
}

void api_committed(struct api *api)
{
	if (api->http)
		http_committed(api->http);
}

void api_stop(struct api *api)
{
	if (!api->http)
		return;
	http_stop(api->http);
	api->http = NULL;
	if (api->epoll >= 0)
		close(api->epoll);
	/* Passwords that are still being hashed belong to calls which are gone; lists, too. */
	import_stop(api);
	hasher_free(api->hasher);
	api->hasher = NULL;
}

static const char *role_shown(const struct route *r)
{
	return r->is_public ? "public" : db_role_name(r->role);
}

void api_print_routes(FILE *out)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct route *r = &tables[t]->routes[i];

			fprintf(out, "%s " API_PREFIX "%s %s", http_method_name(r->method),
				r->pattern, role_shown(r));
			for (size_t q = 0; q < r->n_query; q++)
				fprintf(out, " %s", r->query[q].name);
			fprintf(out, "\n");
		}
}
