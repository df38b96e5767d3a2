/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A radio on the building's air that is neither ours nor a device: it hears, records, replays,
 * alters and invents. It knows no key, unless a test gives it the network's (a node that was
 * broken open). It draws what it does from its seed: the same run every time.
 */
#ifndef MESHMASON_BUILDING_ATTACKER_H
#define MESHMASON_BUILDING_ATTACKER_H

#include "air.h"
#include "secret.h"

enum attack {
	ATTACK_REPLAY = 1 << 0,	     /* network PDUs, as they were heard */
	ATTACK_ALTER = 1 << 1,	     /* the same with another TTL, IVI bit, octet or length */
	ATTACK_INVENT = 1 << 2,	     /* network PDUs of the right NID, the rest random */
	ATTACK_LINKS_PAST = 1 << 3,  /* frames of earlier links, under their link or the present */
	ATTACK_LINKS_NOISE = 1 << 4, /* garbage under no link's id */
	ATTACK_BEACONS = 1 << 5,     /* devices that do not exist */
	ATTACK_SECURE = 1 << 6,	     /* Secure Network beacons: replayed, altered, invented */
	/* What the protocol has no means against: these cost attempts. */
	ATTACK_LINKS_INJECT = 1 << 7, /* PDUs and acknowledgments into open links */
	ATTACK_LINKS_CLOSE = 1 << 8,  /* Link Close into open links */
	ATTACK_LINKS_OPEN = 1 << 9,   /* opens links to devices itself, and says no more */
	/* With the network's key only. */
	ATTACK_SEGMENTS = 1 << 10, /* first segments of messages that never become whole */
	ATTACK_INSIDE = 1 << 11,   /* authentic network PDUs without an authentic message */
	ATTACK_IV_INDEX = 1 << 12, /* authentic beacons of an IV Index that is far away */
};

/* What keeps no careful network from working: the attackers of `make` do all of it. */
enum {
	ATTACK_HARMLESS = ATTACK_REPLAY | ATTACK_ALTER | ATTACK_INVENT | ATTACK_LINKS_PAST |
			  ATTACK_LINKS_NOISE | ATTACK_BEACONS | ATTACK_SECURE,
	ATTACK_EVERY_MS = 200,
};

struct attacker_env {
	struct timers *timers;
	struct air *air;
	struct place place;
	uint64_t seed;
};

struct attacker;

struct attacker *attacker_new(const struct attacker_env *env);
void attacker_free(struct attacker *a);
/* One of these attacks, drawn anew, every so many microseconds; 0: it only listens. */
void attacker_set(struct attacker *a, unsigned attacks, uint64_t every);
/* It holds the network's key from now on; target: whose messages it forges. */
void attacker_give_key(struct attacker *a, const struct secret16 *net_key, uint32_t iv_index,
		       uint16_t target);

struct attacker_counts {
	uint64_t heard;	 /* AD structures */
	uint64_t sent;	 /* transmissions */
	uint64_t missed; /* an attack for which it had nothing to go by yet */
};
struct attacker_counts attacker_counts(const struct attacker *a);

#endif
