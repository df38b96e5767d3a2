/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hourly, one node after the other: those whose row says data or complete are asked which key they
 * use, those that say restore are read anew. Nothing of it is stored: the rows say it all.
 */
#include "refresh_probe.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "reach.h"
#include "refresh_node.h"
#include "refresh_resolve.h"
#include "refresh_restore.h"
#include "runner.h"

static const uint64_t first_after = SEC(60), every = SEC(3600);

struct refresh_prober {
	struct jobs *jobs;
	struct timer timer;
	bool running;
	uint16_t at;	     /* nodes up to it have had their turn */
	struct db_node node; /* of this turn; no keys in it */
	struct refresh_resolve resolve;
	struct refresh_restore restore;
};

static void next(struct refresh_prober *p);

static bool has_task(const struct jobs *j, const uint8_t uuid[UUID_LEN])
{
	for (const struct job *job = j->active; job; job = job->next)
		for (const struct task *t = job->tasks; t; t = t->next)
			if (t->row.state == DB_TASK_RUNNING && t->row.has_uuid &&
			    memcmp(t->row.uuid, uuid, UUID_LEN) == 0)
				return true;
	return false;
}

static bool is_idle(const struct jobs *j, uint16_t address)
{
	const struct server *s = server_find(j, address);

	return !s || (!s->links_open && !s->locked && s->busy == SERVER_IDLE);
}

struct search {
	struct refresh_prober *prober;
	bool found, any;
};

static void consider(void *ctx, const struct db_node *n)
{
	struct search *s = ctx;
	struct refresh_prober *p = s->prober;

	if (n->refresh.step == DB_REFRESH_OPENED)
		return;
	s->any = true;
	if (s->found || n->address <= p->at || has_task(p->jobs, n->uuid) ||
	    !is_idle(p->jobs, n->address))
		return;
	s->found = true;
	p->node = *n;
	secret_wipe(&p->node.device_key, sizeof p->node.device_key);
	secret_wipe(&p->node.candidate, sizeof p->node.candidate);
}

static struct search find(struct refresh_prober *p)
{
	struct db_node_filter f = { .server = -1, .state = -1, .refreshing = true };
	char next_page[DB_CURSOR] = "", cursor[DB_CURSOR];
	struct search s = { .prober = p };

	do {
		memcpy(cursor, next_page, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_nodes(p->jobs->env.db, &f, &page, consider, &s, next_page) != DB_OK)
			break;
	} while (*next_page && !s.found);
	return s;
}

/* Nothing else is asked of it meanwhile. It may have moved. */
static void lock(struct refresh_prober *p, bool on)
{
	struct server *s = server_find(p->jobs, p->node.address);
	struct db_node n;

	if (!s && db_node_get_uuid(p->jobs->env.db, p->node.uuid, &n) == DB_OK) {
		s = server_find(p->jobs, n.address);
		secret_wipe(&n, sizeof n);
	}
	if (s)
		s->locked = on;
}

static void on_restored(void *ctx, bool ok)
{
	struct refresh_prober *p = ctx;

	lock(p, false);
	jobs_kick(p->jobs);
	next(p);
}

static void restore(struct refresh_prober *p)
{
	p->restore.done = on_restored;
	p->restore.ctx = p;
	refresh_restore_start(&p->restore, p->jobs, p->node.uuid);
}

static void on_resolved(void *ctx, enum refresh_outcome outcome)
{
	struct refresh_prober *p = ctx;

	log_info("addr=%04x %s", p->node.address,
		 outcome == REFRESH_CHANGED	? "has its new key after all"
		 : outcome == REFRESH_UNCHANGED ? "has kept its old key"
						: "does not tell which key it uses");
	if (outcome == REFRESH_CHANGED && p->node.refresh.procedure != NPPI_DEVICE_KEY) {
		restore(p);
		return;
	}
	on_restored(p, true);
}

static void on_timer(void *ctx)
{
	struct refresh_prober *p = ctx;

	p->running = true;
	p->at = 0;
	next(p);
}

static void next(struct refresh_prober *p)
{
	struct search s = find(p);

	if (!s.found) {
		p->running = false;
		if (s.any)
			timer_start(p->jobs->env.mesh_timers, &p->timer, every, on_timer, p);
		return;
	}
	p->at = p->node.address;
	lock(p, true);
	if (p->node.refresh.step == DB_REFRESH_RESTORE) {
		restore(p);
		return;
	}
	p->resolve.done = on_resolved;
	p->resolve.ctx = p;
	refresh_resolve(&p->resolve, p->jobs, p->node.uuid, 1);
}

void refresh_prober_wake(struct jobs *j)
{
	struct refresh_prober *p = j->prober;

	if (p && !p->running && !timer_running(&p->timer))
		timer_start(j->env.mesh_timers, &p->timer, every, on_timer, p);
}

bool refresh_prober_start(struct jobs *j)
{
	struct refresh_prober *p = j->prober = calloc(1, sizeof *p);

	if (!p)
		return false;
	p->jobs = j;
	if (find(p).any)
		timer_start(j->env.mesh_timers, &p->timer, first_after, on_timer, p);
	return true;
}

void refresh_prober_free(struct jobs *j)
{
	struct refresh_prober *p = j->prober;

	if (!p)
		return;
	timer_stop(j->env.mesh_timers, &p->timer);
	refresh_resolve_cancel(&p->resolve);
	refresh_restore_cancel(&p->restore);
	free(p);
	j->prober = NULL;
}
