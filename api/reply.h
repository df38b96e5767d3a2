/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler answers. Keys have no writer here: nothing takes a struct secret16. */
#ifndef MESHMASON_REPLY_H
#define MESHMASON_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fields.h"

struct file;

enum reply_kind {
	REPLY_BODY,
	REPLY_FILE,   /* of the dashboard */
	REPLY_FD,     /* of a file, to be saved by the client */
	REPLY_STREAM, /* events, until the client leaves */
	REPLY_LATER,  /* api_finish() brings it, from this thread */
};

struct reply {
	enum reply_kind kind;
	int status;
	const char *type; /* static; NULL: no body */
	char *body;	  /* owned, from malloc; NULL with body_len 0: none */
	size_t body_len;
	bool body_static; /* body is not owned */
	const struct file *file;
	char location[128], allow[48], cookie[192];
	int retry_after; /* seconds; 0 none */
	int fd;		 /* REPLY_FD: owned; body_len octets of it */
	char file_name[64];
};

/* Takes over body. */
struct reply reply_json(int status, json_t *body);
struct reply reply_problem(const struct problem *p);
/* rows (may be NULL) are taken over and stand beside the members of RFC 9457. */
struct reply reply_problem_rows(const struct problem *p, json_t *rows);
struct reply reply_error(int status, const char *code, const char *field, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
struct reply reply_not_found(const char *what);
struct reply reply_internal(void);
struct reply reply_none(void);
void reply_free(struct reply *r);
/* {"items": items, "next": next or null}; takes over items. */
struct reply reply_list(json_t *items, const char *next);

/* JSON words that several handlers use. Each returns a new reference. */
json_t *json_time_ms(int64_t unix_ms); /* null for 0 */
json_t *json_time_s(int64_t unix_s);
json_t *json_address(uint16_t address); /* null for 0 */
json_t *json_hex16(uint16_t value);
json_t *json_uuid(const uint8_t uuid[16]);
json_t *json_text(const char *text); /* null for "" */
json_t *json_rssi(int rssi);	     /* null for 127 */
json_t *json_fingerprint(const uint8_t sha256[32]);
const char *http_status_text(int status);

#endif
