/* SPDX-License-Identifier: Apache-2.0 */
/* Kills in virtual time: at every write boundary of a ten-device job, before the commit and
 * after it; the job is then finished, and building and inventory agree. */
#include <stdlib.h>

#include "check.h"
#include "world.h"

static const char keys[] = "devices=10,floors=1,loss=0.05,dead=1";

static void finish_and_agree(struct world *w, int64_t id, uint64_t seed, uint64_t at, bool after)
{
	char why[256];
	struct db_job job;

	if (!world_finish(w, id, SEC(7200)))
		fail_msg("seed %llu, commit %llu %s: the job does not end",
			 (unsigned long long)seed, (unsigned long long)at,
			 after ? "after" : "before");
	world_job_get(w, id, &job);
	if (!world_agrees(w, why))
		fail_msg("seed %llu, commit %llu %s: %s", (unsigned long long)seed,
			 (unsigned long long)at, after ? "after" : "before", why);
	if (job.succeeded != 9)
		fail_msg("seed %llu, commit %llu %s: %lld joined", (unsigned long long)seed,
			 (unsigned long long)at, after ? "after" : "before",
			 (long long)job.succeeded);
}

/* How many commits an undisturbed run makes. */
static uint64_t boundaries(uint64_t seed)
{
	struct world *w = world_new(seed, keys);
	uint64_t n;
	int64_t id;

	world_start(w);
	id = world_provision(w);
	world_kill_at_commit(w, 0, false);
	check(world_finish(w, id, SEC(7200)));
	n = world_commits(w);
	world_free(w);
	return n;
}

static void kill_at(uint64_t seed, uint64_t at, bool after)
{
	struct world *w = world_new(seed, keys);
	int64_t id;

	world_start(w);
	id = world_provision(w);
	world_kill_at_commit(w, at, after);
	finish_and_agree(w, id, seed, at, after);
	world_free(w);
}

TEST(a_kill_at_every_write_boundary_loses_nothing)
{
	const char *given = getenv("MESHMASON_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : 21, n = boundaries(seed);

	print_message("%llu write boundaries\n", (unsigned long long)n);
	check(n > 50);
	for (uint64_t at = 1; at <= n; at++) {
		kill_at(seed, at, false);
		kill_at(seed, at, true);
	}
}

/* Many kills in one run, at random instants. */
TEST(kills_at_random_instants_lose_nothing)
{
	for (uint64_t seed = 100; seed < 110; seed++) {
		struct world *w = world_new(seed, keys);
		uint64_t random = seed;
		int64_t id;

		world_start(w);
		id = world_provision(w);
		for (int i = 0; i < 8 && !world_job_ended(w, id); i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			world_advance(w, random >> 40); /* up to 16.8 s */
			if (world_job_ended(w, id))
				break;
			world_kill(w);
			world_advance(w, MSEC(100));
			world_start(w);
		}
		finish_and_agree(w, id, seed, 0, false);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_at_every_write_boundary_loses_nothing),
		cmocka_unit_test(kills_at_random_instants_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
