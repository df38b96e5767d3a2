/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <string.h>

/* btsnoop counts microseconds from the year 0. */
#define EPOCH INT64_C(0x00DCDDB30F2F8000)

enum {
	FILE_HEADER = 16,
	RECORD_HEADER = 24,
	VERSION = 1,
	DATALINK_H4 = 1002,
	FLAG_RECEIVED = 1,
	FLAG_COMMAND_OR_EVENT = 2,

	H4_COMMAND = 1,
	H4_EVENT = 4,
	LE_SET_ADVERTISING_DATA = 0x2008,
	EVENT_LE_META = 0x3E,
	LE_ADVERTISING_REPORT = 2,
	ADDRESS_RANDOM = 1,
};

static const char magic[8] = "btsnoop";

static bool put(FILE *file, const struct wr *w)
{
	struct bytes b = wr_done(w);

	return b.n > 0 && fwrite(b.p, 1, b.n, file) == b.n;
}

bool trace_begin(FILE *file)
{
	uint8_t header[FILE_HEADER];
	struct wr w = wr_to(header, sizeof(header));

	wr_copy(&w, magic, sizeof(magic));
	wr_be32(&w, VERSION);
	wr_be32(&w, DATALINK_H4);
	return put(file, &w);
}

static void put_command(struct wr *w, const struct trace_frame *f)
{
	static const uint8_t zeros[AD_MAX];

	wr_u8(w, H4_COMMAND);
	wr_le16(w, LE_SET_ADVERTISING_DATA);
	wr_u8(w, 1 + AD_MAX);
	wr_u8(w, f->len);
	wr_copy(w, f->data, f->len);
	wr_copy(w, zeros, AD_MAX - f->len);
}

static void put_report(struct wr *w, const struct trace_frame *f)
{
	wr_u8(w, H4_EVENT);
	wr_u8(w, EVENT_LE_META);
	wr_u8(w, (uint8_t)(12 + f->len));
	wr_u8(w, LE_ADVERTISING_REPORT);
	wr_u8(w, 1);
	wr_u8(w, f->event_type);
	wr_u8(w, ADDRESS_RANDOM);
	wr_copy(w, f->address, sizeof(f->address));
	wr_u8(w, f->len);
	wr_copy(w, f->data, f->len);
	wr_u8(w, (uint8_t)f->rssi);
}

bool trace_write(FILE *file, const struct trace_frame *frame)
{
	uint8_t packet[64], record[RECORD_HEADER + sizeof(packet)];
	struct wr p = wr_to(packet, sizeof(packet)), w = wr_to(record, sizeof(record));

	if (frame->len > AD_MAX)
		return false;
	(frame->sent ? put_command : put_report)(&p, frame);
	wr_be32(&w, (uint32_t)p.n); /* original and included length */
	wr_be32(&w, (uint32_t)p.n);
	wr_be32(&w, FLAG_COMMAND_OR_EVENT | (frame->sent ? 0 : FLAG_RECEIVED));
	wr_be32(&w, 0); /* drops */
	wr_be64(&w, (uint64_t)(frame->at + EPOCH));
	wr_bytes(&w, wr_done(&p));
	return put(file, &w);
}

bool trace_open(struct trace_reader *r, FILE *file)
{
	uint8_t header[FILE_HEADER] = { 0 };
	struct rd h = rd_from(bytes_of(header, sizeof(header)));

	memset(r, 0, sizeof(*r));
	r->file = file;
	return fread(header, 1, sizeof(header), file) == sizeof(header) &&
	       bytes_equal(rd_bytes(&h, sizeof(magic)), bytes_of(magic, sizeof(magic))) &&
	       rd_be32(&h) == VERSION && rd_be32(&h) == DATALINK_H4;
}

static bool read_command(struct rd *p, struct trace_frame *out)
{
	if (rd_le16(p) != LE_SET_ADVERTISING_DATA || rd_u8(p) != 1 + AD_MAX)
		return false;
	out->sent = true;
	out->event_type = ADV_NONCONN_IND;
	out->len = rd_u8(p);
	rd_copy(p, out->data, AD_MAX);
	return rd_finished(p) && out->len <= AD_MAX;
}

static bool read_report(struct rd *p, struct trace_frame *out)
{
	struct bytes data;

	out->event_type = rd_u8(p);
	rd_u8(p); /* kind of address */
	rd_copy(p, out->address, sizeof(out->address));
	out->len = rd_u8(p);
	data = rd_bytes(p, out->len);
	out->rssi = (int8_t)rd_u8(p);
	if (!rd_ok(p) || data.n > AD_MAX)
		return false;
	if (data.n > 0)
		memcpy(out->data, data.p, data.n);
	return true;
}

/* True when the packet is the event Advertising Report, whose reports are then read one by one. */
static bool read_event(struct trace_reader *r, struct rd p)
{
	if (rd_u8(&p) != EVENT_LE_META || rd_u8(&p) != p.left || rd_u8(&p) != LE_ADVERTISING_REPORT)
		return false;
	r->n_reports = rd_u8(&p);
	r->reports = p;
	return rd_ok(&p);
}

/* The next packet into r->packet. */
static enum trace_result read_record(struct trace_reader *r, struct bytes *packet)
{
	uint8_t header[RECORD_HEADER] = { 0 };
	struct rd h = rd_from(bytes_of(header, sizeof(header)));
	size_t n = fread(header, 1, sizeof(header), r->file);
	uint32_t original, included;

	if (n == 0 && feof(r->file))
		return TRACE_END;
	if (n != sizeof(header))
		return TRACE_BROKEN;
	original = rd_be32(&h);
	included = rd_be32(&h);
	rd_be64(&h); /* flags: the packet's own type says as much; drops */
	/* wraps at most, as the octets of a foreign file may say anything */
	r->at = (int64_t)(rd_be64(&h) - (uint64_t)EPOCH);
	if (included > original || included > 0x10000)
		return TRACE_BROKEN;
	*packet = bytes_of(r->packet, included);
	if (included > sizeof(r->packet)) { /* no advertisement is as long as that */
		*packet = bytes_of(NULL, 0);
		for (uint32_t i = 0; i < included; i++) {
			if (fgetc(r->file) == EOF)
				return TRACE_BROKEN;
		}
	} else if (fread(r->packet, 1, included, r->file) != included) {
		return TRACE_BROKEN;
	}
	return TRACE_FRAME;
}

enum trace_result trace_read(struct trace_reader *r, struct trace_frame *out)
{
	for (;;) {
		struct bytes packet;
		enum trace_result result;
		struct rd p;
		uint8_t kind;

		memset(out, 0, sizeof(*out));
		out->at = r->at;
		if (r->n_reports > 0) {
			r->n_reports--;
			if (read_report(&r->reports, out))
				return TRACE_FRAME;
			r->n_reports = 0; /* the rest has lost its beginning */
			r->passed_over++;
			continue;
		}
		result = read_record(r, &packet);
		if (result != TRACE_FRAME)
			return result;
		out->at = r->at;
		p = rd_from(packet);
		kind = rd_u8(&p);
		if (kind == H4_COMMAND && read_command(&p, out))
			return TRACE_FRAME;
		if (kind != H4_EVENT || !read_event(r, p))
			r->passed_over++;
	}
}
