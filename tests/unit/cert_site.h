/* SPDX-License-Identifier: Apache-2.0 */
/* A trust store with a root and an intermediate, and what a check of a chain is expected to say. */
#ifndef MESHMASON_TESTS_CERT_SITE_H
#define MESHMASON_TESTS_CERT_SITE_H

#include <openssl/err.h>

#include "cert_maker.h"
#include "certificate.h"
#include "check.h"

static const char *const verdict_name[] = {
	[CERT_OK] = "ok",
	[CERT_MALFORMED] = "malformed",
	[CERT_UNTRUSTED] = "untrusted",
	[CERT_CHAIN] = "chain",
	[CERT_EXPIRED] = "expired",
	[CERT_NOT_YET_VALID] = "not yet valid",
	[CERT_REVOKED] = "revoked",
	[CERT_UUID_MISMATCH] = "uuid mismatch",
	[CERT_USAGE] = "usage",
	[CERT_KEY] = "key",
};

static inline struct trust *trust_in(struct bytes anchor)
{
	struct trust *t = trust_new();
	char why[CERT_TEXT];

	if (!trust_add(t, anchor, why))
		fail_msg("anchor: %s", why);
	check_str(why, "");
	return t;
}

/* Checks one chain, and that every refusal comes with a sentence and an empty error queue. */
static inline void expect(const char *row, enum cert_verdict want, const struct trust *t,
			  struct bytes leaf, const struct bytes *others, size_t n, int64_t now)
{
	struct cert_facts facts;
	char why[CERT_TEXT];
	uint8_t uuid[UUID_LEN];
	enum cert_verdict v;

	check(uuid_parse(CERT_UUID, uuid));
	ERR_clear_error();
	v = cert_check(t, leaf, others, n, uuid, (time_t)now, &facts, why);
	if (v != want)
		fail_msg("row \"%s\": %s instead of %s (%s)", row, verdict_name[v],
			 verdict_name[want], why);
	check_row(row, (why[0] == '\0') == (v == CERT_OK));
	check_row(row, v == CERT_OK || why[strlen(why) - 1] == '.');
	check_row(row, ERR_peek_error() == 0);
}

struct site {
	struct cert root, intermediate;
	struct bytes others[1];
	struct trust *trust;
};

static const struct cert_spec root_spec = { .cn = "Root", .ca = true };
static const struct cert_spec intermediate_spec = { .cn = "Intermediate", .ca = true };

static inline void site_make(struct site *s)
{
	s->root = cert_make(&root_spec, NULL);
	s->intermediate = cert_make(&intermediate_spec, &s->root);
	s->others[0] = cert_view(&s->intermediate);
	s->trust = trust_in(cert_view(&s->root));
}

static inline void site_free(struct site *s)
{
	cert_drop(&s->root);
	cert_drop(&s->intermediate);
	trust_free(s->trust);
}

#endif
