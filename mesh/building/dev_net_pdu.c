/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption and obfuscation of network PDUs, Mesh 3.9.7. */
#include "dev_net.h"

#include <string.h>

enum { VEILED = 6, CTL_BIT = 0x80, MIC_ACCESS = 4, MIC_CONTROL = 8 };

void dev_net_key_make(struct dev_net_key *k, uint16_t index, const struct secret16 *key)
{
	static const uint8_t flooding = 0;
	struct k2_keys derived;
	struct secret16 beacon;

	k2(key, bytes_of(&flooding, 1), &derived);
	net_key_beacon(key, &beacon);
	net_key_id(key, k->network_id);
	k->index = index;
	k->nid = derived.nid;
	k->encryption = aes_key_new(&derived.encryption);
	k->privacy = aes_key_new(&derived.privacy);
	k->beacon = aes_key_new(&beacon);
	secret_wipe(&derived, sizeof(derived));
	secret_wipe(&beacon, sizeof(beacon));
}

void dev_net_key_free(struct dev_net_key *k)
{
	aes_key_free(k->encryption);
	aes_key_free(k->privacy);
	aes_key_free(k->beacon);
	memset(k, 0, sizeof(*k));
}

/* The six octets that veil the header; random is the first seven of what is encrypted. */
static void veil(const struct dev_net_key *k, uint32_t iv_index, const uint8_t random[7],
		 uint8_t out[16])
{
	uint8_t block[16] = { 0 };
	struct wr w = wr_to(block + 5, 11);

	wr_be32(&w, iv_index);
	wr_copy(&w, random, 7);
	aes_key_block(k->privacy, block, out);
}

static void nonce_of(const struct dev_net_pdu *pdu, uint8_t nonce[CCM_NONCE])
{
	struct wr w = wr_to(nonce, CCM_NONCE);

	wr_u8(&w, 0x00);
	wr_u8(&w, (uint8_t)((pdu->ctl ? CTL_BIT : 0) | pdu->ttl));
	wr_be24(&w, pdu->seq);
	wr_be16(&w, pdu->src);
	wr_be16(&w, 0);
	wr_be32(&w, pdu->iv_index);
}

bool dev_pdu_unveil(const struct dev_net_key *k, uint32_t iv_index, struct bytes raw,
		    struct dev_net_pdu *out)
{
	uint8_t mask[16], head[VEILED];
	struct rd r;

	if (raw.n < DEV_PDU_MIN || raw.n > NETWORK_PDU_MAX || (raw.p[0] & 0x7F) != k->nid)
		return false;
	veil(k, iv_index, raw.p + 1 + VEILED, mask);
	for (size_t i = 0; i < VEILED; i++)
		head[i] = raw.p[1 + i] ^ mask[i];
	r = rd_from(bytes_of(head, sizeof(head)));
	out->ttl = rd_u8(&r);
	out->ctl = out->ttl & CTL_BIT;
	out->ttl &= 0x7F;
	out->seq = rd_be24(&r);
	out->src = rd_be16(&r);
	out->iv_index = iv_index;
	return out->src != ADDR_UNASSIGNED && out->src <= ADDR_UNICAST_LAST;
}

bool dev_pdu_open(const struct dev_net_key *k, struct bytes raw, struct dev_net_pdu *pdu)
{
	size_t mic = pdu->ctl ? MIC_CONTROL : MIC_ACCESS;
	struct bytes sealed = bytes_of(raw.p + 1 + VEILED, raw.n - 1 - VEILED);
	uint8_t nonce[CCM_NONCE], clear[NETWORK_PDU_MAX];

	if (sealed.n < 2 + 1 + mic)
		return false;
	nonce_of(pdu, nonce);
	if (!aes_key_ccm_decrypt(k->encryption, nonce, bytes_of(NULL, 0), sealed, mic, clear))
		return false;
	pdu->dst = (uint16_t)(clear[0] << 8 | clear[1]);
	pdu->len = (uint8_t)(sealed.n - mic - 2);
	memcpy(pdu->transport, clear + 2, pdu->len);
	return true;
}

struct bytes dev_pdu_seal(const struct dev_net_key *k, const struct dev_net_pdu *pdu,
			  uint8_t out[NETWORK_PDU_MAX])
{
	size_t mic = pdu->ctl ? MIC_CONTROL : MIC_ACCESS;
	uint8_t nonce[CCM_NONCE], mask[16];
	struct wr w = wr_to(out, NETWORK_PDU_MAX);
	uint8_t *sealed = out + 1 + VEILED;

	wr_u8(&w, (uint8_t)((pdu->iv_index & 1) << 7 | k->nid));
	wr_u8(&w, (uint8_t)((pdu->ctl ? CTL_BIT : 0) | pdu->ttl));
	wr_be24(&w, pdu->seq);
	wr_be16(&w, pdu->src);
	wr_be16(&w, pdu->dst);
	wr_copy(&w, pdu->transport, pdu->len);
	nonce_of(pdu, nonce);
	aes_key_ccm_encrypt(k->encryption, nonce, bytes_of(NULL, 0),
			    bytes_of(sealed, 2 + (size_t)pdu->len), mic, sealed);
	veil(k, pdu->iv_index, sealed, mask);
	for (size_t i = 0; i < VEILED; i++)
		out[1 + i] ^= mask[i];
	return bytes_of(out, DEV_PDU_HEADER + pdu->len + mic);
}
