/* SPDX-License-Identifier: Apache-2.0 */
#include "building_show.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "building_file.h"
#include "building_make.h"
#include "building_panel.h"
#include "building_store.h"

/* An absent or broken image is a factory-new device, as it is for the device itself. */
static bool state_of(const struct building_device *d, const char *folder, struct device_state *out,
		     char error[BUILDING_ERROR])
{
	uint8_t *image;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!building_flash_read(folder, d->make.uuid, DEVICE_FLASH_MAX, &image, &n)) {
		snprintf(error, BUILDING_ERROR, "%.200s: %.80s", folder, strerror(errno));
		return false;
	}
	if (!device_state_read(bytes_of(image, n), out))
		memset(out, 0, sizeof(*out));
	secret_wipe(image, n);
	free(image);
	return true;
}

/* What a person sees at the device while a building runs on this folder: "display" is what it
 * shows (or how often it blinks), "entry" what it waits for. */
static json_t *panel_json(json_t *o, const struct building_device *d, const char *folder)
{
	static const char *const entries[] = {
		[DEVICE_COUNT] = "count", [DEVICE_DIGITS] = "number", [DEVICE_TEXT] = "text"
	};
	struct device_prompt now;
	bool open = building_panel_read(folder, d->make.uuid, &now);

	json_object_set_new(o, "display",
			    open && !now.input ? json_string(now.value) : json_null());
	json_object_set_new(o, "entry",
			    open && now.input ? json_string(entries[now.type]) : json_null());
	return o;
}

static json_t *state_json(const struct building_device *d, const struct device_state *s)
{
	char uuid[UUID_TEXT], address[8];

	snprintf(address, sizeof(address), "0x%04x", s->address);
	return json_pack("{s:s, s:s, s:b, s:s?, s:s?, s:s?, s:i, s:b, s:b, s:I}", "uuid",
			 uuid_format(uuid, d->make.uuid), "name", d->make.name, "provisioned",
			 s->provisioned, "address", s->provisioned ? address : NULL,
			 "device_key_id", s->provisioned ? s->device_key_id : NULL,
			 "candidate_key_id", s->candidate_key_id[0] ? s->candidate_key_id : NULL,
			 "elements", s->provisioned ? s->elements : d->make.elements, "relay",
			 s->relay, "composition_changed", s->changed, "resets",
			 (json_int_t)s->resets);
}

static void state_line(FILE *out, const struct building_device *d, const struct device_state *s)
{
	char uuid[UUID_TEXT];

	uuid_format(uuid, d->make.uuid);
	if (s->provisioned)
		fprintf(out, "%s  %-12s  0x%04x  %s\n", uuid, d->make.name, s->address,
			s->device_key_id);
	else
		fprintf(out, "%s  %-12s  -       unprovisioned\n", uuid, d->make.name);
}

static json_t *made_json(const struct building_device *d, unsigned hops)
{
	const struct device_make *m = &d->make;
	char uuid[UUID_TEXT];

	return json_pack("{s:s, s:s, s:s, s:f, s:f, s:i, s:i, s:b, s:b, s:s, s:b, s:i, s:s, s:b, "
			 "s:i, s:b, s:b}",
			 "uuid", uuid_format(uuid, m->uuid), "name", m->name, "area", d->area, "x",
			 d->place.x, "y", d->place.y, "floor", d->place.floor, "elements",
			 m->elements, "server", m->server, "certificates", m->certificates,
			 "certificate",
			 m->certificates ? building_certificate_name(d->certificate) : "none",
			 "oob_public_key", m->oob_public_key, "static_oob", (int)m->static_oob_len,
			 "fault", building_fault_name(m->fault), "absent", d->absent, "reach",
			 (int)hops, "composition_change", m->changed_elements != 0,
			 "large_composition", m->large_composition);
}

/* On its label: the public key, where it goes out of band. */
static json_t *make_json(const struct building_device *d, unsigned hops)
{
	const struct device_make *m = &d->make;
	json_t *o = made_json(d, hops), *output = json_null(), *input = json_null();
	uint8_t key[P256_PUBLIC];
	char text[2 * P256_PUBLIC + 1];
	bool has_key = m->oob_public_key && p256_public(&m->secret_key, key);

	if (m->output_size)
		output = json_pack("{s:i, s:i}", "size", m->output_size, "actions",
				   m->output_actions);
	if (m->input_size)
		input = json_pack("{s:i, s:i}", "size", m->input_size, "actions", m->input_actions);
	json_object_set_new(o, "public_key",
			    has_key ? json_string(hex_format(text, bytes_of(key, sizeof(key))))
				    : json_null());
	json_object_set_new(o, "output_oob", output);
	json_object_set_new(o, "input_oob", input);
	return o;
}

static void make_line(FILE *out, const struct building_device *d, unsigned hops)
{
	const struct device_make *m = &d->make;
	char uuid[UUID_TEXT];

	fprintf(out, "%s  %-12s  %6.1f %6.1f %2d  reach %u%s%s%s%s%s%s%s%s\n",
		uuid_format(uuid, m->uuid), m->name, d->place.x, d->place.y, d->place.floor, hops,
		m->server ? " server" : "", m->certificates ? "" : " no-certificate",
		d->certificate == CERTIFICATE_GOOD ? "" : " ",
		d->certificate == CERTIFICATE_GOOD ? "" : building_certificate_name(d->certificate),
		m->fault == DEVICE_SOUND ? "" : " ",
		m->fault == DEVICE_SOUND ? "" : building_fault_name(m->fault),
		d->absent ? " absent" : "", m->changed_elements ? " composition-change" : "");
}

static bool show_all(const struct building_file *f, const char *state, json_t *list, FILE *out,
		     char error[BUILDING_ERROR])
{
	unsigned *hops = calloc(f->n, sizeof(*hops));
	bool ok = true;

	if (!hops)
		abort();
	if (!state)
		building_reach(f, hops);
	for (size_t i = 0; i < f->n && ok; i++) {
		struct device_state s;

		ok = !state || state_of(&f->devices[i], state, &s, error);
		if (!ok)
			break;
		if (list)
			json_array_append_new(list,
					      state ? panel_json(state_json(&f->devices[i], &s),
								 &f->devices[i], state)
						    : make_json(&f->devices[i], hops[i]));
		else if (state)
			state_line(out, &f->devices[i], &s);
		else
			make_line(out, &f->devices[i], hops[i]);
	}
	free(hops);
	return ok;
}

bool building_show(const char *file, const char *state, bool json, FILE *out,
		   char error[BUILDING_ERROR])
{
	struct building_file f;
	json_t *list, *root;
	bool ok;

	if (!building_file_load(file, &f, error))
		return false;
	list = json_array();
	root = json_pack("{s:o}", "devices", list);
	ok = show_all(&f, state, json ? list : NULL, out, error);
	if (ok && json) {
		json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
		fputc('\n', out);
	}
	json_decref(root);
	building_file_free(&f);
	return ok;
}
