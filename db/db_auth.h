/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may sign in: users, tokens, browser sessions, one-time links; and the answers kept for
 * Idempotency-Keys. Passwords come here as their hash text, tokens and cookies as SHA-256: the
 * store never sees what a person types or a machine sends. Times are Unix milliseconds.
 */
#ifndef MESHMASON_DB_AUTH_H
#define MESHMASON_DB_AUTH_H

#include "db.h"

enum db_role { DB_ROLE_VIEWER, DB_ROLE_INSTALLER, DB_ROLE_ADMIN };
const char *db_role_name(enum db_role role);
int db_role_parse(const char *text); /* -1: no such role */

enum { DB_HASH = 32, DB_PASSWORD = 160 };

struct db_user {
	int64_t id;
	char name[DB_NAME];	    /* unique, any case */
	char password[DB_PASSWORD]; /* encoded hash, as argon2 writes it */
	enum db_role role;
	bool disabled;
	int64_t created, signed_in; /* signed_in 0: never */
};
enum db_rc db_user_insert(struct db *db, const struct db_user *u, int64_t *id);
enum db_rc db_user_update(struct db *db, const struct db_user *u);
enum db_rc db_user_get(struct db *db, int64_t id, struct db_user *out);
enum db_rc db_user_get_name(struct db *db, const char *name, struct db_user *out);
/* Its tokens and sessions go too. */
enum db_rc db_user_delete(struct db *db, int64_t id);
enum db_rc db_user_count(struct db *db, int64_t *out);
enum db_rc db_users(struct db *db, const struct db_page *page,
		    void (*each)(void *ctx, const struct db_user *u), void *ctx,
		    char next[DB_CURSOR]);

struct db_token {
	int64_t id;
	char name[DB_NAME];
	uint8_t hash[DB_HASH]; /* unique */
	enum db_role role;
	int64_t user;			/* its owner; 0 none */
	int64_t created, expires, used; /* expires 0: never; used 0: never */
	bool revoked;
};
enum db_rc db_token_insert(struct db *db, const struct db_token *t, int64_t *id);
/* Also expired and revoked ones: the caller judges. */
enum db_rc db_token_find(struct db *db, const uint8_t hash[DB_HASH], struct db_token *out);
enum db_rc db_token_set_used(struct db *db, int64_t id, int64_t when);
enum db_rc db_token_revoke(struct db *db, int64_t id);
enum db_rc db_tokens(struct db *db, const struct db_page *page,
		     void (*each)(void *ctx, const struct db_token *t), void *ctx,
		     char next[DB_CURSOR]);

struct db_session {
	uint8_t hash[DB_HASH]; /* of the cookie; unique */
	int64_t user;
	char csrf[DB_NAME];
	int64_t created, expires, used;
};
enum db_rc db_session_insert(struct db *db, const struct db_session *s);
enum db_rc db_session_find(struct db *db, const uint8_t hash[DB_HASH], struct db_session *out);
enum db_rc db_session_set_used(struct db *db, const uint8_t hash[DB_HASH], int64_t when,
			       int64_t expires);
enum db_rc db_session_delete(struct db *db, const uint8_t hash[DB_HASH]);

struct db_signin_link {
	uint8_t hash[DB_HASH];
	enum db_role role;
	int64_t created, expires;
};
enum db_rc db_signin_link_insert(struct db *db, const struct db_signin_link *l);
/* Looks without using it up. */
enum db_rc db_signin_link_find(struct db *db, const uint8_t hash[DB_HASH],
			       struct db_signin_link *out);
/* Takes it out: works once. DB_NONE: not there (any more). */
enum db_rc db_signin_link_take(struct db *db, const uint8_t hash[DB_HASH],
			       struct db_signin_link *out);

/* An answer given under an Idempotency-Key; actor and request tell whose and to what. */
struct db_idempotency {
	char key[DB_NAME], actor[DB_NAME];
	uint8_t request[DB_HASH]; /* SHA-256 over method, path, query and body */
	int status;
	char location[DB_NAME];
	int64_t created;
};
enum db_rc db_idempotency_put(struct db *db, const struct db_idempotency *i, struct bytes body);
/* take() gets the body, for the call only; not called unless DB_OK. */
enum db_rc db_idempotency_find(struct db *db, const char *actor, const char *key,
			       struct db_idempotency *out,
			       void (*take)(void *ctx, struct bytes body), void *ctx);

/* Takes out sessions, sign-in links and idempotency rows that ended before now (idempotency: a day
 * after created). */
enum db_rc db_auth_expire(struct db *db, int64_t now);

#endif
