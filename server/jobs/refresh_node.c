/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   row says    the node                                      undone by
 *   opened      is as it was: Data has not left               writing so
 *   data        has the candidate, or will never have it      asking it
 *   complete    has the candidate; it counts with the close   asking it
 *   restore     answers under the new key                     -
 */
#include "refresh_node.h"

#include <string.h>

#include "db_refresh.h"
#include "log.h"
#include "network.h"
#include "reach.h"

bool node_refresh_is_open(const struct db_node *n)
{
	return n->refresh.step == DB_REFRESH_DATA || n->refresh.step == DB_REFRESH_COMPLETE;
}

static bool save(struct jobs *j, struct db_node *n)
{
	bool ok = db_node_update(j->env.db, n) == DB_OK;

	jobs_tell_node(j, n->address, false);
	return ok;
}

bool node_refresh_begin(struct jobs *j, struct db_node *n, enum nppi_procedure procedure,
			uint16_t first, uint8_t elements, int64_t task)
{
	n->refresh = (struct db_refresh){ .step = DB_REFRESH_OPENED,
					  .procedure = (uint8_t)procedure,
					  .address = first,
					  .elements = elements,
					  .since = jobs_wall(j),
					  .task = task };
	return save(j, n);
}

bool node_refresh_data(struct jobs *j, struct db_node *n, const struct secret16 *key)
{
	n->candidate = *key;
	n->has_candidate = true;
	n->refresh.step = DB_REFRESH_DATA;
	if (n->refresh.address)
		node_set_distance(j, n->refresh.address, node_hops(j, n->address), n->default_ttl);
	return network_give_node(j->env.mesh, n) && save(j, n);
}

bool node_refresh_complete(struct jobs *j, struct db_node *n)
{
	n->refresh.step = DB_REFRESH_COMPLETE;
	return save(j, n);
}

static void drop_candidate(struct db_node *n)
{
	secret_wipe(&n->candidate, sizeof n->candidate);
	n->has_candidate = false;
}

bool node_refresh_undo(struct jobs *j, struct db_node *n)
{
	struct mesh_iv iv;
	bool ok = true;

	mesh_iv(j->env.mesh, &iv);
	if (n->refresh.address) {
		enum db_rc rc = n->refresh.step == DB_REFRESH_OPENED
					? db_address_release(j->env.db, n->refresh.address)
					: db_address_set(j->env.db, n->refresh.address,
							 DB_ADDRESS_BURNT, iv.index);

		ok = rc != DB_ERROR;
		mesh_node_remove(j->env.mesh, n->refresh.address);
		node_forget(j, n->refresh.address);
	}
	log_info("addr=%04x is as it was", n->address);
	drop_candidate(n);
	n->refresh = (struct db_refresh){ .step = DB_REFRESH_NONE };
	return network_give_node(j->env.mesh, n) && save(j, n) && ok;
}

bool node_refresh_bury(struct jobs *j, uint16_t address)
{
	struct db_node n;
	bool ok = true;

	if (db_node_get(j->env.db, address, &n) == DB_OK && n.refresh.step != DB_REFRESH_NONE)
		ok = node_refresh_undo(j, &n);
	secret_wipe(&n, sizeof n);
	return ok;
}

static bool remember(struct jobs *j, const struct db_node *n)
{
	struct db_refreshed r = { .at = jobs_wall(j),
				  .procedure = n->refresh.procedure,
				  .task = n->refresh.task,
				  .old_address = n->address,
				  .new_address =
					  n->refresh.address ? n->refresh.address : n->address,
				  .before = bytes_of(n->composition, n->composition_len) };

	return db_refresh_insert(j->env.db, n->uuid, &r) == DB_OK;
}

/* Its old range is a stranger's from now on: nobody gets it while a replay list may know it. */
static bool move(struct jobs *j, struct db_node *n)
{
	uint16_t from = n->address;
	struct mesh_iv iv;

	mesh_iv(j->env.mesh, &iv);
	n->address = n->refresh.address;
	n->elements = n->refresh.elements;
	if (db_address_set(j->env.db, n->address, DB_ADDRESS_USED, iv.index) != DB_OK ||
	    db_node_move(j->env.db, from, n) != DB_OK ||
	    db_address_set(j->env.db, from, DB_ADDRESS_EXCLUDED, iv.index) != DB_OK)
		return false;
	mesh_node_remove(j->env.mesh, from);
	server_move(j, from, n->address);
	log_info("addr=%04x has moved to %04x", from, n->address);
	jobs_tell_node(j, from, true);
	return true;
}

bool node_refresh_commit(struct jobs *j, struct db_node *n)
{
	bool rereads = n->refresh.procedure != NPPI_DEVICE_KEY;
	bool ok = remember(j, n);

	db_link_delete(j->env.db, n->address);
	n->device_key = n->candidate;
	drop_candidate(n);
	n->key_created = jobs_wall(j);
	if (!rereads)
		n->refresh = (struct db_refresh){ .step = DB_REFRESH_NONE };
	else
		n->refresh.step = DB_REFRESH_RESTORE;
	if (n->refresh.address)
		ok = ok && move(j, n);
	n->refresh.address = 0;
	log_info("addr=%04x answers under its new key", n->address);
	return network_give_node(j->env.mesh, n) && save(j, n) && ok;
}

void jobs_candidate_used(struct jobs *j, uint16_t address)
{
	struct db_node n;

	if (db_node_get(j->env.db, address, &n) == DB_OK && n.has_candidate &&
	    node_refresh_is_open(&n) && !node_refresh_commit(j, &n))
		log_error("addr=%04x: its new key could not be stored", address);
	secret_wipe(&n, sizeof n);
}

/* Addresses first: the list must not change while it is walked. */
struct opened {
	uint8_t (*uuid)[UUID_LEN];
	size_t n, room;
};

static void note_opened(void *ctx, const struct db_node *n)
{
	struct opened *o = ctx;

	if (n->refresh.step == DB_REFRESH_OPENED && o->n < o->room)
		memcpy(o->uuid[o->n++], n->uuid, UUID_LEN);
}

bool node_refresh_boot(struct jobs *j)
{
	enum { AT_ONCE = 100 };
	uint8_t uuid[AT_ONCE][UUID_LEN];
	struct db_node_filter f = { .server = -1, .state = -1, .refreshing = true };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];
	bool ok = true;

	do {
		struct opened o = { uuid, 0, AT_ONCE };
		struct db_page page = { .limit = AT_ONCE, .cursor = cursor };

		memcpy(cursor, next, sizeof cursor);
		ok = db_nodes(j->env.db, &f, &page, note_opened, &o, next) == DB_OK;
		for (size_t i = 0; ok && i < o.n; i++) {
			struct db_node n;

			ok = db_node_get_uuid(j->env.db, uuid[i], &n) == DB_OK &&
			     node_refresh_undo(j, &n);
			secret_wipe(&n, sizeof n);
		}
	} while (ok && *next);
	return ok;
}
