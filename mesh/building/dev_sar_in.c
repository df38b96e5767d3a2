/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reassembly, Mesh 3.5.3.4.
 *
 *   sender                              this node
 *     | segment 0 .. n --------------->  |  ack timer restarts with each new one
 *     | <------------- bits so far       |  when it expires
 *     | those that miss -------------->  |
 *     | <------------- all bits          |  at once with the last; delivered; remembered
 */
#include <string.h>

#include "dev_core.h"

enum { SEGMENT = 12 };

/* The default SAR Receiver state, 4.2.49. */
#define SEGMENT_INTERVAL MSEC(60)
#define DISCARD_TIMEOUT	 SEC(10)
#define REACK_GAP	 MSEC(150)

/* The fields of a segment's header. */
struct segment {
	uint8_t akf_aid, seg_o, seg_n;
	bool szmic;
	uint16_t seq_zero;
	struct bytes data;
};

static bool segment_decode(struct segment *s, const struct dev_net_pdu *pdu)
{
	struct rd r = rd_from(bytes_of(pdu->transport, pdu->len));
	uint32_t word = rd_be32(&r);

	s->akf_aid = word >> 24 & 0x7F;
	s->szmic = word >> 23 & 1;
	s->seq_zero = word >> 10 & 0x1FFF;
	s->seg_o = word >> 5 & 0x1F;
	s->seg_n = word & 0x1F;
	s->data = rd_rest(&r);
	return rd_ok(&r) && s->seg_o <= s->seg_n && s->data.n >= 1 && s->data.n <= SEGMENT &&
	       (s->seg_o == s->seg_n || s->data.n == SEGMENT);
}

static void send_ack(struct device *d, uint16_t net_index, uint16_t to, uint8_t heard_ttl,
		     uint16_t seq_zero, uint32_t bits)
{
	struct dev_net_key *k = dev_net_key_find(d, net_index);
	struct dev_net_pdu pdu = { .ctl = true, .dst = to };
	struct wr w = wr_to(pdu.transport, sizeof(pdu.transport));

	if (!k)
		return;
	pdu.ttl = heard_ttl == 0 ? 0 : d->flash.default_ttl;
	wr_u8(&w, CONTROL_SEGMENT_ACK);
	wr_be16(&w, (uint16_t)(seq_zero << 2));
	wr_be32(&w, bits);
	pdu.len = (uint8_t)w.n;
	dev_net_send_fresh(d, k, &pdu, DEV_ACK_COPIES);
}

static bool unicast(const struct dev_sar_in *c)
{
	return c->dst <= ADDR_UNICAST_LAST;
}

static void ack_now(struct dev_sar_in *c)
{
	struct device *d = c->device;

	if (!unicast(c))
		return;
	c->acked_at = timers_now(d->env.timers);
	send_ack(d, c->net_index, c->src, c->ttl, c->seq_auth & 0x1FFF,
		 c->finished ? dev_sar_all(c->seg_n) : c->got);
}

static void on_ack_timer(void *ctx)
{
	ack_now(ctx);
}

static void on_discard(void *ctx)
{
	struct dev_sar_in *c = ctx;

	timer_stop(c->device->env.timers, &c->ack);
	c->got = 0;
	c->expired = true;
}

static void restart_timers(struct dev_sar_in *c)
{
	struct timers *ts = c->device->env.timers;
	uint64_t half_steps = 2u * c->seg_n + 1 < 5 ? 2u * c->seg_n + 1 : 5;

	timer_start(ts, &c->discard, DISCARD_TIMEOUT, on_discard, c);
	if (unicast(c))
		timer_start(ts, &c->ack, half_steps * SEGMENT_INTERVAL / 2, on_ack_timer, c);
}

static struct dev_sar_in *find(struct dev_transport *t, uint16_t src, uint16_t dst)
{
	for (size_t i = 0; i < DEV_SAR_IN; i++)
		if (t->in[i].used && t->in[i].src == src && t->in[i].dst == dst)
			return &t->in[i];
	return NULL;
}

/* A free place, or that of the message whose story ended longest ago. */
static struct dev_sar_in *take_place(struct dev_transport *t)
{
	struct dev_sar_in *best = NULL;

	for (size_t i = 0; i < DEV_SAR_IN; i++) {
		struct dev_sar_in *c = &t->in[i];

		if (!c->used)
			return c;
		if ((c->finished || c->expired) && (!best || c->touched < best->touched))
			best = c;
	}
	return best;
}

static void begin(struct dev_sar_in *c, const struct dev_net_pdu *pdu, const struct segment *s,
		  uint64_t seq_auth, uint16_t net_index)
{
	struct timers *ts = c->device->env.timers;

	timer_stop(ts, &c->ack);
	timer_stop(ts, &c->discard);
	c->used = true;
	c->finished = c->expired = false;
	c->src = pdu->src;
	c->dst = pdu->dst;
	c->net_index = net_index;
	c->seq_auth = seq_auth;
	c->ttl = pdu->ttl;
	c->akf_aid = s->akf_aid;
	c->szmic = s->szmic;
	c->seg_n = s->seg_n;
	c->got = 0;
	c->last_len = 0;
}

static void finish(struct dev_sar_in *c, struct dev_net_key *k, const struct dev_net_pdu *last)
{
	struct device *d = c->device;
	struct dev_upper_nonce nonce = { .szmic = c->szmic,
					 .seq = (uint32_t)(c->seq_auth & 0xFFFFFF),
					 .iv_index = (uint32_t)(c->seq_auth >> 24),
					 .src = c->src,
					 .dst = c->dst };
	struct bytes upper = bytes_of(c->data, (size_t)SEGMENT * c->seg_n + c->last_len);

	timer_stop(d->env.timers, &c->ack);
	timer_stop(d->env.timers, &c->discard);
	c->finished = true;
	ack_now(c);
	if (!dev_upper_received(d, k, last, &nonce, c->akf_aid, upper))
		d->counts.undecryptable++;
}

static void store(struct dev_sar_in *c, struct dev_net_key *k, const struct dev_net_pdu *pdu,
		  const struct segment *s)
{
	if (c->akf_aid != s->akf_aid || c->szmic != s->szmic || c->seg_n != s->seg_n ||
	    c->net_index != k->index || c->got >> s->seg_o & 1)
		return;
	memcpy(c->data + (size_t)SEGMENT * s->seg_o, s->data.p, s->data.n);
	c->got |= 1u << s->seg_o;
	if (s->seg_o == s->seg_n)
		c->last_len = (uint8_t)s->data.n;
	if (c->got == dev_sar_all(c->seg_n))
		finish(c, k, pdu);
	else
		restart_timers(c);
}

void dev_sar_in_segment(struct device *d, struct dev_net_key *k, const struct dev_net_pdu *pdu)
{
	struct dev_sar_in *c = find(&d->transport, pdu->src, pdu->dst);
	uint64_t now = timers_now(d->env.timers), seq_auth;
	struct segment s;
	uint32_t first;

	if (!segment_decode(&s, pdu) || !dev_seq_auth(pdu->seq, s.seq_zero, &first))
		return;
	seq_auth = (uint64_t)pdu->iv_index << 24 | first;
	if (c && seq_auth < c->seq_auth)
		return;
	if (c && seq_auth == c->seq_auth) {
		if (!c->finished && !c->expired)
			store(c, k, pdu, &s);
		else if (c->finished && now - c->acked_at >= REACK_GAP)
			ack_now(c);
		return;
	}
	if (!c)
		c = take_place(&d->transport);
	if (!c) {
		if (dev_is_own(d, pdu->dst))
			send_ack(d, k->index, pdu->src, pdu->ttl, s.seq_zero, 0);
		return;
	}
	begin(c, pdu, &s, seq_auth, k->index);
	c->touched = now;
	store(c, k, pdu, &s);
}
