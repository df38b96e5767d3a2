/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opcodes to listeners, and messages out. Requests are in request.c.
 *
 * A message to our own element never goes on the air (3.4.5.3): it comes back from a timer, and
 * "the device key of the node that owns dst" is then our own.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "access_core.h"
#include "opcode.h"
#include "upper.h"

static_assert((int)ACCESS_DEVICE_KEY == (int)UPPER_DEVICE_KEY &&
		      (int)ACCESS_CANDIDATE_KEY == (int)UPPER_CANDIDATE_KEY &&
		      (int)ACCESS_OWN_DEVICE_KEY == (int)UPPER_OWN_DEVICE_KEY,
	      "one numbering of keys");

struct access *access_new(const struct access_env *env)
{
	struct access *a = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->env = *env;
	return a;
}

void access_free(struct access *a)
{
	for (size_t i = 0; i < ACCESS_LOOPS; i++)
		timer_stop(a->env.timers, &a->loop[i].timer);
	free(a);
}

void access_listen(struct access *a, struct access_listener *l)
{
	struct access_listener **at = &a->listeners;

	while (*at)
		at = &(*at)->next;
	l->next = NULL;
	*at = l;
}

void access_unlisten(struct access *a, struct access_listener *l)
{
	for (struct access_listener **at = &a->listeners; *at; at = &(*at)->next) {
		if (*at != l)
			continue;
		*at = l->next;
		if (a->next_listener == l)
			a->next_listener = l->next;
		l->next = NULL;
		return;
	}
}

void access_malformed(struct access *a)
{
	a->malformed = true;
}

bool access_heard(struct access *a, struct access_message *m, struct bytes pdu)
{
	struct rd r = rd_from(pdu);
	bool taken;

	if (!opcode_read(&r, &m->opcode)) {
		a->counters.malformed++;
		return false;
	}
	m->params = rd_rest(&r);
	a->counters.received++;
	if (a->env.trace)
		a->env.trace(a->env.ctx, m, pdu, false);
	a->malformed = false;
	taken = request_answered(a, m);
	/* A listener may take any listener out of the list, itself too. */
	for (struct access_listener *l = a->listeners; l; l = a->next_listener) {
		a->next_listener = l->next;
		if (l->opcode != m->opcode)
			continue;
		taken = true;
		l->heard(l->ctx, m);
	}
	if (a->malformed)
		a->counters.malformed++;
	else if (!taken)
		a->counters.unheard++;
	return taken;
}

static enum access_result result_of(enum lower_result r)
{
	switch (r) {
	case LOWER_OK:
		return ACCESS_OK;
	case LOWER_TIMEOUT:
		return ACCESS_TIMEOUT;
	case LOWER_REJECTED:
		return ACCESS_REJECTED;
	case LOWER_NO_KEY:
		return ACCESS_NO_KEY;
	case LOWER_FULL:
		return ACCESS_FULL;
	}
	return ACCESS_FULL;
}

static void transfer_done(void *ctx, enum lower_result r)
{
	struct access_send *s = ctx;

	s->transfer = 0;
	if (s->done)
		s->done(s->ctx, result_of(r));
}

static void tell_later(void *ctx)
{
	struct access_send *s = ctx;

	if (s->done)
		s->done(s->ctx, s->result);
}

static void loop_back(void *ctx)
{
	struct access_loop *l = ctx;
	struct access_message m = l->message;
	uint8_t pdu[ACCESS_MAX];
	size_t n = l->len;

	/* The place is free before anybody hears, and may answer. */
	memcpy(pdu, l->pdu, n);
	l->used = false;
	access_heard(l->access, &m, bytes_of(pdu, n));
}

static enum access_result loop_send(struct access *a, const struct access_message *m,
				    struct bytes pdu)
{
	for (size_t i = 0; i < ACCESS_LOOPS; i++) {
		struct access_loop *l = &a->loop[i];

		if (l->used)
			continue;
		l->used = true;
		l->access = a;
		l->message = *m;
		if (m->app_index == ACCESS_DEVICE_KEY)
			l->message.app_index = ACCESS_OWN_DEVICE_KEY;
		else if (m->app_index == ACCESS_OWN_DEVICE_KEY)
			l->message.app_index = ACCESS_DEVICE_KEY;
		l->len = pdu.n;
		memcpy(l->pdu, pdu.p, pdu.n);
		timer_start(a->env.timers, &l->timer, 0, loop_back, l);
		return ACCESS_OK;
	}
	a->counters.loop_full++;
	return ACCESS_FULL;
}

static enum access_result send_now(struct access *a, struct access_send *s, uint32_t opcode,
				   struct bytes params)
{
	uint8_t pdu[ACCESS_MAX];
	struct wr w = wr_to(pdu, sizeof(pdu));
	struct access_message m = { .src = upper_address(a->env.upper),
				    .dst = s->to.dst,
				    .net_index = s->to.net_index,
				    .app_index = s->to.app_index,
				    .ttl = s->to.ttl,
				    .opcode = opcode };
	struct lower_message lower = { .dst = s->to.dst,
				       .net_index = s->to.net_index,
				       .key = s->to.app_index,
				       .segmented = s->to.segmented,
				       .done = transfer_done,
				       .ctx = s };
	enum access_result r;

	if (m.ttl == ACCESS_DEFAULT_TTL)
		m.ttl = upper_default_ttl(a->env.upper);
	assert(m.ttl != 1 && m.ttl <= 127 && s->to.dst != ADDR_UNASSIGNED);
	lower.ttl = m.ttl;
	if (!opcode_write(&w, opcode))
		assert(!"an opcode");
	wr_bytes(&w, params);
	if (!wr_ok(&w))
		return ACCESS_TOO_LONG;
	m.params = params;
	if (m.dst == m.src)
		r = loop_send(a, &m, wr_done(&w));
	else
		r = result_of(upper_send(a->env.upper, &lower, wr_done(&w), &s->transfer));
	if (r == ACCESS_OK) {
		a->counters.sent++;
		if (a->env.trace)
			a->env.trace(a->env.ctx, &m, wr_done(&w), true);
	}
	return r;
}

void access_send(struct access *a, struct access_send *s, uint32_t opcode, struct bytes params)
{
	s->access = a;
	s->transfer = 0;
	/* Owners reuse the struct; one that was never used is zeroed, so this is safe. */
	timer_stop(a->env.timers, &s->later);
	s->result = send_now(a, s, opcode, params);
	if (s->transfer == 0)
		timer_start(a->env.timers, &s->later, 0, tell_later, s);
}

void access_send_cancel(struct access *a, struct access_send *s)
{
	timer_stop(a->env.timers, &s->later);
	if (s->transfer != 0)
		upper_cancel(a->env.upper, s->transfer);
	s->transfer = 0;
}

const struct access_counters *access_counters(const struct access *a)
{
	return &a->counters;
}
