/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a job: asks twice a second; a server that is being restarted is waited for. */
#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 500, BAR = 30, LOST_POLLS = 120, QUIET_POLLS = 10 };

struct progress {
	bool terminal;
	unsigned polls;
	char last[224];
};

static long count(json_t *job, const char *name)
{
	return (long)json_integer_value(json_object_get(json_object_get(job, "counts"), name));
}

static void bar_fill(char out[BAR + 1], long done, long total)
{
	long full = total > 0 ? done * BAR / total : 0;

	for (long i = 0; i < BAR; i++)
		out[i] = i < full ? '#' : '.';
	out[BAR] = '\0';
}

/* One line that is written over on a terminal; elsewhere a line when something changed, every five
 * seconds at most. */
static void progress_show(struct progress *p, json_t *job)
{
	long total = count(job, "total"), good = count(job, "succeeded"),
	     bad = count(job, "failed") + count(job, "cancelled");
	json_t *left = json_object_get(job, "seconds_left");
	char bar[BAR + 1], line[224], state[32], open[16], time[64] = "";

	bar_fill(bar, good + bad, total);
	if (json_is_integer(left))
		snprintf(time, sizeof(time), "  about %lld:%02lld left",
			 (long long)json_integer_value(left) / 60,
			 (long long)json_integer_value(left) % 60);
	snprintf(line, sizeof(line), "[%s] %ld of %ld, %ld failed, %s links  %s%s", bar, good,
		 total, bad, value_text(job, "links.open", open, sizeof(open)),
		 value_text(job, "state", state, sizeof(state)), time);
	if (p->terminal)
		fprintf(stderr, "\r%s\033[K", line);
	else if (p->polls % QUIET_POLLS == 0 && strcmp(line, p->last) != 0)
		fprintf(stderr, "%s\n", line);
	memcpy(p->last, line, sizeof(line));
	p->polls++;
}

static bool has_ended(const char *state)
{
	static const char *const ends[] = { "succeeded", "partial", "failed", "cancelled" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strcmp(ends[i], state) == 0)
			return true;
	return false;
}

int job_exit_status(const char *state)
{
	if (strcmp(state, "succeeded") == 0)
		return EXIT_OK;
	return strcmp(state, "partial") == 0 ? EXIT_PARTIAL : EXIT_FAILED;
}

static void failures_print(struct rest *r, json_int_t id)
{
	static const struct column columns[] = {
		{ "TARGET", "target" },
		{ "NAME", "name" },
		{ "CODE", "error.code" },
		{ "WHAT HAPPENED", "error.message" },
	};
	json_t *tasks, *problem;
	char path[96];
	long status;

	snprintf(path, sizeof(path), "/jobs/%lld/tasks?state=failed", (long long)id);
	tasks = rest_list(r, path, &status, &problem);
	if (json_array_size(tasks)) {
		printf("\n");
		table_print(tasks, columns, sizeof(columns) / sizeof(columns[0]));
	}
	json_decref(tasks);
	json_decref(problem);
}

static void end_print(struct rest *r, json_t *job, bool json)
{
	char state[32], peak[16], why[200];

	if (json) {
		json_print(job);
		return;
	}
	printf("Job %lld %s: %ld of %ld succeeded, %ld failed, at most %s links at a time.\n",
	       (long long)json_integer_value(json_object_get(job, "id")),
	       value_text(job, "state", state, sizeof(state)), count(job, "succeeded"),
	       count(job, "total"), count(job, "failed") + count(job, "cancelled"),
	       value_text(job, "links.peak", peak, sizeof(peak)));
	if (json_is_object(json_object_get(job, "error")))
		printf("%s\n", value_text(job, "error.message", why, sizeof(why)));
	failures_print(r, json_integer_value(json_object_get(job, "id")));
}

int job_watch(struct rest *r, json_int_t id, bool json)
{
	struct timespec pause = { 0, POLL_MS * 1000000L };
	struct progress p = { .terminal = isatty(STDERR_FILENO) };
	unsigned lost = 0;
	char path[64];

	snprintf(path, sizeof(path), "/jobs/%lld", (long long)id);
	for (;;) {
		char state[32];
		json_t *job;
		long status = rest_call(r, "GET", path, NULL, &job);

		if (status == 200) {
			lost = 0;
			progress_show(&p, job);
			if (has_ended(value_text(job, "state", state, sizeof(state)))) {
				if (p.terminal)
					fprintf(stderr, "\n");
				end_print(r, job, json);
				json_decref(job);
				return job_exit_status(state);
			}
		} else if (status != 0 && status != 503) {
			problem_print(status, job);
			json_decref(job);
			return EXIT_FAILED;
		} else if (++lost == LOST_POLLS) {
			fprintf(stderr, "\nmeshmason: the server is gone: %s\n", rest_why(r));
			return EXIT_UNREACHED;
		}
		json_decref(job);
		nanosleep(&pause, NULL);
	}
}
