/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client                            Server                            Device
 *   Link Open (8059)         ----->
 *                            <-----  Link Status (805B) Opening
 *                                      PB-ADV Link Open        ----->
 *                                                              <-----   Link Ack
 *                            <-----  Link Report (805C) Active
 *   PDU Send (805D) n        ----->    provisioning PDU        ----->
 *                            <-----  PDU Outbound Report (805E) n
 *                                                              <-----   provisioning PDU
 *                            <-----  PDU Report (805F) m
 *   ...
 *   Link Close (805A)        ----->
 *                            <-----  Link Status Closing
 *                                      PB-ADV Link Close       ----->
 *                            <-----  Link Report Closed by Client
 *
 * With NPPI the server is the device: Link Open names a procedure, the link is active at once, and
 * Link Status and Link Report say so in either order.
 *
 * Any of the server's messages may be lost, doubled or late: Link Get repairs what can be. What
 * it cannot repair (a PDU Report that is gone) ends the link. Everything told to the owner goes
 * through a timer of no delay, so that the owner may free the carrier in any callback.
 */
#include "pb_remote.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pb_remote_private.h"

enum {
	OPEN_DEFAULT = 10, /* seconds, the server's open timeout: we name none */
	CLEANUPS = 2,	   /* repairs of a refused opening */
};

static const uint64_t answer_wait = SEC(4);
static const uint64_t open_grace = SEC(5); /* past the server's own open timeout */
static const uint64_t reopen_pause = SEC(2);
static const uint64_t settle_wait = SEC(2); /* for the Link Report that says it is really idle */

static struct pb_remote *from_carrier(struct prov_carrier *c)
{
	return CONTAINER_OF(c, struct pb_remote, carrier);
}

/* Telling the owner: one event each turn, in the order opened, sent, received, closed. */

bool pb_remote_inbox_ready(const struct pb_remote *p)
{
	return p->n_inbox > 0 && !(p->outstanding && p->inbox[0].after == p->out_number);
}

static void tell(void *ctx);

void pb_remote_kick(struct pb_remote *p)
{
	if (p->tell_opened || p->tell_sent || pb_remote_inbox_ready(p) || p->tell_closed)
		timer_start(p->timers, &p->teller, 0, tell, p);
}

/* The callback comes last: it may free us. */
static void tell(void *ctx)
{
	struct pb_remote *p = ctx;
	const struct prov_carrier_events *events = p->carrier.events;
	void *owner = p->carrier.ctx;
	struct pb_remote_inbound first;

	if (p->tell_opened) {
		p->tell_opened = false;
		pb_remote_kick(p);
		events->opened(owner);
	} else if (p->tell_sent) {
		p->tell_sent = false;
		pb_remote_kick(p);
		events->sent(owner);
	} else if (pb_remote_inbox_ready(p)) {
		first = p->inbox[0];
		memmove(p->inbox, p->inbox + 1, --p->n_inbox * sizeof(p->inbox[0]));
		pb_remote_kick(p);
		events->received(owner, bytes_of(first.pdu, first.n));
	} else if (p->tell_closed) {
		p->tell_closed = false;
		p->state = PBR_IDLE;
		events->closed(owner, p->end);
	}
}

/* Everything that is under way stops; what has been told to happen still is told. */
void pb_remote_stop_all(struct pb_remote *p)
{
	timer_stop(p->timers, &p->limit);
	rpr_call_cancel(&p->call);
	if (p->open_running)
		access_request_cancel(p->access, &p->open);
	p->open_running = false;
	if (p->sending)
		access_send_cancel(p->access, &p->send);
	p->sending = false;
}

static void enter(struct pb_remote *p, enum pb_remote_state state, uint64_t limit,
		  void (*fire)(void *ctx))
{
	pb_remote_stop_all(p);
	p->state = state;
	if (fire)
		timer_start(p->timers, &p->limit, limit, fire, p);
}

void pb_remote_ended(struct pb_remote *p, enum carrier_end end)
{
	enter(p, PBR_ENDED, 0, NULL);
	log_debug("pb-remote: server=%04x link ended (%d)", p->server.dst, (int)end);
	/* The device's answer that overtook the report of our PDU: it has had the PDU. */
	if (p->outstanding && p->n_inbox > 0)
		p->tell_sent = true;
	p->outstanding = false;
	p->end = end;
	p->tell_closed = true;
	pb_remote_kick(p);
}

/* Closing. */

static void on_settled(void *ctx)
{
	struct pb_remote *p = ctx;

	pb_remote_ended(p, p->end);
}

static void on_close_answered(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct pb_remote *p = ctx;

	/* Idle already: because of an earlier try, or for another reason. */
	p->close_confirmed = r == ACCESS_OK && call->link.status == RPR_SUCCESS &&
			     call->link.state == RPR_LINK_CLOSING;
	if (p->close_confirmed)
		enter(p, PBR_SETTLING, settle_wait, on_settled);
	else
		pb_remote_ended(
			p, p->end); /* idle, not ours any more, or silent: there is no more to do */
}

static void begin_close(struct pb_remote *p, enum prov_close_reason reason, enum carrier_end end,
			uint8_t tries)
{
	enter(p, PBR_CLOSING, 0, NULL);
	p->end = end;
	p->call.done = on_close_answered;
	p->call.ctx = p;
	p->call.tries = tries;
	rpr_link_close(p->access, &p->call, &p->server, reason);
}

void pb_remote_fail(struct pb_remote *p, enum carrier_end end, uint8_t tries)
{
	begin_close(p, PROV_CLOSE_FAIL, end, tries);
}

void pb_remote_ask(struct pb_remote *p,
		   void (*done)(void *ctx, enum access_result r, struct rpr_call *call))
{
	p->call.done = done;
	p->call.ctx = p;
	p->call.tries = PB_REMOTE_TRIES;
	rpr_link_get(p->access, &p->call, &p->server);
}

/* Opening. */

static void opened(struct pb_remote *p)
{
	enter(p, PBR_ACTIVE, 0, NULL);
	p->tell_opened = true;
	pb_remote_kick(p);
}

static void on_doubt_closed(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct pb_remote *p = ctx;

	if (r == ACCESS_TIMEOUT)
		p->end = CARRIER_SERVER_LOST;
	on_close_answered(ctx, r, call);
}

static void on_probed(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct pb_remote *p = ctx;

	if (r == ACCESS_OK && call->answered && call->link.state == RPR_LINK_ACTIVE) {
		opened(p);
		return;
	}
	if (call->answered && call->link.state == RPR_LINK_IDLE) {
		pb_remote_ended(p, CARRIER_OPEN_FAILED); /* the report that said so is lost */
		return;
	}
	/* Still opening: too late. Silent: idle (BlueZ), or gone; the answer to Close tells. */
	begin_close(p, PROV_CLOSE_FAIL, CARRIER_OPEN_FAILED, call->answered ? PB_REMOTE_TRIES : 1);
	p->call.done = on_doubt_closed;
}

static void on_open_overdue(void *ctx)
{
	struct pb_remote *p = ctx;

	enter(p, PBR_PROBING, 0, NULL);
	pb_remote_ask(p, on_probed);
}

static void send_open(void *ctx);

static void pause_then_open(struct pb_remote *p)
{
	enter(p, PBR_PAUSING, reopen_pause, send_open);
}

static void on_cleared(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct pb_remote *p = ctx;

	if (r == ACCESS_OK && call->link.status == RPR_SUCCESS)
		pause_then_open(p);
	else
		pb_remote_ended(p, CARRIER_BUSY); /* another client's link */
}

static void on_checked(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct pb_remote *p = ctx;

	if (r != ACCESS_OK || !call->answered) { /* BlueZ answers the owner of the link only */
		pb_remote_ended(p, CARRIER_BUSY);
		return;
	}
	if (call->link.state == RPR_LINK_IDLE) {
		pause_then_open(p);
		return;
	}
	/* A link is there. The owner opens one for each server, so if it is ours it is stale; a
	 * link of another client the server will not close for us. BlueZ keeps one that its device
	 * has closed in state Closing, until it is closed by us. */
	enter(p, PBR_CLEARING, 0, NULL);
	p->call.done = on_cleared;
	p->call.ctx = p;
	p->call.tries = PB_REMOTE_TRIES;
	rpr_link_close(p->access, &p->call, &p->server, PROV_CLOSE_FAIL);
}

/* A node with no link that does not open one to itself will not do so the next time either. */
static bool refused_for_good(const struct pb_remote *p, const struct rpr_link_status *s)
{
	return s->status == RPR_LINK_OPEN_FAILED ||
	       (p->options.nppi && s->status == RPR_LINK_CANNOT_OPEN && s->state == RPR_LINK_IDLE);
}

static void on_refused(struct pb_remote *p, const struct rpr_link_status *s)
{
	if (refused_for_good(p, s)) {
		pb_remote_ended(p, CARRIER_OPEN_FAILED);
	} else if (p->cleanups++ >= CLEANUPS) {
		pb_remote_ended(p, CARRIER_BUSY);
	} else if (s->state == RPR_LINK_IDLE) {
		pause_then_open(p);
	} else {
		enter(p, PBR_CHECKING, 0, NULL);
		pb_remote_ask(p, on_checked);
	}
}

static void on_open_answered(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct pb_remote *p = ctx;
	struct rpr_link_status s = { RPR_SUCCESS, RPR_LINK_IDLE };
	uint64_t limit = p->options.open_timeout != 0 ? p->options.open_timeout : OPEN_DEFAULT;

	p->open_running = false;
	if (r == ACCESS_TIMEOUT) { /* it may have opened all the same: one attempt to undo that */
		begin_close(p, PROV_CLOSE_FAIL, CARRIER_SERVER_LOST, 1);
	} else if (r != ACCESS_OK || !rpr_link_status_decode(&s, answer->params)) {
		pb_remote_ended(p, r == ACCESS_NO_KEY ? CARRIER_SERVER_LOST : CARRIER_BUSY);
	} else if (s.status != RPR_SUCCESS) {
		on_refused(p, &s);
	} else if (s.state == RPR_LINK_ACTIVE) {
		opened(p);
	} else {
		enter(p, PBR_AWAITING, SEC(limit) + open_grace, on_open_overdue);
	}
}

static bool is_link_status(void *ctx, const struct access_message *m)
{
	struct rpr_link_status s;

	return pb_remote_is_good(ctx, rpr_link_status_decode(&s, m->params));
}

static void send_open(void *ctx)
{
	struct pb_remote *p = ctx;
	struct rpr_link_open m = { .uuid = p->options.nppi ? NULL : p->uuid,
				   .procedure = (uint8_t)p->options.procedure };
	uint8_t buf[UUID_LEN];
	struct wr w = wr_to(buf, sizeof(buf));
	bool ok = rpr_link_open_encode(&w, &m);

	assert(ok);
	(void)ok;
	enter(p, PBR_OPENING, 0, NULL);
	p->open = (struct access_request){
		.to = p->server,
		.answer_opcode = OP_RPR_LINK_STATUS,
		.matches = is_link_status,
		.done = on_open_answered,
		.ctx = p,
		.tries = PB_REMOTE_TRIES,
		.wait = answer_wait,
	};
	p->open_running = true;
	access_request(p->access, &p->open, OP_RPR_LINK_OPEN, wr_done(&w));
}

/* What the server tells on its own. */

bool pb_remote_is_from_server(const struct pb_remote *p, const struct access_message *m)
{
	return m->src == p->server.dst && m->net_index == p->server.net_index &&
	       rpr_key_is_right(m);
}

bool pb_remote_is_good(const struct pb_remote *p, bool decoded)
{
	if (!decoded)
		access_malformed(p->access);
	return decoded;
}

/* During opening: the end of an older link of this server may still be under way to us. */
static void opening_report(struct pb_remote *p, const struct rpr_link_report *report)
{
	if (report->status == RPR_SUCCESS && report->state == RPR_LINK_ACTIVE)
		opened(p);
	else if (report->status == RPR_LINK_OPEN_FAILED)
		pb_remote_ended(p, CARRIER_OPEN_FAILED);
	else if (p->state != PBR_OPENING && report->status != RPR_LINK_CLOSED_BY_CLIENT &&
		 (report->status != RPR_SUCCESS || report->state == RPR_LINK_IDLE ||
		  report->state == RPR_LINK_CLOSING))
		pb_remote_ended(p, CARRIER_OPEN_FAILED);
}

/* Whatever the other octet says: BlueZ puts its state into the first and the device's reason into
 * the second. */
static bool says_over(const struct rpr_link_report *report)
{
	return report->status != RPR_SUCCESS || report->state == RPR_LINK_IDLE ||
	       report->state == RPR_LINK_CLOSING;
}

static void hear_link_report(void *ctx, const struct access_message *m)
{
	struct pb_remote *p = ctx;
	struct rpr_link_report report;

	if (!pb_remote_is_from_server(p, m) ||
	    !pb_remote_is_good(p, rpr_link_report_decode(&report, m->params)))
		return;
	switch (p->state) {
	case PBR_OPENING:
	case PBR_AWAITING:
	case PBR_PROBING:
		opening_report(p, &report);
		break;
	case PBR_CLEARING:
		if (says_over(&report))
			pause_then_open(p);
		break;
	case PBR_ACTIVE:
		if (report.status >= RPR_LINK_OPEN_FAILED && report.state == RPR_LINK_IDLE)
			pb_remote_ended(p, CARRIER_LOST);
		else if (says_over(&report))
			pb_remote_fail(
				p, CARRIER_LOST,
				PB_REMOTE_TRIES); /* BlueZ keeps what is left until it is told to */
		break;
	case PBR_CLOSING:
	case PBR_SETTLING:
		if (report.status != RPR_SUCCESS || report.state == RPR_LINK_IDLE) {
			p->close_confirmed |= report.status == RPR_LINK_CLOSED_BY_CLIENT;
			pb_remote_ended(p, p->end);
		}
		break;
	case PBR_IDLE:
	case PBR_CHECKING:
	case PBR_PAUSING:
	case PBR_ENDED:
		break;
	}
}

/* The owner's side. */

static void op_send(struct prov_carrier *c, struct bytes pdu)
{
	pb_remote_send(from_carrier(c), pdu);
}

static void op_open(struct prov_carrier *c, const uint8_t uuid[UUID_LEN])
{
	struct pb_remote *p = from_carrier(c);

	assert(p->state == PBR_IDLE);
	memcpy(p->uuid, uuid, UUID_LEN);
	p->cleanups = 0;
	p->close_confirmed = false;
	p->out_number = p->in_number = 0;
	p->outstanding = false;
	p->n_inbox = 0;
	p->tell_opened = p->tell_sent = p->tell_closed = false;
	send_open(p);
}

static void op_close(struct prov_carrier *c, enum prov_close_reason reason)
{
	struct pb_remote *p = from_carrier(c);

	if (reason != PROV_CLOSE_SUCCESS)
		reason = PROV_CLOSE_FAIL; /* Timeout is PB-ADV's; prohibited here, 4.3.4.4.3 */
	p->n_inbox = 0;
	p->tell_opened = p->tell_sent = false;
	switch (p->state) {
	case PBR_IDLE:
		assert(!"open");
		break;
	case PBR_CHECKING:
	case PBR_CLEARING:
	case PBR_PAUSING:
		pb_remote_ended(p, CARRIER_CLOSED); /* no link of this session is there */
		break;
	case PBR_OPENING:
	case PBR_AWAITING:
	case PBR_PROBING:
	case PBR_ACTIVE:
		begin_close(p, reason, CARRIER_CLOSED, PB_REMOTE_TRIES);
		break;
	case PBR_CLOSING:
	case PBR_SETTLING:
	case PBR_ENDED:
		break; /* under way, and for a reason of its own */
	}
}

static const struct prov_carrier_ops ops = { op_open, op_send, op_close };

static void listen(struct pb_remote *p, struct access_listener *l, uint32_t opcode,
		   void (*heard)(void *ctx, const struct access_message *m))
{
	l->opcode = opcode;
	l->heard = heard;
	l->ctx = p;
	access_listen(p->access, l);
}

struct prov_carrier *pb_remote_new(struct access *a, struct timers *timers,
				   const struct access_target *server,
				   const struct pb_remote_options *options)
{
	struct pb_remote *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->carrier.ops = &ops;
	p->access = a;
	p->timers = timers;
	p->server = *server;
	if (options)
		p->options = *options;
	listen(p, &p->on_link_report, OP_RPR_LINK_REPORT, hear_link_report);
	listen(p, &p->on_outbound_report, OP_RPR_PDU_OUTBOUND_REPORT, pb_remote_outbound_report);
	listen(p, &p->on_pdu_report, OP_RPR_PDU_REPORT, pb_remote_pdu_report);
	return &p->carrier;
}

bool pb_remote_close_confirmed(const struct prov_carrier *c)
{
	return CONTAINER_OF(c, const struct pb_remote, carrier)->close_confirmed;
}

void pb_remote_free(struct prov_carrier *c)
{
	struct pb_remote *p;

	if (!c)
		return;
	p = from_carrier(c);
	pb_remote_stop_all(p);
	timer_stop(p->timers, &p->teller);
	access_unlisten(p->access, &p->on_link_report);
	access_unlisten(p->access, &p->on_outbound_report);
	access_unlisten(p->access, &p->on_pdu_report);
	free(p);
}
