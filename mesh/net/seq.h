/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequence numbers, 3.9.3: strictly increasing, never used twice under one IV Index, also not
 * after a crash: a block is reserved durably before its first number is used.
 */
#ifndef MESHMASON_SEQ_H
#define MESHMASON_SEQ_H

#include <stdbool.h>
#include <stdint.h>

enum { SEQ_BLOCK = 1024, SEQ_END = 0x1000000 };

struct seq {
	uint32_t next, reserved; /* next is free; below reserved it may be used */
	/* Written before any number below reserved leaves. */
	void (*save)(void *ctx, uint32_t reserved);
	void *ctx;
};

/* Starts where the last run may have got to. */
void seq_init(struct seq *s, uint32_t reserved, void (*save)(void *ctx, uint32_t reserved),
	      void *ctx);
/* False: the numbers of this IV Index are used up, nothing may be sent. */
bool seq_take(struct seq *s, uint32_t *out);
/* Back to 0, under a new IV Index; the caller stores reserved (0) together with the index. */
void seq_reset(struct seq *s);

#endif
