/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	Provisioner				device			5.4
 *	Link Open			-->
 *	[Records Get, Record Request	-->				before Invite only
 *					<--	Records List, Record Response]
 *	Invite				-->
 *					<--	Capabilities
 *	Start				-->
 *	Public Key			-->
 *					<--	Public Key		unless known out of band
 *							shows a value	output OOB: the owner's turn
 *					<--	Input Complete		input OOB: our value was
 *entered Confirmation			-->
 *					<--	Confirmation
 *	Random				-->
 *					<--	Random
 *	Data				-->				owner has stored the key
 *					<--	Complete
 *	Link Close			-->
 *
 * Provisioning Failed may come in place of any answer. Whatever does not fit closes the link with
 * Fail at once; nothing of a session can be resumed.
 */
#include "provisioner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "prov_session.h"

enum {
	AUTH_LEN = 1, /* in the table: 16 or 32 by algorithm; no PDU has one octet of parameters */
	ANY_LEN = 2,  /* in the table: the decoder knows */
};

/* 5.4.4: at least 60 s, at least 120 s with a person in between. While a prompt is open it is ours
 * that counts, so that there is time for the Confirmation before the device gives up. */
static const uint64_t provisioning_timer = SEC(60), patient_timer = SEC(120);
static const uint64_t prompt_timer = SEC(PROV_PROMPT_SECONDS);

static enum prov_state on_records_list(struct prov *p, struct bytes in);
static enum prov_state on_record(struct prov *p, struct bytes in);

static const struct rule {
	enum prov_pdu_type pdu; /* the one PDU accepted in this state */
	size_t len;		/* of its parameters */
	enum prov_state (*handle)(struct prov *p, struct bytes in); /* returns the next state */
} rules[PROV_STATES] = {
	[AWAIT_RECORDS_LIST] = { PROV_RECORDS_LIST, ANY_LEN, on_records_list },
	[AWAIT_RECORD] = { PROV_RECORD_RESPONSE, ANY_LEN, on_record },
	[AWAIT_CAPABILITIES] = { PROV_CAPABILITIES, PROV_CAPABILITIES_LEN, prov_auth_capabilities },
	[AWAIT_PUBLIC_KEY] = { PROV_PUBLIC_KEY, PROV_PUBLIC_KEY_LEN, prov_auth_public_key },
	[AWAIT_INPUT_COMPLETE] = { PROV_INPUT_COMPLETE, 0, prov_auth_input_complete },
	[AWAIT_CONFIRMATION] = { PROV_CONFIRMATION, AUTH_LEN, prov_auth_confirmation },
	[AWAIT_RANDOM] = { PROV_RANDOM, AUTH_LEN, prov_auth_random },
	[AWAIT_COMPLETE] = { PROV_COMPLETE, 0, prov_auth_complete },
};

/* Everything but the device key, which the owner may look at until prov_free(). */
static void wipe(struct prov *p)
{
	secret_wipe(&p->policy, sizeof(p->policy));
	secret_wipe(&p->private_key, sizeof(p->private_key));
	secret_wipe(&p->ecdh, sizeof(p->ecdh));
	secret_wipe(p->value, sizeof(p->value));
	secret_wipe(&p->keys, sizeof(p->keys));
	secret_wipe(p->random, sizeof(p->random));
	secret_wipe(&p->session.session_key, sizeof(p->session.session_key));
	secret_wipe(p->session.nonce, sizeof(p->session.nonce));
	secret_wipe(p->queue, sizeof(p->queue));
	p->n_queued = 0;
}

enum prov_state prov_fail(struct prov *p, enum prov_end end)
{
	p->end = end;
	return CLOSING;
}

static void describe(struct prov *p, struct prov_event *ev,
		     struct prov_record_data records[PROV_RECORDS_MAX])
{
	if (ev->type == PROV_EV_RECORDS) {
		ev->records = records;
		ev->n_records = records_view(p->records, records);
	}
	if (ev->type == PROV_EV_CAPABILITIES || ev->type == PROV_EV_KEY_AGREED) {
		ev->capabilities = &p->capabilities;
		ev->algorithm = p->start.algorithm;
		ev->method = p->start.method;
		ev->oob_public_key = p->start.oob_public_key;
	}
	if (ev->type == PROV_EV_OOB_OUTPUT || ev->type == PROV_EV_OOB_INPUT) {
		ev->method = p->start.method;
		ev->action = p->start.action;
		ev->size = p->start.size;
		ev->value = ev->type == PROV_EV_OOB_INPUT ? p->value : NULL;
	}
	if (ev->type == PROV_EV_KEY_AGREED)
		ev->device_key = &p->session.device_key;
	if (ev->type == PROV_EV_ENDED) {
		ev->end = p->end;
		ev->carrier_end = p->carrier_end;
		ev->device_error = p->device_error;
		ev->prompting = p->prompted;
	}
}

static void tell(void *ctx)
{
	struct prov *p = ctx;
	struct prov_record_data records[PROV_RECORDS_MAX];
	bool gone = false;

	p->gone = &gone;
	for (enum prov_event_type type = PROV_EV_LINK_OPEN; type <= PROV_EV_ENDED; type++) {
		struct prov_event ev = { .type = type };

		if (!(p->news & 1u << type))
			continue;
		p->news &= ~(1u << type);
		describe(p, &ev, records);
		p->env.event(p->env.ctx, &ev);
		if (gone)
			return;
	}
	p->gone = NULL;
}

void prov_announce(struct prov *p, unsigned news)
{
	p->news |= news;
	if (p->news && !timer_running(&p->turn))
		timer_start(p->env.timers, &p->turn, 0, tell, p);
}

static void pump(struct prov *p)
{
	struct prov_queued *first = &p->queue[0];

	if (p->outstanding || p->n_queued == 0)
		return;
	p->outstanding = true;
	p->carrier->ops->send(p->carrier, bytes_of(first->pdu, first->n));
	if (first->pdu[0] == PROV_DATA)
		prov_announce(p, 1u << PROV_EV_DATA_SENT);
	p->n_queued--;
	memmove(first, first + 1, p->n_queued * sizeof(*first));
}

struct wr prov_compose(struct prov *p)
{
	assert(p->n_queued < PROV_QUEUE);
	return wr_to(p->queue[p->n_queued].pdu, PROV_PDU_MAX);
}

void prov_queue(struct prov *p, const struct wr *w)
{
	assert(wr_ok(w));
	p->queue[p->n_queued++].n = w->n;
	pump(p);
}

static enum prov_close_reason close_reason(const struct prov *p)
{
	if (p->end == PROV_OK || (p->end == PROV_END_ABORTED && p->attend_only))
		return PROV_CLOSE_SUCCESS;
	return p->end == PROV_END_TIMEOUT ? PROV_CLOSE_TIMEOUT : PROV_CLOSE_FAIL;
}

static void limit_over(void *ctx);

bool prov_is_prompting(const struct prov *p)
{
	return p->state == AWAIT_OOB_VALUE || p->state == AWAIT_INPUT_COMPLETE;
}

static uint64_t limit_of(const struct prov *p)
{
	if (prov_is_prompting(p))
		return prompt_timer;
	return p->start.method == PROV_AUTH_OUTPUT || p->start.method == PROV_AUTH_INPUT
		       ? patient_timer
		       : provisioning_timer;
}

void prov_enter(struct prov *p, enum prov_state next)
{
	static const unsigned news[PROV_STATES] = {
		[LINK_OPEN] = 1u << PROV_EV_LINK_OPEN,
		[RECORDS_READ] = 1u << PROV_EV_RECORDS,
		[ATTENDING] = 1u << PROV_EV_CAPABILITIES,
		[AWAIT_OOB_VALUE] = 1u << PROV_EV_OOB_OUTPUT,
		[AWAIT_INPUT_COMPLETE] = 1u << PROV_EV_OOB_INPUT,
		[KEY_AGREED] = 1u << PROV_EV_KEY_AGREED,
		[ENDED] = 1u << PROV_EV_ENDED,
	};

	if (next >= CLOSING)
		p->prompted |= prov_is_prompting(p);
	p->state = next;
	if (next < CLOSING) {
		timer_start(p->env.timers, &p->limit, limit_of(p), limit_over, p);
	} else {
		timer_stop(p->env.timers, &p->limit);
		/* Nothing is left to decide. */
		p->news &= ~(news[LINK_OPEN] | news[RECORDS_READ] | news[KEY_AGREED] |
			     news[AWAIT_OOB_VALUE] | news[AWAIT_INPUT_COMPLETE]);
		wipe(p);
	}
	prov_announce(p, news[next]);
	if (next == CLOSING) {
		log_debug("prov: closing: %s", prov_end_text(p->end));
		p->carrier->ops->close(p->carrier, close_reason(p));
	}
}

static void limit_over(void *ctx)
{
	struct prov *p = ctx;

	prov_enter(p, prov_fail(p, PROV_END_TIMEOUT));
}

static enum prov_state after_records_step(struct prov *p, enum records_step step)
{
	struct prov_pdu_record_request request;
	struct wr w;

	switch (step) {
	case RECORDS_BAD:
		break;
	case RECORDS_DONE:
		return RECORDS_READ;
	case RECORDS_ASK:
		request = records_next(p->records);
		w = prov_compose(p);
		prov_pdu_record_request_encode(&w, &request);
		prov_queue(p, &w);
		return AWAIT_RECORD;
	}
	return prov_fail(p, PROV_END_RECORDS);
}

static enum prov_state on_records_list(struct prov *p, struct bytes in)
{
	return after_records_step(p, records_take_list(p->records, in));
}

static enum prov_state on_record(struct prov *p, struct bytes in)
{
	return after_records_step(p, records_take(p->records, in));
}

static enum prov_state on_failed(struct prov *p, struct bytes in)
{
	struct prov_pdu_failed failed;

	if (!prov_pdu_failed_decode(&failed, in))
		return prov_fail(p, PROV_END_PROTOCOL);
	p->device_error = failed.error;
	return prov_fail(p, PROV_END_DEVICE_FAILED);
}

static bool length_fits(const struct prov *p, size_t len, size_t n)
{
	switch (len) {
	case ANY_LEN:
		return true;
	case AUTH_LEN:
		return n == prov_keys_auth_len(p->start.algorithm);
	default:
		return n == len;
	}
}

/* An answer to something that has not left yet cannot be one. */
static enum prov_state judge(struct prov *p, struct bytes pdu)
{
	const struct rule *rule = &rules[p->state];
	enum prov_pdu_type type;
	struct bytes in;

	if (!prov_pdu_split(pdu, &type, &in))
		return prov_fail(p, PROV_END_PROTOCOL);
	if (type == PROV_FAILED)
		return on_failed(p, in);
	if (!rule->handle || type != rule->pdu || p->n_queued > 0 ||
	    !length_fits(p, rule->len, in.n))
		return prov_fail(p, PROV_END_PROTOCOL);
	return rule->handle(p, in);
}

static void carrier_opened(void *ctx)
{
	struct prov *p = ctx;

	if (p->state == OPENING)
		prov_enter(p, LINK_OPEN);
}

static void carrier_sent(void *ctx)
{
	struct prov *p = ctx;

	p->outstanding = false;
	if (p->state >= CLOSING)
		return;
	if (!prov_is_prompting(p)) /* a prompt's limit is promised already */
		timer_start(p->env.timers, &p->limit, limit_of(p), limit_over, p);
	pump(p);
}

static void carrier_received(void *ctx, struct bytes pdu)
{
	struct prov *p = ctx;

	if (p->state < CLOSING)
		prov_enter(p, judge(p, pdu));
}

static void carrier_closed(void *ctx, enum carrier_end end)
{
	struct prov *p = ctx;

	p->carrier = NULL;
	p->carrier_end = end;
	if (p->state != CLOSING)
		p->end = PROV_END_CARRIER;
	prov_enter(p, ENDED);
}

static const struct prov_carrier_events carrier_events = {
	.opened = carrier_opened,
	.sent = carrier_sent,
	.received = carrier_received,
	.closed = carrier_closed,
};

struct prov *prov_new(const struct prov_env *env, struct prov_carrier *carrier,
		      const uint8_t uuid[UUID_LEN])
{
	struct prov *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->env = *env;
	p->carrier = carrier;
	carrier->events = &carrier_events;
	carrier->ctx = p;
	carrier->ops->open(carrier, uuid); /* how long it may take is the carrier's to say */
	return p;
}

static void no_event(void *ctx)
{
}

static void no_received(void *ctx, struct bytes pdu)
{
}

static void no_closed(void *ctx, enum carrier_end end)
{
}

static const struct prov_carrier_events nobody = { no_event, no_event, no_received, no_closed };

void prov_free(struct prov *p)
{
	if (!p)
		return;
	if (p->gone)
		*p->gone = true;
	if (p->carrier)
		p->carrier->events = &nobody;
	timer_stop(p->env.timers, &p->limit);
	timer_stop(p->env.timers, &p->turn);
	records_free(p->records);
	secret_wipe(p, sizeof(*p));
	free(p);
}

void prov_read_records(struct prov *p)
{
	struct wr w;

	if (p->state >= CLOSING)
		return;
	assert(p->state == LINK_OPEN);
	p->records = records_new();
	w = prov_compose(p);
	prov_pdu_empty_encode(&w, PROV_RECORDS_GET);
	prov_queue(p, &w);
	prov_enter(p, AWAIT_RECORDS_LIST);
}

void prov_invite(struct prov *p, const struct prov_policy *policy, const uint8_t *oob_public_key,
		 uint8_t attention)
{
	struct prov_pdu_invite invite = { .attention = attention };
	struct wr w;

	if (p->state >= CLOSING)
		return;
	assert(p->state == LINK_OPEN || p->state == RECORDS_READ);
	if (oob_public_key && !p256_valid(oob_public_key)) {
		prov_enter(p, prov_fail(p, PROV_END_KEY_INVALID));
		return;
	}
	p->attend_only = !policy;
	if (policy) {
		assert(policy->static_oob_len <= sizeof(policy->static_oob));
		p->policy = *policy;
	}
	p->have_device_key = oob_public_key;
	if (oob_public_key)
		memcpy(p->inputs + AT_DEVICE_KEY, oob_public_key, PROV_PUBLIC_KEY_LEN);
	p->inputs[AT_INVITE] = attention;
	w = prov_compose(p);
	prov_pdu_invite_encode(&w, &invite);
	prov_queue(p, &w);
	prov_enter(p, AWAIT_CAPABILITIES);
}

bool prov_oob_value(struct prov *p, const char *text)
{
	enum prov_state next = prov_auth_value(p, text);

	if (next != p->state)
		prov_enter(p, next);
	return p->state != AWAIT_OOB_VALUE;
}

void prov_send_data(struct prov *p, const struct prov_data *data)
{
	struct prov_pdu_data m;
	struct wr w;

	if (p->state >= CLOSING)
		return;
	assert(p->state == KEY_AGREED);
	assert(data->address != ADDR_UNASSIGNED &&
	       data->address + p->capabilities.elements - 1 <= ADDR_UNICAST_LAST);
	prov_keys_seal(&p->session, data, m.sealed);
	secret_wipe(&p->session.session_key, sizeof(p->session.session_key));
	secret_wipe(p->session.nonce, sizeof(p->session.nonce));
	w = prov_compose(p);
	prov_pdu_data_encode(&w, &m);
	prov_queue(p, &w);
	prov_enter(p, AWAIT_COMPLETE);
}

void prov_abort(struct prov *p)
{
	if (p->state < CLOSING)
		prov_enter(p, prov_fail(p, PROV_END_ABORTED));
}
