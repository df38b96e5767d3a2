/* SPDX-License-Identifier: Apache-2.0 */
/* One link: to a device, through our own radio or a server; or to a node through itself. */
#ifndef MESHMASON_SESSION_H
#define MESHMASON_SESSION_H

#include "core_jobs.h"

struct session {
	struct jobs *jobs;
	struct task *task;
	struct server *server;
	struct device *device; /* NULL: a node through itself */
	struct prov *prov;
	struct prov_carrier *carrier;
	bool opened, data_sent;
	/* Whoever opened it finds out how it ended, and closes it if need be: nobody else may. */
	bool kept;
	void (*event)(struct task *t, const struct prov_event *ev);
	struct timer force;
};

/* The link's row is in the turn's transaction before its Link Open leaves. event's last is
 * PROV_EV_ENDED; the session is gone after it. open_seconds: how long a server tries. */
struct session *session_open(struct task *t, struct server *s, uint8_t open_seconds,
			     void (*event)(struct task *t, const struct prov_event *ev));
/* The same to the node itself that hosts s, which is provisioned anew. */
struct session *session_open_node(struct task *t, struct server *s, enum nppi_procedure procedure,
				  void (*event)(struct task *t, const struct prov_event *ev));
/* Ends it, by force if it does not end by itself: PROV_EV_ENDED follows. */
void session_abort(struct session *s);
/* Silently, as in a crash. */
void session_free(struct session *s);

#endif
