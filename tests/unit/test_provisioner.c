/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdlib.h>

#include "prov_world.h"
#include "vectors.h"

/* Drives a session with the published keys and randoms, and compares every PDU that it sends. */
static void check_published(const char *id, const char *static_oob)
{
	json_t *root = vectors_load("provisioning.json");
	json_t *ecdh = json_object_get(vector_by_id(root, "ecdh-8.7"), "input");
	json_t *v = vector_by_id(root, id);
	json_t *in = json_object_get(v, "input"), *expected = json_object_get(v, "expected");
	struct vector ours = vector_hex(ecdh, "private_provisioner");
	struct vector theirs = vector_hex(ecdh, "private_device");
	struct vector random = vector_hex(in, "random_provisioner");
	struct vector device_random_ = vector_hex(in, "random_device");
	struct vector capabilities = vector_hex(in, "capabilities");
	struct vector data = vector_hex(in, "provisioning_data");
	struct vector device_key = vector_hex(expected, "device_key");
	struct vector sealed = vector_hex(expected, "encrypted_provisioning_data");
	struct vector mic = vector_hex(expected, "provisioning_data_mic");
	const struct {
		uint8_t type;
		struct vector params;
	} wanted[] = {
		{ PROV_INVITE, vector_hex(in, "invite") },
		{ PROV_START, vector_hex(in, "start") },
		{ PROV_PUBLIC_KEY, vector_hex(in, "public_provisioner") },
		{ PROV_CONFIRMATION, vector_hex(expected, "confirmation_provisioner") },
		{ PROV_RANDOM, random },
	};
	struct world *w = world_new(1);

	w->policy.min_algorithm = PROV_ALG_CMAC;
	if (static_oob) {
		check(hex_parse_exact(static_oob, w->policy.static_oob, 32));
		w->policy.static_oob_len = 32;
		memcpy(w->auth_value.octet, w->policy.static_oob, 32);
	}
	w->script[0] = ours.octet;
	w->script[1] = random.octet;
	memcpy(w->private_key.octet, theirs.octet, 32);
	check(p256_public(&w->private_key, w->public_key));
	memcpy(w->capabilities, capabilities.octet, sizeof(w->capabilities));
	memcpy(w->random, device_random_.octet, device_random_.n);
	w->script_random = true;
	check(prov_data_decode(&w->data, vector_view(&data)));
	world_run(w);

	check_int(w->end, PROV_OK);
	check_int(w->n_sent, 6);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		check_int(w->sent[i][0], wanted[i].type);
		check_int(w->sent_len[i], 1 + wanted[i].params.n);
		check_mem(w->sent[i] + 1, wanted[i].params.octet, wanted[i].params.n);
	}
	check_int(w->sent[5][0], PROV_DATA);
	check_mem(w->sent[5] + 1, sealed.octet, sealed.n);
	check_mem(w->sent[5] + 1 + sealed.n, mic.octet, mic.n);
	check_mem(w->device_key.octet, device_key.octet, 16);
	check_mem(w->opened_data, data.octet, data.n);
	world_free(w);
	json_decref(root);
}

TEST(the_published_cmac_session_is_repeated_octet_for_octet)
{
	check_published("prov-8.17.1", NULL);
}

TEST(the_published_hmac_session_is_repeated_octet_for_octet)
{
	check_published("prov-8.17.2",
			"906d73a3c7a7cb3ff730dca68a46b9c18d673f50e078202311473ebbe253669f");
}

TEST(events_come_in_order_and_the_link_closes_with_success)
{
	static const enum prov_event_type order[] = {
		PROV_EV_LINK_OPEN, PROV_EV_RECORDS,  PROV_EV_CAPABILITIES, PROV_EV_KEY_AGREED,
		PROV_EV_DATA_SENT, PROV_EV_COMPLETE, PROV_EV_ENDED,
	};

	for (int late = 0; late < 2; late++) {
		struct world *w = world_new(2);

		w->read_records = true;
		w->answer_first = late;
		w->attention = 9;
		world_run(w);
		check_int(w->n_events, ARRAY_LEN(order));
		check(memcmp(w->events, order, sizeof(order)) == 0);
		check_int(w->end, PROV_OK);
		check_int(w->reason, PROV_CLOSE_SUCCESS);
		check(w->certificate_read && w->name_read);
		check_int(w->told.elements, 1);
		check_int(w->inputs[0], 9);
		check(w->has_data);
		check(secret16_equal(&w->device_key, &w->session.device_key));
		world_free(w);
	}
}

TEST(the_owner_may_take_its_time_at_each_decision)
{
	struct world *w = world_new(3);

	w->read_records = w->decide_later = true;
	world_run(w);
	check_int(w->end, PROV_OK);
	check(w->ended_at - w->started > SEC(6));
	world_free(w);
}

TEST(a_known_public_key_is_used_and_no_other_accepted)
{
	struct world *w = world_new(4);

	w->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_HMAC,
					  .require_oob_public_key = true };
	w->know_key = true;
	w->capabilities[3] = 1;
	world_run(w);
	check_int(w->end, PROV_OK);
	check_int(w->inputs[13], 1);
	world_free(w);

	/* The device has another private key than its certificate says. */
	w = world_new(4);
	w->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_HMAC,
					  .require_oob_public_key = true };
	w->know_key = true;
	w->capabilities[3] = 1;
	w->private_key.octet[31] ^= 1;
	world_run(w);
	check_int(w->end, PROV_END_DEVICE_FAILED);
	check_int(w->device_error, PROV_ERR_CONFIRMATION_FAILED);
	check_int(world_sent_type(w, PROV_DATA), 0);
	world_free(w);
}

TEST(a_known_key_that_is_no_point_ends_before_invite)
{
	struct world *w = world_new(5);

	w->know_key = true;
	w->public_key[63] ^= 1;
	world_run(w);
	check_int(w->end, PROV_END_KEY_INVALID);
	check_int(w->reason, PROV_CLOSE_FAIL);
	check_int(w->n_sent, 0);
	world_free(w);
}

static void check_static(size_t ours, size_t theirs, bool cmac, enum prov_end end)
{
	struct world *w = world_new(6);

	w->policy.require_static_oob = true;
	w->policy.min_algorithm = PROV_ALG_CMAC;
	w->capabilities[2] = cmac ? 1 : 3;
	w->capabilities[4] = PROV_OOB_STATIC;
	for (size_t i = 0; i < ours; i++)
		w->policy.static_oob[i] = (uint8_t)(i + 1);
	w->policy.static_oob_len = ours;
	for (size_t i = 0; i < theirs && i < (cmac ? 16u : 32u); i++)
		w->auth_value.octet[i] = (uint8_t)(i + 1);
	world_run(w);
	check_int(w->end, end);
	world_free(w);
}

TEST(static_oob_is_padded_or_cut_to_the_algorithm)
{
	check_static(16, 16, false, PROV_OK);
	check_static(32, 32, false, PROV_OK);
	check_static(32, 32, true, PROV_OK);
	check_static(5, 5, true, PROV_OK);
	check_static(16, 17, false, PROV_END_DEVICE_FAILED);
	check_static(16, 15, true, PROV_END_DEVICE_FAILED);
}

TEST(what_policy_forbids_ends_before_start)
{
	static const struct {
		const char *name, *capabilities;
		struct prov_policy policy;
		enum prov_end end;
	} rows[] = {
		{ "downgrade",
		  "0100010000000000000000",
		  { .allow_none = true, .saw_stronger = true },
		  PROV_END_ALGORITHM_TOO_WEAK },
		{ "CMAC only",
		  "0100010000000000000000",
		  { .allow_none = true, .min_algorithm = PROV_ALG_HMAC },
		  PROV_END_ALGORITHM_TOO_WEAK },
		{ "no OOB", "0100030000000000000000", { 0 }, PROV_END_OOB_UNAVAILABLE },
		{ "output OOB only", "0100030000080008000000", { 0 }, PROV_END_OOB_UNAVAILABLE },
		{ "public key not offered",
		  "0100030000000000000000",
		  { .allow_none = true, .require_oob_public_key = true },
		  PROV_END_OOB_UNAVAILABLE },
		{ "OOB-only device with CMAC",
		  "0100030003000000000000",
		  { .allow_none = true, .static_oob_len = 16 },
		  PROV_END_PROTOCOL },
		{ "no element",
		  "0000030000000000000000",
		  { .allow_none = true },
		  PROV_END_PROTOCOL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(7);

		w->policy = rows[i].policy;
		check(hex_parse_exact(rows[i].capabilities, w->capabilities,
				      sizeof(w->capabilities)));
		world_run(w);
		check_row(rows[i].name, w->end == rows[i].end);
		check_row(rows[i].name, w->reason == PROV_CLOSE_FAIL);
		check_row(rows[i].name, world_sent_type(w, PROV_START) == 0);
		world_free(w);
	}
}

/* Every answer of a session, each going wrong in every way. */
static const enum prov_pdu_type answers[] = {
	PROV_RECORDS_LIST, PROV_RECORD_RESPONSE, PROV_CAPABILITIES, PROV_PUBLIC_KEY,
	PROV_CONFIRMATION, PROV_RANDOM,		 PROV_COMPLETE,
};

static bool is_records(enum prov_pdu_type type)
{
	return type == PROV_RECORDS_LIST || type == PROV_RECORD_RESPONSE;
}

static const struct way {
	const char *name;
	enum fault fault;
	enum prov_end end;
	enum prov_close_reason reason;
} ways[] = {
	{ "silent", SILENT, PROV_END_TIMEOUT, PROV_CLOSE_TIMEOUT },
	{ "vanishes", VANISHES, PROV_END_CARRIER, PROV_CLOSE_SUCCESS },
	{ "fails", FAILS, PROV_END_DEVICE_FAILED, PROV_CLOSE_FAIL },
	{ "fails with zero", FAILS_WITH_ZERO, PROV_END_PROTOCOL, PROV_CLOSE_FAIL },
	{ "too short", TOO_SHORT, PROV_END_PROTOCOL, PROV_CLOSE_FAIL },
	{ "too long", TOO_LONG, PROV_END_PROTOCOL, PROV_CLOSE_FAIL },
	{ "padded", PADDED, PROV_END_PROTOCOL, PROV_CLOSE_FAIL },
	{ "empty", EMPTY, PROV_END_PROTOCOL, PROV_CLOSE_FAIL },
	{ "unknown type", UNKNOWN_TYPE, PROV_END_PROTOCOL, PROV_CLOSE_FAIL },
	{ "other PDU", OTHER_PDU, PROV_END_PROTOCOL, PROV_CLOSE_FAIL },
};

static void check_way(const struct way *way, enum prov_pdu_type answer, bool answer_first)
{
	struct world *w = world_new(8);
	enum prov_end end = way->end;
	char row[64];

	snprintf(row, sizeof(row), "%s at type %d", way->name, (int)answer);
	if (is_records(answer) && (way->fault == TOO_SHORT || way->fault == TOO_LONG))
		end = PROV_END_RECORDS;
	w->read_records = true;
	w->answer_first = answer_first;
	w->fault = way->fault;
	w->faulty = answer;
	world_run(w);
	check_row(row, w->ended && w->end == end);
	check_row(row, w->closes == (way->fault == VANISHES ? 0 : 1));
	check_row(row, w->closes == 0 || w->reason == way->reason);
	if (end == PROV_END_CARRIER)
		check_row(row, w->carrier_end == CARRIER_LOST);
	if (end == PROV_END_DEVICE_FAILED)
		check_row(row, w->device_error == PROV_ERR_UNEXPECTED_ERROR);
	if (end == PROV_END_TIMEOUT)
		check_row(row,
			  w->ended_at - w->started > SEC(60) && w->ended_at - w->started < SEC(61));
	world_free(w);
}

TEST(every_answer_going_wrong_in_every_way_ends_the_session_once)
{
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		for (size_t k = 0; k < ARRAY_LEN(ways); k++) {
			if (answers[i] == PROV_COMPLETE && ways[k].fault == TOO_SHORT)
				continue; /* that is the empty PDU */
			check_way(&ways[k], answers[i], false);
			check_way(&ways[k], answers[i], true);
		}
	}
}

TEST(hostile_values_are_refused_with_their_own_reason)
{
	static const struct {
		const char *name;
		enum prov_pdu_type answer;
		enum fault fault;
		enum prov_end end;
		enum prov_pdu_type never_sent;
	} rows[] = {
		{ "our public key comes back", PROV_PUBLIC_KEY, OUR_OWN, PROV_END_KEY_INVALID,
		  PROV_CONFIRMATION },
		{ "our key with the other Y", PROV_PUBLIC_KEY, NEGATED, PROV_END_KEY_INVALID,
		  PROV_CONFIRMATION },
		{ "a key off the curve", PROV_PUBLIC_KEY, OFF_CURVE, PROV_END_KEY_INVALID,
		  PROV_CONFIRMATION },
		{ "a key of zeros", PROV_PUBLIC_KEY, ZEROS, PROV_END_KEY_INVALID,
		  PROV_CONFIRMATION },
		{ "our confirmation comes back", PROV_CONFIRMATION, OUR_OWN, PROV_END_AUTH_FAILED,
		  PROV_RANDOM },
		{ "a confirmation of something else", PROV_CONFIRMATION, SPOILED,
		  PROV_END_AUTH_FAILED, PROV_DATA },
		{ "a confirmation of zeros", PROV_CONFIRMATION, ZEROS, PROV_END_AUTH_FAILED,
		  PROV_DATA },
		{ "our random comes back", PROV_RANDOM, OUR_OWN, PROV_END_AUTH_FAILED, PROV_DATA },
		{ "a random of something else", PROV_RANDOM, SPOILED, PROV_END_AUTH_FAILED,
		  PROV_DATA },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (uint8_t algorithm = 1; algorithm <= 2; algorithm++) {
			struct world *w = world_new(9);

			w->policy.min_algorithm = PROV_ALG_CMAC;
			w->capabilities[2] = algorithm;
			w->fault = rows[i].fault;
			w->faulty = rows[i].answer;
			world_run(w);
			check_row(rows[i].name, w->end == rows[i].end);
			check_row(rows[i].name, w->reason == PROV_CLOSE_FAIL);
			check_row(rows[i].name, world_sent_type(w, rows[i].never_sent) == 0);
			world_free(w);
		}
	}
}

/* Both sides' evidence returned: without the checks of 4.4 a device without AuthValue gets in. */
TEST(a_device_that_reflects_everything_does_not_get_in)
{
	struct world *w = world_new(10);

	w->capabilities[4] = PROV_OOB_STATIC;
	w->policy.static_oob_len = 16;
	w->policy.static_oob[0] = 0x5A;
	w->fault = OUR_OWN;
	w->faulty = PROV_CONFIRMATION;
	world_run(w);
	check_int(w->end, PROV_END_AUTH_FAILED);
	check_int(world_sent_type(w, PROV_RANDOM), 0);
	world_free(w);
}

TEST(an_answer_before_its_question_is_refused)
{
	struct world *w = world_new(11);

	w->policy.require_oob_public_key = true;
	w->know_key = true;
	w->capabilities[3] = 1;
	world_start(w);
	while (world_sent_type(w, PROV_START) == 0)
		check(timers_fire_next(&w->timers, SEC(10000)));
	/* Start is on its way; Public Key and our Confirmation wait behind it. */
	w->carrier.events->received(w->carrier.ctx, bytes_of("\x05"
							     "0123456789abcdef0123456789abcdef",
							     33));
	world_run(w);
	check_int(w->end, PROV_END_PROTOCOL);
	check_int(world_sent_type(w, PROV_CONFIRMATION), 0);
	world_free(w);
}

TEST(a_pdu_nobody_asked_for_ends_the_session)
{
	struct world *w = world_new(12);

	w->decide_later = true;
	world_start(w);
	while (w->n_events == 0)
		check(timers_fire_next(&w->timers, SEC(10000)));
	w->carrier.events->received(w->carrier.ctx, bytes_of("\x08", 1));
	world_run(w);
	check_int(w->end, PROV_END_PROTOCOL);
	check_int(w->n_sent, 0); /* the owner's late prov_invite() did nothing */
	world_free(w);
}

TEST(a_link_lost_before_the_owner_was_told_leaves_nothing_to_decide)
{
	struct world *w = world_new(21);

	world_start(w);
	while (world_sent_type(w, PROV_RANDOM) == 0 || w->outstanding)
		check(timers_fire_next(&w->timers, SEC(10000)));
	/* The key is agreed; in the same turn the link goes. */
	w->closing = true;
	w->carrier.events->closed(w->carrier.ctx, CARRIER_LOST);
	world_run(w);
	check_int(w->end, PROV_END_CARRIER);
	for (size_t i = 0; i < w->n_events; i++)
		check(w->events[i] != PROV_EV_KEY_AGREED);
	world_free(w);
}

TEST(asking_to_attend_sends_invite_only_and_closes_with_success)
{
	struct world *w = world_new(13);

	w->attend = true;
	w->attention = 5;
	w->abort_at = PROV_EV_CAPABILITIES;
	world_run(w);
	check_int(w->end, PROV_END_ABORTED);
	check_int(w->reason, PROV_CLOSE_SUCCESS);
	check_int(w->n_sent, 1);
	check_int(w->inputs[0], 5);
	world_free(w);
}

TEST(aborting_at_each_event_closes_with_fail)
{
	static const enum prov_event_type at[] = { PROV_EV_LINK_OPEN, PROV_EV_RECORDS,
						   PROV_EV_CAPABILITIES, PROV_EV_KEY_AGREED,
						   PROV_EV_DATA_SENT };

	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		struct world *w = world_new(14);

		w->read_records = true;
		w->abort_at = (int)at[i];
		world_run(w);
		check_int(w->end, PROV_END_ABORTED);
		check_int(w->reason, PROV_CLOSE_FAIL);
		check_int(w->closes, 1);
		check_int(world_sent_type(w, PROV_DATA), at[i] == PROV_EV_DATA_SENT);
		world_free(w);
	}
}

TEST(aborting_while_the_link_opens_is_an_abort_too)
{
	struct world *w = world_new(15);

	world_start(w);
	prov_abort(w->prov);
	world_run(w);
	check_int(w->end, PROV_END_ABORTED);
	check_int(w->n_events, 1);
	world_free(w);
}

TEST(freeing_at_each_event_leaves_nothing_behind)
{
	for (int at = PROV_EV_LINK_OPEN; at <= PROV_EV_ENDED; at++) {
		struct world *w = world_new(16);

		w->read_records = true;
		w->free_at = at;
		if (at == PROV_EV_OOB_OUTPUT || at == PROV_EV_OOB_INPUT) {
			w->policy.prompt = PROV_PROMPT_OUTPUT;
			w->capabilities[at == PROV_EV_OOB_OUTPUT ? 5 : 8] = 4;
			w->capabilities[at == PROV_EV_OOB_OUTPUT ? 7 : 10] = 4;
		}
		world_run(w);
		check(!w->prov);
		world_free(w);
	}
}

TEST(freeing_between_events_silences_the_carrier)
{
	for (size_t sent = 0; sent <= 6; sent++) {
		struct world *w = world_new(17);

		world_start(w);
		while (w->n_sent < sent && timers_fire_next(&w->timers, SEC(10000)))
			;
		prov_free(w->prov);
		w->prov = NULL;
		w->carrier.events->received(w->carrier.ctx, bytes_of("\x08", 1));
		w->carrier.events->sent(w->carrier.ctx);
		w->carrier.events->closed(w->carrier.ctx, CARRIER_LOST);
		timer_stop(&w->timers, &w->turn);
		timer_stop(&w->timers, &w->bye);
		check(timers_next(&w->timers) == TIMERS_NEVER);
		world_free(w);
	}
}

static bool holds(const void *block, size_t n, const void *secret, size_t len)
{
	return memmem(block, n, secret, len) != NULL;
}

/* Looks through the session's memory for what it must have forgotten. */
static void check_forgotten(enum fault fault, enum prov_pdu_type faulty, bool session_known)
{
	struct world *w = world_new(18);
	struct secret32 ours = { { 0 } };
	size_t n;

	check(hex_parse_exact("06a516693c9aa31a6084545d0c5db641b48572b97203ddffb7ac73f7d0457663",
			      ours.octet, 32));
	w->script[0] = ours.octet;
	w->capabilities[4] = PROV_OOB_STATIC;
	memset(w->policy.static_oob, 0x5C, 32);
	w->policy.static_oob_len = 32;
	w->auth_value = (struct secret32){ { 0 } };
	memset(w->auth_value.octet, 0x5C, 32);
	w->fault = fault;
	w->faulty = faulty;
	world_run(w);
	check(w->ended);
	n = malloc_usable_size(w->prov);
	check(n > 500);
	check(!holds(w->prov, n, ours.octet, 32));
	check(!holds(w->prov, n, w->auth_value.octet, 32));
	check(!holds(w->prov, n, w->ecdh.octet, 32));
	check(!holds(w->prov, n, w->keys.confirmation_key.octet, 32));
	if (session_known) {
		check(!holds(w->prov, n, w->session.session_key.octet, 16));
		check(!holds(w->prov, n, w->session.nonce, CCM_NONCE));
		/* The search can find: what the owner may still look at is there. */
		check(holds(w->prov, n, w->session.device_key.octet, 16));
	}
	world_free(w);
}

TEST(secrets_are_forgotten_on_every_way_out)
{
	check_forgotten(NO_FAULT, PROV_COMPLETE, true);
	check_forgotten(SILENT, PROV_COMPLETE, true);
	check_forgotten(FAILS, PROV_COMPLETE, true);
	check_forgotten(SPOILED, PROV_RANDOM, false);
	check_forgotten(OUR_OWN, PROV_CONFIRMATION, false);
	check_forgotten(SILENT, PROV_CONFIRMATION, false);
	check_forgotten(OFF_CURVE, PROV_PUBLIC_KEY, false);
	check_forgotten(VANISHES, PROV_CONFIRMATION, false);
}

TEST(two_sessions_never_share_a_key_or_a_random)
{
	struct world *a = world_new(19), *b = world_new(20);

	world_run(a);
	world_run(b);
	check(memcmp(a->sent[2], b->sent[2], 65) != 0);
	check(memcmp(a->sent[4], b->sent[4], 33) != 0);
	check(!secret16_equal(&a->device_key, &b->device_key));
	world_free(a);
	world_free(b);
}

TEST(every_end_has_a_text)
{
	for (enum prov_end end = PROV_OK; end <= PROV_END_ABORTED; end++)
		check(strlen(prov_end_text(end)) > 6);
	check_str(prov_end_text((enum prov_end)77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_cmac_session_is_repeated_octet_for_octet),
		cmocka_unit_test(the_published_hmac_session_is_repeated_octet_for_octet),
		cmocka_unit_test(events_come_in_order_and_the_link_closes_with_success),
		cmocka_unit_test(the_owner_may_take_its_time_at_each_decision),
		cmocka_unit_test(a_known_public_key_is_used_and_no_other_accepted),
		cmocka_unit_test(a_known_key_that_is_no_point_ends_before_invite),
		cmocka_unit_test(static_oob_is_padded_or_cut_to_the_algorithm),
		cmocka_unit_test(what_policy_forbids_ends_before_start),
		cmocka_unit_test(every_answer_going_wrong_in_every_way_ends_the_session_once),
		cmocka_unit_test(hostile_values_are_refused_with_their_own_reason),
		cmocka_unit_test(a_device_that_reflects_everything_does_not_get_in),
		cmocka_unit_test(an_answer_before_its_question_is_refused),
		cmocka_unit_test(a_pdu_nobody_asked_for_ends_the_session),
		cmocka_unit_test(a_link_lost_before_the_owner_was_told_leaves_nothing_to_decide),
		cmocka_unit_test(asking_to_attend_sends_invite_only_and_closes_with_success),
		cmocka_unit_test(aborting_at_each_event_closes_with_fail),
		cmocka_unit_test(aborting_while_the_link_opens_is_an_abort_too),
		cmocka_unit_test(freeing_at_each_event_leaves_nothing_behind),
		cmocka_unit_test(freeing_between_events_silences_the_carrier),
		cmocka_unit_test(secrets_are_forgotten_on_every_way_out),
		cmocka_unit_test(two_sessions_never_share_a_key_or_a_random),
		cmocka_unit_test(every_end_has_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
