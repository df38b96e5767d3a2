/* SPDX-License-Identifier: Apache-2.0 */
#include "outbox.h"

#include <string.h>

static struct outbox *of(struct bearer *b)
{
	return CONTAINER_OF(b, struct outbox, bearer);
}

static bool hold(struct bearer *b, const struct bearer_send *s)
{
	struct outbox *o = of(b);

	if (o->n == ARRAY_LEN(o->waiting)) {
		o->dropped++;
		return false;
	}
	o->waiting[o->n++] = *s;
	return true;
}

static void cancel(struct bearer *b, uint32_t tag)
{
	struct outbox *o = of(b);
	size_t kept = 0;

	if (tag == 0)
		return;
	for (size_t i = 0; i < o->n; i++) {
		if (o->waiting[i].tag != tag)
			o->waiting[kept++] = o->waiting[i];
	}
	o->n = kept;
	o->radio->cancel(o->radio, tag);
}

static void pass_up(void *ctx, const struct bearer_report *report)
{
	struct outbox *o = ctx;

	if (o->bearer.heard)
		o->bearer.heard(o->bearer.heard_ctx, report);
}

void outbox_init(struct outbox *o, struct bearer *radio)
{
	memset(o, 0, sizeof(*o));
	o->bearer.send = hold;
	o->bearer.cancel = cancel;
	o->radio = radio;
	radio->heard = pass_up;
	radio->heard_ctx = o;
}

void outbox_release(struct outbox *o)
{
	for (size_t i = 0; i < o->n; i++) {
		if (!o->radio->send(o->radio, &o->waiting[i]))
			o->dropped++;
	}
	o->n = 0;
}

void outbox_discard(struct outbox *o)
{
	o->n = 0;
	o->radio->heard = NULL;
	o->radio->heard_ctx = NULL;
}

bool outbox_empty(const struct outbox *o)
{
	return o->n == 0;
}
