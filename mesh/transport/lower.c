/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   CTL SEG
 *    0   0   access, whole         -> received
 *    0   1   access, a segment     -> sar_rx
 *    1   0   control, whole        -> acknowledgment to sar_tx, others counted
 *    1   1   control, a segment    -> sar_rx
 *
 * 3.9.8: the replay list is asked with the SEQ of each PDU, never with SeqAuth, and moved only
 * when the message was accepted.
 */
#include "lower.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct sar_config sar_defaults = {
	.segment_interval_ms = 30,
	.unicast_transmissions = 16,
	.unicast_without_progress = 8,
	.unicast_interval_ms = 200,
	.unicast_increment_ms = 50,
	.multicast_transmissions = 3,
	.multicast_interval_ms = 250,
	.segments_threshold = 3,
	.ack_delay_halves = 5,
	.ack_transmissions = 1,
	.discard_ms = 10000,
	.receive_interval_ms = 60,
};

struct lower {
	struct lower_env env;
	struct sar_tx *tx;
	struct sar_rx *rx;
	uint64_t replayed, malformed, acks_in, heartbeats, control_ignored;
};

static bool reassembled(void *ctx, const struct lower_received *m)
{
	struct lower *l = ctx;

	if (!m->ctl)
		return l->env.received(l->env.ctx, m);
	l->control_ignored++; /* none of the long control messages is for a node like us */
	return false;
}

struct lower *lower_new(const struct lower_env *env)
{
	struct lower *l = calloc(1, sizeof(*l));

	if (!l)
		abort();
	l->env = *env;
	if (!l->env.config)
		l->env.config = &sar_defaults;
	l->tx = sar_tx_new(&(struct sar_tx_env){ .timers = env->timers,
						 .net = env->net,
						 .config = l->env.config,
						 .seal = env->seal,
						 .ctx = env->ctx });
	l->rx = sar_rx_new(&(struct sar_rx_env){ .timers = env->timers,
						 .net = env->net,
						 .config = l->env.config,
						 .received = reassembled,
						 .ctx = l });
	return l;
}

void lower_free(struct lower *l)
{
	sar_tx_free(l->tx);
	sar_rx_free(l->rx);
	free(l);
}

/* True when it was valid and for us. */
static bool control_heard(struct lower *l, const struct net_pdu *p, uint16_t net_index)
{
	struct lower_ack ack;

	switch (p->transport[0]) {
	case CONTROL_SEGMENT_ACK:
		if (!lower_ack_decode(&ack, bytes_of(p->transport, p->len))) {
			l->malformed++;
			return false;
		}
		l->acks_in++;
		return p->dst == net_address(l->env.net) &&
		       sar_tx_acked(l->tx, p->src, net_index, &ack);
	case CONTROL_HEARTBEAT:
		l->heartbeats++; /* no subscription, 3.6.7 */
		return false;
	default:
		l->control_ignored++;
		return false;
	}
}

static bool access_heard(struct lower *l, const struct net_pdu *p, uint16_t net_index)
{
	struct lower_received m = { .src = p->src,
				    .dst = p->dst,
				    .net_index = net_index,
				    .iv_index = p->iv_index,
				    .seq = p->seq,
				    .ttl = p->ttl,
				    .key = p->transport[0],
				    .pdu = bytes_of(p->transport + 1, p->len - 1u) };

	if (m.pdu.n < 5) {
		l->malformed++;
		return false;
	}
	return l->env.received(l->env.ctx, &m);
}

void lower_heard(struct lower *l, const struct net_pdu *p, uint16_t net_index)
{
	uint64_t ivi_seq = net_ivi_seq(p->iv_index, p->seq);
	bool accepted;

	if (!rpl_fresh(net_rpl(l->env.net), p->src, ivi_seq)) {
		l->replayed++;
		return;
	}
	if (p->transport[0] & 0x80)
		accepted = sar_rx_segment(l->rx, p, net_index);
	else if (p->ctl)
		accepted = control_heard(l, p, net_index);
	else
		accepted = access_heard(l, p, net_index);
	if (accepted)
		rpl_accept(net_rpl(l->env.net), p->src, ivi_seq);
}

static enum lower_result send_whole(struct lower *l, const struct lower_message *m,
				    struct bytes plain)
{
	struct net_pdu p = { .iv_index = iv_transmit(net_iv(l->env.net)),
			     .dst = m->dst,
			     .ttl = m->ttl,
			     .len = (uint8_t)(1 + plain.n + 4) };
	uint8_t key;

	if (!net_take_seq(l->env.net, &p.seq))
		return LOWER_FULL;
	if (!l->env.seal(l->env.ctx, m, p.seq, p.iv_index, plain, p.transport + 1, &key))
		return LOWER_NO_KEY;
	p.transport[0] = key;
	return net_send(l->env.net, m->net_index, &p, BEARER_NETWORK, 0) ? LOWER_OK : LOWER_NO_KEY;
}

enum lower_result lower_send(struct lower *l, const struct lower_message *m, struct bytes plain,
			     uint32_t *id)
{
	assert(plain.n >= 1 && plain.n <= ACCESS_MAX && m->ttl != 1);
	*id = 0;
	if (!subnets_find(net_subnets(l->env.net), m->net_index))
		return LOWER_NO_KEY;
	if (!m->segmented && plain.n + 4 <= LOWER_UNSEGMENTED_ACCESS)
		return send_whole(l, m, plain);
	*id = sar_tx_start(l->tx, m, plain);
	return *id != 0 ? LOWER_OK : LOWER_FULL;
}

void lower_cancel(struct lower *l, uint32_t id)
{
	sar_tx_cancel(l->tx, id);
}

bool lower_busy(const struct lower *l)
{
	return sar_tx_busy(l->tx);
}

void lower_forget(struct lower *l, uint16_t first, uint16_t count)
{
	sar_rx_forget(l->rx, first, count);
}

void lower_counters(const struct lower *l, struct lower_counters *out)
{
	const struct sar_tx_counters *tx = sar_tx_counters(l->tx);
	const struct sar_rx_counters *rx = sar_rx_counters(l->rx);

	*out = (struct lower_counters){ .replayed = l->replayed,
					.malformed = l->malformed + rx->malformed,
					.segments_in = rx->segments,
					.segments_out = tx->segments,
					.acks_in = l->acks_in,
					.acks_out = rx->acks,
					.retransmissions = tx->retransmissions,
					.transfers_failed = tx->failed,
					.full = tx->full + rx->rejected,
					.heartbeats = l->heartbeats,
					.control_ignored = l->control_ignored };
}
