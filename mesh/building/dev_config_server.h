/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration Server of a simulated node; its handlers are listed in dev_access.h. */
#ifndef MESHMASON_DEV_CONFIG_SERVER_H
#define MESHMASON_DEV_CONFIG_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

struct device;

/* The element, counted from the primary, has this model bound to this AppKey. */
bool dev_config_bound(const struct device *d, uint8_t element, uint16_t model, uint16_t app_index);
/* Bindings of models that the composition has no more are gone; not saved yet. */
void dev_config_drop_lost(struct device *d);

#endif
