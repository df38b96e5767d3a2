/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "check.h"
#include "pb_remote_world.h"

TEST(a_link_opens_carries_pdus_both_ways_and_closes)
{
	struct world *w = world_new(1);

	world_open(w);
	check_str(w->log, "");
	world_run(w, SEC(60));
	check_str(w->log, "opened sent 81 sent 82 closed");
	check_int(w->end, CARRIER_CLOSED);
	check_int(w->rpr.state, RPR_LINK_IDLE);
	check_int(w->rpr.n_seen, 2);
	check(pb_remote_latency(w->c) >= w->rpr.transfer_delay);
	check(pb_remote_latency(w->c) < w->rpr.transfer_delay + SEC(1));
	check(w->ended - w->started < SEC(3));
	world_free(w);
}

TEST(an_active_link_report_before_the_status_opens)
{
	struct world *w = world_new(1);

	w->pdus = 0;
	w->nobody_closes = true;
	w->rpr.mute = true; /* the test speaks for the server */
	world_open(w);
	world_run(w, MSEC(100));
	w->rpr.mute = false;
	fake_rpr_say(&w->rpr, OP_RPR_LINK_REPORT, true, (const uint8_t[]){ 0, 2 }, 2);
	world_run(w, MSEC(100));
	check_str(w->log, "opened");
	fake_rpr_say(&w->rpr, OP_RPR_LINK_STATUS, false, (const uint8_t[]){ 0, 1 }, 2);
	fake_rpr_say(&w->rpr, OP_RPR_LINK_STATUS, false, (const uint8_t[]){ 4, 2 }, 2);
	world_run(w, SEC(30)); /* and neither a late status nor somebody else's refusal disturbs */
	check_str(w->log, "opened");
	check_int(w->access.sent[OP_RPR_LINK_OPEN & 0xFF], 1);
	world_free(w);
}

TEST(a_device_that_does_not_answer_fails_the_opening)
{
	for (int lost = 0; lost < 2; lost++) {
		for (int bluez = 0; bluez < 2; bluez++) {
			static const struct world_loss report = { "", false, OP_RPR_LINK_REPORT,
								  1,  99,    FAKE_LOSE,
								  0 };
			struct world *w = world_new(1);

			w->rpr.dead = true;
			w->rpr.bluez = bluez;
			w->loss = &report;
			w->access.fate = lost ? world_fate_by_loss : NULL;
			world_open(w);
			world_run(w, SEC(60));
			check_str(w->log, "closed");
			check_int(w->end, CARRIER_OPEN_FAILED);
			check_int(w->rpr.state, RPR_LINK_IDLE);
			check(w->ended - w->started < SEC(20));
			world_free(w);
		}
	}
}

TEST(the_server_is_not_told_our_patience_with_an_opening)
{
	struct world *w = world_new(1);

	world_carrier(w, &(struct pb_remote_options){ .open_timeout = 6 });
	world_open(w);
	world_run(w, SEC(60));
	check_str(w->log, "opened sent 81 sent 82 closed");
	world_free(w);
}

TEST(a_silent_server_is_lost_at_every_point)
{
	/* opening, open, PDU on its way, closing */
	static const struct {
		uint64_t at;
		const char *log;
		enum carrier_end end;
	} rows[] = {
		{ 0, "closed", CARRIER_SERVER_LOST },
		{ MSEC(80), "closed", CARRIER_SERVER_LOST },
		{ MSEC(300), "opened closed", CARRIER_SERVER_LOST },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(1);

		world_open(w);
		world_run(w, rows[i].at);
		w->rpr.mute = true;
		world_run(w, SEC(120));
		check_str(w->log, rows[i].log);
		check_int(w->end, rows[i].end);
		check(w->ended - w->started < SEC(60));
		world_free(w);
	}
}

TEST(closing_a_silent_server_ends_closed_all_the_same)
{
	struct world *w = world_new(1);

	w->nobody_closes = true;
	world_open(w);
	world_run(w, SEC(3));
	check_str(w->log, "opened sent 81 sent 82");
	w->rpr.mute = true;
	world_close(w, PROV_CLOSE_SUCCESS);
	world_close(w, PROV_CLOSE_FAIL); /* once more changes nothing */
	check_str(w->log, "opened sent 81 sent 82");
	world_run(w, SEC(60));
	check_str(w->log, "opened sent 81 sent 82 closed");
	check_int(w->end, CARRIER_CLOSED);
	check_int(w->access.sent[OP_RPR_LINK_CLOSE & 0xFF], 3);
	check(w->ended - w->started < SEC(20));
	world_free(w);
}

TEST(closing_while_opening_cancels)
{
	for (unsigned ms = 0; ms < 260; ms += 20) {
		struct world *w = world_new(1);

		world_open(w);
		world_run(w, MSEC(ms));
		if (!w->opened)
			world_close(w, PROV_CLOSE_FAIL);
		world_run(w, SEC(60));
		check_int(w->closed, 1);
		check_int(w->end, CARRIER_CLOSED);
		check_int(w->rpr.state, RPR_LINK_IDLE);
		world_free(w);
	}
}

static const uint8_t other_uuid[UUID_LEN] = { 0xB0 };

/* A link of another device is on the server. */
static void put_link(struct world *w, enum rpr_link_state state)
{
	w->rpr.state = state;
	memcpy(w->rpr.uuid, other_uuid, UUID_LEN);
	w->rpr.out_count = 7;
}

TEST(our_own_stale_link_is_cleared_and_the_new_one_opens)
{
	static const enum rpr_link_state states[] = { RPR_LINK_OPENING, RPR_LINK_ACTIVE,
						      RPR_LINK_TRANSFER, RPR_LINK_CLOSING };

	for (size_t i = 0; i < 2 * ARRAY_LEN(states); i++) {
		struct world *w = world_new(1);

		w->rpr.bluez = i >= ARRAY_LEN(states);
		put_link(w, states[i % ARRAY_LEN(states)]);
		world_open(w);
		world_run(w, SEC(60));
		check_str(w->log, "opened sent 81 sent 82 closed");
		check_int(w->end, CARRIER_CLOSED);
		check(w->ended - w->started < SEC(20));
		world_free(w);
	}
}

TEST(another_clients_link_is_left_alone_and_means_busy)
{
	for (int bluez = 0; bluez < 2; bluez++) {
		struct world *w = world_new(1);

		w->rpr.bluez = bluez;
		w->rpr.foreign = true;
		put_link(w, RPR_LINK_ACTIVE);
		world_open(w);
		world_run(w, SEC(120));
		check_str(w->log, "closed");
		check_int(w->end, CARRIER_BUSY);
		check_int(w->rpr.state, RPR_LINK_ACTIVE);
		world_free(w);
	}
}

TEST(no_key_and_full_queues_end_the_opening)
{
	static const struct {
		enum access_result r;
		enum carrier_end end;
	} rows[] = { { ACCESS_NO_KEY, CARRIER_SERVER_LOST }, { ACCESS_FULL, CARRIER_BUSY } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(1);

		w->access.refuse = rows[i].r;
		world_open(w);
		world_run(w, SEC(60));
		check_str(w->log, "closed");
		check_int(w->end, rows[i].end);
		world_free(w);
	}
}

TEST(the_device_closing_loses_the_link_in_either_dialect)
{
	for (int bluez = 0; bluez < 2; bluez++) {
		struct world *w = world_new(1);

		w->rpr.bluez = bluez;
		w->rpr.device_closes_at = 2;
		world_open(w);
		world_run(w, SEC(60));
		check_str(w->log, "opened sent 81 closed");
		check_int(w->end, CARRIER_LOST);
		check_int(w->rpr.state, RPR_LINK_IDLE); /* BlueZ's was cleared */
		world_free(w);
	}
}

/* The reports of 4.3.4.1.4, octet by octet. */
TEST(every_link_report_that_says_over_ends_the_link)
{
	static const struct {
		const char *name;
		uint8_t p[3];
		size_t n;
		bool over;
	} rows[] = {
		{ "active again", { 0, 2 }, 2, false },
		{ "transfer", { 0, 3 }, 2, false },
		{ "success, idle", { 0, 0 }, 2, true },
		{ "success, closing", { 0, 4 }, 2, true },
		{ "open failed", { 5, 0 }, 2, true },
		{ "closed by device", { 6, 0, 2 }, 3, true },
		{ "closed by server", { 7, 0, 0x55 }, 3, true },
		{ "closed by client", { 8, 0 }, 2, true },
		{ "cannot receive", { 9, 0 }, 2, true },
		{ "cannot send", { 10, 0 }, 2, true },
		{ "cannot deliver", { 11, 0 }, 2, true },
		{ "old header", { 12, 0 }, 2, true },
		{ "status alone", { 9, 2 }, 2, true },
		{ "BlueZ", { 4, 2 }, 2, true },
		{ "too short", { 6 }, 1, false },
		{ "too long", { 6, 0, 2 }, 4, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(1);
		uint8_t p[4] = { 0 };

		memcpy(p, rows[i].p, sizeof(rows[i].p));
		w->nobody_closes = true;
		world_open(w);
		world_run(w, SEC(3));
		fake_rpr_say(&w->rpr, OP_RPR_LINK_REPORT, true, p, rows[i].n);
		world_run(w, SEC(20));
		check_row(rows[i].name, w->closed == rows[i].over);
		check_row(rows[i].name, !rows[i].over || w->end == CARRIER_LOST);
		world_free(w);
	}
}

TEST(an_answer_that_overtakes_the_report_is_told_after_sent)
{
	struct world *w = world_new(1);

	w->rpr.answer_first = true;
	world_open(w);
	world_run(w, SEC(60));
	check_str(w->log, "opened sent 81 sent 82 closed");
	world_free(w);
}

static enum fake_fate lose_outbound_reports(void *ctx, bool outgoing, uint32_t opcode, unsigned nth)
{
	return opcode == OP_RPR_PDU_OUTBOUND_REPORT ? FAKE_LOSE : FAKE_DELIVER;
}

TEST(an_answer_stands_for_a_lost_report_once_the_server_is_active)
{
	struct world *w = world_new(1);

	w->access.fate = lose_outbound_reports;
	world_open(w);
	world_run(w, SEC(120));
	check_str(w->log, "opened sent 81 sent 82 closed");
	check_int(w->access.sent[OP_RPR_PDU_SEND & 0xFF], 2);
	check(w->ended - w->started < SEC(15)); /* no waiting for 15 s, twice */
	world_free(w);
}

TEST(a_pdu_without_answer_whose_report_is_lost_is_not_sent_again)
{
	struct world *w = world_new(1);

	w->rpr.no_answer = true;
	w->rpr.bluez = true;
	w->access.fate = lose_outbound_reports;
	world_open(w);
	world_run(w, SEC(120));
	check_str(w->log, "opened sent sent closed");
	check_int(w->rpr.n_seen, 2);
	world_free(w);
}

TEST(an_answer_before_the_end_of_the_link_is_still_told)
{
	struct world *w = world_new(1);

	w->pdus = 1;
	w->rpr.answer_first = true;
	w->access.fate = lose_outbound_reports;
	world_open(w);
	world_run(w, MSEC(550));
	check_str(w->log, "opened");
	fake_rpr_device_close(&w->rpr);
	world_run(w, MSEC(100));
	check_str(w->log, "opened sent 81 closed");
	check_int(w->end, CARRIER_LOST);
	world_free(w);
}

TEST(a_stuck_transfer_is_closed_after_35_seconds)
{
	struct world *w = world_new(1);

	w->rpr.stuck = true;
	world_open(w);
	world_run(w, SEC(30));
	check_str(w->log, "opened");
	world_run(w, SEC(60));
	check_str(w->log, "opened closed");
	check_int(w->end, CARRIER_LOST);
	check(w->ended - w->started >= SEC(35) && w->ended - w->started < SEC(45));
	check_int(w->access.sent[OP_RPR_PDU_SEND & 0xFF], 1);
	world_free(w);
}

TEST(a_missing_pdu_report_closes_the_link)
{
	static const struct world_loss first = { "", false, OP_RPR_PDU_REPORT, 1, 1, FAKE_LOSE, 0 };
	struct world *w = world_new(1);

	w->rpr.answers_twice_at = 1;
	w->loss = &first;
	w->access.fate = world_fate_by_loss;
	world_open(w);
	world_run(w, SEC(60));
	check_str(w->log, "opened sent closed");
	check_int(w->end, CARRIER_PROTOCOL);
	check_int(w->rpr.state, RPR_LINK_IDLE);
	world_free(w);
}

TEST(numbers_that_nobody_sent_close_the_link)
{
	static const uint8_t numbers[] = { 0, 1, 3, 9, 255 };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct world *w = world_new(1);
		bool fine = numbers[i] == 1; /* of two sent, that one is only late */

		w->nobody_closes = true;
		world_open(w);
		world_run(w, SEC(3));
		fake_rpr_say(&w->rpr, OP_RPR_PDU_OUTBOUND_REPORT, true, &numbers[i], 1);
		world_run(w, SEC(20));
		check_int(w->closed, !fine);
		check(fine || w->end == CARRIER_PROTOCOL);
		world_free(w);
	}
}

TEST(a_link_ends_before_its_numbers_wrap)
{
	struct world *w = world_new(1);

	w->pdus = 300;
	w->log[0] = 'x'; /* the line is too short for this one: words are cut */
	world_open(w);
	world_run(w, SEC(600));
	check_int(w->sent, 255);
	check_int(w->received, 255);
	check_int(w->closed, 1);
	check_int(w->end, CARRIER_PROTOCOL);
	world_free(w);
}

TEST(a_carrier_serves_one_link_after_another)
{
	struct world *w = world_new(1);

	for (int i = 0; i < 3; i++) {
		w->log[0] = '\0';
		w->sent = w->received = w->closed = 0;
		world_open(w);
		world_run(w, SEC(60));
		check_str(w->log, "opened sent 81 sent 82 closed");
	}
	check_int(w->rpr.n_seen, 6);
	check_int(w->access.sent[OP_RPR_LINK_OPEN & 0xFF], 3); /* the server was idle each time */
	world_free(w);
}

TEST(the_owner_may_free_it_in_closed_or_at_any_time)
{
	struct world *w = world_new(1);

	w->free_in_closed = true;
	world_open(w);
	world_run(w, SEC(60));
	check(!w->c);
	check_int(w->closed, 1);
	world_free(w);
	for (unsigned ms = 0; ms < 1500; ms += 37) {
		w = world_new(ms + 1);
		world_open(w);
		world_run(w, MSEC(ms));
		pb_remote_free(w->c); /* abandoned: nothing is told, nothing dangles */
		w->c = NULL;
		w->closed = 1; /* from here every word is a failure */
		world_run(w, SEC(60));
		world_free(w);
	}
}

TEST(messages_of_others_or_under_other_keys_are_ignored)
{
	static const struct access_message rows[] = {
		{ .src = 0x0011, .app_index = ACCESS_DEVICE_KEY },
		{ .src = FAKE_SERVER, .app_index = 0 },
		{ .src = FAKE_SERVER, .app_index = ACCESS_OWN_DEVICE_KEY },
		{ .src = FAKE_SERVER, .app_index = ACCESS_DEVICE_KEY, .net_index = 1 },
	};
	struct world *w = world_new(1);

	w->nobody_closes = true;
	world_open(w);
	world_run(w, SEC(3));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct access_message m = rows[i];

		m.opcode = OP_RPR_LINK_REPORT;
		m.params = bytes_of((const uint8_t[]){ 6, 0, 2 }, 3);
		fake_access_hear(&w->access, &m);
		m.opcode = OP_RPR_PDU_REPORT;
		m.params = bytes_of((const uint8_t[]){ 3, 0x99, 0 }, 3);
		fake_access_hear(&w->access, &m);
		m.opcode = OP_RPR_PDU_OUTBOUND_REPORT;
		m.params = bytes_of((const uint8_t[]){ 77 }, 1);
		fake_access_hear(&w->access, &m);
	}
	world_run(w, SEC(20));
	check_str(w->log, "opened sent 81 sent 82");
	world_free(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_opens_carries_pdus_both_ways_and_closes),
		cmocka_unit_test(an_active_link_report_before_the_status_opens),
		cmocka_unit_test(a_device_that_does_not_answer_fails_the_opening),
		cmocka_unit_test(the_server_is_not_told_our_patience_with_an_opening),
		cmocka_unit_test(a_silent_server_is_lost_at_every_point),
		cmocka_unit_test(closing_a_silent_server_ends_closed_all_the_same),
		cmocka_unit_test(closing_while_opening_cancels),
		cmocka_unit_test(our_own_stale_link_is_cleared_and_the_new_one_opens),
		cmocka_unit_test(another_clients_link_is_left_alone_and_means_busy),
		cmocka_unit_test(no_key_and_full_queues_end_the_opening),
		cmocka_unit_test(the_device_closing_loses_the_link_in_either_dialect),
		cmocka_unit_test(every_link_report_that_says_over_ends_the_link),
		cmocka_unit_test(an_answer_that_overtakes_the_report_is_told_after_sent),
		cmocka_unit_test(an_answer_stands_for_a_lost_report_once_the_server_is_active),
		cmocka_unit_test(a_pdu_without_answer_whose_report_is_lost_is_not_sent_again),
		cmocka_unit_test(an_answer_before_the_end_of_the_link_is_still_told),
		cmocka_unit_test(a_stuck_transfer_is_closed_after_35_seconds),
		cmocka_unit_test(a_missing_pdu_report_closes_the_link),
		cmocka_unit_test(numbers_that_nobody_sent_close_the_link),
		cmocka_unit_test(a_link_ends_before_its_numbers_wrap),
		cmocka_unit_test(a_carrier_serves_one_link_after_another),
		cmocka_unit_test(the_owner_may_free_it_in_closed_or_at_any_time),
		cmocka_unit_test(messages_of_others_or_under_other_keys_are_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
