/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESHMASON_API_COMPOSITION_H
#define MESHMASON_API_COMPOSITION_H

#include <jansson.h>

#include "jobs_composition.h"

json_t *model_json(const struct jobs_model *m);
json_t *elements_json(const struct jobs_composition *c);
/* "device-key", "address", "composition" */
const char *procedure_name(unsigned procedure);

#endif
