/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Bluetooth controller that says what it likes to the HCI driver, while we send. Input,
 * repeated: an octet, then what it asks for:
 *   00..7F  a packet of so many octets, as they follow
 *   80      answer the command in flight: status 0 and the next octet as its result, eight times
 *   81      refuse it: the next octet is the status
 *   82..8F  time passes: 0.25 ms, 1 ms, 4 ms ...
 *   90..FF  we send; low two bits: the class, next two: count - 1
 * Accepted: a report of the mesh was heard.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "hci_host.h"

struct controller {
	struct timers timers;
	struct hci_host host;
	uint16_t in_flight;
	unsigned heard;
	bool failed;
};

static bool on_write(void *ctx, struct bytes packet)
{
	struct controller *c = ctx;

	assert(packet.n >= 4 && packet.n == 4u + packet.p[3]);
	assert(!c->failed);
	c->in_flight = (uint16_t)(packet.p[1] | packet.p[2] << 8);
	return true;
}

static void on_heard(void *ctx, const struct bearer_report *report)
{
	struct controller *c = ctx;

	assert(report->data.n <= AD_MAX && hci_ad_is_mesh(report->data));
	c->heard++;
}

static void on_up(void *ctx)
{
}

static void on_failed(void *ctx, const char *why)
{
	struct controller *c = ctx;

	assert(!c->failed && strlen(why) > 0);
	c->failed = true;
}

static void answer(struct controller *c, uint8_t status, uint8_t fill)
{
	uint8_t packet[15] = { HCI_PACKET_EVENT, HCI_EV_COMMAND_COMPLETE, 12, 1 };

	packet[4] = (uint8_t)c->in_flight;
	packet[5] = (uint8_t)(c->in_flight >> 8);
	packet[6] = status;
	memset(packet + 7, fill, 8);
	hci_host_feed(&c->host, bytes_of(packet, sizeof(packet)));
}

static void send(struct controller *c, uint8_t how)
{
	struct bearer_send s = { .kind = (enum bearer_class)(how & 3),
				 .count = (uint8_t)((how >> 2 & 3) + 1),
				 .interval_ms = 20,
				 .tag = how & 0x10,
				 .len = 3,
				 .data = { 2, AD_MESH_MESSAGE, how } };

	hci_host_send(&c->host, &s);
	if (how >= 0xF0)
		hci_host_cancel(&c->host, 0x10);
}

static void turn(struct controller *c, struct rd *r)
{
	uint8_t what = rd_u8(r);

	if (what < 0x80)
		hci_host_feed(&c->host, rd_bytes(r, what < r->left ? what : r->left));
	else if (what == 0x80)
		answer(c, HCI_OK, rd_u8(r));
	else if (what == 0x81)
		answer(c, rd_u8(r), 0);
	else if (what < 0x90)
		timers_advance(&c->timers,
			       timers_now(&c->timers) + (MSEC(1) << 2 * (what - 0x82)) / 4);
	else
		send(c, what);
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	static struct controller c; /* large; begun anew each time */
	struct hci_host_config config = { .timers = &c.timers,
					  .seed = n,
					  .write = on_write,
					  .heard = on_heard,
					  .up = on_up,
					  .failed = on_failed,
					  .ctx = &c };
	struct rd r = rd_from(bytes_of(data, n));

	memset(&c, 0, sizeof(c));
	timers_init(&c.timers, 0);
	hci_host_init(&c.host, &config);
	hci_host_start(&c.host);
	for (unsigned turns = 0; r.left > 0 && !c.failed && turns < 2000; turns++)
		turn(&c, &r);
	hci_host_stop(&c.host);
	assert(timers_next(&c.timers) == TIMERS_NEVER);
	timers_free(&c.timers);
	return c.heard > 0;
}
