/* SPDX-License-Identifier: Apache-2.0 */
/* The device's PB-ADV link: published packets, then two ends on a medium that loses. */
#include "check.h"

#include <stdlib.h>

#include "dev_pb_adv.h"
#include "device.h"

enum { OUT_MAX = 4000 };

struct end {
	struct timers *ts;
	struct device_env env;
	struct dev_pb_link link;
	struct end *other;
	uint64_t rng;
	unsigned loss_percent;
	uint8_t out[OUT_MAX][AD_MAX];
	uint64_t out_at[OUT_MAX];
	size_t n_out;
	size_t opened, delivered, n_got, ended;
	enum dev_pb_end why;
	uint8_t reason;
	uint8_t got[DEV_PB_PDU_MAX];
	size_t got_len;
	bool echo; /* answers each PDU with it */
};

static uint32_t roll(struct end *e)
{
	e->rng = e->rng * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(e->rng >> 33);
}

static void env_random(void *ctx, void *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)roll(ctx);
}

struct flight {
	struct timer timer;
	struct end *to;
	uint8_t len, data[AD_MAX];
};

static void arrives(void *ctx)
{
	struct flight f = *(struct flight *)ctx;

	free(ctx);
	dev_pb_heard(&f.to->link, bytes_of(f.data + 2, f.len - 2u));
}

static void env_send(void *ctx, const struct device_send *s)
{
	struct end *e = ctx;

	check(s->data[1] == AD_PB_ADV && s->data[0] == s->len - 1);
	check(e->n_out < OUT_MAX);
	memcpy(e->out[e->n_out], s->data, s->len);
	e->out_at[e->n_out++] = timers_now(e->ts);
	for (unsigned i = 0; e->other && i < s->count; i++) {
		struct flight *f;

		if (roll(e) % 100 < e->loss_percent)
			continue;
		f = calloc(1, sizeof(*f));
		f->to = e->other;
		f->len = s->len;
		memcpy(f->data, s->data, s->len);
		timer_start(e->ts, &f->timer, MSEC(1) + i * MSEC(25), arrives, f);
	}
}

static void env_cancel(void *ctx, uint32_t tag)
{
}

static void on_opened(void *ctx)
{
	((struct end *)ctx)->opened++;
}

static void on_received(void *ctx, struct bytes pdu)
{
	struct end *e = ctx;

	e->n_got++;
	e->got_len = pdu.n;
	memcpy(e->got, pdu.p, pdu.n);
	if (e->echo)
		check(dev_pb_send(&e->link, pdu));
}

static void on_delivered(void *ctx)
{
	((struct end *)ctx)->delivered++;
}

static void on_ended(void *ctx, enum dev_pb_end why, uint8_t reason)
{
	struct end *e = ctx;

	e->ended++;
	e->why = why;
	e->reason = reason;
	check_int(e->link.state, DEV_PB_IDLE);
}

static const struct dev_pb_ops ops = { on_opened, on_received, on_delivered, on_ended };
static const uint8_t sample_uuid[16] = { 0x70, 0xcf, 0x7c, 0x97, 0x32, 0xa3, 0x45, 0xb6,
					 0x91, 0x49, 0x48, 0x10, 0xd2, 0xe9, 0xcb, 0xf4 };

static struct end *end_new(struct timers *ts, bool initiator, uint64_t seed)
{
	struct end *e = calloc(1, sizeof(*e));

	e->ts = ts;
	e->rng = seed * 7919;
	e->env = (struct device_env){ ts, env_random, env_send, env_cancel, NULL, e };
	dev_pb_init(&e->link, &e->env, 1, initiator, &ops, e);
	memcpy(e->link.uuid, sample_uuid, 16);
	return e;
}

static void end_free(struct end *e)
{
	dev_pb_drop(&e->link);
	free(e);
}

static void run(struct timers *ts, uint64_t span)
{
	timers_advance(ts, timers_now(ts) + span);
}

/* An AD structure's data, without its length and type. */
static void hear(struct end *e, const char *hex)
{
	uint8_t data[32];
	int n = hex_parse(hex, data, sizeof(data));

	check(n > 0);
	dev_pb_heard(&e->link, bytes_of(data, (size_t)n));
}

static const char *said(const struct end *e, size_t i)
{
	static char text[2 * AD_MAX + 1];

	if (i >= e->n_out)
		return "nothing";
	return hex_format(text, bytes_of(e->out[i] + 2, e->out[i][0] - 1u));
}

TEST(an_acceptor_speaks_the_published_packets)
{
	struct timers ts;
	struct end *e;
	uint8_t pdu[66];

	timers_init(&ts, 0);
	e = end_new(&ts, false, 1);
	hear(e, "23af58500003ffcf7c9732a345b691494810d2e9cbf4"); /* another device */
	check_int(e->n_out, 0);
	hear(e, "23af5850000370cf7c9732a345b691494810d2e9cbf4");
	check_int(e->opened, 1);
	check_str(said(e, 0), "23af58500007");
	hear(e, "23af5850000370cf7c9732a345b691494810d2e9cbf4"); /* repeated: acknowledged again */
	check_str(said(e, 1), "23af58500007");
	hear(e, "11111111000370cf7c9732a345b691494810d2e9cbf4"); /* another link: ignored */
	check_int(e->n_out, 2);
	hear(e, "23af585000000002140000");
	check_int(e->n_got, 1);
	check_mem(e->got, "\0\0", 2);
	run(&ts, MSEC(60));
	check_str(said(e, 2), "23af58500001");
	check(e->out_at[2] >= MSEC(20) && e->out_at[2] <= MSEC(50));
	hear(e, "23af5850000370cf7c9732a345b691494810d2e9cbf4"); /* a PDU came: no more Link Ack */
	hear(e, "23af585000000002140000"); /* a repeat: acknowledged, not delivered */
	run(&ts, MSEC(60));
	check_int(e->n_got, 1);
	check_int(e->n_out, 4);
	check_str(said(e, 3), "23af58500001");
	check_int(hex_parse("0b000001000002b8308202b43082025aa00302010202021000300a06082a8648ce3d"
			    "0403023081a7310b30090603550406130246493110300e06035504080c075575",
			    pdu, sizeof(pdu)),
		  66);
	e->link.tx.number = 0x81;
	check(dev_pb_send(&e->link, bytes_of(pdu, 66)));
	check(!dev_pb_send(&e->link, bytes_of(pdu, 66))); /* one at a time */
	run(&ts, MSEC(170));
	check_str(said(e, 4), "23af585081080042ce0b000001000002b8308202b43082025aa0030201");
	check_str(said(e, 5), "23af585081060202021000300a06082a8648ce3d0403023081a7310b30");
	check_str(said(e, 6), "23af5850810a090603550406130246493110300e06035504080c075575");
	hear(e, "23af58508101");
	check_int(e->delivered, 1);
	run(&ts, SEC(2));
	check_int(e->n_out, 7);
	hear(e, "23af5850000b00");
	check_int(e->ended, 1);
	check_int(e->why, DEV_PB_PEER_CLOSED);
	end_free(e);
	timers_free(&ts);
}

static void with_pair(uint64_t seed, unsigned loss,
		      void (*story)(struct timers *, struct end *, struct end *))
{
	struct timers ts;
	struct end *a, *b;

	timers_init(&ts, 0);
	a = end_new(&ts, true, seed);
	b = end_new(&ts, false, seed + 1000);
	a->other = b;
	b->other = a;
	a->loss_percent = b->loss_percent = loss;
	story(&ts, a, b);
	a->other = b->other = NULL;
	dev_pb_drop(&a->link);
	dev_pb_drop(&b->link);
	run(&ts, SEC(1));
	end_free(a);
	end_free(b);
	timers_free(&ts);
}

static void exchange(struct timers *ts, struct end *a, struct end *b)
{
	static const size_t lens[] = { 1, 2, 20, 21, 43, 44, 65, 66, 200, DEV_PB_PDU_MAX };
	uint8_t pdu[DEV_PB_PDU_MAX];

	b->echo = true;
	dev_pb_open(&a->link, sample_uuid, SEC(60));
	while (!a->opened)
		check(timers_fire_next(ts, SEC(60)));
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		env_random(a, pdu, lens[i]);
		check(dev_pb_send(&a->link, bytes_of(pdu, lens[i])));
		while (a->n_got <= i || a->link.tx.busy)
			check(timers_fire_next(ts, TIMERS_NEVER - 1));
		check_int(a->got_len, lens[i]);
		check_mem(a->got, pdu, lens[i]);
		check_int(b->n_got, i + 1);
	}
	dev_pb_close(&a->link, PROV_CLOSE_SUCCESS);
	run(ts, SEC(1));
	check_int(a->ended, 1);
	check_int(a->why, DEV_PB_WE_CLOSED);
	check_int(b->ended, 1);
	check_int(b->why, DEV_PB_PEER_CLOSED);
	check_int(b->reason, PROV_CLOSE_SUCCESS);
}

TEST(every_length_crosses_once_on_a_clear_air)
{
	with_pair(1, 0, exchange);
}

TEST(every_length_crosses_once_on_a_bad_air)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		with_pair(seed, 40, exchange);
}

static void nobody_there(struct timers *ts, struct end *a, struct end *b)
{
	a->loss_percent = 100;
	dev_pb_open(&a->link, sample_uuid, SEC(10));
	run(ts, MSEC(9900));
	check_int(a->ended, 0);
	run(ts, SEC(1));
	check_int(a->ended, 1);
	check_int(a->why, DEV_PB_OPEN_TIMEOUT);
}

TEST(a_link_that_nobody_accepts_ends_at_its_timeout)
{
	with_pair(3, 0, nobody_there);
}

static void peer_vanishes(struct timers *ts, struct end *a, struct end *b)
{
	dev_pb_open(&a->link, sample_uuid, SEC(10));
	run(ts, SEC(1));
	b->loss_percent = a->loss_percent = 100;
	check(dev_pb_send(&a->link, bytes_of("x", 1)));
	run(ts, SEC(29));
	check_int(a->ended, 0);
	run(ts, SEC(2));
	check_int(a->why, DEV_PB_NOT_ACKED);
	check_int(a->ended, 1);
	check_int(b->ended, 0); /* it has heard neither PDU nor close */
	run(ts, SEC(31));
	check_int(b->ended, 1);
	check_int(b->why, DEV_PB_IDLE_TIMEOUT);
}

TEST(a_transaction_gets_30_seconds_and_an_idle_link_60)
{
	with_pair(4, 0, peer_vanishes);
}

/* Start with output OOB: a person is asked, 5.4.4. */
static void person_is_slow(struct timers *ts, struct end *a, struct end *b)
{
	static const uint8_t start[] = { PROV_START, 1, 0, PROV_AUTH_OUTPUT, 3, 4 };

	dev_pb_open(&a->link, sample_uuid, SEC(10));
	run(ts, SEC(1));
	check(dev_pb_send(&a->link, bytes_of(start, sizeof(start))));
	run(ts, SEC(118));
	check_int(a->ended, 0);
	check_int(b->ended, 0);
	run(ts, SEC(4));
	check_int(a->ended, 1);
	check_int(b->ended, 1);
}

TEST(an_idle_link_that_waits_for_a_person_gets_120_seconds)
{
	with_pair(6, 0, person_is_slow);
}

static void lost_ack(struct timers *ts, struct end *a, struct end *b)
{
	dev_pb_open(&a->link, sample_uuid, SEC(10));
	run(ts, SEC(1));
	a->loss_percent = 100; /* the acknowledgments of what the device says */
	check(dev_pb_send(&b->link, bytes_of("y", 1)));
	run(ts, SEC(1));
	check(b->link.tx.busy);
	a->loss_percent = 0;
	check(dev_pb_send(&a->link, bytes_of("z", 1))); /* says that "y" has come */
	run(ts, MSEC(60));
	check_int(b->n_got, 1);
	check(!b->link.tx.busy);
	check_int(b->delivered, 1);
}

TEST(the_provisioners_next_pdu_acknowledges_the_last_one)
{
	with_pair(5, 0, lost_ack);
}

TEST(hostile_segments_are_dropped)
{
	static const struct {
		const char *name, *packets[3];
		size_t got;
		bool ended;
	} rows[] = {
		{ "continuation first",
		  { "0206"
		    "aa",
		    "0004001600000102030405060708090a0b0c0d0e0f10111213", NULL },
		  0,
		  false },
		{ "bad check",
		  { "000000021500"
		    "00" },
		  0,
		  false },
		{ "no length", { "0000000014" }, 0, false },
		{ "one segment too many",
		  { "000400021400"
		    "00" },
		  0,
		  false },
		{ "index 63", { "00fe01" }, 0, false },
		{ "longer than total", { "00000001140000" }, 0, false },
		{ "larger than we hold", { "00400179140000" }, 0, true },
		{ "empty", { "00" }, 0, false },
		{ "good", { "00000002140000" }, 1, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct timers ts;
		struct end *e;
		char text[80];

		timers_init(&ts, 0);
		e = end_new(&ts, false, 1);
		hear(e, "23af5850000370cf7c9732a345b691494810d2e9cbf4");
		for (size_t k = 0; k < 3 && rows[i].packets[k]; k++) {
			snprintf(text, sizeof(text), "23af5850%s", rows[i].packets[k]);
			hear(e, text);
		}
		run(&ts, SEC(1));
		check_row(rows[i].name, e->n_got == rows[i].got);
		check_row(rows[i].name, (e->ended == 1) == rows[i].ended);
		end_free(e);
		timers_free(&ts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_acceptor_speaks_the_published_packets),
		cmocka_unit_test(every_length_crosses_once_on_a_clear_air),
		cmocka_unit_test(every_length_crosses_once_on_a_bad_air),
		cmocka_unit_test(a_link_that_nobody_accepts_ends_at_its_timeout),
		cmocka_unit_test(a_transaction_gets_30_seconds_and_an_idle_link_60),
		cmocka_unit_test(an_idle_link_that_waits_for_a_person_gets_120_seconds),
		cmocka_unit_test(the_provisioners_next_pdu_acknowledges_the_last_one),
		cmocka_unit_test(hostile_segments_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
