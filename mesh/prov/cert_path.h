/* SPDX-License-Identifier: Apache-2.0 */
/* For the files of certificates only: the anchors, and the path from a device to one of them. */
#ifndef MESHMASON_CERT_PATH_H
#define MESHMASON_CERT_PATH_H

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "certificate.h"

struct trust {
	X509_STORE *store;
	STACK_OF(X509) * anchors;
	STACK_OF(X509_CRL) * crls;
};

/* RFC 5280 path validation. With CERT_OK anchor gets the fingerprint of the path's end. */
enum cert_verdict cert_path(const struct trust *t, X509 *leaf, STACK_OF(X509) * others, time_t now,
			    uint8_t anchor[CERT_FINGERPRINT], char why[CERT_TEXT]);

#endif
