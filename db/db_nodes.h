/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes: what we provisioned, and what we are about to (state pending). */
#ifndef MESHMASON_DB_NODES_H
#define MESHMASON_DB_NODES_H

#include "db.h"

enum db_node_state {
	DB_NODE_PENDING,    /* key and address are on disk, the node has not proved them */
	DB_NODE_JOINED,	    /* it answered under its key; not fully configured */
	DB_NODE_CONFIGURED, /* the profile is applied */
};

/* Facts of a device's certificate, for showing. */
struct db_certificate {
	bool present;
	char subject[DB_NAME * 2], issuer[DB_NAME * 2], serial[64];
	int64_t not_before, not_after; /* Unix seconds */
	uint8_t fingerprint[32];
};

enum { DB_COMPOSITION = 380, DB_KEY_ID = 9 };

/* A node is provisioned anew through itself, and how that ends is not known yet. */
enum db_refresh_step {
	DB_REFRESH_NONE,
	DB_REFRESH_OPENED,   /* Provisioning Data has not left: nothing can have changed */
	DB_REFRESH_DATA,     /* it may have; the candidate is in the row */
	DB_REFRESH_COMPLETE, /* the node has it, and waits for the close */
	DB_REFRESH_RESTORE,  /* done: key and address are the new ones; what else is new is not read
			      */
};
struct db_refresh {
	enum db_refresh_step step;
	uint8_t procedure; /* enum nppi_procedure */
	uint16_t address;  /* first of the new range; 0: it stays where it is */
	uint8_t elements;  /* of the new range */
	int64_t since;	   /* Unix milliseconds */
	int64_t task;	   /* that began it */
};

struct db_node {
	uint16_t address; /* primary */
	uint8_t uuid[UUID_LEN];
	uint8_t elements;
	enum db_node_state state;
	struct secret16 device_key;
	bool has_candidate;
	struct secret16 candidate;
	char device_key_id[DB_KEY_ID]; /* what may be shown; filled by the get and list functions */
	char name[DB_NAME], area[DB_NAME], profile[DB_NAME];
	uint16_t net_index;
	/* Composition Data page 0 as heard, without the page octet; company..features decoded */
	uint16_t composition_len;
	uint8_t composition[DB_COMPOSITION];
	uint16_t company, product, version, features;
	bool server;		/* hosts the Remote Provisioning Server */
	uint8_t scan_max_items; /* of the server; 0 not known */
	bool scan_active;
	bool relay;	     /* switched on by us */
	uint8_t default_ttl; /* as we set it; 0 not known */
	int hops;	     /* relays between us and it, from received TTLs; -1 not known */
	uint16_t via;	     /* the server it was provisioned through; ours: local radio */
	uint8_t algorithm;   /* enum prov_algorithm */
	uint8_t auth_method; /* enum prov_auth_method */
	bool oob_public_key;
	int64_t job;		      /* that provisioned it; 0 none */
	int64_t created, key_created; /* Unix milliseconds */
	int64_t joined, configured;   /* 0 not yet */
	int64_t heard;		      /* last authenticated message; 0 never */
	struct db_certificate certificate;
	struct db_refresh refresh;
	int64_t composition_change; /* page 128 differs from page 0, known since; 0 not known */
};

enum db_rc db_node_get(struct db *db, uint16_t address, struct db_node *out);
enum db_rc db_node_get_uuid(struct db *db, const uint8_t uuid[UUID_LEN], struct db_node *out);
/* All fields; DB_CONFLICT when address or uuid is taken. */
enum db_rc db_node_insert(struct db *db, const struct db_node *n);
/* All fields of the row with this address, keys too. */
enum db_rc db_node_update(struct db *db, const struct db_node *n);
/* The same for a node that has moved: from is the address of the row until now. Whoever knows it as
 * a server knows the new one. */
enum db_rc db_node_move(struct db *db, uint16_t from, const struct db_node *n);
enum db_rc db_node_set_label(struct db *db, uint16_t address, const char *name, const char *area,
			     const char *profile); /* NULL: leave */
enum db_rc db_node_set_heard(struct db *db, uint16_t address, int64_t when, int hops);
enum db_rc db_node_delete(struct db *db, uint16_t address);

struct db_node_filter {
	const char *area;    /* NULL: any */
	const char *search;  /* part of name, uuid text or address text, any case; NULL: any */
	const uint8_t *uuid; /* NULL: any */
	int server;	     /* -1 any, 0 no, 1 yes */
	int state;	     /* -1 any, else enum db_node_state */
	bool with_pending;   /* else nodes in state pending are left out */
	bool refreshing;     /* only those with a refresh step */
};
/* Sorts: "address" (default), "name", "area", "heard", "hops", "created", "uuid". */
enum db_rc db_nodes(struct db *db, const struct db_node_filter *f, const struct db_page *page,
		    void (*each)(void *ctx, const struct db_node *n), void *ctx,
		    char next[DB_CURSOR]);
enum db_rc db_node_count(struct db *db, const struct db_node_filter *f, int64_t *out);

#endif
