/* SPDX-License-Identifier: Apache-2.0 */
/* The scan job: servers that listen for devices, or (extended.h) for what devices say. */
#ifndef MESHMASON_SCAN_H
#define MESHMASON_SCAN_H

#include "runner.h"

enum scan_step { SCAN_WAIT, SCAN_THROUGH, SCAN_EXTENDED };

extern const struct job_kind scan_kind;

/* The survey has done a task's scan, or could not. */
void scan_task_done(struct task *t, bool heard);
/* Tasks for a new job; JOBS_OK or why not. */
enum jobs_rc scan_create_tasks(struct job *job, const struct jobs_request *rq);
/* A step's time is over; ctx is its task. */
void scan_limit(void *ctx);

#endif
