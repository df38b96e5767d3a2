/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A revocation list. Input: two octets of length and that many octets of the trust anchor, then the
 * list, DER or PEM. Accepted: the list is whole, and signed by the anchor.
 */
#include <stdlib.h>

#include "certificate.h"
#include "fuzz.h"

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct rd r = rd_from(bytes_of(data, n));
	struct bytes anchor = rd_bytes(&r, rd_be16(&r)), text;
	struct crl_facts facts;
	char why[CERT_TEXT];
	struct trust *t;
	uint8_t *der;
	size_t len;
	bool ok;

	if (!rd_ok(&r))
		return false;
	text = rd_bytes(&r, r.left);
	der = malloc(CRL_SIZE_MAX);
	if (!der)
		abort();
	ok = crl_read(text, anchor, der, &len, &facts, why);
	if (ok != (why[0] == '\0') || ok != (len > 0))
		abort();
	t = trust_new();
	if (trust_add_crl(t, ok ? bytes_of(der, len) : text, why) < ok)
		abort();
	trust_free(t);
	free(der);
	return ok;
}
