/* SPDX-License-Identifier: Apache-2.0 */
#include "refresh_story.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

struct refresh_story refresh_story_new(uint64_t seed, const char *keys)
{
	struct refresh_story s = { .w = world_new(seed, keys), .seed = seed };
	struct db_job job;
	int64_t id;

	world_start(s.w);
	id = world_provision(s.w);
	check(world_finish(s.w, id, SEC(7200)));
	world_job_get(s.w, id, &job);
	check_int(job.state, DB_JOB_SUCCEEDED);
	return s;
}

void refresh_story_free(struct refresh_story *s)
{
	world_free(s->w);
}

static int64_t start(struct refresh_story *s, struct jobs_request *rq, uint16_t to)
{
	int64_t id;

	jobs_options_default(&rq->options, rq->kind);
	rq->options.address = to;
	id = world_job(s->w, rq);
	check(core_settle(world_core(s->w)));
	return id;
}

int64_t refresh_story_job(struct refresh_story *s, enum db_job_kind kind)
{
	struct jobs_request rq = { .kind = kind, .targets = DB_TARGETS_ALL };

	return start(s, &rq, 0);
}

int64_t refresh_story_job_one(struct refresh_story *s, enum db_job_kind kind, size_t i, uint16_t to)
{
	struct jobs_request rq = { .kind = kind, .targets = DB_TARGETS_LIST, .n_uuids = 1 };
	uint8_t uuid[1][UUID_LEN];

	memcpy(uuid[0], building_make_of(world_building(s->w), i)->uuid, UUID_LEN);
	rq.uuids = (const uint8_t(*)[UUID_LEN])uuid;
	return start(s, &rq, to);
}

void refresh_story_node(struct refresh_story *s, size_t i, struct db_node *out)
{
	const struct device_make *make = building_make_of(world_building(s->w), i);

	check_int(db_node_get_uuid(core_db(world_core(s->w)), make->uuid, out), DB_OK);
}

static void must_be_closed(void *ctx, const struct db_node *n)
{
	struct refresh_story *s = ctx;

	if (n->refresh.step != DB_REFRESH_NONE || n->has_candidate)
		fail_msg("seed %llu: %04x is still being refreshed (%d)",
			 (unsigned long long)s->seed, n->address, n->refresh.step);
}

void refresh_story_finish(struct refresh_story *s, int64_t job)
{
	struct db_node_filter f = { .server = -1, .state = -1 };
	struct db_page page = { .limit = 1000 };
	char next[DB_CURSOR], why[256];

	if (!world_finish(s->w, job, SEC(7200)))
		fail_msg("seed %llu: the job does not end", (unsigned long long)s->seed);
	world_job_get(s->w, job, &s->job);
	if (!world_agrees(s->w, why))
		fail_msg("seed %llu: %s", (unsigned long long)s->seed, why);
	check_int(db_nodes(core_db(world_core(s->w)), &f, &page, must_be_closed, s, next), DB_OK);
}
