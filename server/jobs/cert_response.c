/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   Content-Type: application/pkix-cert        the body is one certificate in DER
 *   Content-Type: multipart/mixed; boundary=B  RFC 2046:
 *
 *     --B CRLF
 *     Content-Type: application/pkix-cert CRLF CRLF
 *     octets CRLF
 *     --B CRLF ... --B-- CRLF
 */
#include "cert_response.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { BOUNDARY_MAX = 70, DELIMITER_MAX = 4 + BOUNDARY_MAX, HEADERS_MAX = 1024, HEADERS = 8 };

static const char pkix[] = "application/pkix-cert", mixed[] = "multipart/mixed";

static bool say(char why[CERT_TEXT], const char *text)
{
	snprintf(why, CERT_TEXT, "%s", text);
	return false;
}

/* The media type alone: what comes after it is a parameter or nothing. */
static bool is_type(const char *value, const char *type)
{
	size_t n = strlen(type);

	value += strspn(value, " \t");
	if (strncasecmp(value, type, n) != 0)
		return false;
	value += n;
	return value[strspn(value, " \t")] == '\0' || value[strspn(value, " \t")] == ';';
}

/* RFC 2046 5.1.1: 1 to 70 of these, quoted or not. */
static bool boundary_read(const char *type, char out[BOUNDARY_MAX + 1])
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ";
	const char *at = strchr(type, ';');
	size_t n;
	bool quoted;

	while (at) {
		at += 1 + strspn(at + 1, " \t");
		if (strncasecmp(at, "boundary=", 9) == 0)
			break;
		at = strchr(at, ';');
	}
	if (!at)
		return false;
	at += 9;
	quoted = *at == '"';
	at += quoted;
	n = quoted ? strcspn(at, "\"") : strcspn(at, "; \t");
	if (n == 0 || n > BOUNDARY_MAX || (quoted && at[n] != '"') || strspn(at, allowed) < n ||
	    at[n - 1] == ' ')
		return false;
	memcpy(out, at, n);
	out[n] = '\0';
	return true;
}

/* One header line of a part, without its CRLF. The type must come, and nothing may say that the
 * octets are not the certificate itself. */
static bool header_good(char *line, bool *typed)
{
	char *colon = strchr(line, ':'), *value;

	if (!colon)
		return false;
	*colon = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	if (strcasecmp(line, "content-type") == 0) {
		*typed = !*typed && is_type(value, pkix);
		return *typed;
	}
	if (strcasecmp(line, "content-transfer-encoding") == 0)
		return strcasecmp(value, "binary") == 0;
	return strcasecmp(line, "content-encoding") != 0;
}

/* Up to the empty line; *part is then what comes after it. */
static bool headers_read(struct bytes *part)
{
	char line[HEADERS_MAX];
	bool typed = false;

	for (unsigned n = 0; n <= HEADERS; n++) {
		const uint8_t *end = memmem(part->p, part->n, "\r\n", 2);
		size_t len = end ? (size_t)(end - part->p) : 0;

		if (!end || len >= sizeof(line) || memchr(part->p, '\0', len))
			return false;
		memcpy(line, part->p, len);
		line[len] = '\0';
		*part = bytes_of(part->p + len + 2, part->n - len - 2);
		if (len == 0)
			return typed;
		if (!header_good(line, &typed))
			return false;
	}
	return false;
}

/* After a delimiter: "--" for the last, and the rest of its line. */
static bool line_end(struct bytes *rest, bool *last)
{
	*last = rest->n >= 2 && memcmp(rest->p, "--", 2) == 0;
	if (*last)
		return true;
	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = bytes_of(rest->p + 1, rest->n - 1);
	if (rest->n < 2 || memcmp(rest->p, "\r\n", 2) != 0)
		return false;
	*rest = bytes_of(rest->p + 2, rest->n - 2);
	return true;
}

/* Past the next delimiter; before (may be NULL) gets what stood before it. */
static bool skip_past(struct bytes *rest, const char *delimiter, size_t len, struct bytes *before)
{
	const uint8_t *at = memmem(rest->p, rest->n, delimiter, len);
	size_t n = at ? (size_t)(at - rest->p) : 0;

	if (!at)
		return false;
	if (before)
		*before = bytes_of(rest->p, n);
	*rest = bytes_of(rest->p + n + len, rest->n - n - len);
	return true;
}

static bool parts_read(const char *type, struct bytes body, struct bytes *out, size_t *n,
		       char why[CERT_TEXT])
{
	char boundary[BOUNDARY_MAX + 1], delimiter[DELIMITER_MAX + 1];
	struct bytes rest;
	size_t len;
	bool last = false;

	*n = 0;
	if (!boundary_read(type, boundary))
		return say(why, "The site's answer has parts, and does not say where they end.");
	len = (size_t)snprintf(delimiter, sizeof(delimiter), "\r\n--%s", boundary);
	rest = body;
	if (body.n >= len - 2 && memcmp(body.p, delimiter + 2, len - 2) == 0)
		rest = bytes_of(body.p + len - 2, body.n - len + 2); /* nothing before it */
	else if (!skip_past(&rest, delimiter, len, NULL))
		return say(why, "The site's answer has no parts.");
	while (line_end(&rest, &last) && !last) {
		struct bytes part;

		if (*n == CERT_RESPONSE_MAX || !skip_past(&rest, delimiter, len, &part) ||
		    !headers_read(&part) || part.n == 0)
			return say(why, "A part of the site's answer is not a certificate.");
		out[(*n)++] = part;
	}
	return last && *n > 0 ? true : say(why, "The site's answer has no whole part.");
}

bool cert_response_read(struct cert_response *out, const char *type, struct bytes body,
			char why[CERT_TEXT])
{
	struct bytes given[CERT_RESPONSE_MAX];
	enum cert_verdict v;
	size_t n = 1;

	memset(out, 0, sizeof(*out));
	why[0] = '\0';
	given[0] = body;
	if (body.n == 0)
		return say(why, "The site's answer is empty.");
	if (is_type(type, mixed)) {
		if (!parts_read(type, body, given, &n, why))
			return false;
	} else if (!is_type(type, pkix)) {
		snprintf(why, CERT_TEXT,
			 "The site answered with \"%.60s\", not with a certificate.", type);
		return false;
	}
	v = cert_arrange(given, n, out->der, why);
	out->broken = v == CERT_CHAIN;
	if (v != CERT_OK)
		return false;
	out->n = n;
	return true;
}
