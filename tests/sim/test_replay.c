/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recorded run, played into a fresh stack that has the same keys: it reads the same access
 * messages, in the same order and at the same instants, with nobody to answer it.
 */
#include <stdlib.h>
#include <string.h>

#include "bearer_replay.h"
#include "check.h"
#include "db_network.h"
#include "world.h"

enum { MESSAGES_MAX = 20000 };

struct message {
	uint64_t at; /* since the run began */
	uint16_t src, dst;
	int app_index;
	uint8_t ttl;
	size_t len;
	uint8_t pdu[ACCESS_MAX];
};

struct run {
	struct timers *timers;
	uint64_t start;
	struct message *row;
	size_t n;
	bool ended;
	enum trace_result how;
};

static void run_new(struct run *r, struct timers *timers)
{
	*r = (struct run){ .timers = timers, .start = timers_now(timers) };
	r->row = calloc(MESSAGES_MAX, sizeof(*r->row));
	assert_non_null(r->row);
}

static void on_access(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct run *r = ctx;
	struct message *row = &r->row[r->n];

	if (outgoing)
		return;
	check(r->n < MESSAGES_MAX && pdu.n <= sizeof(row->pdu));
	row->at = timers_now(r->timers) - r->start;
	row->src = m->src;
	row->dst = m->dst;
	row->app_index = m->app_index;
	row->ttl = m->ttl;
	row->len = pdu.n;
	memcpy(row->pdu, pdu.p, pdu.n);
	r->n++;
}

/* ---- the fresh stack ---- */

static void save_seq(void *ctx, uint32_t reserved)
{
}

static void save_iv(void *ctx, const struct mesh_iv *iv, uint32_t seq_reserved)
{
}

static void save_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
}

static void on_random(void *ctx, void *out, size_t n)
{
	memset(out, 7, n);
}

struct player {
	size_t beacons;
	struct run run;
};

static void on_unprovisioned(void *ctx, const struct mesh_unprovisioned *beacon)
{
	((struct player *)ctx)->beacons++;
}

static void on_ended(void *ctx, enum trace_result how)
{
	struct run *r = ctx;

	r->ended = true;
	r->how = how;
}

static void player_access(void *ctx, const struct access_message *m, struct bytes pdu,
			  bool outgoing)
{
	on_access(&((struct player *)ctx)->run, m, pdu, outgoing);
}

static void on_candidate(void *ctx, uint16_t address)
{
}

static void on_node(void *ctx, uint16_t address, uint8_t ttl)
{
}

/* The keys that the run ended with: those of network and nodes did not change in it. */
static void teach(struct mesh *m, struct world *w)
{
	struct building *b = world_building(w);
	struct db_net_key net;
	struct db_app_key app;

	check_int(db_net_key_get(core_db(world_core(w)), 0, &net), DB_OK);
	check(mesh_net_key_add(m, 0, &net.key));
	if (db_app_key_get(core_db(world_core(w)), 0, &app) == DB_OK)
		check(mesh_app_key_add(m, 0, 0, &app.key));
	for (size_t i = 0; i < building_count(b); i++) {
		struct device_keys keys;

		if (building_keys_of(b, i, &keys))
			check(mesh_node_set(m, keys.address, building_state_of(b, i).elements,
					    &keys.device_key, NULL));
	}
}

static void play(struct world *w, const char *path, struct player *p, struct timers *timers,
		 struct bearer_replay_counters *counters)
{
	struct mesh_store store = { save_seq, save_iv, save_replay, NULL };
	struct bearer_replay_config config = {
		.timers = timers,
		.file = fopen(path, "rb"),
		.ended = on_ended,
		.ctx = &p->run,
	};
	char error[BEARER_REPLAY_ERROR] = "";
	struct bearer_replay *replay;
	struct db_network network;
	struct mesh_boot boot = { .seq_reserved = 0x800000 };
	struct mesh_env env = {
		.timers = timers,
		.store = &store,
		.random = on_random,
		.unprovisioned = on_unprovisioned,
		.candidate_used = on_candidate,
		.node_heard = on_node,
		.access_trace = player_access,
		.ctx = p,
	};
	struct mesh *mesh;

	assert_non_null(config.file);
	replay = bearer_replay_open(&config, error);
	check_str(error, "");
	env.bearer = bearer_replay_bearer(replay);
	check_int(db_network_get(core_db(world_core(w)), &network), DB_OK);
	boot.address = network.address;
	memcpy(boot.uuid, network.uuid, sizeof(boot.uuid));
	boot.device_key = network.device_key;
	boot.iv.index = network.iv_index;
	mesh = mesh_new(&env, &boot);
	teach(mesh, w);
	while (!p->run.ended && timers_fire_next(timers, p->run.start + SEC(7200)))
		;
	*counters = bearer_replay_counters(replay);
	mesh_free(mesh);
	bearer_replay_close(replay);
	fclose(config.file);
}

static void compare(const struct run *was, const struct run *is, uint64_t shift)
{
	for (size_t i = 0; i < was->n && i < is->n; i++) {
		const struct message *a = &was->row[i], *b = &is->row[i];

		if (a->at == b->at + shift && a->src == b->src && a->dst == b->dst &&
		    a->app_index == b->app_index && a->ttl == b->ttl && a->len == b->len &&
		    memcmp(a->pdu, b->pdu, a->len) == 0)
			continue;
		fail_msg("message %zu: %04x -> %04x at %llu was, %04x -> %04x at %llu is", i,
			 a->src, a->dst, (unsigned long long)a->at, b->src, b->dst,
			 (unsigned long long)(b->at + shift));
	}
	check_int(is->n, was->n);
}

/* When the recording's first frame was written, after the run began. */
static uint64_t first_frame(const char *path)
{
	struct trace_reader reader;
	struct trace_frame frame;
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	check(trace_open(&reader, f));
	check_int(trace_read(&reader, &frame), TRACE_FRAME);
	fclose(f);
	return (uint64_t)(frame.at - INT64_C(1767225600) * 1000000);
}

TEST(a_recorded_run_is_read_again_by_a_fresh_stack)
{
	struct world *w = world_new(43, "devices=12,floors=1,loss=0.1");
	struct bearer_replay_counters counters;
	struct player player = { 0 };
	struct timers timers;
	struct run was;
	char path[128];
	int64_t job;

	snprintf(path, sizeof(path), "%s/run.btsnoop", world_folder(w));
	run_new(&was, world_time(w));
	world_on_access(w, on_access, &was);
	world_record(w, path);
	world_start(w);
	job = world_provision(w);
	check(world_finish(w, job, SEC(3600)));
	world_advance(w, SEC(5));
	world_record_end(w);
	check(was.n > 50);

	timers_init(&timers, SEC(500000)); /* another time altogether */
	run_new(&player.run, &timers);
	play(w, path, &player, &timers, &counters);
	check(player.run.ended);
	check_int(player.run.how, TRACE_END);
	print_message("%zu access messages in %llu reports\n", was.n,
		      (unsigned long long)counters.heard);
	compare(&was, &player.run, first_frame(path) - was.start);
	check(player.beacons > 0);
	check(counters.passed_over > 0); /* what we had sent then */
	check(counters.lost > 0);	 /* acknowledgments that nobody hears */
	timers_free(&timers);
	free(was.row);
	free(player.run.row);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recorded_run_is_read_again_by_a_fresh_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
