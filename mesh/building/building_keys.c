/* SPDX-License-Identifier: Apache-2.0 */
#include "building_make.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LIST_MAX = 1024 };

struct building_keys building_keys_default(void)
{
	return (struct building_keys){ .devices = 60,
				       .floors = 3,
				       .seed = 1,
				       .spacing_m = 10,
				       .loss = 0.05,
				       .servers = 0.5,
				       .cbp = 1 };
}

#define KEY(name) #name, offsetof(struct building_keys, name)

/* product.md's keys; those of a later version take 0 only. */
static const struct key {
	const char *name;
	size_t at;
	enum { COUNT, SHARE, METRES, LATER } kind;
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
	{ KEY(dead), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(absent), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(silent), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(cmac_only), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(composition_change), COUNT, 0, BUILDING_DEVICES_MAX },
	{ KEY(large_composition), SHARE, 0, 1 },
	{ "uri", 0, LATER, 0, 0 },
	{ "oob_prompt", 0, LATER, 0, 0 },
};

static const struct key *key_find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strlen(keys[i].name) == n && memcmp(keys[i].name, name, n) == 0)
			return &keys[i];
	}
	return NULL;
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
	case LATER:
		snprintf(error, BUILDING_ERROR, "%s=%.60s: not supported yet (only 0 is)",
			 key->name, value);
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
	else if (key->kind != LATER)
		*(double *)field = v;
	return true;
}

bool building_keys_set(struct building_keys *k, const char *assignment, char error[BUILDING_ERROR])
{
	const char *equals = strchr(assignment, '=');
	const struct key *key;

	if (!equals) {
		snprintf(error, BUILDING_ERROR, "%.80s: KEY=VALUE wanted", assignment);
		return false;
	}
	key = key_find(assignment, (size_t)(equals - assignment));
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
