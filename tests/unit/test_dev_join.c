/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that join through a server, and those that do not. */
#include "test_dev_world.h"

/* A provisioner behind the client, with HMAC and no OOB. */
struct joining {
	struct world *w;
	struct dev_prov c; /* what both sides compute */
	struct secret32 secret, random;
	uint8_t number, in_number;
	uint8_t pdu[80];
	size_t len;
};

/* Says one PDU to the device; with answer, waits for the one that it says then. */
static bool step(struct joining *j, uint8_t type, const void *p, size_t n, bool answer)
{
	char hex[200] = "";
	uint8_t access[ACCESS_MAX];
	struct wr out = wr_to(access, sizeof(access));
	bool outbound = false;

	wr_be16(&out, OP_RPR_PDU_SEND);
	wr_u8(&out, ++j->number);
	wr_u8(&out, type);
	wr_copy(&out, p, n);
	j->w->cursor = j->w->n_heard;
	say_to(&j->w->radios[R_CLIENT], NODE, DEV_KEY_DEVICE, true, hex_format(hex, wr_done(&out)));
	while (!outbound || answer) {
		const struct spoken *s = world_next(j->w, NODE, SEC(40));

		if (!s || s->access[1] == 0x5C)
			return false;
		if (s->access[1] == 0x5E && s->access[2] == j->number)
			outbound = true;
		if (s->access[1] == 0x5F && s->access[2] == (uint8_t)(j->in_number + 1)) {
			j->in_number++;
			j->len = s->len - 3;
			memcpy(j->pdu, s->access + 3, j->len);
			answer = false;
		}
	}
	return true;
}

static bool exchange_keys(struct joining *j)
{
	uint8_t start[5] = { 1, 0, 0, 0, 0 }, random[32];
	uint8_t *in = j->c.inputs;

	j->c.hmac = true;
	j->c.auth_len = 32;
	memset(random, 0x33, sizeof(random));
	check(p256_key_pair((struct secret32 *)random, &j->secret, in + 17));
	if (!step(j, PROV_INVITE, in, 1, true) || j->len != 12)
		return false;
	memcpy(in + 1, j->pdu + 1, 11);
	memcpy(in + 12, start, 5);
	if (!step(j, PROV_START, start, 5, false) || !step(j, PROV_PUBLIC_KEY, in + 17, 64, true) ||
	    j->len != 65)
		return false;
	memcpy(in + 81, j->pdu + 1, 64);
	check(p256_ecdh(&j->secret, in + 81, &j->c.ecdh));
	dev_prov_derive_confirmation(&j->c);
	return true;
}

static bool authenticate(struct joining *j)
{
	uint8_t mine[32], theirs[32], check_of[32];

	memset(&j->random, 0x44, sizeof(j->random));
	dev_prov_confirm(&j->c, j->random.octet, mine);
	if (!step(j, PROV_CONFIRMATION, mine, 32, true) || j->len != 33)
		return false;
	memcpy(theirs, j->pdu + 1, 32);
	if (!step(j, PROV_RANDOM, j->random.octet, 32, true) || j->len != 33)
		return false;
	memcpy(j->c.random.octet, j->pdu + 1, 32);
	dev_prov_confirm(&j->c, j->c.random.octet, check_of);
	check_mem(check_of, theirs, 32);
	dev_prov_derive_session(&j->c, j->random.octet);
	return true;
}

static bool give_data(struct joining *j, uint16_t address)
{
	uint8_t clear[25], sealed[33];
	struct wr out = wr_to(clear, sizeof(clear));

	wr_copy(&out, j->w->net_key.octet, 16);
	wr_be16(&out, 0);
	wr_u8(&out, 0);
	wr_be32(&out, 0);
	wr_be16(&out, address);
	ccm_encrypt(&j->c.session_key, j->c.session_nonce, bytes_of(NULL, 0), wr_done(&out), 8,
		    sealed);
	return step(j, PROV_DATA, sealed, 33, true) && j->len == 1 && j->pdu[0] == PROV_COMPLETE;
}

static void join_at(uint64_t seed, unsigned loss)
{
	struct world *w = with_server(seed);
	struct joining j = { .w = w };
	struct radio *device = &w->radios[R_DEVICE];
	struct device_state flash;
	struct device_keys keys;
	const struct spoken *s;
	char id[KEY_ID_TEXT];

	w->loss_percent = loss;
	for (int i = 0; i < 10 && w->radios[R_SERVER].device->rpr.link.pb.state != DEV_PB_OPEN; i++)
		ask_as(w, R_CLIENT, OPEN "3c");
	check(exchange_keys(&j));
	check(authenticate(&j));
	check(!device->device->node);
	check(give_data(&j, 0x0020));
	check(device_state_read(bytes_of(device->flash, device->flash_len), &flash));
	check(flash.provisioned);
	check_int(flash.address, 0x0020);
	check_int(flash.elements, 2);
	check(!flash.relay);
	check_str(flash.device_key_id, device_key_id(&j.c.device_key, id));
	check(device_keys_read(bytes_of(device->flash, device->flash_len), &keys));
	check(secret16_equal(&keys.net_key, &w->net_key));
	ask_as(w, R_CLIENT, "805a00");
	while (w->radios[R_SERVER].device->rpr.link.pb.state != DEV_PB_IDLE)
		check(*next(w, SEC(20)) || loss > 0);
	/* It answers as a node, also after a restart. */
	for (int i = 0; i < 2; i++) {
		w->device_key = w->radios[R_CLIENT].device->flash.device_key = j.c.device_key;
		w->ear = 0x0020;
		for (int tries = 0; tries < 20; tries++) {
			w->cursor = w->n_heard;
			say_to(&w->radios[R_CLIENT], 0x0020, DEV_KEY_DEVICE, false, "800c");
			s = world_next(w, 0x0020, SEC(4));
			if (s)
				break;
		}
		check(s && s->access[0] == 0x80 && s->access[1] == 0x0E);
		radio_restart(device);
	}
	world_free(w);
}

TEST(a_device_joins_through_a_server)
{
	join_at(21, 0);
}

TEST(a_device_joins_through_a_server_on_a_bad_air)
{
	for (uint64_t seed = 30; seed < 36; seed++)
		join_at(seed, 25);
}

TEST(a_dead_device_beacons_and_never_answers)
{
	struct world *w = world_new(22);
	struct device_make server = plain_make(0xD0), dead = plain_make(0xEE);

	server.server = true;
	dead.fault = DEVICE_DEAD;
	world_add_client(w, CLIENT);
	world_add_node(w, NODE, &server);
	world_add_client(w, OTHER);
	world_add(w, &dead);
	w->ear = NODE;
	check_str(ask_as(w, R_CLIENT, "8052000a"), "80540001140a");
	check_str(next(w, SEC(10)), "+8055c4" UUID_HEX "0000");
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(next(w, SEC(15)), "+805c0500");
	world_free(w);
}

TEST(a_silent_device_stops_in_its_first_link_for_good)
{
	struct world *w = with_server(23);
	struct joining j = { .w = w };
	struct radio *device = &w->radios[R_DEVICE];
	unsigned sends;

	device->make.fault = DEVICE_SILENT;
	open_link(w);
	check(exchange_keys(&j));
	check(!authenticate(&j));
	world_run(w, MSEC(500));
	sends = device->sends;
	world_run(w, SEC(120));
	check_int(device->sends, sends);
	radio_restart(device);
	ask_as(w, R_CLIENT, OPEN);
	world_run(w, SEC(120));
	check_int(device->sends, sends);
	check(!device->device->node);
	world_free(w);
}

TEST(a_device_serves_one_link_at_a_time_and_beacons_again_after_it)
{
	struct world *w = with_server(24);
	struct device_make server = plain_make(0xD1);
	struct radio *second;

	server.server = true;
	second = world_add_node(w, 0x0040, &server);
	open_link(w);
	say_to(&w->radios[R_CLIENT], 0x0040, DEV_KEY_DEVICE, false, OPEN "05");
	world_run(w, SEC(20));
	check_int(second->device->rpr.link.pb.state, DEV_PB_IDLE);
	check_int(w->radios[R_SERVER].device->rpr.link.pb.state, DEV_PB_OPEN);
	check_str(ask_as(w, R_CLIENT, "8052000a"), "80540001140a");
	check_str(next(w, SEC(12)), ""); /* it keeps quiet meanwhile */
	check_str(ask_as(w, R_CLIENT, "805a02"), "805b0004");
	check_str(next(w, SEC(2)), "+805c0800");
	check_str(ask_as(w, R_CLIENT, "8052000a"), "80540001140a");
	check_str(next(w, SEC(12)), "+8055c4" UUID_HEX "0000");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_joins_through_a_server),
		cmocka_unit_test(a_device_joins_through_a_server_on_a_bad_air),
		cmocka_unit_test(a_dead_device_beacons_and_never_answers),
		cmocka_unit_test(a_silent_device_stops_in_its_first_link_for_good),
		cmocka_unit_test(a_device_serves_one_link_at_a_time_and_beacons_again_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
