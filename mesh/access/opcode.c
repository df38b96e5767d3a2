/* SPDX-License-Identifier: Apache-2.0 */
#include "opcode.h"

enum { RESERVED = 0x7F };

bool opcode_read(struct rd *r, uint32_t *out)
{
	*out = rd_u8(r);
	if (*out == RESERVED)
		return false;
	if (*out >= 0xC0)
		*out = *out << 16 | rd_be16(r);
	else if (*out >= 0x80)
		*out = *out << 8 | rd_u8(r);
	return rd_ok(r);
}

bool opcode_write(struct wr *w, uint32_t opcode)
{
	if (opcode < RESERVED)
		wr_u8(w, (uint8_t)opcode);
	else if (opcode >= 0x8000 && opcode <= 0xBFFF)
		wr_be16(w, (uint16_t)opcode);
	else if (opcode >= 0xC00000 && opcode <= 0xFFFFFF)
		wr_be24(w, opcode);
	else
		return false;
	return true;
}
