/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESHMASON_READ_COMPOSITION_H
#define MESHMASON_READ_COMPOSITION_H

#include "runner.h"

extern const struct job_kind read_composition_kind;

#endif
