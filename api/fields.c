/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool problem_set(struct problem *p, int status, const char *code, const char *field,
		 const char *format, ...)
{
	va_list args;

	p->status = status;
	p->code = code;
	snprintf(p->field, sizeof(p->field), "%s", field ? field : "");
	va_start(args, format);
	vsnprintf(p->detail, sizeof(p->detail), format, args);
	va_end(args);
	return false;
}

/* Octets of a valid UTF-8 sequence at s, 0 when it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const struct {
		unsigned char from, to, second_from, second_to;
		size_t length;
	} forms[] = {
		{ 0x00, 0x7F, 0x00, 0x00, 1 }, { 0xC2, 0xDF, 0x80, 0xBF, 2 },
		{ 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
		{ 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 },
		{ 0xF0, 0xF0, 0x90, 0xBF, 4 }, { 0xF1, 0xF3, 0x80, 0xBF, 4 },
		{ 0xF4, 0xF4, 0x80, 0x8F, 4 },
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (s[0] < forms[i].from || s[0] > forms[i].to)
			continue;
		if (forms[i].length > left)
			return 0;
		if (forms[i].length > 1 &&
		    (s[1] < forms[i].second_from || s[1] > forms[i].second_to))
			return 0;
		for (size_t j = 2; j < forms[i].length; j++)
			if ((s[j] & 0xC0) != 0x80)
				return 0;
		return forms[i].length;
	}
	return 0;
}

bool text_is_clean(const char *text, size_t n, bool multiline)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < n;) {
		size_t length = utf8_length(s + i, n - i);

		if (length == 0)
			return false;
		if (s[i] == 0x7F || (s[i] == 0xC2 && s[i + 1] < 0xA0))
			return false;
		if (s[i] < 0x20 && !(multiline && (s[i] == '\t' || s[i] == '\r' || s[i] == '\n')))
			return false;
		i += length;
	}
	return true;
}

/* Jansson recurses for each level: counts brackets outside of strings beforehand. */
static bool too_deep(struct bytes body)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < body.n; i++) {
		uint8_t c = body.p[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return true;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return false;
}

json_t *body_parse(struct bytes body, struct problem *p)
{
	json_error_t error;
	json_t *root;

	if (body.n == 0) {
		problem_set(p, 400, "malformed_json", NULL, "A JSON object is wanted as the body.");
		return NULL;
	}
	if (too_deep(body)) {
		problem_set(p, 400, "malformed_json", NULL, "The body is nested too deeply.");
		return NULL;
	}
	root = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &error);
	if (!root) {
		problem_set(p, 400, "malformed_json", NULL, "Line %d, column %d: %s.", error.line,
			    error.column, error.text);
		if (!text_is_clean(p->detail, strlen(p->detail), false))
			snprintf(p->detail, sizeof(p->detail), "Line %d, column %d.", error.line,
				 error.column);
		return NULL;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		problem_set(p, 400, "wrong_type", NULL, "The body must be a JSON object.");
		return NULL;
	}
	return root;
}

/* Where a field is, for the problem: prefix and name. */
static const char *full_name(char out[PROBLEM_FIELD], const char *prefix, const char *name)
{
	snprintf(out, PROBLEM_FIELD, "%s%s", prefix, name);
	if (!text_is_clean(out, strlen(out), false))
		snprintf(out, PROBLEM_FIELD, "%s?", prefix);
	return out;
}

static bool text_read(const struct field *f, const char *name, const char *s, size_t n,
		      struct field_text *out, struct problem *p)
{
	if (f->type == FIELD_ENUM) {
		for (size_t i = 0; f->values[i]; i++)
			if (strcmp(f->values[i], s) == 0)
				out->s = f->values[i];
		if (!out->s)
			return problem_set(p, 400, "invalid_value", name,
					   "Not one of the values that %s takes.", name);
		return true;
	}
	if (!text_is_clean(s, n, f->flags & FIELD_MULTILINE))
		return problem_set(p, 400, "invalid_value", name,
				   "Control characters are not taken in %s.", name);
	if ((int64_t)n < f->min || (int64_t)n > f->max)
		return problem_set(p, 400, "invalid_value", name,
				   "%s must have %lld to %lld octets.", name, (long long)f->min,
				   (long long)f->max);
	if (f->accepts && !f->accepts(s))
		return problem_set(p, 400, "invalid_value", name, "%s must be %s.", name,
				   f->wanted);
	out->s = s;
	return true;
}

static bool int_read(const struct field *f, const char *name, int64_t v, struct field_int *out,
		     struct problem *p)
{
	if (v < f->min || v > f->max)
		return problem_set(p, 400, "invalid_value", name, "%s must be %lld to %lld.", name,
				   (long long)f->min, (long long)f->max);
	out->v = v;
	return true;
}

static bool wrong_type(const char *name, const char *wanted, struct problem *p)
{
	return problem_set(p, 400, "wrong_type", name, "%s must be %s.", name, wanted);
}

static bool value_read(const struct field *f, const char *name, json_t *value, void *at,
		       struct problem *p)
{
	/* given and null lead every struct field_*. */
	bool *given = at, *null = given + 1;

	*given = true;
	*null = json_is_null(value);
	if (f->type == FIELD_JSON) {
		((struct field_json *)at)->v = value;
		return true;
	}
	if (*null) {
		return (f->flags & FIELD_NULL) ? true : wrong_type(name, "given, not null", p);
	}
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		if (!json_is_string(value))
			return wrong_type(name, "a string", p);
		return text_read(f, name, json_string_value(value), json_string_length(value), at,
				 p);
	case FIELD_INT:
		if (!json_is_integer(value))
			return wrong_type(name, "an integer", p);
		return int_read(f, name, json_integer_value(value), at, p);
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return wrong_type(name, "true or false", p);
		((struct field_bool *)at)->v = json_is_true(value);
		return true;
	case FIELD_JSON:
		break;
	}
	return false;
}

static const struct field *field_find(const struct field *table, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static bool given_at(const struct field *f, const void *out)
{
	return *(const bool *)((const char *)out + f->offset);
}

static bool required_are_given(const struct field *table, size_t n, const char *prefix,
			       const char *code, const void *out, struct problem *p)
{
	char name[PROBLEM_FIELD];

	for (size_t i = 0; i < n; i++)
		if ((table[i].flags & FIELD_REQUIRED) && !given_at(&table[i], out))
			return problem_set(p, 400, code, full_name(name, prefix, table[i].name),
					   "%s%s is missing.", prefix, table[i].name);
	return true;
}

bool fields_read(json_t *object, const struct field *table, size_t n, const char *prefix, void *out,
		 size_t out_len, struct problem *p)
{
	char name[PROBLEM_FIELD];
	const char *key;
	json_t *value;

	memset(out, 0, out_len);
	if (!json_is_object(object)) {
		snprintf(name, sizeof(name), "%.*s", (int)(*prefix ? strlen(prefix) - 1 : 0),
			 prefix);
		return wrong_type(name, "an object", p);
	}
	json_object_foreach(object, key, value)
	{
		const struct field *f = field_find(table, n, key);

		full_name(name, prefix, key);
		if (!f)
			return problem_set(p, 400, "unknown_field", name, "There is no field %s.",
					   name);
		if (!value_read(f, name, value, (char *)out + f->offset, p))
			return false;
	}
	return required_are_given(table, n, prefix, "missing_field", out, p);
}

static bool param_value(const struct field *f, const char *s, void *at, struct problem *p)
{
	char *end;
	long long v;

	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
		return text_read(f, f->name, s, strlen(s), at, p);
	case FIELD_INT:
		errno = 0;
		v = strtoll(s, &end, 10);
		if (errno || *end || end == s || !(*s == '-' || (*s >= '0' && *s <= '9')))
			return problem_set(p, 400, "wrong_type", f->name, "%s must be an integer.",
					   f->name);
		return int_read(f, f->name, v, at, p);
	case FIELD_BOOL:
		if (strcmp(s, "true") != 0 && strcmp(s, "false") != 0)
			return wrong_type(f->name, "true or false", p);
		((struct field_bool *)at)->v = *s == 't';
		return true;
	case FIELD_JSON:
		break;
	}
	return false;
}

bool query_read(const struct param *params, size_t n_params, const struct field *table, size_t n,
		void *out, size_t out_len, struct problem *p)
{
	char name[PROBLEM_FIELD];

	memset(out, 0, out_len);
	for (size_t i = 0; i < n_params; i++) {
		const struct field *f = field_find(table, n, params[i].name);
		bool *given;

		if (!f) {
			full_name(name, "", params[i].name);
			return problem_set(p, 400, "unknown_parameter", name,
					   "There is no parameter %s here.", name);
		}
		given = (bool *)((char *)out + f->offset);
		if (*given)
			return problem_set(p, 400, "invalid_value", f->name, "%s is given twice.",
					   f->name);
		*given = true;
		if (!param_value(f, params[i].value, given, p))
			return false;
	}
	return required_are_given(table, n, "", "missing_parameter", out, p);
}

bool field_is_uuid(const char *text)
{
	uint8_t uuid[UUID_LEN];

	return uuid_parse(text, uuid);
}

bool address_parse(const char *text, uint16_t *out)
{
	uint8_t octet[2];

	if (text[0] != '0' || text[1] != 'x' || !hex_parse_exact(text + 2, octet, 2))
		return false;
	*out = (uint16_t)(octet[0] << 8 | octet[1]);
	return *out >= 0x0001 && *out <= 0x7FFF;
}

bool field_is_address(const char *text)
{
	uint16_t address;

	return address_parse(text, &address);
}
