/* SPDX-License-Identifier: Apache-2.0 */
/* The provisionee alone: published transcripts, every refusal, records. */
#include "check.h"

#include <jansson.h>

#include "dev_prov.h"

struct bench {
	struct device_make make;
	struct dev_prov prov;
	uint8_t out[8][128];
	size_t out_len[8], n_out;
	const uint8_t *randoms[4]; /* given out in this order */
	size_t n_random;
	struct dev_prov_data data;
	size_t provisioned, attention;
	bool refuses; /* the data */
};

static void on_send(void *ctx, struct bytes pdu)
{
	struct bench *b = ctx;

	check(b->n_out < 8 && pdu.n <= 65);
	memcpy(b->out[b->n_out], pdu.p, pdu.n);
	b->out_len[b->n_out++] = pdu.n;
}

static void on_random(void *ctx, void *out, size_t n)
{
	struct bench *b = ctx;

	if (b->n_random < 4 && b->randoms[b->n_random])
		memcpy(out, b->randoms[b->n_random], n);
	else
		memset(out, (int)b->n_random + 0x11, n);
	b->n_random++;
}

static void on_attention(void *ctx, uint8_t seconds)
{
	((struct bench *)ctx)->attention = seconds;
}

static bool on_accept(void *ctx, const struct dev_prov_data *data)
{
	struct bench *b = ctx;

	check(b->n_out == 0 || b->out[b->n_out - 1][0] != PROV_COMPLETE);
	b->data = *data;
	b->provisioned++;
	return !b->refuses;
}

static const struct dev_prov_ops ops = { on_send, on_random, on_attention, on_accept };

static void bench_init(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->make.elements = 1;
	b->make.algorithms = 3;
	dev_prov_init(&b->prov, &b->make, &ops, b);
}

/* What the device says to this PDU, as hexadecimal; several are joined by a space. */
static const char *tell(struct bench *b, const char *hex, char text[512])
{
	uint8_t pdu[256];
	int n = hex_parse(hex, pdu, sizeof(pdu));
	char *at = text;

	check(n >= 0);
	b->n_out = 0;
	dev_prov_received(&b->prov, bytes_of(pdu, (size_t)n));
	*at = 0;
	for (size_t i = 0; i < b->n_out; i++) {
		if (i > 0)
			*at++ = ' ';
		hex_format(at, bytes_of(b->out[i], b->out_len[i]));
		at += 2 * b->out_len[i];
	}
	return text;
}

static json_t *vector(json_t *root, const char *id)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		if (strcmp(json_string_value(json_object_get(v, "id")), id) == 0)
			return v;
	}
	fail_msg("no vector %s", id);
	return NULL;
}

static const char *in(json_t *v, const char *key)
{
	return json_string_value(json_object_get(json_object_get(v, "input"), key));
}

static const char *want(json_t *v, const char *key)
{
	return json_string_value(json_object_get(json_object_get(v, "expected"), key));
}

static void run_transcript(const char *id)
{
	json_t *root = json_load_file(TEST_VECTORS "/provisioning.json", 0, NULL);
	json_t *v = vector(root, id), *keys = vector(root, "ecdh-8.7");
	uint8_t secret[32], random[32];
	char send[300], expect[300], text[512], hex[65];
	struct bench b;
	int n;

	bench_init(&b);
	n = hex_parse(in(v, "capabilities"), random, sizeof(random));
	check_int(n, 11);
	b.make.algorithms = random[2];
	b.make.static_oob_len = random[4] ? 32 : 0;
	hex_parse(in(v, "auth_value"), b.make.static_oob, 32);
	check(hex_parse_exact(in(keys, "private_device"), secret, 32));
	n = hex_parse(in(v, "random_device"), random, sizeof(random));
	b.randoms[0] = secret;
	b.randoms[1] = random;

	snprintf(send, sizeof(send), "00%s", in(v, "invite"));
	snprintf(expect, sizeof(expect), "01%s", in(v, "capabilities"));
	check_str(tell(&b, send, text), expect);
	snprintf(send, sizeof(send), "02%s", in(v, "start"));
	check_str(tell(&b, send, text), "");
	snprintf(send, sizeof(send), "03%s", in(v, "public_provisioner"));
	snprintf(expect, sizeof(expect), "03%s", in(v, "public_device"));
	check_str(tell(&b, send, text), expect);
	snprintf(send, sizeof(send), "05%s", want(v, "confirmation_provisioner"));
	snprintf(expect, sizeof(expect), "05%s", want(v, "confirmation_device"));
	check_str(tell(&b, send, text), expect);
	snprintf(send, sizeof(send), "06%s", in(v, "random_provisioner"));
	snprintf(expect, sizeof(expect), "06%s", in(v, "random_device"));
	check_str(tell(&b, send, text), expect);
	check_str(hex_format(hex, bytes_of(b.prov.session_key.octet, 16)), want(v, "session_key"));
	snprintf(send, sizeof(send), "07%s%s", want(v, "encrypted_provisioning_data"),
		 want(v, "provisioning_data_mic"));
	check_str(tell(&b, send, text), "08");
	check_int(b.provisioned, 1);
	check_str(hex_format(hex, bytes_of(b.data.device_key.octet, 16)), want(v, "device_key"));
	check_int(b.data.net_index, 0x567);
	check_int(b.data.iv_index, 0x01020304);
	check_int(b.data.address, 0x0b0c);
	check_str(tell(&b, "0000", text), "0903"); /* after Complete all is unexpected */
	json_decref(root);
}

TEST(the_published_cmac_transcript_runs_to_its_end)
{
	run_transcript("prov-8.17.1");
}

TEST(the_published_hmac_transcript_runs_to_its_end)
{
	run_transcript("prov-8.17.2");
}

TEST(start_is_judged_strictly)
{
	static const struct {
		const char *name;
		uint8_t algorithms;
		bool oob_key, static_oob;
		const char *start, *answer;
	} rows[] = {
		{ "cmac offered", 3, false, false, "020000000000", "" },
		{ "hmac offered", 3, false, false, "020100000000", "" },
		{ "cmac not offered", 2, false, false, "020000000000", "0902" },
		{ "hmac not offered", 1, false, false, "020100000000", "0902" },
		{ "algorithm reserved", 3, false, false, "020200000000", "0902" },
		{ "algorithm far away", 3, false, false, "02ff00000000", "0902" },
		{ "oob key not offered", 3, false, false, "020101000000", "0902" },
		{ "oob key offered", 3, true, false, "020101000000", "" },
		{ "in-band although oob offered", 3, true, false, "020100000000", "" },
		{ "key field reserved", 3, true, false, "020102000000", "0902" },
		{ "static not offered", 3, false, false, "020100010000", "0902" },
		{ "static offered", 3, false, true, "020100010000", "" },
		{ "static with an action", 3, false, true, "020100010100", "0902" },
		{ "static with a size", 3, false, true, "020100010001", "0902" },
		{ "none with a size", 3, false, true, "020100000001", "0902" },
		{ "output not offered", 3, false, true, "020100020301", "0902" },
		{ "input not offered", 3, false, true, "020100030201", "0902" },
		{ "method reserved", 3, false, true, "020100040000", "0902" },
		{ "one octet short", 3, false, false, "0201000000", "0902" },
		{ "one octet long", 3, false, false, "02010000000000", "0902" },
	};
	char text[512];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;

		bench_init(&b);
		b.make.algorithms = rows[i].algorithms;
		b.make.oob_public_key = rows[i].oob_key;
		memset(&b.make.secret_key, 0x21, sizeof(b.make.secret_key));
		b.make.static_oob_len = rows[i].static_oob ? 16 : 0;
		tell(&b, "0005", text);
		check_int(b.attention, 5);
		check_row(rows[i].name, strcmp(tell(&b, rows[i].start, text), rows[i].answer) == 0);
	}
}

TEST(pdus_out_of_place_are_refused_by_name)
{
	static const struct {
		const char *name, *pdu, *answer;
	} rows[] = {
		{ "start before invite", "020100000000", "0903" },
		{ "data before all", "07", "0903" },
		{ "capabilities from a provisioner", "010100010000000000000000", "0903" },
		{ "complete from a provisioner", "08", "0903" },
		{ "unknown type", "0e", "0901" },
		{ "far unknown type", "3f00", "0901" },
		{ "padding set", "4000", "0901" },
		{ "invite without duration", "00", "0902" },
		{ "invite too long", "000000", "0902" },
		{ "records from a device without", "0c", "0901" },
		{ "record request likewise", "0a000100000039", "0901" },
	};
	char text[512];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;

		bench_init(&b);
		check_row(rows[i].name, strcmp(tell(&b, rows[i].pdu, text), rows[i].answer) == 0);
		check_row(rows[i].name, strcmp(tell(&b, "0000", text), "0903") == 0);
	}
}

static void to_keys(struct bench *b)
{
	char text[512];

	bench_init(b);
	tell(b, "0000", text);
	tell(b, "020100000000", text);
}

TEST(a_bad_public_key_ends_it)
{
	uint8_t pdu[65] = { PROV_PUBLIC_KEY };
	struct bench b;
	char hex[131], text[512];

	to_keys(&b); /* not on the curve */
	memset(pdu + 1, 5, 64);
	check_str(tell(&b, hex_format(hex, bytes_of(pdu, 65)), text), "0902");
	to_keys(&b); /* the point at nothing */
	memset(pdu + 1, 0, 64);
	check_str(tell(&b, hex_format(hex, bytes_of(pdu, 65)), text), "0902");
	to_keys(&b); /* our own */
	memcpy(pdu + 1, b.prov.inputs + DEV_PROV_INPUTS - 64, 64);
	check_str(tell(&b, hex_format(hex, bytes_of(pdu, 65)), text), "0902");
}

/* Up to the exchange of Confirmations, as a provisioner with these secrets would. */
static struct dev_prov peer_of(struct bench *b)
{
	struct secret32 random, secret;
	uint8_t pdu[65] = { PROV_PUBLIC_KEY };
	char hex[131], text[512];
	struct dev_prov peer;

	to_keys(b);
	memset(&random, 0x33, sizeof(random));
	check(p256_key_pair(&random, &secret, pdu + 1));
	tell(b, hex_format(hex, bytes_of(pdu, 65)), text);
	peer = b->prov; /* both sides have agreed on the same */
	memset(&peer.random, 0x77, sizeof(peer.random));
	dev_prov_confirm(&peer, peer.random.octet, peer.own_confirmation);
	return peer;
}

static const char *tell_octets(struct bench *b, uint8_t type, const void *p, size_t n,
			       char text[512])
{
	uint8_t pdu[65] = { type };
	char hex[131];

	memcpy(pdu + 1, p, n);
	return tell(b, hex_format(hex, bytes_of(pdu, n + 1)), text);
}

TEST(a_wrong_confirmation_keeps_our_random_back)
{
	struct bench b;
	struct dev_prov peer = peer_of(&b);
	char text[512];

	tell_octets(&b, PROV_CONFIRMATION, peer.own_confirmation, 32, text);
	check_int(b.out[0][0], PROV_CONFIRMATION);
	peer.random.octet[3] ^= 1;
	check_str(tell_octets(&b, PROV_RANDOM, peer.random.octet, 32, text), "0904");
	check_int(b.provisioned, 0);
}

static const char *send_data(const char *data_hex, bool spoil, bool refuse, size_t *provisioned,
			     char text[512])
{
	struct bench b;
	struct dev_prov peer = peer_of(&b);
	uint8_t clear[25], sealed[33];

	b.prov.elements = 4;
	b.refuses = refuse;
	tell_octets(&b, PROV_CONFIRMATION, peer.own_confirmation, 32, text);
	tell_octets(&b, PROV_RANDOM, peer.random.octet, 32, text);
	check(hex_parse_exact(data_hex, clear, sizeof(clear)));
	ccm_encrypt(&b.prov.session_key, b.prov.session_nonce, bytes_of(NULL, 0),
		    bytes_of(clear, sizeof(clear)), 8, sealed);
	if (spoil)
		sealed[32] ^= 1;
	tell_octets(&b, PROV_DATA, sealed, sizeof(sealed), text);
	*provisioned = b.provisioned;
	return text;
}

TEST(provisioning_data_is_checked_before_it_is_believed)
{
	static const struct {
		const char *name, *data;
		bool spoil;
		const char *answer;
	} rows[] = {
		{ "good", "efb2255e6422d330088e09bb015ed707056700010203040b0c", false, "08" },
		{ "mic", "efb2255e6422d330088e09bb015ed707056700010203040b0c", true, "0906" },
		{ "index", "efb2255e6422d330088e09bb015ed707156700010203040b0c", false, "0909" },
		{ "flags", "efb2255e6422d330088e09bb015ed707056704010203040b0c", false, "0909" },
		{ "address 0",
		  "efb2255e6422d330088e09bb015ed7070567000102030400"
		  "00",
		  false, "0909" },
		{ "group",
		  "efb2255e6422d330088e09bb015ed7070567000102030"
		  "4c000",
		  false, "0909" },
		{ "last that fits",
		  "efb2255e6422d330088e09bb015ed7070567000102030"
		  "47ffc",
		  false, "08" },
		{ "one too high",
		  "efb2255e6422d330088e09bb015ed7070567000102030"
		  "47ffd",
		  false, "0909" },
	};
	char text[512];
	size_t provisioned;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		send_data(rows[i].data, rows[i].spoil, false, &provisioned, text);
		check_row(rows[i].name, strcmp(text, rows[i].answer) == 0);
		check_row(rows[i].name, provisioned == (strcmp(rows[i].answer, "08") == 0));
	}
	check_str(send_data(rows[0].data, false, true, &provisioned, text), "0909");
}

TEST(an_oob_public_key_is_used_and_not_sent)
{
	struct bench b;
	struct secret32 random;
	uint8_t own[64], pdu[65] = { PROV_PUBLIC_KEY };
	char hex[131], text[512];

	bench_init(&b);
	b.make.oob_public_key = true;
	memset(&b.make.secret_key, 0x21, sizeof(b.make.secret_key));
	check(p256_public(&b.make.secret_key, own));
	tell(&b, "0000", text);
	check_int(b.out[0][4], 1); /* Public Key Type */
	tell(&b, "020101000000", text);
	memset(&random, 0x33, sizeof(random));
	check(p256_key_pair(&random, &(struct secret32){ 0 }, pdu + 1));
	check_str(tell(&b, hex_format(hex, bytes_of(pdu, 65)), text), "");
	check_mem(b.prov.inputs + DEV_PROV_INPUTS - 64, own, 64);
}

TEST(static_oob_is_padded_or_cut_on_the_right)
{
	struct bench b;

	bench_init(&b);
	memset(b.make.static_oob, 0xAB, 32);
	b.make.static_oob_len = 16;
	b.prov.method = PROV_AUTH_STATIC;
	b.prov.auth_len = 32;
	dev_prov_auth_value(&b.prov);
	check_int(b.prov.auth.octet[15], 0xAB);
	check_int(b.prov.auth.octet[16], 0);
	b.make.static_oob_len = 32;
	b.prov.auth_len = 16;
	dev_prov_auth_value(&b.prov);
	check_int(b.prov.auth.octet[15], 0xAB);
	check_int(b.prov.auth.octet[16], 0);
}

TEST(records_are_read_in_fragments_before_invite_only)
{
	uint8_t record[100];
	struct bench b;
	char text[512];

	bench_init(&b);
	for (size_t i = 0; i < sizeof(record); i++)
		record[i] = (uint8_t)i;
	b.make.certificates = true;
	b.make.n_records = 2;
	b.make.records[0].id = PROV_RECORD_DEVICE_CERTIFICATE;
	b.make.records[0].data = bytes_of(record, sizeof(record));
	b.make.records[1].id = PROV_RECORD_LOCAL_NAME;
	b.make.records[1].data = bytes_of("lamp", 4);
	check_str(tell(&b, "0c", text), "0d000000010011");
	tell(&b, "0a000100000039", text);
	check_int(b.out_len[0], 8 + 57);
	check_mem(b.out[0], "\x0b\x00\x00\x01\x00\x00\x00\x64", 8);
	check_mem(b.out[0] + 8, record, 57);
	tell(&b, "0a00010000ffff", text); /* never more than fits common receivers */
	check_int(b.out_len[0], 8 + 57);
	check_str(tell(&b, "0a000100620039", text), "0b0000010062006462"
						    "63");
	check_str(tell(&b, "0a000100000002", text), "0b00000100000064"
						    "0001");
	check_str(tell(&b, "0a000100640039", text), "0b02000100640064");
	check_str(tell(&b, "0a000200000039", text), "0b01000200000000");
	check_str(tell(&b, "0a001100000039", text), "0b000011000000046c616d70");
	tell(&b, "0000", text);
	check_int(b.out[0][0], PROV_CAPABILITIES);
	check_str(tell(&b, "0c", text), "0903");
	dev_prov_reset(&b.prov);
	check_str(tell(&b, "0a000100000000", text), "0902"); /* size 0 is prohibited */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_cmac_transcript_runs_to_its_end),
		cmocka_unit_test(the_published_hmac_transcript_runs_to_its_end),
		cmocka_unit_test(start_is_judged_strictly),
		cmocka_unit_test(pdus_out_of_place_are_refused_by_name),
		cmocka_unit_test(a_bad_public_key_ends_it),
		cmocka_unit_test(a_wrong_confirmation_keeps_our_random_back),
		cmocka_unit_test(provisioning_data_is_checked_before_it_is_believed),
		cmocka_unit_test(an_oob_public_key_is_used_and_not_sent),
		cmocka_unit_test(static_oob_is_padded_or_cut_on_the_right),
		cmocka_unit_test(records_are_read_in_fragments_before_invite_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
