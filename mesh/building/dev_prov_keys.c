/* SPDX-License-Identifier: Apache-2.0 */
/* What both sides compute from the exchange, Mesh 5.4.2.4 and 5.4.2.5. */
#include "dev_prov.h"

#include <string.h>

/* AuthValue, 5.4.2.4.1: a binary static value is left-aligned, padded or cut on the right. Those of
 * Output and Input OOB come later. */
void dev_prov_auth_value(struct dev_prov *p)
{
	size_t n = p->make->static_oob_len;

	memset(&p->auth, 0, sizeof(p->auth));
	if (p->method == PROV_AUTH_STATIC)
		memcpy(p->auth.octet, p->make->static_oob, n < p->auth_len ? n : p->auth_len);
}

void dev_prov_derive_confirmation(struct dev_prov *p)
{
	struct bytes inputs = bytes_of(p->inputs, sizeof(p->inputs));

	if (p->hmac) {
		uint8_t n[64];

		s2(inputs, p->confirmation_salt);
		memcpy(n, p->ecdh.octet, 32);
		memcpy(n + 32, p->auth.octet, 32);
		k5(bytes_of(n, sizeof(n)), p->confirmation_salt, bytes_of("prck256", 7),
		   p->confirmation_key.octet);
		secret_wipe(n, sizeof(n));
	} else {
		s1(inputs, p->confirmation_salt);
		k1(bytes_of(p->ecdh.octet, 32), p->confirmation_salt, bytes_of("prck", 4),
		   p->confirmation_key.octet);
	}
}

void dev_prov_confirm(const struct dev_prov *p, const uint8_t *random, uint8_t out[32])
{
	memset(out, 0, 32);
	if (p->hmac) {
		hmac_sha256(bytes_of(p->confirmation_key.octet, 32), bytes_of(random, 32), out);
	} else {
		struct secret16 key;
		uint8_t message[32];

		memcpy(key.octet, p->confirmation_key.octet, 16);
		memcpy(message, random, 16);
		memcpy(message + 16, p->auth.octet, 16);
		aes_cmac(&key, bytes_of(message, sizeof(message)), out);
		secret_wipe(&key, sizeof(key));
		secret_wipe(message, sizeof(message));
	}
}

void dev_prov_derive_session(struct dev_prov *p, const uint8_t *peer_random)
{
	struct bytes ecdh = bytes_of(p->ecdh.octet, 32);
	uint8_t input[96], salt[16], nonce[16];
	struct wr w = wr_to(input, sizeof(input));

	wr_copy(&w, p->confirmation_salt, p->auth_len);
	wr_copy(&w, peer_random, p->auth_len);
	wr_copy(&w, p->random.octet, p->auth_len);
	s1(wr_done(&w), salt);
	k1(ecdh, salt, bytes_of("prsk", 4), p->session_key.octet);
	k1(ecdh, salt, bytes_of("prsn", 4), nonce);
	k1(ecdh, salt, bytes_of("prdk", 4), p->device_key.octet);
	memcpy(p->session_nonce, nonce + 3, CCM_NONCE);
	secret_wipe(input, sizeof(input));
	secret_wipe(salt, sizeof(salt));
}
