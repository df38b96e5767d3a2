/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of /trust-anchors. */
#ifndef MESHMASON_TRUST_PRIVATE_H
#define MESHMASON_TRUST_PRIVATE_H

#include "api_private.h"

/* Adds the anchor with this id to items; false when there is none. */
bool anchor_find(struct api *api, int64_t id, json_t *items);
/* Its member "crl", of all in items; after the list was read. */
void crls_fill(struct api *api, json_t *items);

#endif
