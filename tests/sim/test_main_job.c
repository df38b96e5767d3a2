/* SPDX-License-Identifier: Apache-2.0 */
/* The main job in virtual time: every trusted device becomes a node, each of the others ends with
 * its own reason. */
#include <stdlib.h>

#include "check.h"
#include "world.h"

static void must_agree(struct world *w)
{
	char why[256];

	if (!world_agrees(w, why))
		fail_msg("%s", why);
}

/* Each fault and the code it must end with, by how often the building has it. */
struct expected {
	const char *code;
	unsigned n;
};

static unsigned count_code(struct world *w, int64_t job, const char *code)
{
	struct db_task_filter filter = { .job = job, .state = -1, .code = code };
	int64_t n = 0;

	check_int(db_task_count(core_db(world_core(w)), &filter, &n), DB_OK);
	return (unsigned)n;
}

static void run(uint64_t seed, const char *keys, unsigned good, const struct expected *bad,
		size_t n_bad, unsigned min_peak)
{
	struct world *w = world_new(seed, keys);
	struct db_job job;
	int64_t id;

	world_start(w);
	id = world_provision(w);
	if (!world_finish(w, id, SEC(7200)))
		fail_msg("seed %llu: the job does not end", (unsigned long long)seed);
	world_job_get(w, id, &job);
	must_agree(w);
	print_message("seed %llu: %lld of %lld, peak %u links, %llu s of virtual time\n",
		      (unsigned long long)seed, (long long)job.succeeded, (long long)job.total,
		      job.links_peak, (unsigned long long)(timers_now(world_time(w)) / SEC(1)));
	check_int(job.succeeded, good);
	for (size_t i = 0; i < n_bad; i++) {
		if (count_code(w, id, bad[i].code) != bad[i].n)
			fail_msg("seed %llu: %u tasks with %s, not %u", (unsigned long long)seed,
				 count_code(w, id, bad[i].code), bad[i].code, bad[i].n);
	}
	check_int(job.state, n_bad ? DB_JOB_PARTIAL : DB_JOB_SUCCEEDED);
	check(job.links_peak >= min_peak);
	world_free(w);
}

TEST(ten_devices_without_loss_all_join)
{
	run(11, "devices=10,floors=1,loss=0", 10, NULL, 0, 1);
}

TEST(ten_devices_with_much_loss_all_join)
{
	run(12, "devices=10,floors=1,loss=0.15", 10, NULL, 0, 1);
}

TEST(every_bad_device_ends_with_its_own_reason)
{
	static const struct expected bad[] = {
		{ "certificate_untrusted", 2 },
		{ "certificate_expired", 1 },
		{ "certificate_uuid_mismatch", 1 },
		{ "not_heard", 1 },
	};

	run(13, "devices=20,floors=1,loss=0.05,untrusted=2,expired=1,misnamed=1,dead=1,absent=1",
	    14, bad, ARRAY_LEN(bad), 2);
}

TEST(static_oob_devices_join_with_their_listed_values)
{
	run(14, "devices=8,floors=1,loss=0.05,static_oob=1", 8, NULL, 0, 1);
}

/* The seeds of an acceptance run are drawn when it starts, and printed. */
TEST(sixty_devices_on_three_floors_join_for_a_fresh_seed)
{
	static const struct expected bad[] = {
		{ "certificate_untrusted", 3 },
		{ "certificate_expired", 1 },
		{ "certificate_uuid_mismatch", 1 },
		{ "not_heard", 1 },
	};
	const char *given = getenv("MESHMASON_SEED");
	uint32_t seed;
	FILE *f = fopen("/dev/urandom", "rb");

	check(f && fread(&seed, sizeof(seed), 1, f) == 1);
	fclose(f);
	run(given ? strtoull(given, NULL, 10) : seed,
	    "devices=60,floors=3,loss=0.05,untrusted=3,expired=1,misnamed=1,dead=2,absent=1", 52,
	    bad, ARRAY_LEN(bad), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_devices_without_loss_all_join),
		cmocka_unit_test(ten_devices_with_much_loss_all_join),
		cmocka_unit_test(every_bad_device_ends_with_its_own_reason),
		cmocka_unit_test(static_oob_devices_join_with_their_listed_values),
		cmocka_unit_test(sixty_devices_on_three_floors_join_for_a_fresh_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
