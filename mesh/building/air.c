/* SPDX-License-Identifier: Apache-2.0 */
/*
 *  air_send --> slots waiting --> AIR_SETS active --> one event in flight --> each neighbour
 *               first come        each at its own     1.1 ms of airtime       that does not
 *               first served      interval                                    miss it: heard()
 *
 * Who can hear whom is worked out once, when a radio is added: an event costs one visit to each
 * neighbour, whatever the size of the building.
 */
#include "air.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rng.h"

enum {
	NONE = 0xFFFF,
	FLOOR_HEIGHT = 4,
	SHADOW_MAX = 6,	   /* dB, either way */
	RANGE_MAX = 52,	   /* metres: no shadowing makes up for more */
	JITTER_US = 10001, /* the random part of an interval, 0..10 ms */
};

#define LOSS_AT_1M    40.0
#define LOSS_EXPONENT 32.0 /* dB for each factor of ten */
#define LOSS_FLOOR    14.0

struct slot {
	uint64_t due;
	uint32_t tag;
	uint16_t interval_ms;
	uint16_t next;
	uint8_t left;
	uint8_t len;
	uint8_t ad[AD_MAX];
};

struct neighbour {
	struct air_radio *radio;
	int8_t rssi;
};

struct air_radio {
	struct air *air;
	struct air_radio_config config;
	size_t index;
	struct neighbour *neighbours;
	size_t n_neighbours, cap_neighbours;
	struct timer timer; /* the end of the event in flight, or the start of the next */
	bool in_flight;
	uint8_t flight_len;
	uint8_t flight[AD_MAX];
	uint16_t free, head, tail; /* lists of slots */
	uint16_t active[AIR_SETS];
	unsigned n_active;
	struct slot slots[AIR_QUEUE];
};

/* What a radio has said and is still to arrive. */
struct echo {
	struct echo *next;
	struct air_radio *from;
	struct timer timer;
	uint8_t len;
	uint8_t ad[AD_MAX];
};

struct air {
	struct timers *timers;
	uint64_t seed;
	struct rng rng;
	uint64_t loss, duplicates, reorders; /* of 2^32 */
	struct echo *echoes;
	struct air_radio **radios;
	size_t n, cap;
	bool delivering;
	struct air_counters counters;
	void (*capture)(void *ctx, uint64_t at, const uint8_t address[AIR_ADDRESS],
			struct bytes ad);
	void *capture_ctx;
};

static void *grown(void *p, size_t n, size_t size)
{
	p = realloc(p, n * size);
	if (!p)
		abort();
	return p;
}

/* --- physics --- */

static uint64_t place_hash(const struct place *p)
{
	uint64_t h = rng_mix((uint64_t)(int64_t)llround(p->x * 100));

	h = rng_mix(h ^ (uint64_t)(int64_t)llround(p->y * 100));
	return rng_mix(h ^ (uint64_t)(int64_t)p->floor);
}

static double shadowing(uint64_t seed, const struct place *a, const struct place *b)
{
	uint64_t h = rng_mix(seed ^ (place_hash(a) + place_hash(b)));
	double u = (double)(uint32_t)h / 4294967296.0;
	double v = (double)(uint32_t)(h >> 32) / 4294967296.0;

	return SHADOW_MAX * (u + v - 1.0);
}

double air_path_loss(const struct place *a, const struct place *b)
{
	double dx = a->x - b->x, dy = a->y - b->y, dz = FLOOR_HEIGHT * (a->floor - b->floor);
	double d = sqrt(dx * dx + dy * dy + dz * dz);

	return LOSS_AT_1M + LOSS_EXPONENT * log10(d > 1.0 ? d : 1.0) +
	       LOSS_FLOOR * abs(a->floor - b->floor);
}

double air_rssi(uint64_t seed, const struct place *a, const struct place *b)
{
	return shadowing(seed, a, b) - air_path_loss(a, b);
}

bool air_hears(uint64_t seed, const struct place *a, const struct place *b)
{
	double dx = a->x - b->x, dy = a->y - b->y;

	return dx * dx + dy * dy < RANGE_MAX * RANGE_MAX && air_rssi(seed, a, b) >= AIR_HEARD_FROM;
}

/* --- one radio's queue --- */

static void list_push(struct air_radio *r, uint16_t i)
{
	r->slots[i].next = NONE;
	if (r->head == NONE)
		r->head = i;
	else
		r->slots[r->tail].next = i;
	r->tail = i;
}

static void slot_free(struct air_radio *r, uint16_t i)
{
	r->slots[i].next = r->free;
	r->free = i;
}

static void fill_sets(struct air_radio *r)
{
	while (r->n_active < AIR_SETS && r->head != NONE) {
		uint16_t i = r->head;

		r->head = r->slots[i].next;
		r->slots[i].due = timers_now(r->air->timers);
		r->active[r->n_active++] = i;
	}
}

static void active_remove(struct air_radio *r, unsigned k)
{
	slot_free(r, r->active[k]);
	r->n_active--;
	memmove(&r->active[k], &r->active[k + 1], (r->n_active - k) * sizeof(r->active[0]));
}

/* The active slot that is due first, the longest active of equals; AIR_SETS when none is. */
static unsigned first_due(const struct air_radio *r)
{
	unsigned first = AIR_SETS;

	for (unsigned k = 0; k < r->n_active; k++) {
		if (first == AIR_SETS ||
		    r->slots[r->active[k]].due < r->slots[r->active[first]].due)
			first = k;
	}
	return first;
}

static void radio_turn(void *ctx);

static void arm(struct air_radio *r)
{
	uint64_t now = timers_now(r->air->timers);
	unsigned k;

	if (r->in_flight)
		return;
	fill_sets(r);
	k = first_due(r);
	if (k == AIR_SETS) {
		timer_stop(r->air->timers, &r->timer);
	} else {
		uint64_t due = r->slots[r->active[k]].due;

		timer_start(r->air->timers, &r->timer, due > now ? due - now : 0, radio_turn, r);
	}
}

static void deliver(struct air_radio *r, struct bytes ad)
{
	struct air *air = r->air;
	struct air_report report = { r->config.address, ad, 0 };

	air->delivering = true;
	for (size_t i = 0; i < r->n_neighbours; i++) {
		const struct neighbour *to = &r->neighbours[i];
		uint64_t draw = rng_next(&air->rng);
		int fading = (int)(((draw >> 32) * 5) >> 32) - 2;

		if ((uint32_t)draw < air->loss) {
			air->counters.lost++;
			continue;
		}
		air->counters.deliveries++;
		report.rssi = (int8_t)(to->rssi + fading);
		to->radio->config.heard(to->radio->config.ctx, &report);
	}
	air->delivering = false;
}

static void echo_free(struct air *air, struct echo *e)
{
	struct echo **at = &air->echoes;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	timer_stop(air->timers, &e->timer);
	free(e);
}

static void on_echo(void *ctx)
{
	struct echo *e = ctx;

	deliver(e->from, bytes_of(e->ad, e->len));
	echo_free(e->from->air, e);
}

static void arrive_late(struct air_radio *r)
{
	struct air *air = r->air;
	struct echo *e = calloc(1, sizeof(*e));

	if (!e)
		abort();
	e->from = r;
	e->len = r->flight_len;
	memcpy(e->ad, r->flight, r->flight_len);
	e->next = air->echoes;
	air->echoes = e;
	air->counters.late++;
	timer_start(air->timers, &e->timer, 1 + rng_below(&air->rng, MSEC(AIR_LATE_MS)), on_echo,
		    e);
}

/* A quiet air draws nothing: its runs are what they were. */
static bool happens(struct air *air, uint64_t share)
{
	return share > 0 && (uint32_t)rng_next(&air->rng) < share;
}

static void arrive(struct air_radio *r)
{
	if (happens(r->air, r->air->duplicates))
		arrive_late(r);
	if (happens(r->air, r->air->reorders))
		arrive_late(r);
	else
		deliver(r, bytes_of(r->flight, r->flight_len));
}

static void begin_event(struct air_radio *r)
{
	struct air *air = r->air;
	unsigned k = first_due(r);
	struct slot *s;

	if (k == AIR_SETS)
		return;
	s = &r->slots[r->active[k]];
	memcpy(r->flight, s->ad, s->len);
	r->flight_len = s->len;
	r->in_flight = true;
	air->counters.events++;
	s->due = timers_now(air->timers) + MSEC(s->interval_ms) + rng_below(&air->rng, JITTER_US);
	if (--s->left == 0)
		active_remove(r, k);
	timer_start(air->timers, &r->timer, AIR_EVENT_US, radio_turn, r);
	if (air->capture)
		air->capture(air->capture_ctx, timers_now(air->timers), r->config.address,
			     bytes_of(r->flight, r->flight_len));
}

static void radio_turn(void *ctx)
{
	struct air_radio *r = ctx;

	if (r->in_flight) {
		/* What the receivers answer through this very radio waits for arm(). */
		arrive(r);
		r->in_flight = false;
		arm(r);
	} else {
		begin_event(r);
	}
}

bool air_send(struct air_radio *r, const struct air_transmission *t)
{
	uint16_t i = r->free;
	struct slot *s;

	if (t->ad.n == 0 || t->ad.n > AD_MAX || t->count == 0)
		return false;
	if (i == NONE) {
		r->air->counters.full++;
		return false;
	}
	s = &r->slots[i];
	r->free = s->next;
	*s = (struct slot){ .tag = t->tag,
			    .interval_ms = t->interval_ms,
			    .left = t->count,
			    .len = (uint8_t)t->ad.n };
	memcpy(s->ad, t->ad.p, t->ad.n);
	list_push(r, i);
	if (r->n_active < AIR_SETS)
		arm(r);
	return true;
}

void air_cancel(struct air_radio *r, uint32_t tag)
{
	uint16_t i = r->head;

	if (tag == 0)
		return;
	for (unsigned k = r->n_active; k-- > 0;) {
		if (r->slots[r->active[k]].tag == tag)
			active_remove(r, k);
	}
	r->head = NONE;
	while (i != NONE) {
		uint16_t next = r->slots[i].next;

		if (r->slots[i].tag == tag)
			slot_free(r, i);
		else
			list_push(r, i);
		i = next;
	}
	arm(r);
}

/* --- the air and its radios --- */

static uint64_t share_of(double share)
{
	return share <= 0 ? 0 : share >= 1 ? UINT64_C(1) << 32 : (uint64_t)(share * 4294967296.0);
}

struct air *air_new(struct timers *timers, uint64_t seed, uint64_t run_seed, double loss)
{
	struct air *air = calloc(1, sizeof(*air));

	if (!air)
		abort();
	air->timers = timers;
	air->seed = seed;
	air->rng = rng_seeded(run_seed, 0);
	air->loss = share_of(loss);
	return air;
}

void air_trouble(struct air *air, double duplicates, double reorders)
{
	air->duplicates = share_of(duplicates);
	air->reorders = share_of(reorders);
}

static void radio_free(struct air_radio *r)
{
	for (struct echo *e = r->air->echoes, *next; e; e = next) {
		next = e->next;
		if (e->from == r)
			echo_free(r->air, e);
	}
	timer_stop(r->air->timers, &r->timer);
	free(r->neighbours);
	free(r);
}

void air_free(struct air *air)
{
	if (!air)
		return;
	assert(!air->delivering);
	for (size_t i = 0; i < air->n; i++)
		radio_free(air->radios[i]);
	free(air->radios);
	free(air);
}

void air_set_capture(struct air *air,
		     void (*capture)(void *ctx, uint64_t at, const uint8_t address[AIR_ADDRESS],
				     struct bytes ad),
		     void *ctx)
{
	air->capture = capture;
	air->capture_ctx = ctx;
}

struct air_counters air_counters(const struct air *air)
{
	return air->counters;
}

static void neighbour_add(struct air_radio *of, struct air_radio *radio, double rssi)
{
	if (of->n_neighbours == of->cap_neighbours) {
		of->cap_neighbours = of->cap_neighbours ? 2 * of->cap_neighbours : 16;
		of->neighbours =
			grown(of->neighbours, of->cap_neighbours, sizeof(of->neighbours[0]));
	}
	of->neighbours[of->n_neighbours++] =
		(struct neighbour){ radio, (int8_t)lround(rssi < -120 ? -120 : rssi) };
}

static void neighbour_remove(struct air_radio *of, const struct air_radio *radio)
{
	for (size_t i = 0; i < of->n_neighbours; i++) {
		if (of->neighbours[i].radio != radio)
			continue;
		of->n_neighbours--;
		memmove(&of->neighbours[i], &of->neighbours[i + 1],
			(of->n_neighbours - i) * sizeof(of->neighbours[0]));
		return;
	}
}

struct air_radio *air_add(struct air *air, const struct air_radio_config *config)
{
	struct air_radio *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	assert(!air->delivering);
	r->air = air;
	r->config = *config;
	r->head = r->free = NONE;
	for (uint16_t i = AIR_QUEUE; i-- > 0;)
		slot_free(r, i);
	for (size_t i = 0; i < air->n; i++) {
		struct air_radio *other = air->radios[i];
		double rssi;

		if ((other->config.outside && config->outside) ||
		    !air_hears(air->seed, &config->place, &other->config.place))
			continue;
		rssi = air_rssi(air->seed, &config->place, &other->config.place);
		neighbour_add(r, other, rssi);
		neighbour_add(other, r, rssi);
	}
	if (air->n == air->cap) {
		air->cap = air->cap ? 2 * air->cap : 64;
		air->radios = grown(air->radios, air->cap, sizeof(air->radios[0]));
	}
	r->index = air->n;
	air->radios[air->n++] = r;
	return r;
}

void air_remove(struct air_radio *r)
{
	struct air *air = r->air;

	assert(!air->delivering);
	for (size_t i = 0; i < r->n_neighbours; i++)
		neighbour_remove(r->neighbours[i].radio, r);
	air->radios[r->index] = air->radios[--air->n];
	air->radios[r->index]->index = r->index;
	radio_free(r);
}

void air_set_address(struct air_radio *r, const uint8_t address[AIR_ADDRESS])
{
	memcpy(r->config.address, address, AIR_ADDRESS);
}

size_t air_neighbours(const struct air_radio *r)
{
	return r->n_neighbours;
}
