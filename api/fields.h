/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client may send, as tables: the fields of a body, the parameters of a query. Reading
 * refuses unknown names, wrong types and values out of range, and says which field it was. The
 * tables fill a plain struct of the values below, at each field's offset.
 */
#ifndef MESHMASON_FIELDS_H
#define MESHMASON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

#include "bytes.h"

enum { PROBLEM_FIELD = 96, PROBLEM_DETAIL = 320, JSON_DEPTH_MAX = 32, FIELD_QUERY_MAX = 24 };

/* What a problem document says; status 0 is none. */
struct problem {
	int status;
	const char *code; /* static */
	char field[PROBLEM_FIELD];
	char detail[PROBLEM_DETAIL];
};

/* Fills p and returns false, so that a reader can "return problem_set(...)". field may be NULL. */
bool problem_set(struct problem *p, int status, const char *code, const char *field,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

enum field_type {
	FIELD_TEXT, /* struct field_text; min..max count octets of UTF-8; no control characters */
	FIELD_ENUM, /* struct field_text; one of values, or field_text.s is that very pointer */
	FIELD_INT,  /* struct field_int; min..max */
	FIELD_BOOL, /* struct field_bool */
	FIELD_JSON, /* struct field_json; anything, looked at by the handler */
};

enum { FIELD_REQUIRED = 1, FIELD_NULL = 2, FIELD_MULTILINE = 4 };

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	int64_t min, max;
	const char *const *values;	   /* FIELD_ENUM: ends with NULL */
	bool (*accepts)(const char *text); /* FIELD_TEXT: more than length; may be NULL */
	const char *wanted;		   /* FIELD_TEXT: said when accepts refuses */
	size_t offset;
};

/* Each begins with two bool: whether it was given, and whether it was given as null. */
struct field_text {
	bool given, null;
	const char *s; /* lives as long as the body or the request; NULL unless a text was given */
};
struct field_int {
	bool given, null;
	int64_t v;
};
struct field_bool {
	bool given, null, v;
};
struct field_json {
	bool given, null;
	json_t *v; /* borrowed from the body */
};

/* One parameter of a query, decoded. */
struct param {
	const char *name, *value;
};

/* The whole body as one JSON object: UTF-8, no duplicate keys, no deep nesting. NULL and p when
 * it is not. */
json_t *body_parse(struct bytes body, struct problem *p);
/* Fills *out (zeroed first, out_len octets) from object; prefix ("options.") goes before names in
 * p. */
bool fields_read(json_t *object, const struct field *table, size_t n, const char *prefix, void *out,
		 size_t out_len, struct problem *p);
/* The same from a query. A parameter that is given twice is refused. */
bool query_read(const struct param *params, size_t n_params, const struct field *table, size_t n,
		void *out, size_t out_len, struct problem *p);

/* For FIELD_TEXT. */
bool field_is_uuid(const char *text);
bool field_is_address(const char *text);
/* "0x0001" to a unicast address; false for anything else. */
bool address_parse(const char *text, uint16_t *out);
/* Valid UTF-8, no control characters but, where multiline, tab and line ends. */
bool text_is_clean(const char *text, size_t n, bool multiline);

#endif
