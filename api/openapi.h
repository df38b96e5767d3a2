/* SPDX-License-Identifier: Apache-2.0 */
/* The contract itself, api/openapi.json, as octets of the program. */
#ifndef MESHMASON_OPENAPI_H
#define MESHMASON_OPENAPI_H

#include <stddef.h>

extern const unsigned char openapi_json[];
extern const size_t openapi_json_len;

#endif
