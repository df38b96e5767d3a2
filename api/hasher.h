/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Password hashes, Argon2id, on one worker thread: 50 ms here, several times that on a small
 * gateway, too long for the loop. Results come back through a descriptor and are handed out on the
 * caller's thread.
 */
#ifndef MESHMASON_HASHER_H
#define MESHMASON_HASHER_H

#include <stdbool.h>
#include <stdint.h>

enum { HASHER_QUEUE = 8, HASHER_SALT = 16, HASHER_ENCODED = 160, HASHER_PASSWORD = 257 };

struct hasher;

/* NULL when there is no thread or descriptor to be had. */
struct hasher *hasher_new(void);
/* Waits for the hash being made; the done functions of all that is open are not called. */
void hasher_free(struct hasher *h);
/* Readable when hasher_collect() has something to do. */
int hasher_fd(const struct hasher *h);

/* done(ctx, ok, encoded): from hasher_collect(). False: the queue is full, done never comes. */
typedef void hasher_done(void *ctx, bool ok, const char *encoded);
bool hasher_make(struct hasher *h, const char *password, const uint8_t salt[HASHER_SALT],
		 hasher_done *done, void *ctx);
/* encoded NULL: takes as long, and says no. */
bool hasher_check(struct hasher *h, const char *password, const char *encoded, hasher_done *done,
		  void *ctx);
void hasher_collect(struct hasher *h);

#endif
