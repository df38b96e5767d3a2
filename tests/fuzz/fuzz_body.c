/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON body and a table with a field of every kind. Accepted: the body is good. */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "fuzz.h"

struct sample {
	struct field_text name, note, kind, uuid, address;
	struct field_int count;
	struct field_bool flag;
	struct field_json any;
};

static const char *const kinds[] = { "red", "green", NULL };
#define AT(member) offsetof(struct sample, member)
static const struct field table[] = {
	{ "name", FIELD_TEXT, FIELD_REQUIRED | FIELD_NULL, 1, 8, NULL, NULL, NULL, AT(name) },
	{ "note", FIELD_TEXT, FIELD_MULTILINE, 0, 64, NULL, NULL, NULL, AT(note) },
	{ "kind", FIELD_ENUM, 0, 0, 0, kinds, NULL, NULL, AT(kind) },
	{ "uuid", FIELD_TEXT, 0, 0, 40, NULL, field_is_uuid, "a uuid", AT(uuid) },
	{ "address", FIELD_TEXT, 0, 0, 8, NULL, field_is_address, "an address", AT(address) },
	{ "count", FIELD_INT, 0, -5, 100, NULL, NULL, NULL, AT(count) },
	{ "flag", FIELD_BOOL, 0, 0, 0, NULL, NULL, NULL, AT(flag) },
	{ "any", FIELD_JSON, 0, 0, 0, NULL, NULL, NULL, AT(any) },
};

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static bool good(json_t *body, struct problem *p)
{
	struct sample s;
	uint16_t address;

	if (!fields_read(body, table, ARRAY_LEN(table), "", &s, sizeof(s), p))
		return false;
	promise(s.name.given && (s.name.null || (strlen(s.name.s) >= 1 && strlen(s.name.s) <= 8)));
	promise(!s.name.s || text_is_clean(s.name.s, strlen(s.name.s), false));
	promise(!s.kind.given || s.kind.null || s.kind.s == kinds[0] || s.kind.s == kinds[1] ||
		strcmp(s.kind.s, kinds[0]) == 0 || strcmp(s.kind.s, kinds[1]) == 0);
	promise(!s.count.given || s.count.null || (s.count.v >= -5 && s.count.v <= 100));
	promise(!s.address.s || address_parse(s.address.s, &address));
	return true;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct problem p = { 0 };
	json_t *body = body_parse(bytes_of(data, n), &p);
	bool accepted = body && good(body, &p);

	json_decref(body);
	promise(accepted == (p.status == 0) && (accepted || p.code));
	promise(memchr(p.detail, 0, sizeof(p.detail)) && memchr(p.field, 0, sizeof(p.field)));
	return accepted;
}
