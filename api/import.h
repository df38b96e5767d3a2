/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a device list, from CSV or JSON, each looked at by itself and against the others. */
#ifndef MESHMASON_IMPORT_H
#define MESHMASON_IMPORT_H

#include <jansson.h>

#include "bytes.h"
#include "fields.h"

enum import_column {
	IMPORT_UUID,
	IMPORT_NAME,
	IMPORT_AREA,
	IMPORT_PROFILE,
	IMPORT_STATIC_OOB,
	IMPORT_CERTIFICATE,
	IMPORT_OOB_KEY, /* from here on in JSON only */
	IMPORT_COMPANY,
	IMPORT_PRODUCT,
	IMPORT_COLUMNS,
};
enum import_outcome { IMPORT_ADDED, IMPORT_CHANGED, IMPORT_UNCHANGED, IMPORT_REFUSED };

enum { IMPORT_CSV_COLUMNS = IMPORT_CERTIFICATE + 1 };
enum { IMPORT_ROWS_MAX = 65536, IMPORT_MESSAGE = 160, IMPORT_LABEL_MAX = 64 };

struct import_row {
	unsigned line; /* of the file; of JSON: number of the row */
	bool has_uuid;
	uint8_t uuid[16];
	const char *value[IMPORT_COLUMNS]; /* NULL: not given, stays as it is */
	bool clear[IMPORT_COLUMNS];	   /* JSON null: empties it */
	enum import_outcome outcome;	   /* IMPORT_REFUSED: as field and message say */
	const char *field;		   /* static; NULL: the row as a whole */
	char message[IMPORT_MESSAGE];
};

struct import_list {
	struct import_row *rows;
	size_t n, cap;
	char *text;   /* owned; the values of a CSV point into it */
	json_t *body; /* owned; the values of JSON */
};

/* "0x02e5". False: it is no number of that form. */
bool import_hex16(const char *text, int *out);
/* False with p when the list as a whole cannot be read. l is zeroed before; import_free() always.
 */
bool import_parse(struct import_list *l, struct bytes body, bool is_csv, struct problem *p);
void import_free(struct import_list *l);

#endif
