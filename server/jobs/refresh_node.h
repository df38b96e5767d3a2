/* SPDX-License-Identifier: Apache-2.0 */
/* The writes of a refresh, each in one transaction with what its caller writes in the same turn. */
#ifndef MESHMASON_REFRESH_NODE_H
#define MESHMASON_REFRESH_NODE_H

#include "core_jobs.h"

/* A link to it is about to be opened. first: of the range reserved for its move, 0 for none. */
bool node_refresh_begin(struct jobs *j, struct db_node *n, enum nppi_procedure procedure,
			uint16_t first, uint8_t elements, int64_t task);
/* Provisioning Data is about to leave: key is what it may answer under from now on. */
bool node_refresh_data(struct jobs *j, struct db_node *n, const struct secret16 *key);
bool node_refresh_complete(struct jobs *j, struct db_node *n);
/* It is as it was. */
bool node_refresh_undo(struct jobs *j, struct db_node *n);
/* It has answered under the new key: n is as it is now, at its new address. */
bool node_refresh_commit(struct jobs *j, struct db_node *n);
/* The node is about to be forgotten: what was offered to it is nobody's any more. */
bool node_refresh_bury(struct jobs *j, uint16_t address);
/* Provisioning Data may have reached it, and nothing is known of what became of it. */
bool node_refresh_is_open(const struct db_node *n);
/* What may be undone without asking anybody: after a restart, before the jobs are taken up. */
bool node_refresh_boot(struct jobs *j);

#endif
