/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of devices as fetched or read, where to fetch them, and revocation lists. What is
 * kept for a device goes when its row does. */
#ifndef MESHMASON_DB_CERTIFICATES_H
#define MESHMASON_DB_CERTIFICATES_H

#include "db.h"

enum { DB_BASE_URI = 256, DB_CHAIN_MAX = 16 };

enum db_chain_source { DB_CHAIN_FETCHED, DB_CHAIN_DEVICE };

/* Replaces what is kept for the device. Each certificate is stored once, whoever shares it. */
enum db_rc db_chain_put(struct db *db, const uint8_t uuid[UUID_LEN], const struct bytes *der,
			size_t n, enum db_chain_source source, int64_t at);
/* Calls each in order: the device's own first. DB_NONE: nothing is kept. */
struct db_chain_link {
	unsigned place;
	enum db_chain_source source;
	int64_t at;
	struct bytes der; /* valid during each() only */
};
enum db_rc db_chain(struct db *db, const uint8_t uuid[UUID_LEN],
		    void (*each)(void *ctx, const struct db_chain_link *l), void *ctx);
/* DB_NONE: nothing was kept. */
enum db_rc db_chain_delete(struct db *db, const uint8_t uuid[UUID_LEN]);

struct db_device_uri {
	char uri[DB_BASE_URI];
	bool recorded; /* its record said so, beside which it has no certificate */
	int64_t at;
};
enum db_rc db_device_uri_put(struct db *db, const uint8_t uuid[UUID_LEN],
			     const struct db_device_uri *u);
enum db_rc db_device_uri_get(struct db *db, const uint8_t uuid[UUID_LEN],
			     struct db_device_uri *out);

/* -1: the list does not say. Both -1 forgets it. */
struct db_product {
	int company, product;
};
enum db_rc db_device_product_put(struct db *db, const uint8_t uuid[UUID_LEN],
				 const struct db_product *p);
/* DB_NONE: out says nothing of it. */
enum db_rc db_device_product_get(struct db *db, const uint8_t uuid[UUID_LEN],
				 struct db_product *out);

struct db_crl {
	int64_t anchor;
	int64_t issued, next_update; /* Unix seconds; 0: it does not say */
	int64_t revoked;
	int64_t added;	  /* Unix milliseconds */
	struct bytes der; /* valid during each() only; empty from db_crl_get() */
};
/* Replaces the anchor's; DB_NONE: there is no such anchor. */
enum db_rc db_crl_put(struct db *db, const struct db_crl *c);
enum db_rc db_crl_get(struct db *db, int64_t anchor, struct db_crl *out);
enum db_rc db_crl_delete(struct db *db, int64_t anchor);
enum db_rc db_crls(struct db *db, void (*each)(void *ctx, const struct db_crl *c), void *ctx);

#endif
