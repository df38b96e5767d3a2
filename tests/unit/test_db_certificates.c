/* SPDX-License-Identifier: Apache-2.0 */
#include "db_certificates.h"

#include "check.h"
#include "db_devices.h"
#include "db_world.h"

static const uint8_t one[UUID_LEN] = { 1 }, two[UUID_LEN] = { 2 };

struct seen {
	unsigned n;
	char text[64];
	enum db_chain_source source;
	int64_t at;
};

static void see(void *ctx, const struct db_chain_link *l)
{
	struct seen *s = ctx;

	check_int(l->place, s->n++);
	strncat(s->text, (const char *)l->der.p, l->der.n);
	s->source = l->source;
	s->at = l->at;
}

static struct bytes text(const char *t)
{
	return bytes_of((const uint8_t *)t, strlen(t));
}

TEST(chains_share_their_issuers_and_leave_nothing_behind)
{
	const struct bytes a[] = { text("a"), text("ISSUER") }, b[] = { text("b"), text("ISSUER") };
	struct seen s = { 0 };
	struct db_world w;

	db_world_init(&w);
	check_int(db_chain_put(w.db, one, a, 2, DB_CHAIN_FETCHED, 7), DB_OK);
	check_int(db_chain_put(w.db, two, b, 2, DB_CHAIN_DEVICE, 8), DB_OK);
	check_int(db_commit(w.db), DB_OK);
	db_world_crash(&w);
	check_int(db_chain(w.db, one, see, &s), DB_OK);
	check_str(s.text, "aISSUER");
	check_int(s.source, DB_CHAIN_FETCHED);
	check_int(s.at, 7);
	check_int(db_chain_put(w.db, one, b, 1, DB_CHAIN_DEVICE, 9), DB_OK); /* replaces */
	s = (struct seen){ 0 };
	check_int(db_chain(w.db, one, see, &s), DB_OK);
	check_str(s.text, "b");
	check_int(db_chain_delete(w.db, one), DB_OK);
	check_int(db_chain_delete(w.db, one), DB_NONE);
	check_int(db_chain(w.db, one, see, &s), DB_NONE);
	s = (struct seen){ 0 };
	check_int(db_chain(w.db, two, see, &s), DB_OK); /* the other kept what they shared */
	check_str(s.text, "bISSUER");
	db_world_free(&w);
}

TEST(places_and_products_of_devices_are_kept_until_they_are_forgotten)
{
	struct db_device_uri u = { .uri = "https://a.example/", .recorded = true, .at = 5 }, got;
	struct db_product p = { 0x02E5, -1 }, back;
	struct db_device d = { .uuid = { 1 }, .best_rssi = 127 };
	struct bytes der = text("der");
	struct seen s = { 0 };
	struct db_world w;

	db_world_init(&w);
	check_int(db_device_uri_get(w.db, one, &got), DB_NONE);
	check_int(db_device_uri_put(w.db, one, &u), DB_OK);
	check_int(db_device_uri_get(w.db, one, &got), DB_OK);
	check_str(got.uri, u.uri);
	check(got.recorded);
	check_int(db_device_product_get(w.db, one, &back), DB_NONE);
	check_int(back.company, -1);
	check_int(db_device_product_put(w.db, one, &p), DB_OK);
	check_int(db_device_product_get(w.db, one, &back), DB_OK);
	check_int(back.company, 0x02E5);
	check_int(back.product, -1);
	check_int(db_device_product_put(w.db, one, &(struct db_product){ -1, -1 }), DB_OK);
	check_int(db_device_product_get(w.db, one, &back), DB_NONE);
	check_int(db_device_product_put(w.db, one, &p), DB_OK);
	check_int(db_device_put(w.db, &d), DB_OK);
	check_int(db_chain_put(w.db, one, &der, 1, DB_CHAIN_FETCHED, 1), DB_OK);
	check_int(db_device_delete(w.db, one), DB_OK);
	check_int(db_chain(w.db, one, see, &s), DB_NONE);
	check_int(db_device_uri_get(w.db, one, &got), DB_NONE);
	check_int(db_device_product_get(w.db, one, &back), DB_NONE);
	db_world_free(&w);
}

static void count(void *ctx, const struct db_crl *c)
{
	*(size_t *)ctx += c->der.n;
}

TEST(a_revocation_list_goes_with_its_anchor)
{
	struct db_anchor a = { .der = text("anchor") };
	struct db_crl c = { .issued = 1, .next_update = 2, .revoked = 3, .der = text("list") }, got;
	struct db_world w;
	size_t n = 0;

	db_world_init(&w);
	c.anchor = 77;
	check_int(db_crl_put(w.db, &c), DB_NONE);
	check_int(db_anchor_insert(w.db, &a, &c.anchor), DB_OK);
	check_int(db_crl_put(w.db, &c), DB_OK);
	c.issued = 9;
	check_int(db_crl_put(w.db, &c), DB_OK);
	check_int(db_crl_get(w.db, c.anchor, &got), DB_OK);
	check_int(got.issued, 9);
	check_int(got.revoked, 3);
	check_int(db_crls(w.db, count, &n), DB_OK);
	check_int(n, 4);
	check_int(db_anchor_delete(w.db, c.anchor), DB_OK);
	check_int(db_crl_get(w.db, c.anchor, &got), DB_NONE);
	check_int(db_crl_delete(w.db, c.anchor), DB_NONE);
	db_world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains_share_their_issuers_and_leave_nothing_behind),
		cmocka_unit_test(places_and_products_of_devices_are_kept_until_they_are_forgotten),
		cmocka_unit_test(a_revocation_list_goes_with_its_anchor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
