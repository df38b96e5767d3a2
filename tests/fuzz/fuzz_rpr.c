/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders of the Remote Provisioning Client. Input: low octet of the opcode, parameters. */
#include "remote_prov_client.h"

bool fuzz_one(const uint8_t *data, size_t n);

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct access_message m = { .src = 0x0010, .ttl = 5, .app_index = ACCESS_DEVICE_KEY };
	struct rpr_scan_capabilities capabilities;
	struct rpr_scan_report report;
	struct rpr_scan_status scan;
	struct rpr_link_status link;
	struct rpr_link_report link_report;
	struct rpr_pdu pdu;
	uint8_t number;

	if (n == 0)
		return false;
	m.opcode = 0x8000u | data[0];
	m.params = bytes_of(data + 1, n - 1);
	switch (m.opcode) {
	case OP_RPR_SCAN_CAPABILITIES_STATUS:
		return rpr_scan_capabilities_decode(&capabilities, m.params);
	case OP_RPR_SCAN_STATUS:
		return rpr_scan_status_decode(&scan, m.params);
	case OP_RPR_SCAN_REPORT:
		return rpr_scan_report_decode(&report, &m);
	case OP_RPR_LINK_STATUS:
		return rpr_link_status_decode(&link, m.params);
	case OP_RPR_LINK_REPORT:
		return rpr_link_report_decode(&link_report, m.params);
	case OP_RPR_PDU_OUTBOUND_REPORT:
		return rpr_outbound_report_decode(&number, m.params);
	case OP_RPR_PDU_REPORT:
		return rpr_pdu_decode(&pdu, m.params);
	default:
		return false;
	}
}
