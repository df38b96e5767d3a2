/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "fields.h"
#include "reply.h"

struct sample {
	struct field_text name, kind, uuid;
	struct field_int count;
	struct field_bool flag;
	struct field_json any;
};

static const char *const kinds[] = { "red", "green", NULL };
static const struct field table[] = {
	{ "name", FIELD_TEXT, FIELD_REQUIRED | FIELD_NULL, 1, 8, NULL, NULL, NULL,
	  offsetof(struct sample, name) },
	{ "kind", FIELD_ENUM, 0, 0, 0, kinds, NULL, NULL, offsetof(struct sample, kind) },
	{ "uuid", FIELD_TEXT, 0, 0, 40, NULL, field_is_uuid, "a uuid",
	  offsetof(struct sample, uuid) },
	{ "count", FIELD_INT, 0, -5, 100, NULL, NULL, NULL, offsetof(struct sample, count) },
	{ "flag", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL, offsetof(struct sample, flag) },
	{ "any", FIELD_JSON, 0, 0, 0, NULL, NULL, NULL, offsetof(struct sample, any) },
};

/* The code of the problem, "" when the body is taken. */
static const char *read_body(const char *text, size_t n, struct problem *p)
{
	struct sample s;
	json_t *body;
	bool good;

	memset(p, 0, sizeof(*p));
	body = body_parse(bytes_of(text, n), p);
	if (!body)
		return p->code;
	good = fields_read(body, table, ARRAY_LEN(table), "", &s, sizeof(s), p);
	json_decref(body);
	return good ? "" : p->code;
}

TEST(a_body_is_taken_or_the_problem_names_the_field)
{
	static const struct {
		const char *body, *code, *field;
	} rows[] = {
		{ "{\"name\":\"a\"}", "", "" },
		{ "{\"name\":null}", "", "" },
		{ "{\"name\":\"a\",\"kind\":\"green\",\"count\":-5,\"flag\":true,\"any\":[1]}", "",
		  "" },
		{ "", "malformed_json", "" },
		{ "{", "malformed_json", "" },
		{ "nothing", "malformed_json", "" },
		{ "{\"name\":\"a\"} x", "malformed_json", "" },
		{ "{\"name\":\"a\",\"name\":\"b\"}", "malformed_json", "" },
		{ "{\"name\":\"\\u0000\"}", "malformed_json", "" },
		{ "{\"name\":\"\xff\"}", "malformed_json", "" },
		{ "{\"name\":\"a\",\"count\":99999999999999999999}", "malformed_json", "" },
		{ "[]", "wrong_type", "" },
		{ "\"x\"", "malformed_json", "" },
		{ "{}", "missing_field", "name" },
		{ "{\"name\":1}", "wrong_type", "name" },
		{ "{\"name\":\"\"}", "invalid_value", "name" },
		{ "{\"name\":\"123456789\"}", "invalid_value", "name" },
		{ "{\"name\":\"a\\nb\"}", "invalid_value", "name" },
		{ "{\"name\":\"a\\u0085b\"}", "invalid_value", "name" },
		{ "{\"name\":\"a\",\"x\":1}", "unknown_field", "x" },
		{ "{\"name\":\"a\",\"kind\":\"blue\"}", "invalid_value", "kind" },
		{ "{\"name\":\"a\",\"kind\":null}", "wrong_type", "kind" },
		{ "{\"name\":\"a\",\"uuid\":\"7\"}", "invalid_value", "uuid" },
		{ "{\"name\":\"a\",\"count\":101}", "invalid_value", "count" },
		{ "{\"name\":\"a\",\"count\":-6}", "invalid_value", "count" },
		{ "{\"name\":\"a\",\"count\":1.5}", "wrong_type", "count" },
		{ "{\"name\":\"a\",\"count\":\"1\"}", "wrong_type", "count" },
		{ "{\"name\":\"a\",\"flag\":1}", "wrong_type", "flag" },
	};
	struct problem p;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_row(rows[i].body, strcmp(read_body(rows[i].body, strlen(rows[i].body), &p),
					       rows[i].code) == 0);
		check_row(rows[i].body, strcmp(p.field, rows[i].field) == 0);
		if (*rows[i].code)
			check_row(rows[i].body, p.status == 400 && p.detail[0]);
	}
}

TEST(a_body_nested_too_deeply_never_reaches_the_parser)
{
	char text[200000];
	struct problem p;

	memset(text, '[', sizeof(text));
	memcpy(text, "{\"name\":", 8);
	check_str(read_body(text, sizeof(text), &p), "malformed_json");
	/* Brackets inside of a string do not count. */
	check_str(read_body("{\"name\":\"[[[[[[[[[\"}", 20, &p), "invalid_value");
	check_str(p.field, "name");
}

TEST(the_problem_of_a_nested_field_has_its_whole_name)
{
	json_t *o = json_pack("{s:i}", "name", 3), *no = json_integer(3);
	struct problem p;
	struct sample s;

	check(!fields_read(o, table, ARRAY_LEN(table), "options.", &s, sizeof(s), &p));
	check_str(p.field, "options.name");
	check(!fields_read(no, table, ARRAY_LEN(table), "options.", &s, sizeof(s), &p));
	check_str(p.field, "options");
	check_str(p.code, "wrong_type");
	json_decref(o);
	json_decref(no);
}

TEST(a_field_name_that_is_no_text_is_not_repeated)
{
	struct problem p;

	check_str(read_body("{\"a\\u001bb\":1}", 14, &p), "unknown_field");
	check_str(p.field, "?");
}

TEST(query_parameters_are_typed_and_known)
{
	static const struct {
		const char *name, *value, *code;
	} rows[] = {
		{ "count", "7", "" },
		{ "count", "-5", "" },
		{ "count", "x", "wrong_type" },
		{ "count", "", "wrong_type" },
		{ "count", " 7", "wrong_type" },
		{ "count", "+7", "wrong_type" },
		{ "count", "7x", "wrong_type" },
		{ "count", "101", "invalid_value" },
		{ "count", "9999999999999999999999", "wrong_type" },
		{ "flag", "true", "" },
		{ "flag", "1", "wrong_type" },
		{ "kind", "green", "" },
		{ "kind", "Green", "invalid_value" },
		{ "other", "1", "unknown_parameter" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct param params[2] = { { "name", "n" }, { rows[i].name, rows[i].value } };
		struct problem p = { 0 };
		struct sample s;
		bool good = query_read(params, 2, table, ARRAY_LEN(table), &s, sizeof(s), &p);

		check_row(rows[i].value, good == !*rows[i].code);
		if (!good)
			check_row(rows[i].value, strcmp(p.code, rows[i].code) == 0 &&
							 strcmp(p.field, rows[i].name) == 0);
	}
}

TEST(a_parameter_given_twice_or_not_at_all_is_refused)
{
	struct param twice[2] = { { "name", "a" }, { "name", "b" } };
	struct problem p;
	struct sample s;

	check(!query_read(twice, 2, table, ARRAY_LEN(table), &s, sizeof(s), &p));
	check_str(p.code, "invalid_value");
	check(!query_read(NULL, 0, table, ARRAY_LEN(table), &s, sizeof(s), &p));
	check_str(p.code, "missing_parameter");
}

TEST(utf8_is_told_from_what_looks_like_it)
{
	static const struct {
		const char *name, *text;
		bool clean;
	} rows[] = {
		{ "ascii", "abc", true },
		{ "two octets", "\xC3\xA4", true },
		{ "three octets", "\xE2\x82\xAC", true },
		{ "four octets", "\xF0\x9F\x92\xA1", true },
		{ "overlong slash", "\xC0\xAF", false },
		{ "overlong three", "\xE0\x80\xAF", false },
		{ "surrogate", "\xED\xA0\x80", false },
		{ "beyond the last", "\xF4\x90\x80\x80", false },
		{ "cut off", "\xE2\x82", false },
		{ "lonely tail", "\x80", false },
		{ "escape", "\x1B[31m", false },
		{ "delete", "\x7F", false },
		{ "C1 control", "\xC2\x9B", false },
		{ "line end", "a\nb", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].name, text_is_clean(rows[i].text, strlen(rows[i].text), false) ==
						rows[i].clean);
	check(text_is_clean("a\r\nb", 4, true));
}

TEST(an_address_is_a_unicast_one)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "0x0001", true },  { "0x7fff", true },  { "0x7FFF", true }, { "0x0000", false },
		{ "0x8000", false }, { "0xffff", false }, { "0x1", false },   { "0x00001", false },
		{ "0001", false },   { "", false },	  { "0", false },     { "0x00g1", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].text, field_is_address(rows[i].text) == rows[i].good);
}

TEST(a_problem_document_has_all_its_members)
{
	struct reply r = reply_error(400, "invalid_value", "options.max_links", "Too %s.", "many");
	json_t *o = json_loadb(r.body, r.body_len, 0, NULL);

	check_int(r.status, 400);
	check_str(r.type, "application/problem+json");
	check_str(json_string_value(json_object_get(o, "type")),
		  "urn:meshmason:problem:invalid_value");
	check_str(json_string_value(json_object_get(o, "title")), "Bad Request");
	check_int(json_integer_value(json_object_get(o, "status")), 400);
	check_str(json_string_value(json_object_get(o, "detail")), "Too many.");
	check_str(json_string_value(json_object_get(o, "field")), "options.max_links");
	json_decref(o);
	reply_free(&r);
}

TEST(times_addresses_and_unknowns_are_written_as_the_contract_says)
{
	json_t *t = json_time_ms(1700000000123), *s = json_time_s(0), *a = json_address(5),
	       *none = json_address(0), *rssi = json_rssi(127), *bad = json_text("\xff");

	check_str(json_string_value(t), "2023-11-14T22:13:20.123Z");
	check_str(json_string_value(s), "1970-01-01T00:00:00Z");
	check_str(json_string_value(a), "0x0005");
	check(json_is_null(none) && json_is_null(rssi) && json_is_null(bad));
	json_decref(t);
	json_decref(s);
	json_decref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_is_taken_or_the_problem_names_the_field),
		cmocka_unit_test(a_body_nested_too_deeply_never_reaches_the_parser),
		cmocka_unit_test(the_problem_of_a_nested_field_has_its_whole_name),
		cmocka_unit_test(a_field_name_that_is_no_text_is_not_repeated),
		cmocka_unit_test(query_parameters_are_typed_and_known),
		cmocka_unit_test(a_parameter_given_twice_or_not_at_all_is_refused),
		cmocka_unit_test(utf8_is_told_from_what_looks_like_it),
		cmocka_unit_test(an_address_is_a_unicast_one),
		cmocka_unit_test(a_problem_document_has_all_its_members),
		cmocka_unit_test(times_addresses_and_unknowns_are_written_as_the_contract_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
