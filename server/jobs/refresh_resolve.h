/* SPDX-License-Identifier: Apache-2.0 */
/* Which key a node uses, when only it knows. */
#ifndef MESHMASON_REFRESH_RESOLVE_H
#define MESHMASON_REFRESH_RESOLVE_H

#include "core_jobs.h"

enum refresh_outcome {
	REFRESH_CHANGED,   /* committed */
	REFRESH_UNCHANGED, /* undone */
	REFRESH_UNKNOWN,   /* it is silent: both keys are kept */
	REFRESH_BROKEN,	   /* the store failed */
};

/* Embedded; stays until done or refresh_resolve_cancel. What it finds out is in the store when done
 * comes, in the same turn. */
struct refresh_resolve {
	void (*done)(void *ctx, enum refresh_outcome outcome);
	void *ctx;
	/* own */
	struct jobs *jobs;
	uint8_t uuid[UUID_LEN];
	unsigned stage, attempt;
	bool old_answered, running;
	struct config_call config;
	struct rpr_call rpr;
};
/* The node's row is one for which node_refresh_is_open(). attempt: how far messages go. */
void refresh_resolve(struct refresh_resolve *r, struct jobs *j, const uint8_t uuid[UUID_LEN],
		     unsigned attempt);
/* Fine when nothing runs. */
void refresh_resolve_cancel(struct refresh_resolve *r);

#endif
