/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Crashes in virtual time at every write boundary of every kind of job, before the commit and after
 * it. Each round takes a fresh seed, counts the boundaries of an undisturbed run and crashes at
 * each of them; from the second round on, the server that comes back crashes again, up to three
 * times, a few boundaries later. Each time the job must end, and building and inventory agree.
 *
 *   crash_sweep CRASHES [SEED]     prints counts by kind; exit status 1 when anything was lost
 *   crash_sweep 1 SEED KIND COMMIT before|after AGAIN      repeats one, as it was printed
 */
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "log.h"
#include "runner.h"
#include "story.h"

enum { AGAIN_MOST = 3, AGAIN_WITHIN = 12 };

static const uint64_t job_limit = SEC(4 * 3600);

static const struct scene {
	enum db_job_kind kind;
	const char *world;
	bool one;      /* about one node; else about all */
	bool certain;  /* the job must succeed; else a link that was left may cost it its task */
	unsigned part; /* of all crashes, percent */
} scenes[] = {
	{ DB_JOB_PROVISION, "devices=10,floors=1,loss=0.05", false, true, 40 },
	{ DB_JOB_SCAN, "devices=4,floors=1,spacing_m=6,loss=0.02", false, true, 3 },
	{ DB_JOB_CONFIGURE, "devices=4,floors=1,spacing_m=6,loss=0.02", false, true, 10 },
	{ DB_JOB_REMOVE, "devices=3,floors=1,spacing_m=6,loss=0.02", true, true, 5 },
	{ DB_JOB_IDENTIFY, "devices=3,floors=1,spacing_m=6,loss=0.02", true, false, 2 },
	{ DB_JOB_REFRESH_DEVICE_KEY, "devices=4,floors=1,spacing_m=6,loss=0.02,servers=1", false,
	  true, 15 },
	{ DB_JOB_REFRESH_ADDRESS, "devices=4,floors=1,spacing_m=6,loss=0.02,servers=1", false, true,
	  10 },
	{ DB_JOB_REFRESH_COMPOSITION,
	  "devices=4,floors=1,spacing_m=6,loss=0.02,servers=1,composition_change=2", false, true,
	  10 },
	{ DB_JOB_READ_COMPOSITION, "devices=4,floors=1,spacing_m=6,loss=0.02", false, true, 5 },
};

struct tally {
	uint64_t worlds, before, after, boundaries, lost, numbers;
};

struct sweep {
	uint64_t random;
	uint64_t left; /* crashes of this scene */
	struct tally tally;
};

static uint64_t draw(struct sweep *s, uint64_t below) /* SplitMix64 */
{
	uint64_t z = (s->random += 0x9E3779B97F4A7C15u);

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return (z ^ z >> 31) % below;
}

static int64_t begin(struct world *w, const struct scene *c)
{
	struct jobs_request rq = { .kind = c->kind, .targets = DB_TARGETS_ALL };
	int64_t id;

	if (c->kind == DB_JOB_PROVISION)
		return world_provision(w);
	if (c->one)
		rq = story_one(w, c->kind, 1);
	rq.options.seconds = c->kind == DB_JOB_SCAN || c->kind == DB_JOB_IDENTIFY ? 3 : 0;
	id = story_start(w, &rq);
	check(core_settle(world_core(w))); /* now its caller hears of it */
	return id;
}

static struct world *prepare(const struct scene *c, uint64_t seed)
{
	struct world *w;

	if (c->kind != DB_JOB_PROVISION)
		return story_joined(seed, c->world);
	w = world_new(seed, c->world);
	world_start(w);
	return w;
}

static uint64_t boundaries(const struct scene *c, uint64_t seed)
{
	struct world *w = prepare(c, seed);
	int64_t id = begin(w, c);
	uint64_t n;

	world_kill_at_commit(w, 0, false);
	check(world_finish(w, id, job_limit));
	n = world_commits(w);
	world_free(w);
	return n;
}

struct crash {
	uint64_t seed, at;
	bool after;
	unsigned again; /* at most so many more */
};

/* To the job's end, crashing as it was told. */
static bool play(struct sweep *s, struct world *w, int64_t id, struct crash how)
{
	uint64_t end = timers_now(world_time(w)) + job_limit;

	world_kill_at_commit(w, how.at, how.after);
	while (timers_now(world_time(w)) < end) {
		if (world_wait(w, id, end - timers_now(world_time(w))))
			return true;
		if (world_running(w))
			break;
		*(how.after ? &s->tally.after : &s->tally.before) += 1;
		s->left -= s->left > 0;
		world_start(w);
		if (!how.again)
			continue;
		how.again--;
		how.after = draw(s, 2);
		world_kill_at_commit(w, 1 + draw(s, AGAIN_WITHIN), how.after);
	}
	return false;
}

static bool is_lost(const struct scene *c, struct world *w, int64_t id, char why[256])
{
	struct db_job job;

	if (!world_agrees(w, why))
		return true;
	world_job_get(w, id, &job);
	snprintf(why, 256, "the job ends %s", db_job_state_name(job.state));
	return c->certain && job.state != DB_JOB_SUCCEEDED;
}

static void crash(struct sweep *s, const struct scene *c, struct crash how)
{
	struct world *w = prepare(c, how.seed);
	int64_t id = begin(w, c);
	char why[256] = "the job does not end";

	s->random = how.seed + how.at * 2 + how.after;
	s->tally.worlds++;
	if (!play(s, w, id, how) || is_lost(c, w, id, why)) {
		s->tally.lost++;
		printf("LOST: %s, seed %llu, commit %llu %s, %u more: %s\n",
		       db_job_kind_name(c->kind), (unsigned long long)how.seed,
		       (unsigned long long)how.at, how.after ? "after" : "before", how.again, why);
	}
	s->tally.numbers += world_numbers(w);
	world_free(w);
}

/* Round by round until that many crashes have happened. */
static struct tally sweep(const struct scene *c, uint64_t seed, uint64_t crashes)
{
	struct sweep s = { .left = crashes };

	for (uint64_t round = 0; s.left > 0; round++) {
		struct crash how = { .seed = seed + round };
		uint64_t n = boundaries(c, how.seed);

		s.tally.boundaries = n > s.tally.boundaries ? n : s.tally.boundaries;
		for (how.at = 1; how.at <= n && s.left > 0; how.at++) {
			for (int after = 0; after < 2 && s.left > 0; after++) {
				how.after = after;
				how.again =
					round ? (unsigned)(how.at + round) % (AGAIN_MOST + 1) : 0;
				crash(&s, c, how);
			}
		}
	}
	return s.tally;
}

struct wish {
	uint64_t crashes, seed;
};

static void tell(const char *name, const struct tally *t)
{
	printf("%s: %llu crashes (%llu before, %llu after a commit) in %llu runs of up to %llu "
	       "boundaries, %llu lost\n",
	       name, (unsigned long long)(t->before + t->after), (unsigned long long)t->before,
	       (unsigned long long)t->after, (unsigned long long)t->worlds,
	       (unsigned long long)t->boundaries, (unsigned long long)t->lost);
}

static void sweep_all(void **state)
{
	const struct wish *k = *state;
	struct tally all = { .worlds = 0 };

	printf("seed %llu\n", (unsigned long long)k->seed);
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++) {
		const struct scene *c = &scenes[i];
		struct tally t;

		if (!job_kind_of(c->kind))
			continue;
		t = sweep(c, k->seed, (k->crashes * c->part + 99) / 100);
		tell(db_job_kind_name(c->kind), &t);
		all.before += t.before;
		all.after += t.after;
		all.worlds += t.worlds;
		all.lost += t.lost;
		all.numbers += t.numbers;
	}
	printf("%llu crashes, %llu runs, %llu sequence numbers, %llu orphans\n",
	       (unsigned long long)(all.before + all.after), (unsigned long long)all.worlds,
	       (unsigned long long)all.numbers, (unsigned long long)all.lost);
	check_int(all.lost, 0);
}

static const struct scene *scene_of(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
		if (strcmp(db_job_kind_name(scenes[i].kind), kind) == 0)
			return &scenes[i];
	fail_msg("there is no kind %s", kind);
	return NULL;
}

static void repeat(void **state)
{
	char **argv = *state;
	struct sweep s = { .left = 1 };

	crash(&s, scene_of(argv[3]),
	      (struct crash){ .seed = strtoull(argv[2], NULL, 10),
			      .at = strtoull(argv[4], NULL, 10),
			      .after = strcmp(argv[5], "after") == 0,
			      .again = (unsigned)strtoul(argv[6], NULL, 10) });
	check_int(s.tally.lost, 0);
}

int main(int argc, char **argv)
{
	struct wish k = { argc > 1 ? strtoull(argv[1], NULL, 10) : 0,
			  argc > 2 ? strtoull(argv[2], NULL, 10) : story_seed() };
	const struct CMUnitTest one[] = {
		{ .name = "this_crash_loses_nothing", .test_func = repeat, .initial_state = argv },
	};
	const struct CMUnitTest tests[] = {
		{ .name = "a_crash_at_any_write_boundary_of_any_job_loses_nothing",
		  .test_func = sweep_all,
		  .initial_state = &k },
	};

	if (!k.crashes) {
		fprintf(stderr, "usage: crash_sweep CRASHES [SEED]\n");
		return 2;
	}
	if (argc == 7)
		return cmocka_run_group_tests(one, NULL, NULL);
	log_set_level(LOG_LEVEL_ERROR);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
