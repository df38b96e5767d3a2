/* SPDX-License-Identifier: Apache-2.0 */
/* GET /nodes, GET and PATCH /nodes/{address}. */
#include <string.h>

#include "api_private.h"
#include "composition.h"
#include "db_refresh.h"
#include "mesh_const.h"

/* By enum db_node_state. */
static const char *const node_states[] = { [DB_NODE_PENDING] = "joining",
					   [DB_NODE_JOINED] = "configuring",
					   [DB_NODE_CONFIGURED] = "ready",
					   [DB_NODE_CONFIGURED + 1] = NULL };

json_t *model_json(const struct jobs_model *m)
{
	json_t *o = json_object();
	char id[16];

	if (m->vendor)
		snprintf(id, sizeof(id), "0x%04x%04x", m->company, m->id);
	else
		snprintf(id, sizeof(id), "0x%04x", m->id);
	json_object_set_new(o, "id", json_string(id));
	json_object_set_new(o, "name",
			    json_string(m->name	    ? m->name
					: m->vendor ? "Vendor model"
						    : "Model not known by name"));
	return o;
}

json_t *elements_json(const struct jobs_composition *c)
{
	json_t *a = json_array();

	for (size_t i = 0; i < c->n_elements; i++) {
		const struct jobs_element *e = &c->elements[i];
		json_t *o = json_object(), *models = json_array();

		for (size_t m = 0; m < e->n_models; m++)
			json_array_append_new(models, model_json(&e->models[m]));
		json_object_set_new(o, "address", json_address(e->address));
		json_object_set_new(o, "location", json_hex16(e->location));
		json_object_set_new(o, "models", models);
		json_array_append_new(a, o);
	}
	return a;
}

static void page_number_add(void *ctx, const struct db_node_page *p)
{
	json_array_append_new(ctx, json_integer(p->page));
}

/* Page 0 is in the node's row before the others are read. */
static json_t *page_numbers_json(struct api *api, const struct db_node *n)
{
	json_t *pages = json_array();

	db_node_pages(api->env.db, n->uuid, page_number_add, pages);
	if (!json_array_size(pages))
		json_array_append_new(pages, json_integer(0));
	return pages;
}

static json_t *composition_json(const struct jobs_composition *c, json_t *pages)
{
	json_t *o = json_object();

	json_object_set_new(o, "company", json_hex16(c->company));
	json_object_set_new(o, "product", json_hex16(c->product));
	json_object_set_new(o, "version", json_hex16(c->version));
	json_object_set_new(o, "replay_list", json_integer(c->replay_list));
	json_object_set_new(o, "pages", pages);
	return o;
}

/* Composition Data features, 4.2.2.1: bit 0 relay, 1 proxy, 2 friend, 3 low power. */
static json_t *features_json(const struct db_node *n)
{
	static const char *const names[] = { "relay", "proxy", "friend", "low_power" };
	json_t *o = json_object();

	for (size_t bit = 0; bit < ARRAY_LEN(names); bit++)
		json_object_set_new(
			o, names[bit],
			json_string(n->features >> bit & 1 ? "supported" : "unsupported"));
	if (n->relay)
		json_object_set_new(o, "relay", json_string("on"));
	return o;
}

static const char *authentication_name(const struct db_node *n)
{
	static const char *const names[] = { [PROV_AUTH_NONE] = "none",
					     [PROV_AUTH_STATIC] = "static-oob",
					     [PROV_AUTH_OUTPUT] = "output-oob",
					     [PROV_AUTH_INPUT] = "input-oob" };

	if (n->certificate.present)
		return "certificate";
	return n->auth_method < ARRAY_LEN(names) ? names[n->auth_method] : "none";
}

static void node_identity(json_t *o, const struct db_node *n)
{
	json_object_set_new(o, "address", json_address(n->address));
	json_object_set_new(o, "uuid", json_uuid(n->uuid));
	json_object_set_new(o, "name", json_text(n->name));
	json_object_set_new(o, "area", json_text(n->area));
	json_object_set_new(o, "profile", json_text(n->profile));
	json_object_set_new(o, "state", json_string(node_states[n->state]));
	json_object_set_new(o, "element_count", json_integer(n->elements));
	json_object_set_new(o, "device_key_id", json_string(n->device_key_id));
	json_object_set_new(o, "device_key_at", json_time_ms(n->key_created));
}

/* A refresh whose outcome is open. */
static json_t *pending_json(const struct db_node *n)
{
	static const char *const steps[] = { [DB_REFRESH_NONE] = "",
					     [DB_REFRESH_OPENED] = "opened",
					     [DB_REFRESH_DATA] = "data",
					     [DB_REFRESH_COMPLETE] = "complete",
					     [DB_REFRESH_RESTORE] = "restore" };
	json_t *o;

	if (n->refresh.step == DB_REFRESH_NONE || (size_t)n->refresh.step >= ARRAY_LEN(steps))
		return json_null();
	o = json_object();
	json_object_set_new(o, "procedure", json_string(procedure_name(n->refresh.procedure)));
	json_object_set_new(o, "step", json_string(steps[n->refresh.step]));
	json_object_set_new(o, "new_address", json_address(n->refresh.address));
	json_object_set_new(o, "since", json_time_ms(n->refresh.since));
	return o;
}

static json_t *change_json(const struct db_node *n)
{
	json_t *o;

	if (!n->composition_change)
		return json_null();
	o = json_object();
	json_object_set_new(o, "since", json_time_ms(n->composition_change));
	return o;
}

static json_t *node_row_json(struct api *api, const struct db_node *n)
{
	struct jobs_composition c;
	bool composed = jobs_composition(n, &c);
	json_t *o = json_object();

	node_identity(o, n);
	json_object_set_new(o, "elements", composed ? elements_json(&c) : json_array());
	json_object_set_new(o, "composition",
			    composed ? composition_json(&c, page_numbers_json(api, n))
				     : json_null());
	json_object_set_new(o, "composition_change", change_json(n));
	json_object_set_new(o, "pending", pending_json(n));
	json_object_set_new(o, "features", features_json(n));
	json_object_set_new(o, "default_ttl",
			    n->default_ttl ? json_integer(n->default_ttl) : json_null());
	json_object_set_new(o, "server", json_boolean(n->server));
	json_object_set_new(o, "hops", n->hops < 0 ? json_null() : json_integer(n->hops));
	json_object_set_new(o, "provisioned_by", json_address(n->via));
	json_object_set_new(o, "provisioned_at", json_time_ms(n->created));
	json_object_set_new(o, "last_heard_at", json_time_ms(n->heard));
	json_object_set_new(o, "authentication", json_string(authentication_name(n)));
	json_object_set_new(o, "algorithm",
			    json_string(n->algorithm == PROV_ALG_HMAC ? "hmac-sha256" : "cmac"));
	json_object_set_new(o, "certificate", certificate_json(&n->certificate));
	return o;
}

static void node_wipe(struct db_node *n)
{
	secret_wipe(&n->device_key, sizeof(n->device_key));
	secret_wipe(&n->candidate, sizeof(n->candidate));
}

json_t *node_json(struct api *api, uint16_t address)
{
	struct db_node n;
	json_t *o;

	if (db_node_get(api->env.db, address, &n) != DB_OK)
		return NULL;
	o = node_row_json(api, &n);
	node_wipe(&n);
	return o;
}

struct walk {
	struct api *api;
	json_t *items;
};

static void node_add(void *ctx, const struct db_node *n)
{
	struct walk *w = ctx;

	json_array_append_new(w->items, node_row_json(w->api, n));
}

static const char *const node_sorts[] = { "address",	    "-address",	      "name",
					  "-name",	    "area",	      "-area",
					  "hops",	    "-hops",	      "last_heard_at",
					  "-last_heard_at", "provisioned_at", "-provisioned_at",
					  "uuid",	    "-uuid",	      NULL };

struct nodes_query {
	struct page_query page;
	struct field_text sort, q, state, area;
	struct field_bool server;
};
static const struct field nodes_fields[] = {
	PAGE_FIELDS(struct nodes_query, page),
	{ "sort", FIELD_ENUM, 0, 0, 0, node_sorts, NULL, NULL, offsetof(struct nodes_query, sort) },
	{ "q", FIELD_TEXT, 0, 0, 100, NULL, NULL, NULL, offsetof(struct nodes_query, q) },
	{ "state", FIELD_ENUM, 0, 0, 0, node_states, NULL, NULL,
	  offsetof(struct nodes_query, state) },
	{ "server", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL, offsetof(struct nodes_query, server) },
	{ "area", FIELD_TEXT, 0, 0, 64, NULL, NULL, NULL, offsetof(struct nodes_query, area) },
};

static const char *node_sort(const struct field_text *sort)
{
	static const struct {
		const char *ours, *store;
	} names[] = {
		{ "last_heard_at", "heard" },
		{ "-last_heard_at", "-heard" },
		{ "provisioned_at", "created" },
		{ "-provisioned_at", "-created" },
	};

	for (size_t i = 0; sort->s && i < ARRAY_LEN(names); i++)
		if (strcmp(names[i].ours, sort->s) == 0)
			return names[i].store;
	return sort->s;
}

static struct reply list_nodes(struct api *api, const struct request *rq)
{
	struct db_node_filter f = { .server = -1, .state = -1 };
	struct db_page page;
	struct nodes_query q;
	char next[DB_CURSOR];
	struct problem p;
	enum db_rc rc;
	struct walk w = { .api = api };

	if (!query_read(rq->query, rq->n_query, nodes_fields, ARRAY_LEN(nodes_fields), &q,
			sizeof(q), &p))
		return reply_problem(&p);
	jobs_flush(api->env.jobs);
	f.area = q.area.s;
	f.search = q.q.s && *q.q.s ? q.q.s : NULL;
	if (q.server.given)
		f.server = q.server.v;
	for (int s = 0; q.state.s && node_states[s]; s++)
		if (strcmp(node_states[s], q.state.s) == 0)
			f.state = s;
	f.with_pending = f.state == DB_NODE_PENDING;
	page = page_of(&q.page, node_sort(&q.sort));
	w.items = json_array();
	rc = db_nodes(api->env.db, &f, &page, node_add, &w, next);
	return reply_page(rc, w.items, next);
}

static struct reply get_node(struct api *api, const struct request *rq)
{
	struct reply bad;
	uint16_t address;
	json_t *o;

	if (!path_address(rq, &address, &bad))
		return bad;
	jobs_flush(api->env.jobs);
	o = node_json(api, address);
	return o ? reply_json(200, o) : reply_not_found("node");
}

struct node_patch {
	struct field_text name, area;
};

static const char *label(const struct field_text *f)
{
	return !f->given ? NULL : f->s ? f->s : "";
}

static struct reply patch_node(struct api *api, const struct request *rq)
{
	static const struct field fields[] = {
		{ "name", FIELD_TEXT, FIELD_NULL, 0, 64, NULL, NULL, NULL,
		  offsetof(struct node_patch, name) },
		{ "area", FIELD_TEXT, FIELD_NULL, 0, 64, NULL, NULL, NULL,
		  offsetof(struct node_patch, area) },
	};
	struct node_patch b;
	struct reply r;
	struct problem p;
	uint16_t address;
	json_t *body;

	if (!path_address(rq, &address, &r))
		return r;
	body = body_parse(rq->body, &p);
	if (!body)
		return reply_problem(&p);
	if (!fields_read(body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), &p)) {
		r = reply_problem(&p);
	} else if (json_object_size(body) == 0) {
		r = reply_error(400, "missing_field", NULL, "One field at least is wanted.");
	} else {
		enum jobs_rc rc = jobs_node_set_label(api->env.jobs, address, label(&b.name),
						      label(&b.area), NULL);

		r = rc == JOBS_OK ? reply_json(200, node_json(api, address))
				  : reply_jobs(rc, "There is no such node.", NULL);
	}
	json_decref(body);
	return r;
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/nodes",
	  .role = DB_ROLE_VIEWER,
	  .query = nodes_fields,
	  .n_query = ARRAY_LEN(nodes_fields),
	  .handle = list_nodes },
	{ .method = HTTP_GET,
	  .pattern = "/nodes/{address}",
	  .role = DB_ROLE_VIEWER,
	  .handle = get_node },
	{ .method = HTTP_PATCH,
	  .pattern = "/nodes/{address}",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .body = BODY_JSON,
	  .handle = patch_node },
};
const struct route_table node_routes = { routes, ARRAY_LEN(routes) };
