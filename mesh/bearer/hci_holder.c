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

enum { INODES_MAX = 64, NAMED_MAX = 3 };

struct inodes {
	unsigned long inode[INODES_MAX];
	bool seen[INODES_MAX]; /* with a process that we can look into */
	size_t n;
};

static void read_inodes(struct inodes *in)
{
	FILE *f = fopen("/proc/net/hci", "re");
	char line[256];

	memset(in, 0, sizeof(*in));
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

static bool mark(struct inodes *in, const char *link)
{
	unsigned long inode;

	if (sscanf(link, "socket:[%lu]", &inode) != 1)
		return false;
	for (size_t i = 0; i < in->n; i++) {
		if (in->inode[i] == inode)
			return in->seen[i] = true;
	}
	return false;
}

/* True when the process has one of the sockets; marks all that it has. */
static bool mark_all(struct inodes *in, const char *pid)
{
	char path[64], link[64];
	bool found = false;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		found = mark(in, link) || found;
	}
	if (d)
		closedir(d);
	return found;
}

static bool is_process(const struct dirent *e)
{
	return e->d_name[0] >= '1' && e->d_name[0] <= '9';
}

/* Known by name where its descriptors cannot be seen. The kernel keeps 15 characters of it. */
static bool known(const char *name)
{
	return strcmp(name, "bluetoothd") == 0 || strcmp(name, "bluetooth-meshd") == 0;
}

static bool asked_for(const char *name, const char *only, const char *but)
{
	return (!only || strcmp(name, only) == 0) && (!but || strcmp(name, but) != 0) &&
	       strcmp(name, "btmon") != 0;
}

unsigned hci_socket_holders(const char *only, const char *but, char *out, size_t cap)
{
	DIR *d = opendir("/proc");
	struct inodes in;
	struct dirent *e;
	unsigned n = 0;
	size_t at = 0;

	read_inodes(&in);
	while (d && n < NAMED_MAX && (e = readdir(d))) {
		char name[32];

		if (!is_process(e) || atol(e->d_name) == getpid() ||
		    !read_name(e->d_name, name, sizeof(name)) || !asked_for(name, only, but) ||
		    (!known(name) && !mark_all(&in, e->d_name)))
			continue;
		if (at < cap)
			at += (size_t)snprintf(out + at, cap - at, "%s%s (pid %.10s)",
					       n > 0 ? " or " : "", name, e->d_name);
		n++;
	}
	if (d)
		closedir(d);
	return n;
}

bool hci_socket_shared(void)
{
	DIR *d = opendir("/proc");
	struct inodes in;
	struct dirent *e;
	bool shared = !d;

	read_inodes(&in);
	while (d && !shared && (e = readdir(d))) {
		char name[32];

		if (!is_process(e) || !read_name(e->d_name, name, sizeof(name)))
			continue;
		mark_all(&in, e->d_name);
		shared = strcmp(name, "bluetoothd") == 0;
	}
	if (d)
		closedir(d);
	for (size_t i = 0; i < in.n; i++)
		shared = shared || !in.seen[i];
	return shared;
}
