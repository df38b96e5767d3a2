/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdlib.h>

#include "bytes.h"
#include "events.h"

struct world {
	struct timers timers;
	struct events *events;
	unsigned rendered, woken;
	bool keep;
	char all[1 << 16]; /* what the last drain read */
};

static void render(void *ctx, const struct event_mark *m)
{
	struct world *w = ctx;
	char data[64];

	w->rendered++;
	snprintf(data, sizeof(data), "{\"n\":%u,\"gone\":%d}", m->key[0], m->gone);
	events_publish(w->events, "thing.changed", data);
}

static void wake(void *ctx, void *reader)
{
	((struct world *)ctx)->woken++;
}

static bool keep(void *ctx, void *reader)
{
	return ((struct world *)ctx)->keep;
}

static void world_start(struct world *w)
{
	struct events_env env = { &w->timers, render, wake, keep, w };

	memset(w, 0, sizeof(*w));
	timers_init(&w->timers, SEC(1000));
	w->keep = true;
	w->events = events_new(&env, "b00tb00t");
	check(w->events != NULL);
}

static void world_end(struct world *w)
{
	events_free(w->events);
	timers_free(&w->timers);
}

static void mark(struct world *w, uint8_t n)
{
	struct event_mark m = { .kind = 1, .key = { n } };

	events_mark(w->events, &m);
}

static void pass(struct world *w, uint64_t us)
{
	timers_advance(&w->timers, timers_now(&w->timers) + us);
}

/* Everything a stream has to say, read in pieces of size. */
static const char *drain(struct world *w, struct event_stream *s, size_t size)
{
	size_t n = 0;
	long got;

	while ((got = events_read(s, w->all + n, size)) > 0)
		n += (size_t)got;
	w->all[n] = '\0';
	return w->all;
}

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

TEST(a_burst_about_one_thing_is_one_event_a_tenth_of_a_second)
{
	struct event_stream *s;
	struct world w;

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	for (int i = 0; i < 1000; i++) {
		mark(&w, 7);
		pass(&w, 1000);
	}
	pass(&w, SEC(1));
	check(count(drain(&w, s, 4096), "\"n\":7") <= 10);
	check(count(w.all, "\"n\":7") >= 9);
	check(w.woken >= 1);
	world_end(&w);
}

TEST(frames_are_well_formed_however_small_the_pieces)
{
	struct event_stream *s;
	struct world w;

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	check_str(drain(&w, s, 1), "retry: 2000\nid: b00tb00t-1\n\n");
	mark(&w, 1);
	mark(&w, 2);
	pass(&w, EVENTS_FLUSH_US);
	check_str(drain(&w, s, 1),
		  "id: b00tb00t-2\nevent: thing.changed\ndata: {\"n\":1,\"gone\":0}\n\n"
		  "id: b00tb00t-3\nevent: thing.changed\ndata: {\"n\":2,\"gone\":0}\n\n");
	world_end(&w);
}

TEST(who_comes_back_goes_on_where_it_stood)
{
	struct event_stream *s;
	struct world w;

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	mark(&w, 1);
	pass(&w, EVENTS_FLUSH_US);
	check_int(count(drain(&w, s, 4096), "\"n\":1"), 1);
	events_close(s);
	mark(&w, 2); /* nobody listens, but somebody just did */
	pass(&w, EVENTS_FLUSH_US);
	s = events_open(w.events, "b00tb00t-2", &w);
	check_int(count(drain(&w, s, 4096), "\"n\":2"), 1);
	check_int(count(w.all, "\"n\":1"), 0);
	check_int(count(w.all, "event: reset"), 0);
	world_end(&w);
}

TEST(an_id_that_is_not_known_gives_a_reset)
{
	static const char *const ids[] = {
		"b00tb00t-99", "0therone-1", "b00tb00t-",   "b00tb00t-x",
		"x",	       "",	     "b00tb00t-1x", "b00tb00t--1"
	};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		struct event_stream *s;
		struct world w;

		world_start(&w);
		s = events_open(w.events, ids[i], &w);
		check_row(ids[i], count(drain(&w, s, 4096), "event: reset\ndata: {}\n\n") == 1);
		world_end(&w);
	}
}

TEST(what_happened_while_nobody_listened_gives_a_reset)
{
	struct event_stream *s;
	struct world w;

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	events_close(s);
	pass(&w, EVENTS_LINGER_US + SEC(1));
	mark(&w, 1);
	pass(&w, SEC(1));
	check_int(w.rendered, 0);
	s = events_open(w.events, "b00tb00t-1", &w);
	check_int(count(drain(&w, s, 4096), "event: reset"), 1);
	world_end(&w);
}

TEST(a_reader_that_falls_out_of_the_ring_starts_anew)
{
	struct event_stream *s;
	struct world w;

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	for (int i = 0; i < EVENTS_RING + 10; i++)
		events_publish(w.events, "x", "{}");
	check_int(count(drain(&w, s, 4096), "event: reset"), 1);
	check_int(count(w.all, "event: x"), 0);
	events_publish(w.events, "x", "{}");
	check_int(count(drain(&w, s, 4096), "event: x"), 1);
	world_end(&w);
}

TEST(a_reader_overtaken_within_a_frame_is_ended)
{
	struct event_stream *s;
	struct world w;
	char piece[5];

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	events_publish(w.events, "x", "{}");
	check_int(events_read(s, piece, sizeof(piece)), sizeof(piece));
	for (int i = 0; i < EVENTS_RING; i++)
		events_publish(w.events, "x", "{}");
	check_int(events_read(s, piece, sizeof(piece)), -1);
	world_end(&w);
}

TEST(the_ring_holds_no_more_octets_than_it_may)
{
	char *data = malloc(1 << 20);
	struct event_stream *s;
	struct world w;

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	memset(data, 'x', (1 << 20) - 1);
	data[(1 << 20) - 1] = '\0';
	for (int i = 0; i < 8; i++)
		events_publish(w.events, "big", data);
	check_int(count(drain(&w, s, 4096), "event: reset"), 1);
	free(data);
	world_end(&w);
}

TEST(more_marks_than_fit_are_one_reset)
{
	struct event_stream *s;
	struct world w;

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	for (int i = 0; i <= EVENTS_DIRTY_MAX; i++) {
		struct event_mark m = { .kind = 2, .key = { (uint8_t)i, (uint8_t)(i >> 8) } };

		events_mark(w.events, &m);
	}
	pass(&w, EVENTS_FLUSH_US);
	check_int(count(drain(&w, s, 4096), "event: reset"), 1);
	check_int(w.rendered, 0);
	world_end(&w);
}

TEST(a_silent_stream_beats_every_15_seconds)
{
	struct event_stream *s;
	struct world w;

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	pass(&w, EVENTS_BEAT_US);
	check_int(w.woken, 1);
	check_str(drain(&w, s, 4096), ": still here\n\n");
	pass(&w, EVENTS_BEAT_US);
	check_str(drain(&w, s, 4096), ": still here\n\n");
	world_end(&w);
}

TEST(a_reader_that_may_no_longer_listen_is_ended_at_the_next_beat)
{
	struct event_stream *s;
	struct world w;
	char piece[8];

	world_start(&w);
	s = events_open(w.events, NULL, &w);
	drain(&w, s, 4096);
	w.keep = false;
	pass(&w, EVENTS_BEAT_US);
	check_int(w.woken, 1);
	check_int(events_read(s, piece, sizeof(piece)), -1);
	world_end(&w);
}

TEST(there_are_so_many_streams_and_no_more)
{
	struct event_stream *all[EVENTS_STREAMS_MAX];
	struct world w;

	world_start(&w);
	for (size_t i = 0; i < EVENTS_STREAMS_MAX; i++)
		check((all[i] = events_open(w.events, NULL, &w)) != NULL);
	check(!events_open(w.events, NULL, &w));
	events_close(all[3]);
	check(events_open(w.events, NULL, &w) != NULL);
	check_int(events_streams(w.events), EVENTS_STREAMS_MAX);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_about_one_thing_is_one_event_a_tenth_of_a_second),
		cmocka_unit_test(frames_are_well_formed_however_small_the_pieces),
		cmocka_unit_test(who_comes_back_goes_on_where_it_stood),
		cmocka_unit_test(an_id_that_is_not_known_gives_a_reset),
		cmocka_unit_test(what_happened_while_nobody_listened_gives_a_reset),
		cmocka_unit_test(a_reader_that_falls_out_of_the_ring_starts_anew),
		cmocka_unit_test(a_reader_overtaken_within_a_frame_is_ended),
		cmocka_unit_test(the_ring_holds_no_more_octets_than_it_may),
		cmocka_unit_test(more_marks_than_fit_are_one_reset),
		cmocka_unit_test(a_silent_stream_beats_every_15_seconds),
		cmocka_unit_test(a_reader_that_may_no_longer_listen_is_ended_at_the_next_beat),
		cmocka_unit_test(there_are_so_many_streams_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
