/* SPDX-License-Identifier: Apache-2.0 */
#include "seq.h"

void seq_init(struct seq *s, uint32_t reserved, void (*save)(void *ctx, uint32_t reserved),
	      void *ctx)
{
	*s = (struct seq){ .next = reserved, .reserved = reserved, .save = save, .ctx = ctx };
}

bool seq_take(struct seq *s, uint32_t *out)
{
	if (s->next >= SEQ_END)
		return false;
	if (s->next >= s->reserved) {
		s->reserved = s->next + SEQ_BLOCK < SEQ_END ? s->next + SEQ_BLOCK : SEQ_END;
		s->save(s->ctx, s->reserved);
	}
	*out = s->next++;
	return true;
}

void seq_reset(struct seq *s)
{
	s->next = 0;
	s->reserved = 0;
}
