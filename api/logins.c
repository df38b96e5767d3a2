/* SPDX-License-Identifier: Apache-2.0 */
#include "logins.h"

#include <stdio.h>
#include <string.h>

static bool within(int64_t since, int64_t now)
{
	/* A clock that was set back ends the minute too. */
	return now >= since && now - since < LOGINS_WINDOW_MS;
}

static bool used_up(int64_t since, unsigned failed, unsigned most, int64_t now, int *wait)
{
	if (failed < most || !within(since, now))
		return false;
	*wait = (int)((LOGINS_WINDOW_MS - (now - since)) / 1000 + 1);
	return true;
}

bool logins_may_try(const struct logins *l, const char *address, int64_t now, int *wait)
{
	*wait = 0;
	if (used_up(l->since, l->failed, LOGINS_ALL, now, wait))
		return false;
	for (int i = 0; i < LOGINS_TABLE; i++) {
		const struct login_peer *p = &l->peers[i];

		if (strcmp(p->address, address) == 0)
			return !used_up(p->since, p->failed, LOGINS_EACH, now, wait);
	}
	return true;
}

void logins_failed(struct logins *l, const char *address, int64_t now)
{
	struct login_peer *at = &l->peers[0];

	for (int i = 0; i < LOGINS_TABLE; i++) {
		struct login_peer *p = &l->peers[i];

		if (strcmp(p->address, address) == 0) {
			at = p;
			break;
		}
		if (p->since < at->since)
			at = p;
	}
	if (strcmp(at->address, address) != 0 || !within(at->since, now)) {
		*at = (struct login_peer){ .since = now };
		snprintf(at->address, sizeof(at->address), "%s", address);
	}
	at->failed++;
	if (!within(l->since, now)) {
		l->since = now;
		l->failed = 0;
	}
	l->failed++;
}
