/* SPDX-License-Identifier: Apache-2.0 */
#include "db_nodes.h"

#include <stdio.h>
#include <string.h>

#include "crypto.h"
#include "facts.h"
#include "sql.h"

#define NODE_COLUMNS                                                                          \
	"address, uuid, elements, state, device_key_sealed, candidate_sealed, device_key_id," \
	" name, area, profile, net_index, composition, company, product, version, features,"  \
	" server, scan_max_items, scan_active, relay, default_ttl, hops, via, algorithm,"     \
	" auth_method, oob_public_key, job, created, key_created, joined, configured, heard," \
	" " FACTS_COLUMNS ", refresh_step, refresh_procedure, refresh_address,"               \
	" refresh_elements, refresh_since, refresh_task, composition_change"

static const char *row_of(char out[16], uint16_t address)
{
	snprintf(out, 16, "%u", address);
	return out;
}

static bool node_read(struct sql *q, struct db_node *n)
{
	char row[16];
	bool ok;

	memset(n, 0, sizeof *n);
	n->address = (uint16_t)sql_get_int(q);
	row_of(row, n->address);
	sql_get_blob(q, n->uuid, UUID_LEN);
	n->elements = (uint8_t)sql_get_int(q);
	n->state = (enum db_node_state)sql_get_int(q);
	ok = sql_get_secret(q, "nodes.device_key", row, &n->device_key, sizeof n->device_key);
	n->has_candidate = !sql_get_is_null(q);
	if (n->has_candidate)
		ok &= sql_get_secret(q, "nodes.candidate", row, &n->candidate, sizeof n->candidate);
	else
		q->column++;
	sql_get_text(q, n->device_key_id, sizeof n->device_key_id);
	sql_get_text(q, n->name, sizeof n->name);
	sql_get_text(q, n->area, sizeof n->area);
	sql_get_text(q, n->profile, sizeof n->profile);
	n->net_index = (uint16_t)sql_get_int(q);
	size_t len = sql_get_blob(q, n->composition, sizeof n->composition);
	n->composition_len = (uint16_t)(len < DB_COMPOSITION ? len : DB_COMPOSITION);
	n->company = (uint16_t)sql_get_int(q);
	n->product = (uint16_t)sql_get_int(q);
	n->version = (uint16_t)sql_get_int(q);
	n->features = (uint16_t)sql_get_int(q);
	n->server = sql_get_int(q);
	n->scan_max_items = (uint8_t)sql_get_int(q);
	n->scan_active = sql_get_int(q);
	n->relay = sql_get_int(q);
	n->default_ttl = (uint8_t)sql_get_int(q);
	n->hops = (int)sql_get_int(q);
	n->via = (uint16_t)sql_get_int(q);
	n->algorithm = (uint8_t)sql_get_int(q);
	n->auth_method = (uint8_t)sql_get_int(q);
	n->oob_public_key = sql_get_int(q);
	n->job = sql_get_int(q);
	n->created = sql_get_int(q);
	n->key_created = sql_get_int(q);
	n->joined = sql_get_int(q);
	n->configured = sql_get_int(q);
	n->heard = sql_get_int(q);
	facts_read(q, &n->certificate);
	n->refresh.step = (enum db_refresh_step)sql_get_int(q);
	n->refresh.procedure = (uint8_t)sql_get_int(q);
	n->refresh.address = (uint16_t)sql_get_int(q);
	n->refresh.elements = (uint8_t)sql_get_int(q);
	n->refresh.since = sql_get_int(q);
	n->refresh.task = sql_get_int(q);
	n->composition_change = sql_get_int(q);
	return ok;
}

static void node_bind(struct sql *q, const struct db_node *n)
{
	char row[16], id[KEY_ID_TEXT];

	row_of(row, n->address);
	sql_int(q, n->address);
	sql_blob(q, n->uuid, UUID_LEN);
	sql_int(q, n->elements);
	sql_int(q, n->state);
	sql_secret(q, "nodes.device_key", row, &n->device_key, sizeof n->device_key);
	if (n->has_candidate)
		sql_secret(q, "nodes.candidate", row, &n->candidate, sizeof n->candidate);
	else
		sql_null(q);
	sql_text(q, device_key_id(&n->device_key, id));
	sql_text(q, n->name);
	sql_text(q, n->area);
	sql_text(q, n->profile);
	sql_int(q, n->net_index);
	sql_blob(q, n->composition, n->composition_len);
	sql_int(q, n->company);
	sql_int(q, n->product);
	sql_int(q, n->version);
	sql_int(q, n->features);
	sql_int(q, n->server);
	sql_int(q, n->scan_max_items);
	sql_int(q, n->scan_active);
	sql_int(q, n->relay);
	sql_int(q, n->default_ttl);
	sql_int(q, n->hops);
	sql_int(q, n->via);
	sql_int(q, n->algorithm);
	sql_int(q, n->auth_method);
	sql_int(q, n->oob_public_key);
	sql_int(q, n->job);
	sql_int(q, n->created);
	sql_int(q, n->key_created);
	sql_int(q, n->joined);
	sql_int(q, n->configured);
	sql_int(q, n->heard);
	facts_bind(q, &n->certificate);
	sql_int(q, n->refresh.step);
	sql_int(q, n->refresh.procedure);
	sql_int(q, n->refresh.address);
	sql_int(q, n->refresh.elements);
	sql_int(q, n->refresh.since);
	sql_int(q, n->refresh.task);
	sql_int(q, n->composition_change);
}

static enum db_rc get_one(struct sql *q, struct db_node *out)
{
	enum db_rc rc = sql_row(q);

	if (rc == DB_OK && !node_read(q, out))
		rc = DB_ERROR;
	sql_end(q);
	return rc;
}

enum db_rc db_node_get(struct db *db, uint16_t address, struct db_node *out)
{
	struct sql q = sql_read(db, "SELECT " NODE_COLUMNS " FROM nodes WHERE address = ?");

	sql_int(&q, address);
	return get_one(&q, out);
}

enum db_rc db_node_get_uuid(struct db *db, const uint8_t uuid[UUID_LEN], struct db_node *out)
{
	struct sql q = sql_read(db, "SELECT " NODE_COLUMNS " FROM nodes WHERE uuid = ?");

	sql_blob(&q, uuid, UUID_LEN);
	return get_one(&q, out);
}

#define TEN_MARKS "?,?,?,?,?,?,?,?,?,?"

enum db_rc db_node_insert(struct db *db, const struct db_node *n)
{
	struct sql q = sql_write(db, "INSERT INTO nodes (" NODE_COLUMNS ") VALUES (" TEN_MARKS
				     "," TEN_MARKS "," TEN_MARKS "," TEN_MARKS ",?,?,?,?,?,?)");

	node_bind(&q, n);
	return sql_run(&q);
}

static enum db_rc write_row(struct db *db, uint16_t where, const struct db_node *n)
{
	struct sql q =
		sql_write(db, "UPDATE nodes SET (" NODE_COLUMNS ") = (" TEN_MARKS "," TEN_MARKS
			      "," TEN_MARKS "," TEN_MARKS ",?,?,?,?,?,?) WHERE address = ?");

	node_bind(&q, n);
	sql_int(&q, where);
	return sql_run(&q);
}

/* What others know it by as a server. */
static enum db_rc rename_server(struct db *db, uint16_t from, uint16_t to)
{
	static const char *const texts[] = {
		"UPDATE nodes SET via = ? WHERE via = ?",
		"UPDATE sightings SET server = ? WHERE server = ?",
		"UPDATE devices SET best_server = ? WHERE best_server = ?",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct sql q = sql_write(db, texts[i]);

		sql_int(&q, to);
		sql_int(&q, from);
		if (sql_run(&q) == DB_ERROR)
			return DB_ERROR;
	}
	return DB_OK;
}

enum db_rc db_node_move(struct db *db, uint16_t from, const struct db_node *n)
{
	enum db_rc rc = write_row(db, from, n);

	return rc == DB_OK ? rename_server(db, from, n->address) : rc;
}

enum db_rc db_node_update(struct db *db, const struct db_node *n)
{
	return write_row(db, n->address, n);
}

enum db_rc db_node_set_label(struct db *db, uint16_t address, const char *name, const char *area,
			     const char *profile)
{
	struct sql q =
		sql_write(db, "UPDATE nodes SET name = coalesce(?, name), area = coalesce(?, area),"
			      " profile = coalesce(?, profile) WHERE address = ?");

	sql_text(&q, name);
	sql_text(&q, area);
	sql_text(&q, profile);
	sql_int(&q, address);
	return sql_run(&q);
}

enum db_rc db_node_set_heard(struct db *db, uint16_t address, int64_t when, int hops)
{
	struct sql q = sql_write(db, "UPDATE nodes SET heard = ?, hops = ? WHERE address = ?");

	sql_int(&q, when);
	sql_int(&q, hops);
	sql_int(&q, address);
	return sql_run(&q);
}

enum db_rc db_node_delete(struct db *db, uint16_t address)
{
	struct sql q = sql_write(db, "DELETE FROM nodes WHERE address = ?");

	sql_int(&q, address);
	return sql_run(&q);
}

static void node_where(struct sql_where *w, const struct db_node_filter *f)
{
	if (!f || (f->state < 0 && !f->with_pending))
		sql_where_plain(w, "state > 0");
	if (!f)
		return;
	if (f->area)
		sql_where_text(w, "area = ?", f->area);
	if (f->search)
		sql_where_search(w,
				 "name LIKE ? ESCAPE '\\' OR lower(hex(uuid)) LIKE"
				 " replace(?, '-', '') ESCAPE '\\'"
				 " OR printf('0x%04x', address) LIKE ? ESCAPE '\\'",
				 3, f->search);
	if (f->uuid)
		sql_where_blob(w, "uuid = ?", f->uuid, UUID_LEN);
	if (f->server >= 0)
		sql_where_int(w, "server = ?", f->server);
	if (f->state >= 0)
		sql_where_int(w, "state = ?", f->state);
	if (f->refreshing)
		sql_where_plain(w, "refresh_step > 0");
}

struct each {
	void (*each)(void *ctx, const struct db_node *n);
	void *ctx;
};

static bool give(struct sql *q, void *ctx)
{
	const struct each *e = ctx;
	struct db_node n;
	bool ok = node_read(q, &n);

	if (ok)
		e->each(e->ctx, &n);
	secret_wipe(&n, sizeof n);
	return ok;
}

enum db_rc db_nodes(struct db *db, const struct db_node_filter *f, const struct db_page *page,
		    void (*each)(void *ctx, const struct db_node *n), void *ctx,
		    char next[DB_CURSOR])
{
	static const struct sql_sort sorts[] = {
		{ "address", "address" }, { "name", "name" },	      { "area", "area" },
		{ "heard", "heard" },	  { "hops", "hops" },	      { "created", "created" },
		{ "uuid", "uuid" },	  { "elements", "elements" },
	};
	static const struct sql_list list = { NODE_COLUMNS, "nodes", "address", sorts,
					      ARRAY_LEN(sorts) };
	struct each e = { each, ctx };
	struct sql_where w = { 0 };

	node_where(&w, f);
	return sql_list(db, &list, &w, page, give, &e, next);
}

enum db_rc db_node_count(struct db *db, const struct db_node_filter *f, int64_t *out)
{
	struct sql_where w = { 0 };

	node_where(&w, f);
	return sql_count(db, "nodes", &w, out);
}
