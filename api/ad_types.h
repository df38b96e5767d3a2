/* SPDX-License-Identifier: Apache-2.0 */
/* AD types by name, and what a device has said of itself. */
#ifndef MESHMASON_AD_TYPES_H
#define MESHMASON_AD_TYPES_H

#include <jansson.h>

#include "db_devices.h"
#include "db_jobs.h"
#include "fields.h"

/* A list of names or of "0x09" into options; false with the problem. */
bool ad_types_read(json_t *list, struct db_job_options *out, struct problem *p);
/* The names, "0x09" where there is none. */
json_t *ad_types_json(const struct db_job_options *o);
/* Adds local_name, appearance, uri, tx_power, advertising and scanned_at to a device. */
void device_scan_json(json_t *device, const struct db_device_scan *scan);

#endif
