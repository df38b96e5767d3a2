/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the program and those of the document are the same, with parameters and roles. */
#include "check.h"

#include <jansson.h>
#include <stdlib.h>

#include "api.h"

static json_t *document(void)
{
	json_t *d = json_load_file(SOURCE_DIR "/api/openapi.json", JSON_REJECT_DUPLICATES, NULL);

	check(d != NULL);
	return d;
}

/* The program's routes: "GET /status" to {"role": ..., "query": [names]}. */
static json_t *printed(void)
{
	char *text = NULL, *line, *save = NULL;
	json_t *routes = json_object();
	size_t n;
	FILE *f = open_memstream(&text, &n);

	api_print_routes(f);
	fclose(f);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *word, *within = NULL, key[128];
		const char *method = strtok_r(line, " ", &within);
		const char *path = strtok_r(NULL, " ", &within);
		json_t *query = json_array();

		check(strncmp(path, "/api/v1/", 8) == 0);
		snprintf(key, sizeof(key), "%s %s", method, path + 7);
		check_row(key, !json_object_get(routes, key));
		word = strtok_r(NULL, " ", &within);
		json_object_set_new(routes, key,
				    json_pack("{s:s,s:o}", "role", word, "query", query));
		while ((word = strtok_r(NULL, " ", &within)))
			json_array_append_new(query, json_string(word));
	}
	free(text);
	return routes;
}

static bool has_text(json_t *array, const char *text)
{
	json_t *one;
	size_t i;

	json_array_foreach(array, i,
			   one) if (strcmp(json_string_value(one), text) == 0) return true;
	return false;
}

static void compare(const char *key, json_t *operation, json_t *route)
{
	json_t *p;
	size_t i, n = 0;

	check_row(key, strcmp(json_string_value(json_object_get(operation, "x-role")),
			      json_string_value(json_object_get(route, "role"))) == 0);
	json_array_foreach(json_object_get(operation, "parameters"), i, p)
	{
		if (strcmp(json_string_value(json_object_get(p, "in")), "query") != 0)
			continue;
		n++;
		check_row(key, has_text(json_object_get(route, "query"),
					json_string_value(json_object_get(p, "name"))));
	}
	check_row(key, n == json_array_size(json_object_get(route, "query")));
}

TEST(every_route_is_in_the_document_and_the_reverse)
{
	json_t *d = document(), *routes = printed(), *operations, *operation, *route;
	const char *path, *method;
	size_t n = 0;

	json_object_foreach(json_object_get(d, "paths"), path, operations)
		json_object_foreach(operations, method, operation)
	{
		char key[128];

		if (strcmp(method, "parameters") == 0)
			continue;
		snprintf(key, sizeof(key), "%s %s",
			 strcmp(method, "get") == 0	? "GET"
			 : strcmp(method, "post") == 0	? "POST"
			 : strcmp(method, "patch") == 0 ? "PATCH"
							: "DELETE",
			 path);
		route = json_object_get(routes, key);
		check_row(key, route != NULL);
		compare(key, operation, route);
		n++;
	}
	check_int(n, json_object_size(routes));
	check(n > 25);
	json_decref(d);
	json_decref(routes);
}

TEST(every_reason_is_in_the_document_and_the_reverse)
{
	json_t *d = document(), *schema, *codes;
	const struct jobs_reason *reasons;
	size_t n;

	schema = json_object_get(json_object_get(json_object_get(d, "components"), "schemas"),
				 "ReasonCode");
	codes = json_object_get(schema, "enum");
	reasons = jobs_reasons(&n);
	check_int(json_array_size(codes), n);
	for (size_t i = 0; i < n; i++)
		check_row(reasons[i].code, has_text(codes, reasons[i].code));
	json_decref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_in_the_document_and_the_reverse),
		cmocka_unit_test(every_reason_is_in_the_document_and_the_reverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
