/* SPDX-License-Identifier: Apache-2.0 */
#include "attacker.h"

#include <stdlib.h>
#include <string.h>

#include "dev_beacon.h"
#include "dev_net.h"
#include "dev_pb_adv.h"
#include "rng.h"

enum { FRAMES = 256, LINKS = 16, UUIDS = 32 };
enum { IVI_BIT = 0x80, HEADER = 6, FAR_AWAY = 100000 };
enum { GPCF_START = 0, GPCF_ACK = 1, GPCF_CONTINUATION = 2 };
enum { OPEN = 0x03, CLOSE = 0x0B, DEVICE_NUMBERS = 0x80 };
enum { FORGED_FIRST = 0x4000, FORGED = 0x3000 };
enum { SEGMENTED = 0x80, LAST_SEGMENT = 31, SEGMENT = 12, COPIES = 3, INTERVAL_MS = 20 };

#define LINK_IS_PAST SEC(20)

/* The last ones heard of a kind; the content of one AD structure. */
struct tape {
	size_t n, next;
	struct frame {
		uint8_t len;
		uint8_t data[AD_MAX];
	} frames[FRAMES];
};

struct seen_link {
	uint32_t id;
	uint64_t heard;
	uint8_t numbers[2]; /* the last ones of the provisioner and of the device */
};

struct attacker {
	struct attacker_env env;
	struct air_radio *radio;
	struct rng rng;
	struct timer turn;
	unsigned attacks;
	uint64_t every;
	struct tape network, links, secure;
	struct seen_link link[LINKS];
	uint8_t uuids[UUIDS][UUID_LEN];
	size_t n_uuids;
	bool inside;
	struct dev_net_key key;
	uint32_t iv_index;
	uint16_t target;
	struct attacker_counts counts;
};

/* --- what it hears --- */

static void record(struct tape *t, struct bytes data)
{
	struct frame *f = &t->frames[t->next];

	f->len = (uint8_t)data.n;
	memcpy(f->data, data.p, data.n);
	t->next = (t->next + 1) % FRAMES;
	t->n += t->n < FRAMES;
}

static void note_link(struct attacker *a, struct bytes data)
{
	struct rd r = rd_from(data);
	uint32_t id = rd_be32(&r);
	uint8_t number = rd_u8(&r);
	struct seen_link *oldest = &a->link[0];

	if (!rd_ok(&r))
		return;
	for (size_t i = 0; i < LINKS; i++) {
		struct seen_link *l = &a->link[i];

		if (l->id == id) {
			oldest = l;
			break;
		}
		if (l->heard < oldest->heard)
			oldest = l;
	}
	if (oldest->id != id)
		*oldest = (struct seen_link){ .id = id, .numbers = { 0, DEVICE_NUMBERS } };
	oldest->heard = timers_now(a->env.timers);
	oldest->numbers[number >= DEVICE_NUMBERS] = number;
}

static void note_beacon(struct attacker *a, struct bytes data)
{
	struct dev_unprovisioned u;

	if (data.n == DEV_SECURE_BEACON_LEN)
		record(&a->secure, data);
	else if (dev_unprovisioned_decode(&u, data))
		memcpy(a->uuids[a->n_uuids++ % UUIDS], u.uuid, UUID_LEN);
}

static void on_heard(void *ctx, const struct air_report *report)
{
	struct attacker *a = ctx;
	struct rd r = rd_from(report->ad);

	while (r.left > 1) {
		uint8_t len = rd_u8(&r), type = rd_u8(&r);
		struct bytes data = rd_bytes(&r, len > 0 ? len - 1u : 0);

		if (len == 0 || !rd_ok(&r) || data.n == 0)
			return;
		a->counts.heard++;
		if (type == AD_MESH_MESSAGE) {
			record(&a->network, data);
		} else if (type == AD_PB_ADV) {
			record(&a->links, data);
			note_link(a, data);
		} else if (type == AD_MESH_BEACON) {
			note_beacon(a, data);
		}
	}
}

/* --- what it says --- */

static void say(struct attacker *a, uint8_t type, struct bytes data, uint8_t copies)
{
	uint8_t ad[AD_MAX];
	struct wr w = wr_to(ad, sizeof(ad));
	struct air_transmission t = { .count = copies, .interval_ms = INTERVAL_MS };

	wr_u8(&w, (uint8_t)(data.n + 1));
	wr_u8(&w, type);
	wr_bytes(&w, data);
	t.ad = wr_done(&w);
	if (wr_ok(&w) && air_send(a->radio, &t))
		a->counts.sent++;
}

static const struct frame *any_of(struct attacker *a, const struct tape *t)
{
	return t->n ? &t->frames[rng_below(&a->rng, (uint32_t)t->n)] : NULL;
}

static const struct seen_link *any_link(struct attacker *a)
{
	uint64_t now = timers_now(a->env.timers);
	size_t first = rng_below(&a->rng, LINKS);

	for (size_t n = 0; n < LINKS; n++) {
		const struct seen_link *l = &a->link[(first + n) % LINKS];

		if (l->heard && now - l->heard < LINK_IS_PAST)
			return l;
	}
	return NULL;
}

static uint8_t any_octet(struct attacker *a)
{
	return (uint8_t)rng_next(&a->rng);
}

static bool replay(struct attacker *a)
{
	const struct frame *f = any_of(a, &a->network);

	if (f)
		say(a, AD_MESH_MESSAGE, bytes_of(f->data, f->len), 1);
	return f;
}

static bool alter(struct attacker *a)
{
	const struct frame *f = any_of(a, &a->network);
	struct frame other;

	if (!f)
		return false;
	other = *f;
	switch (rng_below(&a->rng, 4)) {
	case 0:
		other.data[0] ^= IVI_BIT;
		break;
	case 1: /* veiled: TTL, SEQ or SRC */
		other.data[1 + rng_below(&a->rng, HEADER)] ^= (uint8_t)(1 + any_octet(a) % 255);
		break;
	case 2:
		other.data[rng_below(&a->rng, other.len)] ^= (uint8_t)(1 + any_octet(a) % 255);
		break;
	default:
		other.len = (uint8_t)(1 + rng_below(&a->rng, other.len));
		break;
	}
	say(a, AD_MESH_MESSAGE, bytes_of(other.data, other.len), 1);
	return true;
}

static bool invent(struct attacker *a)
{
	const struct frame *f = any_of(a, &a->network);
	uint8_t pdu[NETWORK_PDU_MAX];

	if (!f)
		return false;
	rng_fill(&a->rng, pdu, sizeof(pdu));
	pdu[0] = f->data[0];
	say(a, AD_MESH_MESSAGE,
	    bytes_of(pdu, DEV_PDU_MIN + rng_below(&a->rng, NETWORK_PDU_MAX - DEV_PDU_MIN + 1)), 1);
	return true;
}

static bool repeat_link(struct attacker *a)
{
	const struct frame *f = any_of(a, &a->links);
	const struct seen_link *l = any_link(a);
	struct frame other;
	struct wr w;

	if (!f)
		return false;
	other = *f;
	w = wr_to(other.data, 4);
	/* Into a link that is open now only where that is asked for. */
	if (l && (a->attacks & ATTACK_LINKS_INJECT))
		wr_be32(&w, l->id);
	say(a, AD_PB_ADV, bytes_of(other.data, other.len), 1);
	return true;
}

static bool noise(struct attacker *a)
{
	uint8_t data[AD_MAX - 2];

	rng_fill(&a->rng, data, sizeof(data));
	say(a, AD_PB_ADV, bytes_of(data, 1 + rng_below(&a->rng, sizeof(data))), 1);
	return true;
}

static bool beacon(struct attacker *a)
{
	uint8_t data[19];

	rng_fill(&a->rng, data, sizeof(data));
	data[0] = 0; /* unprovisioned */
	data[17] = 0x01;
	data[18] = 0x80; /* with certificates and records, they say */
	say(a, AD_MESH_BEACON, bytes_of(data, sizeof(data)), 1);
	return true;
}

static bool secure(struct attacker *a)
{
	const struct frame *f = any_of(a, &a->secure);
	uint8_t data[DEV_SECURE_BEACON_LEN];

	rng_fill(&a->rng, data, sizeof(data));
	data[0] = 1;
	if (f && rng_below(&a->rng, 3) > 0) {
		memcpy(data, f->data, sizeof(data));
		if (rng_below(&a->rng, 2) > 0) /* flags, IV Index or authentication value */
			data[rng_below(&a->rng, 2) ? 1 : 10 + rng_below(&a->rng, 12)] ^=
				(uint8_t)(1 + any_octet(a) % 255);
	}
	say(a, AD_MESH_BEACON, bytes_of(data, sizeof(data)), 1);
	return true;
}

/* A PDU that fits one segment, whole and with a good check sum. */
static void put_pdu(struct attacker *a, struct wr *w)
{
	uint8_t pdu[16];
	size_t n = 1 + rng_below(&a->rng, sizeof(pdu));

	rng_fill(&a->rng, pdu, n);
	pdu[0] %= 0x10;
	wr_u8(w, GPCF_START);
	wr_be16(w, (uint16_t)n);
	wr_u8(w, dev_pb_fcs(bytes_of(pdu, n)));
	wr_copy(w, pdu, n);
}

static bool inject(struct attacker *a)
{
	const struct seen_link *l = any_link(a);
	uint8_t data[AD_MAX - 2];
	struct wr w = wr_to(data, sizeof(data));
	unsigned side = rng_below(&a->rng, 2), kind = rng_below(&a->rng, 4);
	uint8_t number;

	if (!l)
		return false;
	number = l->numbers[side];
	if (kind == 0) /* the number that it waits for */
		number = (uint8_t)((number & DEVICE_NUMBERS) | ((number + 1) & 0x7F));
	wr_be32(&w, l->id);
	wr_u8(&w, kind == 3 ? any_octet(a) : number);
	if (kind < 2) {
		put_pdu(a, &w);
	} else if (kind == 2) {
		wr_u8(&w, GPCF_ACK);
	} else { /* more than anybody can hold */
		wr_u8(&w, (uint8_t)(any_octet(a) | GPCF_CONTINUATION));
		wr_be16(&w, 0xFFFF);
		wr_be32(&w, (uint32_t)rng_next(&a->rng));
	}
	say(a, AD_PB_ADV, wr_done(&w), COPIES);
	return true;
}

static bool close_link(struct attacker *a)
{
	const struct seen_link *l = any_link(a);
	uint8_t data[7];
	struct wr w = wr_to(data, sizeof(data));

	if (!l)
		return false;
	wr_be32(&w, l->id);
	wr_u8(&w, 0);
	wr_u8(&w, CLOSE);
	wr_u8(&w, (uint8_t)rng_below(&a->rng, 4));
	say(a, AD_PB_ADV, wr_done(&w), COPIES);
	return true;
}

static bool open_link(struct attacker *a)
{
	uint8_t data[6 + UUID_LEN];
	struct wr w = wr_to(data, sizeof(data));
	size_t n = a->n_uuids < UUIDS ? a->n_uuids : UUIDS;

	if (n == 0)
		return false;
	wr_be32(&w, (uint32_t)rng_next(&a->rng));
	wr_u8(&w, 0);
	wr_u8(&w, OPEN);
	wr_copy(&w, a->uuids[rng_below(&a->rng, (uint32_t)n)], UUID_LEN);
	say(a, AD_PB_ADV, wr_done(&w), COPIES);
	return true;
}

/* --- from inside --- */

static void forge(struct attacker *a, struct dev_net_pdu *pdu)
{
	uint8_t raw[NETWORK_PDU_MAX];

	pdu->ttl = (uint8_t)rng_below(&a->rng, 128);
	pdu->seq = (uint32_t)rng_next(&a->rng) & 0xFFFFFF;
	/* Nobody's: whoever has the key can make the replay lists of others believe that a node has
	 * used up its sequence numbers (control messages have no other proof, 3.9.8). */
	pdu->src = (uint16_t)(FORGED_FIRST + rng_below(&a->rng, FORGED));
	pdu->dst = a->target;
	pdu->iv_index = a->iv_index;
	say(a, AD_MESH_MESSAGE, dev_pdu_seal(&a->key, pdu, raw), 1);
}

static bool segments(struct attacker *a)
{
	struct dev_net_pdu pdu = { .len = 4 + SEGMENT };
	struct wr w = wr_to(pdu.transport, sizeof(pdu.transport));

	if (!a->inside)
		return false;
	rng_fill(&a->rng, pdu.transport, sizeof(pdu.transport));
	/* SEG, the device key, SZMIC 0, SeqZero, SegO, SegN 31. */
	wr_be32(&w, (uint32_t)SEGMENTED << 24 | rng_below(&a->rng, 0x2000) << 10 |
			    rng_below(&a->rng, 4) << 5 | LAST_SEGMENT);
	forge(a, &pdu);
	return true;
}

static bool inside(struct attacker *a)
{
	struct dev_net_pdu pdu = { .ctl = rng_below(&a->rng, 4) == 0 };

	if (!a->inside)
		return false;
	rng_fill(&a->rng, pdu.transport, sizeof(pdu.transport));
	pdu.len = (uint8_t)(1 + rng_below(&a->rng, pdu.ctl ? 12 : 16));
	forge(a, &pdu);
	return true;
}

static bool iv_index(struct attacker *a)
{
	uint8_t data[DEV_SECURE_BEACON_LEN];

	if (!a->inside)
		return false;
	dev_beacon_encode(&a->key, false, rng_below(&a->rng, 2), a->iv_index + FAR_AWAY, data);
	say(a, AD_MESH_BEACON, bytes_of(data, sizeof(data)), 1);
	return true;
}

static void on_turn(void *ctx)
{
	/* In the order of enum attack. */
	static bool (*const attacks[])(struct attacker * a) = {
		replay, alter,	    invent,    repeat_link, noise,  beacon,   secure,
		inject, close_link, open_link, segments,    inside, iv_index,
	};
	struct attacker *a = ctx;
	uint32_t k;

	timer_start(a->env.timers, &a->turn, a->every, on_turn, a);
	do
		k = rng_below(&a->rng, ARRAY_LEN(attacks));
	while (!(a->attacks & 1u << k));
	if (!attacks[k](a))
		a->counts.missed++;
}

/* --- life --- */

struct attacker *attacker_new(const struct attacker_env *env)
{
	struct attacker *a = calloc(1, sizeof(*a));
	struct air_radio_config radio = { .place = env->place, .heard = on_heard, .ctx = a };

	if (!a)
		abort();
	a->env = *env;
	a->rng = rng_seeded(env->seed, 0);
	rng_fill(&a->rng, radio.address, sizeof(radio.address));
	radio.address[AIR_ADDRESS - 1] |= 0xC0; /* a static device address */
	a->radio = air_add(env->air, &radio);
	return a;
}

void attacker_free(struct attacker *a)
{
	if (!a)
		return;
	timer_stop(a->env.timers, &a->turn);
	if (a->inside)
		dev_net_key_free(&a->key);
	air_remove(a->radio);
	free(a);
}

void attacker_set(struct attacker *a, unsigned attacks, uint64_t every)
{
	a->attacks = attacks;
	a->every = every;
	if (attacks && every)
		timer_start(a->env.timers, &a->turn, every, on_turn, a);
	else
		timer_stop(a->env.timers, &a->turn);
}

void attacker_give_key(struct attacker *a, const struct secret16 *net_key, uint32_t index,
		       uint16_t target)
{
	if (a->inside)
		dev_net_key_free(&a->key);
	dev_net_key_make(&a->key, 0, net_key);
	a->inside = true;
	a->iv_index = index;
	a->target = target;
}

struct attacker_counts attacker_counts(const struct attacker *a)
{
	return a->counts;
}
