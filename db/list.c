/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages of lists by key set: a cursor holds the sort value and the key of the last row given, so
 * a page costs the same wherever it is, and rows that come or go meanwhile shift nothing.
 * Cursor text: sort name, "|", value, "|", key; a value is i<decimal>, t<hex> or b<hex>.
 */
#include "sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum { SORT_NAME = 24, VALUE_MAX = 256 };

struct held { /* a value of a cursor, and its octets */
	struct sql_value v;
	uint8_t octets[VALUE_MAX / 2 + 1];
};

static void append(struct sql_where *w, const char *condition, struct sql_value v, int times)
{
	size_t n = strlen(w->text);

	snprintf(w->text + n, sizeof w->text - n, "%s(%s)", n ? " AND " : "", condition);
	for (int i = 0; i < times && w->n < SQL_VALUES; i++)
		w->value[w->n++] = v;
}

void sql_where_int(struct sql_where *w, const char *condition, int64_t v)
{
	append(w, condition, (struct sql_value){ .kind = SQL_V_INT, .i = v }, 1);
}

void sql_where_text(struct sql_where *w, const char *condition, const char *v)
{
	append(w, condition, (struct sql_value){ .kind = SQL_V_TEXT, .p = v }, 1);
}

void sql_where_blob(struct sql_where *w, const char *condition, const void *p, size_t n)
{
	append(w, condition, (struct sql_value){ .kind = SQL_V_BLOB, .p = p, .n = n }, 1);
}

void sql_where_plain(struct sql_where *w, const char *condition)
{
	append(w, condition, (struct sql_value){ .kind = SQL_V_INT }, 0);
}

void sql_where_search(struct sql_where *w, const char *condition, int times, const char *part)
{
	char *out = w->scratch[0];
	size_t n = 0, cap = sizeof w->scratch[0];

	out[n++] = '%';
	for (; *part && n + 4 < cap; part++) {
		if (*part == '%' || *part == '_' || *part == '\\')
			out[n++] = '\\';
		out[n++] = *part;
	}
	out[n++] = '%';
	out[n] = 0;
	append(w, condition, (struct sql_value){ .kind = SQL_V_TEXT, .p = out }, times);
}

static void bind_value(struct sql *q, const struct sql_value *v)
{
	switch (v->kind) {
	case SQL_V_INT:
		sql_int(q, v->i);
		break;
	case SQL_V_TEXT:
		sql_text(q, v->p);
		break;
	case SQL_V_BLOB:
		sql_blob(q, v->p, v->n);
		break;
	}
}

static bool value_parse(struct held *h, const char *text, size_t len)
{
	char copy[VALUE_MAX + 2], *end;
	int n;

	if (len < 1 || len > VALUE_MAX)
		return false;
	memcpy(copy, text, len);
	copy[len] = 0;
	if (copy[0] == 'i') {
		h->v.kind = SQL_V_INT;
		h->v.i = strtoll(copy + 1, &end, 10);
		return len > 1 && *end == 0;
	}
	n = hex_parse(copy + 1, h->octets, sizeof h->octets - 1);
	if (n < 0 || (copy[0] != 't' && copy[0] != 'b'))
		return false;
	h->octets[n] = 0;
	h->v.kind = copy[0] == 't' ? SQL_V_TEXT : SQL_V_BLOB;
	h->v.p = h->octets;
	h->v.n = (size_t)n;
	return true;
}

static bool cursor_parse(const char *cursor, const char *sort, struct held *value, struct held *key)
{
	const char *a = strchr(cursor, '|'), *b = a ? strchr(a + 1, '|') : NULL;

	if (!b || (size_t)(a - cursor) != strlen(sort) || strncmp(cursor, sort, strlen(sort)) != 0)
		return false;
	return value_parse(value, a + 1, (size_t)(b - a - 1)) &&
	       value_parse(key, b + 1, strlen(b + 1));
}

/* A text longer than a cursor holds would cut rows off, so texts are stored shorter than that. */
static size_t value_format(char *out, size_t cap, sqlite3_stmt *s, int column)
{
	if (sqlite3_column_type(s, column) == SQLITE_INTEGER)
		return (size_t)snprintf(out, cap, "i%" PRId64,
					(int64_t)sqlite3_column_int64(s, column));
	char kind = sqlite3_column_type(s, column) == SQLITE_BLOB ? 'b' : 't';
	const void *p = sqlite3_column_blob(s, column);
	size_t n = (size_t)sqlite3_column_bytes(s, column);

	if (2 * n + 2 > cap)
		n = (cap - 2) / 2;
	out[0] = kind;
	hex_format(out + 1, bytes_of(p, p ? n : 0));
	return strlen(out);
}

static void cursor_format(char next[DB_CURSOR], const char *sort, sqlite3_stmt *s)
{
	char value[DB_NAME * 2 + 2], key[96];

	value_format(value, sizeof value, s, 0);
	value_format(key, sizeof key, s, 1);
	snprintf(next, DB_CURSOR, "%s|%s|%s", sort, value, key);
}

static const char *sort_find(const struct sql_list *l, const char *name, bool *down)
{
	*down = *name == '-';
	name += *down;
	for (size_t i = 0; i < l->n_sorts; i++)
		if (strcmp(l->sorts[i].name, name) == 0)
			return l->sorts[i].expression;
	return NULL;
}

static enum db_rc give_rows(struct sql *q, unsigned limit, const char *sort,
			    bool (*row)(struct sql *q, void *ctx), void *ctx, char next[DB_CURSOR])
{
	char last[DB_CURSOR] = "";
	enum db_rc rc;

	for (unsigned n = 0; (rc = sql_row(q)) == DB_OK; n++) {
		if (n == limit) { /* one more than the page: there is a next one */
			memcpy(next, last, sizeof last);
			break;
		}
		cursor_format(last, sort, q->s);
		q->column = 2;
		if (!row(q, ctx)) {
			sql_end(q);
			return DB_ERROR;
		}
	}
	sql_end(q);
	return rc == DB_ERROR ? DB_ERROR : DB_OK;
}

enum db_rc sql_list(struct db *db, const struct sql_list *l, const struct sql_where *w,
		    const struct db_page *page, bool (*row)(struct sql *q, void *ctx), void *ctx,
		    char next[DB_CURSOR])
{
	static const struct db_page first = { 0 };
	struct held value = { 0 }, key = { 0 };
	char text[SQL_TEXT], seek[512] = "";
	bool down;

	if (!page)
		page = &first;
	const char *sort = page->sort && *page->sort ? page->sort : l->sorts[0].name;
	const char *expression = sort_find(l, sort, &down);
	bool from_cursor = page->cursor && *page->cursor;
	unsigned limit = page->limit ? page->limit : 100;

	next[0] = 0;
	if (!expression || strlen(sort) >= SORT_NAME || limit > 1000)
		return DB_CONFLICT;
	if (from_cursor && !cursor_parse(page->cursor, sort, &value, &key))
		return DB_CONFLICT;
	if (from_cursor)
		snprintf(seek, sizeof seek, "%s(%s, %s) %c (?, ?)", *w->text ? " AND " : "",
			 expression, l->key, down ? '<' : '>');
	int n = snprintf(
		text, sizeof text, "SELECT %s, %s, %s FROM %s%s%s%s ORDER BY %s %s, %s %s LIMIT ?",
		expression, l->key, l->columns, l->from, *w->text || *seek ? " WHERE " : "",
		w->text, seek, expression, down ? "DESC" : "ASC", l->key, down ? "DESC" : "ASC");
	if (n < 0 || (size_t)n >= sizeof text)
		return DB_ERROR;
	struct sql q = sql_read(db, text);
	for (size_t i = 0; i < w->n; i++)
		bind_value(&q, &w->value[i]);
	if (from_cursor) {
		bind_value(&q, &value.v);
		bind_value(&q, &key.v);
	}
	sql_int(&q, (int64_t)limit + 1);
	return give_rows(&q, limit, sort, row, ctx, next);
}

enum db_rc sql_count(struct db *db, const char *from, const struct sql_where *w, int64_t *out)
{
	char text[SQL_TEXT];

	snprintf(text, sizeof text, "SELECT count(*) FROM %s%s%s", from, *w->text ? " WHERE " : "",
		 w->text);
	struct sql q = sql_read(db, text);
	for (size_t i = 0; i < w->n; i++)
		bind_value(&q, &w->value[i]);
	enum db_rc rc = sql_row(&q);
	*out = rc == DB_OK ? sql_get_int(&q) : 0;
	sql_end(&q);
	return rc;
}
