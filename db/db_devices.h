/* SPDX-License-Identifier: Apache-2.0 */
/* Devices heard or expected, who heard them, and the anchors of trust in them. */
#ifndef MESHMASON_DB_DEVICES_H
#define MESHMASON_DB_DEVICES_H

#include "db.h"
#include "db_nodes.h"

enum db_trust {
	DB_TRUST_UNKNOWN,  /* no certificate has been seen yet */
	DB_TRUST_TRUSTED,  /* its certificate was accepted */
	DB_TRUST_REJECTED, /* refused for good, see trust_code */
};

enum { DB_STATIC_OOB = 32, DB_DER_MAX = 8192, DB_URI = 256, DB_ADS = 320 };

/* What a device said of itself to an extended scan. */
struct db_device_scan {
	char local_name[DB_NAME], uri[DB_URI]; /* "" not told */
	bool has_appearance;
	uint16_t appearance;
	int tx_power; /* dBm; 127 not told */
	uint16_t ads_len;
	uint8_t ads[DB_ADS]; /* its AD structures, as they came */
	int64_t at;	     /* Unix milliseconds; 0 never */
};

struct db_device {
	uint8_t uuid[UUID_LEN];
	bool listed; /* on an imported list, or added by hand */
	char name[DB_NAME], area[DB_NAME], profile[DB_NAME];
	uint8_t static_oob_len;
	uint8_t static_oob[DB_STATIC_OOB]; /* a secret: never shown */
	bool has_certificate;		   /* one was imported: db_device_certificate() */
	bool heard;			   /* ever, unprovisioned */
	uint16_t oob_info;		   /* as last heard */
	bool has_uri_hash;
	uint32_t uri_hash;
	int64_t first_heard, last_heard; /* Unix milliseconds; 0 never */
	uint16_t best_server;		 /* strongest recent sighting; 0 none */
	int best_rssi;			 /* 127 unknown */
	bool saw_hmac, saw_certificates; /* never weaker again */
	enum db_trust trust;
	char trust_code[DB_CODE], trust_message[DB_MESSAGE];
	struct db_certificate certificate; /* as read from the device */
	int64_t created;
	struct db_device_scan scan; /* db_device_set_scan() writes it. Read only */
	uint16_t node; /* address when it is a node now (not pending); 0 else. Read only */
};

enum db_rc db_device_get(struct db *db, const uint8_t uuid[UUID_LEN], struct db_device *out);
/* Inserts or replaces all but the imported certificate, the scan and node. */
enum db_rc db_device_put(struct db *db, const struct db_device *d);
/* The imported certificate (DER, or empty to take it off). */
enum db_rc db_device_set_certificate(struct db *db, const uint8_t uuid[UUID_LEN], struct bytes der);
/* Copies it to out and sets *n; DB_NONE when there is none or it does not fit. */
enum db_rc db_device_certificate(struct db *db, const uint8_t uuid[UUID_LEN], uint8_t *out,
				 size_t cap, size_t *n);
/* DB_NONE: there is no such device. */
enum db_rc db_device_set_scan(struct db *db, const uint8_t uuid[UUID_LEN],
			      const struct db_device_scan *scan);
/* The public key that the list tells: X and Y. NULL takes it off; DB_NONE when there is none. */
enum { DB_OOB_KEY = 64 };
enum db_rc db_device_set_oob_key(struct db *db, const uint8_t uuid[UUID_LEN], const uint8_t *key);
enum db_rc db_device_oob_key(struct db *db, const uint8_t uuid[UUID_LEN], uint8_t out[DB_OOB_KEY]);
/* Its sightings go too. That it was stronger once is kept, for a row that comes later. */
enum db_rc db_device_delete(struct db *db, const uint8_t uuid[UUID_LEN]);
/* What is kept of one without a row. DB_NONE: nothing. */
enum db_rc db_device_memory(struct db *db, const uint8_t uuid[UUID_LEN], bool *saw_hmac,
			    bool *saw_certificates);
/* Deletes what is too much: of the rows that are on no list, no node and not rejected, those heard
 * longest ago, until most are left. At most 256 a call; gone() is told each, and false keeps it. */
enum db_rc db_devices_trim(struct db *db, int64_t most,
			   bool (*gone)(void *ctx, const uint8_t uuid[UUID_LEN]), void *ctx);

struct db_device_filter {
	const char *area;   /* NULL: any */
	const char *search; /* part of name or uuid text, any case; NULL: any */
	int listed, heard;  /* -1 any, 0 no, 1 yes */
	int trust;	    /* -1 any, else enum db_trust */
	int provisioned;    /* -1 any, 0 not a node, 1 is a node */
};
/* Sorts: "uuid" (default), "name", "area", "last_heard", "rssi", "created". */
enum db_rc db_devices(struct db *db, const struct db_device_filter *f, const struct db_page *page,
		      void (*each)(void *ctx, const struct db_device *d), void *ctx,
		      char next[DB_CURSOR]);
enum db_rc db_device_count(struct db *db, const struct db_device_filter *f, int64_t *out);

struct db_sighting {
	uint16_t server; /* our own address: the local radio */
	uint8_t uuid[UUID_LEN];
	int rssi;     /* 127 unknown */
	int64_t when; /* Unix milliseconds */
	uint32_t count;
};
/* Replaces that of the same server and device; the device's row must be there. */
enum db_rc db_sighting_put(struct db *db, const struct db_sighting *s);
struct db_sighting_filter {
	const uint8_t *uuid; /* NULL: any */
	uint16_t server;     /* 0: any */
	int64_t since;	     /* 0: any */
};
/* Sorts: "device" (default: by uuid, then server), "rssi", "when". */
enum db_rc db_sightings(struct db *db, const struct db_sighting_filter *f,
			const struct db_page *page,
			void (*each)(void *ctx, const struct db_sighting *s), void *ctx,
			char next[DB_CURSOR]);
enum db_rc db_sighting_count(struct db *db, const struct db_sighting_filter *f, int64_t *out);

struct db_anchor {
	int64_t id;
	char name[DB_NAME];
	struct db_certificate facts;
	int64_t added;
	char added_by[DB_NAME];
	struct bytes der; /* valid during each() only */
};
/* DB_CONFLICT: the same certificate is there already (*id is then its id). */
enum db_rc db_anchor_insert(struct db *db, const struct db_anchor *a, int64_t *id);
enum db_rc db_anchor_delete(struct db *db, int64_t id);
/* Sorts: "id" (default), "name", "not_after". */
enum db_rc db_anchors(struct db *db, const struct db_page *page,
		      void (*each)(void *ctx, const struct db_anchor *a), void *ctx,
		      char next[DB_CURSOR]);
enum db_rc db_anchor_count(struct db *db, int64_t *out);

#endif
