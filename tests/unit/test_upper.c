/* SPDX-License-Identifier: Apache-2.0 */
#include "upper.h"

#include "stack_pair.h"
#include "upper_crypt.h"
#include "vectors.h"

static uint32_t number(json_t *o, const char *name)
{
	return (uint32_t)strtoul(json_string_value(json_object_get(o, name)), NULL, 16);
}

static bool is(json_t *o, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(o, name));

	return value && strcmp(value, text) == 0;
}

static struct secret16 key_of(json_t *o, const char *name)
{
	struct vector v = vector_hex(o, name);
	struct secret16 k;

	check_int(v.n, 16);
	memcpy(k.octet, v.octet, 16);
	return k;
}

static void check_crypt(json_t *message, json_t *u)
{
	struct secret16 key = key_of(u, "key");
	struct vector plain = vector_hex(u, "access_message");
	struct vector cipher = vector_hex(u, "enc_access_message");
	struct vector mic = vector_hex(u, "trans_mic"), label = { .n = 0 };
	uint8_t out[LOWER_UPPER_MAX], back[LOWER_UPPER_MAX];
	struct upper_nonce n = { .device_key = is(u, "key_type", "dev"),
				 .szmic = mic.n == 8,
				 .iv_index = number(message, "iv_index"),
				 .seq = number(u, "seq"),
				 .src = (uint16_t)number(u, "src"),
				 .dst = (uint16_t)number(u, "dst") };
	size_t len;

	if (vector_has(u, "label_uuid")) {
		label = vector_hex(u, "label_uuid");
		n.label = vector_view(&label);
	}
	check_int(upper_encrypt(&key, &n, vector_view(&plain), out), cipher.n + mic.n);
	check_mem(out, cipher.octet, cipher.n);
	check_mem(out + cipher.n, mic.octet, mic.n);
	check(upper_decrypt(&key, &n, bytes_of(out, cipher.n + mic.n), back, &len));
	check_int(len, plain.n);
	check_mem(back, plain.octet, len);
	for (size_t i = 0; i < cipher.n + mic.n; i++) {
		out[i] ^= 1;
		check(!upper_decrypt(&key, &n, bytes_of(out, cipher.n + mic.n), back, &len));
		out[i] ^= 1;
	}
	for (size_t i = 0; i < cipher.n + mic.n; i++)
		check(!upper_decrypt(&key, &n, bytes_of(out, i), back, &len));
	n.szmic = !n.szmic;
	check(!upper_decrypt(&key, &n, bytes_of(out, cipher.n + mic.n), back, &len));
}

TEST(every_published_access_message_encrypts_and_decrypts)
{
	json_t *root = vectors_load("network.json"), *message;
	unsigned n = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "messages"), i, message)
	{
		json_t *u = json_object_get(message, "upper_transport");

		if (!u)
			continue;
		check_crypt(message, u);
		n++;
	}
	check_int(n, 20);
	json_decref(root);
}

/* What a node sends, to be compared octet by octet. */
struct sent {
	size_t n;
	struct bearer_send send[8];
};

static void tap(struct station *s, const struct bearer_send *send, void *ctx)
{
	struct sent *x = ctx;

	if (send->kind == BEARER_NETWORK && x->n < ARRAY_LEN(x->send))
		x->send[x->n++] = *send;
}

static void check_sent_whole(json_t *message, json_t *u)
{
	struct secret16 key = key_of(u, "key"), net_key = key_of(message, "net_key");
	struct vector plain = vector_hex(u, "access_message");
	json_t *pdus = json_object_get(message, "pdus");
	bool device = is(u, "key_type", "dev");
	struct lower_message m = { .dst = (uint16_t)number(u, "dst"),
				   .key = device ? UPPER_DEVICE_KEY : 0x123,
				   .ttl = (uint8_t)json_integer_value(json_object_get(u, "ttl")),
				   .segmented = json_array_size(pdus) > 1 };
	struct sent sent = { 0 };
	struct stack_air air;
	struct stack_node *n;
	uint32_t id;

	air_init(&air, 1, 0);
	n = node_new(&air, &(struct node_options){ .address = (uint16_t)number(u, "src"),
						   .iv_index = number(message, "iv_index"),
						   .seq = number(u, "seq"),
						   .net_key = &net_key });
	n->station.tap = tap;
	n->station.tap_ctx = &sent;
	if (device)
		check(upper_keys_set_node(upper_keys(n->upper), m.dst, 1, &key, NULL));
	else
		check(upper_keys_set_app(upper_keys(n->upper), 0x123, 0, &key));
	check_int(upper_send(n->upper, &m, vector_view(&plain), &id), LOWER_OK);
	air_run(&air, MSEC(30) * (json_array_size(pdus) - 1) + MSEC(1));
	check_int(sent.n, json_array_size(pdus));
	for (size_t i = 0; i < sent.n; i++) {
		struct vector want = vector_hex(json_array_get(pdus, i), "network_pdu");

		check_int(sent.send[i].count, 3);
		check_int(sent.send[i].len, want.n + 2);
		check_int(sent.send[i].data[0], want.n + 1);
		check_int(sent.send[i].data[1], AD_MESH_MESSAGE);
		check_mem(sent.send[i].data + 2, want.octet, want.n);
	}
	node_free(n);
	air_free(&air);
}

static void check_received_whole(json_t *message, json_t *u)
{
	struct secret16 key = key_of(u, "key"), net_key = key_of(message, "net_key");
	struct vector plain = vector_hex(u, "access_message");
	json_t *pdus = json_object_get(message, "pdus");
	bool device = is(u, "key_type", "dev");
	uint16_t dst = (uint16_t)number(u, "dst");
	struct stack_air air;
	struct stack_node *n;

	air_init(&air, 1, 0);
	/* To a group nobody here subscribes: only unicast and all-nodes come in. */
	n = node_new(&air, &(struct node_options){ .address = dst <= 0x7FFF ? dst : 0x0777,
						   .iv_index = number(message, "iv_index"),
						   .net_key = &net_key,
						   .device_key = device ? &key : NULL });
	if (!device)
		check(upper_keys_set_app(upper_keys(n->upper), 0x123, 0, &key));
	for (size_t i = 0; i < json_array_size(pdus); i++) {
		struct vector v = vector_hex(json_array_get(pdus, i), "network_pdu");

		check_int(n->n_heard, 0);
		net_heard(n->net, vector_view(&v));
	}
	if (dst <= 0x7FFF || dst == ADDR_ALL_NODES) {
		check_int(n->n_heard, 1);
		check_int(n->heard[0].src, number(u, "src"));
		check_int(n->heard[0].dst, dst);
		check_int(n->heard[0].key, device ? UPPER_OWN_DEVICE_KEY : 0x123);
		check_int(n->heard[0].len, plain.n);
		check_mem(n->heard[0].pdu, plain.octet, plain.n);
	} else {
		check_int(n->n_heard, 0);
	}
	node_free(n);
	air_free(&air);
}

TEST(published_messages_leave_the_stack_octet_for_octet)
{
	json_t *root = vectors_load("network.json"), *message;
	unsigned n = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "messages"), i, message)
	{
		json_t *u = json_object_get(message, "upper_transport");

		/* We send neither to virtual addresses nor with a long TransMIC (22 to 24). */
		if (!u || vector_has(u, "label_uuid"))
			continue;
		check_sent_whole(message, u);
		n++;
	}
	check_int(n, 17);
	json_decref(root);
}

TEST(published_messages_come_in_through_the_stack)
{
	json_t *root = vectors_load("network.json"), *message;
	unsigned n = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "messages"), i, message)
	{
		json_t *u = json_object_get(message, "upper_transport");

		if (!u)
			continue;
		check_received_whole(message, u);
		n++;
	}
	check_int(n, 20);
	json_decref(root);
}

static enum lower_result say(struct stack_node *n, uint16_t dst, uint16_t net_index, int key)
{
	struct lower_message m = { .dst = dst, .net_index = net_index, .key = key, .ttl = 5 };
	static const uint8_t pdu[] = { 0x80, 0x08, 0x00 };
	uint32_t id;
	enum lower_result r = upper_send(n->upper, &m, bytes_of(pdu, sizeof(pdu)), &id);

	air_run(n->station.air, SEC(1));
	return r;
}

TEST(an_answer_under_the_candidate_is_read_and_told)
{
	struct secret16 fresh = { { 0xFE } }, stale = node_device_key(NODE);
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	/* The node already has its new key; we still hold both. */
	node_halt(p.b);
	node_boot(p.b, &(struct node_options){ .address = NODE, .device_key = &fresh });
	nodes_meet(p.b, p.a);
	check(upper_keys_set_node(upper_keys(p.a->upper), NODE, 2, &stale, &fresh));
	check_int(say(p.a, NODE, 0, UPPER_DEVICE_KEY), LOWER_OK);
	check_int(p.b->n_heard, 0); /* the old key opens nothing there */
	check_int(say(p.a, NODE, 0, UPPER_CANDIDATE_KEY), LOWER_OK);
	check_int(p.b->n_heard, 1);
	check_int(p.b->heard[0].key, UPPER_OWN_DEVICE_KEY);
	check_int(say(p.b, GATEWAY, 0, UPPER_OWN_DEVICE_KEY), LOWER_OK);
	check_int(p.a->n_heard, 1);
	check_int(p.a->heard[0].key, UPPER_CANDIDATE_KEY);
	check_int(p.a->candidate, NODE);
	p.a->candidate = 0;
	check(upper_keys_set_node(upper_keys(p.a->upper), NODE, 2, &fresh, NULL));
	check_int(say(p.b, GATEWAY, 0, UPPER_OWN_DEVICE_KEY), LOWER_OK);
	check_int(p.a->heard[1].key, UPPER_DEVICE_KEY);
	check_int(p.a->candidate, 0);
	check_int(say(p.a, NODE, 0, UPPER_CANDIDATE_KEY), LOWER_NO_KEY);
	pair_close(&p);
}

TEST(a_missing_key_is_said_at_once)
{
	struct secret16 app = { { 5 } };
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	check_int(say(p.a, 0x0555, 0, UPPER_DEVICE_KEY), LOWER_NO_KEY);
	check_int(say(p.a, NODE, 4, UPPER_DEVICE_KEY), LOWER_NO_KEY);
	check_int(say(p.a, NODE, 0, 7), LOWER_NO_KEY);
	check(upper_keys_set_app(upper_keys(p.a->upper), 7, 4, &app));
	check_int(say(p.a, NODE, 0, 7), LOWER_NO_KEY); /* bound to another subnet */
	check_int(say(p.a, 0xC000, 0, UPPER_DEVICE_KEY), LOWER_NO_KEY);
	check_int(p.a->station.sent[BEARER_NETWORK], 0);
	pair_close(&p);
}

TEST(application_keys_that_share_an_aid_are_all_tried)
{
	struct secret16 one = { { 1 } }, two = { { 2 } };
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	for (unsigned i = 0; k4(&two) != k4(&one); i++) {
		two.octet[1] = (uint8_t)i;
		two.octet[2] = (uint8_t)(i >> 8);
	}
	check(upper_keys_set_app(upper_keys(p.a->upper), 9, 0, &two));
	check(upper_keys_set_app(upper_keys(p.b->upper), 8, 0, &one));
	check(upper_keys_set_app(upper_keys(p.b->upper), 9, 0, &two));
	check_int(say(p.a, NODE, 0, 9), LOWER_OK);
	check_int(p.b->n_heard, 1);
	check_int(p.b->heard[0].key, 9);
	check_int(say(p.a, ADDR_ALL_NODES, 0, 9), LOWER_OK);
	check_int(p.b->n_heard, 2);
	check_int(p.b->heard[1].dst, ADDR_ALL_NODES);
	pair_close(&p);
}

TEST(what_no_key_opens_is_counted)
{
	struct secret16 wrong = { { 0xBB } };
	struct pair p;

	pair_open(&p, 1, 0, NULL);
	check(upper_keys_set_node(upper_keys(p.a->upper), NODE, 1, &wrong, NULL));
	check_int(say(p.a, NODE, 0, UPPER_DEVICE_KEY), LOWER_OK);
	check_int(p.b->n_heard, 0);
	check_int(upper_counters(p.b->upper)->undecryptable, 1);
	check_int(p.b->replay_saves, 0);
	pair_close(&p);
}

TEST(thousands_of_nodes_are_found_by_any_of_their_elements)
{
	struct upper_keys k;
	struct secret16 key = { { 0 } };

	upper_keys_init(&k);
	for (uint16_t i = 0; i < 5000; i++) {
		key.octet[0] = (uint8_t)i;
		check(upper_keys_set_node(&k, 1 + i * 3, 3, &key, NULL));
	}
	for (uint16_t i = 0; i < 5000; i++)
		for (uint16_t e = 0; e < 3; e++)
			check_int(upper_keys_node(&k, 1 + i * 3 + e)->address, 1 + i * 3);
	check(!upper_keys_node(&k, 15001));
	check(!upper_keys_node(&k, 0));
	check(!upper_keys_node(&k, 0xC000));
	upper_keys_remove_node(&k, 2); /* no primary address: nothing happens */
	check(upper_keys_node(&k, 2));
	upper_keys_remove_node(&k, 1);
	check(!upper_keys_node(&k, 1) && !upper_keys_node(&k, 3));
	check_int(upper_keys_node(&k, 4)->address, 4);
	/* With fewer elements than before, the others are nobody's. */
	check(upper_keys_set_node(&k, 4, 1, &key, &key));
	check(!upper_keys_node(&k, 5));
	check(upper_keys_node(&k, 4)->has_candidate);
	check(!upper_keys_set_node(&k, 0x7FFF, 2, &key, NULL));
	check(!upper_keys_set_node(&k, 0, 1, &key, NULL));
	check(!upper_keys_set_node(&k, 9, 0, &key, NULL));
	upper_keys_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_published_access_message_encrypts_and_decrypts),
		cmocka_unit_test(published_messages_leave_the_stack_octet_for_octet),
		cmocka_unit_test(published_messages_come_in_through_the_stack),
		cmocka_unit_test(an_answer_under_the_candidate_is_read_and_told),
		cmocka_unit_test(a_missing_key_is_said_at_once),
		cmocka_unit_test(application_keys_that_share_an_aid_are_all_tried),
		cmocka_unit_test(what_no_key_opens_is_counted),
		cmocka_unit_test(thousands_of_nodes_are_found_by_any_of_their_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
