/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mesh_store_db.h"
#include "outbox.h"

struct core {
	struct core_env env;
	struct db *db;
	struct mesh *mesh;
	struct jobs *jobs;
	struct mesh_store_db store;
	struct outbox outbox;
};

static void on_random(void *ctx, void *out, size_t n)
{
	struct core *c = ctx;

	c->env.random(c->env.ctx, out, n);
}

static void on_unprovisioned(void *ctx, const struct mesh_unprovisioned *beacon)
{
	struct core *c = ctx;

	if (c->jobs)
		jobs_heard_unprovisioned(c->jobs, beacon);
}

static void on_advertised(void *ctx, const uint8_t address[6], struct bytes ads)
{
	struct core *c = ctx;

	if (c->jobs)
		jobs_heard_advertising(c->jobs, address, ads);
}

static void on_candidate_used(void *ctx, uint16_t address)
{
	struct core *c = ctx;

	if (c->jobs)
		jobs_candidate_used(c->jobs, address);
}

static void on_node_heard(void *ctx, uint16_t address, uint8_t ttl)
{
	struct core *c = ctx;

	if (c->jobs)
		jobs_node_heard(c->jobs, address, ttl);
}

static void on_access(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct core *c = ctx;

	c->env.access_trace(c->env.ctx, m, pdu, outgoing);
}

static int64_t on_wall(void *ctx)
{
	struct core *c = ctx;

	return c->env.wall(c->env.ctx);
}

static void on_changed(void *ctx, const struct jobs_change *change)
{
	struct core *c = ctx;

	if (c->env.changed)
		c->env.changed(c->env.ctx, change);
}

static uint64_t on_fetch(void *ctx, const char *url, jobs_fetched_fn *done, void *done_ctx)
{
	struct core *c = ctx;

	return c->env.fetch(c->env.ctx, url, done, done_ctx);
}

static void on_fetch_cancel(void *ctx, uint64_t number)
{
	struct core *c = ctx;

	c->env.fetch_cancel(c->env.ctx, number);
}

static bool start_stack(struct core *c, char why[DB_WHY])
{
	struct mesh_env env = {
		.bearer = &c->outbox.bearer,
		.timers = c->env.mesh_time,
		.store = &c->store.store,
		.random = on_random,
		.unprovisioned = on_unprovisioned,
		.advertised = on_advertised,
		.candidate_used = on_candidate_used,
		.node_heard = on_node_heard,
		.access_trace = c->env.access_trace ? on_access : NULL,
		.ctx = c,
	};
	struct mesh_boot boot;
	bool born, ok;

	ok = jobs_network_boot(c->db, on_random, c, on_wall(c), &boot, &born);
	if (ok) {
		if (born)
			log_info("a new network is born");
		c->mesh = mesh_new(&env, &boot);
		ok = jobs_network_restore(c->db, c->mesh);
	}
	secret_wipe(&boot, sizeof(boot));
	if (!ok)
		snprintf(why, DB_WHY, "the store does not hold a usable network");
	return ok;
}

static bool start_jobs(struct core *c, char why[DB_WHY])
{
	struct jobs_env env = {
		.db = c->db,
		.mesh = c->mesh,
		.mesh_timers = c->env.mesh_time,
		.real_timers = c->env.real_time,
		.wall = on_wall,
		.random = on_random,
		.changed = on_changed,
		.fetch = c->env.fetch ? on_fetch : NULL,
		.fetch_cancel = on_fetch_cancel,
		.ctx = c,
	};

	c->jobs = jobs_new(&env);
	if (!c->jobs)
		snprintf(why, DB_WHY, "the jobs in the store cannot be taken up");
	return c->jobs != NULL;
}

struct core *core_open(const struct core_env *env, char why[DB_WHY])
{
	struct core *c = calloc(1, sizeof(*c));
	struct db_env db_env = { .random = on_random, .random_ctx = c };

	if (!c) {
		snprintf(why, DB_WHY, "no memory");
		return NULL;
	}
	c->env = *env;
	db_env.master = env->master;
	c->db = db_open(env->db_path, &db_env, why);
	secret_wipe(&db_env, sizeof(db_env));
	secret_wipe(&c->env.master, sizeof(c->env.master));
	if (!c->db) {
		free(c);
		return NULL;
	}
	outbox_init(&c->outbox, env->radio);
	mesh_store_db_init(&c->store, c->db, env->mesh_time);
	if (!start_stack(c, why) || !start_jobs(c, why)) {
		core_crash(c);
		return NULL;
	}
	return c;
}

bool core_commit(struct core *c)
{
	if (!c->store.failed && (!db_dirty(c->db) || db_commit(c->db) == DB_OK))
		return true;
	log_error("the store refuses to write: stopping before anything is sent");
	return false;
}

void core_release(struct core *c)
{
	if (!outbox_empty(&c->outbox))
		outbox_release(&c->outbox);
}

bool core_settle(struct core *c)
{
	if (!core_commit(c))
		return false;
	core_release(c);
	return true;
}

void core_close(struct core *c)
{
	mesh_store_db_flush(&c->store);
	db_network_save_seq(c->db, mesh_seq_next(c->mesh));
	jobs_flush(c->jobs);
	if (db_commit(c->db) != DB_OK)
		log_error("the last changes could not be written");
	core_crash(c);
}

void core_crash(struct core *c)
{
	outbox_discard(&c->outbox);
	jobs_free(c->jobs);
	c->jobs = NULL;
	mesh_free(c->mesh);
	mesh_store_db_stop(&c->store);
	db_rollback(c->db);
	db_close(c->db);
	free(c);
}

struct db *core_db(struct core *c)
{
	return c->db;
}

struct mesh *core_mesh(struct core *c)
{
	return c->mesh;
}

struct jobs *core_jobs(struct core *c)
{
	return c->jobs;
}

bool core_busy(const struct core *c)
{
	return !jobs_idle(c->jobs);
}

bool core_asks(const struct core *c)
{
	return jobs_prompting(c->jobs);
}

uint64_t core_dropped(const struct core *c)
{
	return c->outbox.dropped;
}
