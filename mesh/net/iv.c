/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   Normal n          transmit n, accept n and n-1
 *     | beacon n+1 with the flag, or our own wish: after 96 h
 *   In Progress n+1   transmit n, accept n+1 and n; SEQ goes on
 *     | beacon n+1 without the flag, or 96 h: SEQ starts again at 0
 *   Normal n+1
 */
#include "iv.h"

uint32_t iv_transmit(const struct iv_state *iv)
{
	return iv->update && iv->index > 0 ? iv->index - 1 : iv->index;
}

bool iv_receive(const struct iv_state *iv, unsigned ivi, uint32_t *out)
{
	*out = iv->index;
	if ((iv->index & 1) == ivi)
		return true;
	(*out)--;
	return iv->index > 0;
}

static void enter(struct iv_state *iv, uint32_t index, bool update)
{
	iv->index = index;
	iv->update = update;
	iv->hours_in_state = 0;
	/* So that "recovered in this very state" below is told by equality alone. */
	if (iv->hours_since_recovery == 0)
		iv->hours_since_recovery = 1;
}

static enum iv_step recover(struct iv_state *iv, uint32_t index, bool update)
{
	if (iv->hours_since_recovery < IV_RECOVERY_HOURS)
		return IV_NOTHING;
	enter(iv, index, update);
	iv->hours_since_recovery = 0;
	return IV_SEQ_RESET;
}

/* The 96 h do not bind the first change after a recovery, 3.11.6. */
static bool stayed(const struct iv_state *iv)
{
	return iv->hours_in_state >= IV_STATE_HOURS ||
	       iv->hours_in_state == iv->hours_since_recovery;
}

enum iv_step iv_beacon(struct iv_state *iv, uint32_t index, bool update, bool busy)
{
	if (index < iv->index || index - iv->index > IV_RECOVERY_REACH)
		return IV_NOTHING;
	if (index == iv->index) {
		if (update || !iv->update || busy || !stayed(iv))
			return IV_NOTHING;
		enter(iv, index, false);
		return IV_SEQ_RESET;
	}
	if (index == iv->index + 1 && update && !iv->update) {
		if (!stayed(iv))
			return IV_NOTHING;
		enter(iv, index, true);
		return IV_CHANGED;
	}
	return recover(iv, index, update);
}

enum iv_step iv_hour(struct iv_state *iv, uint32_t seq_high, bool busy)
{
	iv->hours_in_state++;
	if (iv->hours_since_recovery != UINT32_MAX)
		iv->hours_since_recovery++;
	if (!iv->update && seq_high >= IV_UPDATE_AT_SEQ && iv->hours_in_state >= IV_STATE_HOURS &&
	    iv->index != UINT32_MAX) {
		enter(iv, iv->index + 1, true);
		return IV_CHANGED;
	}
	if (iv->update && iv->hours_in_state >= IV_STATE_HOURS &&
	    (!busy || iv->hours_in_state >= IV_STATE_HOURS_MAX)) {
		enter(iv, iv->index, false);
		return IV_SEQ_RESET;
	}
	return IV_CHANGED; /* the hours themselves */
}
