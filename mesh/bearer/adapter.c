/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	READ_MAX = 256, /* packets in one turn: other descriptors wait, too */
	AGAIN_FIRST_S = 1,
	AGAIN_MAX_S = 30,
};

_Static_assert((int)ADAPTER_ERROR >= (int)HCI_SOCKET_WHY, "one line of hci_socket.h fits");

static void try_open(void *ctx);

static void tell(struct adapter *a, bool up, const char *line)
{
	if (up == a->up && strcmp(line, a->line) == 0)
		return;
	a->up = up;
	snprintf(a->line, sizeof(a->line), "%s", line);
	if (a->config.state)
		a->config.state(a->config.ctx, up, a->line);
}

static void try_later(struct adapter *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	timer_start(a->config.timers, &a->again_timer, SEC(a->again_s), try_open, a);
	a->again_s = a->again_s * 2 < AGAIN_MAX_S ? a->again_s * 2 : AGAIN_MAX_S;
}

static enum hci_socket_result open_once(struct adapter *a, char why[HCI_SOCKET_WHY])
{
	uint16_t index;
	enum hci_socket_result result =
		a->config.open(a->config.host, a->name, &a->fd, &index, why);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = a };

	if (result != HCI_SOCKET_OPEN)
		return result;
	if (epoll_ctl(a->epoll, EPOLL_CTL_ADD, a->fd, &event) == 0) {
		a->config.opened(a->config.host, index);
		return result;
	}
	snprintf(why, HCI_SOCKET_WHY, "%.40s: %s", a->name, strerror(errno));
	close(a->fd);
	a->fd = -1;
	return HCI_SOCKET_LATER;
}

static void try_open(void *ctx)
{
	struct adapter *a = ctx;
	char why[HCI_SOCKET_WHY];

	if (open_once(a, why) == HCI_SOCKET_OPEN)
		return;
	try_later(a);
	tell(a, false, why);
}

/* What the first try found is told from the loop, when the owner is ready to hear it. */
static void first_told(void *ctx)
{
	struct adapter *a = ctx;
	char line[ADAPTER_ERROR];

	memcpy(line, a->line, sizeof(line));
	a->line[0] = '\0';
	try_later(a);
	tell(a, false, line);
}

static void release(struct adapter *a)
{
	if (a->fd >= 0)
		close(a->fd);
	if (a->epoll >= 0)
		close(a->epoll);
	free(a->name);
	a->fd = a->epoll = -1;
	a->name = NULL;
}

bool adapter_open(struct adapter *a, const struct adapter_config *config, char error[ADAPTER_ERROR])
{
	memset(a, 0, sizeof(*a));
	a->config = *config;
	a->again_s = AGAIN_FIRST_S;
	a->fd = -1;
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->name = strdup(config->name);
	if (!a->name)
		abort();
	if (a->epoll < 0) {
		snprintf(error, ADAPTER_ERROR, "%.40s: %s", a->name, strerror(errno));
		release(a);
		return false;
	}
	switch (open_once(a, error)) {
	case HCI_SOCKET_OPEN:
		break;
	case HCI_SOCKET_LATER:
		snprintf(a->line, sizeof(a->line), "%s", error);
		timer_start(a->config.timers, &a->again_timer, 0, first_told, a);
		break;
	case HCI_SOCKET_NEVER:
		release(a);
		return false;
	}
	return true;
}

void adapter_close(struct adapter *a)
{
	timer_stop(a->config.timers, &a->again_timer);
	release(a);
}

bool adapter_write(struct adapter *a, struct bytes packet)
{
	ssize_t n;

	do {
		n = write(a->fd, packet.p, packet.n);
	} while (n < 0 && errno == EINTR);
	/* A full socket is no reason to give up: the command's own limit decides. */
	return n >= 0 || errno == EAGAIN || errno == ENOBUFS;
}

void adapter_is_up(struct adapter *a, const char *line)
{
	a->again_s = AGAIN_FIRST_S;
	tell(a, true, line);
}

void adapter_failed(struct adapter *a, const char *line)
{
	try_later(a);
	tell(a, false, line);
}

/* False when there is nothing more. */
static bool read_one(struct adapter *a)
{
	uint8_t packet[ADAPTER_PACKET_MAX];
	ssize_t n;

	if (a->fd < 0)
		return false;
	n = read(a->fd, packet, sizeof(packet));
	if (n > 0) {
		a->config.feed(a->config.host, bytes_of(packet, (size_t)n));
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	/* Unplugged: the socket has said so once, and would be ready for ever. */
	a->config.closed(a->config.host);
	return false;
}

void adapter_readable(struct adapter *a)
{
	for (unsigned i = 0; i < READ_MAX && read_one(a); i++)
		;
}
