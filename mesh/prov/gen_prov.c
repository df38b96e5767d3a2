/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Octet 0 of a Generic Provisioning PDU: two low bits GPCF, six high bits by kind.
 *
 *	start		SegN<<2 | 0	TotalLength(2) FCS(1) data(1..20)
 *	ack		     0  | 1
 *	continuation	index<<2 | 2	data(1..23)
 *	bearer control	opcode<<2 | 3	Link Open: UUID(16); Link Ack: none; Link Close: reason(1)
 */
#include "gen_prov.h"

#include <assert.h>
#include <string.h>

static bool start_fits(const struct gen_prov_frame *f)
{
	size_t first = f->total < GEN_PROV_START_DATA ? f->total : GEN_PROV_START_DATA;

	return f->total > 0 && f->total <= GEN_PROV_PDU_MAX && f->data.n == first &&
	       f->number + 1u == gen_prov_segments(f->total);
}

static bool control_fits(const struct gen_prov_frame *f)
{
	switch (f->number) {
	case GEN_PROV_LINK_OPEN:
		return f->data.n == UUID_LEN;
	case GEN_PROV_LINK_ACK:
		return f->data.n == 0;
	case GEN_PROV_LINK_CLOSE:
		return f->data.n == 1;
	default:
		return true; /* reserved: for the link to ignore */
	}
}

bool gen_prov_decode(struct gen_prov_frame *f, struct bytes in)
{
	struct rd r = rd_from(in);
	uint8_t octet;

	memset(f, 0, sizeof(*f));
	if (in.n > GEN_PROV_FRAME_MAX)
		return false;
	f->link = rd_be32(&r);
	f->transaction = rd_u8(&r);
	octet = rd_u8(&r);
	f->kind = octet & 3;
	f->number = octet >> 2;
	if (f->kind == GEN_PROV_START) {
		f->total = rd_be16(&r);
		f->fcs = rd_u8(&r);
	}
	f->data = rd_rest(&r);
	if (!rd_finished(&r))
		return false;
	switch (f->kind) {
	case GEN_PROV_START:
		return start_fits(f);
	case GEN_PROV_ACK:
		return f->number == 0 && f->data.n == 0;
	case GEN_PROV_CONTINUE:
		return f->number > 0 && f->data.n > 0 && f->data.n <= GEN_PROV_CONTINUE_DATA;
	case GEN_PROV_CONTROL:
		return control_fits(f);
	}
	return false;
}

void gen_prov_encode(struct wr *w, const struct gen_prov_frame *f)
{
	wr_be32(w, f->link);
	wr_u8(w, f->transaction);
	wr_u8(w, (uint8_t)(f->number << 2 | f->kind));
	if (f->kind == GEN_PROV_START) {
		wr_be16(w, f->total);
		wr_u8(w, f->fcs);
	}
	wr_bytes(w, f->data);
}

uint8_t gen_prov_fcs(struct bytes pdu)
{
	uint8_t crc = 0xFF;

	for (size_t i = 0; i < pdu.n; i++) {
		crc ^= pdu.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint8_t)(crc & 1 ? crc >> 1 ^ 0xE0 : crc >> 1);
	}
	return (uint8_t)~crc;
}

size_t gen_prov_segments(size_t n)
{
	if (n <= GEN_PROV_START_DATA)
		return 1;
	return 1 + (n - GEN_PROV_START_DATA + GEN_PROV_CONTINUE_DATA - 1) / GEN_PROV_CONTINUE_DATA;
}

/* Where segment index begins in the Provisioning PDU. */
static size_t segment_offset(size_t index)
{
	return index == 0 ? 0 : GEN_PROV_START_DATA + (index - 1) * GEN_PROV_CONTINUE_DATA;
}

static size_t segment_length(size_t total, size_t index)
{
	size_t most = index == 0 ? GEN_PROV_START_DATA : GEN_PROV_CONTINUE_DATA;
	size_t left = total - segment_offset(index);

	return left < most ? left : most;
}

struct gen_prov_frame gen_prov_segment(uint32_t link, uint8_t transaction, struct bytes pdu,
				       size_t index)
{
	struct gen_prov_frame f = { .link = link, .transaction = transaction };

	assert(pdu.n > 0 && pdu.n <= GEN_PROV_PDU_MAX && index < gen_prov_segments(pdu.n));
	f.data = bytes_of(pdu.p + segment_offset(index), segment_length(pdu.n, index));
	if (index == 0) {
		f.kind = GEN_PROV_START;
		f.number = (uint8_t)(gen_prov_segments(pdu.n) - 1);
		f.total = (uint16_t)pdu.n;
		f.fcs = gen_prov_fcs(pdu);
	} else {
		f.kind = GEN_PROV_CONTINUE;
		f.number = (uint8_t)index;
	}
	return f;
}

void gen_prov_rx_reset(struct gen_prov_rx *rx)
{
	memset(rx, 0, sizeof(*rx));
}

static uint64_t all_up_to(uint8_t last)
{
	return UINT64_MAX >> (63 - last);
}

/* With the start here, the lengths of the continuations are known. */
static bool lengths_agree(const struct gen_prov_rx *rx)
{
	if (rx->have & ~all_up_to(rx->last))
		return false;
	for (size_t i = 0; i <= rx->last; i++)
		if ((rx->have >> i & 1) && rx->len[i] != segment_length(rx->total, i))
			return false;
	return true;
}

enum gen_prov_took gen_prov_rx_take(struct gen_prov_rx *rx, const struct gen_prov_frame *f)
{
	size_t index = f->kind == GEN_PROV_START ? 0 : f->number;
	uint64_t bit = UINT64_C(1) << index;
	bool started = rx->have & 1;

	assert(index < GEN_PROV_SEGMENTS);
	if (f->kind == GEN_PROV_START && started &&
	    (f->total != rx->total || f->fcs != rx->fcs || f->number != rx->last)) {
		gen_prov_rx_reset(rx);
		return GEN_PROV_BAD;
	}
	if (rx->have & bit)
		return GEN_PROV_MORE;
	if (f->kind == GEN_PROV_START) {
		rx->total = f->total;
		rx->fcs = f->fcs;
		rx->last = f->number;
	}
	memcpy(rx->pdu + segment_offset(index), f->data.p, f->data.n);
	rx->len[index] = (uint8_t)f->data.n;
	rx->have |= bit;
	if (!(rx->have & 1))
		return GEN_PROV_MORE;
	if (!lengths_agree(rx)) {
		gen_prov_rx_reset(rx);
		return GEN_PROV_BAD;
	}
	if (rx->have != all_up_to(rx->last))
		return GEN_PROV_MORE;
	if (gen_prov_fcs(bytes_of(rx->pdu, rx->total)) != rx->fcs) {
		gen_prov_rx_reset(rx);
		return GEN_PROV_BAD_FCS;
	}
	return GEN_PROV_WHOLE;
}
