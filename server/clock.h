/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mesh time, derived from real time: at N times its pace, or, with speed 0 ("max"), as fast as
 * the processor goes while there is something to do, and at real pace otherwise. A person who is
 * asked something lives in real time: while one is (calm), it is never faster. After each
 * virtual instant the turn is settled (committed, released), so that a reply is never later in
 * mesh time than it would be on a real radio.
 */
#ifndef MESHMASON_CLOCK_H
#define MESHMASON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "timers.h"

enum { CLOCK_MAX_SPEED = 0, CLOCK_BUDGET_US = 5000 };

struct clock {
	struct timers *mesh;
	unsigned speed;		       /* 1: real time; CLOCK_MAX_SPEED */
	uint64_t real_base, mesh_base; /* the same instant on both clocks */
	bool racing;		       /* "max" and busy at the last call */
	bool calm;		       /* a person is asked: no faster than real time */
	bool was_calm;
	bool held; /* mesh time stands still (a worker, a fetch) */
	bool was_held;
	uint64_t lag; /* largest lag behind the wanted pace, microseconds */
};

void clock_init(struct clock *c, struct timers *mesh, unsigned speed, uint64_t real_now);
/* Runs what is due, at most CLOCK_BUDGET_US of real time. busy: a job runs. settle is called
 * after each instant; it returns false to stop at once, and clock_run then returns false. */
bool clock_run(struct clock *c, uint64_t real_now, bool busy, bool (*settle)(void *), void *ctx);
/* Real microseconds until clock_run has something to do. */
uint64_t clock_patience(const struct clock *c, uint64_t real_now);

#endif
