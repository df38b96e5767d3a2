/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "router.h"

static const struct route some[] = {
	{ .method = HTTP_GET, .pattern = "/devices" },
	{ .method = HTTP_GET, .pattern = "/devices/{uuid}" },
	{ .method = HTTP_DELETE, .pattern = "/devices/{uuid}" },
	{ .method = HTTP_POST, .pattern = "/devices/import" },
};
static const struct route others[] = {
	{ .method = HTTP_GET, .pattern = "/jobs/{id}/tasks" },
	{ .method = HTTP_POST, .pattern = "/jobs/{id}/pause" },
};
static const struct route_table tables[] = {
	{ some, ARRAY_LEN(some) },
	{ others, ARRAY_LEN(others) },
};

static enum route_result match(struct request *rq, enum http_method method, const char *url,
			       char allow[ROUTE_ALLOW])
{
	memset(rq, 0, sizeof(*rq));
	rq->method = method;
	return router_match(tables, ARRAY_LEN(tables), rq, url, allow);
}

TEST(a_path_and_a_method_lead_to_one_route_or_to_none)
{
	static const struct {
		const char *url;
		enum http_method method;
		enum route_result result;
		const char *pattern, *arg, *allow;
	} rows[] = {
		{ "/devices", HTTP_GET, ROUTE_FOUND, "/devices", NULL, "" },
		{ "/devices/", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "/devices/abc", HTTP_GET, ROUTE_FOUND, "/devices/{uuid}", "abc", "" },
		{ "/devices/a%20c", HTTP_GET, ROUTE_FOUND, "/devices/{uuid}", "a c", "" },
		{ "/devices/a%2Fc", HTTP_GET, ROUTE_FOUND, "/devices/{uuid}", "a/c", "" },
		{ "/devices/import", HTTP_POST, ROUTE_FOUND, "/devices/import", NULL, "" },
		{ "/devices/import", HTTP_GET, ROUTE_NO_METHOD, NULL, NULL, "POST" },
		{ "/devices/abc", HTTP_PATCH, ROUTE_NO_METHOD, NULL, NULL, "GET, HEAD, DELETE" },
		{ "/devices", HTTP_OTHER, ROUTE_NO_METHOD, NULL, NULL, "GET, HEAD" },
		{ "/jobs/7/tasks", HTTP_GET, ROUTE_FOUND, "/jobs/{id}/tasks", "7", "" },
		{ "/jobs/7/pause", HTTP_POST, ROUTE_FOUND, "/jobs/{id}/pause", "7", "" },
		{ "/jobs/7", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "/jobs//tasks", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "/jobs/7/tasks/8", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "/devices%00", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "/devices/%zz", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "/devices/%c3%28", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "/devices/%", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
		{ "/a/b/c/d/e/f/g/h/i/j", HTTP_GET, ROUTE_NO_PATH, NULL, NULL, "" },
	};
	char allow[ROUTE_ALLOW];
	struct request rq;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_row(rows[i].url,
			  match(&rq, rows[i].method, rows[i].url, allow) == rows[i].result);
		check_row(rows[i].url, strcmp(allow, rows[i].allow) == 0);
		if (rows[i].pattern)
			check_row(rows[i].url, strcmp(rq.route->pattern, rows[i].pattern) == 0);
		if (rows[i].arg)
			check_row(rows[i].url, strcmp(rq.args[0], rows[i].arg) == 0);
	}
}

TEST(a_path_longer_than_any_of_ours_is_not_found)
{
	char url[REQUEST_PATH_MAX + 64], allow[ROUTE_ALLOW];
	struct request rq;

	memset(url, 'a', sizeof(url));
	memcpy(url, "/devices/", 9);
	url[sizeof(url) - 1] = '\0';
	check_int(match(&rq, HTTP_GET, url, allow), ROUTE_NO_PATH);
}

TEST(a_query_is_split_and_decoded)
{
	struct request rq = { 0 };
	char text[] = "limit=5&q=a%20b+c&flag&x=1%3D2";

	query_split(&rq, text);
	check(!rq.query_overflow);
	check_int(rq.n_query, 4);
	check_str(rq.query[1].value, "a b c");
	check_str(rq.query[2].name, "flag");
	check_str(rq.query[2].value, "");
	check_str(rq.query[3].value, "1=2");
}

TEST(a_query_that_is_not_well_formed_says_so)
{
	static const char *const rows[] = { "a=%", "a=%0", "%zz=1", "a=%00", "a=%ff", "a=%0a" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct request rq = { 0 };
		char text[16];

		snprintf(text, sizeof(text), "%s", rows[i]);
		query_split(&rq, text);
		check_row(rows[i], rq.query_overflow);
	}
}

TEST(more_parameters_than_fit_are_refused_and_not_written)
{
	struct request rq = { 0 };
	char text[4 * (REQUEST_PARAMS_MAX + 1) + 1] = "";

	for (int i = 0; i <= REQUEST_PARAMS_MAX; i++)
		strcat(text, "a=1&");
	query_split(&rq, text);
	check(rq.query_overflow);
	check_int(rq.n_query, REQUEST_PARAMS_MAX);
}

TEST(a_content_type_is_told_by_its_name_alone)
{
	static const struct {
		const char *type;
		unsigned kind;
	} rows[] = {
		{ "application/json", BODY_JSON },
		{ "Application/JSON; charset=utf-8", BODY_JSON },
		{ "application/jsonx", 0 },
		{ "application/jso", 0 },
		{ "text/csv;header=present", BODY_CSV },
		{ "text/plain", 0 },
		{ "application/x-www-form-urlencoded", 0 },
		{ "multipart/form-data", 0 },
		{ "application/x-pem-file", BODY_PEM },
		{ "application/pkix-cert", BODY_DER },
		{ "", 0 },
	};

	check_int(body_kind_parse(NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].type, body_kind_parse(rows[i].type) == rows[i].kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_and_a_method_lead_to_one_route_or_to_none),
		cmocka_unit_test(a_path_longer_than_any_of_ours_is_not_found),
		cmocka_unit_test(a_query_is_split_and_decoded),
		cmocka_unit_test(a_query_that_is_not_well_formed_says_so),
		cmocka_unit_test(more_parameters_than_fit_are_refused_and_not_written),
		cmocka_unit_test(a_content_type_is_told_by_its_name_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
