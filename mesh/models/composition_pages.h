/* SPDX-License-Identifier: Apache-2.0 */
/* Composition Data pages 1 and 2, 4.2.2.2 and 4.2.2.3; page 0 is in config_client.h. Pages 128 to
 * 130 have the formats of 0 to 2. data is always without the page octet. */
#ifndef MESHMASON_COMPOSITION_PAGES_H
#define MESHMASON_COMPOSITION_PAGES_H

#include "bytes.h"

enum { RELATION_MODELS_MAX = 512, RELATION_EXTENDS_MAX = 512 };
enum { PROFILES_MAX = 32, PROFILE_ELEMENTS_MAX = 32 };

/* A model by its place: element counted from the primary, and model of that element counted as in
 * page 0, SIG models first. */
struct composition_place {
	uint8_t element, model;
};

struct composition_relation {
	struct composition_place of;
	bool corresponds; /* with the other models of that group */
	uint8_t group;
	/* What it extends: extends[first] and the following in struct composition_relations. */
	uint16_t first;
	uint8_t n_extends;
};

/* Page 1: one row for each model of the node, in the order of page 0. */
struct composition_relations {
	size_t n_models, n_extends;
	struct composition_relation models[RELATION_MODELS_MAX];
	struct composition_place extends[RELATION_EXTENDS_MAX];
};
/* False when malformed, when a model extends one that the page does not have, or when it is larger
 * than the limits above. */
bool composition_relations_decode(struct composition_relations *out, struct bytes data);

struct composition_profile {
	uint16_t id;
	uint8_t x, y, z; /* version */
	uint8_t n_elements, elements[PROFILE_ELEMENTS_MAX];
	struct bytes more; /* additional data, a view into the page */
};

/* Page 2: the mesh profiles that the node says it follows; may be none. */
struct composition_profiles {
	size_t n;
	struct composition_profile profiles[PROFILES_MAX];
};
bool composition_profiles_decode(struct composition_profiles *out, struct bytes data);

/* Bluetooth SIG's name; NULL when not known. */
const char *composition_profile_name(uint16_t id);

#endif
