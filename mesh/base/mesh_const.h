/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of the Mesh Protocol specification 1.1, one enum per table, with its names.
 * Shared by the stack and the simulated building: numbers only, no layout and no behaviour.
 */
#ifndef MESHMASON_MESH_CONST_H
#define MESHMASON_MESH_CONST_H

enum ad_type { /* Core Specification Supplement; Mesh 3.3.1 */
	       AD_SHORTENED_LOCAL_NAME = 0x08,
	       AD_COMPLETE_LOCAL_NAME = 0x09,
	       AD_TX_POWER = 0x0A,
	       AD_APPEARANCE = 0x19,
	       AD_URI = 0x24,
	       AD_PB_ADV = 0x29,
	       AD_MESH_MESSAGE = 0x2A,
	       AD_MESH_BEACON = 0x2B,
};

enum adv_event_type { ADV_NONCONN_IND = 3 }; /* as in an HCI LE Advertising Report */

enum mesh_size {
	AD_MAX = 31, /* octets of a legacy advertising payload */
	NETWORK_PDU_MAX = 29,
	ACCESS_MAX = 380,  /* opcode and parameters, with a 4-octet TransMIC */
	PROV_PDU_MAX = 65, /* what common PB-ADV receivers take */
	SEGMENTS_MAX = 32,
};

enum mesh_address {
	ADDR_UNASSIGNED = 0x0000,
	ADDR_UNICAST_LAST = 0x7FFF,
	ADDR_ALL_NODES = 0xFFFF,
};

enum beacon_type { BEACON_UNPROVISIONED = 0, BEACON_SECURE_NETWORK = 1, BEACON_PRIVATE = 2 };

enum oob_information { /* Unprovisioned Device beacon, 3.10.2; big-endian on the air */
		       OOB_INFO_CBP = 1 << 7,
		       OOB_INFO_RECORDS = 1 << 8,
};

enum prov_pdu_type { /* 5.4.1 */
		     PROV_INVITE = 0x00,
		     PROV_CAPABILITIES = 0x01,
		     PROV_START = 0x02,
		     PROV_PUBLIC_KEY = 0x03,
		     PROV_INPUT_COMPLETE = 0x04,
		     PROV_CONFIRMATION = 0x05,
		     PROV_RANDOM = 0x06,
		     PROV_DATA = 0x07,
		     PROV_COMPLETE = 0x08,
		     PROV_FAILED = 0x09,
		     PROV_RECORD_REQUEST = 0x0A,
		     PROV_RECORD_RESPONSE = 0x0B,
		     PROV_RECORDS_GET = 0x0C,
		     PROV_RECORDS_LIST = 0x0D,
};

enum prov_algorithm {
	PROV_ALG_CMAC = 0x00,
	PROV_ALG_HMAC = 0x01
}; /* bit numbers in Capabilities */

enum prov_auth_method {
	PROV_AUTH_NONE = 0,
	PROV_AUTH_STATIC = 1,
	PROV_AUTH_OUTPUT = 2,
	PROV_AUTH_INPUT = 3,
};

enum prov_oob_type { PROV_OOB_STATIC = 1 << 0, PROV_OOB_ONLY = 1 << 1 };

enum prov_error { /* Provisioning Failed, 5.4.4 */
		  PROV_ERR_INVALID_PDU = 0x01,
		  PROV_ERR_INVALID_FORMAT = 0x02,
		  PROV_ERR_UNEXPECTED_PDU = 0x03,
		  PROV_ERR_CONFIRMATION_FAILED = 0x04,
		  PROV_ERR_OUT_OF_RESOURCES = 0x05,
		  PROV_ERR_DECRYPTION_FAILED = 0x06,
		  PROV_ERR_UNEXPECTED_ERROR = 0x07,
		  PROV_ERR_CANNOT_ASSIGN_ADDRESSES = 0x08,
		  PROV_ERR_INVALID_DATA = 0x09,
};

enum prov_close_reason { PROV_CLOSE_SUCCESS = 0, PROV_CLOSE_TIMEOUT = 1, PROV_CLOSE_FAIL = 2 };

enum prov_record { /* 5.4.2.6 */
		   PROV_RECORD_BASE_URI = 0x0000,
		   PROV_RECORD_DEVICE_CERTIFICATE = 0x0001,
		   PROV_RECORD_INTERMEDIATE_FIRST = 0x0002,
		   PROV_RECORD_INTERMEDIATE_LAST = 0x0010,
		   PROV_RECORD_LOCAL_NAME = 0x0011,
		   PROV_RECORD_APPEARANCE = 0x0012,
};

enum prov_record_status { PROV_RECORD_OK = 0, PROV_RECORD_ABSENT = 1, PROV_RECORD_BAD_OFFSET = 2 };

enum control_opcode { CONTROL_SEGMENT_ACK = 0x00, CONTROL_HEARTBEAT = 0x0A };

enum model_id {
	MODEL_CONFIG_SERVER = 0x0000,
	MODEL_CONFIG_CLIENT = 0x0001,
	MODEL_HEALTH_SERVER = 0x0002,
	MODEL_HEALTH_CLIENT = 0x0003,
	MODEL_REMOTE_PROV_SERVER = 0x0004,
	MODEL_REMOTE_PROV_CLIENT = 0x0005,
	MODEL_LARGE_COMPOSITION_SERVER = 0x0012,
	MODEL_LARGE_COMPOSITION_CLIENT = 0x0013,
	MODEL_GENERIC_ONOFF_SERVER = 0x1000,
	MODEL_GENERIC_ONOFF_CLIENT = 0x1001,
};

enum opcode { /* 4.3; two-octet opcodes are written high octet first */
	      OP_APPKEY_ADD = 0x00,
	      OP_APPKEY_UPDATE = 0x01,
	      OP_COMPOSITION_DATA_STATUS = 0x02,
	      OP_APPKEY_DELETE = 0x8000,
	      OP_APPKEY_GET = 0x8001,
	      OP_APPKEY_LIST = 0x8002,
	      OP_APPKEY_STATUS = 0x8003,
	      OP_HEALTH_ATTENTION_GET = 0x8004,
	      OP_HEALTH_ATTENTION_SET = 0x8005,
	      OP_HEALTH_ATTENTION_SET_UNACK = 0x8006,
	      OP_HEALTH_ATTENTION_STATUS = 0x8007,
	      OP_COMPOSITION_DATA_GET = 0x8008,
	      OP_BEACON_GET = 0x8009,
	      OP_BEACON_SET = 0x800A,
	      OP_BEACON_STATUS = 0x800B,
	      OP_DEFAULT_TTL_GET = 0x800C,
	      OP_DEFAULT_TTL_SET = 0x800D,
	      OP_DEFAULT_TTL_STATUS = 0x800E,
	      OP_NETWORK_TRANSMIT_GET = 0x8023,
	      OP_NETWORK_TRANSMIT_SET = 0x8024,
	      OP_NETWORK_TRANSMIT_STATUS = 0x8025,
	      OP_RELAY_GET = 0x8026,
	      OP_RELAY_SET = 0x8027,
	      OP_RELAY_STATUS = 0x8028,
	      OP_MODEL_APP_BIND = 0x803D,
	      OP_MODEL_APP_STATUS = 0x803E,
	      OP_NODE_RESET = 0x8049,
	      OP_NODE_RESET_STATUS = 0x804A,
	      OP_RPR_SCAN_CAPABILITIES_GET = 0x804F,
	      OP_RPR_SCAN_CAPABILITIES_STATUS = 0x8050,
	      OP_RPR_SCAN_GET = 0x8051,
	      OP_RPR_SCAN_START = 0x8052,
	      OP_RPR_SCAN_STOP = 0x8053,
	      OP_RPR_SCAN_STATUS = 0x8054,
	      OP_RPR_SCAN_REPORT = 0x8055,
	      OP_RPR_EXTENDED_SCAN_START = 0x8056,
	      OP_RPR_EXTENDED_SCAN_REPORT = 0x8057,
	      OP_RPR_LINK_GET = 0x8058,
	      OP_RPR_LINK_OPEN = 0x8059,
	      OP_RPR_LINK_CLOSE = 0x805A,
	      OP_RPR_LINK_STATUS = 0x805B,
	      OP_RPR_LINK_REPORT = 0x805C,
	      OP_RPR_PDU_SEND = 0x805D,
	      OP_RPR_PDU_OUTBOUND_REPORT = 0x805E,
	      OP_RPR_PDU_REPORT = 0x805F,
	      OP_LARGE_COMPOSITION_GET = 0x8074,
	      OP_LARGE_COMPOSITION_STATUS = 0x8075,
};

enum rpr_status { /* 4.3.4.1.4 */
		  RPR_SUCCESS = 0x00,
		  RPR_SCANNING_CANNOT_START = 0x01,
		  RPR_INVALID_STATE = 0x02,
		  RPR_LIMITED_RESOURCES = 0x03,
		  RPR_LINK_CANNOT_OPEN = 0x04,
		  RPR_LINK_OPEN_FAILED = 0x05,
		  RPR_LINK_CLOSED_BY_DEVICE = 0x06,
		  RPR_LINK_CLOSED_BY_SERVER = 0x07,
		  RPR_LINK_CLOSED_BY_CLIENT = 0x08,
		  RPR_LINK_CLOSED_CANNOT_RECEIVE = 0x09,
		  RPR_LINK_CLOSED_CANNOT_SEND = 0x0A,
		  RPR_LINK_CLOSED_CANNOT_DELIVER = 0x0B,
};

enum rpr_scan_state { RPR_SCAN_IDLE = 0, RPR_SCAN_MULTIPLE = 1, RPR_SCAN_SINGLE = 2 };

enum rpr_link_state {
	RPR_LINK_IDLE = 0,
	RPR_LINK_OPENING = 1,
	RPR_LINK_ACTIVE = 2,
	RPR_LINK_TRANSFER = 3,
	RPR_LINK_CLOSING = 4,
};

enum nppi_procedure { /* 4.3.4; a node is provisioned anew, 3.10.8 */
		      NPPI_DEVICE_KEY = 0x00,
		      NPPI_ADDRESS = 0x01,
		      NPPI_COMPOSITION = 0x02,
};

enum composition_page { /* 4.2.2; the same plus COMPOSITION_NEXT: after the next refresh */
			COMPOSITION_PAGE_MODELS = 0,
			COMPOSITION_PAGE_RELATIONS = 1,
			COMPOSITION_PAGE_PROFILES = 2,
			COMPOSITION_NEXT = 128,
};

enum config_status { /* 4.3.14 */
		     CONFIG_SUCCESS = 0x00,
		     CONFIG_INVALID_ADDRESS = 0x01,
		     CONFIG_INVALID_MODEL = 0x02,
		     CONFIG_INVALID_APPKEY_INDEX = 0x03,
		     CONFIG_INVALID_NETKEY_INDEX = 0x04,
		     CONFIG_INSUFFICIENT_RESOURCES = 0x05,
		     CONFIG_KEY_INDEX_ALREADY_STORED = 0x06,
		     CONFIG_CANNOT_BIND = 0x0D,
		     CONFIG_INVALID_BINDING = 0x11,
};

enum feature_bit {
	FEATURE_RELAY = 1 << 0,
	FEATURE_PROXY = 1 << 1,
	FEATURE_FRIEND = 1 << 2,
	FEATURE_LOW_POWER = 1 << 3
};

#endif
