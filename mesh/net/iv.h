/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IV Index, IV Update and recovery, 3.11.5 and 3.11.6, as one state that beacons and the passing
 * hours move. We are always on the primary subnet. Hours are those of mesh life, counted by
 * iv_hour(), never dates.
 */
#ifndef MESHMASON_IV_H
#define MESHMASON_IV_H

#include <stdbool.h>
#include <stdint.h>

enum iv_limit {
	IV_STATE_HOURS = 96,	  /* at least, in each state */
	IV_STATE_HOURS_MAX = 144, /* In Progress must end */
	IV_RECOVERY_HOURS = 192,  /* at least, between two recoveries */
	IV_RECOVERY_REACH = 42,
	IV_UPDATE_AT_SEQ = 0x800000, /* half the numbers gone: time for a new index */
};

struct iv_state {
	uint32_t index;
	bool update; /* IV Update in Progress */
	uint32_t hours_in_state;
	uint32_t hours_since_recovery; /* UINT32_MAX: never */
};

enum iv_step {
	IV_NOTHING,
	IV_CHANGED,   /* store it; sequence numbers go on */
	IV_SEQ_RESET, /* store it together with sequence number 0 */
};

/* What we transmit with; receiving takes the index, and the one below it. */
uint32_t iv_transmit(const struct iv_state *iv);
/* The candidate that matches the IVI bit of a received PDU; false when there is none. */
bool iv_receive(const struct iv_state *iv, unsigned ivi, uint32_t *out);
/* An authenticated beacon of the primary subnet. busy: a segmented message of ours is not
 * acknowledged yet, so the step back to Normal waits (the next beacon brings it again). */
enum iv_step iv_beacon(struct iv_state *iv, uint32_t index, bool update, bool busy);
/* An hour has passed; seq_high is the highest sequence number seen in use, ours or a peer's. */
enum iv_step iv_hour(struct iv_state *iv, uint32_t seq_high, bool busy);

#endif
