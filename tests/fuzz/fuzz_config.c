/* SPDX-License-Identifier: Apache-2.0 */
/* Composition Data page 0, as a node may send it. Every model that was read must be found. */
#include <stdlib.h>

#include "config_client.h"

bool fuzz_one(const uint8_t *data, size_t n);

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct composition c;

	if (!composition_decode(&c, bytes_of(data, n)))
		return false;
	for (uint8_t e = 0; e < c.n_elements; e++) {
		const struct composition_element *element = &c.elements[e];

		for (size_t i = 0; i < element->n_sig; i++) {
			if (!composition_has_model(&c, e, element->models[i]))
				abort();
		}
	}
	return true;
}
