/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   we                          node
 *    | request                    |
 *    |--------------------------->|  sent, or acknowledged by its transport
 *    |                            |  wait; then again, as often as there are tries
 *    |<---------------------------|  answer: also before that acknowledgment
 *
 * An answer is known by source, opcode, kind of key and what matches() compares; never by order.
 */
#include <assert.h>
#include <string.h>

#include "access_core.h"
#include "upper.h"

enum { TRIES = 3, LAST_HOPE_MS = 1000, AGAIN_MS = 500, WAIT_MS = 3000, WAIT_PER_TTL_MS = 200 };

static void try_once(struct access_request *rq);

static void unlink_request(struct access_request *rq)
{
	struct access_request **at = &rq->access->requests;

	while (*at && *at != rq)
		at = &(*at)->next;
	if (*at)
		*at = rq->next;
	rq->next = NULL;
}

static void close_request(struct access_request *rq)
{
	struct access *a = rq->access;

	access_send_cancel(a, &rq->send);
	timer_stop(a->env.timers, &rq->limit);
	unlink_request(rq);
	secret_wipe(rq->params, rq->len);
}

static void fail(struct access_request *rq, enum access_result r)
{
	close_request(rq);
	rq->done(rq->ctx, r, NULL);
}

static void waited(void *ctx)
{
	struct access_request *rq = ctx;

	if (rq->left > 0) {
		rq->access->counters.retries++;
		try_once(rq);
	} else {
		fail(rq, rq->send.result == ACCESS_OK ? ACCESS_TIMEOUT : rq->send.result);
	}
}

static uint64_t answer_wait(const struct access_request *rq)
{
	unsigned ttl = rq->to.ttl;

	if (rq->wait != 0)
		return rq->wait;
	if (ttl == ACCESS_DEFAULT_TTL)
		ttl = upper_default_ttl(rq->access->env.upper);
	return MSEC(WAIT_MS + WAIT_PER_TTL_MS * ttl);
}

static void sent(void *ctx, enum access_result r)
{
	struct access_request *rq = ctx;
	uint64_t wait = 0;

	rq->sending = false;
	rq->send.result = r;
	switch (r) {
	case ACCESS_NO_KEY:
	case ACCESS_TOO_LONG:
		fail(rq, r);
		return;
	case ACCESS_OK:
		wait = answer_wait(rq);
		break;
	case ACCESS_TIMEOUT:
	case ACCESS_REJECTED:
	case ACCESS_FULL:
		/* An answer may still be under way: only the acknowledgments were lost. */
		wait = MSEC(rq->left > 0 ? AGAIN_MS : LAST_HOPE_MS);
		break;
	}
	timer_start(rq->access->env.timers, &rq->limit, wait, waited, rq);
}

static void try_once(struct access_request *rq)
{
	rq->left--;
	rq->sending = true;
	rq->send.to = rq->to;
	rq->send.done = sent;
	rq->send.ctx = rq;
	access_send(rq->access, &rq->send, rq->opcode, bytes_of(rq->params, rq->len));
}

void access_request(struct access *a, struct access_request *rq, uint32_t opcode,
		    struct bytes params)
{
	struct access_request **at = &a->requests;

	assert(params.n <= sizeof(rq->params));
	for (; *at; at = &(*at)->next)
		assert(*at != rq);
	*at = rq;
	rq->next = NULL;
	rq->access = a;
	rq->opcode = opcode;
	rq->left = rq->tries != 0 ? rq->tries : TRIES;
	rq->len = params.n;
	if (params.n > 0)
		memcpy(rq->params, params.p, params.n);
	a->counters.requests++;
	try_once(rq);
}

void access_request_cancel(struct access *a, struct access_request *rq)
{
	for (struct access_request *r = a->requests; r; r = r->next) {
		if (r == rq) {
			close_request(rq);
			return;
		}
	}
}

bool request_answered(struct access *a, const struct access_message *m)
{
	for (struct access_request *rq = a->requests; rq; rq = rq->next) {
		if (rq->answer_opcode != m->opcode || rq->to.dst != m->src ||
		    rq->to.app_index != m->app_index)
			continue;
		if (rq->matches && !rq->matches(rq->ctx, m))
			continue;
		close_request(rq);
		rq->done(rq->ctx, ACCESS_OK, m);
		return true;
	}
	return false;
}
