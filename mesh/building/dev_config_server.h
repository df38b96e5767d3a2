/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration Server of a simulated node; its handlers are listed in dev_access.h. */
#ifndef MESHMASON_DEV_CONFIG_SERVER_H
#define MESHMASON_DEV_CONFIG_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"

struct device;
struct device_make;

/* The element, counted from the primary, has this model bound to this AppKey. */
bool dev_config_bound(const struct device *d, uint8_t element, uint16_t model, uint16_t app_index);
/* Composition Data page 0 without the page octet. */
void dev_config_composition(const struct device_make *make, struct wr *w);

#endif
