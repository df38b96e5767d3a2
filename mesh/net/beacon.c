/* SPDX-License-Identifier: Apache-2.0 */
#include "beacon.h"

#include <string.h>

enum { AUTHENTICATION = 8, BODY = 5 };

bool beacon_unprovisioned_decode(struct beacon_unprovisioned *out, struct bytes in)
{
	struct rd r = rd_from(in);

	if (in.n != BEACON_UNPROVISIONED_LEN && in.n != BEACON_UNPROVISIONED_URI_LEN)
		return false;
	if (rd_u8(&r) != BEACON_UNPROVISIONED)
		return false;
	rd_copy(&r, out->uuid, UUID_LEN);
	out->oob_info = rd_be16(&r);
	out->has_uri_hash = in.n == BEACON_UNPROVISIONED_URI_LEN;
	out->uri_hash = out->has_uri_hash ? rd_be32(&r) : 0;
	return rd_finished(&r);
}

/* 3.10.3: the first 8 octets of CMAC over all between type and authentication. */
static void authenticate(const struct subnet_key *k, const uint8_t *beacon, uint8_t out[16])
{
	aes_cmac(&k->beacon, bytes_of(beacon + 1, BEACON_SECURE_LEN - 1 - AUTHENTICATION), out);
}

void beacon_secure_encode(const struct subnet_key *k, const struct beacon_network *b,
			  uint8_t out[BEACON_SECURE_LEN])
{
	struct wr w = wr_to(out, BEACON_SECURE_LEN);
	uint8_t mac[16];

	wr_u8(&w, BEACON_SECURE_NETWORK);
	wr_u8(&w, b->flags);
	wr_copy(&w, k->network_id, sizeof(k->network_id));
	wr_be32(&w, b->iv_index);
	authenticate(k, out, mac);
	wr_copy(&w, mac, AUTHENTICATION);
}

bool beacon_secure_decode(const struct subnet_key *k, struct beacon_network *out, struct bytes in)
{
	struct rd r = rd_from(in);
	struct bytes id, mac;
	uint8_t expected[16];

	if (in.n != BEACON_SECURE_LEN || rd_u8(&r) != BEACON_SECURE_NETWORK)
		return false;
	out->flags = rd_u8(&r);
	id = rd_bytes(&r, sizeof(k->network_id));
	out->iv_index = rd_be32(&r);
	mac = rd_bytes(&r, AUTHENTICATION);
	if (!rd_finished(&r) || memcmp(id.p, k->network_id, id.n) != 0)
		return false;
	authenticate(k, in.p, expected);
	return secret_equal(mac.p, expected, AUTHENTICATION);
}

/* 3.10.4: the obfuscation is CCM with the beacon's random as nonce. */
void beacon_private_encode(const struct subnet_key *k, const struct beacon_network *b,
			   const uint8_t random[BEACON_RANDOM_LEN], uint8_t out[BEACON_PRIVATE_LEN])
{
	uint8_t body[BODY];
	struct wr w = wr_to(body, sizeof(body));

	wr_u8(&w, b->flags);
	wr_be32(&w, b->iv_index);
	out[0] = BEACON_PRIVATE;
	memcpy(out + 1, random, BEACON_RANDOM_LEN);
	ccm_encrypt(&k->private_beacon, random, bytes_of(NULL, 0), wr_done(&w), AUTHENTICATION,
		    out + 1 + BEACON_RANDOM_LEN);
}

bool beacon_private_decode(const struct subnet_key *k, struct beacon_network *out, struct bytes in)
{
	uint8_t body[BODY] = { 0 };
	struct rd r = rd_from(bytes_of(body, sizeof(body)));

	if (in.n != BEACON_PRIVATE_LEN || in.p[0] != BEACON_PRIVATE)
		return false;
	if (!ccm_decrypt(&k->private_beacon, in.p + 1, bytes_of(NULL, 0),
			 bytes_of(in.p + 1 + BEACON_RANDOM_LEN, BODY + AUTHENTICATION),
			 AUTHENTICATION, body))
		return false;
	out->flags = rd_u8(&r);
	out->iv_index = rd_be32(&r);
	return rd_finished(&r);
}
