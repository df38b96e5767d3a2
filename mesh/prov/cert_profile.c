/* SPDX-License-Identifier: Apache-2.0 */
/* The Device Certificate profile, Mesh 5.5.1.1, and what may be shown of a certificate. */
#include "cert_profile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { COMMON_NAME_MAX = 64 /* ub-common-name of RFC 5280 */, SERIAL_MAX = 20 };

enum cert_verdict cert_say(enum cert_verdict v, char why[CERT_TEXT], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, CERT_TEXT, format, args);
	va_end(args);
	return v;
}

X509 *cert_parse(struct bytes der)
{
	const uint8_t *p = der.p;
	uint8_t *again = NULL;
	X509 *x;
	int n;

	if (der.n == 0 || der.n > INT32_MAX)
		return NULL;
	x = d2i_X509(NULL, &p, (long)der.n);
	if (!x)
		return NULL;
	n = i2d_X509(x, &again);
	if (n < 0 || !bytes_equal(der, bytes_of(again, (size_t)n))) {
		X509_free(x);
		x = NULL;
	}
	OPENSSL_free(again);
	return x;
}

/* ---- names ---- */

static bool parse_word_hex16(const char *word, const char *prefix, uint16_t *out)
{
	size_t n = strlen(prefix);
	uint8_t octets[2];

	if (strncmp(word, prefix, n) != 0 || !hex_parse_exact(word + n, octets, sizeof(octets)))
		return false;
	*out = (uint16_t)(octets[0] << 8 | octets[1]);
	return true;
}

/* "uuid", or "uuid BCID:hhhh BPID:hhhh": both or neither, and no other word. */
static bool parse_common_name(char *text, struct cert_ids *out)
{
	char *words[4], *save = NULL;
	size_t n = 0;
	bool company, product;

	for (char *w = strtok_r(text, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (n == ARRAY_LEN(words))
			return false;
		words[n++] = w;
	}
	if ((n != 1 && n != 3) || !uuid_parse(words[0], out->uuid))
		return false;
	if (n == 1)
		return true;
	company = parse_word_hex16(words[1], "BCID:", &out->company) ||
		  parse_word_hex16(words[2], "BCID:", &out->company);
	product = parse_word_hex16(words[1], "BPID:", &out->product) ||
		  parse_word_hex16(words[2], "BPID:", &out->product);
	out->has_ids = company && product;
	return out->has_ids;
}

/* The only attribute of its kind; NULL when it is absent, doubled or empty. */
static const ASN1_STRING *only_entry(const X509_NAME *name, int nid)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	const ASN1_STRING *s;

	if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0)
		return NULL;
	s = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	return s && ASN1_STRING_length(s) > 0 ? s : NULL;
}

bool cert_common_name(const X509 *x, struct cert_ids *out)
{
	const ASN1_STRING *s = only_entry(X509_get_subject_name(x), NID_commonName);
	char text[COMMON_NAME_MAX + 1];
	unsigned char *utf8 = NULL;
	bool ok;
	int n;

	memset(out, 0, sizeof(*out));
	n = s ? ASN1_STRING_to_UTF8(&utf8, s) : -1;
	/* a zero octet inside must not hide what follows */
	ok = n > 0 && n <= COMMON_NAME_MAX && !memchr(utf8, '\0', (size_t)n);
	if (ok) {
		memcpy(text, utf8, (size_t)n);
		text[n] = '\0';
		ok = parse_common_name(text, out);
	}
	if (!ok)
		memset(out, 0, sizeof(*out));
	OPENSSL_free(utf8);
	return ok;
}

/* ---- facts ---- */

bool cert_names_itself(const X509 *x)
{
	return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

void cert_name_text(const X509_NAME *name, char out[CERT_TEXT])
{
	const unsigned long flags = (XN_FLAG_RFC2253 & ~(unsigned long)XN_FLAG_DN_REV &
				     ~(unsigned long)XN_FLAG_SEP_MASK) |
				    XN_FLAG_SEP_CPLUS_SPC;
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0)
		n = BIO_read(bio, out, CERT_TEXT - 1);
	out[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
}

int64_t cert_unix_time(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

void cert_facts_read(const X509 *x, struct bytes der, struct cert_facts *out)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	size_t serial_n = (size_t)ASN1_STRING_length(serial);
	char ignored[CERT_TEXT];
	struct cert_ids ids;

	memset(out, 0, sizeof(*out));
	cert_name_text(X509_get_subject_name(x), out->subject);
	cert_name_text(X509_get_issuer_name(x), out->issuer);
	if (serial_n > (sizeof(out->serial) - 1) / 2)
		serial_n = (sizeof(out->serial) - 1) / 2;
	hex_format(out->serial, bytes_of(ASN1_STRING_get0_data(serial), serial_n));
	out->not_before = cert_unix_time(X509_get0_notBefore(x));
	out->not_after = cert_unix_time(X509_get0_notAfter(x));
	sha256(der, out->fingerprint);
	if (cert_common_name(x, &ids)) {
		memcpy(out->uuid, ids.uuid, sizeof(out->uuid));
		out->has_ids = ids.has_ids;
		out->company = ids.company;
		out->product = ids.product;
	}
	if (cert_key(x, out->public_key, ignored) != CERT_OK)
		memset(out->public_key, 0, sizeof(out->public_key));
}

/* ---- the profile ---- */

/* RFC 5280 4.1.2.2: a positive number of at most 20 octets. */
static bool serial_is_good(const X509 *x)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
	int n = ASN1_STRING_length(serial);
	const uint8_t *p = ASN1_STRING_get0_data(serial);

	return ASN1_STRING_type(serial) == V_ASN1_INTEGER && n <= SERIAL_MAX &&
	       !(n == 0 || (n == 1 && p[0] == 0));
}

enum cert_verdict cert_well_formed(X509 *x, char why[CERT_TEXT])
{
	int n = X509_get_ext_count(x);

	if (!serial_is_good(x))
		return cert_say(CERT_MALFORMED, why,
				"A certificate's serial number is not positive, or longer than %d "
				"octets.",
				SERIAL_MAX);
	for (int i = 0; i < n; i++) {
		const ASN1_OBJECT *oid = X509_EXTENSION_get_object(X509_get_ext(x, i));

		if (X509_get_ext_by_OBJ(x, oid, i) >= 0)
			return cert_say(CERT_MALFORMED, why,
					"A certificate has the same extension twice.");
	}
	/* OpenSSL marks a certificate so that has no readable key, too: that has a verdict of its
	 * own for the leaf, and ends path validation for the others. */
	if (X509_get0_pubkey(x) && X509_get_extension_flags(x) & EXFLAG_INVALID)
		return cert_say(CERT_MALFORMED, why,
				"A certificate has an extension that cannot be read.");
	return CERT_OK;
}

enum cert_verdict cert_key(const X509 *x, uint8_t out[P256_PUBLIC], char why[CERT_TEXT])
{
	const unsigned char *point;
	ASN1_OBJECT *algorithm;
	const void *curve = NULL;
	X509_ALGOR *algor;
	int n, type = V_ASN1_UNDEF;

	if (X509_PUBKEY_get0_param(&algorithm, &point, &n, &algor, X509_get_X509_PUBKEY(x)) != 1)
		return cert_say(CERT_KEY, why, "The public key cannot be read.");
	X509_ALGOR_get0(NULL, &type, &curve, algor);
	if (OBJ_obj2nid(algorithm) != NID_X9_62_id_ecPublicKey || type != V_ASN1_OBJECT ||
	    OBJ_obj2nid(curve) != NID_X9_62_prime256v1)
		return cert_say(CERT_KEY, why, "The public key is not one of P-256.");
	if (n != 1 + P256_PUBLIC || point[0] != POINT_CONVERSION_UNCOMPRESSED ||
	    !p256_valid(point + 1))
		return cert_say(CERT_KEY, why, "The public key is not a point of P-256.");
	memcpy(out, point + 1, P256_PUBLIC);
	return CERT_OK;
}

/* keyAgreement and nothing else, 5.5.1.1.4.12 */
static bool only_key_agreement(const X509 *x)
{
	ASN1_BIT_STRING *usage = X509_get_ext_d2i(x, NID_key_usage, NULL, NULL);
	bool ok = usage != NULL;

	for (int bit = 0; usage && bit < 8 * ASN1_STRING_length(usage); bit++)
		ok = ok && ASN1_BIT_STRING_get_bit(usage, bit) == (bit == 4);
	ok = ok && ASN1_BIT_STRING_get_bit(usage, 4) == 1;
	ASN1_BIT_STRING_free(usage);
	return ok;
}

/* Present, cA false, no pathLen. DER leaves a FALSE out, so an encoded one cannot be asked for. */
static bool says_no_ca(const X509 *x)
{
	BASIC_CONSTRAINTS *bc = X509_get_ext_d2i(x, NID_basic_constraints, NULL, NULL);
	bool ok = bc && !bc->ca && !bc->pathlen;

	BASIC_CONSTRAINTS_free(bc);
	return ok;
}

static enum cert_verdict check_extensions(const X509 *x, char why[CERT_TEXT])
{
	static const struct {
		int nid;
		const char *name;
	} forbidden[] = {
		{ NID_subject_alt_name, "subjectAltName" },
		{ NID_name_constraints, "nameConstraints" },
		{ NID_policy_mappings, "policyMappings" },
		{ NID_policy_constraints, "policyConstraints" },
		{ NID_ext_key_usage, "extKeyUsage" },
		{ NID_inhibit_any_policy, "inhibitAnyPolicy" },
	};
	int at;

	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		if (X509_get_ext_by_NID(x, forbidden[i].nid, -1) >= 0)
			return cert_say(CERT_USAGE, why,
					"The device certificate has the extension %s, which the "
					"profile of device certificates forbids.",
					forbidden[i].name);
	}
	if (!says_no_ca(x))
		return cert_say(CERT_USAGE, why,
				"The device certificate does not say that it is no CA.");
	if (!only_key_agreement(x))
		return cert_say(CERT_USAGE, why,
				"The key usage of the device certificate is not key agreement "
				"alone.");
	at = X509_get_ext_by_NID(x, NID_certificate_policies, -1);
	if (at >= 0 && !X509_EXTENSION_get_critical(X509_get_ext(x, at)))
		return cert_say(CERT_MALFORMED, why,
				"The certificate policies of the device certificate are not "
				"critical.");
	return CERT_OK;
}

enum cert_verdict cert_profile(X509 *x, char why[CERT_TEXT])
{
	struct cert_ids ids;

	if (X509_get_version(x) != X509_VERSION_3)
		return cert_say(CERT_MALFORMED, why, "The device certificate is not of version 3.");
	if (X509_get_signature_nid(x) != NID_ecdsa_with_SHA256)
		return cert_say(CERT_MALFORMED, why,
				"The device certificate is not signed by ECDSA with SHA-256.");
	if (!only_entry(X509_get_subject_name(x), NID_organizationName))
		return cert_say(CERT_MALFORMED, why,
				"The device certificate names no organization, or several.");
	if (!cert_common_name(x, &ids))
		return cert_say(CERT_MALFORMED, why,
				"The common name of the device certificate is not a Device UUID, "
				"alone or with BCID and BPID.");
	return check_extensions(x, why);
}
