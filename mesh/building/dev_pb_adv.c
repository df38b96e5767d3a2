/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   initiator                                          acceptor (the device)
 *      | Link Open(UUID), ever more slowly -------------> |
 *      | <------------------------------------- Link Ack  |  both: open, 60 s idle timer
 *      | Transaction Start 0x00, Continuations ---------> |
 *      | <------------------------------ Transaction Ack  |  after 20..50 ms
 *      | <------------- Start 0x80, Continuations         |
 *      | Transaction Ack -------------------------------> |  whole transaction again after
 *      |                  ...                             |  500 ms, given up after 30 s
 *      | Link Close(reason) x 3 ------------------------> |  either side; never acknowledged
 *
 * Numbers run 0x00..0x7F from the initiator and 0x80..0xFF from the device, 5.3.3.
 */
#include "dev_pb_adv.h"

#include <string.h>

#include "device.h"

enum { GPCF_START = 0, GPCF_ACK = 1, GPCF_CONTINUATION = 2, GPCF_CONTROL = 3 };
enum { LINK_OPEN = 0, LINK_ACK = 1, LINK_CLOSE = 2 };
enum { FIRST_SEGMENT = 20, NEXT_SEGMENT = 23, NUMBER_MASK = 0x7F, DEVICE_NUMBERS = 0x80 };
enum { START_METHOD = 3 }; /* octet of a Start PDU */
enum { COPIES = 3, INTERVAL_MS = 20, CLOSE_ROUNDS = 3 };

#define OPEN_REPEAT	MSEC(500) /* at first; each pause is longer by OPEN_LONGER, to OPEN_MOST */
#define OPEN_LONGER	MSEC(250)
#define OPEN_MOST	SEC(2)
#define RETRANSMIT	MSEC(500)
#define CLOSE_GAP	MSEC(80)
#define TRANSACTION	SEC(30)
#define LINK_TIMEOUT	SEC(60)
#define PATIENT_TIMEOUT SEC(120)

uint8_t dev_pb_fcs(struct bytes pdu)
{
	uint8_t crc = 0xFF;

	for (size_t i = 0; i < pdu.n; i++) {
		crc ^= pdu.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint8_t)(crc & 1 ? (crc >> 1) ^ 0xE0 : crc >> 1);
	}
	return (uint8_t)~crc;
}

static uint64_t between(struct dev_pb_link *l, uint64_t low, uint64_t high)
{
	uint32_t r;

	l->env->random(l->env->ctx, &r, sizeof(r));
	return low + r % (high - low + 1);
}

static uint64_t random_delay(struct dev_pb_link *l)
{
	return between(l, MSEC(20), MSEC(50)); /* 5.3.3, before every Generic Provisioning PDU */
}

static size_t offset_of(uint8_t segment)
{
	return segment == 0 ? 0 : FIRST_SEGMENT + (size_t)NEXT_SEGMENT * (segment - 1u);
}

static uint8_t last_segment(size_t len)
{
	return len <= FIRST_SEGMENT
		       ? 0
		       : (uint8_t)((len - FIRST_SEGMENT + NEXT_SEGMENT - 1) / NEXT_SEGMENT);
}

static size_t segment_len(size_t total, uint8_t segment)
{
	size_t room = segment == 0 ? FIRST_SEGMENT : NEXT_SEGMENT;
	size_t left = total - offset_of(segment);

	return left < room ? left : room;
}

static void put(struct dev_pb_link *l, uint8_t number, struct bytes generic, uint32_t tag)
{
	struct device_send s = { .count = COPIES, .interval_ms = INTERVAL_MS, .tag = tag };
	struct wr w = wr_to(s.data, sizeof(s.data));

	wr_u8(&w, (uint8_t)(1 + 4 + 1 + generic.n));
	wr_u8(&w, AD_PB_ADV);
	wr_be32(&w, l->id);
	wr_u8(&w, number);
	wr_bytes(&w, generic);
	s.len = (uint8_t)w.n;
	if (wr_ok(&w))
		l->env->send(l->env->ctx, &s);
}

static void put_control(struct dev_pb_link *l, uint8_t opcode, struct bytes params, uint32_t tag)
{
	uint8_t buf[1 + UUID_LEN];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_u8(&w, (uint8_t)(opcode << 2 | GPCF_CONTROL));
	wr_bytes(&w, params);
	put(l, 0, wr_done(&w), tag);
}

void dev_pb_init(struct dev_pb_link *l, const struct device_env *env, uint32_t tag, bool initiator,
		 const struct dev_pb_ops *ops, void *ctx)
{
	memset(l, 0, sizeof(*l));
	l->env = env;
	l->ops = ops;
	l->ctx = ctx;
	l->tag = tag;
	l->initiator = initiator;
}

static void stop_transaction(struct dev_pb_link *l)
{
	l->tx.busy = false;
	timer_stop(l->env->timers, &l->tx.step);
	timer_stop(l->env->timers, &l->tx.limit);
	l->env->cancel_send(l->env->ctx, l->tag);
}

static void forget_reassembly(struct dev_pb_link *l)
{
	l->rx.started = false;
	l->rx.got = 0;
	memset(l->rx.lens, 0, sizeof(l->rx.lens));
}

void dev_pb_drop(struct dev_pb_link *l)
{
	struct timers *ts = l->env->timers;

	timer_stop(ts, &l->open_limit);
	timer_stop(ts, &l->idle);
	timer_stop(ts, &l->beat);
	timer_stop(ts, &l->rx.ack);
	stop_transaction(l);
	forget_reassembly(l);
	l->state = DEV_PB_IDLE;
	secret_wipe(l->tx.pdu, sizeof(l->tx.pdu));
	secret_wipe(l->rx.pdu, sizeof(l->rx.pdu));
}

static void finish(struct dev_pb_link *l)
{
	enum dev_pb_end end = l->end;

	dev_pb_drop(l);
	l->ops->ended(l->ctx, end, l->reason);
}

static void close_round(void *ctx)
{
	struct dev_pb_link *l = ctx;

	if (l->rounds == 0) {
		finish(l);
		return;
	}
	l->rounds--;
	put_control(l, LINK_CLOSE, bytes_of(&l->reason, 1), 0);
	timer_start(l->env->timers, &l->beat, CLOSE_GAP, close_round, l);
}

static void close_link(struct dev_pb_link *l, enum dev_pb_end why, uint8_t reason)
{
	struct timers *ts = l->env->timers;

	if (l->state == DEV_PB_IDLE || l->state == DEV_PB_CLOSING)
		return;
	l->state = DEV_PB_CLOSING;
	l->end = why;
	l->reason = reason;
	l->rounds = CLOSE_ROUNDS;
	stop_transaction(l);
	timer_stop(ts, &l->open_limit);
	timer_stop(ts, &l->idle);
	timer_stop(ts, &l->rx.ack);
	/* From the timer, so that no caller sees its link end from within. */
	timer_start(ts, &l->beat, 0, close_round, l);
}

void dev_pb_close(struct dev_pb_link *l, uint8_t reason)
{
	close_link(l, DEV_PB_WE_CLOSED, reason);
}

static void on_idle(void *ctx)
{
	close_link(ctx, DEV_PB_IDLE_TIMEOUT, PROV_CLOSE_TIMEOUT);
}

static void on_open_limit(void *ctx)
{
	/* The device may have opened and only its Link Ack got lost: tell it. */
	close_link(ctx, DEV_PB_OPEN_TIMEOUT, PROV_CLOSE_FAIL);
}

static void on_transaction_limit(void *ctx)
{
	close_link(ctx, DEV_PB_NOT_ACKED, PROV_CLOSE_TIMEOUT);
}

/* 5.4.4: both ends wait longer once Start has said that a person is asked. */
static void note_pace(struct dev_pb_link *l, struct bytes pdu)
{
	if (pdu.n > START_METHOD && pdu.p[0] == PROV_START)
		l->patient = pdu.p[START_METHOD] == PROV_AUTH_OUTPUT ||
			     pdu.p[START_METHOD] == PROV_AUTH_INPUT;
}

static void restart_idle(struct dev_pb_link *l)
{
	timer_start(l->env->timers, &l->idle, l->patient ? PATIENT_TIMEOUT : LINK_TIMEOUT, on_idle,
		    l);
}

/* A device may answer at a pace of its own, and drop the answer that waits when it hears Link Open
 * again (BlueZ's turn between its beacon and its answer is 500 ms): it is given time. */
static void say_open(void *ctx)
{
	struct dev_pb_link *l = ctx;
	uint64_t pause = OPEN_REPEAT + l->rounds * OPEN_LONGER;

	l->rounds += pause < OPEN_MOST;
	put_control(l, LINK_OPEN, bytes_of(l->uuid, UUID_LEN), l->tag);
	timer_start(l->env->timers, &l->beat, pause + between(l, 0, MSEC(50)), say_open, l);
}

static void begin(struct dev_pb_link *l, enum dev_pb_state state)
{
	l->state = state;
	l->heard_pdu = l->patient = false;
	l->reason = PROV_CLOSE_SUCCESS;
	l->tx.number = l->initiator ? 0 : DEVICE_NUMBERS;
	l->rx.any = false;
	forget_reassembly(l);
}

void dev_pb_open(struct dev_pb_link *l, const uint8_t uuid[UUID_LEN], uint64_t timeout)
{
	memcpy(l->uuid, uuid, UUID_LEN);
	l->env->random(l->env->ctx, &l->id, sizeof(l->id));
	begin(l, DEV_PB_OPENING);
	l->rounds = 0;
	timer_start(l->env->timers, &l->open_limit, timeout, on_open_limit, l);
	/* Whoever asked for the link is told that it opens before it can be open. */
	timer_start(l->env->timers, &l->beat, MSEC(50) + random_delay(l), say_open, l);
}

static void send_segment(void *ctx)
{
	struct dev_pb_link *l = ctx;
	uint8_t buf[24];
	struct wr w = wr_to(buf, sizeof(buf));
	struct bytes pdu = bytes_of(l->tx.pdu, l->tx.len);
	uint8_t last = last_segment(l->tx.len), n = l->tx.segment;

	if (n == 0) {
		wr_u8(&w, (uint8_t)(last << 2 | GPCF_START));
		wr_be16(&w, (uint16_t)l->tx.len);
		wr_u8(&w, dev_pb_fcs(pdu));
	} else {
		wr_u8(&w, (uint8_t)(n << 2 | GPCF_CONTINUATION));
	}
	wr_copy(&w, l->tx.pdu + offset_of(n), segment_len(l->tx.len, n));
	put(l, l->tx.number, wr_done(&w), l->tag);
	l->tx.segment = n < last ? (uint8_t)(n + 1) : 0;
	timer_start(l->env->timers, &l->tx.step,
		    n < last ? random_delay(l) : RETRANSMIT + between(l, 0, MSEC(100)),
		    send_segment, l);
}

bool dev_pb_send(struct dev_pb_link *l, struct bytes pdu)
{
	struct timers *ts = l->env->timers;
	uint64_t delay = random_delay(l);

	if (l->state != DEV_PB_OPEN || l->tx.busy || pdu.n == 0 || pdu.n > DEV_PB_PDU_MAX)
		return false;
	memcpy(l->tx.pdu, pdu.p, pdu.n);
	l->tx.len = pdu.n;
	l->tx.busy = true;
	l->tx.segment = 0;
	if (timer_running(&l->rx.ack)) /* the answer must not overtake the acknowledgment */
		delay += l->rx.ack.at - timers_now(ts);
	timer_start(ts, &l->tx.step, delay, send_segment, l);
	timer_start(ts, &l->tx.limit, TRANSACTION, on_transaction_limit, l);
	note_pace(l, pdu);
	restart_idle(l);
	return true;
}

static void transaction_done(struct dev_pb_link *l)
{
	stop_transaction(l);
	l->tx.number =
		(uint8_t)((l->tx.number & DEVICE_NUMBERS) | ((l->tx.number + 1) & NUMBER_MASK));
	l->ops->delivered(l->ctx);
}

static void send_ack(void *ctx)
{
	static const uint8_t ack = GPCF_ACK;
	struct dev_pb_link *l = ctx;

	put(l, l->rx.ack_number, bytes_of(&ack, 1), 0);
}

static void schedule_ack(struct dev_pb_link *l, uint8_t number)
{
	if (timer_running(&l->rx.ack) && l->rx.ack_number == number)
		return;
	l->rx.ack_number = number;
	timer_start(l->env->timers, &l->rx.ack, random_delay(l), send_ack, l);
}

/* Every segment but the last is full, and the last ends where TotalLength says. */
static bool lengths_agree(const struct dev_pb_link *l)
{
	for (uint8_t i = 0; i <= l->rx.seg_n; i++)
		if (l->rx.lens[i] != segment_len(l->rx.total, i))
			return false;
	return true;
}

static void try_complete(struct dev_pb_link *l)
{
	struct bytes pdu = bytes_of(l->rx.pdu, l->rx.total);
	uint8_t number = l->rx.number;

	if (!l->rx.started || l->rx.got != (uint32_t)((1ull << (l->rx.seg_n + 1)) - 1))
		return;
	if (!lengths_agree(l) || dev_pb_fcs(pdu) != l->rx.fcs) {
		forget_reassembly(l); /* no acknowledgment: the peer sends it all again */
		return;
	}
	forget_reassembly(l);
	l->rx.number = (uint8_t)((number & DEVICE_NUMBERS) | ((number + 1) & NUMBER_MASK));
	l->heard_pdu = true;
	schedule_ack(l, number);
	note_pace(l, pdu);
	restart_idle(l);
	/* A provisioner goes on only when it has our PDU: its acknowledgment was lost. */
	if (!l->initiator && l->tx.busy)
		transaction_done(l);
	l->ops->received(l->ctx, pdu);
}

static void store_segment(struct dev_pb_link *l, uint8_t segment, struct bytes data)
{
	if (segment >= DEV_PB_SEGMENTS || data.n == 0 ||
	    data.n > (segment == 0 ? FIRST_SEGMENT : NEXT_SEGMENT) ||
	    offset_of(segment) + data.n > DEV_PB_PDU_MAX)
		return;
	memcpy(l->rx.pdu + offset_of(segment), data.p, data.n);
	l->rx.lens[segment] = (uint8_t)data.n;
	l->rx.got |= 1u << segment;
	try_complete(l);
}

static void on_start(struct dev_pb_link *l, uint8_t seg_n, struct rd *r)
{
	size_t total = rd_be16(r);
	uint8_t fcs = rd_u8(r);
	struct bytes data = rd_rest(r);

	if (!rd_ok(r) || total == 0 || seg_n != last_segment(total))
		return;
	if (total > DEV_PB_PDU_MAX) {
		close_link(l, DEV_PB_OVERSIZE, PROV_CLOSE_FAIL);
		return;
	}
	l->rx.started = true;
	l->rx.seg_n = seg_n;
	l->rx.total = total;
	l->rx.fcs = fcs;
	/* Continuations beyond the end cannot belong to it. */
	l->rx.got &= (uint32_t)((1ull << (seg_n + 1)) - 1);
	store_segment(l, 0, data);
}

static void on_segment(struct dev_pb_link *l, uint8_t number, uint8_t first, struct rd *r)
{
	bool from_device = number & DEVICE_NUMBERS;

	if (from_device != l->initiator)
		return;
	if (!l->rx.any) {
		l->rx.any = true;
		l->rx.number = number;
	}
	if (number != l->rx.number) {
		/* Behind the expected one: acknowledged already, so once more. */
		if (((l->rx.number - number) & NUMBER_MASK) < 64 && l->heard_pdu)
			schedule_ack(l, number);
		return;
	}
	if ((first & 3) == GPCF_START)
		on_start(l, first >> 2, r);
	else if (first >> 2 != 0)
		store_segment(l, first >> 2, rd_rest(r));
}

static void on_link_open(struct dev_pb_link *l, uint32_t id, struct rd *r)
{
	struct bytes uuid = rd_bytes(r, UUID_LEN);

	if (l->initiator || !rd_finished(r) || memcmp(uuid.p, l->uuid, UUID_LEN) != 0)
		return;
	if (l->state == DEV_PB_IDLE) {
		l->id = id;
		begin(l, DEV_PB_OPEN);
		restart_idle(l);
		put_control(l, LINK_ACK, bytes_of(NULL, 0), 0);
		l->ops->opened(l->ctx);
	} else if (l->state == DEV_PB_OPEN && l->id == id && !l->heard_pdu) {
		put_control(l, LINK_ACK, bytes_of(NULL, 0), 0);
	}
}

static void on_link_ack(struct dev_pb_link *l, struct rd *r)
{
	if (l->state != DEV_PB_OPENING || !rd_finished(r))
		return;
	timer_stop(l->env->timers, &l->open_limit);
	timer_stop(l->env->timers, &l->beat);
	l->env->cancel_send(l->env->ctx, l->tag);
	l->state = DEV_PB_OPEN;
	restart_idle(l);
	l->ops->opened(l->ctx);
}

static void on_link_close(struct dev_pb_link *l, struct rd *r)
{
	uint8_t reason = rd_u8(r);

	if (!rd_finished(r) || l->state == DEV_PB_CLOSING)
		return;
	l->reason = reason;
	/* Refused before it was open: the same as no answer. */
	l->end = l->state == DEV_PB_OPENING ? DEV_PB_OPEN_TIMEOUT : DEV_PB_PEER_CLOSED;
	finish(l);
}

static void on_control(struct dev_pb_link *l, uint32_t id, uint8_t opcode, struct rd *r)
{
	bool ours = l->state != DEV_PB_IDLE && id == l->id;

	if (opcode == LINK_OPEN)
		on_link_open(l, id, r);
	else if (opcode == LINK_ACK && ours && l->initiator)
		on_link_ack(l, r);
	else if (opcode == LINK_CLOSE && ours)
		on_link_close(l, r);
}

void dev_pb_heard(struct dev_pb_link *l, struct bytes data)
{
	struct rd r = rd_from(data);
	uint32_t id = rd_be32(&r);
	uint8_t number = rd_u8(&r), first = rd_u8(&r);

	if (!rd_ok(&r))
		return;
	if ((first & 3) == GPCF_CONTROL) {
		on_control(l, id, first >> 2, &r);
	} else if (l->state == DEV_PB_OPEN && id == l->id) {
		if ((first & 3) != GPCF_ACK)
			on_segment(l, number, first, &r);
		else if (first == GPCF_ACK && rd_finished(&r) && l->tx.busy &&
			 number == l->tx.number)
			transaction_done(l);
	}
}
