/* SPDX-License-Identifier: Apache-2.0 */
/* Output and input OOB: a person between the device and us. */
#include <malloc.h>
#include <stdlib.h>

#include "prov_world.h"

enum { ONE_OUTPUT = 5, OUTPUT_BITS = 7, ONE_INPUT = 8, INPUT_BITS = 10 };

static struct world *prompting(bool output, uint8_t size, uint8_t bits, enum prov_algorithm a)
{
	struct world *w = world_new(40);

	w->policy =
		(struct prov_policy){ .min_algorithm = a,
				      .prompt = output ? PROV_PROMPT_OUTPUT : PROV_PROMPT_INPUT };
	w->capabilities[2] = (uint8_t)(1 << a);
	w->capabilities[output ? ONE_OUTPUT : ONE_INPUT] = size;
	w->capabilities[output ? OUTPUT_BITS : INPUT_BITS] = bits;
	w->person = SEC(20);
	w->press = true;
	return w;
}

/* What the device shows, as AuthValue on its side. */
static void shows(struct world *w, uint8_t action, uint8_t size, const char *text)
{
	struct prov_pdu_start start = { .method = PROV_AUTH_OUTPUT,
					.action = action,
					.size = size };

	check(oob_auth_text(&start, text, &w->auth_value, w->capabilities[2] & 2 ? 32 : 16));
}

static const struct output_row {
	const char *name;
	uint8_t size, bits, action, asked;
	const char *shown, *read;
} outputs[] = {
	{ "digits", 6, 0x08, 3, 6, "019655", "019655" },
	{ "digits without their leading zero", 6, 0x08, 3, 6, "019655", "19655" },
	{ "nothing but zeros", 4, 0x08, 3, 4, "0000", "0" },
	{ "eight nines", 8, 0x08, 3, 8, "99999999", "99999999" },
	{ "text", 6, 0x10, 4, 6, "123ABC", "123ABC" },
	{ "text in small letters", 6, 0x10, 4, 6, "123ABC", "123abc" },
	{ "text before digits before counting", 5, 0x1F, 4, 5, "0AZ09", "0AZ09" },
	{ "digits before counting", 5, 0x0F, 3, 5, "00001", "00001" },
	{ "blinks, few enough to be counted", 8, 0x01, 0, 1, "7", "7" },
	{ "beeps", 2, 0x02, 1, 1, "9", "9" },
	{ "vibrations", 1, 0x07, 2, 1, "1", "1" },
};

TEST(what_a_device_shows_authenticates_it_under_both_algorithms)
{
	for (int a = PROV_ALG_CMAC; a <= PROV_ALG_HMAC; a++) {
		for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
			const struct output_row *row = &outputs[i];
			struct world *w = prompting(true, row->size, row->bits, a);

			shows(w, row->action, row->asked, row->shown);
			w->read_value = row->read;
			world_run(w);
			check_row(row->name, w->end == PROV_OK);
			check_row(row->name, w->prompt.times == 1);
			check_row(row->name, w->prompt.action == row->action);
			check_row(row->name, w->prompt.size == row->asked);
			check_row(row->name, w->inputs[14] == PROV_AUTH_OUTPUT);
			check_row(row->name, w->inputs[15] == row->action);
			check_row(row->name, w->inputs[16] == row->asked);
			check_row(row->name, w->has_data);
			world_free(w);
		}
	}
}

static const struct input_row {
	const char *name;
	uint8_t size, bits, action, asked;
	const char *symbols;
} inputs[] = {
	{ "digits", 6, 0x04, 2, 6, "0123456789" },
	{ "one digit", 1, 0x04, 2, 1, "0123456789" },
	{ "text", 8, 0x08, 3, 8, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
	{ "text before digits before counting", 4, 0x0F, 3, 4,
	  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
	{ "pushes, few enough to be counted", 8, 0x01, 0, 1, "123456789" },
	{ "twists", 3, 0x02, 1, 1, "123456789" },
};

TEST(what_is_entered_at_a_device_authenticates_it_under_both_algorithms)
{
	for (int a = PROV_ALG_CMAC; a <= PROV_ALG_HMAC; a++) {
		for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
			const struct input_row *row = &inputs[i];
			struct world *w = prompting(false, row->size, row->bits, a);

			world_run(w);
			check_row(row->name, w->end == PROV_OK);
			check_row(row->name, w->prompt.times == 1);
			check_row(row->name, w->prompt.action == row->action);
			check_row(row->name, strlen(w->prompt.value) == row->asked);
			check_row(row->name, strspn(w->prompt.value, row->symbols) == row->asked);
			check_row(row->name, w->inputs[14] == PROV_AUTH_INPUT);
			world_free(w);
		}
	}
}

TEST(a_known_public_key_goes_with_a_prompt)
{
	struct world *w = prompting(true, 4, 0x08, PROV_ALG_HMAC);

	w->know_key = true;
	w->capabilities[3] = 1;
	shows(w, 3, 4, "1234");
	w->read_value = "1234";
	world_run(w);
	check_int(w->end, PROV_OK);
	check_int(w->inputs[13], 1);
	world_free(w);
}

TEST(a_wrong_value_is_found_out_and_the_data_stays_here)
{
	for (int a = PROV_ALG_CMAC; a <= PROV_ALG_HMAC; a++) {
		struct world *w = prompting(true, 4, 0x08, a);

		shows(w, 3, 4, "1234");
		w->read_value = "1235";
		world_run(w);
		check_int(w->end, PROV_END_DEVICE_FAILED);
		check_int(w->device_error, PROV_ERR_CONFIRMATION_FAILED);
		check_int(world_sent_type(w, PROV_DATA), 0);
		world_free(w);
	}
}

/* A device that does not check has still to know the value. */
TEST(a_device_that_knows_no_value_is_found_out)
{
	for (int a = PROV_ALG_CMAC; a <= PROV_ALG_HMAC; a++) {
		struct world *w = prompting(false, 6, 0x04, a);

		w->fault = SPOILED;
		w->faulty = PROV_CONFIRMATION;
		world_run(w);
		check_int(w->end, PROV_END_AUTH_FAILED);
		check_int(world_sent_type(w, PROV_DATA), 0);
		world_free(w);
	}
}

TEST(what_cannot_be_the_answer_changes_nothing)
{
	static const char *const never[] = { "", "12345", "12 4", "12A4", "-123", "123456789" };

	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		struct world *w = prompting(true, 4, 0x08, PROV_ALG_HMAC);

		w->read_value = never[i];
		world_run(w);
		check_row(never[i], w->refused_values == 1);
		check_row(never[i], world_sent_type(w, PROV_CONFIRMATION) == 0);
		check_row(never[i], w->end == PROV_END_TIMEOUT);
		world_free(w);
	}
}

TEST(a_prompt_has_its_own_limit_and_the_timer_is_patient_after_it)
{
	struct world *w = prompting(true, 4, 0x08, PROV_ALG_HMAC);

	world_run(w);
	check_int(w->end, PROV_END_TIMEOUT);
	check_int(w->reason, PROV_CLOSE_TIMEOUT);
	check(w->ended_at - w->prompt.at >= SEC(PROV_PROMPT_SECONDS));
	check(w->ended_at - w->prompt.at < SEC(PROV_PROMPT_SECONDS + 1));
	world_free(w);

	w = prompting(false, 4, 0x04, PROV_ALG_HMAC);
	w->person = SEC(PROV_PROMPT_SECONDS) - MSEC(1);
	world_run(w);
	check_int(w->end, PROV_OK);
	world_free(w);

	/* With a known key the prompt is there before Start has left: its limit stands. */
	w = prompting(true, 4, 0x08, PROV_ALG_HMAC);
	w->know_key = true;
	w->capabilities[3] = 1;
	world_run(w);
	check_int(w->end, PROV_END_TIMEOUT);
	check(w->ended_at - w->prompt.at < SEC(PROV_PROMPT_SECONDS) + MSEC(10));
	world_free(w);

	/* 120 s for what follows a prompt, 5.4.4. */
	w = prompting(true, 4, 0x08, PROV_ALG_HMAC);
	shows(w, 3, 4, "1234");
	w->read_value = "1234";
	w->fault = SILENT;
	w->faulty = PROV_CONFIRMATION;
	world_run(w);
	check_int(w->end, PROV_END_TIMEOUT);
	check(w->ended_at - w->prompt.at > w->person + SEC(120));
	check(w->ended_at - w->prompt.at < w->person + SEC(121));
	world_free(w);
}

static const struct early_row {
	const char *name;
	bool output;
	const char *pdu;
	size_t n;
} early[] = {
	{ "Input Complete while it shows", true, "\x04", 1 },
	{ "a confirmation before ours, while it shows", true,
	  "\x05"
	  "0123456789abcdef0123456789abcdef",
	  33 },
	{ "a confirmation instead of Input Complete", false,
	  "\x05"
	  "0123456789abcdef0123456789abcdef",
	  33 },
	{ "an Input Complete with something in it", false, "\x04\x00", 2 },
	{ "Complete", false, "\x08", 1 },
	{ "nothing at all", true, "", 0 },
};

TEST(nothing_else_is_accepted_while_a_prompt_is_open)
{
	for (size_t i = 0; i < ARRAY_LEN(early); i++) {
		const struct early_row *row = &early[i];
		struct world *w =
			prompting(row->output, 4, row->output ? 0x08 : 0x04, PROV_ALG_HMAC);

		w->press = false;
		world_start(w);
		while (!w->prompt.times && timers_fire_next(&w->timers, SEC(10000)))
			;
		w->carrier.events->received(w->carrier.ctx, bytes_of(row->pdu, row->n));
		world_run(w);
		check_row(row->name, w->end == PROV_END_PROTOCOL);
		check_row(row->name, world_sent_type(w, PROV_CONFIRMATION) == 0);
		world_free(w);
	}
}

TEST(a_device_that_gives_up_while_a_prompt_is_open_ends_it)
{
	struct world *w = prompting(true, 4, 0x08, PROV_ALG_HMAC);

	world_start(w);
	while (!w->prompt.times && timers_fire_next(&w->timers, SEC(10000)))
		;
	w->carrier.events->received(w->carrier.ctx, bytes_of("\x09\x07", 2));
	check(prov_oob_value(w->prov, "1234")); /* too late, and no harm */
	world_run(w);
	check_int(w->end, PROV_END_DEVICE_FAILED);
	world_free(w);
}

TEST(an_abort_while_a_prompt_is_open_closes_with_fail)
{
	for (int output = 0; output < 2; output++) {
		struct world *w = prompting(output, 4, output ? 0x08 : 0x04, PROV_ALG_HMAC);

		w->abort_at = output ? PROV_EV_OOB_OUTPUT : PROV_EV_OOB_INPUT;
		w->read_value = "1234";
		world_run(w);
		check_int(w->end, PROV_END_ABORTED);
		check_int(w->reason, PROV_CLOSE_FAIL);
		check_int(w->closes, 1);
		world_free(w);
	}
}

TEST(values_and_secrets_of_a_prompt_are_forgotten)
{
	for (int fault = 0; fault < 2; fault++) {
		struct world *w = prompting(false, 8, 0x08, PROV_ALG_HMAC);
		size_t n;

		w->fault = fault ? SILENT : NO_FAULT;
		w->faulty = PROV_CONFIRMATION;
		w->person = SEC(5);
		if (fault)
			w->press = false;
		world_run(w);
		check(w->ended && strlen(w->prompt.value) == 8);
		n = malloc_usable_size(w->prov);
		check(!memmem(w->prov, n, w->prompt.value, 8));
		check(!memmem(w->prov, n, w->ecdh.octet, 32));
		world_free(w);
	}
}

/* No two alike among many: 8 digits have 10^8 values, and every first digit comes up. */
TEST(values_are_drawn_anew_and_evenly)
{
	struct prov_pdu_start start = { .method = PROV_AUTH_INPUT, .action = 2, .size = 1 };
	struct world *w = world_new(77);
	unsigned seen[10] = { 0 };
	char text[PROV_OOB_TEXT];

	for (int i = 0; i < 10000; i++) {
		check(oob_draw(&start, world_random, w, text));
		seen[text[0] - '0']++;
	}
	for (int i = 0; i < 10; i++)
		check(seen[i] > 850 && seen[i] < 1150);
	start.action = 0;
	for (int i = 0; i < 1000; i++) {
		check(oob_draw(&start, world_random, w, text));
		check(text[0] >= '1' && text[0] <= '9' && !text[1]);
	}
	world_free(w);
}

static void stuck(void *ctx, void *out, size_t n)
{
	memset(out, 0xFF, n);
}

TEST(broken_randomness_draws_nothing_rather_than_the_same)
{
	static const struct {
		uint8_t action, size;
	} rows[] = { { 2, 6 }, { 3, 6 }, { 0, 1 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct prov_pdu_start start = { .method = PROV_AUTH_INPUT,
						.action = rows[i].action,
						.size = rows[i].size };
		char text[PROV_OOB_TEXT];

		check(!oob_draw(&start, stuck, NULL, text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_device_shows_authenticates_it_under_both_algorithms),
		cmocka_unit_test(
			what_is_entered_at_a_device_authenticates_it_under_both_algorithms),
		cmocka_unit_test(a_known_public_key_goes_with_a_prompt),
		cmocka_unit_test(a_wrong_value_is_found_out_and_the_data_stays_here),
		cmocka_unit_test(a_device_that_knows_no_value_is_found_out),
		cmocka_unit_test(what_cannot_be_the_answer_changes_nothing),
		cmocka_unit_test(a_prompt_has_its_own_limit_and_the_timer_is_patient_after_it),
		cmocka_unit_test(nothing_else_is_accepted_while_a_prompt_is_open),
		cmocka_unit_test(a_device_that_gives_up_while_a_prompt_is_open_ends_it),
		cmocka_unit_test(an_abort_while_a_prompt_is_open_closes_with_fail),
		cmocka_unit_test(values_and_secrets_of_a_prompt_are_forgotten),
		cmocka_unit_test(values_are_drawn_anew_and_evenly),
		cmocka_unit_test(broken_randomness_draws_nothing_rather_than_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
