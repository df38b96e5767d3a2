/* SPDX-License-Identifier: Apache-2.0 */
#include "hci_reports.h"

enum {
	EXT_LEGACY_NONCONN = 0x0010, /* ADV_NONCONN_IND in the extended event, 7.7.65.13 */
	EVENT_OTHER = 0xFF,
};

bool hci_ad_is_mesh(struct bytes data)
{
	struct rd r = rd_from(data);

	while (r.left > 1) {
		uint8_t len = rd_u8(&r);
		struct bytes ad = rd_bytes(&r, len);

		if (len == 0 || !rd_ok(&r))
			return false;
		if (ad.p[0] == AD_PB_ADV || ad.p[0] == AD_MESH_MESSAGE || ad.p[0] == AD_MESH_BEACON)
			return true;
	}
	return false;
}

/* Mesh is carried by non-connectable, non-scannable, legacy PDUs alone (Mesh 3.3.1). */
static void hand_over(const struct bearer_report *report, struct hci_report_counts *counts,
		      hci_heard *heard, void *ctx)
{
	if (report->event_type != ADV_NONCONN_IND || report->data.n > AD_MAX ||
	    !hci_ad_is_mesh(report->data)) {
		counts->other++;
		return;
	}
	counts->mesh++;
	heard(ctx, report);
}

static void read_legacy(struct rd *r, struct bearer_report *out)
{
	out->event_type = rd_u8(r);
	rd_u8(r); /* address type */
	rd_copy(r, out->address, sizeof(out->address));
	out->data = rd_bytes(r, rd_u8(r));
	out->rssi = (int8_t)rd_u8(r);
}

static void read_extended(struct rd *r, struct bearer_report *out)
{
	out->event_type = rd_le16(r) == EXT_LEGACY_NONCONN ? ADV_NONCONN_IND : EVENT_OTHER;
	rd_u8(r); /* address type */
	rd_copy(r, out->address, sizeof(out->address));
	rd_bytes(r, 4); /* primary and secondary PHY, set, transmit power */
	out->rssi = (int8_t)rd_u8(r);
	rd_bytes(r, 2 + 1 + 6); /* periodic interval, direct address */
	out->data = rd_bytes(r, rd_u8(r));
}

static void walk(struct bytes params, void (*read)(struct rd *, struct bearer_report *),
		 struct hci_report_counts *counts, hci_heard *heard, void *ctx)
{
	struct rd r = rd_from(params);
	uint8_t n = rd_u8(&r);

	for (uint8_t i = 0; i < n; i++) {
		struct bearer_report report = { 0 };

		read(&r, &report);
		if (!rd_ok(&r))
			break;
		hand_over(&report, counts, heard, ctx);
	}
	if (n == 0 || !rd_finished(&r))
		counts->malformed++;
}

void hci_reports_legacy(struct bytes params, struct hci_report_counts *counts, hci_heard *heard,
			void *ctx)
{
	walk(params, read_legacy, counts, heard, ctx);
}

void hci_reports_extended(struct bytes params, struct hci_report_counts *counts, hci_heard *heard,
			  void *ctx)
{
	walk(params, read_extended, counts, heard, ctx);
}
