/* SPDX-License-Identifier: Apache-2.0 */
#include "base_uri.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Assigned Numbers, URI Scheme Name String Mapping: the first character. */
enum { SCHEME_NONE = 0x01, SCHEME_HTTP = 0x16, SCHEME_HTTPS = 0x17 };

static const char https[] = "https://", query[] = "?uuid=";

static bool say(char why[BASE_URI_WHY], const char *text)
{
	snprintf(why, BASE_URI_WHY, "%s", text);
	return false;
}

/* An NFC tag or 2D code has the query there already: it must be that of this device. */
static bool strip_query(char *uri, const uint8_t uuid[UUID_LEN], char why[BASE_URI_WHY])
{
	char *at = strchr(uri, '?');
	uint8_t named[UUID_LEN];

	if (!at)
		return true;
	if (strncmp(at, query, strlen(query)) != 0 || !uuid_parse(at + strlen(query), named) ||
	    memcmp(named, uuid, UUID_LEN) != 0)
		return say(why, "The device's base URI has a query of its own.");
	*at = '\0';
	return true;
}

static bool is_plain(const char *uri, char why[BASE_URI_WHY])
{
	const char *host = uri + strlen(https);
	size_t n = strcspn(host, "/?");

	if (strncasecmp(uri, https, strlen(https)) != 0)
		return say(why, "The device's base URI is not one of HTTPS.");
	if (n == 0)
		return say(why, "The device's base URI names no host.");
	if (memchr(host, '@', n))
		return say(why, "The device's base URI has a user name in it.");
	if (strchr(uri, '#'))
		return say(why, "The device's base URI has a fragment.");
	return true;
}

bool base_uri_read(struct bytes data, const uint8_t uuid[UUID_LEN], char out[DB_BASE_URI],
		   char why[BASE_URI_WHY])
{
	const char *scheme = "";
	size_t n;

	out[0] = why[0] = '\0';
	if (data.n == 0)
		return say(why, "The device's base URI is empty.");
	if (data.p[0] == SCHEME_HTTPS)
		scheme = "https:";
	else if (data.p[0] == SCHEME_HTTP)
		scheme = "http:";
	if (*scheme || data.p[0] == SCHEME_NONE)
		data = bytes_of(data.p + 1, data.n - 1);
	n = strlen(scheme);
	if (n + data.n + strlen(query) + UUID_TEXT > DB_BASE_URI)
		return say(why, "The device's base URI is too long.");
	for (size_t i = 0; i < data.n; i++) {
		if (data.p[i] <= ' ' || data.p[i] > '~' || data.p[i] == '\\' || data.p[i] == '"')
			return say(why, "The device's base URI has characters that no URI has.");
	}
	memcpy(out, scheme, n);
	memcpy(out + n, data.p, data.n);
	out[n + data.n] = '\0';
	return strip_query(out, uuid, why) && is_plain(out, why);
}

bool base_uri_request(const char *base, const uint8_t uuid[UUID_LEN], const char *const *content,
		      size_t n, char out[BASE_URI_REQUEST])
{
	char text[UUID_TEXT];
	int used = snprintf(out, BASE_URI_REQUEST, "%s%s%s", base, query, uuid_format(text, uuid));

	for (size_t i = 0; i < n && used < BASE_URI_REQUEST; i++)
		used += snprintf(out + used, (size_t)(BASE_URI_REQUEST - used), "&content=%s",
				 content[i]);
	return used < BASE_URI_REQUEST;
}
