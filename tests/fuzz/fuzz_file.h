/* SPDX-License-Identifier: Apache-2.0 */
/* For what reads files: the input as a file in memory, with a name. */
#ifndef MESHMASON_TESTS_FUZZ_FILE_H
#define MESHMASON_TESTS_FUZZ_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FUZZ_PATH = 32 };

static inline int fuzz_file(const uint8_t *data, size_t n, char path[FUZZ_PATH])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || (n > 0 && write(fd, data, n) != (ssize_t)n))
		abort();
	snprintf(path, FUZZ_PATH, "/proc/self/fd/%d", fd);
	return fd;
}

#endif
