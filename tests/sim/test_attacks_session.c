/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The family CVE-2020-26556..26560 (CERT VU#799380) against our side of a session: the device is
 * the attacker. It knows no AuthValue and no device's key, reflects what we say, and bends its
 * commitment when the algorithm lets it.
 */
#include <stdlib.h>

#include <openssl/evp.h>

#include "prov_world.h"

enum { DIGITS = 4, GUESSES = 10000 };
enum { ONE_INPUT = 8, INPUT_BITS = 10, NUMERIC = 0x04, STATIC = 4 };

/* --- a commitment that can be bent: CMAC over Random || AuthValue, 5.4.2.4 --- */

/* The inverse of one AES block, which the product has no use for. */
static void unblock(const uint8_t key[16], const uint8_t in[16], uint8_t out[16])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n = 0;

	check(c && EVP_DecryptInit_ex(c, EVP_aes_128_ecb(), NULL, key, NULL) == 1);
	EVP_CIPHER_CTX_set_padding(c, 0);
	check(EVP_DecryptUpdate(c, out, &n, in, 16) == 1 && n == 16);
	EVP_CIPHER_CTX_free(c);
}

/* K1 of RFC 4493. */
static void subkey(const uint8_t key[16], uint8_t out[16])
{
	struct secret16 k;
	uint8_t zero[16] = { 0 }, l[16];

	memcpy(k.octet, key, 16);
	aes128_block(&k, zero, l);
	for (int i = 0; i < 16; i++)
		out[i] = (uint8_t)(l[i] << 1 | (i < 15 ? l[i + 1] >> 7 : 0));
	out[15] ^= l[0] & 0x80 ? 0x87 : 0;
}

/* The Random that makes the commitment fit this AuthValue: R = D(D(C) ^ AuthValue ^ K1). */
static void bend(struct world *w, const struct secret32 *auth)
{
	const uint8_t *key = w->keys.confirmation_key.octet;
	uint8_t k1[16], block[16];

	subkey(key, k1);
	unblock(key, w->confirmation, block);
	for (int i = 0; i < 16; i++)
		block[i] ^= k1[i] ^ auth->octet[i];
	unblock(key, block, w->random);
}

/* Which of the values fits our Confirmation and our Random? */
static bool guess(struct world *w, const uint8_t *random)
{
	enum prov_algorithm algorithm = w->inputs[12];
	size_t n = prov_keys_auth_len(algorithm);

	for (unsigned v = 0; v < GUESSES; v++) {
		struct secret32 auth = { { 0 } };
		struct prov_keys keys;
		uint8_t expected[AUTH_MAX];

		oob_auth_number(v, &auth, n);
		prov_keys_init(&keys, algorithm, w->inputs, &w->ecdh, &auth);
		prov_keys_confirmation(&keys, random, expected);
		if (memcmp(expected, w->peer_confirmation, n) != 0)
			continue;
		w->keys = keys;
		if (algorithm == PROV_ALG_CMAC)
			bend(w, &auth);
		return true;
	}
	return false;
}

/* It goes on whatever our proof is worth: it does not want to know who we are. */
static void liar_hears(struct prov_carrier *c, struct bytes pdu)
{
	struct world *w = world_of(c);

	if (pdu.p[0] == PROV_RANDOM)
		prov_keys_confirmation(&w->keys, pdu.p + 1, w->peer_confirmation);
	world_send(c, pdu);
}

/* When our Random comes, all is known that an attacker needs to try values without us. */
static void attacker_hears(struct prov_carrier *c, struct bytes pdu)
{
	struct world *w = world_of(c);

	if (pdu.p[0] == PROV_RANDOM)
		w->script_random = guess(w, pdu.p + 1);
	liar_hears(c, pdu);
}

static const struct prov_carrier_ops liar_ops = { world_open, liar_hears, world_close };
static const struct prov_carrier_ops attacker_ops = { world_open, attacker_hears, world_close };

static bool was_guessed(const struct world *w)
{
	return w->script_random;
}

/* A device with a keyboard for four digits, which nobody uses: it says itself that it was. */
static void enters_nothing(void *ctx)
{
	struct world *w = ctx;

	w->carrier.events->received(w->carrier.ctx, bytes_of("\x04", 1));
}

static struct world *keyboard(uint32_t seed, uint8_t algorithms, enum prov_algorithm least)
{
	struct world *w = world_new(seed);

	w->policy = (struct prov_policy){ .min_algorithm = least, .prompt = PROV_PROMPT_INPUT };
	w->capabilities[2] = algorithms;
	w->capabilities[ONE_INPUT] = DIGITS;
	w->capabilities[INPUT_BITS] = NUMERIC;
	w->carrier.ops = &attacker_ops;
	return w;
}

/* Until the prompt is there, then on. */
static void run_keyboard(struct world *w)
{
	world_start(w);
	while (!w->prompt.times && timers_fire_next(&w->timers, SEC(10000)))
		;
	if (w->prompt.times)
		timer_start(&w->timers, &w->person_timer, SEC(1), enters_nothing, w);
	world_run(w);
}

TEST(CVE_2020_26556_a_commitment_of_the_weak_algorithm_can_be_bent_which_is_why_it_must_be_asked_for)
{
	struct world *w = keyboard(1, 1 << PROV_ALG_CMAC, PROV_ALG_CMAC);

	run_keyboard(w); /* the attack is a real one, or the tests below test nothing */
	check(was_guessed(w));
	check_int(w->end, PROV_OK);
	check(w->has_data);
	world_free(w);
}

TEST(CVE_2020_26556_nothing_is_said_to_a_device_that_knows_the_weak_algorithm_only)
{
	struct world *w = keyboard(2, 1 << PROV_ALG_CMAC, PROV_ALG_HMAC);

	run_keyboard(w);
	check_int(w->end, PROV_END_ALGORITHM_TOO_WEAK);
	check_int(w->n_sent, 1); /* Invite */
	world_free(w);
}

TEST(CVE_2020_26556_the_strong_algorithm_is_taken_wherever_it_is_offered)
{
	struct world *w = keyboard(3, 1 << PROV_ALG_CMAC | 1 << PROV_ALG_HMAC, PROV_ALG_CMAC);

	run_keyboard(w);
	check_int(w->inputs[12], PROV_ALG_HMAC);
	/* The value can be found, too late: no Random fits the commitment that was made before. */
	check(was_guessed(w));
	check_int(w->end, PROV_END_AUTH_FAILED);
	check_int(world_sent_type(w, PROV_DATA), 0);
	world_free(w);
}

TEST(CVE_2020_26556_a_device_that_was_stronger_before_is_not_believed)
{
	struct world *w = keyboard(4, 1 << PROV_ALG_CMAC, PROV_ALG_CMAC);

	w->policy.saw_stronger = true;
	run_keyboard(w);
	check_int(w->end, PROV_END_ALGORITHM_TOO_WEAK);
	check_int(w->n_sent, 1);
	world_free(w);
}

TEST(CVE_2020_26556_a_whole_static_value_withstands_even_with_the_weak_algorithm)
{
	struct world *w = world_new(5);

	w->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_CMAC,
					  .require_static_oob = true,
					  .static_oob_len = 16 };
	world_random(w, w->policy.static_oob, 16);
	w->capabilities[2] = 1 << PROV_ALG_CMAC;
	w->capabilities[STATIC] = PROV_OOB_STATIC;
	w->carrier.ops = &attacker_ops;
	world_run(w);
	check(!was_guessed(w));
	check_int(w->end, PROV_END_AUTH_FAILED);
	check_int(world_sent_type(w, PROV_DATA), 0);
	world_free(w);
}

/* --- values that can be predicted, or were learnt --- */

TEST(CVE_2020_26557_no_value_key_or_random_of_an_attempt_comes_again_in_the_next)
{
	struct prov_pdu_start start = { .method = PROV_AUTH_INPUT, .action = 2, .size = 8 };
	struct world *w = world_new(11);
	char text[64][PROV_OOB_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		check(oob_draw(&start, world_random, w, text[i]));
		for (size_t k = 0; k < i; k++)
			check(strcmp(text[i], text[k]) != 0);
	}
	world_free(w);
}

TEST(CVE_2020_26559_a_value_that_was_computed_in_one_attempt_is_worthless_in_the_next)
{
	struct secret32 learnt;
	uint8_t first_key[P256_PUBLIC], first_random[AUTH_MAX];
	struct world *w = keyboard(21, 1 << PROV_ALG_HMAC, PROV_ALG_HMAC);
	uint32_t seed;

	run_keyboard(w);
	check(was_guessed(w)); /* from keys, Confirmation and Random, as the CVE says */
	check_int(w->end, PROV_END_AUTH_FAILED);
	learnt = w->keys.auth_value;
	memcpy(first_key, w->inputs + 17, sizeof(first_key));
	memcpy(first_random, w->sent[w->n_sent - 1] + 1, sizeof(first_random));
	seed = w->seed;
	world_free(w);

	w = keyboard(22, 1 << PROV_ALG_HMAC, PROV_ALG_HMAC);
	w->seed = seed; /* our randomness goes on */
	w->carrier.ops = &liar_ops;
	w->auth_value = learnt;
	run_keyboard(w);
	check_int(w->end, PROV_END_AUTH_FAILED);
	check_int(world_sent_type(w, PROV_DATA), 0);
	check(memcmp(first_key, w->inputs + 17, sizeof(first_key)) != 0);
	check(memcmp(first_random, w->sent[w->n_sent - 1] + 1, sizeof(first_random)) != 0);
	world_free(w);
}

/* --- our own words, sent back --- */

static void reflect(enum fault fault, enum prov_pdu_type what, enum prov_end end, size_t randoms)
{
	for (int a = PROV_ALG_CMAC; a <= PROV_ALG_HMAC; a++) {
		struct world *w = world_new(31);

		w->policy.min_algorithm = PROV_ALG_CMAC;
		w->capabilities[2] = (uint8_t)(1 << a);
		w->fault = fault;
		w->faulty = what;
		world_run(w);
		check_int(w->end, end);
		check_int(world_sent_type(w, PROV_RANDOM), randoms);
		check_int(world_sent_type(w, PROV_DATA), 0);
		check_int(w->reason, PROV_CLOSE_FAIL);
		world_free(w);
	}
}

TEST(CVE_2020_26560_our_own_public_key_is_refused)
{
	reflect(OUR_OWN, PROV_PUBLIC_KEY, PROV_END_KEY_INVALID, 0);
}

TEST(CVE_2020_26558_our_own_x_with_the_other_y_is_refused)
{
	reflect(NEGATED, PROV_PUBLIC_KEY, PROV_END_KEY_INVALID, 0);
}

TEST(CVE_2020_26560_our_own_confirmation_is_refused_before_our_random_leaves)
{
	reflect(OUR_OWN, PROV_CONFIRMATION, PROV_END_AUTH_FAILED, 0);
}

TEST(CVE_2020_26560_our_own_random_is_refused)
{
	reflect(OUR_OWN, PROV_RANDOM, PROV_END_AUTH_FAILED, 1);
}

/* CVE-2018-5383, the same school: a point that is not on the curve gives away the private key. */
TEST(CVE_2018_5383_a_key_off_the_curve_is_refused)
{
	reflect(OFF_CURVE, PROV_PUBLIC_KEY, PROV_END_KEY_INVALID, 0);
	reflect(ZEROS, PROV_PUBLIC_KEY, PROV_END_KEY_INVALID, 0);
}

/* The certificate names a key; whoever has not its other half cannot prove anything. */
TEST(CVE_2020_26560_a_certified_key_is_no_help_to_who_reflects)
{
	static const enum prov_pdu_type what[] = { PROV_CONFIRMATION, PROV_RANDOM };

	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		struct world *w = world_new(41);

		w->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_HMAC,
						  .require_oob_public_key = true };
		w->capabilities[3] = 1;
		w->know_key = true;
		w->fault = OUR_OWN;
		w->faulty = what[i];
		world_run(w);
		check_int(w->end, PROV_END_AUTH_FAILED);
		check_int(world_sent_type(w, PROV_DATA), 0);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			CVE_2020_26556_a_commitment_of_the_weak_algorithm_can_be_bent_which_is_why_it_must_be_asked_for),
		cmocka_unit_test(
			CVE_2020_26556_nothing_is_said_to_a_device_that_knows_the_weak_algorithm_only),
		cmocka_unit_test(
			CVE_2020_26556_the_strong_algorithm_is_taken_wherever_it_is_offered),
		cmocka_unit_test(CVE_2020_26556_a_device_that_was_stronger_before_is_not_believed),
		cmocka_unit_test(
			CVE_2020_26556_a_whole_static_value_withstands_even_with_the_weak_algorithm),
		cmocka_unit_test(
			CVE_2020_26557_no_value_key_or_random_of_an_attempt_comes_again_in_the_next),
		cmocka_unit_test(
			CVE_2020_26559_a_value_that_was_computed_in_one_attempt_is_worthless_in_the_next),
		cmocka_unit_test(CVE_2020_26560_our_own_public_key_is_refused),
		cmocka_unit_test(CVE_2020_26558_our_own_x_with_the_other_y_is_refused),
		cmocka_unit_test(
			CVE_2020_26560_our_own_confirmation_is_refused_before_our_random_leaves),
		cmocka_unit_test(CVE_2020_26560_our_own_random_is_refused),
		cmocka_unit_test(CVE_2018_5383_a_key_off_the_curve_is_refused),
		cmocka_unit_test(CVE_2020_26560_a_certified_key_is_no_help_to_who_reflects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
