/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays a corpus back without a fuzzer: each file, its beginnings, and some changed copies of it.
 * Fails when there is no file or none is accepted. Sanitizers and the target's abort() do the rest.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 20, BEGINNINGS = 256, CHANGED = 256 };

/* In memory of exactly its size, so that a read past the end is noticed. */
static bool run(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	bool accepted;

	if (!copy)
		abort();
	memcpy(copy, data, n);
	accepted = fuzz_one(copy, n);
	free(copy);
	return accepted;
}

static void run_neighbours(uint8_t *data, size_t n)
{
	uint64_t seed = n;

	for (size_t i = 0; i < BEGINNINGS && i < n; i++)
		run(data, n <= BEGINNINGS ? i : i * n / BEGINNINGS);
	for (size_t i = 0; i < CHANGED && n > 0; i++) {
		uint8_t *at, before;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		at = data + (seed >> 33) % n;
		before = *at;
		*at ^= (uint8_t)(1 << (seed >> 25) % 8);
		run(data, n);
		*at = before;
	}
}

static size_t read_file(const char *folder, const char *name, uint8_t *out)
{
	char path[4096];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(2);
	}
	n = fread(out, 1, INPUT_MAX, f);
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	uint8_t *data = malloc(INPUT_MAX);
	unsigned int files = 0, accepted = 0;
	struct dirent *entry;
	DIR *dir;

	dir = argc == 2 ? opendir(argv[1]) : NULL;
	if (!dir || !data) {
		fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(dir))) {
		size_t n;

		if (entry->d_name[0] == '.')
			continue;
		n = read_file(argv[1], entry->d_name, data);
		files++;
		accepted += run(data, n);
		run_neighbours(data, n);
	}
	closedir(dir);
	free(data);
	printf("%u files, %u accepted\n", files, accepted);
	return accepted > 0 ? 0 : 1;
}
