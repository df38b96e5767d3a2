/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <stdlib.h>

#include "check.h"

static const struct trace_frame frames[] = {
	{ .at = 1700000000123456,
	  .event_type = ADV_NONCONN_IND,
	  .address = { 1, 2, 3, 4, 5, 0xC6 },
	  .rssi = -71,
	  .len = 25,
	  /* unprovisioned device beacon */
	  .data = { 24,	  0x2B, 0x00, 0x70, 0xcf, 0x7c, 0x97, 0x32, 0xa3, 0x45, 0xb6, 0x91, 0x49,
		    0x48, 0x10, 0xd2, 0xe9, 0xcb, 0xf4, 0x40, 0x20, 0xd3, 0x6b, 0x25, 0xb8 } },
	{ .at = 1700000000223456,
	  .sent = true,
	  .event_type = ADV_NONCONN_IND,
	  .len = 30,
	  /* message 1 of Mesh 8.3 */
	  .data = { 29,	  0x2A, 0x68, 0xec, 0xa4, 0x87, 0x51, 0x67, 0x65, 0xb5,
		    0xe5, 0xbf, 0xda, 0xcb, 0xaf, 0x6c, 0xb7, 0xfb, 0x6b, 0xff,
		    0x87, 0x1f, 0x03, 0x54, 0x44, 0xce, 0x83, 0xa6, 0x70, 0xdf } },
	{ .at = 0, .event_type = 0, .rssi = 127, .len = 0 },
	{ .at = -1, .event_type = 4, .rssi = -128, .len = 31, .data = { 30, 0xFF } },
	{ .at = 1, .sent = true, .event_type = ADV_NONCONN_IND, .len = 31, .data = { 30, 0xFF } },
	{ .at = 2, .sent = true, .event_type = ADV_NONCONN_IND, .len = 0 },
};

static FILE *recording(void)
{
	FILE *f = tmpfile();

	check(f && trace_begin(f));
	return f;
}

static void add(FILE *f, const char *hex)
{
	uint8_t octets[512];
	int n = hex_parse(hex, octets, sizeof(octets));

	check(n >= 0);
	check_int(fwrite(octets, 1, (size_t)n, f), n);
}

/* A record around a packet: lengths, flags, drops, and the instant 1970-01-01 plus 5 us. */
static void add_packet(FILE *f, const char *hex)
{
	char head[64];
	unsigned int n = (unsigned int)strlen(hex) / 2;

	snprintf(head, sizeof(head), "%08x%08x0000000300000000%016llx", n, n,
		 0x00DCDDB30F2F8005ULL);
	add(f, head);
	add(f, hex);
}

static struct trace_reader reader_of(FILE *f)
{
	struct trace_reader r;

	rewind(f);
	check(trace_open(&r, f));
	return r;
}

TEST(what_is_written_is_read_again)
{
	FILE *f = recording();
	struct trace_reader r;
	struct trace_frame got;

	for (size_t i = 0; i < ARRAY_LEN(frames); i++)
		check(trace_write(f, &frames[i]));
	r = reader_of(f);
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		check_int(trace_read(&r, &got), TRACE_FRAME);
		check_int(got.at, frames[i].at);
		check_int(got.sent, frames[i].sent);
		check_int(got.event_type, frames[i].event_type);
		check_mem(got.address, frames[i].address, 6);
		check_int(got.rssi, frames[i].rssi);
		check_int(got.len, frames[i].len);
		check_mem(got.data, frames[i].data, AD_MAX);
	}
	check_int(trace_read(&r, &got), TRACE_END);
	check_int(trace_read(&r, &got), TRACE_END);
	check_int(r.passed_over, 0);
	fclose(f);
}

TEST(a_frame_longer_than_an_advertisement_is_not_written)
{
	struct trace_frame long_one = { .len = AD_MAX + 1 };
	FILE *f = recording();
	long at = ftell(f);

	check(!trace_write(f, &long_one));
	check_int(ftell(f), at);
	fclose(f);
}

TEST(a_full_disk_is_noticed)
{
	FILE *f = fopen("/dev/full", "wb");

	check(f != NULL);
	setvbuf(f, NULL, _IONBF, 0);
	check(!trace_begin(f));
	check(!trace_write(f, &frames[0]));
	fclose(f);
}

TEST(several_reports_in_one_event_come_one_by_one)
{
	FILE *f = recording();
	struct trace_reader r;
	struct trace_frame got;

	add_packet(f, "043e1a0202"
		      "0301a1a2a3a4a5a6"
		      "03"
		      "022a77"
		      "b0"
		      "0401b1b2b3b4b5b6"
		      "01"
		      "00"
		      "c4");
	r = reader_of(f);
	check_int(trace_read(&r, &got), TRACE_FRAME);
	check_int(got.at, 5);
	check_int(got.rssi, (int8_t)0xb0);
	check_int(got.len, 3);
	check_mem(got.data, "\x02\x2a\x77", 3);
	check_mem(got.address, "\xa1\xa2\xa3\xa4\xa5\xa6", 6);
	check_int(trace_read(&r, &got), TRACE_FRAME);
	check_int(got.at, 5);
	check_int(got.event_type, 4);
	check_int(got.len, 1);
	check_int(got.rssi, (int8_t)0xc4);
	check_int(trace_read(&r, &got), TRACE_END);
	fclose(f);
}

TEST(packets_of_other_kinds_are_passed_over)
{
	static const char *const others[] = {
		"",				  /* nothing */
		"04",				  /* an event without anything */
		"043e",				  /* without a length */
		"043e0102",			  /* no number of reports */
		"043e0b0201030111111111111100",	  /* report without a strength */
		"043e0c02010301111111111111057f", /* data cut off */
		"040e0401030c00",		  /* command complete */
		"01030c00",			  /* reset */
		"0108202020",			  /* advertising data cut off */
		"0108200100",			  /* of another length */
		"0240200400aabbccdd",		  /* data of a connection */
		"05ffff",			  /* no such packet */
	};
	FILE *f = recording();
	struct trace_reader r;
	struct trace_frame got;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		add_packet(f, others[i]);
	check(trace_write(f, &frames[0]));
	r = reader_of(f);
	check_int(trace_read(&r, &got), TRACE_FRAME);
	check_int(got.at, frames[0].at);
	check_int(r.passed_over, ARRAY_LEN(others));
	check_int(trace_read(&r, &got), TRACE_END);
	fclose(f);
}

TEST(long_packets_are_passed_over)
{
	FILE *f = recording();
	struct trace_reader r;
	struct trace_frame got;

	add(f, "000003ff000003ff000000030000000000dcddb30f2f8005");
	for (int i = 0; i < 0x3ff; i++)
		fputc(4, f);
	check(trace_write(f, &frames[1]));
	r = reader_of(f);
	check_int(trace_read(&r, &got), TRACE_FRAME);
	check(got.sent);
	check_int(r.passed_over, 1);
	fclose(f);
}

TEST(broken_files_end_as_broken)
{
	static const char *const tails[] = {
		"00",							/* half a header */
		"0000002000000020000000030000000000dcddb30f2f8005aa",	/* half a packet */
		"0000000100000002000000030000000000dcddb30f2f8005aaaa", /* more than there was */
		"ffffffffffffffff000000030000000000dcddb30f2f8005aaaa", /* far too long */
		"000003ff000003ff000000030000000000dcddb30f2f8005aaaaaaaa", /* long and cut */
	};

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		FILE *f = recording();
		struct trace_reader r;
		struct trace_frame got;

		add(f, tails[i]);
		r = reader_of(f);
		check_row(tails[i], trace_read(&r, &got) == TRACE_BROKEN);
		fclose(f);
	}
}

TEST(other_files_are_not_opened)
{
	static const char *const heads[] = {
		"",
		"6274736e6f6f7000000000010000",	    /* cut */
		"6274736e6f6f700000000001000003e9", /* HCI without H4 */
		"6274736e6f6f700000000002000003ea", /* version 2 */
		"6274736e6f6f700000000001000007d1", /* monitor */
		"d4c3b2a1020004000000000000000000", /* pcap */
	};

	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		FILE *f = tmpfile();
		struct trace_reader r;

		add(f, heads[i]);
		rewind(f);
		check_row(heads[i], !trace_open(&r, f));
		fclose(f);
	}
}

/* Wireshark's own reader as the outside witness: it sees a command and an event, with our octets.
 */
TEST(tshark_reads_a_recording)
{
	const char *path = BUILD_DIR "/tests/unit/trace.btsnoop";
	FILE *f = fopen(path, "wb"), *p;
	char line[512];

	check(f && trace_begin(f) && trace_write(f, &frames[0]) && trace_write(f, &frames[1]));
	fclose(f);
	p = popen("tshark -r " BUILD_DIR "/tests/unit/trace.btsnoop -T fields "
		  "-e frame.time_epoch -e bthci_evt.rssi -e bthci_cmd.opcode -e _ws.col.Protocol "
		  "-e btcommon.eir_ad.entry.type -e beacon.uuid -e btmesh.nid 2>/dev/null",
		  "r");
	check(p != NULL);
	check(fgets(line, sizeof(line), p) != NULL);
	check_str(line, "1700000000.123456000\t-71\t\tBT Mesh Beacon\t0x2b\t"
			"70cf7c97-32a3-45b6-9149-4810d2e9cbf4\t\n");
	check(fgets(line, sizeof(line), p) != NULL);
	check_str(line, "1700000000.223456000\t\t0x2008\tBT Mesh\t0x2a\t\t104\n");
	check(fgets(line, sizeof(line), p) == NULL);
	check_int(pclose(p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(a_frame_longer_than_an_advertisement_is_not_written),
		cmocka_unit_test(a_full_disk_is_noticed),
		cmocka_unit_test(several_reports_in_one_event_come_one_by_one),
		cmocka_unit_test(packets_of_other_kinds_are_passed_over),
		cmocka_unit_test(long_packets_are_passed_over),
		cmocka_unit_test(broken_files_end_as_broken),
		cmocka_unit_test(other_files_are_not_opened),
		cmocka_unit_test(tshark_reads_a_recording),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
