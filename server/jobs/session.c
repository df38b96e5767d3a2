/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <stdlib.h>

#include "devices.h"
#include "log.h"
#include "pb_adv.h"
#include "pb_remote.h"
#include "reach.h"
#include "runner.h"

enum { RECENT_FAILURES_MOST = 5 };

static const uint64_t force_after = SEC(30);

static void count_end(struct session *s, bool good, bool server_lost)
{
	struct server *v = s->server;

	if (good) {
		v->succeeded++;
		v->recent_failures = v->recent_failures ? v->recent_failures - 1 : 0;
	} else {
		v->failed++;
		if (v->recent_failures < RECENT_FAILURES_MOST)
			v->recent_failures++;
	}
	if (!v->local && server_lost)
		server_silent(v);
	else if (s->opened)
		server_answered(v);
}

/* Gives back what the link held. unclean: it may still be open on the server. */
static void release(struct session *s, bool unclean)
{
	struct server *v = s->server;

	v->links_open--;
	if (v->device == s->device)
		v->device = NULL;
	if (!v->local) {
		uint64_t latency = pb_remote_latency(s->carrier);

		v->latency = latency ? latency : v->latency;
		v->unclean |= unclean && !s->kept;
		if (!v->unclean && !s->kept)
			db_link_delete(s->jobs->env.db, v->address);
	}
	if (s->device)
		s->device->session = NULL;
	job_link_closed(s->task->job);
	jobs_tell_server(s->jobs, v->address);
}

static void drop(struct session *s)
{
	struct server *v = s->server;
	bool local = v->local;

	timer_stop(s->jobs->env.mesh_timers, &s->force);
	prov_free(s->prov);
	if (v->gone && !v->links_open)
		server_free(v);
	if (local)
		pb_adv_carrier_free(s->carrier);
	else
		pb_remote_free(s->carrier);
	free(s);
}

void session_free(struct session *s)
{
	if (!s)
		return;
	s->server->links_open--;
	if (s->device)
		s->device->session = NULL;
	drop(s);
}

static void ended(struct session *s, const struct prov_event *ev, bool unclean)
{
	struct task *t = s->task;
	struct jobs *j = s->jobs;
	bool server_lost = ev->end == PROV_END_CARRIER && ev->carrier_end == CARRIER_SERVER_LOST;

	count_end(s, s->opened && !server_lost, server_lost);
	release(s, unclean || server_lost);
	s->event(t, ev);
	drop(s);
	jobs_kick(j);
}

static void on_event(void *ctx, const struct prov_event *ev)
{
	struct session *s = ctx;

	if (ev->type == PROV_EV_LINK_OPEN)
		s->opened = true;
	if (ev->type == PROV_EV_DATA_SENT)
		s->data_sent = true;
	if (ev->type == PROV_EV_ENDED)
		ended(s, ev, false);
	else
		s->event(s->task, ev);
}

static void on_force(void *ctx)
{
	struct prov_event ev = { .type = PROV_EV_ENDED, .end = PROV_END_TIMEOUT };

	log_warning("a link did not end by itself: abandoned");
	ended(ctx, &ev, true);
}

void session_abort(struct session *s)
{
	if (!timer_running(&s->force))
		timer_start(s->jobs->env.mesh_timers, &s->force, force_after, on_force, s);
	prov_abort(s->prov);
}

static struct session *open_link(struct task *t, struct server *v, const uint8_t uuid[UUID_LEN],
				 const struct pb_remote_options *options,
				 void (*event)(struct task *t, const struct prov_event *ev))
{
	struct jobs *j = t->job->jobs;
	struct session *s = calloc(1, sizeof *s);
	struct access_target to = server_target(v);
	struct prov_env env = { .timers = j->env.mesh_timers,
				.random = j->env.random,
				.random_ctx = j->env.ctx,
				.event = on_event,
				.ctx = s };

	if (!s)
		abort();
	s->jobs = j;
	s->task = t;
	s->server = v;
	s->event = event;
	v->links_open++;
	if (!v->local)
		db_link_put(j->env.db, v->address, uuid);
	job_link_opened(t->job);
	s->carrier = v->local ? pb_adv_carrier_new(mesh_pb_adv(j->env.mesh))
			      : pb_remote_new(j->access, j->env.mesh_timers, &to, options);
	s->prov = prov_new(&env, s->carrier, uuid);
	jobs_tell_server(j, v->address);
	return s;
}

struct session *session_open(struct task *t, struct server *v, uint8_t open_seconds,
			     void (*event)(struct task *t, const struct prov_event *ev))
{
	struct pb_remote_options options = { .open_timeout = open_seconds };
	struct session *s = open_link(t, v, t->device->uuid, &options, event);

	s->device = t->device;
	s->device->session = s;
	v->device = s->device;
	return s;
}

struct session *session_open_node(struct task *t, struct server *v, enum nppi_procedure procedure,
				  void (*event)(struct task *t, const struct prov_event *ev))
{
	struct pb_remote_options options = { .nppi = true, .procedure = procedure };

	return open_link(t, v, t->row.uuid, &options, event);
}
