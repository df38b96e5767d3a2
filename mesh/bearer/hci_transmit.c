/* SPDX-License-Identifier: Apache-2.0 */
/*
 *  legacy family: one PDU at a time, and one advertising event for each enabling
 *   |-- Advertising Data, Enable 1 --->|
 *   |     about one event's time       |  ADV_NONCONN_IND on 37, 38, 39
 *   |-- Enable 0 --------------------->|
 *
 *  extended family: the controller repeats by itself, several sets side by side
 *   |-- [Parameters], Data, Enable (set, max events) -->|
 *   |<------------------------- Set Terminated ---------|
 *
 * The legacy commands know no count: left enabled, a controller goes on at its interval, 20 ms or
 * 100 ms. So each event is enabled apart, and intervals are the send queue's.
 */
#include <string.h>

#include "hci_parts.h"
#include "log.h"

enum {
	HOLD_MS = 15, /* first event within 10 ms (advDelay), three channels; under 20 ms */
	EVENT_RANDOM_MS = 10,
	OVERDUE_MS = 1000,
	OVERDUE_MAX = 3,
	REJECTED_MAX = 8,
	INTERVAL_MIN_MS = 20,
	INTERVAL_MAX_MS = 10240,
	PROPERTIES_NONCONN = 0x0010, /* legacy PDU, not connectable, not scannable */
};

/* --- legacy ---------------------------------------------------------------------------------- */

static void begin(struct hci_host *h);

static void command_u8s(struct hci_host *h, enum hci_opcode opcode, const uint8_t *params, size_t n,
			hci_done *done)
{
	hci_command(h, opcode, bytes_of(params, n), 0, done);
}

static void scan_again(struct hci_host *h, uint8_t arg, uint8_t status, struct bytes result)
{
	if (status != HCI_OK)
		hci_restart(h, "the controller does not scan again");
}

static void disabled(struct hci_host *h, uint8_t arg, uint8_t status, struct bytes result)
{
	if (h->pause_scan)
		command_u8s(h, HCI_LE_SET_SCAN_ENABLE, (const uint8_t[]){ 1, 0 }, 2, scan_again);
	if (h->state == HCI_UP)
		advertiser_set_gate(&h->advertiser, ADVERTISER_OPEN);
}

static void disable(void *ctx)
{
	struct hci_host *h = ctx;

	command_u8s(h, HCI_LE_SET_ADV_ENABLE, (const uint8_t[]){ 0 }, 1, disabled);
}

/* A controller that was told something it does not take is told so again a few times. */
static bool too_often(struct hci_host *h)
{
	h->counters.rejected++;
	if (++h->rejected_in_a_row < REJECTED_MAX)
		return false;
	h->rejected_in_a_row = 0;
	if (h->config.advertising == HCI_ADVERTISING_AUTO)
		h->legacy_only = true;
	hci_restart(h, "the controller refuses to advertise");
	return true;
}

static void well(struct hci_host *h, unsigned events)
{
	h->counters.sent += events;
	h->rejected_in_a_row = 0;
	h->attempts = 0;
}

static void enabled(struct hci_host *h, uint8_t arg, uint8_t status, struct bytes result)
{
	if (status == HCI_OK) {
		well(h, 1);
		timer_start(h->config.timers, &h->hold_timer, MSEC(HOLD_MS), disable, h);
	} else if (status == HCI_COMMAND_DISALLOWED && !h->pause_scan) {
		log_warning("radio: the controller does not send while it scans: scanning pauses "
			    "for each packet");
		h->pause_scan = true;
		begin(h);
	} else if (!too_often(h)) {
		disable(h);
	}
}

static void begin(struct hci_host *h)
{
	uint8_t data[1 + AD_MAX] = { h->sending.len };

	memcpy(data + 1, h->sending.data, h->sending.len);
	if (h->pause_scan)
		command_u8s(h, HCI_LE_SET_SCAN_ENABLE, (const uint8_t[]){ 0, 0 }, 2, NULL);
	command_u8s(h, HCI_LE_SET_ADV_DATA, data, sizeof(data), NULL);
	command_u8s(h, HCI_LE_SET_ADV_ENABLE, (const uint8_t[]){ 1 }, 1, enabled);
}

static void transmit(void *ctx, struct bytes ad)
{
	struct hci_host *h = ctx;

	advertiser_set_gate(&h->advertiser, ADVERTISER_SHUT);
	h->sending.len = (uint8_t)ad.n;
	memcpy(h->sending.data, ad.p, ad.n);
	begin(h);
}

/* --- extended -------------------------------------------------------------------------------- */

void hci_ext_adv_parameters(struct wr *w, uint8_t handle, uint16_t interval_ms)
{
	static const uint8_t no_peer[7] = { 0 };
	uint32_t interval;

	if (interval_ms < INTERVAL_MIN_MS)
		interval_ms = INTERVAL_MIN_MS;
	if (interval_ms > INTERVAL_MAX_MS)
		interval_ms = INTERVAL_MAX_MS;
	interval = interval_ms * 8u / 5u; /* 0.625 ms */
	wr_u8(w, handle);
	wr_le16(w, PROPERTIES_NONCONN);
	for (int i = 0; i < 2; i++) {
		wr_le16(w, (uint16_t)interval);
		wr_u8(w, 0);
	}
	wr_u8(w, 0x07); /* channels */
	wr_u8(w, 1);	/* own address: random */
	wr_copy(w, no_peer, sizeof(no_peer));
	wr_u8(w, 0);	/* filter */
	wr_u8(w, 0x7F); /* power: the controller's choice */
	wr_u8(w, 1);	/* PHY */
	wr_u8(w, 0);
	wr_u8(w, 1); /* PHY */
	wr_u8(w, 0);
	wr_u8(w, 0);
}

void hci_ext_adv_enable(struct wr *w, uint8_t handle, bool enable, uint8_t max_events)
{
	wr_u8(w, enable);
	wr_u8(w, 1);
	wr_u8(w, handle);
	wr_le16(w, 0); /* no duration */
	wr_u8(w, max_events);
}

/* The last free set is kept for acks. */
static void set_gate(struct hci_host *h)
{
	unsigned free_sets = 0;
	enum advertiser_gate gate = ADVERTISER_OPEN;

	if (h->state != HCI_UP)
		return;
	for (unsigned i = 0; i < h->n_sets; i++)
		free_sets += h->set[i].state == HCI_SET_FREE;
	if (free_sets == 0)
		gate = ADVERTISER_SHUT;
	else if (free_sets == 1 && h->n_sets > 1)
		gate = ADVERTISER_ACKS;
	advertiser_set_gate(&h->advertiser, gate);
}

static void set_release(struct hci_set *s)
{
	timer_stop(s->host->config.timers, &s->overdue_timer);
	s->state = HCI_SET_FREE;
	set_gate(s->host);
}

static void set_stopped(struct hci_host *h, uint8_t handle, uint8_t status, struct bytes result)
{
	set_release(&h->set[handle]);
}

static void set_stop(struct hci_set *s)
{
	struct hci_host *h = s->host;
	uint8_t params[HCI_PARAMS_MAX], handle = (uint8_t)(s - h->set);
	struct wr w = wr_to(params, sizeof(params));

	timer_stop(h->config.timers, &s->overdue_timer);
	s->state = HCI_SET_STOPPING;
	hci_ext_adv_enable(&w, handle, false, 0);
	hci_command(h, HCI_LE_SET_EXT_ADV_ENABLE, wr_done(&w), handle, set_stopped);
}

static void set_overdue(void *ctx)
{
	struct hci_set *s = ctx;
	struct hci_host *h = s->host;

	if (++h->overdue < OVERDUE_MAX) {
		set_stop(s);
		return;
	}
	h->overdue = 0;
	if (h->config.advertising == HCI_ADVERTISING_AUTO)
		h->legacy_only = true;
	hci_restart(h, "the controller does not end its advertising sets");
}

static void set_running(struct hci_host *h, uint8_t handle, uint8_t status, struct bytes result)
{
	struct hci_set *s = &h->set[handle];
	uint64_t time = s->send.count * MSEC(s->send.interval_ms + EVENT_RANDOM_MS);

	if (status != HCI_OK) {
		if (!too_often(h) && s->state != HCI_SET_STOPPING)
			set_release(s);
		return;
	}
	well(h, s->send.count);
	if (s->state == HCI_SET_STOPPING)
		return;
	if (s->ended) {
		set_release(s);
		return;
	}
	s->state = HCI_SET_RUNNING;
	timer_start(h->config.timers, &s->overdue_timer, time + MSEC(OVERDUE_MS), set_overdue, s);
}

void hci_transmit_set_terminated(struct hci_host *h, uint8_t handle)
{
	struct hci_set *s;

	if (handle >= h->n_sets)
		return;
	s = &h->set[handle];
	if (s->state == HCI_SET_STARTING) {
		s->ended = true;
	} else if (s->state == HCI_SET_RUNNING) {
		h->overdue = 0;
		set_release(s);
	}
}

static void set_begin(struct hci_host *h, uint8_t handle)
{
	struct hci_set *s = &h->set[handle];
	uint8_t params[HCI_PARAMS_MAX];
	struct wr w = wr_to(params, sizeof(params));

	s->state = HCI_SET_STARTING;
	s->ended = false;
	if (s->interval_ms != s->send.interval_ms) {
		s->interval_ms = s->send.interval_ms;
		hci_ext_adv_parameters(&w, handle, s->interval_ms);
		hci_command(h, HCI_LE_SET_EXT_ADV_PARAMETERS, wr_done(&w), handle, NULL);
		w = wr_to(params, sizeof(params));
	}
	wr_u8(&w, handle);
	wr_u8(&w, 3); /* complete */
	wr_u8(&w, 1); /* in one piece */
	wr_u8(&w, s->send.len);
	wr_copy(&w, s->send.data, s->send.len);
	hci_command(h, HCI_LE_SET_EXT_ADV_DATA, wr_done(&w), handle, NULL);
	w = wr_to(params, sizeof(params));
	hci_ext_adv_enable(&w, handle, true, s->send.count);
	hci_command(h, HCI_LE_SET_EXT_ADV_ENABLE, wr_done(&w), handle, set_running);
}

static void transmit_all(void *ctx, const struct bearer_send *send)
{
	struct hci_host *h = ctx;

	for (uint8_t i = 0; i < h->n_sets; i++) {
		if (h->set[i].state != HCI_SET_FREE)
			continue;
		h->set[i].send = *send;
		set_begin(h, i);
		break;
	}
	set_gate(h);
}

/* --- both ------------------------------------------------------------------------------------ */

void hci_transmit_start(struct hci_host *h)
{
	struct advertiser_config config = {
		.timers = h->config.timers,
		.seed = h->config.seed,
		.sets = h->extended ? HCI_SETS_MAX : 0,
		.ctx = h,
	};

	if (h->extended)
		config.transmit_all = transmit_all;
	else
		config.transmit = transmit;
	advertiser_init(&h->advertiser, &config);
	for (unsigned i = 0; i < HCI_SETS_MAX; i++) {
		h->set[i].state = HCI_SET_FREE;
		h->set[i].interval_ms = 0;
	}
	if (h->extended)
		set_gate(h);
}

void hci_transmit_stop(struct hci_host *h)
{
	if (h->state == HCI_UP)
		advertiser_stop(&h->advertiser);
	timer_stop(h->config.timers, &h->hold_timer);
	for (unsigned i = 0; i < HCI_SETS_MAX; i++) {
		timer_stop(h->config.timers, &h->set[i].overdue_timer);
		h->set[i].state = HCI_SET_FREE;
	}
}

void hci_transmit_cancel(struct hci_host *h, uint32_t tag)
{
	for (unsigned i = 0; h->extended && i < h->n_sets; i++) {
		struct hci_set *s = &h->set[i];

		if (s->send.tag == tag &&
		    (s->state == HCI_SET_STARTING || s->state == HCI_SET_RUNNING))
			set_stop(s);
	}
}
