/* SPDX-License-Identifier: Apache-2.0 */
/* A provisioned device: configuration, health, relay, replay, IV Index, reset, flash. */
#include "test_dev_world.h"

static struct world *with_node(uint64_t seed, const struct device_make *make)
{
	struct world *w = world_new(seed);
	struct device_make plain = plain_make(0xD0);

	world_add_client(w, CLIENT);
	world_add_node(w, NODE, make ? make : &plain);
	return w;
}

TEST(configuration_messages_get_their_status)
{
	static const struct {
		const char *name, *ask, *answer;
	} rows[] = {
		{ "composition page 0", "800800",
		  "0200f105020101003000010000000300000002000010000001000010" },
		{ "composition page 1", "800801", "02010300000000010000" },
		{ "composition page 2", "800802",
		  "02020116010000020001"
		  "0000" },
		{ "the highest page", "8008ff",
		  "02020116010000020001"
		  "0000" },
		{ "no next composition without a way to it", "800880",
		  "02020116010000020001"
		  "0000" },
		{ "large composition without that model", "8074000000", "" },
		{ "page missing", "8008", "" },
		{ "ttl is 7", "800c", "800e07" },
		{ "ttl set", "800d05", "800e05" },
		{ "ttl 0", "800d00", "800e00" },
		{ "ttl 127", "800d7f", "800e7f" },
		{ "ttl 1 prohibited", "800d01", "" },
		{ "ttl 128 prohibited", "800d80", "" },
		{ "ttl unchanged", "800c", "800e7f" },
		{ "relay is off", "8026", "8028000a" },
		{ "relay on", "80270113", "80280113" },
		{ "relay 2 prohibited", "80270213", "" },
		{ "relay short", "802701", "" },
		{ "transmit", "8023", "80250a" },
		{ "transmit set", "80240b", "80250b" },
		{ "beacon on", "8009", "800b01" },
		{ "beacon off", "800a00", "800b00" },
		{ "beacon 2 prohibited", "800a02", "" },
		{ "app key list empty", "80010000", "8002000000" },
		{ "app key list of unknown net key", "80010300", "8002040300" },
		{ "app key index too large", "80010010", "" },
		{ "app key", "00000000a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7", "800300000000" },
		{ "app key again", "00000000a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7", "800300000000" },
		{ "other value", "00000000a8a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7", "800306000000" },
		{ "unknown net key", "00230145a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7", "800304230145" },
		{ "index 0x456", "00006045a9a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7", "800300006045" },
		{ "list of two", "80010000", "8002000000006045" },
		{ "bind health", "803d100000000200", "803e00100000000200" },
		{ "bind again", "803d100000000200", "803e00100000000200" },
		{ "bind on element 2", "803d110000000010", "803e00110000000010" },
		{ "bind foreign address", "803d120000000010", "803e01120000000010" },
		{ "bind to group", "803d00c000000010", "" },
		{ "bind no such model", "803d110000000200", "803e02110000000200" },
		{ "bind vendor model", "803d10000000f1050100", "803e0210000000f1050100" },
		{ "bind unknown key", "803d100001000010", "803e03100001000010" },
		{ "bind configuration", "803d100000000000", "803e0d100000000000" },
		{ "bind index too large", "803d100000100010", "" },
		{ "bind seven octets", "803d10000000001000", "" },
		{ "delete 0x456", "8000006045", "800300006045" },
		{ "delete again", "8000006045", "800300006045" },
		{ "delete of unknown net key", "8000230145", "800304230145" },
		{ "list of one", "80010000", "80020000000000" },
		{ "unknown opcode", "80ff", "" },
		{ "vendor opcode", "c1f10500", "" },
		{ "reserved opcode", "7f", "" },
		{ "remote provisioning without that model", "8058", "" },
	};
	struct world *w = with_node(1, NULL);
	char text[2 * DEV_UPPER_MAX + 1];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].name,
			  strcmp(ask(w, &w->radios[0], rows[i].ask, text), rows[i].answer) == 0);
	world_free(w);
}

TEST(a_changed_state_is_on_flash_before_it_is_told)
{
	static const struct {
		const char *ask;
		bool saves;
	} rows[] = { { "80270113", true },
		     { "800d05", true },
		     { "8008"
		       "00",
		       false } };
	struct world *w = with_node(2, NULL);
	struct radio *node = &w->radios[1];
	struct device_state flash;
	char text[2 * DEV_UPPER_MAX + 1];

	ask(w, &w->radios[0], "800c", text); /* the first sequence block is saved, too */
	world_run(w, SEC(10));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned saves = node->saves, sends = node->sends;

		say(&w->radios[0], rows[i].ask);
		while (node->sends == sends)
			check(timers_fire_next(&w->ts, TIMERS_NEVER - 1));
		check_int(node->saves > saves, rows[i].saves);
		world_run(w, SEC(10));
	}
	check(device_state_read(bytes_of(node->flash, node->flash_len), &flash));
	check(flash.relay);
	check_int(flash.address, NODE);
	check_int(flash.elements, 2);
	world_free(w);
}

TEST(relay_without_the_feature_says_unsupported)
{
	struct device_make make = plain_make(0xD0);
	struct world *w;
	char text[2 * DEV_UPPER_MAX + 1];

	make.features = 0;
	w = with_node(3, &make);
	check_str(ask(w, &w->radios[0], "80270113", text), "8028020a");
	check(!w->radios[1].device->flash.relay);
	world_free(w);
}

TEST(an_answer_comes_after_20_to_50_milliseconds)
{
	struct world *w = with_node(4, NULL);
	struct radio *node = &w->radios[1];

	for (int i = 0; i < 30; i++) {
		unsigned sends;
		uint64_t heard;

		world_run(w, SEC(20));
		sends = node->sends;
		say(&w->radios[0], "800c");
		heard = timers_now(&w->ts) + 1100;
		while (node->sends == sends)
			check(timers_fire_next(&w->ts, TIMERS_NEVER - 1));
		check(timers_now(&w->ts) - heard >= MSEC(20));
		check(timers_now(&w->ts) - heard <= MSEC(50));
	}
	world_free(w);
}

TEST(health_attention_obeys_a_bound_app_key_only)
{
	struct world *w = with_node(5, NULL);
	struct radio *client = &w->radios[0];
	const struct spoken *s;
	char text[2 * DEV_UPPER_MAX + 1];

	client->device->flash.app_keys[0] = (struct dev_app_key_row){ 0, 0, w->app_key };
	client->device->flash.n_app_keys = 1;
	ask(w, client, "00000000a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7", text);
	say_to(client, NODE, 0, false, "800530");
	check_str(answer(w, text), ""); /* known, not bound */
	ask(w, client, "803d100000000200", text);
	say_to(client, NODE, 0, false, "80050a");
	s = world_next(w, NODE, SEC(5));
	check(s && s->app && s->len == 3);
	check_str(hex_format(text, bytes_of(s->access, s->len)), "80070a");
	world_run(w, SEC(4));
	say_to(client, NODE, 0, false, "8004");
	check_str(answer(w, text), "800706");
	say_to(client, NODE, 0, false, "800600");
	check_str(answer(w, text), "");
	say_to(client, NODE, 0, false, "8004");
	check_str(answer(w, text), "800700");
	say_to(client, NODE, 0, false, "8005");
	check_str(answer(w, text), "");
	say_to(client, ADDR_ALL_NODES, 0, false, "800509"); /* to all: the primary element */
	check_str(answer(w, text), "800709");
	check_str(ask(w, client, "8004", text), ""); /* not under the device key */
	say_to(client, NODE + 1, 0, false, "8004");
	check_str(answer(w, text), ""); /* not on the second element */
	world_free(w);
}

TEST(a_segmented_request_is_acknowledged_and_answered_once)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		struct world *w = with_node(seed, NULL);
		size_t answers = 0, full = 0;

		w->loss_percent = 40;
		w->ear = NODE;
		say(&w->radios[0], "00000000a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7");
		world_run(w, SEC(20));
		for (size_t i = 0; i < w->n_heard; i++) {
			answers += !w->heard[i].ack;
			full += w->heard[i].ack && w->heard[i].bits == 3;
		}
		check_int(answers, 1);
		check(full >= 1);
		check(!dev_sar_out_busy(w->radios[0].device));
		world_free(w);
	}
}

TEST(replayed_messages_are_not_obeyed)
{
	struct world *w = with_node(7, NULL);
	struct radio *client = &w->radios[0], *node = &w->radios[1];
	char text[2 * DEV_UPPER_MAX + 1];
	uint32_t seq;

	check_str(ask(w, client, "800d05", text), "800e05");
	seq = client->device->net.seq;
	check_str(ask(w, client, "800d06", text), "800e06");
	/* The sender falls back to numbers that it has used, as an attacker would replay them. */
	client->device->net.seq = seq - 1;
	memset(node->device->net.raw, 0, sizeof(node->device->net.raw));
	memset(node->device->net.seen, 0, sizeof(node->device->net.seen));
	check_str(ask(w, client, "800d07", text), "");
	check(node->device->counts.replayed > 0);
	/* Nor after a restart of the node. */
	radio_restart(node);
	client->device->net.seq = seq - 1;
	check_str(ask(w, client, "800d07", text), "");
	check_int(node->device->flash.default_ttl, 6);
	client->device->net.seq = seq + 10;
	check_str(ask(w, client, "800d07", text), "800e07");
	world_free(w);
}

TEST(sequence_numbers_never_come_back_after_a_restart)
{
	struct world *w = with_node(8, NULL);
	struct radio *node = &w->radios[1];
	char text[2 * DEV_UPPER_MAX + 1];
	uint32_t used;

	for (int i = 0; i < 300; i++) {
		check_str(ask(w, &w->radios[0], "800c", text), "800e07");
		if (i % 50 != 0)
			continue;
		used = node->device->net.seq;
		radio_restart(node);
		check(node->device->net.seq >= used);
		check(node->device->net.seq < used + 512);
	}
	world_free(w);
}

TEST(copies_cost_no_cryptography)
{
	struct world *w = with_node(9, NULL);
	struct dev_counts *c = &w->radios[1].device->counts;
	uint8_t ad[31];
	struct dev_net_pdu pdu = { .ttl = 5, .seq = 77, .src = 0x0300, .dst = 0x0400, .len = 16 };
	struct bytes raw = dev_pdu_seal(&w->net, &pdu, ad + 2);

	ad[0] = (uint8_t)(raw.n + 1);
	ad[1] = AD_MESH_MESSAGE;
	for (int i = 0; i < 100; i++)
		device_heard(w->radios[1].device, bytes_of(ad, raw.n + 2), -50);
	check_int(c->unveiled, 1);
	check_int(c->opened, 1);
	pdu.ttl = 4; /* as another relay says it: one block of AES, no CCM */
	dev_pdu_seal(&w->net, &pdu, ad + 2);
	for (int i = 0; i < 100; i++)
		device_heard(w->radios[1].device, bytes_of(ad, raw.n + 2), -50);
	check_int(c->unveiled, 2);
	check_int(c->opened, 1);
	world_free(w);
}

static size_t relayed(bool on, uint8_t ttl, uint16_t dst, uint8_t *ttl_out)
{
	struct world *w = with_node(10, NULL);
	struct radio *node = &w->radios[1];
	struct dev_net_pdu pdu = { .ttl = ttl, .seq = 9, .src = 0x0300, .dst = dst, .len = 16 },
			   out;
	uint8_t ad[31];
	struct bytes raw = dev_pdu_seal(&w->net, &pdu, ad + 2);
	size_t n;

	node->device->flash.relay = on;
	dev_beacon_stop(node->device);
	ad[0] = (uint8_t)(raw.n + 1);
	ad[1] = AD_MESH_MESSAGE;
	device_heard(node->device, bytes_of(ad, raw.n + 2), -50);
	timers_advance(&w->ts, timers_now(&w->ts) + MSEC(26));
	n = node->sends;
	if (n > 0) {
		struct device_send *s = &node->device->net.relays[0].send;

		check_int(s->count, 3);
		check(dev_pdu_unveil(&w->net, 0, bytes_of(s->data + 2, s->len - 2u), &out));
		check(dev_pdu_open(&w->net, bytes_of(s->data + 2, s->len - 2u), &out));
		check_int(out.seq, 9);
		check_int(out.src, 0x0300);
		check_int(out.dst, dst);
		*ttl_out = out.ttl;
	}
	world_free(w);
	return n;
}

TEST(a_relay_passes_on_what_may_go_on)
{
	uint8_t ttl = 0;

	check_int(relayed(true, 5, 0x0400, &ttl), 1);
	check_int(ttl, 4);
	check_int(relayed(true, 2, 0x0400, &ttl), 1);
	check_int(ttl, 1);
	check_int(relayed(true, 127, 0xC001, &ttl), 1);
	check_int(ttl, 126);
	check_int(relayed(true, 1, 0x0400, &ttl), 0);
	check_int(relayed(true, 0, 0x0400, &ttl), 0);
	check_int(relayed(true, 5, NODE + 1, &ttl), 0);
	check_int(relayed(true, 5, 0x0000, &ttl), 0);
	check_int(relayed(false, 5, 0x0400, &ttl), 0);
}

static void hear_beacon(struct world *w, struct device *d, uint32_t index, bool updating)
{
	uint8_t ad[2 + DEV_SECURE_BEACON_LEN] = { DEV_SECURE_BEACON_LEN + 1, AD_MESH_BEACON };

	dev_beacon_encode(&w->net, false, updating, index, ad + 2);
	device_heard(d, bytes_of(ad, sizeof(ad)), -50);
	ad[sizeof(ad) - 1] ^= 1; /* a forged one moves nothing */
	ad[10]++;
	device_heard(d, bytes_of(ad, sizeof(ad)), -50);
}

TEST(beacons_move_the_iv_index_by_the_rules)
{
	static const struct {
		const char *name;
		uint32_t index;
		bool updating;
		uint16_t hours, recovery_hours;
		uint32_t beacon;
		bool beacon_updating;
		uint32_t index_after;
		bool updating_after, seq_restarts;
	} rows[] = {
		{ "same", 9, false, 200, DEV_HOURS_NEVER, 9, false, 9, false, false },
		{ "already past it", 9, false, 200, DEV_HOURS_NEVER, 9, true, 9, false, false },
		{ "older", 9, false, 200, DEV_HOURS_NEVER, 8, false, 9, false, false },
		{ "start", 9, false, 96, DEV_HOURS_NEVER, 10, true, 10, true, false },
		{ "start too early", 9, false, 95, DEV_HOURS_NEVER, 10, true, 9, false, false },
		{ "finish", 10, true, 96, DEV_HOURS_NEVER, 10, false, 10, false, true },
		{ "finish too early", 10, true, 95, DEV_HOURS_NEVER, 10, false, 10, true, false },
		{ "finish after joining", 10, true, DEV_HOURS_NEVER, DEV_HOURS_NEVER, 10, false, 10,
		  false, true },
		{ "missed one", 9, false, 1, DEV_HOURS_NEVER, 10, false, 10, false, true },
		{ "missed many", 9, false, 1, DEV_HOURS_NEVER, 51, true, 51, true, true },
		{ "too many", 9, false, 1, DEV_HOURS_NEVER, 52, false, 9, false, false },
		{ "recovered lately", 9, false, 1, 191, 12, false, 9, false, false },
		{ "recovered long ago", 9, false, 1, 192, 12, false, 12, false, true },
		{ "next update while in one", 10, true, 1, DEV_HOURS_NEVER, 11, true, 11, true,
		  true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = with_node(11, NULL);
		struct radio *node = &w->radios[1];
		struct device *d = node->device;
		unsigned saves = node->saves;

		d->flash.iv_index = rows[i].index;
		d->flash.iv_update = rows[i].updating;
		d->flash.iv_hours = rows[i].hours;
		d->flash.recovery_hours = rows[i].recovery_hours;
		d->net.seq = d->flash.seq_reserved = 512;
		hear_beacon(w, d, rows[i].beacon, rows[i].beacon_updating);
		check_row(rows[i].name, d->flash.iv_index == rows[i].index_after);
		check_row(rows[i].name, d->flash.iv_update == rows[i].updating_after);
		check_row(rows[i].name, (d->net.seq == 0) == rows[i].seq_restarts);
		check_row(rows[i].name,
			  (node->saves > saves) == (rows[i].index != rows[i].index_after ||
						    rows[i].updating != rows[i].updating_after));
		world_free(w);
	}
}

static void count_beacons(struct world *w, struct radio *from, struct bytes ad)
{
	(void)from;
	if (ad.p[1] == AD_MESH_BEACON && ad.p[2] == BEACON_SECURE_NETWORK)
		(*(unsigned *)w->watch_ctx)++;
}

TEST(nodes_together_beacon_about_every_ten_seconds)
{
	struct world *w = world_new(12);
	struct device_make make = plain_make(1);
	unsigned heard = 0;

	for (uint16_t i = 0; i < 8; i++)
		world_add_node(w, (uint16_t)(NODE + 4 * i), &make);
	world_run(w, SEC(400)); /* they find their common pace */
	w->watch = count_beacons;
	w->watch_ctx = &heard;
	world_run(w, SEC(1000));
	/* Two copies each. */
	check(heard / 2 >= 50 && heard / 2 <= 200);
	world_free(w);
}

TEST(a_node_reset_is_answered_then_obeyed)
{
	struct world *w = with_node(13, NULL);
	struct radio *node = &w->radios[1];
	struct device_state flash;
	char text[2 * DEV_UPPER_MAX + 1];

	check_str(ask(w, &w->radios[0], "00000000a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7", text),
		  "800300000000");
	check_str(ask(w, &w->radios[0], "8049", text), "804a");
	check(device_state_read(bytes_of(node->flash, node->flash_len), &flash));
	check(!flash.provisioned);
	check_int(flash.resets, 1);
	check_int(flash.address, 0);
	check_str(flash.device_key_id, "");
	world_run(w, SEC(1));
	check(!node->device->node);
	check_str(ask(w, &w->radios[0], "800c", text), "");
	world_run(w, SEC(10));
	check(!device_keys_read(bytes_of(node->flash, node->flash_len),
				&(struct device_keys){ 0 }));
	for (size_t i = 0; i + 16 <= sizeof(*node->device); i++) /* nothing of the keys is left */
		check(memcmp((uint8_t *)node->device + i, w->net_key.octet, 16) != 0);
	radio_restart(node);
	check(!node->device->node);
	check_int(node->device->flash.resets, 1);
	world_free(w);
}

TEST(flash_comes_back_as_it_was)
{
	struct dev_image a, b;
	uint8_t buf[DEV_IMAGE_MAX], again[DEV_IMAGE_MAX];
	uint64_t rng = 5;
	struct bytes image;
	struct device_keys keys;

	dev_flash_blank(&a);
	a.provisioned = a.iv_update = a.relay = a.beacon = true;
	a.resets = 3;
	a.address = 0x1234;
	a.elements = 8;
	a.iv_index = 0x01020304;
	a.seq_reserved = 0x01000000;
	a.iv_hours = 97;
	a.recovery_hours = DEV_HOURS_NEVER;
	a.default_ttl = 5;
	rng_fill(&rng, &a.device_key, 16);
	a.n_net_keys = DEV_NET_KEYS;
	a.n_app_keys = DEV_APP_KEYS;
	a.n_bindings = DEV_BINDINGS;
	a.n_publications = DEV_PUBLICATIONS;
	a.n_subscriptions = DEV_SUBSCRIPTIONS;
	a.n_replay = DEV_REPLAY_ROWS;
	for (size_t i = 0; i < DEV_NET_KEYS; i++)
		rng_fill(&rng, &a.net_keys[i], sizeof(a.net_keys[i]));
	for (size_t i = 0; i < DEV_APP_KEYS; i++)
		rng_fill(&rng, &a.app_keys[i], sizeof(a.app_keys[i]));
	for (size_t i = 0; i < DEV_BINDINGS; i++)
		a.bindings[i] = (struct dev_binding_row){ 1, (uint16_t)rng_next(&rng), 7 };
	for (size_t i = 0; i < DEV_PUBLICATIONS; i++) {
		a.publications[i].element = 1;
		a.publications[i].model = (uint16_t)i;
		rng_fill(&rng, a.publications[i].octets, DEV_PUBLICATION_LEN);
	}
	for (size_t i = 0; i < DEV_SUBSCRIPTIONS; i++)
		a.subscriptions[i] =
			(struct dev_subscription_row){ 1, (uint16_t)i, (uint16_t)rng_next(&rng) };
	for (size_t i = 0; i < DEV_REPLAY_ROWS; i++)
		a.replay[i] =
			(struct dev_replay_row){ (uint16_t)i, 9, (uint32_t)rng_next(&rng) >> 8 };
	image = dev_flash_write(&a, buf);
	check(image.p != NULL);
	check(dev_flash_read(image, &b));
	check_mem(dev_flash_write(&b, again).p, buf, image.n);
	check_int(b.replay[3].seq, a.replay[3].seq);
	check(secret16_equal(&b.device_key, &a.device_key));
	check(device_keys_read(image, &keys));
	check_int(keys.address, 0x1234);
	check(secret16_equal(&keys.net_key, &a.net_keys[0].key));
	/* Any change makes it unreadable, any cut too. */
	for (size_t i = 0; i < image.n; i++) {
		buf[i] ^= 0x10;
		check(!dev_flash_read(image, &b));
		check(!b.provisioned && b.n_net_keys == 0);
		buf[i] ^= 0x10;
		check(!dev_flash_read(bytes_of(buf, i), &b));
	}
	check(!dev_flash_read(bytes_of(NULL, 0), &b));
}

TEST(a_broken_image_is_a_factory_new_device)
{
	struct world *w = with_node(14, NULL);
	struct radio *node = &w->radios[1];

	node->flash[20] ^= 1;
	radio_restart(node);
	check(!node->device->node);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuration_messages_get_their_status),
		cmocka_unit_test(a_changed_state_is_on_flash_before_it_is_told),
		cmocka_unit_test(relay_without_the_feature_says_unsupported),
		cmocka_unit_test(an_answer_comes_after_20_to_50_milliseconds),
		cmocka_unit_test(health_attention_obeys_a_bound_app_key_only),
		cmocka_unit_test(a_segmented_request_is_acknowledged_and_answered_once),
		cmocka_unit_test(replayed_messages_are_not_obeyed),
		cmocka_unit_test(sequence_numbers_never_come_back_after_a_restart),
		cmocka_unit_test(copies_cost_no_cryptography),
		cmocka_unit_test(a_relay_passes_on_what_may_go_on),
		cmocka_unit_test(beacons_move_the_iv_index_by_the_rules),
		cmocka_unit_test(nodes_together_beacon_about_every_ten_seconds),
		cmocka_unit_test(a_node_reset_is_answered_then_obeyed),
		cmocka_unit_test(flash_comes_back_as_it_was),
		cmocka_unit_test(a_broken_image_is_a_factory_new_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
