/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays a recording back into a stack: what was heard is heard again, at the same distances in
 * time, in whatever time the timers run. It receives only: what was sent is passed over, and what
 * the stack sends is lost, as on an air where nobody listens.
 */
#ifndef MESHMASON_BEARER_REPLAY_H
#define MESHMASON_BEARER_REPLAY_H

#include <stdio.h>

#include "bearer.h"
#include "timers.h"
#include "trace.h"

enum { BEARER_REPLAY_ERROR = 128 };

struct bearer_replay;

struct bearer_replay_config {
	struct timers *timers;
	FILE *file; /* btsnoop; stays the caller's, and open */
	/* Once, after the last report: TRACE_END, or TRACE_BROKEN where the file is cut or no
	 * recording from there on. May be NULL. */
	void (*ended)(void *ctx, enum trace_result how);
	void *ctx;
};

struct bearer_replay_counters {
	uint64_t heard;	      /* reports played */
	uint64_t passed_over; /* frames that were sent, packets that are none */
	uint64_t lost;	      /* what the stack sent */
};

/* NULL with one line in error when this is no recording. The first frame of the file, sent or
 * heard, is of the present instant; nothing is heard from within. */
struct bearer_replay *bearer_replay_open(const struct bearer_replay_config *config,
					 char error[BEARER_REPLAY_ERROR]);
void bearer_replay_close(struct bearer_replay *b);
struct bearer *bearer_replay_bearer(struct bearer_replay *b);
struct bearer_replay_counters bearer_replay_counters(const struct bearer_replay *b);

#endif
