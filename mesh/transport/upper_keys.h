/* SPDX-License-Identifier: Apache-2.0 */
/* Application keys, and the device keys of thousands of nodes, found by any element's address. */
#ifndef MESHMASON_UPPER_KEYS_H
#define MESHMASON_UPPER_KEYS_H

#include "crypto.h"
#include "mesh_const.h"

enum { APP_KEYS_MAX = 64 };

struct app_key {
	uint16_t index, net_index;
	uint8_t aid;
	struct secret16 key;
};

struct node_keys {
	uint16_t address; /* 0: this place is free */
	uint8_t elements;
	bool has_candidate;
	struct secret16 key, candidate;
};

struct upper_keys {
	struct app_key app[APP_KEYS_MAX];
	size_t n_app;
	struct node_keys *node;
	size_t n_nodes, cap_nodes; /* places in use or free again, places */
	uint16_t *place;	   /* [address]: place in node plus 1; 0: unknown */
};

void upper_keys_init(struct upper_keys *k);
void upper_keys_free(struct upper_keys *k);
bool upper_keys_set_app(struct upper_keys *k, uint16_t index, uint16_t net_index,
			const struct secret16 *key);
const struct app_key *upper_keys_app(const struct upper_keys *k, uint16_t index);
/* Adds or replaces. False: the elements leave the unicast range. */
bool upper_keys_set_node(struct upper_keys *k, uint16_t address, uint8_t elements,
			 const struct secret16 *key, const struct secret16 *candidate);
void upper_keys_remove_node(struct upper_keys *k, uint16_t address);
/* The node that has this element; NULL when unknown. Valid until a node is set or removed. */
const struct node_keys *upper_keys_node(const struct upper_keys *k, uint16_t element);

#endif
