/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets bluetooth-meshd run on a host whose kernel has neither AF_ALG nor
 * AF_BLUETOOTH, unprivileged and without a virtual machine:
 *
 *  - the few libell crypto calls that meshd makes are answered in meshd-ell.c;
 *  - its Bluetooth management socket shows one controller, hci0;
 *  - its HCI user channel on it is a minimal LE controller (legacy
 *    advertising and scanning) whose air is a folder of datagram sockets.
 *
 * The air: every radio binds a SOCK_DGRAM socket in the folder $MESHD_AIR (any
 * name); to transmit it sends one datagram to each other socket there.
 *    octet 0      advertising event type (3 = ADV_NONCONN_IND)
 *    octets 1..6  advertiser's address, least significant octet first
 *    then         AD structures, at most 31 octets
 *
 * Built with: cc -shared -fPIC -O2 -Wall -o meshd-preload.so meshd-*.c -ldl -lpthread
 * MESHD_AIR_NAME names this radio's socket (default: the process id);
 * MESHD_AIR_LOSS is the percentage of received datagrams to drop, and of those
 * sent to the radios of MESHD_AIR_FAIR, which drop none themselves;
 * MESHD_AIR_FAR names the radios out of range, in both directions.
 * Both are lists of socket names by comma.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* ---- the controller --------------------------------------------------------- */

#define FAMILY_BT 31
#define MAX_FD	  1024

static int other_end[MAX_FD]; /* of the socket pair made for a Bluetooth socket, + 1 */

static uint16_t le16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

static void mgmt_reply(int fd, uint16_t op, uint16_t index, const void *data, size_t len)
{
	uint8_t b[512] = { 1, 0, index, index >> 8, 3 + len, (3 + len) >> 8, op, op >> 8, 0 };

	memcpy(b + 9, data, len);
	(void)!write(fd, b, 9 + len);
}

static void *mgmt_thread(void *arg)
{
	int fd = (int)(intptr_t)arg;
	uint8_t b[512];
	ssize_t n;

	while ((n = read(fd, b, sizeof(b))) >= 6) {
		uint16_t op = le16(b), index = le16(b + 2);

		switch (op) {
		case 0x0001: /* Read Version */
			mgmt_reply(fd, op, index, "\x01\x17\x00", 3);
			break;
		case 0x0003: /* Read Index List: hci0 */
			mgmt_reply(fd, op, index, "\x01\x00\x00\x00", 4);
			break;
		case 0x0004: { /* Read Info: LE supported, down */
			uint8_t info[280] = { 0 };

			info[6] = 9;
			info[9] = 0x01;
			info[10] = 0x02;
			mgmt_reply(fd, op, index, info, sizeof(info));
			break;
		}
		default: { /* the rest, mesh included: unknown command */
			uint8_t st[9] = { 2, 0, index, index >> 8, 3, 0, op, op >> 8, 1 };

			(void)!write(fd, st, sizeof(st));
		}
		}
	}
	return NULL;
}

struct radio {
	int hci, air;
	char dir[96], name[32];
	const char *far, *fair; /* names by comma, or NULL */
	uint8_t public_addr[6], random_addr[6];
	uint8_t own_type, adv_type, adv_len, adv[31];
	bool advertising, scanning;
	int interval_ms, loss;
	struct timespec next;
};

static bool is_listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (; list; list = strchr(list, ',') ? strchr(list, ',') + 1 : NULL)
		if (!strncmp(list, name, n) && (list[n] == ',' || !list[n]))
			return true;
	return false;
}

static bool is_lost(const struct radio *r)
{
	return r->loss && random() % 100 < r->loss;
}

static void transmit(struct radio *r)
{
	uint8_t d[7 + 31] = { r->adv_type };
	struct dirent *e;
	DIR *dir = opendir(r->dir);

	if (!dir)
		return;
	memcpy(d + 1, r->own_type & 1 ? r->random_addr : r->public_addr, 6);
	memcpy(d + 7, r->adv, r->adv_len);
	while ((e = readdir(dir))) {
		struct sockaddr_un to = { .sun_family = AF_UNIX };

		if (e->d_name[0] == '.' || !strcmp(e->d_name, r->name) ||
		    is_listed(r->far, e->d_name) || (is_listed(r->fair, e->d_name) && is_lost(r)) ||
		    snprintf(to.sun_path, sizeof(to.sun_path), "%s/%.100s", r->dir, e->d_name) >=
			    (int)sizeof(to.sun_path))
			continue;
		/* the socket of a radio that is gone refuses */
		sendto(r->air, d, 7 + r->adv_len, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to));
	}
	closedir(dir);
	clock_gettime(CLOCK_MONOTONIC, &r->next);
	r->next.tv_nsec += r->interval_ms % 1000 * 1000000L;
	r->next.tv_sec += r->interval_ms / 1000 + r->next.tv_nsec / 1000000000L;
	r->next.tv_nsec %= 1000000000L;
}

static void received(struct radio *r, const char *from, const uint8_t *d, size_t n)
{
	uint8_t e[64] = { 4, 0x3e, 0, 2, 1 };

	if (!r->scanning || n < 7 || n > 7 + 31 || is_listed(r->far, from) || is_lost(r))
		return;
	n -= 7;
	e[2] = 12 + n;
	e[5] = d[0];
	e[6] = 1; /* addresses are random ones */
	memcpy(e + 7, d + 1, 6);
	e[13] = n;
	memcpy(e + 14, d + 7, n);
	e[14 + n] = (uint8_t)-40;
	(void)!write(r->hci, e, 15 + n);
}

static void hci_command(struct radio *r, const uint8_t *b, size_t len)
{
	uint16_t op = le16(b + 1);
	const uint8_t *p = b + 4;
	uint8_t e[80] = { 4, 0x0e, 4, 1, op, op >> 8, 0 };
	size_t n = 0; /* of what follows the status */

	switch (op) {
	case 0x0c03: /* Reset */
		r->advertising = r->scanning = false;
		break;
	case 0x1002: /* Read Local Supported Commands */
		memset(e + 7, 0xff, n = 64);
		break;
	case 0x1003: /* Read Local Supported Features */
		memset(e + 7, 0, n = 8);
		e[7 + 4] = 0x60;
		break;
	case 0x1009: /* Read BD_ADDR */
		memcpy(e + 7, r->public_addr, n = 6);
		break;
	case 0x2005: /* LE Set Random Address */
		if (r->advertising || r->scanning)
			e[6] = 0x0c;
		else
			memcpy(r->random_addr, p, 6);
		break;
	case 0x2006: /* LE Set Advertising Parameters */
		if (r->advertising) {
			e[6] = 0x0c;
			break;
		}
		r->interval_ms = le16(p) * 5 / 8;
		if (r->interval_ms < 20)
			r->interval_ms = 20;
		r->adv_type = p[4];
		r->own_type = p[5];
		break;
	case 0x2008: /* LE Set Advertising Data */
		r->adv_len = p[0] > 31 ? 31 : p[0];
		memcpy(r->adv, p + 1, r->adv_len);
		break;
	case 0x200a: /* LE Set Advertising Enable */
		if (p[0] && !r->advertising)
			transmit(r);
		r->advertising = p[0];
		break;
	case 0x200c: /* LE Set Scan Enable */
		r->scanning = p[0];
		break;
	}
	e[2] = 4 + n;
	(void)!write(r->hci, e, 7 + n);
	(void)len;
}

static const char *name_of(const struct sockaddr_un *a)
{
	const char *slash = strrchr(a->sun_path, '/');

	return slash ? slash + 1 : a->sun_path;
}

static void *hci_thread(void *arg)
{
	struct radio *r = arg;
	struct pollfd pf[2] = { { .fd = r->hci, .events = POLLIN },
				{ .fd = r->air, .events = POLLIN } };
	uint8_t b[512];
	ssize_t n;

	srandom((unsigned int)getpid());
	for (;;) {
		int wait = -1;

		if (r->advertising) {
			struct timespec now;

			clock_gettime(CLOCK_MONOTONIC, &now);
			wait = (r->next.tv_sec - now.tv_sec) * 1000 +
			       (r->next.tv_nsec - now.tv_nsec) / 1000000;
			if (wait <= 0) {
				transmit(r);
				continue;
			}
		}
		if (poll(pf, 2, wait) < 0 && errno != EINTR)
			break;
		if (pf[0].revents) {
			n = read(r->hci, b, sizeof(b));
			if (n <= 0)
				break;
			if (n >= 4 && b[0] == 1) {
				memset(b + n, 0, sizeof(b) - n);
				hci_command(r, b, n);
			}
		}
		if (pf[1].revents) {
			struct sockaddr_un from = { 0 };
			socklen_t len = sizeof(from) - 1;

			n = recvfrom(r->air, b, sizeof(b), MSG_DONTWAIT, (struct sockaddr *)&from,
				     &len);
			if (n > 0)
				received(r, name_of(&from), b, n);
		}
	}
	return NULL;
}

static int start_radio(int fd)
{
	const char *dir = getenv("MESHD_AIR"), *name = getenv("MESHD_AIR_NAME"),
		   *loss = getenv("MESHD_AIR_LOSS");
	struct radio *r = calloc(1, sizeof(*r));
	struct sockaddr_un me = { .sun_family = AF_UNIX };
	pthread_t t;

	if (!dir) {
		fprintf(stderr, "meshd-preload: MESHD_AIR is not set\n");
		goto fail;
	}
	snprintf(r->dir, sizeof(r->dir), "%s", dir);
	if (name)
		snprintf(r->name, sizeof(r->name), "%s", name);
	else
		snprintf(r->name, sizeof(r->name), "%d", (int)getpid());
	r->loss = loss ? atoi(loss) : 0;
	r->far = getenv("MESHD_AIR_FAR");
	r->fair = getenv("MESHD_AIR_FAIR");
	(void)!getrandom(r->public_addr, 6, 0);
	memcpy(r->random_addr, r->public_addr, 6);
	r->random_addr[5] |= 0xc0;
	r->hci = fd;
	r->air = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	mkdir(dir, 0777);
	if (snprintf(me.sun_path, sizeof(me.sun_path), "%s/%s", r->dir, r->name) >=
	    (int)sizeof(me.sun_path))
		goto fail;
	unlink(me.sun_path);
	/* our own bind(), which passes this family on */
	if (r->air < 0 || bind(r->air, (struct sockaddr *)&me, sizeof(me)) < 0) {
		fprintf(stderr, "meshd-preload: %s: %s\n", me.sun_path, strerror(errno));
		goto fail;
	}
	return pthread_create(&t, NULL, hci_thread, r);
fail:
	free(r);
	return -1;
}

int socket(int domain, int type, int protocol)
{
	static int (*real)(int, int, int);
	int sv[2];

	if (!real)
		real = dlsym(RTLD_NEXT, "socket");
	if (domain != FAMILY_BT)
		return real(domain, type, protocol);
	/* the app's end keeps the flags it asked for, ours blocks */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | (type & (SOCK_CLOEXEC | SOCK_NONBLOCK)), 0, sv) <
	    0)
		return -1;
	int ours = dup(sv[1]);
	close(sv[1]);
	if (sv[0] >= MAX_FD) {
		errno = EMFILE;
		return -1;
	}
	other_end[sv[0]] = ours + 1;
	return sv[0];
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	static int (*real)(int, const struct sockaddr *, socklen_t);
	const uint8_t *a = (const uint8_t *)addr;
	pthread_t t;
	int ours;

	if (!real)
		real = dlsym(RTLD_NEXT, "bind");
	if (len < 6 || addr->sa_family != FAMILY_BT || fd < 0 || fd >= MAX_FD || !other_end[fd])
		return real(fd, addr, len);
	ours = other_end[fd] - 1;
	other_end[fd] = 0;
	fcntl(ours, F_SETFL, fcntl(ours, F_GETFL) & ~O_NONBLOCK);
	if (a[4] == 1) /* user channel */
		return start_radio(ours);
	return pthread_create(&t, NULL, mgmt_thread, (void *)(intptr_t)ours);
}
