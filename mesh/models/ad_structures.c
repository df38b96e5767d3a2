/* SPDX-License-Identifier: Apache-2.0 */
#include "ad_structures.h"

#include <string.h>

#include "crypto.h"
#include "mesh_const.h"

bool ad_next(struct rd *r, uint8_t *type, struct bytes *data)
{
	uint8_t len = r->left > 1 ? rd_u8(r) : 0;

	if (len == 0)
		return false;
	*type = rd_u8(r);
	*data = rd_bytes(r, len - 1u);
	return rd_ok(r);
}

bool ad_type_may_be_asked(uint8_t type)
{
	return type != 0 && type != 0x02 && type != 0x04 && type != 0x06 &&
	       type != AD_SHORTENED_LOCAL_NAME;
}

/* The length of a well-formed character that may be shown, RFC 3629; 0: there is none. */
static size_t character(struct bytes b)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} kinds[] = { { 0x80, 0x00, 0x20 },
		      { 0xE0, 0xC0, 0xA0 }, /* below it: control characters */
		      { 0xF0, 0xE0, 0x800 },
		      { 0xF8, 0xF0, 0x10000 } };

	for (size_t n = 1; n <= ARRAY_LEN(kinds) && n <= b.n; n++) {
		uint32_t c = b.p[0] & (uint8_t)~kinds[n - 1].mask;

		if ((b.p[0] & kinds[n - 1].mask) != kinds[n - 1].lead)
			continue;
		for (size_t i = 1; i < n; i++) {
			if ((b.p[i] & 0xC0) != 0x80)
				return 0;
			c = c << 6 | (b.p[i] & 0x3F);
		}
		/* surrogates; separators and marks that turn lines or text around */
		if (c < kinds[n - 1].least || c == 0x7F || c > 0x10FFFF ||
		    (c >= 0xD800 && c <= 0xDFFF) || (c >= 0x2028 && c <= 0x202E) ||
		    (c >= 0x2066 && c <= 0x2069) || c == 0x200E || c == 0x200F || c == 0xFEFF)
			return 0;
		return n;
	}
	return 0;
}

/* Whole characters as far as they fit; nothing of a text that is not UTF-8. A name may be filled
 * up with zeros. */
static void copy_text(char *out, size_t cap, struct bytes in)
{
	size_t fits = 0;

	while (in.n > 0 && in.p[in.n - 1] == 0)
		in.n--;
	for (size_t at = 0, n; at < in.n; at += n) {
		n = character(bytes_of(in.p + at, in.n - at));
		if (n == 0) {
			fits = 0;
			break;
		}
		if (at + n < cap && fits == at)
			fits = at + n;
	}
	if (fits)
		memcpy(out, in.p, fits);
	out[fits] = 0;
}

/* The scheme is one character of the Assigned Numbers' list: the few that devices use. */
static void copy_uri(char out[AD_URI_TEXT], struct bytes in, const uint32_t *hash)
{
	static const struct {
		uint8_t code;
		const char *name;
	} schemes[] = { { 0x01, "" }, { 0x16, "http:" }, { 0x17, "https:" } };
	uint8_t salt[16];
	struct rd r = rd_from(bytes_of(salt, sizeof(salt)));

	out[0] = 0;
	s1(in, salt);
	if (hash && rd_be32(&r) != *hash)
		return;
	for (size_t i = 0; in.n > 1 && i < ARRAY_LEN(schemes); i++) {
		size_t n = strlen(schemes[i].name);

		if (schemes[i].code != in.p[0] || in.n + n > AD_URI_TEXT)
			continue;
		memcpy(out, schemes[i].name, n);
		copy_text(out + n, AD_URI_TEXT - n, bytes_of(in.p + 1, in.n - 1));
		if (!out[n])
			out[0] = 0;
	}
}

void ad_read_facts(struct ad_facts *out, struct bytes ads, const uint32_t *uri_hash)
{
	struct rd r = rd_from(ads);
	bool complete = false;
	struct bytes data;
	uint8_t type;

	memset(out, 0, sizeof(*out));
	out->tx_power = AD_TX_POWER_UNKNOWN;
	while (ad_next(&r, &type, &data)) {
		if (type == AD_COMPLETE_LOCAL_NAME ||
		    (type == AD_SHORTENED_LOCAL_NAME && !complete)) {
			copy_text(out->name, sizeof(out->name), data);
			complete = type == AD_COMPLETE_LOCAL_NAME && *out->name;
		} else if (type == AD_APPEARANCE && data.n == 2) {
			out->has_appearance = true;
			out->appearance = (uint16_t)(data.p[0] | data.p[1] << 8);
		} else if (type == AD_TX_POWER && data.n == 1) {
			out->tx_power = (int8_t)data.p[0];
		} else if (type == AD_URI) {
			copy_uri(out->uri, data, uri_hash);
		}
	}
}

static bool answers(uint8_t wanted, uint8_t type)
{
	return wanted == type ||
	       (wanted == AD_COMPLETE_LOCAL_NAME && type == AD_SHORTENED_LOCAL_NAME);
}

bool ad_collect(struct wr *w, uint16_t *seen, const uint8_t *types, size_t n_types,
		struct bytes ads)
{
	struct rd r = rd_from(ads);
	struct bytes data;
	uint8_t type;

	while (ad_next(&r, &type, &data)) {
		for (size_t i = 0; i < n_types; i++) {
			if ((*seen >> i & 1) || !answers(types[i], type))
				continue;
			*seen |= (uint16_t)(1u << i);
			if (w->cap - w->n < data.n + 2)
				break;
			wr_u8(w, (uint8_t)(data.n + 1));
			wr_u8(w, type);
			wr_bytes(w, data);
			break;
		}
	}
	return *seen == (1u << n_types) - 1;
}
