/* SPDX-License-Identifier: Apache-2.0 */
#include "router.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *http_method_name(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET",	  [HTTP_POST] = "POST",	  [HTTP_PATCH] = "PATCH",
		[HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "OTHER",
	};

	return names[method];
}

enum http_method http_method_parse(const char *name)
{
	if (strcmp(name, "HEAD") == 0)
		return HTTP_GET; /* the transport leaves the body away */
	for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++)
		if (strcmp(name, http_method_name(m)) == 0)
			return m;
	return HTTP_OTHER;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool percent_decode(char *text, bool plus)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		char c = *in;

		if (c == '%') {
			int hi = hex_value(in[1]), lo = hi < 0 ? -1 : hex_value(in[2]);

			if (lo < 0)
				return false;
			c = (char)(hi << 4 | lo);
			in += 2;
		} else if (plus && c == '+') {
			c = ' ';
		}
		if ((unsigned char)c < 0x20 || c == 0x7F)
			return false;
		*out++ = c;
	}
	*out = '\0';
	return text_is_clean(text, (size_t)(out - text), false);
}

void query_split(struct request *rq, char *text)
{
	char *save = NULL;

	for (char *part = strtok_r(text, "&", &save); part; part = strtok_r(NULL, "&", &save)) {
		char *value = strchr(part, '=');
		struct param *p = &rq->query[rq->n_query];

		if (rq->n_query == REQUEST_PARAMS_MAX) {
			rq->query_overflow = true;
			return;
		}
		if (value)
			*value++ = '\0';
		else
			value = part + strlen(part);
		if (!percent_decode(part, true) || !percent_decode(value, true)) {
			rq->query_overflow = true;
			return;
		}
		*p = (struct param){ part, value };
		rq->n_query++;
	}
}

/* Whether pattern and path (of n parts) agree; args gets what stands in the braces. Literal says
 * for each part whether it was compared, the first part in the highest bit: more is better. */
static bool pattern_matches(const char *pattern, const char *const *parts, size_t n,
			    const char *args[2], unsigned *literal)
{
	size_t i = 0, n_args = 0;

	*literal = 0;
	args[0] = args[1] = NULL;
	while (*pattern == '/') {
		size_t length = strcspn(++pattern, "/");

		if (i == n)
			return false;
		*literal <<= 1;
		if (*pattern == '{') {
			if (!*parts[i] || n_args == 2)
				return false;
			args[n_args++] = parts[i];
		} else if (strlen(parts[i]) == length && memcmp(parts[i], pattern, length) == 0) {
			*literal |= 1;
		} else {
			return false;
		}
		pattern += length;
		i++;
	}
	return i == n;
}

/* Splits rq->path at its slashes, then decodes each part, so that %2F stays inside one. */
static bool path_split(struct request *rq, const char *url, const char *parts[8], size_t *n)
{
	char *at = rq->path;

	*n = 0;
	if (*url != '/' || strlen(url) >= sizeof(rq->path))
		return false;
	memcpy(rq->path, url, strlen(url) + 1);
	while (at) {
		char *slash;

		at++;
		slash = strchr(at, '/');
		if (slash)
			*slash = '\0';
		if (*n == 8 || !percent_decode(at, false))
			return false;
		parts[(*n)++] = at;
		at = slash;
	}
	return true;
}

static void allow_add(char allow[ROUTE_ALLOW], enum http_method method)
{
	size_t n = strlen(allow);

	snprintf(allow + n, ROUTE_ALLOW - n, "%s%s", n ? ", " : "",
		 method == HTTP_GET ? "GET, HEAD" : http_method_name(method));
}

/* The methods of one pattern, HEAD along with GET. */
static void allow_fill(const struct route_table *tables, size_t n_tables, const char *pattern,
		       char allow[ROUTE_ALLOW])
{
	for (size_t t = 0; t < n_tables; t++)
		for (size_t i = 0; i < tables[t].n; i++)
			if (strcmp(tables[t].routes[i].pattern, pattern) == 0)
				allow_add(allow, tables[t].routes[i].method);
}

enum route_result router_match(const struct route_table *tables, size_t n_tables,
			       struct request *rq, const char *url, char allow[ROUTE_ALLOW])
{
	const char *parts[8], *args[2], *pattern = NULL;
	unsigned literal, best = 0;
	size_t n;

	allow[0] = '\0';
	rq->route = NULL;
	if (!path_split(rq, url, parts, &n))
		return ROUTE_NO_PATH;
	for (size_t t = 0; t < n_tables; t++) {
		for (size_t i = 0; i < tables[t].n; i++) {
			const struct route *r = &tables[t].routes[i];

			if (!pattern_matches(r->pattern, parts, n, args, &literal))
				continue;
			if (pattern && literal < best)
				continue;
			if (!pattern || literal > best) {
				pattern = r->pattern;
				best = literal;
				rq->route = NULL;
				memcpy(rq->args, args, sizeof(args));
			}
			if (r->method == rq->method)
				rq->route = r;
		}
	}
	if (!pattern)
		return ROUTE_NO_PATH;
	if (rq->route)
		return ROUTE_FOUND;
	allow_fill(tables, n_tables, pattern, allow);
	return ROUTE_NO_METHOD;
}

unsigned body_kind_parse(const char *content_type)
{
	static const struct {
		const char *name;
		unsigned kind;
	} kinds[] = {
		{ "application/json", BODY_JSON },	{ "text/csv", BODY_CSV },
		{ "application/x-pem-file", BODY_PEM }, { "application/pkix-cert", BODY_DER },
		{ "application/pkix-crl", BODY_DER },
	};
	size_t n;

	if (!content_type)
		return 0;
	n = strcspn(content_type, "; \t");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i].name) == n && strncasecmp(kinds[i].name, content_type, n) == 0)
			return kinds[i].kind;
	return 0;
}
