/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-Sent Events: one ring of frames, and readers that each stand somewhere in it. Changes are
 * marked by what they concern and written at most 10 times a second, so a burst about one thing
 * is one event. Ids are "boot-number": after a restart, or when a reader fell out of the ring, it
 * gets the event reset and reads everything anew.
 */
#ifndef MESHMASON_EVENTS_H
#define MESHMASON_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "timers.h"

enum {
	EVENTS_RING = 2048,
	EVENTS_RING_OCTETS = 4 << 20,
	EVENTS_STREAMS_MAX = 64,
	EVENTS_DIRTY_MAX = 1024,
	EVENTS_KEY = 24,
	EVENTS_BOOT = 9,
	EVENTS_FLUSH_US = 100000,
	EVENTS_BEAT_US = 15000000,
	EVENTS_LINGER_US = 60000000, /* frames are still made after the last reader left */
};

struct events;

/* What changed: a kind of the owner's and a key of up to EVENTS_KEY octets. */
struct event_mark {
	int kind;
	bool gone;
	uint8_t key[EVENTS_KEY];
};

struct events_env {
	struct timers *timers; /* real time */
	/* Turns a mark into events_publish() calls; asked for at flush time. */
	void (*render)(void *ctx, const struct event_mark *m);
	/* A reader that had nothing to say has something now. */
	void (*wake)(void *ctx, void *reader);
	/* At each heartbeat: may this reader go on? */
	bool (*keep)(void *ctx, void *reader);
	void *ctx;
};

struct events *events_new(const struct events_env *env, const char boot[EVENTS_BOOT]);
void events_free(struct events *e);

void events_mark(struct events *e, const struct event_mark *m);
/* Adds a frame; data is one line of JSON. */
void events_publish(struct events *e, const char *type, const char *data);
/* Renders and publishes what is marked, now instead of at the next tenth of a second. */
void events_flush(struct events *e);

struct event_stream;
/* last_id: NULL, or what the client says it has seen. NULL: too many streams. */
struct event_stream *events_open(struct events *e, const char *last_id, void *reader);
void events_close(struct event_stream *s);
/* Up to max octets into buf. 0: nothing to say, wake() will come. -1: the stream has ended. */
long events_read(struct event_stream *s, char *buf, size_t max);
/* All streams end; readers are woken. */
void events_end(struct events *e);
size_t events_streams(const struct events *e);

#endif
