/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   client                        we
 *    | Composition Data Get, Beacon Get, Default TTL Get, ...
 *    |----------------------------->|
 *    |                              |  20..50 ms at random, 3.7.3.3
 *    |<-----------------------------|  the Status of each
 *
 * Sets that would change what we are for the network are refused by silence or answered with the
 * state as it stays: nobody reconfigures the gateway over the air.
 */
#include "own_node.h"

#include <string.h>

enum { NOT_SUPPORTED = 2, ON = 1, DELAY_MIN_MS = 20, DELAY_SPREAD_MS = 31 };

static void composition(struct wr *w)
{
	static const uint16_t models[] = { MODEL_CONFIG_SERVER, MODEL_CONFIG_CLIENT,
					   MODEL_HEALTH_SERVER, MODEL_HEALTH_CLIENT,
					   MODEL_REMOTE_PROV_CLIENT };

	wr_u8(w, 0); /* page 0 whatever was asked: the highest not above it, 4.2.2 */
	wr_le16(w, OWN_COMPANY);
	wr_le16(w, 0); /* product */
	wr_le16(w, 1); /* version */
	wr_le16(w, OWN_REPLAY_LIST);
	wr_le16(w, 0); /* no features */
	wr_le16(w, 0); /* location */
	wr_u8(w, ARRAY_LEN(models));
	wr_u8(w, 0);
	for (size_t i = 0; i < ARRAY_LEN(models); i++)
		wr_le16(w, models[i]);
}

/* Which request with how many octets is answered by what; sets show that nothing changed. */
static bool answer_to(const struct own_node *n, const struct access_message *m, uint32_t *opcode,
		      struct wr *w)
{
	static const struct {
		uint32_t request;
		size_t len;
		uint32_t answer;
	} rows[] = {
		{ OP_COMPOSITION_DATA_GET, 1, OP_COMPOSITION_DATA_STATUS },
		{ OP_BEACON_GET, 0, OP_BEACON_STATUS },
		{ OP_BEACON_SET, 1, OP_BEACON_STATUS },
		{ OP_DEFAULT_TTL_GET, 0, OP_DEFAULT_TTL_STATUS },
		{ OP_RELAY_GET, 0, OP_RELAY_STATUS },
		{ OP_RELAY_SET, 2, OP_RELAY_STATUS },
		{ OP_NETWORK_TRANSMIT_GET, 0, OP_NETWORK_TRANSMIT_STATUS },
	};
	size_t i = 0;

	while (i < ARRAY_LEN(rows) && rows[i].request != m->opcode)
		i++;
	if (i == ARRAY_LEN(rows))
		return false;
	if (rows[i].len != m->params.n) {
		access_malformed(n->env.access);
		return false;
	}
	*opcode = rows[i].answer;
	if (*opcode == OP_COMPOSITION_DATA_STATUS)
		composition(w);
	else if (*opcode == OP_BEACON_STATUS)
		wr_u8(w, ON);
	else if (*opcode == OP_DEFAULT_TTL_STATUS)
		wr_u8(w, n->env.default_ttl);
	else if (*opcode == OP_NETWORK_TRANSMIT_STATUS)
		wr_u8(w, n->env.network_transmit);
	else {
		wr_u8(w, NOT_SUPPORTED);
		wr_u8(w, 0);
	}
	return true;
}

static void answered(void *ctx, enum access_result r)
{
	struct own_answer *a = ctx;

	a->used = false;
}

static void send_answer(void *ctx)
{
	struct own_answer *a = ctx;

	a->send.done = answered;
	a->send.ctx = a;
	access_send(a->node->env.access, &a->send, a->opcode, bytes_of(a->params, a->len));
}

static void heard(void *ctx, const struct access_message *m)
{
	struct own_node *n = ctx;
	struct own_answer *a = n->answer;
	uint8_t chance;
	struct wr w;

	if (m->app_index != ACCESS_OWN_DEVICE_KEY)
		return;
	while (a < n->answer + OWN_ANSWERS && a->used)
		a++;
	if (a == n->answer + OWN_ANSWERS) {
		n->dropped++;
		return;
	}
	w = wr_to(a->params, sizeof(a->params));
	if (!answer_to(n, m, &a->opcode, &w))
		return;
	a->used = true;
	a->node = n;
	a->len = wr_done(&w).n;
	a->send.to = (struct access_target){ .dst = m->src,
					     .net_index = m->net_index,
					     .app_index = ACCESS_OWN_DEVICE_KEY,
					     .ttl = m->ttl == 0 ? 0 : ACCESS_DEFAULT_TTL };
	n->env.random(n->env.ctx, &chance, sizeof(chance));
	timer_start(n->env.timers, &a->delay, MSEC(DELAY_MIN_MS + chance % DELAY_SPREAD_MS),
		    send_answer, a);
}

void own_node_init(struct own_node *n, const struct own_node_env *env)
{
	static const uint32_t opcodes[] = {
		OP_COMPOSITION_DATA_GET, OP_BEACON_GET, OP_BEACON_SET,
		OP_DEFAULT_TTL_GET,	 OP_RELAY_GET,	OP_RELAY_SET,
		OP_NETWORK_TRANSMIT_GET,
	};

	memset(n, 0, sizeof(*n));
	n->env = *env;
	for (size_t i = 0; i < ARRAY_LEN(opcodes); i++) {
		n->listener[i].opcode = opcodes[i];
		n->listener[i].heard = heard;
		n->listener[i].ctx = n;
		access_listen(env->access, &n->listener[i]);
	}
}

void own_node_stop(struct own_node *n)
{
	for (size_t i = 0; i < OWN_LISTENERS; i++)
		access_unlisten(n->env.access, &n->listener[i]);
	for (size_t i = 0; i < OWN_ANSWERS; i++) {
		access_send_cancel(n->env.access, &n->answer[i].send);
		timer_stop(n->env.timers, &n->answer[i].delay);
	}
}
