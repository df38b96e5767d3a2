/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views of octets, and cursors that remember an overrun: a decoder reads straight
 * down and asks once, at the end; an encoder writes straight down likewise.
 */
#ifndef MESHMASON_BYTES_H
#define MESHMASON_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a)			(sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A view that is valid for the current call only; never owns. */
struct bytes {
	const uint8_t *p;
	size_t n;
};

static inline struct bytes bytes_of(const void *p, size_t n)
{
	return (struct bytes){ p, n };
}

bool bytes_equal(struct bytes a, struct bytes b);

/* Reading cursor. After an overrun every read gives 0 and rd_ok() is false. */
struct rd {
	const uint8_t *p;
	size_t left;
	bool overrun;
};

struct rd rd_from(struct bytes in);
uint8_t rd_u8(struct rd *r);
uint16_t rd_be16(struct rd *r);
uint32_t rd_be24(struct rd *r);
uint32_t rd_be32(struct rd *r);
uint64_t rd_be64(struct rd *r);
uint16_t rd_le16(struct rd *r);
uint32_t rd_le24(struct rd *r);
uint32_t rd_le32(struct rd *r);
/* The next n octets as a view; {NULL, 0} on overrun. */
struct bytes rd_bytes(struct rd *r, size_t n);
/* Copies n octets to out; zeros out on overrun. */
void rd_copy(struct rd *r, void *out, size_t n);
/* All that is left, possibly nothing. */
struct bytes rd_rest(struct rd *r);
/* No overrun so far. */
bool rd_ok(const struct rd *r);
/* No overrun, and nothing left over. */
bool rd_finished(const struct rd *r);

/* Writing cursor over the caller's buffer. Past its end nothing is written and wr_ok() is false. */
struct wr {
	uint8_t *p;
	size_t cap;
	size_t n;
	bool overrun;
};

struct wr wr_to(void *buf, size_t cap);
void wr_u8(struct wr *w, uint8_t v);
void wr_be16(struct wr *w, uint16_t v);
void wr_be24(struct wr *w, uint32_t v);
void wr_be32(struct wr *w, uint32_t v);
void wr_be64(struct wr *w, uint64_t v);
void wr_le16(struct wr *w, uint16_t v);
void wr_le24(struct wr *w, uint32_t v);
void wr_le32(struct wr *w, uint32_t v);
void wr_copy(struct wr *w, const void *p, size_t n);
void wr_bytes(struct wr *w, struct bytes b);
bool wr_ok(const struct wr *w);
/* What has been written; {NULL, 0} after an overrun. */
struct bytes wr_done(const struct wr *w);

/* Hexadecimal, lower case, 2n characters and a zero; out has room for 2n + 1. Returns out. */
char *hex_format(char *out, struct bytes in);
/* Exactly 2 * cap hexadecimal digits (either case) into out; false otherwise. */
bool hex_parse_exact(const char *text, void *out, size_t cap);
/* Any even number of digits up to 2 * cap; the number of octets, or -1. */
int hex_parse(const char *text, void *out, size_t cap);

/* UUID text, 8-4-4-4-12: printing is lower case, parsing takes either. */
enum { UUID_TEXT = 37, UUID_LEN = 16 };
char *uuid_format(char out[UUID_TEXT], const uint8_t uuid[UUID_LEN]);
bool uuid_parse(const char *text, uint8_t out[UUID_LEN]);

#endif
