/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An open PB-ADV link under a hostile air. Input, repeated: an octet with the length of a frame in
 * its low five bits and a pause in its high three, then the frame. Our link ID is 01 01 01 01.
 * Accepted: a whole Provisioning PDU was received.
 */
#include <string.h>

#include "pb_adv.h"

bool fuzz_one(const uint8_t *data, size_t n);

struct owner {
	struct prov_carrier *carrier;
	unsigned received;
	bool outstanding, closed;
};

static bool bearer_send(struct bearer *b, const struct bearer_send *s)
{
	return true;
}

static void bearer_cancel(struct bearer *b, uint32_t tag)
{
}

static void all_ones(void *ctx, void *out, size_t n)
{
	memset(out, 1, n);
}

static void send_one(struct owner *o)
{
	static const uint8_t pdu[65] = { 3 };

	if (o->outstanding)
		return;
	o->outstanding = true;
	o->carrier->ops->send(o->carrier, bytes_of(pdu, sizeof(pdu)));
}

static void opened(void *ctx)
{
	send_one(ctx);
}

static void sent(void *ctx)
{
	struct owner *o = ctx;

	o->outstanding = false;
}

static void received(void *ctx, struct bytes pdu)
{
	struct owner *o = ctx;

	o->received++;
	send_one(o);
}

static void closed(void *ctx, enum carrier_end end)
{
	struct owner *o = ctx;

	o->closed = true;
}

static const struct prov_carrier_events events = { opened, sent, received, closed };

bool fuzz_one(const uint8_t *data, size_t n)
{
	static const uint64_t pause[8] = { 0,	      MSEC(1), MSEC(30), MSEC(100),
					   MSEC(600), SEC(3),  SEC(20),	 SEC(40) };
	static const uint8_t uuid[UUID_LEN] = { 0xAB };
	struct bearer bearer = { .send = bearer_send, .cancel = bearer_cancel };
	struct rd r = rd_from(bytes_of(data, n));
	struct timers timers;
	struct owner o = { 0 };
	struct pb_adv *adv;

	timers_init(&timers, 0);
	adv = pb_adv_new(
		&(struct pb_adv_env){ .bearer = &bearer, .timers = &timers, .random = all_ones });
	o.carrier = pb_adv_carrier_new(adv);
	o.carrier->events = &events;
	o.carrier->ctx = &o;
	o.carrier->ops->open(o.carrier, uuid);
	while (r.left > 0 && !o.closed) {
		uint8_t head = rd_u8(&r);
		size_t len = head & 0x1F;

		pb_adv_heard(adv, rd_bytes(&r, len < r.left ? len : r.left));
		timers_advance(&timers, timers_now(&timers) + pause[head >> 5]);
	}
	pb_adv_carrier_free(o.carrier);
	pb_adv_free(adv);
	timers_free(&timers);
	return o.received > 0;
}
