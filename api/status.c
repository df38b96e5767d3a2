/* SPDX-License-Identifier: Apache-2.0 */
/* GET /status, GET /reasons, GET /openapi.json. */
#include <string.h>

#include "api_private.h"
#include "openapi.h"

json_t *radio_json(struct api *api)
{
	struct api_radio radio = { .kind = "none", .name = "" };
	json_t *o = json_object();

	if (api->env.radio)
		api->env.radio(api->env.ctx, &radio);
	json_object_set_new(o, "kind", json_string(radio.kind));
	json_object_set_new(o, "name", json_string(radio.name ? radio.name : ""));
	json_object_set_new(o, "up", json_boolean(radio.up));
	json_object_set_new(o, "speed", radio.speed ? json_string(radio.speed) : json_null());
	return o;
}

static void check_add(void *ctx, const struct api_check *c)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(c->name));
	json_object_set_new(o, "ok", json_boolean(c->ok));
	json_object_set_new(o, "message", json_string(c->message));
	json_object_set_new(o, "cure", json_text(c->cure));
	json_array_append_new(ctx, o);
}

static json_t *checks_json(struct api *api)
{
	json_t *items = json_array();

	if (api->env.checks)
		api->env.checks(api->env.ctx, check_add, items);
	return items;
}

static void key_index_add(void *ctx, const struct db_net_key *k)
{
	json_array_append_new(ctx, json_integer(k->index));
}

static json_t *network_json(struct api *api)
{
	json_t *o = json_object(), *keys = json_array();
	struct db_network n;
	uint32_t free_count = 0;

	if (db_network_get(api->env.db, &n) != DB_OK ||
	    db_net_keys(api->env.db, key_index_add, keys) != DB_OK) {
		json_decref(o);
		json_decref(keys);
		return NULL;
	}
	db_address_free_count(api->env.db, n.iv_index, &free_count);
	json_object_set_new(o, "name", json_string(n.name));
	json_object_set_new(o, "net_key_indexes", keys);
	json_object_set_new(o, "iv_index", json_integer(n.iv_index));
	json_object_set_new(o, "iv_update_in_progress", json_boolean(n.iv_update));
	json_object_set_new(o, "address", json_address(n.address));
	json_object_set_new(o, "addresses_free", json_integer(free_count));
	secret_wipe(&n, sizeof(n));
	return o;
}

static void device_count(struct api *api, json_t *counts, const char *name, int listed, int heard,
			 int provisioned)
{
	struct db_device_filter f = {
		.listed = listed, .heard = heard, .trust = -1, .provisioned = provisioned
	};
	int64_t n = 0;

	db_device_count(api->env.db, &f, &n);
	json_object_set_new(counts, name, json_integer(n));
}

static void node_count(struct api *api, json_t *counts, const char *name, int server)
{
	struct db_node_filter f = { .server = server, .state = -1 };
	int64_t n = 0;

	db_node_count(api->env.db, &f, &n);
	json_object_set_new(counts, name, json_integer(n));
}

static json_t *counts_json(struct api *api)
{
	json_t *o = json_object();
	int64_t n = 0;

	device_count(api, o, "devices", -1, -1, -1);
	device_count(api, o, "heard", -1, 1, -1);
	device_count(api, o, "expected", 1, -1, -1);
	device_count(api, o, "missing", 1, 0, 0);
	device_count(api, o, "unexpected", 0, 1, -1);
	node_count(api, o, "nodes", -1);
	node_count(api, o, "servers", 1);
	db_anchor_count(api->env.db, &n);
	json_object_set_new(o, "trust_anchors", json_integer(n));
	return o;
}

struct jobs_list {
	struct api *api;
	json_t *items;
};

static void job_add(void *ctx, const struct db_job *j)
{
	struct jobs_list *list = ctx;

	json_array_append_new(list->items, job_row_json(list->api, j));
}

static struct reply get_status(struct api *api, const struct request *rq)
{
	struct db_job_filter active = { .kind = -1, .state = -1, .active = true };
	struct jobs_list jobs = { api, json_array() };
	char next[DB_CURSOR];
	json_t *o, *network;

	jobs_flush(api->env.jobs);
	network = network_json(api);
	if (!network ||
	    db_jobs(api->env.db, &active, &(struct db_page){ 0 }, job_add, &jobs, next) != DB_OK) {
		json_decref(network);
		json_decref(jobs.items);
		return reply_internal();
	}
	o = json_object();
	json_object_set_new(o, "version", json_string(MESHMASON_VERSION));
	json_object_set_new(o, "time", json_time_ms(api_wall(api)));
	json_object_set_new(o, "started_at", json_time_ms(api->started));
	json_object_set_new(o, "radio", radio_json(api));
	json_object_set_new(o, "checks", checks_json(api));
	json_object_set_new(o, "network", network);
	json_object_set_new(o, "counts", counts_json(api));
	json_object_set_new(o, "jobs", jobs.items);
	json_object_set_new(o, "setup_needed", json_boolean(api_setup_needed(api)));
	return reply_json(200, o);
}

static struct reply get_reasons(struct api *api, const struct request *rq)
{
	json_t *items = json_array();
	const struct jobs_reason *reasons;
	size_t n;

	reasons = jobs_reasons(&n);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(items, error_json(reasons[i].code, reasons[i].message));
	return reply_list(items, "");
}

static struct reply get_openapi(struct api *api, const struct request *rq)
{
	return (struct reply){ .kind = REPLY_BODY,
			       .status = 200,
			       .type = "application/json",
			       .body = (char *)openapi_json,
			       .body_len = openapi_json_len,
			       .body_static = true };
}

static const struct route routes[] = {
	{ .method = HTTP_GET, .pattern = "/status", .role = DB_ROLE_VIEWER, .handle = get_status },
	{ .method = HTTP_GET,
	  .pattern = "/reasons",
	  .role = DB_ROLE_VIEWER,
	  .handle = get_reasons },
	{ .method = HTTP_GET,
	  .pattern = "/openapi.json",
	  .role = DB_ROLE_VIEWER,
	  .handle = get_openapi },
};
const struct route_table status_routes = { routes, ARRAY_LEN(routes) };
