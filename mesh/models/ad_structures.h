/* SPDX-License-Identifier: Apache-2.0 */
/* AD structures, Core Vol 3 Part C 11 and the Supplement, as an extended scan brings them. */
#ifndef MESHMASON_AD_STRUCTURES_H
#define MESHMASON_AD_STRUCTURES_H

#include "bytes.h"

/* The next structure of a run. False at its end: a length of 0, or one that is beyond the data. */
bool ad_next(struct rd *r, uint8_t *type, struct bytes *data);

/* Which an extended scan may ask for, 4.2.49: not the incomplete ones. */
bool ad_type_may_be_asked(uint8_t type);

enum { AD_NAME = 64, AD_URI_TEXT = 256, AD_TX_POWER_UNKNOWN = 127 };

/* What a device says of itself: hostile octets, checked here. */
struct ad_facts {
	char name[AD_NAME];    /* UTF-8 without control characters; "" not told */
	char uri[AD_URI_TEXT]; /* "https://..."; "" not told, or a scheme without a name here */
	bool has_appearance;
	uint16_t appearance;
	int tx_power; /* dBm */
};
/* uri_hash: of the beacon, NULL for none; a URI that does not hash to it is another's (3.10.2). */
void ad_read_facts(struct ad_facts *out, struct bytes ads, const uint32_t *uri_hash);

/* Copies the structures of the wanted types to w, each type once; seen has a bit for each of
 * them. True when all are there. A shortened name answers the question for the name (4.4.5.3). */
bool ad_collect(struct wr *w, uint16_t *seen, const uint8_t *types, size_t n_types,
		struct bytes ads);

#endif
