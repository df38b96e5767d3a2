/* SPDX-License-Identifier: Apache-2.0 */
/* GET /servers: what the jobs know of each way to reach devices. */
#include <string.h>

#include "api_private.h"

struct servers_query {
	struct page_query page;
};
static const struct field servers_fields[] = { PAGE_FIELDS(struct servers_query, page) };

struct walk {
	struct api *api;
	json_t *items;
	size_t limit;
	uint16_t after; /* 0: from the start */
	uint16_t last;
	bool more;
};

static const char *server_state(const struct jobs_server *s)
{
	if (s->lost)
		return "lost";
	if (s->links_open)
		return "linked";
	return s->scanning ? "scanning" : "idle";
}

static void node_facts(struct api *api, json_t *o, uint16_t address)
{
	struct db_node n = { 0 };
	bool known = db_node_get(api->env.db, address, &n) == DB_OK;

	json_object_set_new(o, "uuid", known ? json_uuid(n.uuid) : json_null());
	json_object_set_new(o, "name", known ? json_text(n.name) : json_null());
	json_object_set_new(o, "area", known ? json_text(n.area) : json_null());
	json_object_set_new(o, "max_scanned_items",
			    known && n.scan_max_items ? json_integer(n.scan_max_items)
						      : json_null());
	json_object_set_new(o, "active_scan",
			    known && n.scan_max_items ? json_boolean(n.scan_active) : json_null());
	json_object_set_new(o, "last_heard_at", known ? json_time_ms(n.heard) : json_null());
	secret_wipe(&n, sizeof(n));
}

static json_t *server_row_json(struct api *api, const struct jobs_server *s)
{
	json_t *o = json_object(), *links = json_object(), *load = json_object();

	json_object_set_new(o, "address", json_address(s->address));
	json_object_set_new(o, "local", json_boolean(s->local));
	json_object_set_new(o, "hops", s->hops < 0 ? json_null() : json_integer(s->hops));
	json_object_set_new(o, "state", json_string(server_state(s)));
	json_object_set_new(links, "open", json_integer(s->links_open));
	json_object_set_new(links, "max", json_integer(s->links_max));
	json_object_set_new(o, "links", links);
	json_object_set_new(o, "device", s->has_device ? json_uuid(s->device) : json_null());
	json_object_set_new(load, "succeeded", json_integer(s->succeeded));
	json_object_set_new(load, "failed", json_integer(s->failed));
	json_object_set_new(o, "load", load);
	json_object_set_new(o, "latency_ms",
			    s->latency_us ? json_integer((json_int_t)(s->latency_us / 1000))
					  : json_null());
	json_object_set_new(o, "sightings", json_integer(s->sightings));
	node_facts(api, o, s->address);
	return o;
}

json_t *server_json(struct api *api, uint16_t address)
{
	struct jobs_server s;

	return jobs_server_get(api->env.jobs, address, &s) ? server_row_json(api, &s) : NULL;
}

static void server_add(void *ctx, const struct jobs_server *s)
{
	struct walk *w = ctx;

	/* The local radio has the lowest address of all, so the addresses rise. */
	if (s->address <= w->after)
		return;
	if (json_array_size(w->items) == w->limit) {
		w->more = true;
		return;
	}
	w->last = s->address;
	json_array_append_new(w->items, server_row_json(w->api, s));
}

static struct reply list_servers(struct api *api, const struct request *rq)
{
	struct walk w = { .api = api, .limit = 100 };
	struct servers_query q;
	struct problem p;
	char next[8] = "";

	if (!query_read(rq->query, rq->n_query, servers_fields, ARRAY_LEN(servers_fields), &q,
			sizeof(q), &p))
		return reply_problem(&p);
	if (q.page.cursor.s && !address_parse(q.page.cursor.s, &w.after))
		return reply_page(DB_CONFLICT, NULL, "");
	if (q.page.limit.given)
		w.limit = (size_t)q.page.limit.v;
	w.items = json_array();
	jobs_servers(api->env.jobs, server_add, &w);
	if (w.more)
		snprintf(next, sizeof(next), "0x%04x", w.last);
	return reply_list(w.items, next);
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/servers",
	  .role = DB_ROLE_VIEWER,
	  .query = servers_fields,
	  .n_query = ARRAY_LEN(servers_fields),
	  .handle = list_servers },
};
const struct route_table server_routes = { routes, ARRAY_LEN(routes) };
