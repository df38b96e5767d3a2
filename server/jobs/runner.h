/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only code that moves a job or a task. A step's writes and the next step's name are in one
 * transaction, because a turn is one; then the step's limit is armed and it starts. Steps are
 * idempotent: after a restart a task re-enters at the step's last column.
 */
#ifndef MESHMASON_RUNNER_H
#define MESHMASON_RUNNER_H

#include "core_jobs.h"

struct step {
	const char *name; /* as stored */
	void (*start)(struct task *t);
	uint64_t limit; /* 0: its calls end by themselves */
	int after_restart;
	int phase; /* enum db_phase, -1 none */
};
enum { STEP_WAIT = 0 }; /* the first of every table: waiting for its turn */

struct job_kind {
	const struct step *steps;
	size_t n_steps;
	/* Starts what can start now. Called often. */
	void (*schedule)(struct job *job);
	/* The step's limit is over. */
	void (*over)(struct task *t);
	/* Ends what the task is doing, for a cancelled job; false: it must go on to its end. */
	bool (*stop)(struct task *t);
	/* Its last task has ended: nothing more will come. NULL: always. */
	bool (*complete)(struct job *job);
	/* Milliseconds to its end, -1 not known. NULL: guessed by the tasks that have ended. */
	int64_t (*left)(const struct job *job);
};
/* The job, not except, with an open task that changes this device (or NULL) or node (or 0). */
const struct job *job_taking(const struct jobs *j, const struct job *except, const uint8_t *uuid,
			     uint16_t address);
const struct job_kind *job_kind_of(enum db_job_kind kind);

/* Waiting to running; counts an attempt. */
void task_start(struct task *t, int step);
void task_enter(struct task *t, int step);
/* Back to waiting, for its next attempt. */
void task_again(struct task *t, uint64_t delay);
void task_succeed(struct task *t, const char *message);
/* message NULL: that of the table. */
void task_fail(struct task *t, enum reason reason, const char *message);
void task_cancel(struct task *t);
void task_save(struct task *t);
/* Which device it is about: as long as a task says so, that is not forgotten. */
void task_set_device(struct task *t, struct device *d);
bool task_is_over(const struct task *t);
uint64_t task_step_time(const struct task *t);

struct task *task_add(struct job *job, const struct db_task *row);
/* Makes row and task; NULL when the store fails. */
struct task *task_create(struct job *job, const uint8_t *uuid, uint16_t address);

/* The job's row and its tasks into memory. */
struct job *job_load(struct jobs *j, int64_t id);
/* Ends it when all is done. */
void job_check(struct job *job);
/* No new task starts; waiting ones end with that code. */
void job_stop(struct job *job, enum reason reason, const char *message);
void job_cancel(struct job *job);
void job_save(struct job *job);
void job_link_opened(struct job *job);
void job_link_closed(struct job *job);
unsigned job_running(const struct job *job);
void job_free(struct job *job);
/* Frees what ended in the last turn. */
void runner_sweep(struct jobs *j);

#endif
