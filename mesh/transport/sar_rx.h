/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembling segmented messages and acknowledging them, 3.5.3.4; many sources at once. */
#ifndef MESHMASON_SAR_RX_H
#define MESHMASON_SAR_RX_H

#include "lower_pdu.h"
#include "net.h"
#include "sar.h"
#include "timers.h"

/* A whole upper transport PDU, segmented or not. Valid for the call only. */
struct lower_received {
	uint16_t src, dst, net_index;
	uint32_t iv_index, seq; /* for the nonce: those of SeqAuth when segmented */
	uint8_t ttl;
	bool ctl;
	uint8_t key; /* access: AKF and AID; control: opcode */
	bool szmic;
	struct bytes pdu;
};

struct sar_rx;

struct sar_rx_env {
	struct timers *timers;
	struct net *net;
	const struct sar_config *config;
	/* Complete; true when it was authentic and of use, so that replay protection holds it. */
	bool (*received)(void *ctx, const struct lower_received *m);
	void *ctx;
};

struct sar_rx_counters {
	uint64_t segments, acks, malformed, rejected, discarded;
};

struct sar_rx *sar_rx_new(const struct sar_rx_env *env);
void sar_rx_free(struct sar_rx *x);
/* A network PDU with SEG set, for us and fresh. True when it completed a message that was
 * accepted. */
bool sar_rx_segment(struct sar_rx *x, const struct net_pdu *p, uint16_t net_index);
/* Nothing is remembered of these sources. */
void sar_rx_forget(struct sar_rx *x, uint16_t first, uint16_t count);
const struct sar_rx_counters *sar_rx_counters(const struct sar_rx *x);

#endif
