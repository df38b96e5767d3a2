/* SPDX-License-Identifier: Apache-2.0 */
#include "access.h"

#include "access_env.h"
#include "opcode.h"
#include "stack_pair.h"

TEST(opcodes_read_and_write_by_their_first_octet)
{
	static const struct {
		const char *name, *hex;
		bool ok;
		uint32_t opcode;
	} rows[] = {
		{ "one octet", "02", true, OP_COMPOSITION_DATA_STATUS },
		{ "the lowest", "00", true, OP_APPKEY_ADD },
		{ "the highest of one", "7e", true, 0x7E },
		{ "reserved", "7f", false, 0 },
		{ "two octets", "8008", true, OP_COMPOSITION_DATA_GET },
		{ "the highest of two", "bfff", true, 0xBFFF },
		{ "two cut to one", "80", false, 0 },
		{ "vendor 0x0136, opcode 0x23", "e33601", true, 0xE33601 },
		{ "vendor cut", "e336", false, 0 },
		{ "nothing", "", false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t in[4], out[4];
		int n = hex_parse(rows[i].hex, in, sizeof(in));
		struct rd r = rd_from(bytes_of(in, (size_t)n));
		struct wr w = wr_to(out, sizeof(out));
		uint32_t opcode;

		check_row(rows[i].name, opcode_read(&r, &opcode) == rows[i].ok);
		if (!rows[i].ok)
			continue;
		check_row(rows[i].name, opcode == rows[i].opcode && r.left == 0);
		check_row(rows[i].name, opcode_write(&w, opcode) && w.n == (size_t)n &&
						memcmp(in, out, w.n) == 0);
	}
}

TEST(numbers_that_are_no_opcode_are_not_written)
{
	static const uint32_t numbers[] = { 0x7F, 0x80, 0x7FFF, 0xC000, 0xBFFFFF, 0x1000000 };
	uint8_t out[4];

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct wr w = wr_to(out, sizeof(out));

		check(!opcode_write(&w, numbers[i]));
	}
}

/* A client at a and a server at b. */
struct world {
	struct pair pair;
	struct access *client, *server;
	/* the server: answers DEFAULT_TTL_GET with DEFAULT_TTL_STATUS after some requests */
	struct access_listener listener;
	struct access_send answer;
	unsigned asked, silent; /* requests heard, requests to leave unanswered */
	uint8_t value;
	struct access_message last; /* params are gone */
	uint8_t last_params[16];
	unsigned traced_in, traced_out;
};

static bool to_client(struct stack_node *n, const struct upper_message *u)
{
	struct world *w = n->ctx;
	struct access_message m = { .src = u->src,
				    .dst = u->dst,
				    .net_index = u->net_index,
				    .app_index = u->key,
				    .ttl = u->ttl };

	return access_heard(n == w->pair.a ? w->client : w->server, &m, u->pdu);
}

static void traced(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct world *w = ctx;

	check(pdu.n >= 1);
	if (outgoing)
		w->traced_out++;
	else
		w->traced_in++;
}

static void serve(void *ctx, const struct access_message *m)
{
	struct world *w = ctx;

	w->asked++;
	w->last = *m;
	memcpy(w->last_params, m->params.p, m->params.n < 16 ? m->params.n : 16);
	if (w->asked <= w->silent)
		return;
	w->answer.to = (struct access_target){ .dst = m->src,
					       .net_index = m->net_index,
					       .app_index = m->app_index,
					       .ttl = ACCESS_DEFAULT_TTL };
	access_send(w->server, &w->answer, OP_DEFAULT_TTL_STATUS, bytes_of(&w->value, 1));
}

static struct access *access_for(struct world *w, struct stack_node *n)
{
	n->received = to_client;
	n->ctx = w;
	return access_new(&(struct access_env){
		.timers = &w->pair.air.timers, .upper = n->upper, .trace = traced, .ctx = w });
}

static void world_open(struct world *w, uint64_t seed, unsigned loss)
{
	memset(w, 0, sizeof(*w));
	pair_open(&w->pair, seed, loss, NULL);
	w->client = access_for(w, w->pair.a);
	w->server = access_for(w, w->pair.b);
	w->value = 7;
	w->listener.opcode = OP_DEFAULT_TTL_GET;
	w->listener.heard = serve;
	w->listener.ctx = w;
	access_listen(w->server, &w->listener);
}

static void world_close(struct world *w)
{
	access_send_cancel(w->server, &w->answer);
	access_free(w->client);
	access_free(w->server);
	pair_close(&w->pair);
}

struct outcome {
	unsigned count;
	enum access_result result;
	uint8_t value;
	uint64_t at;
	struct world *world;
	bool inside; /* an owner's call is on the stack */
};

static void done(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct outcome *o = ctx;

	check(!o->inside);
	check((r == ACCESS_OK) == (answer != NULL));
	o->count++;
	o->result = r;
	o->at = timers_now(&o->world->pair.air.timers);
	if (answer)
		o->value = answer->params.p[0];
}

static void ask(struct world *w, struct access_request *rq, struct outcome *o, uint16_t dst)
{
	o->world = w;
	rq->to.dst = dst;
	rq->to.app_index = ACCESS_DEVICE_KEY;
	rq->to.ttl = ACCESS_DEFAULT_TTL;
	rq->answer_opcode = OP_DEFAULT_TTL_STATUS;
	rq->done = done;
	rq->ctx = o;
	o->inside = true;
	access_request(w->client, rq, OP_DEFAULT_TTL_GET, bytes_of(NULL, 0));
	o->inside = false;
}

TEST(a_request_gets_its_answer)
{
	struct access_request rq = { 0 };
	struct outcome o = { 0 };
	struct world w;

	world_open(&w, 1, 0);
	ask(&w, &rq, &o, NODE);
	check_int(o.count, 0);
	air_run(&w.pair.air, SEC(1));
	check_int(o.count, 1);
	check_int(o.result, ACCESS_OK);
	check_int(o.value, 7);
	check_int(w.asked, 1);
	check_int(w.last.app_index, ACCESS_OWN_DEVICE_KEY);
	check_int(w.last.src, GATEWAY);
	check_int(w.last.ttl, 5);
	check_int(w.traced_in, 2);
	check_int(w.traced_out, 2);
	air_run(&w.pair.air, SEC(60));
	check_int(o.count, 1);
	check_int(w.asked, 1);
	world_close(&w);
}

TEST(silence_is_asked_again_until_the_tries_are_over)
{
	struct access_request rq = { 0 };
	struct outcome o = { 0 };
	struct world w;

	world_open(&w, 1, 0);
	w.silent = 2;
	ask(&w, &rq, &o, NODE);
	air_run(&w.pair.air, SEC(60));
	check_int(o.count, 1);
	check_int(o.result, ACCESS_OK);
	check_int(w.asked, 3);
	w.silent = 100;
	ask(&w, &rq, &o, NODE);
	air_run(&w.pair.air, SEC(11));
	check_int(o.count, 1);
	air_run(&w.pair.air, SEC(2)); /* three times 4 s at TTL 5 */
	check_int(o.count, 2);
	check_int(o.result, ACCESS_TIMEOUT);
	check_int(w.asked, 6);
	rq.tries = 1;
	rq.wait = MSEC(700);
	ask(&w, &rq, &o, NODE);
	air_run(&w.pair.air, MSEC(710));
	check_int(o.count, 3);
	check_int(w.asked, 7);
	world_close(&w);
}

TEST(failures_come_later_and_once)
{
	static const struct {
		const char *name;
		uint16_t dst;
		int app_index;
		size_t len;
		enum access_result result;
	} rows[] = {
		{ "an unknown node", 0x0999, ACCESS_DEVICE_KEY, 0, ACCESS_NO_KEY },
		{ "no candidate", NODE, ACCESS_CANDIDATE_KEY, 0, ACCESS_NO_KEY },
		{ "an unknown AppKey", NODE, 5, 0, ACCESS_NO_KEY },
		{ "380 octets with a two-octet opcode", NODE, ACCESS_DEVICE_KEY, 379,
		  ACCESS_TOO_LONG },
	};
	static const uint8_t zeros[ACCESS_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct access_request rq = { .to = { .dst = rows[i].dst,
						     .app_index = rows[i].app_index,
						     .ttl = ACCESS_DEFAULT_TTL },
					     .answer_opcode = OP_DEFAULT_TTL_STATUS,
					     .done = done };
		struct outcome o = { 0 };
		struct world w;

		world_open(&w, 1, 0);
		o.world = &w;
		o.inside = true;
		rq.ctx = &o;
		access_request(w.client, &rq, OP_DEFAULT_TTL_GET, bytes_of(zeros, rows[i].len));
		o.inside = false;
		check_row(rows[i].name, o.count == 0);
		air_run(&w.pair.air, SEC(60));
		check_row(rows[i].name, o.count == 1 && o.result == rows[i].result);
		check_int(w.asked, 0);
		world_close(&w);
	}
}

TEST(a_deaf_node_ends_a_segmented_request_as_a_timeout)
{
	struct access_request rq = { .to.segmented = true };
	struct outcome o = { 0 };
	struct world w;

	world_open(&w, 1, 0);
	w.pair.b->station.deaf = true;
	ask(&w, &rq, &o, NODE);
	air_run(&w.pair.air, SEC(60));
	check_int(o.count, 1);
	check_int(o.result, ACCESS_TIMEOUT);
	world_close(&w);
}

/* Drops the acknowledgments, so that the answer comes first. */
static bool no_ack(struct bearer *b, const struct bearer_send *send)
{
	return send->kind == BEARER_ACK || air_send(b, send);
}

TEST(an_answer_before_the_acknowledgment_ends_the_transfer)
{
	struct access_request rq = { .to.segmented = true };
	struct outcome o = { 0 };
	struct world w;

	world_open(&w, 1, 0);
	w.pair.b->station.bearer.send = no_ack;
	ask(&w, &rq, &o, NODE);
	air_run(&w.pair.air, MSEC(300));
	check_int(o.count, 1);
	check_int(o.result, ACCESS_OK);
	check(!lower_busy(upper_lower(w.pair.a->upper)));
	world_close(&w);
}

TEST(a_cancelled_request_is_never_heard_of_again)
{
	static const uint64_t after[] = { 0, MSEC(3), MSEC(200), SEC(5) };

	for (size_t i = 0; i < ARRAY_LEN(after); i++) {
		struct access_request rq = { .to.segmented = i % 2 };
		struct outcome o = { 0 };
		struct world w;

		world_open(&w, 1, 0);
		w.silent = i < 2 ? 0 : 100;
		ask(&w, &rq, &o, NODE);
		air_run(&w.pair.air, after[i]);
		check_int(o.count, 0);
		access_request_cancel(w.client, &rq);
		access_request_cancel(w.client, &rq);
		memset(&rq, 0xEE, sizeof(rq)); /* its memory is gone */
		air_run(&w.pair.air, SEC(60));
		check_int(o.count, 0);
		world_close(&w);
	}
}

static bool odd(void *ctx, const struct access_message *m)
{
	return m->params.n == 1 && m->params.p[0] % 2 == 1;
}

static bool even(void *ctx, const struct access_message *m)
{
	return m->params.n == 1 && m->params.p[0] % 2 == 0;
}

TEST(answers_find_their_request_by_content_not_by_order)
{
	struct access_request first = { .matches = even }, second = { .matches = odd };
	struct outcome one = { 0 }, two = { 0 };
	struct world w;

	world_open(&w, 1, 0);
	w.silent = 1; /* the second request is answered, with an odd value */
	ask(&w, &first, &one, NODE);
	air_run(&w.pair.air, MSEC(100));
	ask(&w, &second, &two, NODE);
	air_run(&w.pair.air, SEC(1));
	check_int(one.count, 0);
	check_int(two.count, 1);
	check_int(two.value, 7);
	w.value = 8;
	air_run(&w.pair.air, SEC(10));
	check_int(one.count, 1);
	check_int(one.value, 8);
	world_close(&w);
}

TEST(an_answer_from_elsewhere_or_under_another_key_is_none)
{
	static const struct {
		const char *name;
		uint16_t src;
		int app_index;
		const char *pdu;
		unsigned count;
	} rows[] = {
		{ "the answer", NODE, ACCESS_DEVICE_KEY, "800e07", 1 },
		{ "another node", 0x0200, ACCESS_DEVICE_KEY, "800e07", 0 },
		{ "an AppKey", NODE, 3, "800e07", 0 },
		{ "our own device key", NODE, ACCESS_OWN_DEVICE_KEY, "800e07", 0 },
		{ "another opcode", NODE, ACCESS_DEVICE_KEY, "800b07", 0 },
		{ "half an opcode", NODE, ACCESS_DEVICE_KEY, "80", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct access_message m = { .src = rows[i].src,
					    .dst = GATEWAY,
					    .app_index = rows[i].app_index };
		struct access_request rq = { 0 };
		struct outcome o = { 0 };
		uint8_t pdu[8];
		struct world w;
		int n = hex_parse(rows[i].pdu, pdu, sizeof(pdu));

		world_open(&w, 1, 0);
		w.silent = 100;
		ask(&w, &rq, &o, NODE);
		check_row(rows[i].name,
			  access_heard(w.client, &m, bytes_of(pdu, (size_t)n)) == rows[i].count);
		check_row(rows[i].name, o.count == rows[i].count);
		access_request_cancel(w.client, &rq);
		world_close(&w);
	}
}

TEST(requests_survive_loss)
{
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct access_request rq = { .to.segmented = seed % 2 };
		struct outcome o = { 0 };
		struct world w;

		world_open(&w, seed, 30);
		for (unsigned i = 1; i <= 10; i++) {
			ask(&w, &rq, &o, NODE);
			air_run(&w.pair.air, SEC(40));
			check_int(o.count, i);
			check_int(o.result, ACCESS_OK);
		}
		world_close(&w);
	}
}

struct chain {
	struct access_request rq;
	struct outcome outcome;
	unsigned left;
};

static void ask_again(void *ctx, enum access_result r, const struct access_message *answer)
{
	struct chain *c = ctx;

	check_int(r, ACCESS_OK);
	if (--c->left == 0)
		return;
	access_request(c->outcome.world->client, &c->rq, OP_DEFAULT_TTL_GET, bytes_of(NULL, 0));
}

TEST(a_request_may_be_made_again_from_its_own_end)
{
	struct chain c = { .left = 50 };
	struct world w;

	world_open(&w, 1, 0);
	c.outcome.world = &w;
	c.rq = (struct access_request){
		.to = { .dst = NODE, .app_index = ACCESS_DEVICE_KEY, .ttl = ACCESS_DEFAULT_TTL },
		.answer_opcode = OP_DEFAULT_TTL_STATUS,
		.done = ask_again,
		.ctx = &c
	};
	access_request(w.client, &c.rq, OP_DEFAULT_TTL_GET, bytes_of(NULL, 0));
	air_run(&w.pair.air, SEC(60));
	check_int(c.left, 0);
	world_close(&w);
}

struct leaver {
	struct access_listener listener;
	struct access *access;
	struct leaver *other;
	unsigned heard;
};

static void leave(void *ctx, const struct access_message *m)
{
	struct leaver *l = ctx;

	l->heard++;
	access_unlisten(l->access, &l->listener);
	access_unlisten(l->access, &l->other->listener);
}

TEST(a_listener_may_leave_while_it_listens_and_take_others_along)
{
	struct access_message m = { .src = NODE, .dst = GATEWAY, .app_index = ACCESS_DEVICE_KEY };
	static const uint8_t pdu[] = { 0x80, 0x55, 1 };
	struct leaver l[3];
	struct world w;

	world_open(&w, 1, 0);
	memset(l, 0, sizeof(l));
	for (size_t i = 0; i < 3; i++) {
		l[i].access = w.client;
		l[i].other = &l[(i + 1) % 3];
		l[i].listener = (struct access_listener){ .opcode = OP_RPR_SCAN_REPORT,
							  .heard = leave,
							  .ctx = &l[i] };
		access_listen(w.client, &l[i].listener);
	}
	check(access_heard(w.client, &m, bytes_of(pdu, sizeof(pdu))));
	check_int(l[0].heard, 1);
	check_int(l[1].heard, 0);
	check_int(l[2].heard, 1);
	check(!access_heard(w.client, &m, bytes_of(pdu, sizeof(pdu))));
	check_int(access_counters(w.client)->unheard, 1);
	world_close(&w);
}

TEST(a_message_to_ourselves_stays_off_the_air)
{
	struct access_request rq = { 0 };
	struct outcome o = { 0 };
	struct world w;

	world_open(&w, 1, 0);
	/* The server asks itself. */
	o.world = &w;
	rq = (struct access_request){
		.to = { .dst = NODE, .app_index = ACCESS_DEVICE_KEY, .ttl = ACCESS_DEFAULT_TTL },
		.answer_opcode = OP_DEFAULT_TTL_STATUS,
		.done = done,
		.ctx = &o
	};
	o.inside = true;
	access_request(w.server, &rq, OP_DEFAULT_TTL_GET, bytes_of(NULL, 0));
	o.inside = false;
	air_run(&w.pair.air, MSEC(1));
	check_int(o.count, 1);
	check_int(o.value, 7);
	check_int(w.last.app_index, ACCESS_OWN_DEVICE_KEY);
	check_int(w.pair.b->station.sent[BEARER_NETWORK], 0);
	world_close(&w);
}

static void send_done(void *ctx, enum access_result r)
{
	struct outcome *o = ctx;

	check(!o->inside);
	o->count++;
	o->result = r;
}

TEST(a_sending_without_request_tells_how_it_ended)
{
	struct access_send s = { .to = { .dst = NODE, .app_index = ACCESS_DEVICE_KEY, .ttl = 5 } };
	struct outcome o = { 0 };
	struct world w;

	world_open(&w, 1, 0);
	s.done = send_done;
	s.ctx = &o;
	for (unsigned i = 0; i < 2; i++) {
		s.to.segmented = i;
		o.inside = true;
		access_send(w.client, &s, OP_DEFAULT_TTL_GET, bytes_of(NULL, 0));
		o.inside = false;
		check_int(o.count, i);
		air_run(&w.pair.air, SEC(2));
		check_int(o.count, i + 1);
		check_int(o.result, ACCESS_OK);
		check_int(w.asked, i + 1);
	}
	access_send(w.client, &s, OP_DEFAULT_TTL_GET, bytes_of(NULL, 0));
	access_send_cancel(w.client, &s);
	air_run(&w.pair.air, SEC(2));
	check_int(o.count, 2);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opcodes_read_and_write_by_their_first_octet),
		cmocka_unit_test(numbers_that_are_no_opcode_are_not_written),
		cmocka_unit_test(a_request_gets_its_answer),
		cmocka_unit_test(silence_is_asked_again_until_the_tries_are_over),
		cmocka_unit_test(failures_come_later_and_once),
		cmocka_unit_test(a_deaf_node_ends_a_segmented_request_as_a_timeout),
		cmocka_unit_test(an_answer_before_the_acknowledgment_ends_the_transfer),
		cmocka_unit_test(a_cancelled_request_is_never_heard_of_again),
		cmocka_unit_test(answers_find_their_request_by_content_not_by_order),
		cmocka_unit_test(an_answer_from_elsewhere_or_under_another_key_is_none),
		cmocka_unit_test(requests_survive_loss),
		cmocka_unit_test(a_request_may_be_made_again_from_its_own_end),
		cmocka_unit_test(a_listener_may_leave_while_it_listens_and_take_others_along),
		cmocka_unit_test(a_message_to_ourselves_stays_off_the_air),
		cmocka_unit_test(a_sending_without_request_tells_how_it_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
