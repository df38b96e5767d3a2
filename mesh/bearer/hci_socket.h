/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux's Bluetooth sockets: which adapters there are, taking one for ourselves, and in one line
 * who is in the way and what to do about it.
 */
#ifndef MESHMASON_HCI_SOCKET_H
#define MESHMASON_HCI_SOCKET_H

#include "bytes.h"

enum { HCI_SOCKET_WHY = 384, HCI_ADDRESS_TEXT = 18 };

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
 * while no bluetoothd runs is nobody's, and is switched off first. */
enum hci_socket_result hci_socket_user(const char *adapter, int *fd, uint16_t *index,
				       char why[HCI_SOCKET_WHY]);
/* The management channel, which all adapters share; index is that of the one named. */
enum hci_socket_result hci_socket_control(const char *adapter, int *fd, uint16_t *index,
					  char why[HCI_SOCKET_WHY]);
/* The processes that hold a Bluetooth socket, as "bluetoothd (pid 12)"; of several, up to three.
 * Those named only, or all but those named, where that is not NULL. Their number; without
 * privileges not all can be seen. */
unsigned hci_socket_holders(const char *only, const char *but, char *out, size_t cap);
/* bluetoothd runs, or a Bluetooth socket belongs to a process that we cannot see. */
bool hci_socket_shared(void);

#endif
