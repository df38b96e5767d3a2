/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device of the simulated building, with what a hostile radio says. Input: an octet (bit 0: it
 * is a node that serves Remote Provisioning; otherwise unprovisioned, with a certificate), then,
 * repeated, an octet that says what (enum kind, below) and more. What needs keys or a check
 * sequence gets them here. Accepted: it answered.
 */
#include <stdlib.h>
#include <string.h>

#include "dev_core.h"
#include "fuzz.h"

enum kind {
	REPORT,	 /* length, an advertising report */
	PDU,	 /* length, a Provisioning PDU: the next transaction of an open link */
	MESSAGE, /* device or application key in bit 4; length, an access message */
	ACCESS,	 /* length, a lower transport PDU */
	CONTROL, /* likewise, of a control message */
	PAUSE,	 /* length of it */
	LINK,	 /* opens a link */
	RESTART, /* from its flash */
};

enum { NODE = 0x0010, CLIENT = 0x0001, LINK_ID = 0x01020304 };

struct world {
	struct timers timers;
	struct device_make make;
	struct device *device;
	struct dev_net_key net;
	struct secret16 net_key, device_key, app_key;
	uint32_t seq;
	uint8_t transaction, random;
	unsigned answers;
	size_t flash_len;
	uint8_t flash[DEVICE_FLASH_MAX];
};

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static void on_random(void *ctx, void *out, size_t n)
{
	struct world *w = ctx;

	memset(out, 0x10 + w->random++ % 0x40, n);
}

static void on_send(void *ctx, const struct device_send *s)
{
	struct world *w = ctx;

	promise(s->len >= 3 && s->len <= AD_MAX && s->data[0] == s->len - 1 && s->count > 0);
	w->answers += s->data[1] == AD_MESH_MESSAGE ||
		      (s->data[1] == AD_PB_ADV && s->len > 8 && (s->data[7] & 3) == 0);
}

static void on_cancel(void *ctx, uint32_t tag)
{
}

static void on_save(void *ctx, struct bytes image)
{
	struct device_state state;
	struct world *w = ctx;

	promise(image.n <= sizeof(w->flash) && device_state_read(image, &state));
	memcpy(w->flash, image.p, image.n);
	w->flash_len = image.n;
}

static void start(struct world *w)
{
	struct device_env env = { &w->timers, on_random, on_send, on_cancel, on_save, w };

	w->device = device_new(&w->make, &env, bytes_of(w->flash, w->flash_len));
}

static void make_node(struct world *w)
{
	struct dev_image im;

	dev_flash_blank(&im);
	im.provisioned = true;
	im.address = NODE;
	im.elements = w->make.elements;
	im.device_key = w->device_key;
	im.beacon = im.relay = true;
	im.default_ttl = 7;
	im.network_transmit = im.relay_retransmit = 1 << 3 | 2;
	im.recovery_hours = DEV_HOURS_NEVER;
	im.net_keys[0].key = w->net_key;
	im.n_net_keys = 1;
	im.app_keys[0].key = w->app_key;
	im.n_app_keys = 1;
	w->flash_len = dev_flash_write(&im, w->flash).n;
}

static void world_open(struct world *w, bool node)
{
	memset(w, 0, sizeof(*w));
	timers_init(&w->timers, SEC(1));
	memset(&w->net_key, 0x4E, sizeof(w->net_key));
	memset(&w->device_key, 0xD5, sizeof(w->device_key));
	memset(&w->app_key, 0xA7, sizeof(w->app_key));
	dev_net_key_make(&w->net, 0, &w->net_key);
	w->make = (struct device_make){ .company = 0x05F1,
					.elements = 2,
					.features = FEATURE_RELAY,
					.algorithms = 3,
					.server = node,
					.large_composition = node,
					.changed_elements = node ? 2 : 0,
					.certificates = !node };
	memset(w->make.uuid, 0xEE, sizeof(w->make.uuid));
	strcpy(w->make.name, "Lamp 7");
	w->make.records[0].id = PROV_RECORD_DEVICE_CERTIFICATE;
	w->make.records[0].data = bytes_of("certificate", 11);
	w->make.n_records = 1;
	w->seq = 1;
	if (node)
		make_node(w);
	start(w);
}

static void hear(struct world *w, uint8_t type, struct bytes data)
{
	size_t n = type ? data.n + 2 : data.n;
	uint8_t *exact = malloc(n ? n : 1);

	promise(exact);
	if (type) {
		exact[0] = (uint8_t)(data.n + 1);
		exact[1] = type;
	}
	if (data.n > 0)
		memcpy(exact + (type ? 2 : 0), data.p, data.n);
	device_heard(w->device, bytes_of(exact, n), -60);
	free(exact);
}

static void say(struct world *w, bool ctl, struct bytes transport)
{
	struct dev_net_pdu p = { .ctl = ctl, .ttl = 4, .src = CLIENT, .dst = NODE };
	uint8_t out[NETWORK_PDU_MAX];
	size_t max = ctl ? 12 : 16;

	if (transport.n == 0)
		return;
	p.seq = w->seq++;
	p.len = (uint8_t)(transport.n < max ? transport.n : max);
	memcpy(p.transport, transport.p, p.len);
	hear(w, AD_MESH_MESSAGE, dev_pdu_seal(&w->net, &p, out));
}

static void say_message(struct world *w, bool app, struct bytes access)
{
	struct dev_upper_nonce n = {
		.device_key = !app, .seq = w->seq, .src = CLIENT, .dst = NODE
	};
	uint8_t upper[DEV_UPPER_MAX], out[16], key = app ? 0x40 | k4(&w->app_key) : 0;
	size_t len = access.n + 4;
	uint32_t seg_n = (uint32_t)((len - 1) / 12);

	if (access.n == 0 || len > sizeof(upper))
		return;
	dev_upper_seal(app ? &w->app_key : &w->device_key, &n, access, upper + (len <= 15));
	if (len <= 15) {
		upper[0] = key;
		say(w, false, bytes_of(upper, len + 1));
		return;
	}
	for (uint32_t i = 0; i <= seg_n; i++) {
		size_t part = len - 12 * i < 12 ? len - 12 * i : 12;
		struct wr t = wr_to(out, sizeof(out));

		wr_u8(&t, 0x80 | key);
		wr_be24(&t, (n.seq & 0x1FFF) << 10 | i << 5 | seg_n);
		wr_copy(&t, upper + 12 * i, part);
		say(w, false, wr_done(&t));
	}
}

static void frame(struct world *w, uint8_t transaction, const void *generic, size_t n)
{
	uint8_t out[29];
	struct wr f = wr_to(out, sizeof(out));

	wr_be32(&f, LINK_ID);
	wr_u8(&f, transaction);
	wr_copy(&f, generic, n);
	hear(w, AD_PB_ADV, wr_done(&f));
	timers_advance(&w->timers, timers_now(&w->timers) + MSEC(5));
}

static void say_pdu(struct world *w, struct bytes pdu)
{
	size_t more = pdu.n > 20 ? (pdu.n - 20 + 22) / 23 : 0, first = pdu.n < 20 ? pdu.n : 20;
	uint8_t out[24] = { 0 };

	if (pdu.n == 0 || more > 63)
		return;
	out[0] = (uint8_t)(more << 2);
	out[1] = (uint8_t)(pdu.n >> 8);
	out[2] = (uint8_t)pdu.n;
	out[3] = dev_pb_fcs(pdu);
	memcpy(out + 4, pdu.p, first);
	frame(w, w->transaction, out, 4 + first);
	for (size_t i = 1; i <= more; i++) {
		size_t at = 20 + 23 * (i - 1), part = pdu.n - at < 23 ? pdu.n - at : 23;

		out[0] = (uint8_t)(i << 2 | 2);
		memcpy(out + 1, pdu.p + at, part);
		frame(w, w->transaction, out, 1 + part);
	}
	w->transaction = (w->transaction + 1) & 0x7F;
	timers_advance(&w->timers, timers_now(&w->timers) + MSEC(100));
	/* Its answer is acknowledged, so that it may give the next one. */
	for (uint8_t t = 0; t < 4; t++)
		frame(w, (uint8_t)(0x80 + (w->transaction + t + 0x7D) % 0x80), "\x01", 1);
}

static void one(struct world *w, struct rd *r)
{
	static const uint64_t pause[8] = { MSEC(1), MSEC(30), MSEC(400), SEC(1),
					   SEC(6),  SEC(20),  SEC(65),	 SEC(150) };
	uint8_t head = rd_u8(r), link[17] = { 3 };
	struct bytes in = { 0 };
	size_t len;

	if ((head & 7) < LINK) {
		len = rd_u8(r);
		in = (head & 7) == PAUSE ? bytes_of(NULL, len)
					 : rd_bytes(r, len < r->left ? len : r->left);
	}
	switch ((enum kind)(head & 7)) {
	case REPORT:
		hear(w, 0, in);
		break;
	case PDU:
		say_pdu(w, in);
		break;
	case MESSAGE:
		say_message(w, head & 0x10, in);
		break;
	case ACCESS:
	case CONTROL:
		say(w, (head & 7) == CONTROL, in);
		break;
	case PAUSE:
		timers_advance(&w->timers, timers_now(&w->timers) + pause[in.n & 7]);
		break;
	case LINK:
		memcpy(link + 1, w->make.uuid, UUID_LEN);
		w->transaction = 0;
		frame(w, 0, link, sizeof(link));
		break;
	case RESTART:
		device_free(w->device);
		start(w);
		break;
	}
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct rd r = rd_from(bytes_of(data, n));
	struct world w;

	world_open(&w, rd_u8(&r) & 1);
	for (unsigned i = 0; i < 200 && r.left > 0; i++)
		one(&w, &r);
	timers_advance(&w.timers, timers_now(&w.timers) + SEC(2));
	device_free(w.device);
	dev_net_key_free(&w.net);
	timers_free(&w.timers);
	return w.answers > 0;
}
