/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scanning through the servers, and their housekeeping. A round is one whole survey: every server
 * that answers has scanned once since the round began, and the local radio has listened as long.
 */
#ifndef MESHMASON_SURVEY_H
#define MESHMASON_SURVEY_H

#include "core_jobs.h"

enum { SURVEY_SECONDS = 8 };

/* Starts counting anew: the next rounds must bring no news twice before anybody gives up. */
void survey_begin(struct jobs *j);
/* Something happened that may let others be heard: a device, a new server, a node. */
void survey_news(struct jobs *j);
/* Gives servers their next call: cleaning, scans that were asked for, and, with rounds, those of
 * the running round. */
void survey_run(struct jobs *j, bool rounds);
/* A scan through s soon, for all devices or (uuid) for one. seconds 1..255. */
void survey_ask(struct server *s, uint8_t seconds, const uint8_t *uuid, struct task *t);
/* The task does not want its scan any more. */
void survey_drop(struct jobs *j, struct task *t);
void survey_scan_report(void *ctx, const struct access_message *m);

#endif
