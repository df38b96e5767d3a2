/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated device's PB-ADV link, Mesh 5.2.1 and 5.3: as an unprovisioned device it accepts
 * one, as a Remote Provisioning Server it opens one towards a device. The chart is in the .c file.
 */
#ifndef MESHMASON_DEV_PB_ADV_H
#define MESHMASON_DEV_PB_ADV_H

#include "bytes.h"
#include "timers.h"

struct device_env;

/* The largest Provisioning PDU that a Remote Provisioning PDU Send can bring. */
enum { DEV_PB_PDU_MAX = 376, DEV_PB_SEGMENTS = 17 };

enum dev_pb_state { DEV_PB_IDLE, DEV_PB_OPENING, DEV_PB_OPEN, DEV_PB_CLOSING };

enum dev_pb_end {
	DEV_PB_PEER_CLOSED,
	DEV_PB_WE_CLOSED,
	DEV_PB_OPEN_TIMEOUT, /* no Link Ack */
	DEV_PB_IDLE_TIMEOUT, /* no Provisioning PDU for 60 s */
	DEV_PB_NOT_ACKED,    /* a transaction took 30 s */
	DEV_PB_OVERSIZE,     /* the peer sends what we cannot hold */
};

/* Called from timers and from dev_pb_heard; each may call any function of the link. */
struct dev_pb_ops {
	void (*opened)(void *ctx);
	void (*received)(void *ctx, struct bytes pdu);
	void (*delivered)(void *ctx); /* what dev_pb_send took is acknowledged */
	/* The link is idle again; reason is the peer's, for DEV_PB_PEER_CLOSED. */
	void (*ended)(void *ctx, enum dev_pb_end why, uint8_t reason);
};

struct dev_pb_link {
	const struct device_env *env;
	const struct dev_pb_ops *ops;
	void *ctx;
	uint32_t tag;
	bool initiator;
	uint8_t uuid[UUID_LEN]; /* of the device: our own for an acceptor */

	enum dev_pb_state state;
	uint32_t id;
	bool heard_pdu, patient;
	enum dev_pb_end end;
	uint8_t reason;
	uint8_t rounds; /* of Link Open sent, of Link Close still to send */
	struct timer open_limit, idle, beat;

	struct {
		bool busy;
		uint8_t number, segment;
		size_t len;
		uint8_t pdu[DEV_PB_PDU_MAX];
		struct timer step, limit;
	} tx;
	struct {
		bool any;	/* a first transaction was seen */
		uint8_t number; /* the one expected next */
		bool started;
		uint8_t seg_n, fcs;
		size_t total;
		uint32_t got;
		uint8_t lens[DEV_PB_SEGMENTS];
		uint8_t pdu[DEV_PB_PDU_MAX];
		uint8_t ack_number;
		struct timer ack;
	} rx;
};

/* tag is the link's own for env->cancel_send. */
void dev_pb_init(struct dev_pb_link *l, const struct device_env *env, uint32_t tag, bool initiator,
		 const struct dev_pb_ops *ops, void *ctx);
/* Initiator, when idle. */
void dev_pb_open(struct dev_pb_link *l, const uint8_t uuid[UUID_LEN], uint64_t timeout);
/* One PDU at a time, on an open link; false when busy, not open or too long. */
bool dev_pb_send(struct dev_pb_link *l, struct bytes pdu);
/* Says Link Close three times, then calls ended. */
void dev_pb_close(struct dev_pb_link *l, uint8_t reason);
/* Idle at once, without a word and without ended. */
void dev_pb_drop(struct dev_pb_link *l);
/* The data of an AD structure of type 0x29. */
void dev_pb_heard(struct dev_pb_link *l, struct bytes data);

/* The CRC-8 of Mesh 5.3.3. */
uint8_t dev_pb_fcs(struct bytes pdu);

#endif
