/* SPDX-License-Identifier: Apache-2.0 */
#include "subnet.h"

#include <string.h>

void subnet_key_init(struct subnet_key *k, const struct secret16 *net_key)
{
	static const uint8_t flooding = 0x00;
	struct k2_keys keys;

	k->present = true;
	k2(net_key, bytes_of(&flooding, 1), &keys);
	net_keys_init(&k->flooding, &keys);
	secret_wipe(&keys, sizeof(keys));
	net_key_id(net_key, k->network_id);
	net_key_beacon(net_key, &k->beacon);
	net_key_private_beacon(net_key, &k->private_beacon);
}

void subnet_key_free(struct subnet_key *k)
{
	if (k->present)
		net_keys_free(&k->flooding);
	secret_wipe(k, sizeof(*k));
}

struct subnet *subnets_find(struct subnets *s, uint16_t index)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->subnet[i].index == index)
			return &s->subnet[i];
	return NULL;
}

bool subnets_set(struct subnets *s, uint16_t index, const struct secret16 *key,
		 const struct secret16 *new_key, enum subnet_phase phase)
{
	struct subnet *sub = subnets_find(s, index);

	if (!sub) {
		if (s->n == SUBNETS_MAX)
			return false;
		sub = &s->subnet[s->n++];
	}
	subnet_key_free(&sub->key[0]);
	subnet_key_free(&sub->key[1]);
	sub->index = index;
	sub->phase = new_key ? phase : SUBNET_NORMAL;
	subnet_key_init(&sub->key[0], key);
	if (new_key)
		subnet_key_init(&sub->key[1], new_key);
	return true;
}

const struct subnet_key *subnet_transmit(const struct subnet *s)
{
	return &s->key[s->phase == SUBNET_PHASE_2 ? 1 : 0];
}

void subnets_free(struct subnets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		subnet_key_free(&s->subnet[i].key[0]);
		subnet_key_free(&s->subnet[i].key[1]);
	}
	s->n = 0;
}
