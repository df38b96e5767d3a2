/* SPDX-License-Identifier: Apache-2.0 */
/* A lossy air in virtual time for the tests of the stack: every copy of every sending reaches
 * each other station, or is lost by the seed's chance. */
#ifndef MESHMASON_TESTS_STACK_AIR_H
#define MESHMASON_TESTS_STACK_AIR_H

#include <stdlib.h>

#include "bearer.h"
#include "check.h"
#include "timers.h"

enum { STATIONS_MAX = 4 };

struct stack_air;

struct station {
	struct bearer bearer; /* first: the bearer is the station */
	struct stack_air *air;
	unsigned sent[4]; /* by class */
	bool deaf, mute;
	/* Sees each sending once, before any loss; may be NULL. */
	void (*tap)(struct station *s, const struct bearer_send *send, void *ctx);
	void *tap_ctx;
};

struct flight {
	struct stack_air *air;
	struct station *from;
	struct bearer_send send;
	struct timer timer;
	struct flight *next;
};

struct stack_air {
	struct timers timers;
	uint64_t seed;
	unsigned loss_percent;
	struct station *station[STATIONS_MAX];
	size_t n;
	struct flight *flights;
};

static inline uint32_t air_random(struct stack_air *a)
{
	a->seed = a->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(a->seed >> 33);
}

static inline void air_unlink(struct flight *f)
{
	struct flight **at = &f->air->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
}

static inline void air_arrive(void *ctx)
{
	struct flight *f = ctx;
	struct stack_air *a = f->air;

	for (size_t i = 0; i < a->n; i++) {
		struct station *to = a->station[i];
		struct bearer_report r = { .data = bytes_of(f->send.data, f->send.len),
					   .event_type = ADV_NONCONN_IND,
					   .rssi = -50 };

		if (to == f->from || to->deaf || air_random(a) % 100 < a->loss_percent)
			continue;
		if (to->bearer.heard)
			to->bearer.heard(to->bearer.heard_ctx, &r);
	}
	air_unlink(f);
	free(f);
}

static inline bool air_send(struct bearer *b, const struct bearer_send *send)
{
	struct station *s = (struct station *)b;
	struct stack_air *a = s->air;

	s->sent[send->kind]++;
	if (s->tap)
		s->tap(s, send, s->tap_ctx);
	for (unsigned k = 0; k < send->count && !s->mute; k++) {
		struct flight *f = calloc(1, sizeof(*f));

		f->air = a;
		f->from = s;
		f->send = *send;
		f->next = a->flights;
		a->flights = f;
		timer_start(&a->timers, &f->timer,
			    MSEC(k * send->interval_ms) + 400 + air_random(a) % 5000, air_arrive,
			    f);
	}
	return true;
}

static inline void air_cancel(struct bearer *b, uint32_t tag)
{
	struct station *s = (struct station *)b;
	struct flight *next;

	for (struct flight *f = s->air->flights; f; f = next) {
		next = f->next;
		if (tag == 0 || f->from != s || f->send.tag != tag)
			continue;
		timer_stop(&s->air->timers, &f->timer);
		air_unlink(f);
		free(f);
	}
}

static inline void air_init(struct stack_air *a, uint64_t seed, unsigned loss_percent)
{
	memset(a, 0, sizeof(*a));
	timers_init(&a->timers, SEC(1000));
	a->seed = seed * 0x9E3779B97F4A7C15u + 1;
	a->loss_percent = loss_percent;
}

static inline void air_join(struct stack_air *a, struct station *s)
{
	memset(s, 0, sizeof(*s));
	s->bearer.send = air_send;
	s->bearer.cancel = air_cancel;
	s->air = a;
	a->station[a->n++] = s;
}

static inline void air_leave(struct stack_air *a, struct station *s)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->station[i] == s)
			a->station[i] = a->station[--a->n];
}

/* Runs virtual time on by this much. */
static inline void air_run(struct stack_air *a, uint64_t us)
{
	timers_advance(&a->timers, timers_now(&a->timers) + us);
}

static inline void air_free(struct stack_air *a)
{
	while (a->flights) {
		struct flight *f = a->flights;

		timer_stop(&a->timers, &f->timer);
		air_unlink(f);
		free(f);
	}
	timers_free(&a->timers);
}

#endif
