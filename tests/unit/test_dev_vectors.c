/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated device's own codecs against published sample data. */
#include "check.h"

#include <jansson.h>

#include "dev_core.h"

static json_t *load(const char *name)
{
	char path[512];
	json_error_t error;
	json_t *root;

	snprintf(path, sizeof(path), "%s/%s.json", TEST_VECTORS, name);
	root = json_load_file(path, 0, &error);
	if (!root)
		fail_msg("%s: %s", path, error.text);
	return root;
}

static const char *text_of(json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static size_t octets_of(json_t *o, const char *key, uint8_t *out, size_t cap)
{
	int n = hex_parse(text_of(o, key), out, cap);

	return n < 0 ? 0 : (size_t)n;
}

static uint32_t number_of(json_t *o, const char *key)
{
	return (uint32_t)strtoul(text_of(o, key), NULL, 16);
}

static void key_of(json_t *o, struct dev_net_key *k)
{
	struct secret16 key;

	check_int(octets_of(o, "net_key", key.octet, 16), 16);
	dev_net_key_make(k, 0, &key);
}

static bool flooding(json_t *message)
{
	return strcmp(text_of(json_object_get(message, "credentials"), "type"), "flooding") == 0;
}

static void check_pdu(const struct dev_net_key *k, uint32_t iv, json_t *p)
{
	uint8_t raw[64], lower[32], again[NETWORK_PDU_MAX];
	size_t n = octets_of(p, "network_pdu", raw, sizeof(raw));
	size_t n_lower = octets_of(p, "lower_transport_pdu", lower, sizeof(lower));
	struct dev_net_pdu pdu;
	struct bytes sealed;

	check(dev_pdu_unveil(k, iv, bytes_of(raw, n), &pdu));
	check(dev_pdu_open(k, bytes_of(raw, n), &pdu));
	check_int(pdu.ctl, json_integer_value(json_object_get(p, "ctl")));
	check_int(pdu.ttl, json_integer_value(json_object_get(p, "ttl")));
	check_int(pdu.seq, number_of(p, "seq"));
	check_int(pdu.src, number_of(p, "src"));
	check_int(pdu.dst, number_of(p, "dst"));
	check_int(pdu.len, n_lower);
	check_mem(pdu.transport, lower, n_lower);
	sealed = dev_pdu_seal(k, &pdu, again);
	check_int(sealed.n, n);
	check_mem(sealed.p, raw, n);
	raw[n - 1] ^= 1;
	check(!dev_pdu_open(k, bytes_of(raw, n), &pdu));
}

TEST(published_network_pdus_open_and_seal)
{
	json_t *root = load("network"), *message;
	size_t i, done = 0;

	json_array_foreach(json_object_get(root, "messages"), i, message)
	{
		struct dev_net_key k;
		json_t *p;
		size_t j;

		if (!flooding(message))
			continue;
		key_of(message, &k);
		json_array_foreach(json_object_get(message, "pdus"), j, p)
		{
			check_pdu(&k, number_of(message, "iv_index"), p);
			done++;
		}
		dev_net_key_free(&k);
	}
	check(done >= 20);
	json_decref(root);
}

TEST(published_access_messages_decrypt)
{
	json_t *root = load("network"), *message;
	size_t i, done = 0;

	json_array_foreach(json_object_get(root, "messages"), i, message)
	{
		json_t *u = json_object_get(message, "upper_transport");
		uint8_t upper[DEV_UPPER_MAX], access[DEV_UPPER_MAX], wanted[DEV_UPPER_MAX];
		struct dev_upper_nonce n = { 0 };
		struct secret16 key;
		size_t len;

		if (!u || json_object_get(u, "label_uuid") ||
		    (number_of(u, "dst") & 0xC000) == 0x8000 ||
		    octets_of(u, "key", key.octet, 16) != 16)
			continue;
		n.device_key = strcmp(text_of(u, "key_type"), "dev") == 0;
		n.szmic = json_integer_value(json_object_get(u, "trans_mic_len")) == 8;
		n.seq = number_of(u, "seq");
		n.src = (uint16_t)number_of(u, "src");
		n.dst = (uint16_t)number_of(u, "dst");
		n.iv_index = number_of(message, "iv_index");
		len = octets_of(u, "enc_access_message", upper, sizeof(upper));
		len += octets_of(u, "trans_mic", upper + len, sizeof(upper) - len);
		check(dev_upper_open(&key, &n, bytes_of(upper, len), access));
		len = octets_of(u, "access_message", wanted, sizeof(wanted));
		check_mem(access, wanted, len);
		done++;
	}
	check(done >= 8);
	json_decref(root);
}

TEST(published_receive_cases_are_accepted_or_not)
{
	json_t *root = load("network"), *c;
	size_t i, accepted = 0;

	json_array_foreach(json_object_get(root, "receive_cases"), i, c)
	{
		struct device d = { 0 };
		struct dev_net_pdu pdu;
		uint8_t raw[32];
		size_t n = octets_of(c, "network_pdu", raw, sizeof(raw));
		bool ok;

		d.flash.iv_index = number_of(c, "node_iv_index");
		key_of(c, &d.net.keys[0]);
		ok = dev_pdu_unveil(&d.net.keys[0], dev_net_rx_iv(&d, raw[0]), bytes_of(raw, n),
				    &pdu) &&
		     dev_pdu_open(&d.net.keys[0], bytes_of(raw, n), &pdu);
		check_int(ok, json_boolean_value(json_object_get(c, "accept")));
		accepted += ok;
		dev_net_key_free(&d.net.keys[0]);
	}
	check(accepted > 0 && accepted < i);
	json_decref(root);
}

TEST(published_secure_network_beacons_come_out_the_same)
{
	json_t *root = load("network"), *b;
	size_t i, done = 0;

	json_array_foreach(json_object_get(root, "beacons"), i, b)
	{
		uint8_t beacon[DEV_SECURE_BEACON_LEN], wanted[DEV_SECURE_BEACON_LEN];
		struct dev_net_key k;

		if (strcmp(text_of(b, "type"), "secure_network") != 0)
			continue;
		key_of(b, &k);
		dev_beacon_encode(&k, json_integer_value(json_object_get(b, "key_refresh")),
				  json_integer_value(json_object_get(b, "iv_update")),
				  number_of(b, "iv_index"), beacon);
		check_int(octets_of(b, "beacon", wanted, sizeof(wanted)), sizeof(wanted));
		check_mem(beacon, wanted, sizeof(wanted));
		dev_net_key_free(&k);
		done++;
	}
	check(done >= 4);
	json_decref(root);
}

TEST(published_unprovisioned_beacons_decode)
{
	json_t *root = load("network"), *b;
	size_t i, done = 0;

	json_array_foreach(json_object_get(root, "beacons"), i, b)
	{
		uint8_t beacon[32], uuid[16], hash[4];
		struct dev_unprovisioned u;
		size_t n = octets_of(b, "beacon", beacon, sizeof(beacon));

		if (strcmp(text_of(b, "type"), "unprovisioned") != 0)
			continue;
		check(dev_unprovisioned_decode(&u, bytes_of(beacon, n)));
		octets_of(b, "device_uuid", uuid, 16);
		check_mem(u.uuid, uuid, 16);
		check_int(u.oob, number_of(b, "oob_information"));
		if (octets_of(b, "uri_hash", hash, 4) == 4)
			check_mem(u.uri_hash, hash, 4);
		else
			check(!u.uri_hash);
		check(!dev_unprovisioned_decode(&u, bytes_of(beacon, n - 1)));
		done++;
	}
	check(done >= 2);
	json_decref(root);
}

TEST(published_seq_auth_cases_are_recovered)
{
	json_t *root = load("network"), *c;
	size_t i;

	json_array_foreach(json_object_get(root, "seq_auth"), i, c)
	{
		uint32_t first;
		uint64_t auth = strtoull(text_of(c, "seq_auth"), NULL, 16);

		check(dev_seq_auth(number_of(c, "seq"), (uint16_t)number_of(c, "seq_zero"),
				   &first));
		check_int(first, auth & 0xFFFFFF);
	}
	check(i >= 2);
	check(!dev_seq_auth(5, 6, &(uint32_t){ 0 })); /* before the first one */
	json_decref(root);
}

TEST(composition_page_0_lists_every_element)
{
	/* CID, PID, VID, CRPL, features, then elements. */
	struct device_make make = {
		.company = 0x000C, .product = 0x001A, .elements = 2, .features = 3, .server = true
	};
	uint8_t buf[64];
	struct wr w = wr_to(buf, sizeof(buf));
	char text[129];

	check_int(dev_composition_page(&make, false, 0, &w), 0);
	check_str(hex_format(text, wr_done(&w)), "0c001a00010030000300"
						 "000004000000020004000010"
						 "000001000010");
}

TEST(published_frame_checks_are_ours)
{
	json_t *root = load("provisioning"), *v;
	size_t i, done = 0;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		uint8_t pdu[128], fcs;

		if (strcmp(text_of(v, "op"), "fcs") != 0)
			continue;
		check_int(octets_of(json_object_get(v, "expected"), "fcs", &fcs, 1), 1);
		check_int(dev_pb_fcs(bytes_of(pdu, octets_of(json_object_get(v, "input"), "pdu",
							     pdu, sizeof(pdu)))),
			  fcs);
		done++;
	}
	check(done >= 10);
	json_decref(root);
}

TEST(published_record_answers_are_ours)
{
	json_t *root = load("provisioning"), *v;
	size_t i, done = 0;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		json_t *in = json_object_get(v, "input");
		struct device_make make = { .n_records = 1 };
		uint8_t record[128], request[8], wanted[128], buf[128];
		struct wr w = wr_to(buf, sizeof(buf));
		size_t n;

		if (strcmp(text_of(v, "op"), "record_answer") != 0)
			continue;
		n = octets_of(json_object_get(in, "stored_records"), "0001", record,
			      sizeof(record));
		make.records[0].id = 1;
		make.records[0].data = bytes_of(record, n);
		check_int(octets_of(in, "request", request, sizeof(request)), 7);
		check(dev_records_read(&make, bytes_of(request + 1, 6), &w));
		n = octets_of(json_object_get(v, "expected"), "response", wanted, sizeof(wanted));
		check_int(w.n, n);
		check_mem(buf, wanted, n);
		done++;
	}
	check(done >= 3);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_network_pdus_open_and_seal),
		cmocka_unit_test(published_access_messages_decrypt),
		cmocka_unit_test(published_receive_cases_are_accepted_or_not),
		cmocka_unit_test(published_secure_network_beacons_come_out_the_same),
		cmocka_unit_test(published_unprovisioned_beacons_decode),
		cmocka_unit_test(published_seq_auth_cases_are_recovered),
		cmocka_unit_test(composition_page_0_lists_every_element),
		cmocka_unit_test(published_frame_checks_are_ours),
		cmocka_unit_test(published_record_answers_are_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
