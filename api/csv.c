/* SPDX-License-Identifier: Apache-2.0 */
#include "csv.h"

#include <string.h>

void csv_init(struct csv *c, char *text, size_t n)
{
	*c = (struct csv){ text, text + n, 1 };
	text[n] = '\0';
	if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		c->at += 3;
}

static bool at_line_end(const struct csv *c)
{
	return c->at == c->end || *c->at == '\n' ||
	       (*c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n');
}

/* Steps over a line end. */
static void line_end(struct csv *c)
{
	if (c->at < c->end && *c->at == '\r')
		c->at++;
	if (c->at < c->end && *c->at == '\n')
		c->at++;
	c->line++;
}

static enum csv_result bad(struct csv *c, struct csv_row *row, const char *why)
{
	row->why = why;
	while (!at_line_end(c))
		c->at++;
	line_end(c);
	return CSV_BAD;
}

/* After the opening quote; the text moves down over doubled quotes. NULL or why. */
static const char *quoted(struct csv *c, char **out, char **out_end)
{
	char *to = c->at;

	*out = to;
	for (;;) {
		if (c->at == c->end)
			return "A quote is not closed.";
		if (*c->at == '\0')
			return "A zero octet is in the text.";
		if (*c->at == '"') {
			c->at++;
			if (c->at == c->end || *c->at != '"')
				break;
		}
		if (*c->at == '\n')
			c->line++;
		*to++ = *c->at++;
	}
	*out_end = to;
	if (!at_line_end(c) && *c->at != ',')
		return "Text follows a closing quote.";
	return NULL;
}

static const char *plain(struct csv *c, char **out, char **out_end)
{
	*out = c->at;
	while (!at_line_end(c) && *c->at != ',') {
		if (*c->at == '"')
			return "A quote stands inside a value that is not quoted.";
		if (*c->at == '\0')
			return "A zero octet is in the text.";
		c->at++;
	}
	*out_end = c->at;
	return NULL;
}

/* One row; its line end has been stepped over. */
static enum csv_result row_read(struct csv *c, struct csv_row *row)
{
	char *ends[CSV_FIELDS_MAX];

	for (;;) {
		bool more;
		const char *why;

		if (row->n == CSV_FIELDS_MAX)
			return bad(c, row, "There are too many values.");
		if (c->at < c->end && *c->at == '"') {
			c->at++;
			why = quoted(c, &row->field[row->n], &ends[row->n]);
		} else {
			why = plain(c, &row->field[row->n], &ends[row->n]);
		}
		if (why)
			return bad(c, row, why);
		row->n++;
		more = !at_line_end(c);
		if (!more)
			break;
		c->at++; /* the comma */
	}
	line_end(c);
	/* Only now: an end may be where the comma or the line end stood. */
	for (size_t i = 0; i < row->n; i++)
		*ends[i] = '\0';
	return CSV_ROW;
}

enum csv_result csv_next(struct csv *c, struct csv_row *row)
{
	while (c->at < c->end && at_line_end(c))
		line_end(c);
	*row = (struct csv_row){ .line = c->line };
	if (c->at == c->end)
		return CSV_END;
	return row_read(c, row);
}
