/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the Linux kernel's Bluetooth management interface that the mesh needs. */
#ifndef MESHMASON_MGMT_CONST_H
#define MESHMASON_MGMT_CONST_H

enum mgmt_opcode {
	MGMT_READ_INFO = 0x0004,
	MGMT_SET_POWERED = 0x0005,
	MGMT_SET_LE = 0x000D,
	MGMT_SET_EXP_FEATURE = 0x004A,
	MGMT_SET_MESH_RECEIVER = 0x0057,
	MGMT_READ_MESH_FEATURES = 0x0058,
	MGMT_MESH_SEND = 0x0059,
	MGMT_MESH_SEND_CANCEL = 0x005A,
};

enum mgmt_event {
	MGMT_EV_COMMAND_COMPLETE = 0x0001,
	MGMT_EV_COMMAND_STATUS = 0x0002,
	MGMT_EV_INDEX_REMOVED = 0x0005,
	MGMT_EV_NEW_SETTINGS = 0x0006,
	MGMT_EV_MESH_DEVICE_FOUND = 0x0031,
	MGMT_EV_MESH_PACKET_COMPLETE = 0x0032,
};

enum mgmt_status {
	MGMT_OK = 0x00,
	MGMT_UNKNOWN_COMMAND = 0x01,
	MGMT_BUSY = 0x0A,
	MGMT_NOT_SUPPORTED = 0x0C,
	MGMT_NOT_POWERED = 0x0F,
	MGMT_INVALID_INDEX = 0x11,
	MGMT_RFKILLED = 0x12,
	MGMT_PERMISSION_DENIED = 0x14,
};

enum mgmt_setting { /* bits of supported and current settings */
		    MGMT_POWERED = 1 << 0,
		    MGMT_BREDR = 1 << 7,
		    MGMT_LE = 1 << 9,
};

enum mgmt_limit { MGMT_HEADER = 6, MGMT_PACKET_MAX = 1024 };

#endif
