/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small buildings, everything at random: what is bad in them, up to 30 % loss, PDUs twice and out
 * of order, an attacker; which jobs run, when the server is killed (at commits and between them),
 * which devices are deaf or mute for a while. Every task ends with success or a code that is right
 * for its device; then the air is left alone, failed jobs are retried, and building and inventory
 * agree, device for device.
 *
 *   test_random [STORIES]      MESHMASON_SEED=N repeats one
 */
#include <stdlib.h>

#include "check.h"
#include "runner.h"
#include "tale.h"

enum { DISTURBANCES = 6, RETRIES = 4, PATIENCE = 10, STORIES = 50 };

static const uint64_t job_limit = SEC(4 * 3600);

/* ---- jobs ---- */

/* A node that is in both books; -1: none. */
static int any_node(struct tale *t)
{
	size_t n = building_count(world_building(t->w)), first = tale_draw(t, n);

	for (size_t k = 0; k < n; k++) {
		size_t i = (first + k) % n;
		struct db_node row;

		if (story_address(t->w, i) &&
		    db_node_get_uuid(story_db(t->w),
				     building_make_of(world_building(t->w), i)->uuid,
				     &row) == DB_OK)
			return (int)i;
	}
	return -1;
}

static bool is_about_one(enum db_job_kind kind)
{
	return kind == DB_JOB_REMOVE || kind == DB_JOB_IDENTIFY || kind == DB_JOB_REFRESH_ADDRESS;
}

/* 0: refused, or there is nothing to do it with. */
static int64_t start_job(struct tale *t, enum db_job_kind kind)
{
	struct jobs_request rq = { .kind = kind,
				   .targets = kind == DB_JOB_PROVISION ? DB_TARGETS_ALL_TRUSTED
								       : DB_TARGETS_ALL };
	int node = any_node(t);
	char why[JOBS_WHY];
	int64_t id = 0;

	if (!job_kind_of(kind) || (kind != DB_JOB_PROVISION && kind != DB_JOB_SCAN && node < 0))
		return 0;
	if (is_about_one(kind))
		rq = story_one(t->w, kind, (size_t)node);
	jobs_options_default(&rq.options, kind);
	rq.options.policy = t->policy;
	if (kind == DB_JOB_SCAN || kind == DB_JOB_IDENTIFY)
		rq.options.seconds = 3 + (unsigned)tale_draw(t, 10);
	if (jobs_create(story_jobs(t->w), &rq, &id, why) != JOBS_OK)
		return 0;
	check(core_settle(world_core(t->w)));
	tale_note(t, " [%s", db_job_kind_name(kind));
	return id;
}

/* ---- disturbances ---- */

static bool has_ended(struct world *w, void *ctx)
{
	return world_job_ended(w, *(int64_t *)ctx);
}

static void bring_back(struct tale *t)
{
	world_advance(t->w, tale_chance(t, 10) ? SEC(60) : MSEC(50 + tale_draw(t, 4000)));
	world_start(t->w);
	t->kills++;
}

/* Until that time has gone, or the job, or the server. */
static void let_run(struct tale *t, int64_t job, uint64_t time)
{
	uint64_t end = timers_now(world_time(t->w)) + time;

	while (world_running(t->w) && timers_now(world_time(t->w)) < end && !has_ended(t->w, &job))
		world_run(t->w, MSEC(500), NULL, NULL);
	if (!world_running(t->w))
		bring_back(t);
}

static void kill_at_commit(struct tale *t, int64_t job)
{
	uint64_t n = 1 + tale_draw(t, 60);
	bool after = tale_chance(t, 50);

	tale_note(t, " %c%llu", after ? 'a' : 'b', (unsigned long long)n);
	world_kill_at_commit(t->w, n, after);
	let_run(t, job, SEC(60));
	world_kill_at_commit(t->w, 0, false);
}

static void kill_between(struct tale *t, int64_t job)
{
	uint64_t ms = tale_draw(t, 15000);
	unsigned kills = t->kills;

	tale_note(t, " k%llu", (unsigned long long)ms);
	let_run(t, job, MSEC(ms));
	if (t->kills == kills) {
		world_kill(t->w);
		bring_back(t);
	}
}

static void cover_some(struct tale *t, int64_t job)
{
	size_t i = tale_draw(t, building_count(world_building(t->w)));
	unsigned how = 1 + (unsigned)tale_draw(t, 3);

	tale_note(t, " c%zu.%u", i, how);
	world_cover(t->w, i, how & 1, how & 2);
	let_run(t, job, MSEC(500 + tale_draw(t, 40000)));
	world_cover(t->w, i, false, false);
}

static void control(struct tale *t, int64_t job)
{
	char why[JOBS_WHY];

	if (tale_chance(t, 30)) {
		tale_note(t, " cancel");
		jobs_cancel(story_jobs(t->w), job, why);
		check(core_settle(world_core(t->w)));
		return;
	}
	tale_note(t, " pause");
	jobs_pause(story_jobs(t->w), job, why);
	check(core_settle(world_core(t->w)));
	let_run(t, job, SEC(1 + tale_draw(t, 30)));
	jobs_resume(story_jobs(t->w), job, why);
	check(core_settle(world_core(t->w)));
}

static void disturb(struct tale *t, int64_t job)
{
	switch (tale_draw(t, 10)) {
	case 0:
	case 1:
	case 2:
		kill_at_commit(t, job);
		break;
	case 3:
	case 4:
		kill_between(t, job);
		break;
	case 5:
	case 6:
		cover_some(t, job);
		break;
	case 7:
		if (tale_chance(t, 40))
			control(t, job);
		break;
	default:
		let_run(t, job, SEC(tale_draw(t, 20)));
	}
}

static void finish(struct tale *t, int64_t id)
{
	if (!world_finish(t->w, id, job_limit))
		tale_fail(t, "a job does not end:", db_job_kind_name(story_job(t->w, id).kind));
	tale_note(t, " %s]", db_job_state_name(story_job(t->w, id).state));
	tale_judge(t, id);
}

static void retry(struct tale *t, int64_t id)
{
	char why[JOBS_WHY];

	world_advance(t->w, SEC(70)); /* what was left of links is given up */
	if (jobs_retry(story_jobs(t->w), id, why) != JOBS_OK)
		return;
	check(core_settle(world_core(t->w)));
	finish(t, id);
}

/* The air is left alone: failed jobs are retried, and whoever is left out joins. */
static void settle_down(struct tale *t)
{
	char why[256] = "";

	tale_note(t, " | ");
	for (size_t i = 0; i < t->n_jobs; i++)
		for (int n = 0; n < RETRIES && tale_judge(t, t->job[i]); n++)
			retry(t, t->job[i]);
	for (int n = 0; n < PATIENCE; n++) {
		int64_t id = start_job(t, DB_JOB_PROVISION);

		check(id);
		finish(t, id);
		tale_note_strays(t);
		if (tale_is_whole(t) && world_agrees(t->w, why))
			return;
		world_advance(t->w, n < PATIENCE / 2 ? SEC(70) : SEC(3700));
	}
	if (!world_agrees(t->w, why))
		tale_fail(t, "building and inventory differ:", why);
	tale_fail(t, "a good device does not join, or a bad one is not refused", "");
}

/* ---- the tale ---- */

static bool is_worth_a_retry(enum db_job_kind kind)
{
	return kind != DB_JOB_PROVISION && kind != DB_JOB_SCAN && kind != DB_JOB_IDENTIFY;
}

static void run_job(struct tale *t, enum db_job_kind kind)
{
	int64_t id = start_job(t, kind), other = 0;

	if (!id)
		return;
	for (unsigned n = (unsigned)tale_draw(t, DISTURBANCES + 1); n > 0; n--) {
		if (world_job_ended(t->w, id))
			break;
		if (!other && tale_chance(t, 15))
			other = start_job(t, (enum db_job_kind)tale_draw(t, DB_JOB_KINDS));
		disturb(t, id);
	}
	finish(t, id);
	if (is_worth_a_retry(kind) && t->n_jobs < ARRAY_LEN(t->job))
		t->job[t->n_jobs++] = id;
	if (other)
		finish(t, other);
}

static void tell(uint64_t seed)
{
	struct tale t = { .seed = seed, .random = seed };

	tale_make(&t);
	run_job(&t, DB_JOB_PROVISION);
	for (unsigned n = (unsigned)tale_draw(&t, TALE_JOBS); n > 0; n--)
		run_job(&t, (enum db_job_kind)tale_draw(&t, DB_JOB_KINDS));
	settle_down(&t);
	if (getenv("MESHMASON_SEED"))
		print_message("%s\n%s\n", t.keys, t.told);
	outside_free(t.outside);
	world_free(t.w);
}

static void tell_all(void **state)
{
	unsigned stories = *(unsigned *)*state;
	uint64_t first = story_seed();

	if (getenv("MESHMASON_SEED"))
		stories = 1;
	print_message("seeds %llu to %llu\n", (unsigned long long)first,
		      (unsigned long long)(first + stories - 1));
	for (unsigned i = 0; i < stories; i++)
		tell(first + i);
}

int main(int argc, char **argv)
{
	unsigned stories = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : STORIES;
	const struct CMUnitTest tests[] = {
		{ .name = "whatever_happens_building_and_inventory_agree_in_the_end",
		  .test_func = tell_all,
		  .initial_state = &stories },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
