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

#include "cert_profile.h"

enum {
	DEPTH = CERT_CHAIN_MAX + 1,
	SECURITY_LEVEL = 2, /* 112 bits: no SHA-1, RSA from 2048 bits */
	SECURITY_BITS = 112,
};

struct trust {
	X509_STORE *store;
	size_t anchors, crls;
};

struct trust *trust_new(void)
{
	struct trust *t = calloc(1, sizeof(*t));

	if (!t || !(t->store = X509_STORE_new()))
		abort();
	return t;
}

void trust_free(struct trust *t)
{
	if (!t)
		return;
	X509_STORE_free(t->store);
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
	t->anchors += ok;
	X509_free(x);
	ERR_pop_to_mark();
	return ok;
}

bool trust_add_crl(struct trust *t, struct bytes der, char why[CERT_TEXT])
{
	const uint8_t *p = der.p;
	X509_CRL *crl = NULL;
	bool ok = false;

	why[0] = '\0';
	ERR_set_mark();
	if (der.n > 0 && der.n <= INT32_MAX)
		crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	if (!crl || p != der.p + der.n)
		cert_say(CERT_MALFORMED, why, "This is not a certificate revocation list.");
	else
		ok = X509_STORE_add_crl(t->store, crl) == 1;
	t->crls += ok;
	X509_CRL_free(crl);
	ERR_pop_to_mark();
	return ok;
}

/* Revocation lists are the operator's choice: none, or an old one, refuses nobody by itself. */
static int on_verify_error(int ok, X509_STORE_CTX *c)
{
	int error = X509_STORE_CTX_get_error(c);

	if (ok)
		return 1;
	if (error != X509_V_ERR_UNABLE_TO_GET_CRL && error != X509_V_ERR_CRL_HAS_EXPIRED &&
	    error != X509_V_ERR_CRL_NOT_YET_VALID)
		return 0;
	X509_STORE_CTX_set_error(c, X509_V_OK);
	return 1;
}

static enum cert_verdict verdict_of(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return CERT_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return CERT_NOT_YET_VALID;
	case X509_V_ERR_CERT_REVOKED:
		return CERT_REVOKED;
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
		return CERT_USAGE;
	case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
	case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
	case X509_V_ERR_INVALID_EXTENSION:
		return CERT_MALFORMED;
	default:
		return CERT_UNTRUSTED;
	}
}

/* OpenSSL's lenient mode also takes a certificate that only hints at being a CA. */
static enum cert_verdict check_issuers(X509_STORE_CTX *c, char why[CERT_TEXT])
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(c);

	for (int i = 1; i < sk_X509_num(chain); i++) {
		if (X509_check_ca(sk_X509_value(chain, i)) != 1)
			return cert_say(CERT_UNTRUSTED, why,
					"Certificate %d above the device certificate is not that "
					"of a CA.",
					i);
	}
	return CERT_OK;
}

static enum cert_verdict check_path(const struct trust *t, X509 *leaf, STACK_OF(X509) * others,
				    time_t now, char why[CERT_TEXT])
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK;
	X509_VERIFY_PARAM *param;
	enum cert_verdict v;

	if (!c || X509_STORE_CTX_init(c, t->store, leaf, others) != 1)
		abort();
	if (t->crls > 0)
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
	param = X509_STORE_CTX_get0_param(c);
	X509_VERIFY_PARAM_set_flags(param, flags);
	X509_VERIFY_PARAM_set_time(param, now);
	X509_VERIFY_PARAM_set_depth(param, DEPTH);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	X509_STORE_CTX_set_verify_cb(c, on_verify_error);
	if (X509_verify_cert(c) == 1) {
		v = check_issuers(c, why);
	} else {
		int error = X509_STORE_CTX_get_error(c), depth = X509_STORE_CTX_get_error_depth(c);

		v = verdict_of(error);
		if (depth == 0)
			cert_say(v, why, "The device certificate is refused: %s.",
				 X509_verify_cert_error_string(error));
		else
			cert_say(v, why,
				 "Certificate %d above the device certificate is refused: "
				 "%s.",
				 depth, X509_verify_cert_error_string(error));
	}
	X509_STORE_CTX_free(c);
	return v;
}

/* One of those that the device, or a server for it, handed out. 5.4.2.6.5 and 5.6.1.2.2 forbid
 * self-signed ones; whoever names himself as his issuer is taken as such without a look at the
 * signature. */
static enum cert_verdict check_given(X509 *x, char why[CERT_TEXT])
{
	enum cert_verdict v;

	if (!x)
		return cert_say(CERT_MALFORMED, why,
				"What was given as a certificate is not one in DER, or has octets "
				"left over.");
	v = cert_well_formed(x, why);
	if (v == CERT_OK && X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0)
		v = cert_say(CERT_UNTRUSTED, why, "A certificate of the chain is self-signed.");
	return v;
}

static enum cert_verdict read_intermediates(const struct bytes *der, size_t n, STACK_OF(X509) * out,
					    char why[CERT_TEXT])
{
	enum cert_verdict v = CERT_OK;

	if (n > CERT_CHAIN_MAX)
		return cert_say(CERT_UNTRUSTED, why,
				"There are too many intermediate certificates.");
	for (size_t i = 0; i < n && v == CERT_OK; i++) {
		X509 *x = cert_parse(der[i]);

		v = check_given(x, why);
		if (x && sk_X509_push(out, x) == 0)
			abort();
	}
	return v;
}

static enum cert_verdict check_all(const struct trust *t, X509 *leaf, STACK_OF(X509) * others,
				   const uint8_t uuid[UUID_LEN], time_t now, char why[CERT_TEXT])
{
	uint8_t public_key[P256_PUBLIC];
	struct cert_ids ids;
	enum cert_verdict v;

	v = cert_key(leaf, public_key, why);
	if (v != CERT_OK)
		return v;
	if (t->anchors == 0)
		return cert_say(CERT_UNTRUSTED, why, "No trust anchor is configured.");
	v = check_path(t, leaf, others, now, why);
	if (v != CERT_OK)
		return v;
	v = cert_profile(leaf, why);
	if (v != CERT_OK)
		return v;
	if (!cert_common_name(leaf, &ids) || memcmp(ids.uuid, uuid, UUID_LEN) != 0)
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
	x = cert_parse(leaf);
	if (x)
		cert_facts_read(x, leaf, facts);
	v = check_given(x, why);
	if (v == CERT_OK)
		v = read_intermediates(intermediates, n_intermediates, others, why);
	if (v == CERT_OK)
		v = check_all(t, x, others, uuid, now, why);
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
