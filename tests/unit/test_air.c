/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "air.h"
#include "check.h"

enum { RADIOS = 60, LOG_MAX = 200000 };

/* A grid of radios that log who heard what, when and how strongly. */
struct site {
	struct timers timers;
	struct air *air;
	struct receiver {
		struct site *site;
		struct air_radio *radio;
		size_t heard;
		uint8_t answer; /* transmissions to send when something is heard */
	} at[RADIOS];
	struct entry {
		uint64_t time;
		uint8_t to, from, first;
		int8_t rssi;
	} log[LOG_MAX];
	size_t n;
};

static void on_heard(void *ctx, const struct air_report *report)
{
	struct receiver *to = ctx;
	struct site *s = to->site;

	assert_true(s->n < LOG_MAX);
	s->log[s->n++] = (struct entry){ timers_now(&s->timers), (uint8_t)(to - s->at),
					 report->address[0], report->ad.p[0], report->rssi };
	to->heard++;
	if (to->answer) {
		struct air_transmission t = { 2, 20, 0, bytes_of("answer", 6) };

		to->answer--;
		(void)air_send(to->radio, &t);
	}
}

static struct site *site_new(uint64_t run_seed, double loss, double spacing)
{
	struct site *s = calloc(1, sizeof(*s));

	timers_init(&s->timers, 0);
	s->air = air_new(&s->timers, 5, run_seed, loss);
	for (size_t i = 0; i < RADIOS; i++) {
		struct air_radio_config c = { .place = { spacing * (double)(i % 10),
							 spacing * (double)(i / 10 % 2),
							 (int)(i / 20) },
					      .address = { (uint8_t)i },
					      .heard = on_heard,
					      .ctx = &s->at[i] };

		s->at[i].site = s;
		s->at[i].radio = air_add(s->air, &c);
	}
	return s;
}

static void site_free(struct site *s)
{
	air_free(s->air);
	check_int(timers_next(&s->timers), TIMERS_NEVER);
	timers_free(&s->timers);
	free(s);
}

static bool say(struct site *s, size_t from, uint8_t what, uint8_t count, uint32_t tag)
{
	struct air_transmission t = { count, 20, tag, bytes_of(&what, 1) };

	return air_send(s->at[from].radio, &t);
}

static void run(struct site *s)
{
	while (timers_fire_next(&s->timers, TIMERS_NEVER - 1))
		;
}

static struct site *busy_run(uint64_t run_seed)
{
	struct site *s = site_new(run_seed, 0.2, 10);

	for (size_t i = 0; i < RADIOS; i++) {
		s->at[i].answer = 3;
		check(say(s, i, (uint8_t)i, 3, 0));
	}
	run(s);
	return s;
}

TEST(the_same_seed_gives_the_same_deliveries)
{
	struct site *a = busy_run(42), *b = busy_run(42), *c = busy_run(43);

	check(a->n > 1000);
	check_int(a->n, b->n);
	check_mem(a->log, b->log, a->n * sizeof(a->log[0]));
	check(a->n != c->n || memcmp(a->log, c->log, a->n * sizeof(a->log[0])) != 0);
	site_free(a);
	site_free(b);
	site_free(c);
}

TEST(loss_is_the_chance_that_one_receiver_misses_one_event)
{
	static const double rows[] = { 0, 0.05, 0.3, 0.5, 1 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct site *s = site_new(i, rows[i], 10);
		struct air_counters c;
		double n, lost;

		for (size_t k = 0; k < 100; k++) {
			for (size_t r = 0; r < RADIOS; r++)
				check(say(s, r, 1, 1, 0));
			run(s);
		}
		c = air_counters(s->air);
		n = (double)(c.deliveries + c.lost);
		lost = (double)c.lost / n;
		check_int(c.events, 100 * RADIOS);
		check_int(c.deliveries, s->n);
		check(n > 40000);
		/* Five standard deviations. */
		check(fabs(lost - rows[i]) <= 5 * sqrt(rows[i] * (1 - rows[i]) / n));
		site_free(s);
	}
}

TEST(a_receiver_s_losses_are_independent_of_another_s)
{
	struct site *s = site_new(9, 0.5, 1);
	size_t both = 0, events = 4000;

	for (size_t k = 0; k < events; k++) {
		size_t a = s->at[1].heard, b = s->at[2].heard;

		check(say(s, 0, 1, 1, 0));
		run(s);
		s->n = 0;
		both += s->at[1].heard > a && s->at[2].heard > b;
	}
	check(both > events / 4 - 200 && both < events / 4 + 200);
	site_free(s);
}

/* One radio says 200 numbers, one after the other; the first neighbour's log of them. */
static void count_out(struct site *s, double duplicates, double reorders, size_t *heard,
		      size_t *overtaken)
{
	uint8_t last = 0;

	*heard = *overtaken = 0;
	air_trouble(s->air, duplicates, reorders);
	for (int i = 0; i < 200; i++) {
		check(say(s, 0, (uint8_t)i, 1, 0));
		timers_advance(&s->timers, timers_now(&s->timers) + MSEC(20));
	}
	run(s);
	for (size_t i = 0; i < s->n; i++) {
		if (s->log[i].to != 1)
			continue;
		++*heard;
		*overtaken += s->log[i].first < last;
		last = s->log[i].first;
	}
	site_free(s);
}

TEST(so_many_events_arrive_twice_or_late_as_the_shares_say)
{
	size_t heard, overtaken;

	count_out(site_new(1, 0, 10), 0, 0, &heard, &overtaken);
	check(heard == 200 && overtaken == 0);
	count_out(site_new(1, 0, 10), 0.25, 0, &heard, &overtaken);
	check(heard > 230 && heard < 270 && overtaken > 10);
	count_out(site_new(1, 0, 10), 0, 0.25, &heard, &overtaken);
	check(heard == 200 && overtaken > 10);
	count_out(site_new(1, 0, 10), 1, 1, &heard, &overtaken);
	check_int(heard, 400);
}

/* What is still to arrive goes with its sender. */
TEST(a_radio_that_is_removed_leaves_nothing_in_the_air)
{
	struct site *s = site_new(1, 0, 10);

	air_trouble(s->air, 1, 1);
	check(say(s, 0, 7, 1, 0));
	timers_advance(&s->timers, timers_now(&s->timers) + MSEC(2));
	check_int(air_counters(s->air).late, 2);
	air_remove(s->at[0].radio);
	site_free(s);
}

TEST(path_loss_grows_with_distance_and_with_floors)
{
	struct place origin = { 0, 0, 0 };
	double last = 0;

	for (double x = 1; x < 100; x += 0.5) {
		double loss = air_path_loss(&origin, &(struct place){ x, 0, 0 });

		check(loss > last);
		last = loss;
	}
	last = 0;
	for (int floor = 0; floor < 10; floor++) {
		double loss = air_path_loss(&origin, &(struct place){ 5, 5, floor });

		check(loss > last);
		check(fabs(loss - air_path_loss(&origin, &(struct place){ -5, 5, -floor })) < 1e-9);
		last = loss;
	}
	check(fabs(air_path_loss(&origin, &(struct place){ 1, 0, 0 }) - 40) < 1e-9);
	check(fabs(air_path_loss(&origin, &(struct place){ 10, 0, 0 }) - 72) < 1e-9);
}

TEST(shadowing_is_bounded_symmetric_and_the_building_s_own)
{
	bool differs = false;

	for (int i = 1; i < 200; i++) {
		struct place a = { i % 14, i % 3, i % 2 }, b = { i, 0.5 * i, 1 };
		double rssi = air_rssi(3, &a, &b);

		check(rssi == air_rssi(3, &b, &a));
		check(fabs(rssi + air_path_loss(&a, &b)) <= 6);
		differs = differs || rssi != air_rssi(4, &a, &b);
	}
	check(differs);
}

TEST(who_hears_is_who_is_near_and_rssi_tells_how_near)
{
	struct site *s = site_new(1, 0, 10);

	check(say(s, 0, 1, 1, 0));
	run(s);
	check_int(s->n, air_neighbours(s->at[0].radio));
	check(s->at[1].heard && !s->at[9].heard && !s->at[59].heard);
	for (size_t i = 0; i < s->n; i++) {
		struct place from = { 0, 0, 0 };
		size_t k = s->log[i].to;
		struct place to = { 10.0 * (double)(k % 10), 10.0 * (double)(k / 10 % 2),
				    (int)(k / 20) };
		double mean = air_rssi(5, &from, &to);

		check(mean >= AIR_HEARD_FROM);
		check(fabs(s->log[i].rssi - mean) <= 2.5);
	}
	site_free(s);
}

TEST(an_event_arrives_after_its_airtime_and_repeats_at_20_to_30_ms)
{
	struct site *s = site_new(1, 0, 200);
	uint64_t last = 0;
	size_t seen = 0;

	air_free(s->air);
	s->air = air_new(&s->timers, 5, 1, 0);
	for (size_t i = 0; i < 2; i++) {
		struct air_radio_config c = { .place = { (double)i, 0, 0 },
					      .heard = on_heard,
					      .ctx = &s->at[i] };

		s->at[i].radio = air_add(s->air, &c);
	}
	check(say(s, 0, 1, 10, 0));
	check_int(s->n, 0);
	run(s);
	check_int(s->n, 10);
	for (size_t i = 0; i < s->n; i++) {
		if (seen++ == 0)
			check_int(s->log[i].time, AIR_EVENT_US);
		else
			check(s->log[i].time - last >= MSEC(20) &&
			      s->log[i].time - last <= MSEC(30));
		last = s->log[i].time;
	}
	site_free(s);
}

TEST(a_radio_sends_one_event_at_a_time)
{
	struct site *s = site_new(1, 0, 1);
	uint64_t last = 0;

	for (uint8_t i = 0; i < 50; i++)
		check(say(s, 0, i, 1, 0));
	run(s);
	for (size_t i = 0; i < s->n; i++) {
		if (s->log[i].to != 1)
			continue;
		check(last == 0 || s->log[i].time == last + AIR_EVENT_US);
		last = s->log[i].time;
	}
	check_int(s->at[1].heard, 50);
	site_free(s);
}

TEST(cancel_stops_what_repeats_and_what_waits)
{
	struct site *s = site_new(1, 0, 1);

	for (uint8_t i = 0; i < 10; i++)
		check(say(s, 0, i, 5, i % 2 ? 9 : 0));
	timers_advance(&s->timers, MSEC(6));
	air_cancel(s->at[0].radio, 9);
	air_cancel(s->at[0].radio, 0);
	run(s);
	for (uint8_t i = 0; i < 10; i++) {
		size_t n = 0;

		for (size_t k = 0; k < s->n; k++)
			n += s->log[k].to == 1 && s->log[k].first == i;
		if (i % 2)
			check(n <= 1);
		else
			check_int(n, 5);
	}
	site_free(s);
}

TEST(a_full_queue_refuses_and_counts)
{
	struct site *s = site_new(1, 0, 1);
	uint8_t big[AD_MAX + 1] = { 0 };
	struct air_transmission t = { 1, 20, 0, bytes_of(big, sizeof(big)) };

	for (size_t i = 0; i < AIR_QUEUE; i++)
		check(say(s, 0, 1, 1, 0));
	check(!say(s, 0, 1, 1, 0));
	check_int(air_counters(s->air).full, 1);
	run(s);
	check_int(s->at[1].heard, AIR_QUEUE);
	check(say(s, 0, 1, 1, 0));
	check(!air_send(s->at[0].radio, &t)); /* too long for a legacy advertisement */
	t.ad.n = AD_MAX;
	check(air_send(s->at[0].radio, &t));
	t.ad.n = 0;
	check(!air_send(s->at[0].radio, &t));
	run(s);
	site_free(s);
}

TEST(outside_radios_hear_the_building_and_not_each_other)
{
	struct site *s = site_new(1, 0, 1);
	struct receiver out[2] = { { .site = s }, { .site = s } };
	size_t before;

	for (size_t i = 0; i < 2; i++) {
		struct air_radio_config c = { .outside = true, .heard = on_heard, .ctx = &out[i] };

		out[i].radio = air_add(s->air, &c);
	}
	check(say(s, 0, 1, 1, 0));
	run(s);
	check(out[0].heard == 1 && out[1].heard == 1);
	before = s->at[0].heard;
	check(air_send(out[0].radio, &(struct air_transmission){ 1, 0, 0, bytes_of("x", 1) }));
	run(s);
	check(out[1].heard == 1 && s->at[0].heard == before + 1);
	air_remove(out[0].radio);
	check(say(s, 0, 1, 1, 0));
	run(s);
	check(out[0].heard == 1 && out[1].heard == 2);
	air_remove(out[1].radio);
	site_free(s);
}

static void on_capture(void *ctx, uint64_t at, const uint8_t address[AIR_ADDRESS], struct bytes ad)
{
	size_t *n = ctx;

	assert_true(ad.n == 1 && address[0] == 7);
	(*n)++;
}

TEST(the_capture_has_every_event_once_whatever_is_lost)
{
	struct site *s = site_new(1, 1, 10);
	size_t n = 0;

	air_set_capture(s->air, on_capture, &n);
	check(say(s, 7, 1, 5, 0));
	run(s);
	check_int(n, 5);
	check_int(s->n, 0);
	site_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_seed_gives_the_same_deliveries),
		cmocka_unit_test(loss_is_the_chance_that_one_receiver_misses_one_event),
		cmocka_unit_test(a_receiver_s_losses_are_independent_of_another_s),
		cmocka_unit_test(so_many_events_arrive_twice_or_late_as_the_shares_say),
		cmocka_unit_test(a_radio_that_is_removed_leaves_nothing_in_the_air),
		cmocka_unit_test(path_loss_grows_with_distance_and_with_floors),
		cmocka_unit_test(shadowing_is_bounded_symmetric_and_the_building_s_own),
		cmocka_unit_test(who_hears_is_who_is_near_and_rssi_tells_how_near),
		cmocka_unit_test(an_event_arrives_after_its_airtime_and_repeats_at_20_to_30_ms),
		cmocka_unit_test(a_radio_sends_one_event_at_a_time),
		cmocka_unit_test(cancel_stops_what_repeats_and_what_waits),
		cmocka_unit_test(a_full_queue_refuses_and_counts),
		cmocka_unit_test(outside_radios_hear_the_building_and_not_each_other),
		cmocka_unit_test(the_capture_has_every_event_once_whatever_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
