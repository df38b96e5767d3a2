/* SPDX-License-Identifier: Apache-2.0 */
#include "master_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* forbidden: permissions that nobody may have on it. */
static bool read_key(int fd, const char *path, mode_t forbidden, struct secret32 *out, char *why,
		     size_t why_size)
{
	struct stat st;
	uint8_t extra;

	if (fstat(fd, &st) != 0 || (st.st_mode & forbidden) != 0) {
		snprintf(why, why_size, "%s: must be readable by its owner only (chmod 600)", path);
		return false;
	}
	if (read(fd, out->octet, sizeof(out->octet)) != (ssize_t)sizeof(out->octet) ||
	    read(fd, &extra, 1) != 0) {
		snprintf(why, why_size, "%s: is not a master key (32 octets)", path);
		return false;
	}
	return true;
}

/* Written beside and renamed, so that a crash leaves either no key or a whole one. */
static bool make_key(const char *path, struct secret32 *out, char *why, size_t why_size)
{
	char temp[4096];
	int fd;
	bool ok;

	snprintf(temp, sizeof(temp), "%s.new", path);
	if (getrandom(out->octet, sizeof(out->octet), 0) != (ssize_t)sizeof(out->octet)) {
		snprintf(why, why_size, "no randomness: %s", strerror(errno));
		return false;
	}
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ok = fd >= 0 && write(fd, out->octet, sizeof(out->octet)) == (ssize_t)sizeof(out->octet) &&
	     fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	if (!ok || rename(temp, path) != 0) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return false;
	}
	return true;
}

bool master_key_load(const char *data_dir, struct secret32 *out, char *why, size_t why_size)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	/* systemd admits us by an access control list, whose mask shows as the group's mode. */
	mode_t forbidden = 07;
	char path[4000];
	bool ok;
	int fd = -1;

	if (credentials) {
		snprintf(path, sizeof(path), "%s/master-key", credentials);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	/* A credential that is there but cannot be read must not be passed over: a new key would be
	 * made, and nothing in the store would open. */
	if (!credentials || (fd < 0 && errno == ENOENT)) {
		forbidden = 077;
		snprintf(path, sizeof(path), "%s/master-key", data_dir);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			return make_key(path, out, why, why_size);
	}
	if (fd < 0) {
		snprintf(why, why_size, "%s: %s", path, strerror(errno));
		return false;
	}
	ok = read_key(fd, path, forbidden, out, why, why_size);
	close(fd);
	return ok;
}
