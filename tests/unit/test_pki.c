/* SPDX-License-Identifier: Apache-2.0 */
/* The factory's certificates, judged by our own checks and by the openssl command. */
#include "pki.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "certificate.h"
#include "check.h"

#define NOW   INT64_C(1800000000)
#define DAY   INT64_C(86400)
#define FILES BUILD_DIR "/tests/unit/pki"

struct factory {
	uint64_t seed;
	struct pki *pki;
};

static void on_random(void *ctx, void *out, size_t n)
{
	struct factory *f = ctx;
	uint8_t *o = out;

	for (size_t i = 0; i < n; i++) {
		f->seed = f->seed * 6364136223846793005u + 1442695040888963407u;
		o[i] = (uint8_t)(f->seed >> 40);
	}
}

static void factory_make(struct factory *f, uint64_t seed)
{
	struct pki_env env = { .random = on_random,
			       .ctx = f,
			       .organization = "Example Works",
			       .not_before = NOW - DAY,
			       .not_after = NOW + 3650 * DAY };

	f->seed = seed;
	f->pki = pki_new(&env);
}

static struct pki_device device(struct factory *f, enum pki_fault fault)
{
	struct pki_device d = { .company = 0x1234, .product = 0xABCD, .fault = fault };
	struct secret32 random, secret;

	on_random(f, d.uuid, sizeof(d.uuid));
	do
		on_random(f, random.octet, sizeof(random.octet));
	while (!p256_key_pair(&random, &secret, d.public_key));
	return d;
}

static enum cert_verdict check_device(struct factory *f, const struct pki_device *d,
				      struct cert_facts *facts)
{
	struct bytes other = pki_intermediate(f->pki, d->fault);
	struct trust *t = trust_new();
	char why[CERT_TEXT];
	enum cert_verdict v;
	uint8_t *der;
	size_t n;

	check(trust_add(t, pki_root(f->pki), why));
	der = pki_device_certificate(f->pki, d, &n);
	check(der != NULL);
	v = cert_check(t, bytes_of(der, n), &other, 1, d->uuid, NOW, facts, why);
	free(der);
	trust_free(t);
	return v;
}

TEST(each_kind_of_device_certificate_gets_its_verdict)
{
	static const struct {
		const char *name;
		enum pki_fault fault;
		enum cert_verdict verdict;
	} rows[] = {
		{ "good", PKI_GOOD, CERT_OK },
		{ "untrusted", PKI_UNTRUSTED, CERT_UNTRUSTED },
		{ "expired", PKI_EXPIRED, CERT_EXPIRED },
		{ "misnamed", PKI_MISNAMED, CERT_UUID_MISMATCH },
	};
	struct factory f;

	factory_make(&f, 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pki_device d = device(&f, rows[i].fault);
		struct cert_facts facts;

		check_row(rows[i].name, check_device(&f, &d, &facts) == rows[i].verdict);
		check_mem(facts.public_key, d.public_key, P256_PUBLIC);
		check_row(rows[i].name,
			  facts.has_ids && facts.company == 0x1234 && facts.product == 0xABCD);
	}
	pki_free(f.pki);
	pki_free(NULL);
}

TEST(a_certificate_fits_a_provisioning_record)
{
	struct factory f;

	factory_make(&f, 2);
	for (int i = 0; i < 50; i++) {
		struct pki_device d = device(&f, PKI_GOOD);
		size_t n;
		uint8_t *der = pki_device_certificate(f.pki, &d, &n);

		check(n > 400 && n < 600);
		free(der);
	}
	check(pki_intermediate(f.pki, PKI_GOOD).n < 600);
	pki_free(f.pki);
}

TEST(a_key_that_is_no_point_gets_no_certificate)
{
	struct pki_device d = { .company = 1 };
	struct factory f;
	size_t n;

	factory_make(&f, 3);
	check(pki_device_certificate(f.pki, &d, &n) == NULL);
	pki_free(f.pki);
}

TEST(the_same_seed_gives_the_same_authorities)
{
	struct factory a, b, c;
	struct cert_facts fa, fb, fc;

	factory_make(&a, 4);
	factory_make(&b, 4);
	factory_make(&c, 5);
	check(cert_facts(pki_root(a.pki), &fa) && cert_facts(pki_root(b.pki), &fb) &&
	      cert_facts(pki_root(c.pki), &fc));
	check_mem(fa.public_key, fb.public_key, P256_PUBLIC);
	check_str(fa.serial, fb.serial);
	check(memcmp(fa.public_key, fc.public_key, P256_PUBLIC) != 0);
	pki_free(a.pki);
	pki_free(b.pki);
	pki_free(c.pki);
}

static void put(const char *name, struct bytes b)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", FILES, name);
	f = fopen(path, "wb");
	check(f != NULL);
	check_int(fwrite(b.p, 1, b.n, f), b.n);
	fclose(f);
}

/* Exit status of openssl verify, strict, at the time of these tests. */
static int openssl_verify(const char *leaf, const char *intermediate)
{
	char command[1024];
	int rc;

	snprintf(command, sizeof(command),
		 "cd " FILES " && for f in %s %s; do openssl x509 -inform DER -in $f.der "
		 "-out $f.pem || exit 9; done; openssl verify -x509_strict -attime %lld "
		 "-CAfile ca.pem -untrusted %s.pem %s.pem >verify.txt 2>&1",
		 leaf, intermediate, (long long)NOW, intermediate, leaf);
	rc = system(command);
	return rc >= 0 && rc >> 8 != 9 ? rc >> 8 : -1;
}

TEST(the_openssl_command_agrees)
{
	static const struct {
		const char *name, *intermediate;
		enum pki_fault fault;
		bool accepted; /* openssl looks at no name */
	} rows[] = {
		{ "good", "issuing", PKI_GOOD, true },
		{ "untrusted", "unknown", PKI_UNTRUSTED, false },
		{ "expired", "issuing", PKI_EXPIRED, false },
		{ "misnamed", "issuing", PKI_MISNAMED, true },
	};
	struct factory f;
	char *pem, name[32];

	factory_make(&f, 6);
	mkdir(FILES, 0700);
	pem = pki_root_pem(f.pki);
	put("ca.pem", bytes_of(pem, strlen(pem)));
	free(pem);
	put("issuing.der", pki_intermediate(f.pki, PKI_GOOD));
	put("unknown.der", pki_intermediate(f.pki, PKI_UNTRUSTED));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pki_device d = device(&f, rows[i].fault);
		size_t n;
		uint8_t *der = pki_device_certificate(f.pki, &d, &n);

		snprintf(name, sizeof(name), "%s.der", rows[i].name);
		put(name, bytes_of(der, n));
		free(der);
		check_row(rows[i].name, openssl_verify(rows[i].name, rows[i].intermediate) ==
						(rows[i].accepted ? 0 : 2));
	}
	pki_free(f.pki);
}

static void on_pem(void *ctx, struct bytes der)
{
	struct bytes *want = ctx;

	check(bytes_equal(der, *want));
}

TEST(the_pem_text_is_the_root)
{
	struct factory f;
	struct bytes root;
	char *pem;

	factory_make(&f, 7);
	root = pki_root(f.pki);
	pem = pki_root_pem(f.pki);
	check_int(cert_each(bytes_of(pem, strlen(pem)), on_pem, &root), 1);
	free(pem);
	pki_free(f.pki);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_device_certificate_gets_its_verdict),
		cmocka_unit_test(a_certificate_fits_a_provisioning_record),
		cmocka_unit_test(a_key_that_is_no_point_gets_no_certificate),
		cmocka_unit_test(the_same_seed_gives_the_same_authorities),
		cmocka_unit_test(the_openssl_command_agrees),
		cmocka_unit_test(the_pem_text_is_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
