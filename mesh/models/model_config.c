/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   Client                                             Node
 *     SIG / Vendor Model App Get (804B, 804D)   ------>
 *                                               <------  List (804C, 804E) status, model, indexes
 *     SIG / Vendor Subscription Get (8029, 802B) ----->
 *                                               <------  List (802A, 802C) status, model, addresses
 *     Model Subscription Add (801B)             ------>
 *                                               <------  Status (801F) status, address, model
 *     Model Publication Get (8018), Set (03)    ------>
 *                                               <------  Status (8019) status, publication, model
 *
 * Every answer names the element and the model that it is about.
 */
#include "model_config.h"

#include <assert.h>
#include <string.h>

enum { INDEX_MASK = 0xFFF, CREDENTIALS = 1 << 12, INDEX_BITS = 12, PAIR_LEN = 3 };

void model_publication_encode(struct wr *w, const struct model_publication *p)
{
	wr_le16(w, p->address);
	wr_le16(w, (uint16_t)(p->app_index | (p->friend_credentials ? CREDENTIALS : 0)));
	wr_u8(w, p->ttl);
	wr_u8(w, p->period);
	wr_u8(w, p->retransmit);
}

static bool publication_read(struct model_publication *out, struct rd *r)
{
	uint16_t key;

	out->address = rd_le16(r);
	key = rd_le16(r);
	out->app_index = key & INDEX_MASK;
	out->friend_credentials = key & CREDENTIALS;
	out->ttl = rd_u8(r);
	out->period = rd_u8(r);
	out->retransmit = rd_u8(r);
	return rd_ok(r) && key <= (CREDENTIALS | INDEX_MASK);
}

bool model_publication_decode(struct model_publication *out, struct bytes octets)
{
	struct rd r = rd_from(octets);

	return publication_read(out, &r) && rd_finished(&r);
}

static void wr_model(struct wr *w, const struct model_ref *m)
{
	if (m->vendor)
		wr_le16(w, (uint16_t)(m->model >> 16));
	wr_le16(w, (uint16_t)m->model);
}

static bool rd_model_is(struct rd *r, const struct model_ref *m)
{
	uint16_t company = m->vendor ? rd_le16(r) : 0, id = rd_le16(r);

	return rd_ok(r) && id == (uint16_t)m->model &&
	       (!m->vendor || company == (uint16_t)(m->model >> 16));
}

/* Indexes in pairs of three octets, an odd last one in two: 4.3.1.1. */
static bool read_keys(struct model_config *c, struct rd *r)
{
	while (r->left >= PAIR_LEN) {
		uint32_t pair = rd_le24(r);

		if (c->n + 2 > MODEL_LIST_MAX)
			return false;
		c->list[c->n++] = pair & INDEX_MASK;
		c->list[c->n++] = (uint16_t)(pair >> INDEX_BITS);
	}
	if (r->left) {
		if (c->n == MODEL_LIST_MAX)
			return false;
		c->list[c->n++] = rd_le16(r) & INDEX_MASK;
	}
	return rd_finished(r);
}

static bool read_addresses(struct model_config *c, struct rd *r)
{
	while (r->left) {
		if (c->n == MODEL_LIST_MAX)
			return false;
		c->list[c->n++] = rd_le16(r);
	}
	return rd_finished(r);
}

bool model_config_decode(struct model_config *c, struct bytes params)
{
	struct rd r = rd_from(params);

	c->n = 0;
	c->status = rd_u8(&r);
	if (rd_le16(&r) != c->model.element)
		return false;
	switch (c->answer) {
	case MODEL_ANSWER_KEYS:
		return rd_model_is(&r, &c->model) && read_keys(c, &r);
	case MODEL_ANSWER_ADDRESSES:
		return rd_model_is(&r, &c->model) && read_addresses(c, &r);
	case MODEL_ANSWER_PUBLICATION:
		return publication_read(&c->publication, &r) && rd_model_is(&r, &c->model) &&
		       rd_finished(&r);
	case MODEL_ANSWER_SUBSCRIPTION:
		return rd_le16(&r) == c->address && rd_model_is(&r, &c->model) && rd_finished(&r);
	}
	return false;
}

static bool well_formed(const struct model_config *c, struct bytes params)
{
	size_t head = 3 + (c->model.vendor ? 4u : 2u);

	switch (c->answer) {
	case MODEL_ANSWER_KEYS:
	case MODEL_ANSWER_ADDRESSES:
		return params.n >= head;
	case MODEL_ANSWER_PUBLICATION: /* of either sort of model, which may not be meant */
		return params.n == 12 || params.n == 14;
	case MODEL_ANSWER_SUBSCRIPTION:
		return params.n == 7 || params.n == 9;
	}
	return false;
}

static bool matches(void *ctx, const struct access_message *m)
{
	struct model_config *c = ctx;

	if (!well_formed(c, m->params)) {
		access_malformed(c->access);
		return false;
	}
	return model_config_decode(c, m->params);
}

static void on_answer(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct model_config *c = ctx;

	c->running = false;
	c->done(c->ctx, r, c);
}

static void call(struct access *a, struct model_config *c, const struct access_target *node,
		 const struct model_ref *model, enum model_config_answer answer,
		 uint32_t answer_opcode)
{
	assert(!c->running);
	c->access = a;
	c->running = true;
	c->model = *model;
	c->answer = answer;
	c->n = 0;
	c->status = 0;
	c->request.to = *node;
	c->request.answer_opcode = answer_opcode;
	c->request.matches = matches;
	c->request.done = on_answer;
	c->request.ctx = c;
	c->request.tries = 0;
	c->request.wait = 0;
}

static void get(struct model_config *c, uint32_t opcode)
{
	uint8_t buf[6];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_le16(&w, c->model.element);
	wr_model(&w, &c->model);
	access_request(c->access, &c->request, opcode, wr_done(&w));
}

void model_app_get(struct access *a, struct model_config *c, const struct access_target *node,
		   const struct model_ref *model)
{
	call(a, c, node, model, MODEL_ANSWER_KEYS,
	     model->vendor ? OP_VENDOR_MODEL_APP_LIST : OP_SIG_MODEL_APP_LIST);
	get(c, model->vendor ? OP_VENDOR_MODEL_APP_GET : OP_SIG_MODEL_APP_GET);
}

void model_subscription_get(struct access *a, struct model_config *c,
			    const struct access_target *node, const struct model_ref *model)
{
	call(a, c, node, model, MODEL_ANSWER_ADDRESSES,
	     model->vendor ? OP_VENDOR_SUBSCRIPTION_LIST : OP_SIG_SUBSCRIPTION_LIST);
	get(c, model->vendor ? OP_VENDOR_SUBSCRIPTION_GET : OP_SIG_SUBSCRIPTION_GET);
}

void model_subscription_add(struct access *a, struct model_config *c,
			    const struct access_target *node, const struct model_ref *model,
			    uint16_t address)
{
	uint8_t buf[8];
	struct wr w = wr_to(buf, sizeof(buf));

	call(a, c, node, model, MODEL_ANSWER_SUBSCRIPTION, OP_MODEL_SUBSCRIPTION_STATUS);
	c->address = address;
	wr_le16(&w, model->element);
	wr_le16(&w, address);
	wr_model(&w, model);
	access_request(a, &c->request, OP_MODEL_SUBSCRIPTION_ADD, wr_done(&w));
}

void model_publication_get(struct access *a, struct model_config *c,
			   const struct access_target *node, const struct model_ref *model)
{
	call(a, c, node, model, MODEL_ANSWER_PUBLICATION, OP_MODEL_PUBLICATION_STATUS);
	get(c, OP_MODEL_PUBLICATION_GET);
}

void model_publication_set(struct access *a, struct model_config *c,
			   const struct access_target *node, const struct model_ref *model,
			   const struct model_publication *p)
{
	uint8_t buf[2 + PUBLICATION_LEN + 4];
	struct wr w = wr_to(buf, sizeof(buf));

	call(a, c, node, model, MODEL_ANSWER_PUBLICATION, OP_MODEL_PUBLICATION_STATUS);
	wr_le16(&w, model->element);
	model_publication_encode(&w, p);
	wr_model(&w, model);
	access_request(a, &c->request, OP_MODEL_PUBLICATION_SET, wr_done(&w));
}

void model_config_cancel(struct model_config *c)
{
	if (!c->running)
		return;
	c->running = false;
	access_request_cancel(c->access, &c->request);
}
