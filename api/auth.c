/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks. Machines send a bearer token; browsers a cookie, set by a sign-in. Both are 32 random
 * octets of which only the SHA-256 is stored. The first start writes one admin token to a file and
 * gives out a one-time link.
 */
#include "auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto.h"
#include "log.h"

#define TOKEN_FILE "admin-token"
#define TOKEN_NAME "admin-token"

enum {
	SESSION_IDLE_MS = 30 * 60 * 1000,
	SESSION_LIFE_MS = 12 * 3600 * 1000,
	USED_STEP_MS = 60 * 1000, /* "last used" is not written more often */
	LINK_LIFE_MS = 24 * 3600 * 1000,
};

char *auth_base64url(char *out, const uint8_t *p, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned held = 0;
	char *o = out;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (held += 8; held >= 6; held -= 6)
			*o++ = digits[bits >> (held - 6) & 63];
	}
	if (held)
		*o++ = digits[bits << (6 - held) & 63];
	*o = '\0';
	return out;
}

void auth_secret_new(struct api *api, const char *prefix, char out[AUTH_SECRET])
{
	uint8_t random[32];
	size_t n = strlen(prefix);

	api->env.random(api->env.ctx, random, sizeof(random));
	memcpy(out, prefix, n);
	auth_base64url(out + n, random, sizeof(random));
	secret_wipe(random, sizeof(random));
}

void auth_hash(const char *secret, uint8_t out[DB_HASH])
{
	sha256(bytes_of(secret, strlen(secret)), out);
}

/* ---- requests ---- */

static bool identify_token(struct api *api, const char *token, struct auth_who *out)
{
	int64_t now = api_wall(api);
	struct db_token t;

	auth_hash(token, out->hash);
	if (db_token_find(api->env.db, out->hash, &t) != DB_OK || t.revoked ||
	    (t.expires && t.expires <= now))
		return false;
	if (now - t.used > USED_STEP_MS || t.used > now)
		db_token_set_used(api->env.db, t.id, now);
	out->kind = AUTH_TOKEN;
	out->role = t.role;
	out->user = t.user;
	out->expires = t.expires;
	snprintf(out->name, sizeof(out->name), "%s", t.name);
	return true;
}

/* One that is used lives on until its absolute end. */
static void session_touch(struct api *api, struct db_session *s, int64_t now)
{
	int64_t expires = now + SESSION_IDLE_MS;

	if (now - s->used < USED_STEP_MS && s->used <= now)
		return;
	if (expires > s->created + SESSION_LIFE_MS)
		expires = s->created + SESSION_LIFE_MS;
	db_session_set_used(api->env.db, s->hash, now, expires);
	s->expires = expires;
}

static bool identify_session(struct api *api, const uint8_t hash[DB_HASH], struct auth_who *out)
{
	int64_t now = api_wall(api);
	struct db_session s;
	struct db_user u;

	if (db_session_find(api->env.db, hash, &s) != DB_OK || s.expires <= now)
		return false;
	memcpy(out->hash, hash, DB_HASH);
	if (s.user == 0) {
		/* From a one-time link; it ends with the first user's coming. */
		if (!api_setup_needed(api))
			return false;
		out->kind = AUTH_SETUP;
		out->role = DB_ROLE_ADMIN;
		out->expires = s.expires;
		return true;
	}
	if (db_user_get(api->env.db, s.user, &u) != DB_OK || u.disabled)
		return false;
	session_touch(api, &s, now);
	out->kind = AUTH_SESSION;
	out->role = u.role;
	out->user = u.id;
	out->expires = s.expires;
	snprintf(out->name, sizeof(out->name), "%s", u.name);
	return true;
}

/* The value of our cookie, within all that the browser sends; NULL none. */
static const char *cookie_find(const char *cookies, char out[AUTH_SECRET])
{
	size_t name = strlen(AUTH_COOKIE);

	for (const char *at = cookies; at && *at;) {
		size_t n;

		at += strspn(at, "; ");
		n = strcspn(at, ";");
		if (n > name + 1 && n - name - 1 < AUTH_SECRET &&
		    strncmp(at, AUTH_COOKIE "=", name + 1) == 0) {
			memcpy(out, at + name + 1, n - name - 1);
			out[n - name - 1] = '\0';
			return out;
		}
		at += n;
	}
	return NULL;
}

void auth_identify(struct api *api, const struct request *rq, struct auth_who *out, bool *wrong)
{
	char secret[AUTH_SECRET];
	uint8_t hash[DB_HASH];

	*out = (struct auth_who){ .kind = AUTH_NOBODY };
	*wrong = true;
	if (rq->authorization) {
		if (strncasecmp(rq->authorization, "Bearer ", 7) == 0 &&
		    identify_token(api, rq->authorization + 7, out))
			return;
	} else if (cookie_find(rq->cookie, secret)) {
		auth_hash(secret, hash);
		secret_wipe(secret, sizeof(secret));
		if (identify_session(api, hash, out))
			return;
	} else {
		*wrong = false;
	}
	*out = (struct auth_who){ .kind = AUTH_NOBODY };
}

bool auth_cross_site(const struct request *rq)
{
	const char *host;

	/* A bearer token is never sent by a browser on its own. */
	if (rq->authorization)
		return false;
	if (rq->fetch_site && strcmp(rq->fetch_site, "same-origin") != 0 &&
	    strcmp(rq->fetch_site, "none") != 0)
		return true;
	if (!rq->origin)
		return false;
	host = strstr(rq->origin, "://");
	return !host || !rq->host || strcasecmp(host + 3, rq->host) != 0;
}

bool auth_still_good(struct api *api, const struct auth_who *who)
{
	int64_t now = api_wall(api);
	struct auth_who again = { .kind = AUTH_NOBODY };
	struct db_token t;

	switch (who->kind) {
	case AUTH_NOBODY:
		return true;
	case AUTH_TOKEN:
		return db_token_find(api->env.db, who->hash, &t) == DB_OK && !t.revoked &&
		       (!t.expires || t.expires > now);
	case AUTH_SESSION:
	case AUTH_SETUP:
		return identify_session(api, who->hash, &again) && again.kind == who->kind;
	}
	return false;
}

/* ---- sessions ---- */

bool auth_session_new(struct api *api, int64_t user, struct reply *reply, struct auth_who *who)
{
	bool tls = strncmp(api_url(api), "https:", 6) == 0;
	struct db_session s = { .user = user, .created = api_wall(api) };
	char secret[AUTH_SECRET];

	auth_secret_new(api, "", secret);
	auth_hash(secret, s.hash);
	s.used = s.created;
	s.expires = s.created + SESSION_IDLE_MS;
	if (db_auth_expire(api->env.db, s.created) != DB_OK ||
	    db_session_insert(api->env.db, &s) != DB_OK)
		return false;
	snprintf(reply->cookie, sizeof(reply->cookie),
		 AUTH_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", secret,
		 SESSION_LIFE_MS / 1000, tls ? "; Secure" : "");
	secret_wipe(secret, sizeof(secret));
	*who = (struct auth_who){ .kind = AUTH_NOBODY };
	return identify_session(api, s.hash, who);
}

void auth_cookie_clear(struct reply *reply)
{
	snprintf(reply->cookie, sizeof(reply->cookie),
		 AUTH_COOKIE "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}

/* ---- first start ---- */

bool api_setup_needed(struct api *api)
{
	int64_t users = 0;

	return db_user_count(api->env.db, &users) == DB_OK && users == 0;
}

/* The token of the file; false with errno when there is none. */
static bool token_read(const char *path, char out[AUTH_SECRET])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, AUTH_SECRET - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	out[n] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

static bool token_write(const char *dir, const char *path, const char *token)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && folder >= 0 && fchmod(fd, 0600) == 0 &&
		    dprintf(fd, "%s\n", token) > 0 && fsync(fd) == 0 && fsync(folder) == 0;

	if (fd >= 0)
		close(fd);
	if (folder >= 0)
		close(folder);
	return good;
}

static void token_revoke(void *ctx, const struct db_token *t)
{
	int64_t *old = ctx;

	if (!t->revoked && strcmp(t->name, TOKEN_NAME) == 0)
		*old = t->id;
}

static bool token_store(struct api *api, const char *token)
{
	struct db_page page = { .limit = 1000 };
	struct db_token t = { .name = TOKEN_NAME, .role = DB_ROLE_ADMIN, .created = api_wall(api) };
	char next[DB_CURSOR];
	int64_t old = 0;

	if (db_tokens(api->env.db, &page, token_revoke, &old, next) != DB_OK)
		return false;
	if (old && db_token_revoke(api->env.db, old) != DB_OK)
		return false;
	auth_hash(token, t.hash);
	return db_token_insert(api->env.db, &t, &old) == DB_OK;
}

static bool token_ensure(struct api *api, const char *dir, char why[API_WHY])
{
	char path[1024], token[AUTH_SECRET];
	struct db_token known;
	uint8_t hash[DB_HASH];
	bool good = true;

	snprintf(path, sizeof(path), "%s/" TOKEN_FILE, dir);
	if (!token_read(path, token) || strlen(token) < 32) {
		auth_secret_new(api, "mm_", token);
		good = token_write(dir, path, token);
	}
	if (!good)
		snprintf(why, API_WHY, "%.160s: %.80s.", path, strerror(errno));
	auth_hash(token, hash);
	if (good && db_token_find(api->env.db, hash, &known) != DB_OK) {
		good = token_store(api, token);
		if (!good)
			snprintf(why, API_WHY, "The admin token cannot be stored.");
	}
	secret_wipe(token, sizeof(token));
	return good;
}

bool api_first_start(struct api *api, const char *dir, const char *base, char url[API_LINK],
		     char why[API_WHY])
{
	struct db_signin_link link = { .role = DB_ROLE_ADMIN, .created = api_wall(api) };
	char secret[AUTH_SECRET];

	url[0] = '\0';
	if (!token_ensure(api, dir, why))
		return false;
	if (!api_setup_needed(api))
		return true;
	auth_secret_new(api, "", secret);
	auth_hash(secret, link.hash);
	link.expires = link.created + LINK_LIFE_MS;
	if (db_signin_link_insert(api->env.db, &link) != DB_OK) {
		snprintf(why, API_WHY, "The sign-in link cannot be stored.");
		return false;
	}
	/* Behind the #: no browser sends it, no log has it. */
	snprintf(url, API_LINK, "%s/#link=%s", base, secret);
	secret_wipe(secret, sizeof(secret));
	return true;
}
