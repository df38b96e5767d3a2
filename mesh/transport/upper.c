/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   AKF 1: every AppKey of that subnet whose AID matches is tried
 *   AKF 0: the sender's device key, then its candidate, then our own (we are a server too)
 */
#include "upper.h"

#include <stdlib.h>

#include "upper_crypt.h"

struct upper {
	struct upper_env env;
	struct secret16 device_key;
	struct upper_keys keys;
	struct lower *lower;
	struct upper_counters counters;
};

static const struct secret16 *device_key_for(const struct upper *u, const struct lower_message *m)
{
	const struct node_keys *node;

	if (m->key == UPPER_OWN_DEVICE_KEY)
		return &u->device_key;
	node = upper_keys_node(&u->keys, m->dst);
	if (!node)
		return NULL;
	if (m->key == UPPER_CANDIDATE_KEY)
		return node->has_candidate ? &node->candidate : NULL;
	return &node->key;
}

/* The key a message goes out under, and the AKF and AID that tell of it. */
static const struct secret16 *key_for(const struct upper *u, const struct lower_message *m,
				      uint8_t *akf_aid)
{
	const struct app_key *app;

	*akf_aid = 0;
	if (m->key < 0)
		return addr_is_unicast(m->dst) ? device_key_for(u, m) : NULL;
	app = upper_keys_app(&u->keys, (uint16_t)m->key);
	if (!app || app->net_index != m->net_index)
		return NULL;
	*akf_aid = LOWER_AKF | app->aid;
	return &app->key;
}

static bool seal(void *ctx, const struct lower_message *m, uint32_t seq, uint32_t iv_index,
		 struct bytes plain, uint8_t *out, uint8_t *akf_aid)
{
	struct upper *u = ctx;
	const struct secret16 *key = key_for(u, m, akf_aid);
	struct upper_nonce n = { .device_key = m->key < 0,
				 .iv_index = iv_index,
				 .seq = seq,
				 .src = net_address(u->env.net),
				 .dst = m->dst };

	if (!key)
		return false;
	upper_encrypt(key, &n, plain, out);
	return true;
}

/* Which application key opens it; -1 for none. No AppKey message to a virtual address is ours:
 * we have no labels. */
static int open_app(const struct upper *u, const struct lower_received *m,
		    const struct upper_nonce *n, uint8_t *out, size_t *len)
{
	for (size_t i = 0; i < u->keys.n_app; i++) {
		const struct app_key *a = &u->keys.app[i];

		if ((m->key & 0x3F) == a->aid && a->net_index == m->net_index &&
		    upper_decrypt(&a->key, n, m->pdu, out, len))
			return a->index;
	}
	return -1;
}

/* Which device key opens it, as an enum upper_key; 0 for none. */
static int open_device(const struct upper *u, const struct lower_received *m,
		       const struct upper_nonce *n, uint8_t *out, size_t *len)
{
	const struct node_keys *node = upper_keys_node(&u->keys, m->src);

	if (node && upper_decrypt(&node->key, n, m->pdu, out, len))
		return UPPER_DEVICE_KEY;
	if (node && node->has_candidate && upper_decrypt(&node->candidate, n, m->pdu, out, len))
		return UPPER_CANDIDATE_KEY;
	return upper_decrypt(&u->device_key, n, m->pdu, out, len) ? UPPER_OWN_DEVICE_KEY : 0;
}

static bool received(void *ctx, const struct lower_received *m)
{
	struct upper *u = ctx;
	uint8_t plain[LOWER_UPPER_MAX];
	struct upper_nonce n = { .device_key = !(m->key & LOWER_AKF),
				 .szmic = m->szmic,
				 .iv_index = m->iv_index,
				 .seq = m->seq,
				 .src = m->src,
				 .dst = m->dst };
	struct upper_message out = {
		.src = m->src, .dst = m->dst, .net_index = m->net_index, .ttl = m->ttl
	};
	bool opened;

	if (n.device_key) {
		/* 3.4.2.4: device keys go with unicast destinations, and then the AID is 0. */
		out.key = m->key == 0 && addr_is_unicast(m->dst)
				  ? open_device(u, m, &n, plain, &out.pdu.n)
				  : 0;
		opened = out.key != 0;
	} else {
		out.key = open_app(u, m, &n, plain, &out.pdu.n);
		opened = out.key >= 0;
	}
	if (!opened) {
		u->counters.undecryptable++;
		return false;
	}
	u->counters.received++;
	out.pdu.p = plain;
	if (out.key == UPPER_CANDIDATE_KEY)
		u->env.candidate_used(u->env.ctx, upper_keys_node(&u->keys, m->src)->address);
	return u->env.received(u->env.ctx, &out);
}

struct upper *upper_new(const struct upper_env *env)
{
	struct upper *u = calloc(1, sizeof(*u));

	if (!u)
		abort();
	u->env = *env;
	u->env.device_key = NULL;
	u->device_key = *env->device_key;
	upper_keys_init(&u->keys);
	u->lower = lower_new(&(struct lower_env){ .timers = env->timers,
						  .net = env->net,
						  .config = env->config,
						  .received = received,
						  .seal = seal,
						  .ctx = u });
	return u;
}

void upper_free(struct upper *u)
{
	lower_free(u->lower);
	upper_keys_free(&u->keys);
	secret_wipe(u, sizeof(*u));
	free(u);
}

struct upper_keys *upper_keys(struct upper *u)
{
	return &u->keys;
}

struct lower *upper_lower(struct upper *u)
{
	return u->lower;
}

uint16_t upper_address(const struct upper *u)
{
	return net_address(u->env.net);
}

uint8_t upper_default_ttl(const struct upper *u)
{
	return net_default_ttl(u->env.net);
}

enum lower_result upper_send(struct upper *u, const struct lower_message *m, struct bytes pdu,
			     uint32_t *id)
{
	uint8_t akf_aid;

	*id = 0;
	if (!key_for(u, m, &akf_aid))
		return LOWER_NO_KEY;
	return lower_send(u->lower, m, pdu, id);
}

void upper_cancel(struct upper *u, uint32_t id)
{
	lower_cancel(u->lower, id);
}

const struct upper_counters *upper_counters(const struct upper *u)
{
	return &u->counters;
}
