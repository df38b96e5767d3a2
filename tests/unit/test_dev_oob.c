/* SPDX-License-Identifier: Apache-2.0 */
/* The provisionee with a display or keys: what it offers, shows, takes and refuses. */
#include "check.h"

#include "building_panel.h"
#include "building_plan.h"
#include "building_store.h"
#include "dev_prov.h"

#include <stdlib.h>
#include <unistd.h>

struct bench {
	struct device_make make;
	struct dev_prov prov;
	uint8_t out[8][80];
	size_t out_len[8], n_out;
	const uint8_t *draws; /* for one octet each, when there are some */
	size_t n_draws, changes;
	bool open;
	struct device_prompt now;
	uint32_t seed;
};

static void on_send(void *ctx, struct bytes pdu)
{
	struct bench *b = ctx;

	check(b->n_out < 8 && pdu.n <= 65);
	memcpy(b->out[b->n_out], pdu.p, pdu.n);
	b->out_len[b->n_out++] = pdu.n;
}

static void on_random(void *ctx, void *out, size_t n)
{
	struct bench *b = ctx;

	if (n == 1 && b->n_draws > 0) {
		*(uint8_t *)out = *b->draws++;
		b->n_draws--;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		b->seed = b->seed * 1664525u + 1013904223u;
		((uint8_t *)out)[i] = (uint8_t)(b->seed >> 24);
	}
}

static void on_attention(void *ctx, uint8_t seconds)
{
}

static bool on_accept(void *ctx, const struct dev_prov_data *data)
{
	return true;
}

static void on_shown(void *ctx, const struct device_prompt *now)
{
	struct bench *b = ctx;

	b->changes++;
	b->open = now != NULL;
	if (now)
		b->now = *now;
}

static const struct dev_prov_ops ops = { on_send, on_random, on_attention, on_accept };

static void bench_init(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->seed = 1;
	b->make.elements = 1;
	b->make.algorithms = 3;
	dev_prov_init(&b->prov, &b->make, &ops, b);
	b->prov.shown = on_shown;
	b->prov.shown_ctx = b;
}

static void tell(struct bench *b, const char *hex)
{
	uint8_t pdu[80];
	int n = hex_parse(hex, pdu, sizeof(pdu));

	check(n > 0);
	b->n_out = 0;
	dev_prov_received(&b->prov, bytes_of(pdu, (size_t)n));
}

/* To where both public keys are known. */
static void agree(struct bench *b, const char *start)
{
	struct secret32 random = { { 0x33 } }, secret;
	uint8_t pdu[1 + P256_PUBLIC] = { PROV_PUBLIC_KEY };

	tell(b, "0000");
	tell(b, start);
	check_int(b->n_out, 0);
	check(p256_key_pair(&random, &secret, pdu + 1));
	dev_prov_received(&b->prov, bytes_of(pdu, sizeof(pdu)));
	check_int(b->n_out, 1);
	check_int(b->out[0][0], PROV_PUBLIC_KEY);
	b->n_out = 0;
}

TEST(capabilities_tell_what_it_has)
{
	static const uint8_t wanted[] = { PROV_CAPABILITIES, 1, 0, 2, 0, 2, 6, 0, 0x10, 5, 0, 4 };
	struct bench b;

	bench_init(&b);
	b.make.algorithms = 2;
	b.make.output_size = 6;
	b.make.output_actions = 0x10;
	b.make.input_size = 5;
	b.make.input_actions = 4;
	b.make.oob_only = true;
	tell(&b, "0000");
	check_int(b.out_len[0], sizeof(wanted));
	check_mem(b.out[0], wanted, sizeof(wanted));
}

TEST(start_takes_what_was_offered_and_nothing_else)
{
	static const struct {
		const char *name, *start;
		bool only, good;
	} rows[] = {
		{ "output, as offered", "020100020304", false, true },
		{ "output, shorter", "020100020301", false, true },
		{ "output, longer", "020100020305", false, false },
		{ "output of no size", "020100020300", false, false },
		{ "output by text", "020100020404", false, false },
		{ "output, far away", "020100020804", false, false },
		{ "input, as offered", "020100030003", false, true },
		{ "input, longer", "020100030004", false, false },
		{ "input by digits", "020100030203", false, false },
		{ "none", "020100000000", false, true },
		{ "none, where that is too little", "020100000000", true, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;

		bench_init(&b);
		b.make.output_size = 4;
		b.make.output_actions = 1 << 3;
		b.make.input_size = 3;
		b.make.input_actions = 1 << 0;
		b.make.oob_only = rows[i].only;
		tell(&b, "0000");
		tell(&b, rows[i].start);
		check_row(rows[i].name, (b.n_out == 0) == rows[i].good);
		if (!rows[i].good)
			check_row(rows[i].name, b.out[0][0] == PROV_FAILED &&
							b.out[0][1] == PROV_ERR_INVALID_FORMAT);
	}
}

static const struct shown_row {
	const char *name, *start;
	uint8_t action, draws[7];
	const char *shown;
	uint8_t at, auth[6]; /* where AuthValue begins to be other than 0 */
} shown[] = {
	/* 5.4.2.4's own example: 019655 is 0x4CC7. */
	/* 251 would favour the small ones, and is drawn again. */
	{ "digits, hmac",
	  "020100020306",
	  3,
	  { 10, 251, 11, 9, 6, 5, 5 },
	  "019655",
	  30,
	  { 0x4C, 0xC7 } },
	{ "digits, cmac", "020000020306", 3, { 0, 1, 9, 6, 5, 5 }, "019655", 14, { 0x4C, 0xC7 } },
	{ "text, hmac", "020100020406", 4, { 1, 2, 3, 10, 11, 12 }, "123ABC", 0, "123ABC" },
	{ "text, cmac", "020000020406", 4, { 1, 2, 3, 10, 11, 12 }, "123ABC", 0, "123ABC" },
	{ "a count without zeros", "020100020003", 0, { 0, 0, 7 }, "7", 31, { 7 } },
	{ "a count is never zero", "020100020001", 0, { 0, 5 }, "5", 31, { 5 } },
};

TEST(what_it_shows_is_its_auth_value)
{
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		const struct shown_row *row = &shown[i];
		uint8_t expected[32] = { 0 };
		struct bench b;

		bench_init(&b);
		b.make.output_size = 8;
		b.make.output_actions = 0x1F;
		b.draws = row->draws;
		b.n_draws = 7;
		agree(&b, row->start);
		memcpy(expected + row->at, row->auth, 32 - row->at < 6 ? 32u - row->at : 6);
		check_row(row->name, b.open && !b.now.input);
		check_row(row->name, strcmp(b.now.value, row->shown) == 0);
		check_row(row->name, memcmp(b.prov.auth.octet, expected, 32) == 0);
		check_int(b.prov.state, DEV_PROV_KEYED);
	}
}

TEST(it_waits_for_its_keys_before_it_listens_on)
{
	struct bench b;

	bench_init(&b);
	b.make.input_size = 5;
	b.make.input_actions = 1 << 2;
	agree(&b, "020100030205");
	check(b.open && b.now.input);
	check_int(b.now.type, DEVICE_DIGITS);
	check_int(b.now.size, 5);
	check_str(b.now.value, "");
	check(!dev_prov_entered(&b.prov, ""));
	check(!dev_prov_entered(&b.prov, "123456"));
	check(!dev_prov_entered(&b.prov, "12A"));
	check_int(b.n_out, 0);
	check(dev_prov_entered(&b.prov, "00042"));
	check_int(b.n_out, 1);
	check_int(b.out_len[0], 1);
	check_int(b.out[0][0], PROV_INPUT_COMPLETE);
	check_int(b.prov.auth.octet[31], 42);
	check(!b.open);
	check(!dev_prov_entered(&b.prov, "1"));
	tell(&b, "05"
		 "0000000000000000000000000000000000000000000000000000000000000000");
	check_int(b.out[0][0], PROV_CONFIRMATION);
}

TEST(a_confirmation_before_its_keys_is_unexpected)
{
	struct bench b;

	bench_init(&b);
	b.make.input_size = 5;
	b.make.input_actions = 1 << 2;
	agree(&b, "020100030205");
	tell(&b, "05"
		 "0000000000000000000000000000000000000000000000000000000000000000");
	check_int(b.out[0][0], PROV_FAILED);
	check_int(b.out[0][1], PROV_ERR_UNEXPECTED_PDU);
	check(!b.open);
	check(!dev_prov_entered(&b.prov, "1"));
}

TEST(the_display_goes_dark_when_the_link_ends)
{
	struct bench b;

	bench_init(&b);
	b.make.output_size = 4;
	b.make.output_actions = 1 << 3;
	agree(&b, "020100020304");
	check(b.open);
	dev_prov_reset(&b.prov);
	check(!b.open);
	check_int(b.changes, 2);
	agree(&b, "020100020304"); /* and another value for the next */
	check(b.open);
	check_int(b.changes, 3);
}

static void folder_new(char folder[64])
{
	snprintf(folder, 64, "/tmp/meshmason-panel-XXXXXX");
	check(mkdtemp(folder) != NULL);
}

TEST(a_panel_that_nobody_runs_says_so)
{
	static const uint8_t uuid[UUID_LEN] = { 7 };
	char folder[64], path[160], text[UUID_TEXT], why[128];
	struct device_prompt now;

	folder_new(folder);
	check(!building_panel_read(folder, uuid, &now));
	check(!building_panel_enter(folder, uuid, "1", why));
	check_str(why, "the device waits for nothing to be entered");
	snprintf(path, sizeof(path), "%s/%s.display", folder, uuid_format(text, uuid));
	check(building_store_replace(path, bytes_of("show digits 5 00123\n", 20), 0600, false));
	check(building_panel_read(folder, uuid, &now));
	check(!now.input && now.type == DEVICE_DIGITS && now.size == 5);
	check_str(now.value, "00123");
	check(!building_panel_enter(folder, uuid, "1", why));
	check(building_store_replace(path, bytes_of("enter text 5 -\n", 15), 0600, false));
	check(!building_panel_enter(folder, uuid, "123456", why));
	check_str(why, "the device takes 1 to 5 characters");
	check(building_store_replace(path, bytes_of("rubbish", 7), 0600, false));
	check(!building_panel_read(folder, uuid, &now));
	unlink(path);
	rmdir(folder);
}

TEST(a_building_has_some_of_each_and_is_else_the_same)
{
	struct building_keys k = building_keys_default();
	char error[BUILDING_ERROR];
	struct building_file with, without;
	unsigned output = 0, input = 0;

	k.cbp = 0.5;
	check(building_plan(&k, &without, error));
	check(building_keys_set(&k, "oob_prompt=12", error));
	check(building_plan(&k, &with, error));
	for (size_t i = 0; i < with.n; i++) {
		struct device_make *m = &with.devices[i].make;

		output += m->output_size > 0;
		input += m->input_size > 0;
		check(!m->output_size || !m->input_size);
		check(!(m->output_size || m->input_size) || !m->certificates);
		check(!m->output_size == !m->output_actions && !m->input_size == !m->input_actions);
		m->output_size = m->output_actions = m->input_size = m->input_actions = 0;
		check_mem(m, &without.devices[i].make, sizeof(*m));
	}
	check_int(output, 6);
	check_int(input, 6);
	building_file_free(&with);
	building_file_free(&without);
	check(building_keys_set(&k, "oob_prompt=61", error));
	check(!building_plan(&k, &with, error));
	check(strstr(error, "oob_prompt") != NULL);
}

TEST(displays_and_keys_are_in_the_file)
{
	struct building_keys k = building_keys_default();
	struct building_file made, read;
	char folder[64], path[96], error[BUILDING_ERROR];

	k.oob_prompt = 6;
	folder_new(folder);
	snprintf(path, sizeof(path), "%s/b", folder);
	check(building_plan(&k, &made, error));
	made.devices[0].make.oob_only = true;
	check(building_file_save(path, &made, error));
	check(building_file_load(path, &read, error));
	for (size_t i = 0; i < made.n; i++) {
		const struct device_make *a = &made.devices[i].make, *b = &read.devices[i].make;

		check(a->output_size == b->output_size && a->input_size == b->input_size);
		check(a->output_actions == b->output_actions);
		check(a->input_actions == b->input_actions && a->oob_only == b->oob_only);
	}
	building_file_free(&made);
	building_file_free(&read);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_tell_what_it_has),
		cmocka_unit_test(start_takes_what_was_offered_and_nothing_else),
		cmocka_unit_test(what_it_shows_is_its_auth_value),
		cmocka_unit_test(it_waits_for_its_keys_before_it_listens_on),
		cmocka_unit_test(a_confirmation_before_its_keys_is_unexpected),
		cmocka_unit_test(the_display_goes_dark_when_the_link_ends),
		cmocka_unit_test(a_panel_that_nobody_runs_says_so),
		cmocka_unit_test(a_building_has_some_of_each_and_is_else_the_same),
		cmocka_unit_test(displays_and_keys_are_in_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
