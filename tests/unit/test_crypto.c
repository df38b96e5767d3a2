/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "check.h"
#include "vectors.h"

static struct secret16 key16(const struct vector *v)
{
	struct secret16 key;

	check_int(v->n, 16);
	memcpy(key.octet, v->octet, 16);
	return key;
}

static struct secret32 key32(const struct vector *v)
{
	struct secret32 key;

	check_int(v->n, 32);
	memcpy(key.octet, v->octet, 32);
	return key;
}

static void check_out(const char *row, json_t *expected, const char *name, const void *got,
		      size_t n)
{
	struct vector want = vector_hex(expected, name);

	if (want.n != n || memcmp(want.octet, got, n) != 0)
		fail_msg("row \"%s\": %s differs", row, name);
}

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

/* ---- network.json: one function for each kind of row ---- */

static void row_s1(const char *id, json_t *in, json_t *out)
{
	const char *text = json_string_value(json_object_get(in, "M_ascii"));
	uint8_t got[16];

	if (text) {
		s1(bytes_of(text, strlen(text)), got);
		check_out(id, out, "salt", got, 16);
	} else {
		struct vector m = vector_hex(in, "uri_data");

		s1(vector_view(&m), got);
		check_out(id, out, "s1", got, 16);
	}
}

static void row_k1(const char *id, json_t *in, json_t *out)
{
	struct vector n = vector_hex(in, "N"), salt = vector_hex(in, "salt"),
		      p = vector_hex(in, "P");
	uint8_t got[16];

	k1(vector_view(&n), salt.octet, vector_view(&p), got);
	check_out(id, out, vector_has(out, "key") ? "key" : "k1", got, 16);
}

static void row_derived(const char *id, const char *what, json_t *in, json_t *out)
{
	struct vector n = vector_hex(in, "N");
	struct secret16 net_key = key16(&n), got;

	if (strcmp(what, "IdentityKey") == 0)
		net_key_identity(&net_key, &got);
	else if (strcmp(what, "BeaconKey") == 0)
		net_key_beacon(&net_key, &got);
	else
		net_key_private_beacon(&net_key, &got);
	check_out(id, out, "key", got.octet, 16);
}

static void row_k2(const char *id, json_t *in, json_t *out)
{
	struct vector n = vector_hex(in, "N"), p = vector_hex(in, "P");
	struct secret16 key = key16(&n);
	struct k2_keys got;

	k2(&key, vector_view(&p), &got);
	check_out(id, out, "nid", &got.nid, 1);
	check_out(id, out, "encryption_key", got.encryption.octet, 16);
	check_out(id, out, "privacy_key", got.privacy.octet, 16);
}

static void row_k3(const char *id, json_t *in, json_t *out)
{
	struct vector n = vector_hex(in, "N");
	struct secret16 key = key16(&n);
	uint8_t got[8];

	k3(&key, got);
	check_out(id, out, "network_id", got, 8);
	net_key_id(&key, got);
	check_out(id, out, "network_id", got, 8);
}

static void row_k4(const char *id, json_t *in, json_t *out)
{
	struct vector n = vector_hex(in, "N");
	struct secret16 key = key16(&n);
	uint8_t got = k4(&key);

	check_out(id, out, "aid", &got, 1);
}

static void row_ccm(const char *id, json_t *in, json_t *out)
{
	struct vector k = vector_hex(in, "key"), nonce = vector_hex(in, "nonce"),
		      plain = vector_hex(in, "plaintext"), aad = vector_hex(in, "aad");
	size_t mic = (size_t)json_integer_value(json_object_get(in, "mic_len"));
	struct secret16 key = key16(&k);
	uint8_t got[64], back[64];

	ccm_encrypt(&key, nonce.octet, vector_view(&aad), vector_view(&plain), mic, got);
	check_out(id, out, "ciphertext", got, plain.n);
	check_out(id, out, "mic", got + plain.n, mic);
	check_row(id, ccm_decrypt(&key, nonce.octet, vector_view(&aad),
				  bytes_of(got, plain.n + mic), mic, back));
	check_row(id, memcmp(back, plain.octet, plain.n) == 0);
}

static void row_obfuscate(const char *id, json_t *in, json_t *out)
{
	struct vector k = vector_hex(in, "privacy_key"), iv = vector_hex(in, "iv_index"),
		      random = vector_hex(in, "privacy_random");
	struct secret16 key = key16(&k);
	uint8_t block[16] = { 0 }, got[16];

	memcpy(block + 5, iv.octet, 4);
	memcpy(block + 9, random.octet, 7);
	aes128_block(&key, block, got);
	check_out(id, out, "pecb", got, 6);
}

static void row_virtual(const char *id, json_t *in, json_t *out)
{
	struct vector label = vector_hex(in, "label_uuid");
	uint16_t address = virtual_address(label.octet);
	uint8_t got[2] = { (uint8_t)(address >> 8), (uint8_t)address };

	check_out(id, out, "address", got, 2);
}

TEST(the_published_network_toolbox_samples_come_out)
{
	static const struct {
		const char *function;
		void (*row)(const char *id, json_t *in, json_t *out);
	} kinds[] = {
		{ "s1", row_s1 },
		{ "k1", row_k1 },
		{ "k2", row_k2 },
		{ "k3", row_k3 },
		{ "k4", row_k4 },
		{ "AES-CCM", row_ccm },
		{ "obfuscate", row_obfuscate },
		{ "virtual_address", row_virtual },
	};
	json_t *root = vectors_load("network.json");
	json_t *rows = json_object_get(root, "crypto_toolbox");
	size_t done = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *v = json_array_get(rows, i);
		json_t *in = json_object_get(v, "input"), *out = json_object_get(v, "output");
		const char *id = json_string_value(json_object_get(v, "id"));
		const char *function = json_string_value(json_object_get(v, "function"));
		const char *derives = json_string_value(json_object_get(v, "derives"));

		for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
			if (strcmp(kinds[k].function, function) == 0) {
				kinds[k].row(id, in, out);
				done++;
			}
		}
		if (derives)
			row_derived(id, derives, in, out);
	}
	check(done >= 25);
	check_int(done, json_array_size(rows));
	json_decref(root);
}

/* ---- provisioning.json ---- */

TEST(the_published_provisioning_functions_come_out)
{
	json_t *root = vectors_load("provisioning.json");
	json_t *rows = json_object_get(root, "vectors");
	size_t done = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *v = json_array_get(rows, i);
		json_t *in = json_object_get(v, "input"), *out = json_object_get(v, "expected");
		const char *id = json_string_value(json_object_get(v, "id"));
		const char *op = json_string_value(json_object_get(v, "op"));
		uint8_t got[32];

		if (strcmp(op, "s1") == 0 || strcmp(op, "s2") == 0) {
			struct vector m = vector_hex(in, "m");

			(op[1] == '1' ? s1 : s2)(vector_view(&m), got);
			check_out(id, out, "out", got, op[1] == '1' ? 16 : 32);
		} else if (strcmp(op, "k1") == 0 || strcmp(op, "k5") == 0) {
			struct vector n = vector_hex(in, "n"), salt = vector_hex(in, "salt"),
				      p = vector_hex(in, "p");

			(op[1] == '1' ? k1 : k5)(vector_view(&n), salt.octet, vector_view(&p), got);
			check_out(id, out, "out", got, op[1] == '1' ? 16 : 32);
		} else if (strcmp(op, "hmac_sha256") == 0) {
			struct vector k = vector_hex(in, "key"), data = vector_hex(in, "data");

			hmac_sha256(vector_view(&k), vector_view(&data), got);
			check_out(id, out, "out", got, 32);
		} else {
			continue;
		}
		done++;
	}
	check(done >= 12);
	json_decref(root);
}

TEST(the_published_key_exchanges_come_out_on_both_sides)
{
	static const char *const ids[] = { "ecdh-8.7", "ecdh-core-1" };
	json_t *root = vectors_load("provisioning.json");

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		json_t *v = vector_by_id(root, ids[i]);
		json_t *in = json_object_get(v, "input"), *out = json_object_get(v, "expected");
		struct vector a = vector_hex(in, "private_provisioner"),
			      b = vector_hex(in, "private_device");
		struct secret32 secret_a = key32(&a), secret_b = key32(&b), shared;
		uint8_t public_a[P256_PUBLIC], public_b[P256_PUBLIC];

		check_row(ids[i], p256_public(&secret_a, public_a));
		check_row(ids[i], p256_public(&secret_b, public_b));
		check_out(ids[i], out, "public_provisioner", public_a, P256_PUBLIC);
		check_out(ids[i], out, "public_device", public_b, P256_PUBLIC);
		check_row(ids[i], p256_valid(public_a) && p256_valid(public_b));
		check_row(ids[i], p256_ecdh(&secret_a, public_b, &shared));
		check_out(ids[i], out, "secret", shared.octet, 32);
		check_row(ids[i], p256_ecdh(&secret_b, public_a, &shared));
		check_out(ids[i], out, "secret", shared.octet, 32);
	}
	json_decref(root);
}

/* Both whole chains of 8.17, from the ECDH secret to the encrypted Provisioning Data. */
static void check_chain(json_t *v, const char *id, bool hmac)
{
	json_t *in = json_object_get(v, "input"), *out = json_object_get(v, "expected");
	struct vector inputs = vector_hex(out, "confirmation_inputs"),
		      ecdh = vector_hex(in, "ecdh_secret"), auth = vector_hex(in, "auth_value"),
		      random = vector_hex(in, "random_provisioner"),
		      random_d = vector_hex(in, "random_device"),
		      data = vector_hex(in, "provisioning_data");
	uint8_t salt[32], key[32], got[64], nonce[16], buf[128];
	struct wr w = wr_to(buf, sizeof(buf));
	struct secret16 cmac_key, session;

	(hmac ? s2 : s1)(vector_view(&inputs), salt);
	wr_bytes(&w, vector_view(hmac ? &ecdh : &random));
	wr_bytes(&w, vector_view(&auth));
	if (hmac) {
		k5(wr_done(&w), salt, bytes_of("prck256", 7), key);
		hmac_sha256(bytes_of(key, 32), vector_view(&random), got);
	} else {
		k1(vector_view(&ecdh), salt, bytes_of("prck", 4), cmac_key.octet);
		aes_cmac(&cmac_key, wr_done(&w), got);
	}
	check_out(id, out, "confirmation_salt", salt, hmac ? 32 : 16);
	check_out(id, out, "confirmation_provisioner", got, hmac ? 32 : 16);

	w = wr_to(buf, sizeof(buf));
	wr_copy(&w, salt, hmac ? 32 : 16);
	wr_bytes(&w, vector_view(&random));
	wr_bytes(&w, vector_view(&random_d));
	s1(wr_done(&w), salt);
	check_out(id, out, "provisioning_salt", salt, 16);
	k1(vector_view(&ecdh), salt, bytes_of("prsk", 4), session.octet);
	k1(vector_view(&ecdh), salt, bytes_of("prsn", 4), nonce);
	k1(vector_view(&ecdh), salt, bytes_of("prdk", 4), got);
	check_out(id, out, "session_key", session.octet, 16);
	check_out(id, out, "session_nonce", nonce + 3, CCM_NONCE);
	check_out(id, out, "device_key", got, 16);
	ccm_encrypt(&session, nonce + 3, bytes_of(NULL, 0), vector_view(&data), 8, got);
	check_out(id, out, "encrypted_provisioning_data", got, 25);
	check_out(id, out, "provisioning_data_mic", got + 25, 8);
}

TEST(the_published_provisioning_chains_come_out)
{
	json_t *root = vectors_load("provisioning.json");

	check_chain(vector_by_id(root, "prov-8.17.1"), "prov-8.17.1", false);
	check_chain(vector_by_id(root, "prov-8.17.2"), "prov-8.17.2", true);
	json_decref(root);
}

TEST(cmac_gives_the_samples_of_rfc_4493)
{
	static const struct {
		const char *name;
		size_t n;
		const char *mac;
	} rows[] = {
		{ "empty", 0, "bb1d6929e95937287fa37d129b756746" },
		{ "one block", 16, "070a16b46b4d4144f79bdd9dd04a287c" },
		{ "two and a half", 40, "dfa66747de9ae63030ca32611497c827" },
		{ "four blocks", 64, "51f0bebf7e3b9d92fc49741779363cfe" },
	};
	struct secret16 key;
	uint8_t message[64], want[16], got[16];

	check(hex_parse_exact("2b7e151628aed2a6abf7158809cf4f3c", key.octet, 16));
	check(hex_parse_exact("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
			      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
			      message, 64));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check(hex_parse_exact(rows[i].mac, want, 16));
		aes_cmac(&key, bytes_of(rows[i].n ? message : NULL, rows[i].n), got);
		check_row(rows[i].name, memcmp(got, want, 16) == 0);
	}
}

TEST(one_aes_block_is_that_of_fips_197)
{
	struct secret16 key;
	uint8_t in[16], want[16], got[16];

	check(hex_parse_exact("000102030405060708090a0b0c0d0e0f", key.octet, 16));
	check(hex_parse_exact("00112233445566778899aabbccddeeff", in, 16));
	check(hex_parse_exact("69c4e0d86a7b0430d8cdb78070b4c55a", want, 16));
	aes128_block(&key, in, got);
	check_mem(got, want, 16);
}

/* ---- OpenSSL's own modes as the outside witness ---- */

static void witness_ccm(const struct secret16 *key, const uint8_t *nonce, struct bytes aad,
			struct bytes in, size_t mic, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len;

	check_int(EVP_EncryptInit_ex(c, EVP_aes_128_ccm(), NULL, NULL, NULL), 1);
	check_int(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_IVLEN, CCM_NONCE, NULL), 1);
	check_int(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, (int)mic, NULL), 1);
	check_int(EVP_EncryptInit_ex(c, NULL, NULL, key->octet, nonce), 1);
	check_int(EVP_EncryptUpdate(c, NULL, &len, NULL, (int)in.n), 1);
	if (aad.n > 0)
		check_int(EVP_EncryptUpdate(c, NULL, &len, aad.p, (int)aad.n), 1);
	check_int(EVP_EncryptUpdate(c, out, &len, in.p, (int)in.n), 1);
	check_int(EVP_EncryptFinal_ex(c, out + len, &len), 1);
	check_int(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, (int)mic, out + in.n), 1);
	EVP_CIPHER_CTX_free(c);
}

TEST(ccm_agrees_with_openssl_for_every_length_of_a_message)
{
	uint64_t seed = 1;
	uint8_t in[400], aad[64], nonce[CCM_NONCE], want[408], got[408];
	struct secret16 key;

	for (size_t n = 1; n <= sizeof(in); n++) {
		size_t mic = n % 2 ? 4 : 8, aad_n = n % 3 ? 0 : next_random(&seed) % 65;
		struct bytes a = bytes_of(aad, aad_n);

		fill_random(&seed, in, n);
		fill_random(&seed, aad, aad_n);
		fill_random(&seed, nonce, sizeof(nonce));
		fill_random(&seed, key.octet, 16);
		witness_ccm(&key, nonce, a, bytes_of(in, n), mic, want);
		memcpy(got, in, n);
		ccm_encrypt(&key, nonce, a, bytes_of(got, n), mic, got); /* in place */
		check_mem(got, want, n + mic);
		check(ccm_decrypt(&key, nonce, a, bytes_of(got, n + mic), mic, got));
		check_mem(got, in, n);
	}
}

TEST(cmac_agrees_with_openssl_for_every_length_of_a_message)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	char cipher[] = "AES-128-CBC";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
				OSSL_PARAM_construct_end() };
	uint64_t seed = 2;

	for (size_t n = 0; n < 200; n++) {
		EVP_MAC_CTX *c = EVP_MAC_CTX_new(mac);
		uint8_t in[200], want[16], got[16];
		struct secret16 key;
		size_t len;

		fill_random(&seed, in, n);
		fill_random(&seed, key.octet, 16);
		check_int(EVP_MAC_init(c, key.octet, 16, params), 1);
		check_int(EVP_MAC_update(c, in, n), 1);
		check_int(EVP_MAC_final(c, want, &len, sizeof(want)), 1);
		aes_cmac(&key, bytes_of(in, n), got);
		check_mem(got, want, 16);
		EVP_MAC_CTX_free(c);
	}
	EVP_MAC_free(mac);
}

TEST(a_keyed_context_does_the_same_again_and_again)
{
	uint64_t seed = 3;
	uint8_t in[40], nonce[CCM_NONCE], a[48], b[48];
	struct secret16 key;
	struct aes_key *k;

	fill_random(&seed, key.octet, 16);
	k = aes_key_new(&key);
	for (size_t n = 1; n <= sizeof(in); n++) {
		size_t mic = n % 2 ? 8 : 4;

		fill_random(&seed, in, n);
		fill_random(&seed, nonce, sizeof(nonce));
		aes_key_ccm_encrypt(k, nonce, bytes_of(NULL, 0), bytes_of(in, n), mic, a);
		ccm_encrypt(&key, nonce, bytes_of(NULL, 0), bytes_of(in, n), mic, b);
		check_mem(a, b, n + mic);
		check(aes_key_ccm_decrypt(k, nonce, bytes_of(NULL, 0), bytes_of(a, n + mic), mic,
					  b));
		check_mem(b, in, n);
		aes_key_cmac(k, bytes_of(in, n), a);
		aes_cmac(&key, bytes_of(in, n), b);
		check_mem(a, b, 16);
		aes_key_block(k, in, a);
		aes128_block(&key, in, b);
		check_mem(a, b, 16);
	}
	aes_key_free(k);
	aes_key_free(NULL);
}

TEST(ccm_refuses_every_changed_bit_and_leaves_nothing_in_out)
{
	static const uint8_t zeros[20];
	const struct secret16 key = { { 1, 2, 3 } };
	uint8_t nonce[CCM_NONCE] = { 9 }, aad[4] = { 7 }, in[20] = { 5 }, sealed[28], out[20];

	ccm_encrypt(&key, nonce, bytes_of(aad, 4), bytes_of(in, 20), 8, sealed);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(out, 0xAA, sizeof(out));
		check(!ccm_decrypt(&key, nonce, bytes_of(aad, 4), bytes_of(sealed, 28), 8, out));
		check_mem(out, zeros, sizeof(out));
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	aad[0] ^= 1;
	check(!ccm_decrypt(&key, nonce, bytes_of(aad, 4), bytes_of(sealed, 28), 8, out));
	aad[0] ^= 1;
	nonce[0] ^= 1;
	check(!ccm_decrypt(&key, nonce, bytes_of(aad, 4), bytes_of(sealed, 28), 8, out));
	nonce[0] ^= 1;
	check(!ccm_decrypt(&key, nonce, bytes_of(aad, 4), bytes_of(sealed, 28), 4, sealed));
	check(!ccm_decrypt(&key, nonce, bytes_of(aad, 4), bytes_of(sealed, 7), 8, out));
	check(!ccm_decrypt(&key, nonce, bytes_of(aad, 4), bytes_of(NULL, 0), 4, out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_network_toolbox_samples_come_out),
		cmocka_unit_test(the_published_provisioning_functions_come_out),
		cmocka_unit_test(the_published_key_exchanges_come_out_on_both_sides),
		cmocka_unit_test(the_published_provisioning_chains_come_out),
		cmocka_unit_test(cmac_gives_the_samples_of_rfc_4493),
		cmocka_unit_test(one_aes_block_is_that_of_fips_197),
		cmocka_unit_test(ccm_agrees_with_openssl_for_every_length_of_a_message),
		cmocka_unit_test(cmac_agrees_with_openssl_for_every_length_of_a_message),
		cmocka_unit_test(a_keyed_context_does_the_same_again_and_again),
		cmocka_unit_test(ccm_refuses_every_changed_bit_and_leaves_nothing_in_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
