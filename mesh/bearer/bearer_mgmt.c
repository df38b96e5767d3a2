/* SPDX-License-Identifier: Apache-2.0 */
#include "bearer_mgmt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter.h"

struct bearer_mgmt {
	struct bearer bearer;
	struct adapter adapter;
	struct mgmt_host host;
	uint16_t index;
};

_Static_assert((int)BEARER_MGMT_ERROR >= (int)ADAPTER_ERROR, "one line of adapter.h fits");
_Static_assert((int)ADAPTER_PACKET_MAX >= (int)MGMT_PACKET_MAX, "every packet fits");

static bool host_write(void *ctx, struct bytes packet)
{
	struct bearer_mgmt *b = ctx;

	return adapter_write(&b->adapter, packet);
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
	char line[ADAPTER_ERROR];

	snprintf(line, sizeof(line), "hci%u: up, shared by the kernel's mesh commands", b->index);
	adapter_is_up(&b->adapter, line);
}

static void host_failed(void *ctx, const char *why)
{
	struct bearer_mgmt *b = ctx;
	char line[ADAPTER_ERROR];

	snprintf(line, sizeof(line), "%.40s: %.200s", b->adapter.name, why);
	adapter_failed(&b->adapter, line);
}

static enum hci_socket_result on_open(void *ctx, const char *name, int *fd, uint16_t *index,
				      char why[HCI_SOCKET_WHY])
{
	return hci_socket_control(name, fd, index, why);
}

static void on_opened(void *ctx, uint16_t index)
{
	struct bearer_mgmt *b = ctx;

	b->index = index;
	mgmt_host_start(&b->host, index);
}

static void on_feed(void *ctx, struct bytes packet)
{
	struct bearer_mgmt *b = ctx;

	mgmt_host_feed(&b->host, packet);
}

static void on_closed(void *ctx)
{
	struct bearer_mgmt *b = ctx;

	mgmt_host_stop(&b->host);
	host_failed(b, "the kernel has closed its management channel");
}

static bool on_send(struct bearer *bearer, const struct bearer_send *s)
{
	return mgmt_host_send(&CONTAINER_OF(bearer, struct bearer_mgmt, bearer)->host, s);
}

static void on_cancel(struct bearer *bearer, uint32_t tag)
{
	mgmt_host_cancel(&CONTAINER_OF(bearer, struct bearer_mgmt, bearer)->host, tag);
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
	mgmt_host_init(&b->host, &host);
	if (adapter_open(&b->adapter, &adapter, error))
		return b;
	free(b);
	return NULL;
}

void bearer_mgmt_close(struct bearer_mgmt *b)
{
	if (!b)
		return;
	mgmt_host_farewell(&b->host);
	mgmt_host_stop(&b->host);
	adapter_close(&b->adapter);
	free(b);
}

struct bearer *bearer_mgmt_bearer(struct bearer_mgmt *b)
{
	return &b->bearer;
}

int bearer_mgmt_fd(const struct bearer_mgmt *b)
{
	return b->adapter.epoll;
}

void bearer_mgmt_readable(struct bearer_mgmt *b)
{
	adapter_readable(&b->adapter);
}

struct mgmt_host_counters bearer_mgmt_counters(const struct bearer_mgmt *b)
{
	return mgmt_host_counters(&b->host);
}
