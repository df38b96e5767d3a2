/* SPDX-License-Identifier: Apache-2.0 */
/* The world of the PB-Remote tests. */
#ifndef MESHMASON_TESTS_PB_REMOTE_WORLD_H
#define MESHMASON_TESTS_PB_REMOTE_WORLD_H

#include "fake_access.h"
#include "fake_rpr.h"
#include "pb_remote.h"

/* The nth of one message, from and to inclusive, meets that fate. */
struct world_loss {
	const char *name;
	bool outgoing;
	uint32_t opcode;
	unsigned from, to; /* nth, inclusive */
	enum fake_fate fate;
	unsigned max_s;
};

/* One owner, one carrier, one server: events as words in a line. */
struct world {
	struct timers timers;
	struct access access;
	struct fake_rpr rpr;
	struct prov_carrier *c;
	char log[FAKE_LOG];
	unsigned opened, sent, received, closed;
	enum carrier_end end;
	uint8_t got[FAKE_PDUS];
	bool inside; /* a call of ours into the carrier */
	/* what the owner does */
	unsigned pdus;	     /* how many to send, one after another's answer */
	bool free_in_closed; /* frees the carrier in the callback */
	bool nobody_closes;
	bool nppi; /* the carrier's way */
	uint64_t started, ended;
	const struct world_loss *loss; /* what world_fate_by_loss() does */
};

struct world *world_new(uint64_t seed);
/* Another carrier for it. */
void world_carrier(struct world *w, const struct pb_remote_options *options);
void world_free(struct world *w);
void world_open(struct world *w);
void world_close(struct world *w, enum prov_close_reason reason);
void world_run(struct world *w, uint64_t time);
enum fake_fate world_fate_by_loss(void *ctx, bool outgoing, uint32_t opcode, unsigned nth);

#endif
