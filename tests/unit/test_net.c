/* SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

#include "stack_node.h"
#include "vectors.h"

static uint32_t number(json_t *o, const char *name)
{
	return (uint32_t)strtoul(json_string_value(json_object_get(o, name)), NULL, 16);
}

static int integer(json_t *o, const char *name)
{
	return (int)json_integer_value(json_object_get(o, name));
}

static struct secret16 key_of(json_t *o, const char *name)
{
	struct vector v = vector_hex(o, name);
	struct secret16 k;

	check_int(v.n, 16);
	memcpy(k.octet, v.octet, 16);
	return k;
}

/* P of k2 for each kind of credentials, 3.9.6.3.1. */
static struct net_keys credentials(json_t *message)
{
	json_t *c = json_object_get(message, "credentials");
	const char *type = json_string_value(json_object_get(c, "type"));
	struct secret16 net_key = key_of(message, "net_key");
	uint8_t p[9] = { 0x00 };
	struct wr w = wr_to(p, sizeof(p));
	struct k2_keys k2_out;
	struct net_keys out;

	if (strcmp(type, "friendship") == 0) {
		wr_u8(&w, 0x01);
		wr_be16(&w, (uint16_t)number(c, "lpn_address"));
		wr_be16(&w, (uint16_t)number(c, "friend_address"));
		wr_be16(&w, (uint16_t)number(c, "lpn_counter"));
		wr_be16(&w, (uint16_t)number(c, "friend_counter"));
	} else {
		wr_u8(&w, strcmp(type, "directed") == 0 ? 0x02 : 0x00);
	}
	k2(&net_key, wr_done(&w), &k2_out);
	net_keys_init(&out, &k2_out);
	return out;
}

static void check_pdu(json_t *message, json_t *v)
{
	struct net_keys keys = credentials(message);
	struct vector wire = vector_hex(v, "network_pdu");
	struct vector transport = vector_hex(v, "lower_transport_pdu");
	uint32_t iv = number(message, "iv_index");
	struct net_pdu p = { .iv_index = iv,
			     .seq = number(v, "seq"),
			     .src = (uint16_t)number(v, "src"),
			     .dst = (uint16_t)number(v, "dst"),
			     .ctl = integer(v, "ctl"),
			     .ttl = (uint8_t)integer(v, "ttl"),
			     .len = (uint8_t)transport.n };
	struct net_pdu back;
	uint8_t out[NETWORK_PDU_MAX];
	size_t n;

	memcpy(p.transport, transport.octet, transport.n);
	n = net_pdu_encode(&keys, &p, out);
	check_int(n, wire.n);
	check_mem(out, wire.octet, n);
	check(net_pdu_decode(&keys, iv, vector_view(&wire), &back));
	check_int(back.seq, p.seq);
	check_int(back.src, p.src);
	check_int(back.dst, p.dst);
	check_int(back.ctl, p.ctl);
	check_int(back.ttl, p.ttl);
	check_int(back.len, p.len);
	check_mem(back.transport, p.transport, p.len);
	check(!net_pdu_decode(&keys, iv + 1, vector_view(&wire), &back));
	/* Any octet but the one with IVI and NID, which choose the key. */
	for (size_t i = 1; i < wire.n; i++) {
		wire.octet[i] ^= 0x10;
		check(!net_pdu_decode(&keys, iv, vector_view(&wire), &back));
		wire.octet[i] ^= 0x10;
	}
	for (size_t len = 0; len < wire.n; len++)
		check(!net_pdu_decode(&keys, iv, bytes_of(wire.octet, len), &back));
	net_keys_free(&keys);
}

TEST(every_published_network_pdu_encodes_and_decodes)
{
	json_t *root = vectors_load("network.json"), *message, *v;
	size_t i, k, n = 0;

	json_array_foreach(json_object_get(root, "messages"), i, message)
	{
		json_array_foreach(json_object_get(message, "pdus"), k, v)
		{
			check_pdu(message, v);
			n++;
		}
	}
	check_int(n, 45);
	json_decref(root);
}

TEST(published_receive_cases_are_taken_or_dropped)
{
	json_t *root = vectors_load("network.json"), *c;
	size_t i;

	json_array_foreach(json_object_get(root, "receive_cases"), i, c)
	{
		struct secret16 key = key_of(c, "net_key");
		struct vector pdu = vector_hex(c, "network_pdu");
		bool accept = json_is_true(json_object_get(c, "accept"));
		struct stack_air air;
		struct stack_node *n;

		air_init(&air, 1, 0);
		n = node_new(&air, &(struct node_options){ .address = 0x0001,
							   .iv_index = number(c, "node_iv_index"),
							   .net_key = &key });
		net_heard(n->net, vector_view(&pdu));
		check_int(n->neighbours, accept);
		check_int(net_counters(n->net)->ok, accept);
		check_int(net_counters(n->net)->undecryptable, !accept);
		node_free(n);
		air_free(&air);
	}
	check_int(i, 6);
	json_decref(root);
}

/* A PDU from a stranger that has the key. */
static struct bytes made(const struct secret16 *net_key, const struct net_pdu *p,
			 uint8_t out[NETWORK_PDU_MAX])
{
	struct subnet_key k = { 0 };
	size_t n;

	subnet_key_init(&k, net_key);
	n = net_pdu_encode(&k.flooding, p, out);
	subnet_key_free(&k);
	return bytes_of(out, n);
}

TEST(a_pdu_is_taken_once_whichever_way_and_how_often_it_comes)
{
	struct stack_air air;
	struct stack_node *n;
	struct net_pdu p = { .seq = 9, .src = 0x0042, .dst = 0x0001, .ttl = 5, .len = 6 };
	uint8_t out[NETWORK_PDU_MAX];

	air_init(&air, 1, 0);
	n = node_new(&air, &(struct node_options){ .address = 0x0001 });
	net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	check_int(net_counters(n->net)->ok, 1);
	check_int(net_counters(n->net)->duplicates, 1);
	check_int(n->neighbours, 1);
	p.ttl = 3; /* relayed twice: all its octets differ */
	net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	check_int(net_counters(n->net)->ok, 1);
	check_int(net_counters(n->net)->duplicates, 2);
	check_int(n->neighbours, 2);
	check_int(n->last_ttl, 3);
	p.seq = 10;
	net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	check_int(net_counters(n->net)->ok, 2);
	node_free(n);
	air_free(&air);
}

TEST(a_recording_played_back_is_no_sign_of_life)
{
	struct net_pdu p = { .src = 0x0042, .dst = 0x0002, .ttl = 5, .len = 6 };
	uint8_t out[NETWORK_PDU_MAX];
	struct stack_air air;
	struct stack_node *n;
	unsigned heard;

	air_init(&air, 1, 0);
	n = node_new(&air, &(struct node_options){ .address = 0x0001 });
	for (p.seq = 0; p.seq < 3000; p.seq++) /* more than any cache keeps */
		net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	heard = n->neighbours;
	check_int(heard, 3000);
	for (p.seq = 0; p.seq < 3000; p.seq += 7) { /* to others, and to us */
		p.dst = p.seq & 1 ? 0x0001 : 0x0002;
		net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	}
	check_int(n->neighbours, heard);
	/* nor what was accepted before a restart */
	rpl_restore(net_rpl(n->net), 0x0043, 500);
	p.src = 0x0043;
	p.seq = 499;
	net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	check_int(n->neighbours, heard);
	p.seq = 501;
	net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	check_int(n->neighbours, heard + 1);
	/* a node that is gone leaves its address to one that counts from 0 */
	net_replay_forget(n->net, 0x0043, 1);
	p.seq = 3;
	net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	check_int(n->neighbours, heard + 2);
	node_free(n);
	air_free(&air);
}

TEST(what_is_not_for_us_goes_no_further)
{
	static const struct {
		const char *name;
		uint16_t src, dst;
		uint64_t ok, echoes, not_for_us;
	} rows[] = {
		{ "ours", 0x0042, 0x0001, 1, 0, 0 },
		{ "all nodes", 0x0042, 0xFFFF, 1, 0, 0 },
		{ "another node", 0x0042, 0x0002, 1, 0, 1 },
		{ "unassigned", 0x0042, 0x0000, 1, 0, 1 },
		{ "a group", 0x0042, 0xC000, 1, 0, 1 },
		{ "a virtual address", 0x0042, 0x8001, 1, 0, 1 },
		{ "all relays: we are none", 0x0042, 0xFFFE, 1, 0, 1 },
		{ "our own echo", 0x0001, 0x0042, 0, 1, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_pdu p = {
			.seq = 9, .src = rows[i].src, .dst = rows[i].dst, .ttl = 5, .len = 6
		};
		const struct net_counters *c;
		uint8_t out[NETWORK_PDU_MAX];
		struct stack_air air;
		struct stack_node *n;

		air_init(&air, 1, 0);
		n = node_new(&air, &(struct node_options){ .address = 0x0001 });
		c = net_counters(n->net);
		net_heard(n->net, made(&NODE_NET_KEY, &p, out));
		check_row(rows[i].name, c->ok == rows[i].ok && c->echoes == rows[i].echoes &&
						c->not_for_us == rows[i].not_for_us);
		check_row(rows[i].name, n->neighbours == rows[i].ok);
		node_free(n);
		air_free(&air);
	}
}

TEST(keys_that_share_a_nid_are_all_tried)
{
	struct secret16 twin = { { 1 } };
	struct subnet_key want = { 0 }, k = { 0 };
	struct net_pdu p = { .seq = 1, .src = 0x0042, .dst = 0x0001, .ttl = 5, .len = 6 };
	uint8_t out[NETWORK_PDU_MAX];
	struct stack_air air;
	struct stack_node *n;

	subnet_key_init(&want, &NODE_NET_KEY);
	for (unsigned i = 0; i < 10000; i++) {
		twin.octet[1] = (uint8_t)i;
		twin.octet[2] = (uint8_t)(i >> 8);
		subnet_key_init(&k, &twin);
		if (k.flooding.nid == want.flooding.nid)
			break;
		subnet_key_free(&k);
	}
	check_int(k.flooding.nid, want.flooding.nid);
	air_init(&air, 1, 0);
	n = node_new(&air, &(struct node_options){ .address = 0x0001 });
	check(net_key_set(n->net, 7, &twin, NULL, SUBNET_NORMAL));
	net_heard(n->net, made(&NODE_NET_KEY, &p, out));
	p.seq = 2;
	net_heard(n->net, made(&twin, &p, out));
	check_int(net_counters(n->net)->ok, 2);
	subnet_key_free(&k);
	subnet_key_free(&want);
	node_free(n);
	air_free(&air);
}

TEST(a_key_refresh_hears_both_keys_and_sends_by_phase)
{
	static const struct {
		enum subnet_phase phase;
		bool sends_new;
	} rows[] = { { SUBNET_PHASE_1, false }, { SUBNET_PHASE_2, true } };
	struct secret16 new_key = { { 0xAB } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_pdu p = { .seq = 1, .src = 0x42, .dst = 1, .ttl = 5, .len = 6 };
		uint8_t out[NETWORK_PDU_MAX];
		struct stack_air air;
		struct stack_node *n, *listener;

		air_init(&air, 1, 0);
		n = node_new(&air, &(struct node_options){ .address = 0x0001 });
		listener = node_new(
			&air, &(struct node_options){ .address = 0x0002, .net_key = &new_key });
		net_key_set(n->net, 0, &NODE_NET_KEY, &new_key, rows[i].phase);
		net_heard(n->net, made(&NODE_NET_KEY, &p, out));
		p.seq = 2;
		net_heard(n->net, made(&new_key, &p, out));
		check_int(net_counters(n->net)->ok, 2);
		p = (struct net_pdu){ .dst = 0x0002, .ttl = 5, .len = 6 };
		check(net_take_seq(n->net, &p.seq));
		check(net_send(n->net, 0, &p, BEARER_NETWORK, 0));
		air_run(&air, SEC(1));
		check_int(listener->neighbours, rows[i].sends_new);
		node_free(n);
		node_free(listener);
		air_free(&air);
	}
}

TEST(a_key_that_comes_later_opens_what_is_sent_again)
{
	struct secret16 other = { { 0x77 } };
	struct net_pdu p = { .seq = 1, .src = 0x0042, .dst = 0x0001, .ttl = 5, .len = 6 };
	uint8_t out[NETWORK_PDU_MAX];
	struct stack_air air;
	struct stack_node *n;

	air_init(&air, 1, 0);
	n = node_new(&air, &(struct node_options){ .address = 0x0001 });
	net_heard(n->net, made(&other, &p, out));
	check_int(net_counters(n->net)->ok, 0);
	net_key_set(n->net, 1, &other, NULL, SUBNET_NORMAL);
	net_heard(n->net, made(&other, &p, out));
	check_int(net_counters(n->net)->ok, 1);
	node_free(n);
	air_free(&air);
}

TEST(nothing_leaves_without_a_subnet_or_a_sequence_number)
{
	struct net_pdu p = { .dst = 0x0002, .ttl = 5, .len = 6 };
	struct stack_air air;
	struct stack_node *n;

	air_init(&air, 1, 0);
	n = node_new(&air, &(struct node_options){ .address = 0x0001, .seq = SEQ_MAX });
	check(!net_send(n->net, 3, &p, BEARER_NETWORK, 0));
	check_int(n->station.sent[BEARER_NETWORK], 0);
	check(net_take_seq(n->net, &p.seq));
	check_int(p.seq, SEQ_MAX);
	check(!net_take_seq(n->net, &p.seq));
	node_free(n);
	air_free(&air);
}

TEST(random_octets_of_any_length_are_dropped_and_counted)
{
	struct stack_air air;
	struct stack_node *n;
	uint8_t junk[64];

	air_init(&air, 7, 0);
	n = node_new(&air, &(struct node_options){ .address = 0x0001 });
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = air_random(&air) % sizeof(junk);
		uint8_t *exact = malloc(len ? len : 1);

		for (size_t k = 0; k < len; k++)
			exact[k] = (uint8_t)air_random(&air);
		if (len > 0 && i % 2)
			exact[0] = 0x68; /* our NID, IVI 0 */
		net_heard(n->net, bytes_of(exact, len));
		free(exact);
	}
	check_int(net_counters(n->net)->ok, 0);
	check_int(net_counters(n->net)->malformed + net_counters(n->net)->undecryptable, 20000);
	check(net_counters(n->net)->undecryptable > 3000);
	node_free(n);
	air_free(&air);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_published_network_pdu_encodes_and_decodes),
		cmocka_unit_test(published_receive_cases_are_taken_or_dropped),
		cmocka_unit_test(a_pdu_is_taken_once_whichever_way_and_how_often_it_comes),
		cmocka_unit_test(a_recording_played_back_is_no_sign_of_life),
		cmocka_unit_test(what_is_not_for_us_goes_no_further),
		cmocka_unit_test(keys_that_share_a_nid_are_all_tried),
		cmocka_unit_test(a_key_refresh_hears_both_keys_and_sends_by_phase),
		cmocka_unit_test(a_key_that_comes_later_opens_what_is_sent_again),
		cmocka_unit_test(nothing_leaves_without_a_subnet_or_a_sequence_number),
		cmocka_unit_test(random_octets_of_any_length_are_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
