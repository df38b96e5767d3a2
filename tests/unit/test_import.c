/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdlib.h>

#include "csv.h"
#include "import.h"

#define U1 "00112233-4455-6677-8899-aabbccddee01"
#define U2 "00112233-4455-6677-8899-aabbccddee02"

/* All rows of a text as "line:a|b;" and "line!why;". */
static void dump(const char *text, size_t n, char *out)
{
	char *copy = malloc(n + 1);
	enum csv_result got;
	struct csv_row row;
	struct csv c;

	memcpy(copy, text, n);
	csv_init(&c, copy, n);
	*out = '\0';
	while ((got = csv_next(&c, &row)) != CSV_END) {
		out += sprintf(out, "%u%s", row.line, got == CSV_BAD ? "!" : ":");
		for (size_t i = 0; got == CSV_ROW && i < row.n; i++)
			out += sprintf(out, "%s%s", i ? "|" : "", row.field[i]);
		out += sprintf(out, ";");
	}
	free(copy);
}

TEST(csv_is_read_as_rfc_4180_and_spreadsheets_write_it)
{
	static const struct {
		const char *name, *text, *rows;
	} rows[] = {
		{ "plain", "a,b\nc,d\n", "1:a|b;2:c|d;" },
		{ "CRLF", "a,b\r\nc,d\r\n", "1:a|b;2:c|d;" },
		{ "no last line end", "a,b\nc,d", "1:a|b;2:c|d;" },
		{ "byte order mark",
		  "\xEF\xBB\xBF"
		  "a,b\n",
		  "1:a|b;" },
		{ "empty values", ",\n,,\n", "1:|;2:||;" },
		{ "last is empty", "a,", "1:a|;" },
		{ "quoted", "\"a\",\"b\"\n", "1:a|b;" },
		{ "doubled quote", "\"a\"\"b\"\n", "1:a\"b;" },
		{ "quoted comma", "\"a,b\",c\n", "1:a,b|c;" },
		{ "quoted line end counts", "\"a\nb\",c\nd\n", "1:a\nb|c;3:d;" },
		{ "quoted and empty", "\"\",x\n", "1:|x;" },
		{ "quoted at the end", "x,\"y\"", "1:x|y;" },
		{ "empty lines", "\n\r\na\n\n\nb\n", "3:a;6:b;" },
		{ "carriage return inside", "a\rb,c\n", "1:a\rb|c;" },
		{ "quote inside", "a\"b,c\nd\n", "1!;2:d;" },
		{ "text after quote", "\"a\"b,c\nd\n", "1!;2:d;" },
		{ "open quote", "a\n\"b,c\nd\n", "1:a;2!;" },
		{ "too many", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\nd\n", "1!;2:d;" },
		{ "empty", "", "" },
		{ "only a mark", "\xEF\xBB\xBF", "" },
	};
	char out[256];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		dump(rows[i].text, strlen(rows[i].text), out);
		check_row(rows[i].name, strcmp(out, rows[i].rows) == 0);
	}
	dump("a\0b\nc\n", 6, out);
	check_str(out, "1!;2:c;");
}

static bool parse(struct import_list *l, const char *text, bool csv, struct problem *p)
{
	memset(l, 0, sizeof(*l));
	memset(p, 0, sizeof(*p));
	return import_parse(l, bytes_of(text, strlen(text)), csv, p);
}

TEST(columns_come_in_any_order_and_empty_values_are_not_given)
{
	struct import_list l;
	struct problem p;

	check(parse(&l, "Name, UUID ,static_oob\n Lamp 1 ," U1 ",0a0b\n," U2 ",\n", true, &p));
	check_int(l.n, 2);
	check_int(l.rows[0].line, 2);
	check_str(l.rows[0].value[IMPORT_NAME], "Lamp 1");
	check_str(l.rows[0].value[IMPORT_STATIC_OOB], "0a0b");
	check(!l.rows[0].value[IMPORT_AREA]);
	check(!l.rows[1].value[IMPORT_NAME]);
	check_int(l.rows[1].uuid[15], 2);
	import_free(&l);
}

TEST(a_bad_row_is_refused_by_its_line_and_the_others_are_taken)
{
	static const struct {
		const char *row, *field;
	} rows[] = {
		{ "x,,,,,", "uuid" },
		{ ",n,,,,", "uuid" },
		{ U1 "0,n,,,,", "uuid" },
		{ U1 ",n,,,0g,", "static_oob" },
		{ U1 ",n,,,abc,", "static_oob" },
		{ U1 ",n,,,000102030405060708090a0b0c0d0e0f"
		     "101112131415161718191a1b1c1d1e1f20,",
		  "static_oob" },
		{ U1 ",\xff,,,,", "name" },
		{ U1 ",\"a\nb\",,,,", "name" },
		{ U1 ",12345678901234567890123456789012345678901234567890123456789012345,,,,",
		  "name" },
		{ U1 ",too,few", NULL },
		{ U1 ",,,,,,", NULL },
		{ U1 ",a\"b,,,,", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct import_list l;
		struct problem p;
		char text[512];

		snprintf(text, sizeof(text),
			 "uuid,name,area,profile,static_oob,certificate\n%s\n%s\n", rows[i].row,
			 U2 ",good,,,,");
		check_row(rows[i].row, parse(&l, text, true, &p) && l.n == 2);
		check_row(rows[i].row, l.rows[0].outcome == IMPORT_REFUSED && l.rows[0].message[0]);
		check_row(rows[i].row, l.rows[0].line == 2);
		check_row(rows[i].row, rows[i].field ? l.rows[0].field && strcmp(l.rows[0].field,
										 rows[i].field) == 0
						     : !l.rows[0].field);
		check_row(rows[i].row, l.rows[1].outcome != IMPORT_REFUSED);
		import_free(&l);
	}
}

TEST(a_uuid_counts_where_it_stands_first)
{
	struct import_list l;
	struct problem p;

	check(parse(&l, "uuid\n" U2 "\n" U1 "\n" U2 "\n" U2 "\n", true, &p));
	check_int(l.rows[0].outcome == IMPORT_REFUSED, false);
	check_int(l.rows[1].outcome == IMPORT_REFUSED, false);
	check_int(l.rows[2].outcome, IMPORT_REFUSED);
	check_int(l.rows[3].outcome, IMPORT_REFUSED);
	check_str(l.rows[3].message, "The same as in line 2.");
	import_free(&l);
}

TEST(a_list_that_cannot_be_read_at_all_says_why)
{
	static const struct {
		const char *name, *text;
		bool csv;
		const char *code, *field;
	} rows[] = {
		{ "empty", "", true, "bad_request", "body" },
		{ "no uuid", "name\nx\n", true, "missing_field", "uuid" },
		{ "strange column", "uuid,color\n", true, "unknown_field", "color" },
		{ "twice", "uuid,uuid\n", true, "invalid_value", "uuid" },
		{ "bad header", "uuid,\"name\n", true, "bad_request", "body" },
		{ "no devices", "{}", false, "missing_field", "devices" },
		{ "not a list", "{\"devices\":3}", false, "wrong_type", "devices" },
		{ "not JSON", "uuid\n", false, "malformed_json", "" },
		{ "more", "{\"devices\":[],\"x\":1}", false, "unknown_field", "x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct import_list l;
		struct problem p;

		check_row(rows[i].name, !parse(&l, rows[i].text, rows[i].csv, &p));
		check_row(rows[i].name, strcmp(p.code, rows[i].code) == 0);
		check_row(rows[i].name, strcmp(p.field, rows[i].field) == 0);
		import_free(&l);
	}
}

TEST(json_rows_are_held_to_the_same_rules)
{
	struct import_list l;
	struct problem p;

	check(parse(&l,
		    "{\"devices\":[{\"uuid\":\"" U1 "\",\"name\":null,\"area\":\"Hall\"},"
		    "{\"uuid\":3},{\"uuid\":\"" U2 "\",\"colour\":\"red\"},7,{\"uuid\":null}]}",
		    false, &p));
	check_int(l.n, 5);
	check(l.rows[0].outcome != IMPORT_REFUSED);
	check(l.rows[0].clear[IMPORT_NAME]);
	check_str(l.rows[0].value[IMPORT_AREA], "Hall");
	for (size_t i = 1; i < l.n; i++)
		check_int(l.rows[i].outcome, IMPORT_REFUSED);
	check_int(l.rows[4].line, 5);
	import_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(csv_is_read_as_rfc_4180_and_spreadsheets_write_it),
		cmocka_unit_test(columns_come_in_any_order_and_empty_values_are_not_given),
		cmocka_unit_test(a_bad_row_is_refused_by_its_line_and_the_others_are_taken),
		cmocka_unit_test(a_uuid_counts_where_it_stands_first),
		cmocka_unit_test(a_list_that_cannot_be_read_at_all_says_why),
		cmocka_unit_test(json_rows_are_held_to_the_same_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
