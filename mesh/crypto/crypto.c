/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes, the derivation functions of Mesh 3.9.2 and 3.9.6, and the sealing of keys at rest. */
#include "crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "die.h"

void crypto_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "error: OpenSSL cannot do %s: %s\n", what,
		ERR_reason_error_string(ERR_peek_last_error()));
	abort();
}

void hmac_sha256(struct bytes key, struct bytes message, uint8_t out[32])
{
	static const uint8_t nothing[1];
	unsigned int len = 0;

	crypto_must(HMAC(EVP_sha256(), key.n ? key.p : nothing, (int)key.n,
			 message.n ? message.p : nothing, message.n, out, &len) &&
			    len == 32,
		    "HMAC-SHA-256");
}

void sha256(struct bytes message, uint8_t out[32])
{
	SHA256(message.p, message.n, out);
}

void s1(struct bytes m, uint8_t out[16])
{
	static const struct secret16 zero;

	aes_cmac(&zero, m, out);
}

void s2(struct bytes m, uint8_t out[32])
{
	static const uint8_t zero[32];

	hmac_sha256(bytes_of(zero, sizeof(zero)), m, out);
}

/* CMAC(salt, n) as the key of what follows: the T of k1..k4. */
static void extract(const uint8_t salt[16], struct bytes n, struct secret16 *t)
{
	struct secret16 key;

	memcpy(key.octet, salt, sizeof(key.octet));
	aes_cmac(&key, n, t->octet);
	secret_wipe(&key, sizeof(key));
}

static void s1_text(const char *text, uint8_t out[16])
{
	s1(bytes_of(text, strlen(text)), out);
}

static struct bytes key_bytes(const struct secret16 *key)
{
	return bytes_of(key->octet, sizeof(key->octet));
}

void k1(struct bytes n, const uint8_t salt[16], struct bytes p, uint8_t out[16])
{
	struct secret16 t;

	extract(salt, n, &t);
	aes_cmac(&t, p, out);
	secret_wipe(&t, sizeof(t));
}

/* One step of k2: CMAC(T, previous, P, count). */
static void k2_step(struct aes_key *t, struct bytes previous, struct bytes p, uint8_t count,
		    uint8_t out[16])
{
	uint8_t buf[64];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_bytes(&w, previous);
	wr_bytes(&w, p);
	wr_u8(&w, count);
	crypto_must(wr_ok(&w), "k2 of so long a P"); /* the specification's are 1 or 9 octets */
	aes_key_cmac(t, wr_done(&w), out);
	secret_wipe(buf, sizeof(buf));
}

void k2(const struct secret16 *n, struct bytes p, struct k2_keys *out)
{
	uint8_t salt[16], t1[16];
	struct secret16 t;
	struct aes_key *key;

	s1_text("smk2", salt);
	extract(salt, key_bytes(n), &t);
	key = aes_key_new(&t);
	k2_step(key, bytes_of(NULL, 0), p, 1, t1);
	k2_step(key, bytes_of(t1, sizeof(t1)), p, 2, out->encryption.octet);
	k2_step(key, key_bytes(&out->encryption), p, 3, out->privacy.octet);
	out->nid = t1[15] & 0x7F;
	aes_key_free(key);
	secret_wipe(&t, sizeof(t));
	secret_wipe(t1, sizeof(t1));
}

/* CMAC(CMAC(s1(salt), n), label, 01), what k3 and k4 cut. */
static void k34(const struct secret16 *n, const char *salt_text, const char *label, uint8_t out[16])
{
	uint8_t salt[16], buf[8];
	struct wr w = wr_to(buf, sizeof(buf));

	s1_text(salt_text, salt);
	wr_copy(&w, label, strlen(label));
	wr_u8(&w, 1);
	k1(key_bytes(n), salt, wr_done(&w), out);
}

void k3(const struct secret16 *n, uint8_t out[8])
{
	uint8_t whole[16];

	k34(n, "smk3", "id64", whole);
	memcpy(out, whole + 8, 8);
}

uint8_t k4(const struct secret16 *n)
{
	uint8_t whole[16];

	k34(n, "smk4", "id6", whole);
	return whole[15] & 0x3F;
}

void k5(struct bytes n, const uint8_t salt[32], struct bytes p, uint8_t out[32])
{
	uint8_t t[32];

	hmac_sha256(bytes_of(salt, 32), n, t);
	hmac_sha256(bytes_of(t, sizeof(t)), p, out);
	secret_wipe(t, sizeof(t));
}

void net_key_id(const struct secret16 *net_key, uint8_t out[8])
{
	k3(net_key, out);
}

void net_key_identity(const struct secret16 *net_key, struct secret16 *out)
{
	k34(net_key, "nkik", "id128", out->octet);
}

void net_key_beacon(const struct secret16 *net_key, struct secret16 *out)
{
	k34(net_key, "nkbk", "id128", out->octet);
}

void net_key_private_beacon(const struct secret16 *net_key, struct secret16 *out)
{
	k34(net_key, "nkpk", "id128", out->octet);
}

uint16_t virtual_address(const uint8_t label[16])
{
	struct secret16 salt;
	uint8_t hash[16];

	s1_text("vtad", salt.octet);
	aes_cmac(&salt, bytes_of(label, 16), hash);
	return (uint16_t)(0x8000 | (hash[14] & 0x3F) << 8 | hash[15]); /* 3.4.2.3 */
}

void gcm_seal(const struct secret32 *key, const uint8_t nonce[12], struct bytes aad,
	      struct bytes in, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t *body = out + 12;
	int len = 0;
	bool ok = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->octet, nonce) == 1;

	memmove(body, in.p ? in.p : body, in.n);
	memcpy(out, nonce, 12);
	if (ok && aad.n > 0)
		ok = EVP_EncryptUpdate(c, NULL, &len, aad.p, (int)aad.n) == 1;
	if (ok && in.n > 0)
		ok = EVP_EncryptUpdate(c, body, &len, body, (int)in.n) == 1;
	ok = ok && EVP_EncryptFinal_ex(c, body + in.n, &len) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16, body + in.n) == 1;
	EVP_CIPHER_CTX_free(c);
	crypto_must(ok, "AES-256-GCM");
}

bool gcm_open(const struct secret32 *key, struct bytes aad, struct bytes in, uint8_t *out)
{
	EVP_CIPHER_CTX *c;
	uint8_t tag[16];
	size_t n;
	int len = 0;
	bool ok;

	if (in.n < GCM_OVERHEAD)
		return false;
	n = in.n - GCM_OVERHEAD;
	memcpy(tag, in.p + 12 + n, sizeof(tag));
	c = EVP_CIPHER_CTX_new();
	ok = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->octet, in.p) == 1 &&
	     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1;
	crypto_must(ok, "AES-256-GCM");
	if (aad.n > 0)
		ok = EVP_DecryptUpdate(c, NULL, &len, aad.p, (int)aad.n) == 1;
	if (ok && n > 0)
		ok = EVP_DecryptUpdate(c, out, &len, in.p + 12, (int)n) == 1;
	ok = ok && EVP_DecryptFinal_ex(c, tag, &len) == 1;
	EVP_CIPHER_CTX_free(c);
	if (!ok)
		secret_wipe(out, n);
	return ok;
}

char *device_key_id(const struct secret16 *key, char out[KEY_ID_TEXT])
{
	static const char label[] = "meshmason device key id";
	uint8_t buf[sizeof(label) - 1 + 16], hash[32];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_copy(&w, label, sizeof(label) - 1);
	wr_bytes(&w, key_bytes(key));
	sha256(wr_done(&w), hash);
	secret_wipe(buf, sizeof(buf));
	return hex_format(out, bytes_of(hash, 4));
}
