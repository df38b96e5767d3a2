/* SPDX-License-Identifier: Apache-2.0 */
/* POST /session, GET /session, DELETE /session, POST /setup. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "log.h"

enum { PASSWORD_CHARACTERS = 12 };

static json_t *who_json(struct api *api, const struct auth_who *who)
{
	json_t *o = json_object();

	json_object_set_new(o, "kind", json_string(who->kind == AUTH_TOKEN ? "token" : "session"));
	json_object_set_new(o, "name", json_text(who->name));
	json_object_set_new(o, "role", json_string(db_role_name(who->role)));
	json_object_set_new(o, "expires_at", json_time_ms(who->expires));
	json_object_set_new(o, "setup_needed", json_boolean(api_setup_needed(api)));
	return o;
}

static struct reply get_session(struct api *api, const struct request *rq)
{
	return reply_json(200, who_json(api, &rq->who));
}

static struct reply delete_session(struct api *api, const struct request *rq)
{
	struct reply r = reply_none();

	if (rq->who.kind == AUTH_TOKEN)
		return reply_error(409, "conflict", NULL, "A token does not sign out.");
	if (db_session_delete(api->env.db, rq->who.hash) == DB_ERROR)
		return reply_internal();
	auth_cookie_clear(&r);
	return r;
}

/* A reply that signs user in. */
static struct reply sign_in(struct api *api, int status, int64_t user)
{
	struct reply cookie = { 0 }, r;
	struct auth_who who;

	if (!auth_session_new(api, user, &cookie, &who))
		return reply_internal();
	r = reply_json(status, who_json(api, &who));
	memcpy(r.cookie, cookie.cookie, sizeof(r.cookie));
	return r;
}

static struct reply sign_in_by_link(struct api *api, const struct request *rq, const char *link)
{
	struct db_signin_link row;
	uint8_t hash[DB_HASH];

	auth_hash(link, hash);
	if (db_signin_link_take(api->env.db, hash, &row) != DB_OK || row.expires <= api_wall(api) ||
	    !api_setup_needed(api)) {
		logins_failed(&api->logins, rq->peer, api_wall(api));
		return reply_error(401, "wrong_credentials", "link",
				   "This link was used already, or has expired.");
	}
	log_info("api: signed in by the one-time link");
	return sign_in(api, 200, 0);
}

/* A password that is being checked or hashed; the call waits. */
struct pending {
	struct api *api;
	void *call;
	int64_t user; /* 0: no such user */
	char name[DB_NAME], peer[64];
	bool by_cookie;
	uint8_t old_session[DB_HASH];
};

static void password_checked(void *ctx, bool ok, const char *encoded)
{
	struct pending *p = ctx;
	struct api *api = p->api;
	struct reply r;
	struct db_user u;

	if (ok && db_user_get(api->env.db, p->user, &u) == DB_OK && !u.disabled) {
		u.signed_in = api_wall(api);
		db_user_update(api->env.db, &u);
		log_info("api: %s signed in", u.name);
		r = sign_in(api, 200, u.id);
	} else {
		logins_failed(&api->logins, p->peer, api_wall(api));
		r = reply_error(401, "wrong_credentials", NULL, "Name or password is wrong.");
	}
	api_finish(api, p->call, r);
	free(p);
}

static struct pending *pending_new(struct api *api, const struct request *rq, const char *name)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->api = api;
	p->call = rq->call;
	snprintf(p->name, sizeof(p->name), "%s", name);
	memcpy(p->peer, rq->peer, sizeof(p->peer));
	p->by_cookie = rq->who.kind == AUTH_SETUP || rq->who.kind == AUTH_SESSION;
	memcpy(p->old_session, rq->who.hash, DB_HASH);
	return p;
}

static struct reply too_many(int wait)
{
	struct reply r = reply_error(429, "too_many_attempts", NULL,
				     "Too many attempts; try again in %d seconds.", wait);

	r.retry_after = wait;
	return r;
}

/* Hands p to the worker, or answers at once that it has no room. */
static struct reply later(struct pending *p, bool taken)
{
	if (taken)
		return (struct reply){ .kind = REPLY_LATER };
	free(p);
	return too_many(1);
}

static struct reply sign_in_by_name(struct api *api, const struct request *rq, const char *name,
				    const char *password)
{
	struct pending *p = pending_new(api, rq, name);
	struct db_user u;
	bool known;

	if (!p)
		return reply_internal();
	/* One that does not exist takes as long as a wrong password. */
	known = db_user_get_name(api->env.db, name, &u) == DB_OK && !u.disabled;
	p->user = known ? u.id : 0;
	return later(p, hasher_check(api->hasher, password, known ? u.password : NULL,
				     password_checked, p));
}

struct session_body {
	struct field_text link, name, password;
};

static struct reply post_session(struct api *api, const struct request *rq)
{
	static const struct field fields[] = {
		{ "link", FIELD_TEXT, 0, 1, 128, NULL, NULL, NULL,
		  offsetof(struct session_body, link) },
		{ "name", FIELD_TEXT, 0, 1, 64, NULL, NULL, NULL,
		  offsetof(struct session_body, name) },
		{ "password", FIELD_TEXT, 0, 1, 256, NULL, NULL, NULL,
		  offsetof(struct session_body, password) },
	};
	struct session_body b;
	struct problem p;
	struct reply r;
	int wait;
	json_t *body;

	if (!logins_may_try(&api->logins, rq->peer, api_wall(api), &wait))
		return too_many(wait);
	body = body_parse(rq->body, &p);
	if (!body)
		return reply_problem(&p);
	if (!fields_read(body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), &p))
		r = reply_problem(&p);
	else if (b.link.given && (b.name.given || b.password.given))
		r = reply_error(400, "invalid_value", "link",
				"Either link, or name and password, not both.");
	else if (b.link.given)
		r = sign_in_by_link(api, rq, b.link.s);
	else if (!b.name.given || !b.password.given)
		r = reply_error(400, "missing_field", b.name.given ? "password" : "name",
				"link, or name and password, must be given.");
	else
		r = sign_in_by_name(api, rq, b.name.s, b.password.s);
	json_decref(body);
	return r;
}

/* ---- the first admin ---- */

static bool long_enough(const char *text)
{
	size_t characters = 0;

	for (; *text; text++)
		characters += (*text & 0xC0) != 0x80;
	return characters >= PASSWORD_CHARACTERS;
}

static bool good_name(const char *text)
{
	size_t n = strlen(text);

	return text[0] != ' ' && text[n - 1] != ' ';
}

static struct reply setup_finish(struct api *api, const struct pending *p, const char *encoded)
{
	struct db_user u = { .role = DB_ROLE_ADMIN, .created = api_wall(api) };
	struct auth_who who = { .kind = AUTH_TOKEN, .role = DB_ROLE_ADMIN };
	enum db_rc rc;
	int64_t id;

	if (!api_setup_needed(api))
		return reply_error(409, "setup_done", NULL, "There is a first admin already.");
	memcpy(u.name, p->name, sizeof(u.name));
	snprintf(u.password, sizeof(u.password), "%s", encoded);
	u.signed_in = u.created;
	rc = db_user_insert(api->env.db, &u, &id);
	if (rc != DB_OK)
		return reply_internal();
	log_info("api: %s is the first admin", u.name);
	if (!p->by_cookie) {
		memcpy(who.name, u.name, sizeof(who.name));
		return reply_json(201, who_json(api, &who));
	}
	if (db_session_delete(api->env.db, p->old_session) == DB_ERROR)
		return reply_internal();
	return sign_in(api, 201, id);
}

static void password_made(void *ctx, bool ok, const char *encoded)
{
	struct pending *p = ctx;

	api_finish(p->api, p->call, ok ? setup_finish(p->api, p, encoded) : reply_internal());
	free(p);
}

struct setup_body {
	struct field_text name, password;
};

static struct reply post_setup(struct api *api, const struct request *rq)
{
	static const struct field fields[] = {
		{ "name", FIELD_TEXT, FIELD_REQUIRED, 1, 64, NULL, good_name,
		  "a name without spaces around it", offsetof(struct setup_body, name) },
		{ "password", FIELD_TEXT, FIELD_REQUIRED, 1, 256, NULL, long_enough,
		  "at least 12 characters long", offsetof(struct setup_body, password) },
	};
	uint8_t salt[HASHER_SALT];
	struct pending *pending;
	struct setup_body b;
	struct problem p;
	struct reply r;
	json_t *body;

	if (!api_setup_needed(api))
		return reply_error(409, "setup_done", NULL, "There is a first admin already.");
	body = body_parse(rq->body, &p);
	if (!body)
		return reply_problem(&p);
	if (!fields_read(body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), &p)) {
		r = reply_problem(&p);
	} else if (!(pending = pending_new(api, rq, b.name.s))) {
		r = reply_internal();
	} else {
		api->env.random(api->env.ctx, salt, sizeof(salt));
		r = later(pending,
			  hasher_make(api->hasher, b.password.s, salt, password_made, pending));
	}
	json_decref(body);
	return r;
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/session",
	  .role = DB_ROLE_VIEWER,
	  .setup = true,
	  .handle = get_session },
	{ .method = HTTP_POST,
	  .pattern = "/session",
	  .is_public = true,
	  .mutates = true,
	  .body = BODY_JSON,
	  .handle = post_session },
	{ .method = HTTP_DELETE,
	  .pattern = "/session",
	  .role = DB_ROLE_VIEWER,
	  .setup = true,
	  .mutates = true,
	  .handle = delete_session },
	{ .method = HTTP_POST,
	  .pattern = "/setup",
	  .role = DB_ROLE_ADMIN,
	  .setup = true,
	  .mutates = true,
	  .body = BODY_JSON,
	  .handle = post_setup },
};
const struct route_table session_routes = { routes, ARRAY_LEN(routes) };
