/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as handlers see it, and the table that leads it to its handler. Patterns are relative
 * to /api/v1: "/jobs/{id}/tasks"; a literal part wins over one in braces.
 */
#ifndef MESHMASON_ROUTER_H
#define MESHMASON_ROUTER_H

#include "bytes.h"
#include "db_auth.h"
#include "fields.h"
#include "reply.h"

struct api;

enum http_method { HTTP_GET, HTTP_POST, HTTP_PATCH, HTTP_DELETE, HTTP_OTHER };

enum { BODY_NONE = 0, BODY_JSON = 1, BODY_CSV = 2, BODY_PEM = 4, BODY_DER = 8, BODY_EMPTY = 16 };

enum {
	REQUEST_PARAMS_MAX = 24,
	REQUEST_PATH_MAX = 256,
	REQUEST_QUERY_MAX = 2048,
	BODY_MAX = 1 << 20,
	IMPORT_MAX = 32 << 20,
};

/* Who asks; role says what is allowed. */
enum auth_kind { AUTH_NOBODY, AUTH_TOKEN, AUTH_SESSION, AUTH_SETUP };
struct auth_who {
	enum auth_kind kind;
	enum db_role role;
	char name[DB_NAME];    /* "" for a setup session */
	int64_t user;	       /* 0 none */
	int64_t expires;       /* Unix milliseconds; 0 never */
	uint8_t hash[DB_HASH]; /* of the session cookie or the token */
};

/* All views live as long as the request. Headers are NULL where not sent. */
struct request {
	enum http_method method;
	const char *url; /* as sent, without the query */
	const char *authorization, *cookie, *origin, *fetch_site, *host;
	const char *content_type, *idempotency_key, *last_event_id;
	struct param query[REQUEST_PARAMS_MAX];
	size_t n_query;
	bool query_overflow; /* more parameters than that, or one is not well-formed */
	char peer[64];	     /* address of the client */
	struct bytes body;
	/* filled by the router */
	const struct route *route;
	char path[REQUEST_PATH_MAX]; /* decoded, split by zeros */
	const char *args[2];	     /* what stood in the braces */
	struct auth_who who;
	unsigned body_kind; /* which of route->body it is */
	void *call;	    /* of http.c: which connection waits for a later reply */
};

struct route {
	enum http_method method;
	const char *pattern;
	enum db_role role;
	bool is_public; /* no credentials are asked for */
	bool mutates;	/* the reply waits for the turn's commit */
	bool setup;	/* a setup session may call it */
	unsigned body;	/* BODY_* */
	size_t body_max;
	const struct field *query;
	size_t n_query;
	struct reply (*handle)(struct api *api, const struct request *rq);
};

/* One file's routes. */
struct route_table {
	const struct route *routes;
	size_t n;
};

enum route_result { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

enum { ROUTE_ALLOW = 48 };
/* Decodes url (after "/api/v1") into rq->path and rq->args, and finds rq->route. With
 * ROUTE_NO_METHOD allow lists the path's methods. */
enum route_result router_match(const struct route_table *tables, size_t n_tables,
			       struct request *rq, const char *url, char allow[ROUTE_ALLOW]);
/* Strict percent decoding in place; false for a bad escape, a zero, or a control character.
 * plus: '+' is a space, as in queries. */
bool percent_decode(char *text, bool plus);
/* Splits and decodes a raw query into rq->query; text is changed. */
void query_split(struct request *rq, char *text);
const char *http_method_name(enum http_method method);
enum http_method http_method_parse(const char *name);
/* Which of the BODY_ kinds a Content-Type names; 0 for none of them. */
unsigned body_kind_parse(const char *content_type);

#endif
