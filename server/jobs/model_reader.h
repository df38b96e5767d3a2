/* SPDX-License-Identifier: Apache-2.0 */
/* What a node's models are told to do, into the store: before a refresh may take it from them. */
#ifndef MESHMASON_MODEL_READER_H
#define MESHMASON_MODEL_READER_H

#include "core_jobs.h"
#include "db_refresh.h"
#include "model_config.h"

/* Embedded; stays until done or model_reader_cancel. */
struct model_reader {
	void (*done)(void *ctx, bool ok); /* false: the store failed, or the node is gone */
	void *ctx;
	/* own */
	struct jobs *jobs;
	uint8_t uuid[UUID_LEN];
	uint16_t address;
	bool running;
	bool silent[DB_MODEL_SUBSCRIPTION + 1]; /* the node does not know that question */
	unsigned kind;
	size_t at;
	struct composition composition;
	struct model_config call;
};
/* The node's row has its page 0. */
void model_reader_start(struct model_reader *r, struct jobs *j, const uint8_t uuid[UUID_LEN]);
/* Fine when nothing runs. */
void model_reader_cancel(struct model_reader *r);

/* The model at that place among those that may be bound to AppKeys; false: there are no more. */
bool model_reader_at(const struct composition *c, size_t at, struct db_model_state *out);
/* As a node at that address knows it. */
struct model_ref model_reader_ref(const struct db_model_state *s, uint16_t address);

#endif
