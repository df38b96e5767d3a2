/* SPDX-License-Identifier: Apache-2.0 */
#include "bearer_hci.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "hci_socket.h"

enum {
	READ_MAX = 256, /* packets in one turn: other descriptors wait, too */
	AGAIN_FIRST_S = 1,
	AGAIN_MAX_S = 30,
};

struct bearer_hci {
	struct bearer bearer;
	struct bearer_hci_config config;
	struct hci_host host;
	struct timer again_timer;
	unsigned again_s;
	char *adapter;
	char line[BEARER_HCI_ERROR];
	uint16_t index;
	bool up;
	int epoll; /* holds the socket: what others wait on stays the same */
	int fd;	   /* -1: closed */
};

_Static_assert((int)BEARER_HCI_ERROR >= (int)HCI_SOCKET_WHY, "one line of hci_socket.h fits");

static void try_open(void *ctx);

static void tell(struct bearer_hci *b, bool up, const char *line)
{
	if (up == b->up && strcmp(line, b->line) == 0)
		return;
	b->up = up;
	if (line != b->line)
		snprintf(b->line, sizeof(b->line), "%s", line);
	if (b->config.state)
		b->config.state(b->config.ctx, up, b->line);
}

static void try_later(struct bearer_hci *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	timer_start(b->config.timers, &b->again_timer, SEC(b->again_s), try_open, b);
	b->again_s = b->again_s * 2 < AGAIN_MAX_S ? b->again_s * 2 : AGAIN_MAX_S;
}

static bool host_write(void *ctx, struct bytes packet)
{
	struct bearer_hci *b = ctx;
	ssize_t n;

	do {
		n = write(b->fd, packet.p, packet.n);
	} while (n < 0 && errno == EINTR);
	/* A full socket is no reason to give up: the command's own limit decides. */
	return n >= 0 || errno == EAGAIN || errno == ENOBUFS;
}

static void host_heard(void *ctx, const struct bearer_report *report)
{
	struct bearer_hci *b = ctx;

	if (b->bearer.heard)
		b->bearer.heard(b->bearer.heard_ctx, report);
}

static void host_up(void *ctx)
{
	struct bearer_hci *b = ctx;
	char line[BEARER_HCI_ERROR], text[HCI_ADDRESS_TEXT];

	b->again_s = AGAIN_FIRST_S;
	snprintf(line, sizeof(line), "hci%u (%s): up, %s advertising", b->index,
		 hci_address_format(text, b->host.address),
		 b->host.extended ? "extended" : "legacy");
	tell(b, true, line);
}

static void host_failed(void *ctx, const char *why)
{
	struct bearer_hci *b = ctx;
	char line[BEARER_HCI_ERROR];

	snprintf(line, sizeof(line), "%.40s: %.150s: plug it in again; it is tried again",
		 b->adapter, why);
	try_later(b);
	tell(b, false, line);
}

static enum hci_socket_result open_once(struct bearer_hci *b, char why[HCI_SOCKET_WHY])
{
	enum hci_socket_result result = hci_socket_user(b->adapter, &b->fd, &b->index, why);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = b };

	if (result != HCI_SOCKET_OPEN)
		return result;
	if (epoll_ctl(b->epoll, EPOLL_CTL_ADD, b->fd, &event) == 0) {
		hci_host_start(&b->host);
		return result;
	}
	snprintf(why, HCI_SOCKET_WHY, "%.40s: %s", b->adapter, strerror(errno));
	close(b->fd);
	b->fd = -1;
	return HCI_SOCKET_LATER;
}

static void try_open(void *ctx)
{
	struct bearer_hci *b = ctx;
	char why[HCI_SOCKET_WHY];

	if (open_once(b, why) == HCI_SOCKET_OPEN)
		return;
	try_later(b);
	tell(b, false, why);
}

static bool on_send(struct bearer *bearer, const struct bearer_send *s)
{
	return hci_host_send(&CONTAINER_OF(bearer, struct bearer_hci, bearer)->host, s);
}

static void on_cancel(struct bearer *bearer, uint32_t tag)
{
	hci_host_cancel(&CONTAINER_OF(bearer, struct bearer_hci, bearer)->host, tag);
}

static void release(struct bearer_hci *b)
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
	struct bearer_hci *b = ctx;
	char line[BEARER_HCI_ERROR];

	memcpy(line, b->line, sizeof(line));
	b->line[0] = '\0';
	try_later(b);
	tell(b, false, line);
}

static bool parse_option(const char *text, size_t n, struct bearer_hci_config *out)
{
	unsigned percent;
	int end = 0;

	if (n == 6 && strncmp(text, "legacy", n) == 0)
		out->advertising = HCI_ADVERTISING_LEGACY;
	else if (n == 8 && strncmp(text, "extended", n) == 0)
		out->advertising = HCI_ADVERTISING_EXTENDED;
	else if (n == 10 && strncmp(text, "pause-scan", n) == 0)
		out->pause_scan = true;
	else if (sscanf(text, "scan=%3u%n", &percent, &end) == 1 && (size_t)end == n &&
		 text[5] != '+' && text[5] != '-' && percent >= 1 && percent <= 100)
		out->scan_percent = percent;
	else
		return false;
	return true;
}

bool bearer_hci_parse(const char *text, struct bearer_hci_config *out,
		      char adapter[BEARER_HCI_ADAPTER])
{
	size_t n = strcspn(text, ",");
	uint8_t address[6];
	uint16_t index;
	bool by_address;

	if (n >= BEARER_HCI_ADAPTER)
		return false;
	memcpy(adapter, text, n);
	adapter[n] = '\0';
	out->adapter = adapter;
	for (text += n; *text == ','; text += n) {
		text++;
		n = strcspn(text, ",");
		if (!parse_option(text, n, out))
			return false;
	}
	return hci_adapter_parse(adapter, &index, address, &by_address);
}

struct bearer_hci *bearer_hci_open(const struct bearer_hci_config *config,
				   char error[BEARER_HCI_ERROR])
{
	struct bearer_hci *b = calloc(1, sizeof(*b));
	struct hci_host_config host = {
		.timers = config->timers,
		.seed = config->seed,
		.advertising = config->advertising,
		.pause_scan = config->pause_scan,
		.scan_percent = config->scan_percent,
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
	hci_host_init(&b->host, &host);
	if (b->epoll < 0) {
		snprintf(error, BEARER_HCI_ERROR, "%.40s: %s", b->adapter, strerror(errno));
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

void bearer_hci_close(struct bearer_hci *b)
{
	if (!b)
		return;
	hci_host_stop(&b->host);
	timer_stop(b->config.timers, &b->again_timer);
	release(b);
}

struct bearer *bearer_hci_bearer(struct bearer_hci *b)
{
	return &b->bearer;
}

int bearer_hci_fd(const struct bearer_hci *b)
{
	return b->epoll;
}

/* False when there is nothing more. */
static bool read_one(struct bearer_hci *b)
{
	uint8_t packet[HCI_PACKET_MAX];
	ssize_t n = b->fd < 0 ? 0 : read(b->fd, packet, sizeof(packet));

	if (b->fd < 0)
		return false;
	if (n > 0) {
		hci_host_feed(&b->host, bytes_of(packet, (size_t)n));
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return errno == EINTR;
	/* Unplugged: the socket has said so once, and would be ready for ever. */
	hci_host_stop(&b->host);
	host_failed(b, "the adapter was unplugged or reset");
	return false;
}

void bearer_hci_readable(struct bearer_hci *b)
{
	for (unsigned i = 0; i < READ_MAX && read_one(b); i++)
		;
}

bool bearer_hci_up(const struct bearer_hci *b)
{
	return b->up;
}

const char *bearer_hci_line(const struct bearer_hci *b)
{
	return b->line;
}

struct hci_host_counters bearer_hci_counters(const struct bearer_hci *b)
{
	return hci_host_counters(&b->host);
}
