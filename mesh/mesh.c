/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   bearer -> AD structures -> 0x2A net -> lower -> upper -> access -> listeners, requests
 *                              0x2B beaconing -> unprovisioned(), IV state
 *                              0x29 pb_adv
 *
 * This file only connects the layers.
 */
#include "mesh.h"

#include <stdlib.h>
#include <string.h>

#include "access_env.h"
#include "beaconing.h"
#include "net.h"
#include "own_node.h"
#include "pb_adv.h"
#include "upper.h"

enum { DEFAULT_TTL = 5 };

struct mesh {
	struct mesh_env env;
	struct net *net;
	struct upper *upper;
	struct access *access;
	struct beaconing *beaconing;
	struct pb_adv *pb_adv;
	struct own_node own;
	uint64_t reports, malformed;
	const uint8_t *advertiser; /* of the report under way */
};

/* Towards the environment. */
static void save_seq(void *ctx, uint32_t reserved)
{
	struct mesh *m = ctx;

	m->env.store->save_seq(m->env.store->ctx, reserved);
}

static void iv_out(const struct iv_state *iv, struct mesh_iv *out)
{
	*out = (struct mesh_iv){ .index = iv->index,
				 .update = iv->update,
				 .hours_in_state = iv->hours_in_state,
				 .hours_since_recovery = iv->hours_since_recovery };
}

static void save_iv(void *ctx, const struct iv_state *iv, uint32_t seq_reserved)
{
	struct mesh *m = ctx;
	struct mesh_iv out;

	iv_out(iv, &out);
	m->env.store->save_iv(m->env.store->ctx, &out, seq_reserved);
}

static void save_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
	struct mesh *m = ctx;

	m->env.store->save_replay(m->env.store->ctx, src, ivi_seq);
}

static void net_pdu_received(void *ctx, const struct net_pdu *p, uint16_t net_index)
{
	struct mesh *m = ctx;

	lower_heard(upper_lower(m->upper), p, net_index);
}

static void net_pdu_heard(void *ctx, uint16_t src, uint8_t ttl)
{
	struct mesh *m = ctx;
	const struct node_keys *node = upper_keys_node(upper_keys(m->upper), src);

	if (node && m->env.node_heard)
		m->env.node_heard(m->env.ctx, node->address, ttl);
}

static bool transport_busy(void *ctx)
{
	struct mesh *m = ctx;

	return lower_busy(upper_lower(m->upper));
}

static bool upper_received(void *ctx, const struct upper_message *u)
{
	struct mesh *m = ctx;
	struct access_message out = { .src = u->src,
				      .dst = u->dst,
				      .net_index = u->net_index,
				      .app_index = u->key,
				      .ttl = u->ttl };

	return access_heard(m->access, &out, u->pdu);
}

static void candidate_used(void *ctx, uint16_t address)
{
	struct mesh *m = ctx;

	if (m->env.candidate_used)
		m->env.candidate_used(m->env.ctx, address);
}

static void trace(void *ctx, const struct access_message *msg, struct bytes pdu, bool outgoing)
{
	struct mesh *m = ctx;

	m->env.access_trace(m->env.ctx, msg, pdu, outgoing);
}

static void unprovisioned(void *ctx, const struct beacon_unprovisioned *b, int8_t rssi)
{
	struct mesh *m = ctx;
	struct mesh_unprovisioned out = { .uuid = b->uuid,
					  .oob_info = b->oob_info,
					  .has_uri_hash = b->has_uri_hash,
					  .uri_hash = b->uri_hash,
					  .rssi = rssi,
					  .address = m->advertiser };

	if (m->env.unprovisioned)
		m->env.unprovisioned(m->env.ctx, &out);
}

static void random_octets(void *ctx, void *out, size_t n)
{
	struct mesh *m = ctx;

	m->env.random(m->env.ctx, out, n);
}

/* One AD structure. */
static void structure_heard(struct mesh *m, uint8_t type, struct bytes data, int8_t rssi)
{
	if (data.n == 0) {
		m->malformed++;
		return;
	}
	switch (type) {
	case AD_MESH_MESSAGE:
		net_heard(m->net, data);
		break;
	case AD_MESH_BEACON:
		beaconing_heard(m->beaconing, data, rssi);
		break;
	case AD_PB_ADV:
		pb_adv_heard(m->pb_adv, data);
		break;
	default:
		break; /* not of the mesh */
	}
}

/* Core Vol 3 Part C 11: a length of 0 ends early, one beyond the data voids the rest. */
static void report_heard(void *ctx, const struct bearer_report *report)
{
	struct mesh *m = ctx;
	struct rd r = rd_from(report->data);

	m->reports++;
	m->advertiser = report->address;
	if (m->env.advertised)
		m->env.advertised(m->env.ctx, report->address, report->data);
	if (report->event_type != ADV_NONCONN_IND)
		return;
	while (r.left > 0) {
		uint8_t len = rd_u8(&r), type;
		struct bytes data;

		if (len == 0)
			return;
		type = rd_u8(&r);
		data = rd_bytes(&r, len - 1u);
		if (!rd_ok(&r)) {
			m->malformed++;
			return;
		}
		structure_heard(m, type, data, report->rssi);
	}
}

static void make_net(struct mesh *m, const struct mesh_boot *boot)
{
	uint64_t salt;

	m->env.random(m->env.ctx, &salt, sizeof(salt));
	m->net = net_new(&(struct net_env){
		.bearer = m->env.bearer,
		.address = boot->address,
		.default_ttl = boot->default_ttl ? boot->default_ttl : DEFAULT_TTL,
		.iv = { .index = boot->iv.index,
			.update = boot->iv.update,
			.hours_in_state = boot->iv.hours_in_state,
			.hours_since_recovery = boot->iv.hours_since_recovery },
		.seq_reserved = boot->seq_reserved,
		.cache_salt = salt,
		.save_seq = save_seq,
		.save_iv = save_iv,
		.save_replay = save_replay,
		.received = net_pdu_received,
		.heard = net_pdu_heard,
		.busy = transport_busy,
		.ctx = m });
}

struct mesh *mesh_new(const struct mesh_env *env, const struct mesh_boot *boot)
{
	struct mesh *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	m->env = *env;
	make_net(m, boot);
	m->upper = upper_new(&(struct upper_env){ .timers = env->timers,
						  .net = m->net,
						  .device_key = &boot->device_key,
						  .received = upper_received,
						  .candidate_used = candidate_used,
						  .ctx = m });
	m->access = access_new(&(struct access_env){ .timers = env->timers,
						     .upper = m->upper,
						     .trace = env->access_trace ? trace : NULL,
						     .ctx = m });
	m->beaconing = beaconing_new(&(struct beaconing_env){ .bearer = env->bearer,
							      .timers = env->timers,
							      .net = m->net,
							      .unprovisioned = unprovisioned,
							      .ctx = m });
	m->pb_adv = pb_adv_new(&(struct pb_adv_env){
		.bearer = env->bearer, .timers = env->timers, .random = random_octets, .ctx = m });
	own_node_init(&m->own, &(struct own_node_env){
				       .access = m->access,
				       .timers = env->timers,
				       .random = random_octets,
				       .ctx = m,
				       .default_ttl = net_default_ttl(m->net),
				       .network_transmit = (NET_TRANSMIT_INTERVAL / 10 - 1) << 3 |
							   (NET_TRANSMIT_COUNT - 1),
			       });
	env->bearer->heard = report_heard;
	env->bearer->heard_ctx = m;
	return m;
}

void mesh_free(struct mesh *m)
{
	m->env.bearer->heard = NULL;
	m->env.bearer->heard_ctx = NULL;
	own_node_stop(&m->own);
	pb_adv_free(m->pb_adv);
	beaconing_free(m->beaconing);
	access_free(m->access);
	upper_free(m->upper);
	net_free(m->net);
	free(m);
}

bool mesh_net_key_add(struct mesh *m, uint16_t index, const struct secret16 *key)
{
	return net_key_set(m->net, index, key, NULL, SUBNET_NORMAL);
}

bool mesh_app_key_add(struct mesh *m, uint16_t index, uint16_t net_index,
		      const struct secret16 *key)
{
	return upper_keys_set_app(upper_keys(m->upper), index, net_index, key);
}

bool mesh_node_set(struct mesh *m, uint16_t address, uint8_t elements, const struct secret16 *key,
		   const struct secret16 *candidate)
{
	return upper_keys_set_node(upper_keys(m->upper), address, elements, key, candidate);
}

void mesh_node_remove(struct mesh *m, uint16_t address)
{
	upper_keys_remove_node(upper_keys(m->upper), address);
}

void mesh_replay_restore(struct mesh *m, uint16_t src, uint64_t ivi_seq)
{
	rpl_restore(net_rpl(m->net), src, ivi_seq);
}

void mesh_replay_forget(struct mesh *m, uint16_t first, uint16_t count)
{
	net_replay_forget(m->net, first, count);
	lower_forget(upper_lower(m->upper), first, count);
}

void mesh_iv(const struct mesh *m, struct mesh_iv *out)
{
	iv_out(net_iv(m->net), out);
}

uint32_t mesh_seq_next(const struct mesh *m)
{
	return net_seq_next(m->net);
}

struct access *mesh_access(struct mesh *m)
{
	return m->access;
}

struct pb_adv *mesh_pb_adv(struct mesh *m)
{
	return m->pb_adv;
}

void mesh_counters(const struct mesh *m, struct mesh_counters *out)
{
	const struct net_counters *net = net_counters(m->net);
	const struct beaconing_counters *beacon = beaconing_counters(m->beaconing);
	const struct upper_counters *upper = upper_counters(m->upper);
	const struct access_counters *access = access_counters(m->access);
	struct lower_counters lower;
	struct pb_adv_counters pb_adv;

	lower_counters(upper_lower(m->upper), &lower);
	pb_adv_counters(m->pb_adv, &pb_adv);
	*out = (struct mesh_counters){
		.reports = m->reports,
		.network_ok = net->ok,
		.network_undecryptable = net->undecryptable,
		.malformed = m->malformed + net->malformed + beacon->malformed + lower.malformed +
			     access->malformed + pb_adv.malformed + pb_adv.bad_fcs,
		.replayed = lower.replayed,
		.segments_in = lower.segments_in,
		.segments_out = lower.segments_out,
		.acks_in = lower.acks_in,
		.acks_out = lower.acks_out,
		.retransmissions = lower.retransmissions,
		.transfers_failed = lower.transfers_failed,
		.access_in = access->received,
		.access_undecryptable = upper->undecryptable,
		.queue_full = net->queue_full + beacon->queue_full + lower.full +
			      access->loop_full + m->own.dropped,
	};
}
