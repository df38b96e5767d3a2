/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_rules.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bytes.h"

/* ---- addresses ---- */

struct range {
	uint8_t prefix[16];
	unsigned bits;
};

static bool in_range(const uint8_t *address, const struct range *r)
{
	unsigned whole = r->bits / 8, rest = r->bits % 8;

	if (memcmp(address, r->prefix, whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ r->prefix[whole]) >> (8 - rest) == 0;
}

static bool in_any(const uint8_t *address, const struct range *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (in_range(address, &list[i]))
			return true;
	}
	return false;
}

/* Nobody can be meant: unspecified, multicast, broadcast. */
static const struct range nobody4[] = {
	{ { 0 }, 8 },
	{ { 224 }, 4 },
	{ { 255, 255, 255, 255 }, 32 },
};

/* IANA's registry of special-purpose addresses. */
static const struct range special4[] = {
	{ { 0 }, 8 },
	{ { 10 }, 8 },
	{ { 100, 64 }, 10 },
	{ { 127 }, 8 },
	{ { 169, 254 }, 16 },
	{ { 172, 16 }, 12 },
	{ { 192, 0, 0 }, 24 },
	{ { 192, 0, 2 }, 24 },
	{ { 192, 88, 99 }, 24 },
	{ { 192, 168 }, 16 },
	{ { 198, 18 }, 15 },
	{ { 198, 51, 100 }, 24 },
	{ { 203, 0, 113 }, 24 },
	{ { 224 }, 3 },
};

static const struct range nobody6[] = {
	{ { 0 }, 128 },
	{ { 0xFF }, 8 },
};

/* Only 2000::/3 is given out; of it these are not sites. */
static const struct range global6[] = { { { 0x20 }, 3 } };
static const struct range special6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },
	{ { 0x20, 0x01, 0x0D, 0xB8 }, 32 },
	{ { 0x20, 0x02 }, 16 },
	{ { 0x3F, 0xFF, 0x00 }, 20 },
};

/* IPv4 inside IPv6: mapped, and translated (RFC 6052). */
static const struct range inside6[] = {
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF }, 96 },
	{ { 0x00, 0x64, 0xFF, 0x9B }, 96 },
};

static bool allowed4(const struct fetch_rules *r, const uint8_t *a)
{
	if (in_any(a, nobody4, ARRAY_LEN(nobody4)))
		return false;
	return r->private_too || !in_any(a, special4, ARRAY_LEN(special4));
}

static bool allowed6(const struct fetch_rules *r, const uint8_t *a)
{
	if (in_any(a, inside6, ARRAY_LEN(inside6)))
		return allowed4(r, a + 12);
	if (in_any(a, nobody6, ARRAY_LEN(nobody6)))
		return false;
	return r->private_too || (in_any(a, global6, ARRAY_LEN(global6)) &&
				  !in_any(a, special6, ARRAY_LEN(special6)));
}

bool fetch_address_allowed(const struct fetch_rules *r, const struct sockaddr *a)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (a->sa_family == AF_INET) {
		memcpy(&in, a, sizeof(in));
		return allowed4(r, (const uint8_t *)&in.sin_addr);
	}
	if (a->sa_family == AF_INET6) {
		memcpy(&in6, a, sizeof(in6));
		return allowed6(r, in6.sin6_addr.s6_addr);
	}
	return false;
}

/* ---- URLs ---- */

enum { HTTPS_PORT = 443, HOST_MAX = 254 };

static bool say(char why[FETCH_WHY], const char *text)
{
	snprintf(why, FETCH_WHY, "%s", text);
	return false;
}

/* "host" or "host:port" of the list, up to its comma, against what the URL has. */
static bool entry_fits(const char *entry, size_t n, const char *host, long port, bool *has_port)
{
	size_t host_n = strlen(host);
	const char *rest = entry + host_n;
	bool names;

	if (n < host_n || strncasecmp(entry, host, host_n) != 0)
		return false;
	names = n > host_n && *rest == ':' && strtol(rest + 1, NULL, 10) == port;
	*has_port |= names;
	return n == host_n || names;
}

static bool is_listed(const char *allow, const char *host, long port, bool *has_port)
{
	bool listed = false;

	for (const char *at = allow; at && *at;) {
		size_t n = strcspn(at, ","), trail;

		while (n > 0 && *at == ' ')
			at++, n--;
		for (trail = n; trail > 0 && at[trail - 1] == ' '; trail--)
			;
		listed |= trail > 0 && entry_fits(at, trail, host, port, has_port);
		at += n;
		at += *at == ',';
	}
	return listed;
}

static bool host_allowed(const struct fetch_rules *r, char *host, long port, char why[FETCH_WHY])
{
	size_t n = strlen(host);
	bool has_port = false;

	if (n > 1 && host[n - 1] == '.') /* the same name, absolute */
		host[n - 1] = '\0';
	if (r->allow && *r->allow && !is_listed(r->allow, host, port, &has_port)) {
		snprintf(why, FETCH_WHY,
			 "The host \"%.80s\" is not among those that fetch-allow names.", host);
		return false;
	}
	if (port == HTTPS_PORT || r->private_too || has_port)
		return true;
	snprintf(why, FETCH_WHY,
		 "Port %ld is not that of HTTPS, and fetch-allow does not name it with the host.",
		 port);
	return false;
}

static bool part(CURLU *u, CURLUPart which, char *out, size_t cap)
{
	char *text = NULL;
	bool there = curl_url_get(u, which, &text, 0) == CURLUE_OK;

	snprintf(out, cap, "%s", there ? text : "");
	there = there && strlen(text) < cap;
	curl_free(text);
	return there;
}

static bool parts_allowed(const struct fetch_rules *r, CURLU *u, char why[FETCH_WHY])
{
	char scheme[16], host[HOST_MAX + 2], ignored[8], port[8];

	if (!part(u, CURLUPART_SCHEME, scheme, sizeof(scheme)) || strcasecmp(scheme, "https") != 0)
		return say(why, "Certificates are fetched by HTTPS only.");
	if (part(u, CURLUPART_USER, ignored, sizeof(ignored)) || *ignored ||
	    part(u, CURLUPART_PASSWORD, ignored, sizeof(ignored)) || *ignored)
		return say(why, "The URL has a user name or a password in it.");
	if (part(u, CURLUPART_FRAGMENT, ignored, sizeof(ignored)) || *ignored)
		return say(why, "The URL has a fragment.");
	if (!part(u, CURLUPART_HOST, host, sizeof(host)) || !*host)
		return say(why, "The URL names no host.");
	if (!part(u, CURLUPART_PORT, port, sizeof(port)))
		snprintf(port, sizeof(port), "%d", HTTPS_PORT);
	return host_allowed(r, host, strtol(port, NULL, 10), why);
}

bool fetch_url_allowed(const struct fetch_rules *r, const char *url, char why[FETCH_WHY])
{
	CURLU *u = curl_url();
	bool ok;

	if (!u)
		abort();
	why[0] = '\0';
	for (const char *c = url; *c; c++) {
		if (*c <= ' ' || *c > '~') {
			curl_url_cleanup(u);
			return say(why, "The URL has characters that no URL has.");
		}
	}
	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK)
		ok = say(why, "This is no URL of HTTPS.");
	else
		ok = parts_allowed(r, u, why);
	curl_url_cleanup(u);
	return ok;
}
