/* SPDX-License-Identifier: Apache-2.0 */
#include "composition_pages.h"

#include <string.h>

enum { HAS_GROUP = 1 << 0, LONG_ITEMS = 1 << 1, EXTENDS_SHIFT = 2 };
enum { OFFSET_BITS = 3, OFFSET_SIGN = 1 << 2, OFFSET_SPAN = 1 << 3 };

/* An extended model, 4.2.2.2: where it is, counted from the element that extends it. */
static bool extended_decode(struct composition_place *out, struct rd *r, bool is_long, int element)
{
	uint8_t first = rd_u8(r);
	int offset;

	if (is_long) {
		offset = (int8_t)first;
		out->model = rd_u8(r);
	} else {
		offset = first & (OFFSET_SPAN - 1);
		if (offset & OFFSET_SIGN)
			offset -= OFFSET_SPAN;
		out->model = first >> OFFSET_BITS;
	}
	if (element + offset < 0 || element + offset > UINT8_MAX)
		return false;
	out->element = (uint8_t)(element + offset);
	return rd_ok(r);
}

static bool relation_decode(struct composition_relations *out, struct rd *r, uint8_t element,
			    uint8_t model)
{
	struct composition_relation *m = &out->models[out->n_models++];
	uint8_t header = rd_u8(r);

	m->of = (struct composition_place){ element, model };
	m->corresponds = header & HAS_GROUP;
	if (m->corresponds)
		m->group = rd_u8(r);
	m->first = (uint16_t)out->n_extends;
	m->n_extends = header >> EXTENDS_SHIFT;
	if (out->n_extends + m->n_extends > RELATION_EXTENDS_MAX)
		return false;
	for (unsigned i = 0; i < m->n_extends; i++) {
		if (!extended_decode(&out->extends[out->n_extends++], r, header & LONG_ITEMS,
				     element))
			return false;
	}
	return rd_ok(r);
}

static bool has_model(const struct composition_relations *c, struct composition_place place)
{
	for (size_t i = 0; i < c->n_models; i++) {
		if (c->models[i].of.element == place.element &&
		    c->models[i].of.model == place.model)
			return true;
	}
	return false;
}

bool composition_relations_decode(struct composition_relations *out, struct bytes data)
{
	struct rd r = rd_from(data);

	memset(out, 0, sizeof(*out));
	for (unsigned element = 0; rd_ok(&r) && r.left > 0; element++) {
		unsigned n = rd_u8(&r);

		n += rd_u8(&r);
		if (n > UINT8_MAX || element > UINT8_MAX || out->n_models + n > RELATION_MODELS_MAX)
			return false;
		for (unsigned i = 0; i < n; i++) {
			if (!relation_decode(out, &r, (uint8_t)element, (uint8_t)i))
				return false;
		}
	}
	for (size_t i = 0; i < out->n_extends; i++) {
		if (!has_model(out, out->extends[i]))
			return false;
	}
	return rd_finished(&r) && out->n_models > 0;
}

bool composition_profiles_decode(struct composition_profiles *out, struct bytes data)
{
	struct rd r = rd_from(data);

	memset(out, 0, sizeof(*out));
	while (rd_ok(&r) && r.left > 0) {
		struct composition_profile *p = &out->profiles[out->n];

		if (out->n == PROFILES_MAX)
			return false;
		p->id = rd_le16(&r);
		p->x = rd_u8(&r);
		p->y = rd_u8(&r);
		p->z = rd_u8(&r);
		p->n_elements = rd_u8(&r);
		if (p->n_elements > PROFILE_ELEMENTS_MAX)
			return false;
		rd_copy(&r, p->elements, p->n_elements);
		p->more = rd_bytes(&r, rd_le16(&r));
		out->n++;
	}
	return rd_finished(&r);
}

const char *composition_profile_name(uint16_t id)
{
	static const char *const names[] = { /* Assigned Numbers, Networked Lighting Control */
					     "Ambient Light Sensor", "Basic Lightness Controller",
					     "Basic Scene Selector", "Dimming Control",
					     "Energy Monitor",	     "Occupancy Sensor"
	};
	enum { NLC_FIRST = 0x1600 };

	if (id < NLC_FIRST || id - NLC_FIRST >= (int)ARRAY_LEN(names))
		return NULL;
	return names[id - NLC_FIRST];
}
