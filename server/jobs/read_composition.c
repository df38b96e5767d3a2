/* SPDX-License-Identifier: Apache-2.0 */
/* The job read-composition: all pages of each node, six nodes at a time. */
#include "read_composition.h"

#include <stdlib.h>

#include "page_reader.h"

enum { AT_ONCE = 6, ATTEMPTS = 3 };
enum { READ_PAGES = 1 };

static const uint64_t pause = SEC(20);

static void nothing(struct task *t)
{
}

static void on_pages(void *ctx, bool ok)
{
	struct task *t = ctx;
	unsigned most = t->job->row.options.attempts ? t->job->row.options.attempts : ATTEMPTS;
	struct db_node n;
	bool changes;

	if (!ok && t->row.attempts < most && !t->job->ending) {
		task_again(t, pause);
		return;
	}
	if (!ok) {
		task_fail(t, REASON_TIMEOUT, "The node does not answer.");
		return;
	}
	changes = db_node_get_uuid(t->job->jobs->env.db, t->row.uuid, &n) == DB_OK &&
		  n.composition_change;
	secret_wipe(&n, sizeof n);
	task_succeed(t, changes ? "A refresh of its composition would change it." : NULL);
}

static void read_pages(struct task *t)
{
	struct page_reader *r = t->work->pages;

	if (!r)
		r = t->work->pages = calloc(1, sizeof *r);
	if (!r)
		abort();
	r->done = on_pages;
	r->ctx = t;
	page_reader_start(r, t->job->jobs, t->row.uuid);
}

static void over(struct task *t)
{
}

static bool stop(struct task *t)
{
	task_cancel(t);
	return true;
}

static void schedule(struct job *job)
{
	unsigned running = job_running(job);

	if (job->row.state == DB_JOB_PAUSED || job->ending)
		return;
	for (struct task *t = job->tasks; t && running < AT_ONCE; t = t->next) {
		if (t->row.state != DB_TASK_WAITING || jobs_now(job->jobs) < t->not_before)
			continue;
		task_start(t, READ_PAGES);
		running++;
	}
}

static const struct step steps[] = {
	{ "wait", nothing, 0, STEP_WAIT, -1 },
	{ "read_pages", read_pages, 0, READ_PAGES, DB_PHASE_CONFIGURE },
};
const struct job_kind read_composition_kind = { .steps = steps,
						.n_steps = ARRAY_LEN(steps),
						.schedule = schedule,
						.over = over,
						.stop = stop };
