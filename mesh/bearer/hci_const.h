/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the Host Controller Interface, Core Specification Vol 4 Part E, with its names. */
#ifndef MESHMASON_HCI_CONST_H
#define MESHMASON_HCI_CONST_H

enum hci_packet { HCI_PACKET_COMMAND = 0x01, HCI_PACKET_EVENT = 0x04 }; /* Part A 2 */

enum hci_opcode {
	HCI_SET_EVENT_MASK = 0x0C01,
	HCI_RESET = 0x0C03,
	HCI_READ_LOCAL_VERSION = 0x1001,
	HCI_READ_BD_ADDR = 0x1009,
	HCI_LE_SET_EVENT_MASK = 0x2001,
	HCI_LE_READ_LOCAL_FEATURES = 0x2003,
	HCI_LE_SET_RANDOM_ADDRESS = 0x2005,
	HCI_LE_SET_ADV_PARAMETERS = 0x2006,
	HCI_LE_SET_ADV_DATA = 0x2008,
	HCI_LE_SET_ADV_ENABLE = 0x200A,
	HCI_LE_SET_SCAN_PARAMETERS = 0x200B,
	HCI_LE_SET_SCAN_ENABLE = 0x200C,
	HCI_LE_SET_ADV_SET_RANDOM_ADDRESS = 0x2035,
	HCI_LE_SET_EXT_ADV_PARAMETERS = 0x2036,
	HCI_LE_SET_EXT_ADV_DATA = 0x2037,
	HCI_LE_SET_EXT_ADV_ENABLE = 0x2039,
	HCI_LE_READ_NUMBER_OF_ADV_SETS = 0x203B,
	HCI_LE_SET_EXT_SCAN_PARAMETERS = 0x2041,
	HCI_LE_SET_EXT_SCAN_ENABLE = 0x2042,
};

enum hci_event {
	HCI_EV_COMMAND_COMPLETE = 0x0E,
	HCI_EV_COMMAND_STATUS = 0x0F,
	HCI_EV_HARDWARE_ERROR = 0x10,
	HCI_EV_LE_META = 0x3E,
};

enum hci_le_event {
	HCI_LE_ADV_REPORT = 0x02,
	HCI_LE_EXT_ADV_REPORT = 0x0D,
	HCI_LE_ADV_SET_TERMINATED = 0x12,
};

enum hci_status { /* Vol 1 Part F */
		  HCI_OK = 0x00,
		  HCI_UNKNOWN_COMMAND = 0x01,
		  HCI_COMMAND_DISALLOWED = 0x0C,
		  HCI_UNSUPPORTED_VALUE = 0x11,
		  HCI_INVALID_PARAMETERS = 0x12,
};

enum hci_limit {
	HCI_COMMAND_PARAMS_MAX = 255,
	HCI_PACKET_MAX = 260,		/* type, event code, length, 255 octets, and room */
	HCI_VERSION_5_0 = 9,		/* from here on 20 ms is allowed to a broadcaster */
	HCI_FEATURE_EXT_ADV = 12,	/* bit of the LE features */
	HCI_ADV_INTERVAL_20_MS = 0x20,	/* units of 0.625 ms */
	HCI_ADV_INTERVAL_100_MS = 0xA0, /* the least a controller before 5.0 takes here */
};

#endif
