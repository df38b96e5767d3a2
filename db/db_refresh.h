/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of nodes beyond their row: pages, states of their models, refreshes done. All of it
 * goes with the node. */
#ifndef MESHMASON_DB_REFRESH_H
#define MESHMASON_DB_REFRESH_H

#include "db.h"

/* Composition Data pages, without the page octet. */
enum { DB_PAGE_MAX = 4096 };
struct db_node_page {
	uint8_t page;
	struct bytes data; /* valid during each() only */
	int64_t read_at;
};
enum db_rc db_node_page_put(struct db *db, const uint8_t uuid[UUID_LEN],
			    const struct db_node_page *p);
enum db_rc db_node_page_delete(struct db *db, const uint8_t uuid[UUID_LEN], uint8_t page);
/* DB_NONE: not stored. A page longer than out is not given either. */
enum db_rc db_node_page_get(struct db *db, const uint8_t uuid[UUID_LEN], uint8_t page, uint8_t *out,
			    size_t size, size_t *n);
/* By number. */
enum db_rc db_node_pages(struct db *db, const uint8_t uuid[UUID_LEN],
			 void (*each)(void *ctx, const struct db_node_page *p), void *ctx);

/* What a model was told to do, as read from the node before it was refreshed. */
enum db_model_kind { DB_MODEL_BINDING, DB_MODEL_PUBLICATION, DB_MODEL_SUBSCRIPTION };
enum { DB_MODEL_VALUE = 16 };
struct db_model_state {
	uint8_t element; /* counted from the primary */
	bool vendor;
	uint32_t model; /* company << 16 | id of a vendor model */
	enum db_model_kind kind;
	uint8_t n, value[DB_MODEL_VALUE];
};
/* The same twice is one. */
enum db_rc db_model_state_put(struct db *db, const uint8_t uuid[UUID_LEN],
			      const struct db_model_state *s);
enum db_rc db_model_states_delete(struct db *db, const uint8_t uuid[UUID_LEN]);
enum db_rc db_model_states(struct db *db, const uint8_t uuid[UUID_LEN],
			   void (*each)(void *ctx, const struct db_model_state *s), void *ctx);

struct db_restored {
	unsigned restored, lost;
};
struct db_refreshed {
	int64_t id;
	int64_t at; /* Unix milliseconds */
	uint8_t procedure;
	int64_t task;
	uint16_t old_address, new_address;
	struct bytes before, after; /* page 0; of the get functions valid during each() only */
	bool reread;		    /* after and what follows are known */
	struct db_restored bindings, publications, subscriptions;
};
enum { DB_REFRESHES_KEPT = 50 };
/* before as given, after empty. Of each node the last DB_REFRESHES_KEPT stay. */
enum db_rc db_refresh_insert(struct db *db, const uint8_t uuid[UUID_LEN],
			     const struct db_refreshed *r);
/* Of the node's last one: after and what follows. */
enum db_rc db_refresh_reread(struct db *db, const uint8_t uuid[UUID_LEN],
			     const struct db_refreshed *r);
/* The newest first. */
enum db_rc db_refreshes(struct db *db, const uint8_t uuid[UUID_LEN], unsigned most,
			void (*each)(void *ctx, const struct db_refreshed *r), void *ctx);

#endif
