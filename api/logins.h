/* SPDX-License-Identifier: Apache-2.0 */
/* Guessing is slow: so many failed sign-ins a minute for each address, and over all of them. */
#ifndef MESHMASON_LOGINS_H
#define MESHMASON_LOGINS_H

#include <stdbool.h>
#include <stdint.h>

enum { LOGINS_TABLE = 64, LOGINS_EACH = 5, LOGINS_ALL = 60, LOGINS_WINDOW_MS = 60000 };

struct login_peer {
	char address[64];
	int64_t since; /* start of its minute */
	unsigned failed;
};

/* Zeroed before first use. When full, the peer that was quiet for longest is forgotten. */
struct logins {
	struct login_peer peers[LOGINS_TABLE];
	int64_t since;
	unsigned failed;
};

/* May this address try now? Otherwise the seconds to wait. */
bool logins_may_try(const struct logins *l, const char *address, int64_t now, int *wait);
void logins_failed(struct logins *l, const char *address, int64_t now);

#endif
