/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who else holds a Bluetooth socket: /proc/net/hci lists the sockets' inodes, /proc/PID/fd says
 * whose they are. A process that only watches (btmon) is in nobody's way.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hci_socket.h"

enum { INODES_MAX = 64 };

struct inodes {
	unsigned long inode[INODES_MAX];
	size_t n;
};

static void read_inodes(struct inodes *in)
{
	FILE *f = fopen("/proc/net/hci", "re");
	char line[256];

	in->n = 0;
	while (f && in->n < INODES_MAX && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %*s %*s %*s %*s %lu", &in->inode[in->n]) == 1)
			in->n++;
	}
	if (f)
		fclose(f);
}

static bool read_name(const char *pid, char *out, size_t cap)
{
	char path[64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	f = fopen(path, "re");
	ok = f && fgets(out, (int)cap, f);
	if (f)
		fclose(f);
	if (ok)
		out[strcspn(out, "\n")] = '\0';
	return ok;
}

static bool is_listed(const struct inodes *in, const char *link)
{
	unsigned long inode;

	if (sscanf(link, "socket:[%lu]", &inode) != 1)
		return false;
	for (size_t i = 0; i < in->n; i++) {
		if (in->inode[i] == inode)
			return true;
	}
	return false;
}

static bool holds_one(const struct inodes *in, const char *pid)
{
	char path[64], link[64];
	bool found = false;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		found = is_listed(in, link);
	}
	if (d)
		closedir(d);
	return found;
}

/* Known by name where its descriptors cannot be seen. The kernel keeps 15 characters of it. */
static bool known(const char *name)
{
	return strcmp(name, "bluetoothd") == 0 || strcmp(name, "bluetooth-meshd") == 0;
}

bool hci_socket_holder(char *out, size_t cap)
{
	struct inodes in;
	struct dirent *e;
	bool found = false;
	DIR *d = opendir("/proc");

	read_inodes(&in);
	while (d && !found && (e = readdir(d))) {
		char name[32];

		if (e->d_name[0] < '1' || e->d_name[0] > '9' || atol(e->d_name) == getpid() ||
		    !read_name(e->d_name, name, sizeof(name)) || strcmp(name, "btmon") == 0)
			continue;
		found = known(name) || (in.n > 0 && holds_one(&in, e->d_name));
		if (found)
			snprintf(out, cap, "%s (pid %.10s)", name, e->d_name);
	}
	if (d)
		closedir(d);
	return found;
}
