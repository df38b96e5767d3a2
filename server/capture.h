/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap between the outbox and the radio: while it runs, what we send and hear is written to a
 * btsnoop file. What we send is written once, as it is handed to the radio, not per transmission.
 */
#ifndef MESHMASON_CAPTURE_H
#define MESHMASON_CAPTURE_H

#include <stdio.h>

#include "bearer.h"
#include "timers.h"

struct capture {
	struct bearer bearer; /* the stack's side */
	struct bearer *radio;
	struct timers *timers;
	struct timer flush;
	int64_t epoch; /* microseconds since 1970 of the timers' zero */
	FILE *file;
	uint64_t frames;
	bool failed; /* the disk refused a frame; the rest is not written */
};

/* Hooks itself to the radio's reports. Not running yet. */
void capture_init(struct capture *c, struct bearer *radio, struct timers *timers, int64_t epoch);
/* A new file, mode 0600; false with errno. One at a time. */
bool capture_start(struct capture *c, const char *path);
bool capture_running(const struct capture *c);
/* False when something could not be written. Stopping one that does not run is fine. */
bool capture_stop(struct capture *c);

#endif
