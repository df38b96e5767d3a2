/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	Provisioner			device				5.3
 *	Link Open (UUID)	-->				again each 500 ms, for 20 s
 *				<--	Link Ack
 *	Start, Continuation ...	-->				transaction 0x00, 0x01 .. 0x7F, 0x00
 *				<--	Transaction Ack
 *				<--	Start, Continuation ...	transaction 0x80 .. 0xFF, 0x80
 *	Transaction Ack		-->
 *	Link Close (reason)	-->				or from the device; never
 *acknowledged
 *
 * Each Generic Provisioning PDU waits 20..50 ms before it goes to the radio, which repeats it: a
 * scanner hears only some of them. A transaction without its ack is sent again as a whole. The
 * device's next transaction proves that it has ours, even where its ack was lost.
 */
#include "pb_adv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gen_prov.h"
#include "log.h"

enum {
	COPIES = 3,
	CLOSE_COPIES = 5, /* nobody acknowledges it; three at least */
	COPY_INTERVAL_MS = 20,
	DELAY_MIN_US = 20000,
	DELAY_MAX_US = 50000,
	RETRY_MIN_MS = 500,
	RETRY_MAX_MS = 2000,
	TRANSACTIONS = 128, /* each side has half of the numbers */
	DEVICE_TRANSACTION = 0x80,
	RECENT = 64, /* so far back, a device's transaction is one that we had */
	TAG_BASE = 0x29000000,
	TAG_MASK = 0x00FFFFFE,
};

static const uint64_t open_limit = SEC(20); /* of the 60 s that a link may take to be made */
static const uint64_t link_limit = SEC(60);
static const uint64_t ack_limit = SEC(30);
/* The radio repeats an ack for a while; until then, copies of the segment ask for no other. */
static const uint64_t ack_pause = MSEC(150);

enum link_state { LINK_IDLE, LINK_OPENING, LINK_OPEN, LINK_CLOSING };

struct link {
	struct prov_carrier carrier;
	struct pb_adv *adv; /* NULL once that is gone */
	struct link *next;
	enum link_state state;
	uint32_t id;
	uint32_t tag; /* of what may be cancelled; plus 1 for acks, which outlive a transaction */
	uint8_t uuid[UUID_LEN];
	uint8_t reason;
	bool *gone;
	struct timer step;  /* the next frame of ours, or the next try */
	struct timer limit; /* opening, or the link before its first PDU */
	struct timer ack_due;
	struct timer ack_wait;

	bool sending;
	uint8_t transaction; /* of sending, or the next */
	size_t segment;	     /* to be sent next */
	unsigned tries;	     /* how often all of it went out */
	size_t tx_len;
	uint8_t tx[PROV_PDU_MAX];

	uint8_t expected;     /* the device's next transaction, without its high bit */
	uint8_t received;     /* transactions had so far, at most RECENT */
	uint8_t acked;	      /* transaction of ack_due, or of the last ack */
	uint64_t acked_until; /* no other ack for the same transaction before that */
	struct gen_prov_rx rx;
};

struct pb_adv {
	struct pb_adv_env env;
	struct link *links;
	uint32_t tags;
	struct pb_adv_counters counters;
};

static struct link *link_of(struct prov_carrier *c)
{
	return CONTAINER_OF(c, struct link, carrier);
}

static uint64_t random_delay(struct pb_adv *p)
{
	uint32_t r;

	p->env.random(p->env.ctx, &r, sizeof(r));
	return DELAY_MIN_US + r % (DELAY_MAX_US - DELAY_MIN_US + 1);
}

static void step_after(struct link *l, uint64_t delay, void (*fire)(void *))
{
	timer_start(l->adv->env.timers, &l->step, delay, fire, l);
}

static void transmit(struct link *l, const struct gen_prov_frame *f, enum bearer_class kind,
		     uint32_t tag, uint8_t copies)
{
	struct bearer *bearer = l->adv->env.bearer;
	struct bearer_send send = {
		.kind = kind,
		.count = copies,
		.interval_ms = COPY_INTERVAL_MS,
		.tag = tag,
	};
	struct wr w = wr_to(send.data, sizeof(send.data));

	wr_u8(&w, 0);
	wr_u8(&w, AD_PB_ADV);
	gen_prov_encode(&w, f);
	assert(wr_ok(&w));
	send.data[0] = (uint8_t)(w.n - 1);
	send.len = (uint8_t)w.n;
	bearer->send(bearer, &send); /* a full queue is a loss like any other */
}

static void transmit_control(struct link *l, enum gen_prov_opcode opcode, struct bytes params,
			     uint32_t tag, uint8_t copies)
{
	struct gen_prov_frame f = {
		.link = l->id,
		.kind = GEN_PROV_CONTROL,
		.number = (uint8_t)opcode,
		.data = params,
	};

	transmit(l, &f, BEARER_PROV, tag, copies);
}

static void cancel(struct link *l, uint32_t tag)
{
	l->adv->env.bearer->cancel(l->adv->env.bearer, tag);
}

/* Grows with each try: with many links at once, the radio's queue must be able to drain. */
static uint64_t retry_after(struct link *l)
{
	uint64_t ms = RETRY_MIN_MS + (uint64_t)l->tries * RETRY_MIN_MS / 2;

	l->tries++;
	return MSEC(ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS) + random_delay(l->adv);
}

static void stop(struct link *l)
{
	struct timers *ts = l->adv->env.timers;

	timer_stop(ts, &l->step);
	timer_stop(ts, &l->limit);
	timer_stop(ts, &l->ack_due);
	timer_stop(ts, &l->ack_wait);
}

/* Ends the link here; nothing may follow, the owner may have freed it. */
static void end(struct link *l, enum carrier_end why)
{
	stop(l);
	cancel(l, l->tag);
	l->state = LINK_IDLE;
	l->sending = false;
	log_debug("pb-adv: link %08x ended (%d)", (unsigned)l->id, (int)why);
	l->carrier.events->closed(l->carrier.ctx, why);
}

static void say_close(struct link *l)
{
	transmit_control(l, GEN_PROV_LINK_CLOSE, bytes_of(&l->reason, 1), 0, CLOSE_COPIES);
}

static void send_ack(void *ctx)
{
	struct link *l = ctx;
	struct gen_prov_frame f = {
		.link = l->id,
		.transaction = l->acked,
		.kind = GEN_PROV_ACK,
	};

	l->acked_until = timers_now(l->adv->env.timers) + ack_pause;
	transmit(l, &f, BEARER_ACK, l->tag + 1, COPIES);
}

static void ack(struct link *l, uint8_t transaction)
{
	struct timers *ts = l->adv->env.timers;

	if (transaction == l->acked &&
	    (timer_running(&l->ack_due) || timers_now(ts) < l->acked_until))
		return;
	l->acked = transaction;
	timer_start(ts, &l->ack_due, random_delay(l->adv), send_ack, l);
}

static void open_again(void *ctx)
{
	struct link *l = ctx;

	cancel(l, l->tag);
	transmit_control(l, GEN_PROV_LINK_OPEN, bytes_of(l->uuid, UUID_LEN), l->tag, COPIES);
	step_after(l, retry_after(l), open_again);
}

static void open_failed(void *ctx)
{
	struct link *l = ctx;

	/* A device that heard us while we did not hear it would hold its link for a minute. */
	l->reason = PROV_CLOSE_TIMEOUT;
	say_close(l);
	end(l, CARRIER_OPEN_FAILED);
}

static void vanished(void *ctx)
{
	struct link *l = ctx;

	l->reason = PROV_CLOSE_TIMEOUT;
	say_close(l);
	end(l, CARRIER_LOST);
}

static void send_segment(void *ctx);

static void send_again(void *ctx)
{
	struct link *l = ctx;

	cancel(l, l->tag);
	l->segment = 0;
	l->adv->counters.retransmissions++;
	send_segment(l);
}

static void send_segment(void *ctx)
{
	struct link *l = ctx;
	struct bytes pdu = bytes_of(l->tx, l->tx_len);
	struct gen_prov_frame f = gen_prov_segment(l->id, l->transaction, pdu, l->segment);

	if (!timer_running(&l->ack_wait))
		timer_start(l->adv->env.timers, &l->ack_wait, ack_limit, vanished, l);
	transmit(l, &f, BEARER_PROV, l->tag, COPIES);
	if (++l->segment < gen_prov_segments(l->tx_len))
		step_after(l, random_delay(l->adv), send_segment);
	else
		step_after(l, retry_after(l), send_again);
}

static void transaction_done(struct link *l)
{
	timer_stop(l->adv->env.timers, &l->step);
	timer_stop(l->adv->env.timers, &l->ack_wait);
	cancel(l, l->tag);
	l->sending = false;
	l->transaction = (uint8_t)((l->transaction + 1) % TRANSACTIONS);
	l->carrier.events->sent(l->carrier.ctx);
}

static void close_now(void *ctx)
{
	struct link *l = ctx;

	say_close(l);
	end(l, CARRIER_CLOSED);
}

static void carrier_open(struct prov_carrier *c, const uint8_t uuid[UUID_LEN])
{
	struct link *l = link_of(c);
	struct pb_adv *p = l->adv;
	bool taken;

	assert(p && l->state == LINK_IDLE);
	do {
		p->env.random(p->env.ctx, &l->id, sizeof(l->id));
		taken = false;
		for (struct link *other = p->links; other; other = other->next)
			if (other != l && other->state != LINK_IDLE && other->id == l->id)
				taken = true;
	} while (taken);
	memcpy(l->uuid, uuid, UUID_LEN);
	l->state = LINK_OPENING;
	l->sending = false;
	l->transaction = 0;
	l->tries = 0;
	l->expected = 0;
	l->received = 0;
	l->acked_until = 0;
	gen_prov_rx_reset(&l->rx);
	timer_start(p->env.timers, &l->limit, open_limit, open_failed, l);
	step_after(l, random_delay(p), open_again);
}

/* The ack of the device's last PDU goes before anything else. */
static uint64_t until_acked(struct link *l)
{
	if (!timer_running(&l->ack_due))
		return 0;
	return l->ack_due.at - timers_now(l->adv->env.timers);
}

static void carrier_send(struct prov_carrier *c, struct bytes pdu)
{
	struct link *l = link_of(c);
	uint64_t delay = random_delay(l->adv) + until_acked(l);

	assert(!l->sending && pdu.n > 0 && pdu.n <= sizeof(l->tx));
	if (l->state != LINK_OPEN)
		return;
	memcpy(l->tx, pdu.p, pdu.n);
	l->tx_len = pdu.n;
	l->sending = true;
	l->segment = 0;
	l->tries = 0;
	step_after(l, delay, send_segment);
}

static void carrier_close(struct prov_carrier *c, enum prov_close_reason reason)
{
	struct link *l = link_of(c);
	struct timers *ts = l->adv->env.timers;
	uint64_t delay = random_delay(l->adv) + until_acked(l);

	if (l->state == LINK_IDLE || l->state == LINK_CLOSING)
		return;
	l->state = LINK_CLOSING;
	l->reason = (uint8_t)reason;
	l->sending = false;
	timer_stop(ts, &l->limit);
	timer_stop(ts, &l->ack_wait);
	cancel(l, l->tag);
	step_after(l, delay, close_now);
}

static const struct prov_carrier_ops ops = { carrier_open, carrier_send, carrier_close };

static void on_control(struct link *l, const struct gen_prov_frame *f)
{
	switch (f->number) {
	case GEN_PROV_LINK_ACK:
		if (l->state != LINK_OPENING)
			return;
		l->state = LINK_OPEN;
		timer_stop(l->adv->env.timers, &l->step);
		cancel(l, l->tag);
		timer_start(l->adv->env.timers, &l->limit, link_limit, vanished, l);
		l->carrier.events->opened(l->carrier.ctx);
		return;
	case GEN_PROV_LINK_CLOSE: /* whatever the reason says */
		if (l->state == LINK_CLOSING)
			end(l, CARRIER_CLOSED);
		else
			end(l, l->state == LINK_OPENING ? CARRIER_BUSY : CARRIER_LOST);
		return;
	default:
		l->adv->counters.malformed++; /* a Link Open from elsewhere, or reserved */
	}
}

static void deliver(struct link *l)
{
	struct bytes pdu = bytes_of(l->rx.pdu, l->rx.total);
	bool gone = false;

	l->expected = (uint8_t)((l->expected + 1) % TRANSACTIONS);
	l->received = l->received < RECENT ? (uint8_t)(l->received + 1) : RECENT;
	l->rx.have = 0; /* the octets stay for the call */
	timer_stop(l->adv->env.timers, &l->limit);
	if (l->sending && l->tries > 0) {
		/* It answers what we sent, so it has it: the ack was lost. */
		l->gone = &gone;
		transaction_done(l);
		if (gone)
			return;
		l->gone = NULL;
		if (l->state != LINK_OPEN)
			return;
	}
	l->carrier.events->received(l->carrier.ctx, pdu);
}

static void on_segment(struct link *l, const struct gen_prov_frame *f)
{
	uint8_t behind = (uint8_t)((l->expected - f->transaction) & (TRANSACTIONS - 1));

	if (!(f->transaction & DEVICE_TRANSACTION)) {
		l->adv->counters.malformed++;
		return;
	}
	if (behind > 0) {
		/* An ack on its way to a newer transaction says that this one arrived, too. */
		if (behind > l->received)
			l->adv->counters.malformed++;
		else if (behind == 1 || !timer_running(&l->ack_due))
			ack(l, f->transaction);
		return;
	}
	if (l->state != LINK_OPEN)
		return; /* closing: the last ack may be repeated, nothing new is taken */
	switch (gen_prov_rx_take(&l->rx, f)) {
	case GEN_PROV_MORE:
		return;
	case GEN_PROV_BAD:
		l->adv->counters.malformed++;
		return;
	case GEN_PROV_BAD_FCS:
		l->adv->counters.bad_fcs++;
		return;
	case GEN_PROV_WHOLE:
		ack(l, f->transaction);
		deliver(l);
		return;
	}
}

static void on_frame(struct link *l, const struct gen_prov_frame *f)
{
	if (f->kind == GEN_PROV_CONTROL) {
		on_control(l, f);
		return;
	}
	if (l->state == LINK_OPENING) {
		l->adv->counters.malformed++;
		return;
	}
	if (f->kind != GEN_PROV_ACK)
		on_segment(l, f);
	else if (l->sending && l->tries > 0 && f->transaction == l->transaction)
		transaction_done(l);
}

void pb_adv_heard(struct pb_adv *p, struct bytes data)
{
	struct gen_prov_frame f;

	if (!gen_prov_decode(&f, data)) {
		p->counters.malformed++;
		return;
	}
	for (struct link *l = p->links; l; l = l->next) {
		if (l->state != LINK_IDLE && l->id == f.link) {
			on_frame(l, &f);
			return;
		}
	}
	p->counters.foreign_link++;
}

struct prov_carrier *pb_adv_carrier_new(struct pb_adv *p)
{
	struct link *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->carrier.ops = &ops;
	l->adv = p;
	l->tag = TAG_BASE | (p->tags & TAG_MASK);
	p->tags += 2;
	l->next = p->links;
	p->links = l;
	return &l->carrier;
}

void pb_adv_carrier_free(struct prov_carrier *c)
{
	struct link *l;

	if (!c)
		return;
	l = link_of(c);
	if (l->gone)
		*l->gone = true;
	if (l->adv) {
		struct link **at = &l->adv->links;

		while (*at != l)
			at = &(*at)->next;
		*at = l->next;
		stop(l);
		if (l->state != LINK_IDLE) {
			cancel(l, l->tag);
			cancel(l, l->tag + 1);
		}
	}
	free(l);
}

struct pb_adv *pb_adv_new(const struct pb_adv_env *env)
{
	struct pb_adv *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->env = *env;
	return p;
}

void pb_adv_free(struct pb_adv *p)
{
	if (!p)
		return;
	while (p->links) {
		struct link *l = p->links;

		stop(l);
		p->links = l->next;
		l->adv = NULL;
	}
	free(p);
}

void pb_adv_counters(const struct pb_adv *p, struct pb_adv_counters *out)
{
	*out = p->counters;
}
