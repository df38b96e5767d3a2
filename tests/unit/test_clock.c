/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "clock.h"
#include "loop.h"

struct ticking {
	struct timers timers;
	struct timer timer;
	unsigned ticks, settled;
};

static void tick(void *ctx)
{
	struct ticking *t = ctx;

	t->ticks++;
	timer_start(&t->timers, &t->timer, SEC(1), tick, t);
}

static bool settle(void *ctx)
{
	((struct ticking *)ctx)->settled++;
	return true;
}

static bool refuse(void *ctx)
{
	((struct ticking *)ctx)->settled++;
	return false;
}

static void begin(struct ticking *t)
{
	memset(t, 0, sizeof(*t));
	timers_init(&t->timers, SEC(100));
	timer_start(&t->timers, &t->timer, SEC(1), tick, t);
}

TEST(real_time_runs_as_fast_as_the_clock)
{
	struct ticking t;
	struct clock c;

	begin(&t);
	clock_init(&c, &t.timers, 1, SEC(5));
	check(clock_run(&c, SEC(8), true, settle, &t));
	check_int(t.ticks, 3);
	check_int(t.settled, 3);
	check(timers_now(&t.timers) == SEC(103));
	check(clock_patience(&c, SEC(8)) == SEC(1));
	timers_free(&t.timers);
}

TEST(ten_times_faster_is_ten_times_faster)
{
	struct ticking t;
	struct clock c;

	begin(&t);
	clock_init(&c, &t.timers, 10, SEC(5));
	check(clock_run(&c, SEC(6), true, settle, &t));
	check_int(t.ticks, 10);
	check(clock_patience(&c, SEC(6)) == MSEC(100));
	timers_free(&t.timers);
}

TEST(max_races_while_busy_and_only_then)
{
	struct ticking t;
	struct clock c;
	uint64_t now = loop_now();
	unsigned raced;

	begin(&t);
	clock_init(&c, &t.timers, CLOCK_MAX_SPEED, now);
	check(clock_run(&c, now, true, settle, &t));
	check(t.ticks >= 64);
	check(clock_patience(&c, now) == 0);
	raced = t.ticks;
	check(clock_run(&c, now + SEC(2), false, settle, &t));
	check_int(t.ticks, raced);
	check(clock_run(&c, now + SEC(4), false, settle, &t));
	check_int(t.ticks, raced + 2);
	timers_free(&t.timers);
}

TEST(a_held_clock_stands_still_and_does_not_jump_later)
{
	struct ticking t;
	struct clock c;

	begin(&t);
	clock_init(&c, &t.timers, 1, SEC(5));
	c.held = true;
	check(clock_run(&c, SEC(60), true, settle, &t));
	check_int(t.ticks, 0);
	check(clock_patience(&c, SEC(60)) == TIMERS_NEVER);
	c.held = false;
	check(clock_run(&c, SEC(90), true, settle, &t));
	check_int(t.ticks, 0);
	check(clock_run(&c, SEC(91), true, settle, &t));
	check_int(t.ticks, 1);
	timers_free(&t.timers);
}

static struct clock *to_hold;

static bool settle_and_hold(void *ctx)
{
	to_hold->held = true;
	return settle(ctx);
}

TEST(a_race_ends_with_the_instant_that_holds_the_clock)
{
	struct ticking t;
	struct clock c;

	begin(&t);
	clock_init(&c, &t.timers, CLOCK_MAX_SPEED, SEC(5));
	to_hold = &c;
	check(clock_run(&c, SEC(5), true, settle_and_hold, &t));
	check_int(t.ticks, 1);
	check(clock_run(&c, SEC(60), true, settle_and_hold, &t));
	check_int(t.ticks, 1);
	timers_free(&t.timers);
}

TEST(a_refused_commit_stops_time_at_once)
{
	struct ticking t;
	struct clock c;

	begin(&t);
	clock_init(&c, &t.timers, 1, SEC(5));
	check(!clock_run(&c, SEC(60), true, refuse, &t));
	check_int(t.ticks, 1);
	timers_free(&t.timers);
}

static struct clock *asked; /* the tick at which somebody is asked something */
static unsigned ask_at;

static bool settle_and_ask(void *ctx)
{
	struct ticking *t = ctx;

	if (++t->settled == ask_at)
		asked->calm = true;
	return true;
}

TEST(a_person_who_is_asked_lives_in_real_time)
{
	struct ticking t;
	struct clock c;
	uint64_t now = loop_now();

	begin(&t);
	clock_init(&c, &t.timers, CLOCK_MAX_SPEED, now);
	asked = &c;
	ask_at = 10;
	check(clock_run(&c, now, true, settle_and_ask, &t));
	check_int(t.ticks, 10); /* not one instant more at that pace */
	check(clock_run(&c, now + MSEC(10), true, settle_and_ask, &t));
	check(clock_run(&c, now + SEC(3) + MSEC(10), true, settle_and_ask, &t));
	check_int(t.ticks, 13);
	check(clock_patience(&c, now + SEC(3) + MSEC(10)) == SEC(1));
	c.calm = false;
	check(clock_run(&c, now + SEC(3) + MSEC(20), true, settle, &t));
	check(t.ticks >= 64);
	timers_free(&t.timers);

	begin(&t);
	clock_init(&c, &t.timers, 10, SEC(5));
	c.calm = true;
	check(clock_run(&c, SEC(6), true, settle, &t));
	check(clock_run(&c, SEC(8), true, settle, &t));
	check_int(t.ticks, 2);
	c.calm = false;
	check(clock_run(&c, SEC(8), true, settle, &t));
	check(clock_run(&c, SEC(9), true, settle, &t));
	check_int(t.ticks, 12);
	timers_free(&t.timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_time_runs_as_fast_as_the_clock),
		cmocka_unit_test(ten_times_faster_is_ten_times_faster),
		cmocka_unit_test(max_races_while_busy_and_only_then),
		cmocka_unit_test(a_held_clock_stands_still_and_does_not_jump_later),
		cmocka_unit_test(a_race_ends_with_the_instant_that_holds_the_clock),
		cmocka_unit_test(a_refused_commit_stops_time_at_once),
		cmocka_unit_test(a_person_who_is_asked_lives_in_real_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
