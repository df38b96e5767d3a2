/* SPDX-License-Identifier: Apache-2.0 */
/* Life of the whole: start, the scheduler's turn, the end; and what the stack tells. */
#include "jobs.h"

#include <stdlib.h>
#include <string.h>

#include "core_jobs.h"
#include "devices.h"
#include "extended.h"
#include "log.h"
#include "node_jobs.h"
#include "provision.h"
#include "reach.h"
#include "read_composition.h"
#include "refresh.h"
#include "refresh_node.h"
#include "refresh_probe.h"
#include "runner.h"
#include "scan.h"
#include "survey.h"

static const uint64_t tick_every = SEC(1);

static void on_kick(void *ctx);

uint64_t jobs_now(const struct jobs *j)
{
	return timers_now(j->env.mesh_timers);
}

int64_t jobs_wall(const struct jobs *j)
{
	return j->env.wall(j->env.ctx);
}

void jobs_tell(struct jobs *j, const struct jobs_change *c)
{
	if (j->env.changed)
		j->env.changed(j->env.ctx, c);
}

void jobs_tell_device(struct jobs *j, const uint8_t uuid[UUID_LEN], bool gone)
{
	struct jobs_change c = { .what = JOBS_CHANGE_DEVICE, .gone = gone };

	memcpy(c.uuid, uuid, UUID_LEN);
	jobs_tell(j, &c);
}

void jobs_tell_node(struct jobs *j, uint16_t address, bool gone)
{
	jobs_tell(j, &(struct jobs_change){
			     .what = JOBS_CHANGE_NODE, .address = address, .gone = gone });
}

void jobs_tell_server(struct jobs *j, uint16_t address)
{
	jobs_tell(j, &(struct jobs_change){ .what = JOBS_CHANGE_SERVER, .address = address });
}

void jobs_kick(struct jobs *j)
{
	if (!timer_running(&j->kick))
		timer_start(j->env.mesh_timers, &j->kick, 0, on_kick, j);
}

const struct job_kind *job_kind_of(enum db_job_kind kind)
{
	switch (kind) {
	case DB_JOB_SCAN:
		return &scan_kind;
	case DB_JOB_PROVISION:
		return &provision_kind;
	case DB_JOB_CONFIGURE:
		return &configure_kind;
	case DB_JOB_REMOVE:
		return &remove_kind;
	case DB_JOB_IDENTIFY:
		return &identify_kind;
	case DB_JOB_REFRESH_DEVICE_KEY:
	case DB_JOB_REFRESH_ADDRESS:
	case DB_JOB_REFRESH_COMPOSITION:
		return &refresh_kind;
	case DB_JOB_READ_COMPOSITION:
		return &read_composition_kind;
	case DB_JOB_KINDS:
		break;
	}
	return NULL;
}

bool jobs_idle(const struct jobs *j)
{
	for (const struct job *job = j->active; job; job = job->next)
		if (!job->row.ended && (job->row.state != DB_JOB_PAUSED || job_running(job)))
			return false;
	return true;
}

static void tell_busy(struct jobs *j)
{
	bool busy = !jobs_idle(j);

	if (busy == j->busy)
		return;
	j->busy = busy;
	if (j->env.busy)
		j->env.busy(j->env.ctx, busy);
}

static void free_ended(struct jobs *j)
{
	struct job **at = &j->active;

	while (*at) {
		struct job *job = *at;

		if (!job->row.ended) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		job_free(job);
	}
}

static void on_tick(void *ctx)
{
	jobs_kick(ctx);
}

static void on_kick(void *ctx)
{
	struct jobs *j = ctx;

	runner_sweep(j);
	for (struct job *job = j->active; job; job = job->next) {
		if (!job->row.ended)
			job->kind->schedule(job);
		job_check(job);
	}
	free_ended(j);
	tell_busy(j);
	if (!jobs_idle(j) && !timer_running(&j->tick))
		timer_start(j->env.mesh_timers, &j->tick, tick_every, on_tick, j);
}

void jobs_flush(struct jobs *j)
{
	timer_stop(j->env.real_timers, &j->behind);
	devices_flush(j);
	presence_flush(j);
}

void jobs_heard_unprovisioned(struct jobs *j, const struct mesh_unprovisioned *beacon)
{
	struct rpr_scan_report r = { .server = j->own,
				     .rssi = beacon->rssi,
				     .oob_info = beacon->oob_info,
				     .has_uri_hash = beacon->has_uri_hash,
				     .uri_hash = beacon->uri_hash };

	memcpy(r.uuid, beacon->uuid, UUID_LEN);
	extended_beacon(j, &r, beacon->address);
	device_sighted(j, &r);
}

void jobs_heard_advertising(struct jobs *j, const uint8_t address[6], struct bytes ads)
{
	extended_advertising(j, address, ads);
}

struct ids {
	int64_t id[64];
	size_t n;
};

static void note_id(void *ctx, const struct db_job *row)
{
	struct ids *ids = ctx;

	if (ids->n < ARRAY_LEN(ids->id))
		ids->id[ids->n++] = row->id;
}

static bool take_up(struct jobs *j)
{
	struct db_job_filter f = { .kind = -1, .state = -1, .active = true };
	char next[DB_CURSOR];
	struct ids ids = { .n = 0 };

	/* More than that many unfinished jobs are refused when they are made. */
	if (db_jobs(j->env.db, &f, &(struct db_page){ .limit = 64 }, note_id, &ids, next) != DB_OK)
		return false;
	for (size_t i = 0; i < ids.n; i++) {
		struct job *job = job_load(j, ids.id[i]);

		if (!job)
			return false;
		if (job->row.kind == DB_JOB_PROVISION)
			provision_resume(job);
		else if (job->kind == &refresh_kind)
			refresh_resume(job);
		else
			node_jobs_resume(job);
		job_save(job); /* its links died with us */
	}
	if (ids.n)
		jobs_kick(j);
	return true;
}

struct jobs *jobs_new(const struct jobs_env *env)
{
	struct jobs *j = calloc(1, sizeof *j);
	struct db_network n;

	if (!j)
		return NULL;
	j->env = *env;
	j->devices_max = DEVICES_MAX;
	j->access = mesh_access(env->mesh);
	if (db_network_get(env->db, &n) != DB_OK) {
		free(j);
		return NULL;
	}
	j->own = n.address;
	secret_wipe(&n, sizeof n);
	j->on_scan_report = (struct access_listener){ .opcode = OP_RPR_SCAN_REPORT,
						      .heard = survey_scan_report,
						      .ctx = j };
	access_listen(j->access, &j->on_scan_report);
	if (reach_load(j) && trust_load(j) && node_refresh_boot(j) && refresh_prober_start(j) &&
	    take_up(j))
		return j;
	jobs_free(j);
	return NULL;
}

void jobs_free(struct jobs *j)
{
	if (!j)
		return;
	access_unlisten(j->access, &j->on_scan_report);
	timer_stop(j->env.mesh_timers, &j->kick);
	timer_stop(j->env.mesh_timers, &j->tick);
	timer_stop(j->env.real_timers, &j->behind);
	while (j->active) {
		struct job *job = j->active;

		j->active = job->next;
		job_free(job);
	}
	refresh_prober_free(j);
	runner_sweep(j);
	reach_free(j);
	devices_free(j);
	if (j->trust)
		trust_free(j->trust);
	free(j);
}
