/* SPDX-License-Identifier: Apache-2.0 */
/* Building against inventory: who is a node, where, under which key, and made of what. */
#ifndef MESHMASON_TESTS_AGREE_H
#define MESHMASON_TESTS_AGREE_H

#include "building.h"
#include "db.h"

/* Device for device, and the books of addresses against both. strays: devices that the inventory
 * has let go, and that are not compared. On false, why names the first difference. */
bool agree(struct db *db, const struct building *b, const bool *strays, char why[256]);

#endif
