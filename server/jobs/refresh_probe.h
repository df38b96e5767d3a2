/* SPDX-License-Identifier: Apache-2.0 */
/* Refreshes that no task sees to: asked for every hour how they ended, until it is known. */
#ifndef MESHMASON_REFRESH_PROBE_H
#define MESHMASON_REFRESH_PROBE_H

#include "core_jobs.h"

/* Begins a minute after the start, when there is anything to ask. False: no memory. */
bool refresh_prober_start(struct jobs *j);
void refresh_prober_free(struct jobs *j);
/* A task has left a refresh open. */
void refresh_prober_wake(struct jobs *j);

#endif
