/* SPDX-License-Identifier: Apache-2.0 */
#include "bearer_mgmt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hci_socket.h"

enum {
	READ_MAX = 256, /* events in one turn: other descriptors wait, too */
	AGAIN_FIRST_S = 1,
	AGAIN_MAX_S = 30,
};

struct bearer_mgmt {
	struct bearer bearer;
	struct bearer_mgmt_config config;
	struct mgmt_host host;
	struct timer again_timer;
	unsigned again_s;
	char *adapter;
	char line[BEARER_MGMT_ERROR];
	uint16_t index;
	bool up;
	int epoll; /* holds the socket: what others wait on stays the same */
	int fd;	   /* -1: closed */
};

_Static_assert((int)BEARER_MGMT_ERROR >= (int)HCI_SOCKET_WHY, "one line of hci_socket.h fits");

static void try_open(void *ctx);

static void tell(struct bearer_mgmt *b, bool up, const char *line)
{
	if (up == b->up && strcmp(line, b->line) == 0)
		return;
	b->up = up;
	if (line != b->line)
		snprintf(b->line, sizeof(b->line), "%s", line);
	if (b->config.state)
		b->config.state(b->config.ctx, up, b->line);
}

static void try_later(struct bearer_mgmt *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	timer_start(b->config.timers, &b->again_timer, SEC(b->again_s), try_open, b);
	b->again_s = b->again_s * 2 < AGAIN_MAX_S ? b->again_s * 2 : AGAIN_MAX_S;
}

static bool host_write(void *ctx, struct bytes packet)
{
	struct bearer_mgmt *b = ctx;
	ssize_t n;

	do {
		n = write(b->fd, packet.p, packet.n);
	} while (n < 0 && errno == EINTR);
	/* A full socket is no reason to give up: the command's own limit decides. */
	return n >= 0 || errno == EAGAIN || errno == ENOBUFS;
}

static void host_heard(void *ctx, const struct bearer_report *report)
{
	struct bearer_mgmt *b = ctx;

	if (b->bearer.heard)
		b->bearer.heard(b->bearer.heard_ctx, report);
}

static void host_up(void *ctx)
{
	struct bearer_mgmt *b = ctx;
	char line[BEARER_MGMT_ERROR];

	b->again_s = AGAIN_FIRST_S;
	snprintf(line, sizeof(line), "hci%u: up, shared by the kernel's mesh commands", b->index);
	tell(b, true, line);
}

static void host_failed(void *ctx, const char *why)
{
	struct bearer_mgmt *b = ctx;
	char line[BEARER_MGMT_ERROR];

	snprintf(line, sizeof(line), "%.40s: %.200s", b->adapter, why);
	try_later(b);
	tell(b, false, line);
}

static enum hci_socket_result open_once(struct bearer_mgmt *b, char why[HCI_SOCKET_WHY])
{
	enum hci_socket_result result = hci_socket_control(b->adapter, &b->fd, &b->index, why);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = b };

	if (result != HCI_SOCKET_OPEN)
		return result;
	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->fd, &event) == 0) {
		mgmt_host_start(&b->host, b->index);
		return result;
	}
	snprintf(why, HCI_SOCKET_WHY, "%.40s: %s", b->adapter, strerror(errno));
	close(b->fd);
	b->fd = -1;
	return HCI_SOCKET_LATER;
}

static void try_open(void *ctx)
{
	struct bearer_mgmt *b = ctx;
	char why[HCI_SOCKET_WHY];

	if (open_once(b, why) == HCI_SOCKET_OPEN)
		return;
	try_later(b);
	tell(b, false, why);
}

static bool on_send(struct bearer *bearer, const struct bearer_send *s)
{
	return mgmt_host_send(&CONTAINER_OF(bearer, struct bearer_mgmt, bearer)->host, s);
}

static void on_cancel(struct bearer *bearer, uint32_t tag)
{
	mgmt_host_cancel(&CONTAINER_OF(bearer, struct bearer_mgmt, bearer)->host, tag);
}

static void release(struct bearer_mgmt *b)
{
	if (b->fd >= 0)
		close(b->fd);
	if (b->epoll >= 0)
		close(b->epoll);
	free(b->adapter);
	free(b);
}

/* What the first try found is told from the loop, when the owner is ready to hear it. */
static void first_told(void *ctx)
{
	struct bearer_mgmt *b = ctx;
	char line[BEARER_MGMT_ERROR];

	memcpy(line, b->line, sizeof(line));
	b->line[0] = '\0';
	try_later(b);
	tell(b, false, line);
}

struct bearer_mgmt *bearer_mgmt_open(const struct bearer_mgmt_config *config,
				     char error[BEARER_MGMT_ERROR])
{
	struct bearer_mgmt *b = calloc(1, sizeof(*b));
	struct mgmt_host_config host = {
		.timers = config->timers,
		.seed = config->seed,
		.write = host_write,
		.heard = host_heard,
		.up = host_up,
		.failed = host_failed,
		.ctx = b,
	};

	if (!b || !(b->adapter = strdup(config->adapter)))
		abort();
	b->config = *config;
	b->bearer.send = on_send;
	b->bearer.cancel = on_cancel;
	b->again_s = AGAIN_FIRST_S;
	b->fd = -1;
	b->epoll = epoll_create1(EPOLL_CLOEXEC);
	mgmt_host_init(&b->host, &host);
	if (b->epoll < 0) {
		snprintf(error, BEARER_MGMT_ERROR, "%.40s: %s", b->adapter, strerror(errno));
		release(b);
		return NULL;
	}
	switch (open_once(b, error)) {
	case HCI_SOCKET_OPEN:
		break;
	case HCI_SOCKET_LATER:
		snprintf(b->line, sizeof(b->line), "%s", error);
		timer_start(b->config.timers, &b->again_timer, 0, first_told, b);
		break;
	case HCI_SOCKET_NEVER:
		release(b);
		return NULL;
	}
	return b;
}

void bearer_mgmt_close(struct bearer_mgmt *b)
{
	if (!b)
		return;
	mgmt_host_farewell(&b->host);
	mgmt_host_stop(&b->host);
	timer_stop(b->config.timers, &b->again_timer);
	release(b);
}

struct bearer *bearer_mgmt_bearer(struct bearer_mgmt *b)
{
	return &b->bearer;
}

int bearer_mgmt_fd(const struct bearer_mgmt *b)
{
	return b->epoll;
}

/* False when there is nothing more. */
static bool read_one(struct bearer_mgmt *b)
{
	uint8_t packet[MGMT_PACKET_MAX];
	ssize_t n = b->fd < 0 ? 0 : read(b->fd, packet, sizeof(packet));

	if (b->fd < 0)
		return false;
	if (n > 0) {
		mgmt_host_feed(&b->host, bytes_of(packet, (size_t)n));
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	mgmt_host_stop(&b->host);
	host_failed(b, "the kernel has closed its management channel");
	return false;
}

void bearer_mgmt_readable(struct bearer_mgmt *b)
{
	for (unsigned i = 0; i < READ_MAX && read_one(b); i++)
		;
}

bool bearer_mgmt_up(const struct bearer_mgmt *b)
{
	return b->up;
}

const char *bearer_mgmt_line(const struct bearer_mgmt *b)
{
	return b->line;
}

struct mgmt_host_counters bearer_mgmt_counters(const struct bearer_mgmt *b)
{
	return mgmt_host_counters(&b->host);
}
