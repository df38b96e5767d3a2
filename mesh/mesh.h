/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack's public face. It does no I/O and reads no clock: all it can touch is handed to it.
 * Any number of stacks may live in one process.
 */
#ifndef MESHMASON_MESH_H
#define MESHMASON_MESH_H

#include "access.h"
#include "bearer.h"
#include "bytes.h"
#include "secret.h"
#include "timers.h"

struct mesh;
struct pb_adv;

/* IV Index state, 3.11.5. hours_in_state counts hours of mesh life, not dates. */
struct mesh_iv {
	uint32_t index;
	bool update; /* IV Update in Progress */
	uint32_t hours_in_state;
	uint32_t hours_since_recovery; /* UINT32_MAX: never */
};

/* What must survive. Each call writes into the turn's transaction; whatever is sent afterwards
 * waits behind that transaction in the outbox. */
struct mesh_store {
	void (*save_seq)(void *ctx, uint32_t reserved); /* numbers below it may have been used */
	void (*save_iv)(void *ctx, const struct mesh_iv *iv,
			uint32_t seq_reserved); /* one transaction */
	void (*save_replay)(void *ctx, uint16_t src,
			    uint64_t ivi_seq); /* IV Index << 24 | SEQ; lazily */
	void *ctx;
};

/* An unprovisioned device's beacon, heard by our own radio. */
struct mesh_unprovisioned {
	const uint8_t *uuid; /* 16 octets */
	uint16_t oob_info;
	bool has_uri_hash;
	uint32_t uri_hash;
	int8_t rssi;
	const uint8_t *address; /* 6 octets, of the advertiser */
};

struct mesh_env {
	struct bearer *bearer;
	struct timers *timers;
	const struct mesh_store *store;
	void (*random)(void *ctx, void *out, size_t n);
	void (*unprovisioned)(void *ctx, const struct mesh_unprovisioned *beacon);
	/* Every advertising report, before what the mesh makes of it; may be NULL. */
	void (*advertised)(void *ctx, const uint8_t address[6], struct bytes ads);
	/* A node's answer was decrypted with its device key candidate: the old key is dead
	 * (3.11.8.2). */
	void (*candidate_used)(void *ctx, uint16_t address);
	/* Every authenticated network PDU of a known node: liveness and distance. */
	void (*node_heard)(void *ctx, uint16_t address, uint8_t ttl);
	/* A complete decrypted access message, in or out (for comparing with outside witnesses);
	 * may be NULL. pdu is opcode and parameters. */
	void (*access_trace)(void *ctx, const struct access_message *m, struct bytes pdu,
			     bool outgoing);
	void *ctx;
};

/* What is known at start, from the store. */
struct mesh_boot {
	uint16_t address; /* our primary element; we have one element */
	uint8_t uuid[UUID_LEN];
	struct secret16 device_key;
	struct mesh_iv iv;
	uint32_t seq_reserved; /* next number to use */
	uint8_t default_ttl;   /* 0: 5 */
};

/* Copies env and boot. NULL never. */
struct mesh *mesh_new(const struct mesh_env *env, const struct mesh_boot *boot);
void mesh_free(struct mesh *m);

/* Keys, addresses and replay rows; at start from the store, later as they change. */
bool mesh_net_key_add(struct mesh *m, uint16_t index, const struct secret16 *key);
bool mesh_app_key_add(struct mesh *m, uint16_t index, uint16_t net_index,
		      const struct secret16 *key);
/* A node whose messages under its device key we can read and write. candidate may be NULL. Again
 * with the same address replaces. */
bool mesh_node_set(struct mesh *m, uint16_t address, uint8_t elements, const struct secret16 *key,
		   const struct secret16 *candidate);
void mesh_node_remove(struct mesh *m, uint16_t address);
void mesh_replay_restore(struct mesh *m, uint16_t src, uint64_t ivi_seq);
/* Forgets replay rows of addresses that are gone for good. */
void mesh_replay_forget(struct mesh *m, uint16_t first, uint16_t count);

void mesh_iv(const struct mesh *m, struct mesh_iv *out);
/* Next sequence number, for a clean stop. */
uint32_t mesh_seq_next(const struct mesh *m);

struct access *mesh_access(struct mesh *m);
struct pb_adv *mesh_pb_adv(struct mesh *m);

/* What was dropped and why, since start; shown by GET /status. */
struct mesh_counters {
	uint64_t reports, network_ok, network_undecryptable, malformed, replayed, segments_in,
		segments_out, acks_in, acks_out, retransmissions, transfers_failed, access_in,
		access_undecryptable, queue_full;
};
void mesh_counters(const struct mesh *m, struct mesh_counters *out);

#endif
