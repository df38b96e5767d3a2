/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists, RFC 5280 section 5. Out of the specification's scope, so the operator decides:
 * complete lists only, signed by the anchor's own key; a list that is out of date still revokes.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "cert_path.h"
#include "cert_profile.h"

enum { DIGEST_BITS_MIN = 224 };

/* NULL unless all of der is one list. */
static X509_CRL *crl_parse(struct bytes der)
{
	const uint8_t *p = der.p;
	X509_CRL *crl;

	if (der.n == 0 || der.n > INT32_MAX)
		return NULL;
	crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	if (crl && p != der.p + der.n) {
		X509_CRL_free(crl);
		crl = NULL;
	}
	return crl;
}

bool trust_add_crl(struct trust *t, struct bytes der, char why[CERT_TEXT])
{
	X509_CRL *crl;
	bool ok = false;

	why[0] = '\0';
	ERR_set_mark();
	crl = crl_parse(der);
	if (!crl)
		cert_say(CERT_MALFORMED, why, "This is not a certificate revocation list.");
	else if (sk_X509_CRL_push(t->crls, crl) == 0)
		abort();
	else
		ok = true;
	ERR_pop_to_mark();
	return ok;
}

/* The first list of PEM text; other blocks are passed over. */
static X509_CRL *crl_from_pem(struct bytes text)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	X509_CRL *crl = NULL;
	char *name, *header;
	unsigned char *data;
	long n;

	if (!bio)
		abort();
	while (!crl && PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
		if (strcmp(name, PEM_STRING_X509_CRL) == 0 && header[0] == '\0')
			crl = crl_parse(bytes_of(data, (size_t)n));
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	BIO_free(bio);
	return crl;
}

/* A list of a part, or of changes, would be taken for all there is to revoke. */
static bool is_whole(X509_CRL *crl)
{
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		if (X509_EXTENSION_get_critical(X509_CRL_get_ext(crl, i)))
			return false;
	}
	return true;
}

static bool is_strong(const X509_CRL *crl)
{
	int digest, nid = X509_CRL_get_signature_nid(crl);
	const EVP_MD *md;

	if (OBJ_find_sigid_algs(nid, &digest, NULL) != 1)
		return false;
	md = EVP_get_digestbynid(digest);
	return md && EVP_MD_get_size(md) * 8 >= DIGEST_BITS_MIN;
}

static bool check(X509_CRL *crl, X509 *anchor, struct crl_facts *facts, char why[CERT_TEXT])
{
	EVP_PKEY *key = anchor ? X509_get0_pubkey(anchor) : NULL;
	uint32_t usage = anchor ? X509_get_key_usage(anchor) : 0;
	const ASN1_TIME *next;

	if (!crl)
		cert_say(CERT_MALFORMED, why,
			 "This is not a certificate revocation list: PEM or DER is wanted.");
	else if (!key ||
		 X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(anchor)) != 0)
		cert_say(CERT_UNTRUSTED, why,
			 "This revocation list is of another issuer than the trust anchor.");
	else if (!(usage & KU_CRL_SIGN))
		cert_say(CERT_USAGE, why, "The trust anchor may not sign revocation lists.");
	else if (!is_whole(crl))
		cert_say(CERT_USAGE, why,
			 "This revocation list has a critical extension: only whole lists are "
			 "taken.");
	else if (!is_strong(crl) || X509_CRL_verify(crl, key) != 1)
		cert_say(CERT_UNTRUSTED, why,
			 "The signature of this revocation list is not of the trust anchor's key.");
	else
		why[0] = '\0';
	if (why[0])
		return false;
	next = X509_CRL_get0_nextUpdate(crl);
	facts->issued = cert_unix_time(X509_CRL_get0_lastUpdate(crl));
	facts->next_update = next ? cert_unix_time(next) : 0;
	facts->revoked = (size_t)(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)) > 0
					  ? sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl))
					  : 0);
	return true;
}

bool crl_read(struct bytes text, struct bytes anchor, uint8_t *der_out, size_t *n,
	      struct crl_facts *facts, char why[CERT_TEXT])
{
	X509 *x;
	X509_CRL *crl;
	bool ok;
	int len;

	why[0] = '\0';
	*n = 0;
	memset(facts, 0, sizeof(*facts));
	ERR_set_mark();
	x = cert_parse(anchor);
	crl = crl_parse(text);
	if (!crl && text.n > 0 && text.n <= CRL_SIZE_MAX * 2)
		crl = crl_from_pem(text);
	ok = check(crl, x, facts, why);
	len = ok ? i2d_X509_CRL(crl, NULL) : 0;
	if (ok && (len <= 0 || len > CRL_SIZE_MAX))
		ok = cert_say(CERT_MALFORMED, why, "This revocation list is too large.") == CERT_OK;
	if (ok)
		*n = (size_t)i2d_X509_CRL(crl, &der_out);
	X509_CRL_free(crl);
	X509_free(x);
	ERR_pop_to_mark();
	return ok;
}
