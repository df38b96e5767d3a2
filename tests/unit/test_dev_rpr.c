/* SPDX-License-Identifier: Apache-2.0 */
/* The Remote Provisioning Server: every row of its tables, scans, and devices that join by it. */
#include "test_dev_world.h"

#include <jansson.h>

enum { OTHER = 0x0003 };

/* client, server at NODE, another client at OTHER, an unprovisioned device of UUID eeee.. */
enum { R_CLIENT, R_SERVER, R_OTHER, R_DEVICE };

#define UUID_HEX "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define OPEN	 "8059" UUID_HEX

static struct world *with_server(uint64_t seed)
{
	struct world *w = world_new(seed);
	struct device_make server = plain_make(0xD0), device = plain_make(0xEE);

	server.server = true;
	snprintf(server.name, sizeof(server.name), "Lamp 7");
	world_add_client(w, CLIENT);
	world_add_node(w, NODE, &server);
	world_add_client(w, OTHER);
	world_add(w, &device);
	w->ear = NODE;
	return w;
}

/* The next message of the server, as hexadecimal; what is segmented has a + before it. */
static const char *next(struct world *w, uint64_t span)
{
	static char text[2 * DEV_UPPER_MAX + 2];
	const struct spoken *s = world_next(w, NODE, span);

	if (!s)
		return "";
	text[0] = '+';
	hex_format(text + 1, bytes_of(s->access, s->len));
	return s->segmented ? text : text + 1;
}

static const char *ask_as(struct world *w, size_t who, const char *hex)
{
	w->cursor = w->n_heard;
	say_to(&w->radios[who], NODE, DEV_KEY_DEVICE, false, hex);
	return next(w, SEC(5));
}

static void open_link(struct world *w)
{
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(next(w, SEC(5)), "+805c0002");
}

static void gag(struct world *w, size_t who, bool on)
{
	w->radios[who].deaf = w->radios[who].deafening = on;
}

TEST(link_open_when_idle)
{
	static const struct {
		const char *name, *ask, *answer;
	} rows[] = {
		{ "device key refresh", "805900", "805b0400" },
		{ "address refresh", "805901", "805b0400" },
		{ "composition refresh", "805902", "805b0400" },
		{ "no such procedure", "805903", "" },
		{ "nothing", "8059", "" },
		{ "two octets", "80590000", "" },
		{ "15 octets", "8059eeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "" },
		{ "timeout 0", OPEN "00", "" },
		{ "timeout 61", OPEN "3d", "" },
		{ "18 octets", OPEN "0a00", "" },
		{ "timeout 60", OPEN "3c", "805b0001" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = with_server(1);

		check_row(rows[i].name,
			  strcmp(ask_as(w, R_CLIENT, rows[i].ask), rows[i].answer) == 0);
		world_free(w);
	}
}

TEST(link_open_when_opening)
{
	struct world *w = with_server(2);

	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, OPEN "3c"), "805b0001");
	check_str(ask_as(w, R_CLIENT, OPEN "3c"), "805b0001");
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(ask_as(w, R_CLIENT, "8059dddddddddddddddddddddddddddddddd"), "805b0401");
	check_str(ask_as(w, R_CLIENT, "805900"), "805b0401");
	check_str(ask_as(w, R_OTHER, OPEN "3c"), "805b0401");
	check_str(ask_as(w, R_OTHER, "8058"), "805b0001");
	world_free(w);
}

TEST(link_open_when_active)
{
	struct world *w = with_server(3);

	open_link(w);
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0002");
	check_str(ask_as(w, R_CLIENT, "8059dddddddddddddddddddddddddddddddd"), "805b0402");
	check_str(ask_as(w, R_CLIENT, "805901"), "805b0402");
	check_str(ask_as(w, R_OTHER, OPEN), "805b0402");
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0002");
	world_free(w);
}

TEST(link_open_when_transferring_or_closing)
{
	struct world *w = with_server(4);

	open_link(w);
	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, "805d010000"), "");
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0203");
	check_str(ask_as(w, R_OTHER, OPEN), "805b0203");
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0003");
	w->cursor = w->n_heard;
	say(&w->radios[R_CLIENT], "805a02");
	say(&w->radios[R_CLIENT], OPEN);
	check_str(next(w, SEC(1)), "805b0004");
	check_str(next(w, SEC(1)), "805b0204");
	check_str(next(w, SEC(1)), "+805c0800");
	world_free(w);
}

TEST(closing_twice_is_answered_twice)
{
	struct world *w = with_server(4);

	open_link(w);
	w->cursor = w->n_heard;
	say(&w->radios[R_CLIENT], "805a00");
	say(&w->radios[R_OTHER], "805a00"); /* anybody's, once it closes */
	check_str(next(w, SEC(1)), "805b0004");
	check_str(next(w, SEC(1)), "805b0004");
	check_str(next(w, SEC(1)), "+805c0800");
	check_str(next(w, SEC(9)), "");
	world_free(w);
}

TEST(a_link_that_nobody_accepts_is_reported)
{
	struct world *w = with_server(5);
	uint64_t at;

	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	at = timers_now(&w->ts);
	check_str(next(w, SEC(15)), "+805c0500");
	check(timers_now(&w->ts) - at >= MSEC(9900) && timers_now(&w->ts) - at <= SEC(11));
	check_str(ask_as(w, R_CLIENT, OPEN "03"), "805b0001");
	at = timers_now(&w->ts);
	check_str(next(w, SEC(15)), "+805c0500");
	check(timers_now(&w->ts) - at <= SEC(4));
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0000");
	world_free(w);
}

TEST(a_device_that_closes_is_reported_with_its_reason)
{
	for (uint8_t reason = 0; reason < 4; reason++) {
		struct world *w = with_server(6);
		char wanted[20];

		open_link(w);
		dev_pb_close(&w->radios[R_DEVICE].device->acceptor, reason);
		snprintf(wanted, sizeof(wanted), "+805c0600%02x", reason);
		check_str(next(w, SEC(5)), wanted);
		world_free(w);
	}
}

TEST(a_link_without_traffic_is_closed_by_the_server)
{
	struct world *w = with_server(7);

	open_link(w);
	gag(w, R_DEVICE, true);
	check_str(next(w, SEC(58)), "");
	check_str(next(w, SEC(5)), "+805c070002");
	world_free(w);
}

TEST(a_pdu_that_the_device_never_takes_ends_the_link)
{
	struct world *w = with_server(8);

	open_link(w);
	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, "805d010000"), "");
	check_str(next(w, SEC(24)), "");
	check_str(next(w, SEC(3)), "+805c0a00");
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0000");
	world_free(w);
}

TEST(a_pdu_that_the_server_cannot_hold_ends_the_link)
{
	struct world *w = with_server(9);
	struct device_send s = { .count = 1, .interval_ms = 20, .len = 11 };
	struct wr out = wr_to(s.data, sizeof(s.data));

	open_link(w);
	wr_u8(&out, 10);
	wr_u8(&out, AD_PB_ADV);
	wr_be32(&out, w->radios[R_SERVER].device->rpr.link.pb.id);
	wr_u8(&out, 0x80);
	wr_u8(&out, 0x40); /* 377 octets */
	wr_be16(&out, 377);
	wr_u8(&out, 0);
	radio_send(&w->radios[R_DEVICE], &s);
	check_str(next(w, SEC(5)), "+805c0900");
	world_free(w);
}

TEST(a_report_that_the_client_never_takes_ends_the_link)
{
	struct world *w = with_server(10);

	open_link(w);
	check_str(ask_as(w, R_CLIENT, "805d010000"), "+805e01");
	w->cursor = w->n_heard;
	gag(w, R_CLIENT, true);
	for (;;) {
		const char *text = next(w, SEC(30));

		check(*text);
		if (strncmp(text, "+805c", 5) == 0) {
			check_str(text, "+805c0b00");
			break;
		}
	}
	world_free(w);
}

TEST(link_close_obeys_the_owner_only)
{
	struct world *w = with_server(11);

	check_str(ask_as(w, R_CLIENT, "805a00"), "805b0000"); /* nothing to close */
	check_str(ask_as(w, R_OTHER, "805a02"), "805b0000");
	open_link(w);
	check_str(ask_as(w, R_CLIENT, "805a01"), "");
	check_str(ask_as(w, R_CLIENT, "805a03"), "");
	check_str(ask_as(w, R_CLIENT, "805a"), "");
	check_str(ask_as(w, R_CLIENT, "805a0000"), "");
	check_str(ask_as(w, R_OTHER, "805a00"), "805b0202");
	check_str(ask_as(w, R_CLIENT, "805a00"), "805b0004");
	check_str(next(w, SEC(2)), "+805c0800");
	check_int(w->radios[R_DEVICE].device->acceptor.state, DEV_PB_IDLE);
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0000");
	/* While opening, too. */
	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(ask_as(w, R_CLIENT, "805a02"), "805b0004");
	check_str(next(w, SEC(2)), "+805c0800");
	world_free(w);
}

TEST(pdu_send_is_numbered_and_belongs_to_the_owner)
{
	struct world *w = with_server(12);

	check_str(ask_as(w, R_CLIENT, "805d010000"), ""); /* no link */
	open_link(w);
	check_str(ask_as(w, R_OTHER, "805d010000"), "");
	check_str(ask_as(w, R_CLIENT, "805d01"), ""); /* without a PDU */
	check_str(ask_as(w, R_CLIENT, "805d020000"), "+805e00");
	check_str(ask_as(w, R_CLIENT, "805d000000"), "+805e00");
	check_str(ask_as(w, R_CLIENT, "805d010005"), "+805e01");
	check_str(next(w, SEC(5)), "+805f01010200030000000000000000");
	check_str(ask_as(w, R_CLIENT, "805d010005"), "+805e01"); /* a repeat is not delivered */
	check_str(next(w, SEC(5)), "");
	check_str(ask_as(w, R_CLIENT, "805d02020100000000"), "+805e02");
	check_str(ask_as(w, R_CLIENT, "805a02"), "805b0004");
	check_str(next(w, SEC(2)), "+805c0800");
	open_link(w); /* counts begin again */
	check_str(ask_as(w, R_CLIENT, "805d010000"), "+805e01");
	check_str(next(w, SEC(5)), "+805f01010200030000000000000000");
	world_free(w);
}

TEST(samples_of_messages_are_taken_or_dropped)
{
	json_t *root = json_load_file(TEST_VECTORS "/rpr.json", 0, NULL), *v;
	size_t i, dropped = 0, taken = 0;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		const char *opcode = json_string_value(json_object_get(v, "opcode"));
		const char *name = json_string_value(json_object_get(v, "name"));
		const char *pdu = json_string_value(json_object_get(v, "access_pdu"));
		bool valid = json_boolean_value(json_object_get(v, "valid")), answered;
		static const char *const ours[] = { "0x804F", "0x8051", "0x8052", "0x8053",
						    "0x8056", "0x8058", "0x8059", "0x805A" };
		struct world *w = with_server(13);
		bool request = false;

		for (size_t k = 0; k < ARRAY_LEN(ours); k++)
			request |= strcmp(opcode, ours[k]) == 0;
		w->cursor = w->n_heard;
		say(&w->radios[R_CLIENT], pdu);
		answered = *next(w, SEC(30)) != 0;
		if (strncmp(opcode, "0x805", 5) == 0 || request)
			check_row(name, answered == (request && valid));
		dropped += request && !valid;
		taken += request && valid;
		world_free(w);
	}
	check(dropped >= 5 && taken >= 10);
	json_decref(root);
}

TEST(scan_requests_get_their_status)
{
	static const struct {
		const char *name;
		size_t who;
		const char *ask, *answer;
	} rows[] = {
		{ "capabilities", R_CLIENT, "804f", "80501400" },
		{ "capabilities with more", R_CLIENT, "804f00", "" },
		{ "get idle", R_CLIENT, "8051", "805400001400" },
		{ "stop idle", R_CLIENT, "8053", "805400001400" },
		{ "timeout 0", R_CLIENT, "80520000", "" },
		{ "short", R_CLIENT, "805200", "" },
		{ "half a uuid", R_CLIENT, "8052000aeeeeeeeeeeeeeeee", "" },
		{ "more than can be", R_CLIENT, "8052150a", "805401001400" },
		{ "start", R_CLIENT, "80520528", "805400010528" },
		{ "start again", R_CLIENT, "80520628", "805400010628" },
		{ "by another", R_OTHER, "80520528", "8054020106" },
		{ "single by the owner", R_CLIENT, "80520028ffffffffffffffffffffffffffffffff",
		  "805400021428" },
		{ "stop by another", R_OTHER, "8053", "805400001400" },
	};
	struct world *w = with_server(14);

	gag(w, R_DEVICE, true);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = ask_as(w, rows[i].who, rows[i].ask);

		/* The one row without its end: the time left there is not exact. */
		check_row(rows[i].name, strncmp(text, rows[i].answer, strlen(rows[i].answer)) == 0);
		check_row(rows[i].name, *rows[i].answer || !*text);
	}
	world_free(w);
}

TEST(a_scan_reports_every_device_once)
{
	struct world *w = with_server(15);
	struct device_make make = plain_make(0xE1);
	const char *text;
	unsigned mask = 0;

	make.certificates = true;
	world_add(w, &make);
	make = plain_make(0xE2);
	world_add(w, &make);
	check_str(ask_as(w, R_CLIENT, "8052001e"), "80540001141e");
	for (int i = 0; i < 3; i++) {
		text = next(w, SEC(12));
		check(strncmp(text, "+8055c4", 7) == 0); /* -60 dBm */
		mask |= strstr(text, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee0000") ? 1 : 0;
		mask |= strstr(text, "e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e18001") ? 2 : 0; /* LE */
		mask |= strstr(text, "e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e20000") ? 4 : 0;
	}
	check_int(mask, 7);
	check_str(next(w, SEC(12)), "");
	text = ask_as(w, R_CLIENT, "8051");
	check(strncmp(text, "8054000114", 10) == 0);
	check_str(next(w, SEC(20)), "");
	check_str(ask_as(w, R_CLIENT, "8051"), "805400001400");
	/* Starting again reports them again, as far as the limit goes. */
	check_str(ask_as(w, R_CLIENT, "80520214"), "805400010214");
	check(strncmp(next(w, SEC(12)), "+8055", 5) == 0);
	check(strncmp(next(w, SEC(12)), "+8055", 5) == 0);
	check_str(next(w, SEC(12)), "");
	/* One device only. */
	check_str(ask_as(w, R_CLIENT, "8052000fe2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2"), "80540002140f");
	check_str(next(w, SEC(12)), "+8055c4e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e20000");
	check_str(next(w, SEC(12)), "");
	world_free(w);
}

TEST(a_scan_and_a_link_live_side_by_side)
{
	struct world *w = with_server(16);
	struct device_make make = plain_make(0xE2);

	world_add(w, &make);
	open_link(w);
	check_str(ask_as(w, R_CLIENT, "8052001e"), "80540001141e");
	check_str(next(w, SEC(12)), "+8055c4e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e20000");
	check_str(ask_as(w, R_CLIENT, "8058"), "805b0002");
	world_free(w);
}

TEST(an_extended_scan_ends_in_one_report)
{
	struct world *w = with_server(17);

	check_str(ask_as(w, R_CLIENT,
			 "805601"
			 "09"),
		  "+805700d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0000007094c616d702037");
	check_str(ask_as(w, R_CLIENT,
			 "805601"
			 "24"),
		  "+805700d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d00000");
	w->cursor = w->n_heard;
	say(&w->radios[R_CLIENT], "80560109" UUID_HEX "05");
	say_to(&w->radios[R_OTHER], NODE, DEV_KEY_DEVICE, false, "80560109" UUID_HEX "05");
	check_str(next(w, SEC(3)), "+805703" UUID_HEX);	       /* the other's: one at a time */
	check_str(next(w, SEC(8)), "+805700" UUID_HEX "0000"); /* heard, has no name */
	check_str(next(w, SEC(8)), "");
	gag(w, R_DEVICE, true);
	check_str(ask_as(w, R_CLIENT, "80560109" UUID_HEX "03"), "+805700" UUID_HEX);
	check_str(ask_as(w, R_CLIENT, OPEN), "805b0001");
	check_str(ask_as(w, R_CLIENT, "80560109" UUID_HEX "05"), "+805703" UUID_HEX);
	world_free(w);
}

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
		cmocka_unit_test(link_open_when_idle),
		cmocka_unit_test(link_open_when_opening),
		cmocka_unit_test(link_open_when_active),
		cmocka_unit_test(link_open_when_transferring_or_closing),
		cmocka_unit_test(closing_twice_is_answered_twice),
		cmocka_unit_test(a_link_that_nobody_accepts_is_reported),
		cmocka_unit_test(a_device_that_closes_is_reported_with_its_reason),
		cmocka_unit_test(a_link_without_traffic_is_closed_by_the_server),
		cmocka_unit_test(a_pdu_that_the_device_never_takes_ends_the_link),
		cmocka_unit_test(a_pdu_that_the_server_cannot_hold_ends_the_link),
		cmocka_unit_test(a_report_that_the_client_never_takes_ends_the_link),
		cmocka_unit_test(link_close_obeys_the_owner_only),
		cmocka_unit_test(pdu_send_is_numbered_and_belongs_to_the_owner),
		cmocka_unit_test(samples_of_messages_are_taken_or_dropped),
		cmocka_unit_test(scan_requests_get_their_status),
		cmocka_unit_test(a_scan_reports_every_device_once),
		cmocka_unit_test(a_scan_and_a_link_live_side_by_side),
		cmocka_unit_test(an_extended_scan_ends_in_one_report),
		cmocka_unit_test(a_device_joins_through_a_server),
		cmocka_unit_test(a_device_joins_through_a_server_on_a_bad_air),
		cmocka_unit_test(a_dead_device_beacons_and_never_answers),
		cmocka_unit_test(a_silent_device_stops_in_its_first_link_for_good),
		cmocka_unit_test(a_device_serves_one_link_at_a_time_and_beacons_again_after_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
