/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must be right around the server before it can work: each check good, or with its cure.
 * Facts are gathered first (preflight_facts.c reads files and asks the kernel), then judged here,
 * without I/O.
 */
#ifndef MESHMASON_PREFLIGHT_H
#define MESHMASON_PREFLIGHT_H

#include "bytes.h"

enum { PREFLIGHT_TEXT = 512, PREFLIGHT_MAX = 8 };

enum preflight_radio {
	PREFLIGHT_NO_RADIO,
	PREFLIGHT_HCI,
	PREFLIGHT_MGMT,
	PREFLIGHT_AIR,
	PREFLIGHT_SIM,
};

enum preflight_maybe { PREFLIGHT_UNKNOWN, PREFLIGHT_NO, PREFLIGHT_YES };

struct preflight_facts {
	enum preflight_radio radio;
	bool radio_ok;
	char radio_line[PREFLIGHT_TEXT]; /* "hci0: what is wrong: what to do" */
	char kernel[80];		 /* its release */
	int bluetooth_error;		 /* errno of a Bluetooth socket; 0: there is one */
	enum preflight_maybe mesh_commands;
	bool net_admin;	    /* CAP_NET_ADMIN */
	char daemons[128];  /* that may be in the way: "bluetoothd (pid 12)"; "" for none */
	int64_t now, built; /* Unix seconds */
	enum preflight_maybe clock_kept; /* by NTP or the like */
	char data[PREFLIGHT_TEXT];
	bool data_missing; /* to be made at the first start; data_error is then its parent's */
	int data_error;	   /* errno; 0: it can be written */
	bool disk_known;
	uint64_t disk_free; /* octets */
};

struct preflight_check {
	const char *name; /* static: radio kernel permission daemons clock data disk */
	bool ok;
	char message[PREFLIGHT_TEXT];
	char cure[PREFLIGHT_TEXT]; /* with ok: what would be better; "" for nothing */
};

/* The checks that concern this kind of radio; their number. */
size_t preflight_judge(const struct preflight_facts *f, struct preflight_check out[PREFLIGHT_MAX]);

/* The text of /proc/self/status: is that capability effective? */
bool preflight_capability(const char *status, unsigned number);
/* The kernel's answer to Read Management Supported Commands; false also for one that is cut. */
bool preflight_has_command(struct bytes reply, uint16_t opcode);

struct preflight_config {
	const char *radio, *data; /* as the options have them */
	int64_t now;		  /* Unix seconds */
	bool running;		  /* the radio is open: then up and line are its own words */
	bool up;
	const char *line;
};

/* Not running: the adapter is taken for a moment, to see whether that works. */
void preflight_gather(const struct preflight_config *config, struct preflight_facts *out);

#endif
