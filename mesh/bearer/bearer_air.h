/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The radio `air:DIR`: a folder of datagram sockets, one for each radio. To transmit is to send
 * one datagram to each other socket in it: octet 0 the advertising event type (3), octets 1..6
 * the sender's address, least significant first, then at most 31 octets of AD structures. A
 * socket that its owner left behind refuses the datagram and is skipped.
 */
#ifndef MESHMASON_BEARER_AIR_H
#define MESHMASON_BEARER_AIR_H

#include "bearer.h"
#include "timers.h"

enum { BEARER_AIR_ERROR = 256 };

struct bearer_air;

struct bearer_air_config {
	struct timers *timers;
	const char *dir;
	const char *name; /* our socket's, "gateway" for the server; a stale one is replaced */
	uint8_t address[6];
	uint64_t seed; /* of the random part of the intervals */
	unsigned sets; /* advertising sets to interleave; 0: 4 */
};

/* NULL: error holds one line that says why. */
struct bearer_air *bearer_air_open(const struct bearer_air_config *config,
				   char error[BEARER_AIR_ERROR]);
/* Takes our socket out of the folder. */
void bearer_air_close(struct bearer_air *a);
struct bearer *bearer_air_bearer(struct bearer_air *a);
/* To wait for reading on; then call bearer_air_readable, which hands over all that is there. */
int bearer_air_fd(const struct bearer_air *a);
void bearer_air_readable(struct bearer_air *a);

struct bearer_air_counters {
	uint64_t sent;	  /* datagrams */
	uint64_t dropped; /* a receiver's queue was full: not the air's loss, ours */
	uint64_t received;
	uint64_t malformed;
	uint64_t refused; /* entries, because our send queue was full */
	size_t waiting;	  /* entries in it now */
};
struct bearer_air_counters bearer_air_counters(const struct bearer_air *a);

#endif
