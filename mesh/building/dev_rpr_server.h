/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remote Provisioning Server of a simulated node, Mesh 4.4.5: scanning (dev_rpr_scan.c) and the
 * link (dev_rpr_server.c), to a device or to the node itself (dev_nppi.c). Nothing of it but an
 * accepted refresh outlives a restart.
 */
#ifndef MESHMASON_DEV_RPR_SERVER_H
#define MESHMASON_DEV_RPR_SERVER_H

#include "dev_beacon.h"
#include "dev_pb_adv.h"
#include "dev_prov.h"
#include "dev_transport.h"
#include "mesh_const.h"

enum { DEV_SCAN_ITEMS = 20, DEV_AD_FILTER = 16, DEV_EXTENDED_ADS = 62 };

struct dev_scan_item {
	uint8_t uuid[UUID_LEN];
	int8_t rssi;
	uint16_t oob;
	bool has_hash, reported;
	uint8_t uri_hash[4];
};

struct dev_rpr_scan {
	enum rpr_scan_state state;
	uint8_t limit;
	struct dev_peer owner;
	uint8_t uuid[UUID_LEN]; /* of a single device scan */
	struct dev_scan_item items[DEV_SCAN_ITEMS];
	size_t n_items;
	bool reporting; /* a report is on its way */
	struct timer end, report;
};

struct dev_rpr_extended {
	bool running, heard;
	bool has_address, has_hash;
	uint8_t address[6], uri_hash[4]; /* of the device, when known */
	struct dev_peer owner;
	uint8_t uuid[UUID_LEN];
	uint8_t filter[DEV_AD_FILTER];
	size_t n_filter;
	uint16_t collected; /* a bit for each of filter */
	uint16_t oob;
	uint8_t ads[DEV_EXTENDED_ADS];
	size_t n_ads;
	struct timer end;
};

struct dev_rpr_link {
	struct dev_pb_link pb;
	struct dev_peer owner;
	uint8_t out_count, in_count;
	bool undeliverable;
};

/* The link whose provisionee is this node. */
struct dev_nppi {
	enum rpr_link_state state;
	enum nppi_procedure procedure;
	struct dev_prov prov;
	struct timer idle; /* no PDU for too long */
	struct timer move; /* to another address, when the last report has left */
};

struct dev_rpr {
	struct dev_nppi nppi;
	struct dev_rpr_scan scan;
	struct dev_rpr_extended extended;
	struct dev_rpr_link link;
};

void dev_rpr_start(struct device *d);
void dev_rpr_stop(struct device *d);
/* An Unprovisioned Device beacon; ad is the whole advertising report that it came in. */
void dev_rpr_heard_beacon(struct device *d, const struct dev_unprovisioned *u, struct bytes ad,
			  int8_t rssi);
/* The same client over the same NetKey. */
bool dev_rpr_same(const struct dev_peer *a, const struct dev_peer *b);
enum rpr_link_state dev_rpr_link_state(const struct device *d);

/* Messages to the owner of the link. */
void dev_rpr_report_link(struct device *d, enum rpr_status status, const uint8_t *reason,
			 dev_sent_fn *sent);
void dev_rpr_report_pdu(struct device *d, struct bytes pdu);

void dev_nppi_start(struct device *d);
void dev_nppi_stop(struct device *d);
/* Success, or why not. */
enum rpr_status dev_nppi_open(struct device *d, enum nppi_procedure procedure);
void dev_nppi_received(struct device *d, struct bytes pdu);
/* The client's Link Close, in two steps: the Link Status goes out between them. */
void dev_nppi_closing(struct device *d, enum prov_close_reason reason);
void dev_nppi_closed(struct device *d);
/* It ends otherwise: nothing has changed. */
void dev_nppi_drop(struct device *d, enum rpr_status status, const uint8_t *reason);

void dev_rpr_scan_start(struct device *d);
void dev_rpr_scan_stop(struct device *d);
void dev_rpr_scan_beacon(struct device *d, const struct dev_unprovisioned *u, int8_t rssi);
void dev_rpr_extended_stop(struct device *d);
void dev_rpr_extended_beacon(struct device *d, const struct dev_unprovisioned *u, struct bytes ad);
void dev_rpr_extended_heard(struct device *d, const uint8_t *address, struct bytes ad);
void dev_rpr_on_extended_start(struct device *d, const struct dev_message *m, struct bytes params);

#endif
