/* SPDX-License-Identifier: Apache-2.0 */
#include "timers.h"

#include <stdlib.h>

#include "bytes.h"
#include "check.h"

/* A set of timers that write down who fired, and when. */
enum { BELLS = 64, LOG = 4096 };

struct bell {
	struct timer timer;
	struct tower *tower;
	int number;
};

struct tower {
	struct timers timers;
	struct bell bells[BELLS];
	struct {
		int number;
		uint64_t at;
	} log[LOG];
	size_t n;
	void (*also)(struct tower *t, int number); /* from inside fire() */
};

static void ring(void *ctx)
{
	struct bell *b = ctx;
	struct tower *t = b->tower;

	assert_true(t->n < LOG);
	t->log[t->n].number = b->number;
	t->log[t->n++].at = timers_now(&t->timers);
	check(!timer_running(&b->timer));
	if (t->also)
		t->also(t, b->number);
}

static void start(struct tower *t, int number, uint64_t delay)
{
	timer_start(&t->timers, &t->bells[number].timer, delay, ring, &t->bells[number]);
	check(timer_running(&t->bells[number].timer));
}

static int setup(void **state)
{
	struct tower *t = calloc(1, sizeof(*t));

	timers_init(&t->timers, 1000);
	for (int i = 0; i < BELLS; i++) {
		t->bells[i].tower = t;
		t->bells[i].number = i;
	}
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct tower *t = *state;

	timers_free(&t->timers);
	free(t);
	return 0;
}

static void check_log(struct tower *t, const int *numbers, size_t n)
{
	check_int(t->n, n);
	for (size_t i = 0; i < n; i++)
		check_int(t->log[i].number, numbers[i]);
}

TEST(timers_fire_in_order_of_their_instants)
{
	struct tower *t = *state;

	start(t, 0, 30);
	start(t, 1, 10);
	start(t, 2, 20);
	check_int(timers_next(&t->timers), 1010);
	timers_advance(&t->timers, 1009);
	check_int(t->n, 0);
	check_int(timers_now(&t->timers), 1009);
	timers_advance(&t->timers, 2000);
	check_log(t, (const int[]){ 1, 2, 0 }, 3);
	check_int(t->log[0].at, 1010);
	check_int(t->log[1].at, 1020);
	check_int(t->log[2].at, 1030);
	check_int(timers_now(&t->timers), 2000);
	check(timers_next(&t->timers) == TIMERS_NEVER);
}

TEST(timers_of_one_instant_fire_in_the_order_of_starting)
{
	struct tower *t = *state;

	for (int i = 0; i < BELLS; i++)
		start(t, (i * 37) % BELLS, 500); /* 37 and 64 have no common divisor */
	timers_advance(&t->timers, 1500);
	check_int(t->n, BELLS);
	for (int i = 0; i < BELLS; i++)
		check_int(t->log[i].number, (i * 37) % BELLS);
}

TEST(a_restart_goes_to_the_end_of_its_instant)
{
	struct tower *t = *state;

	start(t, 0, 10);
	start(t, 1, 10);
	start(t, 2, 10);
	start(t, 0, 10);
	timers_advance(&t->timers, 1010);
	check_log(t, (const int[]){ 1, 2, 0 }, 3);
}

TEST(a_restart_replaces_the_first_start)
{
	struct tower *t = *state;

	start(t, 0, 10);
	start(t, 0, 50);
	timers_advance(&t->timers, 1049);
	check_int(t->n, 0);
	timers_advance(&t->timers, 1050);
	check_log(t, (const int[]){ 0 }, 1);
}

TEST(a_stopped_timer_does_not_fire)
{
	struct tower *t = *state;

	for (int i = 0; i < 10; i++)
		start(t, i, (uint64_t)(10 - i));
	timer_stop(&t->timers, &t->bells[9].timer); /* the first */
	timer_stop(&t->timers, &t->bells[0].timer); /* the last */
	timer_stop(&t->timers, &t->bells[4].timer);
	timer_stop(&t->timers, &t->bells[4].timer); /* once more does no harm */
	timer_stop(&t->timers, &t->bells[20].timer);
	check(!timer_running(&t->bells[4].timer));
	timers_advance(&t->timers, 2000);
	check_log(t, (const int[]){ 8, 7, 6, 5, 3, 2, 1 }, 7);
}

TEST(a_delay_of_zero_fires_at_the_next_advance_even_without_time_passing)
{
	struct tower *t = *state;

	start(t, 0, 0);
	check_int(t->n, 0);
	check_int(timers_next(&t->timers), 1000);
	timers_advance(&t->timers, 1000);
	check_log(t, (const int[]){ 0 }, 1);
}

TEST(time_never_goes_back)
{
	struct tower *t = *state;

	start(t, 0, 0);
	start(t, 1, 1);
	timers_advance(&t->timers, 5);
	check_int(timers_now(&t->timers), 1000);
	check_log(t, (const int[]){ 0 }, 1);
}

static void restart_self(struct tower *t, int number)
{
	start(t, number, 10);
}

TEST(a_periodic_timer_fires_at_each_of_its_instants)
{
	struct tower *t = *state;

	t->also = restart_self;
	start(t, 0, 10);
	timers_advance(&t->timers, 1055);
	check_int(t->n, 5);
	for (size_t i = 0; i < t->n; i++)
		check_int(t->log[i].at, 1010 + 10 * i);
	check_int(timers_next(&t->timers), 1060);
}

static void stop_the_others(struct tower *t, int number)
{
	for (int i = 0; i < BELLS; i++)
		timer_stop(&t->timers, &t->bells[i].timer);
}

TEST(one_that_fires_can_stop_others_of_the_same_instant)
{
	struct tower *t = *state;

	t->also = stop_the_others;
	for (int i = 0; i < 5; i++)
		start(t, i, 10);
	timers_advance(&t->timers, 2000);
	check_log(t, (const int[]){ 0 }, 1);
	check(timers_next(&t->timers) == TIMERS_NEVER);
}

static void start_next_at_once(struct tower *t, int number)
{
	if (number < 9)
		start(t, number + 1, 0);
}

TEST(one_started_while_firing_with_no_delay_fires_in_the_same_advance)
{
	struct tower *t = *state;

	t->also = start_next_at_once;
	start(t, 0, 10);
	start(t, 20, 10); /* started before 1, so it comes before */
	timers_advance(&t->timers, 1010);
	check_log(t, (const int[]){ 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9 }, 11);
	check_int(t->log[10].at, 1010);
}

TEST(one_timer_at_a_time_can_be_fired)
{
	struct tower *t = *state;

	start(t, 0, 20);
	start(t, 1, 10);
	check(!timers_fire_next(&t->timers, 1009));
	check_int(timers_now(&t->timers), 1000);
	check(timers_fire_next(&t->timers, 1010));
	check_int(timers_now(&t->timers), 1010);
	check(!timers_fire_next(&t->timers, 1019));
	check(timers_fire_next(&t->timers, 5000));
	check_int(timers_now(&t->timers), 1020);
	check(!timers_fire_next(&t->timers, TIMERS_NEVER));
	check_log(t, (const int[]){ 1, 0 }, 2);
}

/* ---- the soak: against a list that is searched from end to end ---- */

struct model {
	uint64_t at[BELLS], order[BELLS], started;
	bool running[BELLS];
};

static uint32_t next_random(uint64_t *s)
{
	*s = *s * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*s >> 33);
}

static int model_first(const struct model *m, uint64_t limit)
{
	int first = -1;

	for (int i = 0; i < BELLS; i++) {
		if (!m->running[i] || m->at[i] > limit)
			continue;
		if (first < 0 || m->at[i] < m->at[first] ||
		    (m->at[i] == m->at[first] && m->order[i] < m->order[first]))
			first = i;
	}
	return first;
}

static void soak_step(struct tower *t, struct model *m, uint64_t *seed)
{
	int i = (int)(next_random(seed) % BELLS);
	uint64_t now = timers_now(&t->timers);
	uint32_t what = next_random(seed) % 8;

	if (what < 5) {
		uint64_t delay = next_random(seed) % 40;

		start(t, i, delay);
		m->running[i] = true;
		m->at[i] = now + delay;
		m->order[i] = m->started++;
	} else if (what < 6) {
		timer_stop(&t->timers, &t->bells[i].timer);
		m->running[i] = false;
	} else {
		uint64_t until = now + next_random(seed) % 10;
		size_t k = 0;
		int first;

		t->n = 0;
		timers_advance(&t->timers, until);
		while ((first = model_first(m, until)) >= 0) {
			check(k < t->n);
			check_int(t->log[k].number, first);
			check_int(t->log[k].at, m->at[first]);
			m->running[first] = false;
			k++;
		}
		check_int(t->n, k);
	}
}

TEST(a_long_random_run_agrees_with_a_plain_list)
{
	struct tower *t = *state;
	struct model m = { .started = 0 };
	uint64_t seed = 20240229;

	for (int step = 0; step < 50000; step++) {
		int first;

		soak_step(t, &m, &seed);
		first = model_first(&m, TIMERS_NEVER);
		check(timers_next(&t->timers) == (first < 0 ? TIMERS_NEVER : m.at[first]));
		for (int i = 0; i < BELLS; i++)
			check(timer_running(&t->bells[i].timer) == m.running[i]);
	}
}

TEST(more_timers_than_the_heap_first_holds_keep_their_order)
{
	enum { MANY = 1000 };
	struct tower *t = *state;
	struct bell *many = calloc(MANY, sizeof(*many));

	for (int i = 0; i < MANY; i++) {
		many[i].tower = t;
		many[i].number = i;
		timer_start(&t->timers, &many[i].timer, (uint64_t)(MANY - i), ring, &many[i]);
	}
	timers_advance(&t->timers, 1000 + MANY);
	check_int(t->n, MANY);
	for (int i = 0; i < MANY; i++)
		check_int(t->log[i].number, MANY - 1 - i);
	free(many);
}

#define WITH_TOWER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_TOWER(timers_fire_in_order_of_their_instants),
		WITH_TOWER(timers_of_one_instant_fire_in_the_order_of_starting),
		WITH_TOWER(a_restart_goes_to_the_end_of_its_instant),
		WITH_TOWER(a_restart_replaces_the_first_start),
		WITH_TOWER(a_stopped_timer_does_not_fire),
		WITH_TOWER(a_delay_of_zero_fires_at_the_next_advance_even_without_time_passing),
		WITH_TOWER(time_never_goes_back),
		WITH_TOWER(a_periodic_timer_fires_at_each_of_its_instants),
		WITH_TOWER(one_that_fires_can_stop_others_of_the_same_instant),
		WITH_TOWER(one_started_while_firing_with_no_delay_fires_in_the_same_advance),
		WITH_TOWER(one_timer_at_a_time_can_be_fired),
		WITH_TOWER(a_long_random_run_agrees_with_a_plain_list),
		WITH_TOWER(more_timers_than_the_heap_first_holds_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
