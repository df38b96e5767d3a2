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

enum { CERT_TEXT = 256, CERT_FINGERPRINT = 32, CERT_CHAIN_MAX = 15, CERT_SIZE_MAX = 8192 };

enum cert_verdict {
	CERT_OK,
	CERT_MALFORMED, /* not DER, trailing octets, profile violation other than below */
	CERT_UNTRUSTED, /* no anchor, unknown issuer, bad or weak signature */
	CERT_CHAIN,	/* broken, too long, self-signed inside, issued by who may not issue */
	CERT_EXPIRED,
	CERT_NOT_YET_VALID,
	CERT_REVOKED,
	CERT_UUID_MISMATCH,
	CERT_USAGE, /* key usage, CA flag, forbidden or unknown critical extension */
	CERT_KEY,   /* not a valid point of P-256 by name, or the key of an issuer */
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
	/* SHA-256 of the anchor that the chain ends in, once the path was found good; else zero */
	uint8_t anchor[CERT_FINGERPRINT];
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

/* What a revocation list says of itself. Unix seconds; next_update 0: it does not say. */
struct crl_facts {
	int64_t issued, next_update;
	size_t revoked;
};
/* Reads one list, DER or PEM, that the anchor's own key must have signed. *der_out (CRL_SIZE_MAX
 * octets) and *n get it as DER. False with a sentence in why. */
enum { CRL_SIZE_MAX = 1 << 20 };
bool crl_read(struct bytes text, struct bytes anchor, uint8_t *der_out, size_t *n,
	      struct crl_facts *facts, char why[CERT_TEXT]);

/* Checks leaf with its intermediates (in record order) against the anchors, as the profile of
 * 5.5.1.1 wants it. uuid NULL: for whatever device it names. On any verdict but CERT_OK why holds a
 * sentence; facts are filled as far as the leaf could be parsed. */
enum cert_verdict cert_check(const struct trust *t, struct bytes leaf,
			     const struct bytes *intermediates, size_t n_intermediates,
			     const uint8_t uuid[UUID_LEN], time_t now, struct cert_facts *facts,
			     char why[CERT_TEXT]);

/* Facts of any certificate, for lists of anchors; false when it does not parse. */
bool cert_facts(struct bytes der, struct cert_facts *out);
/* Puts the certificates of a device, come without an order (5.6), into that of a chain: the one
 * that is no CA first, then each one's issuer; out has n places and views into given. A verdict
 * other than CERT_OK with a sentence in why when they are not exactly one chain. */
enum cert_verdict cert_arrange(const struct bytes *given, size_t n, struct bytes *out,
			       char why[CERT_TEXT]);
/* PEM text with one or many certificates, or one DER: calls each for every one; the number found,
 * -1 when text is neither (then each was not called). Other PEM blocks are passed over. */
int cert_each(struct bytes text, void (*each)(void *ctx, struct bytes der), void *ctx);

#endif
