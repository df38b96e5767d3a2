/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chains of device certificates, Mesh 5.5.1 and RFC 5280:
 *
 *   device certificate <- intermediate 1 <- ... <- intermediate M <- trust anchor
 *   (record 0x0001)       (records 0x0002..0x0010)                   (configured, never from a
 * device)
 *
 * OpenSSL validates the path; what it leaves out in its lenient mode (the strict mode refuses
 * chains that are in use) and what the profile adds is checked here and in cert_profile.c.
 */
#include "certificate.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "cert_path.h"
#include "cert_profile.h"

enum { SECURITY_BITS = 112 };

struct trust *trust_new(void)
{
	struct trust *t = calloc(1, sizeof(*t));

	if (!t || !(t->store = X509_STORE_new()) || !(t->anchors = sk_X509_new_null()) ||
	    !(t->crls = sk_X509_CRL_new_null()))
		abort();
	return t;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	X509_STORE_free(t->store);
	sk_X509_pop_free(t->anchors, X509_free);
	sk_X509_CRL_pop_free(t->crls, X509_CRL_free);
	free(t);
}

static bool can_anchor(X509 *x, char why[CERT_TEXT])
{
	const EVP_PKEY *key;

	if (cert_well_formed(x, why) != CERT_OK)
		return false;
	if (X509_check_ca(x) != 1)
		cert_say(CERT_USAGE, why,
			 "This is not the certificate of a CA: its basic constraints do not say "
			 "so, or its key usage is not certificate signing.");
	else if (!(key = X509_get0_pubkey(x)))
		cert_say(CERT_KEY, why, "Its public key cannot be read.");
	else if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS)
		cert_say(CERT_KEY, why, "Its public key is too weak.");
	else
		return true;
	return false;
}

bool trust_add(struct trust *t, struct bytes der, char why[CERT_TEXT])
{
	bool ok = false;
	X509 *x;

	why[0] = '\0';
	ERR_set_mark();
	x = cert_parse(der);
	if (!x)
		cert_say(CERT_MALFORMED, why, "This is not an X.509 certificate.");
	else if (can_anchor(x, why))
		ok = X509_STORE_add_cert(t->store, x) == 1; /* one that is there already is fine */
	if (ok && (!X509_up_ref(x) || !sk_X509_push(t->anchors, x)))
		abort();
	X509_free(x);
	ERR_pop_to_mark();
	return ok;
}

/* One of those that the device, or a server for it, handed out. 5.4.2.6.5 and 5.6.1.2.2 forbid
 * self-signed ones; whoever names himself as his issuer is taken as such without a look at the
 * signature. */
static enum cert_verdict check_given(X509 *x, struct bytes der, char why[CERT_TEXT])
{
	enum cert_verdict v;

	if (der.n > CERT_SIZE_MAX)
		return cert_say(CERT_MALFORMED, why, "A certificate is larger than %d octets.",
				CERT_SIZE_MAX);
	if (!x)
		return cert_say(CERT_MALFORMED, why,
				"What was given as a certificate is not one in DER, or has octets "
				"left over.");
	v = cert_well_formed(x, why);
	if (v == CERT_OK && cert_names_itself(x))
		v = cert_say(
			CERT_CHAIN, why,
			"A certificate of the chain is self-signed: roots are configured here, "
			"never taken from a device.");
	return v;
}

static enum cert_verdict read_intermediates(const struct bytes *der, size_t n, STACK_OF(X509) * out,
					    char why[CERT_TEXT])
{
	enum cert_verdict v = CERT_OK;

	if (n > CERT_CHAIN_MAX)
		return cert_say(CERT_CHAIN, why,
				"The chain has %zu intermediate certificates; %d are allowed.", n,
				CERT_CHAIN_MAX);
	for (size_t i = 0; i < n && v == CERT_OK; i++) {
		X509 *x = cert_parse(der[i]);

		v = check_given(x, der[i], why);
		if (x && sk_X509_push(out, x) == 0)
			abort();
	}
	return v;
}

static enum cert_verdict check_all(const struct trust *t, X509 *leaf, STACK_OF(X509) * others,
				   const uint8_t *uuid, time_t now,
				   uint8_t anchor[CERT_FINGERPRINT], char why[CERT_TEXT])
{
	uint8_t public_key[P256_PUBLIC];
	struct cert_ids ids;
	enum cert_verdict v;

	v = cert_key(leaf, public_key, why);
	if (v != CERT_OK)
		return v;
	if (sk_X509_num(t->anchors) == 0)
		return cert_say(CERT_UNTRUSTED, why, "No trust anchor is configured.");
	v = cert_path(t, leaf, others, now, anchor, why);
	if (v != CERT_OK)
		return v;
	v = cert_profile(leaf, why);
	if (v != CERT_OK)
		return v;
	if (!cert_common_name(leaf, &ids) || (uuid && memcmp(ids.uuid, uuid, UUID_LEN) != 0))
		return cert_say(CERT_UUID_MISMATCH, why,
				"The certificate belongs to a device with another UUID.");
	return CERT_OK;
}

enum cert_verdict cert_check(const struct trust *t, struct bytes leaf,
			     const struct bytes *intermediates, size_t n_intermediates,
			     const uint8_t uuid[UUID_LEN], time_t now, struct cert_facts *facts,
			     char why[CERT_TEXT])
{
	STACK_OF(X509) *others = sk_X509_new_null();
	enum cert_verdict v;
	X509 *x;

	if (!others)
		abort();
	memset(facts, 0, sizeof(*facts));
	why[0] = '\0';
	ERR_set_mark();
	x = leaf.n <= CERT_SIZE_MAX ? cert_parse(leaf) : NULL;
	if (x)
		cert_facts_read(x, leaf, facts);
	v = check_given(x, leaf, why);
	if (v == CERT_OK)
		v = read_intermediates(intermediates, n_intermediates, others, why);
	if (v == CERT_OK)
		v = check_all(t, x, others, uuid, now, facts->anchor, why);
	sk_X509_pop_free(others, X509_free);
	X509_free(x);
	ERR_pop_to_mark(); /* hostile input is no failure that others should find in the queue */
	return v;
}

bool cert_facts(struct bytes der, struct cert_facts *out)
{
	X509 *x;

	memset(out, 0, sizeof(*out));
	ERR_set_mark();
	x = cert_parse(der);
	if (x)
		cert_facts_read(x, der, out);
	X509_free(x);
	ERR_pop_to_mark();
	return x != NULL;
}

/* The certificates of PEM text; -1 when a block is broken. Without each it only counts. No
 * pass phrase is ever asked for: a block with a header is passed over like any other kind. */
static int each_pem(struct bytes text, void (*each)(void *ctx, struct bytes der), void *ctx)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	char *name, *header;
	unsigned char *data;
	int found = 0;
	long n;

	if (!bio)
		abort();
	while (PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		if ((strcmp(name, PEM_STRING_X509) == 0 ||
		     strcmp(name, PEM_STRING_X509_OLD) == 0) &&
		    header[0] == '\0') {
			found++;
			if (each)
				each(ctx, bytes_of(data, (size_t)n));
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)n);
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		found = -1;
	BIO_free(bio);
	return found;
}

int cert_each(struct bytes text, void (*each)(void *ctx, struct bytes der), void *ctx)
{
	X509 *x;
	int n;

	if (text.n == 0 || text.n > INT32_MAX)
		return -1;
	ERR_set_mark();
	x = cert_parse(text);
	if (x) {
		n = 1;
		X509_free(x);
		each(ctx, text);
	} else {
		n = each_pem(text, NULL, NULL);
		if (n > 0)
			each_pem(text, each, ctx);
		else
			n = -1;
	}
	ERR_pop_to_mark();
	return n;
}
