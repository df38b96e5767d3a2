/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security toolbox of Mesh 3.9.2 and provisioning's P-256, on OpenSSL's EVP interface.
 * All big-endian; "ccm" always has the 13-octet nonce. Failures of OpenSSL itself (memory) end
 * the process with a line; "false" always means that the input was refused.
 * Nothing here keeps state or reads randomness.
 */
#ifndef MESHMASON_CRYPTO_H
#define MESHMASON_CRYPTO_H

#include "bytes.h"
#include "secret.h"

enum { CCM_NONCE = 13, P256_PUBLIC = 64, P256_SECRET = 32 };

/* One AES-128 block, ECB. */
void aes128_block(const struct secret16 *key, const uint8_t in[16], uint8_t out[16]);
void aes_cmac(const struct secret16 *key, struct bytes message, uint8_t out[16]);
void hmac_sha256(struct bytes key, struct bytes message, uint8_t out[32]);
void sha256(struct bytes message, uint8_t out[32]);

/* out gets in.n octets of ciphertext and then mic (4 or 8) octets of MIC. in and out may overlap
 * exactly. aad may be empty. */
void ccm_encrypt(const struct secret16 *key, const uint8_t nonce[CCM_NONCE], struct bytes aad,
		 struct bytes in, size_t mic, uint8_t *out);
/* in is ciphertext and MIC; out gets in.n - mic octets. False: MIC wrong (out is zeroed) or too
 * short. */
bool ccm_decrypt(const struct secret16 *key, const uint8_t nonce[CCM_NONCE], struct bytes aad,
		 struct bytes in, size_t mic, uint8_t *out);

/* The same with a key that is set up once: an operation on a short PDU then takes tenths of a
 * microsecond, not a whole one. Wiped by aes_key_free. For whatever tries a key on every PDU. */
struct aes_key;
struct aes_key *aes_key_new(const struct secret16 *key);
void aes_key_free(struct aes_key *k);
void aes_key_block(struct aes_key *k, const uint8_t in[16], uint8_t out[16]);
void aes_key_cmac(struct aes_key *k, struct bytes message, uint8_t out[16]);
void aes_key_ccm_encrypt(struct aes_key *k, const uint8_t nonce[CCM_NONCE], struct bytes aad,
			 struct bytes in, size_t mic, uint8_t *out);
bool aes_key_ccm_decrypt(struct aes_key *k, const uint8_t nonce[CCM_NONCE], struct bytes aad,
			 struct bytes in, size_t mic, uint8_t *out);

void s1(struct bytes m, uint8_t out[16]);
void s2(struct bytes m, uint8_t out[32]);
void k1(struct bytes n, const uint8_t salt[16], struct bytes p, uint8_t out[16]);
struct k2_keys {
	uint8_t nid;
	struct secret16 encryption, privacy;
};
void k2(const struct secret16 *n, struct bytes p, struct k2_keys *out);
void k3(const struct secret16 *n, uint8_t out[8]);
uint8_t k4(const struct secret16 *n);
void k5(struct bytes n, const uint8_t salt[32], struct bytes p, uint8_t out[32]);

/* Derived from a NetKey, 3.9.6.3. */
void net_key_id(const struct secret16 *net_key, uint8_t out[8]); /* Network ID, k3 */
void net_key_identity(const struct secret16 *net_key, struct secret16 *out);
void net_key_beacon(const struct secret16 *net_key, struct secret16 *out);
void net_key_private_beacon(const struct secret16 *net_key, struct secret16 *out);
uint16_t virtual_address(const uint8_t label[16]);

/* P-256. A key pair comes from 32 octets of the caller's randomness; false when that is no scalar
 * in 1..r/2 (ask again with fresh octets). Public keys are X || Y. */
bool p256_key_pair(const struct secret32 *random, struct secret32 *secret,
		   uint8_t public_key[P256_PUBLIC]);
bool p256_public(const struct secret32 *secret, uint8_t public_key[P256_PUBLIC]);
/* On the curve, coordinates below p, not infinity. */
bool p256_valid(const uint8_t public_key[P256_PUBLIC]);
/* The X coordinate, leading zeros kept; false when peer is not a valid point. */
bool p256_ecdh(const struct secret32 *secret, const uint8_t peer[P256_PUBLIC],
	       struct secret32 *out);

/* AES-256-GCM for keys at rest: out gets 12 nonce octets, in.n, 16 tag octets. */
enum { GCM_OVERHEAD = 28 };
void gcm_seal(const struct secret32 *key, const uint8_t nonce[12], struct bytes aad,
	      struct bytes in, uint8_t *out);
bool gcm_open(const struct secret32 *key, struct bytes aad, struct bytes in, uint8_t *out);

/* The short id under which a device key may be shown: the first 8 hexadecimal digits of SHA-256
 * over the ASCII text "meshmason device key id" followed by the 16 key octets. */
enum { KEY_ID_TEXT = 9 };
char *device_key_id(const struct secret16 *key, char out[KEY_ID_TEXT]);

#endif
