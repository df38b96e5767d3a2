/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between db/ and SQLite, for the files of this folder only: a statement is prepared once, its
 * parameters are bound and its columns read in order. Names of secrets carry table, column and
 * row into the associated data of the encryption.
 */
#ifndef MESHMASON_DB_SQL_H
#define MESHMASON_DB_SQL_H

#include <sqlite3.h>

#include "db.h"

enum { SQL_STATEMENTS = 512, SQL_TEXT = 4096, SQL_VALUES = 12 };

struct db {
	sqlite3 *sql;
	struct secret32 master;
	void (*random)(void *ctx, void *out, size_t n);
	void *random_ctx;
	int lock;
	bool writing; /* a transaction of this turn is open */
	bool failed;  /* a write failed: this turn must never be taken for kept */
	uint64_t commits;
	bool (*before_commit)(void *ctx, uint64_t number);
	void *before_ctx;
	struct sql_prepared {
		char *text;
		sqlite3_stmt *statement;
	} prepared[SQL_STATEMENTS];
};

/* One use of a statement. */
struct sql {
	struct db *db;
	sqlite3_stmt *s;
	bool own; /* finalize at the end: its cached twin was busy */
	bool failed;
	int bound, column;
};

struct sql sql_read(struct db *db, const char *text);
/* Opens the turn's transaction first. */
struct sql sql_write(struct db *db, const char *text);

void sql_int(struct sql *q, int64_t v);
void sql_text(struct sql *q, const char *v);
void sql_blob(struct sql *q, const void *p, size_t n);
void sql_null(struct sql *q);
/* name is "table.column", row its key in text. */
void sql_secret(struct sql *q, const char *name, const char *row, const void *key, size_t n);

/* A writing statement to its end: DB_NONE when it changed no row. */
enum db_rc sql_run(struct sql *q);
/* The next row; on DB_NONE and DB_ERROR the statement has ended. */
enum db_rc sql_row(struct sql *q);
void sql_end(struct sql *q);

int64_t sql_get_int(struct sql *q);
void sql_get_text(struct sql *q, char *out, size_t cap);
/* Up to cap octets; the number in the column. */
size_t sql_get_blob(struct sql *q, void *out, size_t cap);
struct bytes sql_get_bytes(struct sql *q);
bool sql_get_is_null(struct sql *q); /* looks at the next column without taking it */
/* False (logged) when it does not open: damaged, or of another row. */
bool sql_get_secret(struct sql *q, const char *name, const char *row, void *out, size_t n);
int64_t sql_last_id(struct db *db);

/* Lists. */
struct sql_value {
	enum { SQL_V_INT, SQL_V_TEXT, SQL_V_BLOB } kind;
	int64_t i;
	const void *p;
	size_t n;
};
struct sql_where {
	char text[1024];
	struct sql_value value[SQL_VALUES];
	size_t n;
	char scratch[2][DB_NAME * 2]; /* of search patterns */
};
void sql_where_int(struct sql_where *w, const char *condition, int64_t v);
void sql_where_text(struct sql_where *w, const char *condition, const char *v);
void sql_where_blob(struct sql_where *w, const char *condition, const void *p, size_t n);
void sql_where_plain(struct sql_where *w, const char *condition);
/* "x LIKE ?" with each ? being the pattern for "contains part"; times says how many. */
void sql_where_search(struct sql_where *w, const char *condition, int times, const char *part);

struct sql_sort {
	const char *name, *expression;
};
struct sql_list {
	const char *columns, *from;
	const char *key; /* unique; breaks ties */
	const struct sql_sort *sorts;
	size_t n_sorts; /* the first is the default */
};
enum db_rc sql_list(struct db *db, const struct sql_list *l, const struct sql_where *w,
		    const struct db_page *page, bool (*row)(struct sql *q, void *ctx), void *ctx,
		    char next[DB_CURSOR]);
enum db_rc sql_count(struct db *db, const char *from, const struct sql_where *w, int64_t *out);

#endif
