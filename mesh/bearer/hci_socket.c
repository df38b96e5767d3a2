/* SPDX-License-Identifier: Apache-2.0 */
#include "hci_socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "hci_abi.h"

bool hci_adapter_parse(const char *text, uint16_t *index, uint8_t address[6], bool *by_address)
{
	unsigned a[6], n;
	int end = 0;

	if (sscanf(text, "hci%5u%n", &n, &end) == 1 && text[end] == '\0' && n < ABI_NO_DEVICE &&
	    text[3] >= '0' && text[3] <= '9') {
		*index = (uint16_t)n;
		*by_address = false;
		return true;
	}
	end = 0;
	if (strlen(text) != HCI_ADDRESS_TEXT - 1 ||
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &a[5], &a[4], &a[3], &a[2], &a[1], &a[0],
		   &end) != 6 ||
	    end != HCI_ADDRESS_TEXT - 1)
		return false;
	for (int i = 0; i < 6; i++)
		address[i] = (uint8_t)a[i];
	*by_address = true;
	return true;
}

char *hci_address_format(char out[HCI_ADDRESS_TEXT], const uint8_t address[6])
{
	snprintf(out, HCI_ADDRESS_TEXT, "%02X:%02X:%02X:%02X:%02X:%02X", address[5], address[4],
		 address[3], address[2], address[1], address[0]);
	return out;
}

static int hci_socket(void)
{
	return socket(ABI_AF_BLUETOOTH, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, ABI_PROTO_HCI);
}

static int bind_to(int fd, uint16_t device, enum abi_channel channel)
{
	struct abi_sockaddr_hci a = { ABI_AF_BLUETOOTH, device, (uint16_t)channel };

	return bind(fd, (const struct sockaddr *)&a, sizeof(a));
}

int hci_adapters(struct hci_adapter *out, int cap)
{
	struct abi_device_list list = { .n = ABI_DEVICES_MAX };
	int fd = hci_socket(), n = 0;

	if (fd < 0)
		return -1;
	if (ioctl(fd, ABI_DEVICE_LIST, &list) < 0)
		list.n = 0;
	for (uint16_t i = 0; i < list.n && i < ABI_DEVICES_MAX && n < cap; i++) {
		struct abi_device_info info = { .index = list.device[i].index };

		if (ioctl(fd, ABI_DEVICE_INFO, &info) < 0)
			continue;
		out[n].index = info.index;
		out[n].up = info.flags & ABI_FLAG_UP;
		memcpy(out[n].address, info.address, sizeof(info.address));
		n++;
	}
	close(fd);
	return n;
}

static void no_such(const char *adapter, char why[HCI_SOCKET_WHY])
{
	struct hci_adapter there[ABI_DEVICES_MAX];
	int n = hci_adapters(there, ABI_DEVICES_MAX);
	int at = snprintf(why, HCI_SOCKET_WHY, "%.40s: no such adapter: plug it in%s", adapter,
			  n > 0 ? ", or use" : "; there is none at all (see rfkill, dmesg)");

	for (int i = 0; i < n && at < HCI_SOCKET_WHY; i++) {
		char text[HCI_ADDRESS_TEXT];

		at += snprintf(why + at, (size_t)(HCI_SOCKET_WHY - at), "%s hci%u (%s)",
			       i > 0 ? "," : "", there[i].index,
			       hci_address_format(text, there[i].address));
	}
}

static enum hci_socket_result find(const char *adapter, uint16_t *index, char why[HCI_SOCKET_WHY])
{
	struct hci_adapter there[ABI_DEVICES_MAX];
	uint8_t address[6];
	bool by_address;
	int n;

	if (!hci_adapter_parse(adapter, index, address, &by_address)) {
		snprintf(why, HCI_SOCKET_WHY, "%.40s: hciN or AA:BB:CC:DD:EE:FF wanted", adapter);
		return HCI_SOCKET_NEVER;
	}
	n = hci_adapters(there, ABI_DEVICES_MAX);
	if (n < 0) {
		snprintf(why, HCI_SOCKET_WHY,
			 "%.40s: no Bluetooth in this kernel (%s): modprobe bluetooth; a container "
			 "needs the host's network",
			 adapter, strerror(errno));
		return HCI_SOCKET_NEVER;
	}
	for (int i = 0; i < n; i++) {
		if (by_address ? memcmp(there[i].address, address, sizeof(address)) == 0
			       : there[i].index == *index) {
			*index = there[i].index;
			return HCI_SOCKET_OPEN;
		}
	}
	no_such(adapter, why);
	return HCI_SOCKET_LATER;
}

/* Busy, for one of two reasons: a process has it for itself, or bluetoothd has switched it on. */
static void explain_busy(const char *adapter, bool held, char why[HCI_SOCKET_WHY])
{
	char who[128];

	if (!held) {
		if (hci_socket_holders("bluetoothd", NULL, who, sizeof(who)) == 0)
			snprintf(who, sizeof(who), "another process, likely bluetoothd");
		snprintf(
			why, HCI_SOCKET_WHY,
			"%.40s: in use by %s: bluetoothctl power off, or systemctl stop bluetooth, "
			"or share it: --radio mgmt:%.40s",
			adapter, who, adapter);
	} else if (hci_socket_holders(NULL, "bluetoothd", who, sizeof(who)) > 0) {
		snprintf(why, HCI_SOCKET_WHY, "%.40s: held by %s: stop it%s", adapter, who,
			 strstr(who, "bluetooth-meshd") ? " (systemctl stop bluetooth-mesh)" : "");
	} else {
		snprintf(why, HCI_SOCKET_WHY,
			 "%.40s: held by another process: stop it (as root: lsof | grep -i "
			 "bluetooth)",
			 adapter);
	}
}

static enum hci_socket_result explain(const char *adapter, int error, char why[HCI_SOCKET_WHY])
{
	switch (error) {
	case EPERM:
	case EACCES:
		snprintf(why, HCI_SOCKET_WHY,
			 "%.40s: not permitted: give CAP_NET_ADMIN (AmbientCapabilities= in the "
			 "unit, or setcap cap_net_admin+ep on the program)",
			 adapter);
		return HCI_SOCKET_NEVER;
	case ERFKILL:
		snprintf(why, HCI_SOCKET_WHY,
			 "%.40s: radio switched off by rfkill: rfkill unblock bluetooth", adapter);
		return HCI_SOCKET_LATER;
	case ENODEV:
		no_such(adapter, why);
		return HCI_SOCKET_LATER;
	default:
		snprintf(why, HCI_SOCKET_WHY, "%.40s: %s: unplug and plug it, see dmesg", adapter,
			 strerror(error));
		return HCI_SOCKET_LATER;
	}
}

/* Takes an adapter that is busy, if it may be taken. */
static enum hci_socket_result take_busy(const char *adapter, int fd, uint16_t index,
					char why[HCI_SOCKET_WHY])
{
	bool held =
		ioctl(fd, ABI_DEVICE_RESET_STATISTICS, (unsigned long)index) < 0 && errno == EBUSY;

	/* On, but nobody's: the kernel does so for a moment at boot, and what ran before us. */
	if (!held && !hci_socket_shared()) {
		if (ioctl(fd, ABI_DEVICE_DOWN, (unsigned long)index) == 0 &&
		    bind_to(fd, index, ABI_CHANNEL_USER) == 0)
			return HCI_SOCKET_OPEN;
		return explain(adapter, errno == EBUSY ? EALREADY : errno, why);
	}
	explain_busy(adapter, held, why);
	return HCI_SOCKET_LATER;
}

enum hci_socket_result hci_socket_user(const char *adapter, int *fd, uint16_t *index,
				       char why[HCI_SOCKET_WHY])
{
	enum hci_socket_result result = find(adapter, index, why);

	if (result != HCI_SOCKET_OPEN)
		return result;
	*fd = hci_socket();
	if (*fd >= 0 && bind_to(*fd, *index, ABI_CHANNEL_USER) == 0)
		return HCI_SOCKET_OPEN;
	if (*fd >= 0 && (errno == EBUSY || errno == EUSERS))
		result = take_busy(adapter, *fd, *index, why);
	else
		result = explain(adapter, errno, why);
	if (result == HCI_SOCKET_OPEN)
		return result;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return result;
}

enum hci_socket_result hci_socket_control(const char *adapter, int *fd, uint16_t *index,
					  char why[HCI_SOCKET_WHY])
{
	enum hci_socket_result result = find(adapter, index, why);
	int error;

	if (result != HCI_SOCKET_OPEN)
		return result;
	*fd = hci_socket();
	if (*fd >= 0 && bind_to(*fd, ABI_NO_DEVICE, ABI_CHANNEL_CONTROL) == 0)
		return HCI_SOCKET_OPEN;
	error = errno;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return explain(adapter, error, why);
}
