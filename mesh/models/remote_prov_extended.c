/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client                                    Server
 *   Extended Scan Start (8056)     ------>
 *     AD types, UUID, t seconds                  listens to that device
 *                                  <------  Extended Scan Report (8057), segmented
 *   Extended Scan Start, AD types  ------>
 *                                  <------  Extended Scan Report of the server itself, at once
 *
 * A Start is not acknowledged: silence until t + 4 s is asked once more. A server that cannot
 * says so in the report, with the UUID (BlueZ: with zeros).
 */
#include "remote_prov_extended.h"

#include <assert.h>
#include <string.h>

#include "ad_structures.h"

enum { TRIES = 2 };

static const uint64_t grace = SEC(4);

bool rpr_extended_start_encode(struct wr *w, const struct rpr_extended_start *m)
{
	for (size_t i = 0; i < m->n_ad_types; i++)
		if (!ad_type_may_be_asked(m->ad_types[i]) ||
		    memchr(m->ad_types + i + 1, m->ad_types[i], m->n_ad_types - i - 1))
			return false;
	if (m->n_ad_types == 0 || m->n_ad_types > RPR_AD_TYPES_MAX)
		return false;
	wr_u8(w, (uint8_t)m->n_ad_types);
	wr_copy(w, m->ad_types, m->n_ad_types);
	if (!m->uuid)
		return wr_ok(w) && m->timeout == 0;
	wr_copy(w, m->uuid, UUID_LEN);
	wr_u8(w, m->timeout);
	return wr_ok(w) && m->timeout != 0 && m->timeout <= RPR_EXTENDED_TIMEOUT_MAX;
}

bool rpr_extended_report_decode(struct rpr_extended_report *out, const struct access_message *m)
{
	struct rd r = rd_from(m->params);

	memset(out, 0, sizeof(*out));
	out->server = m->src;
	out->status = rd_u8(&r);
	rd_copy(&r, out->uuid, sizeof(out->uuid));
	out->has_oob = rd_ok(&r) && r.left > 0;
	if (!out->has_oob)
		return rd_ok(&r);
	rd_copy(&r, out->oob_raw, sizeof(out->oob_raw));
	out->oob_info = rpr_oob_from_raw(out->oob_raw);
	out->ads = rd_rest(&r);
	return rd_ok(&r);
}

static bool is_report(void *ctx, const struct access_message *m)
{
	static const uint8_t zeros[UUID_LEN];
	const struct rpr_extended *x = ctx;
	struct rpr_extended_report report;

	if (!rpr_extended_report_decode(&report, m)) {
		access_malformed(x->access);
		return false;
	}
	if (report.status != RPR_SUCCESS && memcmp(report.uuid, zeros, UUID_LEN) == 0)
		return true;
	return memcmp(x->uuid, zeros, UUID_LEN) == 0 || memcmp(x->uuid, report.uuid, UUID_LEN) == 0;
}

static void on_report(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct rpr_extended *x = ctx;
	struct rpr_extended_report report;

	x->running = false;
	if (r == ACCESS_OK && rpr_extended_report_decode(&report, answer))
		x->done(x->ctx, r, &report);
	else
		x->done(x->ctx, r == ACCESS_OK ? ACCESS_TIMEOUT : r, NULL);
}

void rpr_extended_scan(struct access *a, struct rpr_extended *x, const struct access_target *server,
		       const struct rpr_extended_start *m, const uint8_t *uuid)
{
	uint8_t buf[1 + RPR_AD_TYPES_MAX + UUID_LEN + 1];
	struct wr w = wr_to(buf, sizeof(buf));
	bool ok = rpr_extended_start_encode(&w, m);

	assert(ok && !x->running);
	(void)ok;
	memset(x->uuid, 0, sizeof(x->uuid));
	if (uuid)
		memcpy(x->uuid, uuid, UUID_LEN);
	x->access = a;
	x->running = true;
	x->request.to = *server;
	x->request.ctx = x;
	x->request.tries = TRIES;
	x->request.wait = SEC(m->timeout) + grace;
	x->request.answer_opcode = OP_RPR_EXTENDED_SCAN_REPORT;
	x->request.matches = is_report;
	x->request.done = on_report;
	access_request(a, &x->request, OP_RPR_EXTENDED_SCAN_START, wr_done(&w));
}

void rpr_extended_cancel(struct rpr_extended *x)
{
	if (!x->running)
		return;
	x->running = false;
	access_request_cancel(x->access, &x->request);
}
