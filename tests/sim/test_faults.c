/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that lie on their links, lose their power or are slow: each ends with its code or joins
 * in the end, all others join, and nobody is lost. */
#include <stdlib.h>

#include "check.h"
#include "world.h"

enum { SOUND = 5 };

static const char *const no_code[] = { NULL };
static const char *const key_invalid[] = { "key_invalid", NULL };
static const char *const auth_failed[] = { "auth_failed", NULL };
static const char *const records_error[] = { "records_error", NULL };
/* It depends on the moment whether the silence or the end of the link is noticed first. */
static const char *const broken[] = { "timeout", "link_lost", "link_open_failed", NULL };

static const struct story {
	const char *fault;
	enum db_job_policy policy;
	const char *const *codes; /* any of them; no_code: it joins */
	bool always;		  /* it restarts whenever it can */
} stories[] = {
	{ "key_reflected", DB_POLICY_NONE, key_invalid, false },
	{ "key_off_curve", DB_POLICY_NONE, key_invalid, false },
	{ "key_zero", DB_POLICY_NONE, key_invalid, false },
	{ "confirmation_reflected", DB_POLICY_CERTIFICATE, auth_failed, false },
	{ "confirmation_reflected", DB_POLICY_NONE, auth_failed, false },
	{ "confirmation_wrong", DB_POLICY_CERTIFICATE, auth_failed, false },
	{ "random_reflected", DB_POLICY_CERTIFICATE, auth_failed, false },
	{ "record_oversize", DB_POLICY_CERTIFICATE, records_error, false },
	{ "record_changes", DB_POLICY_CERTIFICATE, records_error, false },
	{ "record_disorder", DB_POLICY_CERTIFICATE, records_error, false },
	{ "record_overlap", DB_POLICY_CERTIFICATE, records_error, false },
	{ "reboot_invite", DB_POLICY_CERTIFICATE, no_code, false },
	{ "reboot_start", DB_POLICY_CERTIFICATE, no_code, false },
	{ "reboot_key", DB_POLICY_CERTIFICATE, no_code, false },
	{ "reboot_confirmation", DB_POLICY_CERTIFICATE, no_code, false },
	{ "reboot_random", DB_POLICY_CERTIFICATE, no_code, false },
	{ "reboot_data", DB_POLICY_CERTIFICATE, no_code, false },
	{ "reboot_complete", DB_POLICY_CERTIFICATE, no_code, false },
	{ "reboot_invite", DB_POLICY_CERTIFICATE, broken, true },
	{ "reboot_start", DB_POLICY_CERTIFICATE, broken, true },
	{ "reboot_key", DB_POLICY_CERTIFICATE, broken, true },
	{ "reboot_confirmation", DB_POLICY_CERTIFICATE, broken, true },
	{ "reboot_random", DB_POLICY_CERTIFICATE, broken, true },
	{ "reboot_data", DB_POLICY_CERTIFICATE, broken, true },
	{ "slow_flash", DB_POLICY_CERTIFICATE, no_code, false },
};

static void must_agree(struct world *w, const char *what)
{
	char why[256];

	if (!world_agrees(w, why))
		fail_msg("%s: %s", what, why);
}

static int64_t start(struct world *w, enum db_job_policy policy)
{
	struct jobs_request rq = { .kind = DB_JOB_PROVISION, .targets = DB_TARGETS_ALL_TRUSTED };
	int64_t id;

	world_start(w);
	jobs_options_default(&rq.options, rq.kind);
	rq.options.policy = policy;
	id = world_job(w, &rq);
	check(core_settle(world_core(w)));
	return id;
}

static size_t faulty_one(struct world *w)
{
	size_t i = 0;

	while (building_make_of(world_building(w), i)->fault == DEVICE_SOUND)
		i++;
	return i;
}

static bool is_any(const char *code, const char *const *codes)
{
	while (*codes && strcmp(code, *codes) != 0)
		codes++;
	return *codes;
}

static void tell(uint64_t seed, const struct story *s)
{
	char keys[160], what[64];
	struct db_task t = { .error_code = "" };
	struct db_job job;
	struct world *w;
	int64_t id;
	bool joins = s->codes == no_code;

	snprintf(what, sizeof(what), "%s%s", s->fault, s->always ? ", always" : "");
	snprintf(keys, sizeof(keys), "devices=%d,floors=1,loss=0.02,%s=1,fault_times=%d", SOUND + 1,
		 s->fault, s->always ? 0 : 1);
	w = world_new(seed, keys);
	id = start(w, s->policy);
	if (!world_finish(w, id, SEC(3600)))
		fail_msg("%s: the job does not end", what);
	world_job_get(w, id, &job);
	check(world_task(w, id, faulty_one(w), &t));
	must_agree(w, what);
	print_message("%s: %s%s%s after %u attempts, %llu s\n", what, joins ? "joins" : "fails",
		      *t.error_code ? ", " : "", t.error_code, t.attempts,
		      (unsigned long long)(timers_now(world_time(w)) / SEC(1)));
	if (job.succeeded != SOUND + joins)
		fail_msg("%s: %lld succeeded", what, (long long)job.succeeded);
	if (!joins && (!is_any(t.error_code, s->codes) || strlen(t.error_message) < 10))
		fail_msg("%s: code %s (%s)", what, t.error_code, t.error_message);
	world_free(w);
}

/* MESHMASON_ROUNDS asks for more than one, each with seeds of its own. */
static uint64_t rounds(void)
{
	const char *more = getenv("MESHMASON_ROUNDS");

	return more ? strtoull(more, NULL, 10) : 1;
}

static void tell_all(size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		for (uint64_t k = 0; k < rounds(); k++)
			tell(500 + i + 1000 * k, &stories[i]);
}

static size_t first_of(const char *fault, bool always)
{
	size_t i = 0;

	while (strcmp(stories[i].fault, fault) != 0 || stories[i].always != always)
		i++;
	return i;
}

TEST(keys_and_proofs_that_are_no_proof_end_with_a_code_and_the_others_join)
{
	tell_all(0, first_of("record_oversize", false));
}

TEST(records_that_contradict_themselves_end_with_records_error)
{
	tell_all(first_of("record_oversize", false), first_of("reboot_invite", false));
}

TEST(a_device_that_restarts_once_joins_whatever_it_had_heard)
{
	tell_all(first_of("reboot_invite", false), first_of("reboot_invite", true));
}

TEST(a_device_that_always_restarts_ends_with_a_code_and_is_no_orphan)
{
	tell_all(first_of("reboot_invite", true), first_of("slow_flash", false));
}

TEST(a_device_with_a_slow_flash_joins)
{
	tell_all(first_of("slow_flash", false), ARRAY_LEN(stories));
}

/* A server that fails while it carries a link: its devices find another way. Returns how many
 * have failed: whether a server is given a link is the job's to say. */
static unsigned lose_servers(uint64_t seed, const char *keys, unsigned good)
{
	struct world *w = world_new(seed, keys);
	int64_t id = start(w, DB_POLICY_CERTIFICATE);
	struct db_job job;
	unsigned lost = 0;

	if (!world_finish(w, id, SEC(7200)))
		fail_msg("%s: the job does not end", keys);
	world_job_get(w, id, &job);
	for (size_t i = 0; i < building_count(world_building(w)); i++)
		lost += building_state_of(world_building(w), i).faults;
	print_message("%s: %u failed, %lld of %lld joined, %llu s\n", keys, lost,
		      (long long)job.succeeded, (long long)job.total,
		      (unsigned long long)(timers_now(world_time(w)) / SEC(1)));
	must_agree(w, keys);
	check_int(job.succeeded, good);
	world_free(w);
	return lost;
}

TEST(a_server_that_vanishes_with_an_open_link_takes_no_device_with_it)
{
	unsigned lost = 0;

	for (uint64_t k = 0; k < rounds(); k++)
		lost += lose_servers(541 + 1000 * k,
				     "devices=24,floors=2,loss=0.02,servers=1,vanishes=2", 24);
	check(lost > 0);
}

TEST(a_server_that_restarts_with_an_open_link_takes_no_device_with_it)
{
	unsigned lost = 0;

	for (uint64_t k = 0; k < rounds(); k++)
		lost += lose_servers(542 + 1000 * k,
				     "devices=24,floors=2,loss=0.02,servers=1,server_reboot=3", 24);
	check(lost > 0);
}

TEST(an_air_that_doubles_and_delays_what_is_said_changes_no_outcome)
{
	struct world *w =
		world_new(551, "devices=20,floors=2,loss=0.05,duplicates=0.2,reorders=0.2");
	int64_t id = start(w, DB_POLICY_CERTIFICATE);
	struct db_job job;

	check(world_finish(w, id, SEC(3600)));
	world_job_get(w, id, &job);
	must_agree(w, "a bad air");
	check_int(job.succeeded, 20);
	check(building_counters(world_building(w)).late > 1000);
	world_free(w);
}

static void draw_faults(uint64_t seed)
{
	struct world *w =
		world_new(seed, "devices=30,floors=2,loss=0.05,faulty=0.3,duplicates=0.05,"
				"reorders=0.05,attackers=2");
	int64_t id = start(w, DB_POLICY_CERTIFICATE);
	struct db_job job;

	check(world_finish(w, id, SEC(7200)));
	world_job_get(w, id, &job);
	print_message("%lld of %lld joined\n", (long long)job.succeeded, (long long)job.total);
	must_agree(w, "drawn faults");
	check(job.succeeded >= 21 && job.succeeded + job.failed == job.total);
	world_free(w);
}

TEST(faults_that_are_drawn_leave_no_orphan)
{
	for (uint64_t k = 0; k < rounds(); k++)
		draw_faults(561 + 1000 * k);
}

/* With an argument: the tests of that name, with * and ?. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			keys_and_proofs_that_are_no_proof_end_with_a_code_and_the_others_join),
		cmocka_unit_test(records_that_contradict_themselves_end_with_records_error),
		cmocka_unit_test(a_device_that_restarts_once_joins_whatever_it_had_heard),
		cmocka_unit_test(a_device_that_always_restarts_ends_with_a_code_and_is_no_orphan),
		cmocka_unit_test(a_device_with_a_slow_flash_joins),
		cmocka_unit_test(a_server_that_vanishes_with_an_open_link_takes_no_device_with_it),
		cmocka_unit_test(a_server_that_restarts_with_an_open_link_takes_no_device_with_it),
		cmocka_unit_test(an_air_that_doubles_and_delays_what_is_said_changes_no_outcome),
		cmocka_unit_test(faults_that_are_drawn_leave_no_orphan),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
