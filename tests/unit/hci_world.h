/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted controller in virtual time: answers each command at once or as its row says, keeps
 * what it was told, and counts the advertising events that would be on the air.
 */
#ifndef MESHMASON_TESTS_HCI_WORLD_H
#define MESHMASON_TESTS_HCI_WORLD_H

#include <stdlib.h>

#include "check.h"
#include "hci_host.h"

enum { WORLD_LOG_MAX = 4096, WORLD_AIR_MAX = 1024, WORLD_PENDING = 64 };

struct hci_air_event {
	uint64_t at;
	uint8_t handle, events, len; /* events: as the extended enable says; 1 for legacy */
	uint16_t interval;
	uint8_t data[AD_MAX];
};

struct hci_world {
	struct timers timers;
	struct hci_host host;
	struct timer answer;
	/* the controller's behaviour */
	uint8_t version;
	bool has_extended, never_ends, mute, no_credit, disallow_while_scanning, hardware_dead;
	uint16_t mute_opcode;
	uint16_t refuse_opcode;
	uint8_t refuse_status;
	unsigned refuse_times, mute_times;
	uint8_t n_sets;
	/* its state */
	bool scanning, advertising;
	uint16_t opcode[WORLD_LOG_MAX];
	size_t n_opcodes;
	uint8_t packet[WORLD_PENDING][HCI_PACKET_MAX];
	size_t packet_len[WORLD_PENDING], n_pending;
	uint8_t legacy_data[32], set_data[HCI_SETS_MAX][AD_MAX], set_len[HCI_SETS_MAX];
	uint8_t params[8][64]; /* of the last command of some kinds, see keep() */
	uint16_t set_interval[HCI_SETS_MAX], legacy_interval;
	uint64_t set_end[HCI_SETS_MAX];
	bool set_on[HCI_SETS_MAX];
	unsigned side_by_side, most_side_by_side;
	struct timer set_timer[HCI_SETS_MAX];
	struct hci_set_ctx {
		struct hci_world *w;
		uint8_t handle;
	} set_ctx[HCI_SETS_MAX];
	struct hci_air_event air[WORLD_AIR_MAX];
	size_t n_air;
	bool write_fails;
	/* what the owner was told */
	unsigned ups, fails, heard;
	char why[HCI_WHY];
	struct bearer_report last;
	uint8_t last_data[256];
};

static inline void world_event(struct hci_world *w, uint8_t code, const void *params, size_t n)
{
	uint8_t packet[HCI_PACKET_MAX] = { HCI_PACKET_EVENT, code, (uint8_t)n };

	memcpy(packet + 3, params, n);
	hci_host_feed(&w->host, bytes_of(packet, 3 + n));
}

static inline void world_complete(struct hci_world *w, uint16_t opcode, uint8_t credits,
				  const uint8_t *result, size_t n)
{
	uint8_t params[64] = { credits, (uint8_t)opcode, (uint8_t)(opcode >> 8) };

	memcpy(params + 3, result, n);
	world_event(w, HCI_EV_COMMAND_COMPLETE, params, 3 + n);
}

static inline void world_set_over(void *ctx)
{
	struct hci_set_ctx *s = ctx;
	uint8_t meta[6] = { HCI_LE_ADV_SET_TERMINATED, 0x43, s->handle };

	s->w->set_on[s->handle] = false;
	s->w->side_by_side--;
	world_event(s->w, HCI_EV_LE_META, meta, sizeof(meta));
}

static inline void world_on_air(struct hci_world *w, uint8_t handle, uint8_t events,
				uint16_t interval, const uint8_t *data, uint8_t len)
{
	struct hci_air_event *e = &w->air[w->n_air++];

	check(w->n_air < WORLD_AIR_MAX);
	e->at = timers_now(&w->timers);
	e->handle = handle;
	e->events = events;
	e->interval = interval;
	e->len = len;
	memcpy(e->data, data, len);
}

static inline uint8_t world_ext_enable(struct hci_world *w, const uint8_t *p)
{
	uint8_t handle = p[2], events = p[5];

	if (p[0] == 0 && p[1] == 0) { /* all off */
		for (uint8_t i = 0; i < w->n_sets; i++)
			world_ext_enable(w, (uint8_t[]){ 0, 1, i, 0, 0, 0 });
		return 0;
	}
	check(handle < w->n_sets && p[1] == 1);
	if (p[0] == 0) {
		if (w->set_on[handle]) {
			w->set_on[handle] = false;
			w->side_by_side--;
			timer_stop(&w->timers, &w->set_timer[handle]);
		}
		return 0;
	}
	check(!w->set_on[handle]);
	w->set_on[handle] = true;
	if (++w->side_by_side > w->most_side_by_side)
		w->most_side_by_side = w->side_by_side;
	if (w->set_len[handle] > 0)
		world_on_air(w, handle, events, w->set_interval[handle], w->set_data[handle],
			     w->set_len[handle]);
	if (!w->never_ends)
		timer_start(&w->timers, &w->set_timer[handle],
			    (uint64_t)events * w->set_interval[handle] * 625 + 1000, world_set_over,
			    &w->set_ctx[handle]);
	return 0;
}

/* The status of a command, by the rules of a real one that concern us. */
static inline uint8_t world_obey(struct hci_world *w, uint16_t opcode, const uint8_t *p)
{
	switch (opcode) {
	case HCI_RESET:
		w->scanning = w->advertising = false;
		for (unsigned i = 0; i < HCI_SETS_MAX; i++) {
			timer_stop(&w->timers, &w->set_timer[i]);
			w->set_on[i] = false;
		}
		w->side_by_side = 0;
		return 0;
	case HCI_LE_SET_RANDOM_ADDRESS:
		check(!w->scanning && !w->advertising); /* would be 0x0C: never to be risked */
		return 0;
	case HCI_LE_SET_ADV_PARAMETERS:
		check(!w->advertising);
		w->legacy_interval = (uint16_t)(p[0] | p[1] << 8);
		return w->version < HCI_VERSION_5_0 && w->legacy_interval < 0xA0
			       ? HCI_INVALID_PARAMETERS
			       : 0;
	case HCI_LE_SET_ADV_DATA:
		memcpy(w->legacy_data, p, 32);
		return 0;
	case HCI_LE_SET_ADV_ENABLE:
		if (p[0] && w->scanning && w->disallow_while_scanning)
			return HCI_COMMAND_DISALLOWED;
		if (p[0] && !w->advertising)
			world_on_air(w, 0, 1, w->legacy_interval, w->legacy_data + 1,
				     w->legacy_data[0]);
		w->advertising = p[0];
		return 0;
	case HCI_LE_SET_SCAN_PARAMETERS:
		memcpy(w->params[0], p, 7);
		return 0;
	case HCI_LE_SET_EXT_SCAN_PARAMETERS:
		memcpy(w->params[0], p, 8);
		return 0;
	case HCI_LE_SET_SCAN_ENABLE:
	case HCI_LE_SET_EXT_SCAN_ENABLE:
		check_int(p[1], 0); /* duplicates are wanted */
		w->scanning = p[0];
		return 0;
	case HCI_LE_SET_EXT_ADV_PARAMETERS:
		check(!w->set_on[p[0]]);
		w->set_interval[p[0]] = (uint16_t)(p[3] | p[4] << 8);
		memcpy(w->params[1], p, 25);
		return 0;
	case HCI_LE_SET_EXT_ADV_DATA:
		w->set_len[p[0]] = p[3];
		memcpy(w->set_data[p[0]], p + 4, p[3]);
		return 0;
	case HCI_LE_SET_EXT_ADV_ENABLE:
		return world_ext_enable(w, p);
	default:
		return 0;
	}
}

static inline void world_answer_one(struct hci_world *w, const uint8_t *packet)
{
	uint16_t opcode = (uint16_t)(packet[1] | packet[2] << 8);
	uint8_t result[10] = { 0 };
	size_t n = 1;

	if (w->mute || (opcode == w->mute_opcode && w->mute_times > 0)) {
		w->mute_times -= w->mute_times > 0;
		return;
	}
	if (opcode == w->refuse_opcode && w->refuse_times > 0) {
		w->refuse_times--;
		result[0] = w->refuse_status;
		world_complete(w, opcode, 1, result, 1);
		return;
	}
	if (opcode == HCI_READ_LOCAL_VERSION) {
		result[1] = w->version;
		n = 9;
	} else if (opcode == HCI_READ_BD_ADDR) {
		memcpy(result + 1, (uint8_t[]){ 6, 5, 4, 3, 2, 1 }, 6);
		n = 7;
	} else if (opcode == HCI_LE_READ_LOCAL_FEATURES) {
		result[2] = w->has_extended ? 1 << 4 : 0;
		n = 9;
	} else if (opcode == HCI_LE_READ_NUMBER_OF_ADV_SETS) {
		result[1] = w->n_sets;
		n = 2;
	} else {
		result[0] = world_obey(w, opcode, packet + 4);
	}
	if (opcode == HCI_RESET)
		world_obey(w, opcode, packet + 4);
	world_complete(w, opcode, w->no_credit ? 0 : 1, result, n);
	if (w->no_credit) /* a credit of its own: Command Complete of opcode 0 */
		world_event(w, HCI_EV_COMMAND_COMPLETE, (uint8_t[]){ 1, 0, 0 }, 3);
}

static inline void world_answer(void *ctx)
{
	struct hci_world *w = ctx;
	uint8_t packet[HCI_PACKET_MAX];

	check_int(w->n_pending, 1); /* one command in flight, never more */
	w->n_pending = 0;
	memcpy(packet, w->packet[0], sizeof(packet));
	world_answer_one(w, packet);
}

static inline bool world_write(void *ctx, struct bytes packet)
{
	struct hci_world *w = ctx;

	if (w->write_fails)
		return false;
	check(packet.n >= 4 && packet.p[0] == HCI_PACKET_COMMAND);
	check_int(packet.p[3], packet.n - 4);
	check(w->n_opcodes < WORLD_LOG_MAX);
	w->opcode[w->n_opcodes++] = (uint16_t)(packet.p[1] | packet.p[2] << 8);
	if (w->mute)
		return true;
	memcpy(w->packet[w->n_pending++], packet.p, packet.n);
	timer_start(&w->timers, &w->answer, 500, world_answer, w); /* half a millisecond */
	return true;
}

static inline void world_heard(void *ctx, const struct bearer_report *report)
{
	struct hci_world *w = ctx;

	w->heard++;
	w->last = *report;
	memcpy(w->last_data, report->data.p, report->data.n);
}

static inline void world_up(void *ctx)
{
	((struct hci_world *)ctx)->ups++;
}

static inline void world_failed(void *ctx, const char *why)
{
	struct hci_world *w = ctx;

	w->fails++;
	snprintf(w->why, sizeof(w->why), "%s", why);
}

static inline struct hci_world *world_new(enum hci_advertising advertising)
{
	struct hci_world *w = calloc(1, sizeof(*w));
	struct hci_host_config config = { .timers = &w->timers,
					  .seed = 42,
					  .advertising = advertising,
					  .write = world_write,
					  .heard = world_heard,
					  .up = world_up,
					  .failed = world_failed,
					  .ctx = w };

	timers_init(&w->timers, 5000);
	w->version = HCI_VERSION_5_0;
	w->n_sets = 4;
	for (uint8_t i = 0; i < HCI_SETS_MAX; i++)
		w->set_ctx[i] = (struct hci_set_ctx){ w, i };
	hci_host_init(&w->host, &config);
	return w;
}

static inline void world_run(struct hci_world *w, uint64_t us)
{
	timers_advance(&w->timers, timers_now(&w->timers) + us);
}

static inline void world_start(struct hci_world *w)
{
	hci_host_start(&w->host);
	world_run(w, SEC(1));
}

static inline void world_free(struct hci_world *w)
{
	hci_host_stop(&w->host);
	world_obey(w, HCI_RESET, NULL);
	timer_stop(&w->timers, &w->answer);
	check_int(timers_next(&w->timers), TIMERS_NEVER); /* nothing of the host's runs on */
	timers_free(&w->timers);
	free(w);
}

static inline bool world_send(struct hci_world *w, enum bearer_class kind, uint8_t who,
			      uint8_t count, uint32_t tag)
{
	struct bearer_send s = { .kind = kind,
				 .count = count,
				 .interval_ms = 30,
				 .tag = tag,
				 .len = 3,
				 .data = { 2, AD_MESH_MESSAGE, who } };

	return hci_host_send(&w->host, &s);
}

/* How often a command was given. */
static inline unsigned world_count(const struct hci_world *w, uint16_t opcode)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->n_opcodes; i++)
		n += w->opcode[i] == opcode;
	return n;
}

#endif
