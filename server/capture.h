/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tap between the outbox and the radio: what we send and hear is written to each btsnoop file
 * that is attached. What we send is written once, as it is handed to the radio, not per
 * transmission.
 */
#ifndef MESHMASON_CAPTURE_H
#define MESHMASON_CAPTURE_H

#include <stdio.h>

#include "bearer.h"
#include "timers.h"

enum { CAPTURE_FILES = 2 }; /* the one of --capture, and the one of the API */

/* A recording. Embedded in its owner, zeroed before first use. */
struct capture_file {
	FILE *file;	  /* NULL: not running */
	uint64_t octets;  /* written so far, whole records only */
	uint64_t flushed; /* of them, in the file */
	uint64_t frames;
	uint64_t max; /* octets; 0: no limit */
	bool full;    /* the limit is reached; the rest is not written */
	bool failed;  /* the disk refused a frame; the rest is not written */
};

struct capture {
	struct bearer bearer; /* the stack's side */
	struct bearer *radio;
	struct timers *timers;
	struct timer flush;
	int64_t epoch; /* microseconds since 1970 of the timers' zero */
	struct capture_file *files[CAPTURE_FILES];
};

/* Hooks itself to the radio's reports. Nothing is recorded yet. */
void capture_init(struct capture *c, struct bearer *radio, struct timers *timers, int64_t epoch);
/* A new file, mode 0600; false with errno. f must stay until capture_stop. */
bool capture_start(struct capture *c, struct capture_file *f, const char *path, uint64_t max);
/* What was recorded goes to the file: it then ends with a whole record, after f->octets. */
void capture_flush(struct capture_file *f);
/* False when something could not be written. Stopping one that does not run is fine. */
bool capture_stop(struct capture *c, struct capture_file *f);

#endif
