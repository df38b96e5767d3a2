/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The radio `mgmt:hciN` or `mgmt:AA:BB:CC:DD:EE:FF`: an adapter that bluetoothd goes on using,
 * through the kernel's mesh commands (mgmt_host.h says what that costs). Needs CAP_NET_ADMIN. As
 * with bearer_hci.h it is opened again when it goes away.
 */
#ifndef MESHMASON_BEARER_MGMT_H
#define MESHMASON_BEARER_MGMT_H

#include "bearer.h"
#include "mgmt_host.h"
#include "timers.h"

enum { BEARER_MGMT_ERROR = 384 };

struct bearer_mgmt;

struct bearer_mgmt_config {
	struct timers *timers;
	const char *adapter; /* without "mgmt:" */
	uint64_t seed;
	/* As bearer_hci_config has it. */
	void (*state)(void *ctx, bool up, const char *line);
	void *ctx;
};

/* The functions are those of bearer_hci.h. */
struct bearer_mgmt *bearer_mgmt_open(const struct bearer_mgmt_config *config,
				     char error[BEARER_MGMT_ERROR]);
void bearer_mgmt_close(struct bearer_mgmt *b);
struct bearer *bearer_mgmt_bearer(struct bearer_mgmt *b);
int bearer_mgmt_fd(const struct bearer_mgmt *b);
void bearer_mgmt_readable(struct bearer_mgmt *b);
struct mgmt_host_counters bearer_mgmt_counters(const struct bearer_mgmt *b);

#endif
