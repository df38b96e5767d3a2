/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stand-in for the access layer, for tests of what is above it: one peer, virtual time, and an
 * air that loses, doubles and reorders by a seed or by a rule of the test. Segmented messages fail
 * as the real ones do: whole, and after a while.
 */
#ifndef MESHMASON_TESTS_FAKE_ACCESS_H
#define MESHMASON_TESTS_FAKE_ACCESS_H

#include "access.h"

enum fake_fate {
	FAKE_DELIVER,
	FAKE_LOSE,
	FAKE_LOSE_ACK, /* segmented: delivered, and yet reported as failed */
	FAKE_DOUBLE,
};

enum { FAKE_LOG = 256, FAKE_OPCODES = 0x100 };

struct fake_flight;

struct access {
	struct timers *timers;
	struct access_listener *listeners;
	struct access_request *requests;
	struct fake_flight *flights;
	uint64_t seed;
	unsigned loss, sar_loss, doubled; /* per cent, either direction */
	uint64_t delay, jitter;
	/* The test's own word on the nth (from 1) message of that opcode; may be NULL. */
	enum fake_fate (*fate)(void *ctx, bool outgoing, uint32_t opcode, unsigned nth);
	void (*peer)(void *ctx, const struct access_target *to, uint32_t opcode,
		     struct bytes params);
	void *ctx;
	unsigned sent[FAKE_OPCODES], heard[FAKE_OPCODES]; /* by the last octet of the opcode */
	unsigned malformed;	   /* said so by the owners of requests and listeners */
	enum access_result refuse; /* not ACCESS_OK: what every send ends with */
};

void fake_access_init(struct access *a, struct timers *timers, uint64_t seed);
void fake_access_free(struct access *a);
/* A message of the peer sets out. */
void fake_access_from_peer(struct access *a, const struct access_message *m, bool segmented);
/* It is here now, whatever the air. */
void fake_access_hear(struct access *a, const struct access_message *m);
uint32_t fake_access_random(struct access *a, uint32_t below);

#endif
