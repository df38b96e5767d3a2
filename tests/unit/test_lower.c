/* SPDX-License-Identifier: Apache-2.0 */
#include "lower.h"

#include "stack_pair.h"
#include "vectors.h"

static uint32_t number(json_t *o, const char *name)
{
	return (uint32_t)strtoul(json_string_value(json_object_get(o, name)), NULL, 16);
}

TEST(published_seq_auth_is_recovered_from_any_segment)
{
	json_t *root = vectors_load("network.json"), *v;
	uint64_t out;
	size_t i;

	json_array_foreach(json_object_get(root, "seq_auth"), i, v)
	{
		struct vector want = vector_hex(v, "seq_auth");
		struct rd r = rd_from(vector_view(&want));
		uint32_t iv = rd_be32(&r), seq = rd_be24(&r);

		check(lower_seq_auth(number(v, "iv_index"), number(v, "seq"),
				     (uint16_t)number(v, "seq_zero"), &out));
		check(out == net_ivi_seq(iv, seq));
	}
	check_int(i, 2);
	check(!lower_seq_auth(5, 0x000010, 0x0011, &out)); /* before number 0 */
	check(lower_seq_auth(5, 0x000010, 0x0010, &out));
	json_decref(root);
}

TEST(segments_decode_and_encode_and_odd_ones_are_refused)
{
	static const struct {
		const char *name, *hex;
		bool ctl, ok;
		uint8_t key;
		bool szmic;
		uint16_t seq_zero;
		uint8_t seg_o, seg_n;
	} rows[] = {
		{ "message 6, first", "8026ac01ee9dddfd2169326d23f3afdf", false, true, 0, false,
		  0x09ab, 0, 1 },
		{ "message 6, last", "8026ac21cfdc18c52fdef772e0e17308", false, true, 0, false,
		  0x09ab, 1, 1 },
		{ "application key, SZMIC", "e6a03401aabbccddeeff001122334455", false, true, 0x66,
		  true, 0x080d, 0, 1 },
		{ "one octet, last", "8026ac21cf", false, true, 0, false, 0x09ab, 1, 1 },
		{ "no octet at all", "8026ac21", false, false, 0, false, 0, 0, 0 },
		{ "header cut", "8026ac", false, false, 0, false, 0, 0, 0 },
		{ "SegO above SegN", "8026ac41cfdc18c52fdef772e0e17308", false, false, 0, false, 0,
		  0, 0 },
		{ "first not full", "8026ac01ee9dddfd2169326d23f3af", false, false, 0, false, 0, 0,
		  0 },
		{ "control, last", "8526ac21cf", true, true, 5, false, 0x09ab, 1, 1 },
		{ "control, first full", "8526ac010102030405060708", true, true, 5, false, 0x09ab,
		  0, 1 },
		{ "control, too long", "8526ac21010203040506070809", true, false, 0, false, 0, 0,
		  0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t in[16], out[16];
		int n = hex_parse(rows[i].hex, in, sizeof(in));
		struct lower_segment s;

		check_row(rows[i].name, n > 0);
		check_row(rows[i].name,
			  lower_segment_decode(&s, rows[i].ctl, bytes_of(in, (size_t)n)) ==
				  rows[i].ok);
		if (!rows[i].ok)
			continue;
		check_row(rows[i].name, s.key == rows[i].key && s.szmic == rows[i].szmic &&
						s.seq_zero == rows[i].seq_zero &&
						s.seg_o == rows[i].seg_o &&
						s.seg_n == rows[i].seg_n);
		check_row(rows[i].name, lower_segment_encode(&s, out) == (size_t)n);
		check_row(rows[i].name, memcmp(in, out, (size_t)n) == 0);
	}
}

TEST(acknowledgments_decode_and_encode)
{
	json_t *root = vectors_load("network.json"), *message;
	unsigned n = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "messages"), i, message)
	{
		json_t *c = json_object_get(message, "control");
		struct vector v;
		struct lower_ack a;
		uint8_t out[LOWER_ACK_LEN];

		if (!c || number(c, "opcode") != CONTROL_SEGMENT_ACK)
			continue;
		v = vector_hex(json_array_get(json_object_get(message, "pdus"), 0),
			       "lower_transport_pdu");
		check(lower_ack_decode(&a, vector_view(&v)));
		check_int(a.obo, json_integer_value(json_object_get(c, "obo")));
		check_int(a.seq_zero, number(c, "seq_zero"));
		check_int(a.acked, number(c, "block_ack"));
		lower_ack_encode(&a, out);
		check_mem(out, v.octet, sizeof(out));
		check(!lower_ack_decode(&a, bytes_of(v.octet, v.n - 1)));
		v.octet[v.n] = 0;
		check(!lower_ack_decode(&a, bytes_of(v.octet, v.n + 1)));
		n++;
	}
	check_int(n, 2);
	json_decref(root);
}

static void sizes_arrive_in_order(uint64_t seed, unsigned loss, size_t step)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;
	size_t n = 0;

	pair_open(&p, seed, loss, NULL);
	for (size_t first = 1; first <= ACCESS_MAX; first += 100 * step) {
		unsigned batch = 0;

		p.b->n_heard = 0;
		done.count = 0;
		for (size_t len = first; len <= ACCESS_MAX && len < first + 100 * step;
		     len += step) {
			node_send(p.a, NODE, text(buf, (unsigned)len, len), true, &done);
			batch++;
		}
		for (unsigned s = 0; s < 4000 && done.count < batch; s++) {
			air_run(&p.air, SEC(1));
			assert_true(done.count == 0 || done.result == LOWER_OK);
		}
		check_int(done.count, batch);
		check_int(p.b->n_heard, batch);
		for (unsigned i = 0; i < batch; i++) {
			size_t len = first + i * step;

			check_int(p.b->heard[i].len, len);
			check_mem(p.b->heard[i].pdu, text(buf, (unsigned)len, len).p, len);
			check_int(p.b->heard[i].key, UPPER_OWN_DEVICE_KEY);
			n++;
		}
	}
	check_int(n, (ACCESS_MAX + step - 1) / step);
	check(!lower_busy(upper_lower(p.a->upper)));
	pair_close(&p);
}

TEST(segmented_messages_of_all_sizes_arrive_once_and_in_order_without_loss)
{
	sizes_arrive_in_order(1, 0, 1);
}

TEST(segmented_messages_arrive_once_and_in_order_at_10_percent_loss)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		sizes_arrive_in_order(seed, 10, 3);
}

TEST(segmented_messages_arrive_once_and_in_order_at_30_percent_loss)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		sizes_arrive_in_order(seed + 100, 30, 3);
}

TEST(an_unsegmented_message_goes_in_one_pdu_and_a_longer_one_in_two)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	check_int(node_send(p.a, NODE, text(buf, 1, 11), false, &done), 0);
	air_run(&p.air, SEC(1));
	check_int(p.a->station.sent[BEARER_NETWORK], 1);
	check_int(p.b->n_heard, 1);
	check_int(p.b->station.sent[BEARER_ACK], 0);
	check(node_send(p.a, NODE, text(buf, 1, 12), false, &done) != 0);
	air_run(&p.air, SEC(1));
	check_int(p.a->station.sent[BEARER_NETWORK], 3);
	check_int(p.b->n_heard, 2);
	check_int(done.count, 1);
	pair_close(&p);
}

TEST(both_ends_send_to_each_other_at_once)
{
	struct node_done to_b = { 0 }, to_a = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;

	pair_open(&p, 5, 10, NULL);
	for (unsigned i = 0; i < 20; i++) {
		node_send(p.a, NODE, text(buf, i, 100 + i), true, &to_b);
		node_send(p.b, GATEWAY, text(buf, i, 150 + i), true, &to_a);
	}
	air_run(&p.air, SEC(300));
	check_int(to_a.count, 20);
	check_int(to_b.count, 20);
	check_int(p.a->n_heard, 20);
	check_int(p.b->n_heard, 20);
	pair_close(&p);
}

/* Replay: captured PDUs of one node are played again to another. */
struct tape {
	size_t n;
	struct bearer_send send[256];
};

static void tap_tape(struct station *s, const struct bearer_send *send, void *ctx)
{
	struct tape *t = ctx;

	check(t->n < ARRAY_LEN(t->send));
	t->send[t->n++] = *send;
}

TEST(recorded_messages_are_replayed_in_vain)
{
	struct node_done done = { 0 };
	struct tape *tape = calloc(1, sizeof(*tape));
	uint8_t buf[ACCESS_MAX];
	struct pair p;
	struct lower_counters counters;

	pair_open(&p, 1, 0, NULL);
	p.a->station.tap = tap_tape;
	p.a->station.tap_ctx = tape;
	node_send(p.a, NODE, text(buf, 1, 8), false, &done);
	node_send(p.a, NODE, text(buf, 2, 100), true, &done);
	air_run(&p.air, SEC(5));
	check_int(p.b->n_heard, 2);
	check_int(p.b->replay_saves, 2);
	check_int(p.b->replay_src, GATEWAY);
	check(p.b->replay_value == net_ivi_seq(0, net_seq_next(p.a->net) - 1));
	/* After a restart the caches are empty; the stored row alone must hold. */
	node_halt(p.b);
	node_boot(p.b, &(struct node_options){ .address = NODE, .seq = p.b->seq_reserved });
	nodes_meet(p.a, p.b);
	rpl_restore(net_rpl(p.b->net), p.b->replay_src, p.b->replay_value);
	for (size_t i = 0; i < tape->n; i++)
		net_heard(p.b->net, bytes_of(tape->send[i].data + 2, tape->send[i].len - 2u));
	air_run(&p.air, SEC(5));
	check_int(p.b->n_heard, 2);
	lower_counters(upper_lower(p.b->upper), &counters);
	check_int(counters.replayed, tape->n);
	check_int(p.b->station.sent[BEARER_ACK], 1);
	node_send(p.a, NODE, text(buf, 3, 8), false, &done); /* fresh ones still pass */
	air_run(&p.air, SEC(1));
	check_int(p.b->n_heard, 3);
	pair_close(&p);
	free(tape);
}

TEST(a_message_that_nobody_wanted_does_not_move_the_replay_row)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	p.b->refuse = true;
	node_send(p.a, NODE, text(buf, 1, 8), false, &done);
	node_send(p.a, NODE, text(buf, 1, 80), true, &done);
	air_run(&p.air, SEC(2));
	check_int(p.b->n_heard, 2);
	check_int(p.b->replay_saves, 0);
	check_int(done.result, LOWER_OK); /* its transport took it all the same */
	pair_close(&p);
}

TEST(an_unsegmented_message_between_segments_does_not_break_them)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	node_send(p.a, NODE, text(buf, 1, 100), true, &done);
	air_run(&p.air, MSEC(40));
	node_send(p.a, NODE, text(buf, 2, 8), false, &done);
	air_run(&p.air, SEC(2));
	check_int(p.b->n_heard, 2);
	check_int(p.b->heard[0].len, 8);
	check_int(p.b->heard[1].len, 100);
	check_int(done.count, 1);
	pair_close(&p);
}

TEST(a_crash_never_uses_a_number_twice_on_the_air)
{
	struct node_done done = { 0 };
	struct tape *tape = calloc(1, sizeof(*tape));
	struct subnet_key key = { 0 };
	uint8_t buf[ACCESS_MAX];
	uint32_t highest = 0;
	bool any = false;
	struct pair p;

	subnet_key_init(&key, &NODE_NET_KEY);
	pair_open(&p, 9, 10, NULL);
	p.a->station.tap = tap_tape;
	p.a->station.tap_ctx = tape;
	for (unsigned life = 0; life < 30; life++) {
		tape->n = 0;
		for (unsigned i = 0; i < 3; i++)
			node_send(p.a, NODE, text(buf, i, 50), true, &done);
		air_run(&p.air, MSEC(air_random(&p.air) % 3000));
		for (size_t i = 0; i < tape->n; i++) {
			struct net_pdu pdu;

			check(net_pdu_decode(
				&key.flooding, 0,
				bytes_of(tape->send[i].data + 2, tape->send[i].len - 2u), &pdu));
			check(!any || pdu.seq > highest);
			highest = pdu.seq;
			any = true;
			check(pdu.seq < p.a->seq_reserved);
		}
		node_halt(p.a);
		node_boot(p.a,
			  &(struct node_options){ .address = GATEWAY, .seq = p.a->seq_reserved });
		nodes_meet(p.a, p.b);
	}
	subnet_key_free(&key);
	pair_close(&p);
	free(tape);
}

TEST(a_new_iv_index_cuts_transfers_off_and_the_next_one_uses_it)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	node_send(p.a, NODE, text(buf, 1, 300), true, &done);
	air_run(&p.air, MSEC(100));
	check_int(net_iv_beacon(p.a->net, 3, false), IV_SEQ_RESET);
	check_int(net_iv_beacon(p.b->net, 3, false), IV_SEQ_RESET);
	air_run(&p.air, SEC(1));
	check_int(done.count, 1);
	check_int(done.result, LOWER_TIMEOUT);
	check_int(p.b->n_heard, 0);
	node_send(p.a, NODE, text(buf, 1, 300), true, &done);
	air_run(&p.air, SEC(5));
	check_int(done.count, 2);
	check_int(done.result, LOWER_OK);
	check_int(p.b->n_heard, 1);
	check(p.b->replay_value >= net_ivi_seq(3, 0));
	pair_close(&p);
}

TEST(during_an_iv_update_old_and_new_nodes_understand_each_other)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	for (unsigned h = 0; h < 96; h++)
		net_iv_hour(p.a->net);
	check_int(net_iv_beacon(p.a->net, 1, true), IV_CHANGED);
	node_send(p.a, NODE, text(buf, 1, 100), true, &done); /* only a has begun */
	air_run(&p.air, SEC(2));
	node_send(p.b, GATEWAY, text(buf, 1, 100), true, &done);
	air_run(&p.air, SEC(2));
	check_int(done.count, 2);
	for (unsigned h = 0; h < 96; h++) {
		net_iv_hour(p.b->net);
		net_iv_hour(p.a->net);
	}
	check_int(net_iv(p.a->net)->update, false); /* a is through, b has yet to begin */
	check_int(net_iv(p.a->net)->index, 1);
	check_int(net_seq_next(p.a->net), 0);
	check_int(net_iv_beacon(p.b->net, 1, true), IV_CHANGED);
	node_send(p.a, NODE, text(buf, 2, 100), true, &done);
	node_send(p.b, GATEWAY, text(buf, 2, 100), true, &done);
	air_run(&p.air, SEC(2));
	check_int(done.count, 4);
	check_int(done.result, LOWER_OK);
	check_int(p.a->n_heard, 2);
	check_int(p.b->n_heard, 2);
	pair_close(&p);
}

TEST(the_step_to_normal_waits_for_an_unacknowledged_message)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	for (unsigned h = 0; h < 96; h++)
		net_iv_hour(p.a->net);
	check_int(net_iv_beacon(p.a->net, 1, true), IV_CHANGED);
	for (unsigned h = 0; h < 95; h++)
		net_iv_hour(p.a->net);
	node_send(p.a, NODE, text(buf, 1, 100), true, &done);
	air_run(&p.air, MSEC(50));
	net_iv_hour(p.a->net);
	check(net_iv(p.a->net)->update);
	check_int(net_iv_beacon(p.a->net, 1, false), IV_NOTHING);
	air_run(&p.air, SEC(5));
	check_int(done.result, LOWER_OK);
	check_int(net_iv_beacon(p.a->net, 1, false), IV_SEQ_RESET);
	pair_close(&p);
}

TEST(random_transport_pdus_of_an_insider_do_no_harm)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX], junk[16];
	struct stranger s[4];
	struct pair p;

	pair_open(&p, 11, 0, NULL);
	for (uint16_t i = 0; i < 4; i++)
		stranger_init(&s[i], p.a, i == 0 ? NODE : 0x0400 + i);
	for (unsigned i = 0; i < 20000; i++) {
		bool ctl = air_random(&p.air) % 2;
		size_t len = 1 + air_random(&p.air) % (ctl ? 12 : 16);
		struct stranger *from = &s[air_random(&p.air) % 4];

		for (size_t k = 0; k < len; k++)
			junk[k] = (uint8_t)air_random(&p.air);
		if (air_random(&p.air) % 3 == 0)
			junk[0] = 0; /* acknowledgments, unsegmented messages */
		if (i % 50 == 0)
			node_send(p.a, NODE, text(buf, i, 40), true, &done);
		stranger_says(from, air_random(&p.air) % 4 ? GATEWAY : ADDR_ALL_NODES, ctl, junk,
			      len);
		if (i % 100 == 0)
			air_run(&p.air, MSEC(500));
	}
	air_run(&p.air, SEC(300));
	check_int(p.a->n_heard, 0);
	check_int(done.count, 400);
	for (unsigned i = 0; i < 4; i++)
		subnet_key_free(&s[i].key);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_seq_auth_is_recovered_from_any_segment),
		cmocka_unit_test(segments_decode_and_encode_and_odd_ones_are_refused),
		cmocka_unit_test(acknowledgments_decode_and_encode),
		cmocka_unit_test(
			segmented_messages_of_all_sizes_arrive_once_and_in_order_without_loss),
		cmocka_unit_test(segmented_messages_arrive_once_and_in_order_at_10_percent_loss),
		cmocka_unit_test(segmented_messages_arrive_once_and_in_order_at_30_percent_loss),
		cmocka_unit_test(an_unsegmented_message_goes_in_one_pdu_and_a_longer_one_in_two),
		cmocka_unit_test(both_ends_send_to_each_other_at_once),
		cmocka_unit_test(recorded_messages_are_replayed_in_vain),
		cmocka_unit_test(a_message_that_nobody_wanted_does_not_move_the_replay_row),
		cmocka_unit_test(an_unsegmented_message_between_segments_does_not_break_them),
		cmocka_unit_test(a_crash_never_uses_a_number_twice_on_the_air),
		cmocka_unit_test(a_new_iv_index_cuts_transfers_off_and_the_next_one_uses_it),
		cmocka_unit_test(during_an_iv_update_old_and_new_nodes_understand_each_other),
		cmocka_unit_test(the_step_to_normal_waits_for_an_unacknowledged_message),
		cmocka_unit_test(random_transport_pdus_of_an_insider_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
