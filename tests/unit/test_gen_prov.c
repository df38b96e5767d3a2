/* SPDX-License-Identifier: Apache-2.0 */
#include "gen_prov.h"
#include "vectors.h"

static json_t *vectors_of(json_t *root)
{
	return json_object_get(root, "vectors");
}

static bool op_is(json_t *v, const char *op)
{
	return strcmp(json_string_value(json_object_get(v, "op")), op) == 0;
}

static struct bytes encoded(const struct gen_prov_frame *f, uint8_t out[GEN_PROV_FRAME_MAX])
{
	struct wr w = wr_to(out, GEN_PROV_FRAME_MAX);

	gen_prov_encode(&w, f);
	return wr_done(&w);
}

TEST(published_check_sequences_are_reproduced)
{
	json_t *root = vectors_load("provisioning.json"), *v;
	size_t i, seen = 0;

	json_array_foreach(vectors_of(root), i, v)
	{
		struct vector pdu, fcs;

		if (!op_is(v, "fcs"))
			continue;
		pdu = vector_hex(json_object_get(v, "input"), "pdu");
		fcs = vector_hex(json_object_get(v, "expected"), "fcs");
		check_row(json_string_value(json_object_get(v, "id")),
			  gen_prov_fcs(vector_view(&pdu)) == fcs.octet[0]);
		seen++;
	}
	check_int(seen, 11);
	json_decref(root);
}

static uint32_t link_of(json_t *input)
{
	struct vector link = vector_hex(input, "link_id");
	struct rd r = rd_from(vector_view(&link));

	return rd_be32(&r);
}

static void check_frame(const char *id, const struct gen_prov_frame *f, json_t *text)
{
	uint8_t wanted[GEN_PROV_FRAME_MAX], out[GEN_PROV_FRAME_MAX];
	int n = hex_parse(json_string_value(text), wanted, sizeof(wanted));
	struct gen_prov_frame back;

	check_row(id, n > 0);
	check_row(id, bytes_equal(encoded(f, out), bytes_of(wanted, (size_t)n)));
	check_row(id, gen_prov_decode(&back, bytes_of(wanted, (size_t)n)));
	check_row(id, back.link == f->link && back.transaction == f->transaction);
	check_row(id, back.kind == f->kind && back.number == f->number);
	check_row(id, back.total == f->total && back.fcs == f->fcs);
	check_row(id, bytes_equal(back.data, f->data));
}

TEST(published_control_and_ack_frames_are_reproduced)
{
	json_t *root = vectors_load("provisioning.json"), *v;
	size_t i, seen = 0;

	json_array_foreach(vectors_of(root), i, v)
	{
		json_t *in = json_object_get(v, "input");
		struct gen_prov_frame f = { 0 };
		struct vector params;

		if (op_is(v, "pbadv_control")) {
			params = vector_hex(in, "params");
			f.kind = GEN_PROV_CONTROL;
			f.number = (uint8_t)json_integer_value(json_object_get(in, "opcode"));
			f.data = vector_view(&params);
		} else if (op_is(v, "pbadv_ack")) {
			f.kind = GEN_PROV_ACK;
			f.transaction =
				(uint8_t)json_integer_value(json_object_get(in, "transaction"));
		} else {
			continue;
		}
		f.link = link_of(in);
		check_frame(json_string_value(json_object_get(v, "id")), &f,
			    json_object_get(json_object_get(v, "expected"), "packet"));
		seen++;
	}
	check_int(seen, 6);
	json_decref(root);
}

TEST(published_transactions_are_segmented_and_put_together)
{
	json_t *root = vectors_load("provisioning.json"), *v;
	static struct gen_prov_rx rx;
	size_t i, seen = 0;

	json_array_foreach(vectors_of(root), i, v)
	{
		const char *id = json_string_value(json_object_get(v, "id"));
		json_t *in = json_object_get(v, "input"), *packets;
		struct vector pdu;
		uint8_t transaction;

		if (!op_is(v, "pbadv_segment"))
			continue;
		pdu = vector_hex(in, "pdu");
		transaction = (uint8_t)json_integer_value(json_object_get(in, "transaction"));
		packets = json_object_get(json_object_get(v, "expected"), "packets");
		check_row(id, gen_prov_segments(pdu.n) == json_array_size(packets));
		gen_prov_rx_reset(&rx);
		for (size_t k = 0; k < json_array_size(packets); k++) {
			struct gen_prov_frame f =
				gen_prov_segment(link_of(in), transaction, vector_view(&pdu), k);
			bool last = k + 1 == json_array_size(packets);

			check_frame(id, &f, json_array_get(packets, k));
			check_row(id, gen_prov_rx_take(&rx, &f) ==
					      (last ? GEN_PROV_WHOLE : GEN_PROV_MORE));
		}
		check_row(id, bytes_equal(bytes_of(rx.pdu, rx.total), vector_view(&pdu)));
		seen++;
	}
	check_int(seen, 6);
	json_decref(root);
}

TEST(frames_that_no_sender_may_produce_are_refused)
{
	static const struct {
		const char *name, *frame;
		bool accepted;
	} rows[] = {
		{ "nothing", "", false },
		{ "no PDU", "23af585000", false },
		{ "ack", "23af58508001", true },
		{ "ack with padding bits", "23af58508005", false },
		{ "ack with a tail", "23af5850800100", false },
		{ "start", "23af585000000002140000", true },
		{ "start without data", "23af58500000000214", false },
		{ "start with too little", "23af5850000000021400", false },
		{ "start with too much", "23af58500000000214000000", false },
		{ "start of nothing", "23af58500000000000", false },
		{ "start with a SegN too small",
		  "23af585002000041d1032c31a47b5779809ef44cb5eaaf5c3e43d5f8fa", false },
		{ "start with a SegN too large",
		  "23af5850020c0041d1032c31a47b5779809ef44cb5eaaf5c3e43d5f8fa", false },
		{ "start of more than 64 segments hold",
		  "23af585002fc05bed1032c31a47b5779809ef44cb5eaaf5c3e43d5f8fa", false },
		{ "start of the longest PDU",
		  "23af585002fc05bdd1032c31a47b5779809ef44cb5eaaf5c3e43d5f8fa", true },
		{ "continuation", "23af5850020600", true },
		{ "continuation without data", "23af58500206", false },
		{ "continuation of index 0", "23af5850020200", false },
		{ "continuation of 24 octets",
		  "23af58500206000102030405060708090a0b0c0d0e0f1011121314151617", false },
		{ "link open of a short UUID", "23af58500003000102", false },
		{ "link ack with a tail", "23af5850000700", false },
		{ "link close without a reason", "23af5850000b", false },
		{ "link close for an unknown reason", "23af5850000b99", true },
		{ "unknown bearer control", "23af5850000f0102", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t in[64];
		int n = hex_parse(rows[i].frame, in, sizeof(in));
		struct gen_prov_frame f;

		check_row(rows[i].name, n >= 0);
		check_row(rows[i].name,
			  gen_prov_decode(&f, bytes_of(in, (size_t)n)) == rows[i].accepted);
	}
}

static void fill(uint8_t *pdu, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pdu[i] = (uint8_t)(i * 11 + n);
}

TEST(every_length_survives_any_order_of_its_segments)
{
	static struct gen_prov_rx rx;
	static uint8_t pdu[GEN_PROV_PDU_MAX];

	for (size_t n = 1; n <= GEN_PROV_PDU_MAX; n++) {
		size_t count = gen_prov_segments(n);
		enum gen_prov_took took = GEN_PROV_MORE;

		fill(pdu, n);
		check_int(count, n <= 20 ? 1 : 1 + (n - 20 + 22) / 23);
		gen_prov_rx_reset(&rx);
		for (size_t k = 0; k < count; k++) {
			/* From the end, so that every continuation precedes its start. */
			struct gen_prov_frame f =
				gen_prov_segment(7, 0x80, bytes_of(pdu, n), count - 1 - k);

			check_int(took, GEN_PROV_MORE);
			took = gen_prov_rx_take(&rx, &f);
		}
		check_int(took, GEN_PROV_WHOLE);
		check(bytes_equal(bytes_of(rx.pdu, rx.total), bytes_of(pdu, n)));
	}
}

TEST(a_damaged_or_mixed_transaction_is_dropped_and_can_come_again)
{
	static struct gen_prov_rx rx;
	uint8_t pdu[65], other[65];
	struct gen_prov_frame f;

	fill(pdu, 65);
	gen_prov_rx_reset(&rx);
	for (size_t k = 0; k < 3; k++) {
		f = gen_prov_segment(7, 0x80, bytes_of(pdu, 65), k);
		f.fcs ^= 1;
		check_int(gen_prov_rx_take(&rx, &f), k < 2 ? GEN_PROV_MORE : GEN_PROV_BAD_FCS);
	}
	/* A start that contradicts the first one. */
	memcpy(other, pdu, sizeof(other));
	other[64] ^= 1;
	f = gen_prov_segment(7, 0x80, bytes_of(pdu, 65), 0);
	check_int(gen_prov_rx_take(&rx, &f), GEN_PROV_MORE);
	f = gen_prov_segment(7, 0x80, bytes_of(other, 65), 0);
	check_int(gen_prov_rx_take(&rx, &f), GEN_PROV_BAD);
	/* An index that the start does not have. */
	f = gen_prov_segment(7, 0x80, bytes_of(pdu, 65), 2);
	f.number = 5;
	check_int(gen_prov_rx_take(&rx, &f), GEN_PROV_MORE);
	f = gen_prov_segment(7, 0x80, bytes_of(pdu, 65), 0);
	check_int(gen_prov_rx_take(&rx, &f), GEN_PROV_BAD);
	/* A middle segment that is not full. */
	f = gen_prov_segment(7, 0x80, bytes_of(pdu, 65), 1);
	f.data.n--;
	check_int(gen_prov_rx_take(&rx, &f), GEN_PROV_MORE);
	f = gen_prov_segment(7, 0x80, bytes_of(pdu, 65), 0);
	check_int(gen_prov_rx_take(&rx, &f), GEN_PROV_BAD);
	/* And now all of it, each segment twice. */
	for (size_t k = 0; k < 3; k++) {
		f = gen_prov_segment(7, 0x80, bytes_of(pdu, 65), k);
		check_int(gen_prov_rx_take(&rx, &f), k < 2 ? GEN_PROV_MORE : GEN_PROV_WHOLE);
		if (k < 2)
			check_int(gen_prov_rx_take(&rx, &f), GEN_PROV_MORE);
	}
	check_mem(rx.pdu, pdu, 65);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_check_sequences_are_reproduced),
		cmocka_unit_test(published_control_and_ack_frames_are_reproduced),
		cmocka_unit_test(published_transactions_are_segmented_and_put_together),
		cmocka_unit_test(frames_that_no_sender_may_produce_are_refused),
		cmocka_unit_test(every_length_survives_any_order_of_its_segments),
		cmocka_unit_test(a_damaged_or_mixed_transaction_is_dropped_and_can_come_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
