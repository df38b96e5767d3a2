/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA with a nonce that follows from key and message, as RFC 6979 has the idea (not its exact
 * derivation): the same seed gives the same certificates, octet for octet, so a run of the building
 * can be repeated. The secret keys of a building are no secrets; nothing here hides them from
 * whoever measures.
 */
#ifndef MESHMASON_PKI_SIGN_H
#define MESHMASON_PKI_SIGN_H

#include <stdbool.h>

#include <openssl/x509.h>

/* Signs with ecdsa-with-SHA256; key is a key pair of P-256. False: OpenSSL said no. */
bool pki_sign(X509 *cert, EVP_PKEY *key);

#endif
