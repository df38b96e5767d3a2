/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server without its loop and HTTP: store, stack and jobs on one radio and two clocks. The
 * daemon and the tests' virtual world hold the same core.
 */
#ifndef MESHMASON_CORE_H
#define MESHMASON_CORE_H

#include "bearer.h"
#include "db.h"
#include "jobs.h"
#include "mesh.h"
#include "timers.h"

struct core;

struct core_env {
	const char *db_path;
	struct secret32 master; /* copied; the caller wipes its own */
	struct bearer *radio;	/* must outlive the core */
	struct timers *mesh_time, *real_time;
	int64_t (*wall)(void *ctx); /* Unix milliseconds */
	void (*random)(void *ctx, void *out, size_t n);
	void (*changed)(void *ctx, const struct jobs_change *c); /* may be NULL */
	/* As in struct jobs_env; may be NULL. */
	uint64_t (*fetch)(void *ctx, const char *url, jobs_fetched_fn *done, void *done_ctx);
	void (*fetch_cancel)(void *ctx, uint64_t number);
	/* Every complete access message, in and out; may be NULL. */
	void (*access_trace)(void *ctx, const struct access_message *m, struct bytes pdu,
			     bool outgoing);
	void *ctx;
};

/* NULL with a sentence in why. The network is born here at the first start; nothing is sent
 * before the first core_settle. */
struct core *core_open(const struct core_env *env, char why[DB_WHY]);
/* The end of a turn: commits what it changed, then releases what waits to be sent. False: the
 * commit failed, nothing was sent, and the process must end. */
bool core_settle(struct core *c);
/* Its two halves, for tests that crash between them. */
bool core_commit(struct core *c);
void core_release(struct core *c);
/* A clean stop: writes what is written behind, and commits. */
void core_close(struct core *c);
/* A crash, for tests: what was not settled is lost, nothing more is sent. */
void core_crash(struct core *c);

struct db *core_db(struct core *c);
struct mesh *core_mesh(struct core *c);
struct jobs *core_jobs(struct core *c);
/* Work is going on: a simulation may race. */
bool core_busy(const struct core *c);
/* A person is asked something: a simulation is no faster than real time. */
bool core_asks(const struct core *c);
/* Sends that no queue had room for. */
uint64_t core_dropped(const struct core *c);

#endif
