/* SPDX-License-Identifier: Apache-2.0 */
/* Beacons, 3.10: unprovisioned device, secure network, mesh private. Codecs only. */
#ifndef MESHMASON_BEACON_H
#define MESHMASON_BEACON_H

#include "bytes.h"
#include "mesh_const.h"
#include "subnet.h"

enum beacon_size { /* with the type octet */
		   BEACON_UNPROVISIONED_LEN = 19,
		   BEACON_UNPROVISIONED_URI_LEN = 23,
		   BEACON_SECURE_LEN = 22,
		   BEACON_PRIVATE_LEN = 27,
		   BEACON_RANDOM_LEN = 13,
};

enum beacon_flag { BEACON_KEY_REFRESH = 1 << 0, BEACON_IV_UPDATE = 1 << 1 };

struct beacon_unprovisioned {
	uint8_t uuid[UUID_LEN];
	uint16_t oob_info;
	bool has_uri_hash;
	uint32_t uri_hash;
};

struct beacon_network {
	uint8_t flags;
	uint32_t iv_index;
};

/* in begins with the type octet. */
bool beacon_unprovisioned_decode(struct beacon_unprovisioned *out, struct bytes in);
void beacon_secure_encode(const struct subnet_key *k, const struct beacon_network *b,
			  uint8_t out[BEACON_SECURE_LEN]);
/* False: of another network, or not authentic. */
bool beacon_secure_decode(const struct subnet_key *k, struct beacon_network *out, struct bytes in);
void beacon_private_encode(const struct subnet_key *k, const struct beacon_network *b,
			   const uint8_t random[BEACON_RANDOM_LEN],
			   uint8_t out[BEACON_PRIVATE_LEN]);
bool beacon_private_decode(const struct subnet_key *k, struct beacon_network *out, struct bytes in);

#endif
