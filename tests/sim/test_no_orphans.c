/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody is lost: nodes that did not answer yet, jobs that meet on one node, removals cut short. */
#include "check.h"
#include "db_network.h"
#include "devices.h"
#include "story.h"

/* As if the job had given up before the node answered. */
static void make_pending(struct world *w, uint16_t address, bool key_is_right)
{
	struct db_node n;

	check_int(db_node_get(story_db(w), address, &n), DB_OK);
	n.state = DB_NODE_PENDING;
	n.server = false;
	if (!key_is_right)
		n.device_key = (struct secret16){ { 1 } };
	check_int(db_node_update(story_db(w), &n), DB_OK);
	check_int(db_address_set(story_db(w), address, DB_ADDRESS_RESERVED, 0), DB_OK);
	check(core_settle(world_core(w)));
	world_kill(w);
	world_start(w);
}

TEST(a_node_that_nobody_lists_is_adopted_by_the_next_job)
{
	struct world *w = story_joined(44, "devices=4,floors=1,loss=0");
	int64_t id;
	char why[256];
	size_t i;

	i = story_node(w);
	make_pending(w, story_address(w, i), true);
	check_int(jobs_device_delete(story_jobs(w), building_make_of(world_building(w), i)->uuid),
		  JOBS_OK);
	check(!world_agrees(w, why));
	id = world_provision(w);
	check(world_finish(w, id, SEC(3600)));
	check_int(story_job(w, id).succeeded, 1);
	story_must_agree(w);
	world_free(w);
}

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

static int address_state(struct world *w, uint16_t address)
{
	struct range r = { address, -1 };

	check_int(db_addresses(story_db(w), note_range, &r), DB_OK);
	return r.state;
}

TEST(an_address_that_was_never_proved_stays_burnt_when_its_node_is_removed)
{
	struct world *w = story_joined(45, "devices=4,floors=1,loss=0");
	int64_t id;
	uint16_t address;
	struct jobs_request rq;

	address = story_address(w, story_node(w));
	make_pending(w, address, true);
	rq = (struct jobs_request){ .kind = DB_JOB_REMOVE,
				    .addresses = &address,
				    .n_addresses = 1 };
	id = story_start(w, &rq);
	check(world_finish(w, id, SEC(600)));
	check_int(address_state(w, address), DB_ADDRESS_BURNT);
	story_must_agree(w);
	world_free(w);
}

/* The device beacons, as server tells: for so long. */
static void report(struct world *w, size_t device, uint16_t server, unsigned seconds)
{
	struct rpr_scan_report r = { .server = server, .rssi = -60 };

	memcpy(r.uuid, building_make_of(world_building(w), device)->uuid, UUID_LEN);
	for (unsigned s = 0; s < seconds; s++) {
		device_sighted(story_jobs(w), &r);
		world_advance(w, SEC(1));
	}
}

TEST(late_reports_of_a_beacon_do_not_bury_a_node_that_is_silent)
{
	struct world *w = story_joined(46, "devices=4,floors=1,loss=0,servers=1");
	uint16_t address, server;
	struct jobs_request rq;
	size_t i;

	i = story_node(w);
	address = story_address(w, i);
	server = story_address(w, i + 1);
	make_pending(w, address, false); /* it cannot answer under that key */
	rq = story_one(w, DB_JOB_PROVISION, i);
	story_start(w, &rq);
	report(w, i, server, 25);
	check_int(address_state(w, address), DB_ADDRESS_RESERVED);
	report(w, i, server, 60); /* no report is that late */
	check_int(address_state(w, address), DB_ADDRESS_BURNT);
	world_free(w);
}

TEST(two_jobs_do_not_work_on_one_node)
{
	struct world *w = story_joined(47, "devices=4,floors=1,loss=0");
	int64_t id, other;
	struct jobs_request by_uuid, by_address;
	char why[JOBS_WHY] = "";
	uint16_t address;
	struct db_task t;
	size_t i;

	i = story_node(w);
	address = story_address(w, i);
	by_uuid = story_one(w, DB_JOB_REMOVE, i);
	by_address = (struct jobs_request){ .kind = DB_JOB_REMOVE,
					    .addresses = &address,
					    .n_addresses = 1 };
	id = story_start(w, &by_address);
	check(world_task(w, id, i, &t)); /* it names the node both ways */
	check_int(t.address, address);
	check_int(jobs_create(story_jobs(w), &by_uuid, &other, why), JOBS_CONFLICT);
	check_int(jobs_create(story_jobs(w), &by_address, &other, why), JOBS_CONFLICT);
	check(strlen(why) > 5);
	check(world_finish(w, id, SEC(600)));
	story_must_agree(w);
	world_free(w);
}

TEST(a_removal_goes_on_where_it_stood)
{
	struct world *w = story_joined(48, "devices=4,floors=1,loss=0");
	int64_t id;
	uint16_t address;
	struct db_task t;
	size_t i;

	i = story_node(w);
	address = story_address(w, i);
	struct jobs_request rq = { .kind = DB_JOB_REMOVE, .addresses = &address, .n_addresses = 1 };
	id = story_start(w, &rq);
	do {
		world_advance(w, MSEC(10));
		check(world_task(w, id, i, &t));
	} while (strcmp(t.step, "verify") != 0);
	world_kill(w);
	check(world_finish(w, id, SEC(600)));
	check(world_task(w, id, i, &t));
	check_int(t.state, DB_TASK_SUCCEEDED);
	check_str(t.error_message, ""); /* that it reset is known, and is not doubted */
	story_must_agree(w);
	world_free(w);
}

/* The device keeps its end for a minute. Servers that tell late of its beacons call nobody back. */
TEST(a_link_that_a_crash_has_left_open_costs_no_attempt)
{
	struct world *w = world_new(51, "devices=3,floors=1,spacing_m=5,loss=0,servers=1");
	struct jobs_request rq = story_one(w, DB_JOB_PROVISION, 1);
	struct db_task t;
	int64_t id;

	world_start(w);
	check(world_finish(w, story_start(w, &rq), SEC(600)));
	rq = story_one(w, DB_JOB_PROVISION, 0);
	id = story_start(w, &rq);
	do {
		world_advance(w, MSEC(10));
		t = story_task(w, id);
	} while (strcmp(t.step, "read_records") != 0);
	world_kill(w);
	check_int(t.server, 0x0001);
	world_start(w);
	report(w, 0, story_address(w, 1), 25);
	check_int(story_task(w, id).attempts, 0);
	check(world_finish(w, id, SEC(600)));
	t = story_task(w, id);
	check_int(t.state, DB_TASK_SUCCEEDED);
	check_int(t.attempts, 1);
	story_must_agree(w);
	world_free(w);
}

/* In its minute of silence it is not given up, either. */
TEST(a_link_that_one_crash_has_left_open_outlasts_another_crash)
{
	struct world *w = world_new(52, "devices=1,floors=1,spacing_m=5,loss=0,servers=1");
	struct db_task t;
	int64_t id;

	world_start(w);
	id = world_provision(w);
	do
		world_advance(w, MSEC(10));
	while (!world_task(w, id, 0, &t) || strcmp(t.step, "read_records") != 0);
	world_kill(w);
	world_start(w);
	world_advance(w, SEC(1));
	check(world_task(w, id, 0, &t));
	check_int(t.state, DB_TASK_WAITING);
	world_kill(w);
	check(world_finish(w, id, SEC(600)));
	check_int(story_job(w, id).state, DB_JOB_SUCCEEDED);
	story_must_agree(w);
	world_free(w);
}

/* A server gives its client an old link back as if it were new, with what is still said on it. */
TEST(a_refresh_begins_anew_on_a_link_of_its_own)
{
	bool in_time = true;

	for (unsigned ms = 0; in_time; ms += 50) {
		struct world *w =
			story_joined(53, "devices=2,floors=1,spacing_m=5,loss=0,servers=1");
		struct jobs_request rq = story_one(w, DB_JOB_REFRESH_DEVICE_KEY, 0);
		int64_t id = story_start(w, &rq);

		do
			world_advance(w, MSEC(10));
		while (strcmp(story_task(w, id).step, "exchange") != 0);
		world_advance(w, MSEC(ms));
		in_time = strcmp(story_task(w, id).step, "exchange") == 0;
		world_kill(w);
		check(world_finish(w, id, SEC(600)));
		check_int(story_job(w, id).state, DB_JOB_SUCCEEDED);
		check(!in_time || story_task(w, id).attempts == 1);
		story_must_agree(w);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_that_nobody_lists_is_adopted_by_the_next_job),
		cmocka_unit_test(
			an_address_that_was_never_proved_stays_burnt_when_its_node_is_removed),
		cmocka_unit_test(late_reports_of_a_beacon_do_not_bury_a_node_that_is_silent),
		cmocka_unit_test(two_jobs_do_not_work_on_one_node),
		cmocka_unit_test(a_removal_goes_on_where_it_stood),
		cmocka_unit_test(a_link_that_a_crash_has_left_open_costs_no_attempt),
		cmocka_unit_test(a_link_that_one_crash_has_left_open_outlasts_another_crash),
		cmocka_unit_test(a_refresh_begins_anew_on_a_link_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
