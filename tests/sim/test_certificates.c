/* SPDX-License-Identifier: Apache-2.0 */
/* Devices whose certificate is only online: a site of the tests' own stands for their maker's. */
#include <stdlib.h>

#include "check.h"
#include "db_certificates.h"
#include "device.h"
#include "world.h"

enum { OPEN_MAX = 64, BODY_MAX = 16384 };

/* What the site does with a request. */
enum mood {
	GOOD,
	BARE,
	SILENT_TWICE,
	FORBIDDEN,
	UNKNOWN_DEVICE,
	GARBAGE,
	WITH_ROOT,
	REDIRECTS,
	NEVER
};

struct call {
	struct site *site;
	uint64_t number;
	char uuid[UUID_TEXT];
	jobs_fetched_fn *done;
	void *ctx;
	struct timer timer;
};

struct site {
	struct world *w;
	enum mood mood;
	const char *base;
	struct call calls[OPEN_MAX];
	uint64_t numbers;
	unsigned asked, cancelled, open;
};

static size_t read_part(const struct site *s, const char *uuid, unsigned i, uint8_t *out)
{
	char path[256];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s/building/building.json.certs/%s.%u.der", world_folder(s->w),
		 uuid, i);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s is not there", path);
	n = fread(out, 1, 4096, f);
	fclose(f);
	return n;
}

static size_t put_part(uint8_t *out, size_t n, const uint8_t *der, size_t der_n)
{
	n += (size_t)sprintf((char *)out + n, "\r\n--cut\r\nContent-Type: application/pkix-cert\r\n"
					      "\r\n");
	memcpy(out + n, der, der_n);
	return n + der_n;
}

static size_t answer(const struct site *s, const char *uuid, uint8_t *body)
{
	uint8_t der[4096];
	size_t n = 0;

	/* the device's own last: there is no order */
	n = put_part(body, n, der, read_part(s, uuid, 1, der));
	n = put_part(body, n, der, read_part(s, uuid, 0, der));
	return n + (size_t)sprintf((char *)body + n, "\r\n--cut--\r\n");
}

static void on_answer(void *ctx)
{
	struct call *c = ctx;
	struct site *s = c->site;
	static uint8_t body[BODY_MAX];
	struct jobs_fetched f = { .end = JOBS_FETCH_OK,
				  .status = 200,
				  .type = "multipart/mixed; boundary=\"cut\"",
				  .why = "" };

	s->open--;
	switch (s->mood) {
	case GOOD:
	case WITH_ROOT:
	case NEVER:
		f.body = bytes_of(body, answer(s, c->uuid, body));
		break;
	case BARE:
		f.type = "application/pkix-cert";
		f.body = bytes_of(body, read_part(s, c->uuid, 0, body));
		break;
	case SILENT_TWICE:
		f.body = bytes_of(body, answer(s, c->uuid, body));
		if (s->asked <= 2)
			f = (struct jobs_fetched){ .end = JOBS_FETCH_FAILED,
						   .why = "The site is too slow." };
		break;
	case FORBIDDEN:
		f = (struct jobs_fetched){ .end = JOBS_FETCH_REFUSED,
					   .why = "The site is at a private address." };
		break;
	case UNKNOWN_DEVICE:
		f.status = 404;
		break;
	case REDIRECTS:
		f.status = 302;
		break;
	case GARBAGE:
		f.body = bytes_of((const uint8_t *)"\r\n--cut\r\n\r\nhello\r\n--cut--", 24);
		break;
	}
	c->done(c->ctx, &f);
	c->done = NULL;
}

static uint64_t on_fetch(void *ctx, const char *url, jobs_fetched_fn *done, void *done_ctx)
{
	struct site *s = ctx;
	const char *uuid = strstr(url, "?uuid=");
	struct call *c = s->calls;

	check(uuid && strlen(uuid) == 6 + UUID_TEXT - 1);
	check(strncmp(url, s->base, strlen(s->base)) == 0 && uuid == url + strlen(s->base));
	while (c->done)
		c++;
	check(c < s->calls + OPEN_MAX);
	*c = (struct call){ .site = s, .number = ++s->numbers, .done = done, .ctx = done_ctx };
	snprintf(c->uuid, sizeof c->uuid, "%s", uuid + 6);
	s->asked++;
	s->open++;
	if (s->mood != NEVER)
		timer_start(world_real_time(s->w), &c->timer, SEC(2), on_answer, c);
	return c->number;
}

static void on_cancel(void *ctx, uint64_t number)
{
	struct site *s = ctx;

	for (struct call *c = s->calls; c < s->calls + OPEN_MAX; c++) {
		if (!c->done || c->number != number)
			continue;
		timer_stop(world_real_time(s->w), &c->timer);
		c->done = NULL;
		s->open--;
		s->cancelled++;
	}
}

static struct world *site_world(struct site *s, uint64_t seed, const char *keys, enum mood mood)
{
	*s = (struct site){ .w = world_new(seed, keys), .mood = mood };
	s->base = strstr(keys, "uri_base=https://m.example/") ? "https://m.example/"
							      : "https://certificates.invalid/";
	world_connect(s->w, &(struct world_internet){ on_fetch, on_cancel, s });
	world_start(s->w);
	return s->w;
}

static unsigned count(struct world *w, int64_t job, const char *code)
{
	struct db_task_filter filter = { .job = job, .state = -1, .code = code };
	int64_t n = 0;

	check_int(db_task_count(core_db(world_core(w)), &filter, &n), DB_OK);
	return (unsigned)n;
}

static void finish(struct world *w, int64_t job, unsigned good, unsigned failed, const char *code)
{
	struct db_job row;
	char why[256];

	if (!world_finish(w, job, SEC(3600)))
		fail_msg("the job does not end");
	if (!world_agrees(w, why))
		fail_msg("%s", why);
	world_job_get(w, job, &row);
	check_int(row.succeeded, good);
	check_int(row.total, good + failed);
	if (code)
		check_int(count(w, job, code), failed);
}

TEST(online_certificates_are_fetched_once_each_and_their_devices_join)
{
	struct site s;
	struct world *w = site_world(&s, 21, "devices=8,floors=1,loss=0.05,uri=0.5", GOOD);

	finish(w, world_provision(w), 8, 0, NULL);
	check_int(s.asked, 4);
	world_free(w);
}

TEST(one_certificate_without_its_issuer_is_not_enough)
{
	struct site s;
	struct world *w = site_world(&s, 22, "devices=3,floors=1,loss=0,uri=1", BARE);

	finish(w, world_provision(w), 0, 3, "certificate_untrusted");
	world_free(w);
}

TEST(a_site_that_is_silent_is_asked_again)
{
	struct site s;
	struct world *w = site_world(&s, 23, "devices=1,floors=1,loss=0,uri=1", SILENT_TWICE);

	finish(w, world_provision(w), 1, 0, NULL);
	check_int(s.asked, 3);
	world_free(w);
}

TEST(what_a_site_may_not_answer_fails_at_once_and_weakens_nothing)
{
	static const enum mood moods[] = { FORBIDDEN, UNKNOWN_DEVICE, REDIRECTS, GARBAGE };
	struct site s;

	for (size_t i = 0; i < ARRAY_LEN(moods); i++) {
		struct world *w = site_world(&s, 24, "devices=4,floors=1,loss=0,uri=0.5", moods[i]);

		finish(w, world_provision(w), 2, 2, "certificate_fetch_failed");
		check_int(s.asked, 2);
		world_free(w);
	}
}

TEST(bad_certificates_are_refused_before_a_second_link_and_bar_weaker_policies)
{
	struct jobs_request rq = { .kind = DB_JOB_PROVISION, .targets = DB_TARGETS_ALL_TRUSTED };
	struct site s;
	struct world *w = site_world(
		&s, 25, "devices=6,floors=1,loss=0,uri=1,untrusted=1,expired=1,misnamed=1", GOOD);
	int64_t job = world_provision(w);

	finish(w, job, 3, 3, NULL);
	check_int(count(w, job, "certificate_untrusted"), 1);
	check_int(count(w, job, "certificate_expired"), 1);
	check_int(count(w, job, "certificate_uuid_mismatch"), 1);
	jobs_options_default(&rq.options, rq.kind);
	rq.options.policy = DB_POLICY_NONE;
	job = world_job(w, &rq);
	finish(w, job, 0, 3, NULL);
	check_int(count(w, job, "certificate_expired"), 1);
	world_free(w);
}

TEST(the_list_says_which_product_it_must_be)
{
	struct site s;
	struct world *w = site_world(&s, 26, "devices=3,floors=1,loss=0,uri=0.34", GOOD);
	struct jobs *jobs = core_jobs(world_core(w));

	for (size_t i = 0; i < 3; i++) {
		const struct device_make *m = building_make_of(world_building(w), i);

		check_int(jobs_device_set_product(jobs, m->uuid, m->company,
						  i == 1 ? m->product : m->product + 1),
			  JOBS_OK);
	}
	finish(w, world_provision(w), 1, 2, "certificate_product_mismatch");
	world_free(w);
}

static bool is_fetching(struct world *w, void *ctx)
{
	const struct site *s = ctx;

	return s->open > 0;
}

TEST(a_crash_during_a_fetch_loses_nothing)
{
	struct site s;
	struct world *w = site_world(&s, 27, "devices=3,floors=1,loss=0,uri=1", GOOD);
	int64_t job = world_provision(w);

	check(world_run(w, SEC(600), is_fetching, &s));
	world_kill(w);
	check_int(s.open, 0); /* nobody is called who is not there any more */
	check_int(s.cancelled, s.asked);
	finish(w, job, 3, 0, NULL);
	world_free(w);
}

TEST(what_was_fetched_is_used_by_the_next_life)
{
	struct site s;
	struct world *w = site_world(&s, 28, "devices=3,floors=1,loss=0,uri=1", GOOD);
	int64_t job = world_provision(w);
	unsigned asked;

	check(world_run(w, SEC(600), is_fetching, &s));
	while (s.open)
		world_advance(w, SEC(1));
	asked = s.asked;
	world_advance(w, SEC(1));
	world_kill(w);
	s.mood = FORBIDDEN;
	finish(w, job, asked, 3 - asked, "certificate_fetch_failed");
	world_free(w);
}

TEST(a_cancelled_job_takes_its_fetches_back)
{
	struct site s;
	struct world *w = site_world(&s, 29, "devices=2,floors=1,loss=0,uri=1", NEVER);
	int64_t job = world_provision(w);
	char why[JOBS_WHY];

	check(world_run(w, SEC(600), is_fetching, &s));
	check_int(jobs_cancel(core_jobs(world_core(w)), job, why), JOBS_OK);
	check_int(s.open, 0);
	finish(w, job, 0, 2, "cancelled");
	world_free(w);
}

TEST(an_advertised_place_is_asked_first_and_the_device_itself_when_nothing_is_there)
{
	static const struct {
		enum mood mood;
		unsigned asked;
	} rows[] = { { GOOD, 1 }, { FORBIDDEN, 3 } };
	struct site s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w =
			site_world(&s, 30, "devices=2,floors=1,loss=0,uri=0.5", rows[i].mood);
		struct db *db = core_db(world_core(w));

		for (size_t k = 0; k < 2; k++) {
			struct db_device_scan scan = { .uri = "https://certificates.invalid/" };
			const struct device_make *m = building_make_of(world_building(w), k);

			check_int(db_device_set_scan(db, m->uuid, &scan), DB_OK);
			if (rows[i].mood == GOOD && m->records[0].id)
				check_int(db_device_set_scan(db, m->uuid,
							     &(struct db_device_scan){ 0 }),
					  DB_OK);
		}
		finish(w, world_provision(w), rows[i].mood == GOOD ? 2 : 1,
		       rows[i].mood == GOOD ? 0 : 1, "certificate_fetch_failed");
		check_int(s.asked, rows[i].asked);
		world_free(w);
	}
}

/* Their URI is advertised beside the beacon, and short enough for an extended scan to tell. */
TEST(what_a_scan_heard_saves_the_link_for_records)
{
	struct jobs_request rq = { .kind = DB_JOB_SCAN, .targets = DB_TARGETS_ALL };
	struct site s;
	struct world *w = site_world(
		&s, 31, "devices=3,floors=1,loss=0,uri=1,uri_base=https://m.example/", GOOD);
	struct db_task task;
	int64_t job;

	world_advance(w, SEC(20));
	jobs_options_default(&rq.options, rq.kind);
	rq.options.n_ad_types = 1;
	rq.options.ad_types[0] = AD_URI;
	rq.options.seconds = 20;
	check(world_finish(w, world_job(w, &rq), SEC(600)));
	job = world_provision(w);
	finish(w, job, 3, 0, NULL);
	check_int(s.asked, 3);
	check(world_task(w, job, 0, &task));
	check_int(task.attempts, 1);
	check_int(task.phase_ms[DB_PHASE_RECORDS], 0); /* they were never asked for */
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(online_certificates_are_fetched_once_each_and_their_devices_join),
		cmocka_unit_test(one_certificate_without_its_issuer_is_not_enough),
		cmocka_unit_test(a_site_that_is_silent_is_asked_again),
		cmocka_unit_test(what_a_site_may_not_answer_fails_at_once_and_weakens_nothing),
		cmocka_unit_test(
			bad_certificates_are_refused_before_a_second_link_and_bar_weaker_policies),
		cmocka_unit_test(the_list_says_which_product_it_must_be),
		cmocka_unit_test(a_crash_during_a_fetch_loses_nothing),
		cmocka_unit_test(what_was_fetched_is_used_by_the_next_life),
		cmocka_unit_test(a_cancelled_job_takes_its_fetches_back),
		cmocka_unit_test(
			an_advertised_place_is_asked_first_and_the_device_itself_when_nothing_is_there),
		cmocka_unit_test(what_a_scan_heard_saves_the_link_for_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
