/* SPDX-License-Identifier: Apache-2.0 */
/* Our network: ourselves, keys, sequence numbers, IV Index, replay list. */
#ifndef MESHMASON_DB_NETWORK_H
#define MESHMASON_DB_NETWORK_H

#include "db.h"

struct db_network {
	char name[DB_NAME];
	uint16_t address; /* our primary element */
	uint8_t uuid[UUID_LEN];
	struct secret16 device_key;
	uint32_t iv_index;
	bool iv_update;
	uint32_t iv_hours;     /* in this IV state, hours of mesh life */
	uint32_t iv_recovered; /* hours since IV recovery, UINT32_MAX never */
	uint32_t seq_reserved; /* numbers below it may have been used */
	int64_t created;       /* Unix milliseconds */
};

/* DB_NONE before the network's birth. */
enum db_rc db_network_get(struct db *db, struct db_network *out);
/* Birth: DB_CONFLICT when there is one already. */
enum db_rc db_network_create(struct db *db, const struct db_network *n);
enum db_rc db_network_save_seq(struct db *db, uint32_t reserved);
enum db_rc db_network_save_iv(struct db *db, uint32_t index, bool update, uint32_t hours,
			      uint32_t recovered, uint32_t seq_reserved);

struct db_net_key {
	uint16_t index;
	char name[DB_NAME];
	uint8_t phase; /* key refresh: 0, 1, 2 */
	struct secret16 key;
	bool has_new;
	struct secret16 new_key;
	int64_t created;
};
enum db_rc db_net_key_put(struct db *db, const struct db_net_key *k);
enum db_rc db_net_key_get(struct db *db, uint16_t index, struct db_net_key *out);
enum db_rc db_net_keys(struct db *db, void (*each)(void *ctx, const struct db_net_key *k),
		       void *ctx);

struct db_app_key {
	uint16_t index, net_index;
	char name[DB_NAME];
	struct secret16 key;
	int64_t created;
};
enum db_rc db_app_key_put(struct db *db, const struct db_app_key *k);
enum db_rc db_app_key_get(struct db *db, uint16_t index, struct db_app_key *out);
enum db_rc db_app_keys(struct db *db, void (*each)(void *ctx, const struct db_app_key *k),
		       void *ctx);

/* Replay list: IV Index << 24 | SEQ per source. Never goes down. */
enum db_rc db_replay_save(struct db *db, uint16_t src, uint64_t ivi_seq);
enum db_rc db_replay_each(struct db *db, void (*each)(void *ctx, uint16_t src, uint64_t ivi_seq),
			  void *ctx);
enum db_rc db_replay_forget(struct db *db, uint16_t first, uint16_t count);

/*
 * Unicast addresses. A range goes from free to reserved before Provisioning Data leaves, and never
 * straight back: once Data may have left it becomes a node's, or burnt (never used again); after a
 * node's removal it is excluded until the IV Index has advanced by 2.
 */
enum db_address_state {
	DB_ADDRESS_RESERVED, /* offered to a device, the outcome is not known */
	DB_ADDRESS_USED,     /* a node's (or ours) */
	DB_ADDRESS_EXCLUDED, /* a node's that was removed: free again 2 IV indexes later */
	DB_ADDRESS_BURNT,    /* Provisioning Data left and it was not adopted */
};
struct db_address {
	uint16_t first, count;
	enum db_address_state state;
	uint8_t uuid[UUID_LEN];
	uint32_t iv_index; /* when it got into this state */
};
/* The lowest free contiguous range of count addresses from 0x0002 upward, reserved for uuid.
 * Excluded ranges that the IV Index has freed are taken up again. DB_NONE: the space is full. */
enum db_rc db_address_reserve(struct db *db, uint8_t count, const uint8_t uuid[UUID_LEN],
			      uint32_t iv_index, uint16_t *first);
/* The same for a node that is to move: first what was offered to it before, in vain. */
enum db_rc db_address_reserve_again(struct db *db, uint8_t count, const uint8_t uuid[UUID_LEN],
				    uint32_t iv_index, uint16_t *first);
/* What was offered to it in vain is for nobody any more: in its next life a device counts from zero
 * again, and may have been at those addresses in this one. DB_NONE: there is nothing. */
enum db_rc db_address_disown(struct db *db, const uint8_t uuid[UUID_LEN]);
/* This range. DB_CONFLICT: some of it is not free for that device. */
enum db_rc db_address_reserve_at(struct db *db, uint16_t first, uint8_t count,
				 const uint8_t uuid[UUID_LEN], uint32_t iv_index);
/* They change nothing: DB_OK or DB_CONFLICT; DB_OK or DB_NONE. */
enum db_rc db_address_is_free(struct db *db, uint16_t first, uint8_t count,
			      const uint8_t uuid[UUID_LEN], uint32_t iv_index);
enum db_rc db_address_lowest_free(struct db *db, uint8_t count, uint32_t iv_index, uint16_t *first);
enum db_rc db_address_set(struct db *db, uint16_t first, enum db_address_state state,
			  uint32_t iv_index);
/* Only for a reservation whose stored step proves that Data never left. */
enum db_rc db_address_release(struct db *db, uint16_t first);
enum db_rc db_address_claim(struct db *db, uint16_t first, uint16_t count,
			    const uint8_t uuid[UUID_LEN], uint32_t iv_index);
enum db_rc db_addresses(struct db *db, void (*each)(void *ctx, const struct db_address *a),
			void *ctx);
enum db_rc db_address_free_count(struct db *db, uint32_t iv_index, uint32_t *out);

#endif
