/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth.h"
#include "crypto.h"

/* A store in a folder of its own; the API without its HTTP. */
struct world {
	struct api api;
	struct db *db;
	struct timers timers;
	int64_t now;
	uint32_t seed;
	char dir[64];
};

static void seeded(void *ctx, void *out, size_t n)
{
	struct world *w = ctx;
	uint8_t *o = out;

	for (size_t i = 0; i < n; i++) {
		w->seed = w->seed * 1664525u + 1013904223u;
		o[i] = (uint8_t)(w->seed >> 24);
	}
}

static int64_t wall(void *ctx)
{
	return ((struct world *)ctx)->now;
}

static void world_start(struct world *w)
{
	struct db_env env = { .random = seeded, .random_ctx = w };
	char path[128], why[DB_WHY];

	memset(w, 0, sizeof(*w));
	w->now = 1700000000000;
	w->seed = 1;
	snprintf(w->dir, sizeof(w->dir), "/tmp/meshmason-auth-XXXXXX");
	check(mkdtemp(w->dir) != NULL);
	snprintf(path, sizeof(path), "%s/db", w->dir);
	w->db = db_open(path, &env, why);
	check(w->db != NULL);
	w->api.env = (struct api_env){ .db = w->db, .random = seeded, .wall = wall, .ctx = w };
}

static void world_end(struct world *w)
{
	static const char *const files[] = { "db", "db-wal", "db-shm", "db.lock", "admin-token" };
	char path[128];

	db_close(w->db);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", w->dir, files[i]);
		unlink(path);
	}
	rmdir(w->dir);
}

static void token_of(struct world *w, char out[AUTH_SECRET])
{
	char path[128];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/admin-token", w->dir);
	fd = open(path, O_RDONLY);
	check(fd >= 0);
	n = read(fd, out, AUTH_SECRET - 1);
	check(n > 32);
	out[n - 1] = '\0';
	close(fd);
}

static enum auth_kind identify(struct world *w, const char *authorization, const char *cookie,
			       struct auth_who *who)
{
	struct request rq = { .authorization = authorization, .cookie = cookie };
	bool wrong;

	auth_identify(&w->api, &rq, who, &wrong);
	return who->kind;
}

TEST(the_first_start_writes_one_token_and_gives_a_link)
{
	char url[API_LINK], why[API_WHY], token[AUTH_SECRET], path[128], bearer[128];
	struct auth_who who;
	struct stat st;
	struct world w;

	world_start(&w);
	check(api_first_start(&w.api, w.dir, "http://127.0.0.1:8080", url, why));
	check(strncmp(url, "http://127.0.0.1:8080/#link=", 28) == 0);
	snprintf(path, sizeof(path), "%s/admin-token", w.dir);
	check(stat(path, &st) == 0);
	check_int(st.st_mode & 0777, 0600);
	token_of(&w, token);
	snprintf(bearer, sizeof(bearer), "Bearer %s", token);
	check_int(identify(&w, bearer, NULL, &who), AUTH_TOKEN);
	check_int(who.role, DB_ROLE_ADMIN);
	bearer[12] ^= 1;
	check_int(identify(&w, bearer, NULL, &who), AUTH_NOBODY);
	world_end(&w);
}

TEST(a_second_start_keeps_the_token_and_gives_another_link)
{
	char first[API_LINK], second[API_LINK], why[API_WHY], token[AUTH_SECRET],
		again[AUTH_SECRET];
	struct world w;

	world_start(&w);
	check(api_first_start(&w.api, w.dir, "", first, why));
	token_of(&w, token);
	check(api_first_start(&w.api, w.dir, "", second, why));
	token_of(&w, again);
	check_str(token, again);
	check(strcmp(first, second) != 0);
	world_end(&w);
}

TEST(a_lost_token_file_is_made_anew_and_the_old_token_ends)
{
	char url[API_LINK], why[API_WHY], old[AUTH_SECRET], bearer[128], path[128];
	struct auth_who who;
	struct world w;

	world_start(&w);
	check(api_first_start(&w.api, w.dir, "", url, why));
	token_of(&w, old);
	snprintf(path, sizeof(path), "%s/admin-token", w.dir);
	check(unlink(path) == 0);
	check(api_first_start(&w.api, w.dir, "", url, why));
	snprintf(bearer, sizeof(bearer), "Bearer %s", old);
	check_int(identify(&w, bearer, NULL, &who), AUTH_NOBODY);
	world_end(&w);
}

/* The cookie header that a Set-Cookie makes a browser send. */
static void cookie_of(const struct reply *r, char *out, size_t size)
{
	snprintf(out, size, "theme=dark; %.*s; other=1", (int)strcspn(r->cookie, ";"), r->cookie);
}

TEST(a_session_ends_when_it_is_not_used_and_after_12_hours_anyway)
{
	struct db_user u = { .name = "ada", .role = DB_ROLE_INSTALLER };
	struct reply r = { 0 };
	struct auth_who who;
	char cookie[256];
	struct world w;
	int64_t id;

	world_start(&w);
	check_int(db_user_insert(w.db, &u, &id), DB_OK);
	check(auth_session_new(&w.api, id, &r, &who));
	check(strstr(r.cookie, "HttpOnly") && strstr(r.cookie, "SameSite=Strict"));
	check(!strstr(r.cookie, "Secure"));
	cookie_of(&r, cookie, sizeof(cookie));
	for (int i = 0; i < 12 * 60 / 20 - 1; i++) {
		w.now += 20 * 60 * 1000;
		check_int(identify(&w, NULL, cookie, &who), AUTH_SESSION);
	}
	check_str(who.name, "ada");
	check_int(who.role, DB_ROLE_INSTALLER);
	w.now += 20 * 60 * 1000;
	check_int(identify(&w, NULL, cookie, &who), AUTH_NOBODY);

	check(auth_session_new(&w.api, id, &r, &who));
	cookie_of(&r, cookie, sizeof(cookie));
	w.now += 31 * 60 * 1000;
	check_int(identify(&w, NULL, cookie, &who), AUTH_NOBODY);
	world_end(&w);
}

TEST(a_session_from_a_link_ends_when_the_first_user_is_there)
{
	struct db_user u = { .name = "ada", .role = DB_ROLE_ADMIN };
	struct reply r = { 0 };
	struct auth_who who;
	char cookie[256];
	struct world w;
	int64_t id;

	world_start(&w);
	check(auth_session_new(&w.api, 0, &r, &who));
	check_int(who.kind, AUTH_SETUP);
	cookie_of(&r, cookie, sizeof(cookie));
	check_int(identify(&w, NULL, cookie, &who), AUTH_SETUP);
	check_int(db_user_insert(w.db, &u, &id), DB_OK);
	check_int(identify(&w, NULL, cookie, &who), AUTH_NOBODY);
	check(!auth_still_good(&w.api, &who) || who.kind == AUTH_NOBODY);
	world_end(&w);
}

TEST(only_a_cookie_of_our_own_name_counts)
{
	static const char *const cookies[] = {
		"",
		";",
		"meshmason_session",
		"meshmason_session=",
		"xmeshmason_session=abc",
		"meshmason_session2=abc",
		"a=meshmason_session=abc",
	};
	struct auth_who who;
	struct world w;

	world_start(&w);
	for (size_t i = 0; i < ARRAY_LEN(cookies); i++)
		check_row(cookies[i], identify(&w, NULL, cookies[i], &who) == AUTH_NOBODY);
	world_end(&w);
}

TEST(a_write_from_another_site_is_told_from_our_own)
{
	static const struct {
		const char *name, *authorization, *origin, *site, *host;
		bool cross;
	} rows[] = {
		{ "no browser", NULL, NULL, NULL, "a:1", false },
		{ "our page", NULL, "http://a:1", "same-origin", "a:1", false },
		{ "our page, old browser", NULL, "http://a:1", NULL, "a:1", false },
		{ "other host", NULL, "http://b:1", NULL, "a:1", true },
		{ "other port", NULL, "http://a:2", NULL, "a:1", true },
		{ "a longer host", NULL, "http://a:1.evil", NULL, "a:1", true },
		{ "null origin", NULL, "null", NULL, "a:1", true },
		{ "no host", NULL, "http://a:1", NULL, NULL, true },
		{ "cross-site", NULL, NULL, "cross-site", "a:1", true },
		{ "same site, other origin", NULL, NULL, "same-site", "a:1", true },
		{ "typed in", NULL, NULL, "none", "a:1", false },
		{ "by token", "Bearer x", "http://b:1", "cross-site", "a:1", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request rq = { .authorization = rows[i].authorization,
				      .origin = rows[i].origin,
				      .fetch_site = rows[i].site,
				      .host = rows[i].host };

		check_row(rows[i].name, auth_cross_site(&rq) == rows[i].cross);
	}
}

TEST(guessing_is_slowed_down_by_address_and_over_all)
{
	struct logins l = { 0 };
	char address[16];
	int wait;

	for (int i = 0; i < LOGINS_EACH; i++) {
		check(logins_may_try(&l, "10.0.0.1", 1000, &wait));
		logins_failed(&l, "10.0.0.1", 1000);
	}
	check(!logins_may_try(&l, "10.0.0.1", 2000, &wait));
	check_int(wait, 60);
	check(logins_may_try(&l, "10.0.0.2", 2000, &wait));
	check(logins_may_try(&l, "10.0.0.1", 1000 + LOGINS_WINDOW_MS, &wait));
	for (int i = 0; i < LOGINS_ALL; i++) {
		snprintf(address, sizeof(address), "10.1.0.%d", i);
		logins_failed(&l, address, 3000);
	}
	check(!logins_may_try(&l, "10.9.9.9", 3000, &wait));
}

struct hashed {
	unsigned n;
	bool ok;
	char encoded[HASHER_ENCODED];
};

static void on_hashed(void *ctx, bool ok, const char *encoded)
{
	struct hashed *h = ctx;

	h->n++;
	h->ok = ok;
	snprintf(h->encoded, sizeof(h->encoded), "%s", encoded);
}

static void collect(struct hasher *h, struct hashed *r, unsigned n)
{
	while (r->n < n) {
		struct pollfd p = { hasher_fd(h), POLLIN, 0 };

		check(poll(&p, 1, 60000) == 1);
		hasher_collect(h);
	}
}

TEST(a_password_is_checked_against_its_hash_on_the_worker)
{
	static const uint8_t salt[HASHER_SALT] = { 1, 2, 3 };
	struct hasher *h = hasher_new();
	struct hashed r = { 0 };
	char encoded[HASHER_ENCODED];

	check(hasher_make(h, "correct horse battery", salt, on_hashed, &r));
	collect(h, &r, 1);
	check(r.ok);
	check(strncmp(r.encoded, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
	memcpy(encoded, r.encoded, sizeof(encoded));
	check(hasher_check(h, "correct horse battery", encoded, on_hashed, &r));
	collect(h, &r, 2);
	check(r.ok);
	check(hasher_check(h, "correct horse batterz", encoded, on_hashed, &r));
	collect(h, &r, 3);
	check(!r.ok);
	check(hasher_check(h, "no such user", NULL, on_hashed, &r));
	collect(h, &r, 4);
	check(!r.ok);
	hasher_free(h);
}

TEST(the_worker_takes_so_many_and_says_no_to_more)
{
	struct hasher *h = hasher_new();
	struct hashed r = { 0 };
	unsigned taken = 0;

	while (hasher_check(h, "x", NULL, on_hashed, &r))
		check(++taken <= HASHER_QUEUE + 1);
	check(taken >= HASHER_QUEUE);
	hasher_free(h); /* with some still waiting */
	check(r.n <= taken);
}

TEST(base64url_is_as_rfc_4648_has_it)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "\xfb\xff\xfe", "-__-" },
		{ "fooba", "Zm9vYmE" },
	};
	char out[16];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].out, strcmp(auth_base64url(out, (const uint8_t *)rows[i].in,
							     strlen(rows[i].in)),
					      rows[i].out) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_start_writes_one_token_and_gives_a_link),
		cmocka_unit_test(a_second_start_keeps_the_token_and_gives_another_link),
		cmocka_unit_test(a_lost_token_file_is_made_anew_and_the_old_token_ends),
		cmocka_unit_test(a_session_ends_when_it_is_not_used_and_after_12_hours_anyway),
		cmocka_unit_test(a_session_from_a_link_ends_when_the_first_user_is_there),
		cmocka_unit_test(only_a_cookie_of_our_own_name_counts),
		cmocka_unit_test(a_write_from_another_site_is_told_from_our_own),
		cmocka_unit_test(guessing_is_slowed_down_by_address_and_over_all),
		cmocka_unit_test(a_password_is_checked_against_its_hash_on_the_worker),
		cmocka_unit_test(the_worker_takes_so_many_and_says_no_to_more),
		cmocka_unit_test(base64url_is_as_rfc_4648_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
