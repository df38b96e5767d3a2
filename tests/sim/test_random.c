/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small buildings, everything at random: what is bad in them, up to 30 % loss, which jobs run, when
 * the server is killed (at commits and between them), which devices are deaf or mute for a while.
 * Every task ends with success or a code that is right for its device; then the air is left alone,
 * failed jobs are retried, and building and inventory agree, device for device.
 *
 *   test_random [STORIES]      MESHMASON_SEED=N repeats one
 */
#include <stdlib.h>

#include "check.h"
#include "runner.h"
#include "story.h"

enum { JOBS_MOST = 3, DISTURBANCES = 6, RETRIES = 8, STORIES = 50 };

static const uint64_t job_limit = SEC(4 * 3600);

struct tale {
	uint64_t seed, random;
	struct world *w;
	char keys[320];
	unsigned devices, untrusted, expired, misnamed, dead, silent, absent;
	unsigned refused[3]; /* certificates, by code: seen so far */
	unsigned kills;
	int64_t job[JOBS_MOST + 1]; /* to be retried in the end */
	size_t n_jobs;
	char told[600]; /* what happened, for the one who repeats it */
};

static uint64_t draw(struct tale *t, uint64_t below) /* SplitMix64 */
{
	uint64_t z = (t->random += 0x9E3779B97F4A7C15u);

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return (z ^ z >> 31) % below;
}

static bool chance(struct tale *t, unsigned percent)
{
	return draw(t, 100) < percent;
}

static void note(struct tale *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct tale *t, const char *format, ...)
{
	size_t n = strlen(t->told);
	va_list args;

	va_start(args, format);
	vsnprintf(t->told + n, sizeof(t->told) - n, format, args);
	va_end(args);
}

static void fail_tale(const struct tale *t, const char *what, const char *detail)
{
	fail_msg("%s %s\n  MESHMASON_SEED=%llu repeats it\n  %s\n  %s", what, detail,
		 (unsigned long long)t->seed, t->keys, t->told);
}

static void draw_building(struct tale *t)
{
	unsigned *bad[] = { &t->untrusted, &t->expired, &t->misnamed,
			    &t->dead,	   &t->silent,	&t->absent };

	t->devices = 5 + (unsigned)draw(t, 4);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		*bad[i] = 0;
	for (unsigned n = (unsigned)draw(t, 3); n > 0; n--)
		++*bad[draw(t, ARRAY_LEN(bad))];
	snprintf(t->keys, sizeof(t->keys),
		 "devices=%u,floors=%u,spacing_m=%u,loss=0.%02u,servers=0.%u,static_oob=%u%%,"
		 "large_composition=%u%%,composition_change=%u,untrusted=%u,expired=%u,"
		 "misnamed=%u,dead=%u,silent=%u,absent=%u",
		 t->devices, 1 + (unsigned)draw(t, 2), 3 + (unsigned)draw(t, 10),
		 (unsigned)draw(t, 31), 6 + (unsigned)draw(t, 4), (unsigned)draw(t, 50),
		 (unsigned)draw(t, 60), (unsigned)draw(t, 2), t->untrusted, t->expired, t->misnamed,
		 t->dead, t->silent, t->absent);
}

/* One whose every device can be heard, though perhaps only through others. */
static void make_building(struct tale *t)
{
	do {
		if (t->w)
			world_free(t->w);
		draw_building(t);
		t->w = world_new(t->seed, t->keys);
	} while (world_unreached(t->w) > 0);
	world_start(t->w);
}

/* ---- jobs ---- */

/* A node that is in both books; -1: none. */
static int any_node(struct tale *t)
{
	size_t n = building_count(world_building(t->w)), first = draw(t, n);

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
	if (kind == DB_JOB_SCAN || kind == DB_JOB_IDENTIFY)
		rq.options.seconds = 3 + (unsigned)draw(t, 10);
	if (jobs_create(story_jobs(t->w), &rq, &id, why) != JOBS_OK)
		return 0;
	check(core_settle(world_core(t->w)));
	note(t, " [%s", db_job_kind_name(kind));
	return id;
}

/* ---- disturbances ---- */

static bool has_ended(struct world *w, void *ctx)
{
	return world_job_ended(w, *(int64_t *)ctx);
}

static void bring_back(struct tale *t)
{
	world_advance(t->w, chance(t, 10) ? SEC(60) : MSEC(50 + draw(t, 4000)));
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
	uint64_t n = 1 + draw(t, 60);
	bool after = chance(t, 50);

	note(t, " %c%llu", after ? 'a' : 'b', (unsigned long long)n);
	world_kill_at_commit(t->w, n, after);
	let_run(t, job, SEC(60));
	world_kill_at_commit(t->w, 0, false);
}

static void kill_between(struct tale *t, int64_t job)
{
	uint64_t ms = draw(t, 15000);
	unsigned kills = t->kills;

	note(t, " k%llu", (unsigned long long)ms);
	let_run(t, job, MSEC(ms));
	if (t->kills == kills) {
		world_kill(t->w);
		bring_back(t);
	}
}

static void cover_some(struct tale *t, int64_t job)
{
	size_t i = draw(t, building_count(world_building(t->w)));
	unsigned how = 1 + (unsigned)draw(t, 3);

	note(t, " c%zu.%u", i, how);
	world_cover(t->w, i, how & 1, how & 2);
	let_run(t, job, MSEC(500 + draw(t, 40000)));
	world_cover(t->w, i, false, false);
}

static void control(struct tale *t, int64_t job)
{
	char why[JOBS_WHY];

	if (chance(t, 30)) {
		note(t, " cancel");
		jobs_cancel(story_jobs(t->w), job, why);
		check(core_settle(world_core(t->w)));
		return;
	}
	note(t, " pause");
	jobs_pause(story_jobs(t->w), job, why);
	check(core_settle(world_core(t->w)));
	let_run(t, job, SEC(1 + draw(t, 30)));
	jobs_resume(story_jobs(t->w), job, why);
	check(core_settle(world_core(t->w)));
}

static void disturb(struct tale *t, int64_t job)
{
	switch (draw(t, 10)) {
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
		if (chance(t, 40))
			control(t, job);
		break;
	default:
		let_run(t, job, SEC(draw(t, 20)));
	}
}

/* ---- judgement ---- */

struct verdict {
	struct tale *t;
	enum db_job_kind kind;
	unsigned failed, certificate[3];
};

static const char *const certificate_codes[3] = { "certificate_untrusted", "certificate_expired",
						  "certificate_uuid_mismatch" };

/* What a task may end with in a disturbed building. */
static const char *const link_codes[] = { "link_open_failed",
					  "link_lost",
					  "timeout",
					  "server_lost",
					  "not_heard",
					  "cancelled",
					  "configuration_failed",
					  "refresh_not_supported",
					  "refresh_unresolved",
					  "node_gone" };

static void judge_task(void *ctx, const struct db_task *task)
{
	struct verdict *v = ctx;
	bool known = false;

	if (task->state < DB_TASK_SUCCEEDED)
		fail_tale(v->t, "a task has not ended:", task->step);
	if (task->state == DB_TASK_SUCCEEDED) {
		check_str(task->error_code, "");
		return;
	}
	if (strlen(task->error_message) < 10)
		fail_tale(v->t, "a task says nothing but", task->error_code);
	v->failed += task->state == DB_TASK_FAILED;
	for (size_t i = 0; i < ARRAY_LEN(certificate_codes); i++) {
		bool is = strcmp(task->error_code, certificate_codes[i]) == 0;

		v->certificate[i] += is && v->kind == DB_JOB_PROVISION;
		known |= is && v->kind == DB_JOB_PROVISION;
	}
	for (size_t i = 0; i < ARRAY_LEN(link_codes); i++)
		known |= strcmp(task->error_code, link_codes[i]) == 0;
	if (!known)
		fail_tale(v->t, "no such code is right here:", task->error_code);
}

static struct verdict judge(struct tale *t, int64_t id)
{
	struct db_task_filter filter = { .job = id, .state = -1 };
	struct db_page page = { .limit = 100 };
	struct db_job job = story_job(t->w, id);
	struct verdict v = { .t = t, .kind = job.kind };
	char next[DB_CURSOR];

	check_int(db_tasks(story_db(t->w), &filter, &page, judge_task, &v, next), DB_OK);
	if (v.certificate[0] > t->untrusted || v.certificate[1] > t->expired ||
	    v.certificate[2] > t->misnamed)
		fail_tale(t, "a good certificate is refused", "");
	for (size_t i = 0; i < ARRAY_LEN(v.certificate); i++)
		if (v.certificate[i] > t->refused[i])
			t->refused[i] = v.certificate[i];
	return v;
}

static void finish(struct tale *t, int64_t id)
{
	if (!world_finish(t->w, id, job_limit))
		fail_tale(t, "a job does not end:", db_job_kind_name(story_job(t->w, id).kind));
	note(t, " %s]", db_job_state_name(story_job(t->w, id).state));
	judge(t, id);
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

/* Whom a removal has let go unheard. */
static unsigned note_strays(struct tale *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < building_count(world_building(t->w)); i++) {
		struct db_node row;
		bool is_node = db_node_get_uuid(story_db(t->w),
						building_make_of(world_building(t->w), i)->uuid,
						&row) == DB_OK;

		if (is_node || !story_address(t->w, i) || !story_let_go(t->w, i))
			continue;
		world_stray(t->w, i);
		n++;
	}
	return n;
}

/* Every sound device is a node, and every bad certificate was refused for what it is. */
static bool is_whole(struct tale *t, unsigned strays)
{
	unsigned bad = t->untrusted + t->expired + t->misnamed + t->dead + t->silent + t->absent;
	unsigned nodes = 0;

	for (size_t i = 0; i < building_count(world_building(t->w)); i++)
		nodes += story_address(t->w, i) != 0;
	return nodes + bad == t->devices && strays <= nodes && t->refused[0] == t->untrusted &&
	       t->refused[1] == t->expired && t->refused[2] == t->misnamed;
}

/* The air is left alone: failed jobs are retried, and whoever is left out joins. */
static void settle_down(struct tale *t)
{
	char why[256] = "";
	unsigned strays;

	note(t, " | ");
	for (size_t i = 0; i < t->n_jobs; i++)
		for (int n = 0; n < RETRIES && judge(t, t->job[i]).failed; n++)
			retry(t, t->job[i]);
	for (int n = 0; n < RETRIES; n++) {
		int64_t id = start_job(t, DB_JOB_PROVISION);

		check(id);
		finish(t, id);
		strays = note_strays(t);
		if (is_whole(t, strays) && world_agrees(t->w, why))
			return;
		world_advance(t->w, SEC(70));
	}
	if (!world_agrees(t->w, why))
		fail_tale(t, "building and inventory differ:", why);
	fail_tale(t, "a sound device does not join, or a bad one is not refused", "");
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
	for (unsigned n = (unsigned)draw(t, DISTURBANCES + 1); n > 0; n--) {
		if (world_job_ended(t->w, id))
			break;
		if (!other && chance(t, 15))
			other = start_job(t, (enum db_job_kind)draw(t, DB_JOB_KINDS));
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

	make_building(&t);
	run_job(&t, DB_JOB_PROVISION);
	for (unsigned n = (unsigned)draw(&t, JOBS_MOST + 1); n > 0; n--)
		run_job(&t, (enum db_job_kind)draw(&t, DB_JOB_KINDS));
	settle_down(&t);
	if (getenv("MESHMASON_SEED"))
		print_message("%s\n%s\n", t.keys, t.told);
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
