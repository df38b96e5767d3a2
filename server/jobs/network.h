/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESHMASON_JOBS_NETWORK_H
#define MESHMASON_JOBS_NETWORK_H

#include "db_nodes.h"
#include "mesh.h"

/* The stack learns the keys of a node as its row has them; of one that may have moved, at both
 * addresses. */
bool network_give_node(struct mesh *mesh, const struct db_node *n);

#endif
