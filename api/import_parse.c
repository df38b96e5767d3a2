/* SPDX-License-Identifier: Apache-2.0 */
#include "import.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crypto.h"
#include "csv.h"
#include "secret.h"

static const char *const columns[IMPORT_COLUMNS + 1] = {
	[IMPORT_UUID] = "uuid",
	[IMPORT_NAME] = "name",
	[IMPORT_AREA] = "area",
	[IMPORT_PROFILE] = "profile",
	[IMPORT_STATIC_OOB] = "static_oob",
	[IMPORT_CERTIFICATE] = "certificate",
	[IMPORT_OOB_KEY] = "oob_public_key",
	[IMPORT_COMPANY] = "company",
	[IMPORT_PRODUCT] = "product",
	[IMPORT_COLUMNS] = NULL,
};

static void refuse(struct import_row *r, const char *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void refuse(struct import_row *r, const char *field, const char *format, ...)
{
	va_list args;

	r->outcome = IMPORT_REFUSED;
	r->field = field;
	va_start(args, format);
	vsnprintf(r->message, sizeof(r->message), format, args);
	va_end(args);
}

/* NULL when there is no room. */
static struct import_row *row_new(struct import_list *l, unsigned line, struct problem *p)
{
	if (l->n == IMPORT_ROWS_MAX) {
		problem_set(p, 413, "payload_too_large", "body", "More than %d rows.",
			    IMPORT_ROWS_MAX);
		return NULL;
	}
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct import_row *more = realloc(l->rows, cap * sizeof(*more));

		if (!more) {
			problem_set(p, 503, "unavailable", NULL, "No memory for the list.");
			return NULL;
		}
		l->rows = more;
		l->cap = cap;
	}
	l->rows[l->n] = (struct import_row){ .line = line };
	return &l->rows[l->n++];
}

bool import_hex16(const char *text, int *out)
{
	uint8_t octets[2];

	if (strncmp(text, "0x", 2) != 0 || !hex_parse_exact(text + 2, octets, sizeof(octets)))
		return false;
	*out = octets[0] << 8 | octets[1];
	return true;
}

/* What can be said of one row alone. */
static void row_check(struct import_row *r)
{
	const char *oob = r->value[IMPORT_STATIC_OOB];
	const char *key = r->value[IMPORT_OOB_KEY];
	uint8_t octets[32], point[P256_PUBLIC];

	for (int c = 0; c < IMPORT_COLUMNS; c++) {
		size_t n = r->value[c] ? strlen(r->value[c]) : 0;

		if (n && !text_is_clean(r->value[c], n, c == IMPORT_CERTIFICATE)) {
			refuse(r, columns[c], "Not UTF-8, or with control characters.");
			return;
		}
		if (c >= IMPORT_NAME && c <= IMPORT_PROFILE && n > IMPORT_LABEL_MAX) {
			refuse(r, columns[c], "Longer than %d octets.", IMPORT_LABEL_MAX);
			return;
		}
	}
	if (!r->value[IMPORT_UUID] || !uuid_parse(r->value[IMPORT_UUID], r->uuid)) {
		refuse(r, "uuid", "8-4-4-4-12 hexadecimal digits are wanted.");
		return;
	}
	r->has_uuid = true;
	for (int c = IMPORT_COMPANY; c <= IMPORT_PRODUCT; c++) {
		int number;

		if (r->value[c] && !import_hex16(r->value[c], &number))
			refuse(r, columns[c], "A number like 0x02e5 is wanted.");
	}
	if (oob && hex_parse(oob, octets, sizeof(octets)) <= 0)
		refuse(r, "static_oob", "1 to 32 octets in hexadecimal are wanted.");
	if (key && (!hex_parse_exact(key, point, sizeof(point)) || !p256_valid(point)))
		refuse(r, "oob_public_key",
		       "64 octets in hexadecimal are wanted: X and Y of a point of P-256.");
	secret_wipe(octets, sizeof(octets));
}

static int by_uuid_then_line(const void *a, const void *b)
{
	const struct import_row *const *x = a, *const *y = b;
	int order = memcmp((*x)->uuid, (*y)->uuid, sizeof((*x)->uuid));

	return order ? order : (*x)->line < (*y)->line ? -1 : (*x)->line > (*y)->line;
}

/* A uuid counts where it stands first; the others are refused. */
static bool refuse_doubles(struct import_list *l, struct problem *p)
{
	struct import_row **sorted = calloc(l->n + 1, sizeof(struct import_row *));
	struct import_row *first = NULL;
	size_t n = 0;

	if (!sorted)
		return problem_set(p, 503, "unavailable", NULL, "No memory for the list.");
	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i].has_uuid)
			sorted[n++] = &l->rows[i];
	qsort(sorted, n, sizeof(struct import_row *), by_uuid_then_line);
	for (size_t i = 0; i < n; i++) {
		if (first && memcmp(first->uuid, sorted[i]->uuid, sizeof(first->uuid)) == 0)
			refuse(sorted[i], "uuid", "The same as in line %u.", first->line);
		else
			first = sorted[i];
	}
	free(sorted);
	return true;
}

/* ---- CSV ---- */

static char *trimmed(char *text)
{
	size_t n;

	text += strspn(text, " \t");
	n = strlen(text);
	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		text[--n] = '\0';
	return text;
}

/* Which of our columns stands where. */
static bool header_read(const struct csv_row *row, int at[CSV_FIELDS_MAX], struct problem *p)
{
	bool seen[IMPORT_COLUMNS] = { false };

	for (size_t i = 0; i < row->n; i++) {
		const char *name = trimmed(row->field[i]);
		int c = 0;

		while (c < IMPORT_CSV_COLUMNS && strcasecmp(columns[c], name) != 0)
			c++;
		if (c == IMPORT_CSV_COLUMNS)
			return problem_set(p, 400, "unknown_field",
					   text_is_clean(name, strlen(name), false) ? name : "?",
					   "Column %zu is none of uuid, name, area, profile, "
					   "static_oob, certificate.",
					   i + 1);
		if (seen[c])
			return problem_set(p, 400, "invalid_value", columns[c],
					   "The column %s is there twice.", columns[c]);
		seen[c] = true;
		at[i] = c;
	}
	if (!seen[IMPORT_UUID])
		return problem_set(p, 400, "missing_field", "uuid",
				   "The header line has no column uuid.");
	return true;
}

static void csv_values(struct import_row *r, const struct csv_row *row, const int *at,
		       size_t n_columns)
{
	if (row->n != n_columns) {
		refuse(r, NULL, "%zu values, but the header has %zu.", row->n, n_columns);
		return;
	}
	for (size_t i = 0; i < row->n; i++) {
		char *value = trimmed(row->field[i]);

		if (*value)
			r->value[at[i]] = value;
	}
	row_check(r);
}

static bool csv_parse(struct import_list *l, struct bytes body, struct problem *p)
{
	int at[CSV_FIELDS_MAX];
	enum csv_result got;
	struct csv_row row;
	size_t n_columns;
	struct csv c;

	l->text = malloc(body.n + 1);
	if (!l->text)
		return problem_set(p, 503, "unavailable", NULL, "No memory for the list.");
	if (body.n)
		memcpy(l->text, body.p, body.n);
	csv_init(&c, l->text, body.n);
	got = csv_next(&c, &row);
	if (got == CSV_END)
		return problem_set(p, 400, "bad_request", "body", "The file is empty.");
	if (got == CSV_BAD)
		return problem_set(p, 400, "bad_request", "body", "Line %u: %s", row.line, row.why);
	if (!header_read(&row, at, p))
		return false;
	n_columns = row.n;
	while ((got = csv_next(&c, &row)) != CSV_END) {
		struct import_row *r = row_new(l, row.line, p);

		if (!r)
			return false;
		if (got == CSV_BAD)
			refuse(r, NULL, "%s", row.why);
		else
			csv_values(r, &row, at, n_columns);
	}
	return true;
}

/* ---- JSON ---- */

struct import_body {
	struct field_json devices;
};

static void json_value(struct import_row *r, const char *key, json_t *value)
{
	int c = 0;

	while (columns[c] && strcmp(columns[c], key) != 0)
		c++;
	if (!columns[c]) {
		refuse(r, NULL, "There is no field %.40s.",
		       text_is_clean(key, strlen(key), false) ? key : "?");
	} else if (json_is_null(value) && c != IMPORT_UUID && c != IMPORT_CERTIFICATE) {
		r->clear[c] = true;
	} else if (json_is_null(value) && c == IMPORT_CERTIFICATE) {
		return;
	} else if (!json_is_string(value)) {
		refuse(r, columns[c], "%s must be a string.", columns[c]);
	} else if (json_string_length(value) > 0) {
		r->value[c] = json_string_value(value);
	}
}

static bool json_parse(struct import_list *l, struct bytes body, struct problem *p)
{
	static const struct field fields[] = {
		{ "devices", FIELD_JSON, FIELD_REQUIRED, 0, 0, NULL, NULL, NULL,
		  offsetof(struct import_body, devices) },
	};
	struct import_body b;
	json_t *row, *value;
	const char *key;
	size_t i;

	l->body = body_parse(body, p);
	if (!l->body || !fields_read(l->body, fields, ARRAY_LEN(fields), "", &b, sizeof(b), p))
		return false;
	if (!json_is_array(b.devices.v))
		return problem_set(p, 400, "wrong_type", "devices", "devices must be a list.");
	json_array_foreach(b.devices.v, i, row)
	{
		struct import_row *r = row_new(l, (unsigned)i + 1, p);

		if (!r)
			return false;
		if (!json_is_object(row))
			refuse(r, NULL, "An object is wanted.");
		json_object_foreach(row, key, value) if (r->outcome != IMPORT_REFUSED)
			json_value(r, key, value);
		if (r->outcome != IMPORT_REFUSED)
			row_check(r);
	}
	return true;
}

bool import_parse(struct import_list *l, struct bytes body, bool is_csv, struct problem *p)
{
	return (is_csv ? csv_parse(l, body, p) : json_parse(l, body, p)) && refuse_doubles(l, p);
}

void import_free(struct import_list *l)
{
	if (l->text)
		secret_wipe(l->text, strlen(l->text));
	free(l->text);
	json_decref(l->body);
	free(l->rows);
	*l = (struct import_list){ 0 };
}
