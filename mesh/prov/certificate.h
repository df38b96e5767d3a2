/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device certificates, 5.5: profile, chain to configured trust anchors, the Device UUID bound to
 * the certificate, its public key. Time is an argument. Everything given here is hostile.
 */
#ifndef MESHMASON_CERTIFICATE_H
#define MESHMASON_CERTIFICATE_H

#include <time.h>

#include "bytes.h"
#include "crypto.h"

enum { CERT_TEXT = 256, CERT_FINGERPRINT = 32, CERT_CHAIN_MAX = 15 };

enum cert_verdict {
	CERT_OK,
	CERT_MALFORMED, /* not DER, trailing octets, profile violation other than below */
	CERT_UNTRUSTED, /* no anchor, unknown issuer, bad signature, self-signed, chain too long */
	CERT_EXPIRED,
	CERT_NOT_YET_VALID,
	CERT_REVOKED,
	CERT_UUID_MISMATCH,
	CERT_USAGE, /* key usage, CA flag, forbidden or unknown critical extension */
	CERT_KEY,   /* not a valid P-256 point */
};

/* What may be shown of a certificate. */
struct cert_facts {
	char subject[CERT_TEXT], issuer[CERT_TEXT], serial[64];
	int64_t not_before, not_after;	       /* Unix seconds */
	uint8_t fingerprint[CERT_FINGERPRINT]; /* SHA-256 of the DER */
	uint8_t uuid[UUID_LEN];
	bool has_ids;
	uint16_t company, product; /* BCID, BPID where the CN has them */
	uint8_t public_key[P256_PUBLIC];
};

/* A store of anchors: CA roots, or pinned intermediates. */
struct trust;
struct trust *trust_new(void);
void trust_free(struct trust *t);
/* False with the reason in why (a sentence) when der cannot anchor device certificates: it must say
 * of itself that it is a CA, or any device could vouch for any other. Its dates do not matter here,
 * they count when a device is checked; its key may also be RSA of 2048 bits or more. */
bool trust_add(struct trust *t, struct bytes der, char why[CERT_TEXT]);
/* A revocation list, DER, of any CA of a chain. Where there is none for a CA, its certificates
 * count as not revoked; a list that is out of date still revokes. False: der is none. */
bool trust_add_crl(struct trust *t, struct bytes der, char why[CERT_TEXT]);

/* Checks leaf with its intermediates (in record order) against the anchors, as the profile of
 * 5.5.1.1 wants it. On any verdict but CERT_OK why holds a sentence; facts are filled as far as
 * the leaf could be parsed. */
enum cert_verdict cert_check(const struct trust *t, struct bytes leaf,
			     const struct bytes *intermediates, size_t n_intermediates,
			     const uint8_t uuid[UUID_LEN], time_t now, struct cert_facts *facts,
			     char why[CERT_TEXT]);

/* Facts of any certificate, for lists of anchors; false when it does not parse. */
bool cert_facts(struct bytes der, struct cert_facts *out);
/* PEM text with one or many certificates, or one DER: calls each for every one; the number found,
 * -1 when text is neither (then each was not called). Other PEM blocks are passed over. */
int cert_each(struct bytes text, void (*each)(void *ctx, struct bytes der), void *ctx);

#endif
