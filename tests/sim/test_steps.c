/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For every step of every kind of job, from the kinds' own tables: the server is killed there, the
 * device falls silent there, what the device says there is lost, and, where another node serves,
 * that one falls silent. Whatever becomes of the job then, it ends with the right code, a retry
 * takes it to its end, and building and inventory agree (agree.h, witness.h).
 */
#include <stdlib.h>

#include "check.h"
#include "outside.h"
#include "runner.h"
#include "story.h"

enum { DEVICES = 3, ROWS_MAX = 400, NAME_MOST = 160 };

static const char asking[] = "devices=3,floors=1,spacing_m=5,loss=0,servers=1,cbp=0,oob_prompt=3";
static const char online[] = "devices=3,floors=1,spacing_m=5,loss=0,servers=1,uri=1";
static const char keys[] = "devices=3,floors=1,spacing_m=5,loss=0,servers=1";
static const char changing[] =
	"devices=3,floors=1,spacing_m=5,loss=0,servers=1,composition_change=1";

/* How a kind of job comes to all of its steps. */
static const struct recipe {
	const char *name;
	enum db_job_kind kind;
	const char *world;
	enum {
		JOINED = 1 << 0,  /* the subject is a node, else it is still a device */
		REMOTE = 1 << 1,  /* through another node */
		ADDRESS = 1 << 2, /* the target is named by its address */
		PROMPTS = 1 << 3, /* a person authenticates it */
		STOPPED = 1 << 4, /* the job is cancelled in the middle */
	} how;
	const char *leaves_out; /* steps that this one does not come to, with spaces around */
} recipes[] = {
	{ "a scan", DB_JOB_SCAN, keys, JOINED | ADDRESS, " extended_scan " },
	{ "an extended scan", DB_JOB_SCAN, keys, JOINED | ADDRESS, " scan " },
	{ "provisioning by our own radio", DB_JOB_PROVISION, keys, 0,
	  " fetch_certificate prompt " },
	{ "provisioning through another node", DB_JOB_PROVISION, keys, REMOTE,
	  " fetch_certificate prompt " },
	{ "provisioning with the help of a person", DB_JOB_PROVISION, asking, PROMPTS,
	  " fetch_certificate read_records " },
	{ "provisioning through another node with the help of a person", DB_JOB_PROVISION, asking,
	  PROMPTS | REMOTE, " fetch_certificate read_records " },
	{ "provisioning with a certificate that is online", DB_JOB_PROVISION, online, 0,
	  " read_records prompt " },
	{ "configuring", DB_JOB_CONFIGURE, keys, JOINED, "" },
	{ "removing", DB_JOB_REMOVE, keys, JOINED, "" },
	{ "identifying a device", DB_JOB_IDENTIFY, keys, 0, " attention blink stop " },
	{ "identifying a node", DB_JOB_IDENTIFY, keys, JOINED, " invite attend stop " },
	{ "identifying a node for a moment", DB_JOB_IDENTIFY, keys, JOINED | STOPPED,
	  " invite attend attention blink " },
	{ "refreshing a device key", DB_JOB_REFRESH_DEVICE_KEY, keys, JOINED, " read restore " },
	{ "refreshing an address", DB_JOB_REFRESH_ADDRESS, keys, JOINED, "" },
	{ "refreshing a composition", DB_JOB_REFRESH_COMPOSITION, changing, JOINED, "" },
	{ "reading a composition", DB_JOB_READ_COMPOSITION, changing, JOINED, "" },
};

enum event { KILLED, SILENT, ANSWER_LOST, SERVER_SILENT, EVENTS };
static const char *const event_names[EVENTS] = { "killed", "device silent", "answers lost",
						 "server silent" };

#define REFRESH_BEFORE " read open_link exchange "
#define REFRESH_OPEN   " deliver_data close_link prove_key "

/* The codes with which a task may end after its device (or server) fell silent in a step; "success"
 * where that is right as well. Everywhere else only success is. */
static const struct code {
	enum db_job_kind kind;
	enum event event;
	const char *steps, *codes; /* words with spaces around */
} codes[] = {
	{ DB_JOB_SCAN, SILENT, " scan extended_scan ", " server_lost " },
	{ DB_JOB_PROVISION, SILENT, " fetch_certificate open_link read_records exchange prompt ",
	  " link_open_failed " },
	{ DB_JOB_PROVISION, SILENT, " deliver_data ", " link_lost " },
	{ DB_JOB_PROVISION, SILENT, " close_link prove_key ", " timeout " },
	{ DB_JOB_PROVISION, SILENT, " relay default_ttl app_key bind ", " configuration_failed " },
	{ DB_JOB_PROVISION, SERVER_SILENT, " open_link read_records exchange prompt deliver_data ",
	  " server_lost " },
	{ DB_JOB_CONFIGURE, SILENT, " composition relay default_ttl app_key bind ",
	  " configuration_failed " },
	{ DB_JOB_IDENTIFY, SILENT, " invite ", " link_open_failed " },
	{ DB_JOB_IDENTIFY, SILENT, " attention ", " timeout " },
	{ DB_JOB_IDENTIFY, SILENT, " stop ", " cancelled " },
	{ DB_JOB_IDENTIFY, KILLED, " stop ", " cancelled " },
	{ DB_JOB_IDENTIFY, ANSWER_LOST, " stop ", " cancelled " },
	{ DB_JOB_READ_COMPOSITION, SILENT, " read_pages ", " timeout " },
	{ DB_JOB_REFRESH_DEVICE_KEY, SILENT, REFRESH_BEFORE, " timeout " },
	{ DB_JOB_REFRESH_DEVICE_KEY, SILENT, REFRESH_OPEN, " refresh_unresolved " },
	{ DB_JOB_REFRESH_ADDRESS, SILENT, REFRESH_BEFORE, " timeout " },
	{ DB_JOB_REFRESH_ADDRESS, SILENT, REFRESH_OPEN, " refresh_unresolved " },
	{ DB_JOB_REFRESH_ADDRESS, SILENT, " restore ", " configuration_failed " },
	{ DB_JOB_REFRESH_COMPOSITION, SILENT, REFRESH_BEFORE, " timeout " },
	{ DB_JOB_REFRESH_COMPOSITION, SILENT, REFRESH_OPEN, " refresh_unresolved " },
	{ DB_JOB_REFRESH_COMPOSITION, SILENT, " restore ", " configuration_failed " },
	/* Its end of the link lasts longer than we look for it: it blinks on, and is not heard. */
	{ DB_JOB_IDENTIFY, KILLED, " attend ", " not_heard success " },
	{ DB_JOB_IDENTIFY, KILLED, " invite ", " not_heard success " },
};

struct row {
	const struct recipe *recipe;
	const char *step;
	enum event event;
};

/* word stands between spaces. */
static bool has_word(const char *words, const char *word)
{
	char one[DB_CODE + 2];

	snprintf(one, sizeof(one), " %s ", word);
	return strstr(words, one);
}

static bool comes_to(const struct recipe *r, const char *step)
{
	return !has_word(r->leaves_out, step);
}

struct watch {
	int64_t job;
	const char *step;
	uint64_t changes;
};

static bool is_in_step(struct world *w, void *ctx)
{
	struct watch *k = ctx;
	struct db_task t;

	if (world_changes(w) == k->changes)
		return false;
	k->changes = world_changes(w);
	t = story_task(w, k->job);
	return t.state == DB_TASK_RUNNING && strcmp(t.step, k->step) == 0;
}

struct scene {
	struct world *w;
	struct outside *outside;
	size_t subject, server;
	unsigned keys_had;
	uint16_t address_had;
};

static struct jobs_request request(const struct scene *s, const struct recipe *r, size_t device)
{
	struct jobs_request rq = story_one(s->w, r->kind, device);

	if (r->how & PROMPTS)
		rq.options.policy = DB_POLICY_OUTPUT_OOB;
	if (r->kind == DB_JOB_SCAN || r->kind == DB_JOB_IDENTIFY)
		rq.options.seconds = 5;
	return rq;
}

/* A world just before the job, and whom it is about. */
static struct scene prepare(const struct recipe *r, uint64_t seed)
{
	bool joined = r->how & JOINED;
	struct scene s = { .w = joined ? story_joined(seed, r->world) : world_new(seed, r->world) };
	struct jobs_request rq;

	while (r->kind == DB_JOB_REFRESH_COMPOSITION &&
	       !building_make_of(world_building(s.w), s.subject)->changed_elements)
		s.subject++;
	s.server = s.subject ? 0 : 1;
	if (!joined) {
		s.outside = outside_new(s.w);
		world_start(s.w);
	}
	if (r->how & REMOTE) {
		rq = request(&s, r, s.server);
		check(world_finish(s.w, story_start(s.w, &rq), SEC(600)));
	}
	world_advance(s.w, SEC(10)); /* beacons are heard */
	s.keys_had = world_keys(s.w, s.subject);
	s.address_had = story_address(s.w, s.subject);
	return s;
}

static void run_to(struct world *w, int64_t job, const char *step)
{
	struct watch k = { .job = job, .step = step };

	if (!world_run(w, SEC(900), is_in_step, &k))
		fail_msg("the job does not come to step %s", step);
}

static int64_t begin(const struct scene *s, const struct recipe *r)
{
	struct jobs_request rq = request(s, r, s->subject);
	uint16_t address = story_address(s->w, s->subject);
	char why[JOBS_WHY];
	int64_t id;

	if (r->how & ADDRESS) {
		rq.n_uuids = 0;
		rq.addresses = &address;
		rq.n_addresses = 1;
	}
	if (r->how & REMOTE)
		rq.options.server = story_address(s->w, s->server);
	if (r->kind == DB_JOB_SCAN && !comes_to(r, "scan")) {
		rq.options.n_ad_types = 1;
		rq.options.ad_types[0] = AD_COMPLETE_LOCAL_NAME;
	}
	id = story_start(s->w, &rq);
	if (r->how & STOPPED) {
		run_to(s->w, id, "blink");
		check_int(jobs_cancel(story_jobs(s->w), id, why), JOBS_OK);
		check(core_settle(world_core(s->w)));
	}
	return id;
}

static void happen(const struct scene *s, enum event event)
{
	struct world *w = s->w;

	switch (event) {
	case KILLED:
		world_kill(w);
		world_advance(w, MSEC(100));
		break;
	case SILENT:
		world_cover(w, s->subject, true, true);
		break;
	case ANSWER_LOST:
		world_cover(w, s->subject, false, true);
		world_advance(w, SEC(2));
		world_cover(w, s->subject, false, false);
		break;
	case SERVER_SILENT:
		world_cover(w, s->server, true, true);
		break;
	case EVENTS:
		break;
	}
}

/* The codes that are right here; NULL: only success is. */
static const char *right_codes(const struct row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].kind == row->recipe->kind && codes[i].event == row->event &&
		    has_word(codes[i].steps, row->step))
			return codes[i].codes;
	return NULL;
}

static void judge(const struct row *row, const struct db_task *t)
{
	const char *right = right_codes(row);

	if (t->state != DB_TASK_SUCCEEDED && (!right || !has_word(right, t->error_code)))
		fail_msg("ended with %s: %s", t->error_code, t->error_message);
	if (t->state == DB_TASK_SUCCEEDED && right && !has_word(right, "success"))
		fail_msg("succeeded, where%swould be right", right);
	check(t->state == DB_TASK_SUCCEEDED || strlen(t->error_message) > 10);
}

/* What the job is for has come about, once. */
static void check_effect(const struct scene *c, const struct row *row)
{
	struct device_state s = building_state_of(world_building(c->w), c->subject);
	unsigned keys_new = world_keys(c->w, c->subject) - c->keys_had;
	bool refreshed = false;

	switch (row->recipe->kind) {
	case DB_JOB_REMOVE:
		check(!s.provisioned);
		return;
	case DB_JOB_IDENTIFY:
		check_int(s.provisioned, row->recipe->how & JOINED ? 1 : 0);
		break;
	case DB_JOB_PROVISION:
		check(s.provisioned);
		return;
	case DB_JOB_REFRESH_COMPOSITION:
		check(s.changed);
		refreshed = true;
		break;
	case DB_JOB_REFRESH_ADDRESS:
		check(s.address != c->address_had);
		refreshed = true;
		break;
	case DB_JOB_REFRESH_DEVICE_KEY:
		refreshed = true;
		break;
	case DB_JOB_SCAN:
	case DB_JOB_CONFIGURE:
	case DB_JOB_READ_COMPOSITION:
	case DB_JOB_KINDS:
		check(s.provisioned);
		break;
	}
	check_int(keys_new, refreshed); /* no key is changed twice without need */
}

static struct db_task retry(struct world *w, int64_t job)
{
	char why[JOBS_WHY];

	world_advance(w, SEC(90)); /* links that were left are given up */
	check_int(jobs_retry(story_jobs(w), job, why), JOBS_OK);
	check(world_finish(w, job, SEC(7200)));
	return story_task(w, job);
}

static void tell(void **state)
{
	const struct row *row = *state;
	struct scene s = prepare(row->recipe, 60);
	int64_t id = begin(&s, row->recipe);
	struct db_task t;

	run_to(s.w, id, row->step);
	happen(&s, row->event);
	check(world_finish(s.w, id, SEC(7200)));
	t = story_task(s.w, id);
	judge(row, &t);
	if (row->event == KILLED && t.attempts > 1 && !has_word(" deliver_data reset ", row->step))
		fail_msg("the crash cost %u attempts", t.attempts - 1);
	world_cover(s.w, s.subject, false, false);
	world_cover(s.w, s.server, false, false);
	if (story_let_go(s.w, s.subject) && story_address(s.w, s.subject)) {
		world_stray(s.w, s.subject);
	} else if (t.state != DB_TASK_CANCELLED) {
		if (t.state == DB_TASK_FAILED)
			t = retry(s.w, id);
		if (t.state != DB_TASK_SUCCEEDED)
			fail_msg("the retry ends with %s: %s", t.error_code, t.error_message);
		check_effect(&s, row);
	}
	story_must_agree(s.w);
	if (s.outside)
		outside_free(s.outside);
	world_free(s.w);
}

/* The stories below are about all there is. */
TEST(every_step_of_every_kind_of_job_has_its_stories)
{
	for (int kind = 0; kind < DB_JOB_KINDS; kind++) {
		const struct job_kind *k = job_kind_of((enum db_job_kind)kind);

		for (size_t s = STEP_WAIT + 1; k && s < k->n_steps; s++) {
			bool told = false;

			for (size_t i = 0; i < ARRAY_LEN(recipes); i++)
				told |= job_kind_of(recipes[i].kind) == k &&
					comes_to(&recipes[i], k->steps[s].name);
			if (!told)
				fail_msg("%s: nothing is told about step %s",
					 db_job_kind_name((enum db_job_kind)kind),
					 k->steps[s].name);
		}
	}
}

struct suite {
	struct CMUnitTest tests[ROWS_MAX];
	struct row rows[ROWS_MAX];
	char names[ROWS_MAX][NAME_MOST];
	size_t n;
};

static void add(struct suite *u, const struct recipe *r, const char *step, enum event event)
{
	assert_true(u->n < ROWS_MAX);
	u->rows[u->n] = (struct row){ r, step, event };
	snprintf(u->names[u->n], NAME_MOST, "%s, %s in step %s, ends right", r->name,
		 event_names[event], step);
	u->tests[u->n] = (struct CMUnitTest){ .name = u->names[u->n],
					      .test_func = tell,
					      .initial_state = &u->rows[u->n] };
	u->n++;
}

static void add_recipe(struct suite *u, const struct recipe *r)
{
	const struct job_kind *k = job_kind_of(r->kind);

	for (size_t s = STEP_WAIT + 1; k && s < k->n_steps; s++)
		for (int event = 0; event < EVENTS && comes_to(r, k->steps[s].name); event++)
			if (event != SERVER_SILENT || (r->how & REMOTE))
				add(u, r, k->steps[s].name, (enum event)event);
}

int main(int argc, char **argv)
{
	struct suite *u = calloc(1, sizeof(*u));
	int failed;

	u->tests[u->n++] = (struct CMUnitTest)cmocka_unit_test(
		every_step_of_every_kind_of_job_has_its_stories);
	for (size_t i = 0; i < ARRAY_LEN(recipes); i++)
		add_recipe(u, &recipes[i]);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed = _cmocka_run_group_tests("steps", u->tests, u->n, NULL, NULL);
	free(u);
	return failed;
}
