/* SPDX-License-Identifier: Apache-2.0 */
/* The few libell crypto calls that meshd makes (AES-ECB, AES-CMAC, AES-CCM), answered in software:
 * no AF_ALG is needed. Part of meshd-preload.so. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>

/* ---- AES-128, encryption only ------------------------------------------ */

static uint8_t sbox[256];

static uint8_t xtime(uint8_t a)
{
	return a << 1 ^ (a & 0x80 ? 0x1b : 0);
}

__attribute__((constructor)) static void make_sbox(void)
{
	uint8_t p = 1, q = 1, x;

	do { /* p runs through the field, q through the inverses */
		p ^= xtime(p);
		q ^= q << 1;
		q ^= q << 2;
		q ^= q << 4;
		if (q & 0x80)
			q ^= 0x09;
		x = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^
		    (q << 4 | q >> 4);
		sbox[p] = x ^ 0x63;
	} while (p != 1);
	sbox[0] = 0x63;
}

static void aes(const uint8_t key[16], const uint8_t in[16], uint8_t out[16])
{
	uint8_t k[16], s[16], t[16], rcon = 1;
	int r, i, c;

	memcpy(k, key, 16);
	for (i = 0; i < 16; i++)
		s[i] = in[i] ^ k[i];
	for (r = 1; r <= 10; r++) {
		for (i = 0; i < 16; i++) /* SubBytes and ShiftRows */
			t[i] = sbox[s[(i + 4 * (i % 4)) % 16]];
		for (c = 0; c < 4 && r < 10; c++) {
			uint8_t *v = t + 4 * c, a = v[0] ^ v[1] ^ v[2] ^ v[3], v0 = v[0];

			v[0] ^= a ^ xtime(v[0] ^ v[1]);
			v[1] ^= a ^ xtime(v[1] ^ v[2]);
			v[2] ^= a ^ xtime(v[2] ^ v[3]);
			v[3] ^= a ^ xtime(v[3] ^ v0);
		}
		k[0] ^= sbox[k[13]] ^ rcon;
		k[1] ^= sbox[k[14]];
		k[2] ^= sbox[k[15]];
		k[3] ^= sbox[k[12]];
		for (i = 4; i < 16; i++)
			k[i] ^= k[i - 4];
		rcon = xtime(rcon);
		for (i = 0; i < 16; i++)
			s[i] = t[i] ^ k[i];
	}
	memcpy(out, s, 16);
}

/* ---- what meshd calls of libell's crypto ---------------------------------- */

struct l_cipher {
	uint8_t key[16];
};
struct l_aead_cipher {
	uint8_t key[16];
	size_t tag;
};
struct l_checksum {
	uint8_t key[16];
	uint8_t *buf;
	size_t len;
};

struct l_cipher *l_cipher_new(int type, const void *key, size_t len)
{
	struct l_cipher *c;

	if (type != 0 || len != 16)
		return NULL;
	c = malloc(sizeof(*c));
	memcpy(c->key, key, 16);
	return c;
}

void l_cipher_free(struct l_cipher *c)
{
	free(c);
}

bool l_cipher_encrypt(struct l_cipher *c, const void *in, void *out, size_t len)
{
	if (!c || len % 16)
		return false;
	for (size_t i = 0; i < len; i += 16)
		aes(c->key, (const uint8_t *)in + i, (uint8_t *)out + i);
	return true;
}

struct l_checksum *l_checksum_new_cmac_aes(const void *key, size_t len)
{
	struct l_checksum *c;

	if (len != 16)
		return NULL;
	c = calloc(1, sizeof(*c));
	memcpy(c->key, key, 16);
	return c;
}

void l_checksum_free(struct l_checksum *c)
{
	if (c)
		free(c->buf);
	free(c);
}

bool l_checksum_update(struct l_checksum *c, const void *data, size_t len)
{
	c->buf = realloc(c->buf, c->len + len + 1);
	memcpy(c->buf + c->len, data, len);
	c->len += len;
	return true;
}

static void twice(uint8_t b[16])
{
	int carry = b[0] >> 7;

	for (int i = 0; i < 15; i++)
		b[i] = b[i] << 1 | b[i + 1] >> 7;
	b[15] = b[15] << 1 ^ (carry ? 0x87 : 0);
}

ssize_t l_checksum_get_digest(struct l_checksum *c, void *digest, size_t len)
{
	uint8_t sub[16] = { 0 }, x[16] = { 0 }, last[16] = { 0 };
	size_t blocks = c->len ? (c->len + 15) / 16 : 1, rest = c->len - (blocks - 1) * 16;
	size_t b, i;

	aes(c->key, sub, sub);
	twice(sub);
	if (rest)
		memcpy(last, c->buf + (blocks - 1) * 16, rest);
	if (rest < 16) {
		last[rest] = 0x80;
		twice(sub);
	}
	for (b = 0; b < blocks; b++) {
		for (i = 0; i < 16; i++)
			x[i] ^= b + 1 < blocks ? c->buf[b * 16 + i] : (uint8_t)(last[i] ^ sub[i]);
		aes(c->key, x, x);
	}
	c->len = 0;
	if (len > 16)
		len = 16;
	memcpy(digest, x, len);
	return len;
}

struct l_aead_cipher *l_aead_cipher_new(int type, const void *key, size_t len, size_t tag)
{
	struct l_aead_cipher *c;

	if (type != 0 || len != 16)
		return NULL;
	c = malloc(sizeof(*c));
	memcpy(c->key, key, 16);
	c->tag = tag;
	return c;
}

void l_aead_cipher_free(struct l_aead_cipher *c)
{
	free(c);
}

static void ccm_mac(const struct l_aead_cipher *c, const uint8_t *msg, size_t n, const uint8_t *ad,
		    size_t ad_len, const uint8_t *nonce, uint8_t x[16])
{
	size_t i, at;

	x[0] = (ad_len ? 0x40 : 0) | (c->tag - 2) / 2 << 3 | 1;
	memcpy(x + 1, nonce, 13);
	x[14] = n >> 8;
	x[15] = n;
	aes(c->key, x, x);
	if (ad_len) {
		x[0] ^= ad_len >> 8;
		x[1] ^= ad_len;
		for (i = 0, at = 2; i < ad_len; i++) {
			x[at++] ^= ad[i];
			if (at == 16 || i + 1 == ad_len) {
				aes(c->key, x, x);
				at = 0;
			}
		}
	}
	for (i = 0; i < n; i++) {
		x[i % 16] ^= msg[i];
		if (i % 16 == 15 || i + 1 == n)
			aes(c->key, x, x);
	}
}

static void ccm_ctr(const struct l_aead_cipher *c, const uint8_t *nonce, unsigned int n,
		    uint8_t s[16])
{
	uint8_t a[16] = { 1 };

	memcpy(a + 1, nonce, 13);
	a[14] = n >> 8;
	a[15] = n;
	aes(c->key, a, s);
}

bool l_aead_cipher_encrypt(struct l_aead_cipher *c, const void *in, size_t n, const void *ad,
			   size_t ad_len, const void *nonce, size_t nonce_len, void *out,
			   size_t out_len)
{
	uint8_t mac[16], s[16], *o = out;
	size_t i;

	if (!c || nonce_len != 13 || out_len < n + c->tag || n > 0xffff || ad_len > 0xfeff)
		return false;
	ccm_mac(c, in, n, ad, ad_len, nonce, mac);
	for (i = 0; i < n; i++) {
		if (i % 16 == 0)
			ccm_ctr(c, nonce, i / 16 + 1, s);
		o[i] = ((const uint8_t *)in)[i] ^ s[i % 16];
	}
	ccm_ctr(c, nonce, 0, s);
	for (i = 0; i < c->tag; i++)
		o[n + i] = mac[i] ^ s[i];
	return true;
}

bool l_aead_cipher_decrypt(struct l_aead_cipher *c, const void *in, size_t in_len, const void *ad,
			   size_t ad_len, const void *nonce, size_t nonce_len, void *out,
			   size_t out_len)
{
	uint8_t mac[16], s[16], *o = out, bad = 0;
	size_t i, n;

	if (!c || nonce_len != 13 || in_len < c->tag || out_len < in_len - c->tag)
		return false;
	n = in_len - c->tag;
	for (i = 0; i < n; i++) {
		if (i % 16 == 0)
			ccm_ctr(c, nonce, i / 16 + 1, s);
		o[i] = ((const uint8_t *)in)[i] ^ s[i % 16];
	}
	ccm_mac(c, o, n, ad, ad_len, nonce, mac);
	ccm_ctr(c, nonce, 0, s);
	for (i = 0; i < c->tag; i++)
		bad |= ((const uint8_t *)in)[n + i] ^ mac[i] ^ s[i];
	return !bad;
}
