/* SPDX-License-Identifier: Apache-2.0 */
/* Who helps a job from outside: a person at the devices who answers every prompt, and a site from
 * which certificates are fetched. Both are good; what breaks is elsewhere. */
#ifndef MESHMASON_TESTS_HELPER_H
#define MESHMASON_TESTS_HELPER_H

#include "world.h"

struct helper;

/* Before world_start; freed before the world is. */
struct helper *helper_new(struct world *w);
void helper_free(struct helper *h);

#endif
