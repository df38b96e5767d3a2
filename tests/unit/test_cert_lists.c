/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists, and the order of certificates that come without one. */
#include "cert_site.h"
#include "certificate.h"
#include "check.h"

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

TEST(the_list_of_a_root_reaches_a_pinned_intermediate)
{
	uint8_t crl[CERT_DER_MAX];
	char why[CERT_TEXT];
	struct cert leaf;
	struct site s;
	size_t n;

	site_make(&s);
	leaf = cert_make(&(struct cert_spec){ 0 }, &s.intermediate);
	check(trust_add(s.trust, cert_view(&s.intermediate), why));
	expect("pinned", CERT_OK, s.trust, cert_view(&leaf), s.others, 1, CERT_NOW);
	n = crl_make(&s.root, 4711, CERT_NOW - 100, CERT_NOW + 100, crl);
	check(trust_add_crl(s.trust, bytes_of(crl, n), why));
	expect("pinned and revoked", CERT_REVOKED, s.trust, cert_view(&leaf), s.others, 1,
	       CERT_NOW);
	cert_drop(&leaf);
	site_free(&s);
}

TEST(only_whole_lists_of_the_anchors_own_key_are_read)
{
	struct cert namesake = cert_make(&root_spec, NULL);
	uint8_t crl[CERT_DER_MAX], out[CERT_DER_MAX * 2];
	struct crl_facts facts;
	char why[CERT_TEXT];
	struct site s;
	size_t n, got;

	site_make(&s);
	n = crl_make(&s.root, 5, CERT_NOW - 100, CERT_NOW + 100, crl);
	check(crl_read(bytes_of(crl, n), cert_view(&s.root), out, &got, &facts, why));
	check_int(got, n);
	check_int(facts.issued, CERT_NOW - 100);
	check_int(facts.next_update, CERT_NOW + 100);
	check_int(facts.revoked, 1);
	check_str(why, "");
	check(!crl_read(bytes_of(crl, n), cert_view(&namesake), out, &got, &facts, why));
	check(strstr(why, "signature") != NULL);
	check(!crl_read(bytes_of(crl, n), cert_view(&s.intermediate), out, &got, &facts, why));
	check(strstr(why, "another issuer") != NULL);
	check(!crl_read(bytes_of(crl, n - 1), cert_view(&s.root), out, &got, &facts, why));
	crl[n - 1] ^= 1;
	check(!crl_read(bytes_of(crl, n), cert_view(&s.root), out, &got, &facts, why));
	check(!crl_read(bytes_of("x", 1), cert_view(&s.root), out, &got, &facts, why));
	cert_drop(&namesake);
	site_free(&s);
}

TEST(certificates_without_an_order_become_a_chain)
{
	struct cert first, second, leaf, twin, stray;
	struct bytes given[4], out[4];
	char why[CERT_TEXT];
	struct site s;

	site_make(&s);
	first = cert_make(&(struct cert_spec){ .cn = "First", .ca = true }, &s.root);
	second = cert_make(&(struct cert_spec){ .cn = "Second", .ca = true }, &first);
	leaf = cert_make(&(struct cert_spec){ 0 }, &second);
	twin = cert_make(&(struct cert_spec){ .o = "Twin" }, &second);
	stray = cert_make(&(struct cert_spec){ .cn = "Stray", .ca = true }, &s.root);
	given[0] = cert_view(&first);
	given[1] = cert_view(&leaf);
	given[2] = cert_view(&second);
	check_int(cert_arrange(given, 3, out, why), CERT_OK);
	check(out[0].p == leaf.der && out[1].p == second.der && out[2].p == first.der);
	given[3] = cert_view(&twin);
	check_int(cert_arrange(given, 4, out, why), CERT_CHAIN);
	given[3] = cert_view(&stray);
	check_int(cert_arrange(given, 4, out, why), CERT_CHAIN);
	given[3] = cert_view(&s.root);
	check_int(cert_arrange(given, 4, out, why), CERT_CHAIN);
	given[3] = bytes_of(leaf.der, leaf.n - 1);
	check_int(cert_arrange(given, 4, out, why), CERT_MALFORMED);
	check_int(cert_arrange(given, 1, out, why), CERT_CHAIN); /* no device's */
	check_int(cert_arrange(given, 0, out, why), CERT_CHAIN);
	cert_drop(&first);
	cert_drop(&second);
	cert_drop(&leaf);
	cert_drop(&twin);
	cert_drop(&stray);
	site_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_revoked_certificate_is_refused_wherever_it_stands),
		cmocka_unit_test(the_list_of_a_root_reaches_a_pinned_intermediate),
		cmocka_unit_test(only_whole_lists_of_the_anchors_own_key_are_read),
		cmocka_unit_test(certificates_without_an_order_become_a_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
