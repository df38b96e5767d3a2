/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one difference between the algorithms that a reader trips over: with CMAC the AuthValue goes
 * into the confirmation's message, with HMAC into its key. ProvisioningSalt is s1 with both.
 */
#include "prov_keys.h"

#include <assert.h>
#include <string.h>

enum {
	AUTH_MAX = 32,
	DATA_MIC = 8,
	PAIR_TRIES = 256, /* each succeeds with probability one half */
};

static struct bytes label(const char *text)
{
	return bytes_of(text, strlen(text));
}

bool prov_keys_pair(void (*random)(void *ctx, void *out, size_t n), void *ctx,
		    struct secret32 *private_key, uint8_t public_key[P256_PUBLIC])
{
	struct secret32 octets;
	bool made = false;

	for (int i = 0; i < PAIR_TRIES && !made; i++) {
		random(ctx, octets.octet, sizeof(octets.octet));
		made = p256_key_pair(&octets, private_key, public_key);
	}
	secret_wipe(&octets, sizeof(octets));
	return made;
}

size_t prov_keys_auth_len(enum prov_algorithm algorithm)
{
	return algorithm == PROV_ALG_HMAC ? 32 : 16;
}

void prov_keys_init(struct prov_keys *k, enum prov_algorithm algorithm,
		    const uint8_t inputs[PROV_INPUTS_LEN], const struct secret32 *ecdh,
		    const struct secret32 *auth_value)
{
	struct bytes in = bytes_of(inputs, PROV_INPUTS_LEN);
	struct bytes secret = bytes_of(ecdh->octet, sizeof(ecdh->octet));

	memset(k, 0, sizeof(*k));
	k->algorithm = algorithm;
	k->ecdh = *ecdh;
	k->auth_value = *auth_value;
	if (algorithm == PROV_ALG_HMAC) {
		uint8_t both[64];

		memcpy(both, ecdh->octet, 32);
		memcpy(both + 32, auth_value->octet, 32);
		s2(in, k->salt);
		k5(bytes_of(both, sizeof(both)), k->salt, label("prck256"),
		   k->confirmation_key.octet);
		secret_wipe(both, sizeof(both));
	} else {
		s1(in, k->salt);
		k1(secret, k->salt, label("prck"), k->confirmation_key.octet);
	}
}

void prov_keys_confirmation(const struct prov_keys *k, const uint8_t *random, uint8_t *out)
{
	if (k->algorithm == PROV_ALG_HMAC) {
		hmac_sha256(bytes_of(k->confirmation_key.octet, 32), bytes_of(random, 32), out);
	} else {
		struct secret16 key;
		uint8_t message[32];

		memcpy(key.octet, k->confirmation_key.octet, sizeof(key.octet));
		memcpy(message, random, 16);
		memcpy(message + 16, k->auth_value.octet, 16);
		aes_cmac(&key, bytes_of(message, sizeof(message)), out);
		secret_wipe(&key, sizeof(key));
		secret_wipe(message, sizeof(message));
	}
}

void prov_keys_session(const struct prov_keys *k, const uint8_t *random_provisioner,
		       const uint8_t *random_device, struct prov_session_keys *out)
{
	struct bytes secret = bytes_of(k->ecdh.octet, sizeof(k->ecdh.octet));
	size_t n = prov_keys_auth_len(k->algorithm);
	uint8_t inputs[3 * AUTH_MAX], salt[16], nonce[16];
	struct wr w = wr_to(inputs, sizeof(inputs));

	wr_copy(&w, k->salt, n);
	wr_copy(&w, random_provisioner, n);
	wr_copy(&w, random_device, n);
	s1(wr_done(&w), salt);
	k1(secret, salt, label("prsk"), out->session_key.octet);
	k1(secret, salt, label("prsn"), nonce);
	memcpy(out->nonce, nonce + sizeof(nonce) - CCM_NONCE, CCM_NONCE);
	k1(secret, salt, label("prdk"), out->device_key.octet);
	secret_wipe(nonce, sizeof(nonce));
}

void prov_keys_seal(const struct prov_session_keys *s, const struct prov_data *data,
		    uint8_t out[PROV_SEALED_DATA_LEN])
{
	uint8_t plain[PROV_DATA_LEN];
	struct wr w = wr_to(plain, sizeof(plain));

	prov_data_encode(&w, data);
	assert(w.n == PROV_DATA_LEN);
	ccm_encrypt(&s->session_key, s->nonce, bytes_of(NULL, 0), wr_done(&w), DATA_MIC, out);
	secret_wipe(plain, sizeof(plain));
}
