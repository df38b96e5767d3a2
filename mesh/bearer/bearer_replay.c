/* SPDX-License-Identifier: Apache-2.0 */
#include "bearer_replay.h"

#include <stdlib.h>
#include <string.h>

struct bearer_replay {
	struct bearer bearer;
	struct bearer_replay_config config;
	struct trace_reader reader;
	struct timer timer;
	struct trace_frame next; /* waits for its instant */
	bool begun;
	int64_t first;	/* the recording's first instant */
	uint64_t start; /* ours */
	struct bearer_replay_counters counters;
};

static bool on_send(struct bearer *bearer, const struct bearer_send *s)
{
	struct bearer_replay *b = CONTAINER_OF(bearer, struct bearer_replay, bearer);

	b->counters.lost++;
	return true;
}

static void on_cancel(struct bearer *bearer, uint32_t tag)
{
}

static void on_due(void *ctx);

/* Microseconds from now; what goes back in time comes at once. The file says what it likes. */
static uint64_t delay(const struct bearer_replay *b)
{
	uint64_t since = timers_now(b->config.timers) - b->start, at;

	if (b->next.at <= b->first)
		return 0;
	at = (uint64_t)b->next.at - (uint64_t)b->first;
	return at > since ? at - since : 0;
}

/* Reads on to what was heard next, and waits for it. */
static void wait_for_next(struct bearer_replay *b)
{
	enum trace_result result;

	while ((result = trace_read(&b->reader, &b->next)) == TRACE_FRAME) {
		if (!b->begun)
			b->first = b->next.at;
		b->begun = true;
		if (!b->next.sent)
			break;
		b->counters.passed_over++;
	}
	if (result == TRACE_FRAME)
		timer_start(b->config.timers, &b->timer, delay(b), on_due, b);
	else if (b->config.ended)
		b->config.ended(b->config.ctx, result);
}

static void on_due(void *ctx)
{
	struct bearer_replay *b = ctx;
	struct trace_frame now = b->next;
	struct bearer_report report = { .data = bytes_of(now.data, now.len),
					.event_type = now.event_type,
					.rssi = now.rssi };

	memcpy(report.address, now.address, sizeof(report.address));
	b->counters.heard++;
	if (b->bearer.heard)
		b->bearer.heard(b->bearer.heard_ctx, &report);
	wait_for_next(b);
}

static void on_start(void *ctx)
{
	wait_for_next(ctx);
}

struct bearer_replay *bearer_replay_open(const struct bearer_replay_config *config,
					 char error[BEARER_REPLAY_ERROR])
{
	struct bearer_replay *b = calloc(1, sizeof(*b));

	if (!b)
		abort();
	b->config = *config;
	b->bearer.send = on_send;
	b->bearer.cancel = on_cancel;
	b->start = timers_now(config->timers);
	if (!trace_open(&b->reader, config->file)) {
		snprintf(error, BEARER_REPLAY_ERROR, "this is no btsnoop file of HCI H4");
		free(b);
		return NULL;
	}
	timer_start(config->timers, &b->timer, 0, on_start, b);
	return b;
}

void bearer_replay_close(struct bearer_replay *b)
{
	if (!b)
		return;
	timer_stop(b->config.timers, &b->timer);
	free(b);
}

struct bearer *bearer_replay_bearer(struct bearer_replay *b)
{
	return &b->bearer;
}

struct bearer_replay_counters bearer_replay_counters(const struct bearer_replay *b)
{
	struct bearer_replay_counters c = b->counters;

	c.passed_over += b->reader.passed_over;
	return c;
}
