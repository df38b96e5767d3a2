/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that lie, restart or are slow while they are provisioned anew: each refresh ends with its
 * code or goes through, and afterwards building and inventory hold the same keys and addresses. */
#include <stdlib.h>

#include "check.h"
#include "refresh_story.h"

enum { NODES = 4 };

static const struct story {
	const char *fault;
	const char *code; /* of the faulty node's task; "": it is refreshed */
	bool always;
} stories[] = {
	{ "confirmation_reflected", "auth_failed", false },
	{ "confirmation_wrong", "auth_failed", false },
	{ "random_reflected", "auth_failed", false },
	{ "reboot_invite", "", false },
	{ "reboot_start", "", false },
	{ "reboot_key", "", false },
	{ "reboot_confirmation", "", false },
	{ "reboot_random", "", false },
	{ "reboot_data", "", false },
	{ "reboot_complete", "", false },
	{ "slow_flash", "", false },
	/* Either the link or the answer is missed first. */
	{ "reboot_invite", NULL, true },
	{ "reboot_random", NULL, true },
	{ "reboot_data", NULL, true },
};

static size_t faulty_one(struct world *w)
{
	size_t i = 0;

	while (building_make_of(world_building(w), i)->fault == DEVICE_SOUND)
		i++;
	return i;
}

static void tell(uint64_t seed, enum db_job_kind kind, const struct story *s)
{
	struct db_task t = { .error_code = "" };
	char keys[160];
	struct refresh_story r;
	int64_t job;

	snprintf(keys, sizeof(keys),
		 "devices=%d,floors=1,loss=0.02,servers=1,%s=1,fault_times=%d,faults_in_refresh=1",
		 NODES, s->fault, !s->always);
	r = refresh_story_new(seed, keys);
	job = refresh_story_job(&r, kind);
	refresh_story_finish(&r, job); /* they agree, and nothing is open */
	check(world_task(r.w, job, faulty_one(r.w), &t));
	print_message("%s%s: %s after %u attempts\n", s->fault, s->always ? ", always" : "",
		      *t.error_code ? t.error_code : "refreshed", t.attempts);
	if (s->code && strcmp(t.error_code, s->code) != 0)
		fail_msg("%s: code %s (%s)", s->fault, t.error_code, t.error_message);
	if (!s->code)
		check(jobs_reason(t.error_code) && strlen(t.error_message) > 10);
	check_int(r.job.succeeded, NODES - (*t.error_code != 0));
	check_int(world_keys(r.w, faulty_one(r.w)), *t.error_code ? 1 : 2);
	refresh_story_free(&r);
}

static void tell_all(uint64_t seed, enum db_job_kind kind)
{
	const char *more = getenv("MESHMASON_ROUNDS"); /* each with seeds of its own */
	uint64_t rounds = more ? strtoull(more, NULL, 10) : 1;

	for (uint64_t k = 0; k < rounds; k++)
		for (size_t i = 0; i < ARRAY_LEN(stories); i++)
			tell(seed + i + 1000 * k, kind, &stories[i]);
}

TEST(a_faulty_node_keeps_its_device_key_or_gets_a_new_one_and_both_sides_know_which)
{
	tell_all(901, DB_JOB_REFRESH_DEVICE_KEY);
}

TEST(a_faulty_node_stays_or_moves_and_both_sides_know_where_it_is)
{
	tell_all(931, DB_JOB_REFRESH_ADDRESS);
}

/* With an argument: the tests of that name, with * and ?. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_faulty_node_keeps_its_device_key_or_gets_a_new_one_and_both_sides_know_which),
		cmocka_unit_test(a_faulty_node_stays_or_moves_and_both_sides_know_where_it_is),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
