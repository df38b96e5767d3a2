/* SPDX-License-Identifier: Apache-2.0 */
#include "building_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, struct bytes data)
{
	while (data.n > 0) {
		ssize_t k = write(fd, data.p, data.n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return false;
		data.p += k;
		data.n -= (size_t)k;
	}
	return true;
}

/* The rename itself is only durable when the folder is. */
static bool sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";
	bool ok;
	int fd;

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path),
			 path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	close(fd);
	return ok;
}

bool building_store_replace(const char *path, struct bytes data, mode_t mode, bool sync)
{
	char temp[PATH_MAX];
	int fd, saved;
	bool ok;

	if (snprintf(temp, sizeof(temp), "%s.tmp", path) >= (int)sizeof(temp)) {
		errno = ENAMETOOLONG;
		return false;
	}
	unlink(temp); /* left by a killed process, perhaps with another mode */
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return false;
	ok = write_all(fd, data) && (!sync || fsync(fd) == 0);
	saved = ok ? 0 : errno;
	ok = close(fd) == 0 && ok;
	ok = ok && rename(temp, path) == 0 && (!sync || sync_folder_of(path));
	if (!ok) {
		saved = saved ? saved : errno;
		unlink(temp);
		errno = saved;
	}
	return ok;
}

bool building_store_read(const char *path, size_t max, uint8_t **out, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t cap = 4096, have = 0;
	uint8_t *p;

	if (fd < 0)
		return false;
	p = malloc(cap);
	while (p) {
		ssize_t k = read(fd, p + have, cap - have);

		if (k < 0 && errno == EINTR)
			continue;
		if (k == 0) {
			close(fd);
			*out = p;
			*n = have;
			return true;
		}
		if (k < 0)
			break;
		have += (size_t)k;
		if (have > max) {
			errno = EFBIG;
			break;
		}
		if (have == cap) {
			uint8_t *bigger = realloc(p, cap *= 2);

			if (!bigger)
				break;
			p = bigger;
		}
	}
	free(p);
	close(fd);
	return false;
}

static bool flash_path(char path[PATH_MAX], const char *folder, const uint8_t uuid[UUID_LEN])
{
	char text[UUID_TEXT];

	if (snprintf(path, PATH_MAX, "%s/%s.flash", folder, uuid_format(text, uuid)) < PATH_MAX)
		return true;
	errno = ENAMETOOLONG;
	return false;
}

bool building_flash_write(const char *folder, const uint8_t uuid[UUID_LEN], struct bytes image,
			  bool sync)
{
	char path[PATH_MAX];

	return flash_path(path, folder, uuid) && building_store_replace(path, image, 0600, sync);
}

bool building_flash_read(const char *folder, const uint8_t uuid[UUID_LEN], size_t max,
			 uint8_t **out, size_t *n)
{
	char path[PATH_MAX];

	if (!flash_path(path, folder, uuid))
		return false;
	if (building_store_read(path, max, out, n))
		return true;
	if (errno != ENOENT)
		return false;
	*out = malloc(1);
	*n = 0;
	return *out != NULL;
}
