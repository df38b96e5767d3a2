/* SPDX-License-Identifier: Apache-2.0 */
#include "pki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "pki_sign.h"

enum { DAY = 24 * 60 * 60, YEAR = 365 * DAY };

/* One certification authority: root and intermediate are the same thing with another issuer. */
struct authority {
	EVP_PKEY *key;
	X509 *cert;
	uint8_t *der;
	size_t n;
};

struct pki {
	void (*random)(void *ctx, void *out, size_t n);
	void *ctx;
	char organization[PKI_ORGANIZATION + 1];
	int64_t not_before, not_after;
	struct authority root, intermediate;
	struct authority unknown_root, unknown_intermediate; /* behind PKI_UNTRUSTED */
};

static void must(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "error: OpenSSL cannot make a certificate: %s\n",
		ERR_reason_error_string(ERR_peek_last_error()));
	abort();
}

/* A P-256 key of OpenSSL's; secret may be NULL for a public one. NULL: no such point. */
static EVP_PKEY *key_from(const uint8_t public_key[P256_PUBLIC], const struct secret32 *secret)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t point[1 + P256_PUBLIC] = { POINT_CONVERSION_UNCOMPRESSED };
	BIGNUM *scalar = secret ? BN_bin2bn(secret->octet, P256_SECRET, NULL) : NULL;
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	memcpy(point + 1, public_key, P256_PUBLIC);
	must(b && c && (scalar || !secret));
	must(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0));
	must(OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)));
	if (scalar)
		must(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, scalar));
	params = OSSL_PARAM_BLD_to_param(b);
	must(params && EVP_PKEY_fromdata_init(c) == 1);
	if (EVP_PKEY_fromdata(c, &key, secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) !=
	    1)
		ERR_clear_error();
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	BN_clear_free(scalar);
	EVP_PKEY_CTX_free(c);
	return key;
}

static EVP_PKEY *key_new(struct pki *p)
{
	struct secret32 random, secret;
	uint8_t public_key[P256_PUBLIC];
	EVP_PKEY *key;

	do
		p->random(p->ctx, random.octet, sizeof(random.octet));
	while (!p256_key_pair(&random, &secret, public_key));
	key = key_from(public_key, &secret);
	must(key);
	secret_wipe(&random, sizeof(random));
	secret_wipe(&secret, sizeof(secret));
	return key;
}

static void set_name(X509_NAME *name, const char *organization, const char *common_name)
{
	must(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)organization, -1,
					-1, 0) == 1);
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const uint8_t *)common_name, -1,
					-1, 0) == 1);
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX c;
	X509_EXTENSION *e;

	X509V3_set_ctx(&c, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &c, nid, value);
	must(e && X509_add_ext(cert, e, -1) == 1);
	X509_EXTENSION_free(e);
}

/* Version, serial number, dates, subject and key; the issuer's name when there is one. */
static X509 *cert_new(struct pki *p, const char *common_name, EVP_PKEY *key, X509 *issuer)
{
	X509 *cert = X509_new();
	uint8_t serial[16];
	BIGNUM *number;

	must(cert && X509_set_version(cert, X509_VERSION_3) == 1);
	p->random(p->ctx, serial, sizeof(serial));
	serial[0] = (serial[0] & 0x3F) | 0x40; /* positive, and always of the same length */
	number = BN_bin2bn(serial, sizeof(serial), NULL);
	must(number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)));
	BN_free(number);
	set_name(X509_get_subject_name(cert), p->organization, common_name);
	must(X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)) == 1);
	must(X509_set_pubkey(cert, key) == 1);
	return cert;
}

static void set_dates(X509 *cert, int64_t not_before, int64_t not_after)
{
	must(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before) &&
	     ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after));
}

static uint8_t *sign(X509 *cert, EVP_PKEY *key, size_t *n)
{
	uint8_t *der = NULL, *copy;
	int len;

	must(pki_sign(cert, key));
	len = i2d_X509(cert, &der);
	must(len > 0);
	copy = malloc((size_t)len); /* the caller frees it: not with OpenSSL's own function */
	must(copy);
	memcpy(copy, der, (size_t)len);
	OPENSSL_free(der);
	*n = (size_t)len;
	return copy;
}

static void authority_make(struct pki *p, struct authority *a, const char *common_name,
			   const struct authority *issuer)
{
	X509 *from;

	a->key = key_new(p);
	a->cert = cert_new(p, common_name, a->key, issuer ? issuer->cert : NULL);
	from = issuer ? issuer->cert : a->cert;
	set_dates(a->cert, p->not_before, p->not_after);
	add_extension(a->cert, from, NID_basic_constraints,
		      issuer ? "critical,CA:TRUE,pathlen:0" : "critical,CA:TRUE");
	add_extension(a->cert, from, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(a->cert, from, NID_subject_key_identifier, "hash");
	add_extension(a->cert, from, NID_authority_key_identifier, "keyid:always");
	a->der = sign(a->cert, issuer ? issuer->key : a->key, &a->n);
}

static void authority_free(struct authority *a)
{
	EVP_PKEY_free(a->key);
	X509_free(a->cert);
	free(a->der);
}

struct pki *pki_new(const struct pki_env *env)
{
	struct pki *p = calloc(1, sizeof(*p));

	must(p);
	p->random = env->random;
	p->ctx = env->ctx;
	snprintf(p->organization, sizeof(p->organization), "%s", env->organization);
	p->not_before = env->not_before;
	p->not_after = env->not_after;
	authority_make(p, &p->root, "Device Root CA", NULL);
	authority_make(p, &p->intermediate, "Device Issuing CA", &p->root);
	authority_make(p, &p->unknown_root, "Unknown Root CA", NULL);
	authority_make(p, &p->unknown_intermediate, "Unknown Issuing CA", &p->unknown_root);
	return p;
}

void pki_free(struct pki *p)
{
	if (!p)
		return;
	authority_free(&p->root);
	authority_free(&p->intermediate);
	authority_free(&p->unknown_root);
	authority_free(&p->unknown_intermediate);
	free(p);
}

struct bytes pki_root(const struct pki *p)
{
	return bytes_of(p->root.der, p->root.n);
}

char *pki_root_pem(const struct pki *p)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long n;

	must(bio && PEM_write_bio_X509(bio, p->root.cert) == 1);
	n = BIO_get_mem_data(bio, &data);
	must(n > 0);
	text = malloc((size_t)n + 1);
	must(text);
	memcpy(text, data, (size_t)n);
	text[n] = '\0';
	BIO_free(bio);
	return text;
}

static const struct authority *issuer_of(const struct pki *p, enum pki_fault fault)
{
	return fault == PKI_UNTRUSTED ? &p->unknown_intermediate : &p->intermediate;
}

struct bytes pki_intermediate(const struct pki *p, enum pki_fault fault)
{
	const struct authority *a = issuer_of(p, fault);

	return bytes_of(a->der, a->n);
}

/* 5.5.1.1.4.6 in the form that the strictest known Provisioner takes: single spaces, lower case. */
static void common_name(struct pki *p, const struct pki_device *d, char out[64])
{
	uint8_t uuid[UUID_LEN];
	char text[UUID_TEXT];

	memcpy(uuid, d->uuid, sizeof(uuid));
	if (d->fault == PKI_MISNAMED)
		uuid[UUID_LEN - 1] ^= 0x55;
	snprintf(out, 64, "%s BCID:%04x BPID:%04x", uuid_format(text, uuid), (unsigned)d->company,
		 (unsigned)d->product);
}

uint8_t *pki_device_certificate(struct pki *p, const struct pki_device *d, size_t *n)
{
	const struct authority *issuer = issuer_of(p, d->fault);
	EVP_PKEY *key = key_from(d->public_key, NULL);
	char name[64];
	uint8_t *der;
	X509 *cert;

	if (!key)
		return NULL;
	common_name(p, d, name);
	cert = cert_new(p, name, key, issuer->cert);
	if (d->fault == PKI_EXPIRED)
		set_dates(cert, p->not_before - YEAR, p->not_before - DAY);
	else
		set_dates(cert, p->not_before, p->not_after);
	/* DER leaves the default out: CA:FALSE is an empty sequence */
	add_extension(cert, issuer->cert, NID_basic_constraints, "CA:FALSE");
	add_extension(cert, issuer->cert, NID_key_usage, "critical,keyAgreement");
	add_extension(cert, issuer->cert, NID_authority_key_identifier, "keyid:always");
	der = sign(cert, issuer->key, n);
	X509_free(cert);
	EVP_PKEY_free(key);
	return der;
}
