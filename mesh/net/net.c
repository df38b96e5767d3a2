/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receiving, 3.4.6: raw duplicate? -> NID names candidate keys, IVI names the IV Index ->
 * authentic? -> our own echo? -> message cache -> a sign of life? -> destination -> transport.
 */
#include "net.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net_cache.h"
#include "seq.h"

struct net {
	struct net_env env;
	struct subnets subnets;
	struct seq seq;
	struct rpl rpl;
	struct rpl
		life; /* what passes by counts here, too; it protects nothing but signs of life */
	struct iv_state iv;
	uint32_t seq_high; /* the highest heard of others under the transmit IV Index */
	struct net_counters counters;
	struct net_cache cache;
};

static void keep_nothing(void *ctx, uint16_t src, uint64_t ivi_seq)
{
}

struct net *net_new(const struct net_env *env)
{
	struct net *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->env = *env;
	if (n->env.transmit_count == 0)
		n->env.transmit_count = NET_TRANSMIT_COUNT;
	if (n->env.transmit_interval_ms == 0)
		n->env.transmit_interval_ms = NET_TRANSMIT_INTERVAL;
	n->iv = env->iv;
	n->cache.salt = env->cache_salt;
	seq_init(&n->seq, env->seq_reserved, env->save_seq, env->ctx);
	rpl_init(&n->rpl, env->save_replay, env->ctx);
	rpl_init(&n->life, keep_nothing, n);
	return n;
}

void net_free(struct net *n)
{
	subnets_free(&n->subnets);
	rpl_free(&n->rpl);
	rpl_free(&n->life);
	free(n);
}

/* NIDs have 7 bits: several keys may match, each is tried. */
static bool decode(struct net *n, struct bytes in, struct net_pdu *p, uint16_t *net_index)
{
	uint8_t nid = in.p[0] & 0x7F;
	uint32_t iv_index;

	if (!iv_receive(&n->iv, in.p[0] >> 7, &iv_index))
		return false;
	for (size_t i = 0; i < n->subnets.n; i++) {
		const struct subnet *s = &n->subnets.subnet[i];

		for (size_t k = 0; k < ARRAY_LEN(s->key); k++) {
			if (!s->key[k].present || s->key[k].flooding.nid != nid)
				continue;
			if (!net_pdu_decode(&s->key[k].flooding, iv_index, in, p))
				continue;
			*net_index = s->index;
			return true;
		}
	}
	return false;
}

/* 3.4.3: which destinations exist, and which are ours. We subscribe to no group. */
static bool for_us(const struct net *n, const struct net_pdu *p)
{
	return p->dst == n->env.address || p->dst == ADDR_ALL_NODES;
}

/* A recording played back is none, however authentic it is. again: another way than before that
 * the source's last message came, while we still know that. */
static void sign_of_life(struct net *n, const struct net_pdu *p, bool again)
{
	uint64_t ivi_seq = net_ivi_seq(p->iv_index, p->seq);

	if (again ? ivi_seq + 1 != n->life.above[p->src]
		  : !rpl_fresh(&n->rpl, p->src, ivi_seq) || !rpl_fresh(&n->life, p->src, ivi_seq))
		return;
	rpl_accept(&n->life, p->src, ivi_seq);
	n->env.heard(n->env.ctx, p->src, p->ttl);
}

void net_replay_forget(struct net *n, uint16_t first, uint16_t count)
{
	rpl_forget(&n->rpl, first, count);
	rpl_forget(&n->life, first, count);
}

void net_heard(struct net *n, struct bytes in)
{
	struct net_pdu p;
	uint16_t net_index;

	if (in.n < NET_PDU_MIN || in.n > NETWORK_PDU_MAX) {
		n->counters.malformed++;
		return;
	}
	if (net_cache_raw(&n->cache, in)) {
		n->counters.duplicates++;
		return;
	}
	if (!decode(n, in, &p, &net_index)) {
		n->counters.undecryptable++;
		return;
	}
	if (p.src == n->env.address) {
		n->counters.echoes++;
		return;
	}
	bool again = net_cache_message(&n->cache, p.src, p.seq, p.iv_index);
	sign_of_life(n, &p, again);
	if (again) {
		n->counters.duplicates++;
		return;
	}
	n->counters.ok++;
	if (p.seq > n->seq_high && p.iv_index == iv_transmit(&n->iv))
		n->seq_high = p.seq;
	if (!for_us(n, &p)) {
		n->counters.not_for_us++;
		return;
	}
	n->env.received(n->env.ctx, &p, net_index);
}

bool net_take_seq(struct net *n, uint32_t *seq)
{
	return seq_take(&n->seq, seq);
}

bool net_send(struct net *n, uint16_t net_index, struct net_pdu *p, enum bearer_class kind,
	      uint32_t tag)
{
	struct subnet *s = subnets_find(&n->subnets, net_index);
	struct bearer_send out = { .kind = kind,
				   .count = n->env.transmit_count,
				   .interval_ms = n->env.transmit_interval_ms,
				   .tag = tag };
	size_t len;

	if (!s)
		return false;
	assert(p->ttl != 1); /* 3.4.5.2: never originated */
	p->src = n->env.address;
	len = net_pdu_encode(&subnet_transmit(s)->flooding, p, out.data + 2);
	out.data[0] = (uint8_t)(len + 1);
	out.data[1] = AD_MESH_MESSAGE;
	out.len = (uint8_t)(len + 2);
	if (!n->env.bearer->send(n->env.bearer, &out))
		n->counters.queue_full++;
	return true;
}

void net_cancel(struct net *n, uint32_t tag)
{
	n->env.bearer->cancel(n->env.bearer, tag);
}

bool net_key_set(struct net *n, uint16_t index, const struct secret16 *key,
		 const struct secret16 *new_key, enum subnet_phase phase)
{
	net_cache_forget_raw(&n->cache);
	return subnets_set(&n->subnets, index, key, new_key, phase);
}

struct subnets *net_subnets(struct net *n)
{
	return &n->subnets;
}

struct rpl *net_rpl(struct net *n)
{
	return &n->rpl;
}

uint16_t net_address(const struct net *n)
{
	return n->env.address;
}

uint8_t net_default_ttl(const struct net *n)
{
	return n->env.default_ttl;
}

uint32_t net_seq_next(const struct net *n)
{
	return n->seq.next;
}

const struct iv_state *net_iv(const struct net *n)
{
	return &n->iv;
}

static enum iv_step stepped(struct net *n, enum iv_step step, uint32_t index_before)
{
	if (step == IV_NOTHING)
		return step;
	if (step == IV_SEQ_RESET)
		seq_reset(&n->seq);
	if (step == IV_SEQ_RESET || n->iv.index != index_before) {
		n->seq_high = 0;
		net_cache_forget_raw(&n->cache);
	}
	n->env.save_iv(n->env.ctx, &n->iv, n->seq.reserved);
	return step;
}

enum iv_step net_iv_beacon(struct net *n, uint32_t index, bool update)
{
	uint32_t before = n->iv.index;

	return stepped(n, iv_beacon(&n->iv, index, update, n->env.busy(n->env.ctx)), before);
}

enum iv_step net_iv_hour(struct net *n)
{
	uint32_t before = n->iv.index;
	uint32_t high = n->seq.next > n->seq_high ? n->seq.next : n->seq_high;

	return stepped(n, iv_hour(&n->iv, high, n->env.busy(n->env.ctx)), before);
}

const struct net_counters *net_counters(const struct net *n)
{
	return &n->counters;
}
