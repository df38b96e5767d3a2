/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs that have one task for each node: configure, remove, identify. */
#ifndef MESHMASON_NODE_JOBS_H
#define MESHMASON_NODE_JOBS_H

#include "runner.h"

extern const struct job_kind configure_kind, remove_kind, identify_kind;

/* Tasks for a new job, also of kind scan; JOBS_OK or why not. */
enum jobs_rc node_jobs_create_tasks(struct job *job, const struct jobs_request *rq);
/* After a restart. */
void node_jobs_resume(struct job *job);
/* Pressing identify on one stops the others. */
void identify_stop_others(struct jobs *j);

/* identify.c */
void identify_schedule(struct job *job);
void identify_over(struct task *t);
bool identify_stop(struct task *t);
int64_t identify_left(const struct job *job);

#endif
