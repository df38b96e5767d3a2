/* SPDX-License-Identifier: Apache-2.0 */
/* Attackers on the building's air while the main job runs: replayed, altered and invented PDUs on
 * every layer. What needs a key changes nothing; what the protocol cannot prevent costs attempts,
 * but no state and no device. */
#include <malloc.h>
#include <stdlib.h>

#include "attacker.h"
#include "check.h"
#include "world.h"

enum { DEVICES = 16, FLOOD = 40000 };

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

static struct mesh_counters counters(struct world *w)
{
	struct mesh_counters c;

	mesh_counters(core_mesh(world_core(w)), &c);
	return c;
}

/* One beside the gateway, one among the devices. */
struct attackers {
	struct attacker *a[2];
};

static struct attackers enter(struct world *w, uint64_t seed)
{
	struct building *b = world_building(w);

	return (struct attackers){ { building_attacker_add(b, 3, 3, 0, seed),
				     building_attacker_add(b, 35, 12, 0, seed + 1) } };
}

static void attack(struct attackers *t, unsigned attacks, uint64_t every)
{
	for (size_t i = 0; i < ARRAY_LEN(t->a); i++)
		attacker_set(t->a[i], attacks, every);
}

static uint64_t said(const struct attackers *t)
{
	return attacker_counts(t->a[0]).sent + attacker_counts(t->a[1]).sent;
}

/* MESHMASON_ROUNDS asks for more than one, each with seeds of its own. */
static uint64_t rounds(void)
{
	const char *more = getenv("MESHMASON_ROUNDS");

	return more ? strtoull(more, NULL, 10) : 1;
}

static struct world *world_of_devices(uint64_t seed)
{
	return world_new(seed, "devices=16,floors=1,loss=0.02");
}

/* Under attack all the time; all must join in one job. */
static void join_under_once(uint64_t seed, unsigned attacks, uint64_t every)
{
	struct world *w = world_of_devices(seed);
	struct attackers t = enter(w, seed);
	int64_t id;

	attack(&t, attacks, every);
	world_start(w);
	id = world_provision(w);
	check(world_finish(w, id, SEC(3600)));
	print_message("%llu transmissions, %llu s, %llu network PDUs replayed, %llu foreign\n",
		      (unsigned long long)said(&t),
		      (unsigned long long)(timers_now(world_time(w)) / SEC(1)),
		      (unsigned long long)counters(w).replayed,
		      (unsigned long long)counters(w).network_undecryptable);
	check(said(&t) > 500);
	must_agree(w);
	check_int(job_of(w, id).succeeded, DEVICES);
	world_free(w);
}

static void join_under(uint64_t seed, unsigned attacks, uint64_t every)
{
	for (uint64_t k = 0; k < rounds(); k++)
		join_under_once(seed + 1000 * k, attacks, every);
}

TEST(network_pdus_that_are_replayed_or_altered_change_nothing)
{
	join_under(601, ATTACK_REPLAY | ATTACK_ALTER, MSEC(40));
}

TEST(a_flood_of_network_pdus_that_look_valid_changes_nothing)
{
	join_under(602, ATTACK_INVENT, MSEC(5));
}

TEST(frames_of_earlier_links_and_noise_change_nothing)
{
	join_under(603, ATTACK_LINKS_PAST | ATTACK_LINKS_NOISE, MSEC(40));
}

TEST(secure_beacons_without_the_key_change_nothing)
{
	join_under(604, ATTACK_SECURE, MSEC(50));
}

/* Against these there is no means: whoever is near can speak on an open link of PB-ADV. */
static void survive_once(uint64_t seed, unsigned attacks, uint64_t every)
{
	struct world *w = world_of_devices(seed);
	struct attackers t = enter(w, seed);
	char why[JOBS_WHY];
	struct db_job row;
	int64_t id;

	attack(&t, attacks, every);
	world_start(w);
	id = world_provision(w);
	(void)world_run(w, SEC(240), NULL, NULL);
	check(said(&t) > 100);
	must_agree(w);
	attack(&t, 0, 0);
	check(world_finish(w, id, SEC(7200)));
	row = job_of(w, id);
	print_message("%lld of %lld in spite of %llu transmissions, %s\n", (long long)row.succeeded,
		      (long long)row.total, (unsigned long long)said(&t), row.error_message);
	must_agree(w);
	if (row.succeeded < row.total) {
		world_advance(w, SEC(60)); /* what was opened last is held so long, 5.3.2 */
		check_int(jobs_retry(core_jobs(world_core(w)), id, why), JOBS_OK);
		check(world_finish(w, id, SEC(7200)));
	}
	check_int(job_of(w, id).succeeded, DEVICES);
	must_agree(w);
	world_free(w);
}

static void survive(uint64_t seed, unsigned attacks, uint64_t every)
{
	for (uint64_t k = 0; k < rounds(); k++)
		survive_once(seed + 1000 * k, attacks, every);
}

TEST(pdus_injected_into_open_links_cost_attempts_but_no_device)
{
	survive(611, ATTACK_LINKS_INJECT | ATTACK_LINKS_PAST, MSEC(200));
}

TEST(links_that_are_closed_by_others_cost_attempts_but_no_device)
{
	survive(612, ATTACK_LINKS_CLOSE, MSEC(1500));
}

TEST(devices_whose_links_others_hold_are_provisioned_afterwards)
{
	survive(613, ATTACK_LINKS_OPEN, SEC(3));
}

TEST(all_at_once_costs_attempts_but_no_device)
{
	survive(614, (ATTACK_HARMLESS & ~ATTACK_BEACONS) | ATTACK_LINKS_INJECT | ATTACK_LINKS_CLOSE,
		MSEC(150));
}

static size_t held(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

TEST(forty_thousand_devices_that_do_not_exist_stop_no_job_and_take_bounded_memory)
{
	struct world *w = world_of_devices(621);
	struct attackers t = enter(w, 621);
	int64_t id;
	struct db_job row;
	size_t before;

	world_start(w);
	id = world_provision(w);
	before = held();
	attacker_set(t.a[0], ATTACK_BEACONS, 1300);
	(void)world_run(w, SEC(55), NULL, NULL);
	attack(&t, 0, 0);
	check(said(&t) > FLOOD);
	print_message("%llu beacons, %lld tasks, %zu KB more in use\n",
		      (unsigned long long)said(&t), (long long)job_of(w, id).total,
		      (held() - before) / 1024);
	check(job_of(w, id).total < 1500);
	check(world_finish(w, id, SEC(4 * 3600)));
	row = job_of(w, id);
	print_message("%lld succeeded after %llu s: %s\n", (long long)row.succeeded,
		      (unsigned long long)(timers_now(world_time(w)) / SEC(1)), row.error_message);
	must_agree(w);
	check_int(row.succeeded, DEVICES);
	world_free(w);
}

/* A node was broken open: its network key is no secret any more. */
static struct attackers enter_with_key(struct world *w, uint64_t seed, uint16_t target)
{
	struct attackers t = enter(w, seed);
	struct device_keys keys;

	for (size_t i = 0; i < DEVICES; i++)
		if (building_keys_of(world_building(w), i, &keys))
			break;
	for (size_t i = 0; i < ARRAY_LEN(t.a); i++)
		attacker_give_key(t.a[i], &keys.net_key, keys.iv_index, target);
	secret_wipe(&keys, sizeof(keys));
	return t;
}

static struct world *joined(uint64_t seed)
{
	struct world *w = world_of_devices(seed);

	world_start(w);
	check(world_finish(w, world_provision(w), SEC(3600)));
	return w;
}

/* A question to every node, and an answer from each. */
static void all_answer(struct world *w)
{
	struct jobs_request rq = { .kind = DB_JOB_IDENTIFY };
	uint16_t addresses[DEVICES];
	int64_t id;

	for (size_t i = 0; i < DEVICES; i++)
		addresses[i] = building_state_of(world_building(w), i).address;
	rq.addresses = addresses;
	rq.n_addresses = DEVICES;
	jobs_options_default(&rq.options, rq.kind);
	id = world_job(w, &rq);
	check(world_finish(w, id, SEC(1800)));
	for (size_t i = 0; i < DEVICES; i++) {
		struct db_task t = { .error_code = "" };

		check(world_task(w, id, i, &t));
		if (t.state != DB_TASK_SUCCEEDED)
			print_message("%04x: %s\n", t.address, t.error_code);
	}
	check_int(job_of(w, id).succeeded, DEVICES);
}

TEST(authentic_beacons_of_a_far_iv_index_are_ignored)
{
	struct world *w = joined(631);
	struct attackers t = enter_with_key(w, 631, 0x0001);
	struct device_keys keys;
	struct mesh_iv iv;

	attack(&t, ATTACK_IV_INDEX, MSEC(200));
	world_advance(w, SEC(120));
	check(said(&t) > 1000);
	mesh_iv(core_mesh(world_core(w)), &iv);
	check_int(iv.index, 0);
	check(!iv.update);
	for (size_t i = 0; i < DEVICES; i++) {
		check(building_keys_of(world_building(w), i, &keys));
		check_int(keys.iv_index, 0);
	}
	secret_wipe(&keys, sizeof(keys));
	all_answer(w);
	world_free(w);
}

TEST(segments_that_never_become_a_message_take_bounded_memory_and_end)
{
	struct world *w = joined(632);
	struct attackers t = enter_with_key(w, 632, 0x0001);
	size_t before = held();
	uint64_t segments = counters(w).segments_in;

	attack(&t, ATTACK_SEGMENTS, MSEC(4));
	world_advance(w, SEC(20));
	attack(&t, 0, 0);
	print_message("%llu segments came in, %zd KB more in use\n",
		      (unsigned long long)(counters(w).segments_in - segments),
		      ((ssize_t)held() - (ssize_t)before) / 1024);
	check(counters(w).segments_in > segments + 3000);
	check((ssize_t)held() - (ssize_t)before < 4 << 20);
	world_advance(w, SEC(60));
	all_answer(w);
	must_agree(w);
	world_free(w);
}

TEST(authentic_network_pdus_without_a_message_change_nothing)
{
	struct world *w = joined(633);
	struct attackers t = enter_with_key(w, 633, 0x0001);
	size_t before = held();

	attack(&t, ATTACK_INSIDE, MSEC(4));
	world_advance(w, SEC(20));
	attack(&t, 0, 0);
	print_message("%zd KB more in use\n", ((ssize_t)held() - (ssize_t)before) / 1024);
	check((ssize_t)held() - (ssize_t)before < 8 << 20);
	world_advance(w, SEC(60)); /* the nodes have relayed all of it, and still do */
	all_answer(w);
	must_agree(w);
	world_free(w);
}

/* With an argument: the tests of that name, with * and ?. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network_pdus_that_are_replayed_or_altered_change_nothing),
		cmocka_unit_test(a_flood_of_network_pdus_that_look_valid_changes_nothing),
		cmocka_unit_test(frames_of_earlier_links_and_noise_change_nothing),
		cmocka_unit_test(secure_beacons_without_the_key_change_nothing),
		cmocka_unit_test(pdus_injected_into_open_links_cost_attempts_but_no_device),
		cmocka_unit_test(links_that_are_closed_by_others_cost_attempts_but_no_device),
		cmocka_unit_test(devices_whose_links_others_hold_are_provisioned_afterwards),
		cmocka_unit_test(all_at_once_costs_attempts_but_no_device),
		cmocka_unit_test(
			forty_thousand_devices_that_do_not_exist_stop_no_job_and_take_bounded_memory),
		cmocka_unit_test(authentic_beacons_of_a_far_iv_index_are_ignored),
		cmocka_unit_test(segments_that_never_become_a_message_take_bounded_memory_and_end),
		cmocka_unit_test(authentic_network_pdus_without_a_message_change_nothing),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
