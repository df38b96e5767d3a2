/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client                                   Server
 *   Scan Capabilities Get (804F)  ------>
 *                                 <------  Scan Capabilities Status (8050)
 *   Scan Start (8052)             ------>
 *                                 <------  Scan Status (8054)
 *                                 <------  Scan Report (8055), one for each device, segmented
 *   Scan Stop (8053)              ------>
 *                                 <------  Scan Status, or nothing (BlueZ)
 *   Link Get (8058)               ------>
 *                                 <------  Link Status (805B), or nothing when idle (BlueZ)
 *   Link Close (805A)             ------>
 *                                 <------  Link Status, then Link Report (805C)
 */
#include "remote_prov_client.h"

#include <assert.h>
#include <string.h>

enum {
	OOB_RESERVED = 0x0600, /* bits 9 and 10 of OOB Information */
	TRIES = 3,
	LINK_OPEN_TIMEOUT_MAX = 60,
	NPPI_LAST = 2,
};

static const uint64_t answer_wait = SEC(4);

/* The field is little-endian; BlueZ and one phone library copy the beacon's big-endian octets. */
uint16_t rpr_oob_from_raw(const uint8_t raw[2])
{
	uint16_t le = (uint16_t)(raw[0] | raw[1] << 8);
	uint16_t be = (uint16_t)(raw[0] << 8 | raw[1]);

	return (le & OOB_RESERVED) != 0 && (be & OOB_RESERVED) == 0 ? be : le;
}

bool rpr_scan_report_decode(struct rpr_scan_report *out, const struct access_message *m)
{
	struct rd r = rd_from(m->params);

	memset(out, 0, sizeof(*out));
	out->server = m->src;
	out->ttl = m->ttl;
	out->rssi = (int8_t)rd_u8(&r);
	rd_copy(&r, out->uuid, sizeof(out->uuid));
	rd_copy(&r, out->oob_raw, sizeof(out->oob_raw));
	out->oob_info = rpr_oob_from_raw(out->oob_raw);
	out->has_uri_hash = rd_ok(&r) && r.left > 0;
	if (out->has_uri_hash)
		out->uri_hash = rd_be32(&r);
	return rd_finished(&r);
}

bool rpr_scan_capabilities_decode(struct rpr_scan_capabilities *out, struct bytes params)
{
	struct rd r = rd_from(params);

	out->max_items = rd_u8(&r);
	out->active_scan = rd_u8(&r) == 1;
	return rd_finished(&r);
}

bool rpr_scan_status_decode(struct rpr_scan_status *out, struct bytes params)
{
	struct rd r = rd_from(params);

	out->status = rd_u8(&r);
	out->state = rd_u8(&r);
	out->limit = rd_u8(&r);
	out->timeout = rd_u8(&r);
	return rd_finished(&r);
}

bool rpr_link_status_decode(struct rpr_link_status *out, struct bytes params)
{
	struct rd r = rd_from(params);

	out->status = rd_u8(&r);
	out->state = rd_u8(&r);
	return rd_finished(&r);
}

bool rpr_link_report_decode(struct rpr_link_report *out, struct bytes params)
{
	struct rd r = rd_from(params);

	out->status = rd_u8(&r);
	out->state = rd_u8(&r);
	out->reason = rd_ok(&r) && r.left > 0 ? rd_u8(&r) : -1;
	return rd_finished(&r);
}

bool rpr_outbound_report_decode(uint8_t *number, struct bytes params)
{
	struct rd r = rd_from(params);

	*number = rd_u8(&r);
	return rd_finished(&r);
}

bool rpr_pdu_decode(struct rpr_pdu *out, struct bytes params)
{
	struct rd r = rd_from(params);

	out->number = rd_u8(&r);
	out->pdu = rd_rest(&r);
	return rd_ok(&r) && out->pdu.n > 0;
}

bool rpr_pdu_encode(struct wr *w, const struct rpr_pdu *m)
{
	wr_u8(w, m->number);
	wr_bytes(w, m->pdu);
	return wr_ok(w) && m->pdu.n > 0;
}

bool rpr_scan_start_encode(struct wr *w, const struct rpr_scan_start *m)
{
	wr_u8(w, m->limit);
	wr_u8(w, m->timeout);
	if (m->uuid)
		wr_copy(w, m->uuid, UUID_LEN);
	return wr_ok(w) && m->timeout != 0;
}

bool rpr_link_open_encode(struct wr *w, const struct rpr_link_open *m)
{
	if (!m->uuid) {
		wr_u8(w, m->procedure);
		return wr_ok(w) && m->procedure <= NPPI_LAST && m->timeout == 0;
	}
	wr_copy(w, m->uuid, UUID_LEN);
	if (m->timeout != 0)
		wr_u8(w, m->timeout);
	return wr_ok(w) && m->timeout <= LINK_OPEN_TIMEOUT_MAX;
}

bool rpr_link_close_encode(struct wr *w, enum prov_close_reason reason)
{
	wr_u8(w, (uint8_t)reason);
	return wr_ok(w) && (reason == PROV_CLOSE_SUCCESS || reason == PROV_CLOSE_FAIL);
}

bool rpr_key_is_right(const struct access_message *m)
{
	return m->app_index == ACCESS_DEVICE_KEY || m->app_index == ACCESS_CANDIDATE_KEY;
}

/* A malformed answer is no answer: it is counted, and the request goes on. */
static bool is_good(const struct rpr_call *c, bool decoded)
{
	if (!decoded)
		access_malformed(c->access);
	return decoded;
}

static bool is_capabilities(void *ctx, const struct access_message *m)
{
	struct rpr_scan_capabilities s;

	return is_good(ctx, rpr_scan_capabilities_decode(&s, m->params));
}

static bool is_scan_status(void *ctx, const struct access_message *m)
{
	struct rpr_scan_status s;

	return is_good(ctx, rpr_scan_status_decode(&s, m->params));
}

/* Link Get is always answered with Success: any other status (BlueZ tells the owner of a link
 * that it refused somebody else's) answers something else. */
static bool is_link_get_status(void *ctx, const struct access_message *m)
{
	struct rpr_link_status s;

	return is_good(ctx, rpr_link_status_decode(&s, m->params)) && s.status == RPR_SUCCESS;
}

/* A late answer to Link Open says Active, and is not meant here. */
static bool is_link_close_status(void *ctx, const struct access_message *m)
{
	struct rpr_link_status s;

	if (!is_good(ctx, rpr_link_status_decode(&s, m->params)))
		return false;
	return s.status == RPR_INVALID_STATE ||
	       (s.status == RPR_SUCCESS &&
		(s.state == RPR_LINK_IDLE || s.state == RPR_LINK_CLOSING));
}

static void finish(struct rpr_call *c, enum access_result r)
{
	c->running = false;
	c->done(c->ctx, r, c);
}

static void on_capabilities(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct rpr_call *c = ctx;

	if (r == ACCESS_OK)
		c->answered = rpr_scan_capabilities_decode(&c->capabilities, answer->params);
	finish(c, r);
}

static void on_scan(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct rpr_call *c = ctx;

	if (r == ACCESS_OK)
		c->answered = rpr_scan_status_decode(&c->scan, answer->params);
	finish(c, r);
}

static void on_scan_stop(void *ctx, enum access_result r, const struct access_message *answer)
{
	if (r == ACCESS_TIMEOUT)
		finish(ctx, ACCESS_OK);
	else
		on_scan(ctx, r, answer);
}

static void on_link(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct rpr_call *c = ctx;

	if (r == ACCESS_OK)
		c->answered = rpr_link_status_decode(&c->link, answer->params);
	finish(c, r);
}

static void on_link_get(void *ctx, enum access_result r, const struct access_message *answer)
{
	if (r == ACCESS_TIMEOUT)
		finish(ctx, ACCESS_OK); /* c->link says Success, Idle */
	else
		on_link(ctx, r, answer);
}

static void call(struct access *a, struct rpr_call *c, const struct access_target *server,
		 uint32_t opcode, struct bytes params)
{
	assert(!c->running);
	c->access = a;
	c->running = true;
	c->answered = false;
	memset(&c->capabilities, 0, sizeof(c->capabilities));
	memset(&c->scan, 0, sizeof(c->scan));
	memset(&c->link, 0, sizeof(c->link));
	c->request.to = *server;
	c->request.ctx = c;
	c->request.tries = c->tries != 0 ? c->tries : TRIES;
	c->request.wait = answer_wait;
	access_request(a, &c->request, opcode, params);
}

void rpr_capabilities_get(struct access *a, struct rpr_call *c, const struct access_target *server)
{
	c->request.answer_opcode = OP_RPR_SCAN_CAPABILITIES_STATUS;
	c->request.matches = is_capabilities;
	c->request.done = on_capabilities;
	call(a, c, server, OP_RPR_SCAN_CAPABILITIES_GET, bytes_of(NULL, 0));
}

void rpr_scan_start(struct access *a, struct rpr_call *c, const struct access_target *server,
		    uint8_t limit, uint8_t timeout, const uint8_t *uuid)
{
	uint8_t buf[2 + UUID_LEN];
	struct wr w = wr_to(buf, sizeof(buf));
	bool ok = rpr_scan_start_encode(&w, &(struct rpr_scan_start){ limit, timeout, uuid });

	assert(ok);
	(void)ok;
	c->request.answer_opcode = OP_RPR_SCAN_STATUS;
	c->request.matches = is_scan_status;
	c->request.done = on_scan;
	call(a, c, server, OP_RPR_SCAN_START, wr_done(&w));
}

void rpr_scan_stop(struct access *a, struct rpr_call *c, const struct access_target *server)
{
	c->request.answer_opcode = OP_RPR_SCAN_STATUS;
	c->request.matches = is_scan_status;
	c->request.done = on_scan_stop;
	call(a, c, server, OP_RPR_SCAN_STOP, bytes_of(NULL, 0));
}

void rpr_link_get(struct access *a, struct rpr_call *c, const struct access_target *server)
{
	c->request.answer_opcode = OP_RPR_LINK_STATUS;
	c->request.matches = is_link_get_status;
	c->request.done = on_link_get;
	call(a, c, server, OP_RPR_LINK_GET, bytes_of(NULL, 0));
}

void rpr_link_close(struct access *a, struct rpr_call *c, const struct access_target *server,
		    enum prov_close_reason reason)
{
	uint8_t buf[1];
	struct wr w = wr_to(buf, sizeof(buf));
	bool ok = rpr_link_close_encode(&w, reason);

	assert(ok);
	(void)ok;
	c->request.answer_opcode = OP_RPR_LINK_STATUS;
	c->request.matches = is_link_close_status;
	c->request.done = on_link;
	call(a, c, server, OP_RPR_LINK_CLOSE, wr_done(&w));
}

void rpr_call_cancel(struct rpr_call *c)
{
	if (!c->running)
		return;
	c->running = false;
	access_request_cancel(c->access, &c->request);
}
