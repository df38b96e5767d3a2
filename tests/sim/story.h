/* SPDX-License-Identifier: Apache-2.0 */
/* The words that stories about a world share. */
#ifndef MESHMASON_TESTS_STORY_H
#define MESHMASON_TESTS_STORY_H

#include "world.h"

/* Fails the test unless building and inventory agree. */
void story_must_agree(struct world *w);
/* A world whose devices have all joined. */
struct world *story_joined(uint64_t seed, const char *keys);

struct db *story_db(struct world *w);
struct jobs *story_jobs(struct world *w);

/* Starts a job with the default options but for seconds, policy, server, address and AD types. */
int64_t story_start(struct world *w, struct jobs_request *rq);
struct db_job story_job(struct world *w, int64_t id);
/* The only task of a job. */
struct db_task story_task(struct world *w, int64_t job);
/* A request about device i alone, by its UUID. */
struct jobs_request story_one(struct world *w, enum db_job_kind kind, size_t i);

/* The address of device i, by its flash; 0: it is no node. */
uint16_t story_address(struct world *w, size_t i);
/* The first device that is a node. */
size_t story_node(struct world *w);

/* A removal has taken device i out of the inventory without an answer. */
bool story_let_go(struct world *w, size_t i);

/* From /dev/urandom, or $MESHMASON_SEED. */
uint64_t story_seed(void);

#endif
