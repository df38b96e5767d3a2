/* SPDX-License-Identifier: Apache-2.0 */
/* The published vectors, for tests: hexadecimal members of JSON objects. A missing file or member
 * fails the test. */
#ifndef MESHMASON_TESTS_VECTORS_H
#define MESHMASON_TESTS_VECTORS_H

#include <jansson.h>
#include <stdlib.h>

#include "bytes.h"
#include "check.h"

enum { VECTOR_MAX = 2048 };

struct vector {
	uint8_t octet[VECTOR_MAX];
	size_t n;
};

static inline json_t *vectors_load(const char *file)
{
	char path[512];
	json_error_t error;
	json_t *root;

	snprintf(path, sizeof(path), "%s/%s", TEST_VECTORS, file);
	root = json_load_file(path, 0, &error);
	if (!root)
		fail_msg("%s: %s", path, error.text);
	return root;
}

static inline bool vector_has(json_t *object, const char *name)
{
	return json_object_get(object, name) != NULL;
}

static inline struct vector vector_hex(json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	struct vector v = { .n = 0 };
	int n = text ? hex_parse(text, v.octet, sizeof(v.octet)) : -1;

	if (n < 0)
		fail_msg("no hexadecimal member \"%s\"", name);
	v.n = (size_t)n;
	return v;
}

static inline struct bytes vector_view(const struct vector *v)
{
	return bytes_of(v->octet, v->n);
}

/* The vector of provisioning.json with this id. */
static inline json_t *vector_by_id(json_t *root, const char *id)
{
	json_t *vectors = json_object_get(root, "vectors");

	for (size_t i = 0; i < json_array_size(vectors); i++) {
		json_t *v = json_array_get(vectors, i);

		if (strcmp(json_string_value(json_object_get(v, "id")), id) == 0)
			return v;
	}
	fail_msg("no vector %s", id);
	return NULL;
}

#endif
