/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-128, CMAC (RFC 4493) and CCM (RFC 3610, L = 2), Mesh 3.9.2. Both modes are written here over
 * OpenSSL's block cipher: its own ones want a fetch, a new context and a new key schedule for each
 * message or each MIC size, which costs ten times what a PDU of 20 octets needs.
 */
#include "crypto.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "die.h"

enum { BLOCK = 16, BURST = 8 };

struct aes_key {
	EVP_CIPHER_CTX *ecb;
	bool have_subkeys;
	uint8_t k1[BLOCK], k2[BLOCK]; /* CMAC subkeys, made when first asked for */
};

static void key_open(struct aes_key *k, const struct secret16 *key)
{
	memset(k, 0, sizeof(*k));
	k->ecb = EVP_CIPHER_CTX_new();
	crypto_must(k->ecb &&
			    EVP_EncryptInit_ex(k->ecb, EVP_aes_128_ecb(), NULL, key->octet, NULL) ==
				    1 &&
			    EVP_CIPHER_CTX_set_padding(k->ecb, 0) == 1,
		    "AES-128");
}

static void key_close(struct aes_key *k)
{
	EVP_CIPHER_CTX_free(k->ecb);
	secret_wipe(k, sizeof(*k));
}

struct aes_key *aes_key_new(const struct secret16 *key)
{
	struct aes_key *k = malloc(sizeof(*k));

	crypto_must(k, "memory");
	key_open(k, key);
	return k;
}

void aes_key_free(struct aes_key *k)
{
	if (!k)
		return;
	key_close(k);
	free(k);
}

static void blocks(struct aes_key *k, const uint8_t *in, uint8_t *out, size_t n)
{
	int len = 0;

	crypto_must(EVP_EncryptUpdate(k->ecb, out, &len, in, (int)(n * BLOCK)) == 1 &&
			    len == (int)(n * BLOCK),
		    "AES-128");
}

void aes_key_block(struct aes_key *k, const uint8_t in[16], uint8_t out[16])
{
	blocks(k, in, out, 1);
}

/* One step of a CBC-MAC: n octets (at most a block) into the state. */
static void mac_step(struct aes_key *k, uint8_t state[BLOCK], const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		state[i] ^= p[i];
	blocks(k, state, state, 1);
}

static void double_block(uint8_t out[BLOCK], const uint8_t in[BLOCK])
{
	uint8_t carry = in[0] >> 7;

	for (size_t i = 0; i < BLOCK - 1; i++)
		out[i] = (uint8_t)(in[i] << 1 | in[i + 1] >> 7);
	out[BLOCK - 1] = (uint8_t)(in[BLOCK - 1] << 1 ^ (0x87 & -carry));
}

static void make_subkeys(struct aes_key *k)
{
	uint8_t zero[BLOCK] = { 0 };

	if (k->have_subkeys)
		return;
	blocks(k, zero, zero, 1);
	double_block(k->k1, zero);
	double_block(k->k2, k->k1);
	secret_wipe(zero, sizeof(zero));
	k->have_subkeys = true;
}

void aes_key_cmac(struct aes_key *k, struct bytes message, uint8_t out[16])
{
	uint8_t state[BLOCK] = { 0 }, last[BLOCK] = { 0 };
	const uint8_t *p = message.p, *subkey;
	size_t n = message.n;

	make_subkeys(k);
	for (; n > BLOCK; p += BLOCK, n -= BLOCK)
		mac_step(k, state, p, BLOCK);
	if (n > 0)
		memcpy(last, p, n);
	subkey = n == BLOCK ? k->k1 : k->k2;
	if (n < BLOCK)
		last[n] = 0x80;
	for (size_t i = 0; i < BLOCK; i++)
		last[i] ^= subkey[i];
	mac_step(k, state, last, BLOCK);
	memcpy(out, state, BLOCK);
}

static void mac_all(struct aes_key *k, uint8_t state[BLOCK], struct bytes in)
{
	for (size_t at = 0; at < in.n; at += BLOCK)
		mac_step(k, state, in.p + at, in.n - at < BLOCK ? in.n - at : BLOCK);
}

/* RFC 3610, 2.2: the MAC of nonce, aad and plaintext, still in clear. */
static void ccm_mac(struct aes_key *k, const uint8_t nonce[CCM_NONCE], struct bytes aad,
		    struct bytes plain, size_t mic, uint8_t state[BLOCK])
{
	uint8_t head[BLOCK];

	memset(state, 0, BLOCK);
	head[0] = (uint8_t)((aad.n > 0 ? 0x40 : 0) | (mic - 2) / 2 << 3 | 1);
	memcpy(head + 1, nonce, CCM_NONCE);
	head[14] = (uint8_t)(plain.n >> 8);
	head[15] = (uint8_t)plain.n;
	mac_step(k, state, head, BLOCK);
	if (aad.n > 0) {
		/* two octets of length share the first block with the first 14 of the data */
		size_t first = aad.n < BLOCK - 2 ? aad.n : BLOCK - 2;

		head[0] = (uint8_t)(aad.n >> 8);
		head[1] = (uint8_t)aad.n;
		memcpy(head + 2, aad.p, first);
		mac_step(k, state, head, 2 + first);
		mac_all(k, state, bytes_of(aad.p + first, aad.n - first));
	}
	mac_all(k, state, plain);
}

/* RFC 3610, 2.3: XOR with the key stream of counters 1 and up; tag gets the block of counter 0. */
static void ccm_stream(struct aes_key *k, const uint8_t nonce[CCM_NONCE], struct bytes in,
		       uint8_t *out, uint8_t tag[BLOCK])
{
	uint8_t stream[BURST * BLOCK];
	size_t counter = 0, at = 0;

	do {
		size_t wanted = (in.n - at + BLOCK - 1) / BLOCK + (counter == 0);
		size_t n = wanted < BURST ? wanted : BURST;
		uint8_t *p = stream, *end = stream + n * BLOCK;

		for (size_t i = 0; i < n; i++, counter++) {
			uint8_t *block = stream + i * BLOCK;

			block[0] = 1;
			memcpy(block + 1, nonce, CCM_NONCE);
			block[14] = (uint8_t)(counter >> 8);
			block[15] = (uint8_t)counter;
		}
		blocks(k, stream, stream, n);
		if (counter == n) {
			memcpy(tag, p, BLOCK);
			p += BLOCK;
		}
		for (; p < end && at < in.n; at++)
			out[at] = in.p[at] ^ *p++;
	} while (at < in.n);
	secret_wipe(stream, sizeof(stream));
}

static void ccm_check_sizes(struct bytes aad, size_t n, size_t mic)
{
	assert(mic == 4 || mic == 8);
	assert(n <= UINT16_MAX && aad.n < 0xFF00);
}

void aes_key_ccm_encrypt(struct aes_key *k, const uint8_t nonce[CCM_NONCE], struct bytes aad,
			 struct bytes in, size_t mic, uint8_t *out)
{
	uint8_t state[BLOCK], tag[BLOCK];

	ccm_check_sizes(aad, in.n, mic);
	ccm_mac(k, nonce, aad, in, mic, state);
	ccm_stream(k, nonce, in, out, tag);
	for (size_t i = 0; i < mic; i++)
		out[in.n + i] = state[i] ^ tag[i];
}

bool aes_key_ccm_decrypt(struct aes_key *k, const uint8_t nonce[CCM_NONCE], struct bytes aad,
			 struct bytes in, size_t mic, uint8_t *out)
{
	uint8_t state[BLOCK], tag[BLOCK], given[8];
	size_t n;

	if (in.n < mic || in.n - mic > UINT16_MAX)
		return false;
	n = in.n - mic;
	ccm_check_sizes(aad, n, mic);
	memcpy(given, in.p + n, mic); /* out may be in */
	ccm_stream(k, nonce, bytes_of(in.p, n), out, tag);
	ccm_mac(k, nonce, aad, bytes_of(out, n), mic, state);
	for (size_t i = 0; i < mic; i++)
		state[i] ^= tag[i];
	if (secret_equal(state, given, mic))
		return true;
	secret_wipe(out, n);
	return false;
}

void aes128_block(const struct secret16 *key, const uint8_t in[16], uint8_t out[16])
{
	struct aes_key k;

	key_open(&k, key);
	aes_key_block(&k, in, out);
	key_close(&k);
}

void aes_cmac(const struct secret16 *key, struct bytes message, uint8_t out[16])
{
	struct aes_key k;

	key_open(&k, key);
	aes_key_cmac(&k, message, out);
	key_close(&k);
}

void ccm_encrypt(const struct secret16 *key, const uint8_t nonce[CCM_NONCE], struct bytes aad,
		 struct bytes in, size_t mic, uint8_t *out)
{
	struct aes_key k;

	key_open(&k, key);
	aes_key_ccm_encrypt(&k, nonce, aad, in, mic, out);
	key_close(&k);
}

bool ccm_decrypt(const struct secret16 *key, const uint8_t nonce[CCM_NONCE], struct bytes aad,
		 struct bytes in, size_t mic, uint8_t *out)
{
	struct aes_key k;
	bool ok;

	key_open(&k, key);
	ok = aes_key_ccm_decrypt(&k, nonce, aad, in, mic, out);
	key_close(&k);
	return ok;
}
