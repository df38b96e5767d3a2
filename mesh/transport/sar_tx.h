/* SPDX-License-Identifier: Apache-2.0 */
/* Sending segmented messages, 3.5.3.3: one at a time to a destination, many destinations at once.
 */
#ifndef MESHMASON_SAR_TX_H
#define MESHMASON_SAR_TX_H

#include "lower_pdu.h"
#include "net.h"
#include "sar.h"
#include "timers.h"

enum lower_result {
	LOWER_OK,	/* sent; segmented to a unicast address: acknowledged whole */
	LOWER_TIMEOUT,	/* not acknowledged, or cut off by a new IV Index */
	LOWER_REJECTED, /* the peer acknowledged nothing on purpose: no resources there */
	LOWER_NO_KEY,	/* no such subnet or key */
	LOWER_FULL,	/* all transfers taken, or sequence numbers have run out */
};

/* A message on its way out. */
struct lower_message {
	uint16_t dst, net_index;
	int key;	/* upper.h tells which; given back to seal */
	uint8_t ttl;	/* 0 or 2..127 */
	bool segmented; /* even if it fits in one */
	/* How a segmented message ended; once. Never from inside a call of the owner's. */
	void (*done)(void *ctx, enum lower_result r);
	void *ctx;
};

/* What goes into seal: encrypts plain to out (plain.n + 4 octets) under these numbers and tells
 * AKF and AID. False: the key is gone. */
typedef bool lower_seal(void *ctx, const struct lower_message *m, uint32_t seq, uint32_t iv_index,
			struct bytes plain, uint8_t *out, uint8_t *key);

struct sar_tx;

struct sar_tx_env {
	struct timers *timers;
	struct net *net;
	const struct sar_config *config;
	lower_seal *seal;
	void *ctx;
};

struct sar_tx_counters {
	uint64_t segments, retransmissions, failed, full;
};

struct sar_tx *sar_tx_new(const struct sar_tx_env *env);
void sar_tx_free(struct sar_tx *x);
/* plain (1..380 octets) is copied. The transfer's number, never 0; 0 when the table is full. */
uint32_t sar_tx_start(struct sar_tx *x, const struct lower_message *m, struct bytes plain);
/* done is not called. An unknown number is fine. */
void sar_tx_cancel(struct sar_tx *x, uint32_t id);
/* True when it belongs to a transfer of ours. */
bool sar_tx_acked(struct sar_tx *x, uint16_t src, uint16_t net_index, const struct lower_ack *ack);
/* Is any message out and not yet acknowledged? */
bool sar_tx_busy(const struct sar_tx *x);
const struct sar_tx_counters *sar_tx_counters(const struct sar_tx *x);

#endif
