/* SPDX-License-Identifier: Apache-2.0 */
/* Names that Bluetooth SIG gave to models, and of a few companies; for people to read. */
#ifndef MESHMASON_MODEL_NAMES_H
#define MESHMASON_MODEL_NAMES_H

#include <stdint.h>

/* model as in struct composition_element; NULL for a vendor model or one not known. */
const char *model_name(uint32_t model);
/* NULL when not known. */
const char *company_name(uint16_t company);

#endif
