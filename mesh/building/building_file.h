/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A building as it is written down: JSON, with everything that its devices left the factory
 * with, their secret keys included (mode 0600).
 */
#ifndef MESHMASON_BUILDING_FILE_H
#define MESHMASON_BUILDING_FILE_H

#include "air.h"
#include "building.h"
#include "device.h"

enum { BUILDING_DEVICES_MAX = 5000, BUILDING_RECORD_MAX = 4096, BUILDING_ATTACKERS_MAX = 8 };

enum building_certificate {
	CERTIFICATE_GOOD, /* or none at all: make.certificates says */
	CERTIFICATE_UNTRUSTED,
	CERTIFICATE_EXPIRED,
	CERTIFICATE_MISNAMED,
};

struct building_device {
	struct device_make make; /* the octets of its records belong to this struct */
	char area[64];
	struct place place;
	bool absent; /* on the list, never on the air */
	enum building_certificate certificate;
	bool online; /* its chain is not on the device; while a building is made */
};

struct building_file {
	uint64_t seed; /* 0..2^53 */
	double loss;
	double duplicates, reorders; /* see air_trouble() */
	struct place attackers[BUILDING_ATTACKERS_MAX];
	size_t n_attackers;
	struct building_device *devices;
	size_t n;
};

/* False: error is one line. out is then empty. */
bool building_file_load(const char *path, struct building_file *out, char error[BUILDING_ERROR]);
bool building_file_save(const char *path, const struct building_file *file,
			char error[BUILDING_ERROR]);
/* Wipes and frees what it holds. */
void building_file_free(struct building_file *file);

/* Gives the device a copy of a record; false when it has DEVICE_RECORDS_MAX of them. */
bool building_device_add_record(struct building_device *d, uint16_t id, struct bytes data);

const char *building_certificate_name(enum building_certificate c);
const char *building_fault_name(enum device_fault f);

#endif
