/* SPDX-License-Identifier: Apache-2.0 */
/*
 *  host                                                     controller
 *   |-- Command (opcode, parameters) ------------------------------>|   one in flight, and only
 *   |<-- Command Complete (credits, opcode, status, result) --------|   while there are credits
 *   |<-- Command Status (status, credits, opcode) ------------------|   an error ends it likewise
 *   |<-- LE Meta: reports, Set Terminated --------------------------|   at any time
 *
 * No answer for 2 s, or Hardware Error: Reset and the whole set-up again. No answer to Reset: the
 * controller is given up, and whoever owns us opens it anew.
 */
#include <stdio.h>
#include <string.h>

#include "hci_parts.h"
#include "log.h"

enum {
	ANSWER_MS = 2000,
	ATTEMPTS_MAX = 4, /* set-ups in a row that did not get through */
};

static void pump(struct hci_host *h);

static void ended(void *ctx)
{
	struct hci_host *h = ctx;

	h->config.failed(h->config.ctx, h->why);
}

void hci_fail(struct hci_host *h, const char *why)
{
	if (h->state == HCI_FAILED)
		return;
	hci_host_stop(h);
	h->state = HCI_FAILED;
	if (why != h->why)
		snprintf(h->why, sizeof(h->why), "%s", why);
	timer_start(h->config.timers, &h->end_timer, 0, ended, h);
}

static void drop_commands(struct hci_host *h)
{
	h->head = h->queued = 0;
	h->in_flight = false;
	h->credits = 1;
	timer_stop(h->config.timers, &h->answer_timer);
}

void hci_restart(struct hci_host *h, const char *why)
{
	if (h->state == HCI_FAILED || h->state == HCI_STOPPED)
		return;
	if (++h->attempts >= ATTEMPTS_MAX) {
		hci_fail(h, why);
		return;
	}
	log_warning("radio: %s; the controller is reset", why);
	h->counters.resets++;
	hci_transmit_stop(h);
	hci_setup_stop(h);
	drop_commands(h);
	h->state = HCI_SETTING_UP;
	hci_setup_start(h);
}

static void no_answer(void *ctx)
{
	struct hci_host *h = ctx;
	uint16_t opcode = h->queue[h->head].opcode;
	char why[HCI_WHY];

	h->counters.timeouts++;
	snprintf(why, sizeof(why), "the controller does not answer (command 0x%04x)", opcode);
	if (opcode == HCI_RESET)
		hci_fail(h, why);
	else
		hci_restart(h, why);
}

/* Writes the queue's head when the controller takes one. */
static void pump(struct hci_host *h)
{
	const struct hci_command *c = &h->queue[h->head];
	uint8_t packet[4 + HCI_PARAMS_MAX];
	struct wr w = wr_to(packet, sizeof(packet));

	if (h->queued == 0 || h->in_flight)
		return;
	if (!timer_running(&h->answer_timer))
		timer_start(h->config.timers, &h->answer_timer, MSEC(ANSWER_MS), no_answer, h);
	if (h->credits == 0)
		return;
	h->in_flight = true;
	wr_u8(&w, HCI_PACKET_COMMAND);
	wr_le16(&w, c->opcode);
	wr_u8(&w, c->len);
	wr_copy(&w, c->params, c->len);
	if (!h->config.write(h->config.ctx, wr_done(&w)))
		hci_fail(h, "the adapter is gone");
}

void hci_command(struct hci_host *h, enum hci_opcode opcode, struct bytes params, uint8_t arg,
		 hci_done *done)
{
	struct hci_command *c;

	if (h->state != HCI_SETTING_UP && h->state != HCI_UP)
		return;
	if (h->queued == HCI_QUEUE_MAX || params.n > HCI_PARAMS_MAX) {
		hci_restart(h, "the controller takes no commands");
		return;
	}
	c = &h->queue[(h->head + h->queued++) % HCI_QUEUE_MAX];
	c->opcode = (uint16_t)opcode;
	c->len = (uint8_t)params.n;
	c->arg = arg;
	c->done = done;
	if (params.n > 0)
		memcpy(c->params, params.p, params.n);
	pump(h);
}

static void answered(struct hci_host *h, uint16_t opcode, uint8_t status, struct bytes result)
{
	struct hci_command c = h->queue[h->head];

	if (!h->in_flight || c.opcode != opcode)
		return;
	timer_stop(h->config.timers, &h->answer_timer);
	h->in_flight = false;
	h->head = (h->head + 1) % HCI_QUEUE_MAX;
	h->queued--;
	if (status != HCI_OK)
		log_debug("radio: command 0x%04x: status 0x%02x", opcode, status);
	if (c.done)
		c.done(h, c.arg, status, result);
}

static bool on_complete(struct hci_host *h, struct rd *r)
{
	uint8_t credits = rd_u8(r);
	uint16_t opcode = rd_le16(r);
	struct bytes result;
	uint8_t status;

	if (!rd_ok(r))
		return false;
	h->credits = credits;
	/* Opcode 0: nothing but credits. An answer always has a status, 7.7.14. */
	if (opcode != 0) {
		status = rd_u8(r);
		result = rd_rest(r);
		if (!rd_ok(r))
			return false;
		answered(h, opcode, status, result);
	}
	return true;
}

static bool on_status(struct hci_host *h, struct rd *r)
{
	uint8_t status = rd_u8(r);
	uint8_t credits = rd_u8(r);
	uint16_t opcode = rd_le16(r);

	if (!rd_finished(r))
		return false;
	h->credits = credits;
	if (status != HCI_OK)
		answered(h, opcode, status, bytes_of(NULL, 0));
	return true;
}

static bool on_set_terminated(struct hci_host *h, struct rd *r)
{
	uint8_t handle;

	rd_u8(r); /* status: limit reached, or the duration is over */
	handle = rd_u8(r);
	rd_le16(r);
	rd_u8(r); /* completed events: not all controllers count */
	if (!rd_finished(r))
		return false;
	if (h->state == HCI_SETTING_UP)
		hci_setup_set_terminated(h);
	else
		hci_transmit_set_terminated(h, handle);
	return true;
}

static bool on_le_meta(struct hci_host *h, struct rd *r)
{
	struct hci_report_counts *counts = &h->counters.reports;

	switch (rd_u8(r)) {
	case HCI_LE_ADV_REPORT:
		if (h->state == HCI_UP)
			hci_reports_legacy(rd_rest(r), counts, h->config.heard, h->config.ctx);
		return true;
	case HCI_LE_EXT_ADV_REPORT:
		if (h->state == HCI_UP)
			hci_reports_extended(rd_rest(r), counts, h->config.heard, h->config.ctx);
		return true;
	case HCI_LE_ADV_SET_TERMINATED:
		return on_set_terminated(h, r);
	default:
		return rd_ok(r);
	}
}

static bool on_event(struct hci_host *h, uint8_t code, struct bytes params)
{
	struct rd r = rd_from(params);

	switch (code) {
	case HCI_EV_COMMAND_COMPLETE:
		return on_complete(h, &r);
	case HCI_EV_COMMAND_STATUS:
		return on_status(h, &r);
	case HCI_EV_HARDWARE_ERROR:
		hci_restart(h, "the controller reports a hardware error");
		return true;
	case HCI_EV_LE_META:
		return on_le_meta(h, &r);
	default:
		return true;
	}
}

void hci_host_feed(struct hci_host *h, struct bytes packet)
{
	struct rd r = rd_from(packet);
	uint8_t type = rd_u8(&r);
	uint8_t code = rd_u8(&r);
	struct bytes params = rd_bytes(&r, rd_u8(&r));

	if (h->state != HCI_SETTING_UP && h->state != HCI_UP)
		return;
	if (type != HCI_PACKET_EVENT || !rd_finished(&r) || !on_event(h, code, params))
		h->counters.malformed++;
	if (h->state == HCI_SETTING_UP || h->state == HCI_UP)
		pump(h);
}

/* splitmix64: an address for this opening, nothing secret. */
static void make_address(struct hci_host *h)
{
	uint64_t z = h->config.seed + UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	z ^= z >> 31;
	for (int i = 0; i < 6; i++)
		h->random_address[i] = (uint8_t)(z >> 8 * i);
	/* Private and non-resolvable: the two highest bits are 0 (Vol 6 Part B 1.3.2.2); all
	 * others must be neither all 0 nor all 1. */
	h->random_address[5] &= 0x3F;
	h->random_address[0] = (uint8_t)((h->random_address[0] & 0xFC) | 1);
}

void hci_host_init(struct hci_host *h, const struct hci_host_config *config)
{
	memset(h, 0, sizeof(*h));
	h->config = *config;
	if (h->config.scan_percent == 0 || h->config.scan_percent > 100)
		h->config.scan_percent = 100;
	h->pause_scan = config->pause_scan;
	h->legacy_only = config->advertising == HCI_ADVERTISING_LEGACY;
	h->interval = HCI_ADV_INTERVAL_20_MS;
	for (unsigned i = 0; i < HCI_SETS_MAX; i++)
		h->set[i].host = h;
	make_address(h);
}

void hci_host_start(struct hci_host *h)
{
	timer_stop(h->config.timers, &h->end_timer);
	h->attempts = 0;
	h->state = HCI_SETTING_UP;
	drop_commands(h);
	hci_setup_start(h);
}

void hci_host_stop(struct hci_host *h)
{
	hci_transmit_stop(h);
	hci_setup_stop(h);
	drop_commands(h);
	timer_stop(h->config.timers, &h->end_timer);
	h->state = HCI_STOPPED;
}

void hci_setup_complete(struct hci_host *h)
{
	h->state = HCI_UP; /* attempts count on: only what is sent proves a controller well */
	hci_transmit_start(h);
	h->config.up(h->config.ctx);
}

bool hci_host_send(struct hci_host *h, const struct bearer_send *s)
{
	if (h->state == HCI_UP && advertiser_send(&h->advertiser, s))
		return true;
	h->counters.refused++;
	return false;
}

void hci_host_cancel(struct hci_host *h, uint32_t tag)
{
	if (h->state != HCI_UP || tag == 0)
		return;
	advertiser_cancel(&h->advertiser, tag);
	hci_transmit_cancel(h, tag);
}

struct hci_host_counters hci_host_counters(const struct hci_host *h)
{
	struct hci_host_counters c = h->counters;

	c.waiting = h->state == HCI_UP ? h->advertiser.waiting : 0;
	return c;
}
