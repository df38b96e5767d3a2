/* SPDX-License-Identifier: Apache-2.0 */
/* The key that encrypts keys at rest: a systemd credential "master-key" where there is one, else
 * DATA/master-key, mode 0600, made at the first start. */
#ifndef MESHMASON_MASTER_KEY_H
#define MESHMASON_MASTER_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "secret.h"

/* False with one sentence in why. A file that others may read is refused. */
bool master_key_load(const char *data_dir, struct secret32 *out, char *why, size_t why_size);

#endif
