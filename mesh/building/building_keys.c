/* SPDX-License-Identifier: Apache-2.0 */
#include "building_make.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "building_faults.h"

enum { KEY_LIST_MAX = 1024 };

struct building_keys building_keys_default(void)
{
	return (struct building_keys){ .devices = 60,
				       .floors = 3,
				       .seed = 1,
				       .spacing_m = 10,
				       .loss = 0.05,
				       .servers = 0.5,
				       .cbp = 1,
				       .uri_base = "https://certificates.invalid/",
				       .fault_times = 1 };
}

#define KEY(name) #name, offsetof(struct building_keys, name)

static const struct key {
	const char *name;
	size_t at;
	enum { COUNT, SHARE, METRES, TEXT } kind;
	double min, max;
} keys[] = {
	{ KEY(devices), COUNT, 1, BUILDING_DEVICES_MAX },
	{ KEY(floors), COUNT, 1, 200 },
	{ KEY(seed), COUNT, 0, 9007199254740992.0 },
	{ KEY(spacing_m), METRES, 0.5, 1000 },
	{ KEY(loss), SHARE, 0, 1 },
	{ KEY(servers), SHARE, 0, 1 },
	{ KEY(cbp), SHARE, 0, 1 },
	{ KEY(static_oob), SHARE, 0, 1 },
	{ KEY(oob_pubkey), SHARE, 0, 1 },
	{ KEY(untrusted), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(expired), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(misnamed), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(absent), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(faulty), SHARE, 0, 1 },
	{ KEY(fault_times), COUNT, 0, UINT8_MAX },
	{ KEY(faults_in_refresh), COUNT, 0, 1 },
	{ KEY(duplicates), SHARE, 0, 1 },
	{ KEY(reorders), SHARE, 0, 1 },
	{ KEY(attackers), COUNT, 0, BUILDING_ATTACKERS_MAX },
	{ KEY(cmac_only), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(composition_change), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(large_composition), SHARE, 0, 1 },
	{ KEY(uri), SHARE, 0, 1 },
	{ KEY(uri_base), TEXT, 9, BUILDING_URI_MAX - 1 },
	{ KEY(oob_prompt), COUNT, 0, BUILDING_DEVICES_MAX },
};

static const struct key *key_find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strlen(keys[i].name) == n && memcmp(keys[i].name, name, n) == 0)
			return &keys[i];
	}
	return NULL;
}

/* Each fault of a device is a key of its name: the number of devices that have it. */
static bool fault_find(const char *name, size_t n, struct key *out)
{
	enum device_fault f = building_fault_find(name, n);

	if (f == DEVICE_SOUND || f == DEVICE_FAULTS)
		return false;
	*out = (struct key){ building_fault_name(f),
			     offsetof(struct building_keys, faults) + (size_t)f * sizeof(uint64_t),
			     COUNT, 0, BUILDING_DEVICES_MAX };
	return true;
}

static bool refuse_value(const struct key *key, const char *value, char error[BUILDING_ERROR])
{
	switch (key->kind) {
	case COUNT:
		snprintf(error, BUILDING_ERROR, "%s=%.60s: a number from %.0f to %.0f wanted",
			 key->name, value, key->min, key->max);
		break;
	case SHARE:
		snprintf(error, BUILDING_ERROR,
			 "%s=%.60s: a share from 0 to 1, or a percentage, wanted", key->name,
			 value);
		break;
	case METRES:
		snprintf(error, BUILDING_ERROR, "%s=%.60s: %g to %g metres wanted", key->name,
			 value, key->min, key->max);
		break;
	case TEXT:
		snprintf(error, BUILDING_ERROR, "%s: %.0f to %.0f characters wanted", key->name,
			 key->min, key->max);
		break;
	}
	return false;
}

static bool key_take(struct building_keys *k, const struct key *key, const char *value,
		     char error[BUILDING_ERROR])
{
	void *field = (uint8_t *)k + key->at;
	char *end;
	double v = strtod(value, &end);

	if (key->kind == TEXT) {
		if (strlen(value) < key->min || strlen(value) > key->max)
			return refuse_value(key, value, error);
		memcpy(field, value, strlen(value) + 1);
		return true;
	}
	if (end == value)
		return refuse_value(key, value, error);
	if (key->kind == SHARE && *end == '%') {
		v /= 100;
		end++;
	}
	if (*end || !(v >= key->min && v <= key->max) || (key->kind == COUNT && v != floor(v)))
		return refuse_value(key, value, error);
	if (key->kind == COUNT)
		*(uint64_t *)field = (uint64_t)v;
	else
		*(double *)field = v;
	return true;
}

bool building_keys_set(struct building_keys *k, const char *assignment, char error[BUILDING_ERROR])
{
	const char *equals = strchr(assignment, '=');
	const struct key *key;
	struct key fault_key;

	if (!equals) {
		snprintf(error, BUILDING_ERROR, "%.80s: KEY=VALUE wanted", assignment);
		return false;
	}
	key = key_find(assignment, (size_t)(equals - assignment));
	if (!key && fault_find(assignment, (size_t)(equals - assignment), &fault_key))
		key = &fault_key;
	if (!key) {
		snprintf(error, BUILDING_ERROR, "%.*s: unknown key",
			 (int)(equals - assignment > 80 ? 80 : equals - assignment), assignment);
		return false;
	}
	return key_take(k, key, equals + 1, error);
}

bool building_keys_parse(struct building_keys *k, const char *list, char error[BUILDING_ERROR])
{
	char copy[KEY_LIST_MAX], *at = NULL;

	if (strlen(list) >= sizeof(copy)) {
		snprintf(error, BUILDING_ERROR, "the list of keys is too long");
		return false;
	}
	memcpy(copy, list, strlen(list) + 1);
	for (char *one = strtok_r(copy, ",", &at); one; one = strtok_r(NULL, ",", &at)) {
		if (!building_keys_set(k, one, error))
			return false;
	}
	return true;
}
