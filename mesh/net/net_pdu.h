/* SPDX-License-Identifier: Apache-2.0 */
/* Network PDU, 3.4.4: layout, encryption and obfuscation (3.9.7). Keeps no state. */
#ifndef MESHMASON_NET_PDU_H
#define MESHMASON_NET_PDU_H

#include "bytes.h"
#include "crypto.h"
#include "mesh_const.h"

enum net_pdu_size {
	NET_TRANSPORT_MAX = 16, /* 12 when ctl */
	NET_PDU_MIN = 18,	/* 9 header, 1 transport, 8 MIC; or a segment of one octet */
};

enum { SEQ_MAX = 0xFFFFFF };

struct net_pdu {
	uint32_t iv_index; /* the one that encrypts it, not the newest known */
	uint32_t seq;
	uint16_t src, dst;
	bool ctl;
	uint8_t ttl;
	uint8_t len;
	uint8_t transport[NET_TRANSPORT_MAX];
};

/* Network credentials, set up once for all PDUs. */
struct net_keys {
	uint8_t nid;
	struct aes_key *encryption, *privacy;
};
void net_keys_init(struct net_keys *k, const struct k2_keys *from);
void net_keys_free(struct net_keys *k);

static inline bool addr_is_unicast(uint16_t a)
{
	return a != ADDR_UNASSIGNED && a <= ADDR_UNICAST_LAST;
}

static inline bool addr_is_virtual(uint16_t a)
{
	return a >= 0x8000 && a <= 0xBFFF;
}

/* IV Index and SEQ as the one number that replay protection compares, 3.9.8. */
static inline uint64_t net_ivi_seq(uint32_t iv_index, uint32_t seq)
{
	return (uint64_t)iv_index << 24 | seq;
}

/* Returns the number of octets. p->len is 1..16, or 1..12 when p->ctl. */
size_t net_pdu_encode(const struct net_keys *keys, const struct net_pdu *p,
		      uint8_t out[NETWORK_PDU_MAX]);
/* False: not encrypted with these keys under this IV Index, or no PDU at all. The NID is the
 * caller's to compare. DST is not judged here. */
bool net_pdu_decode(const struct net_keys *keys, uint32_t iv_index, struct bytes in,
		    struct net_pdu *out);

#endif
