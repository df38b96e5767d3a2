/* SPDX-License-Identifier: Apache-2.0 */
/* Extended scan, 4.4.5.3 and 4.4.6: what a device, or the server itself, says beside its beacon. */
#ifndef MESHMASON_REMOTE_PROV_EXTENDED_H
#define MESHMASON_REMOTE_PROV_EXTENDED_H

#include "remote_prov_client.h"

enum { RPR_AD_TYPES_MAX = 16, RPR_EXTENDED_TIMEOUT_MAX = 21, RPR_EXTENDED_TIMEOUT_BLUEZ = 5 };

struct rpr_extended_start {
	const uint8_t *ad_types; /* the most important first: some servers keep but a few */
	size_t n_ad_types;	 /* 1..16, none twice */
	const uint8_t *uuid;	 /* NULL: of the server itself */
	uint8_t timeout;	 /* 1..21 s with uuid, else 0 */
};
/* False for what the specification prohibits, and on overrun. */
bool rpr_extended_start_encode(struct wr *w, const struct rpr_extended_start *m);

struct rpr_extended_report {
	uint16_t server;
	uint8_t status;
	uint8_t uuid[UUID_LEN];
	bool has_oob; /* false: the device was not heard */
	uint16_t oob_info;
	uint8_t oob_raw[2];
	struct bytes ads; /* AD structures; hostile */
};
bool rpr_extended_report_decode(struct rpr_extended_report *out, const struct access_message *m);

/* One exchange with one server, which can do one at a time; embedded, stays until done or
 * rpr_extended_cancel. There is no word between Start and Report. */
struct rpr_extended {
	/* report is NULL unless r is ACCESS_OK; valid for the call only. */
	void (*done)(void *ctx, enum access_result r, const struct rpr_extended_report *report);
	void *ctx;
	/* own */
	uint8_t uuid[UUID_LEN];
	struct access *access;
	struct access_request request;
	bool running;
};
/* uuid: of the device; of the server itself when m->uuid is NULL, NULL where that is not known. */
void rpr_extended_scan(struct access *a, struct rpr_extended *x, const struct access_target *server,
		       const struct rpr_extended_start *m, const uint8_t *uuid);
/* Fine when nothing runs. */
void rpr_extended_cancel(struct rpr_extended *x);

#endif
