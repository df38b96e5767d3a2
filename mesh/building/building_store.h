/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read at once, replaced at once. A reader sees the old or the new one, never half. */
#ifndef MESHMASON_BUILDING_STORE_H
#define MESHMASON_BUILDING_STORE_H

#include <sys/types.h>

#include "bytes.h"

/* Writes PATH.tmp and renames it; with sync both outlive a power cut. False: errno says why, and
 * the old file is untouched. */
bool building_store_replace(const char *path, struct bytes data, mode_t mode, bool sync);
/* The caller frees out (never NULL on success). False: errno, EFBIG above max octets. */
bool building_store_read(const char *path, size_t max, uint8_t **out, size_t *n);

/* A device's flash in a state folder: FOLDER/<uuid>.flash. An absent image is an empty one. */
bool building_flash_write(const char *folder, const uint8_t uuid[UUID_LEN], struct bytes image,
			  bool sync);
bool building_flash_read(const char *folder, const uint8_t uuid[UUID_LEN], size_t max,
			 uint8_t **out, size_t *n);

#endif
