/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include "check.h"

static const uint8_t counting[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

/* Every numeric function of both cursors, through one signature. */
static uint64_t read_u8(struct rd *r)
{
	return rd_u8(r);
}
static uint64_t read_be16(struct rd *r)
{
	return rd_be16(r);
}
static uint64_t read_be24(struct rd *r)
{
	return rd_be24(r);
}
static uint64_t read_be32(struct rd *r)
{
	return rd_be32(r);
}
static uint64_t read_be64(struct rd *r)
{
	return rd_be64(r);
}
static uint64_t read_le16(struct rd *r)
{
	return rd_le16(r);
}
static uint64_t read_le24(struct rd *r)
{
	return rd_le24(r);
}
static uint64_t read_le32(struct rd *r)
{
	return rd_le32(r);
}
static void write_u8(struct wr *w, uint64_t v)
{
	wr_u8(w, (uint8_t)v);
}
static void write_be16(struct wr *w, uint64_t v)
{
	wr_be16(w, (uint16_t)v);
}
static void write_be24(struct wr *w, uint64_t v)
{
	wr_be24(w, (uint32_t)v);
}
static void write_be32(struct wr *w, uint64_t v)
{
	wr_be32(w, (uint32_t)v);
}
static void write_be64(struct wr *w, uint64_t v)
{
	wr_be64(w, v);
}
static void write_le16(struct wr *w, uint64_t v)
{
	wr_le16(w, (uint16_t)v);
}
static void write_le24(struct wr *w, uint64_t v)
{
	wr_le24(w, (uint32_t)v);
}
static void write_le32(struct wr *w, uint64_t v)
{
	wr_le32(w, (uint32_t)v);
}

static const struct {
	const char *name;
	uint64_t (*read)(struct rd *r);
	void (*write)(struct wr *w, uint64_t v);
	size_t n;
	uint64_t value; /* of 01 02 03 ... */
} numbers[] = {
	{ "u8", read_u8, write_u8, 1, 0x01 },
	{ "be16", read_be16, write_be16, 2, 0x0102 },
	{ "be24", read_be24, write_be24, 3, 0x010203 },
	{ "be32", read_be32, write_be32, 4, 0x01020304 },
	{ "be64", read_be64, write_be64, 8, 0x0102030405060708 },
	{ "le16", read_le16, write_le16, 2, 0x0201 },
	{ "le24", read_le24, write_le24, 3, 0x030201 },
	{ "le32", read_le32, write_le32, 4, 0x04030201 },
};

TEST(numbers_are_read_in_their_order_of_octets)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct rd r = rd_from(bytes_of(counting, numbers[i].n + 1));

		check_row(numbers[i].name, numbers[i].read(&r) == numbers[i].value);
		check_row(numbers[i].name, rd_ok(&r) && !rd_finished(&r));
		check_row(numbers[i].name, rd_u8(&r) == numbers[i].n + 1);
		check_row(numbers[i].name, rd_finished(&r));
	}
}

TEST(numbers_with_every_bit_set_are_not_cut)
{
	uint8_t ones[8];

	memset(ones, 0xFF, sizeof(ones));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct rd r = rd_from(bytes_of(ones, sizeof(ones)));

		check_row(numbers[i].name,
			  numbers[i].read(&r) == UINT64_MAX >> (64 - 8 * numbers[i].n));
	}
}

TEST(a_read_past_the_end_gives_zero_for_ever)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct rd r = rd_from(bytes_of(counting, numbers[i].n - 1));
		uint8_t copy[3] = { 9, 9, 9 };
		static const uint8_t zeros[3];

		check_row(numbers[i].name, numbers[i].read(&r) == 0);
		check_row(numbers[i].name, !rd_ok(&r) && !rd_finished(&r));
		check_row(numbers[i].name, rd_u8(&r) == 0);
		check_row(numbers[i].name, rd_bytes(&r, 0).p == NULL);
		check_row(numbers[i].name, rd_rest(&r).n == 0);
		rd_copy(&r, copy, sizeof(copy));
		check_mem(copy, zeros, sizeof(copy));
		check_row(numbers[i].name, !rd_ok(&r));
	}
}

TEST(numbers_are_written_as_they_are_read)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint8_t buf[9];
		struct wr w = wr_to(buf, numbers[i].n);

		memset(buf, 0xEE, sizeof(buf));
		numbers[i].write(&w, numbers[i].value);
		check_row(numbers[i].name, wr_ok(&w));
		check_row(numbers[i].name,
			  bytes_equal(wr_done(&w), bytes_of(counting, numbers[i].n)));
		check_row(numbers[i].name, buf[numbers[i].n] == 0xEE);
	}
}

TEST(a_write_past_the_end_writes_nothing_for_ever)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint8_t buf[9];
		struct wr w = wr_to(buf, numbers[i].n - 1);

		memset(buf, 0xEE, sizeof(buf));
		numbers[i].write(&w, numbers[i].value);
		check_row(numbers[i].name, !wr_ok(&w));
		wr_copy(&w, NULL, 0); /* would fit */
		check_row(numbers[i].name, !wr_ok(&w));
		check_row(numbers[i].name, wr_done(&w).p == NULL && wr_done(&w).n == 0);
		for (size_t k = 0; k < sizeof(buf); k++)
			check_row(numbers[i].name, buf[k] == 0xEE);
	}
}

TEST(views_walk_through_the_input)
{
	struct rd r = rd_from(bytes_of(counting, 10));
	struct bytes a = rd_bytes(&r, 3), none = rd_bytes(&r, 0), b, rest;
	uint8_t copy[2];

	check(a.p == counting && a.n == 3);
	check_int(none.n, 0);
	rd_copy(&r, copy, 2);
	check_mem(copy, counting + 3, 2);
	b = rd_bytes(&r, 1);
	check(b.p == counting + 5);
	check(!rd_finished(&r));
	rest = rd_rest(&r);
	check(rest.p == counting + 6 && rest.n == 4);
	check(rd_finished(&r));
	check_int(rd_rest(&r).n, 0);
	check(rd_finished(&r));
}

TEST(lengths_near_the_largest_do_not_wrap)
{
	struct rd r = rd_from(bytes_of(counting, 4));
	uint8_t buf[4];
	struct wr w = wr_to(buf, sizeof(buf));

	rd_u8(&r);
	check(rd_bytes(&r, SIZE_MAX).p == NULL);
	check(!rd_ok(&r));
	wr_u8(&w, 1);
	wr_copy(&w, counting, SIZE_MAX);
	check(!wr_ok(&w));
}

TEST(an_empty_input_is_finished_and_has_nothing)
{
	struct rd r = rd_from(bytes_of(NULL, 0));
	struct wr w = wr_to(NULL, 0);

	check(rd_ok(&r) && rd_finished(&r));
	check_int(rd_bytes(&r, 0).n, 0);
	check(rd_finished(&r));
	rd_copy(&r, NULL, 0);
	check(rd_finished(&r));
	rd_u8(&r);
	check(!rd_ok(&r));
	wr_bytes(&w, bytes_of(NULL, 0));
	check(wr_ok(&w));
	wr_u8(&w, 1);
	check(!wr_ok(&w));
}

TEST(writers_add_views_and_copies)
{
	uint8_t buf[5];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_bytes(&w, bytes_of(counting, 2));
	wr_copy(&w, counting + 2, 3);
	check(wr_ok(&w));
	check(bytes_equal(wr_done(&w), bytes_of(counting, 5)));
}

TEST(equal_means_same_length_and_octets)
{
	check(bytes_equal(bytes_of(counting, 3), bytes_of(counting, 3)));
	check(!bytes_equal(bytes_of(counting, 3), bytes_of(counting, 4)));
	check(!bytes_equal(bytes_of(counting, 3), bytes_of(counting + 1, 3)));
	check(bytes_equal(bytes_of(NULL, 0), bytes_of(counting, 0)));
	check(bytes_equal(bytes_of(NULL, 0), bytes_of(NULL, 0)));
}

TEST(hexadecimal_text_is_read_strictly)
{
	static const struct {
		const char *text;
		int n; /* into four octets */
	} rows[] = {
		{ "", 0 },	    { "00", 1 },	  { "0aB1", 2 },
		{ "01020304", 4 },  { "0102030405", -1 }, { "0", -1 },
		{ "012", -1 },	    { "0x12", -1 },	  { "1g", -1 },
		{ "g1", -1 },	    { " 12", -1 },	  { "12 ", -1 },
		{ "+1", -1 },	    { "-1", -1 },	  { "1\n", -1 },
		{ "\xc3\xa4", -1 }, { "/0", -1 },	  { ":0", -1 },
		{ "@0", -1 },	    { "`0", -1 },
	};
	uint8_t out[4];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_row(rows[i].text, hex_parse(rows[i].text, out, sizeof(out)) == rows[i].n);
		check_row(rows[i].text, hex_parse_exact(rows[i].text, out, 4) == (rows[i].n == 4));
	}
	check_int(hex_parse("deADbeEF", out, 4), 4);
	check_mem(out, "\xde\xad\xbe\xef", 4);
}

TEST(hexadecimal_text_round_trips_for_every_octet)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint8_t octet = (uint8_t)i, back;
		char text[3], want[3];

		snprintf(want, sizeof(want), "%02x", i);
		check_str(hex_format(text, bytes_of(&octet, 1)), want);
		check(hex_parse_exact(text, &back, 1));
		check_int(back, i);
	}
}

TEST(uuids_are_read_in_either_case_and_written_in_lower)
{
	static const uint8_t want[UUID_LEN] = { 0x70, 0xcf, 0x7c, 0x97, 0x32, 0xa3, 0x45, 0xb6,
						0x91, 0x49, 0x48, 0x10, 0xd2, 0xe9, 0xcb, 0xf4 };
	static const char *const bad[] = {
		"",
		"70cf7c97-32a3-45b6-9149-4810d2e9cbf",
		"70cf7c97-32a3-45b6-9149-4810d2e9cbf40",
		"70cf7c9732a345b691494810d2e9cbf4",
		"70cf7c97-32a3-45b6-91494-810d2e9cbf4",
		"70cf7c97+32a3-45b6-9149-4810d2e9cbf4",
		"70cf7c97-32a3-45b6-9149-4810d2e9cbg4",
		"{0cf7c97-32a3-45b6-9149-4810d2e9cbf}",
		"70cf7c97-32a3-45b6-9149-4810d2e9cbf4 ",
		"------------------------------------",
	};
	uint8_t uuid[UUID_LEN];
	char text[UUID_TEXT];

	check(uuid_parse("70CF7C97-32a3-45B6-9149-4810d2e9cbF4", uuid));
	check_mem(uuid, want, UUID_LEN);
	check_str(uuid_format(text, uuid), "70cf7c97-32a3-45b6-9149-4810d2e9cbf4");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_row(bad[i], !uuid_parse(bad[i], uuid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_read_in_their_order_of_octets),
		cmocka_unit_test(numbers_with_every_bit_set_are_not_cut),
		cmocka_unit_test(a_read_past_the_end_gives_zero_for_ever),
		cmocka_unit_test(numbers_are_written_as_they_are_read),
		cmocka_unit_test(a_write_past_the_end_writes_nothing_for_ever),
		cmocka_unit_test(views_walk_through_the_input),
		cmocka_unit_test(lengths_near_the_largest_do_not_wrap),
		cmocka_unit_test(an_empty_input_is_finished_and_has_nothing),
		cmocka_unit_test(writers_add_views_and_copies),
		cmocka_unit_test(equal_means_same_length_and_octets),
		cmocka_unit_test(hexadecimal_text_is_read_strictly),
		cmocka_unit_test(hexadecimal_text_round_trips_for_every_octet),
		cmocka_unit_test(uuids_are_read_in_either_case_and_written_in_lower),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
