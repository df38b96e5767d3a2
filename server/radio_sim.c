/* SPDX-License-Identifier: Apache-2.0 */
#include "radio_sim.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "advertiser.h"
#include "building_make.h"
#include "log.h"

struct radio_sim {
	struct bearer bearer;
	struct advertiser advertiser;
	struct building *building;
	struct building_radio *radio;
	uint64_t lost; /* events that the radio had no room for */
};

struct paths {
	char folder[PATH_MAX], file[PATH_MAX], ca[PATH_MAX], list[PATH_MAX], state[PATH_MAX];
};

static bool on_send(struct bearer *b, const struct bearer_send *s)
{
	struct radio_sim *r = CONTAINER_OF(b, struct radio_sim, bearer);

	return advertiser_send(&r->advertiser, s);
}

static void on_cancel(struct bearer *b, uint32_t tag)
{
	struct radio_sim *r = CONTAINER_OF(b, struct radio_sim, bearer);

	advertiser_cancel(&r->advertiser, tag);
}

static void on_transmit(void *ctx, struct bytes ad)
{
	struct radio_sim *r = ctx;

	if (!building_radio_transmit(r->radio, ad))
		r->lost++;
}

static void on_heard(void *ctx, const struct building_report *heard)
{
	struct radio_sim *r = ctx;
	struct bearer_report report = { .data = heard->data,
					.event_type = ADV_NONCONN_IND,
					.rssi = heard->rssi };

	memcpy(report.address, heard->address, sizeof(report.address));
	if (r->bearer.heard)
		r->bearer.heard(r->bearer.heard_ctx, &report);
}

/* --- opening --- */

static bool make_folder(const char *path, char error[BUILDING_ERROR])
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	snprintf(error, BUILDING_ERROR, "%.200s: %.80s", path, strerror(errno));
	return false;
}

static bool join(char out[PATH_MAX], const char *folder, const char *name)
{
	return snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static bool find_paths(struct paths *p, const char *data, char error[BUILDING_ERROR])
{
	if (join(p->folder, data, "building") && join(p->file, p->folder, "building.json") &&
	    join(p->ca, p->folder, "ca.pem") && join(p->list, p->folder, "devices.csv") &&
	    join(p->state, p->folder, "state"))
		return make_folder(p->folder, error);
	snprintf(error, BUILDING_ERROR, "%.200s: the path is too long", data);
	return false;
}

/* The building is made once; its devices keep what they have become. */
static bool make_once(const struct radio_sim_config *c, const struct paths *p,
		      char error[BUILDING_ERROR])
{
	struct building_keys keys = building_keys_default();
	struct building_made made;
	struct stat st;

	if (!building_keys_parse(&keys, c->spec, error))
		return false;
	if (stat(p->file, &st) == 0) {
		log_info("radio: the building of %s goes on as it was made", p->file);
		return true;
	}
	if (!building_make(&keys, p->file, p->ca, p->list, c->now, &made, error))
		return false;
	log_info("radio: made %s: devices=%zu servers=%zu out_of_reach=%zu", p->file, made.devices,
		 made.servers, made.unreached);
	return true;
}

static bool enter(struct radio_sim *r, const struct radio_sim_config *c, const char *file,
		  const char *state, char error[BUILDING_ERROR])
{
	static const uint8_t default_address[6] = { 1, 0, 0, 'M', 'M', 0xC0 };
	struct building_env env = { .timers = c->timers,
				    .file = file,
				    .state = state,
				    .fast_flash = c->fast_flash,
				    .seed = c->seed,
				    .capture = c->capture,
				    .ctx = c->ctx };
	struct building_radio_config radio = { .heard = on_heard, .ctx = r };

	r->building = building_open(&env, error);
	if (!r->building)
		return false;
	memcpy(radio.address, c->address ? c->address : default_address, sizeof(radio.address));
	r->radio = building_radio_add(r->building, &radio);
	return true;
}

struct radio_sim *radio_sim_open(const struct radio_sim_config *config, char error[BUILDING_ERROR])
{
	struct radio_sim *r = calloc(1, sizeof(*r));
	struct advertiser_config advertiser = {
		.timers = config->timers, .seed = config->seed, .transmit = on_transmit, .ctx = r
	};
	bool by_keys = !*config->spec || strchr(config->spec, '=');
	struct paths p;

	if (!r)
		abort();
	r->bearer.send = on_send;
	r->bearer.cancel = on_cancel;
	advertiser_init(&r->advertiser, &advertiser);
	if (find_paths(&p, config->data, error) && (!by_keys || make_once(config, &p, error)) &&
	    enter(r, config, by_keys ? p.file : config->spec, p.state, error))
		return r;
	radio_sim_close(r);
	return NULL;
}

void radio_sim_close(struct radio_sim *r)
{
	if (!r)
		return;
	advertiser_stop(&r->advertiser);
	if (r->radio)
		building_radio_remove(r->radio);
	if (r->building)
		building_close(r->building);
	free(r);
}

struct bearer *radio_sim_bearer(struct radio_sim *r)
{
	return &r->bearer;
}

struct building *radio_sim_building(struct radio_sim *r)
{
	return r->building;
}

size_t radio_sim_waiting(const struct radio_sim *r)
{
	return r->advertiser.waiting;
}

uint64_t radio_sim_refused(const struct radio_sim *r)
{
	return r->advertiser.refused + r->lost;
}
