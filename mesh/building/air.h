/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The air of the simulated building: radios with places, path loss, airtime and loss. Discrete
 * events on the caller's timers; the same seed and the same calls give the same deliveries.
 *
 * Path loss (dB) = 40 + 32 log10(metres) + 14 for each floor between + shadowing, at 0 dBm sent.
 * Shadowing belongs to the pair of places, is the same both ways, and stays within +-6 dB.
 * A receiver hears what arrives above -88 dBm: about 32 m on one floor, 11 m through one.
 * A floor is 4 m high. A radio is busy for 1.1 ms with an advertising event (one legacy PDU on
 * three channels), and what it says arrives when the event is over. Every radio scans all the
 * time, also while it sends; two events at the same time do not disturb each other.
 */
#ifndef MESHMASON_BUILDING_AIR_H
#define MESHMASON_BUILDING_AIR_H

#include "bytes.h"
#include "mesh_const.h"
#include "timers.h"

enum {
	AIR_ADDRESS = 6,
	AIR_EVENT_US = 1100,  /* airtime of one advertising event */
	AIR_SETS = 4,	      /* advertising sets that a radio interleaves */
	AIR_QUEUE = 128,      /* transmissions waiting in one radio */
	AIR_HEARD_FROM = -88, /* dBm */
	AIR_LATE_MS = 150,
};

struct place {
	double x, y; /* metres */
	int floor;
};

/* What a radio has heard; a view, valid for the call only. */
struct air_report {
	const uint8_t *address; /* AIR_ADDRESS octets, the sender's */
	struct bytes ad;
	int8_t rssi;
};

struct air_radio_config {
	struct place place;
	uint8_t address[AIR_ADDRESS];
	bool outside; /* not one of the building's own: two such do not hear each other here */
	void (*heard)(void *ctx, const struct air_report *report); /* may send, may not free */
	void *ctx;
};

struct air_counters {
	uint64_t events;     /* advertising events sent */
	uint64_t deliveries; /* of one event to one receiver */
	uint64_t lost;	     /* by the building's loss */
	uint64_t full;	     /* transmissions refused by a full queue */
	uint64_t late;	     /* events that arrived late, or once more */
};

struct air;
struct air_radio;

/* seed is the building's (shadowing), run_seed this run's (loss, jitter, fading); loss: the chance,
 * 0..1, that one receiver misses one advertising event. */
struct air *air_new(struct timers *timers, uint64_t seed, uint64_t run_seed, double loss);
void air_free(struct air *air);
/* Shares, 0..1, of the advertising events that arrive a second time, up to AIR_LATE_MS later, and
 * that arrive late, so that others overtake them. None of it before this is called. */
void air_trouble(struct air *air, double duplicates, double reorders);
/* Called for every advertising event, once, when it begins. */
void air_set_capture(struct air *air,
		     void (*capture)(void *ctx, uint64_t at, const uint8_t address[AIR_ADDRESS],
				     struct bytes ad),
		     void *ctx);
struct air_counters air_counters(const struct air *air);

/* Owned by the air; removed earlier with air_remove, not from within heard(). */
struct air_radio *air_add(struct air *air, const struct air_radio_config *config);
void air_remove(struct air_radio *radio);
void air_set_address(struct air_radio *radio, const uint8_t address[AIR_ADDRESS]);

/* Queues a transmission: count advertising events, interval_ms plus 0..10 ms apart. False when
 * the queue is full or ad is empty or longer than a legacy advertisement. Never calls heard(). */
struct air_transmission {
	uint8_t count;
	uint16_t interval_ms;
	uint32_t tag; /* 0: never cancelled */
	struct bytes ad;
};
bool air_send(struct air_radio *radio, const struct air_transmission *t);
/* Drops what still waits under this tag; an event that has begun ends. */
void air_cancel(struct air_radio *radio, uint32_t tag);

/* How many radios hear this one, and are heard by it. */
size_t air_neighbours(const struct air_radio *radio);

/* The physics alone: loss in dB by distance and floors; with the pair's shadowing, the mean
 * strength in dBm at b of what a sends (a report is up to 2 dB off); and whether that is heard. */
double air_path_loss(const struct place *a, const struct place *b);
double air_rssi(uint64_t seed, const struct place *a, const struct place *b);
bool air_hears(uint64_t seed, const struct place *a, const struct place *b);

#endif
