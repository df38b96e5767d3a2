/* SPDX-License-Identifier: Apache-2.0 */
#include "beacon.h"

#include "beaconing.h"
#include "stack_node.h"
#include "vectors.h"

static uint32_t number(json_t *o, const char *name)
{
	return (uint32_t)strtoul(json_string_value(json_object_get(o, name)), NULL, 16);
}

static void check_unprovisioned(json_t *v, struct bytes beacon)
{
	struct vector uuid = vector_hex(v, "device_uuid");
	struct beacon_unprovisioned b;
	bool has_hash = !json_is_null(json_object_get(v, "uri_hash"));

	check(beacon_unprovisioned_decode(&b, beacon));
	check_mem(b.uuid, uuid.octet, UUID_LEN);
	check_int(b.oob_info, number(v, "oob_information"));
	check_int(b.has_uri_hash, has_hash);
	if (has_hash)
		check_int(b.uri_hash, number(v, "uri_hash"));
	for (size_t n = 0; n < beacon.n; n++)
		if (n != BEACON_UNPROVISIONED_LEN)
			check(!beacon_unprovisioned_decode(&b, bytes_of(beacon.p, n)));
}

/* Both kinds that are authentic: encodes to the same octets, decodes, and no octet may differ. */
static void check_network(json_t *v, struct vector *beacon, bool is_private)
{
	struct vector key = vector_hex(v, "net_key");
	struct beacon_network b = { .flags = (uint8_t)number(v, "flags"),
				    .iv_index = number(v, "iv_index") };
	struct beacon_network back;
	struct secret16 net_key;
	struct subnet_key k = { 0 };
	uint8_t out[BEACON_PRIVATE_LEN];

	memcpy(net_key.octet, key.octet, 16);
	subnet_key_init(&k, &net_key);
	if (is_private) {
		struct vector random = vector_hex(v, "random");

		beacon_private_encode(&k, &b, random.octet, out);
	} else {
		beacon_secure_encode(&k, &b, out);
	}
	check_int(beacon->n, is_private ? BEACON_PRIVATE_LEN : BEACON_SECURE_LEN);
	check_mem(out, beacon->octet, beacon->n);
	for (size_t i = 0; i <= beacon->n; i++) {
		bool intact = i == beacon->n, ok;

		if (!intact)
			beacon->octet[i] ^= 0x04;
		ok = is_private ? beacon_private_decode(&k, &back, vector_view(beacon))
				: beacon_secure_decode(&k, &back, vector_view(beacon));
		check_int(ok, intact);
		if (!intact)
			beacon->octet[i] ^= 0x04;
	}
	check_int(back.flags, b.flags);
	check_int(back.iv_index, b.iv_index);
	subnet_key_free(&k);
}

TEST(every_published_beacon_encodes_and_decodes)
{
	json_t *root = vectors_load("network.json"), *v;
	unsigned n = 0, refused = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "beacons"), i, v)
	{
		const char *type = json_string_value(json_object_get(v, "type"));
		struct vector beacon = vector_hex(v, "beacon");

		n++;
		if (strcmp(type, "unprovisioned") == 0) {
			check_unprovisioned(v, vector_view(&beacon));
		} else if (vector_has(v, "net_key")) {
			check_network(v, &beacon, strcmp(type, "mesh_private") == 0);
		} else {
			/* The invalid one: its key is that of vector 8.4.6.2. */
			struct secret16 net_key;
			struct subnet_key k = { 0 };
			struct beacon_network out;

			check(hex_parse_exact("3bbb6f1fbd53e157417f308ce7aec58f", &net_key, 16));
			subnet_key_init(&k, &net_key);
			check(!beacon_private_decode(&k, &out, vector_view(&beacon)));
			subnet_key_free(&k);
			refused++;
		}
	}
	check_int(n, 10);
	check_int(refused, 1);
	json_decref(root);
}

enum { NEVER = -1 };

struct iv_row {
	const char *name;
	/* state before; hours since recovery or NEVER */
	bool update;
	uint32_t hours;
	int recovery;
	/* the beacon, relative to our index 100 */
	int offset;
	bool flag, busy;
	/* what comes of it */
	enum iv_step step;
	int index_after;
	bool update_after;
};

TEST(beacons_move_the_iv_state_as_the_table_says)
{
	static const struct iv_row rows[] = {
		{ "normal, the same", false, 200, NEVER, 0, false, false, IV_NOTHING, 0, false },
		{ "normal, ours with the flag: we are past it", false, 200, NEVER, 0, true, false,
		  IV_NOTHING, 0, false },
		{ "normal, update begins", false, 96, NEVER, 1, true, false, IV_CHANGED, 1, true },
		{ "normal, update begins although busy", false, 96, NEVER, 1, true, true,
		  IV_CHANGED, 1, true },
		{ "normal, update before 96 h", false, 95, NEVER, 1, true, false, IV_NOTHING, 0,
		  false },
		{ "normal, update before 96 h after a recovery", false, 10, 10, 1, true, false,
		  IV_CHANGED, 1, true },
		{ "normal, next index without flag: recovery", false, 1, NEVER, 1, false, false,
		  IV_SEQ_RESET, 1, false },
		{ "normal, two ahead: recovery", false, 1, NEVER, 2, true, false, IV_SEQ_RESET, 2,
		  true },
		{ "normal, 42 ahead", false, 1, NEVER, 42, false, false, IV_SEQ_RESET, 42, false },
		{ "normal, 43 ahead", false, 1, NEVER, 43, false, false, IV_NOTHING, 0, false },
		{ "normal, below ours", false, 200, NEVER, -1, false, false, IV_NOTHING, 0, false },
		{ "normal, recovery 191 h after the last", false, 300, 191, 2, false, false,
		  IV_NOTHING, 0, false },
		{ "normal, recovery 192 h after the last", false, 300, 192, 2, false, false,
		  IV_SEQ_RESET, 2, false },
		{ "in progress, the same", true, 100, NEVER, 0, true, false, IV_NOTHING, 0, true },
		{ "in progress, finish", true, 96, NEVER, 0, false, false, IV_SEQ_RESET, 0, false },
		{ "in progress, finish before 96 h", true, 95, NEVER, 0, false, false, IV_NOTHING,
		  0, true },
		{ "in progress, finish while a message is unacknowledged", true, 96, NEVER, 0,
		  false, true, IV_NOTHING, 0, true },
		{ "in progress, next index with flag: recovery", true, 1, NEVER, 1, true, false,
		  IV_SEQ_RESET, 1, true },
		{ "in progress, next index: recovery", true, 1, NEVER, 1, false, false,
		  IV_SEQ_RESET, 1, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct iv_row *r = &rows[i];
		struct iv_state iv = { .index = 100,
				       .update = r->update,
				       .hours_in_state = r->hours,
				       .hours_since_recovery = r->recovery == NEVER
								       ? UINT32_MAX
								       : (uint32_t)r->recovery };
		uint32_t transmit = iv_transmit(&iv);
		enum iv_step step = iv_beacon(&iv, (uint32_t)(100 + r->offset), r->flag, r->busy);

		check_row(r->name, step == r->step);
		check_row(r->name, iv.index == (uint32_t)(100 + r->index_after));
		check_row(r->name, iv.update == r->update_after);
		if (step != IV_NOTHING)
			check_row(r->name, iv.hours_in_state == 0);
		/* Numbers start again exactly when the index to send with is a new one. */
		check_row(r->name, (step == IV_SEQ_RESET) == (iv_transmit(&iv) != transmit));
	}
}

TEST(hours_end_an_update_and_begin_one_when_numbers_run_low)
{
	struct iv_state iv = { .index = 5, .hours_since_recovery = UINT32_MAX };
	unsigned hours = 0;

	while (!iv.update && hours < 1000) {
		iv_hour(&iv, IV_UPDATE_AT_SEQ, false);
		hours++;
	}
	check_int(hours, IV_STATE_HOURS);
	check_int(iv.index, 6);
	check_int(iv_transmit(&iv), 5);
	for (hours = 0; iv.update && hours < 1000; hours++)
		iv_hour(&iv, IV_UPDATE_AT_SEQ, false);
	check_int(hours, IV_STATE_HOURS);
	check_int(iv.index, 6);
	check_int(iv_transmit(&iv), 6);
	iv.update = true;
	iv.hours_in_state = 0;
	for (hours = 0; iv.update && hours < 1000; hours++)
		iv_hour(&iv, 0, true);
	check_int(hours, IV_STATE_HOURS_MAX); /* busy all the time: at last it must */
	for (hours = 0; hours < 1000; hours++)
		check_int(iv_hour(&iv, 100, false), IV_CHANGED);
	check_int(iv.index, 6);
}

TEST(a_recovery_frees_only_the_next_change_from_its_96_hours)
{
	struct iv_state iv = { .index = 5, .hours_since_recovery = UINT32_MAX };

	check_int(iv_beacon(&iv, 9, true, false), IV_SEQ_RESET);
	check_int(iv_beacon(&iv, 9, false, false), IV_SEQ_RESET);
	check_int(iv_beacon(&iv, 10, true, false), IV_NOTHING);
	for (unsigned i = 0; i < 95; i++)
		iv_hour(&iv, 0, false);
	check_int(iv_beacon(&iv, 10, true, false), IV_NOTHING);
	iv_hour(&iv, 0, false);
	check_int(iv_beacon(&iv, 10, true, false), IV_CHANGED);
}

TEST(the_ivi_bit_names_one_of_two_indexes)
{
	struct iv_state iv = { .index = 0 };
	uint32_t out;

	check(iv_receive(&iv, 0, &out));
	check_int(out, 0);
	check(!iv_receive(&iv, 1, &out)); /* there is no index below 0 */
	iv.index = 7;
	check(iv_receive(&iv, 1, &out));
	check_int(out, 7);
	check(iv_receive(&iv, 0, &out));
	check_int(out, 6);
}

/* Beaconing, with a node's network layer below it. */
struct ear {
	unsigned unprovisioned;
	struct beacon_unprovisioned last;
	int8_t rssi;
	unsigned beacons;
	uint8_t sent[BEACON_SECURE_LEN];
};

static void on_unprovisioned(void *ctx, const struct beacon_unprovisioned *b, int8_t rssi)
{
	struct ear *e = ctx;

	e->unprovisioned++;
	e->last = *b;
	e->rssi = rssi;
}

static void on_sent(struct station *s, const struct bearer_send *send, void *ctx)
{
	struct ear *e = ctx;

	if (send->kind != BEARER_BEACON)
		return;
	check_int(send->len, 2 + BEACON_SECURE_LEN);
	check_int(send->data[0], 1 + BEACON_SECURE_LEN);
	check_int(send->data[1], AD_MESH_BEACON);
	memcpy(e->sent, send->data + 2, BEACON_SECURE_LEN);
	e->beacons++;
}

struct beacon_world {
	struct stack_air air;
	struct stack_node *node;
	struct beaconing *beaconing;
	struct ear ear;
	struct subnet_key key;
};

static void world_open(struct beacon_world *w, uint32_t iv_index)
{
	memset(w, 0, sizeof(*w));
	air_init(&w->air, 3, 0);
	w->node = node_new(&w->air, &(struct node_options){ .address = 1, .iv_index = iv_index });
	w->node->station.tap = on_sent;
	w->node->station.tap_ctx = &w->ear;
	w->beaconing = beaconing_new(&(struct beaconing_env){ .bearer = &w->node->station.bearer,
							      .timers = &w->air.timers,
							      .net = w->node->net,
							      .unprovisioned = on_unprovisioned,
							      .ctx = &w->ear });
	subnet_key_init(&w->key, &NODE_NET_KEY);
}

static void world_close(struct beacon_world *w)
{
	subnet_key_free(&w->key);
	beaconing_free(w->beaconing);
	node_free(w->node);
	air_free(&w->air);
}

static void hear(struct beacon_world *w, const struct subnet_key *k, uint32_t iv, bool update)
{
	struct beacon_network b = { .flags = update ? BEACON_IV_UPDATE : 0, .iv_index = iv };
	uint8_t out[BEACON_SECURE_LEN];

	beacon_secure_encode(k, &b, out);
	beaconing_heard(w->beaconing, bytes_of(out, sizeof(out)), -60);
}

TEST(an_unprovisioned_device_is_told_with_its_signal)
{
	struct beacon_world w;
	uint8_t b[BEACON_UNPROVISIONED_URI_LEN] = { 0x00, 0x70, 0xcf };

	world_open(&w, 0);
	b[17] = 0x01;
	b[18] = 0x80;
	b[22] = 0xEE;
	beaconing_heard(w.beaconing, bytes_of(b, sizeof(b)), -71);
	check_int(w.ear.unprovisioned, 1);
	check_int(w.ear.rssi, -71);
	check_int(w.ear.last.uuid[0], 0x70);
	check_int(w.ear.last.oob_info, OOB_INFO_CBP | OOB_INFO_RECORDS);
	check_int(w.ear.last.uri_hash, 0xEE);
	for (size_t n = 1; n < sizeof(b); n++)
		if (n != BEACON_UNPROVISIONED_LEN)
			beaconing_heard(w.beaconing, bytes_of(b, n), -71);
	check_int(w.ear.unprovisioned, 1);
	check_int(beaconing_counters(w.beaconing)->malformed, sizeof(b) - 2);
	world_close(&w);
}

TEST(our_own_beacon_goes_out_every_ten_seconds_and_gives_way_to_others)
{
	struct beacon_world w;
	struct beacon_network b;

	world_open(&w, 0x01020304);
	air_run(&w.air, SEC(101));
	check_int(w.ear.beacons, 10);
	check(beacon_secure_decode(&w.key, &b, bytes_of(w.ear.sent, BEACON_SECURE_LEN)));
	check_int(b.iv_index, 0x01020304);
	check_int(b.flags, 0);
	/* Nine other beacons in each of our intervals: one in a hundred seconds is ours. */
	w.ear.beacons = 0;
	for (unsigned i = 0; i < 300; i++) {
		hear(&w, &w.key, 0x01020304, false);
		air_run(&w.air, SEC(1));
	}
	check(w.ear.beacons >= 2 && w.ear.beacons <= 8);
	world_close(&w);
}

TEST(a_beacon_moves_the_node_and_the_step_is_stored_with_the_numbers)
{
	struct beacon_world w;
	uint32_t seq;

	world_open(&w, 4);
	check(net_take_seq(w.node->net, &seq));
	check_int(w.node->seq_reserved, 1024);
	hear(&w, &w.key, 6, false);
	check_int(net_iv(w.node->net)->index, 6);
	check_int(w.node->iv_saves, 1);
	check_int(w.node->iv.index, 6);
	check_int(w.node->iv_seq, 0);
	check_int(net_seq_next(w.node->net), 0);
	air_run(&w.air, MSEC(10)); /* told on at once */
	check_int(w.ear.beacons, 1);
	check_int(w.ear.sent[13], 6);
	world_close(&w);
}

TEST(foreign_and_secondary_beacons_move_nothing)
{
	struct secret16 foreign = { { 1 } }, secondary = { { 2 } };
	struct subnet_key k = { 0 };
	struct beacon_world w;

	world_open(&w, 4);
	subnet_key_init(&k, &foreign);
	hear(&w, &k, 6, false);
	subnet_key_free(&k);
	check_int(beaconing_counters(w.beaconing)->foreign, 1);
	check(net_key_set(w.node->net, 1, &secondary, NULL, SUBNET_NORMAL));
	subnet_key_init(&k, &secondary);
	hear(&w, &k, 6, false);
	subnet_key_free(&k);
	check_int(beaconing_counters(w.beaconing)->network, 1);
	check_int(net_iv(w.node->net)->index, 4);
	check_int(w.node->iv_saves, 0);
	world_close(&w);
}

TEST(in_phase_two_only_beacons_under_the_new_key_count)
{
	struct secret16 new_key = { { 9 } };
	struct subnet_key k = { 0 };
	struct beacon_world w;

	world_open(&w, 4);
	net_key_set(w.node->net, 0, &NODE_NET_KEY, &new_key, SUBNET_PHASE_2);
	hear(&w, &w.key, 6, false);
	check_int(net_iv(w.node->net)->index, 4);
	subnet_key_init(&k, &new_key);
	hear(&w, &k, 6, false);
	check_int(net_iv(w.node->net)->index, 6);
	air_run(&w.air, SEC(1));
	check_int(w.ear.sent[1], BEACON_KEY_REFRESH);
	subnet_key_free(&k);
	world_close(&w);
}

TEST(hours_pass_by_the_timer_and_are_stored)
{
	struct beacon_world w;

	world_open(&w, 4);
	air_run(&w.air, SEC(3600 * 5 + 1));
	check_int(w.node->iv_saves, 5);
	check_int(w.node->iv.hours_in_state, 5);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_published_beacon_encodes_and_decodes),
		cmocka_unit_test(beacons_move_the_iv_state_as_the_table_says),
		cmocka_unit_test(hours_end_an_update_and_begin_one_when_numbers_run_low),
		cmocka_unit_test(a_recovery_frees_only_the_next_change_from_its_96_hours),
		cmocka_unit_test(the_ivi_bit_names_one_of_two_indexes),
		cmocka_unit_test(an_unprovisioned_device_is_told_with_its_signal),
		cmocka_unit_test(our_own_beacon_goes_out_every_ten_seconds_and_gives_way_to_others),
		cmocka_unit_test(a_beacon_moves_the_node_and_the_step_is_stored_with_the_numbers),
		cmocka_unit_test(foreign_and_secondary_beacons_move_nothing),
		cmocka_unit_test(in_phase_two_only_beacons_under_the_new_key_count),
		cmocka_unit_test(hours_pass_by_the_timer_and_are_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
