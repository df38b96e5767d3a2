/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_rpr.h"

#include <string.h>

enum { REASON_FAIL = 2 };

void fake_rpr_init(struct fake_rpr *s, struct access *a, struct timers *timers)
{
	memset(s, 0, sizeof(*s));
	s->a = a;
	s->timers = timers;
	s->open_delay = MSEC(120);
	s->transfer_delay = MSEC(200);
	s->answer_delay = MSEC(50);
}

static void stop_timers(struct fake_rpr *s)
{
	timer_stop(s->timers, &s->opening);
	timer_stop(s->timers, &s->transfer);
	timer_stop(s->timers, &s->answer);
	timer_stop(s->timers, &s->closing);
	timer_stop(s->timers, &s->inactive);
}

void fake_rpr_free(struct fake_rpr *s)
{
	stop_timers(s);
}

void fake_rpr_say(struct fake_rpr *s, uint32_t opcode, bool segmented, const void *p, size_t n)
{
	struct access_message m = {
		.src = FAKE_SERVER,
		.dst = 0x0001,
		.app_index = ACCESS_DEVICE_KEY,
		.ttl = 5,
		.opcode = opcode,
		.params = bytes_of(p, n),
	};

	if (!s->mute)
		fake_access_from_peer(s->a, &m, segmented);
}

static void say_status(struct fake_rpr *s, uint8_t status)
{
	fake_rpr_say(s, OP_RPR_LINK_STATUS, false, (const uint8_t[]){ status, s->state }, 2);
}

static void say_report(struct fake_rpr *s, uint8_t status, int reason)
{
	const uint8_t p[3] = { status, s->state, (uint8_t)reason };

	fake_rpr_say(s, OP_RPR_LINK_REPORT, true, p, reason < 0 ? 2 : 3);
}

static void idle(struct fake_rpr *s)
{
	stop_timers(s);
	s->state = RPR_LINK_IDLE;
}

static void on_inactive(void *ctx)
{
	struct fake_rpr *s = ctx;

	idle(s);
	say_report(s, RPR_LINK_CLOSED_BY_SERVER, REASON_FAIL);
}

static void on_opened(void *ctx)
{
	struct fake_rpr *s = ctx;

	if (s->dead && s->bluez)
		return; /* says nothing, and keeps its state */
	if (s->dead) {
		idle(s);
		say_report(s, RPR_LINK_OPEN_FAILED, -1);
		return;
	}
	s->state = RPR_LINK_ACTIVE;
	if (!s->foreign)
		say_report(s, RPR_SUCCESS, -1);
	timer_start(s->timers, &s->inactive, SEC(60), on_inactive, s);
}

void fake_rpr_device_close(struct fake_rpr *s)
{
	if (s->bluez) { /* its state where the status belongs; cleared by Link Close only */
		stop_timers(s);
		s->state = RPR_LINK_CLOSING;
		fake_rpr_say(s, OP_RPR_LINK_REPORT, true,
			     (const uint8_t[]){ RPR_LINK_CLOSING, REASON_FAIL }, 2);
		return;
	}
	idle(s);
	say_report(s, RPR_LINK_CLOSED_BY_DEVICE, REASON_FAIL);
}

static void say_answer(struct fake_rpr *s)
{
	const uint8_t p[3] = { ++s->in_count, (uint8_t)(0x80 + s->pdu[0]), (uint8_t)s->pdu_n };

	fake_rpr_say(s, OP_RPR_PDU_REPORT, true, p, sizeof(p));
}

static void on_answer(void *ctx)
{
	struct fake_rpr *s = ctx;

	say_answer(s);
	if (s->out_count == s->answers_twice_at)
		say_answer(s);
}

static void on_transferred(void *ctx)
{
	struct fake_rpr *s = ctx;

	s->state = RPR_LINK_ACTIVE;
	if (s->n_seen < FAKE_PDUS)
		s->seen[s->n_seen++] = s->pdu[0];
	if (!s->bluez)
		s->out_count++;
	timer_start(s->timers, &s->inactive, SEC(60), on_inactive, s);
	if (s->device_closes_at != 0 && s->out_count == s->device_closes_at) {
		fake_rpr_device_close(s);
		return;
	}
	if (s->answer_first && !s->no_answer)
		on_answer(s);
	fake_rpr_say(s, OP_RPR_PDU_OUTBOUND_REPORT, true, &s->out_count, 1);
	if (!s->answer_first && !s->no_answer)
		timer_start(s->timers, &s->answer, s->answer_delay, on_answer, s);
}

/* Three dialects of an opening that is over at once. */
static void open_itself(struct fake_rpr *s, uint8_t procedure)
{
	s->nppi = true;
	s->procedure = procedure;
	s->out_count = s->in_count = 0;
	s->state = s->bluez ? RPR_LINK_OPENING : RPR_LINK_ACTIVE;
	if (!s->report_first)
		say_status(s, RPR_SUCCESS);
	s->state = RPR_LINK_ACTIVE;
	say_report(s, RPR_SUCCESS, -1);
	if (s->report_first)
		say_status(s, RPR_SUCCESS);
	timer_start(s->timers, &s->inactive, SEC(60), on_inactive, s);
}

static void hear_nppi(struct fake_rpr *s, uint8_t procedure)
{
	if (s->state == RPR_LINK_IDLE && !s->refuses_nppi)
		open_itself(s, procedure);
	else if (s->state == RPR_LINK_ACTIVE && s->nppi && s->procedure == procedure && !s->foreign)
		say_status(s, RPR_SUCCESS);
	else
		say_status(s, RPR_LINK_CANNOT_OPEN);
}

static void hear_open(struct fake_rpr *s, struct bytes params)
{
	uint64_t limit = SEC(params.n == UUID_LEN + 1 ? params.p[UUID_LEN] : 10);

	if (params.n == 1)
		hear_nppi(s, params.p[0]);
	if (params.n != UUID_LEN && params.n != UUID_LEN + 1)
		return;
	if (s->state == RPR_LINK_IDLE) {
		s->state = RPR_LINK_OPENING;
		s->nppi = false;
		s->out_count = s->in_count = 0;
		memcpy(s->uuid, params.p, UUID_LEN);
		timer_start(s->timers, &s->opening, s->dead ? limit : s->open_delay, on_opened, s);
		say_status(s, RPR_SUCCESS);
	} else if (!s->bluez && (s->state == RPR_LINK_TRANSFER || s->state == RPR_LINK_CLOSING)) {
		say_status(s, RPR_INVALID_STATE);
	} else if (!s->foreign && memcmp(s->uuid, params.p, UUID_LEN) == 0) {
		say_status(s, RPR_SUCCESS);
	} else {
		say_status(s, RPR_LINK_CANNOT_OPEN);
		if (s->bluez && !s->foreign) /* the owner is told, too: that is us again */
			fake_rpr_say(s, OP_RPR_LINK_STATUS, false,
				     (const uint8_t[]){ RPR_LINK_CANNOT_OPEN, RPR_LINK_ACTIVE }, 2);
	}
}

static void on_closed(void *ctx)
{
	struct fake_rpr *s = ctx;

	idle(s);
	say_report(s, RPR_LINK_CLOSED_BY_CLIENT, -1);
}

static void hear_close(struct fake_rpr *s)
{
	if (s->bluez && (s->state == RPR_LINK_IDLE || s->foreign))
		return;
	if (s->foreign) {
		say_status(s, RPR_INVALID_STATE);
		return;
	}
	if (s->state != RPR_LINK_IDLE) {
		stop_timers(s);
		s->state = RPR_LINK_CLOSING;
	}
	say_status(s, RPR_SUCCESS);
	if (s->bluez)
		s->state = RPR_LINK_IDLE;
	else if (s->state == RPR_LINK_CLOSING)
		timer_start(s->timers, &s->closing, MSEC(150), on_closed, s);
}

static void hear_pdu(struct fake_rpr *s, struct bytes params)
{
	if (params.n < 2 || s->foreign || s->state == RPR_LINK_IDLE)
		return;
	if (!s->bluez && s->state != RPR_LINK_ACTIVE)
		return;
	if (!s->bluez && params.p[0] != (uint8_t)(s->out_count + 1)) {
		fake_rpr_say(s, OP_RPR_PDU_OUTBOUND_REPORT, true, &s->out_count, 1);
		return;
	}
	if (s->bluez)
		s->out_count = params.p[0];
	s->state = RPR_LINK_TRANSFER;
	s->pdu_n = params.n - 1;
	memcpy(s->pdu, params.p + 1, s->pdu_n);
	if (!s->stuck)
		timer_start(s->timers, &s->transfer, s->transfer_delay, on_transferred, s);
}

void fake_rpr_hear(struct fake_rpr *s, uint32_t opcode, struct bytes params)
{
	switch (opcode) {
	case OP_RPR_LINK_GET:
		if (!s->bluez || (s->state != RPR_LINK_IDLE && !s->foreign))
			say_status(s, RPR_SUCCESS);
		break;
	case OP_RPR_LINK_OPEN:
		hear_open(s, params);
		break;
	case OP_RPR_LINK_CLOSE:
		hear_close(s);
		break;
	case OP_RPR_PDU_SEND:
		hear_pdu(s, params);
		break;
	default:
		break;
	}
}
