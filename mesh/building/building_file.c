/* SPDX-License-Identifier: Apache-2.0 */
#include "building_file.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "building_faults.h"
#include "building_store.h"

#define FORMAT "meshmason-building-1"

enum { FILE_MAX = 64 << 20 };

static const char *const certificate_names[] = { "good", "untrusted", "expired", "misnamed" };

const char *building_certificate_name(enum building_certificate c)
{
	return certificate_names[c];
}

bool building_device_add_record(struct building_device *d, uint16_t id, struct bytes data)
{
	size_t i = d->make.n_records;
	uint8_t *copy;

	if (i == DEVICE_RECORDS_MAX)
		return false;
	copy = malloc(data.n ? data.n : 1);
	if (!copy)
		abort();
	memcpy(copy, data.p, data.n);
	d->make.records[i].id = id;
	d->make.records[i].data = bytes_of(copy, data.n);
	d->make.n_records++;
	return true;
}

void building_file_free(struct building_file *file)
{
	for (size_t i = 0; i < file->n; i++) {
		struct device_make *m = &file->devices[i].make;

		for (size_t k = 0; k < m->n_records; k++)
			free((void *)m->records[k].data.p);
		secret_wipe(m, sizeof(*m));
	}
	free(file->devices);
	memset(file, 0, sizeof(*file));
}

/* --- writing --- */

static void set_hex(json_t *o, const char *key, const void *p, size_t n)
{
	char *text = malloc(2 * n + 1);

	if (!text)
		abort();
	json_object_set_new(o, key, json_string(hex_format(text, bytes_of(p, n))));
	secret_wipe(text, 2 * n);
	free(text);
}

static json_t *records_json(const struct device_make *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_records; i++) {
		json_t *r = json_pack("{s:i}", "id", (int)m->records[i].id);

		set_hex(r, "data", m->records[i].data.p, m->records[i].data.n);
		json_array_append_new(list, r);
	}
	return list;
}

static json_t *device_json(const struct building_device *d)
{
	static const struct secret32 no_key;
	const struct device_make *m = &d->make;
	char uuid[UUID_TEXT];
	json_t *o = json_pack(
		"{s:s, s:s, s:s, s:f, s:f, s:i, s:i, s:i, s:i, s:i, s:i, s:b, s:b, s:b, s:s, "
		"s:b, s:s}",
		"uuid", uuid_format(uuid, m->uuid), "name", m->name, "area", d->area, "x",
		d->place.x, "y", d->place.y, "floor", d->place.floor, "company", m->company,
		"product", m->product, "elements", m->elements, "features", m->features,
		"algorithms", m->algorithms, "server", m->server, "certificates", m->certificates,
		"oob_public_key", m->oob_public_key, "fault", building_fault_name(m->fault),
		"absent", d->absent, "certificate", building_certificate_name(d->certificate));

	if (!o)
		abort();
	if (m->changed_elements)
		json_object_set_new(o, "changed_elements", json_integer(m->changed_elements));
	if (m->appearance)
		json_object_set_new(o, "appearance", json_integer(m->appearance));
	if (*m->uri)
		set_hex(o, "uri", m->uri, strlen(m->uri));
	if (m->fault != DEVICE_SOUND && m->fault_times != 1)
		json_object_set_new(o, "fault_times", json_integer(m->fault_times));
	if (m->fault_in_refresh)
		json_object_set_new(o, "fault_in_refresh", json_true());
	if (m->large_composition)
		json_object_set_new(o, "large_composition", json_true());
	if (m->output_size || m->input_size || m->oob_only)
		json_object_set_new(o, "prompt",
				    json_pack("[i, i, i, i, b]", m->output_size, m->output_actions,
					      m->input_size, m->input_actions, m->oob_only));
	if (!secret_equal(&m->secret_key, &no_key, sizeof(no_key)))
		set_hex(o, "secret_key", m->secret_key.octet, sizeof(m->secret_key.octet));
	if (m->static_oob_len)
		set_hex(o, "static_oob", m->static_oob, m->static_oob_len);
	json_object_set_new(o, "records", records_json(m));
	return o;
}

static void set_trouble(json_t *root, const struct building_file *file)
{
	json_t *list = json_array();

	if (file->duplicates > 0)
		json_object_set_new(root, "duplicates", json_real(file->duplicates));
	if (file->reorders > 0)
		json_object_set_new(root, "reorders", json_real(file->reorders));
	for (size_t i = 0; i < file->n_attackers; i++)
		json_array_append_new(list, json_pack("{s:f, s:f, s:i}", "x", file->attackers[i].x,
						      "y", file->attackers[i].y, "floor",
						      file->attackers[i].floor));
	if (file->n_attackers > 0)
		json_object_set(root, "attackers", list);
	json_decref(list);
}

bool building_file_save(const char *path, const struct building_file *file,
			char error[BUILDING_ERROR])
{
	json_t *devices = json_array();
	json_t *root = json_pack("{s:s, s:I, s:f, s:o}", "format", FORMAT, "seed",
				 (json_int_t)file->seed, "loss", file->loss, "devices", devices);
	char *text;
	bool ok;

	set_trouble(root, file);
	for (size_t i = 0; i < file->n; i++)
		json_array_append_new(devices, device_json(&file->devices[i]));
	text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	json_decref(root);
	if (!text)
		abort();
	ok = building_store_replace(path, bytes_of(text, strlen(text)), 0600, true);
	if (!ok)
		snprintf(error, BUILDING_ERROR, "%s: %s", path, strerror(errno));
	secret_wipe(text, strlen(text));
	free(text);
	return ok;
}

/* --- reading: every taker remembers the first thing that was wrong --- */

struct reading {
	json_t *o; /* the object at hand */
	char *error;
	char where[32];
	bool bad;
};

__attribute__((format(printf, 2, 3))) static void wrong(struct reading *r, const char *format, ...)
{
	char text[160];
	va_list ap;

	if (r->bad)
		return;
	r->bad = true;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(r->error, BUILDING_ERROR, "%s%s", r->where, text);
}

static int64_t take_int(struct reading *r, const char *key, int64_t min, int64_t max)
{
	json_t *v = json_object_get(r->o, key);

	if (!json_is_integer(v) || json_integer_value(v) < min || json_integer_value(v) > max) {
		wrong(r, "%s: a number from %lld to %lld wanted", key, (long long)min,
		      (long long)max);
		return min;
	}
	return json_integer_value(v);
}

static double take_real(struct reading *r, const char *key, double min, double max)
{
	json_t *v = json_object_get(r->o, key);

	if (!json_is_number(v) || !(json_number_value(v) >= min) || json_number_value(v) > max) {
		wrong(r, "%s: a number from %g to %g wanted", key, min, max);
		return min;
	}
	return json_number_value(v);
}

static bool take_bool(struct reading *r, const char *key)
{
	json_t *v = json_object_get(r->o, key);

	if (!json_is_boolean(v))
		wrong(r, "%s: true or false wanted", key);
	return json_is_true(v);
}

static void take_text(struct reading *r, const char *key, char *out, size_t cap)
{
	const char *v = json_string_value(json_object_get(r->o, key));

	if (!v || strlen(v) >= cap)
		wrong(r, "%s: at most %zu characters wanted", key, cap - 1);
	else
		memcpy(out, v, strlen(v) + 1);
}

static int take_name(struct reading *r, const char *key, const char *const *names, size_t n)
{
	const char *v = json_string_value(json_object_get(r->o, key));

	for (size_t i = 0; v && i < n; i++) {
		if (strcmp(v, names[i]) == 0)
			return (int)i;
	}
	wrong(r, "%s: unknown value", key);
	return 0;
}

static struct place take_place(struct reading *r)
{
	return (struct place){ take_real(r, "x", -1e6, 1e6), take_real(r, "y", -1e6, 1e6),
			       (int)take_int(r, "floor", -1000, 1000) };
}

/* The number of octets; an absent key is none. */
static size_t take_hex(struct reading *r, const char *key, uint8_t *out, size_t cap)
{
	json_t *v = json_object_get(r->o, key);
	int n = v ? -1 : 0;

	if (json_is_string(v))
		n = hex_parse(json_string_value(v), out, cap);
	if (n < 0)
		wrong(r, "%s: at most %zu octets in hexadecimal wanted", key, cap);
	return n < 0 ? 0 : (size_t)n;
}

static void take_records(struct reading *r, struct building_device *d)
{
	json_t *device = r->o, *list = json_object_get(device, "records"), *item;
	uint8_t data[BUILDING_RECORD_MAX];
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > DEVICE_RECORDS_MAX)
		wrong(r, "records: a list of at most %d wanted", DEVICE_RECORDS_MAX);
	json_array_foreach(list, i, item)
	{
		uint16_t id;
		size_t n;

		r->o = item;
		id = (uint16_t)take_int(r, "id", 0, UINT16_MAX);
		n = take_hex(r, "data", data, sizeof(data));
		if (r->bad || !building_device_add_record(d, id, bytes_of(data, n)))
			break;
	}
	r->o = device;
}

/* Size and actions of output, then of input OOB, and whether nothing less is taken. */
static void take_prompt(struct reading *r, struct device_make *m)
{
	json_t *list = json_object_get(r->o, "prompt");
	int output_size, output_actions, input_size, input_actions, only;

	if (!list)
		return;
	if (json_unpack(list, "[i, i, i, i, b!]", &output_size, &output_actions, &input_size,
			&input_actions, &only) < 0 ||
	    output_size < 0 || output_size > 8 || input_size < 0 || input_size > 8 ||
	    output_actions < 0 || output_actions > 0x1F || input_actions < 0 ||
	    input_actions > 0x0F) {
		wrong(r, "prompt: sizes and actions of output and input OOB wanted");
		return;
	}
	m->output_size = (uint8_t)output_size;
	m->output_actions = (uint8_t)output_actions;
	m->input_size = (uint8_t)input_size;
	m->input_actions = (uint8_t)input_actions;
	m->oob_only = only;
}

/* What buildings of the first version do not have. */
static void take_newer(struct reading *r, struct device_make *m)
{
	if (json_object_get(r->o, "changed_elements"))
		m->changed_elements = (uint8_t)take_int(r, "changed_elements", 1, 8);
	if (json_object_get(r->o, "appearance"))
		m->appearance = (uint16_t)take_int(r, "appearance", 0, UINT16_MAX);
	take_hex(r, "uri", (uint8_t *)m->uri, sizeof(m->uri) - 1);
	if (json_object_get(r->o, "large_composition"))
		m->large_composition = take_bool(r, "large_composition");
}

static void take_fault(struct reading *r, struct device_make *m)
{
	const char *name = json_string_value(json_object_get(r->o, "fault"));

	m->fault = name ? building_fault_find(name, strlen(name)) : DEVICE_FAULTS;
	if (m->fault == DEVICE_FAULTS) {
		wrong(r, "fault: unknown value");
		m->fault = DEVICE_SOUND;
	}
	m->fault_times = 1;
	if (json_object_get(r->o, "fault_times"))
		m->fault_times = (uint8_t)take_int(r, "fault_times", 0, UINT8_MAX);
	if (json_object_get(r->o, "fault_in_refresh"))
		m->fault_in_refresh = take_bool(r, "fault_in_refresh");
}

/* What its air does beyond losing, and who else is on it. */
static void take_trouble(struct reading *r, struct building_file *out)
{
	json_t *root = r->o, *list = json_object_get(root, "attackers");
	size_t n = json_array_size(list);

	if (json_object_get(root, "duplicates"))
		out->duplicates = take_real(r, "duplicates", 0, 1);
	if (json_object_get(root, "reorders"))
		out->reorders = take_real(r, "reorders", 0, 1);
	if ((list && !json_is_array(list)) || n > BUILDING_ATTACKERS_MAX)
		wrong(r, "attackers: a list of at most %d places wanted", BUILDING_ATTACKERS_MAX);
	for (size_t i = 0; i < n && !r->bad; i++) {
		r->o = json_array_get(list, i);
		out->attackers[i] = take_place(r);
		out->n_attackers = i + 1;
	}
	r->o = root;
}

static void take_device(struct reading *r, struct building_device *d)
{
	struct device_make *m = &d->make;
	char uuid[UUID_TEXT] = "";
	size_t key;

	take_text(r, "uuid", uuid, sizeof(uuid));
	if (!uuid_parse(uuid, m->uuid))
		wrong(r, "uuid: 8-4-4-4-12 hexadecimal digits wanted");
	take_text(r, "name", m->name, sizeof(m->name));
	take_text(r, "area", d->area, sizeof(d->area));
	d->place = take_place(r);
	m->company = (uint16_t)take_int(r, "company", 0, UINT16_MAX);
	m->product = (uint16_t)take_int(r, "product", 0, UINT16_MAX);
	m->elements = (uint8_t)take_int(r, "elements", 1, 8);
	m->features = (uint16_t)take_int(r, "features", 0, 15);
	m->algorithms = (uint8_t)take_int(r, "algorithms", 1, 3);
	m->server = take_bool(r, "server");
	take_newer(r, m);
	take_prompt(r, m);
	m->certificates = take_bool(r, "certificates");
	m->oob_public_key = take_bool(r, "oob_public_key");
	key = take_hex(r, "secret_key", m->secret_key.octet, sizeof(m->secret_key.octet));
	if (key != 0 && key != sizeof(m->secret_key.octet))
		wrong(r, "secret_key: 32 octets in hexadecimal wanted");
	m->static_oob_len = take_hex(r, "static_oob", m->static_oob, sizeof(m->static_oob));
	if (m->static_oob_len != 0 && m->static_oob_len != 16 && m->static_oob_len != 32)
		wrong(r, "static_oob: 16 or 32 octets in hexadecimal wanted");
	take_fault(r, m);
	d->absent = take_bool(r, "absent");
	d->certificate = (enum building_certificate)take_name(r, "certificate", certificate_names,
							      ARRAY_LEN(certificate_names));
	take_records(r, d);
}

static void take_building(struct reading *r, json_t *root, struct building_file *out)
{
	json_t *list = json_object_get(root, "devices");
	const char *format = json_string_value(json_object_get(root, "format"));

	r->o = root;
	if (!format || strcmp(format, FORMAT) != 0)
		wrong(r, "not a building file (format \"" FORMAT "\" wanted)");
	out->seed = (uint64_t)take_int(r, "seed", 0, INT64_C(1) << 53);
	out->loss = take_real(r, "loss", 0, 1);
	take_trouble(r, out);
	if (!json_is_array(list) || json_array_size(list) == 0 ||
	    json_array_size(list) > BUILDING_DEVICES_MAX)
		wrong(r, "devices: a list of 1 to %d wanted", BUILDING_DEVICES_MAX);
	if (r->bad)
		return;
	out->devices = calloc(json_array_size(list), sizeof(out->devices[0]));
	if (!out->devices)
		abort();
	for (size_t i = 0; i < json_array_size(list) && !r->bad; i++) {
		snprintf(r->where, sizeof(r->where), "device %zu: ", i + 1);
		r->o = json_array_get(list, i);
		out->n = i + 1;
		take_device(r, &out->devices[i]);
	}
}

static void refuse_twins(struct reading *r, const struct building_file *file)
{
	for (size_t i = 0; i < file->n && !r->bad; i++) {
		for (size_t k = 0; k < i; k++) {
			if (memcmp(file->devices[i].make.uuid, file->devices[k].make.uuid,
				   UUID_LEN) == 0)
				wrong(r, "devices %zu and %zu have the same uuid", k + 1, i + 1);
		}
	}
}

bool building_file_load(const char *path, struct building_file *out, char error[BUILDING_ERROR])
{
	char why[BUILDING_ERROR];
	struct reading r = { .error = why };
	json_error_t parse;
	uint8_t *text;
	json_t *root;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!building_store_read(path, FILE_MAX, &text, &n)) {
		snprintf(error, BUILDING_ERROR, "%s: %s", path, strerror(errno));
		return false;
	}
	root = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, &parse);
	if (root)
		take_building(&r, root, out);
	else
		wrong(&r, "line %d: %.120s", parse.line, parse.text);
	r.where[0] = 0;
	refuse_twins(&r, out);
	secret_wipe(text, n);
	free(text);
	json_decref(root);
	if (r.bad) {
		building_file_free(out);
		snprintf(error, BUILDING_ERROR, "%.120s: %.180s", path, why);
	}
	return !r.bad;
}
