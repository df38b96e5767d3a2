/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network layer, 3.4: PDUs in and out under several network keys and two IV Indexes. It never
 * relays (the gateway says so in Relay Status). It owns keys, caches, sequence numbers, replay
 * list and IV state of one node with one element.
 */
#ifndef MESHMASON_NET_H
#define MESHMASON_NET_H

#include "bearer.h"
#include "iv.h"
#include "net_pdu.h"
#include "rpl.h"
#include "subnet.h"
#include "timers.h"

struct net;

enum net_default {
	NET_TRANSMIT_COUNT = 3,	    /* receivers hop between channels: one copy is lost often */
	NET_TRANSMIT_INTERVAL = 20, /* milliseconds */
};

struct net_env {
	struct bearer *bearer;
	uint16_t address;
	uint8_t default_ttl;
	uint8_t transmit_count; /* 0: the default above */
	uint16_t transmit_interval_ms;
	struct iv_state iv;
	uint32_t seq_reserved;
	uint64_t cache_salt; /* random */
	void (*save_seq)(void *ctx, uint32_t reserved);
	void (*save_iv)(void *ctx, const struct iv_state *iv, uint32_t seq_reserved);
	void (*save_replay)(void *ctx, uint16_t src, uint64_t ivi_seq);
	/* A PDU for us, not yet checked against replay. */
	void (*received)(void *ctx, const struct net_pdu *p, uint16_t net_index);
	/* Any authenticated PDU of others that is no replay, each way it came. */
	void (*heard)(void *ctx, uint16_t src, uint8_t ttl);
	/* A segmented message of ours is in flight: the step to IV Normal waits. */
	bool (*busy)(void *ctx);
	void *ctx;
};

struct net_counters {
	uint64_t ok, undecryptable, malformed, duplicates, echoes, not_for_us, queue_full;
};

struct net *net_new(const struct net_env *env);
void net_free(struct net *n);

/* The data of one AD structure of type 0x2A. */
void net_heard(struct net *n, struct bytes pdu);

/* Of addresses that are gone for good. */
void net_replay_forget(struct net *n, uint16_t first, uint16_t count);

/* A new sequence number; false when they have run out under this IV Index. */
bool net_take_seq(struct net *n, uint32_t *seq);
/* p is complete but for src; its seq was taken with net_take_seq. False: no such subnet. A full
 * queue of the bearer is loss on the air. */
bool net_send(struct net *n, uint16_t net_index, struct net_pdu *p, enum bearer_class kind,
	      uint32_t tag);
void net_cancel(struct net *n, uint32_t tag);

bool net_key_set(struct net *n, uint16_t index, const struct secret16 *key,
		 const struct secret16 *new_key, enum subnet_phase phase);
struct subnets *net_subnets(struct net *n);
struct rpl *net_rpl(struct net *n);
uint16_t net_address(const struct net *n);
uint8_t net_default_ttl(const struct net *n);
uint32_t net_seq_next(const struct net *n);
const struct iv_state *net_iv(const struct net *n);
/* An authenticated beacon of the primary subnet. */
enum iv_step net_iv_beacon(struct net *n, uint32_t index, bool update);
enum iv_step net_iv_hour(struct net *n);
const struct net_counters *net_counters(const struct net *n);

#endif
