/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ftw.h>

#include "agree.h"
#include "capture.h"
#include "check.h"
#include "db_network.h"
#include "device.h"
#include "log.h"
#include "radio_sim.h"
#include "witness.h"

enum { EPOCH = 1767225600 }; /* the run begins on 2026-01-01 */

static const uint8_t radio_address[6] = { 1, 0, 0, 'W', 'W', 0xC0 };

struct world {
	uint64_t seed, random;
	char folder[64];
	char spec[512];
	struct timers time, real;
	struct radio_sim *radio;
	struct capture tap; /* between radio and server */
	struct capture_file recording;
	struct core *core;
	struct world_internet internet;
	bool taught;
	/* killing at a commit */
	uint64_t commits, kill_at;
	bool kill_after, dying, store_may_fail;
	uint64_t changes;
	void (*instant)(void *ctx);
	void *instant_ctx;
	/* witnesses */
	struct witness *witness;
	uint64_t saves; /* of the devices' flash, when it was looked at last */
	bool *strays;
	void (*trace)(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing);
	void *trace_ctx;
	void (*air)(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad);
	void *air_ctx;
};

static uint64_t next_random(struct world *w) /* SplitMix64 */
{
	uint64_t z = (w->random += 0x9E3779B97F4A7C15u);

	z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
	z = (z ^ z >> 27) * 0x94D049BB133111EBu;
	return z ^ z >> 31;
}

static void on_random(void *ctx, void *out, size_t n)
{
	uint8_t *o = out;

	for (size_t i = 0; i < n; i++)
		o[i] = (uint8_t)(next_random(ctx) >> 32);
}

static int64_t on_wall(void *ctx)
{
	struct world *w = ctx;

	return (int64_t)EPOCH * 1000 + (int64_t)(timers_now(&w->time) / 1000);
}

static void on_access(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct world *w = ctx;

	if (w->trace)
		w->trace(w->trace_ctx, m, pdu, outgoing);
}

static void on_air(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	struct world *w = ctx;

	if (memcmp(address, radio_address, sizeof(radio_address)) == 0)
		witness_sent(w->witness, ad);
	if (w->air)
		w->air(w->air_ctx, at, address, ad);
}

struct world *world_new(uint64_t seed, const char *keys)
{
	struct world *w = calloc(1, sizeof(*w));
	char error[BUILDING_ERROR];
	struct radio_sim_config config;
	enum log_level level;

	assert_non_null(w);
	if (getenv("MESHMASON_LOG") && log_level_parse(getenv("MESHMASON_LOG"), &level))
		log_set_level(level);
	w->seed = w->random = seed;
	w->witness = witness_new();
	/* In memory where there is such a place: thousands of commits, each synced. */
	snprintf(w->folder, sizeof(w->folder), "%s/meshmason-world-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->spec, sizeof(w->spec), "%s,seed=%llu", keys, (unsigned long long)seed);
	timers_init(&w->time, SEC(1));
	timers_init(&w->real, SEC(1));
	config = (struct radio_sim_config){
		.timers = &w->time,
		.spec = w->spec,
		.data = w->folder,
		.now = EPOCH,
		.seed = seed + 1,
		.address = radio_address,
		.capture = on_air,
		.ctx = w,
	};
	w->radio = radio_sim_open(&config, error);
	if (!w->radio)
		fail_msg("%s", error);
	w->strays = calloc(building_count(radio_sim_building(w->radio)), sizeof(*w->strays));
	assert_non_null(w->strays);
	capture_init(&w->tap, radio_sim_bearer(w->radio), &w->time, (int64_t)EPOCH * 1000000);
	return w;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

void world_free(struct world *w)
{
	if (w->core)
		world_kill(w);
	capture_stop(&w->tap, &w->recording);
	radio_sim_close(w->radio);
	timers_free(&w->time);
	timers_free(&w->real);
	nftw(w->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	witness_free(w->witness);
	free(w->strays);
	free(w);
}

static bool on_commit(void *ctx, uint64_t number)
{
	struct world *w = ctx;

	w->commits++;
	if (w->kill_at == 0 || w->commits != w->kill_at)
		return true;
	w->dying = true;
	return w->kill_after;
}

static char *read_file(const struct world *w, const char *name, size_t *n)
{
	char path[128], *text = calloc(1, 1 << 20);
	FILE *f;

	snprintf(path, sizeof(path), "%s/building/%s", w->folder, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	*n = fread(text, 1, (1 << 20) - 1, f);
	fclose(f);
	return text;
}

static void add_anchor(void *ctx, struct bytes der)
{
	char why[JOBS_WHY];
	int64_t id;

	check_int(jobs_anchor_add(ctx, der, "building", "test", &id, why), JOBS_OK);
}

/* What a user brings: the CA and the list, with the same columns as the CSV. */
static void teach(struct world *w)
{
	struct building *b = radio_sim_building(w->radio);
	struct jobs *jobs = core_jobs(w->core);
	size_t n;
	char *pem = read_file(w, "ca.pem", &n);

	check(jobs_certificates_each(bytes_of(pem, n), add_anchor, jobs) > 0);
	free(pem);
	for (size_t i = 0; i < building_count(b); i++) {
		const struct device_make *make = building_make_of(b, i);
		struct db_device d = { .listed = true, .best_rssi = 127 };

		memcpy(d.uuid, make->uuid, UUID_LEN);
		snprintf(d.name, sizeof(d.name), "%s", make->name);
		d.static_oob_len = (uint8_t)make->static_oob_len;
		memcpy(d.static_oob, make->static_oob, make->static_oob_len);
		check_int(jobs_device_put(jobs, &d), JOBS_OK);
	}
	w->taught = true;
}

static void on_changed(void *ctx, const struct jobs_change *change)
{
	struct world *w = ctx;

	w->changes += change->what == JOBS_CHANGE_TASK;
}

static void show_network(struct world *w)
{
	struct db_net_key key;
	struct db_network own;

	check_int(db_net_key_get(core_db(w->core), 0, &key), DB_OK);
	check_int(db_network_get(core_db(w->core), &own), DB_OK);
	witness_network(w->witness, &key.key, own.address);
}

static uint64_t on_fetch(void *ctx, const char *url, jobs_fetched_fn *done, void *done_ctx)
{
	struct world *w = ctx;

	return w->internet.fetch(w->internet.ctx, url, done, done_ctx);
}

static void on_fetch_cancel(void *ctx, uint64_t number)
{
	struct world *w = ctx;

	w->internet.cancel(w->internet.ctx, number);
}

void world_connect(struct world *w, const struct world_internet *internet)
{
	w->internet = *internet;
}

struct timers *world_real_time(struct world *w)
{
	return &w->real;
}

void world_start(struct world *w)
{
	char path[96], why[DB_WHY];
	struct core_env env = {
		.db_path = path,
		.master = { { 1, 2, 3 } },
		.radio = &w->tap.bearer,
		.mesh_time = &w->time,
		.real_time = &w->real,
		.wall = on_wall,
		.random = on_random,
		.changed = on_changed,
		.fetch = w->internet.fetch ? on_fetch : NULL,
		.fetch_cancel = on_fetch_cancel,
		.access_trace = on_access,
		.ctx = w,
	};

	snprintf(path, sizeof(path), "%s/meshmason.db", w->folder);
	w->core = core_open(&env, why);
	if (!w->core)
		fail_msg("the server does not start: %s", why);
	w->dying = false;
	if (!w->taught) {
		teach(w);
		check(core_settle(w->core));
	}
	show_network(w);
	db_on_commit(core_db(w->core), on_commit, w);
}

void world_kill(struct world *w)
{
	core_crash(w->core);
	w->core = NULL;
	w->dying = false;
}

bool world_running(const struct world *w)
{
	return w->core != NULL;
}

void world_kill_at_commit(struct world *w, uint64_t n, bool after)
{
	w->commits = 0;
	w->kill_at = n;
	w->kill_after = after;
}

void world_expect_store_failure(struct world *w)
{
	w->store_may_fail = true;
}

uint64_t world_commits(const struct world *w)
{
	return w->commits;
}

/* The end of an instant, with the two places to die in. */
static void settle(struct world *w)
{
	bool committed = core_commit(w->core);

	if (w->dying) {
		w->kill_at = 0;
		world_kill(w);
		return;
	}
	if (!committed && w->store_may_fail) {
		world_kill(w);
		return;
	}
	check(committed);
	core_release(w->core);
}

static void look(struct world *w)
{
	struct building *b = radio_sim_building(w->radio);
	uint64_t saves = building_counters(b).saves;

	if (saves != w->saves)
		witness_look(w->witness, b);
	w->saves = saves;
}

int64_t world_job(struct world *w, const struct jobs_request *rq)
{
	char why[JOBS_WHY] = "";
	int64_t id = 0;

	if (jobs_create(core_jobs(w->core), rq, &id, why) != JOBS_OK)
		fail_msg("the job is refused: %s", why);
	return id;
}

int64_t world_provision(struct world *w)
{
	struct jobs_request rq = {
		.kind = DB_JOB_PROVISION,
		.targets = DB_TARGETS_ALL_TRUSTED,
	};
	int64_t id;

	jobs_options_default(&rq.options, rq.kind);
	id = world_job(w, &rq);
	check(core_settle(w->core));
	return id;
}

void world_job_get(struct world *w, int64_t job, struct db_job *out)
{
	check_int(db_job_get(core_db(w->core), job, out), DB_OK);
}

bool world_job_ended(struct world *w, int64_t job)
{
	struct db_job j;

	world_job_get(w, job, &j);
	return j.state >= DB_JOB_SUCCEEDED;
}

bool world_run(struct world *w, uint64_t limit, bool (*done)(struct world *w, void *ctx), void *ctx)
{
	uint64_t end = timers_now(&w->time) + limit;

	do {
		if (done && w->core && done(w, ctx))
			return true;
		if (!timers_fire_next(&w->time, end))
			break;
		timers_advance(&w->real, timers_now(&w->time));
		look(w);
		if (w->instant && w->core)
			w->instant(w->instant_ctx);
		if (w->core) {
			settle(w);
			if (!w->core)
				return false;
		}
	} while (true);
	timers_advance(&w->time, end);
	return false;
}

void world_advance(struct world *w, uint64_t time)
{
	world_run(w, time, NULL, NULL);
}

/* Asked at each instant; the store is looked at once a virtual second. */
struct waiting {
	int64_t job;
	uint64_t next;
};

static bool job_has_ended(struct world *w, void *ctx)
{
	struct waiting *wait = ctx;

	if (timers_now(&w->time) < wait->next)
		return false;
	wait->next = timers_now(&w->time) + SEC(1);
	return world_job_ended(w, wait->job);
}

bool world_wait(struct world *w, int64_t job, uint64_t limit)
{
	struct waiting wait = { .job = job };

	return world_run(w, limit, job_has_ended, &wait);
}

bool world_finish(struct world *w, int64_t job, uint64_t limit)
{
	uint64_t end = timers_now(&w->time) + limit;

	while (timers_now(&w->time) < end) {
		if (!w->core)
			world_start(w);
		if (world_wait(w, job, end - timers_now(&w->time)))
			return true;
	}
	return false;
}

bool world_agrees(struct world *w, char why[256])
{
	struct building *b = radio_sim_building(w->radio);

	witness_look(w->witness, b);
	if (!agree(core_db(w->core), b, w->strays, why))
		return false;
	if (witness_fault(w->witness))
		snprintf(why, 256, "%s", witness_fault(w->witness));
	return !witness_fault(w->witness);
}

void world_stray(struct world *w, size_t device)
{
	w->strays[device] = true;
}

unsigned world_keys(struct world *w, size_t device)
{
	witness_look(w->witness, radio_sim_building(w->radio));
	return witness_keys(w->witness, device);
}

uint32_t world_numbers(const struct world *w)
{
	return witness_numbers(w->witness);
}

struct finding {
	struct db_task *out;
	bool found;
};

static void take_task(void *ctx, const struct db_task *t)
{
	struct finding *f = ctx;

	*f->out = *t;
	f->found = true;
}

bool world_task(struct world *w, int64_t job, size_t device, struct db_task *out)
{
	struct db_task_filter filter = {
		.job = job,
		.state = -1,
		.uuid = building_make_of(radio_sim_building(w->radio), device)->uuid,
	};
	struct db_page page = { .limit = 10 };
	struct finding f = { .out = out };
	char next[DB_CURSOR];

	check_int(db_tasks(core_db(w->core), &filter, &page, take_task, &f, next), DB_OK);
	return f.found;
}

void world_record(struct world *w, const char *path)
{
	check(capture_start(&w->tap, &w->recording, path, 0));
}

void world_record_end(struct world *w)
{
	check(capture_stop(&w->tap, &w->recording));
}

void world_on_instant(struct world *w, void (*instant)(void *ctx), void *ctx)
{
	w->instant = instant;
	w->instant_ctx = ctx;
}

uint64_t world_changes(const struct world *w)
{
	return w->changes;
}

void world_cover(struct world *w, size_t device, bool deaf, bool mute)
{
	building_cover(radio_sim_building(w->radio), device, deaf, mute);
}

struct core *world_core(struct world *w)
{
	return w->core;
}

struct building *world_building(struct world *w)
{
	return radio_sim_building(w->radio);
}

struct timers *world_time(struct world *w)
{
	return &w->time;
}

const char *world_folder(const struct world *w)
{
	return w->folder;
}

void world_on_access(struct world *w,
		     void (*trace)(void *ctx, const struct access_message *m, struct bytes pdu,
				   bool outgoing),
		     void *ctx)
{
	w->trace = trace;
	w->trace_ctx = ctx;
}

void world_on_air(struct world *w,
		  void (*air)(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad),
		  void *ctx)
{
	w->air = air;
	w->air_ctx = ctx;
}
