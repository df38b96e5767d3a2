/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access layer, 3.7: opcode to listener; a message out; a request, its answer and its retries.
 * Callbacks come from the loop's turn (a report heard, a timer), never from inside a call that
 * the owner made. Different destinations run side by side; to one destination segmented messages
 * queue in order.
 */
#ifndef MESHMASON_ACCESS_H
#define MESHMASON_ACCESS_H

#include "bytes.h"
#include "mesh_const.h"
#include "timers.h"

struct access;

/* app_index values that are no AppKey index */
enum access_key {
	ACCESS_DEVICE_KEY = -1,	    /* of the node that owns dst (sending), src (receiving) */
	ACCESS_CANDIDATE_KEY = -2,  /* that node's device key candidate */
	ACCESS_OWN_DEVICE_KEY = -3, /* ours: we answer as a server */
};

enum { ACCESS_DEFAULT_TTL = 0xFF };

/* A message received. Valid for the call only. */
struct access_message {
	uint16_t src, dst;
	uint16_t net_index;
	int app_index;	 /* AppKey index 0..0xFFF, or an enum access_key */
	uint8_t ttl;	 /* as received: hops = the sender's TTL - ttl */
	uint32_t opcode; /* 1, 2 or 3 octets, first octet highest: 0x8008, 0xC00136 */
	struct bytes params;
};

/* A listener is embedded in its owner; several may listen to one opcode. */
struct access_listener {
	uint32_t opcode;
	void (*heard)(void *ctx, const struct access_message *m);
	void *ctx;
	struct access_listener *next;
};
void access_listen(struct access *a, struct access_listener *l);
void access_unlisten(struct access *a, struct access_listener *l);
/* For whom the message under way was meant, from heard() or matches(): its parameters are
 * malformed. Counted once for each message. */
void access_malformed(struct access *a);

struct access_target {
	uint16_t dst;
	uint16_t net_index;
	int app_index;
	uint8_t ttl;	/* 0, 2..127 or ACCESS_DEFAULT_TTL */
	bool segmented; /* even if it fits: asks for the transport's acknowledgment */
};

enum access_result {
	ACCESS_OK,	 /* sent (segmented: acknowledged whole) / answered */
	ACCESS_TIMEOUT,	 /* no acknowledgment, no answer */
	ACCESS_REJECTED, /* the peer's transport refused: no resources */
	ACCESS_NO_KEY,	 /* no such key or subnet */
	ACCESS_TOO_LONG,
	ACCESS_FULL, /* our queues are full, or sequence numbers have run out */
};

/* A message out. Embedded; must stay until done or access_send_cancel. */
struct access_send {
	struct access_target to;
	void (*done)(void *ctx, enum access_result r); /* may be NULL; once */
	void *ctx;
	/* the layer's own */
	struct timer later;
	enum access_result result;
	uint32_t transfer;
	struct access *access;
	struct access_send *next;
};
/* params are copied. done comes later in any case, also for an immediate failure. */
void access_send(struct access *a, struct access_send *s, uint32_t opcode, struct bytes params);
void access_send_cancel(struct access *a, struct access_send *s);

/* A request and its answer. Embedded; must stay until done or access_request_cancel. */
struct access_request {
	struct access_target to;
	uint32_t answer_opcode;
	/* Echoed fields match? NULL: every answer_opcode from dst under the same key does. */
	bool (*matches)(void *ctx, const struct access_message *m);
	/* answer is NULL unless r is ACCESS_OK; valid for the call only. */
	void (*done)(void *ctx, enum access_result r, const struct access_message *answer);
	void *ctx;
	uint8_t tries; /* 0: 3 */
	uint64_t wait; /* for an answer after each try, microseconds; 0: by TTL, about 4 s */
	/* the layer's own */
	struct access_send send;
	struct timer limit;
	struct access *access;
	struct access_request *next;
	uint32_t opcode;
	uint8_t left;
	bool sending;
	size_t len;
	uint8_t params[ACCESS_MAX];
};
void access_request(struct access *a, struct access_request *rq, uint32_t opcode,
		    struct bytes params);
void access_request_cancel(struct access *a, struct access_request *rq);

#endif
