/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of sign-in, and the sessions they open. See auth.c for the whole picture. */
#ifndef MESHMASON_AUTH_H
#define MESHMASON_AUTH_H

#include "api_private.h"

#define AUTH_COOKIE "meshmason_session"

enum { AUTH_SECRET = 64 }; /* a prefix, 43 characters for 32 octets, a zero */

/* Without padding; out has room for 4 characters per 3 octets and a zero. Returns out. */
char *auth_base64url(char *out, const uint8_t *p, size_t n);
void auth_secret_new(struct api *api, const char *prefix, char out[AUTH_SECRET]);
void auth_hash(const char *secret, uint8_t out[DB_HASH]);
/* Stores a session (user 0: by a one-time link, before there is a user), sets the reply's cookie
 * and says who it is. False: the store failed. */
bool auth_session_new(struct api *api, int64_t user, struct reply *reply, struct auth_who *who);
void auth_cookie_clear(struct reply *reply);

#endif
