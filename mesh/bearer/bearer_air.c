/* SPDX-License-Identifier: Apache-2.0 */
/*
 *  stack --> advertiser --> one datagram to each other socket of the folder
 *  stack <-- heard()    <-- our own socket <-- whoever transmits
 *
 * The folder is read again every half second while we transmit: radios come and go.
 */
#include "bearer_air.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "advertiser.h"

enum {
	HEADER = 7, /* event type, address */
	PEERS_MAX = 256,
	READ_MAX = 256, /* datagrams in one turn: other descriptors wait, too */
	LOOK_AGAIN_MS = 500,
};

struct peer {
	struct sockaddr_un address;
	bool dead; /* refused: left behind by its owner; tried again at the next look */
};

struct bearer_air {
	struct bearer bearer;
	struct advertiser advertiser;
	struct timers *timers;
	struct sockaddr_un own;
	char *dir;
	uint8_t address[6];
	int fd;
	struct peer peers[PEERS_MAX];
	size_t n_peers;
	uint64_t look_at; /* when the folder is read again */
	struct bearer_air_counters counters;
};

static bool socket_address(struct sockaddr_un *out, const char *dir, const char *name)
{
	int n;

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	n = snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s", dir, name);
	return n > 0 && n < (int)sizeof(out->sun_path);
}

static void look(struct bearer_air *a)
{
	DIR *d = opendir(a->dir);
	struct dirent *e;

	a->look_at = timers_now(a->timers) + MSEC(LOOK_AGAIN_MS);
	a->n_peers = 0;
	if (!d)
		return;
	while ((e = readdir(d)) && a->n_peers < PEERS_MAX) {
		struct peer *p = &a->peers[a->n_peers];
		struct stat st;

		if (!socket_address(&p->address, a->dir, e->d_name) ||
		    strcmp(p->address.sun_path, a->own.sun_path) == 0 ||
		    stat(p->address.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
			continue;
		p->dead = false;
		a->n_peers++;
	}
	closedir(d);
}

static void transmit(void *ctx, struct bytes ad)
{
	struct bearer_air *a = ctx;
	uint8_t frame[HEADER + AD_MAX] = { ADV_NONCONN_IND };

	if (timers_now(a->timers) >= a->look_at)
		look(a);
	memcpy(frame + 1, a->address, sizeof(a->address));
	memcpy(frame + HEADER, ad.p, ad.n);
	for (size_t i = 0; i < a->n_peers; i++) {
		struct peer *p = &a->peers[i];

		if (p->dead)
			continue;
		if (sendto(a->fd, frame, HEADER + ad.n, MSG_DONTWAIT | MSG_NOSIGNAL,
			   (struct sockaddr *)&p->address, sizeof(p->address)) >= 0)
			a->counters.sent++;
		else if (errno == EAGAIN || errno == ENOBUFS)
			a->counters.dropped++;
		else
			p->dead = true;
	}
}

static bool on_send(struct bearer *b, const struct bearer_send *s)
{
	struct bearer_air *a = CONTAINER_OF(b, struct bearer_air, bearer);

	return advertiser_send(&a->advertiser, s);
}

static void on_cancel(struct bearer *b, uint32_t tag)
{
	struct bearer_air *a = CONTAINER_OF(b, struct bearer_air, bearer);

	advertiser_cancel(&a->advertiser, tag);
}

/* False when nothing is there to be read. */
static bool read_one(struct bearer_air *a)
{
	uint8_t frame[HEADER + AD_MAX + 1];
	struct bearer_report report = { .rssi = RSSI_UNKNOWN };
	ssize_t n = recv(a->fd, frame, sizeof(frame), MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	if (n <= HEADER || n > HEADER + AD_MAX) {
		a->counters.malformed++;
		return true;
	}
	a->counters.received++;
	report.event_type = frame[0];
	memcpy(report.address, frame + 1, sizeof(report.address));
	report.data = bytes_of(frame + HEADER, (size_t)n - HEADER);
	if (a->bearer.heard)
		a->bearer.heard(a->bearer.heard_ctx, &report);
	return true;
}

void bearer_air_readable(struct bearer_air *a)
{
	for (unsigned i = 0; i < READ_MAX && read_one(a); i++)
		;
}

/* A socket that takes a connection has a living owner; one that refuses was left behind. */
static bool in_use(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool lives =
		fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	if (fd >= 0)
		close(fd);
	return lives;
}

static bool open_socket(struct bearer_air *a, const char *name, char error[BEARER_AIR_ERROR])
{
	struct stat st;

	if (!socket_address(&a->own, a->dir, name)) {
		snprintf(error, BEARER_AIR_ERROR, "air:%.150s: the path is too long for a socket",
			 a->dir);
		return false;
	}
	if (stat(a->dir, &st) < 0 || !S_ISDIR(st.st_mode)) {
		snprintf(error, BEARER_AIR_ERROR, "air:%.150s: no such folder", a->dir);
		return false;
	}
	if (in_use(&a->own)) {
		snprintf(error, BEARER_AIR_ERROR, "air:%.150s: in use by another process",
			 a->own.sun_path);
		return false;
	}
	/* Only ever a socket is replaced. */
	if (lstat(a->own.sun_path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(a->own.sun_path);
	a->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Who may enter the folder may speak to us, whatever our umask: an air has no owner. */
	if (a->fd < 0 || bind(a->fd, (struct sockaddr *)&a->own, sizeof(a->own)) < 0 ||
	    chmod(a->own.sun_path, 0666) < 0) {
		snprintf(error, BEARER_AIR_ERROR, "air:%.150s: %s", a->own.sun_path,
			 strerror(errno));
		return false;
	}
	return true;
}

struct bearer_air *bearer_air_open(const struct bearer_air_config *config,
				   char error[BEARER_AIR_ERROR])
{
	struct bearer_air *a = calloc(1, sizeof(*a));
	struct advertiser_config advertiser = { .timers = config->timers,
						.sets = config->sets,
						.seed = config->seed,
						.transmit = transmit,
						.ctx = a };

	if (!a || !(a->dir = strdup(config->dir)))
		abort();
	a->timers = config->timers;
	a->fd = -1;
	a->bearer.send = on_send;
	a->bearer.cancel = on_cancel;
	memcpy(a->address, config->address, sizeof(a->address));
	advertiser_init(&a->advertiser, &advertiser);
	if (open_socket(a, config->name, error))
		return a;
	if (a->fd >= 0)
		close(a->fd);
	free(a->dir);
	free(a);
	return NULL;
}

void bearer_air_close(struct bearer_air *a)
{
	if (!a)
		return;
	advertiser_stop(&a->advertiser);
	unlink(a->own.sun_path);
	close(a->fd);
	free(a->dir);
	free(a);
}

struct bearer *bearer_air_bearer(struct bearer_air *a)
{
	return &a->bearer;
}

int bearer_air_fd(const struct bearer_air *a)
{
	return a->fd;
}

struct bearer_air_counters bearer_air_counters(const struct bearer_air *a)
{
	struct bearer_air_counters c = a->counters;

	c.refused = a->advertiser.refused;
	c.waiting = a->advertiser.waiting;
	return c;
}
