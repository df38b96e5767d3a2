/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generic provisioning layer's PDUs on PB-ADV, 5.3.1 and 5.3.2: one frame is a link ID, a
 * transaction number and one Generic Provisioning PDU of at most 24 octets. Codec, segmentation
 * and reassembly; no time and no link state here (pb_adv.c).
 */
#ifndef MESHMASON_GEN_PROV_H
#define MESHMASON_GEN_PROV_H

#include "bytes.h"
#include "mesh_const.h"

enum {
	GEN_PROV_FRAME_MAX = 29, /* link ID, transaction number, 24 octets */
	GEN_PROV_SEGMENTS = 64,	 /* indexes are of six bits */
	GEN_PROV_START_DATA = 20,
	GEN_PROV_CONTINUE_DATA = 23,
	GEN_PROV_PDU_MAX = GEN_PROV_START_DATA + (GEN_PROV_SEGMENTS - 1) * GEN_PROV_CONTINUE_DATA,
};

enum gen_prov_kind { /* GPCF */
		     GEN_PROV_START = 0,
		     GEN_PROV_ACK = 1,
		     GEN_PROV_CONTINUE = 2,
		     GEN_PROV_CONTROL = 3,
};

enum gen_prov_opcode { /* bearer control, 5.3.1.4 */
		       GEN_PROV_LINK_OPEN = 0x00,
		       GEN_PROV_LINK_ACK = 0x01,
		       GEN_PROV_LINK_CLOSE = 0x02,
};

struct gen_prov_frame {
	uint32_t link;
	uint8_t transaction;
	enum gen_prov_kind kind;
	/* SegN of a start, index of a continuation, opcode of bearer control; 0 in an ack */
	uint8_t number;
	uint16_t total; /* of a start: octets of the whole Provisioning PDU */
	uint8_t fcs;	/* of a start */
	/* Segment data (a view when decoded); UUID of a Link Open, reason of a Link Close */
	struct bytes data;
};

/* False for what no sender may produce: lengths, padding, an index 0 continuation, a SegN that does
 * not fit the total length. Unknown bearer control opcodes decode, with their parameters. */
bool gen_prov_decode(struct gen_prov_frame *f, struct bytes in);
void gen_prov_encode(struct wr *w, const struct gen_prov_frame *f);

/* CRC-8 of 3GPP TS 27.010, over the whole Provisioning PDU. */
uint8_t gen_prov_fcs(struct bytes pdu);
/* Frames needed for a PDU of n octets, 1..64. */
size_t gen_prov_segments(size_t n);
/* Segment index of pdu (1..GEN_PROV_PDU_MAX octets) under that link and transaction. */
struct gen_prov_frame gen_prov_segment(uint32_t link, uint8_t transaction, struct bytes pdu,
				       size_t index);

/* Puts one transaction together, in any order of its segments. Zeroed before use and by reset. */
struct gen_prov_rx {
	uint64_t have;	/* bit i: segment i is here */
	uint16_t total; /* valid with segment 0 */
	uint8_t fcs, last;
	uint8_t len[GEN_PROV_SEGMENTS];
	uint8_t pdu[GEN_PROV_PDU_MAX];
};

enum gen_prov_took {
	GEN_PROV_MORE,	  /* kept, or had it already */
	GEN_PROV_WHOLE,	  /* rx->pdu holds rx->total octets, FCS good */
	GEN_PROV_BAD_FCS, /* all dropped; the sender will send all segments again */
	GEN_PROV_BAD,	  /* segments that do not fit each other: all dropped */
};

void gen_prov_rx_reset(struct gen_prov_rx *rx);
/* f is a decoded start or continuation of the transaction being put together. */
enum gen_prov_took gen_prov_rx_take(struct gen_prov_rx *rx, const struct gen_prov_frame *f);

#endif
