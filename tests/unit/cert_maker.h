/* SPDX-License-Identifier: Apache-2.0 */
/* Makes certificates of any shape, good and hostile, for the tests of certificate.c. */
#ifndef MESHMASON_TESTS_CERT_MAKER_H
#define MESHMASON_TESTS_CERT_MAKER_H

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "bytes.h"
#include "check.h"

enum { CERT_DER_MAX = 4096 };

#define CERT_NOW  INT64_C(1800000000) /* when the tests of certificates take place: 2027-01-15 */
#define CERT_UUID "001bdc08-1021-0b0e-0a0c-000b0e0a0c01"

/* NULL members take the default; "" leaves the thing out. */
struct cert_spec {
	const char *cn, *cn2, *o;
	long version; /* as in X.509: 1, 2 or 3; 0 is 3 */
	const char *basic, *usage;
	const char *extra[4]; /* name, value, name, value */
	const EVP_MD *md;     /* SHA-256 */
	EVP_PKEY *key;	      /* a new P-256 key */
	int64_t not_before, not_after;
	bool ca;
};

struct cert {
	X509 *x;
	EVP_PKEY *key;
	uint8_t der[CERT_DER_MAX];
	size_t n;
};

static inline struct bytes cert_view(const struct cert *c)
{
	return bytes_of(c->der, c->n);
}

static inline void cert_drop(struct cert *c)
{
	X509_free(c->x);
	EVP_PKEY_free(c->key);
}

static inline void cert_put_name(X509_NAME *name, const char *field, const char *text)
{
	if (text && text[0])
		check_int(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
						     (const uint8_t *)text, -1, -1, 0),
			  1);
}

static inline void cert_put_extension(X509 *x, X509 *issuer, const char *name, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX c;

	if (!value || !value[0])
		return;
	X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_nconf(NULL, &c, name, value);
	if (!e)
		fail_msg("extension %s=%s", name, value);
	check_int(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static inline const char *cert_default(const char *given, const char *otherwise)
{
	return given ? given : otherwise;
}

/* Signs again as of another version: X509_sign of OpenSSL 3.5 makes it 3 where there are
 * extensions. */
static inline void cert_sign_as(X509 *x, EVP_PKEY *key, int version)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	const ASN1_BIT_STRING *signature;
	uint8_t *tbs = NULL, octets[80];
	size_t n = sizeof(octets);
	int len;

	check_int(X509_set_version(x, version - 1), 1);
	len = i2d_re_X509_tbs(x, &tbs);
	check_int(EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, key), 1);
	check_int(EVP_DigestSign(c, octets, &n, tbs, (size_t)len), 1);
	X509_get0_signature(&signature, NULL, x);
	check_int(ASN1_STRING_set((ASN1_BIT_STRING *)(uintptr_t)signature, octets, (int)n), 1);
	OPENSSL_free(tbs);
	EVP_MD_CTX_free(c);
}

/* NULL as issuer: self-signed. */
static inline struct cert cert_make(const struct cert_spec *s, const struct cert *issuer)
{
	struct cert c = { .x = X509_new(), .key = s->key ? s->key : EVP_EC_gen("P-256") };
	X509 *from = issuer ? issuer->x : c.x;
	X509_NAME *name = X509_get_subject_name(c.x);
	uint8_t *p = c.der;
	int n;

	if (s->key)
		EVP_PKEY_up_ref(s->key);
	check_int(X509_set_version(c.x, (s->version ? s->version : 3) - 1), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x), 4711);
	cert_put_name(name, "O", cert_default(s->o, "Example Works"));
	cert_put_name(name, "CN", cert_default(s->cn, CERT_UUID " BCID:1234 BPID:abcd"));
	cert_put_name(name, "CN", s->cn2);
	check_int(X509_set_issuer_name(c.x, X509_get_subject_name(from)), 1);
	ASN1_TIME_set(X509_getm_notBefore(c.x),
		      (time_t)(s->not_before ? s->not_before : CERT_NOW - 1000));
	ASN1_TIME_set(X509_getm_notAfter(c.x),
		      (time_t)(s->not_after ? s->not_after : CERT_NOW + 1000));
	check_int(X509_set_pubkey(c.x, c.key), 1);
	cert_put_extension(c.x, from, "basicConstraints",
			   cert_default(s->basic, s->ca ? "critical,CA:TRUE" : "CA:FALSE"));
	cert_put_extension(
		c.x, from, "keyUsage",
		cert_default(s->usage, s->ca ? "critical,keyCertSign,cRLSign" : "keyAgreement"));
	for (size_t i = 0; i < ARRAY_LEN(s->extra) && s->extra[i]; i += 2)
		cert_put_extension(c.x, from, s->extra[i], s->extra[i + 1]);
	check(X509_sign(c.x, issuer ? issuer->key : c.key, s->md ? s->md : EVP_sha256()) > 0);
	if (s->version)
		cert_sign_as(c.x, issuer ? issuer->key : c.key, s->version);
	n = i2d_X509(c.x, NULL);
	check(n > 0 && (size_t)n <= sizeof(c.der));
	c.n = (size_t)i2d_X509(c.x, &p);
	return c;
}

/* A certificate revocation list of one serial number; der takes CERT_DER_MAX octets. */
static inline size_t crl_make(const struct cert *issuer, long serial, int64_t from, int64_t until,
			      uint8_t *der)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *t = ASN1_TIME_new();
	uint8_t *p = der;
	int n;

	ASN1_INTEGER_set(number, serial);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x));
	X509_CRL_set1_lastUpdate(crl, ASN1_TIME_set(t, (time_t)from));
	X509_REVOKED_set_serialNumber(r, number);
	X509_REVOKED_set_revocationDate(r, t);
	X509_CRL_set1_nextUpdate(crl, ASN1_TIME_set(t, (time_t)until));
	X509_CRL_add0_revoked(crl, r);
	check(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
	n = i2d_X509_CRL(crl, NULL);
	check(n > 0 && n <= CERT_DER_MAX);
	i2d_X509_CRL(crl, &p);
	X509_CRL_free(crl);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(t);
	return (size_t)n;
}

#endif
