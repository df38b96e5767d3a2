/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "db_network.h"
#include "sql.h"

enum { ROW_TEXT = 16 };

static const char *row_of(char out[ROW_TEXT], uint16_t index)
{
	snprintf(out, ROW_TEXT, "%u", index);
	return out;
}

enum db_rc db_net_key_put(struct db *db, const struct db_net_key *k)
{
	char row[ROW_TEXT];
	struct sql q = sql_write(
		db, "INSERT INTO net_keys (key_index, name, phase, key_sealed, new_key_sealed,"
		    " created) VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (key_index) DO UPDATE"
		    " SET name = ?2, phase = ?3, key_sealed = ?4, new_key_sealed = ?5");

	row_of(row, k->index);
	sql_int(&q, k->index);
	sql_text(&q, k->name);
	sql_int(&q, k->phase);
	sql_secret(&q, "net_keys.key", row, &k->key, sizeof k->key);
	if (k->has_new)
		sql_secret(&q, "net_keys.new_key", row, &k->new_key, sizeof k->new_key);
	else
		sql_null(&q);
	sql_int(&q, k->created);
	return sql_run(&q);
}

static bool net_key_read(struct sql *q, struct db_net_key *k)
{
	char row[ROW_TEXT];
	bool ok;

	*k = (struct db_net_key){ .index = (uint16_t)sql_get_int(q) };
	row_of(row, k->index);
	sql_get_text(q, k->name, sizeof k->name);
	k->phase = (uint8_t)sql_get_int(q);
	ok = sql_get_secret(q, "net_keys.key", row, &k->key, sizeof k->key);
	k->has_new = !sql_get_is_null(q);
	if (k->has_new)
		ok &= sql_get_secret(q, "net_keys.new_key", row, &k->new_key, sizeof k->new_key);
	else
		q->column++;
	k->created = sql_get_int(q);
	return ok;
}

#define NET_KEY_COLUMNS "key_index, name, phase, key_sealed, new_key_sealed, created"

enum db_rc db_net_key_get(struct db *db, uint16_t index, struct db_net_key *out)
{
	struct sql q = sql_read(db, "SELECT " NET_KEY_COLUMNS " FROM net_keys WHERE key_index = ?");

	sql_int(&q, index);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK && !net_key_read(&q, out))
		rc = DB_ERROR;
	sql_end(&q);
	return rc;
}

enum db_rc db_net_keys(struct db *db, void (*each)(void *ctx, const struct db_net_key *k),
		       void *ctx)
{
	struct sql q = sql_read(db, "SELECT " NET_KEY_COLUMNS " FROM net_keys ORDER BY key_index");
	struct db_net_key k = { 0 };
	enum db_rc rc;

	while ((rc = sql_row(&q)) == DB_OK) {
		if (!net_key_read(&q, &k)) {
			rc = DB_ERROR;
			break;
		}
		each(ctx, &k);
	}
	sql_end(&q);
	secret_wipe(&k, sizeof k);
	return rc == DB_NONE ? DB_OK : rc;
}

enum db_rc db_app_key_put(struct db *db, const struct db_app_key *k)
{
	char row[ROW_TEXT];
	struct sql q = sql_write(
		db, "INSERT INTO app_keys (key_index, net_index, name, key_sealed, created)"
		    " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key_index) DO UPDATE"
		    " SET net_index = ?2, name = ?3, key_sealed = ?4");

	sql_int(&q, k->index);
	sql_int(&q, k->net_index);
	sql_text(&q, k->name);
	sql_secret(&q, "app_keys.key", row_of(row, k->index), &k->key, sizeof k->key);
	sql_int(&q, k->created);
	return sql_run(&q);
}

static bool app_key_read(struct sql *q, struct db_app_key *k)
{
	char row[ROW_TEXT];
	bool ok;

	*k = (struct db_app_key){ .index = (uint16_t)sql_get_int(q) };
	k->net_index = (uint16_t)sql_get_int(q);
	sql_get_text(q, k->name, sizeof k->name);
	ok = sql_get_secret(q, "app_keys.key", row_of(row, k->index), &k->key, sizeof k->key);
	k->created = sql_get_int(q);
	return ok;
}

#define APP_KEY_COLUMNS "key_index, net_index, name, key_sealed, created"

enum db_rc db_app_key_get(struct db *db, uint16_t index, struct db_app_key *out)
{
	struct sql q = sql_read(db, "SELECT " APP_KEY_COLUMNS " FROM app_keys WHERE key_index = ?");

	sql_int(&q, index);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK && !app_key_read(&q, out))
		rc = DB_ERROR;
	sql_end(&q);
	return rc;
}

enum db_rc db_app_keys(struct db *db, void (*each)(void *ctx, const struct db_app_key *k),
		       void *ctx)
{
	struct sql q = sql_read(db, "SELECT " APP_KEY_COLUMNS " FROM app_keys ORDER BY key_index");
	struct db_app_key k = { 0 };
	enum db_rc rc;

	while ((rc = sql_row(&q)) == DB_OK) {
		if (!app_key_read(&q, &k)) {
			rc = DB_ERROR;
			break;
		}
		each(ctx, &k);
	}
	sql_end(&q);
	secret_wipe(&k, sizeof k);
	return rc == DB_NONE ? DB_OK : rc;
}
