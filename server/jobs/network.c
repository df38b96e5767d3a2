/* SPDX-License-Identifier: Apache-2.0 */
/* The network's birth, and what the stack is given at each start. */
#include <string.h>

#include "jobs.h"
#include "log.h"
#include "network.h"

enum {
	OWN_ADDRESS = 0x0001,
	OWN_DEFAULT_TTL = 15, /* what we answer with; requests carry their own */
};

/* RFC 9562, version 4. */
static void random_uuid(void (*random)(void *ctx, void *out, size_t n), void *ctx,
			uint8_t uuid[UUID_LEN])
{
	random(ctx, uuid, UUID_LEN);
	uuid[6] = (uint8_t)((uuid[6] & 0x0F) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3F) | 0x80);
}

static bool birth(struct db *db, void (*random)(void *ctx, void *out, size_t n), void *ctx,
		  int64_t now)
{
	struct db_network n = { .name = "Meshmason network",
				.address = OWN_ADDRESS,
				.iv_recovered = UINT32_MAX,
				.created = now };
	struct db_net_key net = { .name = "Primary", .created = now };
	struct db_app_key app = { .name = "Application", .created = now };
	bool ok;

	random_uuid(random, ctx, n.uuid);
	random(ctx, &n.device_key, sizeof n.device_key);
	random(ctx, &net.key, sizeof net.key);
	random(ctx, &app.key, sizeof app.key);
	ok = db_network_create(db, &n) == DB_OK &&
	     db_address_claim(db, OWN_ADDRESS, 1, n.uuid, 0) == DB_OK &&
	     db_net_key_put(db, &net) == DB_OK && db_app_key_put(db, &app) == DB_OK;
	secret_wipe(&n, sizeof n);
	secret_wipe(&net, sizeof net);
	secret_wipe(&app, sizeof app);
	return ok;
}

bool jobs_network_boot(struct db *db, void (*random)(void *ctx, void *out, size_t n), void *ctx,
		       int64_t now, struct mesh_boot *out, bool *born)
{
	struct db_network n;
	enum db_rc rc = db_network_get(db, &n);

	*born = rc == DB_NONE;
	if (rc == DB_NONE && birth(db, random, ctx, now))
		rc = db_network_get(db, &n);
	if (rc != DB_OK)
		return false;
	memset(out, 0, sizeof *out);
	out->address = n.address;
	memcpy(out->uuid, n.uuid, UUID_LEN);
	out->device_key = n.device_key;
	out->iv.index = n.iv_index;
	out->iv.update = n.iv_update;
	out->iv.hours_in_state = n.iv_hours;
	out->iv.hours_since_recovery = n.iv_recovered;
	out->seq_reserved = n.seq_reserved;
	out->default_ttl = OWN_DEFAULT_TTL;
	secret_wipe(&n, sizeof n);
	return true;
}

struct restore {
	struct mesh *mesh;
	bool ok;
};

static void give_net_key(void *ctx, const struct db_net_key *k)
{
	struct restore *r = ctx;

	r->ok &= mesh_net_key_add(r->mesh, k->index, &k->key);
}

static void give_app_key(void *ctx, const struct db_app_key *k)
{
	struct restore *r = ctx;

	r->ok &= mesh_app_key_add(r->mesh, k->index, k->net_index, &k->key);
}

bool network_give_node(struct mesh *mesh, const struct db_node *n)
{
	bool moves = n->has_candidate && n->refresh.address;
	bool ok = mesh_node_set(mesh, n->address, n->elements, &n->device_key,
				n->has_candidate && !moves ? &n->candidate : NULL);

	if (moves)
		ok &= mesh_node_set(mesh, n->refresh.address, n->refresh.elements, &n->candidate,
				    NULL);
	return ok;
}

static void give_node(void *ctx, const struct db_node *n)
{
	struct restore *r = ctx;

	r->ok &= network_give_node(r->mesh, n);
}

static void give_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
	struct restore *r = ctx;

	mesh_replay_restore(r->mesh, src, ivi_seq);
}

bool jobs_network_restore(struct db *db, struct mesh *mesh)
{
	struct restore r = { mesh, true };
	struct db_node_filter all = { .server = -1, .state = -1, .with_pending = true };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];

	if (db_net_keys(db, give_net_key, &r) != DB_OK ||
	    db_app_keys(db, give_app_key, &r) != DB_OK)
		return false;
	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_nodes(db, &all, &page, give_node, &r, next) != DB_OK)
			return false;
	} while (*next);
	return db_replay_each(db, give_replay, &r) == DB_OK && r.ok;
}
