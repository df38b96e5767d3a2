/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of certificates: anchors, issuers, and the chains that others have made. */
#include "certificate.h"

#include <stdlib.h>

#include "cert_site.h"
#include "check.h"
#include "vectors.h"

TEST(a_device_needs_a_configured_anchor)
{
	struct cert leaf, stranger, direct;
	struct trust *none = trust_new(), *other;
	struct site s;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	direct = cert_make(&(struct cert_spec){ 0 }, &s.root);
	stranger = cert_make(&root_spec, NULL); /* the same name, another key */
	other = trust_in(cert_view(&stranger));
	expect("no anchor at all", CERT_UNTRUSTED, none, cert_view(&leaf), s.others, 1, CERT_NOW);
	expect("a namesake's root", CERT_UNTRUSTED, other, cert_view(&leaf), s.others, 1, CERT_NOW);
	expect("a gap", CERT_UNTRUSTED, s.trust, cert_view(&leaf), NULL, 0, CERT_NOW);
	expect("no intermediate needed", CERT_OK, s.trust, cert_view(&direct), NULL, 0, CERT_NOW);
	expect("one that is not needed", CERT_OK, s.trust, cert_view(&direct), s.others, 1,
	       CERT_NOW);
	trust_free(none);
	trust_free(other);
	cert_drop(&leaf);
	cert_drop(&direct);
	cert_drop(&stranger);
	site_free(&s);
}

TEST(a_pinned_intermediate_is_anchor_enough)
{
	struct cert leaf;
	struct trust *pinned;
	struct site s;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	pinned = trust_in(cert_view(&s.intermediate));
	expect("pinned, not sent", CERT_OK, pinned, cert_view(&leaf), NULL, 0, CERT_NOW);
	expect("pinned, and sent", CERT_OK, pinned, cert_view(&leaf), s.others, 1, CERT_NOW);
	trust_free(pinned);
	cert_drop(&leaf);
	site_free(&s);
}

TEST(nothing_self_signed_comes_from_a_device)
{
	struct bytes with_root[2];
	struct cert leaf, self;
	struct site s;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	self = cert_make(&(struct cert_spec){ 0 }, NULL);
	with_root[0] = cert_view(&s.intermediate);
	with_root[1] = cert_view(&s.root);
	expect("the root sent along", CERT_CHAIN, s.trust, cert_view(&leaf), with_root, 2,
	       CERT_NOW);
	expect("a self-signed device", CERT_CHAIN, s.trust, cert_view(&self), NULL, 0, CERT_NOW);
	expect("the root as device", CERT_CHAIN, s.trust, cert_view(&s.root), NULL, 0, CERT_NOW);
	cert_drop(&leaf);
	cert_drop(&self);
	site_free(&s);
}

TEST(an_issuer_must_be_a_ca_in_every_respect)
{
	static const struct {
		const char *name;
		struct cert_spec issuer;
		enum cert_verdict verdict;
	} rows[] = {
		{ "a device as issuer", { .cn = "x" }, CERT_CHAIN },
		{ "no basic constraints", { .cn = "x", .ca = true, .basic = "" }, CERT_CHAIN },
		{ "may not sign", { .cn = "x", .ca = true, .usage = "cRLSign" }, CERT_CHAIN },
		{ "no key usage", { .cn = "x", .ca = true, .usage = "" }, CERT_OK },
		{ "not critical", { .cn = "x", .ca = true, .basic = "CA:TRUE" }, CERT_OK },
		{ "version 1", { .cn = "x", .version = 1, .basic = "", .usage = "" }, CERT_CHAIN },
		{ "expired", { .cn = "x", .ca = true, .not_after = CERT_NOW - 1 }, CERT_EXPIRED },
		{ "not yet valid",
		  { .cn = "x", .ca = true, .not_before = CERT_NOW + 1 },
		  CERT_NOT_YET_VALID },
		{ "unknown critical extension",
		  { .cn = "x", .ca = true, .extra = { "1.2.3.4.5", "critical,DER:0500" } },
		  CERT_USAGE },
		{ "same extension twice",
		  { .cn = "x", .ca = true, .extra = { "keyUsage", "keyCertSign" } },
		  CERT_MALFORMED },
		{ "permits other names only",
		  { .cn = "x",
		    .ca = true,
		    .extra = { "nameConstraints", "permitted;email:example.com" } },
		  CERT_OK }, /* constrains mail addresses, of which a device has none */
		{ "insists on a policy that the device has not",
		  { .cn = "x",
		    .ca = true,
		    .extra = { "policyConstraints", "requireExplicitPolicy:0",
			       "certificatePolicies", "DER:3007300506032a0304" } },
		  CERT_CHAIN },
	};
	struct site s;

	site_make(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert issuer = cert_make(&rows[i].issuer, &s.root);
		struct cert leaf = cert_make(&(struct cert_spec){ 0 }, &issuer);
		struct bytes other = cert_view(&issuer);

		expect(rows[i].name, rows[i].verdict, s.trust, cert_view(&leaf), &other, 1,
		       CERT_NOW);
		cert_drop(&leaf);
		cert_drop(&issuer);
	}
	site_free(&s);
}

TEST(weak_issuers_are_refused)
{
	EVP_PKEY *rsa1024 = EVP_RSA_gen(1024), *rsa2048 = EVP_RSA_gen(2048);
	struct {
		const char *name;
		struct cert_spec issuer;
		enum cert_verdict verdict;
	} rows[] = {
		{ "signed with SHA-1",
		  { .cn = "x", .ca = true, .md = EVP_sha1() },
		  CERT_UNTRUSTED },
		{ "SHA-512 is as good", { .cn = "x", .ca = true, .md = EVP_sha512() }, CERT_OK },
		{ "RSA cannot sign ECDSA",
		  { .cn = "x", .ca = true, .key = rsa2048 },
		  CERT_MALFORMED },
		{ "RSA of 1024 bits", { .cn = "x", .ca = true, .key = rsa1024 }, CERT_UNTRUSTED },
	};
	struct site s;

	site_make(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert issuer = cert_make(&rows[i].issuer, &s.root);
		struct cert leaf = cert_make(&(struct cert_spec){ 0 }, &issuer);
		struct bytes other = cert_view(&issuer);

		expect(rows[i].name, rows[i].verdict, s.trust, cert_view(&leaf), &other, 1,
		       CERT_NOW);
		cert_drop(&leaf);
		cert_drop(&issuer);
	}
	EVP_PKEY_free(rsa1024);
	EVP_PKEY_free(rsa2048);
	site_free(&s);
}

TEST(a_path_length_limit_holds)
{
	struct cert_spec limited = { .cn = "Limited", .ca = true, .basic = "CA:TRUE,pathlen:0" };
	struct cert upper, lower, leaf;
	struct bytes others[2];
	struct site s;

	site_make(&s);
	upper = cert_make(&limited, &s.root);
	lower = cert_make(&intermediate_spec, &upper);
	leaf = cert_make(&(struct cert_spec){ 0 }, &lower);
	others[0] = cert_view(&lower);
	others[1] = cert_view(&upper);
	expect("one CA too many", CERT_CHAIN, s.trust, cert_view(&leaf), others, 2, CERT_NOW);
	cert_drop(&leaf);
	leaf = cert_make(&(struct cert_spec){ 0 }, &upper);
	expect("none below", CERT_OK, s.trust, cert_view(&leaf), others + 1, 1, CERT_NOW);
	cert_drop(&leaf);
	cert_drop(&lower);
	cert_drop(&upper);
	site_free(&s);
}

TEST(fifteen_intermediates_in_any_order_are_allowed_and_sixteen_are_not)
{
	struct cert chain[CERT_CHAIN_MAX + 1], leaf, shorter;
	struct bytes others[CERT_CHAIN_MAX + 1];
	struct site s;
	char name[16];

	site_make(&s);
	for (size_t i = 0; i < ARRAY_LEN(chain); i++) {
		struct cert_spec spec = { .cn = name, .ca = true };

		snprintf(name, sizeof(name), "CA %zu", i);
		chain[i] = cert_make(&spec, i ? &chain[i - 1] : &s.root);
		others[i] = cert_view(&chain[i]);
	}
	shorter = cert_make(&(struct cert_spec){ 0 }, &chain[CERT_CHAIN_MAX - 1]);
	leaf = cert_make(&(struct cert_spec){ 0 }, &chain[CERT_CHAIN_MAX]);
	expect("fifteen", CERT_OK, s.trust, cert_view(&shorter), others, CERT_CHAIN_MAX, CERT_NOW);
	expect("sixteen", CERT_CHAIN, s.trust, cert_view(&leaf), others, CERT_CHAIN_MAX + 1,
	       CERT_NOW);
	for (size_t i = 0; i < CERT_CHAIN_MAX / 2; i++) {
		struct bytes b = others[i];

		others[i] = others[CERT_CHAIN_MAX - 1 - i];
		others[CERT_CHAIN_MAX - 1 - i] = b;
	}
	expect("turned round", CERT_OK, s.trust, cert_view(&shorter), others, CERT_CHAIN_MAX,
	       CERT_NOW);
	cert_drop(&leaf);
	cert_drop(&shorter);
	for (size_t i = 0; i < ARRAY_LEN(chain); i++)
		cert_drop(&chain[i]);
	site_free(&s);
}

TEST(a_chain_that_does_not_link_up_is_broken_and_not_just_unknown)
{
	struct cert stranger = cert_make(&(struct cert_spec){ .cn = "Other", .ca = true }, NULL);
	struct cert_spec below = { .cn = "Below", .ca = true };
	struct cert unknown, leaf, foreign;
	struct bytes other;
	struct site s;

	site_make(&s);
	unknown = cert_make(&below, &stranger);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	foreign = cert_make(&(struct cert_spec){ 0 }, &unknown);
	other = cert_view(&unknown);
	expect("another's intermediate", CERT_CHAIN, s.trust, cert_view(&leaf), &other, 1,
	       CERT_NOW);
	expect("whole, of somebody unknown", CERT_UNTRUSTED, s.trust, cert_view(&foreign), &other,
	       1, CERT_NOW);
	expect("nothing given", CERT_UNTRUSTED, s.trust, cert_view(&foreign), NULL, 0, CERT_NOW);
	cert_drop(&foreign);
	cert_drop(&leaf);
	cert_drop(&unknown);
	cert_drop(&stranger);
	site_free(&s);
}

TEST(a_device_with_the_key_of_its_issuer_is_refused)
{
	struct cert_spec spec = { 0 };
	struct cert leaf;
	struct site s;

	site_make(&s);
	spec.key = s.intermediate.key;
	leaf = cert_make(&spec, &s.intermediate);
	expect("the issuer's key", CERT_KEY, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	cert_drop(&leaf);
	spec.key = s.root.key;
	leaf = cert_make(&spec, &s.intermediate);
	expect("the root's key", CERT_KEY, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	cert_drop(&leaf);
	site_free(&s);
}

TEST(the_anchor_that_vouches_is_named)
{
	struct cert_facts facts;
	uint8_t hash[32], zero[32] = { 0 };
	char why[CERT_TEXT];
	struct cert leaf, self;
	struct site s;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	self = cert_make(&(struct cert_spec){ 0 }, NULL);
	sha256(cert_view(&s.root), hash);
	check_int(cert_check(s.trust, cert_view(&leaf), s.others, 1, NULL, CERT_NOW, &facts, why),
		  CERT_OK);
	check_mem(facts.anchor, hash, 32);
	cert_check(s.trust, cert_view(&self), s.others, 1, NULL, CERT_NOW, &facts, why);
	check_mem(facts.anchor, zero, 32);
	cert_drop(&leaf);
	cert_drop(&self);
	site_free(&s);
}

TEST(only_certification_authorities_become_anchors)
{
	EVP_PKEY *rsa1024 = EVP_RSA_gen(1024), *rsa2048 = EVP_RSA_gen(2048);
	struct {
		const char *name;
		struct cert_spec spec;
		bool taken;
	} rows[] = {
		{ "a root", { .cn = "Root", .ca = true }, true },
		{ "an RSA root", { .cn = "Root", .ca = true, .key = rsa2048 }, true },
		{ "an expired root", { .cn = "Root", .ca = true, .not_after = 1000 }, true },
		{ "no key usage", { .cn = "Root", .ca = true, .usage = "" }, true },
		{ "a device certificate", { 0 }, false },
		{ "no basic constraints", { .cn = "Root", .ca = true, .basic = "" }, false },
		{ "cannot sign", { .cn = "Root", .ca = true, .usage = "cRLSign" }, false },
		{ "version 1", { .cn = "R", .version = 1, .basic = "", .usage = "" }, false },
		{ "a weak key", { .cn = "Root", .ca = true, .key = rsa1024 }, false },
	};
	struct trust *t = trust_new();
	char why[CERT_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert c = cert_make(&rows[i].spec, NULL);

		check_row(rows[i].name, trust_add(t, cert_view(&c), why) == rows[i].taken);
		check_row(rows[i].name, (why[0] == '\0') == rows[i].taken);
		if (rows[i].taken)
			check_row(rows[i].name, trust_add(t, cert_view(&c), why)); /* again */
		check_row(rows[i].name, !trust_add(t, bytes_of(c.der, c.n - 1), why));
		cert_drop(&c);
	}
	check(!trust_add(t, bytes_of(NULL, 0), why));
	EVP_PKEY_free(rsa1024);
	EVP_PKEY_free(rsa2048);
	trust_free(t);
}

/* An anchor's own dates count as well: who lets a root expire has stopped trusting it. */
TEST(an_expired_anchor_anchors_nothing)
{
	struct cert_spec old = { .cn = "Root", .ca = true, .not_after = CERT_NOW - 1 };
	struct cert root = cert_make(&old, NULL);
	struct cert leaf = cert_make(&(struct cert_spec){ 0 }, &root);
	struct trust *t = trust_in(cert_view(&root));

	expect("expired root", CERT_EXPIRED, t, cert_view(&leaf), NULL, 0, CERT_NOW);
	expect("in its time", CERT_OK, t, cert_view(&leaf), NULL, 0, CERT_NOW - 10);
	trust_free(t);
	cert_drop(&leaf);
	cert_drop(&root);
}

/* ---- what others have made ---- */

static struct vector pts(json_t *root, const char *id)
{
	return vector_hex(json_object_get(vector_by_id(root, id), "input"), "der");
}

TEST(the_published_test_suite_chain_passes)
{
	static const char *const devices[] = { "cert-pts-device", "cert-pts-device-static-oob" };
	json_t *json = vectors_load("provisioning.json");
	struct vector root = pts(json, "cert-pts-root"),
		      middle = pts(json, "cert-pts-intermediate");
	struct bytes other = vector_view(&middle);
	struct trust *t = trust_in(vector_view(&root)), *pinned = trust_in(other);
	struct cert_facts facts;
	uint8_t uuid[UUID_LEN];
	char why[CERT_TEXT];

	check(uuid_parse("001BDC08-1021-0B0E-0A0C-000B0E0A0C00", uuid));
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		struct vector leaf = pts(json, devices[i]);
		struct vector key = vector_hex(
			json_object_get(vector_by_id(json, devices[i]), "expected"), "public_key");

		check_int(cert_check(t, vector_view(&leaf), &other, 1, uuid, CERT_NOW, &facts, why),
			  CERT_OK);
		check_mem(facts.public_key, key.octet, P256_PUBLIC);
		check_mem(facts.uuid, uuid, UUID_LEN);
		check(!facts.has_ids);
		check_int(cert_check(pinned, vector_view(&leaf), NULL, 0, uuid, CERT_NOW, &facts,
				     why),
			  CERT_OK);
		/* 2030-10-04T18:55:37Z, and a day before the certificate begins */
		check_int(
			cert_check(t, vector_view(&leaf), &other, 1, uuid, 1917370538, &facts, why),
			CERT_EXPIRED);
		check_int(
			cert_check(t, vector_view(&leaf), &other, 1, uuid, 1563389736, &facts, why),
			CERT_NOT_YET_VALID);
	}
	trust_free(t);
	trust_free(pinned);
	json_decref(json);
}

TEST(the_name_in_the_published_root_never_stands_for_the_device)
{
	json_t *json = vectors_load("provisioning.json");
	struct vector root = pts(json, "cert-pts-root");
	struct cert_facts facts;
	uint8_t uuid[UUID_LEN];
	char why[CERT_TEXT];
	struct trust *t = trust_in(vector_view(&root));

	check(uuid_parse("001BDC08-1021-0B0E-0A0C-000B0E0A0C00", uuid));
	check_int(cert_check(t, vector_view(&root), NULL, 0, uuid, CERT_NOW, &facts, why),
		  CERT_CHAIN);
	trust_free(t);
	json_decref(json);
}

TEST(the_published_draft_sample_parses_and_has_no_anchor)
{
	json_t *json = vectors_load("provisioning.json");
	struct vector root = pts(json, "cert-pts-root"), leaf = pts(json, "cert-draft-sample");
	struct trust *t = trust_in(vector_view(&root));
	struct cert_facts facts;
	uint8_t uuid[UUID_LEN];
	char why[CERT_TEXT];

	check(uuid_parse("b09dc847-5408-40cc-9c54-0fe8c87429e7", uuid));
	check_int(cert_check(t, vector_view(&leaf), NULL, 0, uuid, 1550000000, &facts, why),
		  CERT_UNTRUSTED);
	check_mem(facts.uuid, uuid, UUID_LEN);
	check_int(facts.not_before, 1542353686);
	trust_free(t);
	json_decref(json);
}

static struct vector file_read(const char *dir, const char *name)
{
	struct vector v;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.der", dir, name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s is missing", path);
	v.n = fread(v.octet, 1, sizeof(v.octet), f);
	fclose(f);
	check(v.n > 0);
	return v;
}

/* The chain and its bad variants come from the openssl command; it also says what it thinks. */
TEST(certificates_of_the_openssl_command_get_their_verdicts)
{
	static const struct {
		const char *file;
		enum cert_verdict verdict;
	} rows[] = {
		{ "good", CERT_OK },
		{ "bad_digest", CERT_MALFORMED },
		{ "bad_curve", CERT_KEY },
		{ "bad_rsa", CERT_KEY },
		{ "bad_ca", CERT_USAGE },
		{ "bad_usage", CERT_USAGE },
		{ "bad_server", CERT_USAGE },
		{ "bad_critical", CERT_USAGE },
		{ "bad_name", CERT_MALFORMED },
		{ "bad_uuid", CERT_UUID_MISMATCH },
		{ "bad_issuer", CERT_CHAIN },
	};
	const char *dir = BUILD_DIR "/tests/unit/openssl_chain";
	struct vector root, middle, good;
	struct cert_facts facts;
	struct bytes others[2];
	struct trust *t;

	check_int(system("sh " SOURCE_DIR "/tests/unit/openssl_chain.sh " BUILD_DIR
			 "/tests/unit/openssl_chain"),
		  0);
	root = file_read(dir, "root");
	middle = file_read(dir, "intermediate");
	good = file_read(dir, "good");
	others[0] = vector_view(&middle);
	others[1] = vector_view(&good);
	t = trust_in(vector_view(&root));
	check(cert_facts(vector_view(&good), &facts));
	check_int(facts.company, 0x00AA);
	check_int(facts.product, 0x00BB);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vector leaf = file_read(dir, rows[i].file);
		size_t n = strcmp(rows[i].file, "bad_issuer") == 0 ? 2 : 1;

		expect(rows[i].file, rows[i].verdict, t, vector_view(&leaf), others, n,
		       facts.not_before + 60);
	}
	trust_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_needs_a_configured_anchor),
		cmocka_unit_test(a_pinned_intermediate_is_anchor_enough),
		cmocka_unit_test(nothing_self_signed_comes_from_a_device),
		cmocka_unit_test(an_issuer_must_be_a_ca_in_every_respect),
		cmocka_unit_test(weak_issuers_are_refused),
		cmocka_unit_test(a_path_length_limit_holds),
		cmocka_unit_test(
			fifteen_intermediates_in_any_order_are_allowed_and_sixteen_are_not),
		cmocka_unit_test(a_chain_that_does_not_link_up_is_broken_and_not_just_unknown),
		cmocka_unit_test(a_device_with_the_key_of_its_issuer_is_refused),
		cmocka_unit_test(the_anchor_that_vouches_is_named),
		cmocka_unit_test(only_certification_authorities_become_anchors),
		cmocka_unit_test(an_expired_anchor_anchors_nothing),
		cmocka_unit_test(the_published_test_suite_chain_passes),
		cmocka_unit_test(the_name_in_the_published_root_never_stands_for_the_device),
		cmocka_unit_test(the_published_draft_sample_parses_and_has_no_anchor),
		cmocka_unit_test(certificates_of_the_openssl_command_get_their_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
