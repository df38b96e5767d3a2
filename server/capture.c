/* SPDX-License-Identifier: Apache-2.0 */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "trace.h"

enum {
	BUFFER = 64 * 1024,
	RECORD_MAX = 128, /* of one frame, with its header */
};

static void give_up(struct capture_file *f)
{
	f->failed = true;
	log_warning("capture: %s; the rest is not recorded", strerror(errno));
}

void capture_flush(struct capture_file *f)
{
	if (!f->file || f->failed || f->flushed == f->octets)
		return;
	if (fflush(f->file) == 0)
		f->flushed = f->octets;
	else
		give_up(f);
}

static void write_frame(struct capture_file *f, const struct trace_frame *frame)
{
	off_t end;

	if (f->full || f->failed)
		return;
	if (f->max && f->octets + RECORD_MAX > f->max) {
		f->full = true;
		return;
	}
	/* The buffer never overflows by itself: the file holds whole records, also after a crash.
	 */
	if (f->octets - f->flushed + RECORD_MAX > BUFFER)
		capture_flush(f);
	if (f->failed)
		return;
	end = trace_write(f->file, frame) ? ftello(f->file) : -1;
	if (end < 0) {
		give_up(f);
		return;
	}
	f->octets = (uint64_t)end;
	f->frames++;
}

static bool recording(const struct capture *c)
{
	for (size_t i = 0; i < CAPTURE_FILES; i++) {
		if (c->files[i])
			return true;
	}
	return false;
}

static void record(struct capture *c, struct trace_frame *frame)
{
	frame->at = c->epoch + (int64_t)timers_now(c->timers);
	for (size_t i = 0; i < CAPTURE_FILES; i++) {
		if (c->files[i])
			write_frame(c->files[i], frame);
	}
}

static bool tap_send(struct bearer *b, const struct bearer_send *s)
{
	struct capture *c = CONTAINER_OF(b, struct capture, bearer);
	struct trace_frame frame = { .sent = true, .rssi = RSSI_UNKNOWN, .len = s->len };

	if (recording(c)) {
		memcpy(frame.data, s->data, s->len);
		record(c, &frame);
	}
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

	if (recording(c) && report->data.n <= sizeof(frame.data)) {
		memcpy(frame.address, report->address, sizeof(frame.address));
		frame.len = (uint8_t)report->data.n;
		memcpy(frame.data, report->data.p, report->data.n);
		record(c, &frame);
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

	for (size_t i = 0; i < CAPTURE_FILES; i++) {
		if (c->files[i])
			capture_flush(c->files[i]);
	}
	timer_start(c->timers, &c->flush, SEC(1), flush_due, c);
}

/* The header is in the file when this returns. */
static bool begin(struct capture_file *f, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	f->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (f->file && setvbuf(f->file, NULL, _IOFBF, BUFFER) == 0 && trace_begin(f->file) &&
	    fflush(f->file) == 0)
		return true;
	if (f->file)
		fclose(f->file);
	else if (fd >= 0)
		close(fd);
	f->file = NULL;
	return false;
}

bool capture_start(struct capture *c, struct capture_file *f, const char *path, uint64_t max)
{
	size_t slot = 0;

	while (slot < CAPTURE_FILES && c->files[slot])
		slot++;
	memset(f, 0, sizeof(*f));
	if (slot == CAPTURE_FILES) {
		errno = EBUSY;
		return false;
	}
	if (!begin(f, path))
		return false;
	f->octets = f->flushed = (uint64_t)ftello(f->file);
	f->max = max;
	if (!recording(c))
		timer_start(c->timers, &c->flush, SEC(1), flush_due, c);
	c->files[slot] = f;
	return true;
}

bool capture_stop(struct capture *c, struct capture_file *f)
{
	bool good;

	if (!f->file)
		return true;
	for (size_t i = 0; i < CAPTURE_FILES; i++) {
		if (c->files[i] == f)
			c->files[i] = NULL;
	}
	if (!recording(c))
		timer_stop(c->timers, &c->flush);
	good = fclose(f->file) == 0 && !f->failed;
	f->file = NULL;
	return good;
}
