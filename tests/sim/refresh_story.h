/* SPDX-License-Identifier: Apache-2.0 */
/* A world whose building is provisioned already, for the refresh jobs. */
#ifndef MESHMASON_TESTS_REFRESH_STORY_H
#define MESHMASON_TESTS_REFRESH_STORY_H

#include "world.h"

struct refresh_story {
	struct world *w;
	uint64_t seed;
	struct db_job job; /* as it ended */
};

/* keys as for world_new. Every device joins first. */
struct refresh_story refresh_story_new(uint64_t seed, const char *keys);
void refresh_story_free(struct refresh_story *s);
/* A job for all nodes. */
int64_t refresh_story_job(struct refresh_story *s, enum db_job_kind kind);
/* For the node that device i is; to: options.address, 0 for none. */
int64_t refresh_story_job_one(struct refresh_story *s, enum db_job_kind kind, size_t i,
			      uint16_t to);
/* The job ends, building and inventory agree, and nothing is open. */
void refresh_story_finish(struct refresh_story *s, int64_t job);
void refresh_story_node(struct refresh_story *s, size_t i, struct db_node *out);

#endif
