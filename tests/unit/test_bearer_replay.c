/* SPDX-License-Identifier: Apache-2.0 */
#include "bearer_replay.h"
#include "check.h"

enum { HEARD_MAX = 8 };

struct player {
	struct timers timers;
	struct bearer_replay *replay;
	FILE *file;
	struct {
		uint64_t at;
		uint8_t first, type, address;
		int8_t rssi;
		size_t n;
	} heard[HEARD_MAX];
	size_t n;
	int ended; /* times */
	enum trace_result how;
};

static void on_heard(void *ctx, const struct bearer_report *report)
{
	struct player *p = ctx;

	check(p->n < HEARD_MAX);
	p->heard[p->n].at = timers_now(&p->timers);
	p->heard[p->n].first = report->data.n ? report->data.p[0] : 0;
	p->heard[p->n].n = report->data.n;
	p->heard[p->n].type = report->event_type;
	p->heard[p->n].address = report->address[5];
	p->heard[p->n++].rssi = report->rssi;
}

static void on_ended(void *ctx, enum trace_result how)
{
	struct player *p = ctx;

	p->ended++;
	p->how = how;
}

static void write_frame(FILE *f, int64_t at, bool sent, uint8_t first)
{
	struct trace_frame frame = { .at = at,
				     .sent = sent,
				     .event_type = ADV_NONCONN_IND,
				     .address = { 0, 0, 0, 0, 0, 0xC5 },
				     .rssi = -61,
				     .len = 3,
				     .data = { first, 0x2B, 0x00 } };

	check(trace_write(f, &frame));
}

static void player_init(struct player *p, FILE *file)
{
	struct bearer_replay_config config = { .ended = on_ended, .ctx = p };
	char error[BEARER_REPLAY_ERROR] = "";

	memset(p, 0, sizeof(*p));
	p->file = file;
	rewind(file);
	timers_init(&p->timers, SEC(77));
	config.timers = &p->timers;
	config.file = file;
	p->replay = bearer_replay_open(&config, error);
	check_str(error, "");
	bearer_replay_bearer(p->replay)->heard = on_heard;
	bearer_replay_bearer(p->replay)->heard_ctx = p;
}

static void player_free(struct player *p)
{
	bearer_replay_close(p->replay);
	timers_free(&p->timers);
	fclose(p->file);
}

TEST(what_was_heard_is_heard_at_its_own_instants)
{
	const int64_t t = INT64_C(1767225600000000);
	FILE *f = tmpfile();
	struct player p;

	check(trace_begin(f));
	write_frame(f, t, true, 1); /* the recording begins with a sending */
	write_frame(f, t + 20000, false, 2);
	write_frame(f, t + 20000, false, 3); /* at the same instant */
	write_frame(f, t + 90000, true, 4);
	write_frame(f, t + 5000, false, 5); /* a clock that was set back */
	write_frame(f, t + 1000000, false, 6);
	player_init(&p, f);
	check_int(p.n, 0);
	timers_advance(&p.timers, SEC(77) + 19999);
	check_int(p.n, 0);
	timers_advance(&p.timers, SEC(80));
	check_int(p.n, 4);
	check_int(p.heard[0].at, SEC(77) + 20000);
	check_int(p.heard[0].first, 2);
	check_int(p.heard[0].type, ADV_NONCONN_IND);
	check_int(p.heard[0].address, 0xC5);
	check_int(p.heard[0].rssi, -61);
	check_int(p.heard[0].n, 3);
	check_int(p.heard[1].at, SEC(77) + 20000);
	check_int(p.heard[2].at, SEC(77) + 20000);
	check_int(p.heard[2].first, 5);
	check_int(p.heard[3].at, SEC(78));
	check_int(p.ended, 1);
	check_int(p.how, TRACE_END);
	check_int(bearer_replay_counters(p.replay).heard, 4);
	check_int(bearer_replay_counters(p.replay).passed_over, 2);
	player_free(&p);
}

TEST(what_is_sent_goes_nowhere)
{
	struct bearer_send s = { .kind = BEARER_ACK, .count = 1, .len = 3 };
	FILE *f = tmpfile();
	struct player p;

	check(trace_begin(f));
	player_init(&p, f);
	check(bearer_replay_bearer(p.replay)->send(bearer_replay_bearer(p.replay), &s));
	bearer_replay_bearer(p.replay)->cancel(bearer_replay_bearer(p.replay), 1);
	check_int(bearer_replay_counters(p.replay).lost, 1);
	check_int(p.ended, 0); /* never from within */
	timers_advance(&p.timers, SEC(77));
	check_int(p.ended, 1);
	check_int(p.n, 0);
	player_free(&p);
}

TEST(a_recording_that_is_cut_ends_there)
{
	FILE *f = tmpfile();
	struct player p;

	check(trace_begin(f));
	write_frame(f, 0, false, 1);
	check(fwrite("\0\0\0\x10", 1, 4, f) == 4);
	player_init(&p, f);
	timers_advance(&p.timers, SEC(100));
	check_int(p.n, 1);
	check_int(p.ended, 1);
	check_int(p.how, TRACE_BROKEN);
	player_free(&p);
}

TEST(what_is_no_recording_is_refused)
{
	struct timers timers;
	FILE *f = tmpfile();
	struct bearer_replay_config config = { .timers = &timers, .file = f };
	char error[BEARER_REPLAY_ERROR] = "";

	timers_init(&timers, 0);
	check(fputs("btsnoop, but not quite", f) >= 0);
	rewind(f);
	check(!bearer_replay_open(&config, error));
	check(strstr(error, "btsnoop") != NULL);
	check_int(timers_next(&timers), TIMERS_NEVER);
	timers_free(&timers);
	fclose(f);
}

TEST(instants_far_apart_are_waited_for_without_end_or_overflow)
{
	FILE *f = tmpfile();
	struct player p;

	check(trace_begin(f));
	write_frame(f, INT64_MIN / 2, false, 1);
	write_frame(f, INT64_MAX / 4, false, 2);
	player_init(&p, f);
	timers_advance(&p.timers, SEC(1000000));
	check_int(p.n, 1);
	check_int(p.ended, 0);
	player_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_heard_is_heard_at_its_own_instants),
		cmocka_unit_test(what_is_sent_goes_nowhere),
		cmocka_unit_test(a_recording_that_is_cut_ends_there),
		cmocka_unit_test(what_is_no_recording_is_refused),
		cmocka_unit_test(instants_far_apart_are_waited_for_without_end_or_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
