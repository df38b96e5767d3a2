/* SPDX-License-Identifier: Apache-2.0 */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

struct frame {
	char *text; /* NULL: a gap, nobody was there to read it */
	size_t n;
};

struct event_stream {
	struct events *events;
	struct event_stream *next;
	void *reader;
	uint64_t at;	  /* number of the frame it reads */
	size_t offset;	  /* octets of it already read */
	char prelude[96]; /* said before any frame: hello, heartbeat, reset */
	size_t prelude_n, prelude_at;
	bool parked, ended;
};

struct events {
	struct events_env env;
	char boot[EVENTS_BOOT];
	struct frame ring[EVENTS_RING];
	uint64_t first, next; /* numbers of the oldest frame and of the coming one */
	size_t octets;
	struct event_mark dirty[EVENTS_DIRTY_MAX];
	size_t n_dirty;
	bool overflow; /* too many marks: readers start anew */
	bool quiet;    /* marks were dropped while nobody listened */
	struct event_stream *streams;
	size_t n_streams;
	uint64_t last_left;
	struct timer flush, beat;
};

static void beat(void *ctx);

struct events *events_new(const struct events_env *env, const char boot[EVENTS_BOOT])
{
	struct events *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->env = *env;
	memcpy(e->boot, boot, EVENTS_BOOT - 1);
	e->first = e->next = 1;
	e->quiet = true;
	timer_start(env->timers, &e->beat, EVENTS_BEAT_US, beat, e);
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	timer_stop(e->env.timers, &e->flush);
	timer_stop(e->env.timers, &e->beat);
	while (e->streams)
		events_close(e->streams);
	for (size_t i = 0; i < EVENTS_RING; i++)
		free(e->ring[i].text);
	free(e);
}

static void wake(struct event_stream *s)
{
	if (s->parked) {
		s->parked = false;
		s->events->env.wake(s->events->env.ctx, s->reader);
	}
}

static void wake_all(struct events *e)
{
	for (struct event_stream *s = e->streams; s; s = s->next)
		wake(s);
}

static void drop_oldest(struct events *e)
{
	struct frame *f = &e->ring[e->first++ % EVENTS_RING];

	e->octets -= f->n;
	free(f->text);
	*f = (struct frame){ 0 };
}

/* Forgets all frames: an id from before gives a reset. */
static void forget_all(struct events *e)
{
	while (e->first < e->next)
		drop_oldest(e);
	e->first = ++e->next;
}

void events_publish(struct events *e, const char *type, const char *data)
{
	struct frame f = { 0 };
	int n = asprintf(&f.text, "id: %s-%llu\nevent: %s\ndata: %s\n\n", e->boot,
			 (unsigned long long)e->next, type, data);

	if (n < 0) {
		log_error("api: no memory for an event");
		return;
	}
	f.n = (size_t)n;
	while (e->first < e->next &&
	       (e->next - e->first == EVENTS_RING || e->octets + f.n > EVENTS_RING_OCTETS))
		drop_oldest(e);
	e->ring[e->next++ % EVENTS_RING] = f;
	e->octets += f.n;
}

static bool listened_to(const struct events *e)
{
	return e->streams ||
	       (e->last_left && timers_now(e->env.timers) - e->last_left < EVENTS_LINGER_US);
}

static void flush_due(void *ctx)
{
	events_flush(ctx);
}

void events_mark(struct events *e, const struct event_mark *m)
{
	if (!listened_to(e)) {
		e->quiet = true;
		return;
	}
	if (!timer_running(&e->flush))
		timer_start(e->env.timers, &e->flush, EVENTS_FLUSH_US, flush_due, e);
	for (size_t i = 0; i < e->n_dirty; i++) {
		struct event_mark *d = &e->dirty[i];

		if (d->kind == m->kind && memcmp(d->key, m->key, EVENTS_KEY) == 0) {
			d->gone = m->gone;
			return;
		}
	}
	if (e->n_dirty == EVENTS_DIRTY_MAX)
		e->overflow = true;
	else
		e->dirty[e->n_dirty++] = *m;
}

void events_flush(struct events *e)
{
	size_t n = e->n_dirty;

	timer_stop(e->env.timers, &e->flush);
	e->n_dirty = 0;
	if (e->overflow) {
		e->overflow = false;
		forget_all(e);
		events_publish(e, "reset", "{}");
	} else {
		for (size_t i = 0; i < n; i++)
			e->env.render(e->env.ctx, &e->dirty[i]);
	}
	wake_all(e);
}

static void say(struct event_stream *s, const char *text)
{
	s->prelude_n = (size_t)snprintf(s->prelude, sizeof(s->prelude), "%s", text);
	s->prelude_at = 0;
}

static void beat(void *ctx)
{
	struct events *e = ctx;

	timer_start(e->env.timers, &e->beat, EVENTS_BEAT_US, beat, e);
	for (struct event_stream *s = e->streams; s; s = s->next) {
		if (!e->env.keep(e->env.ctx, s->reader))
			s->ended = true;
		/* Within a frame, or with words still unsaid, the client hears from us anyway. */
		if (s->offset == 0 && s->prelude_at == s->prelude_n)
			say(s, ": still here\n\n");
		wake(s);
	}
}

/* The number after our own boot id; false for any other text. */
static bool id_parse(const struct events *e, const char *text, uint64_t *number)
{
	size_t n = strlen(e->boot);
	char *end;

	if (strncmp(text, e->boot, n) != 0 || text[n] != '-' || text[n + 1] < '0' ||
	    text[n + 1] > '9')
		return false;
	*number = strtoull(text + n + 1, &end, 10);
	return *end == '\0';
}

static void say_hello(struct event_stream *s, bool reset)
{
	struct events *e = s->events;
	char text[96];

	/* The id without data tells the client where it stands before the first event. */
	snprintf(text, sizeof(text), "retry: 2000\nid: %s-%llu\n%s\n", e->boot,
		 (unsigned long long)(s->at - 1), reset ? "event: reset\ndata: {}\n" : "");
	say(s, text);
}

struct event_stream *events_open(struct events *e, const char *last_id, void *reader)
{
	struct event_stream *s;
	uint64_t last = 0;
	bool known;

	if (e->n_streams == EVENTS_STREAMS_MAX)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	if (e->quiet) {
		e->quiet = false;
		forget_all(e);
	}
	known = last_id && id_parse(e, last_id, &last) && last + 1 >= e->first && last < e->next;
	*s = (struct event_stream){ .events = e, .reader = reader, .next = e->streams };
	s->at = known ? last + 1 : e->next;
	say_hello(s, last_id && !known);
	e->streams = s;
	e->n_streams++;
	return s;
}

void events_close(struct event_stream *s)
{
	struct events *e = s->events;
	struct event_stream **at = &e->streams;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	e->n_streams--;
	e->last_left = timers_now(e->env.timers);
	free(s);
}

static size_t copy_part(char *buf, size_t max, const char *text, size_t n, size_t *at)
{
	size_t part = n - *at < max ? n - *at : max;

	memcpy(buf, text + *at, part);
	*at += part;
	return part;
}

long events_read(struct event_stream *s, char *buf, size_t max)
{
	struct events *e = s->events;
	size_t n = 0;

	if (s->ended)
		return -1;
	/* A reader that was overtaken in the middle of a frame cannot end it properly. */
	if (s->at < e->first && s->offset > 0)
		return -1;
	if (s->at < e->first) {
		s->at = e->next;
		say_hello(s, true);
	}
	while (n < max) {
		struct frame *f = &e->ring[s->at % EVENTS_RING];

		if (s->offset == 0 && s->prelude_at < s->prelude_n) {
			n += copy_part(buf + n, max - n, s->prelude, s->prelude_n, &s->prelude_at);
			continue;
		}
		if (s->at == e->next)
			break;
		n += copy_part(buf + n, max - n, f->text, f->n, &s->offset);
		if (s->offset == f->n) {
			s->offset = 0;
			s->at++;
		}
	}
	s->parked = n == 0;
	return (long)n;
}

void events_end(struct events *e)
{
	for (struct event_stream *s = e->streams; s; s = s->next) {
		s->ended = true;
		wake(s);
	}
}

size_t events_streams(const struct events *e)
{
	return e->n_streams;
}
