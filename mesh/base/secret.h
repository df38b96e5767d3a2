/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys have a type. The log and JSON have no writer for it; what may be shown is the short id of
 * crypto.h. Wipe on every way out.
 */
#ifndef MESHMASON_SECRET_H
#define MESHMASON_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct secret16 {
	uint8_t octet[16];
};

struct secret32 {
	uint8_t octet[32];
};

/* Overwrites n octets; never optimised away. */
void secret_wipe(void *p, size_t n);
/* Constant time for its length. */
bool secret_equal(const void *a, const void *b, size_t n);
bool secret16_equal(const struct secret16 *a, const struct secret16 *b);

#endif
