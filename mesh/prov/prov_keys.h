/* SPDX-License-Identifier: Apache-2.0 */
/* The cryptography of one provisioning session, 5.4.2.4 and 5.4.2.5, for both algorithms. */
#ifndef MESHMASON_PROV_KEYS_H
#define MESHMASON_PROV_KEYS_H

#include "crypto.h"
#include "pdu.h"

/* ConfirmationInputs: Invite, Capabilities and Start parameters and both public keys. */
enum { PROV_INPUTS_LEN = 1 + PROV_CAPABILITIES_LEN + PROV_START_LEN + 2 * PROV_PUBLIC_KEY_LEN };

struct prov_keys {
	enum prov_algorithm algorithm;
	struct secret32 ecdh;
	struct secret32 auth_value;
	uint8_t salt[32]; /* ConfirmationSalt, as long as auth_len */
	struct secret32 confirmation_key;
};

struct prov_session_keys {
	struct secret16 session_key;
	uint8_t nonce[CCM_NONCE];
	struct secret16 device_key;
};

/* A fresh pair for a session; false when random gives nothing usable in many tries. */
bool prov_keys_pair(void (*random)(void *ctx, void *out, size_t n), void *ctx,
		    struct secret32 *private_key, uint8_t public_key[P256_PUBLIC]);
/* Octets of AuthValue, Confirmation and Random. */
size_t prov_keys_auth_len(enum prov_algorithm algorithm);
void prov_keys_init(struct prov_keys *k, enum prov_algorithm algorithm,
		    const uint8_t inputs[PROV_INPUTS_LEN], const struct secret32 *ecdh,
		    const struct secret32 *auth_value);
/* random and out have auth_len octets. */
void prov_keys_confirmation(const struct prov_keys *k, const uint8_t *random, uint8_t *out);
void prov_keys_session(const struct prov_keys *k, const uint8_t *random_provisioner,
		       const uint8_t *random_device, struct prov_session_keys *out);
void prov_keys_seal(const struct prov_session_keys *s, const struct prov_data *data,
		    uint8_t out[PROV_SEALED_DATA_LEN]);

#endif
