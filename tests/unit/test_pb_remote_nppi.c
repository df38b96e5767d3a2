/* SPDX-License-Identifier: Apache-2.0 */
/* The carrier to a node that is provisioned anew: the opening in every dialect, and the close that
 * commits. */
#include "check.h"
#include "pb_remote_world.h"

static struct world *world_with(enum nppi_procedure procedure)
{
	struct world *w = world_new(1);

	world_carrier(w, &(struct pb_remote_options){ .nppi = true, .procedure = procedure });
	return w;
}

TEST(a_node_opens_itself_in_either_order_and_takes_the_session)
{
	static const struct {
		const char *name;
		bool bluez, report_first;
	} rows[] = {
		{ "status, then report", false, false },
		{ "report, then status", false, true },
		{ "opening first", true, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int procedure = 0; procedure <= NPPI_COMPOSITION; procedure++) {
			struct world *w = world_with((enum nppi_procedure)procedure);

			w->rpr.bluez = rows[i].bluez;
			w->rpr.report_first = rows[i].report_first;
			world_open(w);
			world_run(w, SEC(60));
			check_row(rows[i].name,
				  strcmp(w->log, "opened sent 81 sent 82 closed") == 0);
			check_row(rows[i].name, w->end == CARRIER_CLOSED);
			check_row(rows[i].name, w->rpr.procedure == procedure);
			check_row(rows[i].name, w->rpr.state == RPR_LINK_IDLE);
			check_row(rows[i].name, pb_remote_close_confirmed(w->c));
			world_free(w);
		}
	}
}

/* Of Link Status and Link Report either may be lost, and the request, too. */
TEST(an_opening_needs_one_word_of_two)
{
	static const struct world_loss rows[] = {
		{ "status lost", false, OP_RPR_LINK_STATUS, 1, 1, FAKE_LOSE, 10 },
		{ "report lost", false, OP_RPR_LINK_REPORT, 1, 1, FAKE_LOSE, 10 },
		{ "request lost", true, OP_RPR_LINK_OPEN, 1, 2, FAKE_LOSE, 20 },
		{ "request doubled", true, OP_RPR_LINK_OPEN, 1, 1, FAKE_DOUBLE, 10 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_with(NPPI_DEVICE_KEY);

		w->loss = &rows[i];
		w->access.fate = world_fate_by_loss;
		world_open(w);
		world_run(w, SEC(60));
		check_row(rows[i].name, strcmp(w->log, "opened sent 81 sent 82 closed") == 0);
		check_row(rows[i].name, w->ended - w->started < SEC(rows[i].max_s));
		world_free(w);
	}
}

TEST(a_node_that_refuses_the_procedure_is_asked_once)
{
	struct world *w = world_with(NPPI_COMPOSITION);

	w->rpr.refuses_nppi = true;
	world_open(w);
	world_run(w, SEC(60));
	check_str(w->log, "closed");
	check_int(w->end, CARRIER_OPEN_FAILED);
	check_int(w->access.sent[OP_RPR_LINK_OPEN & 0xFF], 1);
	check(!pb_remote_close_confirmed(w->c));
	world_free(w);
}

/* A link of ours to a device, and one to the node itself under another procedure. */
TEST(a_stale_link_is_cleared_before_the_node_opens_itself)
{
	for (int nppi = 0; nppi < 2; nppi++) {
		struct world *w = world_with(NPPI_ADDRESS);

		w->rpr.state = RPR_LINK_ACTIVE;
		w->rpr.nppi = nppi;
		w->rpr.procedure = NPPI_DEVICE_KEY;
		world_open(w);
		world_run(w, SEC(60));
		check_str(w->log, "opened sent 81 sent 82 closed");
		check_int(w->rpr.procedure, NPPI_ADDRESS);
		world_free(w);
	}
}

TEST(the_close_that_commits_is_confirmed_or_said_not_to_be)
{
	static const struct {
		struct world_loss loss;
		bool confirmed;
	} rows[] = {
		{ { "nothing lost", false, 0, 0, 0, FAKE_LOSE, 3 }, true },
		{ { "last report lost", false, OP_RPR_LINK_REPORT, 2, 9, FAKE_LOSE, 5 }, true },
		{ { "status lost, report heard", false, OP_RPR_LINK_STATUS, 2, 9, FAKE_LOSE, 3 },
		  true },
		{ { "close lost once", true, OP_RPR_LINK_CLOSE, 1, 1, FAKE_LOSE, 8 }, true },
		{ { "close lost always", true, OP_RPR_LINK_CLOSE, 1, 9, FAKE_LOSE, 16 }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_with(NPPI_ADDRESS);

		w->loss = &rows[i].loss;
		w->access.fate = world_fate_by_loss;
		world_open(w);
		world_run(w, SEC(90));
		check_row(rows[i].loss.name, strcmp(w->log, "opened sent 81 sent 82 closed") == 0);
		check_row(rows[i].loss.name, w->end == CARRIER_CLOSED);
		check_row(rows[i].loss.name, pb_remote_close_confirmed(w->c) == rows[i].confirmed);
		check_row(rows[i].loss.name, w->ended - w->started < SEC(rows[i].loss.max_s));
		world_free(w);
	}
}

/* It is idle when it answers: after a try of ours that it has heard, or for a reason of its own. */
TEST(an_idle_server_confirms_nothing)
{
	struct world *w = world_with(NPPI_DEVICE_KEY);

	w->nobody_closes = true;
	world_open(w);
	world_run(w, SEC(3));
	w->rpr.mute = true;
	world_run(w, SEC(70)); /* the node's own limit; its report is lost */
	w->rpr.mute = false;
	world_close(w, PROV_CLOSE_SUCCESS);
	world_run(w, SEC(20));
	check_int(w->end, CARRIER_CLOSED);
	check(!pb_remote_close_confirmed(w->c));
	world_free(w);
}

TEST(a_node_that_falls_silent_is_lost_at_every_point)
{
	static const struct {
		unsigned opened, received; /* until then */
		const char *log;
	} rows[] = {
		{ 0, 0, "closed" },
		{ 1, 0, "opened closed" },
		{ 1, 1, "opened sent 81 closed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_with(NPPI_DEVICE_KEY);

		world_open(w);
		while (w->opened < rows[i].opened || w->received < rows[i].received)
			check(timers_fire_next(&w->timers, TIMERS_NEVER - 1));
		w->rpr.mute = true;
		world_run(w, SEC(120));
		check_str(w->log, rows[i].log);
		check_int(w->end, CARRIER_SERVER_LOST);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_opens_itself_in_either_order_and_takes_the_session),
		cmocka_unit_test(an_opening_needs_one_word_of_two),
		cmocka_unit_test(a_node_that_refuses_the_procedure_is_asked_once),
		cmocka_unit_test(a_stale_link_is_cleared_before_the_node_opens_itself),
		cmocka_unit_test(the_close_that_commits_is_confirmed_or_said_not_to_be),
		cmocka_unit_test(an_idle_server_confirms_nothing),
		cmocka_unit_test(a_node_that_falls_silent_is_lost_at_every_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
