/* SPDX-License-Identifier: Apache-2.0 */
#include "upper_crypt.h"

static size_t mic_of(const struct upper_nonce *n)
{
	return n->szmic ? 8 : 4;
}

/* 3.9.5.2, 3.9.5.3 */
static void build(const struct upper_nonce *n, uint8_t out[CCM_NONCE])
{
	struct wr w = wr_to(out, CCM_NONCE);

	wr_u8(&w, n->device_key ? 0x02 : 0x01);
	wr_u8(&w, n->szmic ? 0x80 : 0x00);
	wr_be24(&w, n->seq);
	wr_be16(&w, n->src);
	wr_be16(&w, n->dst);
	wr_be32(&w, n->iv_index);
}

size_t upper_encrypt(const struct secret16 *key, const struct upper_nonce *n, struct bytes plain,
		     uint8_t *out)
{
	uint8_t nonce[CCM_NONCE];

	build(n, nonce);
	ccm_encrypt(key, nonce, n->label, plain, mic_of(n), out);
	return plain.n + mic_of(n);
}

bool upper_decrypt(const struct secret16 *key, const struct upper_nonce *n, struct bytes in,
		   uint8_t *out, size_t *len)
{
	uint8_t nonce[CCM_NONCE];

	if (in.n <= mic_of(n))
		return false;
	*len = in.n - mic_of(n);
	build(n, nonce);
	return ccm_decrypt(key, nonce, n->label, in, mic_of(n), out);
}
