/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Linux's Bluetooth sockets look like from user space: numbers of the kernel's interface,
 * as the kernel fixes them for every program. The C library has no header for them.
 */
#ifndef MESHMASON_HCI_ABI_H
#define MESHMASON_HCI_ABI_H

#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
	ABI_AF_BLUETOOTH = 31,
	ABI_PROTO_HCI = 1,
	ABI_NO_DEVICE = 0xFFFF,
	ABI_FLAG_UP = 1 << 0,
	ABI_DEVICES_MAX = 16,
};

enum abi_channel { ABI_CHANNEL_RAW = 0, ABI_CHANNEL_USER = 1, ABI_CHANNEL_CONTROL = 3 };

struct abi_sockaddr_hci {
	sa_family_t family;
	uint16_t device;
	uint16_t channel;
};

struct abi_device_list {
	uint16_t n; /* in: room; out: how many */
	struct {
		uint16_t index;
		uint32_t flags;
	} device[ABI_DEVICES_MAX];
};

struct abi_device_info {
	uint16_t index;
	char name[8];
	uint8_t address[6]; /* least significant octet first */
	uint32_t flags;
	uint8_t type;
	uint8_t features[8];
	uint32_t packet_type, link_policy, link_mode;
	uint16_t mtu[4];
	uint32_t statistics[10];
};

#define ABI_DEVICE_DOWN _IOW('H', 202, int)
/* Clears statistics; refused with EBUSY while a process has the user channel. */
#define ABI_DEVICE_RESET_STATISTICS _IOW('H', 203, int)
#define ABI_DEVICE_LIST		    _IOR('H', 210, int)
#define ABI_DEVICE_INFO		    _IOR('H', 211, int)

#endif
