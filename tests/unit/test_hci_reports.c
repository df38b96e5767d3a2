/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "hci_reports.h"

struct ear {
	unsigned n;
	struct bearer_report last;
	uint8_t data[256];
};

static void heard(void *ctx, const struct bearer_report *report)
{
	struct ear *e = ctx;

	e->n++;
	e->last = *report;
	memcpy(e->data, report->data.p, report->data.n);
}

TEST(only_mesh_ad_types_count_and_an_overrun_drops_the_rest)
{
	static const struct {
		const char *name, *data;
		bool mesh;
	} rows[] = {
		{ "mesh message", "042a010203", true },
		{ "PB-ADV", "0229ff", true },
		{ "mesh beacon", "022b00", true },
		{ "beacon after flags", "020106022b00", true },
		{ "a name", "0309414243", false },
		{ "flags alone", "020106", false },
		{ "nothing", "", false },
		{ "one octet", "2a", false },
		{ "length 0 ends", "00022a01", false },
		{ "length beyond the data", "1f2a0102", false },
		{ "beacon after one that runs over", "3001062b00", false },
		{ "type without data", "012a", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t data[64];
		int n = hex_parse(rows[i].data, data, sizeof(data));

		check(n >= 0);
		check_row(rows[i].name, hci_ad_is_mesh(bytes_of(data, (size_t)n)) == rows[i].mesh);
	}
}

/* Each row: the event's parameters after the subevent code. */
TEST(legacy_reports_are_read_all_and_checked)
{
	static const struct {
		const char *name, *params;
		unsigned mesh, other, malformed;
	} rows[] = {
		{ "one", "01 03 01 010203040506 04 032a0102 d0", 1, 0, 0 },
		{ "two, both heard",
		  "02 03 01 010203040506 03 022a01 d0 03 01 010203040506 03 022b07 c0", 2, 0, 0 },
		{ "the second is a name",
		  "02 03 01 010203040506 03 022a01 d0 03 01 010203040506 03 020941 c0", 1, 1, 0 },
		{ "connectable", "01 00 01 010203040506 03 022a01 d0", 0, 1, 0 },
		{ "scan response", "01 04 01 010203040506 03 022a01 d0", 0, 1, 0 },
		{ "no data", "01 03 01 010203040506 00 d0", 0, 1, 0 },
		{ "no rssi", "01 03 01 010203040506 03 022a01", 0, 0, 1 },
		{ "length beyond the event", "01 03 01 010203040506 1f 022a01 d0", 0, 0, 1 },
		{ "two said, one there", "02 03 01 010203040506 03 022a01 d0", 1, 0, 1 },
		{ "octets left over", "01 03 01 010203040506 03 022a01 d0 00", 1, 0, 1 },
		{ "none said", "00", 0, 0, 1 },
		{ "empty", "", 0, 0, 1 },
		{ "40 octets of data",
		  "01 03 01 010203040506 28 272a000000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000 d0",
		  0, 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hci_report_counts counts = { 0 };
		struct ear ear = { 0 };
		uint8_t params[128];
		char packed[256];
		size_t k = 0;
		int n;

		for (const char *p = rows[i].params; *p; p++) {
			if (*p != ' ')
				packed[k++] = *p;
		}
		packed[k] = '\0';
		n = hex_parse(packed, params, sizeof(params));
		check(n >= 0);
		hci_reports_legacy(bytes_of(params, (size_t)n), &counts, heard, &ear);
		check_row(rows[i].name, counts.mesh == rows[i].mesh && ear.n == rows[i].mesh);
		check_row(rows[i].name, counts.other == rows[i].other);
		check_row(rows[i].name, counts.malformed == rows[i].malformed);
	}
}

TEST(a_legacy_report_has_address_data_and_strength)
{
	static const uint8_t params[] = { 1, 3, 1, 1, 2, 3, 4, 5, 6, 3, 2, 0x2A, 0x77, 0xC5 };
	struct hci_report_counts counts = { 0 };
	struct ear ear = { 0 };

	hci_reports_legacy(bytes_of(params, sizeof(params)), &counts, heard, &ear);
	check_int(ear.n, 1);
	check_int(ear.last.event_type, ADV_NONCONN_IND);
	check_mem(ear.last.address, ((uint8_t[]){ 1, 2, 3, 4, 5, 6 }), 6);
	check_int(ear.last.rssi, -59);
	check_int(ear.last.data.n, 3);
	check_mem(ear.data, ((uint8_t[]){ 2, 0x2A, 0x77 }), 3);
}

enum { EXT = 24 }; /* octets of an extended report before its data */

static size_t extended(uint8_t *out, uint16_t type, const void *data, uint8_t n)
{
	const uint8_t head[EXT] = { (uint8_t)type,
				    (uint8_t)(type >> 8),
				    1,
				    1,
				    2,
				    3,
				    4,
				    5,
				    6,
				    1,
				    0,
				    0xFF,
				    0x7F,
				    0xC5,
				    0,
				    0,
				    0,
				    0,
				    0,
				    0,
				    0,
				    0,
				    0,
				    n };

	memcpy(out, head, EXT);
	memcpy(out + EXT, data, n);
	return EXT + n;
}

TEST(extended_reports_count_when_they_are_of_legacy_pdus)
{
	static const uint8_t ad[] = { 2, 0x2A, 0x77 };
	static const struct {
		const char *name;
		uint16_t type;
		unsigned mesh;
	} rows[] = {
		{ "ADV_NONCONN_IND", 0x0010, 1 }, { "ADV_IND", 0x0013, 0 },
		{ "ADV_SCAN_IND", 0x0012, 0 },	  { "extended, not connectable", 0x0000, 0 },
		{ "more to come", 0x0020, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hci_report_counts counts = { 0 };
		struct ear ear = { 0 };
		uint8_t params[256] = { 1 };
		size_t n = 1 + extended(params + 1, rows[i].type, ad, sizeof(ad));

		hci_reports_extended(bytes_of(params, n), &counts, heard, &ear);
		check_row(rows[i].name, ear.n == rows[i].mesh && counts.malformed == 0);
		check_row(rows[i].name, ear.n == 0 || ear.last.event_type == ADV_NONCONN_IND);
		check_row(rows[i].name, ear.n == 0 || ear.last.rssi == -59);
		/* cut anywhere it is malformed, and nothing is heard */
		for (size_t cut = 1; cut < n; cut++) {
			memset(&counts, 0, sizeof(counts));
			memset(&ear, 0, sizeof(ear));
			hci_reports_extended(bytes_of(params, cut), &counts, heard, &ear);
			check_row(rows[i].name, counts.malformed == 1 && ear.n == 0);
		}
	}
}

TEST(all_extended_reports_of_an_event_are_read)
{
	static const uint8_t ad[] = { 2, 0x2B, 0x00 };
	struct hci_report_counts counts = { 0 };
	struct ear ear = { 0 };
	uint8_t params[256] = { 3 };
	size_t n = 1;

	for (int i = 0; i < 3; i++)
		n += extended(params + n, 0x0010, ad, sizeof(ad));
	hci_reports_extended(bytes_of(params, n), &counts, heard, &ear);
	check_int(ear.n, 3);
	check_int(counts.malformed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_mesh_ad_types_count_and_an_overrun_drops_the_rest),
		cmocka_unit_test(legacy_reports_are_read_all_and_checked),
		cmocka_unit_test(a_legacy_report_has_address_data_and_strength),
		cmocka_unit_test(extended_reports_count_when_they_are_of_legacy_pdus),
		cmocka_unit_test(all_extended_reports_of_an_event_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
