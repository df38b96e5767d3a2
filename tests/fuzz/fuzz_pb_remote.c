/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PB-Remote carrier and whatever its server sends. Input, repeated: an octet with the low four
 * bits of an opcode (80 50 to 80 5F), a bit for another source and three bits of a pause, the
 * length of the parameters, the parameters. Accepted: a PDU of the device came through. Promises:
 * events in their order, the end once and last.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_access.h"
#include "fuzz.h"
#include "pb_remote.h"

enum { SERVER = 0x0010, STRANGER = 0x0011, OPCODES = 0x8050 };

struct owner {
	struct prov_carrier *carrier;
	unsigned received;
	bool opened, outstanding, closed;
};

static void promise(bool kept)
{
	if (!kept)
		abort();
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
	struct owner *o = ctx;

	promise(!o->opened && !o->closed);
	o->opened = true;
	send_one(o);
}

static void sent(void *ctx)
{
	struct owner *o = ctx;

	promise(o->opened && o->outstanding && !o->closed);
	o->outstanding = false;
}

static void received(void *ctx, struct bytes pdu)
{
	struct owner *o = ctx;

	promise(o->opened && !o->closed && pdu.n > 0);
	o->received++;
	send_one(o);
}

static void closed(void *ctx, enum carrier_end end)
{
	struct owner *o = ctx;

	promise(!o->closed);
	o->closed = true;
}

static const struct prov_carrier_events events = { opened, sent, received, closed };

static void hear(struct access *a, uint8_t head, struct bytes params)
{
	uint8_t *exact = malloc(params.n ? params.n : 1);
	struct access_message m = { .src = head & 0x10 ? STRANGER : SERVER,
				    .dst = 1,
				    .ttl = 5,
				    .app_index = ACCESS_DEVICE_KEY,
				    .opcode = OPCODES | (head & 0x0F),
				    .params = bytes_of(exact, params.n) };

	promise(exact);
	if (params.n > 0)
		memcpy(exact, params.p, params.n);
	fake_access_hear(a, &m);
	free(exact);
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	static const uint64_t pause[8] = { MSEC(1), MSEC(40), MSEC(200), SEC(1),
					   SEC(3),  SEC(6),   SEC(20),	 SEC(70) };
	static const uint8_t uuid[UUID_LEN] = { 0xEE };
	struct rd r = rd_from(bytes_of(data, n));
	struct access_target server = { .dst = SERVER, .app_index = ACCESS_DEVICE_KEY, .ttl = 5 };
	struct owner o = { 0 };
	struct timers timers;
	struct access a;

	timers_init(&timers, SEC(1));
	fake_access_init(&a, &timers, 1);
	o.carrier = pb_remote_new(&a, &timers, &server, &(struct pb_remote_options){ 0 });
	o.carrier->events = &events;
	o.carrier->ctx = &o;
	o.carrier->ops->open(o.carrier, uuid);
	timers_advance(&timers, timers_now(&timers) + MSEC(50));
	for (unsigned i = 0; i < 300 && r.left > 1 && !o.closed; i++) {
		uint8_t head = rd_u8(&r);
		size_t len = rd_u8(&r);

		hear(&a, head, rd_bytes(&r, len < r.left ? len : r.left));
		timers_advance(&timers, timers_now(&timers) + pause[head >> 5]);
	}
	/* A server that says nothing any more cannot hold the owner. */
	if (!o.closed) {
		o.carrier->ops->close(o.carrier, PROV_CLOSE_FAIL);
		timers_advance(&timers, timers_now(&timers) + SEC(300));
	}
	promise(o.closed);
	pb_remote_free(o.carrier);
	promise(!a.listeners && !a.requests);
	fake_access_free(&a);
	timers_free(&timers);
	return o.received > 0;
}
