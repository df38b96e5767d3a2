/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   0        1        2..4   5..6   7..8   9..           last 4 or 8
 *   IVI,NID  CTL,TTL  SEQ    SRC    DST    TransportPDU  NetMIC
 *            <-- obfuscated ----->  <-- encrypted ----------------->
 */
#include "net_pdu.h"

#include <assert.h>
#include <string.h>

enum { HEADER = 6, OBFUSCATED_AT = 1, ENCRYPTED_AT = 7, PRIVACY_RANDOM = 7 };

void net_keys_init(struct net_keys *k, const struct k2_keys *from)
{
	k->nid = from->nid;
	k->encryption = aes_key_new(&from->encryption);
	k->privacy = aes_key_new(&from->privacy);
}

void net_keys_free(struct net_keys *k)
{
	aes_key_free(k->encryption);
	aes_key_free(k->privacy);
	*k = (struct net_keys){ 0 };
}

/* 3.9.5.1 */
static void network_nonce(const struct net_pdu *p, uint8_t nonce[CCM_NONCE])
{
	struct wr w = wr_to(nonce, CCM_NONCE);

	wr_u8(&w, 0x00);
	wr_u8(&w, (uint8_t)(p->ctl << 7 | p->ttl));
	wr_be24(&w, p->seq);
	wr_be16(&w, p->src);
	wr_be16(&w, 0);
	wr_be32(&w, p->iv_index);
}

/* 3.9.7.3: the same in both directions. random is what follows the header on the wire. */
static void obfuscate(const struct net_keys *keys, uint32_t iv_index, const uint8_t *random,
		      const uint8_t in[HEADER], uint8_t out[HEADER])
{
	uint8_t block[16] = { 0 }, pecb[16];
	struct wr w = wr_to(block + 5, sizeof(block) - 5);

	wr_be32(&w, iv_index);
	wr_copy(&w, random, PRIVACY_RANDOM);
	aes_key_block(keys->privacy, block, pecb);
	for (size_t i = 0; i < HEADER; i++)
		out[i] = in[i] ^ pecb[i];
}

size_t net_pdu_encode(const struct net_keys *keys, const struct net_pdu *p,
		      uint8_t out[NETWORK_PDU_MAX])
{
	size_t mic = p->ctl ? 8 : 4;
	uint8_t nonce[CCM_NONCE], plain[2 + NET_TRANSPORT_MAX], header[HEADER];
	struct wr w = wr_to(plain, sizeof(plain));
	struct wr h = wr_to(header, sizeof(header));

	assert(p->len >= 1 && p->len <= (p->ctl ? 12 : 16) && p->seq <= SEQ_MAX && p->ttl <= 127);
	wr_be16(&w, p->dst);
	wr_copy(&w, p->transport, p->len);
	network_nonce(p, nonce);
	aes_key_ccm_encrypt(keys->encryption, nonce, bytes_of(NULL, 0), wr_done(&w), mic,
			    out + ENCRYPTED_AT);
	wr_u8(&h, (uint8_t)(p->ctl << 7 | p->ttl));
	wr_be24(&h, p->seq);
	wr_be16(&h, p->src);
	out[0] = (uint8_t)((p->iv_index & 1) << 7 | keys->nid);
	obfuscate(keys, p->iv_index, out + ENCRYPTED_AT, header, out + OBFUSCATED_AT);
	return ENCRYPTED_AT + w.n + mic;
}

bool net_pdu_decode(const struct net_keys *keys, uint32_t iv_index, struct bytes in,
		    struct net_pdu *out)
{
	uint8_t header[HEADER], nonce[CCM_NONCE], plain[NETWORK_PDU_MAX];
	size_t mic, body;
	struct rd r;

	if (in.n < NET_PDU_MIN || in.n > NETWORK_PDU_MAX)
		return false;
	obfuscate(keys, iv_index, in.p + ENCRYPTED_AT, in.p + OBFUSCATED_AT, header);
	r = rd_from(bytes_of(header, sizeof(header)));
	out->iv_index = iv_index;
	out->ttl = rd_u8(&r);
	out->ctl = out->ttl >> 7;
	out->ttl &= 0x7F;
	out->seq = rd_be24(&r);
	out->src = rd_be16(&r);
	/* Half of all wrong keys end here, before the costly part. */
	if (!addr_is_unicast(out->src))
		return false;
	mic = out->ctl ? 8 : 4;
	body = in.n - ENCRYPTED_AT - mic;
	if (body < 3 || body > 2 + (out->ctl ? 12u : 16u))
		return false;
	network_nonce(out, nonce);
	if (!aes_key_ccm_decrypt(keys->encryption, nonce, bytes_of(NULL, 0),
				 bytes_of(in.p + ENCRYPTED_AT, in.n - ENCRYPTED_AT), mic, plain))
		return false;
	r = rd_from(bytes_of(plain, body));
	out->dst = rd_be16(&r);
	out->len = (uint8_t)r.left;
	rd_copy(&r, out->transport, out->len);
	return true;
}
