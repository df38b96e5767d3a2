/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lower transport, 3.5: replay protection, segments either way, acknowledgments. What is not
 * segmented goes straight through.
 */
#ifndef MESHMASON_LOWER_H
#define MESHMASON_LOWER_H

#include "sar_rx.h"
#include "sar_tx.h"

struct lower;

struct lower_env {
	struct timers *timers;
	struct net *net;
	const struct sar_config *config; /* NULL: sar_defaults; must stay */
	/* A whole access PDU; true when it was authentic and of use. */
	bool (*received)(void *ctx, const struct lower_received *m);
	lower_seal *seal;
	void *ctx;
};

struct lower_counters {
	uint64_t replayed, malformed, segments_in, segments_out, acks_in, acks_out, retransmissions,
		transfers_failed, full, heartbeats, control_ignored;
};

struct lower *lower_new(const struct lower_env *env);
void lower_free(struct lower *l);
/* A network PDU addressed to us. */
void lower_heard(struct lower *l, const struct net_pdu *p, uint16_t net_index);
/* Plain is an access message of 1..380 octets, copied. LOWER_OK: *id is 0 and it has been sent
 * unsegmented (done is never called), or *id names the transfer and done comes later. */
enum lower_result lower_send(struct lower *l, const struct lower_message *m, struct bytes plain,
			     uint32_t *id);
void lower_cancel(struct lower *l, uint32_t id);
bool lower_busy(const struct lower *l);
void lower_forget(struct lower *l, uint16_t first, uint16_t count);
void lower_counters(const struct lower *l, struct lower_counters *out);

#endif
