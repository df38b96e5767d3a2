/* SPDX-License-Identifier: Apache-2.0 */
/* Nobody is lost: nodes that did not answer yet, jobs that meet on one node, removals cut short. */
#include "check.h"
#include "db_network.h"
#include "devices.h"
#include "world.h"

static void must_agree(struct world *w)
{
	char why[256];

	if (!world_agrees(w, why))
		fail_msg("%s", why);
}

static struct db_job job_of(struct world *w, int64_t id)
{
	struct db_job row;

	world_job_get(w, id, &row);
	return row;
}

static struct db *db_of(struct world *w)
{
	return core_db(world_core(w));
}

static struct jobs *jobs_of(struct world *w)
{
	return core_jobs(world_core(w));
}

static int64_t start(struct world *w, struct jobs_request *rq)
{
	jobs_options_default(&rq->options, rq->kind);
	return world_job(w, rq);
}

/* A world whose devices have all joined. */
static struct world *joined_world(uint64_t seed, const char *keys)
{
	struct world *w = world_new(seed, keys);

	world_start(w);
	check(world_finish(w, world_provision(w), SEC(3600)));
	return w;
}

static uint16_t address_of(struct world *w, size_t i)
{
	return building_state_of(world_building(w), i).address;
}

static size_t first_node(struct world *w)
{
	size_t i = 0;

	while (!address_of(w, i))
		i++;
	return i;
}

static struct jobs_request one_device(struct world *w, enum db_job_kind kind, size_t i)
{
	const struct device_make *make = building_make_of(world_building(w), i);

	return (struct jobs_request){ .kind = kind,
				      .uuids = (const uint8_t(*)[UUID_LEN])make->uuid,
				      .n_uuids = 1 };
}

/* As if the job had given up before the node answered. */
static void make_pending(struct world *w, uint16_t address, bool key_is_right)
{
	struct db_node n;

	check_int(db_node_get(db_of(w), address, &n), DB_OK);
	n.state = DB_NODE_PENDING;
	n.server = false;
	if (!key_is_right)
		n.device_key = (struct secret16){ { 1 } };
	check_int(db_node_update(db_of(w), &n), DB_OK);
	check_int(db_address_set(db_of(w), address, DB_ADDRESS_RESERVED, 0), DB_OK);
	check(core_settle(world_core(w)));
	world_kill(w);
	world_start(w);
}

TEST(a_node_that_nobody_lists_is_adopted_by_the_next_job)
{
	struct world *w = joined_world(44, "devices=4,floors=1,loss=0");
	int64_t id;
	char why[256];
	size_t i;

	i = first_node(w);
	make_pending(w, address_of(w, i), true);
	check_int(jobs_device_delete(jobs_of(w), building_make_of(world_building(w), i)->uuid),
		  JOBS_OK);
	check(!world_agrees(w, why));
	id = world_provision(w);
	check(world_finish(w, id, SEC(3600)));
	check_int(job_of(w, id).succeeded, 1);
	must_agree(w);
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

	check_int(db_addresses(db_of(w), note_range, &r), DB_OK);
	return r.state;
}

TEST(an_address_that_was_never_proved_stays_burnt_when_its_node_is_removed)
{
	struct world *w = joined_world(45, "devices=4,floors=1,loss=0");
	int64_t id;
	uint16_t address;
	struct jobs_request rq;

	address = address_of(w, first_node(w));
	make_pending(w, address, true);
	rq = (struct jobs_request){ .kind = DB_JOB_REMOVE,
				    .addresses = &address,
				    .n_addresses = 1 };
	id = start(w, &rq);
	check(world_finish(w, id, SEC(600)));
	check_int(address_state(w, address), DB_ADDRESS_BURNT);
	must_agree(w);
	world_free(w);
}

/* The device beacons, as server tells: for so long. */
static void report(struct world *w, size_t device, uint16_t server, unsigned seconds)
{
	struct rpr_scan_report r = { .server = server, .rssi = -60 };

	memcpy(r.uuid, building_make_of(world_building(w), device)->uuid, UUID_LEN);
	for (unsigned s = 0; s < seconds; s++) {
		device_sighted(jobs_of(w), &r);
		world_advance(w, SEC(1));
	}
}

TEST(late_reports_of_a_beacon_do_not_bury_a_node_that_is_silent)
{
	struct world *w = joined_world(46, "devices=4,floors=1,loss=0,servers=1");
	uint16_t address, server;
	struct jobs_request rq;
	size_t i;

	i = first_node(w);
	address = address_of(w, i);
	server = address_of(w, i + 1);
	make_pending(w, address, false); /* it cannot answer under that key */
	rq = one_device(w, DB_JOB_PROVISION, i);
	start(w, &rq);
	report(w, i, server, 25);
	check_int(address_state(w, address), DB_ADDRESS_RESERVED);
	report(w, i, server, 60); /* no report is that late */
	check_int(address_state(w, address), DB_ADDRESS_BURNT);
	world_free(w);
}

TEST(two_jobs_do_not_work_on_one_node)
{
	struct world *w = joined_world(47, "devices=4,floors=1,loss=0");
	int64_t id, other;
	struct jobs_request by_uuid, by_address;
	char why[JOBS_WHY] = "";
	uint16_t address;
	struct db_task t;
	size_t i;

	i = first_node(w);
	address = address_of(w, i);
	by_uuid = one_device(w, DB_JOB_REMOVE, i);
	by_address = (struct jobs_request){ .kind = DB_JOB_REMOVE,
					    .addresses = &address,
					    .n_addresses = 1 };
	id = start(w, &by_address);
	check(world_task(w, id, i, &t)); /* it names the node both ways */
	check_int(t.address, address);
	check_int(jobs_create(jobs_of(w), &by_uuid, &other, why), JOBS_CONFLICT);
	check_int(jobs_create(jobs_of(w), &by_address, &other, why), JOBS_CONFLICT);
	check(strlen(why) > 5);
	check(world_finish(w, id, SEC(600)));
	must_agree(w);
	world_free(w);
}

TEST(a_removal_goes_on_where_it_stood)
{
	struct world *w = joined_world(48, "devices=4,floors=1,loss=0");
	int64_t id;
	uint16_t address;
	struct db_task t;
	size_t i;

	i = first_node(w);
	address = address_of(w, i);
	struct jobs_request rq = { .kind = DB_JOB_REMOVE, .addresses = &address, .n_addresses = 1 };
	id = start(w, &rq);
	do {
		world_advance(w, MSEC(10));
		check(world_task(w, id, i, &t));
	} while (strcmp(t.step, "verify") != 0);
	world_kill(w);
	check(world_finish(w, id, SEC(600)));
	check(world_task(w, id, i, &t));
	check_int(t.state, DB_TASK_SUCCEEDED);
	check_str(t.error_message, ""); /* that it reset is known, and is not doubted */
	must_agree(w);
	world_free(w);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
