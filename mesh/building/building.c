/* SPDX-License-Identifier: Apache-2.0 */
#include "building.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "air.h"
#include "building_panel.h"
#include "attacker.h"
#include "building_file.h"
#include "building_store.h"
#include "log.h"
#include "rng.h"

struct resident {
	struct building *building;
	const struct building_device *is;
	struct device *device; /* NULL for an absent one */
	struct air_radio *radio;
	struct building_panel panel;
	struct rng rng;
	uint8_t *image; /* what its flash holds */
	size_t image_n;
	bool broken; /* its flash could not be written: it never speaks again */
	bool deaf, mute;
};

struct building_radio {
	struct building *building;
	struct building_radio_config config;
	struct air_radio *radio;
};

struct building {
	struct building_env env;
	struct building_file file;
	struct air *air;
	struct resident *residents; /* file.n of them */
	char *state;
	int lock;
	uint64_t saves;
	struct attacker *attackers[2 * BUILDING_ATTACKERS_MAX];
	size_t n_attackers;
};

/* --- what a device can touch --- */

static void resident_random(void *ctx, void *out, size_t n)
{
	struct resident *r = ctx;

	rng_fill(&r->rng, out, n);
}

static void resident_send(void *ctx, const struct device_send *s)
{
	struct resident *r = ctx;
	struct air_transmission t = { s->count, s->interval_ms, s->tag, bytes_of(s->data, s->len) };

	/* A full queue is a lost transmission; the air counts it. */
	if (!r->broken && !r->mute)
		(void)air_send(r->radio, &t);
}

static void resident_cancel(void *ctx, uint32_t tag)
{
	struct resident *r = ctx;

	air_cancel(r->radio, tag);
}

static void image_keep(struct resident *r, struct bytes image)
{
	uint8_t *copy = malloc(image.n ? image.n : 1);

	if (!copy)
		abort();
	if (image.n)
		memcpy(copy, image.p, image.n);
	if (r->image)
		secret_wipe(r->image, r->image_n);
	free(r->image);
	r->image = copy;
	r->image_n = image.n;
}

/* A device that cannot save must not answer as if it had: it falls silent. */
static void resident_save(void *ctx, struct bytes image)
{
	struct resident *r = ctx;
	struct building *b = r->building;

	if (r->broken)
		return;
	if (b->state &&
	    !building_flash_write(b->state, r->is->make.uuid, image, !b->env.fast_flash)) {
		log_error("building: the flash of %s cannot be written: %s; it falls silent",
			  r->is->make.name, strerror(errno));
		r->broken = true;
		return;
	}
	image_keep(r, image);
	b->saves++;
}

static void resident_heard(void *ctx, const struct air_report *report)
{
	struct resident *r = ctx;

	if (!r->broken && !r->deaf)
		device_heard_from(r->device, report->address, report->ad, report->rssi);
}

/* --- opening --- */

static bool refuse(char error[BUILDING_ERROR], const char *what, const char *why)
{
	snprintf(error, BUILDING_ERROR, "%.200s: %.100s", what, why);
	return false;
}

/* Two buildings on one state folder would undo each other's flash. */
static bool state_open(struct building *b, char error[BUILDING_ERROR])
{
	char path[PATH_MAX];

	b->lock = -1;
	if (!b->env.state)
		return true;
	b->state = strdup(b->env.state);
	if (!b->state)
		abort();
	if (mkdir(b->state, 0700) < 0 && errno != EEXIST)
		return refuse(error, b->state, strerror(errno));
	if (snprintf(path, sizeof(path), "%s/lock", b->state) >= (int)sizeof(path))
		return refuse(error, b->state, strerror(ENAMETOOLONG));
	b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (b->lock < 0)
		return refuse(error, path, strerror(errno));
	if (flock(b->lock, LOCK_EX | LOCK_NB) < 0)
		return refuse(error, b->state, "in use by another running building");
	return true;
}

static bool resident_load(struct resident *r, char error[BUILDING_ERROR])
{
	struct building *b = r->building;

	if (!b->state) {
		image_keep(r, bytes_of(NULL, 0));
		return true;
	}
	if (building_flash_read(b->state, r->is->make.uuid, DEVICE_FLASH_MAX, &r->image,
				&r->image_n))
		return true;
	return refuse(error, b->state, strerror(errno));
}

/* A static device address, Core Vol 6 Part B 1.3.2.1, from the end of the UUID. */
static void resident_address(const struct resident *r, uint8_t address[AIR_ADDRESS])
{
	memcpy(address, r->is->make.uuid + UUID_LEN - AIR_ADDRESS, AIR_ADDRESS);
	address[AIR_ADDRESS - 1] |= 0xC0;
}

static bool resident_enter(struct resident *r, uint64_t run_seed, char error[BUILDING_ERROR])
{
	struct building *b = r->building;
	struct air_radio_config radio = { .place = r->is->place,
					  .heard = resident_heard,
					  .ctx = r };
	struct device_env env = { b->env.timers,   resident_random, resident_send,
				  resident_cancel, resident_save,   r };
	uint8_t *flash;
	size_t n;

	if (!resident_load(r, error))
		return false;
	if (r->is->absent)
		return true;
	r->rng = rng_seeded(run_seed, 1 + (uint64_t)(r - b->residents));
	resident_address(r, radio.address);
	r->radio = air_add(b->air, &radio);
	/* A copy: a device may save while it starts. */
	n = r->image_n;
	flash = malloc(n ? n : 1);
	if (!flash)
		abort();
	memcpy(flash, r->image, n);
	r->device = device_new(&r->is->make, &env, bytes_of(flash, n));
	secret_wipe(flash, n);
	free(flash);
	if (!r->device)
		return refuse(error, r->is->make.name, "the device does not start");
	building_panel_attach(&r->panel, b->env.timers, b->state, r->is->make.uuid, r->device);
	return true;
}

struct attacker *building_attacker_add(struct building *b, double x, double y, int floor,
				       uint64_t seed)
{
	struct attacker_env env = { b->env.timers, b->air, { x, y, floor }, seed };

	if (b->n_attackers == ARRAY_LEN(b->attackers))
		return NULL;
	b->attackers[b->n_attackers] = attacker_new(&env);
	return b->attackers[b->n_attackers++];
}

static void attackers_enter(struct building *b, uint64_t run_seed)
{
	for (size_t i = 0; i < b->file.n_attackers; i++) {
		const struct place *p = &b->file.attackers[i];

		attacker_set(building_attacker_add(b, p->x, p->y, p->floor, run_seed + 1 + i),
			     ATTACK_HARMLESS, MSEC(ATTACK_EVERY_MS));
	}
}

struct building *building_open(const struct building_env *env, char error[BUILDING_ERROR])
{
	struct building *b = calloc(1, sizeof(*b));
	uint64_t run_seed;

	if (!b)
		abort();
	b->env = *env;
	b->lock = -1;
	if (!building_file_load(env->file, &b->file, error) || !state_open(b, error)) {
		building_close(b);
		return NULL;
	}
	run_seed = env->seed ? env->seed : b->file.seed;
	b->air = air_new(env->timers, b->file.seed, run_seed, b->file.loss);
	air_trouble(b->air, b->file.duplicates, b->file.reorders);
	air_set_capture(b->air, env->capture, env->ctx);
	b->residents = calloc(b->file.n, sizeof(b->residents[0]));
	if (!b->residents)
		abort();
	for (size_t i = 0; i < b->file.n; i++) {
		b->residents[i].building = b;
		b->residents[i].is = &b->file.devices[i];
		if (!resident_enter(&b->residents[i], run_seed, error)) {
			building_close(b);
			return NULL;
		}
	}
	attackers_enter(b, run_seed);
	return b;
}

void building_close(struct building *b)
{
	for (size_t i = 0; b->residents && i < b->file.n; i++) {
		struct resident *r = &b->residents[i];

		if (r->device) {
			building_panel_detach(&r->panel);
			device_free(r->device);
		}
		if (r->image)
			secret_wipe(r->image, r->image_n);
		free(r->image);
	}
	free(b->residents);
	for (size_t i = 0; i < b->n_attackers; i++)
		attacker_free(b->attackers[i]);
	air_free(b->air);
	building_file_free(&b->file);
	if (b->lock >= 0)
		close(b->lock);
	free(b->state);
	free(b);
}

/* --- outside radios --- */

static void outside_heard(void *ctx, const struct air_report *report)
{
	struct building_radio *r = ctx;
	struct building_report heard = { report->ad, report->address, report->rssi };

	r->config.heard(r->config.ctx, &heard);
}

struct building_radio *building_radio_add(struct building *b,
					  const struct building_radio_config *config)
{
	struct building_radio *r = calloc(1, sizeof(*r));
	struct air_radio_config radio = { .place = { config->x, config->y, config->floor },
					  .outside = !config->hears_strangers,
					  .heard = outside_heard,
					  .ctx = r };

	if (!r)
		abort();
	r->building = b;
	r->config = *config;
	memcpy(radio.address, config->address, AIR_ADDRESS);
	r->radio = air_add(b->air, &radio);
	return r;
}

void building_radio_remove(struct building_radio *radio)
{
	air_remove(radio->radio);
	free(radio);
}

void building_radio_set_address(struct building_radio *radio, const uint8_t address[6])
{
	air_set_address(radio->radio, address);
}

bool building_radio_transmit(struct building_radio *radio, struct bytes data)
{
	struct air_transmission t = { .count = 1, .ad = data };

	return air_send(radio->radio, &t);
}

size_t building_radio_neighbours(const struct building_radio *radio)
{
	return air_neighbours(radio->radio);
}

/* --- looking at it --- */

const struct device_prompt *building_display(const struct building *b, size_t i)
{
	const struct building_panel *p = &b->residents[i].panel;

	return p->open ? &p->now : NULL;
}

bool building_press(struct building *b, size_t i, const char *text)
{
	struct resident *r = &b->residents[i];

	return r->device && device_press(r->device, text);
}

void building_cover(struct building *b, size_t i, bool deaf, bool mute)
{
	b->residents[i].deaf = deaf;
	b->residents[i].mute = mute;
}

struct building_counters building_counters(const struct building *b)
{
	struct air_counters a = air_counters(b->air);

	return (struct building_counters){
		a.events, a.deliveries, a.lost, a.full, b->saves, a.late
	};
}

size_t building_count(const struct building *b)
{
	return b->file.n;
}

const struct device_make *building_make_of(const struct building *b, size_t i)
{
	return &b->file.devices[i].make;
}

struct device_state building_state_of(const struct building *b, size_t i)
{
	const struct resident *r = &b->residents[i];
	struct device_state state;

	if (!device_state_read(bytes_of(r->image, r->image_n), &state))
		memset(&state, 0, sizeof(state));
	return state;
}

bool building_keys_of(const struct building *b, size_t i, struct device_keys *out)
{
	const struct resident *r = &b->residents[i];

	return device_keys_read(bytes_of(r->image, r->image_n), out);
}

bool building_place_parse(const char *text, double *x, double *y, int *floor)
{
	struct place p = { 0 };
	int end = -1;

	if (sscanf(text, "%lf,%lf,%d%n", &p.x, &p.y, &p.floor, &end) < 3 || end < 0) {
		p.floor = 0;
		end = -1;
		if (sscanf(text, "%lf,%lf%n", &p.x, &p.y, &end) < 2 || end < 0)
			return false;
	}
	if (text[end] || !(p.x >= -1e6 && p.x <= 1e6) || !(p.y >= -1e6 && p.y <= 1e6) ||
	    p.floor < -1000 || p.floor > 1000)
		return false;
	*x = p.x;
	*y = p.y;
	*floor = p.floor;
	return true;
}
