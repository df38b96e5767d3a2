/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursor, sort and search of a list, as a client sends them. Input: sort, cursor and search text,
 * each ended by a zero. Accepted: the store took them. It must never fail, and its next cursor
 * must be good.
 */
#include <string.h>

#include "db_devices.h"
#include "db_world.h"
#include "fuzz.h"

static void promise(bool kept)
{
	if (!kept)
		abort();
}

/* The files of a store that is open already need no name any more. */
static void leave_nothing(const struct db_world *w)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".lock" };
	char name[128];

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		snprintf(name, sizeof(name), "%s%s", w->path, tails[i]);
		unlink(name);
	}
	promise(rmdir(w->folder) == 0);
}

/* One store for the whole run: nothing is written after this. */
static struct db_world *world_get(void)
{
	static struct db_world w;
	struct db_device d = { .name = "Lamp", .area = "Hall" };

	if (w.db)
		return &w;
	db_world_init(&w);
	for (uint8_t i = 0; i < 12; i++) {
		memset(d.uuid, 0x10 + i, sizeof(d.uuid));
		d.name[4] = (char)('a' + i % 5);
		promise(db_device_put(w.db, &d) == DB_OK);
	}
	promise(db_commit(w.db) == DB_OK);
	leave_nothing(&w);
	return &w;
}

static void each(void *ctx, const struct db_device *d)
{
	++*(unsigned *)ctx;
}

/* The next text; "" at the end. */
static const char *take(char **at, char *end)
{
	char *text = *at;

	*at = text + strlen(text);
	if (*at < end)
		++*at;
	return text;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct db_device_filter f = { .listed = -1, .heard = -1, .trust = -1, .provisioned = -1 };
	struct db_world *w = world_get();
	char text[1024], next[DB_CURSOR], last[DB_CURSOR], *at = text;
	struct db_page page = { .limit = 3 };
	unsigned rows = 0;
	enum db_rc rc;

	if (n >= sizeof(text))
		return false;
	memcpy(text, data, n);
	text[n] = '\0';
	page.sort = take(&at, text + n);
	page.cursor = take(&at, text + n);
	f.search = take(&at, text + n);
	if (!*f.search)
		f.search = NULL;
	rc = db_devices(w->db, &f, &page, each, &rows, next);
	promise(rc == DB_OK || rc == DB_CONFLICT);
	promise(rows <= page.limit && memchr(next, 0, sizeof(next)));
	if (rc != DB_OK || !*next)
		return rc == DB_OK && *page.cursor;
	memcpy(last, next, sizeof(last));
	page.cursor = last;
	promise(db_devices(w->db, &f, &page, each, &rows, next) == DB_OK);
	return true;
}
