/* SPDX-License-Identifier: Apache-2.0 */
#include "pb_adv_air.h"

TEST(everything_arrives_once_and_in_order_at_any_loss_up_to_40_percent)
{
	for (unsigned loss = 0; loss <= 40; loss += 10) {
		for (uint32_t seed = 1; seed <= 5; seed++) {
			struct air *a = air_new(seed, loss, 1);
			struct owner o = { .rounds = 40, .close_at_end = true };

			a->acceptors[0].backwards = seed & 1;
			a->acceptors[0].strict = seed & 2;
			owner_open(&o, a, 0);
			air_run(a, SEC(600));
			check_int(o.closed, 1);
			check_int(o.end, CARRIER_CLOSED);
			check_int(o.received, 40);
			check_int(a->acceptors[0].delivered, 40);
			if (loss == 0)
				check_int(air_counters(a).retransmissions, 0);
			check_int(air_counters(a).malformed, 0);
			end_of(&o, a);
		}
	}
}

TEST(a_full_queue_of_the_radio_is_a_loss_like_any_other)
{
	struct air *a = air_new(3, 10, 1);
	struct owner o = { .rounds = 30, .close_at_end = true };

	a->full = 30;
	owner_open(&o, a, 0);
	air_run(a, SEC(600));
	check_int(o.received, 30);
	check(air_counters(a).retransmissions > 0);
	end_of(&o, a);
}

TEST(transaction_numbers_wrap_on_both_sides)
{
	struct air *a = air_new(4, 0, 1);
	struct owner o = { .rounds = 300, .close_at_end = true };

	owner_open(&o, a, 0);
	air_run(a, SEC(600));
	check_int(o.received, 300);
	check_int(a->acceptors[0].expected, 300 % 128);
	check_int(a->acceptors[0].next, 300 % 128);
	check_int(o.end, CARRIER_CLOSED);
	end_of(&o, a);
}

TEST(twelve_links_at_once_do_not_mix)
{
	struct air *a = air_new(5, 15, ACCEPTORS);
	struct owner o[ACCEPTORS] = { 0 };

	for (size_t i = 0; i < ACCEPTORS; i++) {
		o[i].rounds = 15 + (unsigned)i;
		o[i].close_at_end = true;
		owner_open(&o[i], a, i);
	}
	air_run(a, SEC(600));
	for (size_t i = 0; i < ACCEPTORS; i++) {
		check_int(o[i].received, 15 + i);
		check_int(a->acceptors[i].delivered, 15 + i);
		check_int(o[i].end, CARRIER_CLOSED);
		pb_adv_carrier_free(o[i].c);
	}
	check_int(air_counters(a).foreign_link, 0);
	air_free(a);
}

TEST(a_carrier_can_be_used_again_after_it_closed)
{
	struct air *a = air_new(6, 0, 2);
	struct owner o = { .rounds = 3, .close_at_end = true };

	owner_open(&o, a, 0);
	air_run(a, SEC(60));
	check_int(o.closed, 1);
	o.closed = 0;
	o.round = 0;
	o.c->ops->open(o.c, a->acceptors[1].uuid);
	air_run(a, SEC(60));
	check_int(o.closed, 1);
	check_int(a->acceptors[1].delivered, 3);
	end_of(&o, a);
}

TEST(a_link_open_is_one_advertisement_repeated_a_few_times)
{
	struct air *a = air_new(7, 0, 1);
	struct owner o = { 0 };
	uint64_t start = timers_now(&a->timers);

	a->acceptors[0].deaf = true;
	owner_open(&o, a, 0);
	check_int(a->sends, 0);
	air_run(a, MSEC(60));
	check_int(a->sends, 1);
	check(a->last_at - start >= MSEC(20) && a->last_at - start <= MSEC(50));
	check_int(a->last_send.kind, BEARER_PROV);
	check_int(a->last_send.count, 3);
	check_int(a->last_send.interval_ms, 20);
	check_int(a->last_send.len, 24);
	check_int(a->last_send.data[6], 0);
	check_int(a->last_send.data[7], 0x03);
	check_mem(a->last_send.data + 8, a->acceptors[0].uuid, UUID_LEN);
	end_of(&o, a);
}

TEST(a_device_that_does_not_answer_ends_the_opening_after_20_seconds)
{
	struct air *a = air_new(8, 0, 1);
	struct owner o = { 0 };
	uint64_t start = timers_now(&a->timers);

	a->acceptors[0].deaf = true;
	owner_open(&o, a, 0);
	air_run(a, SEC(30));
	check_int(o.closed, 1);
	check_int(o.end, CARRIER_OPEN_FAILED);
	check_int(o.opened, 0);
	check_int(o.at - start, SEC(20));
	check(a->sends >= 10 && a->sends <= 40);
	check_int(a->last.number, GEN_PROV_LINK_CLOSE); /* it may have heard us */
	check_int(a->last_send.tag, 0);
	air_run(a, SEC(10));
	end_of(&o, a);
}

TEST(closing_while_opening_cancels)
{
	struct air *a = air_new(9, 0, 1);
	struct owner o = { 0 };

	a->acceptors[0].deaf = true;
	owner_open(&o, a, 0);
	air_run(a, SEC(1));
	owner_close(&o, PROV_CLOSE_FAIL);
	check_int(o.closed, 0);
	air_run(a, SEC(1));
	check_int(o.end, CARRIER_CLOSED);
	check_int(o.closed, 1);
	end_of(&o, a);
}

TEST(a_device_that_closes_is_busy_while_opening_and_lost_later)
{
	static const uint8_t reason = 0x77;

	for (int later = 0; later < 2; later++) {
		struct air *a = air_new(10, 0, 1);
		struct acceptor *d = &a->acceptors[0];
		struct owner o = { 0 };

		if (later) {
			owner_open_and_wait(&o, a);
		} else {
			d->deaf = true;
			owner_open(&o, a, 0);
			air_run(a, SEC(1));
			d->link = a->last.link;
		}
		acceptor_control(d, GEN_PROV_LINK_CLOSE, bytes_of(&reason, 1));
		air_run(a, SEC(1));
		check_int(o.closed, 1);
		check_int(o.end, later ? CARRIER_LOST : CARRIER_BUSY);
		end_of(&o, a);
	}
}

TEST(a_link_without_a_pdu_ends_after_60_seconds)
{
	struct air *a = air_new(11, 0, 1);
	struct owner o = { 0 };

	owner_open_and_wait(&o, a);
	air_run(a, SEC(58));
	check_int(o.closed, 0);
	air_run(a, SEC(3));
	check_int(o.end, CARRIER_LOST);
	check_int(a->acceptors[0].reason, PROV_CLOSE_TIMEOUT);
	end_of(&o, a);
}

TEST(a_transaction_without_an_ack_ends_the_link_after_30_seconds)
{
	struct air *a = air_new(12, 0, 1);
	struct owner o = { 0 };
	uint8_t pdu[65] = { 3 };
	uint64_t start, tries;

	owner_open_and_wait(&o, a);
	a->acceptors[0].deaf = true;
	start = timers_now(&a->timers);
	owner_send(&o, pdu, sizeof(pdu));
	air_run(a, SEC(29));
	check_int(o.closed, 0);
	tries = air_counters(a).retransmissions;
	check(tries >= 14 && tries <= 50);
	/* All segments, each time. */
	check_int(a->sent_kind[GEN_PROV_START], tries + 1);
	check_int(a->sent_kind[GEN_PROV_CONTINUE], 2 * (tries + 1));
	air_run(a, SEC(2));
	check_int(o.closed, 1);
	check_int(o.end, CARRIER_LOST);
	check(o.at - start >= SEC(30) && o.at - start <= SEC(30) + MSEC(50));
	check_int(o.sent, 0);
	end_of(&o, a);
}

TEST(segments_follow_each_other_after_a_random_pause_each)
{
	struct air *a = air_new(13, 0, 1);
	struct owner o = { 0 };
	uint8_t pdu[65] = { 3 };
	uint64_t start;
	unsigned before;

	owner_open_and_wait(&o, a);
	a->acceptors[0].deaf = true;
	before = a->sends;
	start = timers_now(&a->timers);
	owner_send(&o, pdu, sizeof(pdu));
	for (unsigned i = 1; i <= 3; i++) {
		while (a->sends < before + i)
			check(timers_fire_next(&a->timers, TIMERS_NEVER));
		check(a->last_at - start >= MSEC(20) && a->last_at - start <= MSEC(50));
		start = a->last_at;
	}
	/* The first retransmission, half a second later. */
	while (a->sends < before + 4)
		check(timers_fire_next(&a->timers, TIMERS_NEVER));
	check(a->last_at - start >= MSEC(500) && a->last_at - start <= MSEC(560));
	check_int(a->last.kind, GEN_PROV_START);
	end_of(&o, a);
}

TEST(the_answer_counts_as_the_ack_that_was_lost)
{
	struct air *a = air_new(14, 0, 1);
	struct owner o = { .rounds = 20, .close_at_end = true };

	a->acceptors[0].mute_acks = true;
	owner_open(&o, a, 0);
	air_run(a, SEC(60));
	check_int(o.sent, 20);
	check_int(o.received, 20);
	check_int(air_counters(a).retransmissions, 0);
	end_of(&o, a);
}

TEST(an_ack_for_something_else_is_no_ack)
{
	struct air *a = air_new(15, 0, 1);
	struct gen_prov_frame ack = { .kind = GEN_PROV_ACK };
	struct owner o = { 0 };

	owner_open_and_wait(&o, a);
	a->acceptors[0].deaf = true;
	ack.link = a->acceptors[0].link;
	air_put(a, &ack); /* nothing is outstanding */
	owner_send(&o, "\x00\x00", 2);
	air_put(a, &ack); /* before it was sent */
	air_run(a, SEC(1));
	ack.transaction = 1;
	air_put(a, &ack);
	ack.transaction = 0x80;
	air_put(a, &ack);
	check_int(o.sent, 0);
	ack.transaction = 0;
	air_put(a, &ack);
	check_int(o.sent, 1);
	air_put(a, &ack);
	check_int(o.sent, 1);
	end_of(&o, a);
}

TEST(what_was_acknowledged_is_acknowledged_again_and_not_delivered_twice)
{
	struct air *a = air_new(16, 0, 1);
	struct acceptor *d = &a->acceptors[0];
	struct owner o = { 0 };
	unsigned acks;

	owner_open_and_wait(&o, a);
	acceptor_send(d, bytes_of("\x08", 1));
	air_run(a, SEC(2));
	check_int(o.received, 1);
	check_int(d->next, 1);
	acks = a->sent_kind[GEN_PROV_ACK];
	check_int(acks, 1); /* three copies were heard: one ack, itself repeated */
	for (unsigned i = 1; i <= 4; i++) {
		struct gen_prov_frame f = gen_prov_segment(d->link, 0x80, bytes_of("\x08", 1), 0);

		acceptor_frame(d, &f);
		air_run(a, SEC(1));
		check_int(a->sent_kind[GEN_PROV_ACK], acks + i);
		check_int(a->last.transaction, 0x80);
		check_int(a->last_send.kind, BEARER_ACK);
	}
	check_int(o.received, 1);
	end_of(&o, a);
}

TEST(transactions_out_of_turn_are_counted_and_ignored)
{
	static const uint8_t wrong[] = { 0x81, 0xFF, 0xC0, 0x00, 0x7F };
	struct air *a = air_new(17, 0, 1);
	struct acceptor *d = &a->acceptors[0];
	struct owner o = { 0 };

	owner_open_and_wait(&o, a);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct gen_prov_frame f =
			gen_prov_segment(d->link, wrong[i], bytes_of("\x08", 1), 0);

		acceptor_frame(d, &f);
		air_run(a, SEC(1));
		check_int(air_counters(a).malformed, 3 * (i + 1));
	}
	check_int(o.received, 0);
	check_int(a->sent_kind[GEN_PROV_ACK], 0);
	end_of(&o, a);
}

TEST(a_wrong_check_sequence_is_not_acknowledged)
{
	struct air *a = air_new(18, 0, 1);
	struct acceptor *d = &a->acceptors[0];
	struct owner o = { 0 };
	struct gen_prov_frame f;

	owner_open_and_wait(&o, a);
	f = gen_prov_segment(d->link, 0x80, bytes_of("\x08", 1), 0);
	f.fcs ^= 0x10;
	acceptor_frame(d, &f);
	air_run(a, SEC(1));
	check_int(air_counters(a).bad_fcs, 3);
	check_int(o.received, 0);
	check_int(a->sent_kind[GEN_PROV_ACK], 0);
	acceptor_send(d, bytes_of("\x08", 1));
	air_run(a, SEC(1));
	check_int(o.received, 1);
	end_of(&o, a);
}

TEST(the_longest_pdu_that_the_layer_can_carry_is_received)
{
	struct air *a = air_new(19, 0, 1);
	struct acceptor *d = &a->acceptors[0];
	struct owner o = { 0 };
	static uint8_t pdu[GEN_PROV_PDU_MAX];

	for (size_t i = 0; i < sizeof(pdu); i++)
		pdu[i] = (uint8_t)(i * 5);
	owner_open_and_wait(&o, a);
	for (size_t i = GEN_PROV_SEGMENTS; i > 0; i--) {
		struct gen_prov_frame f =
			gen_prov_segment(d->link, 0x80, bytes_of(pdu, sizeof(pdu)), i - 1);

		acceptor_frame(d, &f);
		air_run(a, MSEC(100));
	}
	check_int(o.received, 1);
	check_int(o.last_len, sizeof(pdu));
	check_mem(o.last, pdu, sizeof(pdu));
	end_of(&o, a);
}

TEST(foreign_links_and_broken_frames_are_counted_and_nothing_else)
{
	struct air *a = air_new(20, 0, 1);
	struct owner o = { 0 };
	uint8_t foreign[] = { 1, 2, 3, 4, 0, 0x07 };
	uint8_t open_to_us[22] = { 0 };

	owner_open_and_wait(&o, a);
	pb_adv_heard(a->adv, bytes_of(foreign, sizeof(foreign)));
	check_int(air_counters(a).foreign_link, 1);
	for (size_t n = 0; n < sizeof(foreign); n++)
		pb_adv_heard(a->adv, bytes_of(foreign, n));
	check_int(air_counters(a).malformed, 6);
	/* Somebody opens a link under our ID; a bearer control that does not exist. */
	memcpy(open_to_us, a->last_send.data + 2, 4);
	open_to_us[5] = 0x03;
	pb_adv_heard(a->adv, bytes_of(open_to_us, sizeof(open_to_us)));
	open_to_us[5] = 0x1F;
	pb_adv_heard(a->adv, bytes_of(open_to_us, sizeof(open_to_us)));
	check_int(air_counters(a).malformed, 8);
	check_int(o.closed + o.received + o.sent, 0);
	end_of(&o, a);
}

TEST(closing_tells_the_device_its_reason_and_acknowledges_its_last_word_first)
{
	struct air *a = air_new(21, 0, 1);
	struct acceptor *d = &a->acceptors[0];
	struct owner o = { 0 };

	owner_open_and_wait(&o, a);
	acceptor_send(d, bytes_of("\x08", 1));
	while (o.received == 0)
		check(timers_fire_next(&a->timers, TIMERS_NEVER));
	owner_close(&o, PROV_CLOSE_SUCCESS);
	check_int(o.closed, 0);
	while (o.closed == 0)
		check(timers_fire_next(&a->timers, TIMERS_NEVER));
	check_int(a->sent_kind[GEN_PROV_ACK], 1);
	check_int(a->last.number, GEN_PROV_LINK_CLOSE);
	check(a->last_send.count >= 3);
	check(a->last_at > a->before_last_at);
	/* What was handed over is still sent when the carrier is gone. */
	pb_adv_carrier_free(o.c);
	air_run(a, SEC(1));
	check_int(d->closes, 1);
	check_int(d->reason, PROV_CLOSE_SUCCESS);
	check(!d->sending);
	air_free(a);
}

static size_t waiting_copies(const struct air *a, enum gen_prov_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < FLIGHTS; i++) {
		const struct flight *fl = &a->flights[i];

		if (fl->to_device && timer_running(&fl->timer) && (fl->send.data[7] & 3) == kind)
			n += fl->send.count;
	}
	return n;
}

TEST(copies_that_wait_in_the_radio_are_cancelled_once_they_are_useless)
{
	struct air *a = air_new(25, 0, 1);
	struct owner o = { 0 };

	/* Opened by the first copy: the others stay. Acknowledged likewise. */
	owner_open(&o, a, 0);
	while (o.opened == 0)
		check(timers_fire_next(&a->timers, TIMERS_NEVER));
	check_int(waiting_copies(a, GEN_PROV_CONTROL), 0);
	a->acceptors[0].silent = true;
	owner_send(&o, "\x01", 1);
	while (o.sent == 0)
		check(timers_fire_next(&a->timers, TIMERS_NEVER));
	check_int(waiting_copies(a, GEN_PROV_START), 0);
	/* A second try does not add to what the first left waiting. */
	a->acceptors[0].deaf = true;
	owner_send(&o, "\x02", 1);
	while (air_counters(a).retransmissions == 0) {
		for (size_t i = 0; i < FLIGHTS; i++) /* a slow radio */
			if (timer_running(&a->flights[i].timer))
				timer_start(&a->timers, &a->flights[i].timer, SEC(3), air_copy,
					    &a->flights[i]);
		check(timers_fire_next(&a->timers, TIMERS_NEVER));
	}
	check_int(waiting_copies(a, GEN_PROV_START), 3);
	owner_close(&o, PROV_CLOSE_FAIL);
	check_int(waiting_copies(a, GEN_PROV_START), 0);
	air_run(a, SEC(10));
	end_of(&o, a);
}

TEST(freeing_abandons_the_link_at_once)
{
	for (unsigned steps = 0; steps < 120; steps++) {
		struct air *a = air_new(22, 0, 1);
		struct owner o = { .rounds = 5 };
		unsigned sends;

		owner_open(&o, a, 0);
		for (unsigned i = 0; i < steps; i++)
			timers_fire_next(&a->timers, TIMERS_NEVER);
		pb_adv_carrier_free(o.c);
		o.c = NULL;
		o.inside = true; /* nothing is called any more */
		sends = a->sends;
		for (size_t i = 0; i < FLIGHTS; i++)
			check(!a->flights[i].to_device || !timer_running(&a->flights[i].timer));
		air_run(a, SEC(100));
		check_int(a->sends, sends);
		air_free(a);
	}
}

TEST(freeing_inside_any_event_is_safe)
{
	for (int event = 1; event <= 4; event++) {
		for (int mute = 0; mute < 2; mute++) {
			struct air *a = air_new(23, 0, 1);
			struct owner o = { .rounds = 3, .close_at_end = true, .free_in = event };

			/* Without acks, sent() and received() come from one frame. */
			a->acceptors[0].mute_acks = mute;
			owner_open(&o, a, 0);
			air_run(a, SEC(100));
			check(!o.c);
			air_free(a);
		}
	}
}

TEST(closing_inside_sent_delivers_nothing_more)
{
	struct air *a = air_new(24, 0, 1);
	struct owner o = { .close_in_sent = true };

	owner_open_and_wait(&o, a);
	a->acceptors[0].mute_acks = true; /* so that sent() comes with the answer's frame */
	owner_send(&o, "\x01", 1);
	air_run(a, SEC(2));
	check_int(o.sent, 1);
	check_int(o.received, 0);
	check_int(o.closed, 1);
	check_int(o.end, CARRIER_CLOSED);
	end_of(&o, a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_arrives_once_and_in_order_at_any_loss_up_to_40_percent),
		cmocka_unit_test(a_full_queue_of_the_radio_is_a_loss_like_any_other),
		cmocka_unit_test(transaction_numbers_wrap_on_both_sides),
		cmocka_unit_test(twelve_links_at_once_do_not_mix),
		cmocka_unit_test(a_carrier_can_be_used_again_after_it_closed),
		cmocka_unit_test(a_link_open_is_one_advertisement_repeated_a_few_times),
		cmocka_unit_test(a_device_that_does_not_answer_ends_the_opening_after_20_seconds),
		cmocka_unit_test(closing_while_opening_cancels),
		cmocka_unit_test(a_device_that_closes_is_busy_while_opening_and_lost_later),
		cmocka_unit_test(a_link_without_a_pdu_ends_after_60_seconds),
		cmocka_unit_test(a_transaction_without_an_ack_ends_the_link_after_30_seconds),
		cmocka_unit_test(segments_follow_each_other_after_a_random_pause_each),
		cmocka_unit_test(the_answer_counts_as_the_ack_that_was_lost),
		cmocka_unit_test(an_ack_for_something_else_is_no_ack),
		cmocka_unit_test(
			what_was_acknowledged_is_acknowledged_again_and_not_delivered_twice),
		cmocka_unit_test(transactions_out_of_turn_are_counted_and_ignored),
		cmocka_unit_test(a_wrong_check_sequence_is_not_acknowledged),
		cmocka_unit_test(the_longest_pdu_that_the_layer_can_carry_is_received),
		cmocka_unit_test(foreign_links_and_broken_frames_are_counted_and_nothing_else),
		cmocka_unit_test(
			closing_tells_the_device_its_reason_and_acknowledges_its_last_word_first),
		cmocka_unit_test(copies_that_wait_in_the_radio_are_cancelled_once_they_are_useless),
		cmocka_unit_test(freeing_abandons_the_link_at_once),
		cmocka_unit_test(freeing_inside_any_event_is_safe),
		cmocka_unit_test(closing_inside_sent_delivers_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
