/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /devices/import: the list of expected devices, as CSV or JSON. Every row is looked at before
 * the first is taken, so that strict=true is all or none; good rows are taken otherwise. What a row
 * leaves empty stays as it is: the same list twice changes nothing.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api_private.h"
#include "import.h"

enum { ROWS_SHOWN = 10000, ROWS_A_TURN = 100 };

static const char *const outcomes[] = { [IMPORT_ADDED] = "added",
					[IMPORT_CHANGED] = "changed",
					[IMPORT_UNCHANGED] = "unchanged",
					[IMPORT_REFUSED] = "refused" };

struct one_der {
	uint8_t *out;
	size_t n;
	unsigned count;
	bool fits;
};

static void der_take(void *ctx, struct bytes der)
{
	struct one_der *d = ctx;

	d->count++;
	d->fits = der.n <= DB_DER_MAX;
	if (d->count == 1 && d->fits) {
		memcpy(d->out, der.p, der.n);
		d->n = der.n;
	}
}

/* PEM, or base64 of DER, with one certificate. 0: it is none. */
static size_t certificate_read(const char *text, uint8_t der[DB_DER_MAX])
{
	struct one_der d = { .out = der };
	size_t n = strlen(text);
	uint8_t *raw;
	int got;

	if (strstr(text, "-----BEGIN")) {
		if (jobs_certificates_each(bytes_of(text, n), der_take, &d) < 1)
			return 0;
	} else {
		raw = malloc(n + 4);
		if (!raw || n == 0 || n % 4 || n > 2 * DB_DER_MAX) {
			free(raw);
			return 0;
		}
		got = EVP_DecodeBlock(raw, (const unsigned char *)text, (int)n);
		/* DecodeBlock counts the padding as zeros. */
		for (size_t i = n; got > 0 && i > n - 2 && text[i - 1] == '='; i--)
			got--;
		if (got > 0)
			jobs_certificates_each(bytes_of(raw, (size_t)got), der_take, &d);
		free(raw);
	}
	return d.count == 1 && d.fits ? d.n : 0;
}

static bool same_certificate(struct api *api, const struct import_row *r, const uint8_t *der,
			     size_t n)
{
	uint8_t *have = malloc(DB_DER_MAX);
	size_t have_n = 0;
	bool same;

	same = have &&
	       db_device_certificate(api->env.db, r->uuid, have, DB_DER_MAX, &have_n) == DB_OK &&
	       have_n == n && memcmp(have, der, n) == 0;
	free(have);
	return same;
}

/* Copies a given label over the old one; true when that made a difference. */
static bool label_merge(char out[DB_NAME], const char *given, bool clear)
{
	if (clear)
		given = "";
	if (!given || strcmp(out, given) == 0)
		return false;
	snprintf(out, DB_NAME, "%s", given);
	return true;
}

static bool oob_merge(struct db_device *d, const char *hex, bool clear)
{
	uint8_t oob[DB_STATIC_OOB];
	int n;

	if (!hex && !clear)
		return false;
	n = hex ? hex_parse(hex, oob, sizeof(oob)) : 0;
	if (d->static_oob_len == n && memcmp(d->static_oob, oob, (size_t)n) == 0)
		return false;
	d->static_oob_len = (uint8_t)n;
	memcpy(d->static_oob, oob, (size_t)n);
	return true;
}

/* The public key is beside the row: 1 new, -1 taken off, 0 as it was. */
static int key_change(struct api *api, const struct import_row *r, uint8_t key[DB_OOB_KEY])
{
	uint8_t have[DB_OOB_KEY];
	bool had = db_device_oob_key(api->env.db, r->uuid, have) == DB_OK;

	if (r->clear[IMPORT_OOB_KEY])
		return had ? -1 : 0;
	if (!r->value[IMPORT_OOB_KEY] ||
	    !hex_parse_exact(r->value[IMPORT_OOB_KEY], key, DB_OOB_KEY))
		return 0;
	return !had || memcmp(have, key, DB_OOB_KEY) != 0;
}

static enum import_outcome merge(struct db_device *d, const struct import_row *r, bool is_new)
{
	bool changed = !d->listed;

	d->listed = true;
	changed |= label_merge(d->name, r->value[IMPORT_NAME], r->clear[IMPORT_NAME]);
	changed |= label_merge(d->area, r->value[IMPORT_AREA], r->clear[IMPORT_AREA]);
	changed |= label_merge(d->profile, r->value[IMPORT_PROFILE], r->clear[IMPORT_PROFILE]);
	changed |= oob_merge(d, r->value[IMPORT_STATIC_OOB], r->clear[IMPORT_STATIC_OOB]);
	return is_new ? IMPORT_ADDED : changed ? IMPORT_CHANGED : IMPORT_UNCHANGED;
}

static int number_merge(int old, const char *given, bool clear)
{
	int number;

	if (clear)
		return -1;
	return given && import_hex16(given, &number) ? number : old;
}

/* What the list says the device is; true when that makes a difference. */
static bool product_merge(struct api *api, const struct import_row *r, int *company, int *product)
{
	int old_company, old_product;

	jobs_device_product(api->env.jobs, r->uuid, &old_company, &old_product);
	*company = number_merge(old_company, r->value[IMPORT_COMPANY], r->clear[IMPORT_COMPANY]);
	*product = number_merge(old_product, r->value[IMPORT_PRODUCT], r->clear[IMPORT_PRODUCT]);
	return *company != old_company || *product != old_product;
}

static void refuse(struct import_row *r, const char *field, const char *why)
{
	r->outcome = IMPORT_REFUSED;
	r->field = field;
	snprintf(r->message, sizeof(r->message), "%s", why);
}

/* The certificate goes in after the row; when it is refused, the row goes back. */
static void take_certificate(struct api *api, struct import_row *r, const uint8_t *der, size_t n,
			     const struct db_device *before, bool is_new)
{
	char why[JOBS_WHY] = "";

	if (jobs_device_set_certificate(api->env.jobs, r->uuid, bytes_of(der, n), why) == JOBS_OK)
		return;
	if (is_new)
		jobs_device_delete(api->env.jobs, r->uuid);
	else
		jobs_device_put(api->env.jobs, before);
	refuse(r, "certificate", *why ? why : "The certificate was refused.");
}

static void row_apply(struct api *api, struct import_row *r, bool dry)
{
	struct db_device before = { .best_rssi = 127 }, after;
	uint8_t der[DB_DER_MAX], key[DB_OOB_KEY];
	int new_key = key_change(api, r, key);
	enum db_rc rc = db_device_get(api->env.db, r->uuid, &before);
	bool is_new = rc == DB_NONE, new_certificate = false, new_product;
	int company, product;
	size_t n = 0;

	if (rc == DB_ERROR) {
		refuse(r, NULL, "The store failed.");
		return;
	}
	if (is_new) {
		before = (struct db_device){ .best_rssi = 127, .created = api_wall(api) };
		memcpy(before.uuid, r->uuid, UUID_LEN);
	}
	if (r->value[IMPORT_CERTIFICATE]) {
		n = certificate_read(r->value[IMPORT_CERTIFICATE], der);
		if (n == 0) {
			refuse(r, "certificate",
			       "One certificate is wanted: PEM, or base64 of DER.");
			return;
		}
		new_certificate = !same_certificate(api, r, der, n);
	}
	after = before;
	r->outcome = merge(&after, r, is_new);
	new_product = product_merge(api, r, &company, &product);
	if ((new_certificate || new_product || new_key) && r->outcome == IMPORT_UNCHANGED)
		r->outcome = IMPORT_CHANGED;
	if (!dry && r->outcome != IMPORT_UNCHANGED) {
		if (jobs_device_put(api->env.jobs, &after) != JOBS_OK ||
		    (new_product &&
		     jobs_device_set_product(api->env.jobs, r->uuid, company, product) != JOBS_OK))
			refuse(r, NULL, "The store failed.");
		else if (new_certificate)
			take_certificate(api, r, der, n, &before, is_new);
		if (new_key && r->outcome != IMPORT_REFUSED)
			db_device_set_oob_key(api->env.db, r->uuid, new_key > 0 ? key : NULL);
	}
	secret_wipe(before.static_oob, sizeof(before.static_oob));
	secret_wipe(after.static_oob, sizeof(after.static_oob));
}

static json_t *row_json(const struct import_row *r)
{
	json_t *o = json_object();

	json_object_set_new(o, "line", json_integer(r->line));
	json_object_set_new(o, "uuid", r->has_uuid ? json_uuid(r->uuid) : json_null());
	json_object_set_new(o, "outcome", json_string(outcomes[r->outcome]));
	json_object_set_new(o, "field", r->field ? json_string(r->field) : json_null());
	json_object_set_new(o, "message", json_text(r->message));
	return o;
}

/* The rows in file order, only those refused if so wanted, at most ROWS_SHOWN. */
static json_t *rows_json(const struct import_list *l, bool refused_only, json_int_t *left_off)
{
	json_t *a = json_array();

	*left_off = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (refused_only && l->rows[i].outcome != IMPORT_REFUSED)
			continue;
		if (json_array_size(a) < ROWS_SHOWN)
			json_array_append_new(a, row_json(&l->rows[i]));
		else
			++*left_off;
	}
	return a;
}

static struct reply result(const struct import_list *l, bool dry, bool strict)
{
	json_t *o = json_object(), *counts = json_object(), *rows;
	size_t count[ARRAY_LEN(outcomes)] = { 0 };
	json_int_t left_off;

	for (size_t i = 0; i < l->n; i++)
		count[l->rows[i].outcome]++;
	json_object_set_new(counts, "total", json_integer((json_int_t)l->n));
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
		json_object_set_new(counts, outcomes[i], json_integer((json_int_t)count[i]));
	rows = rows_json(l, false, &left_off);
	json_object_set_new(o, "dry_run", json_boolean(dry));
	json_object_set_new(o, "strict", json_boolean(strict));
	json_object_set_new(o, "counts", counts);
	json_object_set_new(o, "rows", rows);
	json_object_set_new(o, "rows_left_off", json_integer(left_off));
	return reply_json(200, o);
}

/* A list on its way in: a trial of all rows where that is wanted, then the rows themselves. */
struct importing {
	struct api *api;
	const struct request *rq;
	struct import_list list;
	bool dry, strict;
	bool trial; /* the pass under way changes nothing */
	size_t at, refused;
	struct timer timer;
	struct importing *next;
};

/* Up to so many rows of the pass; true when that is over. */
static bool pass_on(struct importing *i, size_t rows)
{
	struct import_list *l = &i->list;

	for (; rows && i->at < l->n; rows--, i->at++) {
		if (l->rows[i->at].outcome != IMPORT_REFUSED)
			row_apply(i->api, &l->rows[i->at], i->trial);
		i->refused += l->rows[i->at].outcome == IMPORT_REFUSED;
	}
	return i->at == l->n;
}

/* What follows the pass that is over: true for another one, else the answer. */
static bool next_pass(struct importing *i, struct reply *out)
{
	json_int_t left_off;
	struct problem p;

	if (i->trial && i->strict && i->refused) {
		problem_set(&p, 422, "import_refused", NULL,
			    "%zu of %zu rows are refused; nothing was taken.", i->refused,
			    i->list.n);
		*out = reply_problem_rows(&p, rows_json(&i->list, true, &left_off));
		return false;
	}
	if (i->trial && !i->dry) {
		i->trial = false;
		i->at = i->refused = 0;
		return true;
	}
	*out = result(&i->list, i->dry, i->strict);
	return false;
}

static void importing_free(struct importing *i)
{
	struct importing **at = &i->api->importing;

	while (*at && *at != i)
		at = &(*at)->next;
	if (*at)
		*at = i->next;
	timer_stop(i->api->env.timers, &i->timer);
	import_free(&i->list);
	free(i);
}

void import_stop(struct api *api)
{
	while (api->importing)
		importing_free(api->importing);
}

/* One turn's share: the radio and the others wait no longer than for that. */
static void import_more(void *ctx)
{
	struct importing *i = ctx;
	struct reply r;

	if (!pass_on(i, ROWS_A_TURN) || next_pass(i, &r)) {
		timer_start(i->api->env.timers, &i->timer, MSEC(1), import_more, i);
		return;
	}
	api_finish(i->api, i->rq->call, idempotent_kept(i->api, i->rq, r));
	importing_free(i);
}

struct import_query {
	struct field_bool dry_run, strict;
};
static const struct field import_fields[] = {
	{ "dry_run", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL,
	  offsetof(struct import_query, dry_run) },
	{ "strict", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL, offsetof(struct import_query, strict) },
};

static struct reply post_import(struct api *api, const struct request *rq)
{
	struct import_query q;
	struct importing *i;
	struct problem p;
	struct reply r;

	if (!query_read(rq->query, rq->n_query, import_fields, ARRAY_LEN(import_fields), &q,
			sizeof(q), &p))
		return reply_problem(&p);
	i = calloc(1, sizeof(*i));
	if (!i)
		return reply_internal();
	*i = (struct importing){ .api = api,
				 .rq = rq,
				 .dry = q.dry_run.v,
				 .strict = q.strict.v,
				 .trial = q.strict.v || q.dry_run.v,
				 .next = api->importing };
	api->importing = i;
	if (!import_parse(&i->list, rq->body, rq->body_kind == BODY_CSV, &p)) {
		importing_free(i);
		return reply_problem(&p);
	}
	if (rq->call && i->list.n > ROWS_A_TURN) {
		import_more(i);
		return (struct reply){ .kind = REPLY_LATER };
	}
	do
		pass_on(i, i->list.n);
	while (next_pass(i, &r));
	importing_free(i);
	return r;
}

static const struct route routes[] = {
	{ .method = HTTP_POST,
	  .pattern = "/devices/import",
	  .role = DB_ROLE_INSTALLER,
	  .mutates = true,
	  .body = BODY_CSV | BODY_JSON,
	  .body_max = IMPORT_MAX,
	  .query = import_fields,
	  .n_query = ARRAY_LEN(import_fields),
	  .handle = post_import },
};
const struct route_table import_routes = { routes, ARRAY_LEN(routes) };
