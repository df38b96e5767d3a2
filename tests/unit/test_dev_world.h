/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the simulated device: a medium in virtual time on which every radio hears every
 * other, with seeded loss; a client, which is a node that knows the device key of the one it talks
 * to; and an ear, which decrypts and reassembles what one node says, on its own.
 */
#ifndef MESHMASON_TEST_DEV_WORLD_H
#define MESHMASON_TEST_DEV_WORLD_H

#include <stdlib.h>

#include "check.h"
#include "dev_core.h"

enum { RADIOS = 64, HEARD_MAX = 256, CLIENT = 0x0001, NODE = 0x0010 };

struct world;

struct radio {
	struct world *w;
	struct device *device;
	struct device_make make;
	uint8_t flash[DEV_IMAGE_MAX];
	size_t flash_len;
	unsigned saves, sends;
	bool deaf, deafening; /* hears nothing; is heard by nobody */
	uint64_t rng;
};

struct copy {
	struct timer timer;
	struct world *w;
	struct radio *from;
	uint32_t tag;
	struct copy *next, **back;
	struct device_send s;
};

/* One whole access message, or a Segment Acknowledgment. */
struct spoken {
	uint16_t src, dst;
	bool ack, segmented, app;
	uint8_t ttl;
	uint32_t bits;
	uint64_t at;
	size_t len;
	uint8_t access[DEV_UPPER_MAX];
};

struct world {
	struct timers ts;
	uint64_t rng;
	unsigned loss_percent;
	struct radio radios[RADIOS];
	size_t n;
	struct copy *air;
	/* The ear. */
	struct dev_net_key net;
	struct secret16 net_key, device_key, app_key;
	uint16_t ear; /* the source that it listens to; 0 all */
	struct {
		uint32_t first, got;
		uint16_t src;
		uint8_t last_len;
		uint8_t data[DEV_UPPER_MAX];
	} parts[8];
	size_t next_part;
	uint32_t spoken_seq[512];
	size_t n_seq;
	struct spoken heard[HEARD_MAX];
	size_t n_heard;
	size_t cursor; /* world_next has returned those before it */
	void (*watch)(struct world *w, struct radio *from, struct bytes ad);
	void *watch_ctx;
};

static inline uint64_t rng_next(uint64_t *s)
{
	uint64_t z = (*s += 0x9E3779B97F4A7C15u);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

static inline void rng_fill(uint64_t *s, void *out, size_t n)
{
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)rng_next(s);
}

static inline void radio_random(void *ctx, void *out, size_t n)
{
	struct radio *r = ctx;

	rng_fill(&r->rng, out, n);
}

static inline void radio_save(void *ctx, struct bytes image)
{
	struct radio *r = ctx;

	check(image.n <= DEV_IMAGE_MAX);
	memcpy(r->flash, image.p, image.n);
	r->flash_len = image.n;
	r->saves++;
}

static inline void speak(struct world *w, const struct spoken *s)
{
	if (w->n_heard < HEARD_MAX)
		w->heard[w->n_heard++] = *s;
}

static inline void ear_whole(struct world *w, const struct dev_net_pdu *pdu, uint8_t akf_aid,
			     uint32_t seq, bool segmented, struct bytes upper)
{
	struct dev_upper_nonce n = { .device_key = !(akf_aid & 0x40),
				     .seq = seq,
				     .iv_index = pdu->iv_index,
				     .src = pdu->src,
				     .dst = pdu->dst };
	struct spoken s = { .src = pdu->src,
			    .dst = pdu->dst,
			    .segmented = segmented,
			    .app = !n.device_key,
			    .ttl = pdu->ttl,
			    .at = timers_now(&w->ts) };

	if (upper.n <= 4 ||
	    !dev_upper_open(s.app ? &w->app_key : &w->device_key, &n, upper, s.access))
		return;
	s.len = upper.n - 4;
	speak(w, &s);
}

static inline void ear_segment(struct world *w, const struct dev_net_pdu *pdu)
{
	struct rd r = rd_from(bytes_of(pdu->transport, pdu->len));
	uint32_t word = rd_be32(&r), first, seg_o = word >> 5 & 31, seg_n = word & 31;
	struct bytes data = rd_rest(&r);
	size_t i;

	if (!dev_seq_auth(pdu->seq, word >> 10 & 0x1FFF, &first))
		return;
	for (i = 0; i < ARRAY_LEN(w->parts); i++)
		if (w->parts[i].first == first && w->parts[i].src == pdu->src)
			break;
	if (i == ARRAY_LEN(w->parts)) {
		i = w->next_part++ % ARRAY_LEN(w->parts);
		memset(&w->parts[i], 0, sizeof(w->parts[i]));
		w->parts[i].first = first;
		w->parts[i].src = pdu->src;
	}
	if (w->parts[i].got == dev_sar_all((uint8_t)seg_n))
		return;
	memcpy(w->parts[i].data + 12 * seg_o, data.p, data.n);
	w->parts[i].got |= 1u << seg_o;
	if (seg_o == seg_n)
		w->parts[i].last_len = (uint8_t)data.n;
	if (w->parts[i].got == dev_sar_all((uint8_t)seg_n))
		ear_whole(w, pdu, word >> 24 & 0x7F, first, true,
			  bytes_of(w->parts[i].data, 12 * seg_n + w->parts[i].last_len));
}

static inline void ear_hear(struct world *w, struct bytes ad)
{
	struct bytes raw = bytes_of(ad.p + 2, ad.n - 2);
	struct dev_net_pdu pdu;

	if (!w->net.privacy || ad.p[1] != AD_MESH_MESSAGE ||
	    !dev_pdu_unveil(&w->net, 0, raw, &pdu) || !dev_pdu_open(&w->net, raw, &pdu) ||
	    (w->ear && pdu.src != w->ear))
		return;
	for (size_t i = 0; i < ARRAY_LEN(w->spoken_seq); i++)
		if (w->spoken_seq[i] == ((uint32_t)pdu.src << 16 ^ (pdu.seq + 1)))
			return; /* a copy */
	w->spoken_seq[w->n_seq++ % ARRAY_LEN(w->spoken_seq)] =
		(uint32_t)pdu.src << 16 ^ (pdu.seq + 1);
	if (pdu.ctl) {
		struct spoken s = { .src = pdu.src, .dst = pdu.dst, .ack = true, .ttl = pdu.ttl };
		struct rd r = rd_from(bytes_of(pdu.transport + 3, 4));

		s.bits = rd_be32(&r);
		s.at = timers_now(&w->ts);
		speak(w, &s);
	} else if (pdu.transport[0] & 0x80) {
		ear_segment(w, &pdu);
	} else {
		ear_whole(w, &pdu, pdu.transport[0], pdu.seq, false,
			  bytes_of(pdu.transport + 1, pdu.len - 1u));
	}
}

static inline void copy_free(struct copy *c)
{
	*c->back = c->next;
	if (c->next)
		c->next->back = c->back;
	timer_stop(&c->w->ts, &c->timer);
	free(c);
}

static inline void copy_arrives(void *ctx)
{
	struct copy *c = ctx;
	struct world *w = c->w;
	struct radio *from = c->from;
	struct device_send s = c->s;
	struct bytes ad = bytes_of(s.data, s.len);

	copy_free(c);
	if (from->deafening)
		return;
	if (w->watch)
		w->watch(w, from, ad);
	ear_hear(w, ad);
	for (size_t i = 0; i < w->n; i++) {
		struct radio *r = &w->radios[i];

		if (r == from || !r->device || r->deaf || rng_next(&w->rng) % 100 < w->loss_percent)
			continue;
		device_heard(r->device, ad, -60);
	}
}

static inline void radio_send(void *ctx, const struct device_send *s)
{
	struct radio *r = ctx;
	uint64_t at = 1100;

	check(s->len >= 3 && s->len <= AD_MAX && s->data[0] == s->len - 1);
	r->sends++;
	for (unsigned i = 0; i < s->count; i++) {
		struct copy *c = calloc(1, sizeof(*c));

		*c = (struct copy){ .w = r->w, .from = r, .tag = s->tag, .s = *s };
		c->next = r->w->air;
		c->back = &r->w->air;
		if (c->next)
			c->next->back = &c->next;
		r->w->air = c;
		timer_start(&r->w->ts, &c->timer, at, copy_arrives, c);
		at += MSEC(s->interval_ms) + rng_next(&r->w->rng) % 10000;
	}
}

static inline void radio_cancel(void *ctx, uint32_t tag)
{
	struct radio *r = ctx;
	struct copy *next;

	for (struct copy *c = r->w->air; c; c = next) {
		next = c->next;
		if (c->from == r && c->tag == tag && tag != 0)
			copy_free(c);
	}
}

static inline struct device_env radio_env(struct radio *r)
{
	return (struct device_env){
		&r->w->ts, radio_random, radio_send, radio_cancel, radio_save, r
	};
}

static inline struct world *world_new(uint64_t seed)
{
	static const uint8_t net[16] = { 0x7d, 0xd7, 0x36, 0x4c, 0xd8, 0x42, 0xad, 0x18,
					 0xc1, 0x7c, 0x2b, 0x82, 0x0c, 0x84, 0xc3, 0xd6 };
	struct world *w = calloc(1, sizeof(*w));

	timers_init(&w->ts, SEC(1));
	w->rng = seed;
	memcpy(w->net_key.octet, net, 16);
	memset(w->device_key.octet, 0xD5, 16);
	memset(w->app_key.octet, 0xA7, 16);
	dev_net_key_make(&w->net, 0, &w->net_key);
	return w;
}

static inline void world_free(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		device_free(w->radios[i].device);
	while (w->air)
		copy_free(w->air);
	dev_net_key_free(&w->net);
	timers_free(&w->ts);
	free(w);
}

static inline struct device_make plain_make(uint8_t n)
{
	struct device_make m = { .company = 0x05F1,
				 .product = 0x0102,
				 .elements = 2,
				 .features = FEATURE_RELAY,
				 .algorithms = 3 };

	memset(m.uuid, n, sizeof(m.uuid));
	return m;
}

static inline struct radio *world_add(struct world *w, const struct device_make *make)
{
	struct radio *r = &w->radios[w->n];
	struct device_env env;

	w->n++;
	r->w = w;
	r->make = *make;
	r->rng = rng_next(&w->rng);
	env = radio_env(r);
	r->device = device_new(&r->make, &env, bytes_of(r->flash, r->flash_len));
	return r;
}

static inline void radio_restart(struct radio *r)
{
	struct device_env env = radio_env(r);

	device_free(r->device);
	r->device = device_new(&r->make, &env, bytes_of(r->flash, r->flash_len));
}

/* A node that is one already; all in a world share its device key. */
static inline struct radio *world_add_node(struct world *w, uint16_t address,
					   const struct device_make *make)
{
	struct radio *r = &w->radios[w->n];
	struct dev_image im;

	dev_flash_blank(&im);
	im.provisioned = true;
	im.address = address;
	im.elements = make->elements;
	im.device_key = w->device_key;
	im.beacon = true;
	im.default_ttl = 7;
	im.network_transmit = 1 << 3 | 2;
	im.relay_retransmit = 1 << 3 | 2;
	im.recovery_hours = DEV_HOURS_NEVER;
	im.net_keys[0].key = w->net_key;
	im.n_net_keys = 1;
	r->flash_len = dev_flash_write(&im, r->flash).n;
	return world_add(w, make);
}

static inline struct radio *world_add_client(struct world *w, uint16_t address)
{
	struct device_make make = plain_make((uint8_t)address);

	make.elements = 1;
	return world_add_node(w, address, &make);
}

static inline void world_run(struct world *w, uint64_t span)
{
	timers_advance(&w->ts, timers_now(&w->ts) + span);
}

/* The client says hex (an access message) to address. */
static inline void say_to(struct radio *client, uint16_t address, uint16_t app_index,
			  bool segmented, const char *hex)
{
	uint8_t buf[ACCESS_MAX];
	int n = hex_parse(hex, buf, sizeof(buf));
	struct dev_peer to = { address, 0, app_index, 7 };

	check(n > 0);
	check(dev_transport_send(client->device, &to, bytes_of(buf, (size_t)n), segmented, NULL));
}

static inline void say(struct radio *client, const char *hex)
{
	say_to(client, NODE, DEV_KEY_DEVICE, false, hex);
}

/* The next access message that the ear heard from address, within span; NULL for none. */
static inline const struct spoken *world_next(struct world *w, uint16_t address, uint64_t span)
{
	uint64_t until = timers_now(&w->ts) + span;

	for (;;) {
		while (w->cursor < w->n_heard) {
			struct spoken *s = &w->heard[w->cursor++];

			if (!s->ack && s->src == address)
				return s;
		}
		if (w->n_heard == HEARD_MAX)
			w->n_heard = w->cursor = 0;
		if (!timers_fire_next(&w->ts, until))
			break;
	}
	timers_advance(&w->ts, until);
	return NULL;
}

/* The access message that NODE says next, as hexadecimal; "" for silence of five seconds. */
static inline const char *answer(struct world *w, char text[2 * DEV_UPPER_MAX + 1])
{
	const struct spoken *s = world_next(w, NODE, SEC(5));

	text[0] = 0;
	return s ? hex_format(text, bytes_of(s->access, s->len)) : text;
}

static inline const char *ask(struct world *w, struct radio *client, const char *hex,
			      char text[2 * DEV_UPPER_MAX + 1])
{
	w->cursor = w->n_heard;
	say(client, hex);
	return answer(w, text);
}

/* ---- for the tests of the server: who is on the medium, and how they are asked ---- */
enum { OTHER = 0x0003 };

/* client, server at NODE, another client at OTHER, an unprovisioned device of UUID eeee.. */
enum { R_CLIENT, R_SERVER, R_OTHER, R_DEVICE };

#define UUID_HEX "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define OPEN	 "8059" UUID_HEX

static inline struct world *with_server(uint64_t seed)
{
	struct world *w = world_new(seed);
	struct device_make server = plain_make(0xD0), device = plain_make(0xEE);

	server.server = true;
	snprintf(server.name, sizeof(server.name), "Lamp 7");
	world_add_client(w, CLIENT);
	world_add_node(w, NODE, &server);
	world_add_client(w, OTHER);
	world_add(w, &device);
	w->ear = NODE;
	return w;
}

/* The next message of the server, as hexadecimal; what is segmented has a + before it. */
static inline const char *next(struct world *w, uint64_t span)
{
	static char text[2 * DEV_UPPER_MAX + 2];
	const struct spoken *s = world_next(w, NODE, span);

	if (!s)
		return "";
	text[0] = '+';
	hex_format(text + 1, bytes_of(s->access, s->len));
	return s->segmented ? text : text + 1;
}

static inline const char *ask_as(struct world *w, size_t who, const char *hex)
{
	w->cursor = w->n_heard;
	say_to(&w->radios[who], NODE, DEV_KEY_DEVICE, false, hex);
	return next(w, SEC(5));
}

static inline void open_link(struct world *w)
{
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(next(w, SEC(5)), "+805c0002");
}

static inline void gag(struct world *w, size_t who, bool on)
{
	w->radios[who].deaf = w->radios[who].deafening = on;
}

#endif
