/* SPDX-License-Identifier: Apache-2.0 */
#include "net_cache.h"

#include <string.h>

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9E3779B97F4A7C15u;
	return h ^ h >> 29;
}

static uint64_t hash(uint64_t salt, struct bytes in)
{
	uint64_t h = salt ^ in.n, word;
	size_t i = 0;

	for (; i + 8 <= in.n; i += 8) {
		memcpy(&word, in.p + i, 8);
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, in.p + i, in.n - i);
	return mix(h, word);
}

bool net_cache_raw(struct net_cache *c, struct bytes in)
{
	size_t slot = hash(c->salt, in) >> 32 & (NET_RAW_ENTRIES - 1);

	if (c->raw[slot].len == in.n && memcmp(c->raw[slot].data, in.p, in.n) == 0)
		return true;
	c->raw[slot].len = (uint8_t)in.n;
	memcpy(c->raw[slot].data, in.p, in.n);
	return false;
}

void net_cache_forget_raw(struct net_cache *c)
{
	memset(c->raw, 0, sizeof(c->raw));
}

bool net_cache_message(struct net_cache *c, uint16_t src, uint32_t seq, uint32_t iv_index)
{
	/* src is never 0, so an empty way (0) matches nothing. */
	uint64_t key = (uint64_t)src << 48 | (uint64_t)(iv_index & 0xFFFFFF) << 24 | seq;
	size_t s = mix(c->salt, key) >> 32 & (NET_CACHE_SETS - 1);

	for (size_t i = 0; i < NET_CACHE_WAYS; i++)
		if (c->set[s].key[i] == key)
			return true;
	c->set[s].key[c->set[s].oldest] = key;
	c->set[s].oldest = (c->set[s].oldest + 1) % NET_CACHE_WAYS;
	return false;
}
