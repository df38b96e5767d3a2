/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of the event stream and what they say they have seen. Input, repeated: an octet (bit 0:
 * the id is put behind our boot id; bits 1..3: events before the reader comes; bits 4..7: octets
 * that the reader takes at once), then the id, ended by a zero. Accepted: an id was one of ours,
 * and the reader went on from there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "events.h"
#include "fuzz.h"

#define BOOT "b00tb00t"

enum { ID_MAX = 64, READ_MAX = 1 << 16 };

static void render(void *ctx, const struct event_mark *m)
{
}

static void wake(void *ctx, void *reader)
{
}

static bool keep(void *ctx, void *reader)
{
	return true;
}

/* True when the reader was not told to begin anew. */
static bool read_all(struct event_stream *s, size_t step)
{
	static const char reset[] = "event: reset";
	char all[READ_MAX];
	size_t n = 0;
	long got;

	while (n + step < sizeof(all) && (got = events_read(s, all + n, step)) > 0) {
		if ((size_t)got > step)
			abort();
		n += (size_t)got;
	}
	return !memmem(all, n, reset, sizeof(reset) - 1);
}

static bool reader(struct events *e, struct rd *r)
{
	uint8_t head = rd_u8(r);
	const uint8_t *end = r->left ? memchr(r->p, 0, r->left) : NULL;
	struct bytes text = rd_bytes(r, end ? (size_t)(end - r->p) : r->left);
	char id[ID_MAX + sizeof(BOOT) + 1];
	struct event_stream *s;
	bool went_on;

	rd_u8(r);
	for (int i = 0; i < (head >> 1 & 7); i++)
		events_publish(e, "thing.changed", "{\"n\":1}");
	snprintf(id, sizeof(id), "%s%.*s", head & 1 ? BOOT "-" : "",
		 (int)(text.n < ID_MAX ? text.n : ID_MAX), text.p ? (const char *)text.p : "");
	s = events_open(e, id, NULL);
	if (!s)
		return false;
	went_on = read_all(s, (head >> 4) + 1u);
	events_close(s);
	return went_on;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct rd r = rd_from(bytes_of(data, n));
	struct timers timers;
	struct events_env env = { &timers, render, wake, keep, NULL };
	struct event_stream *first;
	struct events *e;
	bool accepted = false;

	timers_init(&timers, SEC(1000));
	e = events_new(&env, BOOT);
	if (!e)
		abort();
	first = events_open(e, NULL, NULL);
	for (unsigned i = 0; i < 32 && r.left > 0; i++)
		accepted = reader(e, &r) || accepted;
	events_close(first);
	events_free(e);
	timers_free(&timers);
	return accepted;
}
