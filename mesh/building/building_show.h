/* SPDX-License-Identifier: Apache-2.0 */
/* Prints a building's devices: what they are made as, or what their flash says. Never a key. */
#ifndef MESHMASON_BUILDING_SHOW_H
#define MESHMASON_BUILDING_SHOW_H

#include <stdio.h>

#include "building.h"

/* state: the folder of flash images, or NULL for the makes. json: {"devices": [...]}, with state
 * "uuid", "name", "provisioned", "address" ("0x0005" or null), "device_key_id" (or null),
 * "elements", "relay", "resets", and while a building runs on that folder "display" and "entry"
 * (null for nothing). False: error is one line, nothing was printed. */
bool building_show(const char *file, const char *state, bool json, FILE *out,
		   char error[BUILDING_ERROR]);

#endif
