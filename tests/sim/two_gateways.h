/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two servers, each with its own network and store, on the air of one building, in virtual time.
 * The first is in the usual corner, the second at the other end.
 */
#ifndef MESHMASON_TESTS_TWO_GATEWAYS_H
#define MESHMASON_TESTS_TWO_GATEWAYS_H

#include "building.h"
#include "core.h"
#include "timers.h"

enum { GATEWAYS = 2 };

struct site;

/* Both are started; both know the CA and all devices. */
struct site *site_new(uint64_t seed, const char *keys, double far_x, double far_y);
void site_free(struct site *s);
void site_kill(struct site *s, size_t gateway);
void site_start(struct site *s, size_t gateway);

/* Fails the test when it is refused. */
int64_t site_job(struct site *s, size_t gateway, const struct jobs_request *rq);
struct db_job site_job_get(struct site *s, size_t gateway, int64_t job);
/* Until both have ended; a gateway without a job (0) is not waited for. */
bool site_finish(struct site *s, const int64_t job[GATEWAYS], uint64_t limit);
void site_advance(struct site *s, uint64_t time);

/* Whose device it is: a gateway in whose inventory it is a node under the address and the device
 * key that it has. SITE_LOST: a node that nobody has, SITE_SHARED: one that two list as theirs. */
enum { SITE_FREE = -1, SITE_LOST = -2, SITE_SHARED = -3 };
int site_owner(struct site *s, size_t device);
/* The task of a device; false: that job has none. */
bool site_task(struct site *s, size_t gateway, int64_t job, size_t device, struct db_task *out);

struct core *site_core(struct site *s, size_t gateway);
struct building *site_building(struct site *s);

#endif
