/* SPDX-License-Identifier: Apache-2.0 */
/* What our own element answers under its own device key: the least a Configuration Server must. */
#ifndef MESHMASON_OWN_NODE_H
#define MESHMASON_OWN_NODE_H

#include "access.h"

enum {
	OWN_ANSWERS = 4,
	OWN_ANSWER_MAX = 32,
	OWN_LISTENERS = 10,
	OWN_COMPANY = 0xFFFF, /* no assigned company identifier */
	OWN_REPLAY_LIST = 0x7FFF,
};

struct own_node_env {
	struct access *access;
	struct timers *timers;
	void (*random)(void *ctx, void *out, size_t n);
	void *ctx;
	uint8_t default_ttl;
	uint8_t network_transmit; /* count in bits 0..2, steps in bits 3..7 */
};

struct own_answer {
	bool used;
	struct own_node *node;
	struct access_send send;
	struct timer delay;
	uint32_t opcode;
	size_t len;
	uint8_t params[OWN_ANSWER_MAX];
};

/* Embedded in its owner. */
struct own_node {
	struct own_node_env env;
	struct access_listener listener[OWN_LISTENERS];
	struct own_answer answer[OWN_ANSWERS];
	uint64_t dropped; /* requests that found all answers in use */
};

void own_node_init(struct own_node *n, const struct own_node_env *env);
void own_node_stop(struct own_node *n);

#endif
