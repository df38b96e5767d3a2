/* SPDX-License-Identifier: Apache-2.0 */
/* Health Server of a simulated node: the Attention Timer, Mesh 4.2.10 and 4.3.3.9 to 12. */
#include "dev_core.h"

static uint8_t seconds_left(const struct device *d)
{
	uint64_t now = timers_now(d->env.timers);

	if (d->attention_until <= now)
		return 0;
	return (uint8_t)((d->attention_until - now + SEC(1) - 1) / SEC(1));
}

static void on_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	uint8_t buf[3];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, OP_HEALTH_ATTENTION_STATUS);
	wr_u8(&w, seconds_left(d));
	dev_access_reply(d, m, &w);
}

static void on_set_unack(struct device *d, const struct dev_message *m, struct bytes params)
{
	d->attention_until = timers_now(d->env.timers) + SEC(params.p[0]);
}

static void on_set(struct device *d, const struct dev_message *m, struct bytes params)
{
	on_set_unack(d, m, params);
	on_get(d, m, params);
}

const struct dev_handler dev_health_handlers[] = {
	{ OP_HEALTH_ATTENTION_GET, 0, 0, on_get },
	{ OP_HEALTH_ATTENTION_SET, 1, 1, on_set },
	{ OP_HEALTH_ATTENTION_SET_UNACK, 1, 1, on_set_unack },
	{ 0, 0, 0, NULL },
};
