/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate chain. Input: parts of two octets of length and that many octets: the trust
 * anchor, the device's certificate, its intermediates. Accepted: the chain is good, on the first of
 * January 2027, for the device that it names.
 */
#include <stdlib.h>
#include <string.h>

#include "certificate.h"
#include "fuzz.h"

enum { NOW = 1798761600 };

static void on_each(void *ctx, struct bytes der)
{
	struct cert_facts facts;

	cert_facts(der, &facts);
	++*(int *)ctx;
}

static bool check_chain(struct bytes anchor, struct bytes leaf, const struct bytes *others,
			size_t n)
{
	struct trust *t = trust_new();
	struct cert_facts facts, again;
	char why[CERT_TEXT];
	enum cert_verdict v;

	if (!trust_add(t, anchor, why))
		trust_add_crl(t, anchor, why);
	cert_facts(leaf, &facts);
	v = cert_check(t, leaf, others, n, facts.uuid, NOW, &again, why);
	if ((v == CERT_OK) != (why[0] == '\0') || memchr(why, '\0', sizeof(why)) == NULL)
		abort();
	memset(again.anchor, 0, sizeof(again.anchor)); /* that is of the path, not of the leaf */
	if (v == CERT_OK && (!p256_valid(again.public_key) || again.not_after < NOW ||
			     memcmp(&facts, &again, sizeof(facts)) != 0))
		abort();
	trust_free(t);
	return v == CERT_OK;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct bytes parts[2 + CERT_CHAIN_MAX + 1];
	struct rd r = rd_from(bytes_of(data, n));
	size_t n_parts = 0;
	int counted = 0, found;

	found = cert_each(bytes_of(data, n), on_each, &counted);
	if (counted != (found < 0 ? 0 : found))
		abort();
	while (rd_ok(&r) && !rd_finished(&r) && n_parts < ARRAY_LEN(parts))
		parts[n_parts++] = rd_bytes(&r, rd_be16(&r));
	if (!rd_ok(&r) || n_parts < 2)
		return false;
	return check_chain(parts[0], parts[1], parts + 2, n_parts - 2);
}
