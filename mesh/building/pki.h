/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate authorities of a made-up factory: a root, one intermediate, and device
 * certificates of the profile of Mesh 5.5.1.1, good ones and the known kinds of bad ones. Keys come
 * from the caller's randomness; signatures have OpenSSL's own, so the same input gives the same
 * keys, names and dates but not the same octets.
 */
#ifndef MESHMASON_BUILDING_PKI_H
#define MESHMASON_BUILDING_PKI_H

#include "bytes.h"
#include "crypto.h"

enum { PKI_ORGANIZATION = 64 };

struct pki_env {
	void (*random)(void *ctx, void *out,
		       size_t n); /* during pki_new and pki_device_certificate */
	void *ctx;
	const char *organization;      /* O of every name; up to 64 characters; copied */
	int64_t not_before, not_after; /* Unix seconds: of both authorities, and of good devices */
};

enum pki_fault {
	PKI_GOOD,
	PKI_UNTRUSTED, /* in order, but from the authorities of somebody unknown */
	PKI_EXPIRED,   /* ended the day before not_before */
	PKI_MISNAMED,  /* has another device's UUID */
};

struct pki_device {
	uint8_t uuid[UUID_LEN];
	uint16_t company, product;
	uint8_t public_key[P256_PUBLIC];
	enum pki_fault fault;
};

struct pki;
struct pki *pki_new(const struct pki_env *env);
void pki_free(struct pki *p);

/* The trust anchor: DER (lives as long as p), or PEM text to be freed by the caller. */
struct bytes pki_root(const struct pki *p);
char *pki_root_pem(const struct pki *p);
/* What a device hands out beside its own certificate: the one issuer of it, DER. */
struct bytes pki_intermediate(const struct pki *p, enum pki_fault fault);
/* DER, to be freed by the caller; *n octets. NULL when the public key is no point of P-256. */
uint8_t *pki_device_certificate(struct pki *p, const struct pki_device *d, size_t *n);

#endif
