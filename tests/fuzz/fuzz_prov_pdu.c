/* SPDX-License-Identifier: Apache-2.0 */
/* Provisioning PDUs. Input: one PDU. What is accepted must be written again as it was. */
#include <stdlib.h>

#include "prov_recode.h"

bool fuzz_one(const uint8_t *data, size_t n);

bool fuzz_one(const uint8_t *data, size_t n)
{
	uint8_t out[4096];
	struct wr w = wr_to(out, sizeof(out));

	if (n > sizeof(out) || !prov_recode(bytes_of(data, n), &w))
		return false;
	if (!bytes_equal(wr_done(&w), bytes_of(data, n)))
		abort();
	return true;
}
