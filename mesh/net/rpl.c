/* SPDX-License-Identifier: Apache-2.0 */
#include "rpl.h"

#include <stdlib.h>

void rpl_init(struct rpl *r, void (*save)(void *ctx, uint16_t src, uint64_t ivi_seq), void *ctx)
{
	r->above = calloc(ADDR_UNICAST_LAST + 1, sizeof(*r->above));
	if (!r->above)
		abort();
	r->save = save;
	r->ctx = ctx;
}

void rpl_free(struct rpl *r)
{
	free(r->above);
	r->above = NULL;
}

bool rpl_fresh(const struct rpl *r, uint16_t src, uint64_t ivi_seq)
{
	return src <= ADDR_UNICAST_LAST && ivi_seq >= r->above[src];
}

void rpl_accept(struct rpl *r, uint16_t src, uint64_t ivi_seq)
{
	if (!rpl_fresh(r, src, ivi_seq))
		return;
	r->above[src] = ivi_seq + 1;
	r->save(r->ctx, src, ivi_seq);
}

void rpl_restore(struct rpl *r, uint16_t src, uint64_t ivi_seq)
{
	if (rpl_fresh(r, src, ivi_seq))
		r->above[src] = ivi_seq + 1;
}

void rpl_forget(struct rpl *r, uint16_t first, uint16_t count)
{
	for (uint32_t a = first; a < (uint32_t)first + count && a <= ADDR_UNICAST_LAST; a++)
		r->above[a] = 0;
}
