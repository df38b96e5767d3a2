/* SPDX-License-Identifier: Apache-2.0 */
/* Two nodes that know each other, and a stranger who has only the network key. */
#ifndef MESHMASON_TESTS_STACK_PAIR_H
#define MESHMASON_TESTS_STACK_PAIR_H

#include "lower.h"
#include "stack_node.h"

enum { GATEWAY = 0x0001, NODE = 0x0100 };

struct pair {
	struct stack_air air;
	struct stack_node *a, *b;
};

static inline void pair_open(struct pair *p, uint64_t seed, unsigned loss,
			     const struct sar_config *config)
{
	air_init(&p->air, seed, loss);
	p->a = node_new(&p->air, &(struct node_options){ .address = GATEWAY, .config = config });
	p->b = node_new(&p->air, &(struct node_options){ .address = NODE, .config = config });
	nodes_meet(p->a, p->b);
}

static inline void pair_close(struct pair *p)
{
	node_free(p->a);
	node_free(p->b);
	air_free(&p->air);
}

/* A message that tells its number and length apart from all others. */
static inline struct bytes text(uint8_t buf[ACCESS_MAX], unsigned number, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(number * 7 + i * 13 + (number >> 3));
	return bytes_of(buf, len);
}

/* What a node that has only the network key sends. */
struct stranger {
	struct stack_node *victim;
	struct subnet_key key;
	uint16_t address;
	uint32_t seq, iv_index;
};

static inline void stranger_init(struct stranger *s, struct stack_node *victim, uint16_t address)
{
	*s = (struct stranger){ .victim = victim, .address = address, .seq = 100 };
	subnet_key_init(&s->key, &NODE_NET_KEY);
}

static inline void stranger_says(struct stranger *s, uint16_t dst, bool ctl, const void *transport,
				 size_t len)
{
	struct net_pdu p = { .iv_index = s->iv_index,
			     .seq = s->seq++,
			     .src = s->address,
			     .dst = dst,
			     .ctl = ctl,
			     .ttl = 5,
			     .len = (uint8_t)len };
	uint8_t out[NETWORK_PDU_MAX];
	size_t n;

	memcpy(p.transport, transport, len);
	n = net_pdu_encode(&s->key.flooding, &p, out);
	net_heard(s->victim->net, bytes_of(out, n));
}

/* A segment of a message whose first one has this SEQ. */
static inline void stranger_segment(struct stranger *s, uint16_t dst, uint32_t seq_auth,
				    uint8_t seg_o, uint8_t seg_n)
{
	static const uint8_t data[12] = { 1, 2, 3 };
	struct lower_segment seg = { .seq_zero = seq_auth & 0x1FFF,
				     .seg_o = seg_o,
				     .seg_n = seg_n,
				     .data = bytes_of(data, sizeof(data)) };
	uint8_t out[16];
	size_t n = lower_segment_encode(&seg, out);

	stranger_says(s, dst, false, out, n);
}

/* The acknowledgments that a node sends. */
struct acks {
	unsigned count;
	struct lower_ack last;
	uint64_t at;
	uint8_t ttl;
	struct subnet_key key;
};

static inline void tap_acks(struct station *s, const struct bearer_send *send, void *ctx)
{
	struct acks *a = ctx;
	struct net_pdu p;

	if (send->kind != BEARER_ACK)
		return;
	check(net_pdu_decode(&a->key.flooding, 0, bytes_of(send->data + 2, send->len - 2u), &p));
	check(p.ctl && lower_ack_decode(&a->last, bytes_of(p.transport, p.len)));
	a->ttl = p.ttl;
	a->at = timers_now(&s->air->timers);
	a->count++;
}

static inline void acks_watch(struct acks *a, struct stack_node *n)
{
	memset(a, 0, sizeof(*a));
	subnet_key_init(&a->key, &NODE_NET_KEY);
	n->station.tap = tap_acks;
	n->station.tap_ctx = a;
}

#endif
