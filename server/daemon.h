/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon: everything opened in order, one loop over it, everything closed in order. */
#ifndef MESHMASON_DAEMON_H
#define MESHMASON_DAEMON_H

#include "options.h"

/* Runs until a signal; the process's exit status. Prints "listening: URL" and, until the first
 * user exists, "dashboard: LINK" on standard output when it is ready. */
int daemon_run(const struct options *o);
/* What --check-config finds: all that can be said without opening anything. False with one line in
 * why. */
enum { DAEMON_WHY = 640 };
bool daemon_config_good(const struct options *o, char why[DAEMON_WHY]);
/* Prints the pre-flight checks, one a line; an exit status: 0 when all are good. */
int daemon_check(const struct options *o);

#endif
