/* SPDX-License-Identifier: Apache-2.0 */
#include "prov_keys.h"
#include "vectors.h"

static void check_chain(json_t *root, const char *id)
{
	json_t *v = vector_by_id(root, id);
	json_t *in = json_object_get(v, "input"), *expected = json_object_get(v, "expected");
	enum prov_algorithm algorithm =
		(enum prov_algorithm)json_integer_value(json_object_get(in, "algorithm"));
	struct vector inputs = vector_hex(expected, "confirmation_inputs");
	struct vector ecdh_hex = vector_hex(in, "ecdh_secret"), auth = vector_hex(in, "auth_value");
	struct vector random_p = vector_hex(in, "random_provisioner");
	struct vector random_d = vector_hex(in, "random_device");
	struct vector plain = vector_hex(in, "provisioning_data");
	struct vector salt = vector_hex(expected, "confirmation_salt");
	struct vector key = vector_hex(expected, "confirmation_key");
	struct vector confirm_p = vector_hex(expected, "confirmation_provisioner");
	struct vector confirm_d = vector_hex(expected, "confirmation_device");
	struct vector session = vector_hex(expected, "session_key");
	struct vector nonce = vector_hex(expected, "session_nonce");
	struct vector device = vector_hex(expected, "device_key");
	struct vector sealed = vector_hex(expected, "encrypted_provisioning_data");
	struct vector mic = vector_hex(expected, "provisioning_data_mic");
	struct secret32 ecdh, auth_value = { { 0 } };
	struct prov_session_keys s;
	struct prov_keys k;
	struct prov_data data;
	uint8_t out[PROV_SEALED_DATA_LEN];

	check_int(inputs.n, PROV_INPUTS_LEN);
	check_int(random_p.n, prov_keys_auth_len(algorithm));
	memcpy(ecdh.octet, ecdh_hex.octet, 32);
	memcpy(auth_value.octet, auth.octet, auth.n);
	prov_keys_init(&k, algorithm, inputs.octet, &ecdh, &auth_value);
	check_mem(k.salt, salt.octet, salt.n);
	check_mem(k.confirmation_key.octet, key.octet, key.n);
	prov_keys_confirmation(&k, random_p.octet, out);
	check_mem(out, confirm_p.octet, confirm_p.n);
	prov_keys_confirmation(&k, random_d.octet, out);
	check_mem(out, confirm_d.octet, confirm_d.n);
	prov_keys_session(&k, random_p.octet, random_d.octet, &s);
	check_mem(s.session_key.octet, session.octet, 16);
	check_mem(s.nonce, nonce.octet, CCM_NONCE);
	check_mem(s.device_key.octet, device.octet, 16);
	check(prov_data_decode(&data, vector_view(&plain)));
	prov_keys_seal(&s, &data, out);
	check_mem(out, sealed.octet, sealed.n);
	check_mem(out + sealed.n, mic.octet, mic.n);
}

TEST(both_published_chains_are_reproduced_step_by_step)
{
	json_t *root = vectors_load("provisioning.json");

	check_chain(root, "prov-8.17.1");
	check_chain(root, "prov-8.17.2");
	json_decref(root);
}

/* Gives octets that are no scalar twice, then the published private key. */
static void third_time_lucky(void *ctx, void *out, size_t n)
{
	unsigned *calls = ctx;
	struct secret32 octets;

	check_int(n, 32);
	memset(&octets, *calls == 0 ? 0x00 : 0xFF, sizeof(octets));
	if (++*calls == 3)
		check(hex_parse_exact(
			"06a516693c9aa31a6084545d0c5db641b48572b97203ddffb7ac73f7d0457663",
			octets.octet, 32));
	memcpy(out, &octets, n);
}

TEST(a_key_pair_is_drawn_again_until_the_scalar_is_allowed)
{
	json_t *root = vectors_load("provisioning.json");
	json_t *expected = json_object_get(vector_by_id(root, "ecdh-8.7"), "expected");
	struct vector public = vector_hex(expected, "public_provisioner");
	struct secret32 secret;
	uint8_t key[P256_PUBLIC];
	unsigned calls = 0;

	check(prov_keys_pair(third_time_lucky, &calls, &secret, key));
	check_int(calls, 3);
	check_mem(key, public.octet, sizeof(key));
	json_decref(root);
}

static void always_zero(void *ctx, void *out, size_t n)
{
	memset(out, 0, n);
}

TEST(a_broken_random_source_gives_no_key_instead_of_a_hang)
{
	struct secret32 secret;
	uint8_t key[P256_PUBLIC];

	check(!prov_keys_pair(always_zero, NULL, &secret, key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_published_chains_are_reproduced_step_by_step),
		cmocka_unit_test(a_key_pair_is_drawn_again_until_the_scalar_is_allowed),
		cmocka_unit_test(a_broken_random_source_gives_no_key_instead_of_a_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
