/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ordered timers; time is passed in. Microseconds, from an arbitrary start. Whoever owns a
 * struct timers says what time it is; those who only hold a pointer may ask timers_now().
 * Timers due at the same instant fire in the order in which they were started.
 */
#ifndef MESHMASON_TIMERS_H
#define MESHMASON_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSEC(n) ((uint64_t)(n)*1000u)
#define SEC(n)	((uint64_t)(n)*1000000u)

#define TIMERS_NEVER UINT64_MAX

/* Embedded in its owner, zeroed before first use. Must be stopped before its memory goes away. */
struct timer {
	uint64_t at;	/* due, microseconds */
	uint64_t order; /* of starting, breaks ties */
	void (*fire)(void *ctx);
	void *ctx;
	size_t slot; /* place in the heap plus 1; 0 when not running */
};

struct timers {
	struct timer **heap;
	size_t n, cap;
	uint64_t now;
	uint64_t started; /* count of starts, gives timer.order */
};

void timers_init(struct timers *ts, uint64_t now);
void timers_free(struct timers *ts);
uint64_t timers_now(const struct timers *ts);
/* When the next timer is due; TIMERS_NEVER when none runs. */
uint64_t timers_next(const struct timers *ts);
/* Sets the time, firing in order all that has come due; timers_now() is each one's own instant
 * while it fires. A time in the past changes nothing but still fires what is due now. */
void timers_advance(struct timers *ts, uint64_t now);
/* Fires the one timer that is due first, if that is at or before limit; false when none is. */
bool timers_fire_next(struct timers *ts, uint64_t limit);

/* Starts (or restarts) t, due after delay microseconds. fire(ctx) may start and stop any timer. */
void timer_start(struct timers *ts, struct timer *t, uint64_t delay, void (*fire)(void *),
		 void *ctx);
/* Stopping one that does not run is fine. */
void timer_stop(struct timers *ts, struct timer *t);
bool timer_running(const struct timer *t);

#endif
