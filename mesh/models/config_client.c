/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every request here is idempotent and has one answer, which echoes what it was about:
 *
 *   Client                                    Node
 *     Composition Data Get (8008) page ------>
 *                                      <------  Composition Data Status (02) page, data
 *     AppKey Add (00) indexes, key     ------>
 *                                      <------  AppKey Status (8003) status, indexes
 *     Model App Bind (803D)            ------>
 *                                      <------  Model App Status (803E) status, the same fields
 *     Default TTL, Relay, Network Transmit Set ->
 *                                      <------  the state as it is now
 *     Node Reset (8049)                ------>
 *                                      <------  Node Reset Status (804A)
 *     Health Attention Set (8005)      ------>  (under an AppKey)
 *                                      <------  Attention Status (8007)
 */
#include "config_client.h"

#include <assert.h>
#include <string.h>

enum { KEY_INDEX_LAST = 0xFFF, RELAY_ON = 1 };
enum { MODEL_APP_STATUS_LEN = 7, MODEL_APP_STATUS_VENDOR_LEN = 9 };

/* The answer: [Status] [echo of config_call.expect] [values, the first one is told]. */
struct config_answer {
	uint32_t opcode;
	bool has_status;
	uint8_t values;
	bool is_composition; /* page and data instead */
};

static const struct config_answer composition_status = { OP_COMPOSITION_DATA_STATUS, false, 0,
							 true };
static const struct config_answer appkey_status = { OP_APPKEY_STATUS, true, 0, false };
static const struct config_answer model_app_status = { OP_MODEL_APP_STATUS, true, 0, false };
static const struct config_answer default_ttl_status = { OP_DEFAULT_TTL_STATUS, false, 1, false };
static const struct config_answer relay_status = { OP_RELAY_STATUS, false, 2, false };
static const struct config_answer network_transmit_status = { OP_NETWORK_TRANSMIT_STATUS, false, 1,
							      false };
static const struct config_answer node_reset_status = { OP_NODE_RESET_STATUS, false, 0, false };
static const struct config_answer attention_status = { OP_HEALTH_ATTENTION_STATUS, false, 1,
						       false };

static bool element_decode(struct composition_element *e, struct rd *r)
{
	e->location = rd_le16(r);
	e->n_sig = rd_u8(r);
	e->n_vendor = rd_u8(r);
	if (e->n_sig + e->n_vendor > COMPOSITION_MODELS_MAX)
		return false;
	for (size_t i = 0; i < e->n_sig; i++)
		e->models[i] = rd_le16(r);
	for (size_t i = 0; i < e->n_vendor; i++) {
		uint32_t company = rd_le16(r);

		e->models[e->n_sig + i] = company << 16 | rd_le16(r);
	}
	return rd_ok(r);
}

bool composition_decode(struct composition *out, struct bytes data)
{
	struct rd r = rd_from(data);

	memset(out, 0, sizeof(*out));
	out->company = rd_le16(&r);
	out->product = rd_le16(&r);
	out->version = rd_le16(&r);
	out->replay_list = rd_le16(&r);
	out->features = rd_le16(&r);
	while (rd_ok(&r) && r.left > 0) {
		if (out->n_elements == COMPOSITION_ELEMENTS_MAX)
			return false;
		if (!element_decode(&out->elements[out->n_elements], &r))
			return false;
		out->n_elements++;
	}
	return rd_finished(&r) && out->n_elements > 0;
}

/* A vendor model of company 0 has the number of a SIG model, so the halves are searched alone:
 * ids below 0x10000 mean the SIG half. */
bool composition_has_model(const struct composition *c, uint8_t element, uint32_t model)
{
	const struct composition_element *e;
	size_t first, last;

	if (element >= c->n_elements)
		return false;
	e = &c->elements[element];
	first = model > 0xFFFF ? e->n_sig : 0;
	last = model > 0xFFFF ? (size_t)e->n_sig + e->n_vendor : e->n_sig;
	for (size_t i = first; i < last; i++) {
		if (e->models[i] == model)
			return true;
	}
	return false;
}

static size_t answer_len(const struct config_call *c)
{
	return (size_t)c->answer->has_status + c->expect_len + c->answer->values;
}

static bool well_formed(const struct config_call *c, struct bytes params)
{
	if (c->answer->is_composition)
		return params.n > 1 || (params.n == 1 && params.p[0] % COMPOSITION_NEXT ==
								 COMPOSITION_PAGE_PROFILES);
	if (c->answer == &model_app_status) /* of the other kind of model, which is not meant */
		return params.n == MODEL_APP_STATUS_LEN || params.n == MODEL_APP_STATUS_VENDOR_LEN;
	return params.n == answer_len(c);
}

/* Is this the answer to that call, by its length and by the fields it echoes? */
static bool answer_matches(void *ctx, const struct access_message *m)
{
	const struct config_call *c = ctx;
	const struct config_answer *shape = c->answer;
	struct rd r = rd_from(m->params);

	if (!well_formed(c, m->params)) {
		access_malformed(c->access);
		return false;
	}
	if (shape->is_composition) /* the highest page that is not above the one asked for */
		return m->params.p[0] <= c->expect[0];
	if (m->params.n != answer_len(c))
		return false;
	if (shape->has_status)
		rd_u8(&r);
	return bytes_equal(rd_bytes(&r, c->expect_len), bytes_of(c->expect, c->expect_len));
}

static void answer_read(struct config_call *c, const struct access_message *m)
{
	struct rd r = rd_from(m->params);

	c->ttl = m->ttl;
	if (c->answer->is_composition) {
		c->page = rd_u8(&r);
		c->composition = rd_rest(&r);
		return;
	}
	if (c->answer->has_status)
		c->status = rd_u8(&r);
	rd_bytes(&r, c->expect_len);
	if (c->answer->values > 0)
		c->value = rd_u8(&r);
}

static void on_answer(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct config_call *c = ctx;

	c->running = false;
	secret_wipe(c->request.params, sizeof(c->request.params)); /* an AppKey may be in there */
	if (r == ACCESS_OK)
		answer_read(c, answer);
	c->done(c->ctx, r, c);
}

static void call(struct access *a, struct config_call *c, const struct access_target *node,
		 const struct config_answer *answer, struct bytes expect, uint32_t opcode,
		 const struct wr *params)
{
	assert(!c->running && expect.n <= sizeof(c->expect) && wr_ok(params));
	c->access = a;
	c->running = true;
	c->status = c->value = c->page = c->ttl = 0;
	c->composition = bytes_of(NULL, 0);
	c->answer = answer;
	c->expect_len = (uint8_t)expect.n;
	if (expect.n > 0)
		memcpy(c->expect, expect.p, expect.n);
	c->request.to = *node;
	c->request.answer_opcode = answer->opcode;
	c->request.matches = answer_matches;
	c->request.done = on_answer;
	c->request.ctx = c;
	c->request.tries = 0;
	c->request.wait = 0;
	access_request(a, &c->request, opcode, wr_done(params));
}

void config_composition_get(struct access *a, struct config_call *c,
			    const struct access_target *node, uint8_t page)
{
	uint8_t buf[1];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_u8(&w, page);
	call(a, c, node, &composition_status, wr_done(&w), OP_COMPOSITION_DATA_GET, &w);
}

void config_appkey_add(struct access *a, struct config_call *c, const struct access_target *node,
		       uint16_t net_index, uint16_t app_index, const struct secret16 *key)
{
	uint8_t buf[3 + sizeof(key->octet)];
	struct wr w = wr_to(buf, sizeof(buf));

	assert(net_index <= KEY_INDEX_LAST && app_index <= KEY_INDEX_LAST);
	wr_le24(&w, (uint32_t)app_index << 12 | net_index); /* two indexes in three octets, 4.3.1 */
	wr_copy(&w, key->octet, sizeof(key->octet));
	call(a, c, node, &appkey_status, bytes_of(buf, 3), OP_APPKEY_ADD, &w);
	secret_wipe(buf, sizeof(buf));
}

void config_model_app_bind(struct access *a, struct config_call *c,
			   const struct access_target *node, const struct model_ref *model,
			   uint16_t app_index)
{
	uint8_t buf[8];
	struct wr w = wr_to(buf, sizeof(buf));

	assert(app_index <= KEY_INDEX_LAST);
	wr_le16(&w, model->element);
	wr_le16(&w, app_index);
	if (model->vendor)
		wr_le16(&w, (uint16_t)(model->model >> 16));
	wr_le16(&w, (uint16_t)model->model);
	call(a, c, node, &model_app_status, wr_done(&w), OP_MODEL_APP_BIND, &w);
}

/* A state of one or two octets: the answer tells what it is now, so nothing is compared. */
static void state_set(struct access *a, struct config_call *c, const struct access_target *node,
		      const struct config_answer *answer, uint32_t opcode, struct bytes state)
{
	uint8_t buf[2];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_bytes(&w, state);
	call(a, c, node, answer, bytes_of(NULL, 0), opcode, &w);
}

void config_default_ttl_set(struct access *a, struct config_call *c,
			    const struct access_target *node, uint8_t ttl)
{
	assert(ttl != 1 && ttl <= 0x7F);
	state_set(a, c, node, &default_ttl_status, OP_DEFAULT_TTL_SET, bytes_of(&ttl, 1));
}

void config_relay_set(struct access *a, struct config_call *c, const struct access_target *node,
		      bool on, uint8_t retransmit)
{
	const uint8_t state[2] = { on ? RELAY_ON : 0, retransmit };

	state_set(a, c, node, &relay_status, OP_RELAY_SET, bytes_of(state, sizeof(state)));
}

void config_network_transmit_set(struct access *a, struct config_call *c,
				 const struct access_target *node, uint8_t transmit)
{
	state_set(a, c, node, &network_transmit_status, OP_NETWORK_TRANSMIT_SET,
		  bytes_of(&transmit, 1));
}

void config_node_reset(struct access *a, struct config_call *c, const struct access_target *node)
{
	state_set(a, c, node, &node_reset_status, OP_NODE_RESET, bytes_of(NULL, 0));
}

void health_attention_set(struct access *a, struct config_call *c, const struct access_target *node,
			  uint8_t seconds)
{
	state_set(a, c, node, &attention_status, OP_HEALTH_ATTENTION_SET, bytes_of(&seconds, 1));
}

void config_call_cancel(struct config_call *c)
{
	if (!c->running)
		return;
	c->running = false;
	access_request_cancel(c->access, &c->request);
	secret_wipe(c->request.params, sizeof(c->request.params));
}

const char *config_status_text(uint8_t status)
{
	static const char *const text[] = { /* 4.3.14 */
					    "success",
					    "invalid address",
					    "invalid model",
					    "invalid AppKey index",
					    "invalid NetKey index",
					    "insufficient resources",
					    "key index already stored",
					    "invalid publish parameters",
					    "not a subscribe model",
					    "storage failure",
					    "feature not supported",
					    "cannot update",
					    "cannot remove",
					    "cannot bind",
					    "temporarily unable to change state",
					    "cannot set",
					    "unspecified error",
					    "invalid binding"
	};

	return status < ARRAY_LEN(text) ? text[status] : "a status reserved for future use";
}
