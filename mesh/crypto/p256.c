/* SPDX-License-Identifier: Apache-2.0 */
/* P-256 for provisioning, Mesh 5.4.2.3: key pairs from given scalars, point checks, ECDH. */
#include "crypto.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include "die.h"

/* All that one operation needs; opened and closed in the same function. */
struct p256 {
	EC_GROUP *group;
	BN_CTX *bn;
	BIGNUM *scalar;
	EC_POINT *point;
};

static void p256_open(struct p256 *p)
{
	p->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	p->bn = BN_CTX_secure_new();
	p->scalar = BN_secure_new();
	p->point = p->group ? EC_POINT_new(p->group) : NULL;
	crypto_must(p->group && p->bn && p->scalar && p->point, "P-256");
}

static void p256_close(struct p256 *p)
{
	EC_POINT_clear_free(p->point);
	BN_clear_free(p->scalar);
	BN_CTX_free(p->bn);
	EC_GROUP_free(p->group);
}

/* In 1..r-1, as arithmetic needs it. */
static bool scalar_set(struct p256 *p, const struct secret32 *secret)
{
	crypto_must(BN_bin2bn(secret->octet, P256_SECRET, p->scalar), "P-256");
	BN_set_flags(p->scalar, BN_FLG_CONSTTIME);
	return !BN_is_zero(p->scalar) && BN_cmp(p->scalar, EC_GROUP_get0_order(p->group)) < 0;
}

static void point_octets(struct p256 *p, uint8_t out[1 + P256_PUBLIC])
{
	crypto_must(EC_POINT_point2oct(p->group, p->point, POINT_CONVERSION_UNCOMPRESSED, out,
				       1 + P256_PUBLIC, p->bn) == 1 + P256_PUBLIC,
		    "P-256");
}

static void scalar_to_public(struct p256 *p, uint8_t public_key[P256_PUBLIC])
{
	uint8_t octets[1 + P256_PUBLIC];

	crypto_must(EC_POINT_mul(p->group, p->point, p->scalar, NULL, NULL, p->bn) == 1, "P-256");
	point_octets(p, octets);
	memcpy(public_key, octets + 1, P256_PUBLIC);
}

/* r/2: a specification rule for key pairs (5.4.2.3), stricter than the arithmetic. */
static bool scalar_in_lower_half(struct p256 *p)
{
	BIGNUM *half = BN_dup(EC_GROUP_get0_order(p->group));
	bool lower;

	crypto_must(half && BN_rshift1(half, half) == 1, "P-256");
	lower = BN_cmp(p->scalar, half) <= 0;
	BN_free(half);
	return lower;
}

bool p256_key_pair(const struct secret32 *random, struct secret32 *secret,
		   uint8_t public_key[P256_PUBLIC])
{
	struct p256 p;
	bool ok;

	p256_open(&p);
	ok = scalar_set(&p, random) && scalar_in_lower_half(&p);
	if (ok) {
		memmove(secret, random, sizeof(*secret));
		scalar_to_public(&p, public_key);
	}
	p256_close(&p);
	return ok;
}

bool p256_public(const struct secret32 *secret, uint8_t public_key[P256_PUBLIC])
{
	struct p256 p;
	bool ok;

	p256_open(&p);
	ok = scalar_set(&p, secret);
	if (ok)
		scalar_to_public(&p, public_key);
	p256_close(&p);
	return ok;
}

/* oct2point checks the range of both coordinates and the curve equation; infinity has another
 * encoding, which cannot come out of 04 X Y. */
static bool point_set(struct p256 *p, const uint8_t public_key[P256_PUBLIC])
{
	uint8_t octets[1 + P256_PUBLIC] = { POINT_CONVERSION_UNCOMPRESSED };

	memcpy(octets + 1, public_key, P256_PUBLIC);
	if (EC_POINT_oct2point(p->group, p->point, octets, sizeof(octets), p->bn) == 1 &&
	    EC_POINT_is_on_curve(p->group, p->point, p->bn) == 1)
		return true;
	ERR_clear_error(); /* a hostile key is no failure of OpenSSL that others should find */
	return false;
}

bool p256_valid(const uint8_t public_key[P256_PUBLIC])
{
	struct p256 p;
	bool ok;

	p256_open(&p);
	ok = point_set(&p, public_key);
	p256_close(&p);
	return ok;
}

bool p256_ecdh(const struct secret32 *secret, const uint8_t peer[P256_PUBLIC], struct secret32 *out)
{
	uint8_t octets[1 + P256_PUBLIC];
	struct p256 p;
	bool ok;

	p256_open(&p);
	ok = scalar_set(&p, secret) && point_set(&p, peer);
	if (ok) {
		crypto_must(EC_POINT_mul(p.group, p.point, NULL, p.point, p.scalar, p.bn) == 1,
			    "P-256");
		point_octets(&p, octets);
		memcpy(out->octet, octets + 1, sizeof(out->octet));
		secret_wipe(octets, sizeof(octets));
	}
	p256_close(&p);
	return ok;
}
