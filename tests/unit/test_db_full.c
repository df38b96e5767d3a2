/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that is full, made by a limit of file sizes: what can still be done is done. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "check.h"
#include "db_devices.h"
#include "db_world.h"

enum { ROWS = 300 };

static void put_rows(struct db *db, uint8_t turn)
{
	for (uint16_t i = 0; i < ROWS; i++) {
		struct db_device d = { .heard = true, .last_heard = turn };

		memcpy(d.uuid, &i, sizeof i);
		memset(d.name, 'a', sizeof d.name - 1);
		check_int(db_device_put(db, &d), DB_OK);
	}
	check_int(db_commit(db), DB_OK);
}

static void copy_file(const char *path, const char *to, const char *suffix)
{
	char from_name[4200], to_name[4200], block[65536];
	FILE *in, *out;
	size_t n;

	snprintf(from_name, sizeof from_name, "%s%s", path, suffix);
	snprintf(to_name, sizeof to_name, "%s%s", to, suffix);
	in = fopen(from_name, "rb");
	out = fopen(to_name, "wb");
	check(in && out);
	while ((n = fread(block, 1, sizeof block, in)) > 0)
		check_int(fwrite(block, 1, n, out), n);
	fclose(in);
	check_int(fclose(out), 0);
}

static off_t size_of(const char *path, const char *suffix)
{
	char name[4200];
	struct stat st;

	snprintf(name, sizeof name, "%s%s", path, suffix);
	return stat(name, &st) == 0 ? st.st_size : -1;
}

/* As a crash leaves it: the log is not written back. turns 2: the file has had its pages before. */
static void crashed(struct db_world *w, char copy[4096], unsigned turns)
{
	char why[DB_WHY];

	db_world_init(w);
	put_rows(w->db, 1);
	if (turns > 1) {
		db_close(w->db); /* written back */
		check(db_world_open(w, why));
		for (uint8_t t = 2; size_of(w->path, "-wal") <= size_of(w->path, ""); t++)
			put_rows(w->db, t);
	}
	snprintf(copy, 4096, "%.4000s.copy", w->path);
	copy_file(w->path, copy, "");
	copy_file(w->path, copy, "-wal");
	copy_file(w->path, copy, "-shm");
}

static void limit(rlim_t size)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	check_int(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = size;
	check_int(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void remove_copy(const char *copy)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	char name[4200];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%s%s", copy, suffixes[i]);
		remove(name);
	}
}

static int64_t rows(struct db *db)
{
	int64_t n = 0;

	check_int(db_device_count(db, NULL, &n), DB_OK);
	return n;
}

TEST(a_log_that_may_not_grow_is_written_back_and_work_goes_on)
{
	struct db_world w;
	char copy[4096], why[DB_WHY] = "";
	struct db *db;

	crashed(&w, copy, 2);
	check(size_of(copy, "-wal") > size_of(copy, ""));
	limit((rlim_t)size_of(copy, "-wal"));
	db = db_open(copy, &w.env, why);
	check_str(why, "");
	check(db);
	check_int(rows(db), ROWS);
	put_rows(db, 3);
	limit(RLIM_INFINITY);
	db_close(db);
	remove_copy(copy);
	db_world_free(&w);
}

TEST(a_file_that_cannot_take_the_log_back_opens_all_the_same)
{
	struct db_world w;
	char copy[4096], why[DB_WHY] = "";
	struct db_device d = { .uuid = { 0xEE } };
	struct db *db;

	crashed(&w, copy, 1);
	check(size_of(copy, "-wal") > 65536);
	limit(40000);
	db = db_open(copy, &w.env, why);
	check_str(why, "");
	check(db);
	check_int(rows(db), ROWS);
	/* what cannot be kept is not said to be */
	check(db_device_put(db, &d) != DB_OK || db_commit(db) == DB_ERROR);
	limit(RLIM_INFINITY);
	db_close(db);
	remove_copy(copy);
	db_world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_that_may_not_grow_is_written_back_and_work_goes_on),
		cmocka_unit_test(a_file_that_cannot_take_the_log_back_opens_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
