/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set-up of a controller, a table in the order of the conversation.
 *
 *  Reset, Read Local Version, Read BD_ADDR, event masks, LE features
 *  legacy family                          extended family
 *   random address                         number of sets
 *   advertising parameters                 parameters and random address of each set
 *   scan parameters, scan enable           one empty PDU on set 0, max events 1
 *                                           `-- does it end by itself? no: Reset, legacy family
 *                                          random address, scan parameters, scan enable
 *
 * The two families must not be mixed after a Reset (Vol 4 Part E 3.1.1). The random address comes
 * before scanning: while the controller scans it is refused (7.8.4).
 */
#include <stdio.h>

#include "hci_parts.h"
#include "log.h"

enum {
	SCAN_INTERVAL = 0x30, /* 30 ms on each channel */
	PROBE_MS = 250,
	OWN_RANDOM = 1,
	PASSIVE = 0,
	PHY_1M = 1,
};

enum family { BOTH, LEGACY, EXTENDED };

static const uint8_t event_mask[8] = { 0x90, 0x88, 0x00, 0x02, 0x00, 0x80, 0x00, 0x20 };

static void put_event_mask(struct hci_host *h, struct wr *w)
{
	wr_copy(w, event_mask, sizeof(event_mask));
}

/* A virtual controller sends extended reports to a legacy scan as well: both are wanted. */
static void put_le_event_mask(struct hci_host *h, struct wr *w)
{
	wr_le16(w, 1u << 1 | 1u << 12); /* reports, extended reports */
	wr_le16(w, 1u << (17 - 16));	/* Set Terminated */
	wr_le16(w, 0);
	wr_le16(w, 0);
}

static void put_random_address(struct hci_host *h, struct wr *w)
{
	wr_copy(w, h->random_address, sizeof(h->random_address));
}

static void put_adv_parameters(struct hci_host *h, struct wr *w)
{
	static const uint8_t no_peer[7] = { 0 };

	wr_le16(w, h->interval);
	wr_le16(w, h->interval);
	wr_u8(w, ADV_NONCONN_IND);
	wr_u8(w, OWN_RANDOM);
	wr_copy(w, no_peer, sizeof(no_peer));
	wr_u8(w, 0x07); /* channels 37, 38, 39 */
	wr_u8(w, 0);
}

static uint16_t scan_window(const struct hci_host *h)
{
	unsigned window = SCAN_INTERVAL * h->config.scan_percent / 100;

	return (uint16_t)(window < 4 ? 4 : window);
}

static void put_scan_parameters(struct hci_host *h, struct wr *w)
{
	wr_u8(w, PASSIVE);
	wr_le16(w, SCAN_INTERVAL);
	wr_le16(w, scan_window(h));
	wr_u8(w, OWN_RANDOM);
	wr_u8(w, 0); /* everybody */
}

static void put_scan_enable(struct hci_host *h, struct wr *w)
{
	wr_u8(w, 1);
	wr_u8(w, 0); /* duplicates are wanted */
}

static void put_set_parameters(struct hci_host *h, struct wr *w)
{
	hci_ext_adv_parameters(w, (uint8_t)h->setup_set, 0);
}

static void put_set_address(struct hci_host *h, struct wr *w)
{
	wr_u8(w, (uint8_t)h->setup_set);
	put_random_address(h, w);
}

static void put_probe_data(struct hci_host *h, struct wr *w)
{
	wr_u8(w, 0);
	wr_u8(w, 3); /* complete */
	wr_u8(w, 1);
	wr_u8(w, 0);
}

static void put_probe_enable(struct hci_host *h, struct wr *w)
{
	hci_ext_adv_enable(w, 0, true, 1);
}

static void put_ext_scan_parameters(struct hci_host *h, struct wr *w)
{
	wr_u8(w, OWN_RANDOM);
	wr_u8(w, 0);
	wr_u8(w, PHY_1M);
	wr_u8(w, PASSIVE);
	wr_le16(w, SCAN_INTERVAL);
	wr_le16(w, scan_window(h));
}

static void put_ext_scan_enable(struct hci_host *h, struct wr *w)
{
	put_scan_enable(h, w);
	wr_le16(w, 0); /* for ever */
	wr_le16(w, 0);
}

static void take_version(struct hci_host *h, struct rd *r)
{
	h->version = rd_u8(r);
	if (rd_ok(r) && h->version < HCI_VERSION_5_0)
		h->interval = HCI_ADV_INTERVAL_100_MS;
}

static void take_address(struct hci_host *h, struct rd *r)
{
	rd_copy(r, h->address, sizeof(h->address));
}

static void take_features(struct hci_host *h, struct rd *r)
{
	uint16_t features = rd_le16(r);

	h->extended = !h->legacy_only && (features >> HCI_FEATURE_EXT_ADV & 1);
}

static void take_sets(struct hci_host *h, struct rd *r)
{
	h->n_sets = rd_u8(r);
	if (h->n_sets > HCI_SETS_MAX)
		h->n_sets = HCI_SETS_MAX;
}

static const struct step {
	enum hci_opcode opcode;
	enum family family;
	void (*put)(struct hci_host *h, struct wr *w);
	void (*take)(struct hci_host *h, struct rd *r);
	bool each_set; /* once for each advertising set */
	bool optional; /* an error changes nothing that we need */
} steps[] = {
	{ HCI_RESET, BOTH, NULL, NULL, false, false },
	{ HCI_READ_LOCAL_VERSION, BOTH, NULL, take_version, false, true },
	{ HCI_READ_BD_ADDR, BOTH, NULL, take_address, false, true },
	{ HCI_SET_EVENT_MASK, BOTH, put_event_mask, NULL, false, true },
	{ HCI_LE_READ_LOCAL_FEATURES, BOTH, NULL, take_features, false, false },
	{ HCI_LE_SET_EVENT_MASK, BOTH, put_le_event_mask, NULL, false, true },

	{ HCI_LE_SET_RANDOM_ADDRESS, LEGACY, put_random_address, NULL, false, false },
	{ HCI_LE_SET_ADV_PARAMETERS, LEGACY, put_adv_parameters, NULL, false, false },
	{ HCI_LE_SET_SCAN_PARAMETERS, LEGACY, put_scan_parameters, NULL, false, false },
	{ HCI_LE_SET_SCAN_ENABLE, LEGACY, put_scan_enable, NULL, false, false },

	{ HCI_LE_READ_NUMBER_OF_ADV_SETS, EXTENDED, NULL, take_sets, false, false },
	{ HCI_LE_SET_EXT_ADV_PARAMETERS, EXTENDED, put_set_parameters, NULL, true, false },
	{ HCI_LE_SET_ADV_SET_RANDOM_ADDRESS, EXTENDED, put_set_address, NULL, true, false },
	{ HCI_LE_SET_EXT_ADV_DATA, EXTENDED, put_probe_data, NULL, false, false },
	{ HCI_LE_SET_EXT_ADV_ENABLE, EXTENDED, put_probe_enable, NULL, false, false },
	{ HCI_LE_SET_RANDOM_ADDRESS, EXTENDED, put_random_address, NULL, false, false },
	{ HCI_LE_SET_EXT_SCAN_PARAMETERS, EXTENDED, put_ext_scan_parameters, NULL, false, false },
	{ HCI_LE_SET_EXT_SCAN_ENABLE, EXTENDED, put_ext_scan_enable, NULL, false, false },
};

static void run_step(struct hci_host *h);

static bool wanted(const struct hci_host *h, const struct step *s)
{
	return s->family == BOTH || (s->family == EXTENDED) == h->extended;
}

static void next_step(struct hci_host *h)
{
	if (steps[h->step].each_set && ++h->setup_set < h->n_sets) {
		run_step(h);
		return;
	}
	h->setup_set = 0;
	do {
		h->step++;
	} while (h->step < ARRAY_LEN(steps) && !wanted(h, &steps[h->step]));
	if (h->step == ARRAY_LEN(steps))
		hci_setup_complete(h);
	else
		run_step(h);
}

static void go_legacy(struct hci_host *h, const char *why)
{
	if (h->config.advertising == HCI_ADVERTISING_EXTENDED) {
		hci_restart(h, why);
		return;
	}
	log_info("radio: %s: legacy advertising is used", why);
	h->legacy_only = true;
	hci_setup_start(h);
}

static void probe_stopped(struct hci_host *h, uint8_t arg, uint8_t status, struct bytes result)
{
	go_legacy(h, "the controller does not end an advertising set by itself");
}

/* What did not end is ended before the Reset. */
static void probe_over(void *ctx)
{
	static const uint8_t all_off[] = { 0, 0 };
	struct hci_host *h = ctx;

	if (h->in_flight) { /* not even Enable is answered: that has its own limit */
		timer_start(h->config.timers, &h->probe_timer, MSEC(PROBE_MS), probe_over, h);
		return;
	}
	h->probing = false;
	hci_command(h, HCI_LE_SET_EXT_ADV_ENABLE, bytes_of(all_off, sizeof(all_off)), 0,
		    probe_stopped);
}

void hci_setup_set_terminated(struct hci_host *h)
{
	if (!h->probing)
		return;
	h->probing = false;
	timer_stop(h->config.timers, &h->probe_timer);
	/* Not before the answer to Enable itself. */
	if (!h->in_flight)
		next_step(h);
}

static void refused(struct hci_host *h, const struct step *s, uint8_t status)
{
	char why[HCI_WHY];

	if (s->opcode == HCI_LE_SET_ADV_PARAMETERS && h->interval != HCI_ADV_INTERVAL_100_MS &&
	    (status == HCI_UNSUPPORTED_VALUE || status == HCI_INVALID_PARAMETERS)) {
		h->interval = HCI_ADV_INTERVAL_100_MS;
		run_step(h);
		return;
	}
	if (s->opcode == HCI_LE_READ_LOCAL_FEATURES && status == HCI_UNKNOWN_COMMAND) {
		hci_fail(h, "the controller has no Bluetooth Low Energy: use another adapter");
		return;
	}
	snprintf(why, sizeof(why), "the controller refuses command 0x%04x in its set-up (0x%02x)",
		 (unsigned)s->opcode, status);
	if (s->family == EXTENDED)
		go_legacy(h, why);
	else
		hci_restart(h, why);
}

static void step_done(struct hci_host *h, uint8_t arg, uint8_t status, struct bytes result)
{
	const struct step *s = &steps[h->step];
	struct rd r = rd_from(result);

	if (h->state != HCI_SETTING_UP)
		return;
	if (status != HCI_OK && !s->optional) {
		if (s->opcode == HCI_LE_SET_EXT_ADV_ENABLE) {
			timer_stop(h->config.timers, &h->probe_timer);
			h->probing = false;
		}
		refused(h, s, status);
		return;
	}
	if (status == HCI_OK && s->take)
		s->take(h, &r);
	if (s->opcode == HCI_LE_READ_NUMBER_OF_ADV_SETS && h->n_sets == 0) {
		go_legacy(h, "the controller has no advertising set");
		return;
	}
	if (!h->probing)
		next_step(h);
}

static void run_step(struct hci_host *h)
{
	const struct step *s = &steps[h->step];
	uint8_t params[HCI_PARAMS_MAX];
	struct wr w = wr_to(params, sizeof(params));

	if (s->put)
		s->put(h, &w);
	if (s->opcode == HCI_LE_SET_EXT_ADV_ENABLE) {
		h->probing = true;
		timer_start(h->config.timers, &h->probe_timer, MSEC(PROBE_MS), probe_over, h);
	}
	hci_command(h, s->opcode, wr_done(&w), 0, step_done);
}

void hci_setup_start(struct hci_host *h)
{
	h->step = 0;
	h->setup_set = 0;
	h->extended = false;
	h->n_sets = 0;
	run_step(h);
}

void hci_setup_stop(struct hci_host *h)
{
	h->probing = false;
	timer_stop(h->config.timers, &h->probe_timer);
}
