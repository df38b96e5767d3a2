/* SPDX-License-Identifier: Apache-2.0 */
/* Extended scans as jobs: of devices near and far, of servers, and of what does not answer. */
#include "access_env.h"
#include "check.h"
#include "core_jobs.h"
#include "devices.h"
#include "world.h"

static struct db *db_of(struct world *w)
{
	return core_db(world_core(w));
}

static struct jobs *jobs_of(struct world *w)
{
	return core_jobs(world_core(w));
}

static struct db_job job_of(struct world *w, int64_t id)
{
	struct db_job row;

	world_job_get(w, id, &row);
	return row;
}

static struct jobs_request extended(struct jobs_request rq, unsigned seconds)
{
	rq.kind = DB_JOB_SCAN;
	jobs_options_default(&rq.options, DB_JOB_SCAN);
	rq.options.n_ad_types = 3;
	rq.options.ad_types[0] = 0x09;
	rq.options.ad_types[1] = 0x19;
	rq.options.ad_types[2] = 0x0A;
	rq.options.seconds = seconds;
	return rq;
}

static int64_t scan(struct world *w, struct jobs_request rq, unsigned seconds)
{
	rq = extended(rq, seconds);
	return world_job(w, &rq);
}

static int64_t scan_device(struct world *w, size_t i, unsigned seconds)
{
	const uint8_t *uuid = building_make_of(world_building(w), i)->uuid;

	return scan(
		w, (struct jobs_request){ .uuids = (const uint8_t(*)[UUID_LEN])uuid, .n_uuids = 1 },
		seconds);
}

static struct db_device device_of(struct world *w, size_t i)
{
	struct db_device d;

	check_int(db_device_get(db_of(w), building_make_of(world_building(w), i)->uuid, &d), DB_OK);
	return d;
}

static void check_told(struct world *w, size_t i)
{
	struct db_device d = device_of(w, i);

	check_str(d.scan.local_name, building_make_of(world_building(w), i)->name);
	check(d.scan.has_appearance);
	check_int(d.scan.appearance, 0x0582);
	check_int(d.scan.tx_power, 127);
	check(d.scan.at > 0 && d.scan.ads_len > 6);
}

/* The farthest of those that only nodes hear; it forgets that it was one. */
static size_t remove_farthest(struct world *w)
{
	size_t best = 0;
	int hops = -1;
	struct db_node n;

	for (size_t i = 0; i < building_count(world_building(w)); i++) {
		struct device_state s = building_state_of(world_building(w), i);

		if (!s.provisioned || db_node_get(db_of(w), s.address, &n) != DB_OK ||
		    n.hops <= hops || n.server)
			continue;
		hops = n.hops;
		best = i;
	}
	check(hops >= 2);
	uint16_t address = building_state_of(world_building(w), best).address;
	struct jobs_request rq = { .kind = DB_JOB_REMOVE, .addresses = &address, .n_addresses = 1 };
	jobs_options_default(&rq.options, DB_JOB_REMOVE);
	check(world_finish(w, world_job(w, &rq), SEC(300)));
	check(!building_state_of(world_building(w), best).provisioned);
	return best;
}

static struct world *wide_world(uint64_t seed)
{
	struct world *w = world_new(seed, "devices=24,floors=1,spacing_m=12,servers=0.6,loss=0.05");

	world_start(w);
	check(world_finish(w, world_provision(w), SEC(3600)));
	return w;
}

TEST(a_device_two_hops_away_tells_its_name_and_appearance)
{
	struct world *w = wide_world(71);
	size_t far = remove_farthest(w);
	int64_t id = scan_device(w, far, 0);
	struct db_task t;
	struct db_node server;

	check(world_finish(w, id, SEC(300)));
	check_int(job_of(w, id).state, DB_JOB_SUCCEEDED);
	check(world_task(w, id, far, &t));
	check_str(t.step, "done");
	check_int(db_node_get(db_of(w), t.server, &server), DB_OK); /* not our own radio */
	check(server.hops >= 1);
	check_told(w, far);
	world_free(w);
}

TEST(our_own_radio_listens_to_several_at_once)
{
	struct world *w = world_new(72, "devices=8,floors=1,spacing_m=3,loss=0.1");
	uint64_t before;
	int64_t id;

	world_start(w);
	world_advance(w, SEC(12));
	before = timers_now(world_time(w));
	id = scan(w, (struct jobs_request){ .targets = DB_TARGETS_ALL }, 0);
	check_int(job_of(w, id).total, 8);
	check(world_finish(w, id, SEC(300)));
	check_int(job_of(w, id).state, DB_JOB_SUCCEEDED);
	check(timers_now(world_time(w)) - before < SEC(40));
	for (size_t i = 0; i < 8; i++)
		check_told(w, i);
	world_free(w);
}

TEST(a_server_tells_of_itself_and_scans_what_it_hears)
{
	struct world *w = wide_world(71);
	size_t far = remove_farthest(w), at = 0;
	struct db_task t;
	struct jobs_request plain = { .kind = DB_JOB_SCAN, .targets = DB_TARGETS_ALL };
	int64_t id;

	jobs_options_default(&plain.options, DB_JOB_SCAN);
	check(world_finish(w, world_job(w, &plain), SEC(600)));
	uint16_t address = device_of(w, far).best_server;
	check(address > 1);
	while (building_state_of(world_building(w), at).address != address)
		at++;
	id = scan(w, (struct jobs_request){ .addresses = &address, .n_addresses = 1 }, 0);
	check(job_of(w, id).total >= 2);
	check(world_finish(w, id, SEC(300)));
	check_int(job_of(w, id).state, DB_JOB_SUCCEEDED);
	check_told(w, at);
	check_told(w, far);
	check(world_task(w, id, far, &t));
	check_int(t.server, address);
	world_free(w);
}

static bool is_running(struct world *w, void *ctx)
{
	return job_of(w, *(int64_t *)ctx).running > 0;
}

/* The server goes on with a scan that we have forgotten, and does one at a time. */
TEST(a_server_that_refuses_is_asked_again_until_it_is_free)
{
	struct world *w = wide_world(71);
	size_t far = remove_farthest(w);
	static const uint8_t nobody[1][UUID_LEN] = { { 9, 9, 9 } };
	struct db_device other = { .heard = true, .best_rssi = -60 };
	int64_t id = scan_device(w, far, 0);
	struct rpr_scan_report seen = { .rssi = -20, .oob_info = 0 };
	char why[JOBS_WHY];
	struct db_task t;

	check(world_finish(w, id, SEC(300)));
	check(world_task(w, id, far, &t));
	memcpy(seen.uuid, nobody, UUID_LEN);
	memcpy(other.uuid, nobody, UUID_LEN);
	check_int(db_device_put(db_of(w), &other), DB_OK);
	seen.server = t.server;
	device_sighted(jobs_of(w), &seen);
	id = scan(w, (struct jobs_request){ .uuids = nobody, .n_uuids = 1 }, 21);
	check(world_run(w, SEC(60), is_running, &id));
	world_advance(w, SEC(3));
	check_int(jobs_cancel(jobs_of(w), id, why), JOBS_OK);
	check(world_finish(w, id, SEC(10)));
	check_int(job_of(w, id).state, DB_JOB_CANCELLED);
	struct jobs_request again = extended(
		(struct jobs_request){ .uuids = (const uint8_t(*)[UUID_LEN])building_make_of(
							world_building(w), far)
							->uuid,
				       .n_uuids = 1 },
		5);
	again.options.server = t.server;
	id = world_job(w, &again);
	world_advance(w, SEC(4));
	check(world_task(w, id, far, &t));
	check_int(t.state, DB_TASK_WAITING); /* refused, and put off */
	check(world_finish(w, id, SEC(300)));
	check_int(job_of(w, id).state, DB_JOB_SUCCEEDED);
	check_told(w, far);
	world_free(w);
}

static void spoil(void *ctx, const struct db_node *n)
{
	struct db_node copy = *n;

	copy.company = 0x05F1;
	db_node_update(ctx, &copy);
}

TEST(a_server_that_would_not_survive_it_is_not_asked)
{
	struct world *w = wide_world(71);
	size_t far = remove_farthest(w);
	struct db_node_filter all = { .server = -1, .state = -1 };
	char next[DB_CURSOR];
	struct db_task t;
	int64_t id;

	check_int(db_nodes(db_of(w), &all, NULL, spoil, db_of(w), next), DB_OK);
	world_advance(w, SEC(1));
	world_kill(w);
	world_start(w);
	id = scan_device(w, far, 0);
	check(world_finish(w, id, SEC(600)));
	check_int(job_of(w, id).state, DB_JOB_FAILED);
	check(world_task(w, id, far, &t));
	check_str(t.error_code, "server_refused");
	world_free(w);
}

TEST(silence_ends_with_the_server_named_as_lost)
{
	struct world *w = wide_world(71);
	struct secret16 wrong = { { 1 } };
	struct db_node n;
	uint16_t address = 2;
	int64_t id;

	while (db_node_get(db_of(w), address, &n) != DB_OK || !n.server)
		address++;
	check(mesh_node_set(jobs_of(w)->env.mesh, address, n.elements, &wrong, NULL));
	id = scan(w, (struct jobs_request){ .addresses = &address, .n_addresses = 1 }, 0);
	check(world_finish(w, id, SEC(3600)));
	check_int(job_of(w, id).state, DB_JOB_FAILED);
	struct db_task_filter lost = { .job = id, .state = -1, .code = "server_lost" };
	int64_t many;
	check_int(db_task_count(db_of(w), &lost, &many), DB_OK);
	check(many >= 1);
	world_free(w);
}

TEST(what_nobody_hears_says_so)
{
	static const uint8_t nobody[1][UUID_LEN] = { { 9, 9, 9 } };
	struct world *w = world_new(73, "devices=4,floors=1,spacing_m=3,loss=0");
	int64_t id;

	world_start(w);
	id = scan(w, (struct jobs_request){ .uuids = nobody, .n_uuids = 1 }, 0);
	check(world_finish(w, id, SEC(120)));
	check_int(job_of(w, id).state, DB_JOB_FAILED);
	struct db_task_filter unheard = { .job = id, .state = -1, .code = "not_heard" };
	int64_t many;
	check_int(db_task_count(db_of(w), &unheard, &many), DB_OK);
	check_int(many, 1);
	world_free(w);
}

/* Killed at each commit of the job, it goes on and ends the same. */
TEST(an_extended_scan_survives_kills)
{
	for (uint64_t at = 1; at < 10; at++) {
		struct world *w = world_new(72, "devices=4,floors=1,spacing_m=3,loss=0");
		int64_t id;

		world_start(w);
		world_advance(w, SEC(12));
		id = scan(w, (struct jobs_request){ .targets = DB_TARGETS_ALL }, 0);
		world_kill_at_commit(w, at, at % 2);
		check(world_finish(w, id, SEC(300)));
		check_int(job_of(w, id).state, DB_JOB_SUCCEEDED);
		for (size_t i = 0; i < 4; i++)
			check_told(w, i);
		world_free(w);
	}
}

TEST(a_scan_report_that_cannot_be_read_is_counted)
{
	static const uint8_t report[] = { 0x80, 0x55, 0xC0, 1, 2, 3 };
	struct world *w = wide_world(71);
	struct access_message m = { .dst = 0x0001, .app_index = ACCESS_DEVICE_KEY };
	struct mesh_counters before, after;
	const struct server *s = jobs_of(w)->servers;

	while (s->local)
		s = s->next;
	m.src = s->address;
	mesh_counters(core_mesh(world_core(w)), &before);
	access_heard(jobs_of(w)->access, &m, bytes_of(report, sizeof report));
	mesh_counters(core_mesh(world_core(w)), &after);
	check_int(after.malformed, before.malformed + 1);
	world_free(w);
}

TEST(requests_for_ad_types_that_make_no_sense_are_refused)
{
	static const struct {
		const char *name;
		uint8_t types[2], n;
		unsigned seconds;
	} rows[] = {
		{ "prohibited", { 0x08 }, 1, 0 },
		{ "twice", { 0x09, 0x09 }, 2, 0 },
		{ "too long", { 0x09 }, 1, 22 },
	};
	struct world *w = world_new(73, "devices=4,floors=1,loss=0");
	char why[JOBS_WHY];
	int64_t id;

	world_start(w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct jobs_request rq = { .kind = DB_JOB_SCAN, .targets = DB_TARGETS_ALL };

		jobs_options_default(&rq.options, DB_JOB_SCAN);
		memcpy(rq.options.ad_types, rows[i].types, 2);
		rq.options.n_ad_types = rows[i].n;
		rq.options.seconds = rows[i].seconds;
		check_row(rows[i].name, jobs_create(jobs_of(w), &rq, &id, why) == JOBS_BAD_OPTION);
	}
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_two_hops_away_tells_its_name_and_appearance),
		cmocka_unit_test(our_own_radio_listens_to_several_at_once),
		cmocka_unit_test(a_server_tells_of_itself_and_scans_what_it_hears),
		cmocka_unit_test(a_server_that_refuses_is_asked_again_until_it_is_free),
		cmocka_unit_test(a_server_that_would_not_survive_it_is_not_asked),
		cmocka_unit_test(silence_ends_with_the_server_named_as_lost),
		cmocka_unit_test(what_nobody_hears_says_so),
		cmocka_unit_test(an_extended_scan_survives_kills),
		cmocka_unit_test(a_scan_report_that_cannot_be_read_is_counted),
		cmocka_unit_test(requests_for_ad_types_that_make_no_sense_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
