/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mesh commands of the kernel's management interface: an adapter that stays bluetoothd's and
 * carries mesh, too. Reaches no socket: packets leave by write() and come in by mgmt_host_feed().
 * The kernel decides about time: a packet's copies leave one after the other, 25 ms each or more.
 */
#ifndef MESHMASON_MGMT_HOST_H
#define MESHMASON_MGMT_HOST_H

#include "advertiser.h"
#include "mgmt_const.h"

enum { MGMT_HANDLES_MAX = 8, MGMT_PARAMS_MAX = 64, MGMT_QUEUE_MAX = 16, MGMT_WHY = 200 };

struct mgmt_host_config {
	struct timers *timers;
	uint16_t index;
	uint64_t seed;
	bool (*write)(void *ctx, struct bytes packet); /* false: the socket is of no use */
	void (*heard)(void *ctx, const struct bearer_report *report);
	void (*up)(void *ctx);
	/* why: one line with the cure. From a timer, never from within a call. */
	void (*failed)(void *ctx, const char *why);
	void *ctx;
};

struct mgmt_host_counters {
	uint64_t sent;	    /* packets the kernel says it has sent */
	uint64_t refused;   /* by us: queue full, or the radio is down */
	uint64_t rejected;  /* by the kernel */
	uint64_t overdue;   /* packets of which the kernel never told the end */
	uint64_t malformed; /* packets from the kernel that we cannot read */
	uint64_t heard;
	size_t waiting;
};

struct mgmt_host;

struct mgmt_command {
	uint16_t opcode, len;
	uint8_t params[MGMT_PARAMS_MAX];
	void (*done)(struct mgmt_host *h, uint8_t status, struct bytes result);
};

enum mgmt_host_state { MGMT_STOPPED, MGMT_SETTING_UP, MGMT_UP, MGMT_FAILED };

/* Embedded in its owner; all fields are mgmt_host.c's. */
struct mgmt_host {
	struct mgmt_host_config config;
	enum mgmt_host_state state;
	struct mgmt_command queue[MGMT_QUEUE_MAX];
	unsigned head, queued;
	bool in_flight;
	struct timer answer_timer, end_timer;
	char why[MGMT_WHY];
	unsigned step;
	uint32_t supported, settings;
	bool was_up; /* who switches the adapter off later wants it off */
	struct advertiser advertiser;
	unsigned outstanding, handles; /* packets in the kernel, and how many it takes */
	struct timer pause_timer, overdue_timer;
	struct timer silence_timer;
	uint64_t heard_before; /* when silence_timer was started */
	struct mgmt_host_counters counters;
};

void mgmt_host_init(struct mgmt_host *h, const struct mgmt_host_config *config);
/* Set-up for this adapter; up() or failed() follows. */
void mgmt_host_start(struct mgmt_host *h, uint16_t index);
void mgmt_host_stop(struct mgmt_host *h);
/* Tells the kernel to forget our packets and to stop listening for mesh; before the socket is
 * closed. */
void mgmt_host_farewell(struct mgmt_host *h);
void mgmt_host_feed(struct mgmt_host *h, struct bytes packet);
bool mgmt_host_send(struct mgmt_host *h, const struct bearer_send *s);
void mgmt_host_cancel(struct mgmt_host *h, uint32_t tag);
struct mgmt_host_counters mgmt_host_counters(const struct mgmt_host *h);

#endif
