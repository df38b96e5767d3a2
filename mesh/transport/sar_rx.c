/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   peer                                we
 *    | segments, in any order             |
 *    |----------------------------------->|  first: discard and acknowledgment timers start
 *    |<-----------------------------------|  timer: acknowledgment of what is here
 *    |----------------------------------->|  last: acknowledgment of all, deliver, remember
 *    |<-----------------------------------|
 *    | a segment again: lost our ack      |
 *    |----------------------------------->|
 *    |<-----------------------------------|  all again, at most once in a gap
 */
#include "sar_rx.h"

#include <stdlib.h>
#include <string.h>

enum entry_state { ENTRY_FREE, ENTRY_ACTIVE, ENTRY_FINISHED, ENTRY_DISCARDED };

struct entry {
	enum entry_state state;
	struct sar_rx *owner;
	uint16_t src, dst, net_index;
	uint64_t seq_auth, used; /* used: for choosing the one longest untouched */
	uint8_t ttl, key, seg_n;
	bool ctl, szmic;
	uint32_t have;
	size_t len;	   /* known with the last segment */
	uint64_t next_ack; /* not before: of a finished message */
	unsigned repeats;
	struct timer ack, repeat, discard;
	uint8_t data[LOWER_UPPER_MAX];
};

struct sar_rx {
	struct sar_rx_env env;
	uint64_t uses;
	struct sar_rx_counters counters;
	uint32_t pair[SAR_REASSEMBLIES]; /* src << 16 | dst, for a quick search; 0: free */
	struct entry entry[SAR_REASSEMBLIES];
};

struct sar_rx *sar_rx_new(const struct sar_rx_env *env)
{
	struct sar_rx *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	x->env = *env;
	for (size_t i = 0; i < SAR_REASSEMBLIES; i++)
		x->entry[i].owner = x;
	return x;
}

static void stop_timers(struct entry *e)
{
	timer_stop(e->owner->env.timers, &e->ack);
	timer_stop(e->owner->env.timers, &e->repeat);
	timer_stop(e->owner->env.timers, &e->discard);
}

static void clear(struct entry *e)
{
	stop_timers(e);
	e->state = ENTRY_FREE;
	e->owner->pair[e - e->owner->entry] = 0;
}

void sar_rx_free(struct sar_rx *x)
{
	for (size_t i = 0; i < SAR_REASSEMBLIES; i++)
		stop_timers(&x->entry[i]);
	free(x);
}

/* 3.5.3.4: TTL 0 is answered with TTL 0. */
static void send_ack(struct sar_rx *x, uint16_t net_index, uint16_t dst, uint8_t ttl,
		     uint64_t seq_auth, uint32_t acked)
{
	struct lower_ack ack = { .seq_zero = seq_auth & 0x1FFF, .acked = acked };
	struct net_pdu p = { .iv_index = iv_transmit(net_iv(x->env.net)),
			     .dst = dst,
			     .ctl = true,
			     .ttl = ttl == 0 ? 0 : net_default_ttl(x->env.net),
			     .len = LOWER_ACK_LEN };

	if (!net_take_seq(x->env.net, &p.seq))
		return;
	lower_ack_encode(&ack, p.transport);
	x->counters.acks++;
	net_send(x->env.net, net_index, &p, BEARER_ACK, 0);
}

static void repeat_ack(void *ctx)
{
	struct entry *e = ctx;
	struct sar_rx *x = e->owner;

	send_ack(x, e->net_index, e->src, e->ttl, e->seq_auth, e->have);
	if (--e->repeats > 0)
		timer_start(x->env.timers, &e->repeat, MSEC(x->env.config->receive_interval_ms),
			    repeat_ack, e);
}

static void acknowledge(void *ctx)
{
	struct entry *e = ctx;
	struct sar_rx *x = e->owner;
	const struct sar_config *c = x->env.config;

	if (!addr_is_unicast(e->dst))
		return;
	timer_stop(x->env.timers, &e->ack);
	send_ack(x, e->net_index, e->src, e->ttl, e->seq_auth, e->have);
	e->next_ack =
		timers_now(x->env.timers) + MSEC(c->ack_delay_halves * c->receive_interval_ms) / 2;
	e->repeats = e->seg_n > c->segments_threshold ? c->ack_transmissions - 1u : 0;
	if (e->repeats > 0)
		timer_start(x->env.timers, &e->repeat, MSEC(c->receive_interval_ms), repeat_ack, e);
}

static void discard(void *ctx)
{
	struct entry *e = ctx;

	/* SeqAuth stays: segments that come even later are ignored. */
	stop_timers(e);
	e->state = ENTRY_DISCARDED;
	e->owner->counters.discarded++;
}

static void restart_timers(struct entry *e)
{
	const struct sar_config *c = e->owner->env.config;
	unsigned halves = 2u * e->seg_n + 1;

	if (halves > c->ack_delay_halves)
		halves = c->ack_delay_halves;
	timer_start(e->owner->env.timers, &e->discard, MSEC(c->discard_ms), discard, e);
	if (addr_is_unicast(e->dst))
		timer_start(e->owner->env.timers, &e->ack,
			    MSEC(halves * c->receive_interval_ms) / 2, acknowledge, e);
}

static struct entry *find(struct sar_rx *x, uint16_t src, uint16_t dst)
{
	uint32_t pair = (uint32_t)src << 16 | dst;

	for (size_t i = 0; i < SAR_REASSEMBLIES; i++)
		if (x->pair[i] == pair)
			return &x->entry[i];
	return NULL;
}

/* A free one, or the record longest untouched of a message that is no more under way. */
static struct entry *take(struct sar_rx *x, uint16_t src, uint16_t dst)
{
	struct entry *best = NULL;

	for (size_t i = 0; i < SAR_REASSEMBLIES; i++) {
		struct entry *e = &x->entry[i];

		if (e->state == ENTRY_ACTIVE)
			continue;
		if (!best || (e->state == ENTRY_FREE && best->state != ENTRY_FREE) ||
		    (best->state != ENTRY_FREE && e->used < best->used))
			best = e;
	}
	if (!best)
		return NULL;
	clear(best);
	best->src = src;
	best->dst = dst;
	x->pair[best - x->entry] = (uint32_t)src << 16 | dst;
	return best;
}

static void begin(struct entry *e, const struct net_pdu *p, uint16_t net_index,
		  const struct lower_segment *s, uint64_t seq_auth)
{
	stop_timers(e);
	e->state = ENTRY_ACTIVE;
	e->net_index = net_index;
	e->seq_auth = seq_auth;
	e->ttl = p->ttl;
	e->ctl = p->ctl;
	e->key = s->key;
	e->szmic = s->szmic;
	e->seg_n = s->seg_n;
	e->have = 0;
	e->len = 0;
	e->next_ack = 0;
	e->repeats = 0;
}

static bool deliver(struct entry *e)
{
	struct sar_rx *x = e->owner;
	struct lower_received m = { .src = e->src,
				    .dst = e->dst,
				    .net_index = e->net_index,
				    .iv_index = (uint32_t)(e->seq_auth >> 24),
				    .seq = e->seq_auth & SEQ_MAX,
				    .ttl = e->ttl,
				    .ctl = e->ctl,
				    .key = e->key,
				    .szmic = e->szmic,
				    .pdu = bytes_of(e->data, e->len) };

	stop_timers(e);
	e->state = ENTRY_FINISHED;
	acknowledge(e);
	return x->env.received(x->env.ctx, &m);
}

static bool store(struct entry *e, const struct lower_segment *s)
{
	size_t full = e->ctl ? LOWER_SEGMENT_CONTROL : LOWER_SEGMENT_ACCESS;

	memcpy(e->data + s->seg_o * full, s->data.p, s->data.n);
	e->have |= 1u << s->seg_o;
	if (s->seg_o == e->seg_n)
		e->len = s->seg_o * full + s->data.n;
	if (e->have == lower_all_segments(e->seg_n))
		return deliver(e);
	restart_timers(e);
	return false;
}

/* The segment of a message already known (rows 3, 6, 7, 8 and 9 of the procedure). */
static bool known(struct entry *e, bool ctl, const struct lower_segment *s)
{
	struct sar_rx *x = e->owner;

	if (e->ctl != ctl || e->key != s->key || e->szmic != s->szmic || e->seg_n != s->seg_n) {
		x->counters.malformed++;
		return false;
	}
	if (e->state == ENTRY_FINISHED) {
		if (timers_now(x->env.timers) >= e->next_ack)
			acknowledge(e);
		return false;
	}
	if (e->state == ENTRY_DISCARDED || (e->have & 1u << s->seg_o))
		return false;
	return store(e, s);
}

bool sar_rx_segment(struct sar_rx *x, const struct net_pdu *p, uint16_t net_index)
{
	struct lower_segment s;
	struct entry *e;
	uint64_t seq_auth;

	if (!lower_segment_decode(&s, p->ctl, bytes_of(p->transport, p->len)) ||
	    !lower_seq_auth(p->iv_index, p->seq, s.seq_zero, &seq_auth)) {
		x->counters.malformed++;
		return false;
	}
	x->counters.segments++;
	e = find(x, p->src, p->dst);
	if (e && seq_auth < e->seq_auth)
		return false;
	if (!e) {
		e = take(x, p->src, p->dst);
		if (!e) {
			x->counters.rejected++;
			if (addr_is_unicast(p->dst))
				send_ack(x, net_index, p->src, p->ttl, seq_auth, 0);
			return false;
		}
		begin(e, p, net_index, &s, seq_auth);
	} else if (seq_auth > e->seq_auth) {
		begin(e, p, net_index, &s, seq_auth);
	}
	e->used = ++x->uses;
	return known(e, p->ctl, &s);
}

void sar_rx_forget(struct sar_rx *x, uint16_t first, uint16_t count)
{
	for (size_t i = 0; i < SAR_REASSEMBLIES; i++) {
		struct entry *e = &x->entry[i];

		if (e->state != ENTRY_FREE && e->src >= first && e->src - first < count)
			clear(e);
	}
}

const struct sar_rx_counters *sar_rx_counters(const struct sar_rx *x)
{
	return &x->counters;
}
