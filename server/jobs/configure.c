/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Us                           Node, under its device key
 *   Relay Set          ----->        so that others can be provisioned through it
 *                      <-----  Relay Status
 *   Default TTL Set    ----->
 *                      <-----  Default TTL Status
 *   AppKey Add         ----->
 *                      <-----  AppKey Status
 *   Model App Bind     ----->        for each model that talks under an AppKey
 *                      <-----  Model App Status
 *   Scan Capabilities Get ->         when it is a server
 *                      <-----  Scan Capabilities Status
 */
#include "configure.h"

#include <stdio.h>
#include <string.h>

#include "log.h"
#include "reach.h"
#include "survey.h"

enum {
	TRIES = 3,
	RELAY_ONCE = 0 | 1 << 3, /* 4.2.21: no retransmission; 20 ms */
	RELAY_TWICE = 1 | 1 << 3,
	NEIGHBOURS_MANY = 4, /* then others repeat it anyway, and the air is the bottleneck */
	MODEL_FIRST_APPLICATION = 0x1000,
	APP_KEY = 0,
	NET_KEY = 0,
	TTL_EXTRA = 1, /* an answer's way may be longer than the question's */
};

void task_next(struct task *t)
{
	if ((size_t)t->step + 1 < t->job->kind->n_steps)
		task_enter(t, t->step + 1);
	else
		configure_finish(t);
}

struct access_target configure_target(const struct task *t)
{
	return node_target(t->job->jobs, t->row.address, t->work->tries);
}

bool configure_node_is_there(const struct task *t, struct db_node *n)
{
	return db_node_get(t->job->jobs->env.db, t->row.address, n) == DB_OK &&
	       (!t->row.has_uuid || memcmp(n->uuid, t->row.uuid, UUID_LEN) == 0);
}

/* The try after that is another attempt at the task where it stands. */
bool configure_may_try_again(struct task *t)
{
	const struct db_job *job = &t->job->row;
	unsigned most = TRIES;

	if ((job->kind == DB_JOB_CONFIGURE || job->kind == DB_JOB_REMOVE) && job->options.attempts)
		most = job->options.attempts;
	if (++t->work->tries >= most)
		return false;
	if (t->row.attempts <= t->work->tries)
		t->row.attempts = t->work->tries + 1;
	return true;
}

static bool node_of(struct task *t, struct db_node *n)
{
	if (configure_node_is_there(t, n))
		return true;
	secret_wipe(n, sizeof *n);
	task_fail(t, REASON_NODE_GONE, NULL);
	return false;
}

static void node_save(struct task *t, struct db_node *n)
{
	db_node_update(t->job->jobs->env.db, n);
	jobs_tell_node(t->job->jobs, n->address, false);
	secret_wipe(n, sizeof *n);
}

/* True when the node said yes; else the step was begun again, or the task has failed. */
static bool agreed(struct task *t, enum access_result r, uint8_t status)
{
	char message[DB_MESSAGE];

	if (r == ACCESS_OK && status == CONFIG_SUCCESS)
		return true;
	if (r == ACCESS_OK) {
		snprintf(message, sizeof message, "The node refused step %s: %s.", t->row.step,
			 config_status_text(status));
		task_fail(t, REASON_CONFIGURATION_FAILED, message);
	} else if (configure_may_try_again(t)) {
		t->job->kind->steps[t->step].start(t);
	} else {
		snprintf(message, sizeof message, "The node did not answer in step %s.",
			 t->row.step);
		task_fail(t, REASON_CONFIGURATION_FAILED, message);
	}
	return false;
}

static struct config_call *call_for(struct task *t, void (*done)(void *ctx, enum access_result r,
								 struct config_call *call))
{
	t->work->config.done = done;
	t->work->config.ctx = t;
	return &t->work->config;
}

bool configure_read_composition(struct db_node *n, struct bytes page)
{
	struct composition c;

	if (page.n > sizeof n->composition || !composition_decode(&c, page))
		return false;
	memcpy(n->composition, page.p, page.n);
	n->composition_len = (uint16_t)page.n;
	n->company = c.company;
	n->product = c.product;
	n->version = c.version;
	n->features = c.features;
	n->server = false;
	for (uint8_t e = 0; e < c.n_elements; e++)
		n->server |= composition_has_model(&c, e, MODEL_REMOTE_PROV_SERVER);
	if (c.n_elements > n->elements)
		log_warning("addr=%04x has %u elements, its range has %u", n->address, c.n_elements,
			    n->elements);
	return true;
}

static void on_relay(void *ctx, enum access_result r, struct config_call *call)
{
	struct task *t = ctx;
	struct db_node n;

	if (!agreed(t, r, CONFIG_SUCCESS) || !node_of(t, &n))
		return;
	n.relay = call->value == 1;
	struct server *s = server_find(t->job->jobs, n.address);
	if (s)
		s->relays = n.relay;
	node_save(t, &n);
	task_next(t);
}

void configure_relay(struct task *t)
{
	struct access_target to = configure_target(t);
	struct db_node n;
	bool wanted;

	if (!node_of(t, &n))
		return;
	wanted = t->job->row.options.relay && (n.features & FEATURE_RELAY);
	secret_wipe(&n, sizeof n);
	if (wanted)
		config_relay_set(t->job->jobs->access, call_for(t, on_relay), &to, true,
				 t->work->neighbours >= NEIGHBOURS_MANY ? RELAY_ONCE : RELAY_TWICE);
	else
		task_next(t);
}

static void on_ttl(void *ctx, enum access_result r, struct config_call *call)
{
	struct task *t = ctx;
	struct jobs *j = t->job->jobs;
	struct db_node n;

	if (!agreed(t, r, CONFIG_SUCCESS) || !node_of(t, &n))
		return;
	n.default_ttl = call->value;
	n.hops = node_hops(j, n.address);
	node_set_distance(j, n.address, n.hops, n.default_ttl);
	if (n.server && !server_find(j, n.address)) { /* it may be the reach for others from now */
		server_add(j, &n);
		survey_news(j);
		jobs_tell_server(j, n.address);
		jobs_kick(j);
	}
	node_save(t, &n);
	task_next(t);
}

/* Its answers must reach us, and flood no more of the site than that. */
uint8_t configure_ttl_for(const struct task *t)
{
	int hops = node_hops(t->job->jobs, t->row.address);

	return (uint8_t)(assign_ttl(hops, t->work->tries) + TTL_EXTRA);
}

void configure_ttl(struct task *t)
{
	struct access_target to = configure_target(t);

	config_default_ttl_set(t->job->jobs->access, call_for(t, on_ttl), &to,
			       configure_ttl_for(t));
}

static void on_app_key(void *ctx, enum access_result r, struct config_call *call)
{
	if (agreed(ctx, r, call->status))
		task_next(ctx);
}

void configure_app_key(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct access_target to = configure_target(t);
	struct db_app_key key;

	if (db_app_key_get(j->env.db, APP_KEY, &key) != DB_OK) {
		task_fail(t, REASON_CONFIGURATION_FAILED, "The application key is missing.");
		return;
	}
	config_appkey_add(j->access, call_for(t, on_app_key), &to, NET_KEY, APP_KEY, &key.key);
	secret_wipe(&key, sizeof key);
}

/* The default profile: health, and every standard model that is no foundation model. */
bool configure_binds(uint32_t model)
{
	return model == MODEL_HEALTH_SERVER || model >= MODEL_FIRST_APPLICATION;
}

static bool model_at(const struct db_node *n, size_t at, struct model_ref *out)
{
	struct composition c;

	if (!composition_decode(&c, bytes_of(n->composition, n->composition_len)))
		return false;
	for (uint8_t e = 0; e < c.n_elements && e < n->elements; e++) {
		for (uint8_t i = 0; i < c.elements[e].n_sig; i++) {
			uint32_t model = c.elements[e].models[i];

			if (!configure_binds(model) || at--)
				continue;
			*out = (struct model_ref){ .element = (uint16_t)(n->address + e),
						   .model = model };
			return true;
		}
	}
	return false;
}

static void on_bind(void *ctx, enum access_result r, struct config_call *call)
{
	struct task *t = ctx;

	if (!agreed(t, r, call->status))
		return;
	t->work->bind_at++;
	t->work->tries = 0;
	configure_bind(t);
}

void configure_bind(struct task *t)
{
	struct access_target to = configure_target(t);
	struct model_ref model;
	struct db_node n;
	bool more;

	if (!node_of(t, &n))
		return;
	more = model_at(&n, t->work->bind_at, &model);
	secret_wipe(&n, sizeof n);
	if (more)
		config_model_app_bind(t->job->jobs->access, call_for(t, on_bind), &to, &model,
				      APP_KEY);
	else
		task_next(t);
}

static void on_capabilities(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct task *t = ctx;
	struct db_node n;

	if (r != ACCESS_OK && configure_may_try_again(t)) {
		configure_capabilities(t);
		return;
	}
	if (!node_of(t, &n))
		return;
	if (r == ACCESS_OK) { /* without them it serves all the same: a scan asks for its maximum */
		n.scan_max_items = call->capabilities.max_items;
		n.scan_active = call->capabilities.active_scan;
		server_add(t->job->jobs, &n);
	}
	node_save(t, &n);
	task_next(t);
}

void configure_capabilities(struct task *t)
{
	struct access_target to = configure_target(t);
	struct db_node n;
	bool server;

	if (!node_of(t, &n))
		return;
	server = n.server;
	secret_wipe(&n, sizeof n);
	if (!server) {
		task_next(t);
		return;
	}
	t->work->rpr.done = on_capabilities;
	t->work->rpr.ctx = t;
	rpr_capabilities_get(t->job->jobs->access, &t->work->rpr, &to);
}

void configure_finish(struct task *t)
{
	struct db_node n;

	if (!node_of(t, &n))
		return;
	n.state = DB_NODE_CONFIGURED;
	n.configured = jobs_wall(t->job->jobs);
	n.hops = node_hops(t->job->jobs, n.address);
	if (!*n.profile)
		snprintf(n.profile, sizeof n.profile, "default");
	node_save(t, &n);
	task_succeed(t, NULL);
}
