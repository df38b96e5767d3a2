/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <string.h>

void secret_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

bool secret_equal(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

bool secret16_equal(const struct secret16 *a, const struct secret16 *b)
{
	return secret_equal(a->octet, b->octet, sizeof(a->octet));
}
