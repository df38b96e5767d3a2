/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which server for which device, how far a message must go, how many links at once: pure
 * functions of what was observed.
 */
#ifndef MESHMASON_ASSIGN_H
#define MESHMASON_ASSIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One server that has heard a device, as the choice sees it. */
struct assign_candidate {
	uint16_t server;
	int rssi;	   /* dBm; 127 unknown */
	unsigned age;	   /* of the sighting, seconds */
	int hops;	   /* relays between us and the server; -1 unknown, local radio: -2 */
	bool relays;	   /* a node behind it stays reachable */
	unsigned failures; /* of its links lately */
	bool tried;	   /* by this task before */
	bool tried_last;   /* and it was the last one */
};
enum { ASSIGN_LOCAL = -2, ASSIGN_RSSI_UNKNOWN = 127 };

/* Higher is better. */
int assign_score(const struct assign_candidate *c);
/* Index of the best, -1 when n is 0. The first of equals. */
int assign_best(const struct assign_candidate *c, size_t n);
/* So weak that it pays to wait for a closer server while others grow towards it. */
bool assign_is_weak(const struct assign_candidate *c);

/* TTL for a message over so many relays (-1: unknown), with margin; more with each attempt. */
uint8_t assign_ttl(int hops, unsigned attempt);
/* Distance by one message: what the sender's TTL was, what arrived; -1: makes no sense. */
int assign_hops(uint8_t sent_ttl, uint8_t received_ttl);

/* How many links at once: grows while they succeed and the air stays quick, shrinks on loss. */
struct pace {
	unsigned limit, most;
	unsigned streak;       /* successes since the last change */
	uint64_t best_latency; /* shortest seen, per-link, microseconds */
};
enum { PACE_START = 4, PACE_LEAST = 2, PACE_MOST = 16 };
/* fixed 0: automatic */
void pace_init(struct pace *p, unsigned fixed);
/* latency 0: not known. */
void pace_succeeded(struct pace *p, uint64_t latency);
void pace_failed(struct pace *p);

#endif
