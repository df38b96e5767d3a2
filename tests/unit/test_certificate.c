/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "cert_maker.h"
#include "check.h"
#include "vectors.h"

static const char *const verdict_name[] = {
	[CERT_OK] = "ok",
	[CERT_MALFORMED] = "malformed",
	[CERT_UNTRUSTED] = "untrusted",
	[CERT_EXPIRED] = "expired",
	[CERT_NOT_YET_VALID] = "not yet valid",
	[CERT_REVOKED] = "revoked",
	[CERT_UUID_MISMATCH] = "uuid mismatch",
	[CERT_USAGE] = "usage",
	[CERT_KEY] = "key",
};

static struct trust *trust_in(struct bytes anchor)
{
	struct trust *t = trust_new();
	char why[CERT_TEXT];

	if (!trust_add(t, anchor, why))
		fail_msg("anchor: %s", why);
	check_str(why, "");
	return t;
}

/* Checks one chain, and that every refusal comes with a sentence and an empty error queue. */
static void expect(const char *row, enum cert_verdict want, const struct trust *t,
		   struct bytes leaf, const struct bytes *others, size_t n, int64_t now)
{
	struct cert_facts facts;
	char why[CERT_TEXT];
	uint8_t uuid[UUID_LEN];
	enum cert_verdict v;

	check(uuid_parse(CERT_UUID, uuid));
	ERR_clear_error();
	v = cert_check(t, leaf, others, n, uuid, (time_t)now, &facts, why);
	if (v != want)
		fail_msg("row \"%s\": %s instead of %s (%s)", row, verdict_name[v],
			 verdict_name[want], why);
	check_row(row, (why[0] == '\0') == (v == CERT_OK));
	check_row(row, v == CERT_OK || why[strlen(why) - 1] == '.');
	check_row(row, ERR_peek_error() == 0);
}

/* ---- one certificate under a good chain ---- */

struct site {
	struct cert root, intermediate;
	struct bytes others[1];
	struct trust *trust;
};

static const struct cert_spec root_spec = { .cn = "Root", .ca = true };
static const struct cert_spec intermediate_spec = { .cn = "Intermediate", .ca = true };

static void site_make(struct site *s)
{
	s->root = cert_make(&root_spec, NULL);
	s->intermediate = cert_make(&intermediate_spec, &s->root);
	s->others[0] = cert_view(&s->intermediate);
	s->trust = trust_in(cert_view(&s->root));
}

static void site_free(struct site *s)
{
	cert_drop(&s->root);
	cert_drop(&s->intermediate);
	trust_free(s->trust);
}

#define UUID_UPPER "001BDC08-1021-0B0E-0A0C-000B0E0A0C01"

static const struct {
	const char *name;
	struct cert_spec spec;
	enum cert_verdict verdict;
} leaf_rows[] = {
	{ "the form that we issue", { 0 }, CERT_OK },
	{ "UUID alone", { .cn = CERT_UUID }, CERT_OK },
	{ "UUID in upper case", { .cn = UUID_UPPER " BCID:00FF BPID:FF00" }, CERT_OK },
	{ "more white space", { .cn = CERT_UUID "  BCID:1234\tBPID:abcd" }, CERT_OK },
	{ "BPID first", { .cn = CERT_UUID " BPID:abcd BCID:1234" }, CERT_OK },
	{ "critical key usage", { .usage = "critical,keyAgreement" }, CERT_OK },
	{ "critical basic constraints", { .basic = "critical,CA:FALSE" }, CERT_OK },
	{ "cA written out as FALSE", { .basic = "DER:3003010100" }, CERT_OK },
	{ "unknown extension", { .extra = { "1.2.3.4.5", "DER:0500" } }, CERT_OK },
	{ "draft static OOB extension",
	  { .extra = { "2.25.234763379998062148653007332685657680359",
		       "DER:041000000000000000000102030405060708" } },
	  CERT_OK },
	{ "issuer's other name", { .extra = { "issuerAltName", "DNS:ca.example.com" } }, CERT_OK },
	{ "critical policies",
	  { .extra = { "certificatePolicies", "critical,DER:3007300506032a0304" } },
	  CERT_OK },
	{ "valid until just now", { .not_after = CERT_NOW + 1 }, CERT_OK },
	{ "valid since just now", { .not_before = CERT_NOW - 1 }, CERT_OK },

	{ "another UUID", { .cn = "001bdc08-1021-0b0e-0a0c-000b0e0a0c02" }, CERT_UUID_MISMATCH },
	{ "over a second ago", { .not_after = CERT_NOW - 1 }, CERT_EXPIRED },
	{ "starts in a second", { .not_before = CERT_NOW + 1 }, CERT_NOT_YET_VALID },

	{ "BCID without BPID", { .cn = CERT_UUID " BCID:1234" }, CERT_MALFORMED },
	{ "BPID without BCID", { .cn = CERT_UUID " BPID:1234" }, CERT_MALFORMED },
	{ "BCID twice", { .cn = CERT_UUID " BCID:1234 BCID:1234" }, CERT_MALFORMED },
	{ "BCID of three digits", { .cn = CERT_UUID " BCID:123 BPID:abcd" }, CERT_MALFORMED },
	{ "BCID of five digits", { .cn = CERT_UUID " BCID:12345 BPID:abcd" }, CERT_MALFORMED },
	{ "BCID not hexadecimal", { .cn = CERT_UUID " BCID:12g4 BPID:abcd" }, CERT_MALFORMED },
	{ "an extra word", { .cn = CERT_UUID " spare" }, CERT_MALFORMED },
	{ "an extra word at the end",
	  { .cn = CERT_UUID " BCID:1234 BPID:abcd x" },
	  CERT_MALFORMED },
	{ "two UUIDs", { .cn = CERT_UUID, .cn2 = CERT_UUID }, CERT_MALFORMED },
	{ "UUID not first", { .cn = "BCID:1234 BPID:abcd " CERT_UUID }, CERT_MALFORMED },
	{ "UUID without dashes", { .cn = "001bdc0810210b0e0a0c000b0e0a0c01" }, CERT_MALFORMED },
	{ "no UUID", { .cn = "lamp" }, CERT_MALFORMED },
	{ "white space alone", { .cn = "   " }, CERT_MALFORMED },
	{ "no common name", { .cn = "" }, CERT_MALFORMED },
	{ "no organization", { .o = "" }, CERT_MALFORMED },
	{ "version 2", { .version = 2 }, CERT_MALFORMED },
	{ "version 1 without extensions",
	  { .version = 1, .basic = "", .usage = "" },
	  CERT_MALFORMED },
	{ "policies that are not critical",
	  { .extra = { "certificatePolicies", "DER:3007300506032a0304" } },
	  CERT_MALFORMED },
	{ "unreadable basic constraints", { .basic = "DER:0101ff" }, CERT_MALFORMED },
	{ "unreadable key usage", { .usage = "DER:0500" }, CERT_MALFORMED },
	{ "key usage twice", { .extra = { "keyUsage", "keyAgreement" } }, CERT_MALFORMED },
	{ "an unknown extension twice",
	  { .extra = { "1.2.3.4.5", "DER:0500", "1.2.3.4.5", "DER:0500" } },
	  CERT_MALFORMED },

	{ "no key usage", { .usage = "" }, CERT_USAGE },
	{ "signing only", { .usage = "digitalSignature" }, CERT_USAGE },
	{ "signing too", { .usage = "keyAgreement,digitalSignature" }, CERT_USAGE },
	{ "encipher only too", { .usage = "keyAgreement,encipherOnly" }, CERT_USAGE },
	{ "decipher only too", { .usage = "keyAgreement,decipherOnly" }, CERT_USAGE },
	{ "an unnamed bit too", { .usage = "DER:030400080001" }, CERT_USAGE },
	{ "no basic constraints", { .basic = "" }, CERT_USAGE },
	{ "a CA", { .basic = "CA:TRUE" }, CERT_USAGE },
	{ "a CA that may sign",
	  { .basic = "CA:TRUE", .usage = "keyAgreement,keyCertSign" },
	  CERT_USAGE },
	{ "other name", { .extra = { "subjectAltName", "DNS:lamp.example.com" } }, CERT_USAGE },
	{ "name constraints",
	  { .extra = { "nameConstraints", "permitted;DNS:example.com" } },
	  CERT_USAGE },
	{ "policy mappings",
	  { .extra = { "policyMappings", "DER:300c300a06032a030406032a0305" } },
	  CERT_USAGE },
	{ "policy constraints",
	  { .extra = { "policyConstraints", "requireExplicitPolicy:3" } },
	  CERT_USAGE },
	{ "extended key usage", { .extra = { "extendedKeyUsage", "serverAuth" } }, CERT_USAGE },
	{ "critical extended key usage",
	  { .extra = { "extendedKeyUsage", "critical,clientAuth" } },
	  CERT_USAGE },
	{ "inhibit any policy", { .extra = { "inhibitAnyPolicy", "2" } }, CERT_USAGE },
	{ "unknown critical extension",
	  { .extra = { "1.2.3.4.5", "critical,DER:0500" } },
	  CERT_USAGE },
};

TEST(each_rule_of_the_profile_decides)
{
	struct site s;

	site_make(&s);
	for (size_t i = 0; i < ARRAY_LEN(leaf_rows); i++) {
		struct cert leaf = cert_make(&leaf_rows[i].spec, &s.intermediate);

		expect(leaf_rows[i].name, leaf_rows[i].verdict, s.trust, cert_view(&leaf), s.others,
		       1, CERT_NOW);
		cert_drop(&leaf);
	}
	site_free(&s);
}

TEST(a_path_length_in_a_device_certificate_is_a_usage_fault)
{
	struct cert_spec spec = { .basic = "DER:3003020100" }; /* cA absent, pathLen 0 */
	struct cert leaf;
	struct site s;

	site_make(&s);
	leaf = cert_make(&spec, &s.intermediate);
	expect("pathLen", CERT_USAGE, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	cert_drop(&leaf);
	site_free(&s);
}

TEST(other_signature_algorithms_are_refused)
{
	struct site s;
	struct {
		const char *name;
		struct cert_spec spec;
		enum cert_verdict verdict;
	} rows[] = {
		{ "SHA-384", { .md = EVP_sha384() }, CERT_MALFORMED },
		{ "SHA-512", { .md = EVP_sha512() }, CERT_MALFORMED },
		{ "SHA-1", { .md = EVP_sha1() }, CERT_UNTRUSTED }, /* too weak for any path */
	};

	site_make(&s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cert leaf = cert_make(&rows[i].spec, &s.intermediate);

		expect(rows[i].name, rows[i].verdict, s.trust, cert_view(&leaf), s.others, 1,
		       CERT_NOW);
		cert_drop(&leaf);
	}
	site_free(&s);
}

TEST(a_name_with_a_zero_octet_hides_nothing)
{
	static const char cn[] = CERT_UUID "\0.example.com";
	struct cert leaf;
	struct site s;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ .cn = "" }, &s.intermediate);
	check_int(X509_NAME_add_entry_by_NID(X509_get_subject_name(leaf.x), NID_commonName,
					     MBSTRING_UTF8, (const uint8_t *)cn, sizeof(cn) - 1, -1,
					     0),
		  1);
	check(X509_sign(leaf.x, s.intermediate.key, EVP_sha256()) > 0);
	leaf.n = (size_t)i2d_X509(leaf.x, &(uint8_t *){ leaf.der });
	expect("zero octet", CERT_MALFORMED, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	cert_drop(&leaf);
	site_free(&s);
}

TEST(keys_that_are_no_p256_points_are_refused)
{
	EVP_PKEY *keys[] = { EVP_EC_gen("P-384"), EVP_RSA_gen(2048), EVP_EC_gen("P-256"),
			     EVP_EC_gen("P-256"), EVP_EC_gen("secp256k1") };
	static const char *const names[] = { "P-384", "RSA", "compressed", "explicit parameters",
					     "secp256k1" };
	struct site s;

	check_int(EVP_PKEY_set_utf8_string_param(
			  keys[2], OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, "compressed"),
		  1);
	check_int(EVP_PKEY_set_utf8_string_param(keys[3], OSSL_PKEY_PARAM_EC_ENCODING, "explicit"),
		  1);
	site_make(&s);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct cert_spec spec = { .key = keys[i] };
		struct cert leaf = cert_make(&spec, &s.intermediate);

		expect(names[i], CERT_KEY, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
		cert_drop(&leaf);
		EVP_PKEY_free(keys[i]);
	}
	site_free(&s);
}

/* Changes the public key inside a certificate; the signature is then wrong as well, but the key
 * must not even get so far. */
TEST(a_point_off_the_curve_is_refused_as_a_key)
{
	uint8_t point[1 + P256_PUBLIC], *at;
	size_t n = 0;
	struct cert leaf;
	struct site s;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	check_int(EVP_PKEY_get_octet_string_param(leaf.key, OSSL_PKEY_PARAM_PUB_KEY, point,
						  sizeof(point), &n),
		  1);
	at = memmem(leaf.der, leaf.n, point, sizeof(point));
	check(at != NULL);
	at[P256_PUBLIC] ^= 1;
	expect("off the curve", CERT_KEY, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	cert_drop(&leaf);
	site_free(&s);
}

/* ---- octets ---- */

TEST(only_whole_der_is_a_certificate)
{
	struct cert leaf;
	uint8_t copy[CERT_DER_MAX + 1];
	struct site s;
	struct bytes none = bytes_of(NULL, 0);

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	memcpy(copy, leaf.der, leaf.n);
	copy[leaf.n] = 0;
	expect("one octet too many", CERT_MALFORMED, s.trust, bytes_of(copy, leaf.n + 1), s.others,
	       1, CERT_NOW);
	expect("nothing", CERT_MALFORMED, s.trust, none, s.others, 1, CERT_NOW);
	expect("empty intermediate", CERT_MALFORMED, s.trust, cert_view(&leaf), &none, 1, CERT_NOW);
	for (size_t n = 0; n < leaf.n; n++)
		expect("cut", CERT_MALFORMED, s.trust, bytes_of(copy, n), s.others, 1, CERT_NOW);
	memcpy(copy, s.intermediate.der, s.intermediate.n);
	copy[s.intermediate.n] = 0;
	expect("intermediate with a tail", CERT_MALFORMED, s.trust, cert_view(&leaf),
	       &(struct bytes){ copy, s.intermediate.n + 1 }, 1, CERT_NOW);
	cert_drop(&leaf);
	site_free(&s);
}

TEST(no_changed_octet_is_accepted)
{
	struct cert leaf;
	struct site s;
	uint8_t uuid[UUID_LEN];
	char why[CERT_TEXT];
	struct cert_facts facts;

	check(uuid_parse(CERT_UUID, uuid));
	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	for (size_t i = 0; i < 8 * leaf.n; i += 3) {
		leaf.der[i / 8] ^= (uint8_t)(1 << i % 8);
		if (cert_check(s.trust, cert_view(&leaf), s.others, 1, uuid, CERT_NOW, &facts,
			       why) == CERT_OK)
			fail_msg("bit %zu changed, and accepted", i);
		leaf.der[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	expect("unchanged", CERT_OK, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	cert_drop(&leaf);
	site_free(&s);
}

/* ---- chains ---- */

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
	expect("the root sent along", CERT_UNTRUSTED, s.trust, cert_view(&leaf), with_root, 2,
	       CERT_NOW);
	expect("a self-signed device", CERT_UNTRUSTED, s.trust, cert_view(&self), NULL, 0,
	       CERT_NOW);
	expect("the root as device", CERT_UNTRUSTED, s.trust, cert_view(&s.root), NULL, 0,
	       CERT_NOW);
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
		{ "a device as issuer", { .cn = "x" }, CERT_UNTRUSTED },
		{ "no basic constraints", { .cn = "x", .ca = true, .basic = "" }, CERT_UNTRUSTED },
		{ "may not sign", { .cn = "x", .ca = true, .usage = "cRLSign" }, CERT_UNTRUSTED },
		{ "no key usage", { .cn = "x", .ca = true, .usage = "" }, CERT_OK },
		{ "not critical", { .cn = "x", .ca = true, .basic = "CA:TRUE" }, CERT_OK },
		{ "version 1",
		  { .cn = "x", .version = 1, .basic = "", .usage = "" },
		  CERT_UNTRUSTED },
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
		    .extra = { "policyConstraints", "requireExplicitPolicy:0" } },
		  CERT_UNTRUSTED },
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
	expect("one CA too many", CERT_UNTRUSTED, s.trust, cert_view(&leaf), others, 2, CERT_NOW);
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
	expect("sixteen", CERT_UNTRUSTED, s.trust, cert_view(&leaf), others, CERT_CHAIN_MAX + 1,
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

TEST(a_revoked_certificate_is_refused_wherever_it_stands)
{
	uint8_t crl[CERT_DER_MAX];
	char why[CERT_TEXT];
	struct cert leaf;
	struct site s;
	size_t n;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	n = crl_make(&s.intermediate, 1, CERT_NOW - 100, CERT_NOW + 100, crl);
	check(trust_add_crl(s.trust, bytes_of(crl, n), why));
	expect("another one", CERT_OK, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	expect("an old list about another one", CERT_OK, s.trust, cert_view(&leaf), s.others, 1,
	       CERT_NOW + 500);
	trust_free(s.trust);
	s.trust = trust_in(cert_view(&s.root));
	n = crl_make(&s.intermediate, 4711, CERT_NOW - 100, CERT_NOW + 100, crl);
	check(trust_add_crl(s.trust, bytes_of(crl, n), why));
	expect("the device", CERT_REVOKED, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	expect("by an old list", CERT_REVOKED, s.trust, cert_view(&leaf), s.others, 1,
	       CERT_NOW + 500);
	trust_free(s.trust);
	s.trust = trust_in(cert_view(&s.root));
	n = crl_make(&s.root, 4711, CERT_NOW - 100, CERT_NOW + 100, crl);
	check(trust_add_crl(s.trust, bytes_of(crl, n), why));
	expect("its issuer", CERT_REVOKED, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	check(!trust_add_crl(s.trust, bytes_of(crl, n - 1), why));
	check(why[0] != '\0');
	check(!trust_add_crl(s.trust, cert_view(&leaf), why));
	check(!trust_add_crl(s.trust, bytes_of(NULL, 0), why));
	cert_drop(&leaf);
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
		  CERT_UNTRUSTED);
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
		{ "bad_issuer", CERT_UNTRUSTED },
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

/* ---- facts and lists ---- */

TEST(facts_say_what_the_certificate_says)
{
	struct cert_facts facts;
	uint8_t uuid[UUID_LEN], hash[32];
	struct cert leaf;
	struct site s;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ .o = "L\xc3\xa4mp \"\nWorks\"" }, &s.intermediate);
	check(cert_facts(cert_view(&leaf), &facts));
	check(uuid_parse(CERT_UUID, uuid));
	check_mem(facts.uuid, uuid, UUID_LEN);
	check(facts.has_ids);
	check_int(facts.company, 0x1234);
	check_int(facts.product, 0xabcd);
	check_int(facts.not_before, CERT_NOW - 1000);
	check_int(facts.not_after, CERT_NOW + 1000);
	check_str(facts.serial, "1267");
	check_str(facts.issuer, "O=Example Works, CN=Intermediate");
	check(strstr(facts.subject, "CN=" CERT_UUID " BCID:1234 BPID:abcd") != NULL);
	for (const char *c = facts.subject; *c; c++)
		check(*c >= ' ' && *c <= '~');
	sha256(cert_view(&leaf), hash);
	check_mem(facts.fingerprint, hash, 32);
	check(!cert_facts(bytes_of(leaf.der, leaf.n - 1), &facts));
	check_str(facts.subject, "");
	cert_drop(&leaf);
	site_free(&s);
}

TEST(facts_of_long_names_are_cut)
{
	struct cert_facts facts;
	char long_name[65];
	struct cert c;

	memset(long_name, '\x01', 64); /* each is shown as three characters */
	long_name[64] = '\0';
	c = cert_make(&(struct cert_spec){ .o = long_name, .cn = long_name }, NULL);
	check(cert_facts(cert_view(&c), &facts));
	check_int(strlen(facts.subject), CERT_TEXT - 1);
	cert_drop(&c);
}

struct found {
	int n;
	uint8_t first[CERT_FINGERPRINT], last[CERT_FINGERPRINT];
};

static void on_each(void *ctx, struct bytes der)
{
	struct found *f = ctx;

	sha256(der, f->n++ == 0 ? f->first : f->last);
}

static size_t to_pem(const struct cert *c, char *out, size_t cap)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n;

	check_int(PEM_write_bio_X509(bio, c->x), 1);
	n = BIO_read(bio, out, (int)cap);
	check(n > 0);
	BIO_free(bio);
	return (size_t)n;
}

static int count_in(const char *text, size_t n)
{
	struct found f = { 0 };
	int found;

	ERR_clear_error();
	found = cert_each(bytes_of(text, n), on_each, &f);

	check_int(f.n, found < 0 ? 0 : found);
	check_int(ERR_peek_error(), 0);
	return found;
}

TEST(certificates_are_found_in_pem_and_der)
{
	static const char key[] = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
	static const char sealed[] = "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"
				     "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\n"
				     "MAA=\n-----END CERTIFICATE-----\n";
	char text[8192];
	struct found f = { 0 };
	uint8_t hash[32];
	size_t n = 0, first;
	struct site s;

	site_make(&s);
	n += (size_t)snprintf(text, sizeof(text), "# our roots\n");
	n += first = to_pem(&s.root, text + n, sizeof(text) - n);
	check_int(count_in(text, n), 1);
	memcpy(text + n, key, sizeof(key) - 1);
	n += sizeof(key) - 1;
	check_int(count_in(text, n), 1);
	n += to_pem(&s.intermediate, text + n, sizeof(text) - n);
	check_int(cert_each(bytes_of(text, n), on_each, &f), 2);
	sha256(cert_view(&s.root), hash);
	check_mem(f.first, hash, 32);
	sha256(cert_view(&s.intermediate), hash);
	check_mem(f.last, hash, 32);
	memcpy(text + n, sealed, sizeof(sealed) - 1);
	check_int(count_in(text, n + sizeof(sealed) - 1), 2);
	text[40 + first / 2] = '*';
	check_int(count_in(text, n), -1);

	check_int(count_in((const char *)s.root.der, s.root.n), 1);
	check_int(count_in((const char *)s.root.der, s.root.n - 1), -1);
	check_int(count_in(key, sizeof(key) - 1), -1);
	check_int(count_in("hello", 5), -1);
	check_int(count_in(NULL, 0), -1);
	site_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_of_the_profile_decides),
		cmocka_unit_test(a_path_length_in_a_device_certificate_is_a_usage_fault),
		cmocka_unit_test(other_signature_algorithms_are_refused),
		cmocka_unit_test(a_name_with_a_zero_octet_hides_nothing),
		cmocka_unit_test(keys_that_are_no_p256_points_are_refused),
		cmocka_unit_test(a_point_off_the_curve_is_refused_as_a_key),
		cmocka_unit_test(only_whole_der_is_a_certificate),
		cmocka_unit_test(no_changed_octet_is_accepted),
		cmocka_unit_test(a_device_needs_a_configured_anchor),
		cmocka_unit_test(a_pinned_intermediate_is_anchor_enough),
		cmocka_unit_test(nothing_self_signed_comes_from_a_device),
		cmocka_unit_test(an_issuer_must_be_a_ca_in_every_respect),
		cmocka_unit_test(weak_issuers_are_refused),
		cmocka_unit_test(a_path_length_limit_holds),
		cmocka_unit_test(
			fifteen_intermediates_in_any_order_are_allowed_and_sixteen_are_not),
		cmocka_unit_test(a_revoked_certificate_is_refused_wherever_it_stands),
		cmocka_unit_test(only_certification_authorities_become_anchors),
		cmocka_unit_test(an_expired_anchor_anchors_nothing),
		cmocka_unit_test(the_published_test_suite_chain_passes),
		cmocka_unit_test(the_name_in_the_published_root_never_stands_for_the_device),
		cmocka_unit_test(the_published_draft_sample_parses_and_has_no_anchor),
		cmocka_unit_test(certificates_of_the_openssl_command_get_their_verdicts),
		cmocka_unit_test(facts_say_what_the_certificate_says),
		cmocka_unit_test(facts_of_long_names_are_cut),
		cmocka_unit_test(certificates_are_found_in_pem_and_der),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
