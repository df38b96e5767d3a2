/* SPDX-License-Identifier: Apache-2.0 */
/* Composition Data pages decoded for showing; page 0 of a node's row is in jobs.h. */
#ifndef MESHMASON_JOBS_COMPOSITION_H
#define MESHMASON_JOBS_COMPOSITION_H

#include "jobs.h"

/* Page 0 or 128. False when malformed, or larger than the limits of jobs.h. */
bool jobs_composition_of(struct bytes page, uint16_t address, struct jobs_composition *out);
bool jobs_element_has(const struct jobs_element *e, const struct jobs_model *m);

/* Page 1 or 129, model by model, in the order of of, which is page 0 or 128 beside it. */
enum { JOBS_EXTENDS_MAX = 63 };
struct jobs_relation {
	size_t element;
	const struct jobs_model *model;
	bool corresponds; /* with the others of that group */
	uint8_t group;
	size_t n_extends;
	struct jobs_extended {
		size_t element;
		const struct jobs_model *model;
	} extends[JOBS_EXTENDS_MAX];
};
/* False (and nothing was told) when malformed, or not of that composition. */
bool jobs_relations(struct bytes page, const struct jobs_composition *of,
		    void (*each)(void *ctx, const struct jobs_relation *r), void *ctx);

/* Page 2 or 130. */
struct jobs_profile {
	uint16_t id;
	const char *name; /* NULL: not known by name */
	uint8_t x, y, z;
	const uint8_t *elements;
	size_t n_elements;
	struct bytes data;
};
bool jobs_profiles(struct bytes page, void (*each)(void *ctx, const struct jobs_profile *p),
		   void *ctx);

#endif
