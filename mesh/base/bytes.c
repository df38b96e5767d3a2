/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <string.h>

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

struct rd rd_from(struct bytes in)
{
	return (struct rd){ .p = in.p, .left = in.n };
}

struct bytes rd_bytes(struct rd *r, size_t n)
{
	struct bytes view;

	if (r->overrun || n > r->left) {
		r->overrun = true;
		r->left = 0;
		return bytes_of(NULL, 0);
	}
	view = bytes_of(r->p, n);
	if (n > 0)
		r->p += n;
	r->left -= n;
	return view;
}

static uint64_t read_be(struct rd *r, size_t n)
{
	struct bytes b = rd_bytes(r, n);
	uint64_t v = 0;

	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return v;
}

static uint64_t read_le(struct rd *r, size_t n)
{
	struct bytes b = rd_bytes(r, n);
	uint64_t v = 0;

	for (size_t i = b.n; i > 0; i--)
		v = v << 8 | b.p[i - 1];
	return v;
}

uint8_t rd_u8(struct rd *r)
{
	return (uint8_t)read_be(r, 1);
}

uint16_t rd_be16(struct rd *r)
{
	return (uint16_t)read_be(r, 2);
}

uint32_t rd_be24(struct rd *r)
{
	return (uint32_t)read_be(r, 3);
}

uint32_t rd_be32(struct rd *r)
{
	return (uint32_t)read_be(r, 4);
}

uint64_t rd_be64(struct rd *r)
{
	return read_be(r, 8);
}

uint16_t rd_le16(struct rd *r)
{
	return (uint16_t)read_le(r, 2);
}

uint32_t rd_le24(struct rd *r)
{
	return (uint32_t)read_le(r, 3);
}

uint32_t rd_le32(struct rd *r)
{
	return (uint32_t)read_le(r, 4);
}

void rd_copy(struct rd *r, void *out, size_t n)
{
	struct bytes b = rd_bytes(r, n);

	if (n == 0)
		return;
	if (b.n == n)
		memcpy(out, b.p, n);
	else
		memset(out, 0, n);
}

struct bytes rd_rest(struct rd *r)
{
	return rd_bytes(r, r->left);
}

bool rd_ok(const struct rd *r)
{
	return !r->overrun;
}

bool rd_finished(const struct rd *r)
{
	return !r->overrun && r->left == 0;
}

struct wr wr_to(void *buf, size_t cap)
{
	return (struct wr){ .p = buf, .cap = cap };
}

void wr_copy(struct wr *w, const void *p, size_t n)
{
	if (w->overrun || n > w->cap - w->n) {
		w->overrun = true;
		return;
	}
	if (n > 0)
		memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void write_be(struct wr *w, uint64_t v, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	wr_copy(w, b, n);
}

static void write_le(struct wr *w, uint64_t v, size_t n)
{
	uint8_t b[8];

	for (size_t i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	wr_copy(w, b, n);
}

void wr_u8(struct wr *w, uint8_t v)
{
	write_be(w, v, 1);
}

void wr_be16(struct wr *w, uint16_t v)
{
	write_be(w, v, 2);
}

void wr_be24(struct wr *w, uint32_t v)
{
	write_be(w, v, 3);
}

void wr_be32(struct wr *w, uint32_t v)
{
	write_be(w, v, 4);
}

void wr_be64(struct wr *w, uint64_t v)
{
	write_be(w, v, 8);
}

void wr_le16(struct wr *w, uint16_t v)
{
	write_le(w, v, 2);
}

void wr_le24(struct wr *w, uint32_t v)
{
	write_le(w, v, 3);
}

void wr_le32(struct wr *w, uint32_t v)
{
	write_le(w, v, 4);
}

void wr_bytes(struct wr *w, struct bytes b)
{
	wr_copy(w, b.p, b.n);
}

bool wr_ok(const struct wr *w)
{
	return !w->overrun;
}

struct bytes wr_done(const struct wr *w)
{
	return w->overrun ? bytes_of(NULL, 0) : bytes_of(w->p, w->n);
}

char *hex_format(char *out, struct bytes in)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < in.n; i++) {
		out[2 * i] = digit[in.p[i] >> 4];
		out[2 * i + 1] = digit[in.p[i] & 0x0F];
	}
	out[2 * in.n] = '\0';
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_parse(const char *text, void *out, size_t cap)
{
	uint8_t *o = out;
	size_t len = strlen(text);

	if (len % 2 != 0 || len / 2 > cap)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int hi = hex_digit(text[2 * i]), lo = hex_digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		o[i] = (uint8_t)(hi << 4 | lo);
	}
	return (int)(len / 2);
}

bool hex_parse_exact(const char *text, void *out, size_t cap)
{
	return strlen(text) == 2 * cap && hex_parse(text, out, cap) == (int)cap;
}

static bool uuid_dash_after(size_t octet)
{
	return octet == 3 || octet == 5 || octet == 7 || octet == 9;
}

char *uuid_format(char out[UUID_TEXT], const uint8_t uuid[UUID_LEN])
{
	char *o = out;

	for (size_t i = 0; i < UUID_LEN; i++) {
		hex_format(o, bytes_of(uuid + i, 1));
		o += 2;
		if (uuid_dash_after(i))
			*o++ = '-';
	}
	*o = '\0';
	return out;
}

bool uuid_parse(const char *text, uint8_t out[UUID_LEN])
{
	if (strlen(text) != UUID_TEXT - 1)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		int hi = hex_digit(text[0]), lo = hex_digit(text[1]);

		if (hi < 0 || lo < 0)
			return false;
		out[i] = (uint8_t)(hi << 4 | lo);
		text += 2;
		if (uuid_dash_after(i) && *text++ != '-')
			return false;
	}
	return true;
}
