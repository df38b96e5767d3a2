/* SPDX-License-Identifier: Apache-2.0 */
/* meshmason trust: anchors, revocation lists, and what a certificate would get. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "cli.h"

enum { PEM_LINE = 64 };

static const char usage[] = "trust [list | add FILE | remove ID | crl ID FILE | crl-remove ID | "
			    "check UUID | check FILE [UUID]]";

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static bool is_pem(const char *data, size_t n)
{
	return memmem(data, n, "-----BEGIN", 10) != NULL;
}

static int add(const struct cli_args *a, struct rest *r)
{
	struct rest_body body = { .type = "application/pkix-cert" };
	json_t *answer;
	char text[32], *data;
	long code;

	data = command_file_read(a->words[2], &body.n);
	if (!data)
		return EXIT_FAILED;
	body.data = data;
	if (is_pem(data, body.n))
		body.type = "application/x-pem-file";
	code = rest_call(r, "POST", "/trust-anchors", &body, &answer);
	free(data);
	if (code != 201)
		return command_refused(r, code, answer);
	if (a->json) {
		json_print(answer);
	} else {
		printf("%s added, ", value_text(answer, "added", text, sizeof(text)));
		printf("%s were there already\n",
		       value_text(answer, "already_there", text, sizeof(text)));
	}
	json_decref(answer);
	return EXIT_OK;
}

static int remove_at(const struct cli_args *a, struct rest *r, const char *tail)
{
	json_t *answer;
	char path[96];
	long code;

	snprintf(path, sizeof(path), "/trust-anchors/%.40s%s", a->words[2], tail);
	code = rest_call(r, "DELETE", path, NULL, &answer);
	return code == 204 ? EXIT_OK : command_refused(r, code, answer);
}

static int crl(const struct cli_args *a, struct rest *r)
{
	struct rest_body body = { .type = "application/pkix-crl" };
	char path[96], text[32], when[40], *data;
	json_t *answer;
	long code;

	data = command_file_read(a->words[3], &body.n);
	if (!data)
		return EXIT_FAILED;
	body.data = data;
	if (is_pem(data, body.n))
		body.type = "application/x-pem-file";
	snprintf(path, sizeof(path), "/trust-anchors/%.40s/crl", a->words[2]);
	code = rest_call(r, "POST", path, &body, &answer);
	free(data);
	if (code != 200)
		return command_refused(r, code, answer);
	if (a->json)
		json_print(answer);
	else
		printf("%s revoked, as of %s\n",
		       value_text(answer, "crl.revoked", text, sizeof(text)),
		       value_text(answer, "crl.issued_at", when, sizeof(when)));
	json_decref(answer);
	return EXIT_OK;
}

/* The API takes PEM; a file of DER becomes it here. */
static char *pem_of(const char *data, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	char *text = NULL;
	size_t size, line = 0;
	FILE *out;

	if (is_pem(data, n))
		return strndup(data, n);
	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	fputs("-----BEGIN CERTIFICATE-----\n", out);
	for (size_t i = 0; i < n; i += 3) {
		size_t have = n - i < 3 ? n - i : 3;
		uint32_t v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < have ? (uint8_t)data[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			fputc(k <= have ? digits[v >> (18 - 6 * k) & 63] : '=', out);
		line += 4;
		if (line % PEM_LINE == 0 || i + 3 >= n)
			fputc('\n', out);
	}
	fputs("-----END CERTIFICATE-----\n", out);
	fclose(out);
	return text;
}

static json_t *check_body(const struct cli_args *a)
{
	uint8_t uuid[UUID_LEN];
	json_t *body = json_object();
	size_t n;
	char *data, *pem;

	if (a->n_words == 3 && uuid_parse(a->words[2], uuid)) {
		json_object_set_new(body, "uuid", json_string(a->words[2]));
		return body;
	}
	data = command_file_read(a->words[2], &n);
	pem = data ? pem_of(data, n) : NULL;
	free(data);
	if (!pem) {
		json_decref(body);
		return NULL;
	}
	json_object_set_new(body, "pem", json_string(pem));
	if (a->n_words == 4)
		json_object_set_new(body, "uuid", json_string(a->words[3]));
	free(pem);
	return body;
}

/* 0 trusted, 1 refused, 3 not known. */
static int check(const struct cli_args *a, struct rest *r)
{
	struct rest_body body = { .type = "application/json" };
	json_t *o = check_body(a), *answer;
	char verdict[16], code_text[48], text[300], *data;
	long code;
	int status;

	if (!o)
		return EXIT_FAILED;
	data = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	if (!data)
		return EXIT_FAILED;
	body.data = data;
	body.n = strlen(data);
	code = rest_call(r, "POST", "/trust-anchors/check", &body, &answer);
	free(data);
	if (code != 200)
		return command_refused(r, code, answer);
	value_text(answer, "verdict", verdict, sizeof(verdict));
	status = strcmp(verdict, "trusted") == 0   ? EXIT_OK
		 : strcmp(verdict, "refused") == 0 ? EXIT_FAILED
						   : EXIT_PARTIAL;
	if (a->json) {
		json_print(answer);
	} else {
		printf("%s", verdict);
		if (status == EXIT_FAILED)
			printf(" (%s)", value_text(answer, "code", code_text, sizeof(code_text)));
		printf(": %s\n", value_text(answer, "message", text, sizeof(text)));
		if (status != EXIT_OK)
			printf("%s\n", value_text(answer, "advice", text, sizeof(text)));
	}
	json_decref(answer);
	return status;
}

int command_trust(const struct cli_args *a, struct rest *r)
{
	static const struct column columns[] = {
		{ "ID", "id" },	      { "SUBJECT", "subject" },	    { "UNTIL", "not_after" },
		{ "VALID", "valid" }, { "REVOKED", "crl.revoked" }, { "STALE", "crl.stale" },
	};
	const char *what = a->n_words > 1 ? a->words[1] : "list";
	bool of_one = a->n_words > 2 && is_number(a->words[2]);

	if (strcmp(what, "list") == 0 && a->n_words <= 2)
		return command_list(a, r, "/trust-anchors", columns, ARRAY_LEN(columns));
	if (strcmp(what, "add") == 0 && a->n_words == 3)
		return add(a, r);
	if (strcmp(what, "remove") == 0 && a->n_words == 3 && of_one)
		return remove_at(a, r, "");
	if (strcmp(what, "crl") == 0 && a->n_words == 4 && of_one)
		return crl(a, r);
	if (strcmp(what, "crl-remove") == 0 && a->n_words == 3 && of_one)
		return remove_at(a, r, "/crl");
	if (strcmp(what, "check") == 0 && (a->n_words == 3 || a->n_words == 4))
		return check(a, r);
	return command_usage(usage);
}
