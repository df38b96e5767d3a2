/* SPDX-License-Identifier: Apache-2.0 */
/* A tale of test_random.c: what its seed draws, and what must be true of it. */
#ifndef MESHMASON_TESTS_TALE_H
#define MESHMASON_TESTS_TALE_H

#include "outside.h"
#include "story.h"

enum { TALE_JOBS = 4 };

struct tale {
	uint64_t seed, random;
	struct world *w;
	struct outside *outside;
	char keys[480];
	enum db_job_policy policy;
	unsigned devices, untrusted, expired, misnamed, absent;
	unsigned refused[3]; /* certificates, by code: seen so far */
	unsigned kills;
	int64_t job[TALE_JOBS]; /* to be retried in the end */
	size_t n_jobs;
	char told[600]; /* what happened, for the one who repeats it */
};

uint64_t tale_draw(struct tale *t, uint64_t below);
bool tale_chance(struct tale *t, unsigned percent);
/* What happens is kept for the one who repeats it, and told when it fails. */
void tale_note(struct tale *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tale_fail(const struct tale *t, const char *what, const char *detail);

/* A building by the seed, and the server's first start in it. */
void tale_make(struct tale *t);

/* An ended job: every task has ended, with success or with a code that is right for its device.
 * Returns how many have failed. */
unsigned tale_judge(struct tale *t, int64_t job);
/* Whom a removal has let go unheard; and who is gone for good while it was provisioned anew. */
void tale_note_strays(struct tale *t);
/* Every good device is a node, and every bad certificate was refused for what it is. */
bool tale_is_whole(struct tale *t);

#endif
