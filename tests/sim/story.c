/* SPDX-License-Identifier: Apache-2.0 */
#include "story.h"

#include <stdlib.h>

#include "check.h"

void story_must_agree(struct world *w)
{
	char why[256];

	if (!world_agrees(w, why))
		fail_msg("%s", why);
}

struct world *story_joined(uint64_t seed, const char *keys)
{
	struct world *w = world_new(seed, keys);

	world_start(w);
	check(world_finish(w, world_provision(w), SEC(3600)));
	return w;
}

struct db *story_db(struct world *w)
{
	return core_db(world_core(w));
}

struct jobs *story_jobs(struct world *w)
{
	return core_jobs(world_core(w));
}

int64_t story_start(struct world *w, struct jobs_request *rq)
{
	struct db_job_options asked = rq->options, *o = &rq->options;

	jobs_options_default(o, rq->kind);
	o->seconds = asked.seconds;
	o->policy = asked.policy;
	o->server = asked.server;
	o->address = asked.address;
	o->n_ad_types = asked.n_ad_types;
	memcpy(o->ad_types, asked.ad_types, sizeof(o->ad_types));
	return world_job(w, rq);
}

struct db_job story_job(struct world *w, int64_t id)
{
	struct db_job row;

	world_job_get(w, id, &row);
	return row;
}

static void take_task(void *ctx, const struct db_task *t)
{
	*(struct db_task *)ctx = *t;
}

struct db_task story_task(struct world *w, int64_t job)
{
	struct db_task_filter filter = { .job = job, .state = -1 };
	struct db_page page = { .limit = 2 };
	struct db_task out = { .id = 0 };
	char next[DB_CURSOR];

	check_int(db_tasks(story_db(w), &filter, &page, take_task, &out, next), DB_OK);
	check(out.id);
	return out;
}

struct jobs_request story_one(struct world *w, enum db_job_kind kind, size_t i)
{
	const struct device_make *make = building_make_of(world_building(w), i);

	return (struct jobs_request){ .kind = kind,
				      .uuids = (const uint8_t(*)[UUID_LEN])make->uuid,
				      .n_uuids = 1 };
}

uint16_t story_address(struct world *w, size_t i)
{
	return building_state_of(world_building(w), i).address;
}

size_t story_node(struct world *w)
{
	size_t i = 0;

	while (!story_address(w, i))
		i++;
	return i;
}

struct letting {
	struct db *db;
	bool found;
};

static void note_letting(void *ctx, const struct db_task *t)
{
	struct letting *k = ctx;
	struct db_job job;

	k->found |= db_job_get(k->db, t->job, &job) == DB_OK && job.kind == DB_JOB_REMOVE &&
		    strstr(t->error_message, "did not answer");
}

bool story_let_go(struct world *w, size_t i)
{
	struct db_task_filter filter = { .state = DB_TASK_SUCCEEDED,
					 .uuid = building_make_of(world_building(w), i)->uuid };
	struct db_page page = { .limit = 1000 };
	struct letting k = { .db = story_db(w) };
	char next[DB_CURSOR];

	check_int(db_tasks(k.db, &filter, &page, note_letting, &k, next), DB_OK);
	return k.found;
}

uint64_t story_seed(void)
{
	const char *given = getenv("MESHMASON_SEED");
	uint32_t seed = 0;
	FILE *f;

	if (given)
		return strtoull(given, NULL, 10);
	f = fopen("/dev/urandom", "rb");
	check(f && fread(&seed, sizeof(seed), 1, f) == 1);
	fclose(f);
	return seed;
}
