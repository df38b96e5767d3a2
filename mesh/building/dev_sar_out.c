/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segmentation, Mesh 3.5.3.3: one message at a time to each destination, in the order given;
 * different destinations in parallel. The chart is in dev_sar_in.c.
 */
#include <string.h>

#include "dev_core.h"

enum { SEGMENT = 12, SEG = 0x80, MIC_SHORT = 4, SEQ_ZERO_SPAN = 8192 };
/* The permitted largest counts of SAR Transmitter, 4.2.48: eight transmissions. */
enum { TRIES = 7, TRIES_WITHOUT_PROGRESS = 7 };

#define SEGMENT_INTERVAL  MSEC(60)
#define RETRANSMIT	  MSEC(200)
#define RETRANSMIT_BY_TTL MSEC(50)

static void send_next(void *ctx);

static void activate_next(struct device *d, uint16_t address);

/* Frees the place, starts the next one to that address, then tells: in that order, so that the
 * one who is told may send again. */
static void end(struct dev_sar_out *m, bool delivered)
{
	struct device *d = m->device;
	dev_sent_fn *sent = m->sent;

	timer_stop(d->env.timers, &m->timer);
	m->used = m->active = false;
	activate_next(d, m->peer.address);
	if (sent)
		sent(d, delivered);
}

static uint64_t retransmission_time(const struct dev_sar_out *m)
{
	return RETRANSMIT + (m->peer.ttl > 1 ? RETRANSMIT_BY_TTL * (m->peer.ttl - 1u) : 0);
}

static void on_no_ack(void *ctx)
{
	struct dev_sar_out *m = ctx;

	m->waiting = false;
	if (m->tries == 0 || m->tries_without_progress == 0) {
		end(m, false);
		return;
	}
	m->tries--;
	m->tries_without_progress--;
	m->next = 0;
	send_next(m);
}

/* SEQ of the first segment is part of the encryption, so it is taken beforehand. */
static bool put_segment(struct dev_sar_out *m, uint8_t seg_o, const uint32_t *seq)
{
	struct device *d = m->device;
	const struct dev_net_key *k = dev_net_key_find(d, m->peer.net_index);
	struct dev_net_pdu pdu = { .ttl = m->peer.ttl,
				   .dst = m->peer.address,
				   .iv_index = m->iv_index };
	struct wr w = wr_to(pdu.transport, sizeof(pdu.transport));
	size_t at = (size_t)SEGMENT * seg_o, left = m->len - at;

	if (!k || (!seq && !dev_net_take_seq(d, &pdu.seq)))
		return false;
	if (seq)
		pdu.seq = *seq;
	if (pdu.seq - m->seq_first >= SEQ_ZERO_SPAN) /* SeqAuth could no longer be recovered */
		return false;
	wr_u8(&w, SEG | m->akf_aid);
	wr_be24(&w, (m->seq_first & 0x1FFF) << 10 | (uint32_t)seg_o << 5 | m->seg_n);
	wr_copy(&w, m->data + at, left < SEGMENT ? left : SEGMENT);
	pdu.len = (uint8_t)w.n;
	dev_net_send(d, k, &pdu, dev_transmit_count(d->flash.network_transmit));
	return true;
}

static void after_segment(struct dev_sar_out *m, uint8_t seg_o)
{
	m->next = (uint8_t)(seg_o + 1);
	while (m->next <= m->seg_n && m->acked >> m->next & 1)
		m->next++;
	if (m->next <= m->seg_n) {
		timer_start(m->device->env.timers, &m->timer, SEGMENT_INTERVAL, send_next, m);
	} else {
		m->waiting = true;
		timer_start(m->device->env.timers, &m->timer, retransmission_time(m), on_no_ack, m);
	}
}

static void send_next(void *ctx)
{
	struct dev_sar_out *m = ctx;

	while (m->next < m->seg_n && m->acked >> m->next & 1)
		m->next++;
	if (put_segment(m, m->next, NULL))
		after_segment(m, m->next);
	else
		end(m, false);
}

/* Encrypts in place and sends the first segment. */
static bool activate(struct dev_sar_out *m)
{
	struct device *d = m->device;
	const struct secret16 *key = dev_upper_key(d, &m->peer, &m->akf_aid);
	struct dev_upper_nonce nonce = { .device_key = m->peer.app_index == DEV_KEY_DEVICE,
					 .src = d->flash.address,
					 .dst = m->peer.address };

	if (!key || !dev_net_take_seq(d, &m->seq_first))
		return false;
	m->iv_index = dev_net_tx_iv(d);
	nonce.seq = m->seq_first;
	nonce.iv_index = m->iv_index;
	dev_upper_seal(key, &nonce, bytes_of(m->data, m->len), m->data);
	m->len += MIC_SHORT;
	m->seg_n = (uint8_t)((m->len - 1) / SEGMENT);
	m->active = true;
	m->acked = 0;
	m->waiting = false;
	m->tries = TRIES;
	m->tries_without_progress = TRIES_WITHOUT_PROGRESS;
	if (!put_segment(m, 0, &m->seq_first))
		return false;
	after_segment(m, 0);
	return true;
}

static struct dev_sar_out *first_waiting(struct dev_transport *t, uint16_t address)
{
	struct dev_sar_out *best = NULL;

	for (size_t i = 0; i < DEV_SAR_OUT; i++) {
		struct dev_sar_out *m = &t->out[i];

		if (!m->used || m->peer.address != address)
			continue;
		if (m->active)
			return NULL; /* the destination is busy */
		if (!best || m->order < best->order)
			best = m;
	}
	return best;
}

static void end_later(void *ctx)
{
	end(ctx, false);
}

static void activate_next(struct device *d, uint16_t address)
{
	struct dev_sar_out *m = first_waiting(&d->transport, address);

	if (m && !activate(m)) {
		m->active = true; /* keeps its place until its owner is told */
		timer_start(d->env.timers, &m->timer, 0, end_later, m);
	}
}

bool dev_sar_out_send(struct device *d, const struct dev_peer *to, struct bytes access,
		      dev_sent_fn *sent)
{
	struct dev_transport *t = &d->transport;

	for (size_t i = 0; i < DEV_SAR_OUT; i++) {
		struct dev_sar_out *m = &t->out[i];

		if (m->used)
			continue;
		m->used = true;
		m->active = false;
		m->order = t->orders++;
		m->peer = *to;
		m->sent = sent;
		memcpy(m->data, access.p, access.n);
		m->len = access.n;
		activate_next(d, to->address);
		return true;
	}
	return false;
}

bool dev_sar_out_busy(const struct device *d)
{
	for (size_t i = 0; i < DEV_SAR_OUT; i++)
		if (d->transport.out[i].used)
			return true;
	return false;
}

static struct dev_sar_out *find(struct dev_transport *t, const struct dev_net_key *k,
				const struct dev_net_pdu *pdu, uint16_t seq_zero, bool obo)
{
	for (size_t i = 0; i < DEV_SAR_OUT; i++) {
		struct dev_sar_out *m = &t->out[i];

		if (m->used && m->active && (m->seq_first & 0x1FFF) == seq_zero &&
		    m->peer.net_index == k->index && (obo || m->peer.address == pdu->src))
			return m;
	}
	return NULL;
}

bool dev_sar_out_acked(struct device *d, const struct dev_net_key *k, const struct dev_net_pdu *pdu,
		       uint16_t seq_zero, bool obo, uint32_t bits)
{
	struct dev_sar_out *m = find(&d->transport, k, pdu, seq_zero, obo);
	uint32_t fresh;

	if (!m)
		return false;
	if (bits == 0) { /* refused */
		end(m, false);
		return true;
	}
	fresh = bits & dev_sar_all(m->seg_n) & ~m->acked;
	if (!fresh)
		return false;
	m->acked |= fresh;
	if (m->acked == dev_sar_all(m->seg_n)) {
		end(m, true);
	} else if (m->waiting && m->tries > 0) {
		m->waiting = false;
		m->tries--;
		m->tries_without_progress = TRIES_WITHOUT_PROGRESS;
		m->next = 0;
		send_next(m);
	}
	return true;
}
