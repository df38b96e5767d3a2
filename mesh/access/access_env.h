/* SPDX-License-Identifier: Apache-2.0 */
/* What the access layer stands on; for the stack that assembles the layers. */
#ifndef MESHMASON_ACCESS_ENV_H
#define MESHMASON_ACCESS_ENV_H

#include "access.h"

struct upper;

struct access_env {
	struct timers *timers;
	struct upper *upper;
	/* Every complete message, in or out; may be NULL. pdu is opcode and parameters. */
	void (*trace)(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing);
	void *ctx;
};

struct access_counters {
	uint64_t received, malformed, unheard, sent, requests, retries, loop_full;
};

struct access *access_new(const struct access_env *env);
void access_free(struct access *a);
/* A decrypted message of opcode and parameters (m's own opcode and params are filled here). True
 * when a request or a listener took it. */
bool access_heard(struct access *a, struct access_message *m, struct bytes pdu);
const struct access_counters *access_counters(const struct access *a);

#endif
