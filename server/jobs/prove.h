/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a device once Provisioning Data may have reached it; and of a node that goes. */
#ifndef MESHMASON_PROVE_H
#define MESHMASON_PROVE_H

#include "core_jobs.h"

/* Row, keys in the stack, server, distance: all gone; the address range gets that state. */
bool node_bury(struct jobs *j, uint16_t address, enum db_address_state state);

#endif
