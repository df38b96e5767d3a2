/* SPDX-License-Identifier: Apache-2.0 */
#include "sar.h"

#include "stack_pair.h"
#include "vectors.h"

static struct sar_config by_the_book(void)
{
	struct sar_config c = sar_defaults;

	c.ack_transmissions = 1;
	c.receive_interval_ms = 60;
	c.ack_delay_halves = 5;
	c.unicast_interval_ms = 200;
	c.unicast_increment_ms = 50;
	return c;
}

TEST(the_acknowledgment_timer_has_the_published_lengths)
{
	json_t *root = vectors_load("network.json"), *value;
	json_t *rows =
		json_object_get(json_object_get(root, "derived_examples"), "ack_timer_ms_defaults");
	struct sar_config config = by_the_book();
	const char *name;

	json_object_foreach(rows, name, value)
	{
		uint8_t seg_n = (uint8_t)atoi(name);
		struct stranger s;
		struct acks acks;
		struct pair p;
		uint64_t start;

		pair_open(&p, 1, 0, &config);
		stranger_init(&s, p.b, 0x0200);
		acks_watch(&acks, p.b);
		start = timers_now(&p.air.timers);
		stranger_segment(&s, NODE, 100, 0, seg_n);
		air_run(&p.air, SEC(5));
		check_int(acks.count, 1);
		check_int(acks.last.acked, 1);
		check_int((acks.at - start) / 1000, json_integer_value(value));
		/* A new segment starts it again, one already held does not. */
		stranger_segment(&s, NODE, 100, 0, seg_n);
		air_run(&p.air, SEC(1));
		check_int(acks.count, 1);
		subnet_key_free(&s.key);
		subnet_key_free(&acks.key);
		pair_close(&p);
	}
	json_decref(root);
}

struct sends {
	unsigned count;
	uint64_t at[64];
};

static void tap_sends(struct station *s, const struct bearer_send *send, void *ctx)
{
	struct sends *x = ctx;

	if (send->kind == BEARER_NETWORK && x->count < ARRAY_LEN(x->at))
		x->at[x->count++] = timers_now(&s->air->timers);
}

TEST(the_retransmission_timer_has_the_published_lengths)
{
	json_t *root = vectors_load("network.json"), *value;
	json_t *rows = json_object_get(json_object_get(root, "derived_examples"),
				       "unicast_retransmission_ms_defaults");
	struct sar_config config = by_the_book();
	const char *name;

	json_object_foreach(rows, name, value)
	{
		struct node_done done = { 0 };
		struct sends sends = { 0 };
		struct lower_message m = { .dst = NODE,
					   .key = UPPER_DEVICE_KEY,
					   .ttl = (uint8_t)atoi(name),
					   .done = node_done,
					   .ctx = &done };
		uint8_t buf[ACCESS_MAX];
		struct pair p;
		uint32_t id;

		pair_open(&p, 1, 0, &config);
		p.b->station.deaf = true;
		p.a->station.tap = tap_sends;
		p.a->station.tap_ctx = &sends;
		check_int(upper_send(p.a->upper, &m, text(buf, 1, 20), &id), LOWER_OK);
		air_run(&p.air, SEC(200));
		check_int(done.count, 1);
		check_int(done.result, LOWER_TIMEOUT);
		check_int(sends.count, 2 * config.unicast_without_progress);
		check_int(sends.at[1] - sends.at[0], MSEC(config.segment_interval_ms));
		check_int((sends.at[2] - sends.at[1]) / 1000, json_integer_value(value));
		/* Each silent round waits for half as long again. */
		check_int((sends.at[6] - sends.at[5]) / 1000, 2 * json_integer_value(value));
		pair_close(&p);
	}
	json_decref(root);
}

TEST(a_lost_acknowledgment_is_given_again_but_not_too_often)
{
	struct sar_config config = by_the_book();
	struct stranger s;
	struct acks acks;
	struct pair p;

	pair_open(&p, 1, 0, &config);
	stranger_init(&s, p.b, 0x0200);
	acks_watch(&acks, p.b);
	stranger_segment(&s, NODE, 100, 0, 1);
	stranger_segment(&s, NODE, 100, 1, 1);
	check_int(acks.count, 1);
	check_int(acks.last.acked, 3);
	check_int(acks.last.seq_zero, 100);
	check_int(acks.ttl, 5);
	stranger_segment(&s, NODE, 100, 1, 1); /* within the gap */
	check_int(acks.count, 1);
	air_run(&p.air, MSEC(151));
	stranger_segment(&s, NODE, 100, 1, 1);
	check_int(acks.count, 2);
	check_int(acks.last.acked, 3);
	stranger_segment(&s, NODE, 100, 0, 1);
	check_int(acks.count, 2);
	subnet_key_free(&s.key);
	subnet_key_free(&acks.key);
	pair_close(&p);
}

TEST(segments_follow_the_receivers_table_row_by_row)
{
	struct sar_config config = by_the_book();
	struct stranger s;
	struct acks acks;
	struct pair p;
	struct lower_counters counters;

	pair_open(&p, 1, 0, &config);
	stranger_init(&s, p.b, 0x0200);
	acks_watch(&acks, p.b);
	/* 8 then 1: a later message drops the older one, whose segments are then ignored. */
	stranger_segment(&s, NODE, 100, 0, 2);
	stranger_segment(&s, NODE, 101, 0, 1);
	stranger_segment(&s, NODE, 100, 1, 2);
	stranger_segment(&s, NODE, 100, 2, 2);
	air_run(&p.air, SEC(1));
	check_int(acks.count, 1);
	check_int(acks.last.seq_zero, 101);
	check_int(acks.last.acked, 1);
	/* A segment that disagrees on SegN is no part of it. */
	stranger_segment(&s, NODE, 101, 1, 2);
	lower_counters(upper_lower(p.b->upper), &counters);
	check_int(counters.malformed, 1);
	/* 7: the rest comes after the discard timeout. */
	air_run(&p.air, MSEC(config.discard_ms));
	stranger_segment(&s, NODE, 101, 1, 1);
	air_run(&p.air, SEC(1));
	check_int(acks.count, 1);
	/* 9: segments in any order. */
	stranger_segment(&s, NODE, 104, 2, 2);
	stranger_segment(&s, NODE, 104, 0, 2);
	stranger_segment(&s, NODE, 104, 1, 2);
	check_int(acks.count, 2);
	check_int(acks.last.acked, 7);
	/* A group is never acknowledged, and no message for one element is. */
	stranger_segment(&s, ADDR_ALL_NODES, 107, 0, 0);
	air_run(&p.air, SEC(1));
	check_int(acks.count, 2);
	/* A single segment is acknowledged at once. */
	stranger_segment(&s, NODE, 108, 0, 0);
	check_int(acks.count, 3);
	check_int(acks.last.acked, 1);
	subnet_key_free(&s.key);
	subnet_key_free(&acks.key);
	pair_close(&p);
}

TEST(acknowledgments_of_long_messages_may_be_repeated)
{
	struct sar_config config = by_the_book();
	struct stranger s;
	struct acks acks;
	struct pair p;

	config.ack_transmissions = 3;
	pair_open(&p, 1, 0, &config);
	stranger_init(&s, p.b, 0x0200);
	acks_watch(&acks, p.b);
	for (uint8_t i = 0; i < 4; i++)
		stranger_segment(&s, NODE, 100, i, 3);
	air_run(&p.air, SEC(1));
	check_int(acks.count, 1); /* SegN is not above the threshold */
	for (uint8_t i = 0; i < 5; i++)
		stranger_segment(&s, NODE, 104, i, 4);
	air_run(&p.air, SEC(1));
	check_int(acks.count, 4);
	check_int(acks.last.acked, 0x1F);
	subnet_key_free(&s.key);
	subnet_key_free(&acks.key);
	pair_close(&p);
}

TEST(without_room_a_message_is_rejected_and_the_sender_is_told)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct stranger s;
	struct pair p;
	struct lower_counters counters;

	pair_open(&p, 1, 0, NULL);
	for (uint16_t i = 0; i < SAR_REASSEMBLIES; i++) {
		stranger_init(&s, p.b, 0x1000 + i);
		stranger_segment(&s, NODE, 100, 0, 5);
		subnet_key_free(&s.key);
	}
	node_send(p.a, NODE, text(buf, 1, 30), true, &done);
	air_run(&p.air, SEC(1));
	check_int(done.count, 1);
	check_int(done.result, LOWER_REJECTED);
	check_int(p.b->n_heard, 0);
	lower_counters(upper_lower(p.b->upper), &counters);
	check(counters.full >= 1);
	air_run(&p.air, SEC(30)); /* discarded: there is room again */
	node_send(p.a, NODE, text(buf, 1, 30), true, &done);
	air_run(&p.air, SEC(1));
	check_int(done.count, 2);
	check_int(done.result, LOWER_OK);
	check_int(p.b->n_heard, 1);
	pair_close(&p);
}

TEST(a_cancelled_transfer_is_silent_and_lets_the_next_one_go)
{
	struct node_done first = { 0 }, second = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;
	uint32_t id;
	unsigned sent;

	pair_open(&p, 1, 0, NULL);
	id = node_send(p.a, NODE, text(buf, 1, 300), true, &first);
	node_send(p.a, NODE, text(buf, 2, 20), true, &second);
	air_run(&p.air, MSEC(100));
	check(lower_busy(upper_lower(p.a->upper)));
	upper_cancel(p.a->upper, id);
	upper_cancel(p.a->upper, id); /* once more does nothing */
	sent = p.a->station.sent[BEARER_NETWORK];
	check(sent < 10);
	air_run(&p.air, SEC(10));
	check_int(first.count, 0);
	check_int(second.count, 1);
	check_int(second.result, LOWER_OK);
	check_int(p.b->n_heard, 1);
	check_int(p.b->heard[0].len, 20);
	check_int(p.a->station.sent[BEARER_NETWORK], sent + 2);
	pair_close(&p);
}

TEST(a_silent_peer_times_out_and_the_queue_moves_on)
{
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX];
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	p.b->station.deaf = true;
	for (unsigned i = 0; i < 3; i++)
		node_send(p.a, NODE, text(buf, i, 30), true, &done);
	air_run(&p.air, SEC(60));
	check_int(done.count, 3);
	check_int(done.result, LOWER_TIMEOUT);
	pair_close(&p);
}

TEST(when_all_transfers_are_taken_one_more_is_refused_at_once)
{
	struct node_done done = { 0 };
	struct lower_message m = { .dst = NODE,
				   .key = UPPER_DEVICE_KEY,
				   .ttl = 5,
				   .segmented = true,
				   .done = node_done,
				   .ctx = &done };
	uint8_t buf[ACCESS_MAX];
	struct pair p;
	uint32_t id;

	pair_open(&p, 1, 0, NULL);
	for (unsigned i = 0; i < SAR_TRANSFERS; i++)
		node_send(p.a, NODE, text(buf, i, 5), true, &done);
	check_int(upper_send(p.a->upper, &m, text(buf, 1, 5), &id), LOWER_FULL);
	air_run(&p.air, SEC(60));
	check_int(done.count, SAR_TRANSFERS);
	check_int(done.result, LOWER_OK);
	check_int(p.b->n_heard, SAR_TRANSFERS);
	pair_close(&p);
}

TEST(an_acknowledgment_must_fit_and_one_from_a_friend_counts)
{
	static const struct {
		const char *name;
		uint16_t src;
		bool obo;
		uint16_t seq_zero_off;
		uint32_t acked;
		unsigned done;
		enum lower_result result;
	} rows[] = {
		{ "from the destination", NODE, false, 0, 3, 1, LOWER_OK },
		{ "bits above SegN are ignored", NODE, false, 0, 0xFFFFFFFF, 1, LOWER_OK },
		{ "from the friend", 0x0300, true, 0, 3, 1, LOWER_OK },
		{ "from anybody else", 0x0300, false, 0, 3, 0, LOWER_OK },
		{ "another SeqZero", NODE, false, 1, 3, 0, LOWER_OK },
		{ "only one of two", NODE, false, 0, 1, 0, LOWER_OK },
		{ "only segments that are not there", NODE, false, 0, 0xF0, 0, LOWER_OK },
		{ "none: refusal", NODE, false, 0, 0, 1, LOWER_REJECTED },
		{ "none of another message", NODE, false, 1, 0, 0, LOWER_OK },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lower_ack ack = { .obo = rows[i].obo, .acked = rows[i].acked };
		struct node_done done = { 0 };
		uint8_t buf[ACCESS_MAX], out[LOWER_ACK_LEN];
		struct stranger s;
		struct pair p;

		pair_open(&p, 1, 0, NULL);
		p.b->station.deaf = true;
		ack.seq_zero = (uint16_t)(net_seq_next(p.a->net) + rows[i].seq_zero_off);
		node_send(p.a, NODE, text(buf, 1, 20), true, &done);
		air_run(&p.air, MSEC(100));
		stranger_init(&s, p.a, rows[i].src);
		lower_ack_encode(&ack, out);
		stranger_says(&s, GATEWAY, true, out, sizeof(out));
		check_row(rows[i].name, done.count == rows[i].done);
		check_row(rows[i].name, !done.count || done.result == rows[i].result);
		subnet_key_free(&s.key);
		pair_close(&p);
	}
}

TEST(after_a_partial_acknowledgment_only_what_is_missing_goes_again)
{
	struct lower_ack ack = { .acked = 0x1F & ~(1u << 2) };
	struct node_done done = { 0 };
	uint8_t buf[ACCESS_MAX], out[LOWER_ACK_LEN];
	struct stranger s;
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	p.b->station.deaf = true;
	node_send(p.a, NODE, text(buf, 1, 56), true, &done);
	air_run(&p.air, MSEC(4 * 30 + 10));
	check_int(p.a->station.sent[BEARER_NETWORK], 5);
	stranger_init(&s, p.a, NODE);
	lower_ack_encode(&ack, out);
	stranger_says(&s, GATEWAY, true, out, sizeof(out));
	check_int(p.a->station.sent[BEARER_NETWORK], 6);    /* at once, the one that misses */
	stranger_says(&s, GATEWAY, true, out, sizeof(out)); /* nothing new: nothing happens */
	check_int(p.a->station.sent[BEARER_NETWORK], 6);
	air_run(&p.air, MSEC(401));
	check_int(p.a->station.sent[BEARER_NETWORK], 7);
	ack.acked = 1u << 2;
	lower_ack_encode(&ack, out);
	stranger_says(&s, GATEWAY, true, out, sizeof(out));
	check_int(done.count, 1);
	check_int(done.result, LOWER_OK);
	subnet_key_free(&s.key);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_acknowledgment_timer_has_the_published_lengths),
		cmocka_unit_test(the_retransmission_timer_has_the_published_lengths),
		cmocka_unit_test(a_lost_acknowledgment_is_given_again_but_not_too_often),
		cmocka_unit_test(segments_follow_the_receivers_table_row_by_row),
		cmocka_unit_test(acknowledgments_of_long_messages_may_be_repeated),
		cmocka_unit_test(without_room_a_message_is_rejected_and_the_sender_is_told),
		cmocka_unit_test(a_cancelled_transfer_is_silent_and_lets_the_next_one_go),
		cmocka_unit_test(a_silent_peer_times_out_and_the_queue_moves_on),
		cmocka_unit_test(when_all_transfers_are_taken_one_more_is_refused_at_once),
		cmocka_unit_test(an_acknowledgment_must_fit_and_one_from_a_friend_counts),
		cmocka_unit_test(after_a_partial_acknowledgment_only_what_is_missing_goes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
