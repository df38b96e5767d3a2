/* SPDX-License-Identifier: Apache-2.0 */
/* A session's surroundings, for tests: virtual time, a carrier that always delivers, and a device
 * that can be told where to misbehave. */
#ifndef MESHMASON_TESTS_PROV_WORLD_H
#define MESHMASON_TESTS_PROV_WORLD_H

#include "check.h"
#include "oob.h"
#include "prov_keys.h"
#include "provisioner.h"

enum { PDUS = 512, NO_EVENT = 99, CERTIFICATE = 150, NAME = 9, AUTH_MAX = 32 };

enum fault {
	NO_FAULT,
	SILENT,		 /* no answer */
	VANISHES,	 /* the link is lost instead */
	FAILS,		 /* Failed, Unexpected Error */
	FAILS_WITH_ZERO, /* Failed with the prohibited code */
	TOO_SHORT,
	TOO_LONG,
	PADDED, /* a padding bit in the type octet */
	EMPTY,
	UNKNOWN_TYPE,
	OTHER_PDU, /* a valid one that is none of this moment */
	OUR_OWN,   /* our last PDU comes back */
	SPOILED,   /* last octet changed */
	NEGATED,   /* our public key with the other Y */
	OFF_CURVE,
	ZEROS, /* all parameters 0 */
};

struct world {
	struct timers timers;
	struct prov *prov;
	struct prov_carrier carrier;
	struct timer turn, bye, later, person_timer;
	bool outstanding, closing, inside;
	int closes;
	enum prov_close_reason reason;
	uint64_t started, ended_at;

	/* the owner's plan */
	struct prov_policy policy;
	bool attend, read_records, know_key, decide_later;
	int free_at, abort_at; /* enum prov_event_type, or NO_EVENT */
	uint8_t attention;
	struct prov_data data;
	const char *read_value;	  /* output OOB: what the person tells us the device shows */
	bool press;		  /* input OOB: the person enters our value at the device */
	uint64_t person;	  /* how long the person takes */
	const uint8_t *script[2]; /* randomness: key, Random; NULL: from the seed */
	size_t scripted;
	uint32_t seed;

	/* the device */
	uint8_t capabilities[PROV_CAPABILITIES_LEN];
	struct secret32 private_key;
	uint8_t public_key[P256_PUBLIC];
	struct secret32 auth_value;
	bool script_random;
	uint8_t random[AUTH_MAX];
	enum fault fault;
	enum prov_pdu_type faulty; /* the answer that goes wrong */
	bool answer_first; /* the answer comes before the carrier knows that we were heard */
	uint8_t inputs[PROV_INPUTS_LEN];
	struct prov_keys keys;
	uint8_t confirmation[AUTH_MAX], peer_confirmation[AUTH_MAX];
	struct secret32 ecdh;
	struct prov_session_keys session;
	uint8_t opened_data[PROV_DATA_LEN];
	bool has_data;
	uint8_t certificate[CERTIFICATE];

	/* what happened */
	uint8_t sent[PDUS][PROV_PDU_MAX];
	size_t sent_len[PDUS], n_sent;
	uint8_t answer[128];
	size_t answer_len;
	enum prov_event_type events[16];
	size_t n_events;
	enum prov_end end;
	enum carrier_end carrier_end;
	uint8_t device_error;
	struct secret16 device_key;
	struct prov_capabilities told;
	bool ended, certificate_read, name_read;
	struct {
		int times;
		enum prov_auth_method method;
		uint8_t action, size;
		char value[PROV_OOB_TEXT];
		uint64_t at;
	} prompt;
	int refused_values;
};

static inline void world_random(void *ctx, void *out, size_t n)
{
	struct world *w = ctx;
	uint8_t *octet = out;

	if (w->scripted < ARRAY_LEN(w->script) && w->script[w->scripted]) {
		memcpy(out, w->script[w->scripted++], n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		w->seed = w->seed * 1664525u + 1013904223u;
		octet[i] = (uint8_t)(w->seed >> 24);
	}
}

static inline void device_prepare(struct world *w)
{
	struct bytes peer = bytes_of(w->inputs + 17, P256_PUBLIC);
	enum prov_algorithm algorithm = w->inputs[12];

	memcpy(w->inputs + 81, w->public_key, P256_PUBLIC);
	check(p256_ecdh(&w->private_key, peer.p, &w->ecdh));
	prov_keys_init(&w->keys, algorithm, w->inputs, &w->ecdh, &w->auth_value);
	if (!w->script_random)
		memset(w->random, 0xD1, sizeof(w->random));
	prov_keys_confirmation(&w->keys, w->random, w->confirmation);
}

static inline void device_answer(struct world *w, uint8_t type, const void *params, size_t n)
{
	w->answer[0] = type;
	if (n > 0)
		memcpy(w->answer + 1, params, n);
	w->answer_len = n + 1;
}

static inline void device_record(struct world *w, struct bytes in)
{
	struct prov_pdu_record_request q;
	struct prov_pdu_record_response a = { .status = PROV_RECORD_OK };
	struct bytes all = bytes_of("Luminaire", NAME);
	struct wr out = wr_to(w->answer, sizeof(w->answer));

	check(prov_pdu_record_request_decode(&q, in));
	check(q.id == PROV_RECORD_DEVICE_CERTIFICATE || q.id == PROV_RECORD_LOCAL_NAME);
	if (q.id == PROV_RECORD_DEVICE_CERTIFICATE)
		all = bytes_of(w->certificate, CERTIFICATE);
	a.id = q.id;
	a.offset = q.offset;
	a.total = (uint16_t)all.n;
	check(q.offset < all.n);
	a.data = bytes_of(all.p + q.offset, all.n - q.offset < q.max ? all.n - q.offset : q.max);
	prov_pdu_record_response_encode(&out, &a);
	w->answer_len = out.n;
}

static inline void device_random(struct world *w, struct bytes in)
{
	uint8_t expected[AUTH_MAX];

	prov_keys_confirmation(&w->keys, in.p, expected);
	if (memcmp(expected, w->peer_confirmation, in.n) != 0) {
		device_answer(w, PROV_FAILED, "\x04", 1);
		return;
	}
	prov_keys_session(&w->keys, in.p, w->random, &w->session);
	device_answer(w, PROV_RANDOM, w->random, in.n);
}

static inline void device_data(struct world *w, struct bytes in)
{
	w->has_data = ccm_decrypt(&w->session.session_key, w->session.nonce, bytes_of(NULL, 0), in,
				  8, w->opened_data);
	if (w->has_data)
		device_answer(w, PROV_COMPLETE, NULL, 0);
	else
		device_answer(w, PROV_FAILED, "\x06", 1);
}

/* Takes a PDU; w->answer_len is 0 where none is due. */
static inline void device_take(struct world *w, struct bytes pdu)
{
	struct bytes in = bytes_of(pdu.p + 1, pdu.n - 1);
	size_t n = prov_keys_auth_len(w->inputs[12]);

	w->answer_len = 0;
	switch (pdu.p[0]) {
	case PROV_RECORDS_GET:
		device_answer(w, PROV_RECORDS_LIST, "\0\0\0\x11\0\x01\0\x77\0\x01", 10);
		break;
	case PROV_RECORD_REQUEST:
		device_record(w, in);
		break;
	case PROV_INVITE:
		w->inputs[0] = in.p[0];
		memcpy(w->inputs + 1, w->capabilities, PROV_CAPABILITIES_LEN);
		device_answer(w, PROV_CAPABILITIES, w->capabilities, PROV_CAPABILITIES_LEN);
		break;
	case PROV_START:
		check_int(in.n, PROV_START_LEN);
		memcpy(w->inputs + 12, in.p, PROV_START_LEN);
		break;
	case PROV_PUBLIC_KEY:
		check_int(in.n, P256_PUBLIC);
		memcpy(w->inputs + 17, in.p, P256_PUBLIC);
		device_prepare(w);
		if (!w->inputs[13])
			device_answer(w, PROV_PUBLIC_KEY, w->public_key, P256_PUBLIC);
		break;
	case PROV_CONFIRMATION:
		check_int(in.n, n);
		memcpy(w->peer_confirmation, in.p, in.n);
		device_answer(w, PROV_CONFIRMATION, w->confirmation, n);
		break;
	case PROV_RANDOM:
		check_int(in.n, n);
		device_random(w, in);
		break;
	case PROV_DATA:
		check_int(in.n, PROV_SEALED_DATA_LEN);
		device_data(w, in);
		break;
	default:
		fail_msg("the device was sent type %u", pdu.p[0]);
	}
}

/* p - y, octet by octet. */
static inline void negate_y(uint8_t y[32])
{
	uint8_t p[32];
	int borrow = 0;

	check(hex_parse_exact("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff", p,
			      sizeof(p)));
	for (int i = 31; i >= 0; i--) {
		int d = p[i] - y[i] - borrow;

		borrow = d < 0;
		y[i] = (uint8_t)d;
	}
}

static inline void device_misbehave(struct world *w, struct bytes ours)
{
	uint8_t *a = w->answer;

	switch (w->fault) {
	case NO_FAULT:
	case VANISHES:
		break;
	case SILENT:
		w->answer_len = 0;
		break;
	case FAILS:
		device_answer(w, PROV_FAILED, "\x07", 1);
		break;
	case FAILS_WITH_ZERO:
		device_answer(w, PROV_FAILED, "\0", 1);
		break;
	case TOO_SHORT:
		w->answer_len = a[0] == PROV_RECORD_RESPONSE ? 7 : w->answer_len - 1;
		break;
	case TOO_LONG:
		a[w->answer_len++] = 0;
		break;
	case PADDED:
		a[0] |= 0x40;
		break;
	case EMPTY:
		w->answer_len = 0;
		w->carrier.events->received(w->carrier.ctx, bytes_of(NULL, 0));
		break;
	case UNKNOWN_TYPE:
		a[0] = 0x0E;
		break;
	case OTHER_PDU:
		device_answer(w, a[0] == PROV_COMPLETE ? PROV_INPUT_COMPLETE : PROV_COMPLETE, NULL,
			      0);
		break;
	case OUR_OWN:
		memcpy(a, ours.p, ours.n);
		w->answer_len = ours.n;
		break;
	case SPOILED:
		a[w->answer_len - 1] ^= 1;
		break;
	case NEGATED:
		memcpy(a, ours.p, ours.n);
		negate_y(a + 33);
		break;
	case OFF_CURVE:
		a[64] ^= 1;
		break;
	case ZEROS:
		memset(a + 1, 0, w->answer_len - 1);
		break;
	}
}

static inline void carrier_turn(void *ctx)
{
	struct world *w = ctx;
	const struct prov_carrier_events *ev = w->carrier.events;
	struct bytes ours = bytes_of(w->sent[w->n_sent - 1], w->sent_len[w->n_sent - 1]);
	uint8_t answer[sizeof(w->answer)];
	size_t n;

	device_take(w, ours);
	if (w->answer_len > 0 && w->fault != NO_FAULT && w->answer[0] == w->faulty) {
		if (w->fault == VANISHES) {
			w->closing = true;
			ev->closed(w->carrier.ctx, CARRIER_LOST);
			return;
		}
		device_misbehave(w, ours);
	}
	n = w->answer_len;
	memcpy(answer, w->answer, n);
	if (w->answer_first && n > 0)
		ev->received(w->carrier.ctx, bytes_of(answer, n));
	w->outstanding = false;
	if (w->prov && !w->closing)
		ev->sent(w->carrier.ctx);
	if (!w->answer_first && n > 0 && w->prov && !w->closing)
		ev->received(w->carrier.ctx, bytes_of(answer, n));
}

static inline void carrier_turn_opened(void *ctx)
{
	struct world *w = ctx;

	w->carrier.events->opened(w->carrier.ctx);
}

static inline void carrier_turn_closed(void *ctx)
{
	struct world *w = ctx;

	w->carrier.events->closed(w->carrier.ctx, CARRIER_CLOSED);
}

static inline struct world *world_of(struct prov_carrier *c)
{
	return CONTAINER_OF(c, struct world, carrier);
}

static inline void world_open(struct prov_carrier *c, const uint8_t uuid[UUID_LEN])
{
	struct world *w = world_of(c);

	timer_start(&w->timers, &w->turn, MSEC(5), carrier_turn_opened, w);
}

static inline void world_send(struct prov_carrier *c, struct bytes pdu)
{
	struct world *w = world_of(c);

	check(!w->outstanding && !w->closing);
	check(pdu.n > 0 && pdu.n <= PROV_PDU_MAX && w->n_sent < PDUS);
	w->outstanding = true;
	memcpy(w->sent[w->n_sent], pdu.p, pdu.n);
	w->sent_len[w->n_sent++] = pdu.n;
	timer_start(&w->timers, &w->turn, MSEC(5), carrier_turn, w);
}

static inline void world_close(struct prov_carrier *c, enum prov_close_reason reason)
{
	struct world *w = world_of(c);

	check(!w->closing);
	w->closing = true;
	w->closes++;
	w->reason = reason;
	timer_stop(&w->timers, &w->turn);
	timer_start(&w->timers, &w->bye, MSEC(5), carrier_turn_closed, w);
}

static const struct prov_carrier_ops world_ops = { world_open, world_send, world_close };

/* Everything the owner does, so that a callback from within can be noticed. */
static inline void owner_invite(struct world *w)
{
	w->inside = true;
	prov_invite(w->prov, w->attend ? NULL : &w->policy, w->know_key ? w->public_key : NULL,
		    w->attention);
	w->inside = false;
}

static inline void owner_decide(struct world *w, enum prov_event_type type)
{
	w->inside = true;
	if (type == PROV_EV_LINK_OPEN && w->read_records)
		prov_read_records(w->prov);
	else if (type == PROV_EV_LINK_OPEN || type == PROV_EV_RECORDS)
		owner_invite(w);
	else if (type == PROV_EV_KEY_AGREED)
		prov_send_data(w->prov, &w->data);
	w->inside = false;
}

static inline void owner_decides_now(void *ctx)
{
	struct world *w = ctx;

	owner_decide(w, w->events[w->n_events - 1]);
}

/* The person's time is over: reads to us, or has entered at the device. */
static inline void person_acts(void *ctx)
{
	struct world *w = ctx;
	struct prov_pdu_start start = { .method = w->prompt.method,
					.action = w->prompt.action,
					.size = w->prompt.size };
	size_t n = prov_keys_auth_len(w->inputs[12]);

	if (!w->prov || w->closing)
		return;
	if (w->prompt.method == PROV_AUTH_OUTPUT) {
		w->inside = true;
		w->refused_values += !prov_oob_value(w->prov, w->read_value);
		w->inside = false;
		return;
	}
	check(oob_auth_text(&start, w->prompt.value, &w->auth_value, n));
	device_prepare(w);
	w->carrier.events->received(w->carrier.ctx, bytes_of("\x04", 1));
}

static inline void owner_prompts(struct world *w, const struct prov_event *ev)
{
	w->prompt.times++;
	w->prompt.method = ev->method;
	w->prompt.action = ev->action;
	w->prompt.size = ev->size;
	w->prompt.at = timers_now(&w->timers);
	if (ev->value)
		snprintf(w->prompt.value, sizeof(w->prompt.value), "%s", ev->value);
	if (ev->value ? w->press : w->read_value != NULL)
		timer_start(&w->timers, &w->person_timer, w->person, person_acts, w);
}

static inline void owner_notes(struct world *w, const struct prov_event *ev)
{
	if (ev->type == PROV_EV_RECORDS) {
		for (size_t i = 0; i < ev->n_records; i++) {
			const struct prov_record_data *r = &ev->records[i];

			if (r->id == PROV_RECORD_DEVICE_CERTIFICATE)
				w->certificate_read =
					bytes_equal(r->data, bytes_of(w->certificate, CERTIFICATE));
			else if (r->id == PROV_RECORD_LOCAL_NAME)
				w->name_read = bytes_equal(r->data, bytes_of("Luminaire", NAME));
			else
				fail_msg("record %u", r->id);
		}
	}
	if (ev->type == PROV_EV_OOB_OUTPUT || ev->type == PROV_EV_OOB_INPUT)
		owner_prompts(w, ev);
	if (ev->type == PROV_EV_KEY_AGREED)
		w->device_key = *ev->device_key;
	if (ev->capabilities)
		w->told = *ev->capabilities;
	if (ev->type == PROV_EV_ENDED) {
		w->ended = true;
		w->end = ev->end;
		w->carrier_end = ev->carrier_end;
		w->device_error = ev->device_error;
		w->ended_at = timers_now(&w->timers);
	}
}

static inline void owner_event(void *ctx, const struct prov_event *ev)
{
	struct world *w = ctx;

	check(!w->inside);
	check(!w->ended);
	check(w->n_events < ARRAY_LEN(w->events));
	w->events[w->n_events++] = ev->type;
	owner_notes(w, ev);
	if ((int)ev->type == w->free_at) {
		prov_free(w->prov);
		w->prov = NULL;
		return;
	}
	if ((int)ev->type == w->abort_at) {
		w->inside = true;
		prov_abort(w->prov);
		w->inside = false;
		return;
	}
	if (w->decide_later)
		timer_start(&w->timers, &w->later, SEC(2), owner_decides_now, w);
	else
		owner_decide(w, ev->type);
}

static inline struct world *world_new(uint32_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	struct secret32 octets;

	check(w != NULL);
	w->seed = seed;
	w->free_at = w->abort_at = NO_EVENT;
	timers_init(&w->timers, SEC(1000));
	w->carrier.ops = &world_ops;
	do
		world_random(w, octets.octet, sizeof(octets.octet));
	while (!p256_key_pair(&octets, &w->private_key, w->public_key));
	world_random(w, w->certificate, sizeof(w->certificate));
	check(hex_parse_exact("0100030000000000000000", w->capabilities, PROV_CAPABILITIES_LEN));
	w->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_HMAC, .allow_none = true };
	w->data = (struct prov_data){ .net_key = { { 1, 2, 3 } }, .iv_index = 7, .address = 5 };
	return w;
}

static inline void world_start(struct world *w)
{
	struct prov_env env = {
		.timers = &w->timers,
		.random = world_random,
		.random_ctx = w,
		.event = owner_event,
		.ctx = w,
	};

	w->started = timers_now(&w->timers);
	w->prov = prov_new(&env, &w->carrier, (const uint8_t[UUID_LEN]){ 0xAA });
}

/* To the session's end, or until nothing more can happen. */
static inline void world_run(struct world *w)
{
	if (!w->prov)
		world_start(w);
	while (timers_fire_next(&w->timers, SEC(10000)))
		;
	check(!w->closing || w->closes <= 1);
}

static inline void world_free(struct world *w)
{
	prov_free(w->prov);
	check(timers_next(&w->timers) == TIMERS_NEVER);
	timers_free(&w->timers);
	free(w);
}

static inline size_t world_sent_type(const struct world *w, enum prov_pdu_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_sent; i++)
		n += w->sent[i][0] == type;
	return n;
}

#endif
