/* SPDX-License-Identifier: Apache-2.0 */
/* What a user does to jobs while they run, and the jobs that are about nodes. */
#include "check.h"
#include "db_network.h"
#include "story.h"

static int64_t start_provision(struct world *w)
{
	world_start(w);
	return world_provision(w);
}

struct want {
	int64_t job, succeeded;
	unsigned links;
};

static bool has_links(struct world *w, void *ctx)
{
	const struct want *k = ctx;

	return story_job(w, k->job).links_open >= k->links;
}

static bool has_succeeded(struct world *w, void *ctx)
{
	const struct want *k = ctx;

	return story_job(w, k->job).succeeded >= k->succeeded;
}

TEST(pause_stops_new_links_and_lets_running_ones_end)
{
	struct world *w = world_new(31, "devices=20,floors=1,loss=0.05");
	struct want k = { .job = start_provision(w), .links = 2 };
	char why[JOBS_WHY];
	struct db_job row;
	int64_t done;

	check(world_run(w, SEC(300), has_links, &k));
	check_int(jobs_pause(story_jobs(w), k.job, why), JOBS_OK);
	world_advance(w, SEC(120));
	row = story_job(w, k.job);
	done = row.succeeded;
	check_int(row.state, DB_JOB_PAUSED);
	check_int(row.links_open, 0);
	check_int(row.running, 0);
	check(row.waiting > 0 && done > 0);
	check(jobs_idle(story_jobs(w)));
	world_advance(w, SEC(120));
	check_int(story_job(w, k.job).succeeded, done);
	world_kill(w);
	world_start(w); /* paused it stays */
	world_advance(w, SEC(60));
	check_int(story_job(w, k.job).state, DB_JOB_PAUSED);
	check_int(story_job(w, k.job).succeeded, done);
	check_int(jobs_resume(story_jobs(w), k.job, why), JOBS_OK);
	check(world_finish(w, k.job, SEC(3600)));
	check_int(story_job(w, k.job).succeeded, 20);
	check_int(jobs_pause(story_jobs(w), k.job, why), JOBS_CONFLICT);
	check_int(jobs_pause(story_jobs(w), 999, why), JOBS_NOT_FOUND);
	story_must_agree(w);
	world_free(w);
}

TEST(cancel_ends_the_job_and_leaves_no_orphan)
{
	struct world *w = world_new(32, "devices=20,floors=1,loss=0.05");
	struct want k = { .job = start_provision(w), .links = 3 };
	char why[JOBS_WHY];
	struct db_job row;

	check(world_run(w, SEC(300), has_links, &k));
	check_int(jobs_cancel(story_jobs(w), k.job, why), JOBS_OK);
	check(world_finish(w, k.job, SEC(600)));
	row = story_job(w, k.job);
	check_int(row.state, DB_JOB_CANCELLED);
	check(row.cancelled > 0);
	check_int(row.waiting + row.running, 0);
	check_int(row.links_open, 0);
	story_must_agree(w);
	/* and a new one takes the rest */
	k.job = world_provision(w);
	check(world_finish(w, k.job, SEC(3600)));
	check_int(story_job(w, k.job).state, DB_JOB_SUCCEEDED);
	check_int(story_job(w, k.job).succeeded, 20 - row.succeeded);
	story_must_agree(w);
	world_free(w);
}

TEST(a_cancelled_job_stays_cancelled_over_a_crash)
{
	struct world *w = world_new(33, "devices=20,floors=1,loss=0.05");
	struct want k = { .job = start_provision(w), .links = 3 };
	char why[JOBS_WHY];

	check(world_run(w, SEC(300), has_links, &k));
	world_advance(w, SEC(3)); /* the links are at work */
	check_int(jobs_cancel(story_jobs(w), k.job, why), JOBS_OK);
	world_advance(w, MSEC(5));
	check(story_job(w, k.job).running > 0);
	world_kill(w);
	check(world_finish(w, k.job, SEC(600)));
	check_int(story_job(w, k.job).state, DB_JOB_CANCELLED);
	check_int(story_job(w, k.job).links_open, 0);
	story_must_agree(w);
	world_free(w);
}

static bool is_stopping(struct world *w, void *ctx)
{
	const struct want *k = ctx;
	struct db_job row = story_job(w, k->job);

	return *row.error_code && row.running > 0;
}

TEST(a_job_that_stops_by_itself_ends_over_a_crash_too)
{
	struct world *w = world_new(35, "devices=24,floors=1,loss=0.02,dead=12");
	struct want k = { .job = start_provision(w) };

	check(world_run(w, SEC(3600), is_stopping, &k));
	world_kill(w);
	check(world_finish(w, k.job, SEC(600)));
	check_int(story_job(w, k.job).state, DB_JOB_PARTIAL);
	check(strstr(story_job(w, k.job).error_message, "Stopped by itself"));
	story_must_agree(w);
	world_free(w);
}

TEST(retry_takes_up_the_failed_tasks_only)
{
	struct world *w =
		world_new(34, "devices=14,floors=1,loss=0.05,dead=1,absent=1,untrusted=1");
	int64_t id = start_provision(w);
	char why[JOBS_WHY];
	struct db_job before, after;
	struct db_task_filter good = { .job = id, .state = DB_TASK_SUCCEEDED };
	uint64_t commits;

	check(world_finish(w, id, SEC(3600)));
	before = story_job(w, id);
	check_int(before.state, DB_JOB_PARTIAL);
	check_int(before.failed, 3);
	commits = world_commits(w);
	check_int(jobs_retry(story_jobs(w), id, why), JOBS_OK);
	check_int(story_job(w, id).waiting + story_job(w, id).running, 3);
	check(world_finish(w, id, SEC(3600)));
	after = story_job(w, id);
	check_int(after.state, DB_JOB_PARTIAL);
	check_int(after.failed, 3);
	check_int(after.total, before.total);
	check(world_commits(w) > commits);
	int64_t n;
	check_int(db_task_count(story_db(w), &good, &n), DB_OK);
	check_int(n, 11);
	story_must_agree(w);
	world_free(w);
}

TEST(the_job_stops_by_itself_when_too_many_links_fail)
{
	struct world *w = world_new(35, "devices=24,floors=1,loss=0.02,dead=12");
	int64_t id = start_provision(w);
	struct db_job row;

	check(world_finish(w, id, SEC(3600)));
	row = story_job(w, id);
	check(row.state == DB_JOB_PARTIAL || row.state == DB_JOB_FAILED);
	check_str(row.error_code, "cancelled");
	check(strstr(row.error_message, "Stopped by itself"));
	story_must_agree(w);
	world_free(w);
}

TEST(a_device_that_goes_silent_ends_with_a_code_and_its_address_is_not_given_again)
{
	struct world *w = world_new(36, "devices=16,floors=1,loss=0.05,silent=2");
	int64_t id = start_provision(w);
	struct db_job row;

	check(world_finish(w, id, SEC(3600)));
	row = story_job(w, id);
	check_int(row.succeeded, 14);
	check_int(row.failed, 2);
	for (size_t i = 0; i < building_count(world_building(w)); i++) {
		struct db_task t;

		if (building_make_of(world_building(w), i)->fault != DEVICE_SILENT)
			continue;
		check(world_task(w, id, i, &t));
		check(!strcmp(t.error_code, "timeout") || !strcmp(t.error_code, "link_lost") ||
		      !strcmp(t.error_code, "link_open_failed"));
		check(strlen(t.error_message) > 10);
	}
	story_must_agree(w);
	world_free(w);
}

TEST(a_rejected_certificate_is_not_gone_round_by_a_weaker_policy)
{
	struct world *w = world_new(37, "devices=6,floors=1,loss=0,untrusted=1");
	int64_t id = start_provision(w);
	size_t bad = 0;
	struct db_task t;

	check(world_finish(w, id, SEC(3600)));
	while (!world_task(w, id, bad, &t) || t.state != DB_TASK_FAILED)
		bad++;
	check_str(t.error_code, "certificate_untrusted");
	struct jobs_request rq = { .kind = DB_JOB_PROVISION,
				   .uuids = (const uint8_t(*)[UUID_LEN])t.uuid,
				   .n_uuids = 1,
				   .options.policy = DB_POLICY_NONE };
	id = story_start(w, &rq);
	check(world_finish(w, id, SEC(600)));
	check_int(story_job(w, id).state, DB_JOB_FAILED);
	check(world_task(w, id, bad, &t));
	check_str(t.error_code, "certificate_untrusted");
	check_int(t.attempts, 0); /* not even a link */
	story_must_agree(w);
	world_free(w);
}

TEST(a_rejected_device_cannot_be_forgotten)
{
	struct world *w = world_new(37, "devices=6,floors=1,loss=0,untrusted=1");
	int64_t id = start_provision(w);
	size_t bad = 0;
	struct db_task t;

	check(world_finish(w, id, SEC(3600)));
	while (!world_task(w, id, bad, &t) || t.state != DB_TASK_FAILED)
		bad++;
	check_int(jobs_device_delete(story_jobs(w), t.uuid), JOBS_CONFLICT);
	world_free(w);
}

TEST(a_removed_node_is_factory_new_and_joins_under_another_address)
{
	struct world *w = world_new(38, "devices=8,floors=1,loss=0.05");
	int64_t id = start_provision(w);
	uint16_t address;
	struct db_node n;

	check(world_finish(w, id, SEC(3600)));
	address = story_address(w, 3);
	struct jobs_request rq = { .kind = DB_JOB_REMOVE, .addresses = &address, .n_addresses = 1 };
	id = story_start(w, &rq);
	check(world_finish(w, id, SEC(600)));
	check_int(story_job(w, id).state, DB_JOB_SUCCEEDED);
	check(!building_state_of(world_building(w), 3).provisioned);
	check_int(building_state_of(world_building(w), 3).resets, 1);
	check_int(db_node_get(story_db(w), address, &n), DB_NONE);
	story_must_agree(w);
	world_advance(w, SEC(60)); /* it beacons again */
	id = world_provision(w);
	check(world_finish(w, id, SEC(3600)));
	check_int(story_job(w, id).succeeded, 1);
	check(story_address(w, 3) != address);
	story_must_agree(w);
	world_free(w);
}

TEST(removing_a_node_survives_kills)
{
	for (uint64_t at = 1; at < 12; at++) {
		struct world *w = world_new(39, "devices=4,floors=1,loss=0");
		int64_t id = start_provision(w);
		uint16_t address;

		check(world_finish(w, id, SEC(3600)));
		address = story_address(w, 1);
		struct jobs_request rq = { .kind = DB_JOB_REMOVE,
					   .addresses = &address,
					   .n_addresses = 1 };
		id = story_start(w, &rq);
		world_kill_at_commit(w, at, at % 2);
		check(world_finish(w, id, SEC(1200)));
		check_int(story_job(w, id).state, DB_JOB_SUCCEEDED);
		story_must_agree(w);
		world_free(w);
	}
}

TEST(configure_scan_and_identify_do_what_they_say)
{
	struct world *w = world_new(40, "devices=8,floors=1,loss=0.05,untrusted=1");
	int64_t id = start_provision(w);
	struct db_sighting_filter seen = { .since = 0 };
	int64_t sightings;
	uint16_t address;
	struct db_task t;

	check(world_finish(w, id, SEC(3600)));
	struct jobs_request configure = { .kind = DB_JOB_CONFIGURE, .targets = DB_TARGETS_ALL };
	id = story_start(w, &configure);
	check(world_finish(w, id, SEC(600)));
	check_int(story_job(w, id).state, DB_JOB_SUCCEEDED);
	check_int(story_job(w, id).total, 7);

	struct jobs_request scan = { .kind = DB_JOB_SCAN,
				     .targets = DB_TARGETS_ALL,
				     .options.seconds = 10 };
	id = story_start(w, &scan);
	check(world_finish(w, id, SEC(600)));
	check_int(story_job(w, id).state, DB_JOB_SUCCEEDED);
	check(story_job(w, id).total > 1); /* the local radio, and servers */
	check_int(db_sighting_count(story_db(w), &seen, &sightings), DB_OK);
	check(sightings > 0);

	address = story_address(w, 2);
	for (size_t i = 0; !address; i++)
		address = story_address(w, i);
	struct jobs_request blink = { .kind = DB_JOB_IDENTIFY,
				      .addresses = &address,
				      .n_addresses = 1,
				      .options.seconds = 5 };
	id = story_start(w, &blink);
	check(world_finish(w, id, SEC(60)));
	check_int(story_job(w, id).state, DB_JOB_SUCCEEDED);

	for (size_t i = 0; i < building_count(world_building(w)); i++) {
		if (building_state_of(world_building(w), i).provisioned)
			continue;
		struct jobs_request device = {
			.kind = DB_JOB_IDENTIFY,
			.uuids = (const uint8_t(*)[UUID_LEN])building_make_of(world_building(w), i)
					 ->uuid,
			.n_uuids = 1,
			.options.seconds = 5
		};
		id = story_start(w, &device);
		check(world_finish(w, id, SEC(60)));
		check(world_task(w, id, i, &t));
		check_str(t.error_code, "");
		check_int(story_job(w, id).state, DB_JOB_SUCCEEDED);
		check(!building_state_of(world_building(w), i).provisioned);
	}
	story_must_agree(w);
	world_free(w);
}

TEST(identify_of_what_is_not_there_says_so_soon)
{
	struct world *w = world_new(41, "devices=4,floors=1,loss=0");
	static const uint8_t nobody[1][UUID_LEN] = { { 9, 9, 9 } };
	uint64_t before;
	struct jobs_request rq = { .kind = DB_JOB_IDENTIFY, .uuids = nobody, .n_uuids = 1 };
	int64_t id;

	world_start(w);
	before = timers_now(world_time(w));
	id = story_start(w, &rq);
	check(world_finish(w, id, SEC(60)));
	check_int(story_job(w, id).state, DB_JOB_FAILED);
	check(timers_now(world_time(w)) - before <= SEC(10));
	world_free(w);
}

TEST(a_dead_device_does_not_blink_and_the_reason_says_why)
{
	struct world *w = world_new(49, "devices=4,floors=1,spacing_m=3,loss=0,dead=1");
	size_t dead = 0;
	struct db_task t;
	int64_t id;

	world_start(w);
	while (building_make_of(world_building(w), dead)->fault != DEVICE_DEAD)
		dead++;
	struct jobs_request rq = {
		.kind = DB_JOB_IDENTIFY,
		.uuids =
			(const uint8_t(*)[UUID_LEN])building_make_of(world_building(w), dead)->uuid,
		.n_uuids = 1
	};
	world_advance(w, SEC(10));
	id = story_start(w, &rq);
	check(world_finish(w, id, SEC(12)));
	check(world_task(w, id, dead, &t));
	check_str(t.error_code, "link_open_failed");
	world_free(w);
}

TEST(a_second_scan_waits_for_the_first)
{
	struct world *w = world_new(50, "devices=6,floors=1,loss=0");
	int64_t id = start_provision(w), first, second, third;
	struct jobs_request scan = { .kind = DB_JOB_SCAN,
				     .targets = DB_TARGETS_ALL,
				     .options.seconds = 10 };
	char why[JOBS_WHY];

	check(world_finish(w, id, SEC(3600)));
	first = story_start(w, &scan);
	second = story_start(w, &scan);
	check(world_finish(w, first, SEC(300)));
	check(world_finish(w, second, SEC(300)));
	check_int(story_job(w, first).state, DB_JOB_SUCCEEDED);
	check_int(story_job(w, second).state, DB_JOB_SUCCEEDED);
	check(story_job(w, second).total > 1);
	jobs_options_default(&scan.options, DB_JOB_SCAN);
	scan.options.server = 0x0001; /* only through the one that is named */
	check_int(jobs_create(story_jobs(w), &scan, &third, why), JOBS_OK);
	check_int(story_job(w, third).total, 1);
	world_free(w);
}

TEST(requests_that_make_no_sense_change_nothing)
{
	static const uint8_t nobody[1][UUID_LEN] = { { 9, 9, 9 } };
	static const uint16_t nowhere[1] = { 0x0777 }, own[1] = { 0x0001 };
	static const struct {
		const char *name;
		struct jobs_request rq;
		enum jobs_rc rc;
	} rows[] = {
		{ "empty list", { .kind = DB_JOB_PROVISION }, JOBS_BAD_TARGETS },
		{ "all",
		  { .kind = DB_JOB_PROVISION, .targets = DB_TARGETS_ALL },
		  JOBS_BAD_TARGETS },
		{ "remove all",
		  { .kind = DB_JOB_REMOVE, .targets = DB_TARGETS_ALL },
		  JOBS_BAD_TARGETS },
		{ "no such node",
		  { .kind = DB_JOB_REMOVE, .addresses = nowhere, .n_addresses = 1 },
		  JOBS_NOT_FOUND },
		{ "ourselves",
		  { .kind = DB_JOB_REMOVE, .addresses = own, .n_addresses = 1 },
		  JOBS_NOT_FOUND },
		{ "no such device",
		  { .kind = DB_JOB_CONFIGURE, .uuids = nobody, .n_uuids = 1 },
		  JOBS_NOT_FOUND },
		{ "too many links",
		  { .kind = DB_JOB_PROVISION,
		    .targets = DB_TARGETS_ALL_TRUSTED,
		    .options = { .max_links = 1000 } },
		  JOBS_BAD_OPTION },
		{ "no such server",
		  { .kind = DB_JOB_PROVISION,
		    .targets = DB_TARGETS_ALL_TRUSTED,
		    .options = { .server = 0x0777 } },
		  JOBS_BAD_OPTION },
		{ "no such profile",
		  { .kind = DB_JOB_PROVISION,
		    .targets = DB_TARGETS_ALL_TRUSTED,
		    .options = { .profile = "disco" } },
		  JOBS_BAD_OPTION },
	};
	struct world *w = world_new(42, "devices=4,floors=1,loss=0");
	struct db_job_filter any = { .kind = -1, .state = -1 };
	int64_t n, id;

	world_start(w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char why[JOBS_WHY] = "";

		check_row(rows[i].name,
			  jobs_create(story_jobs(w), &rows[i].rq, &id, why) == rows[i].rc);
		check_row(rows[i].name, strlen(why) > 5);
	}
	check_int(db_job_count(story_db(w), &any, &n), DB_OK);
	check_int(n, 0);
	/* one provision job at a time */
	id = world_provision(w);
	struct jobs_request again = { .kind = DB_JOB_PROVISION, .targets = DB_TARGETS_ALL_TRUSTED };
	char why[JOBS_WHY];
	check_int(jobs_create(story_jobs(w), &again, &n, why), JOBS_CONFLICT);
	check(world_finish(w, id, SEC(3600)));
	world_free(w);
}

/* Again and again, while links are open through many servers. */
TEST(kills_in_the_middle_of_growth_lose_nothing)
{
	struct world *w = world_new(43, "devices=30,floors=2,loss=0.05");
	struct want k = { .job = start_provision(w), .succeeded = 5 };

	while (world_run(w, SEC(1200), has_succeeded, &k) && k.succeeded < 30) {
		world_kill(w);
		world_advance(w, SEC(2));
		world_start(w);
		k.succeeded += 5;
	}
	check(world_finish(w, k.job, SEC(3600)));
	check_int(story_job(w, k.job).succeeded, 30);
	story_must_agree(w);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pause_stops_new_links_and_lets_running_ones_end),
		cmocka_unit_test(cancel_ends_the_job_and_leaves_no_orphan),
		cmocka_unit_test(a_cancelled_job_stays_cancelled_over_a_crash),
		cmocka_unit_test(a_job_that_stops_by_itself_ends_over_a_crash_too),
		cmocka_unit_test(retry_takes_up_the_failed_tasks_only),
		cmocka_unit_test(the_job_stops_by_itself_when_too_many_links_fail),
		cmocka_unit_test(
			a_device_that_goes_silent_ends_with_a_code_and_its_address_is_not_given_again),
		cmocka_unit_test(a_rejected_certificate_is_not_gone_round_by_a_weaker_policy),
		cmocka_unit_test(a_rejected_device_cannot_be_forgotten),
		cmocka_unit_test(a_removed_node_is_factory_new_and_joins_under_another_address),
		cmocka_unit_test(removing_a_node_survives_kills),
		cmocka_unit_test(configure_scan_and_identify_do_what_they_say),
		cmocka_unit_test(identify_of_what_is_not_there_says_so_soon),
		cmocka_unit_test(a_dead_device_does_not_blink_and_the_reason_says_why),
		cmocka_unit_test(a_second_scan_waits_for_the_first),
		cmocka_unit_test(requests_that_make_no_sense_change_nothing),
		cmocka_unit_test(kills_in_the_middle_of_growth_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
