/* SPDX-License-Identifier: Apache-2.0 */
/* Advertising reports out of HCI events: all reports of an event, all AD structures of a report. */
#ifndef MESHMASON_HCI_REPORTS_H
#define MESHMASON_HCI_REPORTS_H

#include "bearer.h"

struct hci_report_counts {
	uint64_t mesh;	    /* reports that were handed over */
	uint64_t other;	    /* well formed, but nothing of the mesh */
	uint64_t malformed; /* events whose lengths contradict each other */
};

typedef void hci_heard(void *ctx, const struct bearer_report *report);

/* True when one of the AD structures is PB-ADV, Mesh Message or Mesh Beacon; a structure that
 * runs over the end drops the rest, as does one of length 0 (CSS part A 1). */
bool hci_ad_is_mesh(struct bytes data);
/* Parameters of an LE Advertising Report (0x02) after the subevent code, Vol 4 Part E 7.7.65.2. */
void hci_reports_legacy(struct bytes params, struct hci_report_counts *counts, hci_heard *heard,
			void *ctx);
/* Likewise of an LE Extended Advertising Report (0x0D), 7.7.65.13. */
void hci_reports_extended(struct bytes params, struct hci_report_counts *counts, hci_heard *heard,
			  void *ctx);

#endif
