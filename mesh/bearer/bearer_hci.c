/* SPDX-License-Identifier: Apache-2.0 */
#include "bearer_hci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter.h"

struct bearer_hci {
	struct bearer bearer;
	struct adapter adapter;
	struct hci_host host;
	uint16_t index;
};

_Static_assert((int)BEARER_HCI_ERROR >= (int)ADAPTER_ERROR, "one line of adapter.h fits");
_Static_assert((int)ADAPTER_PACKET_MAX >= (int)HCI_PACKET_MAX, "every packet fits");

static bool host_write(void *ctx, struct bytes packet)
{
	struct bearer_hci *b = ctx;

	return adapter_write(&b->adapter, packet);
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
	char line[ADAPTER_ERROR], text[HCI_ADDRESS_TEXT];

	snprintf(line, sizeof(line), "hci%u (%s): up, %s advertising", b->index,
		 hci_address_format(text, b->host.address),
		 b->host.extended ? "extended" : "legacy");
	adapter_is_up(&b->adapter, line);
}

static void host_failed(void *ctx, const char *why)
{
	struct bearer_hci *b = ctx;
	char line[ADAPTER_ERROR];

	snprintf(line, sizeof(line), "%.40s: %.150s: plug it in again; it is tried again",
		 b->adapter.name, why);
	adapter_failed(&b->adapter, line);
}

static enum hci_socket_result on_open(void *ctx, const char *name, int *fd, uint16_t *index,
				      char why[HCI_SOCKET_WHY])
{
	return hci_socket_user(name, fd, index, why);
}

static void on_opened(void *ctx, uint16_t index)
{
	struct bearer_hci *b = ctx;

	b->index = index;
	hci_host_start(&b->host);
}

static void on_feed(void *ctx, struct bytes packet)
{
	struct bearer_hci *b = ctx;

	hci_host_feed(&b->host, packet);
}

static void on_closed(void *ctx)
{
	struct bearer_hci *b = ctx;

	hci_host_stop(&b->host);
	host_failed(b, "the adapter was unplugged or reset");
}

static bool on_send(struct bearer *bearer, const struct bearer_send *s)
{
	return hci_host_send(&CONTAINER_OF(bearer, struct bearer_hci, bearer)->host, s);
}

static void on_cancel(struct bearer *bearer, uint32_t tag)
{
	hci_host_cancel(&CONTAINER_OF(bearer, struct bearer_hci, bearer)->host, tag);
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
	struct adapter_config adapter = {
		.timers = config->timers,
		.name = config->adapter,
		.open = on_open,
		.opened = on_opened,
		.feed = on_feed,
		.closed = on_closed,
		.host = b,
		.state = config->state,
		.ctx = config->ctx,
	};

	if (!b)
		abort();
	b->bearer.send = on_send;
	b->bearer.cancel = on_cancel;
	hci_host_init(&b->host, &host);
	if (adapter_open(&b->adapter, &adapter, error))
		return b;
	free(b);
	return NULL;
}

void bearer_hci_close(struct bearer_hci *b)
{
	if (!b)
		return;
	hci_host_stop(&b->host);
	adapter_close(&b->adapter);
	free(b);
}

struct bearer *bearer_hci_bearer(struct bearer_hci *b)
{
	return &b->bearer;
}

int bearer_hci_fd(const struct bearer_hci *b)
{
	return b->adapter.epoll;
}

void bearer_hci_readable(struct bearer_hci *b)
{
	adapter_readable(&b->adapter);
}

struct hci_host_counters bearer_hci_counters(const struct bearer_hci *b)
{
	return hci_host_counters(&b->host);
}
