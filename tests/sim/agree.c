/* SPDX-License-Identifier: Apache-2.0 */
#include "agree.h"

#include <stdio.h>
#include <string.h>

#include "db_network.h"
#include "db_nodes.h"
#include "dev_composition.h"
#include "device.h"

enum { OWN_ADDRESS = 0x0001, PAGE_0 = 0 };

static bool composition_agrees(const struct device_make *make, const struct device_state *state,
			       const struct db_node *node, char why[256])
{
	uint8_t buf[DB_COMPOSITION];
	struct wr w = wr_to(buf, sizeof(buf));
	struct bytes page;

	dev_composition_page(make, state->changed, PAGE_0, &w);
	page = wr_done(&w);
	if (state->elements != node->elements)
		snprintf(why, 256, "%s: %u elements in the building, %u in the inventory",
			 make->name, state->elements, node->elements);
	else if (page.n != node->composition_len || memcmp(page.p, node->composition, page.n) != 0)
		snprintf(why, 256, "%s: another composition in the building than in the inventory",
			 make->name);
	else
		return true;
	return false;
}

/* One device against its row. */
static bool device_agrees(struct db *db, const struct building *b, size_t i, char why[256])
{
	const struct device_make *make = building_make_of(b, i);
	struct device_state state = building_state_of(b, i);
	struct db_node node;
	bool row =
		db_node_get_uuid(db, make->uuid, &node) == DB_OK && node.state != DB_NODE_PENDING;

	if (state.provisioned != row)
		snprintf(why, 256, "%s: %s in the building, %s in the inventory", make->name,
			 state.provisioned ? "a node" : "no node", row ? "a node" : "no node");
	else if (row && state.address != node.address)
		snprintf(why, 256, "%s: address %04x in the building, %04x in the inventory",
			 make->name, state.address, node.address);
	else if (row && strcmp(state.device_key_id, node.device_key_id) != 0)
		snprintf(why, 256, "%s: key %s in the building, %s in the inventory", make->name,
			 state.device_key_id, node.device_key_id);
	else
		return !row || composition_agrees(make, &state, &node, why);
	return false;
}

struct books {
	struct db *db;
	const struct building *b;
	char *why;
	unsigned last; /* of the range before */
	bool good;
};

static bool is_held(const struct building *b, uint16_t first, uint16_t count)
{
	for (size_t i = 0; i < building_count(b); i++) {
		struct device_state s = building_state_of(b, i);

		if (s.provisioned && s.address < first + count && first < s.address + s.elements)
			return true;
	}
	return false;
}

/* Ranges come in the order of their addresses. */
static void check_range(void *ctx, const struct db_address *a)
{
	struct books *k = ctx;
	struct db_node node;
	bool overlaps = a->first <= k->last;
	bool node_there = db_node_get(k->db, a->first, &node) == DB_OK;

	k->last = a->first + a->count - 1u;
	if (!k->good)
		return;
	k->good = false;
	if (overlaps)
		snprintf(k->why, 256, "address %04x is in two ranges", a->first);
	else if (a->state == DB_ADDRESS_USED && a->first != OWN_ADDRESS && !node_there)
		snprintf(k->why, 256, "address %04x is used, by no node", a->first);
	else if (node_there && node.elements > a->count)
		snprintf(k->why, 256, "address %04x: a node of %u elements in a range of %u",
			 a->first, node.elements, a->count);
	else if (a->state >= DB_ADDRESS_EXCLUDED &&
		 (node_there || is_held(k->b, a->first, a->count)))
		snprintf(k->why, 256, "address %04x is left, and held", a->first);
	else
		k->good = true;
}

static void check_node(void *ctx, const struct db_node *n)
{
	struct books *k = ctx;

	for (size_t i = 0; i < building_count(k->b); i++)
		if (memcmp(building_make_of(k->b, i)->uuid, n->uuid, UUID_LEN) == 0)
			return;
	k->good = false;
	snprintf(k->why, 256, "address %04x: the building has no such device", n->address);
}

bool agree(struct db *db, const struct building *b, const bool *strays, char why[256])
{
	struct books k = { db, b, why, 0, true };
	struct db_node_filter all = { .server = -1, .state = -1 };
	struct db_page page = { .limit = 1000 };
	char next[DB_CURSOR];

	for (size_t i = 0; i < building_count(b); i++)
		if (!strays[i] && !device_agrees(db, b, i, why))
			return false;
	for (size_t i = 0; i < building_count(b); i++)
		if (strays[i]) /* it may hold what was left */
			return true;
	if (db_addresses(db, check_range, &k) != DB_OK ||
	    db_nodes(db, &all, &page, check_node, &k, next) != DB_OK) {
		snprintf(why, 256, "the store cannot be read");
		return false;
	}
	return k.good;
}
