/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "config_client.h"
#include "jobs.h"
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

bool jobs_composition(const struct db_node *node, struct jobs_composition *out)
{
	struct composition c;

	if (!node->composition_len ||
	    !composition_decode(&c, bytes_of(node->composition, node->composition_len)))
		return false;
	out->company = c.company;
	out->product = c.product;
	out->version = c.version;
	out->replay_list = c.replay_list;
	out->features = c.features;
	out->n_elements = c.n_elements;
	for (size_t i = 0; i < c.n_elements; i++)
		element_show(&out->elements[i], &c.elements[i], (uint16_t)(node->address + i));
	return true;
}
