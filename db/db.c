/* SPDX-License-Identifier: Apache-2.0 */
#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "crypto.h"
#include "log.h"
#include "schema.h"
#include "sql.h"

static const char check_text[] = "meshmason master key check";
enum { CHECK_LEN = sizeof check_text - 1 };

static bool pragma(struct db *db, const char *text, char why[DB_WHY])
{
	char *error = NULL;

	if (sqlite3_exec(db->sql, text, NULL, NULL, &error) == SQLITE_OK)
		return true;
	snprintf(why, DB_WHY, "the database does not open: %s", error ? error : "no reason given");
	sqlite3_free(error);
	return false;
}

/* One process per file: the kernel drops the lock however the process ends. */
static bool lock_take(struct db *db, const char *path, char why[DB_WHY])
{
	char name[4096];

	snprintf(name, sizeof name, "%s.lock", path);
	db->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (db->lock < 0) {
		snprintf(why, DB_WHY, "%.160s: %s", name, strerror(errno));
		return false;
	}
	if (flock(db->lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	snprintf(why, DB_WHY, "another process has the database open");
	return false;
}

int db_schema_version(struct db *db)
{
	struct sql q = sql_read(db, "PRAGMA user_version");
	int version = sql_row(&q) == DB_OK ? (int)sql_get_int(&q) : -1;

	sql_end(&q);
	return version;
}

static bool migrate(struct db *db, char why[DB_WHY])
{
	int version = db_schema_version(db);
	char set[64];

	if (version < 0 || version > schema_count) {
		snprintf(why, DB_WHY, "the database has schema %d, this program knows up to %d",
			 version, schema_count);
		return false;
	}
	for (; version < schema_count; version++) {
		snprintf(set, sizeof set, "PRAGMA user_version = %d", version + 1);
		if (!pragma(db, "BEGIN IMMEDIATE", why) ||
		    !pragma(db, schema_steps[version].sql, why) || !pragma(db, set, why) ||
		    !pragma(db, "COMMIT", why))
			return false;
		log_info("database: migrated to %s", schema_steps[version].name);
	}
	return true;
}

/* A sealed known text tells a wrong master key at once, and not at the first node. */
static bool master_fits(struct db *db, char why[DB_WHY])
{
	uint8_t opened[CHECK_LEN];
	struct sql q = sql_read(db, "SELECT master_check_sealed FROM meta WHERE id = 1");
	enum db_rc rc = sql_row(&q);
	bool fits = rc == DB_OK &&
		    sql_get_secret(&q, "meta.master_check_sealed", "1", opened, CHECK_LEN) &&
		    memcmp(opened, check_text, CHECK_LEN) == 0;

	sql_end(&q);
	if (rc == DB_NONE) {
		q = sql_write(db, "INSERT INTO meta (id, master_check_sealed) VALUES (1, ?)");
		sql_secret(&q, "meta.master_check_sealed", "1", check_text, CHECK_LEN);
		fits = sql_run(&q) == DB_OK && db_commit(db) == DB_OK;
		db->commits = 0; /* counts turns, and there was none yet */
	}
	if (!fits)
		snprintf(why, DB_WHY, "the database was made under another master key");
	return fits;
}

/* After a crash the log holds what the file has not got yet, and grows from there: on a full disk
 * nothing could be written any more, though the file has room for most of it. A file that cannot
 * grow itself stays as it is; reading works all the same. */
static void shrink_log(struct db *db)
{
	int rc = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	if (rc != SQLITE_OK)
		log_warning("database: the log cannot be written back now: %s",
			    sqlite3_errmsg(db->sql));
}

static bool open_file(struct db *db, const char *path, char why[DB_WHY])
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

	if (!lock_take(db, path, why))
		return false;
	if (sqlite3_open_v2(path, &db->sql, flags, NULL) != SQLITE_OK) {
		snprintf(why, DB_WHY, "%.160s: %s", path,
			 db->sql ? sqlite3_errmsg(db->sql) : "out of memory");
		return false;
	}
	sqlite3_extended_result_codes(db->sql, 1);
	if (!pragma(db,
		    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		    "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
		    "PRAGMA secure_delete = ON; PRAGMA busy_timeout = 2000;"
		    "PRAGMA temp_store = MEMORY",
		    why))
		return false;
	shrink_log(db);
	return migrate(db, why) && master_fits(db, why);
}

struct db *db_open(const char *path, const struct db_env *env, char why[DB_WHY])
{
	struct db *db = calloc(1, sizeof *db);

	if (!db) {
		snprintf(why, DB_WHY, "out of memory");
		return NULL;
	}
	db->lock = -1;
	db->master = env->master;
	db->random = env->random;
	db->random_ctx = env->random_ctx;
	if (open_file(db, path, why))
		return db;
	db_close(db);
	return NULL;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	if (db->writing)
		db_rollback(db);
	for (size_t i = 0; i < SQL_STATEMENTS; i++) {
		sqlite3_finalize(db->prepared[i].statement);
		free(db->prepared[i].text);
	}
	sqlite3_close(db->sql);
	if (db->lock >= 0)
		close(db->lock);
	secret_wipe(db, sizeof *db);
	free(db);
}

void db_fail(struct db *db)
{
	db->failed = true;
}

bool db_dirty(const struct db *db)
{
	return db->writing || db->failed;
}

enum db_rc db_commit(struct db *db)
{
	if (db->failed) {
		db_rollback(db);
		return DB_ERROR;
	}
	if (!db->writing)
		return DB_OK;
	if (db->before_commit && !db->before_commit(db->before_ctx, db->commits + 1)) {
		db_rollback(db);
		return DB_ERROR;
	}
	struct sql q = sql_read(db, "COMMIT");
	if (sql_row(&q) != DB_NONE) {
		log_error("database: the commit failed, nothing of this turn is kept");
		db_rollback(db);
		return DB_ERROR;
	}
	db->writing = false;
	db->commits++;
	return DB_OK;
}

void db_rollback(struct db *db)
{
	if (!db->writing)
		return;
	if (sqlite3_get_autocommit(db->sql) == 0)
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	db->writing = false;
}

void db_on_commit(struct db *db, bool (*before)(void *ctx, uint64_t number), void *ctx)
{
	db->before_commit = before;
	db->before_ctx = ctx;
}

uint64_t db_commits(const struct db *db)
{
	return db->commits;
}

bool db_sound(struct db *db)
{
	char text[16] = "";
	struct sql q = sql_read(db, "PRAGMA quick_check(1)");

	if (sql_row(&q) == DB_OK)
		sql_get_text(&q, text, sizeof text);
	sql_end(&q);
	return strcmp(text, "ok") == 0;
}
