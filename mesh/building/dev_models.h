/* SPDX-License-Identifier: Apache-2.0 */
/* What the models of a simulated node are told to do; handlers are listed in dev_access.h. */
#ifndef MESHMASON_DEV_MODELS_H
#define MESHMASON_DEV_MODELS_H

#include <stdint.h>

struct device;

/* States of models that the composition has no more are gone; not saved yet. */
void dev_models_drop_lost(struct device *d);
/* Nothing is published under that AppKey any more; not saved yet. */
void dev_models_unbound(struct device *d, uint16_t app_index);

#endif
