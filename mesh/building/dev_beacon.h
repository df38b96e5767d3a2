/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beacons of a simulated device, Mesh 3.10: Unprovisioned Device beacons, and as a node Secure
 * Network beacons and what they say about the IV Index.
 */
#ifndef MESHMASON_DEV_BEACON_H
#define MESHMASON_DEV_BEACON_H

#include "bytes.h"
#include "timers.h"

struct device;
struct dev_net_key;
struct device_make;

enum { DEV_SECURE_BEACON_LEN = 22 };

struct dev_beacon {
	struct timer timer, hour;
	uint32_t heard; /* beacons of our network since our last one */
	bool known;	/* the one below was found authentic */
	uint8_t last[DEV_SECURE_BEACON_LEN];
};

/* What an Unprovisioned Device beacon says. */
struct dev_unprovisioned {
	const uint8_t *uuid;
	uint16_t oob;
	const uint8_t *uri_hash; /* NULL when there is none */
};
bool dev_unprovisioned_decode(struct dev_unprovisioned *u, struct bytes data);

/* The OOB Information of a make. */
uint16_t dev_beacon_oob(const struct device_make *make);
/* The hash of the URI that it advertises beside its beacons; false when it has none. */
bool dev_beacon_uri_hash(const struct device_make *make, uint8_t hash[4]);

void dev_beacon_start(struct device *d);
void dev_beacon_stop(struct device *d);
/* The data of an AD structure of type 0x2B, when it is a Secure Network beacon. */
void dev_beacon_heard(struct device *d, struct bytes data);
/* As it goes over the air, with its type octet. */
void dev_beacon_encode(const struct dev_net_key *k, bool key_refresh, bool iv_update,
		       uint32_t iv_index, uint8_t out[DEV_SECURE_BEACON_LEN]);

#endif
