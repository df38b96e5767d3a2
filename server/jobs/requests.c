/* SPDX-License-Identifier: Apache-2.0 */
/* What the API asks for. Everything is checked before anything is written. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad_structures.h"
#include "core_jobs.h"
#include "devices.h"
#include "log.h"
#include "node_jobs.h"
#include "provision.h"
#include "reach.h"
#include "refresh.h"
#include "runner.h"
#include "survey.h"

enum {
	JOBS_MOST = 64,
	LINKS_MOST = 64,
	ATTEMPTS_MOST = 20,
	PERCENT_MOST = 100,
	SECONDS_MOST = 255
};

static enum jobs_rc refuse(enum jobs_rc rc, char why[JOBS_WHY], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static enum jobs_rc refuse(enum jobs_rc rc, char why[JOBS_WHY], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, JOBS_WHY, format, args);
	va_end(args);
	return rc;
}

void jobs_options_default(struct db_job_options *out, enum db_job_kind kind)
{
	*out = (struct db_job_options){ .policy = DB_POLICY_CERTIFICATE,
					.min_algorithm = -1,
					.stop_at_failure_percent = 20,
					.relay = true };
}

static enum jobs_rc check_options(struct jobs *j, const struct jobs_request *rq, char why[JOBS_WHY])
{
	const struct db_job_options *o = &rq->options;

	if (o->max_links > LINKS_MOST)
		return refuse(JOBS_BAD_OPTION, why, "max_links: at most %d", LINKS_MOST);
	if (o->attempts > ATTEMPTS_MOST)
		return refuse(JOBS_BAD_OPTION, why, "attempts: at most %d", ATTEMPTS_MOST);
	if (o->stop_at_failure_percent > PERCENT_MOST)
		return refuse(JOBS_BAD_OPTION, why, "stop_at_failure_percent: at most 100");
	if (o->seconds > SECONDS_MOST)
		return refuse(JOBS_BAD_OPTION, why, "seconds: at most %d", SECONDS_MOST);
	if (o->n_ad_types && o->seconds > RPR_EXTENDED_TIMEOUT_MAX)
		return refuse(JOBS_BAD_OPTION, why, "seconds: at most %d with ad_types",
			      RPR_EXTENDED_TIMEOUT_MAX);
	for (size_t i = 0; i < o->n_ad_types; i++)
		if (o->n_ad_types > RPR_AD_TYPES_MAX || !ad_type_may_be_asked(o->ad_types[i]) ||
		    memchr(o->ad_types + i + 1, o->ad_types[i], o->n_ad_types - i - 1))
			return refuse(JOBS_BAD_OPTION, why,
				      "ad_types: 0x%02x cannot be asked for, or is there twice",
				      o->ad_types[i]);
	if (o->min_algorithm < -1 || o->min_algorithm > 1)
		return refuse(JOBS_BAD_OPTION, why, "min_algorithm: cmac or hmac-sha256");
	if (*o->profile && strcmp(o->profile, "default") != 0)
		return refuse(JOBS_BAD_OPTION, why, "profile: there is no such profile");
	if (o->server && !server_find(j, o->server))
		return refuse(JOBS_BAD_OPTION, why, "server: 0x%04x is no server", o->server);
	return JOBS_OK;
}

static enum jobs_rc check_targets(const struct jobs_request *rq, char why[JOBS_WHY])
{
	bool list = rq->targets == DB_TARGETS_LIST;
	size_t n = rq->n_uuids + rq->n_addresses;

	if (list && n == 0)
		return refuse(JOBS_BAD_TARGETS, why, "targets: the list is empty");
	if (list && n > JOBS_TARGETS_MAX)
		return refuse(JOBS_BAD_TARGETS, why, "targets: too many");
	switch (rq->kind) {
	case DB_JOB_PROVISION:
		if (rq->targets == DB_TARGETS_ALL || (list && rq->n_addresses))
			return refuse(JOBS_BAD_TARGETS, why,
				      "targets: all-trusted or a list of uuids wanted");
		break;
	case DB_JOB_REMOVE:
	case DB_JOB_IDENTIFY:
		if (!list)
			return refuse(JOBS_BAD_TARGETS, why, "targets: a list wanted");
		break;
	case DB_JOB_SCAN:
	case DB_JOB_CONFIGURE:
	case DB_JOB_REFRESH_DEVICE_KEY:
	case DB_JOB_REFRESH_ADDRESS:
	case DB_JOB_REFRESH_COMPOSITION:
	case DB_JOB_READ_COMPOSITION:
		if (rq->targets == DB_TARGETS_ALL_TRUSTED)
			return refuse(JOBS_BAD_TARGETS, why, "targets: all or a list wanted");
		break;
	case DB_JOB_KINDS:
		return refuse(JOBS_BAD_OPTION, why, "kind: there is no such kind");
	}
	return JOBS_OK;
}

static bool is_target(const struct jobs_request *rq, const struct db_task *row)
{
	for (size_t i = 0; i < rq->n_addresses; i++)
		if (row->address == rq->addresses[i] || row->new_address == rq->addresses[i])
			return true;
	for (size_t i = 0; row->has_uuid && i < rq->n_uuids; i++)
		if (memcmp(row->uuid, rq->uuids[i], UUID_LEN) == 0)
			return true;
	return false;
}

/* One job at a time does something to a node or a device. */
static bool is_taken(struct jobs *j, const struct jobs_request *rq, int64_t *by)
{
	for (const struct job *job = j->active; job; job = job->next) {
		if (job->row.ended || job->row.kind == DB_JOB_SCAN ||
		    job->row.kind == DB_JOB_IDENTIFY)
			continue;
		bool every_node =
			rq->targets == DB_TARGETS_ALL && job->row.kind != DB_JOB_PROVISION;

		*by = job->row.id;
		if (rq->kind == DB_JOB_PROVISION && job->row.kind == DB_JOB_PROVISION)
			return true;
		for (const struct task *t = job->tasks; t; t = t->next)
			if (!task_is_over(t) && (is_target(rq, &t->row) || every_node))
				return true;
	}
	return false;
}

/* After a restart no more of them are taken up. */
static enum jobs_rc check_room(const struct jobs *j, char why[JOBS_WHY])
{
	unsigned n = 0;

	for (const struct job *job = j->active; job; job = job->next)
		n += !job->row.ended;
	return n < JOBS_MOST ? JOBS_OK
			     : refuse(JOBS_CONFLICT, why, "%u jobs are waiting already", n);
}

static enum jobs_rc check_state(struct jobs *j, const struct jobs_request *rq, char why[JOBS_WHY])
{
	int64_t by = 0;

	if (check_room(j, why) != JOBS_OK)
		return JOBS_CONFLICT;
	if (rq->kind != DB_JOB_SCAN && rq->kind != DB_JOB_IDENTIFY && is_taken(j, rq, &by))
		return refuse(JOBS_CONFLICT, why, "job %lld is working on that", (long long)by);
	for (size_t i = 0; i < rq->n_addresses; i++) {
		struct db_node node;
		bool known = server_find(j, rq->addresses[i]) ||
			     db_node_get(j->env.db, rq->addresses[i], &node) == DB_OK;

		secret_wipe(&node, sizeof node);
		if (!known || (rq->kind == DB_JOB_SCAN && !server_find(j, rq->addresses[i])) ||
		    (rq->kind != DB_JOB_SCAN && rq->addresses[i] == j->own))
			return refuse(JOBS_NOT_FOUND, why, "targets: 0x%04x is no such node",
				      rq->addresses[i]);
	}
	for (size_t i = 0; i < rq->n_uuids; i++) {
		struct db_node node;
		char text[UUID_TEXT];
		bool device = rq->kind == DB_JOB_PROVISION || rq->kind == DB_JOB_IDENTIFY ||
			      (rq->kind == DB_JOB_SCAN && rq->options.n_ad_types);

		bool known = db_node_get_uuid(j->env.db, rq->uuids[i], &node) == DB_OK;
		bool server = known && server_find(j, node.address);
		secret_wipe(&node, sizeof node);
		if (!known && !device)
			return refuse(JOBS_NOT_FOUND, why, "targets: %s is no node",
				      uuid_format(text, rq->uuids[i]));
		if (known && rq->kind == DB_JOB_SCAN && !server)
			return refuse(JOBS_NOT_FOUND, why, "targets: %s is no server",
				      uuid_format(text, rq->uuids[i]));
	}
	return JOBS_OK;
}

static bool create_tasks(struct job *job, const struct jobs_request *rq)
{
	if (job->row.kind == DB_JOB_PROVISION)
		return provision_create_tasks(job, rq);
	return node_jobs_create_tasks(job, rq) == JOBS_OK;
}

enum jobs_rc jobs_create(struct jobs *j, const struct jobs_request *rq, int64_t *id,
			 char why[JOBS_WHY])
{
	struct db_job row = { .kind = rq->kind,
			      .state = DB_JOB_QUEUED,
			      .targets = rq->targets,
			      .options = rq->options,
			      .created = jobs_wall(j) };
	enum jobs_rc rc = check_targets(rq, why);
	struct job *job;

	if (rc == JOBS_OK)
		rc = check_options(j, rq, why);
	if (rc == JOBS_OK)
		rc = refresh_check(j, rq, why);
	if (rc == JOBS_OK)
		rc = check_state(j, rq, why);
	if (rc != JOBS_OK)
		return rc;
	if (rq->kind == DB_JOB_IDENTIFY)
		identify_stop_others(j);
	memcpy(row.created_by, rq->created_by, sizeof row.created_by);
	if (db_job_insert(j->env.db, &row, id) != DB_OK || !(job = job_load(j, *id)))
		return refuse(JOBS_STORE, why, "the store failed");
	if (rq->kind == DB_JOB_PROVISION ||
	    ((rq->kind == DB_JOB_IDENTIFY || (rq->kind == DB_JOB_SCAN && rq->options.n_ad_types)) &&
	     !provision_job(j)))
		survey_begin(j);
	if (!create_tasks(job, rq)) {
		job_stop(job, REASON_CANCELLED, "The store failed while the job was made.");
		return refuse(JOBS_STORE, why, "the store failed");
	}
	if (rq->kind == DB_JOB_PROVISION)
		provision_resume(job); /* what is a node already is dealt with at once */
	job->row.state = DB_JOB_RUNNING;
	job->row.started = jobs_wall(j);
	job_save(job);
	jobs_kick(j);
	return JOBS_OK;
}

static struct job *find_active(struct jobs *j, int64_t id)
{
	for (struct job *job = j->active; job; job = job->next)
		if (job->row.id == id && !job->row.ended)
			return job;
	return NULL;
}

/* Not active: does it exist at all? */
static enum jobs_rc not_active(struct jobs *j, int64_t id, char why[JOBS_WHY])
{
	struct db_job row;

	if (db_job_get(j->env.db, id, &row) != DB_OK)
		return refuse(JOBS_NOT_FOUND, why, "there is no job %lld", (long long)id);
	return refuse(JOBS_CONFLICT, why, "job %lld has ended: %s", (long long)id,
		      db_job_state_name(row.state));
}

enum jobs_rc jobs_pause(struct jobs *j, int64_t id, char why[JOBS_WHY])
{
	struct job *job = find_active(j, id);

	if (!job)
		return not_active(j, id, why);
	if (job->row.state == DB_JOB_PAUSED)
		return JOBS_OK;
	if (job->ending)
		return refuse(JOBS_CONFLICT, why, "job %lld is ending", (long long)id);
	job->row.state = DB_JOB_PAUSED;
	job_save(job);
	jobs_kick(j);
	return JOBS_OK;
}

enum jobs_rc jobs_resume(struct jobs *j, int64_t id, char why[JOBS_WHY])
{
	struct job *job = find_active(j, id);

	if (!job)
		return not_active(j, id, why);
	if (job->row.state != DB_JOB_PAUSED)
		return refuse(JOBS_CONFLICT, why, "job %lld is not paused", (long long)id);
	job->row.state = DB_JOB_RUNNING;
	if (job->row.kind == DB_JOB_PROVISION)
		survey_begin(j);
	job_save(job);
	jobs_kick(j);
	return JOBS_OK;
}

enum jobs_rc jobs_cancel(struct jobs *j, int64_t id, char why[JOBS_WHY])
{
	struct job *job = find_active(j, id);

	if (!job)
		return not_active(j, id, why);
	if (!job->ending)
		job_cancel(job);
	jobs_kick(j);
	return JOBS_OK;
}

static unsigned reopen_failed(struct job *job)
{
	unsigned n = 0;

	for (struct task *t = job->tasks; t; t = t->next) {
		t->ended_here = false;
		if (t->row.state != DB_TASK_FAILED)
			continue;
		n++;
		t->row.state = DB_TASK_WAITING;
		t->row.attempts = 0;
		t->row.ended = 0;
		t->row.error_code[0] = t->row.error_message[0] = 0;
		snprintf(t->row.step, sizeof t->row.step, "%s", job->kind->steps[STEP_WAIT].name);
		t->server_losses = t->refusals = 0;
		t->n_tried = 0;
		t->not_before = 0;
		task_save(t);
	}
	return n;
}

static bool has_failed(struct jobs *j, int64_t id)
{
	struct db_task_filter f = { .job = id, .state = DB_TASK_FAILED };
	int64_t n = 0;

	return db_task_count(j->env.db, &f, &n) == DB_OK && n > 0;
}

struct retrying {
	struct jobs *jobs;
	const struct job *job, *taken;
};

static void look_who_has_it(void *ctx, const struct db_task *row)
{
	struct retrying *r = ctx;

	if (!r->taken)
		r->taken =
			job_taking(r->jobs, r->job, row->has_uuid ? row->uuid : NULL, row->address);
}

/* What failed may be in the hands of a later job. */
static const struct job *taken_by(struct jobs *j, const struct db_job *row, const struct job *job)
{
	struct db_task_filter f = { .job = row->id, .state = DB_TASK_FAILED };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];
	struct retrying r = { j, job, NULL };

	if (row->kind == DB_JOB_SCAN || row->kind == DB_JOB_IDENTIFY)
		return NULL;
	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_tasks(j->env.db, &f, &page, look_who_has_it, &r, next) != DB_OK)
			return NULL;
	} while (*next && !r.taken);
	return r.taken;
}

enum jobs_rc jobs_retry(struct jobs *j, int64_t id, char why[JOBS_WHY])
{
	struct job *job = find_active(j, id);
	const struct job *taken;
	struct db_job row;

	if (db_job_get(j->env.db, id, &row) != DB_OK)
		return refuse(JOBS_NOT_FOUND, why, "there is no job %lld", (long long)id);
	if (!has_failed(j, id))
		return refuse(JOBS_CONFLICT, why, "job %lld has no failed task", (long long)id);
	if (!job && row.kind == DB_JOB_PROVISION && provision_job(j))
		return refuse(JOBS_CONFLICT, why, "job %lld is provisioning",
			      (long long)provision_job(j)->row.id);
	if (job && job->ending)
		return refuse(JOBS_CONFLICT, why, "job %lld is ending", (long long)id);
	if (!job && check_room(j, why) != JOBS_OK)
		return JOBS_CONFLICT;
	taken = taken_by(j, &row, job);
	if (taken)
		return refuse(JOBS_CONFLICT, why, "job %lld is working on that",
			      (long long)taken->row.id);
	for (struct job **at = &j->active; !job && *at; at = &(*at)->next) {
		struct job *old = *at;

		if (old->row.id != id)
			continue;
		*at = old->next; /* ended in this very turn */
		job_free(old);
		break;
	}
	if (!job)
		job = job_load(j, id);
	if (!job)
		return refuse(JOBS_STORE, why, "the store failed");
	job->ending = job->cancelled = false;
	job->row.error_code[0] = job->row.error_message[0] = 0;
	job->row.ended = 0;
	job->began = jobs_now(j);
	if (job->row.state != DB_JOB_PAUSED)
		job->row.state = DB_JOB_RUNNING;
	reopen_failed(job);
	if (job->row.kind == DB_JOB_PROVISION)
		provision_retry(job);
	job_save(job);
	jobs_kick(j);
	return JOBS_OK;
}

enum jobs_rc jobs_device_put(struct jobs *j, const struct db_device *row)
{
	struct device *d;

	if (db_device_put(j->env.db, row) != DB_OK)
		return JOBS_STORE;
	d = device_get(j, row->uuid);
	if (d) {
		d->listed = row->listed;
		provision_device_heard(j, d);
	}
	jobs_tell_device(j, row->uuid, false);
	return JOBS_OK;
}

enum jobs_rc jobs_device_set_certificate(struct jobs *j, const uint8_t uuid[UUID_LEN],
					 struct bytes der, char why[JOBS_WHY])
{
	struct cert_facts facts;
	enum db_rc rc;

	if (der.n > DB_DER_MAX || (der.n && !cert_facts(der, &facts)))
		return refuse(JOBS_BAD_OPTION, why, "certificate: this is no X.509 certificate");
	rc = db_device_set_certificate(j->env.db, uuid, der);
	if (rc == DB_NONE)
		return refuse(JOBS_NOT_FOUND, why, "there is no such device");
	if (rc != DB_OK)
		return refuse(JOBS_STORE, why, "the store failed");
	jobs_tell_device(j, uuid, false);
	return JOBS_OK;
}

enum jobs_rc jobs_device_delete(struct jobs *j, const uint8_t uuid[UUID_LEN])
{
	struct device *d = device_find(j, uuid);
	struct db_device row;
	enum db_rc rc = db_device_get(j->env.db, uuid, &row);

	secret_wipe(row.static_oob, sizeof row.static_oob);
	if (d && d->task && d->task->row.state == DB_TASK_RUNNING)
		return JOBS_CONFLICT;
	if (rc == DB_OK && row.trust == DB_TRUST_REJECTED)
		return JOBS_CONFLICT; /* forgetting that would let a weaker policy in */
	rc = db_device_delete(j->env.db, uuid);
	if (rc != DB_OK)
		return rc == DB_NONE ? JOBS_NOT_FOUND : JOBS_STORE;
	if (d) {
		d->heard = d->listed = false;
		d->n_sightings = 0;
	}
	jobs_tell_device(j, uuid, true);
	return JOBS_OK;
}

enum jobs_rc jobs_node_set_label(struct jobs *j, uint16_t address, const char *name,
				 const char *area, const char *profile)
{
	enum db_rc rc = db_node_set_label(j->env.db, address, name, area, profile);

	if (rc != DB_OK)
		return rc == DB_NONE ? JOBS_NOT_FOUND : JOBS_STORE;
	jobs_tell_node(j, address, false);
	return JOBS_OK;
}

int64_t jobs_time_left(const struct jobs *j, int64_t id)
{
	for (const struct job *job = j->active; job; job = job->next) {
		int64_t over = 0, left = 0;

		if (job->row.id != id || job->row.ended)
			continue;
		if (job->kind->left)
			return job->kind->left(job);
		for (const struct task *t = job->tasks; t; t = t->next) {
			over += task_is_over(t) && t->ended_here;
			left += !task_is_over(t);
		}
		if (!over)
			return -1;
		return (int64_t)((jobs_now(j) - job->began) / 1000) * left / over;
	}
	return -1;
}
