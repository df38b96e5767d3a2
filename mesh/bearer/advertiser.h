/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send queue of a radio that can interleave a few advertising sets: acks go first, the other
 * classes take turns, each entry is repeated at its interval plus 0..10 ms, and one event leaves
 * at a time. Driven by timers; transmit() is called from them only, never from advertiser_send.
 */
#ifndef MESHMASON_ADVERTISER_H
#define MESHMASON_ADVERTISER_H

#include "bearer.h"
#include "timers.h"

enum { ADVERTISER_MAX = 256, ADVERTISER_SETS = 16, ADVERTISER_CLASSES = BEARER_BEACON + 1 };

struct advertiser_config {
	struct timers *timers;
	unsigned sets;	 /* that advertise at the same time; 0: 4, at most ADVERTISER_SETS;
			  * acks have one more among them */
	uint32_t gap_us; /* from the start of one event to the next; 0: 1.1 ms, three channels */
	uint64_t seed;	 /* of the random 0..10 ms */
	void (*transmit)(void *ctx, struct bytes ad); /* one advertising event, now */
	/* Instead, for a controller that repeats by itself: the whole entry, once. */
	void (*transmit_all)(void *ctx, const struct bearer_send *s);
	void *ctx;
};

/* What the radio takes now: a controller is slower than a queue. */
enum advertiser_gate { ADVERTISER_OPEN, ADVERTISER_ACKS, ADVERTISER_SHUT };

/* Embedded in its owner; all fields are advertiser.c's, of which others may read the counts. */
struct advertiser {
	struct advertiser_config config;
	struct timer timer;
	struct advertiser_entry {
		struct bearer_send send;
		uint64_t due;  /* of its next event, once it has a set */
		uint16_t next; /* in its list, by index */
		uint8_t left;  /* events */
	} entry[ADVERTISER_MAX];
	uint16_t head[ADVERTISER_CLASSES], tail[ADVERTISER_CLASSES], free; /* lists */
	uint16_t active[ADVERTISER_SETS + 1];
	unsigned n_active;
	enum advertiser_gate gate;
	unsigned turn;	  /* the class that had the last turn */
	uint64_t idle_at; /* when the radio is free for the next event */
	uint64_t random;
	size_t waiting; /* entries held in all, those in sets included */
	uint64_t refused, events;
};

void advertiser_init(struct advertiser *a, const struct advertiser_config *config);
/* Drops everything and stops the timer. */
void advertiser_stop(struct advertiser *a);
/* A copy; false when ADVERTISER_MAX are held or the entry is malformed (both counted). */
bool advertiser_send(struct advertiser *a, const struct bearer_send *s);
void advertiser_cancel(struct advertiser *a, uint32_t tag);
/* Open after advertiser_init; nothing is transmitted from within. */
void advertiser_set_gate(struct advertiser *a, enum advertiser_gate gate);

#endif
