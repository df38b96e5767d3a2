/* SPDX-License-Identifier: Apache-2.0 */
/* Two networks grow in one building at the same time: side by side, and in a race for the same
 * devices. Nobody's device is lost, and nobody takes another's. */
#include <stdlib.h>

#include "check.h"
#include "two_gateways.h"

enum { DEVICES = 24 };

/* So close that the servers of either network reach everybody. */
static struct site *site(uint64_t seed)
{
	return site_new(seed, "devices=24,floors=1,spacing_m=7,loss=0.05,servers=0.7", 56, 21);
}

static void must_own(struct site *s, size_t device, int by)
{
	const char *name = building_make_of(site_building(s), device)->name;
	int owner = site_owner(s, device);

	if (owner < 0 || (by >= 0 && owner != by))
		fail_msg("%s: owner %d", name, owner);
}

/* Asks all nodes of both networks at the same time. */
static void all_answer(struct site *s)
{
	int64_t job[GATEWAYS] = { 0 };
	uint16_t addresses[GATEWAYS][DEVICES];
	size_t n[GATEWAYS] = { 0 };

	for (size_t i = 0; i < DEVICES; i++) {
		int owner = site_owner(s, i);

		if (owner >= 0)
			addresses[owner][n[owner]++] =
				building_state_of(site_building(s), i).address;
	}
	for (size_t g = 0; g < GATEWAYS; g++) {
		struct jobs_request rq = { .kind = DB_JOB_CONFIGURE,
					   .addresses = addresses[g],
					   .n_addresses = n[g] };

		jobs_options_default(&rq.options, rq.kind);
		if (n[g] > 0)
			job[g] = site_job(s, g, &rq);
	}
	check(site_finish(s, job, SEC(1800)));
	for (size_t g = 0; g < GATEWAYS; g++)
		if (job[g])
			check_int(site_job_get(s, g, job[g]).succeeded, n[g]);
}

TEST(two_networks_take_half_of_a_building_each)
{
	struct site *s = site(701);
	uint8_t uuids[GATEWAYS][DEVICES / 2][UUID_LEN];
	int64_t job[GATEWAYS];

	/* Every second device: both are everywhere. */
	for (size_t i = 0; i < DEVICES; i++)
		memcpy(uuids[i % GATEWAYS][i / GATEWAYS],
		       building_make_of(site_building(s), i)->uuid, UUID_LEN);
	for (size_t g = 0; g < GATEWAYS; g++) {
		struct jobs_request rq = { .kind = DB_JOB_PROVISION,
					   .uuids = (const uint8_t(*)[UUID_LEN])uuids[g],
					   .n_uuids = DEVICES / 2 };

		jobs_options_default(&rq.options, rq.kind);
		job[g] = site_job(s, g, &rq);
	}
	check(site_finish(s, job, SEC(7200)));
	for (size_t g = 0; g < GATEWAYS; g++)
		check_int(site_job_get(s, g, job[g]).succeeded, DEVICES / 2);
	for (size_t i = 0; i < DEVICES; i++)
		must_own(s, i, (int)(i % GATEWAYS));
	all_answer(s);
	site_free(s);
}

static void start_race(struct site *s, int64_t job[GATEWAYS])
{
	for (size_t g = 0; g < GATEWAYS; g++) {
		struct jobs_request rq = { .kind = DB_JOB_PROVISION,
					   .targets = DB_TARGETS_ALL_TRUSTED };

		jobs_options_default(&rq.options, rq.kind);
		rq.options.stop_at_failure_percent = 0; /* half of them will be the other's */
		job[g] = site_job(s, g, &rq);
	}
}

/* MESHMASON_RACES asks for more. */
static uint64_t races(void)
{
	const char *more = getenv("MESHMASON_RACES");

	return more ? strtoull(more, NULL, 10) : 3;
}

/* Each device has one owner; the other's task says why it has it not. */
static void must_be_shared_out(struct site *s, const int64_t job[GATEWAYS])
{
	size_t won[GATEWAYS] = { 0 };

	for (size_t i = 0; i < DEVICES; i++) {
		struct db_task t = { .error_code = "" };
		int owner = site_owner(s, i);

		for (size_t g = 0; owner < 0 && g < GATEWAYS && site_task(s, g, job[g], i, &t); g++)
			print_message("gateway %zu: %s after %u attempts: %s\n", g, t.error_code,
				      t.attempts, t.error_message);
		must_own(s, i, -1);
		won[owner]++;
		for (size_t g = 0; g < GATEWAYS; g++) {
			bool mine = (int)g == owner;

			check(site_task(s, g, job[g], i, &t));
			check_int(t.state, mine ? DB_TASK_SUCCEEDED : DB_TASK_FAILED);
			check(mine || (jobs_reason(t.error_code) && strlen(t.error_message) > 10));
		}
	}
	print_message("%zu and %zu devices\n", won[0], won[1]);
	check(won[0] > 0 && won[1] > 0);
}

TEST(two_networks_that_race_for_the_same_devices_share_them_out)
{
	for (uint64_t seed = 711; seed < 711 + races(); seed++) {
		struct site *s = site(seed);
		int64_t job[GATEWAYS];

		start_race(s, job);
		check(site_finish(s, job, SEC(7200)));
		must_be_shared_out(s, job);
		all_answer(s);
		site_free(s);
	}
}

/* Who was held on a link that a dead gateway had left open was not heard meanwhile, by either: it
 * is told so, and a retry takes it. */
static void retry_free(struct site *s, int64_t job[GATEWAYS])
{
	size_t left = 0;
	char why[JOBS_WHY];

	for (size_t i = 0; i < DEVICES; i++)
		left += site_owner(s, i) == SITE_FREE;
	if (left == 0)
		return;
	print_message("%zu devices are free: retried\n", left);
	for (size_t g = 0; g < GATEWAYS; g++)
		check_int(jobs_retry(core_jobs(site_core(s, g)), job[g], why), JOBS_OK);
	check(site_finish(s, job, SEC(7200)));
}

static void die_in_race(uint64_t seed)
{
	struct site *s = site(seed);
	int64_t job[GATEWAYS];

	start_race(s, job);
	for (size_t k = 0; k < 12; k++) {
		site_advance(s, SEC(3) + MSEC(173 * k));
		site_kill(s, k % GATEWAYS);
		site_advance(s, MSEC(k % 3 ? 400 : 20000));
		site_start(s, k % GATEWAYS);
	}
	check(site_finish(s, job, SEC(7200)));
	retry_free(s, job);
	must_be_shared_out(s, job);
	all_answer(s);
	site_free(s);
}

TEST(a_gateway_that_dies_in_the_race_loses_nothing_that_it_had_won)
{
	for (uint64_t seed = 721; seed < 720 + races(); seed++)
		die_in_race(seed);
}

/* With an argument: the tests of that name, with * and ?. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_networks_take_half_of_a_building_each),
		cmocka_unit_test(two_networks_that_race_for_the_same_devices_share_them_out),
		cmocka_unit_test(a_gateway_that_dies_in_the_race_loses_nothing_that_it_had_won),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
