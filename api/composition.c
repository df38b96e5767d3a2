/* SPDX-License-Identifier: Apache-2.0 */
/* GET /nodes/{address}/composition and /move: what a node is, what it would be, where it could be.
 */
#include <stdlib.h>

#include "api_private.h"
#include "composition.h"
#include "db_refresh.h"
#include "mesh_const.h"

const char *procedure_name(unsigned procedure)
{
	static const char *const names[] = { [NPPI_DEVICE_KEY] = "device-key",
					     [NPPI_ADDRESS] = "address",
					     [NPPI_COMPOSITION] = "composition" };

	return procedure < ARRAY_LEN(names) ? names[procedure] : "device-key";
}

/* ---- pages ---- */

/* All that the node's pages are, side by side: relations are told by models of the same row. */
struct pages {
	struct {
		bool there;
		size_t n;
		uint8_t data[DB_PAGE_MAX];
		int64_t read_at;
	} page[6];
	uint16_t address;
};

static size_t slot_of(uint8_t page)
{
	return page < COMPOSITION_NEXT ? page : 3u + page - COMPOSITION_NEXT;
}

static void page_keep(void *ctx, const struct db_node_page *p)
{
	struct pages *all = ctx;
	size_t slot = slot_of(p->page);

	if (slot >= ARRAY_LEN(all->page) || p->data.n > DB_PAGE_MAX)
		return;
	all->page[slot].there = true;
	all->page[slot].n = p->data.n;
	all->page[slot].read_at = p->read_at;
	for (size_t i = 0; i < p->data.n; i++)
		all->page[slot].data[i] = p->data.p[i];
}

static struct bytes page_of_slot(const struct pages *all, size_t slot)
{
	return bytes_of(all->page[slot].data, all->page[slot].there ? all->page[slot].n : 0);
}

static json_t *hex_json(struct bytes b)
{
	char *text = malloc(2 * b.n + 1);
	json_t *o;

	if (!text)
		abort();
	*text = 0;
	hex_format(text, b);
	o = json_string(text);
	free(text);
	return o;
}

static json_t *features_json(uint16_t features)
{
	static const char *const names[] = { "relay", "proxy", "friend", "low_power" };
	json_t *a = json_array();

	for (size_t bit = 0; bit < ARRAY_LEN(names); bit++)
		if (features >> bit & 1)
			json_array_append_new(a, json_string(names[bit]));
	return a;
}

static json_t *models_page_json(struct bytes page, uint16_t address)
{
	struct jobs_composition c;
	json_t *o;

	if (!jobs_composition_of(page, address, &c))
		return json_null();
	o = json_object();
	json_object_set_new(o, "company", json_hex16(c.company));
	json_object_set_new(o, "product", json_hex16(c.product));
	json_object_set_new(o, "version", json_hex16(c.version));
	json_object_set_new(o, "replay_list", json_integer(c.replay_list));
	json_object_set_new(o, "features", features_json(c.features));
	json_object_set_new(o, "elements", elements_json(&c));
	return o;
}

static void relation_add(void *ctx, const struct jobs_relation *r)
{
	json_t *elements = ctx, *o = model_json(r->model), *extends = json_array();

	while (json_array_size(elements) <= r->element)
		json_array_append_new(elements, json_pack("{s:[]}", "models"));
	for (size_t i = 0; i < r->n_extends; i++) {
		json_t *e = model_json(r->extends[i].model);

		json_object_set_new(e, "element", json_integer((json_int_t)r->extends[i].element));
		json_array_append_new(extends, e);
	}
	json_object_set_new(o, "correspondence",
			    r->corresponds ? json_integer(r->group) : json_null());
	json_object_set_new(o, "extends", extends);
	json_array_append_new(json_object_get(json_array_get(elements, r->element), "models"), o);
}

static json_t *relations_page_json(struct bytes page, struct bytes models, uint16_t address)
{
	struct jobs_composition c;
	json_t *o = json_pack("{s:[]}", "elements");

	if (jobs_composition_of(models, address, &c) &&
	    jobs_relations(page, &c, relation_add, json_object_get(o, "elements")))
		return o;
	json_decref(o);
	return json_null();
}

static void profile_add(void *ctx, const struct jobs_profile *p)
{
	json_t *o = json_object(), *elements = json_array();
	char version[16];

	snprintf(version, sizeof(version), "%u.%u.%u", p->x, p->y, p->z);
	for (size_t i = 0; i < p->n_elements; i++)
		json_array_append_new(elements, json_integer(p->elements[i]));
	json_object_set_new(o, "id", json_hex16(p->id));
	json_object_set_new(o, "name",
			    json_string(p->name ? p->name : "Profile not known by name"));
	json_object_set_new(o, "version", json_string(version));
	json_object_set_new(o, "elements", elements);
	json_object_set_new(o, "data", hex_json(p->data));
	json_array_append_new(ctx, o);
}

static json_t *profiles_page_json(struct bytes page)
{
	json_t *o = json_pack("{s:[]}", "profiles");

	if (jobs_profiles(page, profile_add, json_object_get(o, "profiles")))
		return o;
	json_decref(o);
	return json_null();
}

static json_t *decoded_json(const struct pages *all, size_t slot)
{
	struct bytes page = page_of_slot(all, slot);

	switch (slot % 3) {
	case COMPOSITION_PAGE_MODELS:
		return models_page_json(page, all->address);
	case COMPOSITION_PAGE_RELATIONS:
		return relations_page_json(page, page_of_slot(all, slot - 1), all->address);
	default:
		return profiles_page_json(page);
	}
}

static json_t *pages_json(const struct pages *all)
{
	json_t *a = json_array();

	for (size_t slot = 0; slot < ARRAY_LEN(all->page); slot++) {
		struct bytes page = page_of_slot(all, slot);
		size_t number = slot < 3 ? slot : slot - 3 + COMPOSITION_NEXT;
		json_t *o;

		if (!all->page[slot].there)
			continue;
		o = json_object();
		json_object_set_new(o, "page", json_integer((json_int_t)number));
		json_object_set_new(o, "read_at", json_time_ms(all->page[slot].read_at));
		json_object_set_new(o, "size", json_integer((json_int_t)page.n));
		json_object_set_new(o, "hex", hex_json(page));
		json_object_set_new(o, "decoded", decoded_json(all, slot));
		json_array_append_new(a, o);
	}
	return a;
}

/* ---- what differs ---- */

static void number_differs(json_t *o, const char *name, uint16_t before, uint16_t after)
{
	if (before != after)
		json_object_set_new(o, name,
				    json_pack("[o,o]", json_hex16(before), json_hex16(after)));
}

static json_t *models_missing(const struct jobs_element *in, const struct jobs_element *of)
{
	json_t *a = json_array();

	for (size_t i = 0; i < of->n_models; i++)
		if (!jobs_element_has(in, &of->models[i]))
			json_array_append_new(a, model_json(&of->models[i]));
	return a;
}

static void element_differs(json_t *a, size_t i, const struct jobs_element *before,
			    const struct jobs_element *after)
{
	json_t *added = models_missing(before, after), *removed = models_missing(after, before);

	if (json_array_size(added) || json_array_size(removed)) {
		json_array_append_new(a, json_pack("{s:I,s:o,s:o}", "index", (json_int_t)i, "added",
						   added, "removed", removed));
		return;
	}
	json_decref(added);
	json_decref(removed);
}

/* null: one of them is not known, or they are the same. */
static json_t *difference_json(struct bytes before, struct bytes after, uint16_t address)
{
	static const struct jobs_element none;
	struct jobs_composition a, b;
	size_t common;
	json_t *o, *elements;

	if (bytes_equal(before, after) || !jobs_composition_of(before, address, &a) ||
	    !jobs_composition_of(after, address, &b))
		return json_null();
	o = json_object();
	elements = json_array();
	number_differs(o, "company", a.company, b.company);
	number_differs(o, "product", a.product, b.product);
	number_differs(o, "version", a.version, b.version);
	if (a.replay_list != b.replay_list)
		json_object_set_new(o, "replay_list",
				    json_pack("[i,i]", a.replay_list, b.replay_list));
	number_differs(o, "features", a.features, b.features);
	common = a.n_elements < b.n_elements ? a.n_elements : b.n_elements;
	for (size_t i = 0; i < a.n_elements || i < b.n_elements; i++)
		element_differs(elements, i, i < a.n_elements ? &a.elements[i] : &none,
				i < b.n_elements ? &b.elements[i] : &none);
	json_object_set_new(o, "elements", elements);
	json_object_set_new(o, "elements_added", json_integer((json_int_t)(b.n_elements - common)));
	json_object_set_new(o, "elements_removed",
			    json_integer((json_int_t)(a.n_elements - common)));
	return o;
}

/* ---- history ---- */

static json_t *count_json(const struct db_restored *r)
{
	return json_pack("{s:i,s:i}", "restored", (int)r->restored, "lost", (int)r->lost);
}

struct history {
	json_t *items, *restored;
};

static void refresh_add(void *ctx, const struct db_refreshed *r)
{
	struct history *h = ctx;
	json_t *o = json_object();

	json_object_set_new(o, "at", json_time_ms(r->at));
	json_object_set_new(o, "procedure", json_string(procedure_name(r->procedure)));
	json_object_set_new(o, "from", json_address(r->old_address));
	json_object_set_new(o, "to", json_address(r->new_address));
	json_object_set_new(o, "difference",
			    r->reread ? difference_json(r->before, r->after, r->new_address)
				      : json_null());
	json_array_append_new(h->items, o);
	if (h->restored || !r->reread)
		return;
	h->restored = json_object();
	json_object_set_new(h->restored, "bindings", count_json(&r->bindings));
	json_object_set_new(h->restored, "publications", count_json(&r->publications));
	json_object_set_new(h->restored, "subscriptions", count_json(&r->subscriptions));
}

static struct reply get_composition(struct api *api, const struct request *rq)
{
	struct history h = { .items = json_array() };
	struct pages *all;
	struct db_node n;
	struct reply bad;
	uint16_t address;
	json_t *o;

	if (!path_address(rq, &address, &bad)) {
		json_decref(h.items);
		return bad;
	}
	if (db_node_get(api->env.db, address, &n) != DB_OK) {
		json_decref(h.items);
		return reply_not_found("node");
	}
	all = calloc(1, sizeof(*all));
	if (!all)
		abort();
	all->address = address;
	db_node_pages(api->env.db, n.uuid, page_keep, all);
	db_refreshes(api->env.db, n.uuid, DB_REFRESHES_KEPT, refresh_add, &h);
	secret_wipe(&n, sizeof(n));
	o = json_object();
	json_object_set_new(o, "pages", pages_json(all));
	json_object_set_new(o, "difference",
			    difference_json(page_of_slot(all, slot_of(COMPOSITION_PAGE_MODELS)),
					    page_of_slot(all, slot_of(COMPOSITION_NEXT)), address));
	json_object_set_new(o, "restored", h.restored ? h.restored : json_null());
	json_object_set_new(o, "history", h.items);
	free(all);
	return reply_json(200, o);
}

/* ---- moves ---- */

struct move_query {
	struct field_text to;
};
static const struct field move_fields[] = {
	{ "to", FIELD_TEXT, 0, 0, 6, NULL, field_is_address, "a unicast address, as in 0x0100",
	  offsetof(struct move_query, to) },
};

static struct reply get_move(struct api *api, const struct request *rq)
{
	uint16_t address, to = 0;
	struct move_query q;
	struct jobs_move m;
	struct reply bad;
	struct problem p;
	enum jobs_rc rc;
	json_t *o;

	if (!path_address(rq, &address, &bad))
		return bad;
	if (!query_read(rq->query, rq->n_query, move_fields, ARRAY_LEN(move_fields), &q, sizeof(q),
			&p))
		return reply_problem(&p);
	if (q.to.s)
		address_parse(q.to.s, &to);
	rc = jobs_node_move(api->env.jobs, address, to, &m);
	if (rc != JOBS_OK)
		return reply_jobs(rc, "There is no such node.", NULL);
	o = json_object();
	json_object_set_new(o, "from", json_address(m.from));
	json_object_set_new(o, "to", json_address(m.to));
	json_object_set_new(o, "elements", json_integer(m.elements));
	json_object_set_new(o, "free", json_boolean(m.free));
	json_object_set_new(o, "reason", json_text(m.reason));
	json_object_set_new(
		o, "quarantined",
		json_pack("[o,o]", json_address(m.from), json_address(m.quarantine_last)));
	return reply_json(200, o);
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/nodes/{address}/composition",
	  .role = DB_ROLE_VIEWER,
	  .handle = get_composition },
	{ .method = HTTP_GET,
	  .pattern = "/nodes/{address}/move",
	  .role = DB_ROLE_VIEWER,
	  .query = move_fields,
	  .n_query = ARRAY_LEN(move_fields),
	  .handle = get_move },
};
const struct route_table composition_routes = { routes, ARRAY_LEN(routes) };
