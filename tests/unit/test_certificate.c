/* SPDX-License-Identifier: Apache-2.0 */
/* One certificate under a good chain: the profile, the encoding, and what is shown of it. */
#include "certificate.h"

#include <openssl/pem.h>

#include "cert_site.h"
#include "check.h"

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
	  { .extra = { "policyConstraints", "requireExplicitPolicy:3", "certificatePolicies",
		       "critical,DER:3007300506032a0304" } },
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
		cmocka_unit_test(facts_say_what_the_certificate_says),
		cmocka_unit_test(facts_of_long_names_are_cut),
		cmocka_unit_test(certificates_are_found_in_pem_and_der),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
