/* SPDX-License-Identifier: Apache-2.0 */
/* meshmason composition, move, addresses: what a refresh changes, or has changed. */
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"

int command_addresses(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = { { "FIRST", "first" },
						 { "LAST", "last" },
						 { "STATE", "state" },
						 { "UUID", "uuid" },
						 { "FREE AT IV INDEX", "free_at_iv_index" } };

	return command_list(a, r, "/addresses", columns, ARRAY_LEN(columns));
}

/* GET of something of a node: its exit status, or EXIT_OK with the answer. */
static int node_get(const struct cli_args *a, struct rest *r, const char *what, json_t **answer)
{
	char path[128];
	long code;

	if (a->n_words != 2)
		return command_usage("the address of a node is wanted");
	snprintf(path, sizeof(path), "/nodes/%.40s/%s", a->words[1], what);
	code = rest_call(r, "GET", path, NULL, answer);
	return code == 200 ? EXIT_OK : command_refused(r, code, *answer);
}

static void models_print(const char *sign, size_t element, json_t *models)
{
	json_t *m;
	size_t i;

	json_array_foreach(models, i, m) printf("  element %zu: %s %s\n", element, sign,
						json_string_value(json_object_get(m, "name")));
}

static void difference_print(json_t *d)
{
	static const char *const members[] = { "company", "product", "version", "features" };
	json_t *e;
	size_t i;

	if (!json_is_object(d)) {
		printf("A refresh would change nothing.\n");
		return;
	}
	printf("A refresh would change:\n");
	for (i = 0; i < ARRAY_LEN(members); i++) {
		json_t *pair = json_object_get(d, members[i]);

		if (pair)
			printf("  %s: %s to %s\n", members[i],
			       json_string_value(json_array_get(pair, 0)),
			       json_string_value(json_array_get(pair, 1)));
	}
	json_array_foreach(json_object_get(d, "elements"), i, e)
	{
		size_t index = (size_t)json_integer_value(json_object_get(e, "index"));

		models_print("+", index, json_object_get(e, "added"));
		models_print("-", index, json_object_get(e, "removed"));
	}
}

int command_composition(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = {
		{ "PAGE", "page" }, { "OCTETS", "size" }, { "READ", "read_at" }, { "HEX", "hex" }
	};
	json_t *answer;
	int rc = node_get(a, r, "composition", &answer);

	if (rc != EXIT_OK)
		return rc;
	if (a->json) {
		json_print(answer);
	} else {
		table_print(json_object_get(answer, "pages"), columns, ARRAY_LEN(columns));
		difference_print(json_object_get(answer, "difference"));
	}
	json_decref(answer);
	return EXIT_OK;
}

int command_move(const struct cli_args *a, struct rest *r)
{
	static const struct column rows[] = { { "From", "from" },
					      { "To", "to" },
					      { "Addresses", "elements" },
					      { "Free", "free" },
					      { "Why not", "reason" } };
	char what[64] = "move", text[128];
	json_t *answer;
	int rc;

	if (a->to)
		snprintf(what, sizeof(what), "move?to=%.40s", a->to);
	rc = node_get(a, r, what, &answer);
	if (rc != EXIT_OK)
		return rc;
	if (a->json)
		json_print(answer);
	for (size_t i = 0; !a->json && i < ARRAY_LEN(rows); i++)
		printf("%-10s %s\n", rows[i].title,
		       value_text(answer, rows[i].path, text, sizeof(text)));
	rc = json_is_true(json_object_get(answer, "free")) ? EXIT_OK : EXIT_FAILED;
	json_decref(answer);
	return rc;
}
