/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   we                                  peer
 *    | segment 0, 1, .. n, spaced         |
 *    |----------------------------------->|
 *    |<-----------------------------------|  acknowledgment: some
 *    | those missing, new SEQ             |
 *    |----------------------------------->|
 *    |<-----------------------------------|  acknowledgment: all -> OK, none -> REJECTED
 *
 * Without an acknowledgment the retransmission timer sends all that miss, as long as both
 * counters last. A transfer is sealed when it starts, not when it is queued: its SEQ must be the
 * first segment's.
 */
#include "sar_tx.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum transfer_state { TRANSFER_FREE, TRANSFER_QUEUED, TRANSFER_SENDING, TRANSFER_WAITING };

struct transfer {
	enum transfer_state state;
	struct sar_tx *owner;
	struct lower_message message;
	uint32_t id, order;
	uint32_t iv_index, seq_auth; /* of the first segment */
	bool first_sent;
	uint8_t key, seg_n;
	uint32_t acked, pending;   /* pending: still to be sent in this round */
	unsigned rounds, progress; /* transmissions left */
	struct timer timer;
	size_t len;
	uint8_t data[LOWER_UPPER_MAX]; /* plain while queued, sealed later */
};

struct sar_tx {
	struct sar_tx_env env;
	uint32_t last_id, last_order;
	struct sar_tx_counters counters;
	struct transfer transfer[SAR_TRANSFERS];
};

/* Tags with the top bit are ours: PB-ADV numbers its own from below. */
static uint32_t tag_of(const struct transfer *t)
{
	return t->id | 0x80000000;
}

struct sar_tx *sar_tx_new(const struct sar_tx_env *env)
{
	struct sar_tx *x = calloc(1, sizeof(*x));

	if (!x)
		abort();
	x->env = *env;
	for (size_t i = 0; i < SAR_TRANSFERS; i++)
		x->transfer[i].owner = x;
	return x;
}

void sar_tx_free(struct sar_tx *x)
{
	for (size_t i = 0; i < SAR_TRANSFERS; i++)
		timer_stop(x->env.timers, &x->transfer[i].timer);
	secret_wipe(x->transfer, sizeof(x->transfer));
	free(x);
}

static bool is_active(const struct transfer *t)
{
	return t->state == TRANSFER_SENDING || t->state == TRANSFER_WAITING;
}

static void start(void *ctx);

/* Lets the one that waited longest for this destination go, if nothing is under way to it. */
static void start_next(struct sar_tx *x, uint16_t dst)
{
	struct transfer *next = NULL;

	for (size_t i = 0; i < SAR_TRANSFERS; i++) {
		struct transfer *t = &x->transfer[i];

		if (t->state == TRANSFER_FREE || t->message.dst != dst)
			continue;
		if (is_active(t))
			return;
		if (!next || (int32_t)(t->order - next->order) < 0)
			next = t;
	}
	/* By timer: a failure to start is never told from inside the owner's call. */
	if (next && !timer_running(&next->timer))
		timer_start(x->env.timers, &next->timer, 0, start, next);
}

static void release(struct transfer *t)
{
	struct sar_tx *x = t->owner;

	timer_stop(x->env.timers, &t->timer);
	net_cancel(x->env.net, tag_of(t));
	t->state = TRANSFER_FREE;
	secret_wipe(t->data, t->len);
	start_next(x, t->message.dst);
}

static void finish(struct transfer *t, enum lower_result r)
{
	struct lower_message m = t->message;

	if (r != LOWER_OK)
		t->owner->counters.failed++;
	release(t);
	if (m.done)
		m.done(m.ctx, r);
}

static void send_next(void *ctx);
static void expired(void *ctx);

static bool send_segment(struct transfer *t, uint8_t seg_o)
{
	struct sar_tx *x = t->owner;
	size_t at = (size_t)seg_o * LOWER_SEGMENT_ACCESS;
	size_t n = t->len - at < LOWER_SEGMENT_ACCESS ? t->len - at : LOWER_SEGMENT_ACCESS;
	struct lower_segment s = { .key = t->key,
				   .seq_zero = t->seq_auth & 0x1FFF,
				   .seg_o = seg_o,
				   .seg_n = t->seg_n,
				   .data = bytes_of(t->data + at, n) };
	struct net_pdu p = { .iv_index = t->iv_index,
			     .seq = t->seq_auth,
			     .dst = t->message.dst,
			     .ttl = t->message.ttl };

	if (t->first_sent && !net_take_seq(x->env.net, &p.seq))
		return false;
	t->first_sent = true;
	/* Under another IV Index these numbers are not ours to use, 3.5.3.3. */
	if (iv_transmit(net_iv(x->env.net)) != t->iv_index || p.seq < t->seq_auth ||
	    p.seq - t->seq_auth >= SAR_SEQ_REACH)
		return false;
	p.len = (uint8_t)lower_segment_encode(&s, p.transport);
	x->counters.segments++;
	return net_send(x->env.net, t->message.net_index, &p, BEARER_NETWORK, tag_of(t));
}

/* The timer of 3.5.3.3, and half as much again for each round that brought nothing: where our own
 * radio is what is slow, sending everything again at once would only make it slower. */
static uint64_t round_wait(const struct transfer *t)
{
	const struct sar_config *c = t->owner->env.config;
	unsigned hops = t->message.ttl > 0 ? t->message.ttl - 1u : 0;
	unsigned silent = c->unicast_without_progress - 1u - t->progress;

	if (!addr_is_unicast(t->message.dst))
		return MSEC(c->multicast_interval_ms);
	return MSEC(c->unicast_interval_ms + c->unicast_increment_ms * hops) * (2 + silent) / 2;
}

static void send_next(void *ctx)
{
	struct transfer *t = ctx;
	struct timers *timers = t->owner->env.timers;
	uint8_t seg_o;

	t->pending &= ~t->acked;
	if (t->pending != 0) {
		seg_o = (uint8_t)__builtin_ctz(t->pending);
		t->pending &= t->pending - 1;
		if (!send_segment(t, seg_o)) {
			finish(t, LOWER_TIMEOUT);
			return;
		}
	}
	if (t->pending != 0) {
		timer_start(timers, &t->timer, MSEC(t->owner->env.config->segment_interval_ms),
			    send_next, t);
		return;
	}
	t->state = TRANSFER_WAITING;
	timer_start(timers, &t->timer, round_wait(t), expired, t);
}

static void send_round(struct transfer *t)
{
	t->state = TRANSFER_SENDING;
	t->pending = lower_all_segments(t->seg_n) & ~t->acked;
	t->owner->counters.retransmissions += (unsigned)__builtin_popcount(t->pending);
	send_next(t);
}

static void expired(void *ctx)
{
	struct transfer *t = ctx;

	if (t->rounds == 0 || t->progress == 0) {
		finish(t, addr_is_unicast(t->message.dst) ? LOWER_TIMEOUT : LOWER_OK);
		return;
	}
	t->rounds--;
	t->progress--;
	send_round(t);
}

static void start(void *ctx)
{
	struct transfer *t = ctx;
	struct sar_tx *x = t->owner;
	const struct sar_config *c = x->env.config;
	bool unicast = addr_is_unicast(t->message.dst);
	uint8_t sealed[LOWER_UPPER_MAX];

	if (!net_take_seq(x->env.net, &t->seq_auth)) {
		finish(t, LOWER_FULL);
		return;
	}
	t->iv_index = iv_transmit(net_iv(x->env.net));
	if (!x->env.seal(x->env.ctx, &t->message, t->seq_auth, t->iv_index,
			 bytes_of(t->data, t->len), sealed, &t->key)) {
		finish(t, LOWER_NO_KEY);
		return;
	}
	t->len += 4;
	memcpy(t->data, sealed, t->len);
	t->seg_n = (uint8_t)((t->len - 1) / LOWER_SEGMENT_ACCESS);
	t->acked = 0;
	t->first_sent = false;
	t->rounds = (unicast ? c->unicast_transmissions : c->multicast_transmissions) - 1u;
	t->progress = unicast ? c->unicast_without_progress - 1u : t->rounds;
	t->state = TRANSFER_SENDING;
	t->pending = lower_all_segments(t->seg_n);
	send_next(t);
}

uint32_t sar_tx_start(struct sar_tx *x, const struct lower_message *m, struct bytes plain)
{
	struct transfer *t = NULL;

	assert(plain.n >= 1 && plain.n <= ACCESS_MAX);
	for (size_t i = 0; i < SAR_TRANSFERS && !t; i++)
		if (x->transfer[i].state == TRANSFER_FREE)
			t = &x->transfer[i];
	if (!t) {
		x->counters.full++;
		return 0;
	}
	x->last_id = (x->last_id + 1) & 0x7FFFFFFF;
	if (x->last_id == 0)
		x->last_id = 1;
	t->id = x->last_id;
	t->order = x->last_order++;
	t->message = *m;
	t->len = plain.n;
	memcpy(t->data, plain.p, plain.n);
	t->state = TRANSFER_QUEUED;
	start_next(x, m->dst);
	return t->id;
}

void sar_tx_cancel(struct sar_tx *x, uint32_t id)
{
	for (size_t i = 0; i < SAR_TRANSFERS; i++) {
		struct transfer *t = &x->transfer[i];

		if (t->state != TRANSFER_FREE && t->id == id) {
			release(t);
			return;
		}
	}
}

static struct transfer *find(struct sar_tx *x, uint16_t src, uint16_t net_index,
			     const struct lower_ack *ack)
{
	for (size_t i = 0; i < SAR_TRANSFERS; i++) {
		struct transfer *t = &x->transfer[i];

		if (is_active(t) && (t->seq_auth & 0x1FFF) == ack->seq_zero &&
		    (t->message.dst == src || ack->obo) && addr_is_unicast(t->message.dst) &&
		    t->message.net_index == net_index)
			return t;
	}
	return NULL;
}

bool sar_tx_acked(struct sar_tx *x, uint16_t src, uint16_t net_index, const struct lower_ack *ack)
{
	struct transfer *t = find(x, src, net_index, ack);
	uint32_t all, fresh;

	if (!t)
		return false;
	if (ack->acked == 0) {
		finish(t, LOWER_REJECTED);
		return true;
	}
	all = lower_all_segments(t->seg_n);
	fresh = ack->acked & all & ~t->acked;
	if (fresh == 0)
		return true;
	t->acked |= fresh;
	if (t->acked == all) {
		finish(t, LOWER_OK);
		return true;
	}
	t->progress = x->env.config->unicast_without_progress - 1u;
	if (t->state == TRANSFER_WAITING && t->rounds > 0) {
		t->rounds--;
		send_round(t);
	}
	return true;
}

bool sar_tx_busy(const struct sar_tx *x)
{
	for (size_t i = 0; i < SAR_TRANSFERS; i++)
		if (is_active(&x->transfer[i]))
			return true;
	return false;
}

const struct sar_tx_counters *sar_tx_counters(const struct sar_tx *x)
{
	return &x->counters;
}
