/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer of a certificate server. Input: a line with the Content-Type, and the body. Accepted:
 * one chain, whose parts are views into the body.
 */
#include <stdlib.h>
#include <string.h>

#include "base_uri.h"
#include "cert_response.h"
#include "fuzz.h"

static void check_uri(struct bytes data)
{
	static const uint8_t uuid[UUID_LEN] = { 1 };
	char uri[DB_BASE_URI], why[BASE_URI_WHY], request[BASE_URI_REQUEST];

	if (!base_uri_read(data, uuid, uri, why))
		return;
	if (!base_uri_request(uri, uuid, NULL, 0, request) || strchr(request, '#') ||
	    strncmp(request, uri, strlen(uri)) != 0)
		abort();
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	const uint8_t *line = memchr(data, '\n', n);
	struct cert_response got;
	char type[256], why[CERT_TEXT];
	struct bytes body;
	size_t len;
	bool ok;

	check_uri(bytes_of(data, n));
	if (!line || (size_t)(line - data) >= sizeof(type))
		return false;
	len = (size_t)(line - data);
	memcpy(type, data, len);
	type[len] = '\0';
	body = bytes_of(line + 1, n - len - 1);
	ok = cert_response_read(&got, type, body, why);
	if (ok != (why[0] == '\0') || (ok && got.n == 0) || (ok && got.broken))
		abort();
	for (size_t i = 0; i < got.n; i++) {
		if (got.der[i].p < body.p || got.der[i].p + got.der[i].n > body.p + body.n)
			abort();
	}
	return ok;
}
