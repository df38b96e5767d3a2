/* SPDX-License-Identifier: Apache-2.0 */
#include "building_faults.h"

#include <math.h>
#include <string.h>

#include "rng.h"

enum {
	STREAM_FAULTS = 7,
	STREAM_SERVER_FAULTS = 8,
	STREAM_ATTACKERS = 9
}; /* see building_plan.c */

static const char *const names[DEVICE_FAULTS] = {
	[DEVICE_SOUND] = "none",
	[DEVICE_DEAD] = "dead",
	[DEVICE_SILENT] = "silent",
	[DEVICE_KEY_REFLECTED] = "key_reflected",
	[DEVICE_KEY_OFF_CURVE] = "key_off_curve",
	[DEVICE_KEY_ZERO] = "key_zero",
	[DEVICE_CONFIRMATION_REFLECTED] = "confirmation_reflected",
	[DEVICE_CONFIRMATION_WRONG] = "confirmation_wrong",
	[DEVICE_RANDOM_REFLECTED] = "random_reflected",
	[DEVICE_RECORD_OVERSIZE] = "record_oversize",
	[DEVICE_RECORD_CHANGES] = "record_changes",
	[DEVICE_RECORD_DISORDER] = "record_disorder",
	[DEVICE_RECORD_OVERLAP] = "record_overlap",
	[DEVICE_REBOOT_INVITE] = "reboot_invite",
	[DEVICE_REBOOT_START] = "reboot_start",
	[DEVICE_REBOOT_KEY] = "reboot_key",
	[DEVICE_REBOOT_CONFIRMATION] = "reboot_confirmation",
	[DEVICE_REBOOT_RANDOM] = "reboot_random",
	[DEVICE_REBOOT_DATA] = "reboot_data",
	[DEVICE_REBOOT_COMPLETE] = "reboot_complete",
	[DEVICE_SLOW_FLASH] = "slow_flash",
	[DEVICE_NPPI_UNCOMMITTED] = "nppi_uncommitted",
	[DEVICE_NPPI_UNANSWERED] = "nppi_unanswered",
	[DEVICE_VANISHES] = "vanishes",
	[DEVICE_SERVER_REBOOT] = "server_reboot",
};

const char *building_fault_name(enum device_fault f)
{
	return names[f];
}

enum device_fault building_fault_find(const char *name, size_t n)
{
	enum device_fault f = DEVICE_SOUND;

	while (f < DEVICE_FAULTS && (strlen(names[f]) != n || memcmp(names[f], name, n) != 0))
		f++;
	return f;
}

static bool is_servers(enum device_fault f)
{
	return f >= DEVICE_NPPI_UNCOMMITTED;
}

static bool is_in_records(enum device_fault f)
{
	return f >= DEVICE_RECORD_OVERSIZE && f <= DEVICE_RECORD_OVERLAP;
}

static bool is_in_key(enum device_fault f)
{
	return f >= DEVICE_KEY_REFLECTED && f <= DEVICE_KEY_ZERO;
}

static uint64_t drawn(const struct building_keys *k)
{
	return (uint64_t)llround(k->faulty * (double)k->devices);
}

uint64_t building_faults_wanted(const struct building_keys *k)
{
	uint64_t n = drawn(k);

	for (enum device_fault f = DEVICE_DEAD; f < DEVICE_FAULTS; f++)
		n += is_servers(f) ? 0 : k->faults[f];
	return n;
}

static void give(const struct building_keys *k, struct device_make *m, enum device_fault fault)
{
	m->fault = fault;
	m->fault_times = (uint8_t)k->fault_times;
	/* A device that never speaks cannot be asked to wait with it. */
	m->fault_in_refresh = k->faults_in_refresh && fault > DEVICE_SILENT && !is_servers(fault) &&
			      !is_in_records(fault);
	m->certificates = m->certificates || is_in_records(fault);
}

size_t building_faults_give(const struct building_keys *k, struct building_file *f,
			    const size_t *order, size_t at)
{
	struct rng rng = rng_seeded(k->seed, STREAM_FAULTS);

	for (enum device_fault fault = DEVICE_SILENT + 1; !is_servers(fault); fault++)
		for (uint64_t i = 0; i < k->faults[fault]; i++)
			give(k, &f->devices[order[at++]].make, fault);
	for (uint64_t i = 0; i < drawn(k); i++) {
		uint32_t kinds = DEVICE_SLOW_FLASH - DEVICE_SILENT;

		give(k, &f->devices[order[at++]].make,
		     DEVICE_SILENT + 1 + (enum device_fault)rng_below(&rng, kinds));
	}
	return at;
}

void building_faults_settle(struct building_file *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct device_make *m = &f->devices[i].make;

		if (is_in_key(m->fault))
			m->certificates = m->oob_public_key = false;
	}
}

/* Is everybody who was in reach still, without this server? */
static bool is_missed(struct building_file *f, size_t i)
{
	struct device_make *m = &f->devices[i].make;
	size_t before = building_reach(f, NULL), after;

	m->server = false;
	after = building_reach(f, NULL);
	m->server = true;
	return after > before;
}

static bool take_server(const struct building_keys *k, struct building_file *f,
			enum device_fault fault, struct rng *rng)
{
	size_t first = rng_below(rng, (uint32_t)f->n);

	for (size_t n = 0; n < f->n; n++) {
		size_t i = (first + n) % f->n;
		struct building_device *d = &f->devices[i];

		if (!d->make.server || d->make.fault != DEVICE_SOUND || d->absent ||
		    d->certificate != CERTIFICATE_GOOD)
			continue;
		if (fault == DEVICE_VANISHES && is_missed(f, i))
			continue;
		give(k, &d->make, fault);
		return true;
	}
	return false;
}

bool building_faults_servers(const struct building_keys *k, struct building_file *f)
{
	struct rng rng = rng_seeded(k->seed, STREAM_SERVER_FAULTS);

	/* Those who leave are chosen first: who stays must reach everybody. */
	for (enum device_fault fault = DEVICE_FAULTS; is_servers(--fault);)
		for (uint64_t i = 0; i < k->faults[fault]; i++)
			if (!take_server(k, f, fault, &rng))
				return false;
	return true;
}

void building_attackers_place(const struct building_keys *k, struct building_file *f)
{
	struct rng rng = rng_seeded(k->seed, STREAM_ATTACKERS);

	f->n_attackers = k->attackers;
	for (size_t i = 0; i < f->n_attackers; i++)
		f->attackers[i] = f->devices[rng_below(&rng, (uint32_t)f->n)].place;
}
