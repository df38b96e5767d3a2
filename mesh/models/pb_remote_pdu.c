/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PDUs of an open link (4.4.6.3): one PDU Send outstanding, numbers from 1 in either
 * direction, each direction counted alone. The chart is in pb_remote.c.
 */
#include "pb_remote_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

enum {
	NUMBER_LAST = 255, /* of a link; there is no wrap */
	RESENDS = 2,	   /* after the transport gave up a PDU Send */
};

static const uint64_t report_wait = SEC(15);   /* for the Outbound Report */
static const uint64_t report_limit = SEC(35);  /* more than the 30 s of a PB-ADV transaction */
static const uint64_t overtaken_wait = SEC(2); /* when the device's answer came first */
static const uint64_t resend_pause = SEC(1);

static void transmit(void *ctx);

static void note_latency(struct pb_remote *p)
{
	p->latency[p->n_latency++ % PB_REMOTE_LATENCIES] = timers_now(p->timers) - p->sent_at;
}

static void delivered(struct pb_remote *p)
{
	pb_remote_stop_all(p);
	p->outstanding = false;
	p->tell_sent = true;
	pb_remote_kick(p);
}

static void on_stall_asked(void *ctx, enum access_result r, struct rpr_call *call);

static void on_stall(void *ctx)
{
	struct pb_remote *p = ctx;

	pb_remote_ask(p, on_stall_asked);
}

static void try_again(struct pb_remote *p)
{
	if (p->resends++ < RESENDS)
		timer_start(p->timers, &p->limit, resend_pause, transmit, p);
	else
		pb_remote_fail(p, CARRIER_SERVER_LOST, PB_REMOTE_TRIES);
}

static void on_stall_asked(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct pb_remote *p = ctx;
	uint64_t until = p->sent_at + report_limit, now = timers_now(p->timers);

	if (r != ACCESS_OK || !call->answered) {
		pb_remote_fail(p, CARRIER_SERVER_LOST, 1);
	} else if (call->link.state == RPR_LINK_ACTIVE) {
		/* Nothing is on its way to the device: it has the PDU, or the server never had. */
		if (p->transported && !p->behind)
			delivered(p);
		else
			try_again(p);
	} else if (call->link.state == RPR_LINK_TRANSFER && now < until) {
		uint64_t left = until - now;

		timer_start(p->timers, &p->limit, left < report_wait ? left : report_wait, on_stall,
			    p);
	} else if (call->link.state == RPR_LINK_IDLE) {
		pb_remote_ended(p, CARRIER_LOST); /* the report that said so is lost */
	} else {
		/* stuck in Outbound Packet Transfer */
		pb_remote_fail(p, CARRIER_LOST, PB_REMOTE_TRIES);
	}
}

/* The device's answer came before the report of what it answers: it has our PDU. */
static bool answer_waits(const struct pb_remote *p)
{
	return p->n_inbox > 0 && !pb_remote_inbox_ready(p);
}

/* The server's transport has it, or nobody has. Only in the second case it is sent again: BlueZ
 * would deliver a copy to the device. */
static void on_transport(void *ctx, enum access_result r)
{
	struct pb_remote *p = ctx;

	p->sending = false;
	if (r == ACCESS_OK || answer_waits(p)) {
		p->transported = true;
		timer_start(p->timers, &p->limit, answer_waits(p) ? overtaken_wait : report_wait,
			    on_stall, p);
	} else if (r == ACCESS_NO_KEY || r == ACCESS_TOO_LONG) {
		pb_remote_ended(p, CARRIER_PROTOCOL);
	} else if (p->resends < RESENDS) {
		p->resends++;
		timer_start(p->timers, &p->limit, resend_pause, transmit, p);
	} else {
		on_stall(p);
	}
}

static void transmit(void *ctx)
{
	struct pb_remote *p = ctx;

	p->send = (struct access_send){ .to = p->server, .done = on_transport, .ctx = p };
	p->send.to.segmented = true;
	p->sending = true;
	p->transported = false;
	p->behind = false;
	access_send(p->access, &p->send, OP_RPR_PDU_SEND, bytes_of(p->out, p->out_len));
}

void pb_remote_send(struct pb_remote *p, struct bytes pdu)
{
	struct wr w = wr_to(p->out, sizeof(p->out));

	if (p->state != PBR_ACTIVE) /* ended, and closed() is on its way */
		return;
	assert(!p->outstanding && !p->tell_sent && pdu.n > 0);
	if (p->out_number == NUMBER_LAST || pdu.n > PB_REMOTE_PDU) {
		pb_remote_fail(p, CARRIER_PROTOCOL, PB_REMOTE_TRIES);
		return;
	}
	rpr_pdu_encode(&w, &(struct rpr_pdu){ ++p->out_number, pdu });
	p->out_len = w.n;
	p->outstanding = true;
	p->resends = 0;
	p->sent_at = timers_now(p->timers);
	transmit(p);
}

void pb_remote_outbound_report(void *ctx, const struct access_message *m)
{
	struct pb_remote *p = ctx;
	uint8_t number;

	if (p->state != PBR_ACTIVE || !pb_remote_is_from_server(p, m) ||
	    !pb_remote_is_good(p, rpr_outbound_report_decode(&number, m->params)))
		return;
	if (number == p->out_number) {
		if (!p->outstanding)
			return; /* once more */
		if (p->resends == 0)
			note_latency(p);
		delivered(p);
	} else if (number + 1 == p->out_number) {
		/* Late, as a rule. If not, the state that Link Get shows will tell. */
		p->behind = p->outstanding && p->transported;
	} else {
		log_debug("pb-remote: server=%04x counts %u PDUs, not %u", p->server.dst, number,
			  p->out_number);
		pb_remote_fail(p, CARRIER_PROTOCOL, PB_REMOTE_TRIES);
	}
}

static void inbox_add(struct pb_remote *p, struct bytes pdu)
{
	struct pb_remote_inbound *in = &p->inbox[p->n_inbox++];

	in->after = p->outstanding ? p->out_number : 0;
	in->n = pdu.n;
	memcpy(in->pdu, pdu.p, pdu.n);
	if (p->outstanding && !p->sending && !p->call.running) {
		p->transported = true;
		timer_start(p->timers, &p->limit, overtaken_wait, on_stall, p);
	}
	pb_remote_kick(p);
}

void pb_remote_pdu_report(void *ctx, const struct access_message *m)
{
	struct pb_remote *p = ctx;
	struct rpr_pdu report;

	if (p->state != PBR_ACTIVE || !pb_remote_is_from_server(p, m) ||
	    !pb_remote_is_good(p,
			       rpr_pdu_decode(&report, m->params) && report.pdu.n <= PB_REMOTE_PDU))
		return;
	if (report.number <= p->in_number)
		return; /* once more */
	if (report.number != p->in_number + 1 || p->n_inbox == PB_REMOTE_INBOX) {
		log_debug("pb-remote: server=%04x PDU Report %u after %u", p->server.dst,
			  report.number, p->in_number);
		/* nobody can be asked for the one between */
		pb_remote_fail(p, CARRIER_PROTOCOL, PB_REMOTE_TRIES);
		return;
	}
	p->in_number++;
	inbox_add(p, report.pdu);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t pb_remote_latency(const struct prov_carrier *c)
{
	const struct pb_remote *p = CONTAINER_OF(c, const struct pb_remote, carrier);
	size_t n = p->n_latency < PB_REMOTE_LATENCIES ? p->n_latency : PB_REMOTE_LATENCIES;
	uint64_t sorted[PB_REMOTE_LATENCIES];

	if (n == 0)
		return 0;
	memcpy(sorted, p->latency, n * sizeof(sorted[0]));
	qsort(sorted, n, sizeof(sorted[0]), compare_u64);
	return sorted[n / 2];
}
