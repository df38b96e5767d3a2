/* SPDX-License-Identifier: Apache-2.0 */
#include "building_online.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "building_store.h"
#include "rng.h"

enum { STREAM_ONLINE = 12, FOLDER_MODE = 0755, CERTIFICATE_MODE = 0644 };
enum { SCHEME_HTTPS = 0x17 }; /* Assigned Numbers: stands for "https:" */

void building_online_choose(const struct building_keys *k, struct building_file *f)
{
	struct rng rng = rng_seeded(k->seed, STREAM_ONLINE);
	size_t with = 0, left;

	for (size_t i = 0; i < f->n; i++)
		with += f->devices[i].make.certificates;
	left = (size_t)llround(k->uri * (double)with);
	for (size_t i = 0; i < f->n && left > 0; i++) {
		struct building_device *d = &f->devices[i];

		if (!d->make.certificates)
			continue;
		d->online = rng_below(&rng, (uint32_t)with) < left;
		left -= d->online;
		with--;
	}
}

static bool refuse(const char *path, char error[BUILDING_ERROR])
{
	snprintf(error, BUILDING_ERROR, "%.200s: %.80s", path, strerror(errno));
	return false;
}

static bool write_chain(const char *file, const struct building_device *d, const struct bytes *der,
			size_t n, char error[BUILDING_ERROR])
{
	char path[PATH_MAX], uuid[UUID_TEXT];

	snprintf(path, sizeof(path), "%.3900s.certs", file);
	if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST)
		return refuse(path, error);
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%.3900s.certs/%s.%zu.der", file,
			 uuid_format(uuid, d->make.uuid), i);
		if (!building_store_replace(path, der[i], CERTIFICATE_MODE, false))
			return refuse(path, error);
	}
	return true;
}

bool building_online_publish(const struct building_keys *k, const char *file,
			     struct building_device *d, const struct bytes *der, size_t n,
			     char error[BUILDING_ERROR])
{
	static const char https[] = "https:";
	char record[1 + BUILDING_URI_MAX];
	size_t len = strlen(k->uri_base);

	if (strncmp(k->uri_base, https, strlen(https)) != 0) {
		snprintf(error, BUILDING_ERROR, "uri_base=%.60s: https://... wanted", k->uri_base);
		return false;
	}
	record[0] = SCHEME_HTTPS;
	len -= strlen(https);
	memcpy(record + 1, k->uri_base + strlen(https), len + 1);
	building_device_add_record(d, PROV_RECORD_BASE_URI,
				   bytes_of((const uint8_t *)record, len + 1));
	if (len + 1 < sizeof(d->make.uri))
		memcpy(d->make.uri, record, len + 2);
	return write_chain(file, d, der, n, error);
}
