/* SPDX-License-Identifier: Apache-2.0 */
/* Between hci_host.c, hci_setup.c and hci_transmit.c only. */
#ifndef MESHMASON_HCI_PARTS_H
#define MESHMASON_HCI_PARTS_H

#include "hci_host.h"

typedef void hci_done(struct hci_host *h, uint8_t arg, uint8_t status, struct bytes result);

/* hci_host.c: queues a command; done may be NULL. */
void hci_command(struct hci_host *h, enum hci_opcode opcode, struct bytes params, uint8_t arg,
		 hci_done *done);
/* Reset and set-up anew, after trouble; gives up after a few times without coming up. */
void hci_restart(struct hci_host *h, const char *why);
void hci_fail(struct hci_host *h, const char *why);

/* hci_setup.c */
void hci_setup_start(struct hci_host *h);
void hci_setup_stop(struct hci_host *h);
void hci_setup_set_terminated(struct hci_host *h);
/* Called when the last step is done. */
void hci_setup_complete(struct hci_host *h);

/* hci_transmit.c */
void hci_transmit_start(struct hci_host *h);
void hci_transmit_stop(struct hci_host *h);
void hci_transmit_set_terminated(struct hci_host *h, uint8_t handle);
void hci_transmit_cancel(struct hci_host *h, uint32_t tag);
/* Parameters, shared with the set-up. */
void hci_ext_adv_parameters(struct wr *w, uint8_t handle, uint16_t interval_ms);
void hci_ext_adv_enable(struct wr *w, uint8_t handle, bool enable, uint8_t max_events);

#endif
