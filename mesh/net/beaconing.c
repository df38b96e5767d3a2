/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   others                 we
 *     | secure network beacon |
 *     |---------------------->|  authentic, primary subnet -> IV state
 *     |<----------------------|  about one in 10 s from all of us together
 */
#include "beaconing.h"

#include <stdlib.h>

enum { INTERVAL_MIN_S = 10, INTERVAL_MAX_S = 600, PRIMARY_SUBNET = 0 };

struct beaconing {
	struct beaconing_env env;
	struct timer send, hour;
	unsigned observed; /* authentic beacons since our last own one */
	struct beaconing_counters counters;
};

static void send_beacons(void *ctx);

static void hour(void *ctx)
{
	struct beaconing *b = ctx;
	uint32_t before = net_iv(b->env.net)->index;
	bool updating = net_iv(b->env.net)->update;

	net_iv_hour(b->env.net);
	if (net_iv(b->env.net)->index != before || net_iv(b->env.net)->update != updating)
		timer_start(b->env.timers, &b->send, 0, send_beacons, b);
	timer_start(b->env.timers, &b->hour, SEC(3600), hour, b);
}

struct beaconing *beaconing_new(const struct beaconing_env *env)
{
	struct beaconing *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->env = *env;
	timer_start(b->env.timers, &b->send, SEC(INTERVAL_MIN_S), send_beacons, b);
	timer_start(b->env.timers, &b->hour, SEC(3600), hour, b);
	return b;
}

void beaconing_free(struct beaconing *b)
{
	timer_stop(b->env.timers, &b->send);
	timer_stop(b->env.timers, &b->hour);
	free(b);
}

static void send_one(struct beaconing *b, const struct subnet *s)
{
	const struct iv_state *iv = net_iv(b->env.net);
	struct beacon_network beacon = {
		.flags = (uint8_t)((iv->update ? BEACON_IV_UPDATE : 0) |
				   (s->phase == SUBNET_PHASE_2 ? BEACON_KEY_REFRESH : 0)),
		.iv_index = iv->index,
	};
	struct bearer_send out = {
		.kind = BEARER_BEACON, .count = 1, .interval_ms = 20, .len = 2 + BEACON_SECURE_LEN
	};

	out.data[0] = 1 + BEACON_SECURE_LEN;
	out.data[1] = AD_MESH_BEACON;
	beacon_secure_encode(subnet_transmit(s), &beacon, out.data + 2);
	if (!b->env.bearer->send(b->env.bearer, &out))
		b->counters.queue_full++;
}

/* With the observation period equal to our own last interval, the formula of 3.10.3.1 comes down
 * to ten seconds for each beaconing node. */
static void send_beacons(void *ctx)
{
	struct beaconing *b = ctx;
	struct subnets *subnets = net_subnets(b->env.net);
	uint64_t seconds = (uint64_t)INTERVAL_MIN_S * (b->observed + 1);

	for (size_t i = 0; i < subnets->n; i++)
		send_one(b, &subnets->subnet[i]);
	if (seconds > INTERVAL_MAX_S)
		seconds = INTERVAL_MAX_S;
	if (net_iv(b->env.net)->update)
		seconds = INTERVAL_MIN_S;
	b->observed = 0;
	timer_start(b->env.timers, &b->send, SEC(seconds), send_beacons, b);
}

static bool authentic(const struct subnet_key *k, struct beacon_network *out, struct bytes data)
{
	if (!k->present)
		return false;
	return data.p[0] == BEACON_PRIVATE ? beacon_private_decode(k, out, data)
					   : beacon_secure_decode(k, out, data);
}

static void network_heard(struct beaconing *b, struct bytes data)
{
	struct subnets *subnets = net_subnets(b->env.net);
	struct beacon_network beacon;

	for (size_t i = 0; i < subnets->n; i++) {
		const struct subnet *s = &subnets->subnet[i];
		bool is_old = authentic(&s->key[0], &beacon, data);

		if (!is_old && !authentic(&s->key[1], &beacon, data))
			continue;
		b->counters.network++;
		b->observed++;
		/* 3.10.3: in phase 2 beacons under the old key count no more; 3.11.5: only the
		 * primary subnet moves our IV Index. */
		if ((is_old && s->phase == SUBNET_PHASE_2) || s->index != PRIMARY_SUBNET)
			return;
		if (net_iv_beacon(b->env.net, beacon.iv_index, beacon.flags & BEACON_IV_UPDATE) !=
		    IV_NOTHING)
			timer_start(b->env.timers, &b->send, 0, send_beacons, b);
		return;
	}
	b->counters.foreign++;
}

void beaconing_heard(struct beaconing *b, struct bytes data, int8_t rssi)
{
	struct beacon_unprovisioned u;

	if (beacon_unprovisioned_decode(&u, data))
		b->env.unprovisioned(b->env.ctx, &u, rssi);
	else if ((data.n == BEACON_SECURE_LEN && data.p[0] == BEACON_SECURE_NETWORK) ||
		 (data.n == BEACON_PRIVATE_LEN && data.p[0] == BEACON_PRIVATE))
		network_heard(b, data);
	else
		b->counters.malformed++;
}

const struct beaconing_counters *beaconing_counters(const struct beaconing *b)
{
	return &b->counters;
}
