/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   Client                                                Node
 *     Large Composition Data Get (8074) page, offset 0 -->
 *                                                      <--  Status (8075) page, 0, size, data
 *     Get page, offset n                               -->
 *                                                      <--  Status page, n, size, data
 *     ... until there are as many octets as the size says
 *
 * A page that changes on the way is read again from its beginning.
 */
#include "large_composition.h"

#include <assert.h>
#include <string.h>

enum { RESTARTS = 3 };

bool large_composition_status_decode(struct large_composition_status *out, struct bytes params)
{
	struct rd r = rd_from(params);

	out->page = rd_u8(&r);
	out->offset = rd_le16(&r);
	out->total = rd_le16(&r);
	out->data = rd_rest(&r);
	return rd_ok(&r) && (out->data.n == 0 || out->offset + out->data.n <= out->total);
}

/* The part that was asked for, of the page asked for or the highest below it. */
static bool matches(void *ctx, const struct access_message *m)
{
	const struct large_composition *c = ctx;
	struct large_composition_status s;

	if (!large_composition_status_decode(&s, m->params)) {
		access_malformed(c->access);
		return false;
	}
	return s.page <= c->asked && s.offset == c->got;
}

static void finish(struct large_composition *c, enum access_result r)
{
	c->running = false;
	c->data = r == ACCESS_OK ? bytes_of(c->buf, c->got) : bytes_of(NULL, 0);
	c->done(c->ctx, r, c);
}

static void ask(struct large_composition *c);

/* Is this part of what came before? The first part says what is to come. */
static bool continues(struct large_composition *c, const struct large_composition_status *s)
{
	if (c->got == 0) {
		c->page = s->page;
		c->total = s->total;
	}
	return s->page == c->page && s->total == c->total;
}

static void on_answer(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct large_composition *c = ctx;
	struct large_composition_status s;

	if (r != ACCESS_OK || !large_composition_status_decode(&s, answer->params)) {
		finish(c, r);
		return;
	}
	if (!continues(c, &s)) {
		c->got = 0;
		if (c->restarts++ < RESTARTS)
			ask(c);
		else
			finish(c, ACCESS_REJECTED);
		return;
	}
	if (c->total > sizeof(c->buf)) {
		finish(c, ACCESS_TOO_LONG);
		return;
	}
	if (s.data.n > 0)
		memcpy(c->buf + c->got, s.data.p, s.data.n);
	c->got += s.data.n;
	if (c->got == c->total)
		finish(c, ACCESS_OK);
	else if (s.data.n == 0)
		finish(c, ACCESS_REJECTED);
	else
		ask(c);
}

static void ask(struct large_composition *c)
{
	uint8_t buf[3];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_u8(&w, c->asked);
	wr_le16(&w, (uint16_t)c->got);
	c->request = (struct access_request){ .to = c->node,
					      .answer_opcode = OP_LARGE_COMPOSITION_STATUS,
					      .matches = matches,
					      .done = on_answer,
					      .ctx = c };
	access_request(c->access, &c->request, OP_LARGE_COMPOSITION_GET, wr_done(&w));
}

void large_composition_get(struct access *a, struct large_composition *c,
			   const struct access_target *node, uint8_t page)
{
	assert(!c->running);
	c->access = a;
	c->node = *node;
	c->running = true;
	c->asked = page;
	c->page = 0;
	c->restarts = 0;
	c->total = c->got = 0;
	c->data = bytes_of(NULL, 0);
	ask(c);
}

void large_composition_cancel(struct large_composition *c)
{
	if (!c->running)
		return;
	c->running = false;
	access_request_cancel(c->access, &c->request);
}
