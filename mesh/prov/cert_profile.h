/* SPDX-License-Identifier: Apache-2.0 */
/* For the files of certificates only: one certificate by itself, without its chain. */
#ifndef MESHMASON_CERT_PROFILE_H
#define MESHMASON_CERT_PROFILE_H

#include <openssl/x509.h>

#include "certificate.h"

/* NULL unless all of der is one certificate, encoded the one way that DER allows. */
X509 *cert_parse(struct bytes der);
/* Fills what can be found; the rest is zero. */
void cert_facts_read(const X509 *x, struct bytes der, struct cert_facts *out);

/* Subject and issuer are the same name: self-signed, whatever the signature says. */
bool cert_names_itself(const X509 *x);
/* One line of ASCII: control characters and high octets come out escaped. */
void cert_name_text(const X509_NAME *name, char out[CERT_TEXT]);
int64_t cert_unix_time(const ASN1_TIME *t);

/* No X.509 at all worth looking further: unreadable or doubled extensions. */
enum cert_verdict cert_well_formed(X509 *x, char why[CERT_TEXT]);
/* id-ecPublicKey on secp256r1, an uncompressed valid point. */
enum cert_verdict cert_key(const X509 *x, uint8_t out[P256_PUBLIC], char why[CERT_TEXT]);
/* The profile of 5.5.1.1, but for key and UUID. */
enum cert_verdict cert_profile(X509 *x, char why[CERT_TEXT]);

/* Common name of 5.5.1.1.4.6. False: it has not this form. */
struct cert_ids {
	uint8_t uuid[UUID_LEN];
	bool has_ids;
	uint16_t company, product;
};
bool cert_common_name(const X509 *x, struct cert_ids *out);

/* Puts a sentence into why and returns the verdict. */
enum cert_verdict cert_say(enum cert_verdict v, char why[CERT_TEXT], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
