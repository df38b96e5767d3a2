/* SPDX-License-Identifier: Apache-2.0 */
/* Key pairs of P-256, keys at rest, and what may be shown of a key. */
#include "crypto.h"

#include "check.h"

/* A small generator, so that a seed fixes the run. */
static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

static void fill_random(uint64_t *state, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)next_random(state);
}

TEST(key_pairs_come_from_scalars_up_to_half_the_order_only)
{
	static const struct {
		const char *name, *scalar;
		bool pair, usable; /* usable: for p256_public, which takes any scalar below r */
	} rows[] = {
		{ "zero", "0000000000000000000000000000000000000000000000000000000000000000", false,
		  false },
		{ "one", "0000000000000000000000000000000000000000000000000000000000000001", true,
		  true },
		{ "half", "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8", true,
		  true },
		{ "more than half",
		  "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a9", false, true },
		{ "order less one",
		  "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", false, true },
		{ "order", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
		  false, false },
		{ "all ones", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		  false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct secret32 scalar, secret;
		uint8_t a[P256_PUBLIC], b[P256_PUBLIC];

		check(hex_parse_exact(rows[i].scalar, scalar.octet, 32));
		check_row(rows[i].name, p256_key_pair(&scalar, &secret, a) == rows[i].pair);
		check_row(rows[i].name, p256_public(&scalar, b) == rows[i].usable);
		if (!rows[i].pair)
			continue;
		check_mem(secret.octet, scalar.octet, 32);
		check_mem(a, b, P256_PUBLIC);
		check_row(rows[i].name, p256_valid(a));
	}
}

TEST(points_that_are_none_are_refused)
{
#define GX "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define GY "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define P  "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
#define Z  "0000000000000000000000000000000000000000000000000000000000000000"
	static const struct {
		const char *name, *point;
		bool valid;
	} rows[] = {
		{ "the generator", GX GY, true },
		{ "off the curve by one bit",
		  GX "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4", false },
		{ "zeros", Z Z, false },
		{ "x is the prime", P GY, false },
		{ "y is the prime", GX P, false },
		{ "x is 0 and y fits, with x written as p",
		  P "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4", false },
		{ "x is 0 and y fits",
		  Z "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4", true },
	};
	const struct secret32 secret = { { 0, 0, 0, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t point[P256_PUBLIC];
		struct secret32 shared;

		check(hex_parse_exact(rows[i].point, point, sizeof(point)));
		check_row(rows[i].name, p256_valid(point) == rows[i].valid);
		check_row(rows[i].name, p256_ecdh(&secret, point, &shared) == rows[i].valid);
	}
#undef GX
#undef GY
#undef P
#undef Z
}

TEST(both_sides_of_random_key_pairs_agree)
{
	uint64_t seed = 4;

	for (int i = 0; i < 30; i++) {
		struct secret32 random, a, b, ab, ba;
		uint8_t public_a[P256_PUBLIC], public_b[P256_PUBLIC];

		do
			fill_random(&seed, random.octet, 32);
		while (!p256_key_pair(&random, &a, public_a));
		do
			fill_random(&seed, random.octet, 32);
		while (!p256_key_pair(&random, &b, public_b));
		check(p256_ecdh(&a, public_b, &ab) && p256_ecdh(&b, public_a, &ba));
		check(secret_equal(&ab, &ba, sizeof(ab)));
	}
}

TEST(sealed_keys_open_again_and_only_unchanged)
{
	static const uint8_t nonce[12];
	static const struct secret32 zero_key;
	uint8_t in[16] = { 0 }, sealed[16 + GCM_OVERHEAD], out[16], want[32];
	struct bytes aad = bytes_of("node 0010", 9);

	/* case 14 of the GCM specification */
	check(hex_parse_exact("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
			      want, 32));
	gcm_seal(&zero_key, nonce, bytes_of(NULL, 0), bytes_of(in, 16), sealed);
	check_mem(sealed + 12, want, 32);

	memset(in, 0x5A, sizeof(in));
	gcm_seal(&zero_key, nonce, aad, bytes_of(in, 16), sealed);
	check(gcm_open(&zero_key, aad, bytes_of(sealed, sizeof(sealed)), out));
	check_mem(out, in, 16);
	check(!gcm_open(&zero_key, bytes_of("node 0011", 9), bytes_of(sealed, sizeof(sealed)),
			out));
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		check(!gcm_open(&zero_key, aad, bytes_of(sealed, sizeof(sealed)), out));
		sealed[i] ^= 1;
		check(!gcm_open(&zero_key, aad, bytes_of(sealed, i), out));
	}
}

TEST(an_empty_secret_can_be_sealed_too)
{
	static const uint8_t nonce[12] = { 1 };
	static const struct secret32 key = { { 2 } };
	uint8_t sealed[GCM_OVERHEAD], out[1];

	gcm_seal(&key, nonce, bytes_of(NULL, 0), bytes_of(NULL, 0), sealed);
	check(gcm_open(&key, bytes_of(NULL, 0), bytes_of(sealed, sizeof(sealed)), out));
	sealed[20] ^= 4;
	check(!gcm_open(&key, bytes_of(NULL, 0), bytes_of(sealed, sizeof(sealed)), out));
}

TEST(hashes_of_nothing_are_the_known_ones)
{
	uint8_t want[32], got[32];

	check(hex_parse_exact("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			      want, 32));
	sha256(bytes_of(NULL, 0), got);
	check_mem(got, want, 32);
	check(hex_parse_exact("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
			      want, 32));
	hmac_sha256(bytes_of(NULL, 0), bytes_of(NULL, 0), got);
	check_mem(got, want, 32);
}

TEST(the_device_key_id_is_cut_from_a_labelled_hash)
{
	struct secret16 key;
	char id[KEY_ID_TEXT];

	/* printf 'meshmason device key id' + the 16 octets | sha256sum */
	check(hex_parse_exact("0520adad5e0142aa3e325087b4ec16d8", key.octet, 16));
	check_str(device_key_id(&key, id), "60a352fe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_pairs_come_from_scalars_up_to_half_the_order_only),
		cmocka_unit_test(points_that_are_none_are_refused),
		cmocka_unit_test(both_sides_of_random_key_pairs_agree),
		cmocka_unit_test(sealed_keys_open_again_and_only_unchanged),
		cmocka_unit_test(an_empty_secret_can_be_sealed_too),
		cmocka_unit_test(hashes_of_nothing_are_the_known_ones),
		cmocka_unit_test(the_device_key_id_is_cut_from_a_labelled_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
