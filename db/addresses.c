/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unicast ranges that are not free. Nothing here frees a range by itself but the IV Index: an
 * excluded one is gone from the table when the index has advanced by 2 (Mesh 3.10.5, 4.2.x: no
 * node can hold replay state of it any more).
 */
#include "db_network.h"
#include "mesh_const.h"
#include "sql.h"

enum { FIRST_ADDRESS = 0x0002, IV_GAP = 2 };

static enum db_rc free_excluded(struct db *db, uint32_t iv_index)
{
	struct sql look = sql_read(
		db, "SELECT count(*) FROM addresses WHERE state = 2 AND iv_index + 2 <= ?");
	int64_t n = 0;

	sql_int(&look, iv_index);
	enum db_rc rc = sql_row(&look);
	if (rc == DB_OK)
		n = sql_get_int(&look);
	sql_end(&look);
	if (rc == DB_ERROR || n == 0)
		return rc;
	struct sql q = sql_write(db, "DELETE FROM addresses WHERE state = 2 AND iv_index + 2 <= ?");
	sql_int(&q, iv_index);
	return sql_run(&q);
}

/* The lowest gap of count addresses; 0 when there is none. */
static enum db_rc find_gap(struct db *db, uint8_t count, uint32_t iv_index, uint16_t *first)
{
	struct sql q = sql_read(db, "SELECT first, count FROM addresses"
				    " WHERE NOT (state = 2 AND iv_index + 2 <= ?) ORDER BY first");
	uint32_t next = FIRST_ADDRESS;
	enum db_rc rc;

	sql_int(&q, iv_index);
	while ((rc = sql_row(&q)) == DB_OK) {
		uint32_t at = (uint32_t)sql_get_int(&q), n = (uint32_t)sql_get_int(&q);

		if (at >= next + count)
			break;
		if (at + n > next)
			next = at + n;
	}
	sql_end(&q);
	if (rc == DB_ERROR)
		return rc;
	if (next + count - 1u > ADDR_UNICAST_LAST)
		return DB_NONE;
	*first = (uint16_t)next;
	return DB_OK;
}

static enum db_rc insert(struct db *db, const struct db_address *a)
{
	struct sql q = sql_write(db, "INSERT INTO addresses (first, count, state, uuid, iv_index)"
				     " VALUES (?, ?, ?, ?, ?)");

	sql_int(&q, a->first);
	sql_int(&q, a->count);
	sql_int(&q, a->state);
	sql_blob(&q, a->uuid, UUID_LEN);
	sql_int(&q, a->iv_index);
	return sql_run(&q);
}

static void address_fill(struct db_address *a, uint16_t first, uint16_t count,
			 enum db_address_state state, const uint8_t uuid[UUID_LEN],
			 uint32_t iv_index)
{
	*a = (struct db_address){
		.first = first, .count = count, .state = state, .iv_index = iv_index
	};
	for (size_t i = 0; i < UUID_LEN; i++)
		a->uuid[i] = uuid[i];
}

enum db_rc db_address_reserve(struct db *db, uint8_t count, const uint8_t uuid[UUID_LEN],
			      uint32_t iv_index, uint16_t *first)
{
	struct db_address a;
	enum db_rc rc = count ? free_excluded(db, iv_index) : DB_CONFLICT;

	if (rc == DB_ERROR || !count)
		return rc;
	rc = find_gap(db, count, iv_index, first);
	if (rc != DB_OK)
		return rc;
	address_fill(&a, *first, count, DB_ADDRESS_RESERVED, uuid, iv_index);
	return insert(db, &a);
}

/* What was offered to that very device in vain may be offered to it again; it stays burnt for all
 * others. DB_NONE: there is no such range. */
static enum db_rc find_offered(struct db *db, uint16_t first, uint8_t count,
			       const uint8_t uuid[UUID_LEN], uint16_t *out)
{
	struct sql q = sql_read(db, "SELECT first FROM addresses WHERE uuid = ? AND state = 3"
				    " AND count >= ? AND (first = ? OR ? = 0) ORDER BY first");

	sql_blob(&q, uuid, UUID_LEN);
	sql_int(&q, count);
	sql_int(&q, first);
	sql_int(&q, first);
	enum db_rc rc = sql_row(&q);
	if (rc == DB_OK)
		*out = (uint16_t)sql_get_int(&q);
	sql_end(&q);
	return rc;
}

enum db_rc db_address_reserve_again(struct db *db, uint8_t count, const uint8_t uuid[UUID_LEN],
				    uint32_t iv_index, uint16_t *first)
{
	enum db_rc rc = count ? find_offered(db, 0, count, uuid, first) : DB_CONFLICT;

	return rc == DB_NONE ? db_address_reserve(db, count, uuid, iv_index, first) : rc;
}

/* Anything but what the IV Index has freed, and what was only ever offered to uuid. */
static enum db_rc is_free(struct db *db, uint16_t first, uint8_t count,
			  const uint8_t uuid[UUID_LEN], uint32_t iv_index)
{
	struct sql q =
		sql_read(db, "SELECT 1 FROM addresses WHERE first < ? AND first + count > ?"
			     " AND NOT (state = 2 AND iv_index + 2 <= ?)"
			     " AND NOT (state = 3 AND first = ? AND count >= ? AND uuid = ?)");

	sql_int(&q, (int64_t)first + count);
	sql_int(&q, first);
	sql_int(&q, iv_index);
	sql_int(&q, first);
	sql_int(&q, count);
	sql_blob(&q, uuid, UUID_LEN);
	enum db_rc rc = sql_row(&q);
	sql_end(&q);
	return rc == DB_OK ? DB_CONFLICT : rc == DB_NONE ? DB_OK : rc;
}

enum db_rc db_address_reserve_at(struct db *db, uint16_t first, uint8_t count,
				 const uint8_t uuid[UUID_LEN], uint32_t iv_index)
{
	struct db_address a;
	enum db_rc rc = db_address_is_free(db, first, count, uuid, iv_index);

	if (rc != DB_OK)
		return rc;
	rc = free_excluded(db, iv_index);
	if (rc == DB_ERROR)
		return rc;
	rc = find_offered(db, first, count, uuid, &first);
	if (rc != DB_NONE)
		return rc;
	address_fill(&a, first, count, DB_ADDRESS_RESERVED, uuid, iv_index);
	return insert(db, &a);
}

enum db_rc db_address_is_free(struct db *db, uint16_t first, uint8_t count,
			      const uint8_t uuid[UUID_LEN], uint32_t iv_index)
{
	if (first < FIRST_ADDRESS || !count || first + count - 1 > ADDR_UNICAST_LAST)
		return DB_CONFLICT;
	return is_free(db, first, count, uuid, iv_index);
}

enum db_rc db_address_lowest_free(struct db *db, uint8_t count, uint32_t iv_index, uint16_t *first)
{
	return find_gap(db, count, iv_index, first);
}

enum db_rc db_address_claim(struct db *db, uint16_t first, uint16_t count,
			    const uint8_t uuid[UUID_LEN], uint32_t iv_index)
{
	struct db_address a;
	struct sql q =
		sql_read(db, "SELECT 1 FROM addresses WHERE first < ? AND first + count > ?");

	sql_int(&q, (int64_t)first + count);
	sql_int(&q, first);
	enum db_rc rc = sql_row(&q);
	sql_end(&q);
	if (rc != DB_NONE)
		return rc == DB_OK ? DB_CONFLICT : rc;
	address_fill(&a, first, count, DB_ADDRESS_USED, uuid, iv_index);
	return insert(db, &a);
}

enum db_rc db_address_set(struct db *db, uint16_t first, enum db_address_state state,
			  uint32_t iv_index)
{
	struct sql q =
		sql_write(db, "UPDATE addresses SET state = ?, iv_index = ? WHERE first = ?");

	sql_int(&q, state);
	sql_int(&q, iv_index);
	sql_int(&q, first);
	return sql_run(&q);
}

enum db_rc db_address_disown(struct db *db, const uint8_t uuid[UUID_LEN])
{
	struct sql q = sql_write(
		db, "UPDATE addresses SET uuid = zeroblob(16) WHERE uuid = ? AND state = 3");

	sql_blob(&q, uuid, UUID_LEN);
	return sql_run(&q);
}

enum db_rc db_address_release(struct db *db, uint16_t first)
{
	struct sql q = sql_write(db, "DELETE FROM addresses WHERE first = ? AND state = 0");

	sql_int(&q, first);
	return sql_run(&q);
}

enum db_rc db_addresses(struct db *db, void (*each)(void *ctx, const struct db_address *a),
			void *ctx)
{
	struct sql q = sql_read(
		db, "SELECT first, count, state, uuid, iv_index FROM addresses ORDER BY first");
	struct db_address a;
	enum db_rc rc;

	while ((rc = sql_row(&q)) == DB_OK) {
		a.first = (uint16_t)sql_get_int(&q);
		a.count = (uint16_t)sql_get_int(&q);
		a.state = (enum db_address_state)sql_get_int(&q);
		sql_get_blob(&q, a.uuid, UUID_LEN);
		a.iv_index = (uint32_t)sql_get_int(&q);
		each(ctx, &a);
	}
	return rc == DB_NONE ? DB_OK : rc;
}

enum db_rc db_address_free_count(struct db *db, uint32_t iv_index, uint32_t *out)
{
	struct sql q = sql_read(db, "SELECT coalesce(sum(count), 0) FROM addresses"
				    " WHERE NOT (state = 2 AND iv_index + 2 <= ?)");

	sql_int(&q, iv_index);
	enum db_rc rc = sql_row(&q);
	*out = rc == DB_OK ? ADDR_UNICAST_LAST - (uint32_t)sql_get_int(&q) : 0;
	sql_end(&q);
	return rc;
}
