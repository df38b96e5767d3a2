/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of devices: what is kept of them, and what they are worth here and now. */
#ifndef MESHMASON_CERTIFICATES_H
#define MESHMASON_CERTIFICATES_H

#include "core_jobs.h"
#include "db_certificates.h"

/* A chain as the store keeps it, in memory of its own. */
struct chain {
	struct bytes der[DB_CHAIN_MAX]; /* the device's own first */
	size_t n;
	enum db_chain_source source;
	int64_t at; /* Unix milliseconds */
};
/* False: nothing is kept; out is then empty. */
bool chain_load(struct jobs *j, const uint8_t uuid[UUID_LEN], struct chain *out);
void chain_free(struct chain *c);

/* Trust anchors, profile, UUID, and the device list's word on company and product. False: *reason
 * and a sentence in why. uuid NULL: for the device that it names. */
bool certificate_judge(struct jobs *j, const uint8_t *uuid, const struct bytes *der, size_t n,
		       struct cert_facts *facts, enum reason *reason, char why[CERT_TEXT]);

#endif
