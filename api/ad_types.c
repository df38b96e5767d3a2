/* SPDX-License-Identifier: Apache-2.0 */
#include "ad_types.h"

#include <stdio.h>
#include <string.h>

#include "ad_structures.h"
#include "reply.h"

/* Assigned Numbers 2.3; those that may be asked for, and the shortened name that answers. */
static const struct {
	uint8_t type;
	const char *name;
} types[] = {
	{ 0x01, "flags" },
	{ 0x03, "service_uuids_16" },
	{ 0x05, "service_uuids_32" },
	{ 0x07, "service_uuids_128" },
	{ 0x08, "shortened_local_name" },
	{ 0x09, "local_name" },
	{ 0x0A, "tx_power" },
	{ 0x16, "service_data_16" },
	{ 0x19, "appearance" },
	{ 0x20, "service_data_32" },
	{ 0x21, "service_data_128" },
	{ 0x24, "uri" },
	{ 0xFF, "manufacturer_data" },
};

/* Assigned Numbers 2.6.2: the category is what matters at a glance; bits 15..6. */
static const char *const categories[] = {
	[0x01] = "Phone",
	[0x02] = "Computer",
	[0x03] = "Watch",
	[0x04] = "Clock",
	[0x05] = "Display",
	[0x06] = "Remote Control",
	[0x08] = "Tag",
	[0x09] = "Keyring",
	[0x0A] = "Media Player",
	[0x0B] = "Barcode Scanner",
	[0x0C] = "Thermometer",
	[0x0F] = "Human Interface Device",
	[0x13] = "Control Device",
	[0x14] = "Network Device",
	[0x15] = "Sensor",
	[0x16] = "Light Fixture",
	[0x17] = "Fan",
	[0x18] = "HVAC",
	[0x19] = "Air Conditioning",
	[0x1A] = "Humidifier",
	[0x1B] = "Heating",
	[0x1C] = "Access Control",
	[0x1D] = "Motorized Device",
	[0x1E] = "Power Device",
	[0x1F] = "Light Source",
	[0x20] = "Window Covering",
	[0x21] = "Audio Sink",
	[0x22] = "Audio Source",
	[0x24] = "Domestic Appliance",
	[0x27] = "AV Equipment",
	[0x28] = "Display Equipment",
	[0x2B] = "Signage",
};

/* Some of the subcategories that buildings are full of. */
static const struct {
	uint16_t value;
	const char *name;
} kinds[] = {
	{ 0x04C1, "Switch" },		{ 0x04C2, "Multi-switch" },
	{ 0x04C3, "Button" },		{ 0x04C6, "Push Button" },
	{ 0x0541, "Motion Sensor" },	{ 0x0543, "Temperature Sensor" },
	{ 0x054B, "Occupancy Sensor" }, { 0x0581, "Wall Light" },
	{ 0x0582, "Ceiling Light" },	{ 0x0583, "Floor Light" },
	{ 0x0584, "Cabinet Light" },	{ 0x0585, "Desk Light" },
	{ 0x05C1, "Ceiling Fan" },	{ 0x0601, "Thermostat" },
	{ 0x0781, "Power Outlet" },	{ 0x07C1, "Incandescent Lamp" },
	{ 0x07C2, "LED Lamp" },
};

static const char *type_name(uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

static json_t *type_text(uint8_t type)
{
	char text[8];

	snprintf(text, sizeof(text), "0x%02x", type);
	return json_string(text);
}

/* 0: no such type. */
static uint8_t type_parse(const char *text)
{
	uint8_t type;

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, text) == 0)
			return types[i].type;
	if (strncmp(text, "0x", 2) != 0 || !hex_parse_exact(text + 2, &type, 1))
		return 0;
	return type;
}

bool ad_types_read(json_t *list, struct db_job_options *out, struct problem *p)
{
	static const char field[] = "options.ad_types";
	char name[PROBLEM_FIELD];
	json_t *one;
	size_t i;

	if (!json_is_array(list))
		return problem_set(p, 400, "wrong_type", field, "%s must be a list.", field);
	if (json_array_size(list) == 0 || json_array_size(list) > DB_AD_TYPES)
		return problem_set(p, 400, "invalid_value", field, "%s must have 1 to %d members.",
				   field, DB_AD_TYPES);
	json_array_foreach(list, i, one)
	{
		const char *text = json_string_value(one);
		uint8_t type;

		snprintf(name, sizeof(name), "%s[%zu]", field, i);
		if (!text)
			return problem_set(p, 400, "wrong_type", name, "%s must be a string.",
					   name);
		type = type_parse(text);
		if (!ad_type_may_be_asked(type) || memchr(out->ad_types, type, i))
			return problem_set(p, 400, "invalid_value", name,
					   "%s must be a name like local_name or a number like "
					   "0x09 that an extended scan may ask for, and only once.",
					   name);
		out->ad_types[i] = type;
		out->n_ad_types = (uint8_t)(i + 1);
	}
	return true;
}

json_t *ad_types_json(const struct db_job_options *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < o->n_ad_types; i++) {
		const char *name = type_name(o->ad_types[i]);

		json_array_append_new(list, name ? json_string(name) : type_text(o->ad_types[i]));
	}
	return list;
}

static json_t *appearance_json(const struct db_device_scan *scan)
{
	json_t *o = json_object();
	unsigned category = scan->appearance >> 6;
	const char *name = category < ARRAY_LEN(categories) ? categories[category] : NULL;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].value == scan->appearance)
			name = kinds[i].name;
	json_object_set_new(o, "value", json_hex16(scan->appearance));
	json_object_set_new(o, "name", name ? json_string(name) : json_null());
	return o;
}

static json_t *advertising_json(const struct db_device_scan *scan)
{
	struct rd r = rd_from(bytes_of(scan->ads, scan->ads_len));
	json_t *list = json_array();
	char hex[2 * UINT8_MAX + 1];
	struct bytes data;
	uint8_t type;

	while (ad_next(&r, &type, &data)) {
		const char *name = type_name(type);
		json_t *o = json_object();

		json_object_set_new(o, "ad_type", type_text(type));
		json_object_set_new(o, "name", name ? json_string(name) : json_null());
		json_object_set_new(o, "hex", json_string(hex_format(hex, data)));
		json_array_append_new(list, o);
	}
	return list;
}

void device_scan_json(json_t *device, const struct db_device_scan *scan)
{
	bool power = scan->tx_power != AD_TX_POWER_UNKNOWN;

	json_object_set_new(device, "local_name", json_text(scan->local_name));
	json_object_set_new(device, "appearance",
			    scan->has_appearance ? appearance_json(scan) : json_null());
	json_object_set_new(device, "uri", json_text(scan->uri));
	json_object_set_new(device, "tx_power", power ? json_integer(scan->tx_power) : json_null());
	json_object_set_new(device, "advertising", advertising_json(scan));
	json_object_set_new(device, "scanned_at", json_time_ms(scan->at));
}
