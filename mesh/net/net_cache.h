/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was heard already, twice over: the raw octets (each PDU is heard three times and more: no
 * decryption for the copies), and after authentication the (SRC, SEQ, IV Index) of 3.4.6.5, which
 * holds for relayed copies too. Both forget their oldest first.
 */
#ifndef MESHMASON_NET_CACHE_H
#define MESHMASON_NET_CACHE_H

#include "bytes.h"
#include "mesh_const.h"

enum { NET_RAW_ENTRIES = 1024, NET_CACHE_SETS = 64, NET_CACHE_WAYS = 8 };

struct net_cache {
	uint64_t salt; /* nobody outside can aim at a slot */
	struct {
		uint8_t len, data[NETWORK_PDU_MAX];
	} raw[NET_RAW_ENTRIES];
	struct {
		uint64_t key[NET_CACHE_WAYS];
		unsigned oldest;
	} set[NET_CACHE_SETS];
};

/* Heard these octets lately? Remembers them. in.n is at most NETWORK_PDU_MAX. */
bool net_cache_raw(struct net_cache *c, struct bytes in);
/* Keys or IV Index have changed: what was not for us may be now. */
void net_cache_forget_raw(struct net_cache *c);
/* Accepted this message lately? Remembers it. */
bool net_cache_message(struct net_cache *c, uint16_t src, uint32_t seq, uint32_t iv_index);

#endif
