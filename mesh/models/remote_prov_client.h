/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remote Provisioning Client, 4.4.6: capabilities, scanning, link upkeep of one server. The link
 * that carries a session is pb_remote.h. Everything runs under the server's device key.
 */
#ifndef MESHMASON_REMOTE_PROV_CLIENT_H
#define MESHMASON_REMOTE_PROV_CLIENT_H

#include "access.h"

struct rpr_scan_report {
	uint16_t server;
	int8_t rssi;
	uint8_t uuid[UUID_LEN];
	uint16_t oob_info; /* little-endian unless that sets bits reserved for future use; a hint */
	uint8_t oob_raw[2];
	bool has_uri_hash;
	uint32_t uri_hash;
	uint8_t ttl; /* of the report as received */
};

/* OOB Information as servers of either reading send it. */
uint16_t rpr_oob_from_raw(const uint8_t raw[2]);

/* Codecs; each false for malformed input. */
bool rpr_scan_report_decode(struct rpr_scan_report *out, const struct access_message *m);
struct rpr_scan_capabilities {
	uint8_t max_items;
	bool active_scan;
};
bool rpr_scan_capabilities_decode(struct rpr_scan_capabilities *out, struct bytes params);
struct rpr_scan_status {
	uint8_t status, state, limit, timeout;
};
bool rpr_scan_status_decode(struct rpr_scan_status *out, struct bytes params);
struct rpr_link_status {
	uint8_t status, state;
};
bool rpr_link_status_decode(struct rpr_link_status *out, struct bytes params);
struct rpr_link_report {
	uint8_t status, state;
	int reason; /* -1: not present */
};
bool rpr_link_report_decode(struct rpr_link_report *out, struct bytes params);
bool rpr_outbound_report_decode(uint8_t *number, struct bytes params);
struct rpr_pdu { /* PDU Send and PDU Report */
	uint8_t number;
	struct bytes pdu; /* a Provisioning PDU, never empty */
};
bool rpr_pdu_decode(struct rpr_pdu *out, struct bytes params);

/* Requests with parameters; each false for what the specification prohibits, and on overrun. */
bool rpr_pdu_encode(struct wr *w, const struct rpr_pdu *m);
struct rpr_scan_start {
	uint8_t limit, timeout;
	const uint8_t *uuid; /* NULL: all devices */
};
bool rpr_scan_start_encode(struct wr *w, const struct rpr_scan_start *m);
struct rpr_link_open {
	const uint8_t *uuid; /* NULL: procedure is meant, the server itself is the provisionee */
	uint8_t timeout;     /* 0: left out */
	uint8_t procedure;   /* NPPI 0..2 */
};
bool rpr_link_open_encode(struct wr *w, const struct rpr_link_open *m);
bool rpr_link_close_encode(struct wr *w, enum prov_close_reason reason);

/* Under the device key of the node that hosts the server; all else is ignored (4.3.4). */
bool rpr_key_is_right(const struct access_message *m);

/* One exchange with one server; embedded, stays until done or rpr_call_cancel. */
struct rpr_call {
	void (*done)(void *ctx, enum access_result r, struct rpr_call *call);
	void *ctx;
	uint8_t tries; /* 4 s apart; 0: the usual number */
	/* results, by call; answered is false for a tolerated silence (see each) */
	bool answered;
	struct rpr_scan_capabilities capabilities;
	struct rpr_scan_status scan;
	struct rpr_link_status link;
	/* own */
	struct access *access;
	struct access_request request;
	bool running;
};
void rpr_capabilities_get(struct access *a, struct rpr_call *c, const struct access_target *server);
/* limit 0: the server's maximum; timeout 1..255 s; uuid NULL: all devices. Reports come to
 * listeners of OP_RPR_SCAN_REPORT, up to about 3 s after the timeout. */
void rpr_scan_start(struct access *a, struct rpr_call *c, const struct access_target *server,
		    uint8_t limit, uint8_t timeout, const uint8_t *uuid);
/* BlueZ does not answer Scan Stop: silence ends as ACCESS_OK with answered false. */
void rpr_scan_stop(struct access *a, struct rpr_call *c, const struct access_target *server);
/* BlueZ is silent when idle: silence ends as ACCESS_OK with answered false and state idle. */
void rpr_link_get(struct access *a, struct rpr_call *c, const struct access_target *server);
void rpr_link_close(struct access *a, struct rpr_call *c, const struct access_target *server,
		    enum prov_close_reason reason);
/* Fine when nothing runs. */
void rpr_call_cancel(struct rpr_call *c);

#endif
