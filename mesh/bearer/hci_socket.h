/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's Bluetooth sockets: which adapters there are, taking one for ourselves, and in one line
 * who is in the way and what to do about it.
 */
#ifndef MESHMASON_HCI_SOCKET_H
#define MESHMASON_HCI_SOCKET_H

#include "bytes.h"

enum { HCI_SOCKET_WHY = 256, HCI_ADDRESS_TEXT = 18 };

struct hci_adapter {
	uint16_t index; /* the N of hciN */
	bool up;	/* switched on, so somebody uses it */
	uint8_t address[6];
};

enum hci_socket_result {
	HCI_SOCKET_OPEN,
	HCI_SOCKET_LATER, /* missing, busy, switched off: worth another try */
	HCI_SOCKET_NEVER, /* no permission, no Bluetooth in the kernel, not a name */
};

/* "hci0" or "AA:BB:CC:DD:EE:FF"; by_address says which. False for anything else. */
bool hci_adapter_parse(const char *text, uint16_t *index, uint8_t address[6], bool *by_address);
char *hci_address_format(char out[HCI_ADDRESS_TEXT], const uint8_t address[6]);
/* At most cap of them; -1 when the kernel has no Bluetooth for us (errno). */
int hci_adapters(struct hci_adapter *out, int cap);
/* The adapter's user channel: ours alone until the descriptor is closed. One that is switched on
 * though no process holds a Bluetooth socket is switched off first. */
enum hci_socket_result hci_socket_user(const char *adapter, int *fd, uint16_t *index,
				       char why[HCI_SOCKET_WHY]);
/* The management channel, which all adapters share; index is that of the one named. */
enum hci_socket_result hci_socket_control(const char *adapter, int *fd, uint16_t *index,
					  char why[HCI_SOCKET_WHY]);
/* Another process that holds a Bluetooth socket, as "bluetoothd (pid 12)"; false when none is to
 * be found (without privileges not all can be seen). */
bool hci_socket_holder(char *out, size_t cap);

#endif
