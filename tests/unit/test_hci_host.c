/* SPDX-License-Identifier: Apache-2.0 */
/* The driver against a scripted controller, legacy commands; extended ones have their own file. */
#include "hci_world.h"

TEST(the_set_up_is_reset_masks_address_parameters_scan)
{
	static const uint16_t order[] = {
		HCI_RESET,
		HCI_READ_LOCAL_VERSION,
		HCI_READ_BD_ADDR,
		HCI_SET_EVENT_MASK,
		HCI_LE_READ_LOCAL_FEATURES,
		HCI_LE_SET_EVENT_MASK,
		HCI_LE_SET_RANDOM_ADDRESS,
		HCI_LE_SET_ADV_PARAMETERS,
		HCI_LE_SET_SCAN_PARAMETERS,
		HCI_LE_SET_SCAN_ENABLE,
	};
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	world_start(w);
	check_int(w->ups, 1);
	check_int(w->n_opcodes, ARRAY_LEN(order));
	check_mem(w->opcode, order, sizeof(order));
	check(w->scanning);
	/* passive, the window is the whole interval */
	check_int(w->params[0][0], 0);
	check_mem(w->params[0] + 1, w->params[0] + 3, 2);
	check_int(w->legacy_interval, HCI_ADV_INTERVAL_20_MS);
	check_mem(w->host.address, ((uint8_t[]){ 6, 5, 4, 3, 2, 1 }), 6);
	check_int(w->host.random_address[5] & 0xC0, 0); /* non-resolvable */
	world_free(w);
}

TEST(an_old_controller_gets_100_ms)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	w->version = 8;
	world_start(w);
	check_int(w->ups, 1);
	check_int(w->legacy_interval, HCI_ADV_INTERVAL_100_MS);
	check_int(world_count(w, HCI_LE_SET_ADV_PARAMETERS), 1);
	world_free(w);
}

TEST(a_controller_that_refuses_20_ms_gets_100_ms)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	w->refuse_opcode = HCI_LE_SET_ADV_PARAMETERS;
	w->refuse_status = HCI_UNSUPPORTED_VALUE;
	w->refuse_times = 1;
	world_start(w);
	check_int(w->ups, 1);
	check_int(w->legacy_interval, HCI_ADV_INTERVAL_100_MS);
	world_free(w);
}

TEST(each_transmission_is_enabled_apart_and_keeps_its_interval)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	world_start(w);
	check(world_send(w, BEARER_NETWORK, 0x11, 4, 0));
	check_int(w->n_air, 0); /* never from within */
	world_run(w, SEC(2));
	check_int(w->n_air, 4);
	for (size_t i = 0; i < 4; i++) {
		check_int(w->air[i].len, 3);
		check_mem(w->air[i].data, ((uint8_t[]){ 2, AD_MESH_MESSAGE, 0x11 }), 3);
	}
	for (size_t i = 1; i < 4; i++) {
		check(w->air[i].at - w->air[i - 1].at >= MSEC(30));
		check(w->air[i].at - w->air[i - 1].at <= MSEC(45));
	}
	check(!w->advertising && w->scanning);
	check_int(world_count(w, HCI_LE_SET_ADV_ENABLE), 8);
	check_int(hci_host_counters(&w->host).sent, 4);
	check_int(hci_host_counters(&w->host).waiting, 0);
	world_free(w);
}

TEST(acks_overtake_and_all_classes_get_through)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);
	size_t ack = 0;

	world_start(w);
	for (uint8_t i = 0; i < 20; i++)
		check(world_send(w, BEARER_NETWORK, i, 3, 0));
	world_run(w, MSEC(100));
	check(world_send(w, BEARER_ACK, 0xAA, 1, 0));
	ack = w->n_air;
	world_run(w, MSEC(40));
	while (ack < w->n_air && w->air[ack].data[2] != 0xAA)
		ack++;
	check(ack < w->n_air); /* within two events' time */
	world_run(w, SEC(5));
	check_int(w->n_air, 61);
	world_free(w);
}

TEST(a_full_queue_refuses_and_counts)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	world_start(w);
	for (unsigned i = 0; i < ADVERTISER_MAX; i++)
		check(world_send(w, BEARER_NETWORK, 1, 1, 7));
	check(!world_send(w, BEARER_NETWORK, 1, 1, 7));
	check_int(hci_host_counters(&w->host).refused, 1);
	check_int(hci_host_counters(&w->host).waiting, ADVERTISER_MAX);
	hci_host_cancel(&w->host, 7);
	check_int(hci_host_counters(&w->host).waiting, 0);
	world_run(w, SEC(1));
	check_int(w->n_air, 0);
	world_free(w);
}

TEST(a_controller_that_does_not_send_while_it_scans_gets_pauses)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	w->disallow_while_scanning = true;
	world_start(w);
	check(world_send(w, BEARER_NETWORK, 0x22, 3, 0));
	world_run(w, SEC(1));
	check_int(w->n_air, 3);
	check_int(w->ups, 1); /* no reset for that */
	check(w->scanning);
	check_int(hci_host_counters(&w->host).rejected, 0);
	world_free(w);
}

TEST(a_controller_that_refuses_to_advertise_is_reset_and_then_given_up)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	w->refuse_opcode = HCI_LE_SET_ADV_ENABLE;
	w->refuse_status = 0x1F;
	w->refuse_times = 100000;
	world_start(w);
	for (unsigned i = 0; i < 200 && w->fails == 0; i++) {
		world_send(w, BEARER_NETWORK, 0x22, 3, 0);
		world_run(w, MSEC(200));
	}
	check_int(w->fails, 1);
	check_int(hci_host_counters(&w->host).resets, 3);
	check_str(w->why, "the controller refuses to advertise");
	world_free(w);
}

TEST(commands_wait_for_credits)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	w->no_credit = true; /* each answer gives none; an event of its own gives one */
	world_start(w);
	check_int(w->ups, 1);
	check(world_send(w, BEARER_NETWORK, 0x22, 2, 0));
	world_run(w, SEC(1));
	check_int(w->n_air, 2);
	world_free(w);
}

TEST(no_answer_for_two_seconds_means_reset_and_set_up_again)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	world_start(w);
	w->mute_opcode = HCI_LE_SET_ADV_DATA;
	w->mute_times = 1;
	check(world_send(w, BEARER_NETWORK, 0x22, 2, 0));
	world_run(w, MSEC(1900));
	check_int(w->ups, 1);
	check_int(world_count(w, HCI_RESET), 1);
	world_run(w, MSEC(300));
	check_int(w->ups, 2);
	check_int(world_count(w, HCI_RESET), 2);
	check_int(hci_host_counters(&w->host).timeouts, 1);
	check_int(hci_host_counters(&w->host).resets, 1);
	check_int(w->n_air, 0); /* what waited is dropped, as lost on the air */
	check(world_send(w, BEARER_NETWORK, 0x23, 2, 0));
	world_run(w, SEC(1));
	check_int(w->n_air, 2);
	world_free(w);
}

TEST(no_answer_to_reset_is_the_end)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	w->mute = true;
	world_start(w);
	check_int(w->fails, 0);
	world_run(w, MSEC(1100));
	check_int(w->fails, 1);
	check_str(w->why, "the controller does not answer (command 0x0c03)");
	check(!world_send(w, BEARER_NETWORK, 1, 1, 0));
	world_run(w, SEC(60));
	check_int(w->fails, 1);
	/* opened anew it works */
	w->mute = false;
	world_start(w);
	check_int(w->ups, 1);
	world_free(w);
}

TEST(a_hardware_error_means_reset)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	world_start(w);
	world_event(w, HCI_EV_HARDWARE_ERROR, "\x42", 1);
	check(!world_send(w, BEARER_NETWORK, 1, 1, 0));
	world_run(w, SEC(1));
	check_int(w->ups, 2);
	world_free(w);
}

TEST(a_write_that_fails_is_told_once_and_from_a_timer)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	world_start(w);
	w->write_fails = true;
	check(world_send(w, BEARER_NETWORK, 1, 3, 0));
	check_int(w->fails, 0);
	world_run(w, SEC(10));
	check_int(w->fails, 1);
	check_str(w->why, "the adapter is gone");
	world_free(w);
}

TEST(a_controller_without_low_energy_says_so)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	w->refuse_opcode = HCI_LE_READ_LOCAL_FEATURES;
	w->refuse_status = HCI_UNKNOWN_COMMAND;
	w->refuse_times = 1;
	world_start(w);
	check_int(w->fails, 1);
	check_str(w->why, "the controller has no Bluetooth Low Energy: use another adapter");
	world_free(w);
}

TEST(optional_commands_may_be_refused)
{
	static const uint16_t optional[] = { HCI_READ_LOCAL_VERSION, HCI_READ_BD_ADDR,
					     HCI_SET_EVENT_MASK, HCI_LE_SET_EVENT_MASK };

	for (size_t i = 0; i < ARRAY_LEN(optional); i++) {
		struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

		w->refuse_opcode = optional[i];
		w->refuse_status = HCI_UNKNOWN_COMMAND;
		w->refuse_times = 1;
		world_start(w);
		check_int(w->ups, 1);
		world_free(w);
	}
}

TEST(reports_are_heard_once_up_both_kinds)
{
	static const uint8_t legacy[] = { 2, 1, 3, 1, 1, 2, 3, 4, 5, 6, 3, 2, 0x2A, 0x77, 0xC5 };
	static const uint8_t ext[] = { 0x0D, 1, 0x10, 0, 1, 1, 2, 3, 4, 5, 6, 1, 0,    0xFF, 0x7F,
				       0xC5, 0, 0,    0, 0, 0, 0, 0, 0, 0, 3, 2, 0x2B, 0x00 };
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	hci_host_start(&w->host);
	world_event(w, HCI_EV_LE_META, legacy, sizeof(legacy));
	check_int(w->heard, 0);
	world_run(w, SEC(1));
	world_event(w, HCI_EV_LE_META, legacy, sizeof(legacy));
	check_int(w->heard, 1);
	check_mem(w->last_data, ((uint8_t[]){ 2, 0x2A, 0x77 }), 3);
	world_event(w, HCI_EV_LE_META, ext, sizeof(ext));
	check_int(w->heard, 2);
	check_mem(w->last_data, ((uint8_t[]){ 2, 0x2B, 0x00 }), 3);
	check_int(hci_host_counters(&w->host).reports.mesh, 2);
	check_int(hci_host_counters(&w->host).reports.malformed, 0);
	world_free(w);
}

TEST(malformed_packets_are_counted_and_change_nothing)
{
	static const struct {
		const char *name, *packet;
	} rows[] = {
		{ "empty", "" },
		{ "type alone", "04" },
		{ "no length", "040e" },
		{ "longer than it says", "040e0401030c0000" },
		{ "shorter than it says", "040e0a01030c00" },
		{ "ACL data", "02010000" },
		{ "Command Complete without opcode", "040e0101" },
		{ "Command Complete without status", "040e0301030c" },
		{ "Command Status cut", "040f03000103" },
		{ "Command Status too long", "040f050c01030c00" },
		{ "LE Meta without subevent", "043e00" },
		{ "Set Terminated cut", "043e03124300" },
	};
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	world_start(w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t packet[32];
		int n = hex_parse(rows[i].packet, packet, sizeof(packet));

		hci_host_feed(&w->host, bytes_of(packet, (size_t)n));
		check_row(rows[i].name, hci_host_counters(&w->host).malformed == i + 1);
	}
	check(world_send(w, BEARER_NETWORK, 1, 2, 0));
	world_run(w, SEC(1));
	check_int(w->n_air, 2);
	check_int(w->ups, 1);
	world_free(w);
}

TEST(answers_that_nobody_asked_for_change_nothing)
{
	struct hci_world *w = world_new(HCI_ADVERTISING_AUTO);

	world_start(w);
	world_complete(w, HCI_RESET, 1, (uint8_t[]){ 0 }, 1);
	world_complete(w, HCI_LE_SET_ADV_ENABLE, 1, (uint8_t[]){ 0 }, 1);
	world_event(w, HCI_EV_COMMAND_STATUS, (uint8_t[]){ 0x0C, 1, 0x0A, 0x20 }, 4);
	world_event(w, HCI_EV_LE_META, (uint8_t[]){ 0x12, 0x43, 0xFF, 0, 0, 1 }, 6);
	world_event(w, 0x13, (uint8_t[]){ 1, 2, 3 }, 3);
	world_run(w, SEC(1));
	check_int(w->ups, 1);
	check_int(w->n_opcodes, 10);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_set_up_is_reset_masks_address_parameters_scan),
		cmocka_unit_test(an_old_controller_gets_100_ms),
		cmocka_unit_test(a_controller_that_refuses_20_ms_gets_100_ms),
		cmocka_unit_test(each_transmission_is_enabled_apart_and_keeps_its_interval),
		cmocka_unit_test(acks_overtake_and_all_classes_get_through),
		cmocka_unit_test(a_full_queue_refuses_and_counts),
		cmocka_unit_test(a_controller_that_does_not_send_while_it_scans_gets_pauses),
		cmocka_unit_test(a_controller_that_refuses_to_advertise_is_reset_and_then_given_up),
		cmocka_unit_test(commands_wait_for_credits),
		cmocka_unit_test(no_answer_for_two_seconds_means_reset_and_set_up_again),
		cmocka_unit_test(no_answer_to_reset_is_the_end),
		cmocka_unit_test(a_hardware_error_means_reset),
		cmocka_unit_test(a_write_that_fails_is_told_once_and_from_a_timer),
		cmocka_unit_test(a_controller_without_low_energy_says_so),
		cmocka_unit_test(optional_commands_may_be_refused),
		cmocka_unit_test(reports_are_heard_once_up_both_kinds),
		cmocka_unit_test(malformed_packets_are_counted_and_change_nothing),
		cmocka_unit_test(answers_that_nobody_asked_for_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
