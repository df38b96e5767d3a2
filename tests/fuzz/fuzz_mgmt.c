/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel that says what it likes on its management channel to the driver, while we send. Input,
 * repeated: an octet, then what it asks for:
 *   00..7F  a packet of so many octets, as they follow
 *   80      answer the command in flight: status 0, N octets of V; N and V are the next two
 *   81      refuse it: the next octet is the status
 *   82..8B  time passes: 0.25 ms, 1 ms, 4 ms ...
 *   8C      an event for our adapter: its code (2 octets), its length (1), its parameters
 *   90..FF  we send; low two bits: the class, next two: count - 1
 * Accepted: a report of the mesh was heard.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "mgmt_host.h"

enum { INDEX = 5 };

struct kernel {
	struct timers timers;
	struct mgmt_host host;
	uint16_t in_flight;
	unsigned heard;
	bool failed;
};

static bool on_write(void *ctx, struct bytes packet)
{
	struct kernel *k = ctx;
	struct rd r = rd_from(packet);
	uint16_t opcode = rd_le16(&r);

	assert(rd_le16(&r) == INDEX);
	rd_bytes(&r, rd_le16(&r));
	assert(rd_finished(&r));
	assert(!k->failed);
	k->in_flight = opcode;
	return true;
}

static void on_heard(void *ctx, const struct bearer_report *report)
{
	struct kernel *k = ctx;

	assert(report->data.n <= AD_MAX && report->event_type == ADV_NONCONN_IND);
	k->heard++;
}

static void on_up(void *ctx)
{
}

static void on_failed(void *ctx, const char *why)
{
	struct kernel *k = ctx;

	assert(!k->failed && strlen(why) > 0);
	k->failed = true;
}

static void event(struct kernel *k, uint16_t code, struct bytes params)
{
	uint8_t packet[MGMT_HEADER + 3 + 255];
	struct wr w = wr_to(packet, sizeof(packet));

	wr_le16(&w, code);
	wr_le16(&w, INDEX);
	wr_le16(&w, (uint16_t)params.n);
	wr_bytes(&w, params);
	mgmt_host_feed(&k->host, wr_done(&w));
}

static void answer(struct kernel *k, uint8_t status, uint8_t n, uint8_t fill)
{
	uint8_t params[3 + 255];

	memset(params, fill, sizeof(params));
	params[0] = (uint8_t)k->in_flight;
	params[1] = (uint8_t)(k->in_flight >> 8);
	params[2] = status;
	event(k, MGMT_EV_COMMAND_COMPLETE, bytes_of(params, 3u + n));
}

static void send(struct kernel *k, uint8_t how)
{
	struct bearer_send s = { .kind = (enum bearer_class)(how & 3),
				 .count = (uint8_t)((how >> 2 & 3) + 1),
				 .interval_ms = 20,
				 .tag = how & 0x10,
				 .len = 3,
				 .data = { 2, AD_MESH_MESSAGE, how } };

	mgmt_host_send(&k->host, &s);
	if (how >= 0xF0)
		mgmt_host_cancel(&k->host, 0x10);
}

static void turn(struct kernel *k, struct rd *r)
{
	uint8_t what = rd_u8(r);
	uint16_t code;
	size_t n;

	if (what < 0x80) {
		mgmt_host_feed(&k->host, rd_bytes(r, what < r->left ? what : r->left));
	} else if (what == 0x80) {
		n = rd_u8(r);
		answer(k, MGMT_OK, (uint8_t)n, rd_u8(r));
	} else if (what == 0x81) {
		answer(k, rd_u8(r), 0, 0);
	} else if (what < 0x8C) {
		timers_advance(&k->timers,
			       timers_now(&k->timers) + (MSEC(1) << 2 * (what - 0x82)) / 4);
	} else if (what < 0x90) {
		code = rd_le16(r);
		n = rd_u8(r);
		event(k, code, rd_bytes(r, n < r->left ? n : r->left));
	} else {
		send(k, what);
	}
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	static struct kernel k; /* large; begun anew each time */
	struct mgmt_host_config config = { .timers = &k.timers,
					   .seed = n,
					   .write = on_write,
					   .heard = on_heard,
					   .up = on_up,
					   .failed = on_failed,
					   .ctx = &k };
	struct rd r = rd_from(bytes_of(data, n));

	memset(&k, 0, sizeof(k));
	timers_init(&k.timers, 0);
	mgmt_host_init(&k.host, &config);
	mgmt_host_start(&k.host, INDEX);
	for (unsigned turns = 0; r.left > 0 && !k.failed && turns < 2000; turns++)
		turn(&k, &r);
	mgmt_host_farewell(&k.host);
	mgmt_host_stop(&k.host);
	assert(timers_next(&k.timers) == TIMERS_NEVER);
	timers_free(&k.timers);
	return k.heard > 0;
}
