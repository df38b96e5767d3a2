/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks, by the headers of a request. Input: Authorization, Cookie, Origin, Host and
 * Sec-Fetch-Site, each ended by a line end; an empty one is not sent. Accepted: somebody is known,
 * and by a page of ours. That takes a secret of ours in full.
 */
#include <string.h>

#include "auth.h"
#include "db_world.h"
#include "fuzz.h"

#define TOKEN	"mm_token"
#define SESSION "session-secret"

enum { TEXT = 4096, HEADERS = 5 };

static const int64_t now = 1700000000000;

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static int64_t wall(void *ctx)
{
	return now;
}

/* The files of a store that is open already need no name any more. */
static void leave_nothing(const struct db_world *w)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".lock" };
	char name[128];

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		snprintf(name, sizeof(name), "%s%s", w->path, tails[i]);
		unlink(name);
	}
	promise(rmdir(w->folder) == 0);
}

/* One store for the whole run, with a token, a user and her session; just used, so that looking
 * at them writes nothing. */
static struct db *store_get(void)
{
	static struct db_world w;
	struct db_user u = { .role = DB_ROLE_ADMIN, .created = now };
	struct db_token t = { .name = "t", .role = DB_ROLE_VIEWER, .created = now, .used = now };
	struct db_session s = { .created = now, .expires = now + 60000, .used = now };
	int64_t id;

	if (w.db)
		return w.db;
	db_world_init(&w);
	strcpy(u.name, "Ada");
	strcpy(u.password, "x");
	promise(db_user_insert(w.db, &u, &s.user) == DB_OK);
	auth_hash(TOKEN, t.hash);
	auth_hash(SESSION, s.hash);
	promise(db_token_insert(w.db, &t, &id) == DB_OK && db_session_insert(w.db, &s) == DB_OK);
	promise(db_commit(w.db) == DB_OK);
	leave_nothing(&w);
	return w.db;
}

static const char *take(char **at)
{
	char *text = *at, *end = strchr(text, '\n');

	if (end)
		*end++ = '\0';
	*at = end ? end : text + strlen(text);
	return *text ? text : NULL;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct api api = { .env = { .db = store_get(), .wall = wall } };
	struct request rq = { .method = HTTP_POST };
	char text[TEXT], *at = text;
	struct auth_who who;
	bool wrong, foreign;

	if (n >= sizeof(text))
		return false;
	memcpy(text, data, n);
	text[n] = '\0';
	rq.authorization = take(&at);
	rq.cookie = take(&at);
	rq.origin = take(&at);
	rq.host = take(&at);
	rq.fetch_site = take(&at);
	foreign = auth_cross_site(&rq);
	auth_identify(&api, &rq, &who, &wrong);
	promise(who.kind == AUTH_NOBODY || who.kind == AUTH_TOKEN || who.kind == AUTH_SESSION);
	promise(who.kind != AUTH_TOKEN || strcmp(rq.authorization + 7, TOKEN) == 0);
	promise(who.kind != AUTH_SESSION ||
		(!rq.authorization && strstr(rq.cookie, AUTH_COOKIE "=" SESSION)));
	promise(auth_still_good(&api, &who));
	return who.kind != AUTH_NOBODY && !foreign;
}
