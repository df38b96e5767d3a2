/* SPDX-License-Identifier: Apache-2.0 */
/* A lossy air in virtual time for tests of PB-ADV, with acceptors at its other end that echo what
 * they are sent. */
#ifndef MESHMASON_TESTS_PB_ADV_AIR_H
#define MESHMASON_TESTS_PB_ADV_AIR_H

#include <stdlib.h>

#include "check.h"
#include "gen_prov.h"
#include "pb_adv.h"

enum { FLIGHTS = 1024, ACCEPTORS = 12, OPENED = 1, ECHO_MAX = 65 };

struct air;

/* One bearer send, on its way copy by copy. */
struct flight {
	struct air *air;
	struct timer timer;
	struct bearer_send send;
	bool to_device;
};

struct acceptor {
	struct air *air;
	uint8_t uuid[UUID_LEN];
	bool deaf;	/* hears nothing */
	bool mute_acks; /* never acknowledges a transaction */
	bool silent;	/* acknowledges, and never answers */
	bool strict;	/* takes nothing new until its own PDU is acknowledged */
	bool backwards; /* sends its segments last to first */
	bool open;
	uint32_t link;
	uint8_t expected, next; /* transactions, without the high bit */
	struct gen_prov_rx rx;
	unsigned delivered; /* whole PDUs */
	bool sending;
	uint8_t tx[ECHO_MAX];
	size_t tx_len;
	struct timer again, answer;
	int closes;
	uint8_t reason;
};

struct air {
	struct timers timers;
	struct bearer bearer;
	struct pb_adv *adv;
	uint32_t seed;
	unsigned loss; /* percent */
	unsigned full; /* percent of sends that find the queue full */
	struct flight flights[FLIGHTS];
	struct acceptor acceptors[ACCEPTORS];
	size_t n_acceptors;
	unsigned sends;			  /* of ours */
	struct gen_prov_frame last;	  /* of ours; its data is in last_octets */
	struct bearer_send last_send;	  /* of ours */
	uint64_t last_at, before_last_at; /* when they were given to the bearer */
	unsigned sent_kind[4];		  /* of ours, by enum gen_prov_kind */
};

static inline uint32_t air_draw(struct air *a)
{
	a->seed = a->seed * 1664525u + 1013904223u;
	return a->seed >> 8;
}

static inline void air_random(void *ctx, void *out, size_t n)
{
	uint8_t *octet = out;

	for (size_t i = 0; i < n; i++)
		octet[i] = (uint8_t)(air_draw(ctx) >> 4);
}

static inline void acceptor_heard(struct acceptor *d, const struct gen_prov_frame *f);

static inline void air_arrive(struct flight *fl)
{
	struct air *a = fl->air;
	struct bytes frame = bytes_of(fl->send.data + 2, fl->send.len - 2u);
	struct gen_prov_frame f;

	if (!fl->to_device) {
		if (a->adv && air_draw(a) % 100 >= a->loss)
			pb_adv_heard(a->adv, frame);
		return;
	}
	check(gen_prov_decode(&f, frame));
	for (size_t i = 0; i < a->n_acceptors; i++)
		if (!a->acceptors[i].deaf && air_draw(a) % 100 >= a->loss)
			acceptor_heard(&a->acceptors[i], &f);
}

static inline void air_copy(void *ctx)
{
	struct flight *fl = ctx;

	/* On its way again before anyone may cancel it. */
	if (--fl->send.count > 0)
		timer_start(&fl->air->timers, &fl->timer, MSEC(fl->send.interval_ms), air_copy, fl);
	air_arrive(fl);
}

static inline bool air_launch(struct air *a, const struct bearer_send *s, bool to_device)
{
	check(s->len >= 2 + 6 && s->len <= AD_MAX);
	check_int(s->data[0], s->len - 1);
	check_int(s->data[1], AD_PB_ADV);
	for (size_t i = 0; i < FLIGHTS; i++) {
		struct flight *fl = &a->flights[i];

		if (timer_running(&fl->timer))
			continue;
		fl->air = a;
		fl->send = *s;
		fl->to_device = to_device;
		timer_start(&a->timers, &fl->timer, MSEC(1), air_copy, fl);
		return true;
	}
	fail_msg("more than %d sends on the air", FLIGHTS);
	return false;
}

static inline struct air *air_of(struct bearer *b)
{
	return CONTAINER_OF(b, struct air, bearer);
}

static inline bool air_send(struct bearer *b, const struct bearer_send *s)
{
	struct air *a = air_of(b);

	if (a->full > 0 && air_draw(a) % 100 < a->full)
		return false;
	a->sends++;
	a->last_send = *s;
	a->before_last_at = a->last_at;
	a->last_at = timers_now(&a->timers);
	check(gen_prov_decode(&a->last, bytes_of(a->last_send.data + 2, s->len - 2u)));
	a->sent_kind[a->last.kind]++;
	return air_launch(a, s, true);
}

static inline void air_cancel(struct bearer *b, uint32_t tag)
{
	struct air *a = air_of(b);

	check(tag != 0);
	for (size_t i = 0; i < FLIGHTS; i++)
		if (a->flights[i].to_device && a->flights[i].send.tag == tag)
			timer_stop(&a->timers, &a->flights[i].timer);
}

static inline void acceptor_frame(struct acceptor *d, const struct gen_prov_frame *f)
{
	struct bearer_send s = { .count = 3, .interval_ms = 20 };
	struct wr w = wr_to(s.data, sizeof(s.data));

	wr_u8(&w, 0);
	wr_u8(&w, AD_PB_ADV);
	gen_prov_encode(&w, f);
	s.len = (uint8_t)w.n;
	s.data[0] = (uint8_t)(w.n - 1);
	air_launch(d->air, &s, false);
}

static inline void acceptor_control(struct acceptor *d, uint8_t opcode, struct bytes params)
{
	acceptor_frame(d, &(struct gen_prov_frame){ .link = d->link,
						    .kind = GEN_PROV_CONTROL,
						    .number = opcode,
						    .data = params });
}

static inline void acceptor_transmit(void *ctx)
{
	struct acceptor *d = ctx;
	size_t n = gen_prov_segments(d->tx_len);

	if (!d->sending || !d->open)
		return;
	for (size_t i = 0; i < n; i++) {
		struct gen_prov_frame f =
			gen_prov_segment(d->link, d->next | 0x80, bytes_of(d->tx, d->tx_len),
					 d->backwards ? n - 1 - i : i);

		acceptor_frame(d, &f);
	}
	timer_start(&d->air->timers, &d->again, MSEC(600), acceptor_transmit, d);
}

static inline void acceptor_send(struct acceptor *d, struct bytes pdu)
{
	memcpy(d->tx, pdu.p, pdu.n);
	d->tx_len = pdu.n;
	d->sending = true;
	timer_start(&d->air->timers, &d->answer, MSEC(30), acceptor_transmit, d);
}

/* Answers with every octet inverted. */
static inline void acceptor_deliver(struct acceptor *d)
{
	uint8_t echo[ECHO_MAX];

	d->delivered++;
	check(d->rx.total <= ECHO_MAX);
	for (size_t i = 0; i < d->rx.total; i++)
		echo[i] = (uint8_t)~d->rx.pdu[i];
	if (!d->silent)
		acceptor_send(d, bytes_of(echo, d->rx.total));
}

static inline void acceptor_ack(struct acceptor *d, uint8_t transaction)
{
	if (!d->mute_acks)
		acceptor_frame(d, &(struct gen_prov_frame){ .link = d->link,
							    .transaction = transaction,
							    .kind = GEN_PROV_ACK });
}

static inline void acceptor_controlled(struct acceptor *d, const struct gen_prov_frame *f)
{
	if (f->number == GEN_PROV_LINK_OPEN && memcmp(f->data.p, d->uuid, UUID_LEN) == 0) {
		if (d->open && d->link != f->link)
			return;
		d->open = true;
		d->link = f->link;
		acceptor_control(d, GEN_PROV_LINK_ACK, bytes_of(NULL, 0));
	} else if (f->number == GEN_PROV_LINK_CLOSE && d->open && f->link == d->link) {
		d->open = false;
		d->closes++;
		d->reason = f->data.p[0];
	}
}

static inline void acceptor_acked(struct acceptor *d)
{
	d->sending = false;
	d->next = (d->next + 1) & 0x7F;
	timer_stop(&d->air->timers, &d->again);
}

static inline void acceptor_heard(struct acceptor *d, const struct gen_prov_frame *f)
{
	if (f->kind == GEN_PROV_CONTROL) {
		acceptor_controlled(d, f);
		return;
	}
	if (!d->open || f->link != d->link)
		return;
	if (f->kind == GEN_PROV_ACK) {
		if (d->sending && f->transaction == (d->next | 0x80))
			acceptor_acked(d);
		return;
	}
	check(!(f->transaction & 0x80));
	if (f->transaction == ((d->expected - 1) & 0x7F) && d->delivered > 0) {
		acceptor_ack(d, f->transaction);
	} else if (f->transaction == d->expected && gen_prov_rx_take(&d->rx, f) == GEN_PROV_WHOLE) {
		acceptor_ack(d, f->transaction);
		d->expected = (d->expected + 1) & 0x7F;
		if (d->sending)
			acceptor_acked(d);
		acceptor_deliver(d);
		gen_prov_rx_reset(&d->rx);
	}
}

/* To our side at once, past the air. */
static inline void air_put(struct air *a, const struct gen_prov_frame *f)
{
	uint8_t octets[GEN_PROV_FRAME_MAX];
	struct wr w = wr_to(octets, sizeof(octets));

	gen_prov_encode(&w, f);
	pb_adv_heard(a->adv, wr_done(&w));
}

static inline struct air *air_new(uint32_t seed, unsigned loss, size_t acceptors)
{
	struct air *a = calloc(1, sizeof(*a));
	struct pb_adv_env env;

	check(a != NULL);
	a->seed = seed;
	a->loss = loss;
	a->n_acceptors = acceptors;
	timers_init(&a->timers, SEC(50));
	a->bearer.send = air_send;
	a->bearer.cancel = air_cancel;
	for (size_t i = 0; i < acceptors; i++) {
		a->acceptors[i].air = a;
		memset(a->acceptors[i].uuid, (int)(i + 1), UUID_LEN);
	}
	env = (struct pb_adv_env){
		.bearer = &a->bearer, .timers = &a->timers, .random = air_random, .ctx = a
	};
	a->adv = pb_adv_new(&env);
	return a;
}

static inline void air_free(struct air *a)
{
	pb_adv_free(a->adv);
	timers_free(&a->timers);
	free(a);
}

static inline void air_run(struct air *a, uint64_t duration)
{
	uint64_t limit = timers_now(&a->timers) + duration;

	timers_advance(&a->timers, limit);
}

static inline struct pb_adv_counters air_counters(const struct air *a)
{
	struct pb_adv_counters c;

	pb_adv_counters(a->adv, &c);
	return c;
}

/* The owner of one link: sends PDU after PDU, and expects each back inverted. */
struct owner {
	struct air *air;
	struct prov_carrier *c;
	unsigned rounds, round;
	bool waiting_sent, waiting_answer, inside, close_at_end;
	uint8_t pdu[ECHO_MAX];
	size_t len;
	unsigned opened, sent, received, closed;
	enum carrier_end end;
	uint64_t at; /* of the last event */
	size_t last_len;
	uint8_t last[GEN_PROV_PDU_MAX];
	bool close_in_sent;
	int free_in; /* event after which the carrier is freed: 1 opened, 2 sent, 3 received, 4 */
};

static inline void owner_send(struct owner *o, const void *pdu, size_t n)
{
	o->inside = true;
	o->c->ops->send(o->c, bytes_of(pdu, n));
	o->inside = false;
}

static inline void owner_close(struct owner *o, enum prov_close_reason reason)
{
	o->inside = true;
	o->c->ops->close(o->c, reason);
	o->inside = false;
}

static inline void owner_next(struct owner *o)
{
	if (o->round == o->rounds) {
		if (o->close_at_end)
			owner_close(o, PROV_CLOSE_SUCCESS);
		return;
	}
	o->round++;
	o->len = 1 + (o->round * 13) % 65;
	for (size_t i = 0; i < o->len; i++)
		o->pdu[i] = (uint8_t)(o->round * 3 + i);
	o->waiting_sent = o->waiting_answer = true;
	owner_send(o, o->pdu, o->len);
}

static inline bool owner_note(struct owner *o, int event)
{
	check(!o->inside && o->closed == 0);
	o->at = timers_now(&o->air->timers);
	if (o->free_in != event)
		return false;
	pb_adv_carrier_free(o->c);
	o->c = NULL;
	return true;
}

static inline void owner_opened(void *ctx)
{
	struct owner *o = ctx;

	o->opened++;
	if (!owner_note(o, 1) && o->rounds > 0)
		owner_next(o);
}

static inline void owner_sent(void *ctx)
{
	struct owner *o = ctx;

	o->sent++;
	if (owner_note(o, 2))
		return;
	if (o->close_in_sent)
		owner_close(o, PROV_CLOSE_FAIL);
	if (o->rounds == 0)
		return;
	check(o->waiting_sent);
	o->waiting_sent = false;
	if (!o->waiting_answer)
		owner_next(o);
}

static inline void owner_received(void *ctx, struct bytes pdu)
{
	struct owner *o = ctx;

	o->received++;
	o->last_len = pdu.n;
	memcpy(o->last, pdu.p, pdu.n);
	if (owner_note(o, 3) || o->rounds == 0)
		return;
	check(o->waiting_answer);
	check_int(pdu.n, o->len);
	for (size_t i = 0; i < pdu.n; i++)
		check_int(pdu.p[i], (uint8_t)~o->pdu[i]);
	o->waiting_answer = false;
	if (!o->waiting_sent)
		owner_next(o);
}

static inline void owner_closed(void *ctx, enum carrier_end end)
{
	struct owner *o = ctx;
	bool freed = owner_note(o, 4);

	o->closed += !freed || o->free_in == 4;
	o->end = end;
}

static const struct prov_carrier_events owner_events = { owner_opened, owner_sent, owner_received,
							 owner_closed };

static inline void owner_open(struct owner *o, struct air *a, size_t acceptor)
{
	o->air = a;
	o->c = pb_adv_carrier_new(a->adv);
	o->c->events = &owner_events;
	o->c->ctx = o;
	o->inside = true;
	o->c->ops->open(o->c, a->acceptors[acceptor].uuid);
	o->inside = false;
}

static inline void owner_open_and_wait(struct owner *o, struct air *a)
{
	owner_open(o, a, 0);
	while (o->opened == 0)
		check(timers_fire_next(&a->timers, TIMERS_NEVER));
	air_run(a, MSEC(200));
}

static inline void end_of(struct owner *o, struct air *a)
{
	pb_adv_carrier_free(o->c);
	air_free(a);
}

#endif
