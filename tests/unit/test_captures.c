/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings by the API: limits, one at a time, what is left after a restart. */
#include "captures.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "trace.h"

enum { NOW = 1767225600 };

struct site {
	char data[64];
	struct timers time;
	struct bearer radio;
	struct capture tap;
	struct captures *captures;
	struct api_captures api;
	unsigned sent, heard;
	int64_t ids[8];
	size_t n_ids, limit;
};

static bool on_send(struct bearer *b, const struct bearer_send *s)
{
	CONTAINER_OF(b, struct site, radio)->sent++;
	return true;
}

static void on_heard(void *ctx, const struct bearer_report *report)
{
	((struct site *)ctx)->heard++;
}

static int64_t on_wall(void *ctx)
{
	return INT64_C(1000) * NOW + (int64_t)(timers_now(&((struct site *)ctx)->time) / 1000);
}

static void open_captures(struct site *s)
{
	struct captures_config config = {
		.data = s->data,
		.tap = &s->tap,
		.real_time = &s->time,
		.wall = on_wall,
		.ctx = s,
	};

	s->captures = captures_new(&config);
	assert_non_null(s->captures);
	captures_api(s->captures, &s->api);
}

static struct site *site_new(void)
{
	struct site *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	strcpy(s->data, "/tmp/meshmason-captures-XXXXXX");
	assert_non_null(mkdtemp(s->data));
	timers_init(&s->time, 0);
	s->radio.send = on_send;
	capture_init(&s->tap, &s->radio, &s->time, INT64_C(1000000) * NOW);
	s->tap.bearer.heard = on_heard;
	s->tap.bearer.heard_ctx = s;
	open_captures(s);
	return s;
}

static void site_free(struct site *s)
{
	char command[128];

	captures_free(s->captures);
	timers_free(&s->time);
	snprintf(command, sizeof(command), "rm -r %s", s->data);
	check_int(system(command), 0);
	free(s);
}

static void traffic(struct site *s, unsigned n)
{
	struct bearer_send send = { .kind = BEARER_NETWORK, .count = 3, .len = 3 };
	uint8_t octets[10] = { 9, 0x2A };
	struct bearer_report report = { .data = bytes_of(octets, sizeof(octets)), .rssi = -50 };

	for (unsigned i = 0; i < n; i++) {
		s->tap.bearer.send(&s->tap.bearer, &send);
		s->radio.heard(s->radio.heard_ctx, &report);
	}
}

static int64_t start(struct site *s, int64_t seconds, uint64_t octets)
{
	char why[API_WHY] = "";
	int64_t id = 0;

	check_int(s->api.start(s->api.ctx, seconds, octets, &id, why), API_CAPTURE_OK);
	check_str(why, "");
	return id;
}

static struct api_capture get(struct site *s, int64_t id)
{
	struct api_capture c;

	check_int(s->api.get(s->api.ctx, id, &c), API_CAPTURE_OK);
	return c;
}

/* Every octet that is offered for download is part of a good recording; its frames. */
static unsigned frames_in(struct site *s, int64_t id, uint64_t *octets)
{
	int fd = s->api.open(s->api.ctx, id, octets);
	struct trace_reader reader;
	struct trace_frame frame;
	enum trace_result result;
	unsigned n = 0;
	FILE *f;

	check(fd >= 0);
	f = fdopen(fd, "rb");
	check(trace_open(&reader, f));
	while ((result = trace_read(&reader, &frame)) == TRACE_FRAME)
		n++;
	check_int(result, TRACE_END);
	check_int(ftello(f), *octets);
	fclose(f);
	return n;
}

TEST(a_recording_runs_until_it_is_stopped)
{
	struct site *s = site_new();
	char why[API_WHY], path[128];
	struct stat st;
	uint64_t octets;
	int64_t id, other;

	traffic(s, 5);
	id = start(s, 600, 1 << 20);
	check_int(id, NOW);
	traffic(s, 7);
	check_int(get(s, id).ended, 0);
	check_int(get(s, id).frames, 14);
	check_int(get(s, id).seconds, 600);
	check_int(get(s, id).max_octets, 1 << 20);
	check_int(frames_in(s, id, &octets), 14); /* while it runs */
	check_int(get(s, id).octets, octets);
	traffic(s, 1);
	check_int(s->api.start(s->api.ctx, 1, 4096, &other, why), API_CAPTURE_STATE);
	check(strstr(why, "one at a time") != NULL);
	timers_advance(&s->time, SEC(5));
	check_int(s->api.stop(s->api.ctx, id, why), API_CAPTURE_OK);
	traffic(s, 3);
	check_int(frames_in(s, id, &octets), 16);
	check_str(get(s, id).end, "stopped");
	check_int(get(s, id).ended, (NOW + 5) * INT64_C(1000));
	check_int(get(s, id).started, NOW * INT64_C(1000));
	check_int(s->api.stop(s->api.ctx, id, why), API_CAPTURE_STATE);
	check_int(s->api.stop(s->api.ctx, id + 9, why), API_CAPTURE_NONE);
	snprintf(path, sizeof(path), "%s/captures/%lld.btsnoop", s->data, (long long)id);
	check(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
	check_int(s->sent, 16); /* recorded or not, all went through */
	check_int(s->heard, 16);
	check_int(timers_next(&s->time), TIMERS_NEVER);
	site_free(s);
}

TEST(time_ends_a_recording)
{
	struct site *s = site_new();
	int64_t id = start(s, 3, 1 << 20);

	timers_advance(&s->time, SEC(2));
	check_int(get(s, id).ended, 0);
	timers_advance(&s->time, SEC(3));
	check_str(get(s, id).end, "time");
	check_int(timers_next(&s->time), TIMERS_NEVER);
	site_free(s);
}

TEST(size_ends_a_recording_with_a_whole_record)
{
	struct site *s = site_new();
	int64_t id = start(s, 600, 4096);
	uint64_t octets;
	unsigned n;

	traffic(s, 500);
	n = frames_in(s, id, &octets);
	check(octets <= 4096 && octets > 3500 && n > 40);
	timers_advance(&s->time, SEC(1));
	check_str(get(s, id).end, "size");
	check_int(get(s, id).frames, n);
	check_int(frames_in(s, id, &octets), n);
	site_free(s);
}

static bool add_id(void *ctx, const struct api_capture *c)
{
	struct site *s = ctx;

	if (s->n_ids == s->limit)
		return false;
	s->ids[s->n_ids++] = c->id;
	return true;
}

static size_t list(struct site *s, int64_t after, size_t limit)
{
	s->n_ids = 0;
	s->limit = limit;
	s->api.each(s->api.ctx, after, add_id, s);
	return s->n_ids;
}

TEST(recordings_are_listed_in_order_and_outlive_the_server)
{
	struct site *s = site_new();
	int64_t id[3];
	char why[API_WHY], path[128];
	uint64_t octets;

	check_int(list(s, 0, 8), 0);
	for (int i = 0; i < 3; i++) { /* within one second */
		id[i] = start(s, 600, 1 << 20);
		traffic(s, 2);
		if (i < 2)
			check_int(s->api.stop(s->api.ctx, id[i], why), API_CAPTURE_OK);
	}
	check(id[0] < id[1] && id[1] < id[2]);
	captures_free(s->captures); /* the third still ran */
	snprintf(path, sizeof(path), "%s/captures/notes.txt", s->data);
	fclose(fopen(path, "w"));
	snprintf(path, sizeof(path), "%s/captures/9223372036854775807.btsnoop", s->data);
	fclose(fopen(path, "w"));
	open_captures(s);
	check_int(list(s, 0, 8), 3);
	check_int(s->ids[0], id[0]);
	check_int(s->ids[2], id[2]);
	check_int(list(s, id[0], 1), 1);
	check_int(s->ids[0], id[1]);
	check_int(get(s, id[2]).frames, -1);
	check(get(s, id[2]).end == NULL && get(s, id[2]).ended > 0);
	check_int(frames_in(s, id[2], &octets), 4);
	check(start(s, 600, 1 << 20) > id[2]);
	site_free(s);
}

TEST(a_recording_can_be_deleted_while_it_runs)
{
	struct site *s = site_new();
	struct api_capture c;
	int64_t id = start(s, 600, 1 << 20);
	char why[API_WHY];
	uint64_t octets;

	check_int(s->api.remove(s->api.ctx, id, why), API_CAPTURE_OK);
	check_int(s->api.get(s->api.ctx, id, &c), API_CAPTURE_NONE);
	check_int(s->api.open(s->api.ctx, id, &octets), -1);
	check_int(s->api.remove(s->api.ctx, id, why), API_CAPTURE_NONE);
	traffic(s, 1);
	check(start(s, 600, 1 << 20) > id); /* an id is not given twice */
	site_free(s);
}

TEST(a_link_in_the_folder_is_not_followed)
{
	struct site *s = site_new();
	char path[128];
	struct api_capture c;
	uint64_t octets;

	start(s, 600, 1 << 20);
	snprintf(path, sizeof(path), "%s/captures/5.btsnoop", s->data);
	check_int(symlink("/etc/passwd", path), 0);
	check_int(s->api.get(s->api.ctx, 5, &c), API_CAPTURE_NONE);
	check_int(s->api.open(s->api.ctx, 5, &octets), -1);
	site_free(s);
}

TEST(a_disk_that_is_too_full_is_said)
{
	struct site *s = site_new();
	char why[API_WHY] = "";
	int64_t id;

	check_int(s->api.start(s->api.ctx, 1, UINT64_C(1) << 62, &id, why), API_CAPTURE_STATE);
	check(strstr(why, "make room") != NULL);
	site_free(s);
}

TEST(two_recordings_of_two_owners_run_side_by_side)
{
	struct site *s = site_new();
	struct capture_file flag, third;
	char path[128];
	uint64_t octets;
	int64_t id;

	snprintf(path, sizeof(path), "%s/flag.btsnoop", s->data);
	check(capture_start(&s->tap, &flag, path, 0));
	traffic(s, 1);
	id = start(s, 600, 1 << 20);
	traffic(s, 2);
	check(!capture_start(&s->tap, &third, path, 0));
	check_int(frames_in(s, id, &octets), 4);
	check_int(flag.frames, 6);
	check(capture_stop(&s->tap, &flag));
	traffic(s, 1);
	check_int(get(s, id).frames, 6);
	site_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_runs_until_it_is_stopped),
		cmocka_unit_test(time_ends_a_recording),
		cmocka_unit_test(size_ends_a_recording_with_a_whole_record),
		cmocka_unit_test(recordings_are_listed_in_order_and_outlive_the_server),
		cmocka_unit_test(a_recording_can_be_deleted_while_it_runs),
		cmocka_unit_test(a_link_in_the_folder_is_not_followed),
		cmocka_unit_test(a_disk_that_is_too_full_is_said),
		cmocka_unit_test(two_recordings_of_two_owners_run_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
