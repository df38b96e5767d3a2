/* SPDX-License-Identifier: Apache-2.0 */
/* What a certificate server answers, Mesh 5.6.1.2: one certificate, or several in parts. */
#ifndef MESHMASON_CERT_RESPONSE_H
#define MESHMASON_CERT_RESPONSE_H

#include "certificate.h"

enum { CERT_RESPONSE_MAX = CERT_CHAIN_MAX + 1 };

/* Views into body, in the order of a chain. One part that is not as it should be spoils the whole
 * answer. False with a sentence in why; *broken then says that there were certificates, which are
 * not one chain. */
struct cert_response {
	struct bytes der[CERT_RESPONSE_MAX];
	size_t n;
	bool broken;
};
bool cert_response_read(struct cert_response *out, const char *type, struct bytes body,
			char why[CERT_TEXT]);

#endif
