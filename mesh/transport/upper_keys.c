/* SPDX-License-Identifier: Apache-2.0 */
#include "upper_keys.h"

#include <stdlib.h>
#include <string.h>

void upper_keys_init(struct upper_keys *k)
{
	memset(k, 0, sizeof(*k));
	k->place = calloc(ADDR_UNICAST_LAST + 1, sizeof(*k->place));
	if (!k->place)
		abort();
}

void upper_keys_free(struct upper_keys *k)
{
	if (k->node)
		secret_wipe(k->node, k->cap_nodes * sizeof(*k->node));
	free(k->node);
	free(k->place);
	secret_wipe(k, sizeof(*k));
}

bool upper_keys_set_app(struct upper_keys *k, uint16_t index, uint16_t net_index,
			const struct secret16 *key)
{
	struct app_key *a = NULL;

	for (size_t i = 0; i < k->n_app && !a; i++)
		if (k->app[i].index == index)
			a = &k->app[i];
	if (!a) {
		if (k->n_app == APP_KEYS_MAX)
			return false;
		a = &k->app[k->n_app++];
	}
	*a = (struct app_key){
		.index = index, .net_index = net_index, .aid = k4(key), .key = *key
	};
	return true;
}

const struct app_key *upper_keys_app(const struct upper_keys *k, uint16_t index)
{
	for (size_t i = 0; i < k->n_app; i++)
		if (k->app[i].index == index)
			return &k->app[i];
	return NULL;
}

/* realloc would leave the old keys lying about. */
static void grow(struct upper_keys *k)
{
	size_t cap = k->cap_nodes ? 2 * k->cap_nodes : 64;
	struct node_keys *node = calloc(cap, sizeof(*node));

	if (!node)
		abort();
	if (k->node) {
		memcpy(node, k->node, k->n_nodes * sizeof(*node));
		secret_wipe(k->node, k->n_nodes * sizeof(*node));
		free(k->node);
	}
	k->node = node;
	k->cap_nodes = cap;
}

static size_t free_place(struct upper_keys *k)
{
	for (size_t i = 0; i < k->n_nodes; i++)
		if (k->node[i].address == 0)
			return i;
	if (k->n_nodes == k->cap_nodes)
		grow(k);
	return k->n_nodes++;
}

bool upper_keys_set_node(struct upper_keys *k, uint16_t address, uint8_t elements,
			 const struct secret16 *key, const struct secret16 *candidate)
{
	struct node_keys *n;
	size_t i;

	if (address == 0 || elements == 0 || address + elements - 1 > ADDR_UNICAST_LAST)
		return false;
	upper_keys_remove_node(k, address);
	i = free_place(k);
	n = &k->node[i];
	*n = (struct node_keys){ .address = address, .elements = elements, .key = *key };
	if (candidate) {
		n->has_candidate = true;
		n->candidate = *candidate;
	}
	for (unsigned e = 0; e < elements; e++)
		k->place[address + e] = (uint16_t)(i + 1);
	return true;
}

void upper_keys_remove_node(struct upper_keys *k, uint16_t address)
{
	struct node_keys *n;
	uint16_t place;

	if (address > ADDR_UNICAST_LAST || k->place[address] == 0)
		return;
	place = k->place[address];
	n = &k->node[place - 1];
	if (n->address != address)
		return;
	for (unsigned e = 0; e < n->elements; e++)
		if (k->place[address + e] == place)
			k->place[address + e] = 0;
	secret_wipe(n, sizeof(*n));
}

const struct node_keys *upper_keys_node(const struct upper_keys *k, uint16_t element)
{
	if (element > ADDR_UNICAST_LAST || k->place[element] == 0)
		return NULL;
	return &k->node[k->place[element] - 1];
}
