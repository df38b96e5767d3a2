/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices a building has, where, and which of them are bad; no keys, no certificates. */
#ifndef MESHMASON_BUILDING_PLAN_H
#define MESHMASON_BUILDING_PLAN_H

#include "building_file.h"
#include "building_make.h"

/* False: error is one line. The caller frees out. */
bool building_plan(const struct building_keys *k, struct building_file *out,
		   char error[BUILDING_ERROR]);
/* Gives k->oob_prompt sound devices a display or keys; false: there are fewer. The rest of a
 * building is the same with them and without. */
bool building_plan_prompts(const struct building_keys *k, struct building_file *f);

#endif
