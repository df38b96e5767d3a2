/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   client                         server                             device
 *     | Link Open(UUID) ------------> |                                  |
 *     | <----- Link Status(0, open-   | Link Open ---------------------> |
 *     |                     ing)      | <---------------------- Link Ack |
 *     | <--- Link Report(0, active)   |                                  |
 *     | PDU Send 1 -----------------> | transaction -------------------> |
 *     | <-- PDU Outbound Report 1     | <--------------- Transaction Ack |
 *     | <----------- PDU Report 1     | <-------------------- its answer |
 *     |              ...              |                                  |
 *     | Link Close(reason) ---------> |                                  |
 *     | <----- Link Status(0, clos-   | Link Close x 3 ----------------> |
 *     |                     ing)      |                                  |
 *     | <----- Link Report(8, idle)   |                                  |
 *
 * RPState is read off the PB-ADV link: a transaction under way is Outbound Packet Transfer. A Link
 * Open of one octet opens the node itself instead: dev_nppi.c.
 */
#include <string.h>

#include "dev_core.h"

enum { OPEN_DEFAULT_S = 10, OPEN_MAX_S = 60 };

enum rpr_link_state dev_rpr_link_state(const struct device *d)
{
	const struct dev_pb_link *pb = &d->rpr.link.pb;

	if (d->rpr.nppi.state != RPR_LINK_IDLE)
		return d->rpr.nppi.state;
	switch (pb->state) {
	case DEV_PB_IDLE:
		return RPR_LINK_IDLE;
	case DEV_PB_OPENING:
		return RPR_LINK_OPENING;
	case DEV_PB_OPEN:
		return pb->tx.busy ? RPR_LINK_TRANSFER : RPR_LINK_ACTIVE;
	case DEV_PB_CLOSING:
		break;
	}
	return RPR_LINK_CLOSING;
}

static bool owned_by(const struct device *d, const struct dev_message *m)
{
	return dev_rpr_same(&d->rpr.link.owner, &m->peer);
}

static void reply_status(struct device *d, const struct dev_message *m, enum rpr_status status)
{
	uint8_t buf[4];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, OP_RPR_LINK_STATUS);
	wr_u8(&w, (uint8_t)status);
	wr_u8(&w, (uint8_t)dev_rpr_link_state(d));
	dev_access_reply(d, m, &w);
}

/* The status of a link that changes is not delayed: its report must not overtake it (BlueZ's client
 * takes the status for the later word, and waits for ever). */
static void reply_status_now(struct device *d, const struct dev_message *m)
{
	uint8_t buf[4];
	struct wr w = wr_to(buf, sizeof(buf));
	struct dev_peer to = m->peer;

	to.ttl = m->peer.ttl == 0 ? 0 : d->flash.default_ttl;
	dev_access_opcode(&w, OP_RPR_LINK_STATUS);
	wr_u8(&w, RPR_SUCCESS);
	wr_u8(&w, (uint8_t)dev_rpr_link_state(d));
	dev_transport_send(d, &to, wr_done(&w), false, NULL);
}

void dev_rpr_report_link(struct device *d, enum rpr_status status, const uint8_t *reason,
			 dev_sent_fn *sent)
{
	uint8_t buf[5];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, OP_RPR_LINK_REPORT);
	wr_u8(&w, (uint8_t)status);
	wr_u8(&w, (uint8_t)dev_rpr_link_state(d));
	if (reason)
		wr_u8(&w, *reason);
	if (!dev_transport_send(d, &d->rpr.link.owner, wr_done(&w), true, sent) && sent)
		sent(d, false);
}

static void report_link(struct device *d, enum rpr_status status, const uint8_t *reason)
{
	dev_rpr_report_link(d, status, reason, NULL);
}

static void report_outbound(struct device *d, const struct dev_peer *to)
{
	uint8_t buf[3];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, OP_RPR_PDU_OUTBOUND_REPORT);
	wr_u8(&w, d->rpr.link.out_count);
	dev_transport_send(d, to, wr_done(&w), true, NULL);
}

static void pdu_report_sent(struct device *d, bool delivered)
{
	/* The client has missed a PDU and cannot ask for it again. */
	if (!delivered && d->rpr.nppi.state == RPR_LINK_ACTIVE)
		dev_nppi_drop(d, RPR_LINK_CLOSED_CANNOT_DELIVER, NULL);
	if (delivered || d->rpr.link.pb.state != DEV_PB_OPEN)
		return;
	d->rpr.link.undeliverable = true;
	dev_pb_close(&d->rpr.link.pb, PROV_CLOSE_FAIL);
}

static void on_opened(void *ctx)
{
	report_link(ctx, RPR_SUCCESS, NULL);
}

void dev_rpr_report_pdu(struct device *d, struct bytes pdu)
{
	struct dev_rpr_link *link = &d->rpr.link;
	uint8_t buf[3 + DEV_PB_PDU_MAX];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, OP_RPR_PDU_REPORT);
	wr_u8(&w, ++link->in_count);
	wr_bytes(&w, pdu);
	if (link->in_count == 0 ||
	    !dev_transport_send(d, &link->owner, wr_done(&w), true, pdu_report_sent))
		pdu_report_sent(d, false);
}

static void on_received(void *ctx, struct bytes pdu)
{
	dev_rpr_report_pdu(ctx, pdu);
}

static void on_delivered(void *ctx)
{
	struct device *d = ctx;

	d->rpr.link.out_count++;
	report_outbound(d, &d->rpr.link.owner);
}

static void on_ended(void *ctx, enum dev_pb_end why, uint8_t reason)
{
	static const uint8_t timed_out = PROV_CLOSE_FAIL;
	struct device *d = ctx;

	switch (why) {
	case DEV_PB_PEER_CLOSED:
		report_link(d, RPR_LINK_CLOSED_BY_DEVICE, &reason);
		break;
	case DEV_PB_WE_CLOSED:
		report_link(d,
			    d->rpr.link.undeliverable ? RPR_LINK_CLOSED_CANNOT_DELIVER
						      : RPR_LINK_CLOSED_BY_CLIENT,
			    NULL);
		break;
	case DEV_PB_OPEN_TIMEOUT:
		report_link(d, RPR_LINK_OPEN_FAILED, NULL);
		break;
	case DEV_PB_IDLE_TIMEOUT:
		report_link(d, RPR_LINK_CLOSED_BY_SERVER, &timed_out);
		break;
	case DEV_PB_NOT_ACKED:
		report_link(d, RPR_LINK_CLOSED_CANNOT_SEND, NULL);
		break;
	case DEV_PB_OVERSIZE:
		report_link(d, RPR_LINK_CLOSED_CANNOT_RECEIVE, NULL);
		break;
	}
}

static const struct dev_pb_ops pb_ops = { on_opened, on_received, on_delivered, on_ended };

void dev_rpr_start(struct device *d)
{
	memset(&d->rpr, 0, sizeof(d->rpr));
	dev_pb_init(&d->rpr.link.pb, &d->env, DEV_TAG_RPR, true, &pb_ops, d);
	dev_nppi_start(d);
	dev_rpr_scan_start(d);
}

void dev_rpr_stop(struct device *d)
{
	dev_pb_drop(&d->rpr.link.pb);
	dev_nppi_stop(d);
	dev_rpr_scan_stop(d);
	dev_rpr_extended_stop(d);
}

void dev_rpr_heard_beacon(struct device *d, const struct dev_unprovisioned *u, struct bytes ad,
			  int8_t rssi)
{
	dev_rpr_scan_beacon(d, u, rssi);
	dev_rpr_extended_beacon(d, u, ad);
}

static void on_link_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	reply_status(d, m, RPR_SUCCESS);
}

/* Asks for the very link that is there. */
static bool repeats(const struct device *d, const struct dev_message *m, struct bytes params)
{
	const struct dev_nppi *nppi = &d->rpr.nppi;

	if (!owned_by(d, m))
		return false;
	if (params.n == 1)
		return nppi->state != RPR_LINK_IDLE && params.p[0] == nppi->procedure;
	return nppi->state == RPR_LINK_IDLE && params.n == UUID_LEN &&
	       memcmp(params.p, d->rpr.link.pb.uuid, UUID_LEN) == 0;
}

/* What to answer when a link is there already; params are the UUID or the procedure. */
static enum rpr_status status_when_busy(const struct device *d, const struct dev_message *m,
					struct bytes params)
{
	enum rpr_link_state state = dev_rpr_link_state(d);

	if (state == RPR_LINK_TRANSFER || state == RPR_LINK_CLOSING)
		return RPR_INVALID_STATE;
	return repeats(d, m, params) ? RPR_SUCCESS : RPR_LINK_CANNOT_OPEN;
}

static void own_link(struct device *d, const struct dev_message *m)
{
	struct dev_rpr_link *link = &d->rpr.link;

	link->owner = m->peer;
	link->owner.ttl = m->peer.ttl == 0 ? 0 : d->flash.default_ttl;
	link->out_count = link->in_count = 0;
	link->undeliverable = false;
}

/* It is open as soon as it may be. */
static void open_nppi(struct device *d, const struct dev_message *m, enum nppi_procedure procedure)
{
	enum rpr_status status = dev_nppi_open(d, procedure);

	if (status != RPR_SUCCESS) {
		reply_status(d, m, status);
		return;
	}
	own_link(d, m);
	reply_status_now(d, m);
	report_link(d, RPR_SUCCESS, NULL);
}

static void on_link_open(struct device *d, const struct dev_message *m, struct bytes params)
{
	bool nppi = params.n == 1, timed = params.n == UUID_LEN + 1;
	uint8_t timeout = timed ? params.p[UUID_LEN] : OPEN_DEFAULT_S;

	if ((!nppi && params.n < UUID_LEN) || (nppi && params.p[0] > NPPI_COMPOSITION) ||
	    timeout == 0 || timeout > OPEN_MAX_S)
		return;
	if (dev_rpr_link_state(d) != RPR_LINK_IDLE) {
		params.n = nppi ? 1 : UUID_LEN;
		reply_status(d, m, status_when_busy(d, m, params));
		return;
	}
	if (nppi) {
		open_nppi(d, m, (enum nppi_procedure)params.p[0]);
		return;
	}
	own_link(d, m);
	dev_pb_open(&d->rpr.link.pb, params.p, SEC(timeout));
	reply_status_now(d, m);
}

static void on_link_close(struct device *d, const struct dev_message *m, struct bytes params)
{
	enum rpr_link_state state = dev_rpr_link_state(d);
	bool nppi = d->rpr.nppi.state == RPR_LINK_ACTIVE;
	uint8_t reason = params.p[0];

	if (reason != PROV_CLOSE_SUCCESS && reason != PROV_CLOSE_FAIL)
		return;
	if (state != RPR_LINK_IDLE && state != RPR_LINK_CLOSING) {
		if (!owned_by(d, m)) {
			reply_status(d, m, RPR_INVALID_STATE);
			return;
		}
		if (nppi)
			dev_nppi_closing(d, (enum prov_close_reason)reason);
		else
			dev_pb_close(&d->rpr.link.pb, reason);
	}
	reply_status_now(d, m);
	if (nppi)
		dev_nppi_closed(d);
}

static void on_pdu_send(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct dev_rpr_link *link = &d->rpr.link;
	struct rd r = rd_from(params);
	uint8_t number = rd_u8(&r);

	if (dev_rpr_link_state(d) != RPR_LINK_ACTIVE || !owned_by(d, m))
		return;
	/* A repeat of what was delivered; or there is no number left on this link. */
	if (number != link->out_count + 1) {
		report_outbound(d, &link->owner);
		return;
	}
	if (d->rpr.nppi.state == RPR_LINK_IDLE) {
		if (dev_fault_serving(d, link->out_count))
			return;
		dev_pb_send(&link->pb, rd_rest(&r));
		return;
	}
	link->out_count++;
	report_outbound(d, &link->owner);
	dev_nppi_received(d, rd_rest(&r));
}

const struct dev_handler dev_rpr_link_handlers[] = {
	{ OP_RPR_LINK_GET, 0, 0, on_link_get },
	{ OP_RPR_LINK_OPEN, 1, UUID_LEN + 1, on_link_open },
	{ OP_RPR_LINK_CLOSE, 1, 1, on_link_close },
	{ OP_RPR_PDU_SEND, 2, 1 + DEV_PB_PDU_MAX, on_pdu_send },
	{ 0, 0, 0, NULL },
};
