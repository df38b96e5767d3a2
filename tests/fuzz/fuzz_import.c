/* SPDX-License-Identifier: Apache-2.0 */
/* A list of devices, as comma-separated values and as JSON. Accepted: a row of it is. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "import.h"

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static bool look(const struct import_list *l)
{
	bool found = false;

	promise(l->n <= IMPORT_ROWS_MAX);
	for (size_t i = 0; i < l->n; i++) {
		const struct import_row *row = &l->rows[i];

		for (size_t c = 0; c < IMPORT_COLUMNS; c++)
			promise(!row->value[c] || strlen(row->value[c]) <= 1u << 20);
		promise(memchr(row->message, 0, sizeof(row->message)));
		promise(row->outcome == IMPORT_REFUSED || row->has_uuid);
		found = found || row->outcome != IMPORT_REFUSED;
	}
	return found;
}

static bool one(struct bytes body, bool is_csv)
{
	struct import_list l = { 0 };
	struct problem p = { 0 };
	bool read = import_parse(&l, body, is_csv, &p), found = false;

	if (read)
		found = look(&l);
	else
		promise(p.status >= 400 && p.code);
	import_free(&l);
	return found;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	bool as_csv = one(bytes_of(data, n), true);

	return one(bytes_of(data, n), false) || as_csv;
}
