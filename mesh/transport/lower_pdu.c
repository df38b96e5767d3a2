/* SPDX-License-Identifier: Apache-2.0 */
#include "lower_pdu.h"

#include <assert.h>

bool lower_segment_decode(struct lower_segment *out, bool ctl, struct bytes in)
{
	size_t full = ctl ? LOWER_SEGMENT_CONTROL : LOWER_SEGMENT_ACCESS;
	struct rd r = rd_from(in);
	uint32_t word;

	out->key = rd_u8(&r) & 0x7F;
	word = rd_be24(&r);
	out->szmic = !ctl && word >> 23;
	out->seq_zero = word >> 10 & 0x1FFF;
	out->seg_o = word >> 5 & 0x1F;
	out->seg_n = word & 0x1F;
	out->data = rd_rest(&r);
	if (!rd_ok(&r) || out->seg_o > out->seg_n)
		return false;
	if (out->seg_o < out->seg_n)
		return out->data.n == full;
	return out->data.n >= 1 && out->data.n <= full;
}

size_t lower_segment_encode(const struct lower_segment *s, uint8_t out[16])
{
	struct wr w = wr_to(out, 16);

	wr_u8(&w, 0x80 | s->key);
	wr_be24(&w, (uint32_t)s->szmic << 23 | (uint32_t)s->seq_zero << 10 |
			    (uint32_t)s->seg_o << 5 | s->seg_n);
	wr_bytes(&w, s->data);
	assert(wr_ok(&w));
	return w.n;
}

bool lower_ack_decode(struct lower_ack *out, struct bytes in)
{
	struct rd r = rd_from(in);
	uint16_t word;

	if (rd_u8(&r) != CONTROL_SEGMENT_ACK)
		return false;
	word = rd_be16(&r);
	out->obo = word >> 15;
	out->seq_zero = word >> 2 & 0x1FFF;
	out->acked = rd_be32(&r);
	return rd_finished(&r);
}

void lower_ack_encode(const struct lower_ack *a, uint8_t out[LOWER_ACK_LEN])
{
	struct wr w = wr_to(out, LOWER_ACK_LEN);

	wr_u8(&w, CONTROL_SEGMENT_ACK);
	wr_be16(&w, (uint16_t)(a->obo << 15 | a->seq_zero << 2));
	wr_be32(&w, a->acked);
}

bool lower_seq_auth(uint32_t iv_index, uint32_t seq, uint16_t seq_zero, uint64_t *out)
{
	uint32_t first = (seq & ~0x1FFFu) | seq_zero;

	if (first > seq) {
		if (first < 0x2000)
			return false;
		first -= 0x2000;
	}
	*out = (uint64_t)iv_index << 24 | first;
	return true;
}

uint32_t lower_all_segments(uint8_t seg_n)
{
	return UINT32_MAX >> (31 - seg_n);
}
