/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   client                                server
 *     | Scan Start(limit, timeout) ------> |
 *     | <--------------------- Scan Status |
 *     |                                    |  beacons of devices
 *     | <-------------- Scan Report (SEG)  |  20..500 ms after the first, then one at a time,
 *     | <-------------- Scan Report (SEG)  |  each device once
 *     |                                    |  timeout: the rest is reported; nothing is said
 */
#include <string.h>

#include "dev_core.h"

enum { ACTIVE_SCAN = 0, REPORT_FROM_MS = 20, REPORT_TO_MS = 500 };

static void schedule_report(struct device *d);

bool dev_rpr_same(const struct dev_peer *a, const struct dev_peer *b)
{
	return a->address == b->address && a->net_index == b->net_index;
}

void dev_rpr_scan_start(struct device *d)
{
	memset(&d->rpr.scan, 0, sizeof(d->rpr.scan));
	d->rpr.scan.limit = DEV_SCAN_ITEMS;
}

void dev_rpr_scan_stop(struct device *d)
{
	timer_stop(d->env.timers, &d->rpr.scan.end);
	timer_stop(d->env.timers, &d->rpr.scan.report);
}

static struct dev_scan_item *unreported(struct dev_rpr_scan *scan)
{
	for (size_t i = 0; i < scan->n_items; i++)
		if (!scan->items[i].reported)
			return &scan->items[i];
	return NULL;
}

static void report_sent(struct device *d, bool delivered);

static void send_report(void *ctx)
{
	struct device *d = ctx;
	struct dev_rpr_scan *scan = &d->rpr.scan;
	struct dev_scan_item *item = unreported(scan);
	uint8_t buf[2 + 23];
	struct wr w = wr_to(buf, sizeof(buf));

	if (!item || scan->reporting)
		return;
	item->reported = true;
	dev_access_opcode(&w, OP_RPR_SCAN_REPORT);
	wr_u8(&w, (uint8_t)item->rssi);
	wr_copy(&w, item->uuid, UUID_LEN);
	wr_le16(&w, item->oob); /* big-endian in the beacon, a number of the access layer here */
	if (item->has_hash)
		wr_copy(&w, item->uri_hash, sizeof(item->uri_hash));
	scan->reporting = dev_transport_send(d, &scan->owner, wr_done(&w), true, report_sent);
	if (!scan->reporting) { /* no room in the transport: later */
		item->reported = false;
		schedule_report(d);
	}
}

static void report_sent(struct device *d, bool delivered)
{
	d->rpr.scan.reporting = false;
	if (unreported(&d->rpr.scan))
		send_report(d);
}

static void schedule_report(struct device *d)
{
	struct dev_rpr_scan *scan = &d->rpr.scan;

	if (!scan->reporting && !timer_running(&scan->report))
		timer_start(d->env.timers, &scan->report,
			    dev_random_ms(d, REPORT_FROM_MS, REPORT_TO_MS), send_report, d);
}

static struct dev_scan_item *find_item(struct dev_rpr_scan *scan, const uint8_t *uuid)
{
	for (size_t i = 0; i < scan->n_items; i++)
		if (memcmp(scan->items[i].uuid, uuid, UUID_LEN) == 0)
			return &scan->items[i];
	return NULL;
}

void dev_rpr_scan_beacon(struct device *d, const struct dev_unprovisioned *u, int8_t rssi)
{
	struct dev_rpr_scan *scan = &d->rpr.scan;
	struct dev_scan_item *item;

	if (scan->state == RPR_SCAN_IDLE ||
	    (scan->state == RPR_SCAN_SINGLE && memcmp(scan->uuid, u->uuid, UUID_LEN) != 0))
		return;
	item = find_item(scan, u->uuid);
	if (item) {
		if (!item->reported && rssi > item->rssi)
			item->rssi = rssi;
		return;
	}
	if (scan->n_items == scan->limit) /* full: the scan runs on, the device is not seen */
		return;
	item = &scan->items[scan->n_items++];
	memset(item, 0, sizeof(*item));
	memcpy(item->uuid, u->uuid, UUID_LEN);
	item->rssi = rssi;
	item->oob = u->oob;
	item->has_hash = u->uri_hash;
	if (item->has_hash)
		memcpy(item->uri_hash, u->uri_hash, sizeof(item->uri_hash));
	schedule_report(d);
}

static void on_scan_end(void *ctx)
{
	struct device *d = ctx;

	d->rpr.scan.state = RPR_SCAN_IDLE; /* reports that wait still go out */
}

static void reply_status(struct device *d, const struct dev_message *m, enum rpr_status status)
{
	const struct dev_rpr_scan *scan = &d->rpr.scan;
	uint64_t left = 0;
	uint8_t buf[6];
	struct wr w = wr_to(buf, sizeof(buf));

	if (scan->state != RPR_SCAN_IDLE && timer_running(&scan->end))
		left = (scan->end.at - timers_now(d->env.timers) + SEC(1) - 1) / SEC(1);
	dev_access_opcode(&w, OP_RPR_SCAN_STATUS);
	wr_u8(&w, (uint8_t)status);
	wr_u8(&w, (uint8_t)scan->state);
	wr_u8(&w, scan->limit);
	wr_u8(&w, (uint8_t)left);
	dev_access_reply(d, m, &w);
}

static void on_capabilities_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	uint8_t buf[4];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, OP_RPR_SCAN_CAPABILITIES_STATUS);
	wr_u8(&w, DEV_SCAN_ITEMS);
	wr_u8(&w, ACTIVE_SCAN);
	dev_access_reply(d, m, &w);
}

static void on_scan_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	reply_status(d, m, RPR_SUCCESS);
}

static void on_scan_start(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct dev_rpr_scan *scan = &d->rpr.scan;
	struct rd r = rd_from(params);
	uint8_t limit = rd_u8(&r), timeout = rd_u8(&r);
	struct bytes uuid = rd_rest(&r);

	if (timeout == 0 || (uuid.n != 0 && uuid.n != UUID_LEN))
		return;
	if (limit > DEV_SCAN_ITEMS) {
		reply_status(d, m, RPR_SCANNING_CANNOT_START);
		return;
	}
	if (scan->state != RPR_SCAN_IDLE && !dev_rpr_same(&scan->owner, &m->peer)) {
		reply_status(d, m, RPR_INVALID_STATE);
		return;
	}
	timer_stop(d->env.timers, &scan->report);
	scan->state = uuid.n ? RPR_SCAN_SINGLE : RPR_SCAN_MULTIPLE;
	scan->limit = limit ? limit : DEV_SCAN_ITEMS;
	scan->owner = m->peer;
	scan->owner.ttl = m->peer.ttl == 0 ? 0 : d->flash.default_ttl;
	if (uuid.n)
		memcpy(scan->uuid, uuid.p, UUID_LEN);
	scan->n_items = 0;
	timer_start(d->env.timers, &scan->end, SEC(timeout), on_scan_end, d);
	reply_status(d, m, RPR_SUCCESS);
}

static void on_scan_stop(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct dev_rpr_scan *scan = &d->rpr.scan;
	struct dev_scan_item *last = unreported(scan);

	if (scan->state != RPR_SCAN_IDLE)
		for (size_t i = 0; i < scan->n_items; i++)
			if (&scan->items[i] != last)
				scan->items[i].reported = true; /* one is flushed, no more */
	scan->state = RPR_SCAN_IDLE;
	timer_stop(d->env.timers, &scan->end);
	reply_status(d, m, RPR_SUCCESS);
}

const struct dev_handler dev_rpr_scan_handlers[] = {
	{ OP_RPR_SCAN_CAPABILITIES_GET, 0, 0, on_capabilities_get },
	{ OP_RPR_SCAN_GET, 0, 0, on_scan_get },
	{ OP_RPR_SCAN_START, 2, 2 + UUID_LEN, on_scan_start },
	{ OP_RPR_SCAN_STOP, 0, 0, on_scan_stop },
	{ OP_RPR_EXTENDED_SCAN_START, 2, 1 + DEV_AD_FILTER + UUID_LEN + 1,
	  dev_rpr_on_extended_start },
	{ 0, 0, 0, NULL },
};
