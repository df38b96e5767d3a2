/* SPDX-License-Identifier: Apache-2.0 */
/* Two jobs never change one node at once, and no job changes a node that is not its own. */
#include <sqlite3.h>
#include <stdio.h>

#include "check.h"
#include "world.h"

enum { NOWHERE = 0x0700 };

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

static struct world *ready(uint64_t seed)
{
	struct world *w = world_new(seed, "devices=6,floors=1,spacing_m=3,loss=0");

	world_start(w);
	check(world_finish(w, world_provision(w), SEC(3600)));
	return w;
}

/* In the inventory, and never there. */
static void add_ghost(struct world *w)
{
	struct db_node n = { .uuid = { 9 },
			     .elements = 1,
			     .state = DB_NODE_CONFIGURED,
			     .address = NOWHERE,
			     .hops = 1 };

	check_int(db_address_claim(db_of(w), NOWHERE, 1, n.uuid, 0), DB_OK);
	check_int(db_node_insert(db_of(w), &n), DB_OK);
	check(mesh_node_set(core_mesh(world_core(w)), NOWHERE, 1, &n.device_key, NULL));
	world_advance(w, SEC(1));
}

static struct jobs_request request(enum db_job_kind kind, const uint16_t *address)
{
	struct jobs_request rq = { .kind = kind, .targets = DB_TARGETS_ALL };

	jobs_options_default(&rq.options, kind);
	if (address) {
		rq.targets = DB_TARGETS_LIST;
		rq.addresses = address;
		rq.n_addresses = 1;
	}
	return rq;
}

static void take(void *ctx, const struct db_task *t)
{
	*(struct db_task *)ctx = *t;
}

static struct db_task only_task(struct world *w, int64_t id)
{
	struct db_task_filter f = { .job = id, .state = -1 };
	struct db_task t = { 0 };
	char next[DB_CURSOR];

	check_int(db_tasks(db_of(w), &f, NULL, take, &t, next), DB_OK);
	return t;
}

TEST(a_retry_does_not_take_what_a_later_job_has)
{
	struct world *w = ready(91);
	uint16_t ghost = NOWHERE;
	struct jobs_request rq = request(DB_JOB_CONFIGURE, &ghost);
	char why[JOBS_WHY] = "";
	int64_t old, later;

	add_ghost(w);
	rq.options.attempts = 1;
	old = world_job(w, &rq);
	check(world_finish(w, old, SEC(300)));
	check_int(job_of(w, old).state, DB_JOB_FAILED);
	rq = request(DB_JOB_REMOVE, &ghost);
	later = world_job(w, &rq);
	check_int(jobs_retry(jobs_of(w), old, why), JOBS_CONFLICT);
	check(strstr(why, "is working on that"));
	check_int(job_of(w, old).state, DB_JOB_FAILED);
	check(world_finish(w, later, SEC(300)));
	check_int(jobs_retry(jobs_of(w), old, why), JOBS_OK); /* nobody has it now */
	check(world_finish(w, old, SEC(300)));
	check_str(only_task(w, old).error_code, "node_gone");
	world_free(w);
}

static void give_to_another(struct world *w, uint16_t address)
{
	struct db_node n;

	check_int(db_node_get(db_of(w), address, &n), DB_OK);
	check_int(db_node_delete(db_of(w), address), DB_OK);
	n.uuid[0] ^= 0xFF;
	check_int(db_node_insert(db_of(w), &n), DB_OK);
	secret_wipe(&n, sizeof n);
}

TEST(a_job_of_former_days_leaves_the_address_next_owner_alone)
{
	static const enum db_job_kind kinds[] = { DB_JOB_REMOVE, DB_JOB_CONFIGURE };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct world *w = ready(92);
		uint16_t address = building_state_of(world_building(w), 1).address;
		struct jobs_request rq = request(kinds[i], &address);
		char why[JOBS_WHY];
		int64_t id = world_job(w, &rq);

		check_int(jobs_pause(jobs_of(w), id, why), JOBS_OK);
		world_advance(w, SEC(1));
		give_to_another(w, address);
		check_int(jobs_resume(jobs_of(w), id, why), JOBS_OK);
		check(world_finish(w, id, SEC(300)));
		check_str(only_task(w, id).error_code, "node_gone");
		check_int(building_state_of(world_building(w), 1).resets, 0);
		check(building_state_of(world_building(w), 1).provisioned);
		world_free(w);
	}
}

static bool some_are_configuring(struct world *w, void *ctx)
{
	struct db_task_filter f = { .job = *(int64_t *)ctx, .state = DB_TASK_SUCCEEDED };
	int64_t n = 0;

	check_int(db_task_count(db_of(w), &f, &n), DB_OK);
	return n >= 3;
}

struct open {
	uint16_t address[64];
	size_t n;
};

static void note_open(void *ctx, const struct db_task *t)
{
	struct open *o = ctx;

	if (t->address && (t->state == DB_TASK_WAITING || t->state == DB_TASK_RUNNING))
		o->address[o->n++] = t->address;
}

TEST(configuring_all_leaves_alone_what_is_being_provisioned)
{
	struct world *w = world_new(93, "devices=30,floors=1,spacing_m=3,loss=0.05");
	struct db_task_filter any = { .state = -1 };
	struct jobs_request rq = request(DB_JOB_CONFIGURE, NULL);
	struct open open = { .n = 0 };
	char next[DB_CURSOR];
	int64_t id, all;

	world_start(w);
	id = world_provision(w);
	check(world_run(w, SEC(600), some_are_configuring, &id));
	all = world_job(w, &rq);
	check(job_of(w, all).total >= 3);
	check_int(db_tasks(db_of(w), &any, &(struct db_page){ .limit = 1000 }, note_open, &open,
			   next),
		  DB_OK);
	for (size_t i = 0; i < open.n; i++)
		for (size_t k = 0; k < i; k++)
			check(open.address[i] != open.address[k]);
	check(world_finish(w, id, SEC(3600)));
	check_int(job_of(w, id).succeeded, 30);
	check(world_job_ended(w, all));
	world_free(w);
}

TEST(attempts_say_how_often_a_silent_node_is_tried)
{
	struct world *w = ready(94);
	uint16_t ghost = NOWHERE;
	uint64_t took[2];

	for (unsigned i = 0; i < 2; i++) {
		struct jobs_request rq = request(DB_JOB_CONFIGURE, &ghost);
		uint64_t before;
		int64_t id;

		if (i == 0)
			add_ghost(w);
		rq.options.attempts = i ? 5 : 1;
		before = timers_now(world_time(w));
		id = world_job(w, &rq);
		check(world_finish(w, id, SEC(600)));
		took[i] = timers_now(world_time(w)) - before;
		check_int(only_task(w, id).attempts, i ? 5 : 1);
	}
	check(took[1] > 4 * took[0]);
	world_free(w);
}

static bool is_exchanging(struct world *w, void *ctx)
{
	struct db_task_filter f = { .job = *(int64_t *)ctx, .state = DB_TASK_RUNNING };
	struct db_task t = { 0 };
	char next[DB_CURSOR];

	check_int(db_tasks(db_of(w), &f, NULL, take, &t, next), DB_OK);
	return strcmp(t.step, "exchange") == 0;
}

/* Not "no address is free": whoever goes on after that may have lost what it wrote. */
TEST(a_store_that_fails_when_a_key_is_agreed_ends_the_process_and_sends_nothing)
{
	struct world *w = world_new(95, "devices=1,floors=1,spacing_m=3,loss=0");
	char path[4096];
	sqlite3 *other;
	int64_t id;

	world_start(w);
	id = world_provision(w);
	check(world_run(w, SEC(300), is_exchanging, &id));
	world_expect_store_failure(w);
	snprintf(path, sizeof path, "%s/meshmason.db", world_folder(w));
	check_int(sqlite3_open(path, &other), SQLITE_OK);
	check_int(sqlite3_exec(other, "DROP TABLE net_keys", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	world_advance(w, SEC(60));
	check(!world_running(w));
	check(!building_state_of(world_building(w), 0).provisioned);
	world_free(w);
}

/* A restart takes up so many jobs and no more. */
TEST(retries_find_no_more_room_than_new_jobs)
{
	enum { JOBS = 65 };
	struct world *w = ready(6);
	int64_t id[JOBS], task;
	char why[JOBS_WHY];

	for (size_t i = 0; i < JOBS; i++) {
		struct db_job job = { .kind = DB_JOB_IDENTIFY, .state = DB_JOB_FAILED, .ended = 1 };
		struct db_task t = { .state = DB_TASK_FAILED, .ended = 1, .has_uuid = true };

		check_int(db_job_insert(db_of(w), &job, &id[i]), DB_OK);
		t.job = id[i];
		t.uuid[0] = (uint8_t)(i + 1);
		check_int(db_task_insert(db_of(w), &t, &task), DB_OK);
	}
	for (size_t i = 0; i < JOBS; i++)
		check_int(jobs_retry(jobs_of(w), id[i], why),
			  i + 1 < JOBS ? JOBS_OK : JOBS_CONFLICT);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_retry_does_not_take_what_a_later_job_has),
		cmocka_unit_test(a_job_of_former_days_leaves_the_address_next_owner_alone),
		cmocka_unit_test(configuring_all_leaves_alone_what_is_being_provisioned),
		cmocka_unit_test(retries_find_no_more_room_than_new_jobs),
		cmocka_unit_test(attempts_say_how_often_a_silent_node_is_tried),
		cmocka_unit_test(
			a_store_that_fails_when_a_key_is_agreed_ends_the_process_and_sends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
