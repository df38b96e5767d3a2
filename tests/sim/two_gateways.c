/* SPDX-License-Identifier: Apache-2.0 */
#include "two_gateways.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advertiser.h"
#include "building_make.h"
#include "check.h"

enum { EPOCH = 1767225600 }; /* the run begins on 2026-01-01 */

struct gateway {
	struct site *site;
	struct bearer bearer;
	struct advertiser advertiser;
	struct building_radio *radio;
	struct core *core;
	uint64_t random;
	bool taught;
	char db[96];
	uint8_t master;
};

struct site {
	struct timers time, real;
	char folder[64], ca[96];
	struct building *building;
	struct gateway gateway[GATEWAYS];
};

/* --- the radios --- */

static bool on_send(struct bearer *b, const struct bearer_send *s)
{
	return advertiser_send(&CONTAINER_OF(b, struct gateway, bearer)->advertiser, s);
}

static void on_cancel(struct bearer *b, uint32_t tag)
{
	advertiser_cancel(&CONTAINER_OF(b, struct gateway, bearer)->advertiser, tag);
}

static void on_transmit(void *ctx, struct bytes ad)
{
	struct gateway *g = ctx;

	(void)building_radio_transmit(g->radio, ad);
}

static void on_heard(void *ctx, const struct building_report *heard)
{
	struct gateway *g = ctx;
	struct bearer_report report = { .data = heard->data,
					.event_type = ADV_NONCONN_IND,
					.rssi = heard->rssi };

	memcpy(report.address, heard->address, sizeof(report.address));
	if (g->bearer.heard)
		g->bearer.heard(g->bearer.heard_ctx, &report);
}

static void radio_enter(struct site *s, size_t i, uint64_t seed, double x, double y)
{
	struct gateway *g = &s->gateway[i];
	struct advertiser_config advertiser = {
		.timers = &s->time, .seed = seed, .transmit = on_transmit, .ctx = g
	};
	struct building_radio_config radio = { .x = x,
					       .y = y,
					       .hears_strangers = true,
					       .address = { (uint8_t)i, 0, 0, 'M', 'M', 0xC0 },
					       .heard = on_heard,
					       .ctx = g };

	g->site = s;
	g->random = seed;
	g->master = (uint8_t)(i + 1);
	g->bearer.send = on_send;
	g->bearer.cancel = on_cancel;
	snprintf(g->db, sizeof(g->db), "%s/gateway-%zu.db", s->folder, i);
	advertiser_init(&g->advertiser, &advertiser);
	g->radio = building_radio_add(s->building, &radio);
}

/* --- the servers --- */

static uint64_t next_random(struct gateway *g) /* SplitMix64 */
{
	uint64_t z = (g->random += 0x9E3779B97F4A7C15u);

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
	struct gateway *g = ctx;

	return (int64_t)EPOCH * 1000 + (int64_t)(timers_now(&g->site->time) / 1000);
}

static void add_anchor(void *ctx, struct bytes der)
{
	char why[JOBS_WHY];
	int64_t id;

	check_int(jobs_anchor_add(ctx, der, "building", "test", &id, why), JOBS_OK);
}

static void teach(struct gateway *g)
{
	struct jobs *jobs = core_jobs(g->core);
	char pem[16384];
	FILE *f = fopen(g->site->ca, "rb");
	size_t n;

	check(f);
	n = fread(pem, 1, sizeof(pem), f);
	fclose(f);
	check(jobs_certificates_each(bytes_of(pem, n), add_anchor, jobs) > 0);
	for (size_t i = 0; i < building_count(g->site->building); i++) {
		const struct device_make *make = building_make_of(g->site->building, i);
		struct db_device d = { .listed = true, .best_rssi = 127 };

		memcpy(d.uuid, make->uuid, UUID_LEN);
		snprintf(d.name, sizeof(d.name), "%s", make->name);
		check_int(jobs_device_put(jobs, &d), JOBS_OK);
	}
	g->taught = true;
}

void site_start(struct site *s, size_t gateway)
{
	struct gateway *g = &s->gateway[gateway];
	char why[DB_WHY];
	struct core_env env = {
		.db_path = g->db,
		.master = { { g->master } },
		.radio = &g->bearer,
		.mesh_time = &s->time,
		.real_time = &s->real,
		.wall = on_wall,
		.random = on_random,
		.ctx = g,
	};

	g->core = core_open(&env, why);
	if (!g->core)
		fail_msg("gateway %zu does not start: %s", gateway, why);
	if (!g->taught) {
		teach(g);
		check(core_settle(g->core));
	}
}

void site_kill(struct site *s, size_t gateway)
{
	core_crash(s->gateway[gateway].core);
	s->gateway[gateway].core = NULL;
}

/* --- the site --- */

struct site *site_new(uint64_t seed, const char *keys, double far_x, double far_y)
{
	struct site *s = calloc(1, sizeof(*s));
	struct building_keys k = building_keys_default();
	char file[96], list[96], error[BUILDING_ERROR];
	struct building_made made;
	struct building_env env = { .timers = &s->time, .file = file, .seed = seed };

	assert_non_null(s);
	snprintf(s->folder, sizeof(s->folder), "%s/meshmason-site-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(s->folder));
	snprintf(file, sizeof(file), "%s/building.json", s->folder);
	snprintf(s->ca, sizeof(s->ca), "%s/ca.pem", s->folder);
	snprintf(list, sizeof(list), "%s/devices.csv", s->folder);
	timers_init(&s->time, SEC(1));
	timers_init(&s->real, SEC(1));
	check(building_keys_parse(&k, keys, error));
	k.seed = seed;
	check(building_make(&k, file, s->ca, list, EPOCH, &made, error));
	s->building = building_open(&env, error);
	assert_non_null(s->building);
	radio_enter(s, 0, seed + 1, 0, 0);
	radio_enter(s, 1, seed + 2, far_x, far_y);
	for (size_t g = 0; g < GATEWAYS; g++)
		site_start(s, g);
	return s;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	return remove(path);
}

void site_free(struct site *s)
{
	for (size_t g = 0; g < GATEWAYS; g++) {
		if (s->gateway[g].core)
			site_kill(s, g);
		advertiser_stop(&s->gateway[g].advertiser);
		building_radio_remove(s->gateway[g].radio);
	}
	building_close(s->building);
	timers_free(&s->time);
	timers_free(&s->real);
	nftw(s->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(s);
}

int64_t site_job(struct site *s, size_t gateway, const struct jobs_request *rq)
{
	struct core *core = s->gateway[gateway].core;
	char why[JOBS_WHY] = "";
	int64_t id = 0;

	if (jobs_create(core_jobs(core), rq, &id, why) != JOBS_OK)
		fail_msg("gateway %zu: the job is refused: %s", gateway, why);
	check(core_settle(core));
	return id;
}

struct db_job site_job_get(struct site *s, size_t gateway, int64_t job)
{
	struct db_job row;

	check_int(db_job_get(core_db(s->gateway[gateway].core), job, &row), DB_OK);
	return row;
}

static bool instant(struct site *s, uint64_t end)
{
	if (!timers_fire_next(&s->time, end))
		return false;
	timers_advance(&s->real, timers_now(&s->time));
	for (size_t g = 0; g < GATEWAYS; g++)
		if (s->gateway[g].core)
			check(core_settle(s->gateway[g].core));
	return true;
}

void site_advance(struct site *s, uint64_t time)
{
	uint64_t end = timers_now(&s->time) + time;

	while (instant(s, end))
		;
	timers_advance(&s->time, end);
}

static bool ended(struct site *s, const int64_t job[GATEWAYS])
{
	for (size_t g = 0; g < GATEWAYS; g++)
		if (job[g] && site_job_get(s, g, job[g]).state < DB_JOB_SUCCEEDED)
			return false;
	return true;
}

bool site_finish(struct site *s, const int64_t job[GATEWAYS], uint64_t limit)
{
	for (uint64_t t = 0; t < limit; t += SEC(1)) {
		if (ended(s, job))
			return true;
		site_advance(s, SEC(1));
	}
	return false;
}

int site_owner(struct site *s, size_t device)
{
	const uint8_t *uuid = building_make_of(s->building, device)->uuid;
	struct device_state state = building_state_of(s->building, device);
	int owner = state.provisioned ? SITE_LOST : SITE_FREE;
	size_t listed = 0;

	for (size_t g = 0; g < GATEWAYS; g++) {
		struct db_node n;

		if (db_node_get_uuid(core_db(s->gateway[g].core), uuid, &n) != DB_OK ||
		    n.state == DB_NODE_PENDING)
			continue;
		listed++;
		if (state.provisioned && n.address == state.address &&
		    strcmp(n.device_key_id, state.device_key_id) == 0)
			owner = (int)g;
		secret_wipe(&n.device_key, sizeof(n.device_key));
	}
	if (listed == GATEWAYS)
		return SITE_SHARED;
	return listed == 1 && owner < 0 ? SITE_LOST : owner;
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

bool site_task(struct site *s, size_t gateway, int64_t job, size_t device, struct db_task *out)
{
	struct db_task_filter filter = {
		.job = job,
		.state = -1,
		.uuid = building_make_of(s->building, device)->uuid,
	};
	struct db_page page = { .limit = 10 };
	struct finding f = { .out = out };
	char next[DB_CURSOR];

	check_int(db_tasks(core_db(s->gateway[gateway].core), &filter, &page, take_task, &f, next),
		  DB_OK);
	return f.found;
}

struct core *site_core(struct site *s, size_t gateway)
{
	return s->gateway[gateway].core;
}

struct building *site_building(struct site *s)
{
	return s->building;
}
