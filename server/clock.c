/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include "loop.h"

static unsigned pace(const struct clock *c)
{
	return c->speed == CLOCK_MAX_SPEED || c->was_calm ? 1 : c->speed;
}

static void rebase(struct clock *c, uint64_t real_now)
{
	c->real_base = real_now;
	c->mesh_base = timers_now(c->mesh);
}

void clock_init(struct clock *c, struct timers *mesh, unsigned speed, uint64_t real_now)
{
	*c = (struct clock){ .mesh = mesh, .speed = speed };
	rebase(c, real_now);
}

/* Where mesh time should be, at the pace of real time. */
static uint64_t wanted(const struct clock *c, uint64_t real_now)
{
	return c->mesh_base + (real_now - c->real_base) * pace(c);
}

bool clock_run(struct clock *c, uint64_t real_now, bool busy, bool (*settle)(void *), void *ctx)
{
	uint64_t target, end = real_now + CLOCK_BUDGET_US;
	bool racing = c->speed == CLOCK_MAX_SPEED && busy && !c->calm;
	unsigned fired = 0;

	/* While it was held, nobody may have called: that time is not made up for. */
	if (racing != c->racing || c->calm != c->was_calm || c->held || c->was_held) {
		c->racing = racing;
		c->was_calm = c->calm;
		rebase(c, real_now);
	}
	c->was_held = c->held;
	if (c->held)
		return true;
	target = racing ? TIMERS_NEVER - 1 : wanted(c, real_now);
	while (timers_fire_next(c->mesh, target)) {
		if (!settle(ctx))
			return false;
		/* since this instant: the pace is another */
		if (c->held || (c->calm && !c->was_calm))
			return true;
		if (++fired % 64 == 0 && loop_now() > end)
			break;
	}
	if (racing || timers_next(c->mesh) <= target) {
		if (!racing && target - timers_now(c->mesh) > c->lag)
			c->lag = target - timers_now(c->mesh);
		return true;
	}
	timers_advance(c->mesh, target);
	return true;
}

uint64_t clock_patience(const struct clock *c, uint64_t real_now)
{
	uint64_t next = timers_next(c->mesh), now = wanted(c, real_now);

	if (c->held || next == TIMERS_NEVER)
		return TIMERS_NEVER;
	if (c->racing || next <= now)
		return 0;
	return (next - now + pace(c) - 1) / pace(c);
}
