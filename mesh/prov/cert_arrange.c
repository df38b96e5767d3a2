/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of a server's answer have no order (Mesh 5.6.1.2): it is found by their names.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "cert_profile.h"
#include "certificate.h"

enum { GIVEN_MAX = CERT_CHAIN_MAX + 1 };

static enum cert_verdict read_all(const struct bytes *given, size_t n, X509 **x,
				  char why[CERT_TEXT])
{
	for (size_t i = 0; i < n; i++) {
		x[i] = given[i].n <= CERT_SIZE_MAX ? cert_parse(given[i]) : NULL;
		if (!x[i])
			return cert_say(
				CERT_MALFORMED, why,
				"Part %zu is not one certificate in DER, or has octets left "
				"over.",
				i + 1);
		if (cert_names_itself(x[i]))
			return cert_say(CERT_CHAIN, why,
					"A self-signed certificate is among those given: roots are "
					"configured here, never fetched.");
	}
	return CERT_OK;
}

/* The only one that is no CA; n when there is none or more than one. */
static size_t find_leaf(X509 **x, size_t n)
{
	size_t at = n;

	for (size_t i = 0; i < n; i++) {
		if (X509_check_ca(x[i]) == 1)
			continue;
		if (at != n)
			return n;
		at = i;
	}
	return at;
}

static size_t find_issuer(X509 **x, size_t n, const X509 *of, const bool *taken)
{
	size_t i = 0;

	while (i < n && (taken[i] ||
			 X509_NAME_cmp(X509_get_subject_name(x[i]), X509_get_issuer_name(of)) != 0))
		i++;
	return i;
}

static enum cert_verdict arrange(const struct bytes *given, X509 **x, size_t n, struct bytes *out,
				 char why[CERT_TEXT])
{
	bool taken[GIVEN_MAX] = { false };
	size_t at = find_leaf(x, n), placed = 0;

	if (at == n)
		return cert_say(CERT_CHAIN, why,
				"There is not exactly one device certificate among those given.");
	while (at < n) {
		taken[at] = true;
		out[placed++] = given[at];
		at = find_issuer(x, n, x[at], taken);
	}
	if (placed < n)
		return cert_say(
			CERT_CHAIN, why,
			"The chain is broken: %zu of the certificates given are not part of "
			"it.",
			n - placed);
	return CERT_OK;
}

enum cert_verdict cert_arrange(const struct bytes *given, size_t n, struct bytes *out,
			       char why[CERT_TEXT])
{
	X509 *x[GIVEN_MAX] = { NULL };
	enum cert_verdict v;

	why[0] = '\0';
	if (n > GIVEN_MAX)
		return cert_say(CERT_CHAIN, why, "%zu certificates are given; %d are allowed.", n,
				GIVEN_MAX);
	ERR_set_mark();
	v = read_all(given, n, x, why);
	if (v == CERT_OK)
		v = arrange(given, x, n, out, why);
	for (size_t i = 0; i < n; i++)
		X509_free(x[i]);
	ERR_pop_to_mark();
	return v;
}
