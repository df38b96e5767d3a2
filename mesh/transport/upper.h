/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upper transport, 3.6: which key an access message goes out under, and which key opens one that
 * came in. It owns the lower transport beneath it.
 */
#ifndef MESHMASON_UPPER_H
#define MESHMASON_UPPER_H

#include "lower.h"
#include "upper_keys.h"

struct upper;

/* lower_message.key values that are no AppKey index; the same as enum access_key. */
enum upper_key { UPPER_DEVICE_KEY = -1, UPPER_CANDIDATE_KEY = -2, UPPER_OWN_DEVICE_KEY = -3 };

/* A decrypted access message. Valid for the call only. */
struct upper_message {
	uint16_t src, dst, net_index;
	int key;
	uint8_t ttl;
	struct bytes pdu; /* opcode and parameters */
};

struct upper_env {
	struct timers *timers;
	struct net *net;
	const struct sar_config *config;   /* NULL: defaults */
	const struct secret16 *device_key; /* our own; copied */
	/* True when somebody had a use for it. */
	bool (*received)(void *ctx, const struct upper_message *m);
	/* The node of this primary address has answered under its candidate, 3.6.4.2. */
	void (*candidate_used)(void *ctx, uint16_t address);
	void *ctx;
};

struct upper_counters {
	uint64_t received, undecryptable;
};

struct upper *upper_new(const struct upper_env *env);
void upper_free(struct upper *u);
struct upper_keys *upper_keys(struct upper *u);
struct lower *upper_lower(struct upper *u);
uint16_t upper_address(const struct upper *u);
uint8_t upper_default_ttl(const struct upper *u);
/* As lower_send; LOWER_NO_KEY at once where the key or subnet is unknown. */
enum lower_result upper_send(struct upper *u, const struct lower_message *m, struct bytes pdu,
			     uint32_t *id);
void upper_cancel(struct upper *u, uint32_t id);
const struct upper_counters *upper_counters(const struct upper *u);

#endif
