/* SPDX-License-Identifier: Apache-2.0 */
#include "db_network.h"

#include "sql.h"

enum db_rc db_network_get(struct db *db, struct db_network *out)
{
	struct sql q = sql_read(
		db, "SELECT name, address, uuid, device_key_sealed, iv_index, iv_update, iv_hours,"
		    " iv_recovered, seq_reserved, created FROM network WHERE id = 1");
	enum db_rc rc = sql_row(&q);

	if (rc != DB_OK)
		return rc;
	sql_get_text(&q, out->name, sizeof out->name);
	out->address = (uint16_t)sql_get_int(&q);
	sql_get_blob(&q, out->uuid, UUID_LEN);
	if (!sql_get_secret(&q, "network.device_key", "1", &out->device_key,
			    sizeof out->device_key))
		rc = DB_ERROR;
	out->iv_index = (uint32_t)sql_get_int(&q);
	out->iv_update = sql_get_int(&q);
	out->iv_hours = (uint32_t)sql_get_int(&q);
	out->iv_recovered = (uint32_t)sql_get_int(&q);
	out->seq_reserved = (uint32_t)sql_get_int(&q);
	out->created = sql_get_int(&q);
	sql_end(&q);
	return rc;
}

enum db_rc db_network_create(struct db *db, const struct db_network *n)
{
	struct sql q = sql_write(
		db, "INSERT INTO network (id, name, address, uuid, device_key_sealed, iv_index,"
		    " iv_update, iv_hours, iv_recovered, seq_reserved, created)"
		    " VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	sql_text(&q, n->name);
	sql_int(&q, n->address);
	sql_blob(&q, n->uuid, UUID_LEN);
	sql_secret(&q, "network.device_key", "1", &n->device_key, sizeof n->device_key);
	sql_int(&q, n->iv_index);
	sql_int(&q, n->iv_update);
	sql_int(&q, n->iv_hours);
	sql_int(&q, n->iv_recovered);
	sql_int(&q, n->seq_reserved);
	sql_int(&q, n->created);
	return sql_run(&q);
}

enum db_rc db_network_save_seq(struct db *db, uint32_t reserved)
{
	struct sql q = sql_write(db, "UPDATE network SET seq_reserved = ? WHERE id = 1");

	sql_int(&q, reserved);
	return sql_run(&q);
}

enum db_rc db_network_save_iv(struct db *db, uint32_t index, bool update, uint32_t hours,
			      uint32_t recovered, uint32_t seq_reserved)
{
	struct sql q = sql_write(db, "UPDATE network SET iv_index = ?, iv_update = ?, iv_hours = ?,"
				     " iv_recovered = ?, seq_reserved = ? WHERE id = 1");

	sql_int(&q, index);
	sql_int(&q, update);
	sql_int(&q, hours);
	sql_int(&q, recovered);
	sql_int(&q, seq_reserved);
	return sql_run(&q);
}

enum db_rc db_replay_save(struct db *db, uint16_t src, uint64_t ivi_seq)
{
	struct sql q = sql_write(db, "INSERT INTO replay (src, ivi_seq) VALUES (?, ?)"
				     " ON CONFLICT (src) DO UPDATE SET ivi_seq ="
				     " max(ivi_seq, excluded.ivi_seq)");

	sql_int(&q, src);
	sql_int(&q, (int64_t)ivi_seq);
	return sql_run(&q);
}

enum db_rc db_replay_each(struct db *db, void (*each)(void *ctx, uint16_t src, uint64_t ivi_seq),
			  void *ctx)
{
	struct sql q = sql_read(db, "SELECT src, ivi_seq FROM replay ORDER BY src");
	enum db_rc rc;

	while ((rc = sql_row(&q)) == DB_OK) {
		uint16_t src = (uint16_t)sql_get_int(&q);

		each(ctx, src, (uint64_t)sql_get_int(&q));
	}
	return rc == DB_NONE ? DB_OK : rc;
}

enum db_rc db_replay_forget(struct db *db, uint16_t first, uint16_t count)
{
	struct sql q = sql_write(db, "DELETE FROM replay WHERE src >= ? AND src < ?");

	sql_int(&q, first);
	sql_int(&q, (int64_t)first + count);
	return sql_run(&q);
}
