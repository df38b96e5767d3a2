/* SPDX-License-Identifier: Apache-2.0 */
/* A person authenticates devices, by what they show or by what is entered at them, while a job
 * goes on; and the ways of authentication that need nobody. */
#include <stdlib.h>

#include "check.h"
#include "db_devices.h"
#include "story.h"

enum { MOST = 32 };

/* Who walks through the building. */
struct person {
	int64_t job;
	uint64_t slowness; /* between two devices */
	uint64_t busy_until;
	bool skip[MOST], wrong[MOST]; /* by device */
	unsigned asked[MOST], peak, through_servers;
	char last[MOST][9];
	size_t open;
};

static size_t device_of(struct world *w, const uint8_t uuid[UUID_LEN])
{
	struct building *b = world_building(w);

	for (size_t i = 0; i < building_count(b); i++)
		if (memcmp(building_make_of(b, i)->uuid, uuid, UUID_LEN) == 0)
			return i;
	fail_msg("a prompt of a stranger");
	return 0;
}

struct round {
	struct world *w;
	struct person *p;
	struct jobs_prompt next;
	bool have;
	unsigned open;
};

static void on_prompt(void *ctx, const struct jobs_prompt *prompt)
{
	struct round *r = ctx;
	size_t i = device_of(r->w, prompt->uuid);

	r->open++;
	check_int(prompt->job, r->p->job);
	check(prompt->seconds_left <= 110);
	if (!r->have && !r->p->skip[i]) {
		r->next = *prompt;
		r->have = true;
	}
}

/* Reads at the device, or enters there. */
static void act(struct world *w, struct person *p, const struct jobs_prompt *prompt)
{
	size_t i = device_of(w, prompt->uuid);
	const struct device_prompt *shown = building_display(world_building(w), i);
	char why[JOBS_WHY] = "", text[9];

	check(shown != NULL);
	check_int(shown->size, prompt->size);
	p->asked[i]++;
	p->through_servers += prompt->server != 1;
	if (prompt->value) {
		check(shown->input);
		check_int(jobs_prompt_answer(story_jobs(w), prompt->task, "1", why),
			  JOBS_BAD_OPTION);
		snprintf(text, sizeof(text), "%s", prompt->value);
		snprintf(p->last[i], 9, "%s", text);
		if (p->wrong[i])
			text[0] = text[0] == '1' ? '2' : '1';
		check(building_press(world_building(w), i, text));
	} else {
		check(!shown->input);
		snprintf(text, sizeof(text), "%s", shown->value);
		snprintf(p->last[i], 9, "%s", text);
		if (p->wrong[i])
			text[0] = text[0] == '1' ? '2' : '1';
		check_int(jobs_prompt_answer(story_jobs(w), prompt->task, text, why), JOBS_OK);
		check_int(jobs_prompt_answer(story_jobs(w), prompt->task, text, why),
			  JOBS_CONFLICT);
	}
}

/* As a condition, because it is looked at all the time; true when the job has ended. */
static bool walk(struct world *w, void *ctx)
{
	struct person *p = ctx;
	struct round r = { .w = w, .p = p };
	uint64_t now = timers_now(world_time(w));

	jobs_prompts(story_jobs(w), on_prompt, &r);
	p->open = r.open;
	if (r.open > p->peak)
		p->peak = r.open;
	check(jobs_prompting(story_jobs(w)) == (r.open > 0));
	if (r.have && now >= p->busy_until && r.next.seconds_left < 108) {
		act(w, p, &r.next);
		p->busy_until = now + p->slowness;
	}
	return world_job_ended(w, p->job);
}

static int64_t start(struct world *w, enum db_job_policy policy)
{
	struct jobs_request rq = { .kind = DB_JOB_PROVISION, .targets = DB_TARGETS_ALL_TRUSTED };

	jobs_options_default(&rq.options, rq.kind);
	rq.options.policy = policy;
	return world_job(w, &rq);
}

static struct db_task task_of(struct world *w, int64_t job, size_t i)
{
	struct db_task t;

	check(world_task(w, job, i, &t));
	return t;
}

#define ALL_PROMPT "devices=12,floors=1,loss=0.05,cbp=0,oob_prompt=12"

TEST(every_device_joins_by_its_display_or_its_keys)
{
	struct world *w = world_new(61, ALL_PROMPT);
	struct person p = { .slowness = SEC(5) };
	unsigned output = 0, input = 0;

	world_start(w);
	p.job = start(w, DB_POLICY_OUTPUT_OOB);
	check(world_run(w, SEC(3600), walk, &p));
	check_int(story_job(w, p.job).state, DB_JOB_SUCCEEDED);
	for (size_t i = 0; i < 12; i++) {
		struct db_task t = task_of(w, p.job, i);
		const struct device_make *m = building_make_of(world_building(w), i);

		check_int(p.asked[i], t.attempts);
		check_str(t.method, m->output_size ? "output-oob" : "input-oob");
		check(*t.method_why);
		output += m->output_size > 0;
		input += m->input_size > 0;
		check(!building_display(world_building(w), i));
	}
	check_int(output, 6);
	check_int(input, 6);
	check(p.peak >= 2 && p.peak <= 4);
	check(p.through_servers > 0);
	story_must_agree(w);
	world_free(w);
}

/* The two that nobody goes to expire; they are asked again when they are retried. */
TEST(prompts_that_nobody_answers_hold_up_nobody)
{
	struct world *w = world_new(62, ALL_PROMPT);
	struct person p = { .slowness = SEC(3) };
	size_t lazy[2], n = 0;
	char why[JOBS_WHY];

	for (size_t i = 0; i < 12 && n < 2; i++)
		if (building_make_of(world_building(w), i)->output_size == 5 ||
		    building_make_of(world_building(w), i)->input_size == 5)
			p.skip[lazy[n++] = i] = true;
	world_start(w);
	p.job = start(w, DB_POLICY_INPUT_OOB);
	check(world_run(w, SEC(3600), walk, &p));
	check_int(story_job(w, p.job).state, DB_JOB_PARTIAL);
	check_int(story_job(w, p.job).succeeded, 10);
	check(!*story_job(w, p.job).error_code);
	for (size_t k = 0; k < 2; k++) {
		struct db_task t = task_of(w, p.job, lazy[k]);

		check_str(t.error_code, "timeout");
		check(strstr(t.error_message, "prompt") != NULL);
		check_int(t.attempts, 1);
		p.skip[lazy[k]] = false;
	}
	check_int(jobs_retry(story_jobs(w), p.job, why), JOBS_OK);
	check(world_run(w, SEC(3600), walk, &p));
	check_int(story_job(w, p.job).state, DB_JOB_SUCCEEDED);
	story_must_agree(w);
	world_free(w);
}

/* It is nobody's fault but the person's: the site is not given up for it. */
TEST(a_job_that_nobody_attends_does_not_blame_the_radio)
{
	struct world *w =
		world_new(72, "devices=12,floors=1,spacing_m=2,loss=0,cbp=0,oob_prompt=12");
	struct person p = { .slowness = 0 };

	memset(p.skip, 1, sizeof(p.skip));
	world_start(w);
	p.job = start(w, DB_POLICY_OUTPUT_OOB);
	check(world_run(w, SEC(3600), walk, &p));
	check_int(story_job(w, p.job).failed, 12);
	check_str(story_job(w, p.job).error_code, "");
	check_int(p.peak, 4);
	for (size_t i = 0; i < 12; i++)
		check_str(task_of(w, p.job, i).error_code, "timeout");
	story_must_agree(w);
	world_free(w);
}

TEST(a_wrong_value_fails_as_such_and_the_next_one_is_another)
{
	struct world *w = world_new(63, ALL_PROMPT);
	struct person p = { .slowness = SEC(2) };
	char why[JOBS_WHY], before[12][9];
	unsigned failed = 0;

	for (size_t i = 0; i < 12; i++) /* of four sorts out of six */
		p.wrong[i] = building_make_of(world_building(w), i)->output_size > 1 ||
			     building_make_of(world_building(w), i)->input_size > 1;
	world_start(w);
	p.job = start(w, DB_POLICY_OUTPUT_OOB);
	check(world_run(w, SEC(3600), walk, &p));
	for (size_t i = 0; i < 12; i++) {
		struct db_task t = task_of(w, p.job, i);

		/* Who is far away is not heard: its servers did not join either. */
		if (!p.asked[i])
			check_str(t.error_code, "not_heard");
		else
			check_str(t.error_code, p.wrong[i] ? "auth_failed" : "");
		check(!p.asked[i] || !p.wrong[i] || strstr(t.error_message, "did not match"));
		failed += p.asked[i] && p.wrong[i];
		memcpy(before[i], p.last[i], 9);
	}
	check(failed >= 4);
	check(!*story_job(w, p.job).error_code); /* no link has failed */
	memset(p.wrong, 0, sizeof(p.wrong));
	check_int(jobs_retry(story_jobs(w), p.job, why), JOBS_OK);
	check(world_run(w, SEC(3600), walk, &p));
	check_int(story_job(w, p.job).state, DB_JOB_SUCCEEDED);
	for (size_t i = 0; i < 12; i++)
		check(!*before[i] || p.asked[i] == 1 || strcmp(before[i], p.last[i]) != 0);
	story_must_agree(w);
	world_free(w);
}

static bool two_open(struct world *w, void *ctx)
{
	struct person *p = ctx;

	walk(w, p);
	return p->open >= 2 && story_job(w, p->job).succeeded >= 3;
}

/* Every other life of the server ends with prompts open. */
TEST(a_restart_asks_anew)
{
	struct world *w = world_new(64, ALL_PROMPT);
	struct person p = { .slowness = SEC(8) };
	char why[JOBS_WHY];

	world_start(w);
	p.job = start(w, DB_POLICY_OUTPUT_OOB);
	for (int life = 0; life < 4; life++) {
		struct round before = { .w = w, .p = &p };
		char value[9] = "";
		struct db_task t;

		if (!world_run(w, SEC(3600), two_open, &p))
			break;
		jobs_prompts(story_jobs(w), on_prompt, &before);
		check(before.have);
		snprintf(value, sizeof(value), "%s", before.next.value ? before.next.value : "");
		check_int(db_task_get(story_db(w), before.next.task, &t), DB_OK);
		check_str(t.step, "prompt");
		world_kill(w);
		world_start(w);
		check(!jobs_prompting(story_jobs(w)));
		check_int(db_task_get(story_db(w), before.next.task, &t), DB_OK);
		check_int(t.state, DB_TASK_WAITING);
		check_int(jobs_prompt_answer(story_jobs(w), before.next.task, "1", why),
			  JOBS_CONFLICT);
		p.busy_until = 0;
	}
	check(world_run(w, SEC(7200), walk, &p));
	check_int(story_job(w, p.job).state, DB_JOB_SUCCEEDED);
	story_must_agree(w);
	world_free(w);
}

static bool one_open(struct world *w, void *ctx)
{
	return jobs_prompting(story_jobs(w));
}

TEST(who_gives_up_a_prompt_gives_up_that_device_only)
{
	struct world *w = world_new(65, ALL_PROMPT);
	struct person p = { .slowness = SEC(2) };
	struct round r = { .w = w, .p = &p };
	char why[JOBS_WHY];
	struct db_task t;

	world_start(w);
	p.job = start(w, DB_POLICY_OUTPUT_OOB);
	check(world_run(w, SEC(600), one_open, NULL));
	jobs_prompts(story_jobs(w), on_prompt, &r);
	check_int(jobs_prompt_cancel(story_jobs(w), 4711, why), JOBS_NOT_FOUND);
	check_int(jobs_prompt_answer(story_jobs(w), 4711, "1", why), JOBS_NOT_FOUND);
	check_int(jobs_prompt_cancel(story_jobs(w), r.next.task, why), JOBS_OK);
	check_int(jobs_prompt_cancel(story_jobs(w), r.next.task, why), JOBS_CONFLICT);
	check(world_run(w, SEC(3600), walk, &p));
	check_int(db_task_get(story_db(w), r.next.task, &t), DB_OK);
	check_int(t.state, DB_TASK_FAILED);
	check_str(t.error_code, "cancelled");
	check_int(story_job(w, p.job).succeeded, 11);
	check_int(story_job(w, p.job).state, DB_JOB_PARTIAL);
	check_int(jobs_prompt_cancel(story_jobs(w), r.next.task, why), JOBS_CONFLICT);
	story_must_agree(w);
	world_free(w);
}

TEST(cancelling_the_job_closes_its_prompts)
{
	struct world *w = world_new(66, ALL_PROMPT);
	struct person p = { .skip = { 0 } };
	char why[JOBS_WHY];

	memset(p.skip, 1, sizeof(p.skip));
	world_start(w);
	p.job = start(w, DB_POLICY_OUTPUT_OOB);
	check(world_run(w, SEC(600), one_open, NULL));
	check_int(jobs_cancel(story_jobs(w), p.job, why), JOBS_OK);
	check(world_run(w, SEC(60), walk, &p));
	check_int(story_job(w, p.job).state, DB_JOB_CANCELLED);
	check(!jobs_prompting(story_jobs(w)));
	world_advance(w, SEC(1));
	for (size_t i = 0; i < 12; i++)
		check(!building_display(world_building(w), i));
	story_must_agree(w);
	world_free(w);
}

/* Half of the devices have a static value on the list: stronger than a prompt, and asks nobody. */
TEST(what_is_on_the_list_is_taken_before_anybody_is_asked)
{
	struct world *w =
		world_new(67, "devices=10,floors=1,loss=0,cbp=0,static_oob=50%,oob_prompt=10");
	struct person p = { .slowness = SEC(2) };
	unsigned statics = 0;

	world_start(w);
	p.job = start(w, DB_POLICY_OUTPUT_OOB);
	check(world_run(w, SEC(3600), walk, &p));
	check_int(story_job(w, p.job).state, DB_JOB_SUCCEEDED);
	for (size_t i = 0; i < 10; i++) {
		struct db_task t = task_of(w, p.job, i);
		bool is_static = building_make_of(world_building(w), i)->static_oob_len > 0;

		statics += is_static;
		check_int(p.asked[i] > 0, !is_static);
		check_int(strcmp(t.method, "static-oob") == 0, is_static);
	}
	check_int(statics, 5);
	story_must_agree(w);
	world_free(w);
}

static void list_key(struct world *w, size_t i, bool of_another)
{
	const struct device_make *m = building_make_of(world_building(w), i);
	struct secret32 secret = m->secret_key;
	uint8_t key[P256_PUBLIC];

	secret.octet[31] ^= of_another;
	check(m->oob_public_key);
	check(p256_public(&secret, key));
	check_int(db_device_set_oob_key(story_db(w), m->uuid, key), DB_OK);
}

TEST(a_public_key_of_the_list_must_be_the_devices_own)
{
	struct world *w = world_new(68, "devices=6,floors=1,loss=0,cbp=0,oob_pubkey=100%");
	struct person p = { .slowness = 0 };

	world_start(w);
	list_key(w, 0, false);
	list_key(w, 1, true);
	p.job = start(w, DB_POLICY_NONE);
	check(world_run(w, SEC(3600), walk, &p));
	check_str(task_of(w, p.job, 0).method, "none");
	check(strstr(task_of(w, p.job, 0).method_why, "public key") != NULL);
	check_int(task_of(w, p.job, 0).state, DB_TASK_SUCCEEDED);
	check_str(task_of(w, p.job, 1).error_code, "auth_failed");
	check(!strstr(task_of(w, p.job, 2).method_why, "public key"));
	check_int(story_job(w, p.job).succeeded, 5);
	story_must_agree(w);
	world_free(w);
}

/* It would send another one in band: that is what an attacker would do, too. */
TEST(a_public_key_of_the_list_is_insisted_upon)
{
	struct world *w = world_new(69, "devices=4,floors=1,loss=0,cbp=0");
	const struct device_make *m = building_make_of(world_building(w), 0);
	struct secret32 secret = { { 5 } };
	struct person p = { .slowness = 0 };
	uint8_t key[P256_PUBLIC];

	check(p256_public(&secret, key));
	world_start(w);
	check_int(db_device_set_oob_key(story_db(w), m->uuid, key), DB_OK);
	p.job = start(w, DB_POLICY_NONE);
	check(world_run(w, SEC(3600), walk, &p));
	check_str(task_of(w, p.job, 0).error_code, "oob_unavailable");
	check_int(story_job(w, p.job).succeeded, 3);
	world_free(w);
}

TEST(nothing_weaker_than_asked_is_ever_taken)
{
	struct world *w = world_new(70, "devices=6,floors=1,spacing_m=3,loss=0,cbp=0,oob_prompt=3");
	struct person p = { .slowness = SEC(1) };
	unsigned refused = 0;

	world_start(w);
	p.job = start(w, DB_POLICY_STATIC_OOB); /* a prompt is weaker */
	check(world_run(w, SEC(3600), walk, &p));
	check_int(story_job(w, p.job).state, DB_JOB_FAILED);
	for (size_t i = 0; i < 6; i++)
		check_str(task_of(w, p.job, i).error_code, "oob_unavailable");
	p.job = start(w, DB_POLICY_INPUT_OOB); /* and none is weaker than a prompt */
	check(world_run(w, SEC(3600), walk, &p));
	check_int(story_job(w, p.job).succeeded, 3);
	for (size_t i = 0; i < 6; i++)
		refused += strcmp(task_of(w, p.job, i).error_code, "oob_unavailable") == 0;
	check_int(refused, 3);
	story_must_agree(w);
	world_free(w);
}

TEST(a_certificate_is_told_as_the_method)
{
	struct world *w = world_new(71, "devices=4,floors=1,loss=0");
	struct person p = { .slowness = 0 };

	world_start(w);
	p.job = start(w, DB_POLICY_CERTIFICATE);
	check(world_run(w, SEC(3600), walk, &p));
	for (size_t i = 0; i < 4; i++)
		check_str(task_of(w, p.job, i).method, "certificate");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_device_joins_by_its_display_or_its_keys),
		cmocka_unit_test(prompts_that_nobody_answers_hold_up_nobody),
		cmocka_unit_test(a_job_that_nobody_attends_does_not_blame_the_radio),
		cmocka_unit_test(a_wrong_value_fails_as_such_and_the_next_one_is_another),
		cmocka_unit_test(a_restart_asks_anew),
		cmocka_unit_test(who_gives_up_a_prompt_gives_up_that_device_only),
		cmocka_unit_test(cancelling_the_job_closes_its_prompts),
		cmocka_unit_test(what_is_on_the_list_is_taken_before_anybody_is_asked),
		cmocka_unit_test(a_public_key_of_the_list_must_be_the_devices_own),
		cmocka_unit_test(a_public_key_of_the_list_is_insisted_upon),
		cmocka_unit_test(nothing_weaker_than_asked_is_ever_taken),
		cmocka_unit_test(a_certificate_is_told_as_the_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
