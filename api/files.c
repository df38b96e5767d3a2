/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "crypto.h"

struct files {
	struct file file[FILES_MAX];
	size_t n, octets;
};

static const char *type_of(const char *path)
{
	static const struct {
		const char *end, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".json", "application/json" },
		{ ".webmanifest", "application/manifest+json" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".woff2", "font/woff2" },
		{ ".txt", "text/plain; charset=utf-8" },
	};
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].end, dot) == 0)
			return types[i].type;
	return "application/octet-stream";
}

static bool read_all(const char *path, size_t size, char **out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	*out = malloc(size + 1);
	while (fd >= 0 && *out && n < size) {
		ssize_t got = read(fd, *out + n, size - n);

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	if (n == size && fd >= 0 && *out)
		return true;
	free(*out);
	*out = NULL;
	return false;
}

static void etag_make(struct file *f)
{
	uint8_t hash[32];
	char text[65];

	sha256(bytes_of(f->data, f->n), hash);
	snprintf(f->etag, sizeof(f->etag), "\"%.32s\"", hex_format(text, bytes_of(hash, 32)));
}

static bool file_add(struct files *f, const char *full, const char *path, size_t size, char *why,
		     size_t why_size)
{
	struct file *file = &f->file[f->n];

	if (f->n == FILES_MAX || f->octets + size > FILES_OCTETS_MAX) {
		snprintf(why, why_size, "%s: too many or too large files for a dashboard.", full);
		return false;
	}
	*file = (struct file){ .n = size, .type = type_of(path) };
	if (!read_all(full, size, &file->data)) {
		snprintf(why, why_size, "%s: cannot be read.", full);
		return false;
	}
	file->path = strdup(path);
	file->immutable = strncmp(path, "/assets/", 8) == 0;
	etag_make(file);
	f->octets += size;
	f->n++;
	return true;
}

/* base is the folder, path what is below it: "" or "/assets". */
static bool scan(struct files *f, const char *base, const char *path, int depth, char *why,
		 size_t why_size)
{
	char full[1024], below[512];
	struct dirent *entry;
	bool good = true;
	DIR *dir;

	snprintf(full, sizeof(full), "%s%s", base, path);
	dir = opendir(full);
	if (!dir) {
		snprintf(why, why_size, "%s: %s.", full, strerror(errno));
		return false;
	}
	while (good && (entry = readdir(dir))) {
		struct stat st;

		if (entry->d_name[0] == '.' ||
		    snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >=
			    (int)sizeof(below) ||
		    snprintf(full, sizeof(full), "%s%s", base, below) >= (int)sizeof(full) ||
		    stat(full, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < 4)
			good = scan(f, base, below, depth + 1, why, why_size);
		else if (S_ISREG(st.st_mode))
			good = file_add(f, full, below, (size_t)st.st_size, why, why_size);
	}
	closedir(dir);
	return good;
}

static struct file *exact(const struct files *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->file[i].path, path) == 0)
			return (struct file *)&f->file[i];
	return NULL;
}

/* "/x.js.gz" becomes the other form of "/x.js". */
static void join_compressed(struct files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct file *gz = &f->file[i], *plain;
		size_t n = strlen(gz->path);

		if (n < 4 || strcmp(gz->path + n - 3, ".gz") != 0)
			continue;
		gz->path[n - 3] = '\0';
		plain = exact(f, gz->path);
		gz->path[n - 3] = '.';
		if (!plain || plain == gz)
			continue;
		plain->gz = gz->data;
		plain->gz_n = gz->n;
		free(gz->path);
		*gz = f->file[--f->n];
		f->file[f->n] = (struct file){ 0 };
		i = (size_t)-1; /* the table has moved: from the start */
	}
}

struct files *files_load(const char *dir, char *why, size_t why_size)
{
	struct files *f = calloc(1, sizeof(*f));

	if (!f) {
		snprintf(why, why_size, "No memory.");
		return NULL;
	}
	if (!scan(f, dir, "", 0, why, why_size)) {
		files_free(f);
		return NULL;
	}
	join_compressed(f);
	return f;
}

void files_free(struct files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free(f->file[i].path);
		free(f->file[i].data);
		free(f->file[i].gz);
	}
	free(f);
}

const struct file *files_find(const struct files *f, const char *path)
{
	const struct file *found = exact(f, path);

	if (found || strpbrk(path, ".%"))
		return found;
	return exact(f, "/index.html");
}
