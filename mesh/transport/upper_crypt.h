/* SPDX-License-Identifier: Apache-2.0 */
/* Upper transport encryption, 3.6.2 and 3.9.7.1. Keeps no state. */
#ifndef MESHMASON_UPPER_CRYPT_H
#define MESHMASON_UPPER_CRYPT_H

#include "crypto.h"

struct upper_nonce {
	bool device_key; /* otherwise an application key */
	bool szmic;	 /* of a segmented message: 8 octets of TransMIC */
	uint32_t iv_index, seq;
	uint16_t src, dst;
	struct bytes label; /* the Label UUID of a virtual destination, otherwise empty */
};

/* out gets plain.n octets and the TransMIC; returns their number. */
size_t upper_encrypt(const struct secret16 *key, const struct upper_nonce *n, struct bytes plain,
		     uint8_t *out);
/* in is ciphertext and TransMIC. out gets the access message, *len its length (1 or more). */
bool upper_decrypt(const struct secret16 *key, const struct upper_nonce *n, struct bytes in,
		   uint8_t *out, size_t *len);

#endif
