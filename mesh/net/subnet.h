/* SPDX-License-Identifier: Apache-2.0 */
/* Network keys and all that is derived from them; an old and a new one while a key refresh runs
 * (3.11.4). */
#ifndef MESHMASON_SUBNET_H
#define MESHMASON_SUBNET_H

#include "crypto.h"
#include "net_pdu.h"

enum { SUBNETS_MAX = 16 };

/* Key refresh phases: what is transmitted with, and which beacons count. */
enum subnet_phase { SUBNET_NORMAL = 0, SUBNET_PHASE_1 = 1, SUBNET_PHASE_2 = 2 };

struct subnet_key {
	bool present;
	struct net_keys flooding;
	uint8_t network_id[8];
	struct secret16 beacon, private_beacon;
};

struct subnet {
	uint16_t index;
	enum subnet_phase phase;
	struct subnet_key key[2]; /* the old or only one; the new one */
};

struct subnets {
	struct subnet subnet[SUBNETS_MAX];
	size_t n;
};

void subnet_key_init(struct subnet_key *k, const struct secret16 *net_key);
void subnet_key_free(struct subnet_key *k);
/* Adds, or replaces the one with this index. new_key is NULL but in a key refresh. False: full. */
bool subnets_set(struct subnets *s, uint16_t index, const struct secret16 *key,
		 const struct secret16 *new_key, enum subnet_phase phase);
struct subnet *subnets_find(struct subnets *s, uint16_t index);
/* The key to transmit with, 3.11.4. */
const struct subnet_key *subnet_transmit(const struct subnet *s);
void subnets_free(struct subnets *s);

#endif
