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
/* A link broke off, and its device may think that it is open yet: until its own timer ends it
 * (60 s, 5.2.1), it is mute. No round before that proves anything. */
void survey_mute(struct jobs *j);
/* Every report is a flood: who has enough to do does not ask for more of them. */
enum survey_need {
	SURVEY_ASKED,	  /* only the scans that survey_ask wants */
	SURVEY_NEWCOMERS, /* also of servers that never scanned */
	SURVEY_ROUNDS,	  /* whole rounds, one after the other */
};
/* Gives servers their next call: cleaning, and scans. gentle: links are open beside it. */
void survey_run(struct jobs *j, enum survey_need need, bool gentle);
/* A scan through s soon, for all devices or (uuid) for one. seconds 1..255. */
void survey_ask(struct server *s, uint8_t seconds, const uint8_t *uuid, struct task *t);
/* The task does not want its scan any more. */
void survey_drop(struct jobs *j, struct task *t);
void survey_scan_report(void *ctx, const struct access_message *m);

#endif
