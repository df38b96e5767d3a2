/* SPDX-License-Identifier: Apache-2.0 */
/* Which sites a device may make us ask: the URL is its word, so it is hostile. */
#ifndef MESHMASON_FETCH_RULES_H
#define MESHMASON_FETCH_RULES_H

#include <stdbool.h>
#include <sys/socket.h>

enum { FETCH_WHY = 256 };

struct fetch_rules {
	const char *allow; /* "HOST[:PORT],...": only these; "" any public one */
	bool private_too;  /* addresses of this host and its networks, and any port */
};

/* By the text alone: HTTPS, no user, no fragment, a host and a port that are allowed. False with a
 * sentence in why. */
bool fetch_url_allowed(const struct fetch_rules *r, const char *url, char why[FETCH_WHY]);
/* By what the name came to, at the moment of connecting: a name that answers differently the second
 * time (DNS rebinding) does not get past. */
bool fetch_address_allowed(const struct fetch_rules *r, const struct sockaddr *a);

#endif
