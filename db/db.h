/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: SQLite, WAL, synchronous FULL. SQL is in this folder only.
 *
 * Group commit: the first write of a turn opens a transaction by itself; db_commit() at the end of
 * the turn makes all of it durable at once. What depends on it (radio sends, replies) leaves after
 * that. Reads see what the turn has written. One thread, one connection, one process per file.
 *
 * Keys are encrypted (AES-256-GCM under the master key; the associated data names table, column
 * and row), so a row's key does not open in another row. Nothing here knows JSON.
 */
#ifndef MESHMASON_DB_H
#define MESHMASON_DB_H

#include "bytes.h"
#include "secret.h"

enum { DB_WHY = 256, DB_NAME = 128, DB_CODE = 40, DB_MESSAGE = 256, DB_CURSOR = 400 };

enum db_rc {
	DB_OK,	     /* done; of a get: the row was found */
	DB_NONE,     /* no such row */
	DB_CONFLICT, /* a unique or foreign key refuses it; nothing was changed */
	DB_ERROR,    /* the world failed (disk, damaged file, wrong master key); already logged */
};

struct db;

struct db_env {
	struct secret32 master; /* copied; the caller wipes its own */
	void (*random)(void *ctx, void *out, size_t n);
	void *random_ctx;
};

/* Opens or makes the file, takes its lock, migrates. NULL with a sentence in why. Refuses a file of
 * a newer schema, one that another process holds, and one made under another master key. */
struct db *db_open(const char *path, const struct db_env *env, char why[DB_WHY]);
/* Commits nothing: what was not committed is lost, as in a crash. */
void db_close(struct db *db);

/* Something is wrong with what this turn has written: its commit will fail. */
void db_fail(struct db *db);
/* Something waits for db_commit(). */
bool db_dirty(const struct db *db);
/* DB_OK: all changes of the turn are durable (or there were none). DB_ERROR: they are not, and the
 * process must end without sending anything. */
enum db_rc db_commit(struct db *db);
/* Forgets the turn's changes: a crash, in tests. */
void db_rollback(struct db *db);
/* For tests that kill at every write boundary: called before each commit that has something to
 * write, with its number from 1; false makes that commit fail. NULL takes it off. */
void db_on_commit(struct db *db, bool (*before)(void *ctx, uint64_t number), void *ctx);
/* Commits so far. */
uint64_t db_commits(const struct db *db);
/* PRAGMA quick_check. */
bool db_sound(struct db *db);
int db_schema_version(struct db *db);

/* A page of a list. Filters and sort must be the same for all pages of one walk. */
struct db_page {
	unsigned limit;	    /* 1..1000; 0: 100 */
	const char *cursor; /* NULL or "": from the start; else what next said */
	const char
		*sort; /* NULL: by key; else a name of the list's own, "-" before it: downwards */
};
/* Every list function calls each() for each row of the page, then fills next ("" at the end).
 * DB_CONFLICT: the cursor or the sort name is not one of ours. each() must not write. */

#endif
