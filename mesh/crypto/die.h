/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: what is left to do when OpenSSL itself fails (no memory, broken
 * installation). Going on with half a key would be worse than stopping. */
#ifndef MESHMASON_CRYPTO_DIE_H
#define MESHMASON_CRYPTO_DIE_H

#include <stdbool.h>

/* Ends the process with a line when ok is false. */
void crypto_must(bool ok, const char *what);

#endif
