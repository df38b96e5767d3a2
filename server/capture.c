/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "trace.h"

static void write_frame(struct capture *c, const struct trace_frame *frame)
{
	if (!c->file || c->failed)
		return;
	if (trace_write(c->file, frame)) {
		c->frames++;
		return;
	}
	c->failed = true;
	log_warning("capture: %s; the rest is not recorded", strerror(errno));
}

static bool tap_send(struct bearer *b, const struct bearer_send *s)
{
	struct capture *c = CONTAINER_OF(b, struct capture, bearer);
	struct trace_frame frame = { .sent = true, .rssi = RSSI_UNKNOWN, .len = s->len };

	frame.at = c->epoch + (int64_t)timers_now(c->timers);
	memcpy(frame.data, s->data, s->len);
	write_frame(c, &frame);
	return c->radio->send(c->radio, s);
}

static void tap_cancel(struct bearer *b, uint32_t tag)
{
	struct capture *c = CONTAINER_OF(b, struct capture, bearer);

	c->radio->cancel(c->radio, tag);
}

static void tap_heard(void *ctx, const struct bearer_report *report)
{
	struct capture *c = ctx;
	struct trace_frame frame = { .event_type = report->event_type, .rssi = report->rssi };

	if (c->file && report->data.n <= sizeof(frame.data)) {
		frame.at = c->epoch + (int64_t)timers_now(c->timers);
		memcpy(frame.address, report->address, sizeof(frame.address));
		frame.len = (uint8_t)report->data.n;
		memcpy(frame.data, report->data.p, report->data.n);
		write_frame(c, &frame);
	}
	if (c->bearer.heard)
		c->bearer.heard(c->bearer.heard_ctx, report);
}

void capture_init(struct capture *c, struct bearer *radio, struct timers *timers, int64_t epoch)
{
	memset(c, 0, sizeof(*c));
	c->bearer.send = tap_send;
	c->bearer.cancel = tap_cancel;
	c->radio = radio;
	c->timers = timers;
	c->epoch = epoch;
	radio->heard = tap_heard;
	radio->heard_ctx = c;
}

static void flush_due(void *ctx)
{
	struct capture *c = ctx;

	fflush(c->file);
	timer_start(c->timers, &c->flush, SEC(1), flush_due, c);
}

bool capture_start(struct capture *c, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	c->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (!c->file || !trace_begin(c->file)) {
		if (c->file)
			fclose(c->file);
		else if (fd >= 0)
			close(fd);
		c->file = NULL;
		return false;
	}
	c->frames = 0;
	c->failed = false;
	timer_start(c->timers, &c->flush, SEC(1), flush_due, c);
	return true;
}

bool capture_running(const struct capture *c)
{
	return c->file != NULL;
}

bool capture_stop(struct capture *c)
{
	bool good = true;

	if (!c->file)
		return true;
	timer_stop(c->timers, &c->flush);
	good = fclose(c->file) == 0 && !c->failed;
	c->file = NULL;
	return good;
}
