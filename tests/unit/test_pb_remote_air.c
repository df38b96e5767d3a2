/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "check.h"
#include "pb_remote_world.h"

TEST(what_one_message_loses_is_repaired)
{
	static const struct world_loss rows[] = {
		{ "first Link Open", true, OP_RPR_LINK_OPEN, 1, 1, FAKE_LOSE, 20 },
		{ "two Link Opens", true, OP_RPR_LINK_OPEN, 1, 2, FAKE_LOSE, 30 },
		{ "ack of Link Open", true, OP_RPR_LINK_OPEN, 1, 1, FAKE_LOSE_ACK, 20 },
		{ "first Link Status", false, OP_RPR_LINK_STATUS, 1, 1, FAKE_LOSE, 20 },
		{ "Link Status for ever", false, OP_RPR_LINK_STATUS, 1, 99, FAKE_LOSE, 30 },
		{ "Link Status twice", false, OP_RPR_LINK_STATUS, 1, 99, FAKE_DOUBLE, 10 },
		{ "Link Report Active", false, OP_RPR_LINK_REPORT, 1, 1, FAKE_LOSE, 30 },
		{ "Link Report twice", false, OP_RPR_LINK_REPORT, 1, 9, FAKE_DOUBLE, 10 },
		{ "Link Report Closed", false, OP_RPR_LINK_REPORT, 2, 2, FAKE_LOSE, 10 },
		{ "first PDU Send", true, OP_RPR_PDU_SEND, 1, 1, FAKE_LOSE, 20 },
		{ "its ack", true, OP_RPR_PDU_SEND, 1, 1, FAKE_LOSE_ACK, 20 },
		{ "two PDU Sends", true, OP_RPR_PDU_SEND, 2, 3, FAKE_LOSE, 30 },
		{ "PDU Send twice", true, OP_RPR_PDU_SEND, 1, 9, FAKE_DOUBLE, 10 },
		{ "Outbound Report", false, OP_RPR_PDU_OUTBOUND_REPORT, 1, 1, FAKE_LOSE, 30 },
		{ "all Outbound Reports", false, OP_RPR_PDU_OUTBOUND_REPORT, 1, 99, FAKE_LOSE, 50 },
		{ "Outbound Report twice", false, OP_RPR_PDU_OUTBOUND_REPORT, 1, 9, FAKE_DOUBLE,
		  10 },
		{ "PDU Report twice", false, OP_RPR_PDU_REPORT, 1, 9, FAKE_DOUBLE, 10 },
		{ "first Link Close", true, OP_RPR_LINK_CLOSE, 1, 1, FAKE_LOSE, 20 },
		{ "Link Close twice", true, OP_RPR_LINK_CLOSE, 1, 1, FAKE_DOUBLE, 10 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(1);

		w->loss = &rows[i];
		w->access.fate = world_fate_by_loss;
		world_open(w);
		world_run(w, SEC(120));
		check_row(rows[i].name, strcmp(w->log, "opened sent 81 sent 82 closed") == 0);
		check_row(rows[i].name, w->end == CARRIER_CLOSED);
		check_row(rows[i].name, w->ended - w->started <= SEC(rows[i].max_s));
		check_row(rows[i].name, w->rpr.n_seen == 2 && w->rpr.state == RPR_LINK_IDLE);
		world_free(w);
	}
}

TEST(hostile_parameters_never_crash)
{
	static const uint32_t opcodes[] = { OP_RPR_LINK_REPORT, OP_RPR_PDU_OUTBOUND_REPORT,
					    OP_RPR_PDU_REPORT, OP_RPR_LINK_STATUS };

	for (unsigned seed = 1; seed <= 200; seed++) {
		struct world *w = world_new(seed);

		world_open(w);
		for (int i = 0; i < 60 && !w->closed; i++) {
			uint8_t p[ACCESS_MAX];
			size_t n = fake_access_random(&w->access, 5) == 0
					   ? fake_access_random(&w->access, 378)
					   : fake_access_random(&w->access, 5);

			for (size_t k = 0; k < n; k++)
				p[k] = (uint8_t)fake_access_random(&w->access, k < 2 ? 5 : 256);
			struct access_message m = {
				.src = FAKE_SERVER,
				.app_index = ACCESS_DEVICE_KEY,
				.opcode = opcodes[fake_access_random(&w->access, 4)],
				.params = bytes_of(p, n),
			};
			fake_access_hear(&w->access, &m);
			world_run(w, MSEC(fake_access_random(&w->access, 400)));
		}
		if (!w->closed)
			world_close(w, PROV_CLOSE_FAIL);
		world_run(w, SEC(120));
		check_int(w->closed, 1);
		world_free(w);
	}
}

TEST(malformed_reports_are_counted_and_leave_the_link_alone)
{
	static const struct {
		const char *name;
		uint32_t opcode;
		size_t len;
	} rows[] = {
		{ "Link Report without a state", OP_RPR_LINK_REPORT, 1 },
		{ "Link Report with an octet too many", OP_RPR_LINK_REPORT, 4 },
		{ "Outbound Report without a number", OP_RPR_PDU_OUTBOUND_REPORT, 0 },
		{ "Outbound Report with an octet too many", OP_RPR_PDU_OUTBOUND_REPORT, 2 },
		{ "PDU Report without a PDU", OP_RPR_PDU_REPORT, 1 },
	};
	static const uint8_t zeros[4] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct access_message m = { .src = FAKE_SERVER,
					    .app_index = ACCESS_DEVICE_KEY,
					    .opcode = rows[i].opcode,
					    .params = bytes_of(zeros, rows[i].len) };
		struct world *w = world_new(1);

		w->nobody_closes = true;
		world_open(w);
		world_run(w, SEC(3));
		check_row(rows[i].name, w->opened == 1 && w->access.malformed == 0);
		fake_access_hear(&w->access, &m);
		world_run(w, MSEC(100));
		check_row(rows[i].name, w->access.malformed == 1 && !w->closed);
		world_close(w, PROV_CLOSE_FAIL);
		world_run(w, SEC(60));
		world_free(w);
	}
}

/* Whole sessions on bad air. The owner gives up after 60 s without news, as a provisioner does. */
static void bad_air(uint64_t seed, bool bluez, unsigned *complete)
{
	struct world *w = world_new(seed);
	unsigned news = 0;

	w->pdus = 6;
	w->rpr.bluez = bluez;
	w->rpr.answer_first = seed % 3 == 0;
	w->access.loss = 25;
	w->access.doubled = bluez ? 0 : 10;
	w->access.sar_loss = 3;
	w->access.jitter = MSEC(15);
	world_open(w);
	for (int minutes = 0; minutes < 30 && !w->closed; minutes++) {
		news = w->sent + w->received + w->opened;
		world_run(w, SEC(60));
		if (!w->closed && w->sent + w->received + w->opened == news)
			world_close(w, PROV_CLOSE_FAIL);
	}
	check_int(w->closed, 1);
	for (unsigned i = 0; i < w->received; i++)
		check_int(w->got[i], 0x81 + i); /* in order, none twice, none left out */
	for (unsigned i = 0; i < w->rpr.n_seen && !bluez; i++)
		check_int(w->rpr.seen[i], 1 + i);
	check(w->rpr.n_seen >= w->sent);
	*complete += w->received == 6 && w->end == CARRIER_CLOSED;
	world_run(w, SEC(200)); /* and no link stays behind that the server would not end itself */
	check(bluez || w->rpr.state == RPR_LINK_IDLE);
	world_free(w);
}

TEST(sessions_on_bad_air_keep_order_and_always_end)
{
	unsigned complete = 0;

	for (uint64_t seed = 1; seed <= 300; seed++)
		bad_air(seed, false, &complete);
	check(complete > 180);
	complete = 0;
	for (uint64_t seed = 1; seed <= 300; seed++)
		bad_air(seed, true, &complete);
	check(complete > 150);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_one_message_loses_is_repaired),
		cmocka_unit_test(hostile_parameters_never_crash),
		cmocka_unit_test(malformed_reports_are_counted_and_leave_the_link_alone),
		cmocka_unit_test(sessions_on_bad_air_keep_order_and_always_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
