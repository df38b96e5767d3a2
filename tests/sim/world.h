/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server, radio and building in one process and in virtual time. Nothing sleeps; the same seed
 * gives the same run. The server can be killed between any two instants, before or after any
 * commit, and started again on the same store, while the building lives on.
 */
#ifndef MESHMASON_TESTS_WORLD_H
#define MESHMASON_TESTS_WORLD_H

#include "building.h"
#include "core.h"
#include "timers.h"

struct world;

/* keys: "devices=10,floors=1,loss=0.1,..."; the seed goes to building, radio and server alike.
 * MESHMASON_LOG=info lets the server say what it does. */
struct world *world_new(uint64_t seed, const char *keys);
void world_free(struct world *w);

/* Starts the server on the store; at the first start it learns the CA and the device list as a
 * user would bring them. */
void world_start(struct world *w);
void world_kill(struct world *w);
bool world_running(const struct world *w);

/* Where the server dies by itself, once: at commit number n from now on, before it is durable
 * (after = false) or after it, before anything of that turn is sent (after = true). It is not
 * started again by itself: world_run stops there. */
void world_kill_at_commit(struct world *w, uint64_t n, bool after);
uint64_t world_commits(const struct world *w);
/* A store that fails kills the server, as it would the daemon; otherwise it fails the test. */
void world_expect_store_failure(struct world *w);

/* Starts a job on everything trusted, or on targets; fails the test when it is refused. */
int64_t world_provision(struct world *w);
int64_t world_job(struct world *w, const struct jobs_request *rq);
void world_job_get(struct world *w, int64_t job, struct db_job *out);
bool world_job_ended(struct world *w, int64_t job);

/* Runs until done() or for limit microseconds of virtual time; true when done() said so. Stops
 * early when the server dies. */
bool world_run(struct world *w, uint64_t limit, bool (*done)(struct world *w, void *ctx),
	       void *ctx);
void world_advance(struct world *w, uint64_t time);
/* Until the job has ended: true; false: the server has died, or the limit is over. */
bool world_wait(struct world *w, int64_t job, uint64_t limit);
/* Until the job has ended, starting the server again whenever it has died. */
bool world_finish(struct world *w, int64_t job, uint64_t limit);

/* Building and inventory say the same, device for device (agree.h), and no sequence number and no
 * address was used twice, ever, in any life of the server (witness.h). Otherwise why names the
 * first difference. */
bool world_agrees(struct world *w, char why[256]);
/* The inventory has let this device go while it was silent: it is not compared any more. */
void world_stray(struct world *w, size_t device);
/* How many device keys device i has had so far. */
unsigned world_keys(struct world *w, size_t device);
/* Different sequence numbers of ours that the air has seen. */
uint32_t world_numbers(const struct world *w);
/* The task of device i, by its UUID. */
bool world_task(struct world *w, int64_t job, size_t device, struct db_task *out);

/* In every instant while the server lives, before it settles: a person who helps. */
void world_on_instant(struct world *w, void (*instant)(void *ctx), void *ctx);
/* Goes up whenever a task may have changed. */
uint64_t world_changes(const struct world *w);
/* What device i hears, and what it says from now on, is lost. */
void world_cover(struct world *w, size_t device, bool deaf, bool mute);

/* The Internet, before world_start(); without it nothing is fetched. As in struct core_env. */
struct world_internet {
	uint64_t (*fetch)(void *ctx, const char *url, jobs_fetched_fn *done, void *done_ctx);
	void (*cancel)(void *ctx, uint64_t number);
	void *ctx;
};
void world_connect(struct world *w, const struct world_internet *internet);
struct timers *world_real_time(struct world *w);

struct core *world_core(struct world *w);
struct building *world_building(struct world *w);
struct timers *world_time(struct world *w);
const char *world_folder(const struct world *w);

/* For the capture witness: every access message that the server sent or read, and the air. */
void world_on_access(struct world *w,
		     void (*trace)(void *ctx, const struct access_message *m, struct bytes pdu,
				   bool outgoing),
		     void *ctx);
void world_on_air(struct world *w,
		  void (*air)(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad),
		  void *ctx);
/* What the server sends and hears, as btsnoop. */
void world_record(struct world *w, const char *path);
void world_record_end(struct world *w);

#endif
