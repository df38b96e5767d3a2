/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a folder of its own, for tests; it can be crashed and opened again. */
#ifndef MESHMASON_TESTS_DB_WORLD_H
#define MESHMASON_TESTS_DB_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db.h"

struct db_world {
	char folder[64], path[96];
	struct db_env env;
	uint64_t seed;
	struct db *db;
};

static inline void db_world_random(void *ctx, void *out, size_t n)
{
	uint64_t *seed = ctx;
	uint8_t *p = out;

	for (size_t i = 0; i < n; i++) {
		*seed = *seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(*seed >> 33);
	}
}

static inline bool db_world_open(struct db_world *w, char why[DB_WHY])
{
	w->db = db_open(w->path, &w->env, why);
	return w->db;
}

static inline void db_world_init(struct db_world *w)
{
	char why[DB_WHY];

	memset(w, 0, sizeof *w);
	strcpy(w->folder, "/tmp/meshmason-db-XXXXXX");
	if (!mkdtemp(w->folder))
		abort();
	snprintf(w->path, sizeof w->path, "%s/store.db", w->folder);
	w->seed = 1;
	w->env.random = db_world_random;
	w->env.random_ctx = &w->seed;
	memset(&w->env.master, 0x5A, sizeof w->env.master);
	if (!db_world_open(w, why)) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
}

/* Everything that was not committed is gone. */
static inline void db_world_crash(struct db_world *w)
{
	char why[DB_WHY];

	db_close(w->db);
	if (!db_world_open(w, why))
		abort();
}

static inline void db_world_free(struct db_world *w)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".lock" };
	char name[128];

	db_close(w->db);
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		snprintf(name, sizeof name, "%s%s", w->path, tails[i]);
		unlink(name);
	}
	rmdir(w->folder);
}

#endif
