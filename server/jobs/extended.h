/* SPDX-License-Identifier: Apache-2.0 */
/* Extended scans: what one device, or a server itself, says beside its beacon. */
#ifndef MESHMASON_EXTENDED_H
#define MESHMASON_EXTENDED_H

#include "runner.h"

/* Tasks of a new scan job that asks for AD types; JOBS_OK or why not. */
enum jobs_rc extended_create_tasks(struct job *job, const struct jobs_request *rq);
void extended_schedule(struct job *job);
/* The step: asks the task's server. */
void extended_ask(struct task *t);
/* The step's time is over. */
void extended_over(struct task *t);
/* For a task that ends or goes back to waiting: its server, or our own ear, is free again. */
void extended_forget(struct task *t);
/* Our own radio's part: a beacon, and any report. */
void extended_beacon(struct jobs *j, const struct rpr_scan_report *r, const uint8_t address[6]);
void extended_advertising(struct jobs *j, const uint8_t address[6], struct bytes ads);

#endif
