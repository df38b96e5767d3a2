/* SPDX-License-Identifier: Apache-2.0 */
/*
 *  us                                                        kernel
 *   |-- Read Info ------------------------------------------->|   has it LE? is it on?
 *   |-- Set LE, Set Powered --------------------------------->|   only where they are off
 *   |-- Set Experimental Feature (mesh) --------------------->|   else: Not Supported
 *   |-- Read Mesh Features ---------------------------------->|   how many packets at a time
 *   |-- Set Mesh Receiver (29, 2A, 2B) ---------------------->|
 *   |<------------------------------- Mesh Device Found ------|
 *   |-- Mesh Send (count 1) --------------------------------->|
 *   |<--------------- Command Complete (handle) --------------|
 *   |<--------------- Mesh Packet Complete (handle) ----------|
 *
 * Each copy is a Mesh Send of its own: with a count above 1 the kernel keeps the packet longer, but
 * its advertising interval is so long that one copy leaves all the same.
 */
#include "mgmt_host.h"

#include <stdio.h>
#include <string.h>

#include "log.h"

enum {
	ANSWER_MS = 10000, /* switching an adapter on may load firmware */
	BUSY_MS = 25,	   /* the time the kernel gives to one copy */
	OVERDUE_MS = 2000, /* of the whole of what is in the kernel */
	SILENCE_FIRST_MS = 2000,
	SILENCE_MS = 30000,
	SCAN_WINDOW = 0x1000,
	ADDRESS_RANDOM = 2,
};

static void pump(struct mgmt_host *h);

static void ended(void *ctx)
{
	struct mgmt_host *h = ctx;

	h->config.failed(h->config.ctx, h->why);
}

static void fail(struct mgmt_host *h, const char *why)
{
	if (h->state == MGMT_FAILED || h->state == MGMT_STOPPED)
		return;
	mgmt_host_stop(h);
	h->state = MGMT_FAILED;
	snprintf(h->why, sizeof(h->why), "%s", why);
	timer_start(h->config.timers, &h->end_timer, 0, ended, h);
}

static void no_answer(void *ctx)
{
	fail(ctx, "the kernel's Bluetooth does not answer: unplug the adapter and plug it in");
}

static void pump(struct mgmt_host *h)
{
	const struct mgmt_command *c = &h->queue[h->head];
	uint8_t packet[MGMT_HEADER + MGMT_PARAMS_MAX];
	struct wr w = wr_to(packet, sizeof(packet));

	if (h->queued == 0 || h->in_flight)
		return;
	h->in_flight = true;
	timer_start(h->config.timers, &h->answer_timer, MSEC(ANSWER_MS), no_answer, h);
	wr_le16(&w, c->opcode);
	wr_le16(&w, h->config.index);
	wr_le16(&w, c->len);
	wr_copy(&w, c->params, c->len);
	if (!h->config.write(h->config.ctx, wr_done(&w)))
		fail(h, "the adapter is gone: plug it in");
}

static void command(struct mgmt_host *h, enum mgmt_opcode opcode, const struct wr *params,
		    void (*done)(struct mgmt_host *, uint8_t, struct bytes))
{
	struct bytes b = wr_done(params);
	struct mgmt_command *c;

	if (h->state != MGMT_SETTING_UP && h->state != MGMT_UP)
		return;
	if (h->queued == MGMT_QUEUE_MAX || b.n > MGMT_PARAMS_MAX) {
		fail(h, "the kernel's Bluetooth takes no commands: unplug the adapter");
		return;
	}
	c = &h->queue[(h->head + h->queued++) % MGMT_QUEUE_MAX];
	c->opcode = (uint16_t)opcode;
	c->len = (uint16_t)b.n;
	c->done = done;
	if (b.n > 0)
		memcpy(c->params, b.p, b.n);
	pump(h);
}

/* --- set-up ---------------------------------------------------------------------------------- */

static bool want_le(const struct mgmt_host *h)
{
	return !(h->settings & MGMT_LE);
}

static bool want_power(const struct mgmt_host *h)
{
	return !(h->settings & MGMT_POWERED) && !h->was_up;
}

static void put_on(struct wr *w)
{
	wr_u8(w, 1);
}

/* The mesh feature's UUID, 2ce463d7-7a03-4d8d-bf05-5f24e8f36e76, last octet first. */
static void put_feature(struct wr *w)
{
	static const uint8_t uuid[16] = { 0x76, 0x6E, 0xF3, 0xE8, 0x24, 0x5F, 0x05, 0xBF,
					  0x8D, 0x4D, 0x03, 0x7A, 0xD7, 0x63, 0xE4, 0x2C };

	wr_copy(w, uuid, sizeof(uuid));
	wr_u8(w, 1);
}

static void put_receiver(struct wr *w)
{
	wr_u8(w, 1);
	wr_le16(w, SCAN_WINDOW); /* the whole of */
	wr_le16(w, SCAN_WINDOW); /* the time */
	wr_u8(w, 3);
	wr_u8(w, AD_PB_ADV);
	wr_u8(w, AD_MESH_MESSAGE);
	wr_u8(w, AD_MESH_BEACON);
}

static bool take_info(struct mgmt_host *h, struct rd *r)
{
	rd_bytes(r, 6 + 1 + 2); /* address, version, manufacturer */
	h->supported = rd_le32(r);
	h->settings = rd_le32(r);
	if (!rd_ok(r))
		return false;
	if (!(h->supported & MGMT_LE)) {
		fail(h, "the adapter has no Bluetooth Low Energy: use another one");
		return true;
	}
	if (!(h->settings & MGMT_POWERED) && h->was_up) {
		fail(h, "the adapter was switched off: bluetoothctl power on");
		return true;
	}
	if (!(h->settings & MGMT_BREDR))
		log_warning("radio: hci%u has no BR/EDR switched on: the kernel puts flags before "
			    "each packet, and packets of more than 28 octets may not be sent",
			    h->config.index);
	return true;
}

static bool take_features(struct mgmt_host *h, struct rd *r)
{
	rd_le16(r);
	h->handles = rd_u8(r);
	if (!rd_ok(r))
		return false;
	if (h->handles > MGMT_HANDLES_MAX)
		h->handles = MGMT_HANDLES_MAX;
	if (h->handles == 0)
		fail(h, "the kernel takes no mesh packets: switch LE on (btmgmt le on)");
	return true;
}

static const struct step {
	enum mgmt_opcode opcode;
	bool (*wanted)(const struct mgmt_host *h); /* NULL: always */
	void (*put)(struct wr *w);
	bool (*take)(struct mgmt_host *h, struct rd *r);
} steps[] = {
	{ MGMT_READ_INFO, NULL, NULL, take_info },
	{ MGMT_SET_LE, want_le, put_on, NULL },
	{ MGMT_SET_POWERED, want_power, put_on, NULL },
	{ MGMT_SET_EXP_FEATURE, NULL, put_feature, NULL },
	{ MGMT_READ_MESH_FEATURES, NULL, NULL, take_features },
	{ MGMT_SET_MESH_RECEIVER, NULL, put_receiver, NULL },
};

static void refused(struct mgmt_host *h, uint8_t status)
{
	char why[MGMT_WHY];

	switch (status) {
	case MGMT_UNKNOWN_COMMAND:
	case MGMT_NOT_SUPPORTED:
		snprintf(why, sizeof(why),
			 "this kernel or adapter has no mesh commands (Linux 6.1 and LE needed): "
			 "use the adapter alone, --radio hci%u",
			 h->config.index);
		break;
	case MGMT_PERMISSION_DENIED:
		snprintf(why, sizeof(why), "not permitted: give CAP_NET_ADMIN");
		break;
	case MGMT_RFKILLED:
		snprintf(why, sizeof(why),
			 "radio switched off by rfkill: rfkill unblock bluetooth");
		break;
	case MGMT_INVALID_INDEX:
		snprintf(
			why, sizeof(why),
			"no such adapter for bluetoothd's side: another process has it for itself");
		break;
	default:
		snprintf(why, sizeof(why),
			 "the kernel refuses command 0x%04x (0x%02x): see dmesg and bluetoothd",
			 (unsigned)steps[h->step].opcode, status);
	}
	fail(h, why);
}

static void transmit_start(struct mgmt_host *h);
static void run_step(struct mgmt_host *h);

/* Right after it has switched the adapter on, Linux 6.12 may answer Set Mesh Receiver with success
 * and yet never start to scan: one that hears nothing is told once more. */
static void silent(void *ctx)
{
	struct mgmt_host *h = ctx;
	uint8_t params[MGMT_PARAMS_MAX];
	struct wr w = wr_to(params, sizeof(params));
	bool deaf = h->counters.heard == h->heard_before;

	h->heard_before = h->counters.heard;
	timer_start(h->config.timers, &h->silence_timer, MSEC(SILENCE_MS), silent, h);
	if (!deaf)
		return;
	put_receiver(&w);
	command(h, MGMT_SET_MESH_RECEIVER, &w, NULL);
}

static void step_done(struct mgmt_host *h, uint8_t status, struct bytes result)
{
	const struct step *s = &steps[h->step];
	struct rd r = rd_from(result);

	if (h->state != MGMT_SETTING_UP)
		return;
	if (status != MGMT_OK) {
		refused(h, status);
		return;
	}
	if (s->take && !s->take(h, &r)) {
		h->counters.malformed++;
		fail(h, "the kernel's answer cannot be read: another kernel is needed");
	}
	if (h->state != MGMT_SETTING_UP)
		return;
	do {
		h->step++;
	} while (h->step < ARRAY_LEN(steps) && steps[h->step].wanted && !steps[h->step].wanted(h));
	if (h->step < ARRAY_LEN(steps)) {
		run_step(h);
		return;
	}
	h->state = MGMT_UP;
	h->was_up = true;
	transmit_start(h);
	h->heard_before = h->counters.heard;
	timer_start(h->config.timers, &h->silence_timer, MSEC(SILENCE_FIRST_MS), silent, h);
	h->config.up(h->config.ctx);
}

static void run_step(struct mgmt_host *h)
{
	uint8_t params[MGMT_PARAMS_MAX];
	struct wr w = wr_to(params, sizeof(params));

	if (steps[h->step].put)
		steps[h->step].put(&w);
	command(h, steps[h->step].opcode, &w, step_done);
}

/* --- sending --------------------------------------------------------------------------------- */

static void set_gate(struct mgmt_host *h)
{
	if (h->state == MGMT_UP)
		advertiser_set_gate(&h->advertiser,
				    h->outstanding < h->handles && !timer_running(&h->pause_timer)
					    ? ADVERTISER_OPEN
					    : ADVERTISER_SHUT);
}

static void again(void *ctx)
{
	set_gate(ctx);
}

static void overdue(void *ctx)
{
	struct mgmt_host *h = ctx;

	h->counters.overdue += h->outstanding;
	h->outstanding = 0;
	set_gate(h);
}

static void left_kernel(struct mgmt_host *h)
{
	if (h->outstanding > 0)
		h->outstanding--;
	if (h->outstanding > 0)
		timer_start(h->config.timers, &h->overdue_timer, MSEC(OVERDUE_MS), overdue, h);
	else
		timer_stop(h->config.timers, &h->overdue_timer);
}

static void taken(struct mgmt_host *h, uint8_t status, struct bytes result)
{
	if (status != MGMT_OK) {
		h->counters.rejected++;
		left_kernel(h);
	}
	if (status == MGMT_BUSY)
		timer_start(h->config.timers, &h->pause_timer, MSEC(BUSY_MS), again, h);
	set_gate(h);
}

static void transmit(void *ctx, struct bytes ad)
{
	static const uint8_t any_address[6] = { 0 }, at_once[8] = { 0 };
	struct mgmt_host *h = ctx;
	uint8_t params[MGMT_PARAMS_MAX];
	struct wr w = wr_to(params, sizeof(params));

	wr_copy(&w, any_address, sizeof(any_address));
	wr_u8(&w, ADDRESS_RANDOM);
	wr_copy(&w, at_once, sizeof(at_once));
	wr_le16(&w, 0);
	wr_u8(&w, 1);
	wr_u8(&w, (uint8_t)ad.n);
	wr_bytes(&w, ad);
	h->outstanding++;
	timer_start(h->config.timers, &h->overdue_timer, MSEC(OVERDUE_MS), overdue, h);
	set_gate(h);
	command(h, MGMT_MESH_SEND, &w, taken);
}

static void transmit_start(struct mgmt_host *h)
{
	struct advertiser_config config = {
		.timers = h->config.timers, .seed = h->config.seed, .transmit = transmit, .ctx = h
	};

	h->outstanding = 0;
	advertiser_init(&h->advertiser, &config);
}

/* --- receiving ------------------------------------------------------------------------------- */

static void answered(struct mgmt_host *h, uint16_t opcode, uint8_t status, struct bytes result)
{
	struct mgmt_command c = h->queue[h->head];

	if (!h->in_flight || c.opcode != opcode)
		return;
	timer_stop(h->config.timers, &h->answer_timer);
	h->in_flight = false;
	h->head = (h->head + 1) % MGMT_QUEUE_MAX;
	h->queued--;
	if (c.done)
		c.done(h, status, result);
}

static bool on_answer(struct mgmt_host *h, struct rd *r)
{
	uint16_t opcode = rd_le16(r);
	uint8_t status = rd_u8(r);
	struct bytes result = rd_rest(r);

	if (!rd_ok(r))
		return false;
	answered(h, opcode, status, result);
	return true;
}

static bool on_settings(struct mgmt_host *h, struct rd *r)
{
	h->settings = rd_le32(r);
	if (!rd_finished(r))
		return false;
	if (h->state == MGMT_UP && !(h->settings & MGMT_POWERED))
		fail(h, "the adapter was switched off: bluetoothctl power on");
	else if (h->state == MGMT_UP && !(h->settings & MGMT_LE))
		fail(h, "Low Energy was switched off: btmgmt le on");
	return true;
}

static bool on_found(struct mgmt_host *h, struct rd *r)
{
	struct bearer_report report = { .event_type = ADV_NONCONN_IND };

	rd_copy(r, report.address, sizeof(report.address));
	rd_u8(r); /* address type */
	report.rssi = (int8_t)rd_u8(r);
	rd_bytes(r, 8 + 4); /* instant, flags */
	report.data = rd_bytes(r, rd_le16(r));
	if (!rd_finished(r) || report.data.n > AD_MAX)
		return false;
	h->counters.heard++;
	h->config.heard(h->config.ctx, &report);
	return true;
}

static bool on_sent(struct mgmt_host *h, struct rd *r)
{
	rd_u8(r);
	if (!rd_finished(r))
		return false;
	h->counters.sent++;
	left_kernel(h);
	set_gate(h);
	return true;
}

static bool on_event(struct mgmt_host *h, uint16_t event, struct bytes params)
{
	struct rd r = rd_from(params);

	switch (event) {
	case MGMT_EV_COMMAND_COMPLETE:
	case MGMT_EV_COMMAND_STATUS:
		return on_answer(h, &r);
	case MGMT_EV_INDEX_REMOVED:
		fail(h, "the adapter was unplugged, or another process took it for itself");
		return true;
	case MGMT_EV_NEW_SETTINGS:
		return on_settings(h, &r);
	case MGMT_EV_MESH_DEVICE_FOUND:
		return h->state != MGMT_UP || on_found(h, &r);
	case MGMT_EV_MESH_PACKET_COMPLETE:
		return h->state != MGMT_UP || on_sent(h, &r);
	default:
		return true;
	}
}

void mgmt_host_feed(struct mgmt_host *h, struct bytes packet)
{
	struct rd r = rd_from(packet);
	uint16_t event = rd_le16(&r);
	uint16_t index = rd_le16(&r);
	struct bytes params = rd_bytes(&r, rd_le16(&r));

	if (h->state != MGMT_SETTING_UP && h->state != MGMT_UP)
		return;
	if (!rd_finished(&r))
		h->counters.malformed++;
	else if (index == h->config.index && !on_event(h, event, params))
		h->counters.malformed++;
	pump(h);
}

/* --- the owner's side ------------------------------------------------------------------------ */

void mgmt_host_init(struct mgmt_host *h, const struct mgmt_host_config *config)
{
	memset(h, 0, sizeof(*h));
	h->config = *config;
}

void mgmt_host_start(struct mgmt_host *h, uint16_t index)
{
	mgmt_host_stop(h);
	h->config.index = index;
	h->state = MGMT_SETTING_UP;
	h->step = 0;
	run_step(h);
}

void mgmt_host_stop(struct mgmt_host *h)
{
	if (h->state == MGMT_UP)
		advertiser_stop(&h->advertiser);
	timer_stop(h->config.timers, &h->answer_timer);
	timer_stop(h->config.timers, &h->end_timer);
	timer_stop(h->config.timers, &h->pause_timer);
	timer_stop(h->config.timers, &h->overdue_timer);
	timer_stop(h->config.timers, &h->silence_timer);
	h->head = h->queued = 0;
	h->in_flight = false;
	h->state = MGMT_STOPPED;
}

static void write_now(struct mgmt_host *h, enum mgmt_opcode opcode, const uint8_t *params, size_t n)
{
	uint8_t packet[MGMT_HEADER + MGMT_PARAMS_MAX];
	struct wr w = wr_to(packet, sizeof(packet));

	wr_le16(&w, (uint16_t)opcode);
	wr_le16(&w, h->config.index);
	wr_le16(&w, (uint16_t)n);
	wr_copy(&w, params, n);
	h->config.write(h->config.ctx, wr_done(&w));
}

void mgmt_host_farewell(struct mgmt_host *h)
{
	static const uint8_t all[1] = { 0 };
	static const uint8_t off[6] = {
		0, SCAN_WINDOW & 0xFF, SCAN_WINDOW >> 8, SCAN_WINDOW & 0xFF, SCAN_WINDOW >> 8, 0
	};

	if (h->state != MGMT_UP)
		return;
	write_now(h, MGMT_MESH_SEND_CANCEL, all, sizeof(all));
	write_now(h, MGMT_SET_MESH_RECEIVER, off, sizeof(off));
}

bool mgmt_host_send(struct mgmt_host *h, const struct bearer_send *s)
{
	if (h->state == MGMT_UP && advertiser_send(&h->advertiser, s))
		return true;
	h->counters.refused++;
	return false;
}

void mgmt_host_cancel(struct mgmt_host *h, uint32_t tag)
{
	if (h->state == MGMT_UP)
		advertiser_cancel(&h->advertiser, tag);
}

struct mgmt_host_counters mgmt_host_counters(const struct mgmt_host *h)
{
	struct mgmt_host_counters c = h->counters;

	c.waiting = h->state == MGMT_UP ? h->advertiser.waiting : 0;
	return c;
}
