/* SPDX-License-Identifier: Apache-2.0 */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 200 };

static json_t *value_at(json_t *item, const char *path)
{
	char part[64];

	while (item && *path) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		item = json_object_get(item, part);
		path += n + (path[n] == '.');
	}
	return item;
}

/* What comes from others may hold anything: a terminal gets no control characters. */
static void clean(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c; c++)
		if (*c < 0x20 || *c == 0x7F)
			*c = '?';
}

const char *value_text(json_t *item, const char *path, char *out, size_t size)
{
	json_t *v = value_at(item, path);

	switch (v ? json_typeof(v) : JSON_NULL) {
	case JSON_STRING:
		snprintf(out, size, "%s", json_string_value(v));
		break;
	case JSON_INTEGER:
		snprintf(out, size, "%lld", (long long)json_integer_value(v));
		break;
	case JSON_REAL:
		snprintf(out, size, "%g", json_real_value(v));
		break;
	case JSON_TRUE:
		snprintf(out, size, "yes");
		break;
	case JSON_FALSE:
		snprintf(out, size, "no");
		break;
	case JSON_ARRAY:
		snprintf(out, size, "%zu", json_array_size(v));
		break;
	case JSON_OBJECT:
	case JSON_NULL:
		snprintf(out, size, "-");
		break;
	}
	clean(out);
	return out;
}

/* Columns on the screen: UTF-8 characters, near enough. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xC0) != 0x80;
	return n;
}

static void cell_print(const char *text, size_t width, bool last)
{
	size_t n = width_of(text);

	fputs(text, stdout);
	for (size_t i = n; !last && i < width + 2; i++)
		putchar(' ');
}

void table_print(json_t *items, const struct column *columns, size_t n)
{
	size_t width[16], i;
	char text[CELL];
	json_t *item;

	for (size_t c = 0; c < n; c++)
		width[c] = width_of(columns[c].title);
	json_array_foreach(items, i, item) for (size_t c = 0; c < n; c++)
	{
		size_t w = width_of(value_text(item, columns[c].path, text, sizeof(text)));

		if (w > width[c])
			width[c] = w;
	}
	for (size_t c = 0; c < n; c++)
		cell_print(columns[c].title, width[c], c + 1 == n);
	putchar('\n');
	json_array_foreach(items, i, item)
	{
		for (size_t c = 0; c < n; c++)
			cell_print(value_text(item, columns[c].path, text, sizeof(text)), width[c],
				   c + 1 == n);
		putchar('\n');
	}
}

void json_print(json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);

	if (text)
		puts(text);
	free(text);
}

void problem_print(long status, json_t *problem)
{
	char detail[CELL], code[64];

	if (!json_is_object(problem)) {
		fprintf(stderr, "meshmason: the server answered %ld\n", status);
		return;
	}
	fprintf(stderr, "meshmason: %s (%s)\n",
		value_text(problem, "detail", detail, sizeof(detail)),
		value_text(problem, "code", code, sizeof(code)));
	if (status == 401)
		fprintf(stderr, "Give --token-file DATA/admin-token, or set MESHMASON_TOKEN.\n");
}
