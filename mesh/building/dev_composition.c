/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   client                                  server (primary element, device key)
 *      | Composition Data Get page -----------> |
 *      | <----- Composition Data Status page, data
 *      | Large Composition Data Get page, offset -> |
 *      | <----- Large Composition Data Status page, offset, total size, a part of the data
 */
#include "dev_composition.h"

#include "dev_core.h"

enum { VERSION = 1, LOCATION_UNKNOWN = 0, MODELS_MAX = 6, PAGE_MAX = 110 };
enum { PART = 40 }; /* of a large composition in one Status: small, so that there are several */
enum { HAS_GROUP = 1 << 0 };
/* Assigned Numbers: Basic Lightness Controller NLC Profile 1.0 */
enum { PROFILE_LIGHTNESS = 0x1601, PROFILE_X = 1 };

bool dev_composition_changes(const struct device_make *make)
{
	return make->changed_elements != 0;
}

uint8_t dev_composition_elements(const struct device_make *make, bool changed)
{
	return changed && make->changed_elements != 0 ? make->changed_elements : make->elements;
}

/* The models of an element, in the order of the composition data; the number of them. */
static size_t models_of(const struct device_make *make, bool changed, size_t element,
			uint16_t out[MODELS_MAX])
{
	size_t n = 0;

	if (element == 0) {
		out[n++] = MODEL_CONFIG_SERVER;
		out[n++] = MODEL_HEALTH_SERVER;
		if (make->server)
			out[n++] = MODEL_REMOTE_PROV_SERVER;
		if (make->large_composition)
			out[n++] = MODEL_LARGE_COMPOSITION_SERVER;
	}
	out[n++] = MODEL_GENERIC_ONOFF_SERVER;
	if (changed && make->changed_elements == make->elements && element + 1u == make->elements)
		out[n++] = MODEL_GENERIC_ONOFF_CLIENT;
	return n;
}

bool dev_composition_has(const struct device_make *make, bool changed, size_t element,
			 uint16_t model)
{
	uint16_t models[MODELS_MAX];
	size_t n;

	if (element >= dev_composition_elements(make, changed))
		return false;
	n = models_of(make, changed, element, models);
	for (size_t i = 0; i < n; i++)
		if (models[i] == model)
			return true;
	return false;
}

static void page_models(const struct device_make *make, bool changed, struct wr *w)
{
	uint16_t models[MODELS_MAX];

	wr_le16(w, make->company);
	wr_le16(w, make->product);
	wr_le16(w, changed && dev_composition_changes(make) ? VERSION + 1 : VERSION);
	wr_le16(w, DEV_REPLAY_ROWS);
	wr_le16(w, make->features);
	for (size_t e = 0; e < dev_composition_elements(make, changed); e++) {
		size_t n = models_of(make, changed, e, models);

		wr_le16(w, LOCATION_UNKNOWN);
		wr_u8(w, (uint8_t)n);
		wr_u8(w, 0); /* no vendor models */
		for (size_t i = 0; i < n; i++)
			wr_le16(w, models[i]);
	}
}

/* 4.2.2.2: nothing extends another model here; OnOff Server and Client of an element correspond. */
static void page_relations(const struct device_make *make, bool changed, struct wr *w)
{
	uint16_t models[MODELS_MAX];

	for (size_t e = 0; e < dev_composition_elements(make, changed); e++) {
		size_t n = models_of(make, changed, e, models);
		bool pair = dev_composition_has(make, changed, e, MODEL_GENERIC_ONOFF_CLIENT);

		wr_u8(w, (uint8_t)n);
		wr_u8(w, 0);
		for (size_t i = 0; i < n; i++) {
			bool grouped = pair && (models[i] == MODEL_GENERIC_ONOFF_SERVER ||
						models[i] == MODEL_GENERIC_ONOFF_CLIENT);

			wr_u8(w, grouped ? HAS_GROUP : 0);
			if (grouped)
				wr_u8(w, 0);
		}
	}
}

/* 4.2.2.3: one profile, on every element. */
static void page_profiles(const struct device_make *make, bool changed, struct wr *w)
{
	uint8_t elements = dev_composition_elements(make, changed);

	wr_le16(w, PROFILE_LIGHTNESS);
	wr_u8(w, PROFILE_X);
	wr_u8(w, 0);
	wr_u8(w, 0);
	wr_u8(w, elements);
	for (uint8_t e = 0; e < elements; e++)
		wr_u8(w, e);
	wr_le16(w, 0); /* no additional data */
}

/* Only who can be refreshed has the twins. */
uint8_t dev_composition_page(const struct device_make *make, bool changed, uint8_t asked,
			     struct wr *w)
{
	bool next = make->server && asked >= COMPOSITION_NEXT;
	uint8_t page = next ? asked - COMPOSITION_NEXT : asked;

	if (next && dev_composition_changes(make))
		changed = true;
	if (page == COMPOSITION_PAGE_MODELS) {
		page_models(make, changed, w);
	} else if (page == COMPOSITION_PAGE_RELATIONS) {
		page_relations(make, changed, w);
	} else {
		page = COMPOSITION_PAGE_PROFILES;
		page_profiles(make, changed, w);
	}
	return next ? page + COMPOSITION_NEXT : page;
}

static void on_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	uint8_t buf[DEV_REPLY_MAX], data[PAGE_MAX];
	struct wr w = wr_to(buf, sizeof(buf)), page = wr_to(data, sizeof(data));

	dev_access_opcode(&w, OP_COMPOSITION_DATA_STATUS);
	wr_u8(&w, dev_composition_page(d->make, d->flash.changed, params.p[0], &page));
	wr_bytes(&w, wr_done(&page));
	dev_access_reply(d, m, &w);
}

/* Beyond its end there is nothing to tell. */
static void on_large_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct rd r = rd_from(params);
	uint8_t asked = rd_u8(&r), buf[DEV_REPLY_MAX], data[PAGE_MAX], number;
	uint16_t offset = rd_le16(&r);
	struct wr w = wr_to(buf, sizeof(buf)), page = wr_to(data, sizeof(data));
	size_t n;

	number = dev_composition_page(d->make, d->flash.changed, asked, &page);
	n = page.n > offset ? page.n - offset : 0;
	dev_access_opcode(&w, OP_LARGE_COMPOSITION_STATUS);
	wr_u8(&w, number);
	wr_le16(&w, offset);
	wr_le16(&w, (uint16_t)page.n);
	if (n > 0)
		wr_copy(&w, data + offset, n > PART ? PART : n);
	dev_access_reply(d, m, &w);
}

const struct dev_handler dev_composition_handlers[] = {
	{ OP_COMPOSITION_DATA_GET, 1, 1, on_get },
	{ 0, 0, 0, NULL },
};

const struct dev_handler dev_large_composition_handlers[] = {
	{ OP_LARGE_COMPOSITION_GET, 3, 3, on_large_get },
	{ 0, 0, 0, NULL },
};
