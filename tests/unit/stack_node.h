/* SPDX-License-Identifier: Apache-2.0 */
/* A node of network, lower and upper transport on the test's air, with a store in memory. */
#ifndef MESHMASON_TESTS_STACK_NODE_H
#define MESHMASON_TESTS_STACK_NODE_H

#include "beacon.h"
#include "net.h"
#include "stack_air.h"
#include "upper.h"

enum { HEARD_MAX = 512 };

struct heard_message {
	uint16_t src, dst;
	int key;
	uint8_t ttl;
	uint64_t at;
	size_t len;
	uint8_t pdu[LOWER_UPPER_MAX];
};

struct stack_node {
	struct station station;
	struct net *net;
	struct upper *upper;
	/* Where set, gets the messages; else they are kept in heard. */
	bool (*received)(struct stack_node *n, const struct upper_message *m);
	void *ctx;
	bool refuse; /* tell the transport that nobody had a use for it */
	struct heard_message heard[HEARD_MAX];
	size_t n_heard;
	unsigned neighbours; /* PDUs authenticated */
	uint8_t last_ttl;
	uint16_t candidate;
	/* the store */
	uint32_t seq_reserved;
	unsigned seq_saves, replay_saves, iv_saves;
	uint16_t replay_src;
	uint64_t replay_value;
	struct iv_state iv;
	uint32_t iv_seq;
};

static const struct secret16 NODE_NET_KEY = { { 0x7d, 0xd7, 0x36, 0x4c, 0xd8, 0x42, 0xad, 0x18,
						0xc1, 0x7c, 0x2b, 0x82, 0x0c, 0x84, 0xc3, 0xd6 } };

static inline void node_save_seq(void *ctx, uint32_t reserved)
{
	struct stack_node *n = ctx;

	n->seq_reserved = reserved;
	n->seq_saves++;
}

static inline void node_save_iv(void *ctx, const struct iv_state *iv, uint32_t seq)
{
	struct stack_node *n = ctx;

	n->iv = *iv;
	n->iv_seq = n->seq_reserved = seq;
	n->iv_saves++;
}

static inline void node_save_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
	struct stack_node *n = ctx;

	n->replay_src = src;
	n->replay_value = ivi_seq;
	n->replay_saves++;
}

static inline void node_pdu(void *ctx, const struct net_pdu *p, uint16_t net_index)
{
	struct stack_node *n = ctx;

	lower_heard(upper_lower(n->upper), p, net_index);
}

static inline void node_neighbour(void *ctx, uint16_t src, uint8_t ttl)
{
	struct stack_node *n = ctx;

	n->neighbours++;
	n->last_ttl = ttl;
}

static inline bool node_busy(void *ctx)
{
	struct stack_node *n = ctx;

	return lower_busy(upper_lower(n->upper));
}

static inline bool node_received(void *ctx, const struct upper_message *m)
{
	struct stack_node *n = ctx;
	struct heard_message *h;

	if (n->received)
		return n->received(n, m);
	assert_true(n->n_heard < HEARD_MAX);
	h = &n->heard[n->n_heard++];
	*h = (struct heard_message){ .src = m->src,
				     .dst = m->dst,
				     .key = m->key,
				     .ttl = m->ttl,
				     .at = timers_now(&n->station.air->timers),
				     .len = m->pdu.n };
	memcpy(h->pdu, m->pdu.p, m->pdu.n);
	return !n->refuse;
}

static inline void node_candidate(void *ctx, uint16_t address)
{
	struct stack_node *n = ctx;

	n->candidate = address;
}

/* Only network PDUs: beacons have tests of their own. */
static inline void node_report(void *ctx, const struct bearer_report *r)
{
	struct stack_node *n = ctx;

	if (r->data.n > 2 && r->data.p[1] == AD_MESH_MESSAGE)
		net_heard(n->net, bytes_of(r->data.p + 2, r->data.n - 2));
}

struct node_options {
	uint16_t address;
	uint32_t iv_index, seq;
	const struct secret16 *net_key, *device_key; /* NULL: made up from the address */
	const struct sar_config *config;
	uint8_t default_ttl;
};

static inline struct secret16 node_device_key(uint16_t address)
{
	struct secret16 k = { { 0xD0, (uint8_t)(address >> 8), (uint8_t)address } };

	return k;
}

/* The same again on a running node is a restart: what is not in the store is lost. */
static inline void node_boot(struct stack_node *n, const struct node_options *o)
{
	struct secret16 device = o->device_key ? *o->device_key : node_device_key(o->address);

	n->net = net_new(&(struct net_env){
		.bearer = &n->station.bearer,
		.address = o->address,
		.default_ttl = o->default_ttl ? o->default_ttl : 5,
		.iv = { .index = o->iv_index, .hours_since_recovery = UINT32_MAX },
		.seq_reserved = o->seq,
		.cache_salt = 99,
		.save_seq = node_save_seq,
		.save_iv = node_save_iv,
		.save_replay = node_save_replay,
		.received = node_pdu,
		.heard = node_neighbour,
		.busy = node_busy,
		.ctx = n });
	n->upper = upper_new(&(struct upper_env){ .timers = &n->station.air->timers,
						  .net = n->net,
						  .config = o->config,
						  .device_key = &device,
						  .received = node_received,
						  .candidate_used = node_candidate,
						  .ctx = n });
	net_key_set(n->net, 0, o->net_key ? o->net_key : &NODE_NET_KEY, NULL, SUBNET_NORMAL);
	n->seq_reserved = o->seq;
	n->station.bearer.heard = node_report;
	n->station.bearer.heard_ctx = n;
}

static inline void node_halt(struct stack_node *n)
{
	n->station.bearer.heard = NULL;
	upper_free(n->upper);
	net_free(n->net);
}

static inline struct stack_node *node_new(struct stack_air *air, const struct node_options *o)
{
	struct stack_node *n = calloc(1, sizeof(*n));

	air_join(air, &n->station);
	node_boot(n, o);
	return n;
}

static inline void node_free(struct stack_node *n)
{
	air_leave(n->station.air, &n->station);
	node_halt(n);
	free(n);
}

/* Each learns the other's device key. */
static inline void nodes_meet(struct stack_node *a, struct stack_node *b)
{
	uint16_t of_a = net_address(a->net), of_b = net_address(b->net);
	struct secret16 key_a = node_device_key(of_a), key_b = node_device_key(of_b);

	check(upper_keys_set_node(upper_keys(a->upper), of_b, 1, &key_b, NULL));
	check(upper_keys_set_node(upper_keys(b->upper), of_a, 1, &key_a, NULL));
}

/* How a sending ended: the last result and how many there were. */
struct node_done {
	unsigned count;
	enum lower_result result;
	uint64_t at;
	struct timers *timers;
};

static inline void node_done(void *ctx, enum lower_result r)
{
	struct node_done *d = ctx;

	d->count++;
	d->result = r;
	if (d->timers)
		d->at = timers_now(d->timers);
}

/* Sends under the destination's device key. */
static inline uint32_t node_send(struct stack_node *n, uint16_t dst, struct bytes pdu,
				 bool segmented, struct node_done *done)
{
	struct lower_message m = { .dst = dst,
				   .key = UPPER_DEVICE_KEY,
				   .ttl = net_default_ttl(n->net),
				   .segmented = segmented,
				   .done = node_done,
				   .ctx = done };
	uint32_t id;

	check_int(upper_send(n->upper, &m, pdu, &id), LOWER_OK);
	return id;
}

#endif
