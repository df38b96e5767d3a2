/* SPDX-License-Identifier: Apache-2.0 */
/* Base URIs as devices have them, and what their makers' sites answer. */
#include "base_uri.h"
#include "cert_maker.h"
#include "cert_response.h"
#include "check.h"
#include "vectors.h"

TEST(a_base_uri_is_https_with_a_host_and_nothing_else)
{
	static const struct {
		const char *name;
		size_t n; /* 0: strlen */
		const char *data, *uri;
	} rows[] = {
		{ "scheme in one character", 0, "\x17//a.example/x", "https://a.example/x" },
		{ "plain text", 0, "https://a.example/x", "https://a.example/x" },
		{ "no scheme in one character", 0, "\x01https://a.example", "https://a.example" },
		{ "capitals", 0, "HTTPS://a.example/", "HTTPS://a.example/" },
		{ "of a 2D code", 0, "https://a.example/x?uuid=" CERT_UUID, "https://a.example/x" },
		{ "http in one character", 0, "\x16//a.example/x", NULL },
		{ "http", 0, "http://a.example/x", NULL },
		{ "another scheme", 0, "\x02//a.example", NULL },
		{ "another's query", 0,
		  "https://a.example?uuid=11111111-1021-0b0e-0a0c-000b0e0a0c01", NULL },
		{ "a query", 0, "https://a.example?x=1", NULL },
		{ "a query behind it", 0, "https://a.example?uuid=" CERT_UUID "&x=1", NULL },
		{ "a fragment", 0, "https://a.example/#x", NULL },
		{ "a user", 0, "https://u@a.example/", NULL },
		{ "an @ in the path", 0, "https://a.example/@x", "https://a.example/@x" },
		{ "no host", 0, "https:///x", NULL },
		{ "scheme alone", 0, "\x17", NULL },
		{ "a space", 0, "https://a.example/ x", NULL },
		{ "a zero", 20, "https://a.example/\0xy", NULL },
		{ "a line end", 0, "https://a.example/\r\nHost: b", NULL },
		{ "a high octet", 0, "https://a.example/\xff", NULL },
		{ "nothing", 0, "", NULL },
	};
	char out[DB_BASE_URI], why[BASE_URI_WHY], long_uri[400];
	uint8_t uuid[UUID_LEN];

	check(uuid_parse(CERT_UUID, uuid));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = rows[i].n ? rows[i].n : strlen(rows[i].data);
		bool ok = base_uri_read(bytes_of((const uint8_t *)rows[i].data, n), uuid, out, why);

		check_row(rows[i].name, ok == (rows[i].uri != NULL));
		check_row(rows[i].name, !ok || strcmp(out, rows[i].uri) == 0);
		check_row(rows[i].name, ok == (why[0] == '\0'));
	}
	memset(long_uri, 'a', sizeof(long_uri));
	memcpy(long_uri, "https://", 8);
	check(!base_uri_read(bytes_of((uint8_t *)long_uri, sizeof(long_uri)), uuid, out, why));
}

TEST(the_published_request_is_built)
{
	json_t *json = vectors_load("provisioning.json"), *v, *in;
	const char *content[4], *expected;
	char out[BASE_URI_REQUEST], plain[BASE_URI_REQUEST];
	struct vector uuid;
	json_t *one;
	size_t i;

	v = vector_by_id(json, "cbp-uri-sample");
	in = json_object_get(v, "input");
	uuid = vector_hex(in, "uuid");
	json_array_foreach(json_object_get(in, "content"), i, one) content[i] =
		json_string_value(one);
	expected = json_string_value(json_object_get(json_object_get(v, "expected"), "uri"));
	check(base_uri_request(json_string_value(json_object_get(in, "base_uri")), uuid.octet,
			       content, i, out));
	check_str(out, expected);
	check(base_uri_request(json_string_value(json_object_get(in, "base_uri")), uuid.octet, NULL,
			       0, plain));
	check(strncmp(plain, expected, strlen(plain)) == 0 && expected[strlen(plain)] == '&');
	json_decref(json);
}

/* ---- answers ---- */

struct lot {
	struct cert root, issuer, leaf;
	uint8_t body[4 * CERT_DER_MAX];
	size_t n;
};

static void lot_make(struct lot *l)
{
	static const struct cert_spec root = { .cn = "Root", .ca = true };
	static const struct cert_spec issuer = { .cn = "Issuer", .ca = true };

	l->root = cert_make(&root, NULL);
	l->issuer = cert_make(&issuer, &l->root);
	l->leaf = cert_make(&(struct cert_spec){ 0 }, &l->issuer);
	l->n = 0;
}

static void lot_free(struct lot *l)
{
	cert_drop(&l->root);
	cert_drop(&l->issuer);
	cert_drop(&l->leaf);
}

static void add(struct lot *l, const char *text)
{
	memcpy(l->body + l->n, text, strlen(text));
	l->n += strlen(text);
}

static void add_part(struct lot *l, const char *before, const struct cert *c)
{
	add(l, before);
	memcpy(l->body + l->n, c->der, c->n);
	l->n += c->n;
}

static bool reads(struct lot *l, const char *type, struct cert_response *out)
{
	char why[CERT_TEXT];
	bool ok = cert_response_read(out, type, bytes_of(l->body, l->n), why);

	check(ok == (why[0] == '\0'));
	l->n = 0;
	return ok;
}

#define PART "\r\n--b\r\nContent-Type: application/pkix-cert\r\n\r\n"
#define END  "\r\n--b--\r\n"

TEST(both_forms_of_an_answer_are_read)
{
	struct cert_response got;
	struct lot l;

	lot_make(&l);
	add_part(&l, "", &l.leaf);
	check(reads(&l, "application/pkix-cert", &got));
	check_int(got.n, 1);
	check_int(got.der[0].n, l.leaf.n);
	add_part(&l, PART, &l.issuer); /* the first has its line end before it, or none */
	add_part(&l, PART, &l.leaf);
	add(&l, END);
	check(reads(&l, "Multipart/Mixed; charset=x; Boundary=\"b\"", &got));
	check_int(got.n, 2);
	check_mem(got.der[0].p, l.leaf.der, l.leaf.n);
	check_mem(got.der[1].p, l.issuer.der, l.issuer.n);
	add_part(&l,
		 "--b  \r\ncontent-TYPE:application/pkix-cert; x=y\r\n"
		 "Content-Transfer-Encoding: binary\r\nX: y\r\n\r\n",
		 &l.leaf);
	add(&l, "\r\n--b-- and more");
	check(reads(&l, "multipart/mixed; boundary=b", &got));
	check_int(got.n, 1);
	lot_free(&l);
}

TEST(one_bad_part_spoils_the_answer)
{
	static const struct {
		const char *type, *before, *after;
	} rows[] = {
		{ "text/html", "", "" },
		{ "", "", "" },
		{ "application/pkix-certificate", "", "" },
		{ "application/pkix-cert", "", "x" },
		{ "application/pkix-cert", "x", "" },
		{ "multipart/mixed", PART, END },
		{ "multipart/mixed; boundary=", PART, END },
		{ "multipart/mixed; boundary=\"b", PART, END },
		{ "multipart/mixed; boundary=c", PART, END },
		{ "multipart/mixed; boundary=b", PART, "" },
		{ "multipart/mixed; boundary=b", PART, "\r\n--b" },
		{ "multipart/mixed; boundary=b", PART, "\r\n--bx--" },
		{ "multipart/mixed; boundary=b", PART, "\r\n--b\r\n" END },
		{ "multipart/mixed; boundary=b", "\r\n--b\r\n\r\n", END },
		{ "multipart/mixed; boundary=b", "\r\n--b\r\nContent-Type: text/plain\r\n\r\n",
		  END },
		{ "multipart/mixed; boundary=b",
		  "\r\n--b\r\nContent-Type: application/pkix-cert\r\n"
		  "Content-Type: application/pkix-cert\r\n\r\n",
		  END },
		{ "multipart/mixed; boundary=b",
		  "\r\n--b\r\nContent-Type: application/pkix-cert\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n",
		  END },
		{ "multipart/mixed; boundary=b",
		  "\r\n--b\r\nContent-Type: application/pkix-cert\r\nContent-Encoding: "
		  "gzip\r\n\r\n",
		  END },
		{ "multipart/mixed; boundary=b",
		  "\r\n--b\r\nno colon\r\nContent-Type: application/pkix-cert\r\n\r\n", END },
		{ "multipart/mixed; boundary=b", "\r\n--b\r\nContent-Type: application/pkix-cert",
		  END },
		{ "multipart/mixed; boundary=b", PART, "x" END },
	};
	struct cert_response got;
	struct lot l;

	lot_make(&l);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		add_part(&l, rows[i].before, &l.leaf);
		add(&l, rows[i].after);
		if (reads(&l, rows[i].type, &got))
			fail_msg("row %zu is taken", i);
		check(!got.broken);
	}
	check(!reads(&l, "application/pkix-cert", &got)); /* empty */
	for (size_t i = 0; i < 17; i++)
		add_part(&l, PART, &l.leaf);
	add(&l, END);
	check(!reads(&l, "multipart/mixed; boundary=b", &got));
	add_part(&l, PART, &l.leaf);
	add_part(&l, PART, &l.issuer);
	add_part(&l, PART, &l.root);
	add(&l, END);
	check(!reads(&l, "multipart/mixed; boundary=b", &got));
	check(got.broken); /* these were certificates, but no chain */
	lot_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_base_uri_is_https_with_a_host_and_nothing_else),
		cmocka_unit_test(the_published_request_is_built),
		cmocka_unit_test(both_forms_of_an_answer_are_read),
		cmocka_unit_test(one_bad_part_spoils_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
