/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Us                                Device
 *  [Default TTL Set          ----->        when it is far: its own may not reach back to us
 *                            <-----  Default TTL Status]
 *   Composition Data Get 0   ----->        at the address offered, under the key agreed
 *                            <-----  Composition Data Status    it is a node: adopted
 *                            <-----  Unprovisioned Device beacon, and no answer: it is not
 *
 * Silence alone proves nothing: the probe is repeated, and its server is asked to scan for that
 * one device. An address that was offered is never offered again.
 */
#include "prove.h"

#include <stdio.h>
#include <string.h>

#include "configure.h"
#include "devices.h"
#include "log.h"
#include "provision.h"
#include "reach.h"
#include "refresh_node.h"
#include "survey.h"

enum {
	PROBES = 6,
	SCAN_SECONDS = 10,
	HOPS_FAR = 3, /* fewer than any factory's Default TTL spans */
};

static const uint64_t beacon_delay = SEC(3), probe_pause = SEC(6);

bool node_bury(struct jobs *j, uint16_t address, enum db_address_state state)
{
	struct db_node n;
	struct mesh_iv iv;
	bool ok = db_node_get(j->env.db, address, &n) == DB_OK;

	mesh_iv(j->env.mesh, &iv);
	ok = ok && node_refresh_bury(j, address) && db_node_delete(j->env.db, address) == DB_OK &&
	     db_address_set(j->env.db, address, state, iv.index) == DB_OK &&
	     db_address_disown(j->env.db, n.uuid) != DB_ERROR;
	secret_wipe(&n, sizeof n);
	if (!ok)
		return false;
	mesh_node_remove(j->env.mesh, address);
	server_remove(j, address);
	node_forget(j, address);
	jobs_tell_node(j, address, true);
	return true;
}

static void adopt(struct task *t, struct db_node *n)
{
	struct jobs *j = t->job->jobs;
	struct mesh_iv iv;

	mesh_iv(j->env.mesh, &iv);
	n->state = DB_NODE_JOINED;
	n->joined = n->heard = jobs_wall(j);
	db_node_update(j->env.db, n);
	db_address_set(j->env.db, n->address, DB_ADDRESS_USED, iv.index);
	if (t->device) {
		t->work->neighbours = t->device->n_sightings;
		device_joined(j, t->device);
	}
	survey_news(j);
	log_info("job=%lld addr=%04x is a node now", (long long)t->row.job, n->address);
	jobs_tell_node(j, n->address, false);
	task_enter(t, PROVISION_RELAY);
}

static void reject(struct task *t)
{
	uint16_t address = t->row.address;

	log_info("job=%lld addr=%04x was not taken: never offered again", (long long)t->row.job,
		 address);
	t->row.address = 0;
	node_bury(t->job->jobs, address, DB_ADDRESS_BURNT);
	provision_attempt_failed(t, t->work->reason, NULL);
}

/* A node that is taken for a device is lost for ever, so one silence is not enough for that, and
 * neither is a report that may be older than its link. */
static bool beacons_again(const struct task *t)
{
	const struct work *w = t->work;

	return w->tries > 0 && t->device &&
	       device_beaconed_after(t->job->jobs, t->device, w->step_since + beacon_delay);
}

static void probe_again(void *ctx)
{
	provision_prove_key(ctx);
}

static void no_answer(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct server *s = server_find(j, t->row.server);

	if (beacons_again(t)) {
		reject(t);
		return;
	}
	if (++t->work->tries >= PROBES) {
		task_fail(t,
			  t->work->reason == REASON_SERVER_LOST ? REASON_LINK_LOST
								: t->work->reason,
			  "The device got its network data and went silent. Retry asks it again "
			  "under its key before anything else.");
		return;
	}
	if (s && !s->local)
		survey_ask(s, SCAN_SECONDS, t->row.uuid, NULL);
	timer_start(j->env.mesh_timers, &t->work->limit, probe_pause, probe_again, t);
}

static void on_composition(void *ctx, enum access_result r, struct config_call *call)
{
	struct task *t = ctx;
	struct db_node n;

	if (r != ACCESS_OK) {
		no_answer(t);
		return;
	}
	if (db_node_get(t->job->jobs->env.db, t->row.address, &n) != DB_OK) {
		task_fail(t, REASON_CONFIGURATION_FAILED, "The node is not in the inventory.");
		return;
	}
	if (!configure_read_composition(&n, call->composition))
		log_warning("addr=%04x gave a malformed composition", n.address);
	adopt(t, &n);
	secret_wipe(&n, sizeof n);
}

static void ask_composition(struct task *t)
{
	struct access_target to = configure_target(t);

	t->work->config.done = on_composition;
	t->work->config.ctx = t;
	config_composition_get(t->job->jobs->access, &t->work->config, &to, 0);
}

/* Whether it answered or not: what counts is that it may have heard. */
static void on_reach(void *ctx, enum access_result r, struct config_call *call)
{
	ask_composition(ctx);
}

static void extend_reach(struct task *t)
{
	struct access_target to = configure_target(t);

	t->work->config.done = on_reach;
	t->work->config.ctx = t;
	config_default_ttl_set(t->job->jobs->access, &t->work->config, &to, configure_ttl_for(t));
}

void provision_prove_key(struct task *t)
{
	int hops = node_hops(t->job->jobs, t->row.address);

	if (t->work->reason == REASON_NOT_HEARD) /* nothing decided: a restart, or silence since */
		t->work->reason = REASON_LINK_LOST;
	if (t->work->tries || hops < 0 || hops >= HOPS_FAR)
		extend_reach(t);
	else
		ask_composition(t);
}
