/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durable before sent: a bearer between the stack and the radio. What the stack sends waits here
 * until the turn's transaction is committed; a turn that changed nothing is released at once.
 */
#ifndef MESHMASON_OUTBOX_H
#define MESHMASON_OUTBOX_H

#include "bearer.h"

struct outbox {
	struct bearer bearer; /* the stack's side */
	struct bearer *radio;
	size_t n;
	uint64_t dropped; /* refused by a full queue, here or at the radio */
	struct bearer_send waiting[512];
};

/* Hooks itself to the radio's reports. The radio must outlive it. */
void outbox_init(struct outbox *o, struct bearer *radio);
/* After the commit: hands everything to the radio, in order. */
void outbox_release(struct outbox *o);
/* A crash, in tests: nothing of it leaves. */
void outbox_discard(struct outbox *o);
bool outbox_empty(const struct outbox *o);

#endif
