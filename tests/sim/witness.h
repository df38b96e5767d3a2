/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must never happen, watched from outside in every world: two of our network PDUs under one
 * sequence number (3.9.7: that would break their encryption), and a unicast address that two
 * devices have had, or that one has again. The server's own books are not asked.
 */
#ifndef MESHMASON_TESTS_WITNESS_H
#define MESHMASON_TESTS_WITNESS_H

#include "building.h"
#include "bytes.h"
#include "secret.h"

struct witness;

struct witness *witness_new(void);
void witness_free(struct witness *w);
/* The key of our network, as soon as it is born; and the source that is watched. */
void witness_network(struct witness *w, const struct secret16 *net_key, uint16_t own);
/* Every advertising event of our radio. */
void witness_sent(struct witness *w, struct bytes ad);
/* Looks at the devices' flash. */
void witness_look(struct witness *w, const struct building *b);
/* How many device keys a device has had. */
unsigned witness_keys(const struct witness *w, size_t device);
/* The first thing that was wrong; NULL: nothing. */
const char *witness_fault(const struct witness *w);
/* Sequence numbers seen so far. */
uint32_t witness_numbers(const struct witness *w);

#endif
