/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recordings that the API starts: one at a time, in DATA/captures, with limits of time and
 * size. A capture's id is the Unix second in which it began, and its file's name.
 */
#ifndef MESHMASON_CAPTURES_H
#define MESHMASON_CAPTURES_H

#include "api.h"
#include "capture.h"
#include "timers.h"

struct captures;

struct captures_config {
	const char *data; /* DATA */
	struct capture *tap;
	struct timers *real_time;
	int64_t (*wall)(void *ctx); /* Unix milliseconds */
	void *ctx;
};

/* NULL: no memory. The tap must outlive it. */
struct captures *captures_new(const struct captures_config *config);
/* Ends the one that runs. */
void captures_free(struct captures *cs);
/* For struct api_env. */
void captures_api(struct captures *cs, struct api_captures *out);

#endif
