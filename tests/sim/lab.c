/* SPDX-License-Identifier: Apache-2.0 */
#include "lab.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

void lab_random(void *ctx, void *out, size_t n)
{
	struct lab *l = ctx;

	for (size_t i = 0; i < n; i++) {
		l->random = l->random * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)out)[i] = (uint8_t)(l->random >> 40);
	}
}

/* ---- the devices on the air ---- */

static void member_random(void *ctx, void *out, size_t n)
{
	lab_random(((struct lab_member *)ctx)->lab, out, n);
}

static void member_send(void *ctx, const struct device_send *s)
{
	struct lab_member *m = ctx;
	struct air_transmission t = { s->count, s->interval_ms, s->tag, bytes_of(s->data, s->len) };

	if (!m->mute)
		air_send(m->radio, &t);
}

static void member_cancel(void *ctx, uint32_t tag)
{
	air_cancel(((struct lab_member *)ctx)->radio, tag);
}

static void member_save(void *ctx, struct bytes image)
{
	struct lab_member *m = ctx;

	check(image.n <= sizeof(m->flash));
	memcpy(m->flash, image.p, image.n);
	m->flash_len = image.n;
}

static void member_heard(void *ctx, const struct air_report *r)
{
	struct lab_member *m = ctx;

	if (!m->deaf)
		device_heard_from(m->device, r->address, r->ad, r->rssi);
}

static void start(struct lab_member *m)
{
	struct device_env env = { &m->lab->timers, member_random, member_send,
				  member_cancel,   member_save,	  m };
	uint8_t flash[DEVICE_FLASH_MAX];

	memcpy(flash, m->flash, m->flash_len); /* it may save while it starts */
	m->device = device_new(&m->make, &env, bytes_of(flash, m->flash_len));
}

void lab_add(struct lab *l, size_t i, double x)
{
	struct lab_member *m = &l->member[i];
	struct air_radio_config radio = { .place = { x, 0, 0 },
					  .address = { (uint8_t)(i + 1) },
					  .heard = member_heard,
					  .ctx = m };

	m->lab = l;
	m->radio = air_add(l->air, &radio);
	start(m);
}

void lab_restart(struct lab *l, size_t i)
{
	device_free(l->member[i].device);
	start(&l->member[i]);
}

struct device_state lab_state(const struct lab *l, size_t i)
{
	struct device_state s;

	check(device_state_read(bytes_of(l->member[i].flash, l->member[i].flash_len), &s));
	return s;
}

/* ---- the stack on the air ---- */

static bool gateway_send(struct bearer *b, const struct bearer_send *s)
{
	struct lab *l = CONTAINER_OF(b, struct lab, bearer);
	struct air_transmission t = { s->count, s->interval_ms, s->tag, bytes_of(s->data, s->len) };

	return air_send(l->gateway, &t);
}

static void gateway_cancel(struct bearer *b, uint32_t tag)
{
	air_cancel(CONTAINER_OF(b, struct lab, bearer)->gateway, tag);
}

static void gateway_heard(void *ctx, const struct air_report *r)
{
	struct lab *l = ctx;
	struct bearer_report report = { .data = r->ad,
					.event_type = ADV_NONCONN_IND,
					.rssi = r->rssi };

	l->bearer.heard(l->bearer.heard_ctx, &report);
}

static void ignore_seq(void *ctx, uint32_t reserved)
{
}

static void ignore_iv(void *ctx, const struct mesh_iv *iv, uint32_t seq)
{
}

static void note_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
	struct lab *l = ctx;

	l->heard_src = src;
	l->heard_seq = ivi_seq;
}

static void trace(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct lab *l = ctx;

	if (l->trace)
		l->trace(l->ctx, m, pdu, outgoing);
}

static void candidate_used(void *ctx, uint16_t address)
{
	struct lab *l = ctx;

	if (l->candidate_used)
		l->candidate_used(l->ctx, address);
}

struct lab *lab_new(uint64_t seed, double loss)
{
	struct lab *l = calloc(1, sizeof(*l));
	struct air_radio_config radio = {
		.address = { 0xEE }, .outside = true, .heard = gateway_heard, .ctx = l
	};
	struct mesh_env env = { .bearer = &l->bearer,
				.timers = &l->timers,
				.store = &l->store,
				.random = lab_random,
				.access_trace = trace,
				.candidate_used = candidate_used,
				.ctx = l };
	struct mesh_boot boot = { .address = 1 };

	l->random = seed;
	l->store = (struct mesh_store){ ignore_seq, ignore_iv, note_replay, l };
	timers_init(&l->timers, SEC(1));
	l->air = air_new(&l->timers, seed, seed, loss);
	l->gateway = air_add(l->air, &radio);
	l->bearer.send = gateway_send;
	l->bearer.cancel = gateway_cancel;
	l->mesh = mesh_new(&env, &boot);
	lab_random(l, &l->net_key, sizeof(l->net_key));
	check(mesh_net_key_add(l->mesh, 0, &l->net_key));
	for (size_t i = 0; i < LAB_DEVICES; i++) {
		struct device_make *make = &l->member[i].make;

		memset(make->uuid, (int)(0xA0 + i), sizeof(make->uuid));
		make->elements = 1;
		make->features = FEATURE_RELAY;
		make->algorithms = 3;
		make->server = true;
	}
	return l;
}

void lab_free(struct lab *l)
{
	mesh_free(l->mesh);
	for (size_t i = 0; i < LAB_DEVICES; i++)
		device_free(l->member[i].device);
	air_free(l->air);
	timers_free(&l->timers);
	free(l);
}

bool lab_run(struct lab *l, uint64_t limit, const bool *until)
{
	uint64_t end = timers_now(&l->timers) + limit;

	while (!*until && timers_fire_next(&l->timers, end))
		;
	return *until;
}
