/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The refresh jobs: a node is provisioned anew through itself (NPPI, Mesh 3.10.8).
 * refresh.c has the steps, refresh_plan.c decides who goes when; refresh_node.c, refresh_resolve.c
 * and refresh_probe.c know no job: a refresh may outlive the job that began it.
 */
#ifndef MESHMASON_REFRESH_H
#define MESHMASON_REFRESH_H

#include "model_reader.h"
#include "refresh_resolve.h"
#include "refresh_restore.h"
#include "runner.h"
#include "session.h"

enum refresh_step {
	REFRESH_WAIT,
	REFRESH_READ,
	REFRESH_OPEN_LINK,
	REFRESH_EXCHANGE,
	REFRESH_DELIVER_DATA,
	REFRESH_CLOSE_LINK,
	REFRESH_PROVE,
	REFRESH_RESTORE,
};

/* What a task needs beyond struct work. */
struct refresh_work {
	struct page_reader pages;
	struct model_reader models;
	struct refresh_resolve resolve;
	struct refresh_restore restore;
	unsigned rounds; /* of resolving, of restoring */
};

extern const struct job_kind refresh_kind;

/* After a restart, or for a new job: every task where it stood. */
void refresh_resume(struct job *job);
/* Is the job of a kind of ours? Then this is its procedure. */
bool refresh_procedure(enum db_job_kind kind, enum nppi_procedure *out);

/* refresh_move.c: the range that the request names, if it does, is one to move to. */
enum jobs_rc refresh_check(struct jobs *j, const struct jobs_request *rq, char why[JOBS_WHY]);

/* refresh.c: the step that the node's row asks for; the task has ended when there is nothing left
 * to do. */
void refresh_go_on(struct task *t);
enum nppi_procedure refresh_procedure_of(const struct task *t);
struct refresh_work *refresh_work_of(struct task *t);
void refresh_over(struct task *t);
bool refresh_stop(struct task *t);
/* The row of the task's node, wherever it has moved to. False: the task has failed. */
bool refresh_node(struct task *t, struct db_node *n);
/* refresh_read.c: what is read and written before a link is opened. */
void refresh_read(struct task *t);
/* False: the task has failed. */
bool refresh_begin(struct task *t);
/* The range that is reserved for its move is large enough, or has become so. */
bool refresh_room_for(struct task *t, struct db_node *n, uint8_t elements);
/* refresh_auth.c: with the strongest that the node offers and we know; and which that was. */
void refresh_invite(struct task *t, const struct db_node *n);
void refresh_authenticated(struct task *t, const struct prov_event *ev);
/* refresh_plan.c */
void refresh_schedule(struct job *job);
/* An attempt has failed: another one, or the end. */
void refresh_attempt_failed(struct task *t, enum reason reason, const char *message);
/* The task's calls stop and its server is free: the runner calls it when a task's work ends. */
void refresh_work_end(struct task *t, struct work *w);

#endif
