/* SPDX-License-Identifier: Apache-2.0 */
/* Which one is it: nodes blink for as long as asked, one at a time, and can be stopped. */
#include "check.h"
#include "world.h"

static struct db_job job_of(struct world *w, int64_t id)
{
	struct db_job row;

	world_job_get(w, id, &row);
	return row;
}

/* What was asked of whom, last. */
struct heard {
	unsigned sets;
	uint16_t dst[16];
	uint8_t seconds[16];
};

static void note(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct heard *h = ctx;

	if (!outgoing || m->opcode != OP_HEALTH_ATTENTION_SET || h->sets == ARRAY_LEN(h->dst))
		return;
	h->dst[h->sets] = m->dst;
	h->seconds[h->sets++] = m->params.p[0];
}

static struct world *ready(struct heard *h)
{
	struct world *w = world_new(61, "devices=6,floors=1,spacing_m=3,loss=0");

	*h = (struct heard){ 0 };
	world_start(w);
	check(world_finish(w, world_provision(w), SEC(3600)));
	world_on_access(w, note, h);
	return w;
}

static int64_t identify(struct world *w, uint16_t address, unsigned seconds)
{
	struct jobs_request rq = { .kind = DB_JOB_IDENTIFY,
				   .addresses = &address,
				   .n_addresses = 1 };

	jobs_options_default(&rq.options, DB_JOB_IDENTIFY);
	rq.options.seconds = seconds;
	return world_job(w, &rq);
}

static int64_t left(struct world *w, int64_t id)
{
	return jobs_time_left(core_jobs(world_core(w)), id);
}

TEST(a_node_blinks_for_its_seconds_and_the_job_lasts_as_long)
{
	struct heard h;
	struct world *w = ready(&h);
	uint64_t before = timers_now(world_time(w));
	int64_t id = identify(w, building_state_of(world_building(w), 2).address, 12);

	world_advance(w, SEC(4));
	check_int(job_of(w, id).state, DB_JOB_RUNNING);
	check(left(w, id) > 7000 && left(w, id) <= 8500);
	check(world_finish(w, id, SEC(60)));
	check_int(job_of(w, id).state, DB_JOB_SUCCEEDED);
	check(timers_now(world_time(w)) - before >= SEC(12));
	check(timers_now(world_time(w)) - before < SEC(15));
	check_int(h.seconds[0], 12);
	check_int(h.sets, 1);
	world_free(w);
}

TEST(pressing_it_on_another_stops_the_first)
{
	struct heard h;
	struct world *w = ready(&h);
	uint16_t a = building_state_of(world_building(w), 1).address;
	uint16_t b = building_state_of(world_building(w), 2).address;
	int64_t first = identify(w, a, 60), second;

	world_advance(w, SEC(5));
	second = identify(w, b, 5);
	world_advance(w, SEC(3));
	check_int(job_of(w, first).state, DB_JOB_CANCELLED);
	check_int(job_of(w, second).state, DB_JOB_RUNNING);
	check_int(h.sets, 3);
	check(h.dst[0] == a && h.seconds[0] == 60);
	for (unsigned i = 1; i < 3; i++)
		check_int(h.seconds[i], h.dst[i] == a ? 0 : 5);
	check(world_finish(w, second, SEC(20)));
	check_int(job_of(w, second).state, DB_JOB_SUCCEEDED);
	/* the same one again: its end does not come after its new beginning */
	first = identify(w, a, 60);
	world_advance(w, SEC(3));
	second = identify(w, a, 7);
	world_advance(w, SEC(3));
	check_int(job_of(w, first).state, DB_JOB_CANCELLED);
	check_int(h.sets, 6);
	check_int(h.seconds[4], 0);
	check_int(h.seconds[5], 7);
	world_free(w);
}

TEST(cancelling_switches_it_off)
{
	struct heard h;
	struct world *w = ready(&h);
	int64_t id = identify(w, building_state_of(world_building(w), 1).address, 60);
	char why[JOBS_WHY];

	world_advance(w, SEC(5));
	check_int(jobs_cancel(core_jobs(world_core(w)), id, why), JOBS_OK);
	check(world_finish(w, id, SEC(10)));
	check_int(job_of(w, id).state, DB_JOB_CANCELLED);
	check_int(h.sets, 2);
	check_int(h.seconds[1], 0);
	world_free(w);
}

TEST(a_node_that_is_not_there_says_so_within_ten_seconds)
{
	struct db_node n = { .uuid = { 9 },
			     .elements = 1,
			     .state = DB_NODE_CONFIGURED,
			     .address = 0x0700,
			     .hops = 1 };
	struct heard h;
	struct world *w = ready(&h);
	struct db *db = core_db(world_core(w));
	int64_t id;

	check_int(db_address_claim(db, n.address, 1, n.uuid, 0), DB_OK);
	check_int(db_node_insert(db, &n), DB_OK);
	world_advance(w, SEC(1));
	id = identify(w, n.address, 5);
	check(world_finish(w, id, SEC(30)));
	check(job_of(w, id).ended - job_of(w, id).created <= 10000);
	check_int(job_of(w, id).state, DB_JOB_FAILED);
	check(h.sets >= 2);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_blinks_for_its_seconds_and_the_job_lasts_as_long),
		cmocka_unit_test(pressing_it_on_another_stops_the_first),
		cmocka_unit_test(cancelling_switches_it_off),
		cmocka_unit_test(a_node_that_is_not_there_says_so_within_ten_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
