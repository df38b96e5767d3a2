/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_access.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { UNSEGMENTED_MAX = 11, TRIES = 3 };

static const uint64_t sar_gives_up = SEC(5);

struct fake_flight {
	struct access *a;
	struct fake_flight *next;
	struct timer arrive;
	bool outgoing;
	struct access_target to;
	struct access_message m;
	const struct access_send *of; /* its sender, may still cancel */
	uint8_t params[ACCESS_MAX];
};

uint32_t fake_access_random(struct access *a, uint32_t below)
{
	a->seed ^= a->seed << 13;
	a->seed ^= a->seed >> 7;
	a->seed ^= a->seed << 17;
	return (uint32_t)((a->seed >> 16) % below);
}

void fake_access_init(struct access *a, struct timers *timers, uint64_t seed)
{
	memset(a, 0, sizeof(*a));
	a->timers = timers;
	a->seed = seed * 0x9E3779B97F4A7C15u + 1;
	a->delay = MSEC(30);
}

static void unlink_flight(struct fake_flight *f)
{
	struct fake_flight **at = &f->a->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	timer_stop(f->a->timers, &f->arrive);
	free(f);
}

void fake_access_free(struct access *a)
{
	while (a->flights)
		unlink_flight(a->flights);
}

static bool chance(struct access *a, unsigned percent)
{
	return percent != 0 && fake_access_random(a, 100) < percent;
}

static uint64_t delay_of(struct access *a)
{
	return a->delay + (a->jitter ? fake_access_random(a, (uint32_t)a->jitter) : 0);
}

static enum fake_fate fate_of(struct access *a, bool outgoing, uint32_t opcode, bool segmented)
{
	unsigned *count = outgoing ? a->sent : a->heard;
	enum fake_fate fate = FAKE_DELIVER;

	count[opcode & 0xFF]++;
	if (a->fate)
		fate = a->fate(a->ctx, outgoing, opcode, count[opcode & 0xFF]);
	if (fate != FAKE_DELIVER)
		return fate;
	if (segmented)
		return chance(a, a->sar_loss) ? (chance(a, 50) ? FAKE_LOSE : FAKE_LOSE_ACK)
					      : FAKE_DELIVER;
	if (chance(a, a->loss))
		return FAKE_LOSE;
	return chance(a, a->doubled) ? FAKE_DOUBLE : FAKE_DELIVER;
}

static void hear_request(struct access_request *rq, const struct access_message *m);

void fake_access_hear(struct access *a, const struct access_message *m)
{
	for (struct access_request *rq = a->requests, *next; rq; rq = next) {
		next = rq->next;
		if (m->opcode == rq->answer_opcode && m->src == rq->to.dst &&
		    m->net_index == rq->to.net_index && m->app_index == rq->to.app_index &&
		    (!rq->matches || rq->matches(rq->ctx, m))) {
			hear_request(rq, m);
			break;
		}
	}
	for (struct access_listener *l = a->listeners, *next; l; l = next) {
		next = l->next;
		if (l->opcode == m->opcode)
			l->heard(l->ctx, m);
	}
}

static void arrived(void *ctx)
{
	struct fake_flight *f = ctx, copy = *f;
	struct access *a = f->a;

	unlink_flight(f);
	copy.m.params.p = copy.params;
	if (!copy.outgoing)
		fake_access_hear(a, &copy.m);
	else if (a->peer)
		a->peer(a->ctx, &copy.to, copy.m.opcode, copy.m.params);
}

static void fly(struct access *a, bool outgoing, const struct access_target *to,
		const struct access_message *m, const struct access_send *of)
{
	struct fake_flight *f = calloc(1, sizeof(*f));

	assert(f && m->params.n <= sizeof(f->params));
	f->a = a;
	f->outgoing = outgoing;
	f->of = of;
	if (to)
		f->to = *to;
	f->m = *m;
	if (m->params.n > 0)
		memcpy(f->params, m->params.p, m->params.n);
	f->next = a->flights;
	a->flights = f;
	timer_start(a->timers, &f->arrive, delay_of(a), arrived, f);
}

void fake_access_from_peer(struct access *a, const struct access_message *m, bool segmented)
{
	enum fake_fate fate = fate_of(a, false, m->opcode, segmented);

	if (fate == FAKE_LOSE)
		return;
	fly(a, false, NULL, m, NULL);
	if (fate == FAKE_DOUBLE)
		fly(a, false, NULL, m, NULL);
}

void access_listen(struct access *a, struct access_listener *l)
{
	l->next = a->listeners;
	a->listeners = l;
}

void access_malformed(struct access *a)
{
	a->malformed++;
}

void access_unlisten(struct access *a, struct access_listener *l)
{
	struct access_listener **at = &a->listeners;

	while (*at && *at != l)
		at = &(*at)->next;
	assert(*at);
	*at = l->next;
}

static void sent(void *ctx)
{
	struct access_send *s = ctx;

	if (s->done)
		s->done(s->ctx, s->result);
}

void access_send(struct access *a, struct access_send *s, uint32_t opcode, struct bytes params)
{
	bool segmented = s->to.segmented || params.n + (opcode > 0x7E ? 2 : 1) > UNSEGMENTED_MAX;
	enum fake_fate fate = fate_of(a, true, opcode, segmented);
	struct access_message m = { .opcode = opcode, .params = params };
	uint64_t later = 0;

	s->access = a;
	s->result = a->refuse;
	if (a->refuse == ACCESS_OK) {
		if (fate != FAKE_LOSE)
			fly(a, true, &s->to, &m, s);
		if (fate == FAKE_DOUBLE)
			fly(a, true, &s->to, &m, s);
		if (segmented) {
			bool failed = fate == FAKE_LOSE || fate == FAKE_LOSE_ACK;

			later = failed ? sar_gives_up : 2 * a->delay + a->jitter;
			s->result = failed ? ACCESS_TIMEOUT : ACCESS_OK;
		}
	}
	timer_start(a->timers, &s->later, later, sent, s);
}

void access_send_cancel(struct access *a, struct access_send *s)
{
	timer_stop(a->timers, &s->later);
	for (struct fake_flight *f = a->flights, *next; f; f = next) {
		next = f->next;
		if (f->of == s && s->to.segmented)
			unlink_flight(f); /* what is not whole there will never be */
	}
}

static void unlink_request(struct access_request *rq)
{
	struct access_request **at = &rq->access->requests;

	while (*at && *at != rq)
		at = &(*at)->next;
	assert(*at); /* cancelled or answered twice */
	*at = rq->next;
	timer_stop(rq->access->timers, &rq->limit);
	if (rq->sending)
		access_send_cancel(rq->access, &rq->send);
	rq->sending = false;
}

static void hear_request(struct access_request *rq, const struct access_message *m)
{
	unlink_request(rq);
	rq->done(rq->ctx, ACCESS_OK, m);
}

static void try_request(struct access_request *rq);

static void on_limit(void *ctx)
{
	struct access_request *rq = ctx;

	if (rq->left > 0) {
		try_request(rq);
		return;
	}
	unlink_request(rq);
	rq->done(rq->ctx, ACCESS_TIMEOUT, NULL);
}

static void on_sent(void *ctx, enum access_result r)
{
	struct access_request *rq = ctx;

	rq->sending = false;
	if (r == ACCESS_NO_KEY || r == ACCESS_TOO_LONG || r == ACCESS_FULL) {
		unlink_request(rq);
		rq->done(rq->ctx, r, NULL);
		return;
	}
	timer_start(rq->access->timers, &rq->limit, rq->wait ? rq->wait : SEC(4), on_limit, rq);
}

static void try_request(struct access_request *rq)
{
	rq->left--;
	memset(&rq->send, 0, sizeof(rq->send));
	rq->send.to = rq->to;
	rq->send.done = on_sent;
	rq->send.ctx = rq;
	rq->sending = true;
	access_send(rq->access, &rq->send, rq->opcode, bytes_of(rq->params, rq->len));
}

void access_request(struct access *a, struct access_request *rq, uint32_t opcode,
		    struct bytes params)
{
	assert(params.n <= sizeof(rq->params));
	rq->access = a;
	rq->opcode = opcode;
	rq->left = rq->tries ? rq->tries : TRIES;
	rq->len = params.n;
	if (params.n > 0)
		memcpy(rq->params, params.p, params.n);
	memset(&rq->limit, 0, sizeof(rq->limit));
	rq->next = a->requests;
	a->requests = rq;
	try_request(rq);
}

void access_request_cancel(struct access *a, struct access_request *rq)
{
	unlink_request(rq);
}
