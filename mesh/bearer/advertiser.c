/* SPDX-License-Identifier: Apache-2.0 */
#include "advertiser.h"

#include <assert.h>
#include <string.h>

enum {
	NONE = 0xFFFF,
	SETS_DEFAULT = 4,
	GAP_DEFAULT_US = 1100,
	JITTER_US = 10001, /* 0..10 ms, the advDelay of the Core specification */
};

/* splitmix64: spreads the events in time, protects nothing. */
static uint32_t random_below(struct advertiser *a, uint32_t n)
{
	uint64_t z = (a->random += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return (uint32_t)((((z ^ (z >> 31)) >> 32) * n) >> 32);
}

static void push(struct advertiser *a, enum bearer_class kind, uint16_t i)
{
	a->entry[i].next = NONE;
	if (a->head[kind] == NONE)
		a->head[kind] = i;
	else
		a->entry[a->tail[kind]].next = i;
	a->tail[kind] = i;
}

static void release(struct advertiser *a, uint16_t i)
{
	a->entry[i].next = a->free;
	a->free = i;
	a->waiting--;
}

/* The next entry that gets a set: acks first, then the other classes in turn. */
static uint16_t take_next(struct advertiser *a)
{
	enum bearer_class kind = BEARER_ACK;
	uint16_t i;

	for (unsigned k = 0; a->head[kind] == NONE; k++) {
		if (k == ADVERTISER_CLASSES - 1)
			return NONE;
		a->turn = a->turn % (ADVERTISER_CLASSES - 1) + 1;
		kind = (enum bearer_class)a->turn;
	}
	i = a->head[kind];
	a->head[kind] = a->entry[i].next;
	return i;
}

/* One set more than the others may have is kept for acks: an ack never waits for a set. */
static void fill_sets(struct advertiser *a)
{
	while (a->n_active < a->config.sets + (a->head[BEARER_ACK] != NONE ? 1 : 0)) {
		uint16_t i = take_next(a);

		if (i == NONE)
			return;
		a->entry[i].due = timers_now(a->config.timers);
		a->active[a->n_active++] = i;
	}
}

/* Of the events that are due an ack's goes first, then the one that waits longer. */
static bool before(const struct advertiser_entry *e, const struct advertiser_entry *f, uint64_t now)
{
	bool e_ack = e->send.kind == BEARER_ACK && e->due <= now;
	bool f_ack = f->send.kind == BEARER_ACK && f->due <= now;

	return e_ack != f_ack ? e_ack : e->due < f->due;
}

static bool may_pass(const struct advertiser *a, const struct advertiser_entry *e)
{
	return a->gate == ADVERTISER_OPEN ||
	       (a->gate == ADVERTISER_ACKS && e->send.kind == BEARER_ACK);
}

/* The place of the set that sends next; n_active when there is none. */
static unsigned first_due(const struct advertiser *a, uint64_t now)
{
	unsigned first = a->n_active;

	for (unsigned k = 0; k < a->n_active; k++) {
		const struct advertiser_entry *e = &a->entry[a->active[k]];

		if (may_pass(a, e) &&
		    (first == a->n_active || before(e, &a->entry[a->active[first]], now)))
			first = k;
	}
	return first;
}

static void turn(void *ctx);

static void arm(struct advertiser *a)
{
	uint64_t now = timers_now(a->config.timers), at;
	unsigned k;

	fill_sets(a);
	k = first_due(a, now);
	if (k == a->n_active) {
		timer_stop(a->config.timers, &a->timer);
		return;
	}
	at = a->entry[a->active[k]].due;
	if (at < a->idle_at)
		at = a->idle_at;
	timer_start(a->config.timers, &a->timer, at > now ? at - now : 0, turn, a);
}

static void active_remove(struct advertiser *a, unsigned k)
{
	release(a, a->active[k]);
	a->n_active--;
	memmove(&a->active[k], &a->active[k + 1], (a->n_active - k) * sizeof(a->active[0]));
}

static void turn(void *ctx)
{
	struct advertiser *a = ctx;
	uint64_t now = timers_now(a->config.timers);
	unsigned k = first_due(a, now);
	struct bearer_send out;

	if (k < a->n_active && a->entry[a->active[k]].due <= now) {
		struct advertiser_entry *e = &a->entry[a->active[k]];

		out = e->send; /* transmit() may cancel it */
		a->idle_at = now + a->config.gap_us;
		e->due = now + MSEC(out.interval_ms) + random_below(a, JITTER_US);
		if (--e->left == 0 || a->config.transmit_all)
			active_remove(a, k);
		a->events++;
		if (a->config.transmit_all)
			a->config.transmit_all(a->config.ctx, &out);
		else
			a->config.transmit(a->config.ctx, bytes_of(out.data, out.len));
	}
	arm(a);
}

void advertiser_init(struct advertiser *a, const struct advertiser_config *config)
{
	memset(a, 0, sizeof(*a));
	a->config = *config;
	if (a->config.sets == 0)
		a->config.sets = SETS_DEFAULT;
	if (a->config.sets > ADVERTISER_SETS)
		a->config.sets = ADVERTISER_SETS;
	if (a->config.gap_us == 0)
		a->config.gap_us = GAP_DEFAULT_US;
	a->random = config->seed;
	a->free = NONE;
	a->waiting = ADVERTISER_MAX;
	for (uint16_t i = ADVERTISER_MAX; i-- > 0;)
		release(a, i);
	for (unsigned k = 0; k < ADVERTISER_CLASSES; k++)
		a->head[k] = NONE;
}

void advertiser_stop(struct advertiser *a)
{
	struct advertiser_config config = a->config;

	timer_stop(config.timers, &a->timer);
	advertiser_init(a, &config);
}

bool advertiser_send(struct advertiser *a, const struct bearer_send *s)
{
	uint16_t i = a->free;

	if (i == NONE || s->count == 0 || s->len < 3 || s->len > AD_MAX) {
		a->refused++;
		return false;
	}
	assert((unsigned)s->kind < ADVERTISER_CLASSES);
	a->free = a->entry[i].next;
	a->waiting++;
	a->entry[i].send = *s;
	a->entry[i].left = s->count;
	push(a, s->kind, i);
	arm(a);
	return true;
}

static void cancel_waiting(struct advertiser *a, enum bearer_class kind, uint32_t tag)
{
	uint16_t i = a->head[kind];

	a->head[kind] = NONE;
	while (i != NONE) {
		uint16_t next = a->entry[i].next;

		if (a->entry[i].send.tag == tag)
			release(a, i);
		else
			push(a, kind, i);
		i = next;
	}
}

void advertiser_cancel(struct advertiser *a, uint32_t tag)
{
	if (tag == 0)
		return;
	for (unsigned k = a->n_active; k-- > 0;) {
		if (a->entry[a->active[k]].send.tag == tag)
			active_remove(a, k);
	}
	for (unsigned kind = 0; kind < ADVERTISER_CLASSES; kind++)
		cancel_waiting(a, (enum bearer_class)kind, tag);
	arm(a);
}

void advertiser_set_gate(struct advertiser *a, enum advertiser_gate gate)
{
	a->gate = gate;
	arm(a);
}
