/* SPDX-License-Identifier: Apache-2.0 */
/* Lower transport PDUs, 3.5.2, as they stand in a network PDU. Codecs only. */
#ifndef MESHMASON_LOWER_PDU_H
#define MESHMASON_LOWER_PDU_H

#include "bytes.h"
#include "mesh_const.h"

enum lower_size {
	LOWER_SEGMENT_HEADER = 4,
	LOWER_SEGMENT_ACCESS = 12,
	LOWER_SEGMENT_CONTROL = 8,
	LOWER_UNSEGMENTED_ACCESS = 15, /* upper transport PDU */
	LOWER_UPPER_MAX = 384,
	LOWER_ACK_LEN = 7,
	LOWER_AKF = 0x40, /* in struct lower_segment.key: an application key, AID below */
};

struct lower_segment {
	uint8_t key; /* access: AKF and AID; control: opcode */
	bool szmic;  /* access only */
	uint16_t seq_zero;
	uint8_t seg_o, seg_n;
	struct bytes data;
};

/* in is the whole lower transport PDU with SEG set. False: SegO above SegN, or a segment of the
 * wrong length. */
bool lower_segment_decode(struct lower_segment *out, bool ctl, struct bytes in);
/* Returns the length; data.n is at most 12. */
size_t lower_segment_encode(const struct lower_segment *s, uint8_t out[16]);

struct lower_ack {
	bool obo; /* by a Friend, on behalf of its low power node */
	uint16_t seq_zero;
	uint32_t acked; /* bit n: segment n */
};
bool lower_ack_decode(struct lower_ack *out, struct bytes in);
void lower_ack_encode(const struct lower_ack *a, uint8_t out[LOWER_ACK_LEN]);

/* SeqAuth (IV Index << 24 | SEQ of the first segment) from any segment, 3.5.3.1. */
bool lower_seq_auth(uint32_t iv_index, uint32_t seq, uint16_t seq_zero, uint64_t *out);
/* One bit for each segment of a message. */
uint32_t lower_all_segments(uint8_t seg_n);

#endif
