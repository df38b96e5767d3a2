/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dashboard's files, read once at the start: only what is in this table can be asked for, so
 * no path leads out of the folder. A file beside its ".gz" goes out compressed where that is
 * understood.
 */
#ifndef MESHMASON_FILES_H
#define MESHMASON_FILES_H

#include <stdbool.h>
#include <stddef.h>

enum { FILES_MAX = 512, FILES_OCTETS_MAX = 32 << 20, FILE_ETAG = 35 };

struct file {
	char *path; /* "/index.html" */
	const char *type;
	char etag[FILE_ETAG]; /* quoted, of the content */
	char *data, *gz;      /* gz may be NULL */
	size_t n, gz_n;
	bool immutable; /* its name changes with its content */
};

struct files;

/* NULL with a sentence in why when dir cannot be read. */
struct files *files_load(const char *dir, char *why, size_t why_size);
void files_free(struct files *f);
/* The page for a path: itself; index.html for "/" and for paths of the dashboard's own (no dot,
 * no escape). NULL: none. */
const struct file *files_find(const struct files *f, const char *path);

#endif
