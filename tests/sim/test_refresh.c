/* SPDX-License-Identifier: Apache-2.0 */
/* Refresh jobs in a world: a building's nodes are provisioned anew, and building and inventory say
 * the same afterwards. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "refresh_story.h"
#include "story.h"

TEST(every_device_key_of_a_building_changes)
{
	struct refresh_story s = refresh_story_new(1, "devices=20,floors=1,loss=0.1,servers=1");
	int64_t job = refresh_story_job(&s, DB_JOB_REFRESH_DEVICE_KEY);

	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 20);
	check(s.job.links_peak > 1);
	for (size_t i = 0; i < building_count(world_building(s.w)); i++)
		check_int(world_keys(s.w, i), 2);
	refresh_story_free(&s);
}

TEST(every_node_of_a_building_moves)
{
	struct refresh_story s = refresh_story_new(2, "devices=20,floors=1,loss=0.1,servers=1");
	int64_t job = refresh_story_job(&s, DB_JOB_REFRESH_ADDRESS);

	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 20);
	refresh_story_free(&s);
}

TEST(changed_compositions_are_found_and_taken)
{
	struct refresh_story s =
		refresh_story_new(3, "devices=20,floors=1,loss=0.1,servers=1,composition_change=5");
	int64_t job = refresh_story_job(&s, DB_JOB_READ_COMPOSITION);

	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 20);
	job = refresh_story_job(&s, DB_JOB_REFRESH_COMPOSITION);
	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 20);
	refresh_story_free(&s);
}

/* Killed in the middle it goes on where it stood: no key changes twice. */
TEST(sixty_device_keys_change_once_each_whatever_happens)
{
	uint64_t seed = story_seed();
	struct refresh_story s = refresh_story_new(seed, "devices=60,floors=3,loss=0.1,servers=1");
	int64_t job = refresh_story_job(&s, DB_JOB_REFRESH_DEVICE_KEY);

	print_message("seed %llu\n", (unsigned long long)seed);
	do {
		world_advance(s.w, SEC(1));
		world_job_get(s.w, job, &s.job);
	} while (s.job.succeeded < 20);
	check(s.job.succeeded < 50);
	world_kill(s.w);
	world_advance(s.w, MSEC(500));
	refresh_story_finish(&s, job);
	check_int(s.job.state, DB_JOB_SUCCEEDED);
	check_int(s.job.succeeded, 60);
	for (size_t i = 0; i < 60; i++)
		check_int(world_keys(s.w, i), 2);
	refresh_story_free(&s);
}

/* The node says Complete, closes, and goes on as before; or never says it, and has changed. */
TEST(who_only_says_so_is_found_out)
{
	struct refresh_story s = refresh_story_new(
		5, "devices=8,floors=1,servers=1,nppi_uncommitted=2,nppi_unanswered=2,"
		   "fault_times=0,faults_in_refresh=1");
	int64_t job = refresh_story_job(&s, DB_JOB_REFRESH_DEVICE_KEY);
	unsigned refused = 0;

	refresh_story_finish(&s, job);
	check_int(s.job.state, DB_JOB_PARTIAL);
	for (size_t i = 0; i < building_count(world_building(s.w)); i++) {
		struct db_task t;

		check(world_task(s.w, job, i, &t));
		if (t.state == DB_TASK_FAILED)
			check_str(t.error_code, "device_refused");
		check_int(world_keys(s.w, i), t.state == DB_TASK_FAILED ? 1 : 2);
		refused += t.state == DB_TASK_FAILED;
	}
	check_int(refused, 2);
	refresh_story_free(&s);
}

TEST(a_node_without_the_server_cannot_be_refreshed)
{
	struct refresh_story s = refresh_story_new(6, "devices=6,floors=1,servers=0.5,spacing_m=5");
	int64_t job = refresh_story_job(&s, DB_JOB_REFRESH_ADDRESS);
	unsigned moved = 0;

	refresh_story_finish(&s, job);
	check_int(s.job.state, DB_JOB_PARTIAL);
	for (size_t i = 0; i < building_count(world_building(s.w)); i++) {
		bool server = building_make_of(world_building(s.w), i)->server;
		struct db_task t;

		check(world_task(s.w, job, i, &t));
		check_int(t.state, server ? DB_TASK_SUCCEEDED : DB_TASK_FAILED);
		check_str(t.error_code, server ? "" : "refresh_not_supported");
		moved += server;
	}
	check(moved > 0 && moved < 6);
	job = refresh_story_job(&s, DB_JOB_REFRESH_COMPOSITION);
	refresh_story_finish(&s, job);
	check_int(s.job.state, DB_JOB_SUCCEEDED); /* there is nothing to do for any of them */
	refresh_story_free(&s);
}

struct story_watch {
	struct refresh_story *story;
	unsigned data; /* Provisioning Data PDUs that were sent */
};

static void on_access(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct story_watch *watch = ctx;

	watch->data +=
		outgoing && m->opcode == OP_RPR_PDU_SEND && pdu.n > 3 && pdu.p[3] == PROV_DATA;
}

static bool is_complete(struct world *w, void *ctx)
{
	struct story_watch *watch = ctx;
	struct db_node n;

	refresh_story_node(watch->story, 0, &n);
	return n.refresh.step == DB_REFRESH_COMPLETE;
}

/* It has said Complete, and waits for the close: a server that died before closes with Success. */
TEST(what_is_complete_is_not_done_again)
{
	static const enum db_job_kind kinds[] = { DB_JOB_REFRESH_DEVICE_KEY, DB_JOB_REFRESH_ADDRESS,
						  DB_JOB_REFRESH_COMPOSITION };

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct refresh_story s = refresh_story_new(
			9, "devices=2,floors=1,servers=1,spacing_m=5,composition_change=2");
		struct story_watch watch = { .story = &s };
		int64_t job;

		world_on_access(s.w, on_access, &watch);
		job = refresh_story_job_one(&s, kinds[k], 0, 0);
		check(world_run(s.w, SEC(300), is_complete, &watch));
		world_cover(s.w, 0, true, false); /* it does not hear the close */
		world_kill(s.w);
		world_advance(s.w, SEC(1));
		world_cover(s.w, 0, false, false);
		refresh_story_finish(&s, job);
		check_int(s.job.succeeded, 1);
		check_int(watch.data, 1);
		check_int(world_keys(s.w, 0), 2);
		refresh_story_free(&s);
	}
}

/* It may tell under its new key already that the link is closed. */
TEST(a_node_that_says_good_bye_under_its_new_key_is_done)
{
	static const enum db_job_kind kinds[] = { DB_JOB_REFRESH_DEVICE_KEY,
						  DB_JOB_REFRESH_COMPOSITION };

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct refresh_story s = refresh_story_new(
			17, "devices=2,floors=1,servers=1,spacing_m=5,composition_change=2");
		struct story_watch watch = { .story = &s };
		int64_t job = refresh_story_job_one(&s, kinds[k], 0, 0);
		struct db_node n;
		struct db_task t;

		check(world_run(s.w, SEC(300), is_complete, &watch));
		check(world_task(s.w, job, 0, &t));
		check_str(t.step, "close_link");
		refresh_story_node(&s, 0, &n);
		jobs_candidate_used(core_jobs(world_core(s.w)), n.address);
		check(core_settle(world_core(s.w)));
		refresh_story_finish(&s, job);
		check(world_task(s.w, job, 0, &t));
		check_int(t.state, DB_TASK_SUCCEEDED);
		check_int(t.attempts, 1);
		check_int(world_keys(s.w, 0), 2);
		refresh_story_free(&s);
	}
}

/* ---- moves ---- */

struct range {
	uint16_t first;
	int state;
};

static void note_range(void *ctx, const struct db_address *a)
{
	struct range *r = ctx;

	if (a->first == r->first)
		r->state = (int)a->state;
}

/* -1: it is free. */
static int state_of(struct refresh_story *s, uint16_t first)
{
	struct range range = { first, -1 };

	check_int(db_addresses(core_db(world_core(s->w)), note_range, &range), DB_OK);
	return range.state;
}

TEST(a_node_moves_where_it_is_told_to)
{
	struct refresh_story s = refresh_story_new(7, "devices=2,floors=1,servers=1,spacing_m=5");
	struct jobs *jobs = core_jobs(world_core(s.w));
	struct db_node n, other;
	struct jobs_move move;
	int64_t job;

	refresh_story_node(&s, 0, &n);
	refresh_story_node(&s, 1, &other);
	check_int(jobs_node_move(jobs, n.address, 0x0100, &move), JOBS_OK);
	check(move.free && move.elements == n.elements && move.to == 0x0100);
	check_int(jobs_node_move(jobs, n.address, other.address, &move), JOBS_OK);
	check(!move.free && *move.reason);
	check_int(jobs_node_move(jobs, n.address, 0x7FFF - n.elements + 2, &move), JOBS_OK);
	check(!move.free);
	check_int(jobs_node_move(jobs, 0x7000, 0, &move), JOBS_NOT_FOUND);
	job = refresh_story_job_one(&s, DB_JOB_REFRESH_ADDRESS, 0, 0x0100);
	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 1);
	refresh_story_node(&s, 0, &other);
	check_int(other.address, 0x0100);
	check_int(state_of(&s, n.address), DB_ADDRESS_EXCLUDED);
	check_int(state_of(&s, 0x0100), DB_ADDRESS_USED);
	/* What it has left is nobody's, not even its own. */
	check_int(jobs_node_move(jobs, 0x0100, n.address, &move), JOBS_OK);
	check(!move.free);
	refresh_story_free(&s);
}

static bool is_data(struct world *w, void *ctx)
{
	struct db_node n;

	refresh_story_node(ctx, 0, &n);
	return n.refresh.step == DB_REFRESH_DATA;
}

/* It was on its way to new addresses when it fell silent for good. */
TEST(a_node_that_is_removed_takes_its_offer_along)
{
	struct refresh_story s = refresh_story_new(10, "devices=2,floors=1,servers=1,spacing_m=5");
	int64_t job = refresh_story_job_one(&s, DB_JOB_REFRESH_ADDRESS, 0, 0x0100);
	struct db_node n;
	struct db_task t;

	check(world_run(s.w, SEC(300), is_data, &s));
	world_cover(s.w, 0, true, true);
	check(world_finish(s.w, job, SEC(7200)));
	check(world_task(s.w, job, 0, &t));
	check_str(t.error_code, "refresh_unresolved");
	refresh_story_node(&s, 0, &n);
	check_int(n.refresh.step, DB_REFRESH_DATA);
	check_int(state_of(&s, 0x0100), DB_ADDRESS_RESERVED);
	job = refresh_story_job_one(&s, DB_JOB_REMOVE, 0, 0);
	check(world_finish(s.w, job, SEC(7200)));
	check_int(state_of(&s, 0x0100), DB_ADDRESS_BURNT);
	check_int(state_of(&s, n.address), DB_ADDRESS_EXCLUDED);
	world_stray(s.w, 0);
	world_advance(s.w, SEC(7300)); /* nobody asks for it any more */
	refresh_story_free(&s);
}

static bool is_exchanging(struct world *w, void *ctx)
{
	struct db_task t;

	return world_task(w, *(int64_t *)ctx, 0, &t) && strcmp(t.step, "exchange") == 0;
}

/* Reset by hand in the middle, it has joined anew: its row is another's, or nobody's. */
TEST(a_node_that_is_gone_in_the_middle_ends_its_task)
{
	struct refresh_story s = refresh_story_new(11, "devices=2,floors=1,servers=1,spacing_m=5");
	int64_t job = refresh_story_job_one(&s, DB_JOB_REFRESH_DEVICE_KEY, 0, 0);
	struct db_node n;
	struct db_task t;

	check(world_run(s.w, SEC(300), is_exchanging, &job));
	refresh_story_node(&s, 0, &n);
	check_int(db_node_delete(core_db(world_core(s.w)), n.address), DB_OK);
	check(core_settle(world_core(s.w)));
	check(world_finish(s.w, job, SEC(7200)));
	check(world_task(s.w, job, 0, &t));
	check_str(t.error_code, "node_gone");
	world_advance(s.w, SEC(300)); /* no link of it is left */
	refresh_story_free(&s);
}

/* It has changed, and nobody heard: it is reset under the key, and at the address, that it has. */
TEST(a_node_is_removed_whichever_key_it_has)
{
	static const enum db_job_kind kinds[] = { DB_JOB_REFRESH_DEVICE_KEY,
						  DB_JOB_REFRESH_ADDRESS };

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct refresh_story s =
			refresh_story_new(15, "devices=2,floors=1,servers=1,spacing_m=5");
		struct story_watch watch = { .story = &s };
		int64_t job = refresh_story_job_one(&s, kinds[k], 0, 0);
		struct db_task t;
		char why[256];

		check(world_run(s.w, SEC(300), is_complete, &watch));
		world_cover(s.w, 0, false, true);
		check(world_finish(s.w, job, SEC(7200)));
		check(world_task(s.w, job, 0, &t));
		check_str(t.error_code, "refresh_unresolved");
		world_cover(s.w, 0, false, false);
		job = refresh_story_job_one(&s, DB_JOB_REMOVE, 0, 0);
		check(world_finish(s.w, job, SEC(7200)));
		check(world_task(s.w, job, 0, &t));
		check_int(t.state, DB_TASK_SUCCEEDED);
		check_str(t.error_message, "");
		if (!world_agrees(s.w, why))
			fail_msg("%s", why);
		refresh_story_free(&s);
	}
}

/* It has moved, and nobody heard: the next job to move it brings it where that one says. */
TEST(a_move_that_ends_elsewhere_is_not_the_one_asked_for)
{
	struct refresh_story s = refresh_story_new(14, "devices=2,floors=1,servers=1,spacing_m=5");
	struct story_watch watch = { .story = &s };
	int64_t job = refresh_story_job_one(&s, DB_JOB_REFRESH_ADDRESS, 0, 0x0100);
	struct db_node n;
	struct db_task t;

	check(world_run(s.w, SEC(300), is_complete, &watch));
	world_cover(s.w, 0, false, true);
	check(world_finish(s.w, job, SEC(7200)));
	check(world_task(s.w, job, 0, &t));
	check_str(t.error_code, "refresh_unresolved");
	world_cover(s.w, 0, false, false);
	job = refresh_story_job_one(&s, DB_JOB_REFRESH_ADDRESS, 0, 0x0200);
	refresh_story_finish(&s, job);
	check_int(s.job.succeeded, 1);
	refresh_story_node(&s, 0, &n);
	check_int(n.address, 0x0200);
	check_int(state_of(&s, 0x0100), DB_ADDRESS_EXCLUDED);
	refresh_story_free(&s);
}

/* It joined by the key that is known of it: what has its device key, and not that, is not it. */
TEST(who_offers_less_than_at_first_gets_no_new_key)
{
	static const char generator[] =
		"6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
		"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";
	struct refresh_story s = {
		.w = world_new(16, "devices=2,floors=1,servers=1,spacing_m=5,cbp=0"), .seed = 16
	};
	struct jobs_request rq = { .kind = DB_JOB_PROVISION, .targets = DB_TARGETS_ALL_TRUSTED };
	uint8_t key[DB_OOB_KEY];
	struct db_node n;
	struct db_task t;
	struct db *db;
	int64_t job;

	world_start(s.w);
	db = core_db(world_core(s.w));
	jobs_options_default(&rq.options, rq.kind);
	rq.options.policy = DB_POLICY_NONE;
	job = world_job(s.w, &rq);
	check(core_settle(world_core(s.w)));
	check(world_finish(s.w, job, SEC(7200)));
	refresh_story_node(&s, 0, &n);
	check(hex_parse_exact(generator, key, sizeof key));
	check_int(db_device_set_oob_key(db, n.uuid, key), DB_OK);
	for (int joined_by_it = 1; joined_by_it >= 0; joined_by_it--) {
		n.oob_public_key = joined_by_it;
		check_int(db_node_update(db, &n), DB_OK);
		job = refresh_story_job_one(&s, DB_JOB_REFRESH_DEVICE_KEY, 0, 0);
		refresh_story_finish(&s, job);
		check(world_task(s.w, job, 0, &t));
		check_str(t.error_code, joined_by_it ? "oob_unavailable" : "");
		check_int(world_keys(s.w, 0), joined_by_it ? 1 : 2);
	}
	refresh_story_free(&s);
}

static bool is_let_go(struct world *w, void *ctx)
{
	return state_of(ctx, 0x0100) < 0;
}

/* It has more elements than it said, and there is no room for them: what it was offered first may
 * be another's before its link has ended. */
TEST(a_range_that_was_let_go_is_not_taken_from_the_next)
{
	struct refresh_story s = refresh_story_new(18, "devices=2,floors=1,servers=1,spacing_m=5");
	int64_t job = refresh_story_job_one(&s, DB_JOB_REFRESH_ADDRESS, 0, 0x0100);
	struct db *db = core_db(world_core(s.w));
	uint8_t other[UUID_LEN] = { 7 };
	struct db_node n;
	struct db_task t;

	check(world_run(s.w, SEC(300), is_exchanging, &job));
	refresh_story_node(&s, 0, &n);
	check(n.elements > 1);
	n.refresh.elements = 1; /* as if it had said so */
	check_int(db_node_update(db, &n), DB_OK);
	check_int(db_address_release(db, 0x0100), DB_OK);
	check_int(db_address_reserve_at(db, 0x0100, 1, n.uuid, 0), DB_OK);
	check_int(db_address_claim(db, 0x0101, 1, other, 0), DB_OK);
	check(core_settle(world_core(s.w)));
	check(world_run(s.w, SEC(300), is_let_go, &s));
	check_int(db_address_reserve_at(db, 0x0100, 1, other, 0), DB_OK);
	check(core_settle(world_core(s.w)));
	check(world_finish(s.w, job, SEC(7200)));
	check(world_task(s.w, job, 0, &t));
	check_str(t.error_code, "address_taken");
	check_int(state_of(&s, 0x0100), DB_ADDRESS_RESERVED);
	refresh_story_free(&s);
}

TEST(a_range_that_is_taken_is_refused)
{
	struct refresh_story s = refresh_story_new(8, "devices=2,floors=1,servers=1,spacing_m=5");
	struct jobs_request rq = { .kind = DB_JOB_REFRESH_ADDRESS,
				   .targets = DB_TARGETS_LIST,
				   .n_addresses = 1 };
	struct db_node n, other;
	char why[JOBS_WHY];
	int64_t id;

	refresh_story_node(&s, 0, &n);
	refresh_story_node(&s, 1, &other);
	rq.addresses = &n.address;
	jobs_options_default(&rq.options, rq.kind);
	rq.options.address = other.address;
	check_int(jobs_create(core_jobs(world_core(s.w)), &rq, &id, why), JOBS_BAD_OPTION);
	check(strncmp(why, "address: ", 9) == 0);
	rq.kind = DB_JOB_REFRESH_DEVICE_KEY;
	rq.options.address = 0x0100;
	check_int(jobs_create(core_jobs(world_core(s.w)), &rq, &id, why), JOBS_BAD_OPTION);
	refresh_story_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_device_key_of_a_building_changes),
		cmocka_unit_test(every_node_of_a_building_moves),
		cmocka_unit_test(changed_compositions_are_found_and_taken),
		cmocka_unit_test(sixty_device_keys_change_once_each_whatever_happens),
		cmocka_unit_test(who_only_says_so_is_found_out),
		cmocka_unit_test(a_node_without_the_server_cannot_be_refreshed),
		cmocka_unit_test(what_is_complete_is_not_done_again),
		cmocka_unit_test(a_node_that_says_good_bye_under_its_new_key_is_done),
		cmocka_unit_test(a_node_moves_where_it_is_told_to),
		cmocka_unit_test(a_node_that_is_removed_takes_its_offer_along),
		cmocka_unit_test(a_node_that_is_gone_in_the_middle_ends_its_task),
		cmocka_unit_test(a_node_is_removed_whichever_key_it_has),
		cmocka_unit_test(a_move_that_ends_elsewhere_is_not_the_one_asked_for),
		cmocka_unit_test(who_offers_less_than_at_first_gets_no_new_key),
		cmocka_unit_test(a_range_that_was_let_go_is_not_taken_from_the_next),
		cmocka_unit_test(a_range_that_is_taken_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
