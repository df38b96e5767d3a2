/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders of the Remote Provisioning Client. Input: low octet of the opcode, parameters. */
#include <stdlib.h>
#include <string.h>

#include "ad_structures.h"
#include "remote_prov_extended.h"

bool fuzz_one(const uint8_t *data, size_t n);

/* Texts end, and fit; nothing of them is below a space. */
static bool extended_good(const struct access_message *m)
{
	struct rpr_extended_report report;
	struct ad_facts f;

	if (!rpr_extended_report_decode(&report, m))
		return false;
	ad_read_facts(&f, report.ads, NULL);
	if (!memchr(f.name, 0, sizeof(f.name)) || !memchr(f.uri, 0, sizeof(f.uri)))
		abort();
	for (const char *c = f.name; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7F)
			abort();
	return *f.name && *f.uri;
}

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
	case OP_RPR_EXTENDED_SCAN_REPORT:
		return extended_good(&m);
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
