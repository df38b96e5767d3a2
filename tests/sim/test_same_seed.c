/* SPDX-License-Identifier: Apache-2.0 */
/* "Same seed, same bytes": what happens in a world follows from its seed alone. */
#include <stdlib.h>

#include "check.h"
#include "world.h"

/* Everything that was said on the air, when and by whom, in one number. */
struct run {
	uint64_t digest, commits, events;
	int64_t succeeded;
};

static void add(struct run *r, const void *p, size_t n)
{
	const uint8_t *octet = p;

	for (size_t i = 0; i < n; i++)
		r->digest = (r->digest ^ octet[i]) * UINT64_C(0x100000001B3);
}

static void on_air(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	add(ctx, &at, sizeof(at));
	add(ctx, address, 6);
	add(ctx, ad.p, ad.n);
}

static struct run run_once(uint64_t seed, const char *keys)
{
	struct run r = { .digest = UINT64_C(0xCBF29CE484222325) };
	struct world *w = world_new(seed, keys);
	struct db_job job;
	int64_t id;

	world_on_air(w, on_air, &r);
	world_start(w);
	id = world_provision(w);
	check(world_finish(w, id, SEC(7200)));
	world_job_get(w, id, &job);
	r.succeeded = job.succeeded;
	r.commits = world_commits(w);
	r.events = building_counters(world_building(w)).events;
	world_free(w);
	return r;
}

static void must_repeat(uint64_t seed, const char *keys)
{
	struct run a = run_once(seed, keys), b = run_once(seed, keys), c = run_once(seed + 1, keys);

	print_message("%s: %lld joined, %llu commits, %llu events\n", keys, (long long)a.succeeded,
		      (unsigned long long)a.commits, (unsigned long long)a.events);
	check_int(a.commits, b.commits);
	check_int(a.events, b.events);
	check(a.digest == b.digest);
	check(a.digest != c.digest);
}

TEST(a_building_of_the_same_seed_runs_the_same_octet_for_octet)
{
	const char *more = getenv("MESHMASON_DEVICES"); /* for a longer look */
	char keys[64];

	snprintf(keys, sizeof(keys), "devices=%s,floors=3,loss=0.05", more ? more : "36");
	must_repeat(801, keys);
}

TEST(so_do_faults_and_attackers)
{
	must_repeat(802, "devices=20,floors=1,loss=0.05,faulty=0.3,duplicates=0.1,reorders=0.1,"
			 "attackers=2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_building_of_the_same_seed_runs_the_same_octet_for_octet),
		cmocka_unit_test(so_do_faults_and_attackers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
