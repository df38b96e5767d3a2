/* SPDX-License-Identifier: Apache-2.0 */
/* Opcodes of 1, 2 or 3 octets, 3.7.3.1; as a number the first octet is the highest. */
#ifndef MESHMASON_OPCODE_H
#define MESHMASON_OPCODE_H

#include "bytes.h"

/* Reads one; false for an overrun or the reserved 0x7F. */
bool opcode_read(struct rd *r, uint32_t *out);
/* False for a number that is no opcode. */
bool opcode_write(struct wr *w, uint32_t opcode);

#endif
