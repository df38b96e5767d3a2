/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The radio `sim:`: a simulated building inside this process, and the gateway's place in it.
 * Everything between the two crosses the simulated air as advertising PDUs.
 */
#ifndef MESHMASON_RADIO_SIM_H
#define MESHMASON_RADIO_SIM_H

#include "bearer.h"
#include "building.h"
#include "timers.h"

struct radio_sim;

struct radio_sim_config {
	struct timers *timers; /* mesh time */
	/* What follows "sim:": a building file, or KEY=VALUE,... (also nothing at all), which makes
	 * DATA/building/{building.json,ca.pem,devices.csv} once. */
	const char *spec;
	const char *data;	/* DATA: the devices' flash is in DATA/building/state */
	int64_t now;		/* seconds since 1970: when new certificates are issued */
	uint64_t seed;		/* of this run; 0: the building's own, the same run every time */
	bool fast_flash;	/* see building.h */
	const uint8_t *address; /* 6 octets of ours; NULL: a fixed one */
	/* May be NULL: every advertising event of the whole air. */
	void (*capture)(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad);
	void *ctx;
};

/* NULL: error holds one line that says why. */
struct radio_sim *radio_sim_open(const struct radio_sim_config *config, char error[BUILDING_ERROR]);
void radio_sim_close(struct radio_sim *r);
struct bearer *radio_sim_bearer(struct radio_sim *r);
struct building *radio_sim_building(struct radio_sim *r);
/* Entries that wait to be sent, and those refused so far because the queue was full. */
size_t radio_sim_waiting(const struct radio_sim *r);
uint64_t radio_sim_refused(const struct radio_sim *r);

#endif
