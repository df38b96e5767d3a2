/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices whose certificate is only online, Mesh 5.6: they have its base URI where others have the
 * certificate. FILE.certs is what the maker's site would serve: UUID.0.der and so on, a device's
 * own certificate and then its issuers (see tests/hostile/site.py).
 */
#ifndef MESHMASON_BUILDING_ONLINE_H
#define MESHMASON_BUILDING_ONLINE_H

#include "building_make.h"

/* The share of those with certificates; sets building_device.online. */
void building_online_choose(const struct building_keys *k, struct building_file *f);
/* Its chain into the folder (made where it is missing), its base URI into its records; where that
 * fits into an AD structure, it is advertised as well. False: error is one line. */
bool building_online_publish(const struct building_keys *k, const char *file,
			     struct building_device *d, const struct bytes *der, size_t n,
			     char error[BUILDING_ERROR]);

#endif
