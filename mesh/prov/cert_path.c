/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path of a chain, RFC 5280 section 6. OpenSSL validates it in its lenient mode, because the
 * strict one refuses chains that are in use; what that leaves out is checked here, and each way to
 * fail gets the verdict and the words that an installer can act upon.
 */
#include "cert_path.h"

#include <stdio.h>
#include <string.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>

#include "cert_profile.h"

enum {
	DEPTH = CERT_CHAIN_MAX + 1,
	SECURITY_LEVEL = 2, /* 112 bits: no SHA-1, RSA from 2048 bits */
	NAME_SHOWN = 100,
};

/* unused: intermediates were given that the path did not come to. */
static enum cert_verdict verdict_of(int error, bool unused)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return CERT_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return CERT_NOT_YET_VALID;
	case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
		return CERT_USAGE;
	case X509_V_ERR_EC_KEY_EXPLICIT_PARAMS:
		return CERT_KEY;
	case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
	case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
	case X509_V_ERR_INVALID_EXTENSION:
		return CERT_MALFORMED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return unused ? CERT_CHAIN : CERT_UNTRUSTED;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
	case X509_V_ERR_INVALID_NON_CA:
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
	case X509_V_ERR_SUBTREE_MINMAX:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
	case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
	case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
	case X509_V_ERR_INVALID_POLICY_EXTENSION:
	case X509_V_ERR_NO_EXPLICIT_POLICY:
		return CERT_CHAIN;
	default:
		return CERT_UNTRUSTED;
	}
}

static const char *date_text(const ASN1_TIME *t, char out[24])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1 || strftime(out, 24, "%Y-%m-%d %H:%M", &tm) == 0)
		snprintf(out, 24, "?");
	return out;
}

/* depth as OpenSSL counts: 0 is the device's own. */
static enum cert_verdict refuse(X509_STORE_CTX *c, int given, char why[CERT_TEXT])
{
	int error = X509_STORE_CTX_get_error(c), depth = X509_STORE_CTX_get_error_depth(c);
	bool unused = sk_X509_num(X509_STORE_CTX_get0_chain(c)) - 1 < given;
	enum cert_verdict v = verdict_of(error, unused);
	X509 *x = X509_STORE_CTX_get_current_cert(c);
	char who[56] = "The device certificate", issuer[CERT_TEXT] = "?", date[24];

	if (depth > 0)
		snprintf(who, sizeof(who), "Certificate %d above the device certificate", depth);
	if (x)
		cert_name_text(X509_get_issuer_name(x), issuer);
	if (x && v == CERT_EXPIRED)
		cert_say(v, why, "%s was valid until %s UTC.", who,
			 date_text(X509_get0_notAfter(x), date));
	else if (x && v == CERT_NOT_YET_VALID)
		cert_say(v, why, "%s is valid from %s UTC on.", who,
			 date_text(X509_get0_notBefore(x), date));
	else if (error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
		 error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
		 error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)
		cert_say(v, why,
			 unused ? "The chain is broken: %s was issued by \"%.*s\", which is not "
				  "among the certificates given."
				: "%s was issued by \"%.*s\", which is no trust anchor here.",
			 who, NAME_SHOWN, issuer);
	else
		cert_say(v, why, "%s is refused: %s.", who, X509_verify_cert_error_string(error));
	return v;
}

/* 5.5.1.1: keys on named curves only. Explicit parameters may describe any curve. */
static bool is_explicit(const EVP_PKEY *key)
{
	char encoding[16] = "";
	size_t n;

	return EVP_PKEY_is_a(key, "EC") &&
	       (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, encoding,
					       sizeof(encoding), &n) != 1 ||
		strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0);
}

/* OpenSSL's lenient mode also takes a certificate that only hints at being a CA, and keys whose
 * curve is described instead of named. A device that shares a key with an issuer of its own could
 * be replaced by whoever holds that key. */
static enum cert_verdict check_issuers(STACK_OF(X509) * chain, char why[CERT_TEXT])
{
	const EVP_PKEY *own = X509_get0_pubkey(sk_X509_value(chain, 0));

	for (int i = 1; i < sk_X509_num(chain); i++) {
		const EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(chain, i));

		if (X509_check_ca(sk_X509_value(chain, i)) != 1)
			return cert_say(CERT_CHAIN, why,
					"Certificate %d above the device certificate is not that "
					"of a CA.",
					i);
		if (!key || is_explicit(key))
			return cert_say(CERT_KEY, why,
					"The key of certificate %d above the device certificate is "
					"not one of a named curve.",
					i);
		if (EVP_PKEY_eq(own, key) == 1)
			return cert_say(CERT_KEY, why,
					"The device certificate has the same key as certificate %d "
					"above it.",
					i);
	}
	return CERT_OK;
}

/* The list is of key's holder, and key has signed x too: only then it speaks of x. */
static bool is_listed(X509_CRL *crl, EVP_PKEY *key, X509 *x)
{
	X509_REVOKED *entry;

	return key && X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(x)) == 0 &&
	       X509_CRL_get0_by_cert(crl, &entry, x) == 1 && X509_CRL_verify(crl, key) == 1 &&
	       X509_verify(x, key) == 1;
}

/* Lists are the operator's choice: none refuses nobody, and an old one still revokes. OpenSSL wants
 * a list to be fresh, and does not look above a pinned intermediate, hence our own search. */
static enum cert_verdict check_revoked(const struct trust *t, STACK_OF(X509) * chain,
				       char why[CERT_TEXT])
{
	int n = sk_X509_num(chain), anchors = sk_X509_num(t->anchors);

	for (int i = 0; i < n; i++) {
		X509 *x = sk_X509_value(chain, i);

		for (int k = 0; k < sk_X509_CRL_num(t->crls); k++) {
			X509_CRL *crl = sk_X509_CRL_value(t->crls, k);
			bool listed =
				i + 1 < n &&
				is_listed(crl, X509_get0_pubkey(sk_X509_value(chain, i + 1)), x);

			for (int a = 0; i + 1 == n && a < anchors && !listed; a++)
				listed = is_listed(
					crl, X509_get0_pubkey(sk_X509_value(t->anchors, a)), x);
			if (listed && i == 0)
				return cert_say(CERT_REVOKED, why,
						"The device certificate is on its issuer's "
						"revocation list.");
			if (listed)
				return cert_say(CERT_REVOKED, why,
						"Certificate %d above the device certificate is on "
						"its issuer's revocation list.",
						i);
		}
	}
	return CERT_OK;
}

static void fingerprint(const X509 *x, uint8_t out[CERT_FINGERPRINT])
{
	unsigned n = 0;

	if (X509_digest(x, EVP_sha256(), out, &n) != 1 || n != CERT_FINGERPRINT)
		memset(out, 0, CERT_FINGERPRINT);
}

enum cert_verdict cert_path(const struct trust *t, X509 *leaf, STACK_OF(X509) * others, time_t now,
			    uint8_t anchor[CERT_FINGERPRINT], char why[CERT_TEXT])
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK;
	X509_VERIFY_PARAM *param;
	STACK_OF(X509) * chain;
	enum cert_verdict v;

	if (!c || X509_STORE_CTX_init(c, t->store, leaf, others) != 1)
		abort();
	param = X509_STORE_CTX_get0_param(c);
	X509_VERIFY_PARAM_set_flags(param, flags);
	X509_VERIFY_PARAM_set_time(param, now);
	X509_VERIFY_PARAM_set_depth(param, DEPTH);
	X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
	if (X509_verify_cert(c) == 1) {
		chain = X509_STORE_CTX_get0_chain(c);
		X509 *end = sk_X509_value(chain, sk_X509_num(chain) - 1);

		v = check_issuers(chain, why);
		if (v == CERT_OK)
			v = check_revoked(t, chain, why);
		if (v == CERT_OK)
			fingerprint(end, anchor);
	} else {
		v = refuse(c, sk_X509_num(others), why);
	}
	X509_STORE_CTX_free(c);
	return v;
}
