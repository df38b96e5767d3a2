/* SPDX-License-Identifier: Apache-2.0 */
/* GET /devices, GET, PATCH and DELETE /devices/{uuid}. */
#include <string.h>

#include "ad_types.h"
#include "api_private.h"

/* OOB Information, table 3.62, by bit. */
static const char *const oob_names[16] = {
	[0] = "other",
	[1] = "electronic_uri",
	[2] = "2d_code",
	[3] = "bar_code",
	[4] = "nfc",
	[5] = "number",
	[6] = "string",
	[7] = "certificate",
	[8] = "records",
	[11] = "on_box",
	[12] = "inside_box",
	[13] = "on_paper",
	[14] = "inside_manual",
	[15] = "on_device",
};
enum { OOB_CERTIFICATE = 1 << 7, OOB_RECORDS = 1 << 8 };

static json_t *oob_json(uint16_t oob)
{
	json_t *a = json_array();

	for (int bit = 0; bit < 16; bit++)
		if ((oob >> bit & 1) && oob_names[bit])
			json_array_append_new(a, json_string(oob_names[bit]));
	return a;
}

static const char *device_state(struct api *api, const struct db_device *d)
{
	struct db_task_filter running = { .state = DB_TASK_RUNNING, .uuid = d->uuid };
	int64_t n = 0;

	if (d->node)
		return "provisioned";
	if (db_task_count(api->env.db, &running, &n) == DB_OK && n > 0)
		return "provisioning";
	if (d->trust == DB_TRUST_REJECTED)
		return "rejected";
	return d->heard ? "heard" : "missing";
}

static json_t *trust_json(const struct db_device *d)
{
	static const char *const names[] = { [DB_TRUST_UNKNOWN] = "unknown",
					     [DB_TRUST_TRUSTED] = "trusted",
					     [DB_TRUST_REJECTED] = "rejected" };
	json_t *o = json_object();

	json_object_set_new(o, "state", json_string(names[d->trust]));
	json_object_set_new(o, "code", json_text(d->trust_code));
	json_object_set_new(o, "message", json_text(d->trust_message));
	return o;
}

static void sighting_add(void *ctx, const struct db_sighting *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "server", json_address(s->server));
	json_object_set_new(o, "rssi", json_rssi(s->rssi));
	json_object_set_new(o, "at", json_time_ms(s->when));
	json_array_append_new(ctx, o);
}

static json_t *sightings_json(struct api *api, const uint8_t uuid[UUID_LEN])
{
	struct db_sighting_filter f = { .uuid = uuid };
	struct db_page page = { .limit = 64, .sort = "-rssi" };
	json_t *a = json_array();
	char next[DB_CURSOR];

	db_sightings(api->env.db, &f, &page, sighting_add, a, next);
	return a;
}

static json_t *device_row_json(struct api *api, const struct db_device *d)
{
	json_t *o = json_object();

	json_object_set_new(o, "uuid", json_uuid(d->uuid));
	json_object_set_new(o, "name", json_text(d->name));
	json_object_set_new(o, "area", json_text(d->area));
	json_object_set_new(o, "profile", json_text(d->profile));
	json_object_set_new(o, "state", json_string(device_state(api, d)));
	json_object_set_new(o, "expected", json_boolean(d->listed));
	json_object_set_new(o, "heard", json_boolean(d->heard));
	json_object_set_new(o, "oob", oob_json(d->heard ? d->oob_info : 0));
	json_object_set_new(o, "oob_information", d->heard ? json_hex16(d->oob_info) : json_null());
	if (d->has_uri_hash) {
		char text[16];

		snprintf(text, sizeof(text), "0x%08x", (unsigned)d->uri_hash);
		json_object_set_new(o, "uri_hash", json_string(text));
	} else {
		json_object_set_new(o, "uri_hash", json_null());
	}
	json_object_set_new(
		o, "certificate_support",
		json_boolean(d->heard && (d->oob_info & (OOB_CERTIFICATE | OOB_RECORDS))));
	json_object_set_new(o, "static_oob", json_boolean(d->static_oob_len > 0));
	json_object_set_new(o, "trust", trust_json(d));
	json_object_set_new(o, "best_server", json_address(d->best_server));
	json_object_set_new(o, "rssi", d->best_server ? json_rssi(d->best_rssi) : json_null());
	json_object_set_new(o, "first_heard_at", json_time_ms(d->first_heard));
	json_object_set_new(o, "last_heard_at", json_time_ms(d->last_heard));
	json_object_set_new(o, "address", json_address(d->node));
	device_scan_json(o, &d->scan);
	return o;
}

struct list {
	struct api *api;
	json_t *items;
};

static void device_add(void *ctx, const struct db_device *d)
{
	struct list *l = ctx;

	json_array_append_new(l->items, device_row_json(l->api, d));
}

/* Not while the list's own statement is open: one read at a time is easier to reason about. */
static void sightings_fill(struct api *api, json_t *device)
{
	uint8_t uuid[UUID_LEN];

	if (uuid_parse(json_string_value(json_object_get(device, "uuid")), uuid))
		json_object_set_new(device, "sightings", sightings_json(api, uuid));
}

json_t *device_json(struct api *api, const uint8_t uuid[UUID_LEN])
{
	struct db_device d;
	json_t *o;

	if (db_device_get(api->env.db, uuid, &d) != DB_OK)
		return NULL;
	o = device_row_json(api, &d);
	sightings_fill(api, o);
	secret_wipe(d.static_oob, sizeof(d.static_oob));
	return o;
}

static const char *const device_sorts[] = {
	"uuid",		 "-uuid",	   "name", "-name", "area", "-area",
	"last_heard_at", "-last_heard_at", "rssi", "-rssi", NULL
};
static const char *const device_states[] = { "missing", "heard", "provisioned", "rejected", NULL };
static const char *const trust_states[] = { "unknown", "trusted", "rejected", NULL };

struct devices_query {
	struct page_query page;
	struct field_text sort, q, state, trust, area;
	struct field_bool expected, heard;
};
static const struct field devices_fields[] = {
	PAGE_FIELDS(struct devices_query, page),
	{ "sort", FIELD_ENUM, 0, 0, 0, device_sorts, NULL, NULL,
	  offsetof(struct devices_query, sort) },
	{ "q", FIELD_TEXT, 0, 0, 100, NULL, NULL, NULL, offsetof(struct devices_query, q) },
	{ "state", FIELD_ENUM, 0, 0, 0, device_states, NULL, NULL,
	  offsetof(struct devices_query, state) },
	{ "expected", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL,
	  offsetof(struct devices_query, expected) },
	{ "heard", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL, offsetof(struct devices_query, heard) },
	{ "trust", FIELD_ENUM, 0, 0, 0, trust_states, NULL, NULL,
	  offsetof(struct devices_query, trust) },
	{ "area", FIELD_TEXT, 0, 0, 64, NULL, NULL, NULL, offsetof(struct devices_query, area) },
};

static int tristate(const struct field_bool *b)
{
	return b->given ? b->v : -1;
}

/* The store's word for a sort of ours. */
static const char *device_sort(const struct field_text *sort)
{
	if (!sort->s || !strstr(sort->s, "last_heard_at"))
		return sort->s;
	return *sort->s == '-' ? "-last_heard" : "last_heard";
}

static struct db_device_filter devices_filter(const struct devices_query *q)
{
	struct db_device_filter f = { .area = q->area.s,
				      .search = q->q.s && *q->q.s ? q->q.s : NULL,
				      .listed = tristate(&q->expected),
				      .heard = tristate(&q->heard),
				      .trust = -1,
				      .provisioned = -1 };

	for (int t = 0; q->trust.s && trust_states[t]; t++)
		if (strcmp(trust_states[t], q->trust.s) == 0)
			f.trust = t;
	if (!q->state.s)
		return f;
	f.provisioned = strcmp(q->state.s, "provisioned") == 0;
	if (strcmp(q->state.s, "missing") == 0)
		f.heard = 0;
	if (strcmp(q->state.s, "heard") == 0)
		f.heard = 1;
	if (strcmp(q->state.s, "rejected") == 0)
		f.trust = DB_TRUST_REJECTED;
	return f;
}

static struct reply list_devices(struct api *api, const struct request *rq)
{
	struct list l = { api, NULL };
	struct db_device_filter f;
	struct devices_query q;
	char next[DB_CURSOR];
	struct problem p;
	struct db_page page;
	enum db_rc rc;
	json_t *device;
	size_t i;

	if (!query_read(rq->query, rq->n_query, devices_fields, ARRAY_LEN(devices_fields), &q,
			sizeof(q), &p))
		return reply_problem(&p);
	jobs_flush(api->env.jobs);
	f = devices_filter(&q);
	page = page_of(&q.page, device_sort(&q.sort));
	l.items = json_array();
	rc = db_devices(api->env.db, &f, &page, device_add, &l, next);
	json_array_foreach(l.items, i, device) sightings_fill(api, device);
	return reply_page(rc, l.items, next);
}

static struct reply get_device(struct api *api, const struct request *rq)
{
	uint8_t uuid[UUID_LEN];
	struct reply bad;
	json_t *o;

	if (!path_uuid(rq, uuid, &bad))
		return bad;
	jobs_flush(api->env.jobs);
	o = device_json(api, uuid);
	return o ? reply_json(200, o) : reply_not_found("device");
}

struct device_patch {
	struct field_text name, area, profile, static_oob;
};

static bool good_oob(const char *text)
{
	uint8_t octets[DB_STATIC_OOB];

	return hex_parse(text, octets, sizeof(octets)) > 0;
}

static const struct field patch_fields[] = {
	{ "name", FIELD_TEXT, FIELD_NULL, 0, 64, NULL, NULL, NULL,
	  offsetof(struct device_patch, name) },
	{ "area", FIELD_TEXT, FIELD_NULL, 0, 64, NULL, NULL, NULL,
	  offsetof(struct device_patch, area) },
	{ "profile", FIELD_TEXT, FIELD_NULL, 0, 64, NULL, NULL, NULL,
	  offsetof(struct device_patch, profile) },
	{ "static_oob", FIELD_TEXT, FIELD_NULL, 0, 2 * DB_STATIC_OOB, NULL, good_oob,
	  "1 to 32 octets in hexadecimal", offsetof(struct device_patch, static_oob) },
};

static void label_set(char out[DB_NAME], const struct field_text *f)
{
	if (f->given)
		snprintf(out, DB_NAME, "%s", f->s ? f->s : "");
}

static void patch_apply(struct db_device *d, const struct device_patch *b)
{
	label_set(d->name, &b->name);
	label_set(d->area, &b->area);
	label_set(d->profile, &b->profile);
	if (b->static_oob.given) {
		int n = b->static_oob.s ? hex_parse(b->static_oob.s, d->static_oob, DB_STATIC_OOB)
					: 0;

		d->static_oob_len = (uint8_t)n;
	}
}

static struct reply patch_device(struct api *api, const struct request *rq)
{
	uint8_t uuid[UUID_LEN];
	struct device_patch b;
	struct db_device d;
	struct reply r;
	struct problem p;
	enum db_rc found;
	json_t *body;

	if (!path_uuid(rq, uuid, &r))
		return r;
	body = body_parse(rq->body, &p);
	if (!body)
		return reply_problem(&p);
	found = db_device_get(api->env.db, uuid, &d);
	if (!fields_read(body, patch_fields, ARRAY_LEN(patch_fields), "", &b, sizeof(b), &p)) {
		r = reply_problem(&p);
	} else if (json_object_size(body) == 0) {
		r = reply_error(400, "missing_field", NULL, "One field at least is wanted.");
	} else if (found != DB_OK) {
		r = found == DB_NONE ? reply_not_found("device") : reply_internal();
	} else {
		enum jobs_rc rc;

		patch_apply(&d, &b);
		rc = jobs_device_put(api->env.jobs, &d);
		r = rc == JOBS_OK ? reply_json(200, device_json(api, uuid))
				  : reply_jobs(rc, "The device cannot be changed now.", NULL);
	}
	secret_wipe(d.static_oob, sizeof(d.static_oob));
	json_decref(body);
	return r;
}

static struct reply delete_device(struct api *api, const struct request *rq)
{
	uint8_t uuid[UUID_LEN];
	struct db_device d;
	struct reply bad;
	const char *state;

	if (!path_uuid(rq, uuid, &bad))
		return bad;
	if (db_device_get(api->env.db, uuid, &d) != DB_OK)
		return reply_not_found("device");
	secret_wipe(d.static_oob, sizeof(d.static_oob));
	state = device_state(api, &d);
	if (strcmp(state, "provisioned") == 0)
		return reply_error(409, "conflict", NULL, "It is a node now; remove the node.");
	if (strcmp(state, "provisioning") == 0)
		return reply_error(409, "conflict", NULL, "A job is working on it.");
	if (d.trust == DB_TRUST_REJECTED)
		return reply_error(409, "conflict", NULL,
				   "Its certificate was rejected, and that is kept.");
	return reply_jobs(jobs_device_delete(api->env.jobs, uuid), "There is no such device.",
			  NULL);
}

static const struct route routes[] = {
	{ .method = HTTP_GET,
	  .pattern = "/devices",
	  .role = DB_ROLE_VIEWER,
	  .query = devices_fields,
	  .n_query = ARRAY_LEN(devices_fields),
	  .handle = list_devices },
	{ .method = HTTP_GET,
	  .pattern = "/devices/{uuid}",
	  .role = DB_ROLE_VIEWER,
	  .handle = get_device },
	{ .method = HTTP_PATCH,
	  .pattern = "/devices/{uuid}",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .body = BODY_JSON,
	  .handle = patch_device },
	{ .method = HTTP_DELETE,
	  .pattern = "/devices/{uuid}",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .handle = delete_device },
};
const struct route_table device_routes = { routes, ARRAY_LEN(routes) };
