/* SPDX-License-Identifier: Apache-2.0 */
/* How tasks and jobs end: each reason where it belongs, and no job gives up on thin evidence. */
#include "check.h"
#include "world.h"

static struct db *db_of(struct world *w)
{
	return core_db(world_core(w));
}

static struct db_job job_of(struct world *w, int64_t id)
{
	struct db_job row;

	world_job_get(w, id, &row);
	return row;
}

static int64_t count(struct world *w, int64_t id, const char *code)
{
	struct db_task_filter f = { .job = id, .state = DB_TASK_FAILED, .code = code };
	int64_t n = 0;

	check_int(db_task_count(db_of(w), &f, &n), DB_OK);
	return n;
}

static int64_t provision(struct world *w, enum db_job_policy policy)
{
	struct jobs_request rq = { .kind = DB_JOB_PROVISION, .targets = DB_TARGETS_ALL_TRUSTED };

	jobs_options_default(&rq.options, DB_JOB_PROVISION);
	rq.options.policy = policy;
	return world_job(w, &rq);
}

static void must_agree(struct world *w)
{
	char why[256];

	if (!world_agrees(w, why))
		fail_msg("%s", why);
}

/* Each row: a building, a policy, and what the bad ones get. */
TEST(each_reason_is_met_by_a_device_that_earns_it)
{
	static const struct {
		const char *keys, *code;
		enum db_job_policy policy;
		int64_t failed, succeeded;
	} rows[] = {
		{ "devices=6,floors=1,spacing_m=3,loss=0,cmac_only=2", "algorithm_too_weak",
		  DB_POLICY_CERTIFICATE, 2, 4 },
		{ "devices=6,floors=1,spacing_m=3,loss=0,cbp=0.5,static_oob=0",
		  "certificate_absent", DB_POLICY_CERTIFICATE, 3, 3 },
		{ "devices=6,floors=1,spacing_m=3,loss=0,static_oob=0.5", "oob_unavailable",
		  DB_POLICY_STATIC_OOB, 3, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(101 + i, rows[i].keys);
		struct db_job job;
		int64_t id;

		world_start(w);
		id = provision(w, rows[i].policy);
		check(world_finish(w, id, SEC(3600)));
		job = job_of(w, id);
		if (count(w, id, rows[i].code) != rows[i].failed)
			fail_msg("%s: %lld of them", rows[i].code,
				 (long long)count(w, id, rows[i].code));
		check_int(job.succeeded, rows[i].succeeded);
		check_int(job.failed, rows[i].failed);
		must_agree(w);
		world_free(w);
	}
}

/* All of the range is somebody's; what nobody was offered is not sent to anybody. */
TEST(without_a_free_address_nothing_is_offered)
{
	struct world *w = world_new(104, "devices=4,floors=1,spacing_m=3,loss=0");
	uint8_t nobody[UUID_LEN] = { 9 };
	int64_t id;

	world_start(w);
	for (uint32_t a = 2; a <= 0x7FFF; a += 200)
		check_int(db_address_claim(db_of(w), (uint16_t)a,
					   (uint8_t)(a + 200 > 0x8000 ? 0x8000 - a : 200), nobody,
					   0),
			  DB_OK);
	world_advance(w, SEC(1));
	id = provision(w, DB_POLICY_CERTIFICATE);
	check(world_finish(w, id, SEC(3600)));
	check_int(job_of(w, id).state, DB_JOB_FAILED);
	check_int(count(w, id, "addresses_exhausted"), 4);
	for (size_t i = 0; i < 4; i++)
		check(!building_state_of(world_building(w), i).provisioned);
	world_free(w);
}

TEST(a_node_that_does_not_answer_is_not_configured)
{
	struct world *w = world_new(105, "devices=2,floors=1,spacing_m=3,loss=0");
	uint16_t address = 0x0700;
	struct db_node n = { .uuid = { 9 },
			     .elements = 1,
			     .state = DB_NODE_CONFIGURED,
			     .address = address,
			     .hops = 1 };
	struct jobs_request rq = { .kind = DB_JOB_CONFIGURE,
				   .addresses = &address,
				   .n_addresses = 1 };
	int64_t id;

	world_start(w);
	check_int(db_address_claim(db_of(w), address, 1, n.uuid, 0), DB_OK);
	check_int(db_node_insert(db_of(w), &n), DB_OK);
	world_advance(w, SEC(1));
	jobs_options_default(&rq.options, rq.kind);
	id = world_job(w, &rq);
	check(world_finish(w, id, SEC(600)));
	check_int(count(w, id, "configuration_failed"), 1);
	world_free(w);
}

/* Refused devices say nothing of the radio: half of them, and the job goes on to the end. */
TEST(refusals_do_not_stop_a_job)
{
	struct world *w =
		world_new(106, "devices=24,floors=1,loss=0.02,untrusted=6,expired=4,misnamed=2");
	int64_t id;

	world_start(w);
	id = world_provision(w);
	check(world_finish(w, id, SEC(3600)));
	check_int(job_of(w, id).state, DB_JOB_PARTIAL);
	check_str(job_of(w, id).error_code, "");
	check_int(job_of(w, id).succeeded, 12);
	check_int(job_of(w, id).failed, 12);
	must_agree(w);
	world_free(w);
}

/* Five of nine links fail: too few to say that it is the site. */
TEST(nothing_stops_before_ten_tasks_have_ended)
{
	struct world *w = world_new(107, "devices=9,floors=1,loss=0.02,dead=5");
	int64_t id;

	world_start(w);
	id = world_provision(w);
	check(world_finish(w, id, SEC(3600)));
	check_int(job_of(w, id).state, DB_JOB_PARTIAL);
	check_str(job_of(w, id).error_code, "");
	check_int(job_of(w, id).succeeded, 4);
	must_agree(w);
	world_free(w);
}

/* What was said to servers since the last start, first word first. */
struct first_words {
	bool on;
	size_t n, opens;
	struct {
		uint16_t server;
		uint32_t opcode;
	} said[64];
};

static void listen_in(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct first_words *f = ctx;

	if (!f->on || !outgoing || (m->opcode != OP_RPR_LINK_GET && m->opcode != OP_RPR_LINK_OPEN))
		return;
	f->opens += m->opcode == OP_RPR_LINK_OPEN;
	for (size_t i = 0; i < f->n; i++)
		if (f->said[i].server == m->dst)
			return;
	if (f->n == ARRAY_LEN(f->said))
		return;
	f->said[f->n].server = m->dst;
	f->said[f->n++].opcode = m->opcode;
}

struct held {
	uint16_t server[16];
	size_t n;
};

static void note_link(void *ctx, uint16_t server, const uint8_t uuid[UUID_LEN])
{
	struct held *h = ctx;

	if (server != 0x0001 && h->n < ARRAY_LEN(h->server))
		h->server[h->n++] = server;
}

static bool servers_hold_links(struct world *w, void *ctx)
{
	struct held *h = ctx;

	h->n = 0;
	check_int(db_links(db_of(w), note_link, h), DB_OK);
	return h->n >= 2;
}

TEST(after_a_crash_servers_are_asked_for_their_link_before_a_new_one)
{
	struct world *w = world_new(108, "devices=40,floors=2,loss=0.05");
	struct first_words words = { .on = false };
	struct held held = { .n = 0 };
	int64_t id;

	world_start(w);
	world_on_access(w, listen_in, &words);
	id = world_provision(w);
	check(world_run(w, SEC(1200), servers_hold_links, &held));
	world_kill(w);
	world_start(w);
	words.on = true;
	check(world_finish(w, id, SEC(3600)));
	check(words.opens > 0);
	for (size_t i = 0; i < held.n; i++) {
		size_t k = 0;

		while (k < words.n && words.said[k].server != held.server[i])
			k++;
		check(k < words.n);
		check_int(words.said[k].opcode, OP_RPR_LINK_GET);
	}
	check_int(job_of(w, id).succeeded, 40);
	must_agree(w);
	world_free(w);
}

/* Devices of further floors are heard by those that joined, which may not be used. */
TEST(a_job_through_one_server_waits_for_nobody_whom_only_others_hear)
{
	struct world *w = world_new(120, "devices=12,floors=4,spacing_m=3,loss=0");
	struct jobs_request rq = { .kind = DB_JOB_PROVISION, .targets = DB_TARGETS_ALL_TRUSTED };
	struct db_job job;
	int64_t id;

	world_start(w);
	jobs_options_default(&rq.options, DB_JOB_PROVISION);
	rq.options.server = 0x0001;
	id = world_job(w, &rq);
	check(world_finish(w, id, SEC(3600)));
	job = job_of(w, id);
	check(job.succeeded > 0);
	check(count(w, id, "not_heard") > 0);
	check_int(job.succeeded + job.failed, 12);
	must_agree(w);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_is_met_by_a_device_that_earns_it),
		cmocka_unit_test(without_a_free_address_nothing_is_offered),
		cmocka_unit_test(a_node_that_does_not_answer_is_not_configured),
		cmocka_unit_test(refusals_do_not_stop_a_job),
		cmocka_unit_test(nothing_stops_before_ten_tasks_have_ended),
		cmocka_unit_test(after_a_crash_servers_are_asked_for_their_link_before_a_new_one),
		cmocka_unit_test(a_job_through_one_server_waits_for_nobody_whom_only_others_hear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
