/* SPDX-License-Identifier: Apache-2.0 */
/* The main job in virtual time: every trusted device becomes a node, each of the others ends with
 * its own reason. */
#include <stdlib.h>

#include "check.h"
#include "story.h"

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

/* What the air says of links: each PB-ADV link is open from its first Link Ack to its first Link
 * Close, at the gateway's radio and at every server's alike (5.3.1). */
struct links {
	uint32_t id[256];
	bool open[256];
	unsigned n, now, peak;
};

static void on_link(struct links *l, uint32_t id, bool open)
{
	unsigned i = 0;

	while (i < l->n && l->id[i] != id)
		i++;
	if (i == l->n) {
		if (!open)
			return;
		check(l->n < ARRAY_LEN(l->id));
		l->id[l->n++] = id;
		l->open[i] = true;
		l->now++;
	} else if (!open && l->open[i]) {
		l->open[i] = false;
		l->now--;
	}
	if (l->now > l->peak)
		l->peak = l->now;
}

static void on_air(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	struct rd r = rd_from(ad);
	uint8_t len = rd_u8(&r), type = rd_u8(&r), control;
	uint32_t id = rd_be32(&r);

	rd_u8(&r); /* transaction number */
	control = rd_u8(&r);
	if (!rd_ok(&r) || len < 7 || type != AD_PB_ADV)
		return;
	if (control == 0x07 || control == 0x0B) /* Link Ack, Link Close */
		on_link(ctx, id, control == 0x07);
}

static void run(uint64_t seed, const char *keys, unsigned good, const struct expected *bad,
		size_t n_bad, unsigned min_peak)
{
	struct world *w = world_new(seed, keys);
	struct links links = { .n = 0 };
	struct db_job job;
	int64_t id;

	world_on_air(w, on_air, &links);
	world_start(w);
	id = world_provision(w);
	if (!world_finish(w, id, SEC(7200)))
		fail_msg("seed %llu: the job does not end", (unsigned long long)seed);
	world_job_get(w, id, &job);
	story_must_agree(w);
	print_message(
		"seed %llu: %lld of %lld, peak %u links (%u on the air), %llu s of virtual time\n",
		(unsigned long long)seed, (long long)job.succeeded, (long long)job.total,
		job.links_peak, links.peak,
		(unsigned long long)(timers_now(world_time(w)) / SEC(1)));
	check_int(job.succeeded, good);
	for (size_t i = 0; i < n_bad; i++) {
		if (count_code(w, id, bad[i].code) != bad[i].n)
			fail_msg("seed %llu: %u tasks with %s, not %u", (unsigned long long)seed,
				 count_code(w, id, bad[i].code), bad[i].code, bad[i].n);
	}
	check_int(job.state, n_bad ? DB_JOB_PARTIAL : DB_JOB_SUCCEEDED);
	check(job.links_peak >= min_peak);
	check(links.peak >= min_peak && links.peak <= job.links_peak);
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

/* The seeds of an acceptance run are drawn when it starts, and printed; MESHMASON_SEED repeats
 * one. */
TEST(sixty_devices_on_three_floors_join_for_five_fresh_seeds)
{
	static const struct expected bad[] = {
		{ "certificate_untrusted", 3 },
		{ "certificate_expired", 1 },
		{ "certificate_uuid_mismatch", 1 },
		{ "link_open_failed", 2 },
		{ "not_heard", 1 },
	};
	const char *given = getenv("MESHMASON_SEED");

	for (int i = 0; i < (given ? 1 : 5); i++)
		run(story_seed(),
		    "devices=60,floors=3,loss=0.05,untrusted=3,expired=1,misnamed=1,dead=2,absent="
		    "1",
		    52, bad, ARRAY_LEN(bad), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_devices_without_loss_all_join),
		cmocka_unit_test(ten_devices_with_much_loss_all_join),
		cmocka_unit_test(every_bad_device_ends_with_its_own_reason),
		cmocka_unit_test(static_oob_devices_join_with_their_listed_values),
		cmocka_unit_test(sixty_devices_on_three_floors_join_for_five_fresh_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
