/* SPDX-License-Identifier: Apache-2.0 */
#include "building_plan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "building_faults.h"
#include "rng.h"

enum {
	STREAM_PLAN = 1, /* of randomness: choices */
	STREAM_PLACE = 2,
	STREAM_UUID = 3,
	STREAM_CHANGE = 6,
	APPEARANCE_CEILING_LIGHT = 0x0582,
	COMPANY_TEST = 0xFFFF, /* Assigned Numbers: for internal tests */
	COLUMNS_PER_ROOM = 2,
};

#define COLUMNS_FOR_A_ROW 2.5
#define PLACE_SPREAD	  0.2 /* of the spacing, either way */

/* --- places --- */

static double decimetres(double metres)
{
	return round(metres * 10) / 10;
}

static void place_floor(struct building_device *d, size_t n, int floor, double spacing,
			struct rng *rng)
{
	size_t rows = (size_t)fmax(1, round(sqrt((double)n / COLUMNS_FOR_A_ROW)));
	size_t columns = (n + rows - 1) / rows;

	for (size_t i = 0; i < n; i++) {
		size_t row = i / columns, column = i % columns;
		double dx = PLACE_SPREAD * (2 * rng_unit(rng) - 1);
		double dy = PLACE_SPREAD * (2 * rng_unit(rng) - 1);
		size_t room = row * ((columns + 1) / COLUMNS_PER_ROOM) + column / COLUMNS_PER_ROOM;

		d[i].place.x = decimetres(spacing * ((double)column + 0.5 + dx));
		d[i].place.y = decimetres(spacing * ((double)row + 0.5 + dy));
		d[i].place.floor = floor;
		snprintf(d[i].area, sizeof(d[i].area), "Building / Floor %d / Room %02zu", floor,
			 room + 1);
		snprintf(d[i].make.name, sizeof(d[i].make.name), "Light %d-%03zu", floor, i + 1);
	}
}

static void place_all(const struct building_keys *k, struct building_file *f)
{
	struct rng rng = rng_seeded(k->seed, STREAM_PLACE);
	size_t done = 0;

	for (size_t floor = 0; floor < k->floors; floor++) {
		size_t n = (f->n - done) / (k->floors - floor);

		place_floor(f->devices + done, n, (int)floor, k->spacing_m, &rng);
		done += n;
	}
}

/* --- makes --- */

static void make_all(const struct building_keys *k, struct building_file *f)
{
	struct rng rng = rng_seeded(k->seed, STREAM_UUID);

	for (size_t i = 0; i < f->n; i++) {
		struct device_make *m = &f->devices[i].make;

		rng_fill(&rng, m->uuid, UUID_LEN);
		m->uuid[6] = (m->uuid[6] & 0x0F) | 0x40; /* RFC 9562: version 4 */
		m->uuid[8] = (m->uuid[8] & 0x3F) | 0x80;
		m->appearance = APPEARANCE_CEILING_LIGHT;
		m->company = COMPANY_TEST;
		m->product = (uint16_t)(1 + rng_below(&rng, 3));
		m->elements = rng_below(&rng, 4) == 0 ? 2 : 1;
		m->features = FEATURE_RELAY;
		m->algorithms = 1 << PROV_ALG_CMAC | 1 << PROV_ALG_HMAC;
	}
}

static size_t share_of(double share, size_t n)
{
	return (size_t)llround(share * (double)n);
}

static void shuffle(size_t *order, size_t n, struct rng *rng)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t k = rng_below(rng, (uint32_t)i), t = order[k];

		order[k] = order[i - 1];
		order[i - 1] = t;
	}
}

/* The first of a shuffled order are the bad ones, in the order of the keys. */
static size_t spoil(const struct building_keys *k, struct building_file *f, const size_t *order)
{
	size_t at = 0;

	for (uint64_t i = 0; i < k->untrusted; i++)
		f->devices[order[at++]].certificate = CERTIFICATE_UNTRUSTED;
	for (uint64_t i = 0; i < k->expired; i++)
		f->devices[order[at++]].certificate = CERTIFICATE_EXPIRED;
	for (uint64_t i = 0; i < k->misnamed; i++)
		f->devices[order[at++]].certificate = CERTIFICATE_MISNAMED;
	for (size_t i = 0; i < at; i++)
		f->devices[order[i]].make.certificates = true;
	for (uint64_t i = 0; i < k->faults[DEVICE_DEAD]; i++)
		f->devices[order[at++]].make.fault = DEVICE_DEAD;
	for (uint64_t i = 0; i < k->faults[DEVICE_SILENT]; i++)
		f->devices[order[at++]].make.fault = DEVICE_SILENT;
	for (uint64_t i = 0; i < k->absent; i++)
		f->devices[order[at++]].absent = true;
	return building_faults_give(k, f, order, at);
}

static void choose(const struct building_keys *k, struct building_file *f, size_t *order)
{
	struct rng rng = rng_seeded(k->seed, STREAM_PLAN);
	size_t certified = share_of(k->cbp, f->n), bare;

	shuffle(order, f->n, &rng);
	spoil(k, f, order);
	/* Bad certificates count towards the share, and may exceed it. */
	for (size_t i = 0; i < certified; i++)
		f->devices[order[i]].make.certificates = true;
	bare = f->n;
	for (size_t i = 0; i < f->n; i++)
		bare -= f->devices[i].make.certificates;
	bare = share_of(k->oob_pubkey, bare);
	for (size_t i = f->n; i-- > 0;) {
		struct device_make *m = &f->devices[order[i]].make;

		m->oob_public_key = m->certificates;
		if (!m->certificates && bare > 0) {
			m->oob_public_key = true;
			bare--;
		}
	}
	building_faults_settle(f);
	shuffle(order, f->n, &rng);
	for (size_t i = 0; i < share_of(k->static_oob, f->n); i++) {
		struct device_make *m = &f->devices[order[i]].make;

		m->static_oob_len = 32;
		rng_fill(&rng, m->static_oob, m->static_oob_len);
	}
	shuffle(order, f->n, &rng);
	for (uint64_t i = 0; i < k->cmac_only; i++)
		f->devices[order[i]].make.algorithms = 1 << PROV_ALG_CMAC;
}

/* --- servers --- */

static bool sound(const struct building_device *d)
{
	return d->make.fault == DEVICE_SOUND && !d->absent && d->certificate == CERTIFICATE_GOOD;
}

/* Marks what is newly heard from a place; returns how many devices that were. Bad ones count, too:
 * the job has to hear them to refuse them. */
static size_t spread(const struct building_file *f, const struct place *from, unsigned hop,
		     unsigned *hops, size_t *queue, size_t queued)
{
	size_t news = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct building_device *d = &f->devices[i];

		if (hops[i] || d->absent || !air_hears(f->seed, from, &d->place))
			continue;
		hops[i] = hop;
		queue[queued + news++] = i;
	}
	return news;
}

/* Breadth first: hops of each device, as building_make.h has it. Returns the number unreached. */
static size_t reach(const struct building_file *f, unsigned *hops, size_t *queue)
{
	static const struct place gateway;
	size_t queued, unreached = 0;

	memset(hops, 0, f->n * sizeof(*hops));
	queued = spread(f, &gateway, 1, hops, queue, 0);
	for (size_t at = 0; at < queued; at++) {
		const struct building_device *d = &f->devices[queue[at]];

		if (d->make.server && sound(d))
			queued += spread(f, &d->place, hops[queue[at]] + 1, hops, queue, queued);
	}
	for (size_t i = 0; i < f->n; i++)
		unreached += !f->devices[i].absent && !hops[i];
	return unreached;
}

static void *zeroed(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

size_t building_reach(const struct building_file *file, unsigned *hops)
{
	unsigned *own = hops ? hops : zeroed(file->n, sizeof(*own));
	size_t *queue = zeroed(file->n, sizeof(*queue));
	size_t unreached = reach(file, own, queue);

	free(queue);
	if (!hops)
		free(own);
	return unreached;
}

/* The reached device that hears the most of the unreached ones; f->n when none hears any. */
static size_t best_promotion(const struct building_file *f, const unsigned *hops)
{
	size_t best = f->n, best_news = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct building_device *d = &f->devices[i];
		size_t news = 0;

		if (!hops[i] || d->make.server || !sound(d))
			continue;
		for (size_t k = 0; k < f->n; k++) {
			const struct building_device *other = &f->devices[k];

			news += !hops[k] && !other->absent &&
				air_hears(f->seed, &d->place, &other->place);
		}
		if (news > best_news) {
			best_news = news;
			best = i;
		}
	}
	return best;
}

/* Evenly over the building, then where growth would stop. */
static void place_servers(const struct building_keys *k, struct building_file *f)
{
	unsigned *hops = zeroed(f->n, sizeof(*hops));
	size_t *queue = zeroed(f->n, sizeof(*queue));
	double due = 0.5;

	for (size_t i = 0; i < f->n; i++) {
		due += k->servers;
		f->devices[i].make.server = due >= 1;
		due -= due >= 1 ? 1 : 0;
	}
	while (k->servers > 0 && reach(f, hops, queue) > 0) {
		size_t i = best_promotion(f, hops);

		if (i == f->n)
			break;
		f->devices[i].make.server = true;
	}
	free(queue);
	free(hops);
}

/* --- compositions --- */

/* From a stream of their own: the rest of a building is the same with them and without. False:
 * there are not enough sound servers. */
static bool change_compositions(const struct building_keys *k, struct building_file *f,
				size_t *order)
{
	struct rng rng = rng_seeded(k->seed, STREAM_CHANGE);
	uint64_t left = k->composition_change;

	shuffle(order, f->n, &rng);
	for (size_t i = 0; i < f->n && left > 0; i++) {
		struct device_make *m = &f->devices[order[i]].make;

		if (!m->server || !sound(&f->devices[order[i]]))
			continue;
		m->changed_elements = m->elements;
		left--;
	}
	shuffle(order, f->n, &rng);
	for (size_t i = 0; i < share_of(k->large_composition, f->n); i++)
		f->devices[order[i]].make.large_composition = true;
	return left == 0;
}

bool building_plan(const struct building_keys *k, struct building_file *out,
		   char error[BUILDING_ERROR])
{
	uint64_t bad =
		k->untrusted + k->expired + k->misnamed + k->absent + building_faults_wanted(k);
	size_t *order;
	bool enough;

	memset(out, 0, sizeof(*out));
	if (bad > k->devices || k->cmac_only > k->devices) {
		snprintf(error, BUILDING_ERROR, "more bad devices than devices (%llu)",
			 (unsigned long long)k->devices);
		return false;
	}
	if (k->floors > k->devices) {
		snprintf(error, BUILDING_ERROR, "floors=%llu: more floors than devices (%llu)",
			 (unsigned long long)k->floors, (unsigned long long)k->devices);
		return false;
	}
	out->seed = k->seed;
	out->loss = k->loss;
	out->duplicates = k->duplicates;
	out->reorders = k->reorders;
	out->n = k->devices;
	out->devices = zeroed(out->n, sizeof(out->devices[0]));
	order = zeroed(out->n, sizeof(*order));
	place_all(k, out);
	make_all(k, out);
	choose(k, out, order);
	place_servers(k, out);
	enough = change_compositions(k, out, order) && building_faults_servers(k, out);
	building_attackers_place(k, out);
	if (enough && !building_plan_prompts(k, out)) {
		snprintf(error, BUILDING_ERROR, "oob_prompt=%llu: fewer sound devices",
			 (unsigned long long)k->oob_prompt);
		free(order);
		building_file_free(out);
		return false;
	}
	free(order);
	if (!enough) {
		snprintf(error, BUILDING_ERROR,
			 "composition_change or a fault of servers: fewer sound servers "
			 "than that can be spared");
		building_file_free(out);
	}
	return enough;
}
