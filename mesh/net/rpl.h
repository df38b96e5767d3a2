/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replay protection list, 3.9.8: for each source the highest IVISeq (IV Index << 24 | SEQ)
 * accepted. One row for every unicast address there can be, so there is always room and a row is
 * found at once.
 */
#ifndef MESHMASON_RPL_H
#define MESHMASON_RPL_H

#include <stdbool.h>
#include <stdint.h>

#include "mesh_const.h"

struct rpl {
	uint64_t *above; /* [src]: the lowest IVISeq still acceptable; 0 for an unknown source */
	void (*save)(void *ctx, uint16_t src, uint64_t ivi_seq);
	void *ctx;
};

void rpl_init(struct rpl *r, void (*save)(void *ctx, uint16_t src, uint64_t ivi_seq), void *ctx);
void rpl_free(struct rpl *r);
/* Not seen before? src is unicast. */
bool rpl_fresh(const struct rpl *r, uint16_t src, uint64_t ivi_seq);
/* A message was accepted. */
void rpl_accept(struct rpl *r, uint16_t src, uint64_t ivi_seq);
/* From the store, at start; never lowers a row. */
void rpl_restore(struct rpl *r, uint16_t src, uint64_t ivi_seq);
void rpl_forget(struct rpl *r, uint16_t first, uint16_t count);

#endif
