/* SPDX-License-Identifier: Apache-2.0 */
/* Who helps a job from outside: a person at the devices who answers every prompt, and a site from
 * which certificates are fetched. Both are good; what breaks is elsewhere. */
#ifndef MESHMASON_TESTS_OUTSIDE_H
#define MESHMASON_TESTS_OUTSIDE_H

#include "world.h"

struct outside;

/* Before world_start; freed before the world is. */
struct outside *outside_new(struct world *w);
void outside_free(struct outside *h);

#endif
