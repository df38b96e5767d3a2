/* SPDX-License-Identifier: Apache-2.0 */
/* Composition Data pages 1 and 2 and parts of large pages, as a node may send them. Input: 1, 2 or
 * another octet, then the data. What is accepted points at nothing that is not there. */
#include <stdlib.h>
#include <string.h>

#include "composition_pages.h"
#include "large_composition.h"

bool fuzz_one(const uint8_t *data, size_t n);

static bool relations(struct bytes page)
{
	static struct composition_relations c;

	if (!composition_relations_decode(&c, page))
		return false;
	for (size_t i = 0; i < c.n_models; i++) {
		if (c.models[i].first + c.models[i].n_extends > (int)c.n_extends)
			abort();
	}
	return c.n_extends > 0;
}

static bool profiles(struct bytes page)
{
	struct composition_profiles c;

	if (!composition_profiles_decode(&c, page))
		return false;
	for (size_t i = 0; i < c.n; i++) {
		const struct bytes *more = &c.profiles[i].more;

		if (more->n > 0 && (more->p < page.p || more->p + more->n > page.p + page.n))
			abort();
	}
	return c.n > 0;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct large_composition_status status;
	uint8_t *exact = malloc(n);
	bool accepted;

	if (n == 0 || !exact) {
		free(exact);
		return false;
	}
	memcpy(exact, data, n);
	if (data[0] == 1)
		accepted = relations(bytes_of(exact + 1, n - 1));
	else if (data[0] == 2)
		accepted = profiles(bytes_of(exact + 1, n - 1));
	else
		accepted = large_composition_status_decode(&status, bytes_of(exact + 1, n - 1));
	free(exact);
	return accepted;
}
