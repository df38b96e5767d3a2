/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comma-separated values as RFC 4180 has them, with what spreadsheets add: a byte order mark,
 * either line end, no end after the last line. Works in place on the caller's text.
 */
#ifndef MESHMASON_CSV_H
#define MESHMASON_CSV_H

#include <stdbool.h>
#include <stddef.h>

enum { CSV_FIELDS_MAX = 16 };

struct csv {
	char *at, *end;
	unsigned line;
};

struct csv_row {
	unsigned line; /* where it begins, from 1 */
	size_t n;
	char *field[CSV_FIELDS_MAX];
	const char *why; /* CSV_BAD: a sentence */
};

enum csv_result { CSV_ROW, CSV_BAD, CSV_END };

/* text[n] must be writable: the last field is ended there. */
void csv_init(struct csv *c, char *text, size_t n);
/* The next row that is not empty. A bad one is skipped up to its line's end. */
enum csv_result csv_next(struct csv *c, struct csv_row *row);

#endif
