/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The composition of a simulated node, Mesh 4.2.2: as it left the factory, and, where its make says
 * so, as a later firmware has it. Which of the two is current, its flash says; the other pages'
 * twins (128, 129, 130) tell what the next node refresh leads to.
 */
#ifndef MESHMASON_DEV_COMPOSITION_H
#define MESHMASON_DEV_COMPOSITION_H

#include "device.h"

/* There is a later firmware. */
bool dev_composition_changes(const struct device_make *make);
uint8_t dev_composition_elements(const struct device_make *make, bool changed);
/* The element, counted from the primary, has this model. */
bool dev_composition_has(const struct device_make *make, bool changed, size_t element,
			 uint16_t model);
/* The highest page that is not above the one asked for, without its octet; returns its number. */
uint8_t dev_composition_page(const struct device_make *make, bool changed, uint8_t asked,
			     struct wr *w);

#endif
