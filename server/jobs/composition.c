/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "composition_pages.h"
#include "config_client.h"
#include "jobs_composition.h"
#include "model_names.h"

static_assert((int)JOBS_ELEMENTS_MAX >= (int)COMPOSITION_ELEMENTS_MAX, "elements");
static_assert((int)JOBS_MODELS_MAX >= (int)COMPOSITION_MODELS_MAX, "models");

const char *jobs_model_name(uint16_t sig_model)
{
	return model_name(sig_model);
}

static void element_show(struct jobs_element *out, const struct composition_element *e,
			 uint16_t address)
{
	out->address = address;
	out->location = e->location;
	out->n_models = (size_t)e->n_sig + e->n_vendor;
	for (size_t i = 0; i < out->n_models; i++) {
		struct jobs_model *m = &out->models[i];

		m->id = (uint16_t)e->models[i];
		m->vendor = i >= e->n_sig;
		m->company = m->vendor ? (uint16_t)(e->models[i] >> 16) : 0;
		m->name = m->vendor ? NULL : model_name(e->models[i]);
	}
}

bool jobs_composition_of(struct bytes page, uint16_t address, struct jobs_composition *out)
{
	struct composition c;

	if (!page.n || !composition_decode(&c, page))
		return false;
	out->company = c.company;
	out->product = c.product;
	out->version = c.version;
	out->replay_list = c.replay_list;
	out->features = c.features;
	out->n_elements = c.n_elements;
	for (size_t i = 0; i < c.n_elements; i++)
		element_show(&out->elements[i], &c.elements[i], (uint16_t)(address + i));
	return true;
}

bool jobs_composition(const struct db_node *node, struct jobs_composition *out)
{
	return jobs_composition_of(bytes_of(node->composition, node->composition_len),
				   node->address, out);
}

bool jobs_element_has(const struct jobs_element *e, const struct jobs_model *m)
{
	for (size_t i = 0; i < e->n_models; i++)
		if (e->models[i].id == m->id && e->models[i].vendor == m->vendor &&
		    e->models[i].company == m->company)
			return true;
	return false;
}

static const struct jobs_model *model_at(const struct jobs_composition *c,
					 struct composition_place at)
{
	if (at.element >= c->n_elements || at.model >= c->elements[at.element].n_models)
		return NULL;
	return &c->elements[at.element].models[at.model];
}

static bool relation_show(struct jobs_relation *out, const struct composition_relations *all,
			  const struct composition_relation *r, const struct jobs_composition *of)
{
	*out = (struct jobs_relation){ .element = r->of.element,
				       .model = model_at(of, r->of),
				       .corresponds = r->corresponds,
				       .group = r->group,
				       .n_extends = r->n_extends };
	for (size_t i = 0; i < r->n_extends && i < JOBS_EXTENDS_MAX; i++) {
		struct composition_place at = all->extends[r->first + i];

		out->extends[i].element = at.element;
		out->extends[i].model = model_at(of, at);
		if (!out->extends[i].model)
			return false;
	}
	return out->model && r->n_extends <= JOBS_EXTENDS_MAX;
}

bool jobs_relations(struct bytes page, const struct jobs_composition *of,
		    void (*each)(void *ctx, const struct jobs_relation *r), void *ctx)
{
	struct composition_relations all;
	struct jobs_relation r;

	if (!composition_relations_decode(&all, page))
		return false;
	for (size_t i = 0; i < all.n_models; i++)
		if (!relation_show(&r, &all, &all.models[i], of))
			return false;
	for (size_t i = 0; i < all.n_models; i++) {
		relation_show(&r, &all, &all.models[i], of);
		each(ctx, &r);
	}
	return true;
}

bool jobs_profiles(struct bytes page, void (*each)(void *ctx, const struct jobs_profile *p),
		   void *ctx)
{
	struct composition_profiles all;

	if (!composition_profiles_decode(&all, page))
		return false;
	for (size_t i = 0; i < all.n; i++) {
		const struct composition_profile *p = &all.profiles[i];
		struct jobs_profile out = { .id = p->id,
					    .name = composition_profile_name(p->id),
					    .x = p->x,
					    .y = p->y,
					    .z = p->z,
					    .elements = p->elements,
					    .n_elements = p->n_elements,
					    .data = p->more };

		each(ctx, &out);
	}
	return true;
}
