/* SPDX-License-Identifier: Apache-2.0 */
/* More devices on the air than anybody has room for: what is expected is never pushed out. */
#include "check.h"
#include "core_jobs.h"
#include "devices.h"
#include "world.h"

enum { ROOM = 200 };

static struct jobs *jobs_of(struct world *w)
{
	return core_jobs(world_core(w));
}

static void uuid_of(uint32_t i, uint8_t uuid[UUID_LEN])
{
	memset(uuid, 0xEE, UUID_LEN);
	memcpy(uuid, &i, sizeof i);
}

static void beacon(struct world *w, uint32_t i)
{
	struct rpr_scan_report r = { .server = 1, .rssi = -70 };

	uuid_of(i, r.uuid);
	device_sighted(jobs_of(w), &r);
}

/* As an attacker does: each beacon of another device. */
static void flood(struct world *w, uint32_t from, uint32_t n)
{
	for (uint32_t i = from; i < from + n; i++) {
		beacon(w, i);
		if (i % 50 == 0)
			world_advance(w, SEC(2));
	}
	world_advance(w, SEC(2));
}

static int64_t unlisted(struct world *w)
{
	struct db_device_filter f = { .listed = 0, .heard = -1, .trust = -1, .provisioned = -1 };
	int64_t n = 0;

	check_int(db_device_count(core_db(world_core(w)), &f, &n), DB_OK);
	return n;
}

TEST(a_flood_of_beacons_pushes_out_its_own_oldest_only)
{
	struct world *w = world_new(81, "devices=6,floors=1,spacing_m=3,loss=0");
	uint8_t first[UUID_LEN], last[UUID_LEN];
	int64_t id;

	world_start(w);
	jobs_of(w)->devices_max = ROOM;
	uuid_of(1, first);
	uuid_of(4999, last);
	flood(w, 1, 4999);
	check(jobs_of(w)->n_devices <= ROOM + 6);
	check(!device_find(jobs_of(w), first));
	check(device_find(jobs_of(w), last));
	check(unlisted(w) <= ROOM + 50);
	/* the six of the list are known as ever, and join while it goes on */
	id = world_provision(w);
	flood(w, 5000, 3000);
	check(world_finish(w, id, SEC(3600)));
	struct db_job job;
	world_job_get(w, id, &job);
	check_int(job.state, DB_JOB_SUCCEEDED);
	check_int(job.succeeded, 6);
	world_free(w);
}

TEST(targets_and_listed_devices_find_room_however_full_it_is)
{
	struct world *w = world_new(82, "devices=4,floors=1,spacing_m=3,loss=0");
	struct db_device row = { .listed = true, .best_rssi = 127 };
	uint8_t uuid[2 * ROOM][UUID_LEN];
	struct db_job job;
	int64_t id;

	world_start(w);
	jobs_of(w)->devices_max = ROOM;
	flood(w, 1, 2 * ROOM);
	for (uint32_t i = 0; i < 2 * ROOM; i++) { /* more than there is room for */
		uuid_of(100000 + i, row.uuid);
		memcpy(uuid[i], row.uuid, UUID_LEN);
		check_int(jobs_device_put(jobs_of(w), &row), JOBS_OK);
	}
	for (uint32_t i = 0; i < 2 * ROOM; i++)
		check(device_find(jobs_of(w), uuid[i]));
	struct jobs_request rq = { .kind = DB_JOB_PROVISION,
				   .uuids = (const uint8_t(*)[UUID_LEN])uuid,
				   .n_uuids = 2 * ROOM };
	jobs_options_default(&rq.options, DB_JOB_PROVISION);
	id = world_job(w, &rq);
	world_job_get(w, id, &job);
	check_int(job.total, 2 * ROOM);
	/* strangers are not seen now, one of the list is */
	uuid_of(777777, row.uuid);
	beacon(w, 777777);
	check(!device_find(jobs_of(w), row.uuid));
	beacon(w, 100001);
	check(device_find(jobs_of(w), uuid[1])->heard);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_beacons_pushes_out_its_own_oldest_only),
		cmocka_unit_test(targets_and_listed_devices_find_room_however_full_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
