/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Large Composition Data Client, 4.4.22: a Composition Data page of any size, part by part. For
 * nodes whose page 0 lists the Large Composition Data Server on the primary element: what they tell
 * of a page in one Composition Data Status may be less than all, and looks complete.
 */
#ifndef MESHMASON_LARGE_COMPOSITION_H
#define MESHMASON_LARGE_COMPOSITION_H

#include "access.h"

enum { LARGE_COMPOSITION_MAX = 4096 };

/* Embedded, stays until done or large_composition_cancel. done comes once: ACCESS_TOO_LONG for a
 * page above the limit, ACCESS_REJECTED for a node that keeps changing it or goes no further. */
struct large_composition {
	void (*done)(void *ctx, enum access_result r, struct large_composition *call);
	void *ctx;
	uint8_t page;	   /* answered: the highest up to the one asked for */
	struct bytes data; /* without the page octet; valid during done only */
	/* own */
	struct access *access;
	struct access_target node;
	struct access_request request;
	bool running;
	uint8_t asked;
	unsigned restarts;
	size_t total, got;
	uint8_t buf[LARGE_COMPOSITION_MAX];
};
void large_composition_get(struct access *a, struct large_composition *c,
			   const struct access_target *node, uint8_t page);
/* Fine when nothing runs. */
void large_composition_cancel(struct large_composition *c);

/* One answer. False when malformed. */
struct large_composition_status {
	uint8_t page;
	uint16_t offset, total;
	struct bytes data;
};
bool large_composition_status_decode(struct large_composition_status *out, struct bytes params);

#endif
