/* SPDX-License-Identifier: Apache-2.0 */
/* The provision job: provision.c has its steps, provision_plan.c decides who goes when and where.
 */
#ifndef MESHMASON_PROVISION_H
#define MESHMASON_PROVISION_H

#include "runner.h"

enum provision_step {
	PROVISION_WAIT,
	PROVISION_FETCH,
	PROVISION_OPEN_LINK,
	PROVISION_READ_RECORDS,
	PROVISION_EXCHANGE,
	PROVISION_PROMPT,
	PROVISION_DELIVER_DATA,
	PROVISION_CLOSE_LINK,
	PROVISION_PROVE_KEY,
	PROVISION_RELAY,
	PROVISION_TTL,
	PROVISION_APP_KEY,
	PROVISION_BIND,
	PROVISION_CAPABILITIES,
};

extern const struct job_kind provision_kind;
/* The running provision job, if there is one. */
struct job *provision_job(const struct jobs *j);
/* A device was heard: it may be a task of the running job. */
void provision_device_heard(struct jobs *j, struct device *d);
/* Makes the tasks of a new job. False: the store failed. */
bool provision_create_tasks(struct job *job, const struct jobs_request *rq);
/* After a restart: every task where it stood. */
void provision_resume(struct job *job);
void provision_retry(struct job *job);

/* provision.c */
/* Where the task begins, by what the store says of its device; PROVISION_WAIT: by a link.
 * Ends the task when there is nothing to do. */
enum provision_step provision_entry(struct task *t);
void provision_open_link(struct task *t);
void provision_over(struct task *t);
/* Its certificate is refused while no link is open: final, and remembered with the device. */
void provision_refuse(struct task *t, enum reason reason, const char *why);
bool provision_stop(struct task *t);
void provision_prove_key(struct task *t);
/* provision_plan.c */
void provision_schedule(struct job *job);
bool provision_complete(struct job *job);
/* An attempt has failed: another one, or the end. */
void provision_attempt_failed(struct task *t, enum reason reason, const char *message);

#endif
