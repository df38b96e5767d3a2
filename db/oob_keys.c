/* SPDX-License-Identifier: Apache-2.0 */
#include "db_devices.h"
#include "sql.h"

enum db_rc db_device_set_oob_key(struct db *db, const uint8_t uuid[UUID_LEN], const uint8_t *key)
{
	struct sql q = sql_write(db, "UPDATE devices SET oob_public_key = ? WHERE uuid = ?");

	if (key)
		sql_blob(&q, key, DB_OOB_KEY);
	else
		sql_null(&q);
	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

enum db_rc db_device_oob_key(struct db *db, const uint8_t uuid[UUID_LEN], uint8_t out[DB_OOB_KEY])
{
	struct sql q = sql_read(db, "SELECT oob_public_key FROM devices WHERE uuid = ?"
				    " AND length(oob_public_key) = 64");

	sql_blob(&q, uuid, UUID_LEN);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK)
		sql_get_blob(&q, out, DB_OOB_KEY);
	sql_end(&q);
	return rc;
}
