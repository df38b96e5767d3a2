/* SPDX-License-Identifier: Apache-2.0 */
#include "hasher.h"

#include <argon2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"
#include "secret.h"

enum { COST_PASSES = 2, COST_KIB = 19 * 1024, COST_LANES = 1, HASH_LEN = 32 };

enum slot_state { SLOT_FREE, SLOT_WAITING, SLOT_BUSY, SLOT_DONE };

struct slot {
	enum slot_state state;
	uint64_t order;
	bool make, never, ok;
	char password[HASHER_PASSWORD];
	char encoded[HASHER_ENCODED];
	uint8_t salt[HASHER_SALT];
	hasher_done *done;
	void *ctx;
};

/* The slots' states are the only thing that two threads look at; a busy slot is the worker's. */
struct hasher {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t work;
	bool stop;
	int fd;
	uint64_t order;
	struct slot slots[HASHER_QUEUE];
};

static void slot_run(struct slot *s)
{
	char made[HASHER_ENCODED];

	if (s->make || s->never) {
		s->ok = argon2id_hash_encoded(COST_PASSES, COST_KIB, COST_LANES, s->password,
					      strlen(s->password), s->salt, HASHER_SALT, HASH_LEN,
					      made, sizeof(made)) == ARGON2_OK;
		if (s->make && s->ok)
			memcpy(s->encoded, made, sizeof(made));
		if (s->never)
			s->ok = false;
	} else {
		s->ok = argon2id_verify(s->encoded, s->password, strlen(s->password)) == ARGON2_OK;
	}
	secret_wipe(s->password, sizeof(s->password));
}

static struct slot *slot_first(struct hasher *h, enum slot_state state)
{
	struct slot *first = NULL;

	for (int i = 0; i < HASHER_QUEUE; i++) {
		struct slot *s = &h->slots[i];

		if (s->state == state && (!first || s->order < first->order))
			first = s;
	}
	return first;
}

static void *worker(void *ctx)
{
	struct hasher *h = ctx;
	uint64_t one = 1;

	pthread_mutex_lock(&h->lock);
	while (!h->stop) {
		struct slot *s = slot_first(h, SLOT_WAITING);

		if (!s) {
			pthread_cond_wait(&h->work, &h->lock);
			continue;
		}
		s->state = SLOT_BUSY;
		pthread_mutex_unlock(&h->lock);
		slot_run(s);
		pthread_mutex_lock(&h->lock);
		s->state = SLOT_DONE;
		if (write(h->fd, &one, sizeof(one)) != sizeof(one))
			log_error("api: the password worker cannot report");
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

struct hasher *hasher_new(void)
{
	struct hasher *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->work, NULL);
	if (h->fd < 0 || pthread_create(&h->thread, NULL, worker, h) != 0) {
		if (h->fd >= 0)
			close(h->fd);
		free(h);
		return NULL;
	}
	return h;
}

void hasher_free(struct hasher *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->work);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->work);
	pthread_mutex_destroy(&h->lock);
	close(h->fd);
	secret_wipe(h, sizeof(*h));
	free(h);
}

int hasher_fd(const struct hasher *h)
{
	return h->fd;
}

static bool slot_add(struct hasher *h, const char *password, hasher_done *done, void *ctx,
		     const struct slot *with)
{
	struct slot *s;

	pthread_mutex_lock(&h->lock);
	s = slot_first(h, SLOT_FREE);
	if (s) {
		*s = *with;
		snprintf(s->password, sizeof(s->password), "%s", password);
		s->done = done;
		s->ctx = ctx;
		s->order = ++h->order;
		s->state = SLOT_WAITING;
		pthread_cond_signal(&h->work);
	}
	pthread_mutex_unlock(&h->lock);
	return s != NULL;
}

bool hasher_make(struct hasher *h, const char *password, const uint8_t salt[HASHER_SALT],
		 hasher_done *done, void *ctx)
{
	struct slot with = { .make = true };

	memcpy(with.salt, salt, HASHER_SALT);
	return slot_add(h, password, done, ctx, &with);
}

bool hasher_check(struct hasher *h, const char *password, const char *encoded, hasher_done *done,
		  void *ctx)
{
	struct slot with = { .never = encoded == NULL };

	snprintf(with.encoded, sizeof(with.encoded), "%s", encoded ? encoded : "");
	return slot_add(h, password, done, ctx, &with);
}

void hasher_collect(struct hasher *h)
{
	uint64_t count;

	if (read(h->fd, &count, sizeof(count)) != sizeof(count))
		return;
	for (;;) {
		struct slot *s, taken;

		pthread_mutex_lock(&h->lock);
		s = slot_first(h, SLOT_DONE);
		if (s) {
			taken = *s;
			*s = (struct slot){ 0 };
		}
		pthread_mutex_unlock(&h->lock);
		if (!s)
			return;
		taken.done(taken.ctx, taken.ok, taken.encoded);
	}
}
