/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The radio `hciN` or `AA:BB:CC:DD:EE:FF`: a Bluetooth adapter that is ours alone, on the kernel's
 * HCI user channel. Needs CAP_NET_ADMIN. When the adapter is missing, busy, unplugged or stops
 * answering it is opened again, after 1, 2, 4 ... 30 s; meanwhile sends are refused, as losses.
 */
#ifndef MESHMASON_BEARER_HCI_H
#define MESHMASON_BEARER_HCI_H

#include "bearer.h"
#include "hci_host.h"
#include "timers.h"

enum { BEARER_HCI_ERROR = 384, BEARER_HCI_ADAPTER = 24 };

struct bearer_hci;

struct bearer_hci_config {
	struct timers *timers;
	const char *adapter; /* by address it is found again when it was plugged in elsewhere */
	uint64_t seed;
	enum hci_advertising advertising; /* 0: automatic */
	bool pause_scan;		  /* see hci_host.h */
	unsigned scan_percent;
	/* Up, or down with one line that names the culprit and the cure; once for each change of
	 * either. Comes from a timer or from bearer_hci_readable. May be NULL. */
	void (*state)(void *ctx, bool up, const char *line);
	void *ctx;
};

/* "ADAPTER[,legacy|,extended][,pause-scan][,scan=PERCENT]" into the fields of out that it concerns;
 * adapter holds the name that out then points to. False when it is not of this form. */
bool bearer_hci_parse(const char *text, struct bearer_hci_config *out,
		      char adapter[BEARER_HCI_ADAPTER]);
/* NULL with one line in error when trying again is of no use: permission, no Bluetooth in the
 * kernel, not a name. Otherwise it comes up, or says by state() why not. */
struct bearer_hci *bearer_hci_open(const struct bearer_hci_config *config,
				   char error[BEARER_HCI_ERROR]);
/* Gives the adapter back to the kernel, switched off. */
void bearer_hci_close(struct bearer_hci *b);
struct bearer *bearer_hci_bearer(struct bearer_hci *b);
/* The same for life, also while the adapter is away; to wait for reading on. */
int bearer_hci_fd(const struct bearer_hci *b);
void bearer_hci_readable(struct bearer_hci *b);
struct hci_host_counters bearer_hci_counters(const struct bearer_hci *b);

#endif
