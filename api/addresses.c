/* SPDX-License-Identifier: Apache-2.0 */
/* GET /addresses: the unicast ranges that are not free. */
#include "api_private.h"

enum { LIMIT = 100, IV_GAP = 2 };

struct addresses_query {
	struct page_query page;
};
static const struct field fields[] = { PAGE_FIELDS(struct addresses_query, page) };

struct walk {
	json_t *items;
	uint16_t after, next; /* next: where the page after this one goes on */
	size_t limit;
};

static const char *state_name(enum db_address_state state)
{
	switch (state) {
	case DB_ADDRESS_RESERVED:
		return "reserved";
	case DB_ADDRESS_USED:
		return "used";
	case DB_ADDRESS_EXCLUDED:
		return "excluded";
	case DB_ADDRESS_BURNT:
		return "burnt";
	}
	return "used";
}

static void range_add(void *ctx, const struct db_address *a)
{
	bool returns = a->state == DB_ADDRESS_EXCLUDED;
	struct walk *w = ctx;
	json_t *o;

	if (a->first <= w->after || w->next)
		return;
	if (json_array_size(w->items) == w->limit) {
		w->next = w->after;
		return;
	}
	w->after = a->first;
	o = json_object();
	json_object_set_new(o, "first", json_address(a->first));
	json_object_set_new(o, "last", json_address((uint16_t)(a->first + a->count - 1)));
	json_object_set_new(o, "state", json_string(state_name(a->state)));
	json_object_set_new(o, "uuid", json_uuid(a->uuid));
	json_object_set_new(o, "iv_index", json_integer(a->iv_index));
	json_object_set_new(o, "free_at_iv_index",
			    returns ? json_integer((json_int_t)a->iv_index + IV_GAP) : json_null());
	json_array_append_new(w->items, o);
}

static struct reply list_addresses(struct api *api, const struct request *rq)
{
	struct walk w = { .limit = LIMIT };
	struct addresses_query q;
	struct problem p;
	char next[8] = "";
	enum db_rc rc;

	if (!query_read(rq->query, rq->n_query, fields, ARRAY_LEN(fields), &q, sizeof(q), &p))
		return reply_problem(&p);
	if (q.page.limit.given)
		w.limit = (size_t)q.page.limit.v;
	w.items = json_array();
	rc = q.page.cursor.s && !address_parse(q.page.cursor.s, &w.after) ? DB_CONFLICT : DB_OK;
	if (rc == DB_OK)
		rc = db_addresses(api->env.db, range_add, &w);
	if (w.next)
		snprintf(next, sizeof(next), "0x%04x", w.next);
	return reply_page(rc, w.items, next);
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/addresses",
	  .role = DB_ROLE_VIEWER,
	  .query = fields,
	  .n_query = ARRAY_LEN(fields),
	  .handle = list_addresses },
};
const struct route_table address_routes = { routes, ARRAY_LEN(routes) };
