/* SPDX-License-Identifier: Apache-2.0 */
#include "timers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void timers_init(struct timers *ts, uint64_t now)
{
	memset(ts, 0, sizeof(*ts));
	ts->now = now;
}

void timers_free(struct timers *ts)
{
	free(ts->heap);
	memset(ts, 0, sizeof(*ts));
}

uint64_t timers_now(const struct timers *ts)
{
	return ts->now;
}

uint64_t timers_next(const struct timers *ts)
{
	return ts->n > 0 ? ts->heap[0]->at : TIMERS_NEVER;
}

static bool earlier(const struct timer *a, const struct timer *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void place(struct timers *ts, size_t i, struct timer *t)
{
	ts->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct timers *ts, size_t i)
{
	struct timer *t = ts->heap[i];

	while (i > 0 && earlier(t, ts->heap[(i - 1) / 2])) {
		place(ts, i, ts->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i)
{
	struct timer *t = ts->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= ts->n)
			break;
		if (child + 1 < ts->n && earlier(ts->heap[child + 1], ts->heap[child]))
			child++;
		if (!earlier(ts->heap[child], t))
			break;
		place(ts, i, ts->heap[child]);
		i = child;
	}
	place(ts, i, t);
}

static void remove_slot(struct timers *ts, struct timer *t)
{
	size_t i = t->slot - 1;
	struct timer *last = ts->heap[--ts->n];

	t->slot = 0;
	if (last == t)
		return;
	place(ts, i, last);
	sift_up(ts, i);
	sift_down(ts, last->slot - 1);
}

void timer_start(struct timers *ts, struct timer *t, uint64_t delay, void (*fire)(void *),
		 void *ctx)
{
	if (t->slot != 0)
		remove_slot(ts, t);
	if (ts->n == ts->cap) {
		size_t cap = ts->cap ? 2 * ts->cap : 64;
		struct timer **heap = realloc(ts->heap, cap * sizeof(struct timer *));

		if (!heap)
			abort();
		ts->heap = heap;
		ts->cap = cap;
	}
	t->at = ts->now + delay;
	t->order = ts->started++;
	t->fire = fire;
	t->ctx = ctx;
	place(ts, ts->n++, t);
	sift_up(ts, t->slot - 1);
}

void timer_stop(struct timers *ts, struct timer *t)
{
	if (t->slot == 0)
		return;
	assert(t->slot <= ts->n && ts->heap[t->slot - 1] == t);
	remove_slot(ts, t);
}

bool timer_running(const struct timer *t)
{
	return t->slot != 0;
}

bool timers_fire_next(struct timers *ts, uint64_t limit)
{
	struct timer *t;

	if (ts->n == 0 || ts->heap[0]->at > limit)
		return false;
	t = ts->heap[0];
	if (t->at > ts->now)
		ts->now = t->at;
	remove_slot(ts, t);
	t->fire(t->ctx);
	return true;
}

void timers_advance(struct timers *ts, uint64_t now)
{
	while (timers_fire_next(ts, now > ts->now ? now : ts->now))
		;
	if (now > ts->now)
		ts->now = now;
}
