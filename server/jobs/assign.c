/* SPDX-License-Identifier: Apache-2.0 */
#include "assign.h"

enum {
	RSSI_FLOOR = -100,
	RSSI_CEILING = -40, /* stronger is not better: the link is loss-free already */
	RSSI_ASSUMED = -75, /* where the radio cannot tell */
	RSSI_WEAK = -88,
	PER_HOP = 4, /* dB that a relayed hop costs in latency and air */
	PER_FAILURE = 12,
	FAILURES_MOST = 5,
	TRIED = 15,
	TRIED_LAST = 15,
	NO_RELAY = 40, /* whoever joins behind it may not be reachable */
	SECONDS_PER_DB = 20,
	AGE_MOST = 20,
	HOPS_UNKNOWN = 4,
	TTL_MARGIN = 2,
	TTL_STEP = 4,
	TTL_UNKNOWN = 12,
	TTL_MOST = 120, /* of 127: room for who adds a margin of his own */
	GROW_AFTER = 2, /* successes for one link more */
	SLOW = 4,	/* times the best latency */
};

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

int assign_score(const struct assign_candidate *c)
{
	int rssi = c->rssi == ASSIGN_RSSI_UNKNOWN ? RSSI_ASSUMED : c->rssi;
	int hops = c->hops == ASSIGN_LOCAL ? -1 : c->hops < 0 ? HOPS_UNKNOWN : c->hops;
	int score = clamp(rssi, RSSI_FLOOR, RSSI_CEILING) - RSSI_FLOOR;

	score -= PER_HOP * (hops + 1);
	score -= PER_FAILURE * clamp((int)c->failures, 0, FAILURES_MOST);
	score -= clamp((int)(c->age / SECONDS_PER_DB), 0, AGE_MOST);
	score -= c->tried ? TRIED : 0;
	score -= c->tried_last ? TRIED_LAST : 0;
	score -= c->relays || c->hops == ASSIGN_LOCAL ? 0 : NO_RELAY;
	return score;
}

int assign_best(const struct assign_candidate *c, size_t n)
{
	int best = -1;

	for (size_t i = 0; i < n; i++)
		if (best < 0 || assign_score(&c[i]) > assign_score(&c[best]))
			best = (int)i;
	return best;
}

bool assign_is_weak(const struct assign_candidate *c)
{
	return c->rssi != ASSIGN_RSSI_UNKNOWN && c->rssi < RSSI_WEAK;
}

/* A TTL of n is relayed n - 1 times; TTL 1 must not be sent (3.4.4.3). */
uint8_t assign_ttl(int hops, unsigned attempt)
{
	int ttl = hops < 0 ? TTL_UNKNOWN : hops + 1 + TTL_MARGIN;

	return (uint8_t)clamp(ttl + (int)attempt * TTL_STEP, 2, TTL_MOST);
}

int assign_hops(uint8_t sent_ttl, uint8_t received_ttl)
{
	if (sent_ttl < 2 || sent_ttl > 127 || received_ttl > sent_ttl || received_ttl == 0)
		return -1;
	return sent_ttl - received_ttl;
}

void pace_init(struct pace *p, unsigned fixed)
{
	*p = (struct pace){ .limit = fixed ? fixed : PACE_START,
			    .most = fixed ? fixed : PACE_MOST };
}

void pace_succeeded(struct pace *p, uint64_t latency)
{
	if (latency && (!p->best_latency || latency < p->best_latency))
		p->best_latency = latency;
	if (latency > SLOW * p->best_latency) { /* the air is full: it got through, but late */
		pace_failed(p);
		return;
	}
	if (++p->streak < GROW_AFTER || p->limit >= p->most)
		return;
	p->limit++;
	p->streak = 0;
}

void pace_failed(struct pace *p)
{
	unsigned least = p->most < PACE_LEAST ? p->most : PACE_LEAST;

	p->streak = 0;
	if (p->limit > least)
		p->limit -= p->limit > 8 ? 2 : 1;
}
