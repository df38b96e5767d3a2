/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a Bluetooth controller that does nothing but mesh: set-up, scanning,
 * advertising, and what to do when the controller stops answering. It reaches no socket: packets
 * leave by write() and come in by hci_host_feed(), each with its H:4 type octet (Vol 4 Part A 2).
 */
#ifndef MESHMASON_HCI_HOST_H
#define MESHMASON_HCI_HOST_H

#include "advertiser.h"
#include "hci_const.h"
#include "hci_reports.h"

enum { HCI_SETS_MAX = 8, HCI_QUEUE_MAX = 64, HCI_PARAMS_MAX = 40, HCI_WHY = 160 };

/* Which family of advertising commands. AUTO: the extended one where the controller has it and
 * ends an advertising set by itself, as asked; the legacy one otherwise. */
enum hci_advertising { HCI_ADVERTISING_AUTO, HCI_ADVERTISING_LEGACY, HCI_ADVERTISING_EXTENDED };

struct hci_host_config {
	struct timers *timers;
	uint64_t seed; /* of our random address and of the random part of intervals */
	enum hci_advertising advertising;
	bool pause_scan;       /* for controllers that cannot send while they scan all the time;
				* turned on by itself when a controller refuses */
	unsigned scan_percent; /* share of the time that is listened; 0: 100 */
	/* One packet; false when the controller is gone. */
	bool (*write)(void *ctx, struct bytes packet);
	hci_heard *heard;
	/* Set up; may come again after a reset in between. */
	void (*up)(void *ctx);
	/* Nothing works any more; why is one line. Comes from a timer, never from within a call. */
	void (*failed)(void *ctx, const char *why);
	void *ctx;
};

struct hci_host_counters {
	struct hci_report_counts reports;
	uint64_t sent;	    /* advertising events asked for */
	uint64_t refused;   /* by us: queue full, or the radio is down */
	uint64_t rejected;  /* by the controller */
	uint64_t timeouts;  /* commands without an answer */
	uint64_t resets;    /* of the controller, after the first */
	uint64_t malformed; /* packets that are no HCI event */
	size_t waiting;	    /* entries in the send queue now */
};

struct hci_host;

struct hci_command {
	uint16_t opcode;
	uint8_t len;
	uint8_t arg; /* for done */
	uint8_t params[HCI_PARAMS_MAX];
	/* result: the return parameters after the status, possibly none */
	void (*done)(struct hci_host *h, uint8_t arg, uint8_t status, struct bytes result);
};

enum hci_host_state { HCI_STOPPED, HCI_SETTING_UP, HCI_UP, HCI_FAILED };

enum hci_set_state { HCI_SET_FREE, HCI_SET_STARTING, HCI_SET_RUNNING, HCI_SET_STOPPING };

/* Embedded in its owner; all fields are hci_*.c's. */
struct hci_host {
	struct hci_host_config config;
	enum hci_host_state state;
	/* commands: one in flight, the queue's head */
	struct hci_command queue[HCI_QUEUE_MAX];
	unsigned head, queued;
	bool in_flight;
	uint8_t credits; /* Num_HCI_Command_Packets */
	struct timer answer_timer, end_timer;
	char why[HCI_WHY];
	/* set-up */
	unsigned step, setup_set, attempts;
	bool extended, legacy_only, probing;
	struct timer probe_timer;
	uint16_t interval; /* legacy, units of 0.625 ms */
	uint8_t version;
	uint8_t address[6];	   /* public; zero when unknown */
	uint8_t random_address[6]; /* that we advertise from */
	/* sending */
	struct advertiser advertiser;
	struct bearer_send sending; /* legacy: what is on the air */
	struct timer hold_timer;
	unsigned rejected_in_a_row, overdue;
	bool pause_scan;
	unsigned n_sets;
	struct hci_set {
		struct hci_host *host;
		enum hci_set_state state;
		bool ended; /* Set Terminated came before the answer to Enable */
		uint16_t interval_ms;
		struct bearer_send send;
		struct timer overdue_timer;
	} set[HCI_SETS_MAX];
	struct hci_host_counters counters;
};

void hci_host_init(struct hci_host *h, const struct hci_host_config *config);
/* Reset and set-up; up() or failed() follows. May be called again after hci_host_stop. */
void hci_host_start(struct hci_host *h);
/* Stops all timers, drops what waits. Writes nothing. */
void hci_host_stop(struct hci_host *h);
/* One packet from the controller. */
void hci_host_feed(struct hci_host *h, struct bytes packet);
/* As struct bearer has them; false (and counted) while the radio is not up. */
bool hci_host_send(struct hci_host *h, const struct bearer_send *s);
void hci_host_cancel(struct hci_host *h, uint32_t tag);
struct hci_host_counters hci_host_counters(const struct hci_host *h);

#endif
