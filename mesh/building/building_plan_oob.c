/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices have a display or keys: building_make.h's oob_prompt. */
#include <stdlib.h>

#include "building_plan.h"
#include "rng.h"

enum { STREAM_PROMPT = 11 };

/* In turn, so that a few devices have some of each. */
static const struct {
	uint8_t output_size, output_actions, input_size, input_actions;
} kinds[] = {
	{ .output_size = 5, .output_actions = 1 << 3 }, /* digits on a display */
	{ .input_size = 5, .input_actions = 1 << 2 },	/* a keypad of digits */
	{ .output_size = 6, .output_actions = 1 << 4 }, /* text on a display */
	{ .input_size = 6, .input_actions = 1 << 3 },	/* a keyboard */
	{ .output_size = 1, .output_actions = 1 << 0 }, /* a lamp that blinks */
	{ .input_size = 1, .input_actions = 1 << 0 },	/* a button */
};

static bool suits(const struct building_device *d, int round)
{
	const struct device_make *m = &d->make;

	if (m->fault != DEVICE_SOUND || d->absent || m->output_size || m->input_size)
		return false;
	/* Whose certificate or static value would do needs none, as long as there are others. */
	return round > 0 || (!m->certificates && m->static_oob_len == 0);
}

bool building_plan_prompts(const struct building_keys *k, struct building_file *f)
{
	struct rng rng = rng_seeded(k->seed, STREAM_PROMPT);
	uint64_t done = 0;

	for (int round = 0; round < 2; round++) {
		size_t first = k->oob_prompt ? rng_below(&rng, (uint32_t)f->n) : 0;

		for (size_t i = 0; i < f->n && done < k->oob_prompt; i++) {
			struct building_device *d = &f->devices[(first + i) % f->n];
			size_t kind = done % ARRAY_LEN(kinds);

			if (!suits(d, round))
				continue;
			d->make.output_size = kinds[kind].output_size;
			d->make.output_actions = kinds[kind].output_actions;
			d->make.input_size = kinds[kind].input_size;
			d->make.input_actions = kinds[kind].input_actions;
			done++;
		}
	}
	return done == k->oob_prompt;
}
