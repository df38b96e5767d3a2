/* SPDX-License-Identifier: Apache-2.0 */
/* A node that is provisioned anew, without the provisioning: composition pages, the link to itself,
 * and what its flash says before and after a power cut. The whole procedures are in
 * tests/sim/test_nppi.c. */
#include "test_dev_world.h"

static struct device_make changing_make(uint8_t elements, uint8_t changed)
{
	struct device_make m = plain_make(0xD0);

	m.server = true;
	m.elements = elements;
	m.changed_elements = changed;
	return m;
}

static struct world *with_make(const struct device_make *make)
{
	struct world *w = world_new(1);

	world_add_client(w, CLIENT);
	world_add_node(w, NODE, make);
	w->ear = NODE;
	return w;
}

TEST(composition_pages_show_the_next_composition)
{
	static const struct {
		const char *name, *ask, *answer;
	} rows[] = {
		{ "page 0", "800800", "0200f10502010100300001000000050000000200040012000010" },
		{ "page 1", "800801", "020105000000000000" },
		{ "page 2", "800802", "0202011601000001000000" },
		{ "nothing between 2 and 128", "80087f", "0202011601000001000000" },
		{ "page 128", "800880",
		  "0280f105020102003000010000000600000002000400120000100110" },
		{ "page 129", "800881", "028106000000000001000100" },
		{ "page 130", "800882", "0282011601000001000000" },
		{ "the highest", "8008ff", "0282011601000001000000" },
		{ "large, whole", "8074800000",
		  "80758000001a00f105020102003000010000000600000002000400120000100110" },
		{ "large, from 20", "8074801400", "80758014001a00120000100110" },
		{ "large, at the end", "8074801a00", "8075801a001a00" },
		{ "large, beyond", "80748019ff", "80758019ff1a00" },
		{ "large, short", "80748000", "" },
	};
	struct device_make make = changing_make(1, 1);
	struct world *w;
	char text[2 * DEV_UPPER_MAX + 1];

	make.large_composition = true;
	w = with_make(&make);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ask(w, &w->radios[0], rows[i].ask, text);
		if (strcmp(text, rows[i].answer) != 0)
			fail_msg("row \"%s\": %s", rows[i].name, text);
	}
	world_free(w);
}

TEST(a_large_page_comes_in_parts)
{
	struct device_make make = changing_make(8, 8);
	struct world *w;
	char whole[2 * DEV_UPPER_MAX + 1], part[2 * DEV_UPPER_MAX + 1], got[256] = "";

	make.large_composition = true;
	w = with_make(&make);
	ask(w, &w->radios[0], "800880", whole); /* 0280, then the page */
	ask(w, &w->radios[0], "8074800000", part);
	check_int(strlen(part), 2 * (2 + 5 + 40)); /* opcode, page, offset, total size; a part */
	strcat(got, part + 14);
	ask(w, &w->radios[0], "8074802800", part);
	strcat(got, part + 14);
	check_str(got, whole + 4);
	world_free(w);
}

static const char *next_of(struct world *w, const char *hex)
{
	return ask_as(w, R_CLIENT, hex);
}

TEST(a_link_to_itself_is_open_at_once_and_is_a_link_like_any_other)
{
	struct device_make make = changing_make(1, 1);
	struct world *w = with_make(&make);

	world_add_client(w, OTHER);
	check_str(next_of(w, "805902"), "805b0002");
	check_str(next(w, SEC(5)), "+805c0002");
	check_str(next_of(w, "805902"), "805b0002"); /* once more */
	check_str(next_of(w, "805900"),
		  "805b0402"); /* another procedure, a device, another client */
	check_str(next_of(w, OPEN), "805b0402");
	check_str(ask_as(w, 2, "805902"), "805b0402");
	check_str(ask_as(w, 2, "8058"), "805b0002");
	check_str(ask_as(w, 2, "805a00"), "805b0202");
	check_str(ask_as(w, 2, "805d010000"), "");
	check_str(next_of(w, "805d020000"), "+805e00");
	check_str(next_of(w, "805d010005"), "+805e01");
	check_str(next(w, SEC(5)), "+805f01010100030000000000000000");
	check_str(next_of(w, "805d010005"), "+805e01"); /* a repeat is not processed */
	check_str(next(w, SEC(5)), "");
	check_str(next_of(w, "805a00"), "805b0004"); /* a Success of nothing */
	check_str(next(w, SEC(5)), "+805c0800");
	check_str(next_of(w, "805a00"), "805b0000");
	check_str(next_of(w, "8058"), "805b0000");
	check(!w->radios[1].device->flash.candidate.present);
	check_str(next_of(w, OPEN), "805b0001"); /* and now for a device */
	world_free(w);
}

TEST(a_silent_client_loses_the_link_after_a_minute)
{
	struct device_make make = changing_make(1, 0);
	struct world *w = with_make(&make);
	uint64_t at = timers_now(&w->ts);

	check_str(next_of(w, "805900"), "805b0002");
	check_str(next(w, SEC(5)), "+805c0002");
	check_str(next(w, SEC(70)), "+805c070002");
	check(timers_now(&w->ts) - at > SEC(58));
	check_str(next_of(w, "805901"), "805b0002");
	check_str(next(w, SEC(5)), "+805c0002");
	world_run(w, SEC(40));
	check_str(next_of(w, "805d010000"), "+805e01");
	check_str(next(w, SEC(5)), "+805f01010100030000000000000000");
	at = timers_now(&w->ts);
	check_str(next(w, SEC(70)), "+805c070002");
	check(timers_now(&w->ts) - at > SEC(50));
	check_str(next_of(w, "8058"), "805b0000");
	world_free(w);
}

TEST(a_composition_refresh_needs_a_change_that_keeps_the_elements)
{
	static const struct {
		const char *name;
		uint8_t elements, changed;
		bool done;
		const char *answer;
	} rows[] = {
		{ "no change", 2, 0, false, "805b0400" },
		{ "one more model", 2, 2, false, "805b0002" },
		{ "one more element", 2, 3, false, "805b0400" },
		{ "done already", 2, 2, true, "805b0400" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct device_make make = changing_make(rows[i].elements, rows[i].changed);
		struct world *w = with_make(&make);

		w->radios[1].device->flash.changed = rows[i].done;
		check_row(rows[i].name, strcmp(next_of(w, "805902"), rows[i].answer) == 0);
		world_free(w);
	}
}

TEST(capabilities_tell_the_elements_to_come)
{
	static const struct {
		const char *open, *answer;
	} rows[] = {
		{ "805900", "+805f01010200030000000000000000" },
		{ "805901", "+805f01010400030000000000000000" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct device_make make = changing_make(2, 4);
		struct world *w = with_make(&make);

		check_str(next_of(w, rows[i].open), "805b0002");
		check_str(next(w, SEC(5)), "+805c0002");
		check_str(next_of(w, "805d010000"), "+805e01");
		check_str(next(w, SEC(5)), rows[i].answer);
		world_free(w);
	}
}

/* ---- flash ---- */

static struct dev_image image_of(const struct radio *r)
{
	struct dev_image im;

	check(dev_flash_read(bytes_of(r->flash, r->flash_len), &im));
	return im;
}

static void put_candidate(struct radio *r, enum nppi_procedure procedure, bool committed)
{
	struct dev_image im = image_of(r);

	im.candidate = (struct dev_candidate){ .present = true,
					       .committed = committed,
					       .procedure = (uint8_t)procedure,
					       .address = NODE,
					       .elements = 2,
					       .changed = procedure != NPPI_DEVICE_KEY };
	if (procedure == NPPI_ADDRESS)
		im.candidate.address = 0x0200;
	memset(im.candidate.key.octet, 0xCA, 16);
	im.n_bindings = 1;
	im.bindings[0] = (struct dev_binding_row){ 1, MODEL_GENERIC_ONOFF_SERVER, 3 };
	im.seq_reserved = 5000;
	r->flash_len = dev_flash_write(&im, r->flash).n;
	radio_restart(r);
}

/* What a node is after a power cut in the middle of a refresh. */
TEST(a_power_cut_leaves_a_refresh_done_or_undone)
{
	static const struct {
		const char *name;
		enum nppi_procedure procedure;
		bool committed;
		bool pending, moved; /* afterwards */
	} rows[] = {
		{ "key, before the close", NPPI_DEVICE_KEY, false, true, false },
		{ "key, after it", NPPI_DEVICE_KEY, true, true, false },
		{ "address, before the close", NPPI_ADDRESS, false, false, false },
		{ "address, after it", NPPI_ADDRESS, true, false, true },
		{ "composition, before the close", NPPI_COMPOSITION, false, false, false },
		{ "composition, after it", NPPI_COMPOSITION, true, true, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct device_make make = changing_make(2, 2);
		struct world *w = with_make(&make);
		struct radio *node = &w->radios[1];
		struct secret16 fresh;
		struct dev_image im;
		struct device_state s;

		memset(fresh.octet, 0xCA, 16);
		put_candidate(node, rows[i].procedure, rows[i].committed);
		im = image_of(node);
		check_row(rows[i].name, im.candidate.present == rows[i].pending);
		check_row(rows[i].name, im.candidate.committed == rows[i].pending);
		check_row(rows[i].name, im.address == (rows[i].moved ? 0x0200 : NODE));
		check_row(rows[i].name,
			  secret16_equal(&im.device_key, rows[i].moved ? &fresh : &w->device_key));
		check_row(rows[i].name, im.n_bindings == (rows[i].moved ? 0 : 1));
		check_row(rows[i].name, (im.seq_reserved < 5000) == rows[i].moved);
		check_row(rows[i].name, im.n_net_keys == 1);
		check_row(rows[i].name,
			  device_state_read(bytes_of(node->flash, node->flash_len), &s));
		check_row(rows[i].name, (s.candidate_key_id[0] != 0) == rows[i].pending);
		world_free(w);
	}
}

TEST(an_image_says_the_new_address_as_soon_as_it_is_committed)
{
	struct device_make make = changing_make(2, 0);
	struct world *w = with_make(&make);
	struct dev_image im = image_of(&w->radios[1]);
	uint8_t buf[DEV_IMAGE_MAX];
	struct device_state s;
	struct device_keys keys;

	im.candidate = (struct dev_candidate){
		.present = true, .procedure = NPPI_ADDRESS, .address = 0x0200, .elements = 3
	};
	memset(im.candidate.key.octet, 0xCA, 16);
	check(device_state_read(dev_flash_write(&im, buf), &s));
	check_int(s.address, NODE);
	im.candidate.committed = true;
	check(device_state_read(dev_flash_write(&im, buf), &s));
	check_int(s.address, 0x0200);
	check_int(s.elements, 3);
	check(device_keys_read(dev_flash_write(&im, buf), &keys));
	check_int(keys.address, 0x0200);
	check(secret16_equal(&keys.device_key, &im.candidate.key));
	world_free(w);
}

TEST(a_message_under_the_candidate_kills_the_old_key)
{
	struct device_make make = changing_make(2, 0);
	struct world *w = with_make(&make);
	struct radio *node = &w->radios[1], *client = &w->radios[0];
	struct secret16 old = w->device_key, fresh;
	struct dev_image im;
	char text[2 * DEV_UPPER_MAX + 1];

	memset(fresh.octet, 0xCA, 16);
	put_candidate(node, NPPI_DEVICE_KEY, true);
	check_str(ask(w, client, "800c", text), "800e07"); /* under the old one, as before */
	check(image_of(node).candidate.present);
	client->device->flash.device_key = w->device_key = fresh;
	check_str(ask(w, client, "800c", text), "800e07"); /* the ear hears the new one only */
	check(!image_of(node).candidate.present);
	im = image_of(node);
	check(secret16_equal(&im.device_key, &fresh));
	client->device->flash.device_key = w->device_key = old;
	check_str(ask(w, client, "800c", text), "");
	radio_restart(node);
	check_str(ask(w, client, "800c", text), "");
	client->device->flash.device_key = w->device_key = fresh;
	check_str(ask(w, client, "800c", text), "800e07");
	world_free(w);
}

TEST(node_reset_takes_the_candidate_along_and_begins_with_the_new_firmware)
{
	struct device_make make = changing_make(2, 2);
	struct world *w = with_make(&make);
	struct radio *node = &w->radios[1];
	char text[2 * DEV_UPPER_MAX + 1];
	struct secret16 fresh;

	memset(fresh.octet, 0xCA, 16);
	put_candidate(node, NPPI_DEVICE_KEY, true);
	check_str(ask(w, &w->radios[0], "8049", text), "804a");
	world_run(w, SEC(1));
	check(!image_of(node).provisioned && !image_of(node).candidate.present);
	check(image_of(node).changed && node->device->flash.changed);
	for (size_t i = 0; i + 16 <= sizeof(*node->device); i++)
		check(memcmp((uint8_t *)node->device + i, fresh.octet, 16) != 0);
	world_free(w);
}

/* Written by the program before there were candidates. */
TEST(images_of_version_1_are_read_and_written_anew)
{
	static const char node[] =
		"4d4d4446011900000002012302d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5d5000000050061ffff000001"
		"000a0a050100007d7d7d7d7d7d7d7d7d7d7d7d7d7d7d7d0100030000a7a7a7a7a7a7a7a7a7a7a7a7"
		"a7a7a7a70101100000030100010000000500004d54651d3683ea7b52";
	static const char blank[] = "4d4d444601000000000707e4d1fde1de1c4e";
	uint8_t buf[DEV_IMAGE_MAX], again[DEV_IMAGE_MAX];
	struct dev_image im, second;
	int n = hex_parse(node, buf, sizeof(buf));

	check(n > 0 && dev_flash_read(bytes_of(buf, (size_t)n), &im));
	check(im.provisioned && im.relay && im.beacon && !im.changed && !im.candidate.present);
	check_int(im.address, 0x0123);
	check_int(im.elements, 2);
	check_int(im.device_key.octet[15], 0xD5);
	check_int(im.iv_index, 5);
	check_int(im.seq_reserved, 0x100);
	check_int(im.app_keys[0].index, 3);
	check_int(im.bindings[0].model, 0x1000);
	check_int(im.replay[0].seq, 77);
	check(dev_flash_read(dev_flash_write(&im, again), &second));
	check_int(again[4], 4);
	check_int(second.replay[0].seq, 77);
	n = hex_parse(blank, buf, sizeof(buf));
	check(n > 0 && dev_flash_read(bytes_of(buf, (size_t)n), &im));
	check(!im.provisioned);
	check_int(im.resets, 7);
}

/* The check sum is right, the contents are not. */
TEST(images_with_an_impossible_candidate_are_broken)
{
	static const struct {
		const char *name;
		struct dev_candidate candidate;
		bool good;
	} rows[] = {
		{ "good", { true, true, 1, 0x0200, 2, false, { { 1 } } }, true },
		{ "committed, but nothing", { false, true, 0, 0, 0, false, { { 0 } } }, false },
		{ "no such procedure", { true, false, 3, 0x0200, 2, false, { { 1 } } }, false },
		{ "no address", { true, false, 1, 0, 2, false, { { 1 } } }, false },
		{ "no elements", { true, false, 1, 0x0200, 0, false, { { 1 } } }, false },
		{ "too high", { true, false, 1, 0x7FFF, 2, false, { { 1 } } }, false },
	};
	struct world *w = with_make(&(struct device_make){ .elements = 1 });
	struct dev_image im = image_of(&w->radios[1]), out;
	uint8_t buf[DEV_IMAGE_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		im.candidate = rows[i].candidate;
		check_row(rows[i].name,
			  dev_flash_read(dev_flash_write(&im, buf), &out) == rows[i].good);
	}
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(composition_pages_show_the_next_composition),
		cmocka_unit_test(a_large_page_comes_in_parts),
		cmocka_unit_test(a_link_to_itself_is_open_at_once_and_is_a_link_like_any_other),
		cmocka_unit_test(a_silent_client_loses_the_link_after_a_minute),
		cmocka_unit_test(a_composition_refresh_needs_a_change_that_keeps_the_elements),
		cmocka_unit_test(capabilities_tell_the_elements_to_come),
		cmocka_unit_test(a_power_cut_leaves_a_refresh_done_or_undone),
		cmocka_unit_test(an_image_says_the_new_address_as_soon_as_it_is_committed),
		cmocka_unit_test(a_message_under_the_candidate_kills_the_old_key),
		cmocka_unit_test(
			node_reset_takes_the_candidate_along_and_begins_with_the_new_firmware),
		cmocka_unit_test(images_of_version_1_are_read_and_written_anew),
		cmocka_unit_test(images_with_an_impossible_candidate_are_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
