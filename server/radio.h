/* SPDX-License-Identifier: Apache-2.0 */
/* The radio that --radio names, opened; and its capture. */
#ifndef MESHMASON_RADIO_H
#define MESHMASON_RADIO_H

#include "bearer.h"
#include "capture.h"
#include "timers.h"

enum { RADIO_WHY = 512, RADIO_NAME = 512 };

struct radio;

struct radio_config {
	const char *spec;      /* hciN, an adapter's address, mgmt:hciN, air:DIR[,NAME], sim:... */
	const char *data;      /* DATA */
	const char *capture;   /* file, or "": sim: pcap of the whole air, else btsnoop of ours */
	struct timers *timers; /* mesh time */
	int64_t now;	       /* Unix seconds */
	uint64_t seed;	       /* of this run's chance */
	/* Up, or down with one line that names the culprit and the cure. May be NULL. */
	void (*state)(void *ctx, bool up, const char *line);
	void *ctx;
};

/* What can be said of a spec without opening anything; false with one line in why. */
bool radio_spec_good(const char *spec, char why[RADIO_WHY]);
/* NULL with one line in why. */
struct radio *radio_open(const struct radio_config *config, char why[RADIO_WHY]);
void radio_close(struct radio *r);
struct bearer *radio_bearer(struct radio *r);
const char *radio_kind(const struct radio *r); /* "hci", "mgmt", "air", "sim" */
const char *radio_name(const struct radio *r);
bool radio_up(const struct radio *r);
/* The last line that state() brought: the culprit and the cure while it is down; "" for none. */
const char *radio_line(const struct radio *r);
/* For recording what we send and hear; goes with the radio. */
struct capture *radio_tap(struct radio *r);
/* To watch for input, or -1; then radio_readable. */
int radio_fd(const struct radio *r);
void radio_readable(struct radio *r);

#endif
