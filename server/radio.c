/* SPDX-License-Identifier: Apache-2.0 */
#include "radio.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "air_pcap.h"
#include "bearer_air.h"
#include "radio_sim.h"

struct radio {
	const char *kind;
	char name[512];
	struct bearer_air *air;
	struct radio_sim *sim;
	struct air_pcap *pcap;
	uint64_t epoch; /* microseconds since 1970 of timers' zero */
};

static void on_air(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad)
{
	struct radio *r = ctx;

	if (r->pcap)
		air_pcap_write(r->pcap, r->epoch + at, address, ad);
}

static bool open_capture(struct radio *r, const struct radio_config *config, char why[RADIO_WHY])
{
	if (!*config->capture)
		return true;
	r->epoch = (uint64_t)config->now * 1000000u - timers_now(config->timers);
	r->pcap = air_pcap_open(config->capture);
	if (!r->pcap)
		snprintf(why, RADIO_WHY, "capture %s: %s", config->capture, strerror(errno));
	return r->pcap != NULL;
}

static bool open_sim(struct radio *r, const struct radio_config *config, char why[RADIO_WHY])
{
	struct radio_sim_config sim = {
		.timers = config->timers,
		.spec = config->spec + 4,
		.data = config->data,
		.now = config->now,
		.seed = config->seed,
		.capture = on_air,
		.ctx = r,
	};

	r->kind = "sim";
	r->sim = radio_sim_open(&sim, why);
	return r->sim != NULL;
}

static bool open_air(struct radio *r, const struct radio_config *config, char why[RADIO_WHY])
{
	struct bearer_air_config air = {
		.timers = config->timers,
		.dir = config->spec + 4,
		.name = "gateway",
		.seed = config->seed,
	};

	r->kind = "air";
	/* A static random address: the two highest bits are set (Core Vol 6 Part B 1.3.2.1). */
	for (int i = 0; i < 6; i++)
		air.address[i] = (uint8_t)(config->seed >> 8 * i);
	air.address[5] |= 0xC0;
	r->air = bearer_air_open(&air, why);
	return r->air != NULL;
}

struct radio *radio_open(const struct radio_config *config, char why[RADIO_WHY])
{
	struct radio *r = calloc(1, sizeof(*r));
	bool ok;

	if (!r) {
		snprintf(why, RADIO_WHY, "no memory");
		return NULL;
	}
	snprintf(r->name, sizeof(r->name), "%s", config->spec);
	if (strncmp(config->spec, "sim:", 4) == 0) {
		ok = open_sim(r, config, why);
	} else if (strncmp(config->spec, "air:", 4) == 0) {
		ok = open_air(r, config, why);
	} else {
		snprintf(why, RADIO_WHY, "radio \"%s\": air:DIR or sim:... wanted", config->spec);
		ok = false;
	}
	if (!ok || !open_capture(r, config, why)) {
		radio_close(r);
		return NULL;
	}
	return r;
}

void radio_close(struct radio *r)
{
	if (r->sim)
		radio_sim_close(r->sim);
	if (r->air)
		bearer_air_close(r->air);
	if (r->pcap)
		air_pcap_close(r->pcap);
	free(r);
}

struct bearer *radio_bearer(struct radio *r)
{
	return r->sim ? radio_sim_bearer(r->sim) : bearer_air_bearer(r->air);
}

const char *radio_kind(const struct radio *r)
{
	return r->kind;
}

const char *radio_name(const struct radio *r)
{
	return r->name;
}

int radio_fd(const struct radio *r)
{
	return r->air ? bearer_air_fd(r->air) : -1;
}

void radio_readable(struct radio *r)
{
	bearer_air_readable(r->air);
}
