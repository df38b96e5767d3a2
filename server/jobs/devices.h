/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as memory knows them: who heard them, how loud, how long ago. Written behind. */
#ifndef MESHMASON_DEVICES_H
#define MESHMASON_DEVICES_H

#include "core_jobs.h"

/* So many that nobody expects, in memory as in the store. Those on a list, and targets, come in
 * on top of it. */
enum { DEVICES_MAX = 40000 };

struct device *device_find(const struct jobs *j, const uint8_t uuid[UUID_LEN]);
/* Makes it when it is not there, with what the store says. Never NULL: the oldest that nobody
 * expects makes room, and targets and listed ones need none. */
struct device *device_get(struct jobs *j, const uint8_t uuid[UUID_LEN]);
/* A beacon heard by server. Old news of what has become a node meanwhile are dropped. */
void device_sighted(struct jobs *j, const struct rpr_scan_report *r);
/* Unprovisioned as far as we know: never joined, or heard again since. */
bool device_is_free(const struct device *d);
/* "all-trusted" takes it: on the list, or shows certificate support. */
bool device_is_eligible(const struct device *d);
/* True when it certainly beaconed after that instant: the reports of servers are old news. */
bool device_beaconed_after(const struct jobs *j, const struct device *d, uint64_t instant);
void device_joined(struct jobs *j, struct device *d);
void devices_forget_server(struct jobs *j, uint16_t server);
/* Writes what is newer than the store. */
void devices_flush(struct jobs *j);
void devices_free(struct jobs *j);
unsigned devices_heard_by(const struct jobs *j, uint16_t server);

/* The device's row, or a fresh one for it. False: the store failed. */
bool device_row(struct jobs *j, const uint8_t uuid[UUID_LEN], struct db_device *out);

#endif
