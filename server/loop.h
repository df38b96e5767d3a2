/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's one loop: epoll, signals, the monotonic clock. One thread; nothing is locked
 * because nothing is shared. Only this file reads the monotonic clock.
 */
#ifndef MESHMASON_LOOP_H
#define MESHMASON_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "timers.h"

struct loop;

/* A watched descriptor, embedded in its owner. */
struct loop_fd {
	int fd;
	void (*ready)(void *ctx, uint32_t epoll_events);
	void *ctx;
};

struct loop_hooks {
	/* Work of this turn after the descriptors were served (timers in mesh time, HTTP). */
	void (*turn)(void *ctx, uint64_t now);
	/* The end of the turn: commit, then release what waits for it. False ends the loop. */
	bool (*settle)(void *ctx);
	/* The longest time to wait, microseconds from now, beside the loop's own timers. */
	uint64_t (*patience)(void *ctx, uint64_t now);
	void *ctx;
};

/* NULL with errno set when the kernel refuses. SIGTERM and SIGINT end the loop, SIGPIPE is
 * ignored. */
struct loop *loop_new(const struct loop_hooks *hooks);
void loop_free(struct loop *l);
/* Real time: HTTP, tokens, certificates. */
struct timers *loop_timers(struct loop *l);
bool loop_watch(struct loop *l, struct loop_fd *w, uint32_t epoll_events);
void loop_unwatch(struct loop *l, struct loop_fd *w);
/* Until a signal or loop_stop; false when a turn could not be settled. */
bool loop_run(struct loop *l);
/* One turn, waiting at most limit microseconds; false once the loop is to end. */
bool loop_turn(struct loop *l, uint64_t limit);
void loop_stop(struct loop *l);
/* Microseconds of the monotonic clock, now. */
uint64_t loop_now(void);

#endif
