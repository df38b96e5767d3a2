/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole stack for the targets, with the keys of the specification's samples, a node that it asks
 * something, and promises that hold whatever the air says: numbers are reserved before they are
 * used and never given back, the IV Index only grows, what is sent is one AD structure.
 */
#ifndef MESHMASON_TESTS_FUZZ_WORLD_H
#define MESHMASON_TESTS_FUZZ_WORLD_H

#include <stdlib.h>
#include <string.h>

#include "beacon.h"
#include "config_client.h"
#include "mesh.h"
#include "net_pdu.h"
#include "remote_prov_client.h"
#include "subnet.h"

enum {
	OURS = 0x1201,
	NODE = 0x0100,
	NODE_ELEMENTS = 3,
	IV_SAMPLE = 0x12345678,
	IV_REACH = 42,
	HOURS = 200
};

static const struct secret16 KEY_NET = { { 0x7d, 0xd7, 0x36, 0x4c, 0xd8, 0x42, 0xad, 0x18, 0xc1,
					   0x7c, 0x2b, 0x82, 0x0c, 0x84, 0xc3, 0xd6 } };
static const struct secret16 KEY_OTHER_NET = { { 0x0e } };
static const struct secret16 KEY_APP = { { 0x63, 0x96, 0x47, 0x71, 0x73, 0x4f, 0xbd, 0x76, 0xe3,
					   0xb4, 0x05, 0x19, 0xd1, 0xd9, 0x4a, 0x48 } };
static const struct secret16 KEY_OURS = { { 0x9d, 0x6d, 0xd0, 0xe9, 0x6e, 0xb2, 0x5d, 0xc1, 0x9a,
					    0x40, 0xed, 0x99, 0x14, 0xf8, 0xf0, 0x3f } };
static const struct secret16 KEY_NODE = { { 0xd1 } };
static const struct secret16 KEY_CANDIDATE = { { 0xd2 } };

struct fuzz_world {
	struct timers timers;
	struct bearer bearer;
	struct mesh_store store;
	struct mesh *mesh;
	struct subnet_key net[2];
	uint32_t reserved;
	struct mesh_iv iv;
	uint32_t their_seq;  /* the next that somebody else uses */
	struct net_pdu sent; /* our last PDU that was a segment */
	unsigned answers;    /* our own element's and the node's */
	unsigned unprovisioned;
	struct access_listener reports;
	struct config_call composition, attention;
	struct rpr_call scan;
	uint8_t random;
};

static inline void promise(bool kept)
{
	if (!kept)
		abort();
}

static inline bool fuzz_bearer_send(struct bearer *b, const struct bearer_send *s)
{
	struct fuzz_world *w = CONTAINER_OF(b, struct fuzz_world, bearer);
	struct net_pdu p;
	bool opened;

	promise(s->len >= 3 && s->len <= AD_MAX && s->data[0] == s->len - 1 && s->count > 0);
	if (s->data[1] != AD_MESH_MESSAGE)
		return true;
	opened = net_pdu_decode(&w->net[0].flooding, w->iv.index,
				bytes_of(s->data + 2, s->len - 2u), &p) ||
		 net_pdu_decode(&w->net[0].flooding, w->iv.index - 1,
				bytes_of(s->data + 2, s->len - 2u), &p);
	if (!opened) /* under the other network's key */
		return true;
	promise(p.src == OURS && p.seq < w->reserved);
	if (!p.ctl && p.transport[0] & 0x80)
		w->sent = p;
	w->answers += !p.ctl;
	return true;
}

static inline void fuzz_bearer_cancel(struct bearer *b, uint32_t tag)
{
}

static inline void fuzz_save_seq(void *ctx, uint32_t reserved)
{
	struct fuzz_world *w = ctx;

	promise(reserved > w->reserved && reserved <= SEQ_MAX + 1u);
	w->reserved = reserved;
}

static inline void fuzz_save_iv(void *ctx, const struct mesh_iv *iv, uint32_t reserved)
{
	struct fuzz_world *w = ctx;

	promise(iv->index >= w->iv.index && iv->index - w->iv.index <= IV_REACH);
	w->iv = *iv;
	w->reserved = reserved;
}

static inline void fuzz_save_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
	promise(src != ADDR_UNASSIGNED && src <= ADDR_UNICAST_LAST);
}

static inline void fuzz_random(void *ctx, void *out, size_t n)
{
	struct fuzz_world *w = ctx;

	memset(out, ++w->random, n);
}

static inline void fuzz_unprovisioned(void *ctx, const struct mesh_unprovisioned *b)
{
	struct fuzz_world *w = ctx;

	w->unprovisioned++;
}

static inline void fuzz_report(void *ctx, const struct access_message *m)
{
	struct rpr_scan_report report;
	struct fuzz_world *w = ctx;

	w->answers += rpr_scan_report_decode(&report, m);
}

static inline void fuzz_configured(void *ctx, enum access_result r, struct config_call *call)
{
	struct composition c;

	if (r == ACCESS_OK && call->composition.p)
		composition_decode(&c, call->composition);
}

static inline void fuzz_scanned(void *ctx, enum access_result r, struct rpr_call *call)
{
}

/* Something to be answered: a long message under the device key, one under an application key. */
static inline void fuzz_world_ask(struct fuzz_world *w)
{
	struct access_target node = { .dst = NODE,
				      .app_index = ACCESS_DEVICE_KEY,
				      .ttl = ACCESS_DEFAULT_TTL,
				      .segmented = true };
	struct access *a = mesh_access(w->mesh);

	w->reports = (struct access_listener){ .opcode = OP_RPR_SCAN_REPORT,
					       .heard = fuzz_report,
					       .ctx = w };
	access_listen(a, &w->reports);
	w->composition.done = w->attention.done = fuzz_configured;
	w->scan.done = fuzz_scanned;
	config_composition_get(a, &w->composition, &node, 0);
	node.segmented = false;
	rpr_scan_start(a, &w->scan, &node, 4, 10, NULL);
	node.app_index = 0;
	health_attention_set(a, &w->attention, &node, 5);
}

static inline void fuzz_world_open(struct fuzz_world *w)
{
	struct mesh_env env = { .bearer = &w->bearer,
				.timers = &w->timers,
				.store = &w->store,
				.random = fuzz_random,
				.unprovisioned = fuzz_unprovisioned,
				.ctx = w };
	struct mesh_boot boot = { .address = OURS, .device_key = KEY_OURS };

	memset(w, 0, sizeof(*w));
	timers_init(&w->timers, SEC(1));
	w->bearer = (struct bearer){ .send = fuzz_bearer_send, .cancel = fuzz_bearer_cancel };
	w->store = (struct mesh_store){ fuzz_save_seq, fuzz_save_iv, fuzz_save_replay, w };
	w->iv = (struct mesh_iv){ .index = IV_SAMPLE,
				  .hours_in_state = HOURS, /* the next step is allowed */
				  .hours_since_recovery = UINT32_MAX };
	boot.iv = w->iv;
	subnet_key_init(&w->net[0], &KEY_NET);
	subnet_key_init(&w->net[1], &KEY_OTHER_NET);
	w->mesh = mesh_new(&env, &boot);
	promise(mesh_net_key_add(w->mesh, 0, &KEY_NET));
	promise(mesh_net_key_add(w->mesh, 1, &KEY_OTHER_NET));
	promise(mesh_app_key_add(w->mesh, 0, 0, &KEY_APP));
	promise(mesh_node_set(w->mesh, NODE, NODE_ELEMENTS, &KEY_NODE, &KEY_CANDIDATE));
	fuzz_world_ask(w);
	timers_advance(&w->timers, timers_now(&w->timers) + MSEC(50));
	w->answers = 0;
}

static inline void fuzz_world_close(struct fuzz_world *w)
{
	struct access *a = mesh_access(w->mesh);

	/* What was begun ends, whatever was heard. */
	timers_advance(&w->timers, timers_now(&w->timers) + SEC(120));
	config_call_cancel(&w->composition);
	config_call_cancel(&w->attention);
	rpr_call_cancel(&w->scan);
	access_unlisten(a, &w->reports);
	mesh_free(w->mesh);
	subnet_key_free(&w->net[0]);
	subnet_key_free(&w->net[1]);
	timers_free(&w->timers);
}

/* An advertising report, in memory of exactly its size. */
static inline void fuzz_world_report(struct fuzz_world *w, struct bytes ad)
{
	uint8_t *exact = malloc(ad.n ? ad.n : 1);
	struct bearer_report r = { .data = bytes_of(exact, ad.n),
				   .event_type = ADV_NONCONN_IND,
				   .rssi = -60 };

	promise(exact);
	if (ad.n > 0)
		memcpy(exact, ad.p, ad.n);
	w->bearer.heard(w->bearer.heard_ctx, &r);
	free(exact);
}

static inline void fuzz_world_structure(struct fuzz_world *w, enum ad_type type, struct bytes data)
{
	uint8_t ad[2 + AD_MAX];

	promise(data.n <= AD_MAX);
	ad[0] = (uint8_t)(data.n + 1);
	ad[1] = (uint8_t)type;
	memcpy(ad + 2, data.p, data.n);
	fuzz_world_report(w, bytes_of(ad, data.n + 2));
}

#endif
