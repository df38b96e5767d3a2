/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provisioner's side of a session with a hostile device on a carrier that delivers everything.
 * Input: an octet of policy, then what the device does, one octet each (enum deed), some with
 * more. Honest answers are computed here, so that the session reaches its end. Accepted: the
 * device joined. Promises: what the policy forbids never joins, the end comes once and last, and
 * no key is agreed with whom cannot prove it.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "oob.h"
#include "prov_keys.h"
#include "provisioner.h"

enum policy {
	WANT_HMAC = 1 << 0,
	WANT_OOB_KEY = 1 << 1,
	WANT_STATIC = 1 << 2,
	ALLOW_NONE = 1 << 3,
	SAW_STRONGER = 1 << 4,
	HAVE_STATIC = 1 << 5,
	HAVE_KEY = 1 << 6,
	RECORDS = 1 << 7,
	PROMPT = WANT_STATIC | ALLOW_NONE, /* both at once: a person is asked, output first */
};

enum deed {
	HONEST,	 /* what is due; Capabilities, and the list and records, from the input */
	SPOILED, /* two octets: what is due, with this octet changed by that */
	RAW,	 /* length, a PDU */
	REFLECT, /* our last PDU comes back */
	WAIT,	 /* seconds */
	VANISH,	 /* the carrier closes */
	SENT,	 /* the carrier says that our PDU was delivered */
	GIVE_UP, /* the owner aborts */
	TELL,	 /* length, what a person says that the device shows */
	DEEDS,
};

struct world {
	struct timers timers;
	struct prov_carrier carrier;
	struct prov *prov;
	uint8_t policy;
	bool open, outstanding, closing, closed; /* of the carrier */
	bool ended, agreed, complete;
	size_t last_n;
	uint8_t last[PROV_PDU_MAX];
	uint8_t inputs[PROV_INPUTS_LEN], random;
	struct secret32 device_key, auth;
	uint8_t device_public[P256_PUBLIC];
	struct prov_keys keys;
	bool keyed;
	bool prompted;
	char value[PROV_OOB_TEXT];
	uint8_t our_random[32];
};

static bool prompts(const struct world *w)
{
	return (w->policy & PROMPT) == PROMPT;
}

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static struct world *world_of(struct prov_carrier *c)
{
	return CONTAINER_OF(c, struct world, carrier);
}

static void carrier_open(struct prov_carrier *c, const uint8_t uuid[UUID_LEN])
{
	world_of(c)->open = true;
}

static void carrier_send(struct prov_carrier *c, struct bytes pdu)
{
	struct world *w = world_of(c);
	uint8_t *in = w->inputs;

	promise(w->open && !w->outstanding && !w->closing && pdu.n > 0 && pdu.n <= PROV_PDU_MAX);
	w->outstanding = true;
	memcpy(w->last, pdu.p, pdu.n);
	w->last_n = pdu.n;
	if (pdu.p[0] == PROV_INVITE)
		in[0] = pdu.p[1];
	else if (pdu.p[0] == PROV_START)
		memcpy(in + 1 + PROV_CAPABILITIES_LEN, pdu.p + 1, PROV_START_LEN);
	else if (pdu.p[0] == PROV_PUBLIC_KEY)
		memcpy(in + 17, pdu.p + 1, P256_PUBLIC);
}

static void carrier_close(struct prov_carrier *c, enum prov_close_reason reason)
{
	struct world *w = world_of(c);

	promise(!w->closing && !w->closed);
	w->closing = true;
}

static const struct prov_carrier_ops carrier_ops = { carrier_open, carrier_send, carrier_close };

static void counting(void *ctx, void *out, size_t n)
{
	struct world *w = ctx;

	memset(out, 0x10 + w->random++ % 0x40, n);
}

static void on_agreed(struct world *w, const struct prov_event *ev)
{
	struct prov_data data = { .address = 0x0100, .iv_index = 5 };
	bool hmac = ev->algorithm == PROV_ALG_HMAC;

	promise(!w->agreed && ev->device_key && w->keyed);
	promise(hmac || !(w->policy & (WANT_HMAC | SAW_STRONGER)));
	promise(ev->oob_public_key || !(w->policy & WANT_OOB_KEY));
	promise(ev->method == PROV_AUTH_STATIC || !(w->policy & WANT_STATIC) || prompts(w));
	promise(ev->method != PROV_AUTH_NONE || !prompts(w));
	promise(w->prompted == (ev->method >= PROV_AUTH_OUTPUT));
	promise(ev->method != PROV_AUTH_NONE || ev->oob_public_key || w->policy & ALLOW_NONE);
	w->agreed = true;
	prov_send_data(w->prov, &data);
}

static void on_event(void *ctx, const struct prov_event *ev)
{
	struct world *w = ctx;
	struct prov_policy p = {
		.min_algorithm = w->policy & WANT_HMAC ? PROV_ALG_HMAC : PROV_ALG_CMAC,
		.saw_stronger = w->policy & SAW_STRONGER,
		.require_oob_public_key = w->policy & WANT_OOB_KEY,
		.allow_none = w->policy & ALLOW_NONE,
		.require_static_oob = w->policy & WANT_STATIC && !prompts(w),
		.prompt = prompts(w) ? PROV_PROMPT_OUTPUT : PROV_PROMPT_NEVER,
		.static_oob = { 7 },
		.static_oob_len = w->policy & HAVE_STATIC ? 16 : 0,
	};

	promise(!w->ended);
	if (ev->type == PROV_EV_OOB_OUTPUT || ev->type == PROV_EV_OOB_INPUT) {
		promise(!w->prompted && ev->size >= 1 && ev->size <= PROV_OOB_SIZE);
		promise(prov_is_prompting(w->prov));
		w->prompted = true;
		if (ev->value)
			memcpy(w->value, ev->value, strlen(ev->value) + 1);
		promise(ev->method == PROV_AUTH_OUTPUT ||
			oob_text_fits(oob_type_of(ev->method, ev->action), ev->size, w->value));
	}
	if (ev->type == PROV_EV_LINK_OPEN && w->policy & RECORDS)
		prov_read_records(w->prov);
	else if (ev->type == PROV_EV_LINK_OPEN || ev->type == PROV_EV_RECORDS)
		prov_invite(w->prov, &p, w->policy & HAVE_KEY ? w->device_public : NULL, 5);
	else if (ev->type == PROV_EV_KEY_AGREED)
		on_agreed(w, ev);
	else if (ev->type == PROV_EV_COMPLETE)
		w->complete = w->agreed;
	else if (ev->type == PROV_EV_ENDED)
		w->ended = true;
	promise(ev->type != PROV_EV_ENDED || ev->end != PROV_OK || w->complete);
}

/* The device's turn of events. */

static void deliver(struct world *w, const uint8_t *pdu, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);

	promise(exact);
	if (n > 0)
		memcpy(exact, pdu, n);
	if (n > PROV_CAPABILITIES_LEN && pdu[0] == PROV_CAPABILITIES)
		memcpy(w->inputs + 1, pdu + 1, PROV_CAPABILITIES_LEN);
	if (w->open && !w->closed && !w->ended)
		w->carrier.events->received(w->carrier.ctx, bytes_of(exact, n));
	free(exact);
}

static void sent(struct world *w)
{
	if (!w->outstanding || w->closing || w->closed)
		return;
	w->outstanding = false;
	w->carrier.events->sent(w->carrier.ctx);
}

/* After our public key: secrets and keys of the device's side. */
static void derive(struct world *w)
{
	struct secret32 ecdh;

	if (w->keyed || !p256_ecdh(&w->device_key, w->inputs + 17, &ecdh))
		return;
	memcpy(w->inputs + 81, w->device_public, P256_PUBLIC);
	if (w->inputs[14] == PROV_AUTH_STATIC)
		w->auth.octet[0] = 7;
	else if (w->inputs[14] != PROV_AUTH_NONE)
		oob_auth_text(&(struct prov_pdu_start){ .method = w->inputs[14],
							.action = w->inputs[15],
							.size = w->inputs[16] },
			      w->inputs[14] == PROV_AUTH_OUTPUT ? "1" : w->value, &w->auth,
			      w->inputs[12] == 1 ? 32 : 16);
	prov_keys_init(&w->keys, w->inputs[12] == 1 ? PROV_ALG_HMAC : PROV_ALG_CMAC, w->inputs,
		       &ecdh, &w->auth);
	w->keyed = true;
}

static size_t proof(struct world *w, enum prov_pdu_type type, uint8_t *out)
{
	static const uint8_t random[32] = { 0xD1, 0xD2 };

	derive(w);
	out[0] = (uint8_t)type;
	if (type == PROV_CONFIRMATION && w->keyed)
		prov_keys_confirmation(&w->keys, random, out + 1);
	else
		memcpy(out + 1, random, sizeof(random));
	return 1 + prov_keys_auth_len(w->keys.algorithm);
}

static size_t from_input(struct rd *r, enum prov_pdu_type type, size_t n, uint8_t *out)
{
	out[0] = (uint8_t)type;
	rd_copy(r, out + 1, n);
	return 1 + n;
}

/* Of the fragment that was asked for; its total length and data are the input's. */
static size_t record(const struct world *w, struct rd *r, uint8_t *out)
{
	size_t n = rd_u8(r) % 60;

	out[0] = PROV_RECORD_RESPONSE;
	out[1] = PROV_RECORD_OK;
	memcpy(out + 2, w->last + 1, 4);
	rd_copy(r, out + 6, 2 + n);
	return PROV_RECORD_HEADER_LEN + n;
}

/* What is due after our last PDU. */
static size_t honest(struct world *w, struct rd *r, uint8_t out[256])
{
	switch (w->last[0]) {
	case PROV_RECORDS_GET:
		return from_input(r, PROV_RECORDS_LIST, rd_u8(r) % 40, out);
	case PROV_RECORD_REQUEST:
		return record(w, r, out);
	case PROV_INVITE:
		return from_input(r, PROV_CAPABILITIES, PROV_CAPABILITIES_LEN, out);
	case PROV_PUBLIC_KEY:
		if (w->prompted) {
			out[0] = PROV_INPUT_COMPLETE;
			return 1;
		}
		out[0] = PROV_PUBLIC_KEY;
		memcpy(out + 1, w->device_public, P256_PUBLIC);
		return 1 + P256_PUBLIC;
	case PROV_CONFIRMATION:
		return proof(w, PROV_CONFIRMATION, out);
	case PROV_RANDOM:
		return proof(w, PROV_RANDOM, out);
	case PROV_DATA:
		out[0] = PROV_COMPLETE;
		return 1;
	default:
		return 0;
	}
}

static void answer(struct world *w, struct rd *r, bool spoil)
{
	uint8_t out[256] = { 0 };
	size_t n, at;

	sent(w); /* Start, Public Key and Confirmation leave one after another */
	n = honest(w, r, out);
	if (n == 0)
		return;
	if (spoil) {
		at = rd_u8(r) % n;
		out[at] ^= rd_u8(r);
	}
	deliver(w, out, n);
}

static void tell(struct world *w, struct rd *r)
{
	char text[16] = "";
	size_t n = rd_u8(r) % sizeof(text);
	bool asked = prov_is_prompting(w->prov);

	rd_copy(r, text, n < r->left ? n : r->left);
	promise(prov_oob_value(w->prov, text) || asked);
}

static void do_one(struct world *w, struct rd *r)
{
	struct bytes raw;
	uint8_t deed = rd_u8(r) % DEEDS;
	size_t n;

	switch ((enum deed)deed) {
	case HONEST:
	case SPOILED:
		answer(w, r, deed == SPOILED);
		break;
	case RAW:
		n = rd_u8(r);
		raw = rd_bytes(r, n < r->left ? n : r->left);
		deliver(w, raw.p, raw.n);
		break;
	case REFLECT:
		deliver(w, w->last, w->last_n);
		break;
	case WAIT:
		timers_advance(&w->timers, timers_now(&w->timers) + SEC(rd_u8(r) % 64));
		break;
	case VANISH:
		w->closed = true;
		w->carrier.events->closed(w->carrier.ctx, CARRIER_LOST);
		break;
	case SENT:
		sent(w);
		break;
	case GIVE_UP:
		prov_abort(w->prov);
		break;
	case TELL:
		tell(w, r);
		break;
	case DEEDS:
		break;
	}
	timers_advance(&w->timers, timers_now(&w->timers));
	if (w->closing && !w->closed) {
		w->closed = true;
		w->carrier.events->closed(w->carrier.ctx, CARRIER_CLOSED);
	}
	timers_advance(&w->timers, timers_now(&w->timers));
}

static void world_open(struct world *w, uint8_t policy)
{
	struct secret32 seed = { { 0 } };
	static const uint8_t uuid[UUID_LEN] = { 0xEE };

	memset(w, 0, sizeof(*w));
	memset(&seed, 0x31, sizeof(seed));
	promise(p256_key_pair(&seed, &w->device_key, w->device_public));
	timers_init(&w->timers, 0);
	w->policy = policy;
	w->carrier.ops = &carrier_ops;
	w->prov = prov_new(&(struct prov_env){ .timers = &w->timers,
					       .random = counting,
					       .random_ctx = w,
					       .event = on_event,
					       .ctx = w },
			   &w->carrier, uuid);
	w->carrier.events->opened(w->carrier.ctx);
	timers_advance(&w->timers, MSEC(1));
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct rd r = rd_from(bytes_of(data, n));
	struct world w;

	world_open(&w, rd_u8(&r));
	for (unsigned i = 0; i < 200 && r.left > 0 && !w.ended; i++)
		do_one(&w, &r);
	promise(!w.complete || w.agreed);
	promise(!w.closed || w.ended);
	prov_free(w.prov);
	timers_free(&w.timers);
	return w.complete;
}
