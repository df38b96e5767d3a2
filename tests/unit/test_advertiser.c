/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "advertiser.h"
#include "check.h"

enum { EVENTS_MAX = 4096 };

struct radio {
	struct timers timers;
	struct advertiser a;
	struct {
		uint64_t at;
		uint8_t first; /* the octet after the AD type: who it is */
	} event[EVENTS_MAX];
	size_t n;
};

static void transmit(void *ctx, struct bytes ad)
{
	struct radio *r = ctx;

	check(r->n < EVENTS_MAX);
	r->event[r->n].at = timers_now(&r->timers);
	r->event[r->n++].first = ad.p[2];
}

static struct radio *radio_new(unsigned sets)
{
	struct radio *r = calloc(1, sizeof(*r));
	struct advertiser_config config = {
		.timers = &r->timers, .sets = sets, .seed = 7, .transmit = transmit, .ctx = r
	};

	timers_init(&r->timers, 1000);
	advertiser_init(&r->a, &config);
	return r;
}

static void radio_free(struct radio *r)
{
	advertiser_stop(&r->a);
	check_int(timers_next(&r->timers), TIMERS_NEVER);
	timers_free(&r->timers);
	free(r);
}

static bool send(struct radio *r, enum bearer_class kind, uint8_t who, uint8_t count, uint32_t tag)
{
	struct bearer_send s = { .kind = kind,
				 .count = count,
				 .interval_ms = 20,
				 .tag = tag,
				 .len = 3,
				 .data = { 2, AD_MESH_MESSAGE, who } };

	return advertiser_send(&r->a, &s);
}

static void run(struct radio *r)
{
	while (timers_fire_next(&r->timers, TIMERS_NEVER - 1))
		;
}

static size_t count_of(const struct radio *r, uint8_t who)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->event[i].first == who;
	return n;
}

TEST(an_entry_is_repeated_at_its_interval_plus_up_to_10_ms)
{
	struct radio *r = radio_new(4);
	bool varied = false;

	check(send(r, BEARER_NETWORK, 1, 50, 0));
	check_int(r->n, 0); /* never from within send */
	run(r);
	check_int(r->n, 50);
	check_int(r->event[0].at, 1000);
	for (size_t i = 1; i < r->n; i++) {
		uint64_t gap = r->event[i].at - r->event[i - 1].at;

		check(gap >= MSEC(20) && gap <= MSEC(30));
		varied = varied || gap != r->event[1].at - r->event[0].at;
	}
	check(varied);
	check_int(r->a.waiting, 0);
	radio_free(r);
}

TEST(one_event_leaves_at_a_time)
{
	struct radio *r = radio_new(4);

	for (uint8_t i = 0; i < 20; i++)
		check(send(r, BEARER_NETWORK, i, 3, 0));
	run(r);
	check_int(r->n, 60);
	for (size_t i = 1; i < r->n; i++)
		check(r->event[i].at - r->event[i - 1].at >= 1100);
	radio_free(r);
}

TEST(sets_are_interleaved_so_that_four_entries_take_the_time_of_one)
{
	struct radio *one = radio_new(1), *four = radio_new(4);
	uint64_t time_one, time_four;

	for (uint8_t i = 0; i < 16; i++) {
		check(send(one, BEARER_NETWORK, i, 3, 0));
		check(send(four, BEARER_NETWORK, i, 3, 0));
	}
	run(one);
	run(four);
	time_one = one->event[one->n - 1].at;
	time_four = four->event[four->n - 1].at;
	check(time_four * 3 < time_one);
	radio_free(one);
	radio_free(four);
}

TEST(an_ack_overtakes_whatever_waits_even_when_every_set_is_taken)
{
	struct radio *r = radio_new(4);

	for (uint8_t i = 0; i < 40; i++)
		check(send(r, BEARER_NETWORK, i, 5, 0));
	timers_advance(&r->timers, 1000 + MSEC(5));
	check(send(r, BEARER_ACK, 200, 2, 0));
	timers_advance(&r->timers, 1000 + MSEC(7));
	check_int(count_of(r, 200), 1);
	run(r);
	check_int(count_of(r, 200), 2);
	check_int(r->n, 202);
	radio_free(r);
}

TEST(the_other_classes_take_turns)
{
	struct radio *r = radio_new(1);
	uint8_t order[9];

	for (uint8_t i = 0; i < 30; i++)
		check(send(r, BEARER_NETWORK, 1, 1, 0));
	for (uint8_t i = 0; i < 3; i++) {
		check(send(r, BEARER_PROV, 2, 1, 0));
		check(send(r, BEARER_BEACON, 3, 1, 0));
	}
	run(r);
	check_int(r->n, 36);
	for (size_t i = 0; i < 9; i++)
		order[i] = r->event[i].first;
	for (size_t i = 0; i < 9; i += 3)
		check_int(order[i] * order[i + 1] * order[i + 2],
			  6); /* one of each in every three */
	radio_free(r);
}

TEST(within_a_class_the_first_come_is_the_first_sent)
{
	struct radio *r = radio_new(3);

	for (uint8_t i = 0; i < 100; i++)
		check(send(r, BEARER_PROV, i, 1, 0));
	run(r);
	for (size_t i = 0; i < 100; i++)
		check_int(r->event[i].first, i);
	radio_free(r);
}

TEST(cancel_drops_what_waits_and_what_repeats_under_that_tag_only)
{
	struct radio *r = radio_new(2);

	for (uint8_t i = 0; i < 10; i++)
		check(send(r, BEARER_PROV, i, 3, i % 2 ? 77 : 0));
	check(send(r, BEARER_NETWORK, 50, 3, 77));
	timers_advance(&r->timers, 1000 + MSEC(3)); /* two have had their first event */
	advertiser_cancel(&r->a, 0);		    /* no tag: nothing */
	advertiser_cancel(&r->a, 77);
	run(r);
	check_int(r->a.waiting, 0);
	for (uint8_t i = 0; i < 10; i += 2)
		check_int(count_of(r, i), 3);
	for (uint8_t i = 3; i < 10; i += 2)
		check_int(count_of(r, i), 0);
	check(count_of(r, 1) <= 1 && count_of(r, 50) <= 1);
	radio_free(r);
}

TEST(a_full_queue_refuses_and_counts_and_takes_again_later)
{
	struct radio *r = radio_new(4);

	for (size_t i = 0; i < ADVERTISER_MAX; i++)
		check(send(r, BEARER_NETWORK, 1, 1, 0));
	check_int(r->a.waiting, ADVERTISER_MAX);
	check(!send(r, BEARER_ACK, 2, 1, 0));
	check(!send(r, BEARER_NETWORK, 2, 1, 0));
	check_int(r->a.refused, 2);
	run(r);
	check_int(r->n, ADVERTISER_MAX);
	check(send(r, BEARER_NETWORK, 2, 1, 0));
	run(r);
	check_int(count_of(r, 2), 1);
	radio_free(r);
}

TEST(a_malformed_entry_is_refused)
{
	struct radio *r = radio_new(4);
	struct bearer_send s = { .kind = BEARER_NETWORK, .count = 1, .len = 2 };

	check(!advertiser_send(&r->a, &s));
	s.len = AD_MAX + 1;
	check(!advertiser_send(&r->a, &s));
	s.len = AD_MAX;
	s.count = 0;
	check(!advertiser_send(&r->a, &s));
	check_int(r->a.refused, 3);
	s.count = 1;
	check(advertiser_send(&r->a, &s));
	radio_free(r);
}

TEST(the_same_seed_gives_the_same_instants)
{
	struct radio *a = radio_new(4), *b = radio_new(4);

	for (uint8_t i = 0; i < 60; i++) {
		check(send(a, (enum bearer_class)(i % 4), i, 3, 0));
		check(send(b, (enum bearer_class)(i % 4), i, 3, 0));
	}
	run(a);
	run(b);
	check_int(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		check(a->event[i].at == b->event[i].at && a->event[i].first == b->event[i].first);
	radio_free(a);
	radio_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_is_repeated_at_its_interval_plus_up_to_10_ms),
		cmocka_unit_test(one_event_leaves_at_a_time),
		cmocka_unit_test(sets_are_interleaved_so_that_four_entries_take_the_time_of_one),
		cmocka_unit_test(an_ack_overtakes_whatever_waits_even_when_every_set_is_taken),
		cmocka_unit_test(the_other_classes_take_turns),
		cmocka_unit_test(within_a_class_the_first_come_is_the_first_sent),
		cmocka_unit_test(cancel_drops_what_waits_and_what_repeats_under_that_tag_only),
		cmocka_unit_test(a_full_queue_refuses_and_counts_and_takes_again_later),
		cmocka_unit_test(a_malformed_entry_is_refused),
		cmocka_unit_test(the_same_seed_gives_the_same_instants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
