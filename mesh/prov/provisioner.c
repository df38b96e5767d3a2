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
 *	Confirmation			-->
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
#include "oob.h"
#include "prov_keys.h"
#include "records.h"

enum {
	QUEUE = 3,    /* Start, Public Key and Confirmation follow each other */
	AUTH_LEN = 1, /* in the table: 16 or 32 by algorithm; no PDU has one octet of parameters */
	ANY_LEN = 2,  /* in the table: the decoder knows */
	PROV_AUTH_MAX = 32,
};

static const uint64_t provisioning_timer = SEC(60); /* 5.4.4 */

/* Where the parts of ConfirmationInputs stand. */
enum {
	AT_INVITE = 0,
	AT_CAPABILITIES = AT_INVITE + 1,
	AT_START = AT_CAPABILITIES + PROV_CAPABILITIES_LEN,
	AT_OUR_KEY = AT_START + PROV_START_LEN,
	AT_DEVICE_KEY = AT_OUR_KEY + PROV_PUBLIC_KEY_LEN,
};

enum prov_state {
	OPENING,
	LINK_OPEN, /* the owner's turn */
	AWAIT_RECORDS_LIST,
	AWAIT_RECORD,
	RECORDS_READ, /* the owner's turn */
	AWAIT_CAPABILITIES,
	ATTENDING, /* the owner's turn: only prov_abort() */
	AWAIT_PUBLIC_KEY,
	AWAIT_CONFIRMATION,
	AWAIT_RANDOM,
	KEY_AGREED, /* the owner's turn */
	AWAIT_COMPLETE,
	CLOSING,
	ENDED,
	PROV_STATES,
};

struct queued {
	size_t n;
	uint8_t pdu[PROV_PDU_MAX];
};

struct prov {
	struct prov_env env;
	struct prov_carrier *carrier; /* NULL once its closed() has come */
	enum prov_state state;
	enum prov_end end;
	enum carrier_end carrier_end;
	uint8_t device_error;
	struct timer limit;
	struct timer turn; /* tells the owner what waits in news */
	unsigned news;	   /* a bit for each enum prov_event_type */
	bool *gone;	   /* set by prov_free() inside an event */
	bool outstanding;  /* the carrier has one of ours */
	struct queued queue[QUEUE];
	size_t n_queued;
	struct records *records;
	struct prov_policy policy;
	bool attend_only;
	bool have_device_key; /* out of band */
	struct prov_capabilities capabilities;
	struct prov_pdu_start start;
	uint8_t inputs[PROV_INPUTS_LEN];
	struct secret32 private_key;
	struct prov_keys keys;
	uint8_t random[PROV_AUTH_MAX];
	uint8_t confirmation[PROV_AUTH_MAX]; /* ours */
	uint8_t device_confirmation[PROV_AUTH_MAX];
	struct prov_session_keys session;
};

static enum prov_state on_records_list(struct prov *p, struct bytes in);
static enum prov_state on_record(struct prov *p, struct bytes in);
static enum prov_state on_capabilities(struct prov *p, struct bytes in);
static enum prov_state on_public_key(struct prov *p, struct bytes in);
static enum prov_state on_confirmation(struct prov *p, struct bytes in);
static enum prov_state on_random(struct prov *p, struct bytes in);
static enum prov_state on_complete(struct prov *p, struct bytes in);

static const struct rule {
	enum prov_pdu_type pdu; /* the one PDU accepted in this state */
	size_t len;		/* of its parameters */
	enum prov_state (*handle)(struct prov *p, struct bytes in); /* returns the next state */
} rules[PROV_STATES] = {
	[AWAIT_RECORDS_LIST] = { PROV_RECORDS_LIST, ANY_LEN, on_records_list },
	[AWAIT_RECORD] = { PROV_RECORD_RESPONSE, ANY_LEN, on_record },
	[AWAIT_CAPABILITIES] = { PROV_CAPABILITIES, PROV_CAPABILITIES_LEN, on_capabilities },
	[AWAIT_PUBLIC_KEY] = { PROV_PUBLIC_KEY, PROV_PUBLIC_KEY_LEN, on_public_key },
	[AWAIT_CONFIRMATION] = { PROV_CONFIRMATION, AUTH_LEN, on_confirmation },
	[AWAIT_RANDOM] = { PROV_RANDOM, AUTH_LEN, on_random },
	[AWAIT_COMPLETE] = { PROV_COMPLETE, 0, on_complete },
};

/* Everything but the device key, which the owner may look at until prov_free(). */
static void wipe(struct prov *p)
{
	secret_wipe(&p->policy, sizeof(p->policy));
	secret_wipe(&p->private_key, sizeof(p->private_key));
	secret_wipe(&p->keys, sizeof(p->keys));
	secret_wipe(p->random, sizeof(p->random));
	secret_wipe(&p->session.session_key, sizeof(p->session.session_key));
	secret_wipe(p->session.nonce, sizeof(p->session.nonce));
	secret_wipe(p->queue, sizeof(p->queue));
	p->n_queued = 0;
}

/* Says how the session ends; returns the state that ends it. */
static enum prov_state fail(struct prov *p, enum prov_end end)
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
	if (ev->type == PROV_EV_KEY_AGREED)
		ev->device_key = &p->session.device_key;
	if (ev->type == PROV_EV_ENDED) {
		ev->end = p->end;
		ev->carrier_end = p->carrier_end;
		ev->device_error = p->device_error;
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

/* The owner hears of it in a turn of its own: never inside a call, never with us half-way. */
static void announce(struct prov *p, unsigned news)
{
	p->news |= news;
	if (p->news && !timer_running(&p->turn))
		timer_start(p->env.timers, &p->turn, 0, tell, p);
}

static void pump(struct prov *p)
{
	struct queued *first = &p->queue[0];

	if (p->outstanding || p->n_queued == 0)
		return;
	p->outstanding = true;
	p->carrier->ops->send(p->carrier, bytes_of(first->pdu, first->n));
	if (first->pdu[0] == PROV_DATA)
		announce(p, 1u << PROV_EV_DATA_SENT);
	p->n_queued--;
	memmove(first, first + 1, p->n_queued * sizeof(*first));
}

static struct wr compose(struct prov *p)
{
	assert(p->n_queued < QUEUE);
	return wr_to(p->queue[p->n_queued].pdu, PROV_PDU_MAX);
}

static void send(struct prov *p, const struct wr *w)
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

/* The one place where the state changes. */
static void prov_enter(struct prov *p, enum prov_state next)
{
	static const unsigned news[PROV_STATES] = {
		[LINK_OPEN] = 1u << PROV_EV_LINK_OPEN,
		[RECORDS_READ] = 1u << PROV_EV_RECORDS,
		[ATTENDING] = 1u << PROV_EV_CAPABILITIES,
		[KEY_AGREED] = 1u << PROV_EV_KEY_AGREED,
		[ENDED] = 1u << PROV_EV_ENDED,
	};

	p->state = next;
	if (next < CLOSING) {
		timer_start(p->env.timers, &p->limit, provisioning_timer, limit_over, p);
	} else {
		timer_stop(p->env.timers, &p->limit);
		/* Nothing is left to decide. */
		p->news &= ~(news[LINK_OPEN] | news[RECORDS_READ] | news[KEY_AGREED]);
		wipe(p);
	}
	announce(p, news[next]);
	if (next == CLOSING) {
		log_debug("prov: closing: %s", prov_end_text(p->end));
		p->carrier->ops->close(p->carrier, close_reason(p));
	}
}

static void limit_over(void *ctx)
{
	struct prov *p = ctx;

	prov_enter(p, fail(p, PROV_END_TIMEOUT));
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
		w = compose(p);
		prov_pdu_record_request_encode(&w, &request);
		send(p, &w);
		return AWAIT_RECORD;
	}
	return fail(p, PROV_END_RECORDS);
}

static enum prov_state on_records_list(struct prov *p, struct bytes in)
{
	return after_records_step(p, records_take_list(p->records, in));
}

static enum prov_state on_record(struct prov *p, struct bytes in)
{
	return after_records_step(p, records_take(p->records, in));
}

/* Both public keys are known: shared secret, AuthValue, and our commitment to Random. */
static enum prov_state commit(struct prov *p)
{
	const uint8_t *device_key = p->inputs + AT_DEVICE_KEY;
	size_t n = prov_keys_auth_len(p->start.algorithm);
	struct secret32 ecdh = { { 0 } }, auth_value = { { 0 } };
	struct prov_pdu_proof proof = { .value = bytes_of(p->confirmation, n) };
	struct wr w;

	/* Our X with either Y is a reflection: CVE-2020-26560. */
	if (memcmp(device_key, p->inputs + AT_OUR_KEY, PROV_PUBLIC_KEY_LEN / 2) == 0 ||
	    !p256_ecdh(&p->private_key, device_key, &ecdh))
		return fail(p, PROV_END_KEY_INVALID);
	secret_wipe(&p->private_key, sizeof(p->private_key));
	if (p->start.method == PROV_AUTH_STATIC)
		oob_auth_binary(bytes_of(p->policy.static_oob, p->policy.static_oob_len),
				&auth_value, n);
	prov_keys_init(&p->keys, p->start.algorithm, p->inputs, &ecdh, &auth_value);
	secret_wipe(&ecdh, sizeof(ecdh));
	secret_wipe(&auth_value, sizeof(auth_value));
	p->env.random(p->env.random_ctx, p->random, n);
	prov_keys_confirmation(&p->keys, p->random, p->confirmation);
	w = compose(p);
	prov_pdu_confirmation_encode(&w, &proof);
	send(p, &w);
	return AWAIT_CONFIRMATION;
}

static void send_start(struct prov *p)
{
	struct wr w = compose(p);

	prov_pdu_start_encode(&w, &p->start);
	memcpy(p->inputs + AT_START, w.p + 1, PROV_START_LEN);
	send(p, &w);
}

static void send_public_key(struct prov *p)
{
	struct prov_pdu_public_key key;
	struct wr w = compose(p);

	memcpy(key.xy, p->inputs + AT_OUR_KEY, sizeof(key.xy));
	prov_pdu_public_key_encode(&w, &key);
	send(p, &w);
}

static enum prov_state on_capabilities(struct prov *p, struct bytes in)
{
	enum prov_end why;

	if (!prov_pdu_capabilities_decode(&p->capabilities, in))
		return fail(p, PROV_END_PROTOCOL);
	memcpy(p->inputs + AT_CAPABILITIES, in.p, PROV_CAPABILITIES_LEN);
	if (p->attend_only)
		return ATTENDING;
	if (!oob_choose(&p->policy, &p->capabilities, p->have_device_key, &p->start, &why))
		return fail(p, why);
	if (!prov_keys_pair(p->env.random, p->env.random_ctx, &p->private_key,
			    p->inputs + AT_OUR_KEY))
		return fail(p, PROV_END_KEY_INVALID);
	announce(p, 1u << PROV_EV_CAPABILITIES);
	send_start(p);
	send_public_key(p);
	return p->start.oob_public_key ? commit(p) : AWAIT_PUBLIC_KEY;
}

static enum prov_state on_public_key(struct prov *p, struct bytes in)
{
	memcpy(p->inputs + AT_DEVICE_KEY, in.p, PROV_PUBLIC_KEY_LEN);
	return commit(p);
}

static enum prov_state on_confirmation(struct prov *p, struct bytes in)
{
	struct prov_pdu_proof proof = { .value = bytes_of(p->random, in.n) };
	struct wr w;

	if (secret_equal(in.p, p->confirmation, in.n))
		return fail(p, PROV_END_AUTH_FAILED);
	memcpy(p->device_confirmation, in.p, in.n);
	w = compose(p);
	prov_pdu_random_encode(&w, &proof);
	send(p, &w);
	return AWAIT_RANDOM;
}

static enum prov_state on_random(struct prov *p, struct bytes in)
{
	uint8_t expected[PROV_AUTH_MAX];
	bool proved;

	prov_keys_confirmation(&p->keys, in.p, expected);
	proved = !secret_equal(in.p, p->random, in.n) &&
		 secret_equal(expected, p->device_confirmation, in.n);
	secret_wipe(expected, sizeof(expected));
	if (!proved)
		return fail(p, PROV_END_AUTH_FAILED);
	prov_keys_session(&p->keys, p->random, in.p, &p->session);
	secret_wipe(&p->keys, sizeof(p->keys));
	return KEY_AGREED; /* our owner saves the device key, then calls prov_send_data() */
}

static enum prov_state on_complete(struct prov *p, struct bytes in)
{
	announce(p, 1u << PROV_EV_COMPLETE);
	return fail(p, PROV_OK);
}

static enum prov_state on_failed(struct prov *p, struct bytes in)
{
	struct prov_pdu_failed failed;

	if (!prov_pdu_failed_decode(&failed, in))
		return fail(p, PROV_END_PROTOCOL);
	p->device_error = failed.error;
	return fail(p, PROV_END_DEVICE_FAILED);
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
		return fail(p, PROV_END_PROTOCOL);
	if (type == PROV_FAILED)
		return on_failed(p, in);
	if (!rule->handle || type != rule->pdu || p->n_queued > 0 ||
	    !length_fits(p, rule->len, in.n))
		return fail(p, PROV_END_PROTOCOL);
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
	timer_start(p->env.timers, &p->limit, provisioning_timer, limit_over, p);
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
	w = compose(p);
	prov_pdu_empty_encode(&w, PROV_RECORDS_GET);
	send(p, &w);
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
		prov_enter(p, fail(p, PROV_END_KEY_INVALID));
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
	w = compose(p);
	prov_pdu_invite_encode(&w, &invite);
	send(p, &w);
	prov_enter(p, AWAIT_CAPABILITIES);
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
	w = compose(p);
	prov_pdu_data_encode(&w, &m);
	send(p, &w);
	prov_enter(p, AWAIT_COMPLETE);
}

void prov_abort(struct prov *p)
{
	if (p->state < CLOSING)
		prov_enter(p, fail(p, PROV_END_ABORTED));
}
