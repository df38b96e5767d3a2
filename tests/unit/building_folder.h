/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for each test, with a building made in it. */
#ifndef MESHMASON_TESTS_BUILDING_FOLDER_H
#define MESHMASON_TESTS_BUILDING_FOLDER_H

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "building_make.h"
#include "check.h"

static const int64_t now = 1790000000;

struct folder {
	char path[64];
	char file[96], ca[96], list[96], state[96], air[96];
};

static int setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/test-building-XXXXXX");
	if (!mkdtemp(f->path))
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/b.json", f->path);
	snprintf(f->ca, sizeof(f->ca), "%s/b.json.ca.pem", f->path);
	snprintf(f->list, sizeof(f->list), "%s/b.json.csv", f->path);
	snprintf(f->state, sizeof(f->state), "%s/b.json.state", f->path);
	snprintf(f->air, sizeof(f->air), "%s/air", f->path);
	*state = f;
	return 0;
}

static void remove_all(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) < 0) {
			char below[300];

			snprintf(below, sizeof(below), "%.40s/%.255s", path, e->d_name);
			remove_all(below);
		}
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static int teardown(void **state)
{
	struct folder *f = *state;

	remove_all(f->path);
	free(f);
	return 0;
}

static void make(const struct folder *f, const char *keys_text)
{
	struct building_keys keys = building_keys_default();
	struct building_made made;
	char error[BUILDING_ERROR] = "";

	if (!building_keys_parse(&keys, keys_text, error) ||
	    !building_make(&keys, f->file, f->ca, f->list, now, &made, error))
		fail_msg("%s: %s", keys_text, error);
	check_int(made.unreached, 0);
}

/* --- keys --- */

#define IN_FOLDER(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

#endif
