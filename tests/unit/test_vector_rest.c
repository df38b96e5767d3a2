/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Published samples that no other test takes: those of bearers and roles that this product has not
 * (GATT proxy, solicitation) are still samples of functions that it has, so these run on them.
 */
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "beacon.h"
#include "cert_profile.h"
#include "crypto.h"
#include "lower_pdu.h"
#include "vectors.h"

static struct secret16 key_in(json_t *object, const char *name)
{
	struct vector v = vector_hex(object, name);
	struct secret16 key;

	check_int(v.n, 16);
	memcpy(key.octet, v.octet, 16);
	return key;
}

static const char *id_of(json_t *v)
{
	return json_string_value(json_object_get(v, "id"));
}

static bool is_text(json_t *v, const char *name, const char *value)
{
	const char *text = json_string_value(json_object_get(v, name));

	return text && strcmp(text, value) == 0;
}

static void check_member(json_t *v, const char *name, const void *got, size_t n)
{
	struct vector want = vector_hex(v, name);

	if (want.n != n || memcmp(want.octet, got, n) != 0)
		fail_msg("sample \"%s\": %s differs", id_of(v), name);
}

/* ---- provisioning.json: the derivations, as the provisioning sheet lists them ---- */

static void check_derivation(json_t *v)
{
	json_t *in = json_object_get(v, "input"), *out = json_object_get(v, "expected");
	struct secret16 n = key_in(in, "n");
	uint8_t got[16];

	if (is_text(v, "op", "k2")) {
		struct vector p = vector_hex(in, "p");
		struct k2_keys keys;

		k2(&n, vector_view(&p), &keys);
		check_member(out, "nid", &keys.nid, 1);
		check_member(out, "encryption_key", keys.encryption.octet, 16);
		check_member(out, "privacy_key", keys.privacy.octet, 16);
	} else if (is_text(v, "op", "k3")) {
		k3(&n, got);
		check_member(out, "out", got, 8);
	} else if (is_text(v, "op", "k4")) {
		got[0] = k4(&n);
		check_member(out, "out", got, 1);
	} else {
		const char *salt_text = json_string_value(json_object_get(in, "salt_text"));
		struct vector p = vector_hex(in, "p_hex");
		uint8_t salt[16];

		s1(bytes_of(salt_text, strlen(salt_text)), salt);
		k1(bytes_of(n.octet, sizeof(n.octet)), salt, vector_view(&p), got);
		check_member(out, "out", got, 16);
	}
}

TEST(published_derivations_of_the_provisioning_sheet_come_out)
{
	json_t *root = vectors_load("provisioning.json"), *v;
	unsigned done = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		if (!is_text(v, "op", "k2") && !is_text(v, "op", "k3") && !is_text(v, "op", "k4") &&
		    !is_text(v, "op", "k1_netkey_derivative"))
			continue;
		check_derivation(v);
		done++;
	}
	check_int(done, 13);
	json_decref(root);
}

TEST(published_unprovisioned_beacons_name_their_uri)
{
	json_t *root = vectors_load("provisioning.json");
	static const char *const ids[] = { "unprov-beacon-uri", "unprov-beacon" };

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		json_t *v = vector_by_id(root, ids[i]), *in = json_object_get(v, "input");
		struct vector beacon = vector_hex(json_object_get(v, "expected"), "beacon");
		struct vector uuid = vector_hex(in, "uuid");
		struct beacon_unprovisioned b;
		uint8_t hash[16];

		check(beacon_unprovisioned_decode(&b, vector_view(&beacon)));
		check_mem(b.uuid, uuid.octet, UUID_LEN);
		check_int(b.oob_info, json_integer_value(json_object_get(in, "oob_info")));
		check_int(b.has_uri_hash, json_is_string(json_object_get(in, "uri_data")));
		if (!b.has_uri_hash)
			continue;
		struct vector uri = vector_hex(in, "uri_data");

		s1(vector_view(&uri), hash); /* 3.10.2: its first four octets */
		check_int(b.uri_hash, (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 |
					      (uint32_t)hash[2] << 8 | hash[3]);
	}
	json_decref(root);
}

/* The arc 2.25 is a UUID: the object identifier of the static OOB extension is the one that the
 * sample device is named by. */
TEST(the_published_object_identifier_has_the_published_octets)
{
	json_t *root = vectors_load("provisioning.json");
	json_t *v = vector_by_id(root, "oid-static-oob-der");
	ASN1_OBJECT *o = OBJ_txt2obj(
		json_string_value(json_object_get(json_object_get(v, "input"), "oid")), 1);
	unsigned char der[64], *end = der;

	check(o && i2d_ASN1_OBJECT(o, NULL) <= (int)sizeof(der));
	check_member(json_object_get(v, "expected"), "der", der, (size_t)i2d_ASN1_OBJECT(o, &end));
	ASN1_OBJECT_free(o);
	json_decref(root);
}

TEST(the_published_common_name_is_read)
{
	json_t *root = vectors_load("provisioning.json");
	json_t *v = vector_by_id(root, "cbp-cn-sample"), *out = json_object_get(v, "expected");
	const char *name =
		json_string_value(json_object_get(json_object_get(v, "input"), "common_name"));
	struct vector uuid = vector_hex(out, "uuid");
	struct cert_ids ids;
	X509 *x = X509_new();

	check(x && X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
					      (const unsigned char *)name, -1, -1, 0) == 1);
	check(cert_common_name(x, &ids));
	check_mem(ids.uuid, uuid.octet, UUID_LEN);
	check(ids.has_ids);
	check_int(ids.company, json_integer_value(json_object_get(out, "cid")));
	check_int(ids.product, json_integer_value(json_object_get(out, "pid")));
	X509_free(x);
	json_decref(root);
}

/* ---- network.json: proxy, solicitation, identities ---- */

/* A message of the proxy protocol is a network PDU under another nonce, 3.9.5.5 and 6.9.1. */
static void check_proxy_message(json_t *v)
{
	bool solicits = is_text(v, "type", "solicitation");
	struct secret16 net = key_in(v, "net_key");
	struct vector nonce = vector_hex(v, solicits ? "nonce" : "proxy_nonce");
	struct vector pdu = vector_hex(v, solicits ? "solicitation_pdu" : "proxy_message");
	struct vector dst = vector_hex(v, "dst");
	uint8_t block[16] = { 0 }, pecb[16], plain[64], sealed[64], head[6];
	struct k2_keys keys;
	size_t n = dst.n;

	k2(&net, bytes_of("\0", 1), &keys);
	check_member(v, "nid", &keys.nid, 1);
	check_member(v, "encryption_key", keys.encryption.octet, 16);
	check_member(v, "privacy_key", keys.privacy.octet, 16);
	memcpy(plain, dst.octet, dst.n);
	if (!solicits) {
		struct vector transport = vector_hex(v, "transport_pdu");

		memcpy(plain + n, transport.octet, transport.n);
		n += transport.n;
	}
	check_int(nonce.n, CCM_NONCE);
	ccm_encrypt(&keys.encryption, nonce.octet, bytes_of(NULL, 0), bytes_of(plain, n), 8,
		    sealed);
	check_member(v, solicits ? "enc_dst" : "enc_dst_and_transport", sealed, n);
	check_member(v, "net_mic", sealed + n, 8);
	if (!solicits)
		memcpy(block + 5, nonce.octet + 9, 4); /* the IV Index; 0 when soliciting */
	memcpy(block + 9, sealed, 7);
	aes128_block(&keys.privacy, block, pecb);
	check_member(v, "pecb", pecb, 6);
	head[0] = (uint8_t)(json_integer_value(json_object_get(v, "ctl")) << 7 |
			    json_integer_value(json_object_get(v, "ttl")));
	struct vector seq = vector_hex(v, solicits ? "sseq" : "seq"),
		      src = vector_hex(v, solicits ? "ssrc" : "src");
	memcpy(head + 1, seq.octet, 3);
	memcpy(head + 4, src.octet, 2);
	for (size_t i = 0; i < sizeof(head); i++)
		check_int(pdu.octet[1 + i], head[i] ^ pecb[i]);
	check(pdu.n == 7 + n + 8 && memcmp(pdu.octet + 7, sealed, n + 8) == 0);
}

TEST(published_proxy_and_solicitation_messages_are_sealed_alike)
{
	json_t *root = vectors_load("network.json"), *v;
	unsigned done = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "proxy"), i, v)
	{
		if (is_text(v, "type", "advertising"))
			continue;
		check_proxy_message(v);
		done++;
	}
	check_int(done, 4);
	json_decref(root);
}

TEST(published_advertised_identities_have_their_hashes)
{
	json_t *root = vectors_load("network.json"), *v;
	unsigned done = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "proxy"), i, v)
	{
		struct secret16 net, identity;
		uint8_t got[16];

		if (!is_text(v, "type", "advertising"))
			continue;
		done++;
		net = key_in(v, "net_key");
		struct vector ad = vector_hex(v, "advertising_data");

		if (!vector_has(v, "identity_key")) { /* Network ID, 7.2.2.2.2 */
			net_key_id(&net, got);
			check_mem(ad.octet + ad.n - 8, got, 8);
			continue;
		}
		struct vector input = vector_hex(v, "hash_input");

		net_key_identity(&net, &identity);
		check_member(v, "identity_key", identity.octet, 16);
		check_int(input.n, 16);
		aes128_block(&identity, input.octet, got);
		check_member(v, "hash_full", got, 16);
		check_mem(ad.octet + 5, got + 8, 8);
	}
	check_int(done, 4);
	json_decref(root);
}

TEST(derived_transport_headers_are_read_as_they_are_described)
{
	json_t *root = vectors_load("network.json");
	json_t *rows =
		json_object_get(json_object_get(root, "derived_examples"), "header_examples");
	struct vector segment = vector_hex(json_array_get(rows, 0), "hex"),
		      ack = vector_hex(json_array_get(rows, 1), "hex");
	struct lower_segment s;
	struct lower_ack a;

	check_int(json_array_size(rows), 2);
	segment.n += 12; /* octets of its data */
	check(lower_segment_decode(&s, false, vector_view(&segment)));
	check_int(s.seq_zero, 0x09ab);
	check_int(s.seg_o, 1);
	check_int(s.seg_n, 1);
	check(!s.szmic);
	check(lower_ack_decode(&a, vector_view(&ack)));
	check(a.obo);
	check_int(a.seq_zero, 0x09ab);
	check_int(a.acked, 2);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_derivations_of_the_provisioning_sheet_come_out),
		cmocka_unit_test(published_unprovisioned_beacons_name_their_uri),
		cmocka_unit_test(the_published_object_identifier_has_the_published_octets),
		cmocka_unit_test(the_published_common_name_is_read),
		cmocka_unit_test(published_proxy_and_solicitation_messages_are_sealed_alike),
		cmocka_unit_test(published_advertised_identities_have_their_hashes),
		cmocka_unit_test(derived_transport_headers_are_read_as_they_are_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
