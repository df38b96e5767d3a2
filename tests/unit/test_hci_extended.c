/* SPDX-License-Identifier: Apache-2.0 */
/* The driver against a scripted controller that has the extended advertising commands. */
#include "hci_world.h"

static struct hci_world *extended_world(enum hci_advertising advertising)
{
	struct hci_world *w = world_new(advertising);

	w->has_extended = true;
	return w;
}

TEST(all_sets_are_prepared_and_one_family_is_used)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

	world_start(w);
	check_int(w->ups, 1);
	check(w->host.extended && w->scanning);
	check_int(world_count(w, HCI_LE_SET_EXT_ADV_PARAMETERS), 4);
	check_int(world_count(w, HCI_LE_SET_ADV_SET_RANDOM_ADDRESS), 4);
	check_int(world_count(w, HCI_LE_SET_EXT_SCAN_ENABLE), 1);
	for (uint16_t legacy = HCI_LE_SET_ADV_PARAMETERS; legacy <= HCI_LE_SET_SCAN_ENABLE;
	     legacy++)
		check_int(world_count(w, legacy), 0);
	/* legacy PDU, neither connectable nor scannable; three channels; random address */
	check_mem(w->params[1] + 1, ((uint8_t[]){ 0x10, 0x00 }), 2);
	check_int(w->params[1][9], 0x07);
	check_int(w->params[1][10], 0x01);
	world_free(w);
}

TEST(the_controller_counts_and_keeps_the_interval)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

	world_start(w);
	check(world_send(w, BEARER_NETWORK, 0x11, 3, 0));
	world_run(w, SEC(1));
	check_int(w->n_air, 1);
	check_int(w->air[0].events, 3);
	check_int(w->air[0].interval, 48); /* 30 ms */
	check_mem(w->air[0].data, ((uint8_t[]){ 2, AD_MESH_MESSAGE, 0x11 }), 3);
	check_int(hci_host_counters(&w->host).sent, 3);
	/* the set's parameters stay: the next one of this kind needs two commands */
	check_int(world_count(w, HCI_LE_SET_EXT_ADV_PARAMETERS), 5);
	check(world_send(w, BEARER_NETWORK, 0x12, 3, 0));
	world_run(w, SEC(1));
	check_int(world_count(w, HCI_LE_SET_EXT_ADV_PARAMETERS), 5);
	check_int(w->n_air, 2);
	world_free(w);
}

TEST(sets_work_side_by_side_and_the_last_is_for_acks)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

	world_start(w);
	for (uint8_t i = 0; i < 30; i++)
		check(world_send(w, BEARER_NETWORK, i, 5, 0));
	world_run(w, MSEC(100));
	check_int(w->side_by_side, 3);
	check(world_send(w, BEARER_ACK, 0xAA, 1, 0));
	world_run(w, MSEC(10));
	check_int(w->air[w->n_air - 1].data[2], 0xAA);
	check_int(w->most_side_by_side, 4);
	world_run(w, SEC(10));
	check_int(w->n_air, 31);
	check_int(hci_host_counters(&w->host).waiting, 0);
	world_free(w);
}

TEST(one_set_alone_serves_all)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

	w->n_sets = 1;
	world_start(w);
	for (uint8_t i = 0; i < 5; i++)
		check(world_send(w, i == 4 ? BEARER_ACK : BEARER_NETWORK, i, 2, 0));
	world_run(w, SEC(3));
	check_int(w->n_air, 5);
	world_free(w);
}

TEST(cancel_ends_what_is_on_the_air)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

	world_start(w);
	check(world_send(w, BEARER_NETWORK, 1, 200, 5));
	check(world_send(w, BEARER_NETWORK, 2, 200, 6));
	world_run(w, MSEC(50));
	check_int(w->side_by_side, 2);
	hci_host_cancel(&w->host, 5);
	world_run(w, MSEC(10));
	check_int(w->side_by_side, 1);
	check(world_send(w, BEARER_NETWORK, 3, 1, 0));
	world_run(w, MSEC(10));
	check_int(w->n_air, 3);
	world_free(w);
}

TEST(cancel_right_after_the_start_ends_it_as_well)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

	world_start(w);
	check(world_send(w, BEARER_NETWORK, 1, 200, 5));
	world_run(w, 0); /* its commands are on their way */
	hci_host_cancel(&w->host, 5);
	world_run(w, MSEC(20));
	check_int(w->side_by_side, 0);
	for (uint8_t i = 0; i < 8; i++)
		check(world_send(w, BEARER_NETWORK, i, 1, 0));
	world_run(w, SEC(1));
	check_int(w->n_air, 9);
	world_free(w);
}

TEST(a_controller_that_never_ends_a_set_is_driven_by_legacy_commands)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

	w->never_ends = true;
	world_start(w);
	check_int(w->ups, 1);
	check(!w->host.extended);
	check_int(world_count(w, HCI_RESET), 2);
	check_int(hci_host_counters(&w->host).resets, 0); /* a way to work, not a fault */
	check(world_send(w, BEARER_NETWORK, 1, 2, 0));
	world_run(w, SEC(1));
	check_int(w->n_air, 2);
	check_int(world_count(w, HCI_LE_SET_ADV_ENABLE), 4);
	world_free(w);
}

TEST(one_that_stops_ending_sets_later_is_noticed)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

	world_start(w);
	check(w->host.extended);
	w->never_ends = true;
	for (uint8_t i = 0; i < 3; i++)
		check(world_send(w, BEARER_NETWORK, i, 2, 0));
	world_run(w, SEC(10));
	check(!w->host.extended);
	check_int(w->ups, 2);
	check(world_send(w, BEARER_NETWORK, 9, 1, 0));
	world_run(w, SEC(1));
	check_int(w->air[w->n_air - 1].data[2], 9);
	check_int(w->fails, 0);
	world_free(w);
}

TEST(a_refusal_in_the_extended_set_up_means_legacy)
{
	static const uint16_t refused[] = {
		HCI_LE_READ_NUMBER_OF_ADV_SETS,	   HCI_LE_SET_EXT_ADV_PARAMETERS,
		HCI_LE_SET_ADV_SET_RANDOM_ADDRESS, HCI_LE_SET_EXT_ADV_DATA,
		HCI_LE_SET_EXT_ADV_ENABLE,	   HCI_LE_SET_EXT_SCAN_PARAMETERS,
		HCI_LE_SET_EXT_SCAN_ENABLE,
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct hci_world *w = extended_world(HCI_ADVERTISING_AUTO);

		w->refuse_opcode = refused[i];
		w->refuse_status = HCI_COMMAND_DISALLOWED;
		w->refuse_times = 100;
		world_start(w);
		check_int(w->ups, 1);
		check(!w->host.extended && w->scanning);
		world_free(w);
	}
}

TEST(legacy_can_be_asked_for)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_LEGACY);

	world_start(w);
	check_int(w->ups, 1);
	check(!w->host.extended);
	check_int(world_count(w, HCI_RESET), 1);
	world_free(w);
}

TEST(extended_can_be_insisted_on_and_then_fails)
{
	struct hci_world *w = extended_world(HCI_ADVERTISING_EXTENDED);

	w->never_ends = true;
	world_start(w);
	world_run(w, SEC(10));
	check_int(w->ups, 0);
	check_int(w->fails, 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sets_are_prepared_and_one_family_is_used),
		cmocka_unit_test(the_controller_counts_and_keeps_the_interval),
		cmocka_unit_test(sets_work_side_by_side_and_the_last_is_for_acks),
		cmocka_unit_test(one_set_alone_serves_all),
		cmocka_unit_test(cancel_ends_what_is_on_the_air),
		cmocka_unit_test(cancel_right_after_the_start_ends_it_as_well),
		cmocka_unit_test(a_controller_that_never_ends_a_set_is_driven_by_legacy_commands),
		cmocka_unit_test(one_that_stops_ending_sets_later_is_noticed),
		cmocka_unit_test(a_refusal_in_the_extended_set_up_means_legacy),
		cmocka_unit_test(legacy_can_be_asked_for),
		cmocka_unit_test(extended_can_be_insisted_on_and_then_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
