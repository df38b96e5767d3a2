/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to a node that has a new address or composition, so that it works as before. */
#ifndef MESHMASON_REFRESH_RESTORE_H
#define MESHMASON_REFRESH_RESTORE_H

#include "model_config.h"
#include "page_reader.h"

enum { RESTORE_STATES_MAX = 512 };

/* Embedded; stays until done or refresh_restore_cancel. With ok the node's refresh has ended, and
 * its history says what was restored and what is lost. */
struct refresh_restore {
	void (*done)(void *ctx, bool ok); /* false: it went silent; its row still says restore */
	void *ctx;
	/* own */
	struct jobs *jobs;
	uint8_t uuid[UUID_LEN];
	bool running, listed; /* the list that was asked for is in hand */
	bool silent[DB_MODEL_SUBSCRIPTION + 1];
	unsigned tries, stage;
	struct page_reader pages;
	struct composition composition;
	struct config_call config;
	struct model_config list, change;
	size_t n, at, asked; /* asked: the list of that state's model, counted from 1 */
	struct db_model_state state[RESTORE_STATES_MAX];
	struct db_restored result[DB_MODEL_SUBSCRIPTION + 1];
};
/* The node's row says restore. */
void refresh_restore_start(struct refresh_restore *r, struct jobs *j, const uint8_t uuid[UUID_LEN]);
/* Fine when nothing runs. */
void refresh_restore_cancel(struct refresh_restore *r);

#endif
