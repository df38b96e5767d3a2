/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings of a radio as btsnoop files, data link 1002 (HCI H4), as HCI tools and Wireshark read
 * them: what we send as the command LE Set Advertising Data, what we hear as the event LE
 * Advertising Report. A recording holds the air, which is public, and no key.
 */
#ifndef MESHMASON_TRACE_H
#define MESHMASON_TRACE_H

#include <stdio.h>

#include "bytes.h"
#include "mesh_const.h"

enum { TRACE_PACKET_MAX = 260 };

/* One advertisement. Of one we sent, only the data and the instant are known. */
struct trace_frame {
	int64_t at; /* microseconds since 1970 */
	bool sent;
	uint8_t event_type;
	uint8_t address[6]; /* least significant octet first */
	int8_t rssi;
	uint8_t len;
	uint8_t data[AD_MAX];
};

/* The file stays the caller's. False when it could not be written: see errno. */
bool trace_begin(FILE *file);
bool trace_write(FILE *file, const struct trace_frame *frame);

/* Reads what others have recorded, too: packets of other kinds are passed over. */
struct trace_reader {
	FILE *file;
	uint8_t packet[TRACE_PACKET_MAX];
	int64_t at;
	struct rd reports; /* of the event at hand, which may hold several */
	uint8_t n_reports;
	uint64_t passed_over;
};

enum trace_result { TRACE_FRAME, TRACE_END, TRACE_BROKEN };

/* False when this is no btsnoop file of HCI H4. */
bool trace_open(struct trace_reader *r, FILE *file);
/* TRACE_BROKEN: the file ends inside a record, or is none from there on. */
enum trace_result trace_read(struct trace_reader *r, struct trace_frame *out);

#endif
