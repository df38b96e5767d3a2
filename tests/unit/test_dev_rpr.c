/* SPDX-License-Identifier: Apache-2.0 */
/* The Remote Provisioning Server: every row of its tables, and scans. */
#include "test_dev_world.h"

#include <jansson.h>

TEST(link_open_when_idle)
{
	static const struct {
		const char *name, *ask, *answer;
	} rows[] = {
		{ "device key refresh", "805900", "805b0002" },
		{ "address refresh", "805901", "805b0002" },
		{ "composition refresh of nothing", "805902", "805b0400" },
		{ "no such procedure", "805903", "" },
		{ "nothing", "8059", "" },
		{ "two octets", "80590000", "" },
		{ "15 octets", "8059eeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "" },
		{ "timeout 0", OPEN "00", "" },
		{ "timeout 61", OPEN "3d", "" },
		{ "18 octets", OPEN "0a00", "" },
		{ "timeout 60", OPEN "3c", "805b0001" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = with_server(1);

		check_row(rows[i].name,
			  strcmp(ask_as(w, R_CLIENT, rows[i].ask), rows[i].answer) == 0);
		world_free(w);
	}
}

TEST(link_open_when_opening)
{
	struct world *w = with_server(2);

	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, OPEN "3c"), "805b0001");
	check_str(ask_as(w, R_CLIENT, OPEN "3c"), "805b0001");
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(ask_as(w, R_CLIENT, "8059dddddddddddddddddddddddddddddddd"), "805b0401");
	check_str(ask_as(w, R_CLIENT, "805900"), "805b0401");
	check_str(ask_as(w, R_OTHER, OPEN "3c"), "805b0401");
	check_str(ask_as(w, R_OTHER, "8058"), "805b0001");
	world_free(w);
}

TEST(link_open_when_active)
{
	struct world *w = with_server(3);

	open_link(w);
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0002");
	check_str(ask_as(w, R_CLIENT, "8059dddddddddddddddddddddddddddddddd"), "805b0402");
	check_str(ask_as(w, R_CLIENT, "805901"), "805b0402");
	check_str(ask_as(w, R_OTHER, OPEN), "805b0402");
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0002");
	world_free(w);
}

TEST(link_open_when_transferring_or_closing)
{
	struct world *w = with_server(4);

	open_link(w);
	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, "805d010000"), "");
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0203");
	check_str(ask_as(w, R_OTHER, OPEN), "805b0203");
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0003");
	w->cursor = w->n_heard;
	say(&w->radios[R_CLIENT], "805a02");
	say(&w->radios[R_CLIENT], OPEN);
	check_str(next(w, SEC(1)), "805b0004");
	check_str(next(w, SEC(1)), "805b0204");
	check_str(next(w, SEC(1)), "+805c0800");
	world_free(w);
}

TEST(closing_twice_is_answered_twice)
{
	struct world *w = with_server(4);

	open_link(w);
	w->cursor = w->n_heard;
	say(&w->radios[R_CLIENT], "805a00");
	say(&w->radios[R_OTHER], "805a00"); /* anybody's, once it closes */
	check_str(next(w, SEC(1)), "805b0004");
	check_str(next(w, SEC(1)), "805b0004");
	check_str(next(w, SEC(1)), "+805c0800");
	check_str(next(w, SEC(9)), "");
	world_free(w);
}

TEST(a_link_that_nobody_accepts_is_reported)
{
	struct world *w = with_server(5);
	uint64_t at;

	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	at = timers_now(&w->ts);
	check_str(next(w, SEC(15)), "+805c0500");
	check(timers_now(&w->ts) - at >= MSEC(9900) && timers_now(&w->ts) - at <= SEC(11));
	check_str(ask_as(w, R_CLIENT, OPEN "03"), "805b0001");
	at = timers_now(&w->ts);
	check_str(next(w, SEC(15)), "+805c0500");
	check(timers_now(&w->ts) - at <= SEC(4));
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0000");
	world_free(w);
}

TEST(a_device_that_closes_is_reported_with_its_reason)
{
	for (uint8_t reason = 0; reason < 4; reason++) {
		struct world *w = with_server(6);
		char wanted[20];

		open_link(w);
		dev_pb_close(&w->radios[R_DEVICE].device->acceptor, reason);
		snprintf(wanted, sizeof(wanted), "+805c0600%02x", reason);
		check_str(next(w, SEC(5)), wanted);
		world_free(w);
	}
}

TEST(a_link_without_traffic_is_closed_by_the_server)
{
	struct world *w = with_server(7);

	open_link(w);
	gag(w, R_DEVICE, true);
	check_str(next(w, SEC(58)), "");
	check_str(next(w, SEC(5)), "+805c070002");
	world_free(w);
}

TEST(a_pdu_that_the_device_never_takes_ends_the_link)
{
	struct world *w = with_server(8);

	open_link(w);
	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, "805d010000"), "");
	check_str(next(w, SEC(24)), "");
	check_str(next(w, SEC(3)), "+805c0a00");
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0000");
	world_free(w);
}

TEST(a_pdu_that_the_server_cannot_hold_ends_the_link)
{
	struct world *w = with_server(9);
	struct device_send s = { .count = 1, .interval_ms = 20, .len = 11 };
	struct wr out = wr_to(s.data, sizeof(s.data));

	open_link(w);
	wr_u8(&out, 10);
	wr_u8(&out, AD_PB_ADV);
	wr_be32(&out, w->radios[R_SERVER].device->rpr.link.pb.id);
	wr_u8(&out, 0x80);
	wr_u8(&out, 0x40); /* 377 octets */
	wr_be16(&out, 377);
	wr_u8(&out, 0);
	radio_send(&w->radios[R_DEVICE], &s);
	check_str(next(w, SEC(5)), "+805c0900");
	world_free(w);
}

TEST(a_report_that_the_client_never_takes_ends_the_link)
{
	struct world *w = with_server(10);

	open_link(w);
	check_str(ask_as(w, R_CLIENT, "805d010000"), "+805e01");
	w->cursor = w->n_heard;
	gag(w, R_CLIENT, true);
	for (;;) {
		const char *text = next(w, SEC(30));

		check(*text);
		if (strncmp(text, "+805c", 5) == 0) {
			check_str(text, "+805c0b00");
			break;
		}
	}
	world_free(w);
}

TEST(link_close_obeys_the_owner_only)
{
	struct world *w = with_server(11);

	check_str(ask_as(w, R_CLIENT, "805a00"), "805b0000"); /* nothing to close */
	check_str(ask_as(w, R_OTHER, "805a02"), "805b0000");
	open_link(w);
	check_str(ask_as(w, R_CLIENT, "805a01"), "");
	check_str(ask_as(w, R_CLIENT, "805a03"), "");
	check_str(ask_as(w, R_CLIENT, "805a"), "");
	check_str(ask_as(w, R_CLIENT, "805a0000"), "");
	check_str(ask_as(w, R_OTHER, "805a00"), "805b0202");
	check_str(ask_as(w, R_CLIENT, "805a00"), "805b0004");
	check_str(next(w, SEC(2)), "+805c0800");
	check_int(w->radios[R_DEVICE].device->acceptor.state, DEV_PB_IDLE);
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0000");
	/* While opening, too. */
	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(ask_as(w, R_CLIENT, "805a02"), "805b0004");
	check_str(next(w, SEC(2)), "+805c0800");
	world_free(w);
}

TEST(pdu_send_is_numbered_and_belongs_to_the_owner)
{
	struct world *w = with_server(12);

	check_str(ask_as(w, R_CLIENT, "805d010000"), ""); /* no link */
	open_link(w);
	check_str(ask_as(w, R_OTHER, "805d010000"), "");
	check_str(ask_as(w, R_CLIENT, "805d01"), ""); /* without a PDU */
	check_str(ask_as(w, R_CLIENT, "805d020000"), "+805e00");
	check_str(ask_as(w, R_CLIENT, "805d000000"), "+805e00");
	check_str(ask_as(w, R_CLIENT, "805d010005"), "+805e01");
	check_str(next(w, SEC(5)), "+805f01010200030000000000000000");
	check_str(ask_as(w, R_CLIENT, "805d010005"), "+805e01"); /* a repeat is not delivered */
	check_str(next(w, SEC(5)), "");
	check_str(ask_as(w, R_CLIENT, "805d02020100000000"), "+805e02");
	check_str(ask_as(w, R_CLIENT, "805a02"), "805b0004");
	check_str(next(w, SEC(2)), "+805c0800");
	open_link(w); /* counts begin again */
	check_str(ask_as(w, R_CLIENT, "805d010000"), "+805e01");
	check_str(next(w, SEC(5)), "+805f01010200030000000000000000");
	world_free(w);
}

TEST(samples_of_messages_are_taken_or_dropped)
{
	json_t *root = json_load_file(TEST_VECTORS "/rpr.json", 0, NULL), *v;
	size_t i, dropped = 0, taken = 0;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		const char *opcode = json_string_value(json_object_get(v, "opcode"));
		const char *name = json_string_value(json_object_get(v, "name"));
		const char *pdu = json_string_value(json_object_get(v, "access_pdu"));
		bool valid = json_boolean_value(json_object_get(v, "valid")), answered;
		static const char *const ours[] = { "0x804F", "0x8051", "0x8052", "0x8053",
						    "0x8056", "0x8058", "0x8059", "0x805A" };
		struct world *w = with_server(13);
		bool request = false;

		for (size_t k = 0; k < ARRAY_LEN(ours); k++)
			request |= strcmp(opcode, ours[k]) == 0;
		w->cursor = w->n_heard;
		say(&w->radios[R_CLIENT], pdu);
		answered = *next(w, SEC(30)) != 0;
		if (strncmp(opcode, "0x805", 5) == 0 || request)
			check_row(name, answered == (request && valid));
		dropped += request && !valid;
		taken += request && valid;
		world_free(w);
	}
	check(dropped >= 5 && taken >= 10);
	json_decref(root);
}

TEST(scan_requests_get_their_status)
{
	static const struct {
		const char *name;
		size_t who;
		const char *ask, *answer;
	} rows[] = {
		{ "capabilities", R_CLIENT, "804f", "80501400" },
		{ "capabilities with more", R_CLIENT, "804f00", "" },
		{ "get idle", R_CLIENT, "8051", "805400001400" },
		{ "stop idle", R_CLIENT, "8053", "805400001400" },
		{ "timeout 0", R_CLIENT, "80520000", "" },
		{ "short", R_CLIENT, "805200", "" },
		{ "half a uuid", R_CLIENT, "8052000aeeeeeeeeeeeeeeee", "" },
		{ "more than can be", R_CLIENT, "8052150a", "805401001400" },
		{ "start", R_CLIENT, "80520528", "805400010528" },
		{ "start again", R_CLIENT, "80520628", "805400010628" },
		{ "by another", R_OTHER, "80520528", "8054020106" },
		{ "single by the owner", R_CLIENT, "80520028ffffffffffffffffffffffffffffffff",
		  "805400021428" },
		{ "stop by another", R_OTHER, "8053", "805400001400" },
	};
	struct world *w = with_server(14);

	gag(w, R_DEVICE, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = ask_as(w, rows[i].who, rows[i].ask);

		/* The one row without its end: the time left there is not exact. */
		check_row(rows[i].name, strncmp(text, rows[i].answer, strlen(rows[i].answer)) == 0);
		check_row(rows[i].name, *rows[i].answer || !*text);
	}
	world_free(w);
}

TEST(a_scan_reports_every_device_once)
{
	struct world *w = with_server(15);
	struct device_make make = plain_make(0xE1);
	const char *text;
	unsigned mask = 0;

	make.certificates = true;
	world_add(w, &make);
	make = plain_make(0xE2);
	world_add(w, &make);
	check_str(ask_as(w, R_CLIENT, "8052001e"), "80540001141e");
	for (int i = 0; i < 3; i++) {
		text = next(w, SEC(12));
		check(strncmp(text, "+8055c4", 7) == 0); /* -60 dBm */
		mask |= strstr(text, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee0000") ? 1 : 0;
		mask |= strstr(text, "e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e18001") ? 2 : 0; /* LE */
		mask |= strstr(text, "e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e20000") ? 4 : 0;
	}
	check_int(mask, 7);
	check_str(next(w, SEC(12)), "");
	text = ask_as(w, R_CLIENT, "8051");
	check(strncmp(text, "8054000114", 10) == 0);
	check_str(next(w, SEC(20)), "");
	check_str(ask_as(w, R_CLIENT, "8051"), "805400001400");
	/* Starting again reports them again, as far as the limit goes. */
	check_str(ask_as(w, R_CLIENT, "80520214"), "805400010214");
	check(strncmp(next(w, SEC(12)), "+8055", 5) == 0);
	check(strncmp(next(w, SEC(12)), "+8055", 5) == 0);
	check_str(next(w, SEC(12)), "");
	/* One device only. */
	check_str(ask_as(w, R_CLIENT, "8052000fe2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2"), "80540002140f");
	check_str(next(w, SEC(12)), "+8055c4e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e20000");
	check_str(next(w, SEC(12)), "");
	world_free(w);
}

TEST(a_scan_and_a_link_live_side_by_side)
{
	struct world *w = with_server(16);
	struct device_make make = plain_make(0xE2);

	world_add(w, &make);
	open_link(w);
	check_str(ask_as(w, R_CLIENT, "8052001e"), "80540001141e");
	check_str(next(w, SEC(12)), "+8055c4e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e20000");
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0002");
	world_free(w);
}

TEST(an_extended_scan_ends_in_one_report)
{
	struct world *w = with_server(17);

	check_str(ask_as(w, R_CLIENT,
			 "805601"
			 "09"),
		  "+805700d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0000007094c616d702037");
	check_str(ask_as(w, R_CLIENT,
			 "805601"
			 "24"),
		  "+805700d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d00000");
	w->cursor = w->n_heard;
	say(&w->radios[R_CLIENT], "80560109" UUID_HEX "05");
	say_to(&w->radios[R_OTHER], NODE, DEV_KEY_DEVICE, false, "80560109" UUID_HEX "05");
	check_str(next(w, SEC(3)), "+805703" UUID_HEX);	       /* the other's: one at a time */
	check_str(next(w, SEC(8)), "+805700" UUID_HEX "0000"); /* heard, has no name */
	check_str(next(w, SEC(8)), "");
	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, "80560109" UUID_HEX "03"), "+805700" UUID_HEX);
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(ask_as(w, R_CLIENT, "80560109" UUID_HEX "05"), "+805703" UUID_HEX);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_open_when_idle),
		cmocka_unit_test(link_open_when_opening),
		cmocka_unit_test(link_open_when_active),
		cmocka_unit_test(link_open_when_transferring_or_closing),
		cmocka_unit_test(closing_twice_is_answered_twice),
		cmocka_unit_test(a_link_that_nobody_accepts_is_reported),
		cmocka_unit_test(a_device_that_closes_is_reported_with_its_reason),
		cmocka_unit_test(a_link_without_traffic_is_closed_by_the_server),
		cmocka_unit_test(a_pdu_that_the_device_never_takes_ends_the_link),
		cmocka_unit_test(a_pdu_that_the_server_cannot_hold_ends_the_link),
		cmocka_unit_test(a_report_that_the_client_never_takes_ends_the_link),
		cmocka_unit_test(link_close_obeys_the_owner_only),
		cmocka_unit_test(pdu_send_is_numbered_and_belongs_to_the_owner),
		cmocka_unit_test(samples_of_messages_are_taken_or_dropped),
		cmocka_unit_test(scan_requests_get_their_status),
		cmocka_unit_test(a_scan_reports_every_device_once),
		cmocka_unit_test(a_scan_and_a_link_live_side_by_side),
		cmocka_unit_test(an_extended_scan_ends_in_one_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
