/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS requests for certificates, 5.6, side by side with everything else: libcurl on descriptors
 * of the loop. The URL comes from a device, so: HTTPS only, the site's certificate verified, no
 * redirects, no proxies, no credentials, public addresses only, 64 KiB and 10 seconds at most.
 */
#ifndef MESHMASON_FETCH_H
#define MESHMASON_FETCH_H

#include "fetch_rules.h"
#include "jobs.h"
#include "timers.h"

enum {
	FETCH_SLOTS = 64,  /* waiting and running; more are refused for now */
	FETCH_AT_ONCE = 4, /* running */
	FETCH_BODY_MAX = 65536,
	FETCH_SECONDS = 10,
};

struct fetch;

struct fetch_config {
	struct timers *timers;	  /* real time */
	struct fetch_rules rules; /* its texts live as long as this */
	const char *ca;		  /* file of CAs beside the system's; "" none */
};

/* NULL with a sentence in why. */
struct fetch *fetch_new(const struct fetch_config *config, char why[FETCH_WHY]);
/* What is open ends without a word. */
void fetch_free(struct fetch *f);
/* Readable when fetch_work() has something to do. */
int fetch_fd(const struct fetch *f);
void fetch_work(struct fetch *f);
/* done comes from fetch_work() or a timer, once, unless cancelled. Its number; 0: no room. */
uint64_t fetch_start(struct fetch *f, const char *url, jobs_fetched_fn *done, void *ctx);
void fetch_cancel(struct fetch *f, uint64_t number);
/* One is open: time stands still in a simulation. */
bool fetch_busy(const struct fetch *f);

#endif
