/* SPDX-License-Identifier: Apache-2.0 */
#include "prov_recode.h"
#include "vectors.h"

#define X8  "0011223344556677"
#define X16 X8 "8899aabbccddeeff"
#define X32 X16 X16
#define X64 X32 X32

static const struct row {
	const char *name, *pdu;
	bool accepted;
} rows[] = {
	{ "nothing", "", false },
	{ "padding bit 6", "4000", false },
	{ "padding bit 7", "8000", false },
	{ "unknown type 0x0e", "0e", false },
	{ "unknown type 0x3f", "3f00", false },
	{ "invite", "0005", true },
	{ "invite too short", "00", false },
	{ "invite too long", "000500", false },
	{ "capabilities", "01010003010102001f03000f", true },
	{ "capabilities with reserved bits", "0102fffffeffffffffffffff", true },
	{ "capabilities of no element", "01000003010102001f03000f", false },
	{ "capabilities too short", "01010003010102001f0300", false },
	{ "capabilities too long", "01010003010102001f03000f00", false },
	{ "start, no OOB", "020000000000", true },
	{ "start, HMAC, OOB key, static", "020101010000", true },
	{ "start, output, eight characters", "020100020408", true },
	{ "start, input, one push", "020000030001", true },
	{ "start of a reserved algorithm", "020200000000", false },
	{ "start of a reserved public key", "020002000000", false },
	{ "start of a reserved method", "020000040000", false },
	{ "start, no OOB with an action", "020000000100", false },
	{ "start, static OOB with a size", "020000010001", false },
	{ "start, output of reserved action", "020000020501", false },
	{ "start, output of size nine", "020000020009", false },
	{ "start, output of size zero", "020000020000", false },
	{ "start, input of reserved action", "020000030401", false },
	{ "start too short", "0200000000", false },
	{ "start too long", "02000000000000", false },
	{ "public key", "03" X64, true },
	{ "public key too short", "03" X32, false },
	{ "public key too long", "03" X64 "00", false },
	{ "input complete", "04", true },
	{ "input complete too long", "0400", false },
	{ "confirmation of 16", "05" X16, true },
	{ "confirmation of 32", "05" X32, true },
	{ "confirmation of 8", "05" X8, false },
	{ "confirmation of 17", "05" X16 "00", false },
	{ "random of 16", "06" X16, true },
	{ "random of 32", "06" X32, true },
	{ "random of 24", "06" X16 X8, false },
	{ "data", "07" X32 "00", true },
	{ "data too short", "07" X32, false },
	{ "data too long", "07" X32 "0000", false },
	{ "complete", "08", true },
	{ "complete too long", "0800", false },
	{ "failed", "0904", true },
	{ "failed with a reserved code", "09ff", true },
	{ "failed with the prohibited code", "0900", false },
	{ "failed too short", "09", false },
	{ "record request", "0a000100000039", true },
	{ "record request for nothing", "0a000100000000", false },
	{ "record request too short", "0a0001000000", false },
	{ "record response", "0b0000010000000401020304", true },
	{ "record response, absent", "0b01001100000000", true },
	{ "record response too short", "0b010011000000", false },
	{ "records get", "0c", true },
	{ "records get too long", "0c00", false },
	{ "records list of none", "0d0000", true },
	{ "records list of two", "0d000000010002", true },
	{ "records list with extension bits", "0dffff0001", true },
	{ "records list with half an ID", "0d0000000100", false },
	{ "records list without extensions", "0d00", false },
};

TEST(every_pdu_is_read_and_written_alike_or_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t in[128], out[128];
		int n = hex_parse(rows[i].pdu, in, sizeof(in));
		struct wr w = wr_to(out, sizeof(out));
		bool accepted = prov_recode(bytes_of(in, (size_t)n), &w);

		check_row(rows[i].name, n >= 0 && accepted == rows[i].accepted);
		if (accepted)
			check_row(rows[i].name, bytes_equal(wr_done(&w), bytes_of(in, (size_t)n)));
	}
}

TEST(capabilities_are_read_field_by_field)
{
	uint8_t octets[PROV_CAPABILITIES_LEN];
	struct prov_capabilities m;

	check(hex_parse_exact("0a00030103050006070009", octets, sizeof(octets)));
	check(prov_pdu_capabilities_decode(&m, bytes_of(octets, sizeof(octets))));
	check_int(m.elements, 10);
	check_int(m.algorithms, 3);
	check_int(m.public_key_type, 1);
	check_int(m.oob_type, 3);
	check_int(m.output_size, 5);
	check_int(m.output_actions, 6);
	check_int(m.input_size, 7);
	check_int(m.input_actions, 9);
}

TEST(published_provisioning_data_is_packed_and_unpacked)
{
	json_t *root = vectors_load("provisioning.json");
	json_t *v = vector_by_id(root, "provdata-8.7.12");
	json_t *input = json_object_get(v, "input");
	struct vector key = vector_hex(input, "net_key");
	struct vector out = vector_hex(json_object_get(v, "expected"), "out");
	struct prov_data data = {
		.net_key_index =
			(uint16_t)json_integer_value(json_object_get(input, "net_key_index")),
		.flags = (uint8_t)json_integer_value(json_object_get(input, "flags")),
		.iv_index = (uint32_t)json_integer_value(json_object_get(input, "iv_index")),
		.address = (uint16_t)json_integer_value(json_object_get(input, "unicast_address")),
	};
	struct prov_data back;
	uint8_t packed[PROV_DATA_LEN];
	struct wr w = wr_to(packed, sizeof(packed));

	memcpy(data.net_key.octet, key.octet, sizeof(data.net_key.octet));
	prov_data_encode(&w, &data);
	check(bytes_equal(wr_done(&w), vector_view(&out)));
	check(prov_data_decode(&back, vector_view(&out)));
	check(secret16_equal(&back.net_key, &data.net_key));
	check_int(back.net_key_index, 1383);
	check_int(back.iv_index, 0x01020304);
	check_int(back.address, 0x0b0c);
	json_decref(root);
}

TEST(provisioning_data_that_no_node_could_use_is_refused)
{
	static const struct {
		const char *name, *tail;
		bool accepted;
	} tails[] = {
		{ "all well", "0fff03000000007fff", true },
		{ "index of 13 bits", "100000000000000001", false },
		{ "reserved flag", "000004000000000001", false },
		{ "unassigned address", "000000000000000000", false },
		{ "group address", "00000000000000c000", false },
		{ "one octet short", "0000000000000001", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		uint8_t in[PROV_DATA_LEN] = { 0 };
		struct prov_data m;
		int n = hex_parse(tails[i].tail, in + 16, sizeof(in) - 16);

		check_row(tails[i].name,
			  prov_data_decode(&m, bytes_of(in, 16 + (size_t)n)) == tails[i].accepted);
	}
}

/* The devices of the record vectors: what they answer is read as what they meant. */
TEST(published_record_pdus_are_understood)
{
	json_t *root = vectors_load("provisioning.json");
	static const struct {
		const char *id;
		uint8_t status;
		uint16_t record, offset, total;
		size_t n;
	} answers[] = {
		{ "rec-not-present", PROV_RECORD_ABSENT, 0x0011, 0, 0, 0 },
		{ "rec-offset-oob", PROV_RECORD_BAD_OFFSET, 0x0001, 64, 64, 0 },
		{ "rec-last-octet", PROV_RECORD_OK, 0x0001, 63, 64, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		json_t *v = vector_by_id(root, answers[i].id);
		struct vector request = vector_hex(json_object_get(v, "input"), "request");
		struct vector response = vector_hex(json_object_get(v, "expected"), "response");
		struct prov_pdu_record_request q = { answers[i].record, answers[i].offset, 58 };
		struct prov_pdu_record_response m;
		uint8_t out[16];
		struct wr w = wr_to(out, sizeof(out));

		prov_pdu_record_request_encode(&w, &q);
		check_row(answers[i].id, bytes_equal(wr_done(&w), vector_view(&request)));
		check_row(answers[i].id, prov_pdu_record_response_decode(
						 &m, bytes_of(response.octet + 1, response.n - 1)));
		check_row(answers[i].id, m.status == answers[i].status);
		check_row(answers[i].id, m.id == answers[i].record);
		check_row(answers[i].id, m.offset == answers[i].offset);
		check_row(answers[i].id, m.total == answers[i].total);
		check_row(answers[i].id, m.data.n == answers[i].n);
	}
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pdu_is_read_and_written_alike_or_refused),
		cmocka_unit_test(capabilities_are_read_field_by_field),
		cmocka_unit_test(published_provisioning_data_is_packed_and_unpacked),
		cmocka_unit_test(provisioning_data_that_no_node_could_use_is_refused),
		cmocka_unit_test(published_record_pdus_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
