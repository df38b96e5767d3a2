/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a device is authenticated, and the person who may have to help:
 *
 *   Capabilities --> method and why --> [prompt: the link waits for a person] --> the exchange
 *
 * A prompt is in memory only, beside its link; the task's row says that it asks. A restart ends the
 * link: the task waits again, and asks anew, with a new value. The rest of the job goes on beside
 * it; as prompts need no air, they do not count against the number of links.
 */
#ifndef MESHMASON_OOB_PROMPT_H
#define MESHMASON_OOB_PROMPT_H

#include "core_jobs.h"

enum { OOB_PROMPTS_MOST = 4 }; /* more than a person answers in their time */
/* The provisioner's own limits end a prompt and what follows it; this one is behind them. */
#define OOB_PROMPT_LIMIT SEC(PROV_PROMPT_SECONDS + 150)

/* What the session may do, by the job's policy and what we know of the device. */
struct oob_plan {
	struct prov_policy policy;
	bool has_key;
	bool conflict; /* the list and the certificate name different keys */
	uint8_t key[PROV_PUBLIC_KEY_LEN];
};
void oob_plan(struct task *t, struct oob_plan *out);
/* PROV_EV_CAPABILITIES: the task's row tells the method, and why this one. */
void oob_chosen(struct task *t, const struct prov_event *ev);
/* PROV_EV_OOB_OUTPUT and PROV_EV_OOB_INPUT. */
void oob_asked(struct task *t, const struct prov_event *ev);
/* PROV_EV_ENDED: true when it was the person that failed, and the task has ended so. */
bool oob_ended(struct task *t, const struct prov_event *ev);
/* The failed task's prompt ran out: no link has failed. */
bool oob_expired(const struct task *t);
/* How many more links the job may open. */
unsigned oob_room(const struct job *job);

#endif
