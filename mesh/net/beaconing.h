/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beacons in their time, 3.10.3 and 3.11.5: what a heard one does to the IV state, our own secure
 * network beacons, and the hours of mesh life.
 */
#ifndef MESHMASON_BEACONING_H
#define MESHMASON_BEACONING_H

#include "beacon.h"
#include "net.h"

struct beaconing;

struct beaconing_env {
	struct bearer *bearer;
	struct timers *timers;
	struct net *net;
	void (*unprovisioned)(void *ctx, const struct beacon_unprovisioned *b, int8_t rssi);
	void *ctx;
};

struct beaconing_counters {
	uint64_t malformed, network, foreign, queue_full;
};

struct beaconing *beaconing_new(const struct beaconing_env *env);
void beaconing_free(struct beaconing *b);
/* The data of one AD structure of type 0x2B. */
void beaconing_heard(struct beaconing *b, struct bytes data, int8_t rssi);
const struct beaconing_counters *beaconing_counters(const struct beaconing *b);

#endif
