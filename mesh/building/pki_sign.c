/* SPDX-License-Identifier: Apache-2.0 */
#include "pki_sign.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>

#include "crypto.h"

struct numbers {
	BN_CTX *ctx;
	EC_GROUP *group;
	EC_POINT *point;
	BIGNUM *d, *k, *e, *r, *s;
};

static bool numbers_make(struct numbers *n, EVP_PKEY *key, const uint8_t digest[32])
{
	n->ctx = BN_CTX_new();
	n->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	n->point = n->group ? EC_POINT_new(n->group) : NULL;
	n->k = BN_new();
	n->e = BN_bin2bn(digest, 32, NULL);
	n->r = BN_new();
	n->s = BN_new();
	return n->ctx && n->point && n->k && n->e && n->r && n->s &&
	       EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &n->d) == 1;
}

static void numbers_free(struct numbers *n)
{
	BN_clear_free(n->d);
	BN_clear_free(n->k);
	BN_free(n->e);
	BN_free(n->r);
	BN_free(n->s);
	EC_POINT_free(n->point);
	EC_GROUP_free(n->group);
	BN_CTX_free(n->ctx);
}

/* k: HMAC under the secret key over the message's digest and a counter. */
static bool draw(struct numbers *n, const uint8_t digest[32], uint8_t counter)
{
	uint8_t secret[32], message[33], out[32];
	bool good = BN_bn2binpad(n->d, secret, sizeof(secret)) == sizeof(secret);

	for (size_t i = 0; i < 32; i++)
		message[i] = digest[i];
	message[32] = counter;
	hmac_sha256(bytes_of(secret, sizeof(secret)), bytes_of(message, sizeof(message)), out);
	good = good && BN_bin2bn(out, sizeof(out), n->k) &&
	       BN_mod(n->k, n->k, EC_GROUP_get0_order(n->group), n->ctx) == 1;
	secret_wipe(secret, sizeof(secret));
	secret_wipe(out, sizeof(out));
	return good;
}

/* r = x(kG), s = (e + r d) / k, all modulo the order. */
static bool compute(struct numbers *n)
{
	const BIGNUM *q = EC_GROUP_get0_order(n->group);
	BIGNUM *inverse;
	bool good = EC_POINT_mul(n->group, n->point, n->k, NULL, NULL, n->ctx) == 1 &&
		    EC_POINT_get_affine_coordinates(n->group, n->point, n->r, NULL, n->ctx) == 1 &&
		    BN_mod(n->r, n->r, q, n->ctx) == 1 &&
		    BN_mod_mul(n->s, n->r, n->d, q, n->ctx) == 1 &&
		    BN_mod_add(n->s, n->s, n->e, q, n->ctx) == 1;

	inverse = good ? BN_mod_inverse(NULL, n->k, q, n->ctx) : NULL;
	good = inverse && BN_mod_mul(n->s, n->s, inverse, q, n->ctx) == 1;
	BN_clear_free(inverse);
	return good;
}

/* Into the place of the signature that is there already. */
static bool put(X509 *cert, struct numbers *n)
{
	const ASN1_BIT_STRING *place;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	uint8_t *der = NULL;
	int len = -1;

	X509_get0_signature(&place, NULL, cert);
	if (sig && ECDSA_SIG_set0(sig, n->r, n->s) == 1) {
		n->r = n->s = NULL; /* its own now */
		len = i2d_ECDSA_SIG(sig, &der);
	}
	/* OpenSSL has no other way to set it; the certificate is ours. */
	if (len > 0 && ASN1_STRING_set((ASN1_BIT_STRING *)(uintptr_t)place, der, len) != 1)
		len = -1;
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	return len > 0;
}

bool pki_sign(X509 *cert, EVP_PKEY *key)
{
	struct numbers n = { 0 };
	uint8_t digest[32], *message = NULL;
	bool good;
	int len;

	/* OpenSSL's own signature first: it names the algorithm in both places. */
	if (X509_sign(cert, key, EVP_sha256()) <= 0)
		return false;
	len = i2d_re_X509_tbs(cert, &message);
	if (len <= 0)
		return false;
	sha256(bytes_of(message, (size_t)len), digest);
	OPENSSL_free(message);
	good = numbers_make(&n, key, digest);
	for (uint8_t i = 0; good; i++) {
		good = draw(&n, digest, i) && (BN_is_zero(n.k) || compute(&n));
		if (!BN_is_zero(n.k) && !BN_is_zero(n.r) && !BN_is_zero(n.s))
			break;
	}
	good = good && put(cert, &n);
	numbers_free(&n);
	return good;
}
