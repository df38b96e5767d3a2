/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A building at run time: its devices on its air, each with its flash. It runs on the timers that
 * it is given, at whatever pace their owner advances them, and reads no clock.
 *
 * Geometry. The devices hang in a grid of rows, spacing_m (10) metres apart, as equally many on
 * each floor as possible; a floor has about 2.5 times as many columns as rows. The gateway's usual
 * place is 0,0,0, the corner of the lowest floor. With air.h's ranges, 60 devices on 3 floors stand
 * 7 by 3 on 60 x 20 m: the gateway hears the first columns of its floor and a few devices of the
 * next one, a device hears a dozen others, and the far end is three to five hops away.
 */
#ifndef MESHMASON_BUILDING_H
#define MESHMASON_BUILDING_H

#include "bytes.h"
#include "device.h"
#include "timers.h"

enum { BUILDING_ERROR = 320 };

struct building;
struct building_radio;

struct building_env {
	struct timers *timers;
	const char *file;  /* made by building_make */
	const char *state; /* folder of the devices' flash, made when missing; NULL: in memory */
	bool fast_flash;   /* no fsync: a killed process loses nothing, a power cut may */
	/* Of this run: loss, jitter, the devices' randomness. 0: the building's own, so that two
	 * runs with the same input are the same. A daemon gives a random one. */
	uint64_t seed;
	/* May be NULL. The whole air: every advertising event, once, as it begins. */
	void (*capture)(void *ctx, uint64_t at, const uint8_t address[6], struct bytes ad);
	void *ctx;
};

/* NULL: error holds one line that says why (no file, not a building, state folder in use). */
struct building *building_open(const struct building_env *env, char error[BUILDING_ERROR]);
/* After its outside radios are removed, and not from within one of its callbacks. */
void building_close(struct building *b);

/* A radio that is not the building's, at a place of it. heard() comes from the timers, one call
 * for each advertising event that arrives there; it may call building_radio_transmit. */
struct building_report {
	struct bytes data;	/* all AD structures, valid for the call only */
	const uint8_t *address; /* 6 octets, least significant first */
	int8_t rssi;
};
struct building_radio_config {
	double x, y; /* metres */
	int floor;
	bool hears_strangers; /* other radios that are not the building's, too */
	uint8_t address[6];
	void (*heard)(void *ctx, const struct building_report *report);
	void *ctx;
};
struct building_radio *building_radio_add(struct building *b,
					  const struct building_radio_config *config);
void building_radio_remove(struct building_radio *radio);
/* The sender of what it transmits from now on. */
void building_radio_set_address(struct building_radio *radio, const uint8_t address[6]);
/* One advertising event, as soon as the radio is idle (each takes 1.1 ms); false when too many
 * wait already, or data is not 1..31 octets. */
bool building_radio_transmit(struct building_radio *radio, struct bytes data);
/* How many of the building's radios it hears. */
size_t building_radio_neighbours(const struct building_radio *radio);

struct building_counters {
	uint64_t events;     /* advertising events sent, by all radios */
	uint64_t deliveries; /* of one event to one receiver */
	uint64_t lost;	     /* by the modelled loss */
	uint64_t full;	     /* refused by a full queue of a radio */
	uint64_t saves;	     /* flash images written */
	uint64_t late;	     /* events that arrived late, or a second time */
};
struct building_counters building_counters(const struct building *b);

/* One more attacker (attacker.h), which only listens until it is told otherwise; the building's.
 * Its file may have some, which do all that is harmless. */
struct attacker;
struct attacker *building_attacker_add(struct building *b, double x, double y, int floor,
				       uint64_t seed);

/* The devices, in the order of the file; absent ones too. */
size_t building_count(const struct building *b);
const struct device_make *building_make_of(const struct building *b, size_t i);
/* What device i's flash says now; all zero for a factory-new one. */
struct device_state building_state_of(const struct building *b, size_t i);
/* The keys in it, for tests and captures; false for an unprovisioned device. */
bool building_keys_of(const struct building *b, size_t i, struct device_keys *out);

/* What a person sees at device i, NULL for nothing; and what a person does there. */
const struct device_prompt *building_display(const struct building *b, size_t i);
bool building_press(struct building *b, size_t i, const char *text);

/* For stories: what device i hears, and what it wants to say from now on, is lost. */
void building_cover(struct building *b, size_t i, bool deaf, bool mute);

/* "X,Y,FLOOR" or "X,Y": false when it is neither. */
bool building_place_parse(const char *text, double *x, double *y, int *floor);

#endif
