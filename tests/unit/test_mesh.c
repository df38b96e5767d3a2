/* SPDX-License-Identifier: Apache-2.0 */
#include "mesh.h"

#include "beacon.h"
#include "net_pdu.h"
#include "pb_adv.h"
#include "stack_air.h"
#include "subnet.h"

enum { GATEWAY = 0x0001, NODE = 0x0100 };

static const struct secret16 NET_KEY = { { 0x7d, 0xd7, 0x36, 0x4c } };

/* A whole stack with everything it tells. */
struct gateway {
	struct station station;
	struct mesh_store store;
	struct mesh *mesh;
	uint16_t address;
	/* the store */
	uint32_t seq_reserved;
	struct mesh_iv iv;
	unsigned iv_saves;
	uint64_t replay[0x8000];
	/* what came up */
	unsigned unprovisioned, heard, traced;
	struct mesh_unprovisioned last;
	uint8_t uuid[UUID_LEN];
	uint16_t heard_address;
	uint8_t heard_ttl;
};

static void save_seq(void *ctx, uint32_t reserved)
{
	struct gateway *g = ctx;

	g->seq_reserved = reserved;
}

static void save_iv(void *ctx, const struct mesh_iv *iv, uint32_t reserved)
{
	struct gateway *g = ctx;

	g->iv = *iv;
	g->seq_reserved = reserved;
	g->iv_saves++;
}

static void save_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
	struct gateway *g = ctx;

	check(src < ARRAY_LEN(g->replay));
	check(ivi_seq > g->replay[src] || g->replay[src] == 0);
	g->replay[src] = ivi_seq;
}

static void random_octets(void *ctx, void *out, size_t n)
{
	struct gateway *g = ctx;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)out)[i] = (uint8_t)air_random(g->station.air);
}

static void unprovisioned(void *ctx, const struct mesh_unprovisioned *b)
{
	struct gateway *g = ctx;

	g->unprovisioned++;
	g->last = *b;
	memcpy(g->uuid, b->uuid, UUID_LEN);
}

static void node_heard(void *ctx, uint16_t address, uint8_t ttl)
{
	struct gateway *g = ctx;

	g->heard++;
	g->heard_address = address;
	g->heard_ttl = ttl;
}

static void traced(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct gateway *g = ctx;

	g->traced++;
}

static struct secret16 device_key(uint16_t address)
{
	return (struct secret16){ { 0xD0, (uint8_t)(address >> 8), (uint8_t)address } };
}

static void gateway_start(struct gateway *g)
{
	struct mesh_env env = { .bearer = &g->station.bearer,
				.timers = &g->station.air->timers,
				.store = &g->store,
				.random = random_octets,
				.unprovisioned = unprovisioned,
				.node_heard = node_heard,
				.access_trace = traced,
				.ctx = g };
	struct mesh_boot boot = { .address = g->address,
				  .device_key = device_key(g->address),
				  .iv = g->iv,
				  .seq_reserved = g->seq_reserved };

	g->store = (struct mesh_store){
		.save_seq = save_seq, .save_iv = save_iv, .save_replay = save_replay, .ctx = g
	};
	g->mesh = mesh_new(&env, &boot);
	check(mesh_net_key_add(g->mesh, 0, &NET_KEY));
	for (uint16_t a = 1; a < ARRAY_LEN(g->replay); a++)
		if (g->replay[a] != 0)
			mesh_replay_restore(g->mesh, a, g->replay[a]);
}

static struct gateway *gateway_new(struct stack_air *air, uint16_t address)
{
	struct gateway *g = calloc(1, sizeof(*g));

	air_join(air, &g->station);
	g->address = address;
	g->iv.hours_since_recovery = UINT32_MAX;
	gateway_start(g);
	return g;
}

static void gateway_free(struct gateway *g)
{
	air_leave(g->station.air, &g->station);
	mesh_free(g->mesh);
	free(g);
}

static void knows(struct gateway *g, uint16_t address, uint8_t elements)
{
	struct secret16 key = device_key(address);

	check(mesh_node_set(g->mesh, address, elements, &key, NULL));
}

struct pair {
	struct stack_air air;
	struct gateway *a, *b;
};

static void pair_open(struct pair *p, unsigned loss)
{
	air_init(&p->air, 1, loss);
	p->a = gateway_new(&p->air, GATEWAY);
	p->b = gateway_new(&p->air, NODE);
	knows(p->a, NODE, 1);
	knows(p->b, GATEWAY, 1);
}

static void pair_close(struct pair *p)
{
	gateway_free(p->a);
	gateway_free(p->b);
	air_free(&p->air);
}

struct answer {
	unsigned count;
	enum access_result result;
	size_t len;
	uint8_t params[64];
	uint8_t ttl;
};

static void answered(void *ctx, enum access_result r, const struct access_message *m)
{
	struct answer *a = ctx;

	a->count++;
	a->result = r;
	if (!m)
		return;
	a->ttl = m->ttl;
	a->len = m->params.n;
	memcpy(a->params, m->params.p, m->params.n < 64 ? m->params.n : 64);
}

static void ask(struct gateway *g, struct access_request *rq, struct answer *a, uint16_t dst,
		uint32_t opcode, uint32_t answer, struct bytes params)
{
	rq->to.dst = dst;
	rq->to.app_index = ACCESS_DEVICE_KEY;
	rq->to.ttl = ACCESS_DEFAULT_TTL;
	rq->answer_opcode = answer;
	rq->done = answered;
	rq->ctx = a;
	access_request(mesh_access(g->mesh), rq, opcode, params);
}

TEST(our_own_element_answers_what_a_node_must)
{
	static const struct {
		const char *name;
		uint32_t opcode, answer;
		const char *params, *expected; /* NULL: silence */
	} rows[] = {
		{ "composition", OP_COMPOSITION_DATA_GET, OP_COMPOSITION_DATA_STATUS, "00",
		  "00ffff00000100ff7f0000000005000000010002000300"
		  "0500" },
		{ "the highest page there is", OP_COMPOSITION_DATA_GET, OP_COMPOSITION_DATA_STATUS,
		  "ff",
		  "00ffff00000100ff7f0000000005000000010002000300"
		  "0500" },
		{ "default TTL", OP_DEFAULT_TTL_GET, OP_DEFAULT_TTL_STATUS, "", "05" },
		{ "relay", OP_RELAY_GET, OP_RELAY_STATUS, "", "0200" },
		{ "relay on: not supported", OP_RELAY_SET, OP_RELAY_STATUS, "0100", "0200" },
		{ "beacon", OP_BEACON_GET, OP_BEACON_STATUS, "", "01" },
		{ "network transmit", OP_NETWORK_TRANSMIT_GET, OP_NETWORK_TRANSMIT_STATUS, "",
		  "0a" },
		{ "composition without a page", OP_COMPOSITION_DATA_GET, OP_COMPOSITION_DATA_STATUS,
		  "", NULL },
		{ "default TTL with an octet too many", OP_DEFAULT_TTL_GET, OP_DEFAULT_TTL_STATUS,
		  "00", NULL },
		{ "reset: never over the air", OP_NODE_RESET, OP_NODE_RESET_STATUS, "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct access_request rq = { .tries = 1 };
		struct answer a = { 0 };
		uint8_t params[8], expected[64];
		struct pair p;

		pair_open(&p, 0);
		ask(p.a, &rq, &a, NODE, rows[i].opcode, rows[i].answer,
		    bytes_of(params, (size_t)hex_parse(rows[i].params, params, sizeof(params))));
		air_run(&p.air, SEC(10));
		check_row(rows[i].name, a.count == 1);
		if (rows[i].expected) {
			int n = hex_parse(rows[i].expected, expected, sizeof(expected));

			check_row(rows[i].name, a.result == ACCESS_OK && a.len == (size_t)n);
			check_mem(a.params, expected, a.len);
			check_int(a.ttl, 5);
		} else {
			check_row(rows[i].name, a.result == ACCESS_TIMEOUT);
		}
		pair_close(&p);
	}
}

TEST(our_own_element_answers_ourselves_too)
{
	struct access_request rq = { 0 };
	struct answer a = { 0 };
	struct pair p;

	pair_open(&p, 0);
	ask(p.a, &rq, &a, GATEWAY, OP_RELAY_GET, OP_RELAY_STATUS, bytes_of(NULL, 0));
	air_run(&p.air, SEC(1));
	check_int(a.count, 1);
	check_int(a.result, ACCESS_OK);
	check_int(a.params[0], 2);
	check_int(p.a->station.sent[BEARER_NETWORK], 0);
	pair_close(&p);
}

TEST(only_a_holder_of_our_device_key_is_answered)
{
	struct access_request rq = { .tries = 1 };
	struct secret16 app = { { 3 } };
	struct answer a = { 0 };
	struct pair p;

	pair_open(&p, 0);
	check(mesh_app_key_add(p.a->mesh, 0, 0, &app));
	check(mesh_app_key_add(p.b->mesh, 0, 0, &app));
	rq.to = (struct access_target){ .dst = NODE, .app_index = 0, .ttl = 5 };
	rq.answer_opcode = OP_RELAY_STATUS;
	rq.done = answered;
	rq.ctx = &a;
	access_request(mesh_access(p.a->mesh), &rq, OP_RELAY_GET, bytes_of(NULL, 0));
	air_run(&p.air, SEC(10));
	check_int(a.result, ACCESS_TIMEOUT);
	check_int(p.b->station.sent[BEARER_NETWORK], 0);
	pair_close(&p);
}

static void report(struct gateway *g, uint8_t event_type, const char *hex)
{
	uint8_t data[64], *exact;
	int n = hex_parse(hex, data, sizeof(data));
	struct bearer_report r = { .event_type = event_type, .rssi = -77 };

	assert_true(n >= 0);
	exact = malloc(n ? (size_t)n : 1);
	memcpy(exact, data, (size_t)n);
	r.data = bytes_of(exact, (size_t)n);
	g->station.bearer.heard(g->station.bearer.heard_ctx, &r);
	free(exact);
}

#define BEACON "142b0070cf7c9732a345b691494810d2e9cbf4a040"

TEST(advertising_data_is_walked_structure_by_structure)
{
	static const struct {
		const char *name, *hex;
		uint8_t event_type;
		unsigned beacons;
		uint64_t malformed;
	} rows[] = {
		{ "one beacon", BEACON, ADV_NONCONN_IND, 1, 0 },
		{ "flags before it", "020106" BEACON, ADV_NONCONN_IND, 1, 0 },
		{ "two in one report", BEACON BEACON, ADV_NONCONN_IND, 2, 0 },
		{ "zeros after it", BEACON "0000", ADV_NONCONN_IND, 1, 0 },
		{ "zero before it", "00" BEACON, ADV_NONCONN_IND, 0, 0 },
		{ "a length beyond the data after it", BEACON "09ff01", ADV_NONCONN_IND, 1, 1 },
		{ "a length beyond the data", "1f2b0070", ADV_NONCONN_IND, 0, 1 },
		{ "only a length", "05", ADV_NONCONN_IND, 0, 1 },
		{ "nothing", "", ADV_NONCONN_IND, 0, 0 },
		{ "a mesh type without data", "012b", ADV_NONCONN_IND, 0, 1 },
		{ "connectable", BEACON, 0, 0, 0 },
		{ "scannable", BEACON, 2, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mesh_counters c;
		struct pair p;

		pair_open(&p, 0);
		report(p.a, rows[i].event_type, rows[i].hex);
		mesh_counters(p.a->mesh, &c);
		check_row(rows[i].name, p.a->unprovisioned == rows[i].beacons);
		check_row(rows[i].name, c.malformed == rows[i].malformed);
		check_row(rows[i].name, c.reports == 1);
		if (rows[i].beacons > 0) {
			check_int(p.a->last.rssi, -77);
			check_int(p.a->last.oob_info, 0xa040);
			check_int(p.a->uuid[0], 0x70);
		}
		pair_close(&p);
	}
}

TEST(pb_adv_gets_its_structures)
{
	struct pb_adv_counters before, after;
	struct pair p;

	pair_open(&p, 0);
	pb_adv_counters(mesh_pb_adv(p.a->mesh), &before);
	report(p.a, ADV_NONCONN_IND,
	       "0829"
	       "11223344"
	       "00"
	       "0103");
	pb_adv_counters(mesh_pb_adv(p.a->mesh), &after);
	check_int(after.foreign_link + after.malformed, before.foreign_link + before.malformed + 1);
	pair_close(&p);
}

TEST(a_known_node_is_heard_by_its_primary_address)
{
	struct subnet_key k = { 0 };
	struct net_pdu pdu = { .seq = 5, .src = 0x0203, .dst = 0x0999, .ttl = 4, .len = 6 };
	uint8_t out[2 + NETWORK_PDU_MAX];
	struct bearer_report r = { .event_type = ADV_NONCONN_IND };
	struct pair p;
	size_t n;

	pair_open(&p, 0);
	subnet_key_init(&k, &NET_KEY);
	for (unsigned i = 0; i < 2; i++) {
		pdu.seq++;
		n = net_pdu_encode(&k.flooding, &pdu, out + 2);
		out[0] = (uint8_t)(n + 1);
		out[1] = AD_MESH_MESSAGE;
		r.data = bytes_of(out, n + 2);
		p.a->station.bearer.heard(p.a->station.bearer.heard_ctx, &r);
		check_int(p.a->heard, i); /* first it is unknown */
		knows(p.a, 0x0202, 4);
	}
	check_int(p.a->heard_address, 0x0202);
	check_int(p.a->heard_ttl, 4);
	subnet_key_free(&k);
	pair_close(&p);
}

/* At the instant of sending, the store must already hold a block that covers the number. */
static void tap_durable(struct station *s, const struct bearer_send *send, void *ctx)
{
	struct gateway *g = (struct gateway *)s;
	struct subnet_key *k = ctx;
	struct net_pdu p;

	if (send->kind == BEARER_BEACON)
		return;
	check(net_pdu_decode(&k->flooding, 0, bytes_of(send->data + 2, send->len - 2u), &p));
	check(p.seq < g->seq_reserved);
}

TEST(numbers_are_durable_before_they_are_on_the_air_and_restarts_keep_talking)
{
	struct subnet_key k = { 0 };
	struct pair p;

	subnet_key_init(&k, &NET_KEY);
	pair_open(&p, 10);
	p.a->station.tap = tap_durable;
	p.a->station.tap_ctx = &k;
	for (unsigned life = 0; life < 10; life++) {
		struct access_request rq = { .to.segmented = true };
		struct answer a = { 0 };

		ask(p.a, &rq, &a, NODE, OP_COMPOSITION_DATA_GET, OP_COMPOSITION_DATA_STATUS,
		    bytes_of("", 1));
		air_run(&p.air, SEC(60));
		check_int(a.count, 1);
		check_int(a.result, ACCESS_OK);
		if (life % 2) {
			mesh_free(p.b->mesh);
			gateway_start(p.b);
			knows(p.b, GATEWAY, 1);
		}
		mesh_free(p.a->mesh);
		check(p.a->seq_reserved >= 1024 * (life + 1));
		gateway_start(p.a);
		knows(p.a, NODE, 1);
	}
	subnet_key_free(&k);
	pair_close(&p);
}

TEST(two_networks_apart_in_iv_index_find_each_other_by_beacon)
{
	struct access_request rq = { 0 };
	struct answer a = { 0 };
	struct mesh_iv iv;
	struct pair p;

	pair_open(&p, 0);
	mesh_free(p.b->mesh);
	p.b->iv = (struct mesh_iv){ .index = 20, .hours_since_recovery = UINT32_MAX };
	gateway_start(p.b);
	knows(p.b, GATEWAY, 1);
	air_run(&p.air, SEC(11)); /* one beacon of b */
	mesh_iv(p.a->mesh, &iv);
	check_int(iv.index, 20);
	check_int(p.a->iv_saves, 1);
	check_int(p.a->iv.index, 20);
	check_int(p.a->iv.hours_since_recovery, 0);
	ask(p.a, &rq, &a, NODE, OP_RELAY_GET, OP_RELAY_STATUS, bytes_of(NULL, 0));
	air_run(&p.air, SEC(1));
	check_int(a.count, 1);
	check_int(a.result, ACCESS_OK);
	check(p.a->replay[NODE] >= (uint64_t)20 << 24);
	pair_close(&p);
}

TEST(a_removed_node_is_mute_and_a_forgotten_one_starts_anew)
{
	struct access_request rq = { .tries = 1 };
	struct answer a = { 0 };
	struct pair p;

	pair_open(&p, 0);
	ask(p.a, &rq, &a, NODE, OP_RELAY_GET, OP_RELAY_STATUS, bytes_of(NULL, 0));
	air_run(&p.air, SEC(1));
	check_int(a.result, ACCESS_OK);
	/* The node comes back from factory reset: its numbers start at 0. */
	mesh_free(p.b->mesh);
	p.b->seq_reserved = 0;
	gateway_start(p.b);
	knows(p.b, GATEWAY, 1);
	ask(p.a, &rq, &a, NODE, OP_RELAY_GET, OP_RELAY_STATUS, bytes_of(NULL, 0));
	air_run(&p.air, SEC(10));
	check_int(a.result, ACCESS_TIMEOUT);
	mesh_replay_forget(p.a->mesh, NODE, 1);
	ask(p.a, &rq, &a, NODE, OP_RELAY_GET, OP_RELAY_STATUS, bytes_of(NULL, 0));
	air_run(&p.air, SEC(10));
	check_int(a.result, ACCESS_OK);
	mesh_node_remove(p.a->mesh, NODE);
	ask(p.a, &rq, &a, NODE, OP_RELAY_GET, OP_RELAY_STATUS, bytes_of(NULL, 0));
	air_run(&p.air, SEC(10));
	check_int(a.count, 4);
	check_int(a.result, ACCESS_NO_KEY);
	pair_close(&p);
}

TEST(counters_and_trace_tell_what_went_through)
{
	struct access_request rq = { .to.segmented = true };
	struct mesh_counters c;
	struct answer a = { 0 };
	struct pair p;

	pair_open(&p, 0);
	ask(p.a, &rq, &a, NODE, OP_COMPOSITION_DATA_GET, OP_COMPOSITION_DATA_STATUS,
	    bytes_of("", 1));
	air_run(&p.air, SEC(2));
	check_int(a.result, ACCESS_OK);
	mesh_counters(p.a->mesh, &c);
	check_int(c.segments_out, 1);
	check_int(c.segments_in, 3);
	check_int(c.acks_in, 1);
	check_int(c.acks_out, 1);
	check_int(c.access_in, 1);
	check_int(c.network_ok, 4);
	check_int(c.replayed + c.malformed + c.queue_full + c.transfers_failed, 0);
	check(c.reports > c.network_ok); /* each PDU came several times */
	check_int(p.a->traced, 2);
	check(mesh_seq_next(p.a->mesh) == 2);
	pair_close(&p);
}

TEST(random_and_truncated_reports_do_no_harm)
{
	static const uint8_t types[] = { AD_MESH_MESSAGE, AD_MESH_BEACON, AD_PB_ADV, 0x01, 0xFF };
	struct access_request rq = { 0 };
	struct answer a = { 0 };
	struct pair p;

	pair_open(&p, 0);
	for (unsigned i = 0; i < 30000; i++) {
		size_t n = air_random(&p.air) % 40;
		uint8_t *exact = malloc(n ? n : 1);
		struct bearer_report r = { .data = bytes_of(exact, n),
					   .event_type = ADV_NONCONN_IND };

		for (size_t k = 0; k < n; k++)
			exact[k] = (uint8_t)air_random(&p.air);
		if (n > 3 && i % 4 != 0) {
			exact[0] = (uint8_t)(i % 3 ? n - 1 : air_random(&p.air) % 32);
			exact[1] = types[i % ARRAY_LEN(types)];
			exact[2] = (uint8_t)(i % 5);
		}
		p.a->station.bearer.heard(p.a->station.bearer.heard_ctx, &r);
		free(exact);
		if (i % 1000 == 0)
			air_run(&p.air, SEC(1));
	}
	ask(p.a, &rq, &a, NODE, OP_RELAY_GET, OP_RELAY_STATUS, bytes_of(NULL, 0));
	air_run(&p.air, SEC(5));
	check_int(a.result, ACCESS_OK); /* still alive, and moved by nobody */
	check_int(p.a->iv.index, 0);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_element_answers_what_a_node_must),
		cmocka_unit_test(our_own_element_answers_ourselves_too),
		cmocka_unit_test(only_a_holder_of_our_device_key_is_answered),
		cmocka_unit_test(advertising_data_is_walked_structure_by_structure),
		cmocka_unit_test(pb_adv_gets_its_structures),
		cmocka_unit_test(a_known_node_is_heard_by_its_primary_address),
		cmocka_unit_test(
			numbers_are_durable_before_they_are_on_the_air_and_restarts_keep_talking),
		cmocka_unit_test(two_networks_apart_in_iv_index_find_each_other_by_beacon),
		cmocka_unit_test(a_removed_node_is_mute_and_a_forgotten_one_starts_anew),
		cmocka_unit_test(counters_and_trace_tell_what_went_through),
		cmocka_unit_test(random_and_truncated_reports_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
