/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "check.h"
#include "db_devices.h"
#include "db_world.h"

TEST(what_an_extended_scan_brought_is_not_lost_by_later_writes)
{
	struct db_device d = { .uuid = { 7 }, .heard = true }, out;
	struct db_device_scan scan = { .local_name = "L\xc3\xbcx",
				       .uri = "https://a.b",
				       .has_appearance = true,
				       .appearance = 0x07C2,
				       .tx_power = -12,
				       .ads_len = 3,
				       .ads = { 2, 9, 'L' },
				       .at = 1234 };
	struct db_world w;

	db_world_init(&w);
	check_int(db_device_set_scan(w.db, d.uuid, &scan), DB_NONE);
	check_int(db_device_put(w.db, &d), DB_OK);
	check_int(db_device_get(w.db, d.uuid, &out), DB_OK);
	check(!out.scan.has_appearance && out.scan.tx_power == 127 && out.scan.at == 0);
	check_int(db_device_set_scan(w.db, d.uuid, &scan), DB_OK);
	check_int(db_device_put(w.db, &d), DB_OK);
	check_int(db_device_get(w.db, d.uuid, &out), DB_OK);
	check_str(out.scan.local_name, scan.local_name);
	check_str(out.scan.uri, scan.uri);
	check(out.scan.has_appearance && out.scan.appearance == 0x07C2);
	check_int(out.scan.tx_power, -12);
	check_int(out.scan.ads_len, 3);
	check_mem(out.scan.ads, scan.ads, 3);
	check_int(out.scan.at, 1234);
	db_world_free(&w);
}

TEST(a_device_that_was_deleted_is_not_weaker_when_it_comes_back)
{
	struct db_device d = { .uuid = { 7 }, .saw_hmac = true }, out;
	bool hmac, certificates;
	struct db_world w;

	db_world_init(&w);
	check_int(db_device_put(w.db, &d), DB_OK);
	check_int(db_device_memory(w.db, d.uuid, &hmac, &certificates), DB_NONE);
	check_int(db_device_delete(w.db, d.uuid), DB_OK);
	check_int(db_device_get(w.db, d.uuid, &out), DB_NONE);
	check_int(db_device_memory(w.db, d.uuid, &hmac, &certificates), DB_OK);
	check(hmac && !certificates);
	d.saw_hmac = false;
	d.saw_certificates = true; /* a second life, and a second end */
	check_int(db_device_put(w.db, &d), DB_OK);
	check_int(db_device_get(w.db, d.uuid, &out), DB_OK);
	check(out.saw_hmac && out.saw_certificates);
	check_int(db_device_delete(w.db, d.uuid), DB_OK);
	check_int(db_device_memory(w.db, d.uuid, &hmac, &certificates), DB_OK);
	check(hmac && certificates);
	db_world_free(&w);
}

static unsigned put(struct db_world *w, uint8_t id, bool listed, enum db_trust trust, int64_t heard)
{
	struct db_device d = {
		.uuid = { id }, .listed = listed, .trust = trust, .heard = true, .last_heard = heard
	};

	check_int(db_device_put(w->db, &d), DB_OK);
	return id;
}

static bool gone(void *ctx, const uint8_t uuid[UUID_LEN])
{
	unsigned *ids = ctx;

	if (uuid[0] == 4)
		return false;
	*ids |= 1u << uuid[0];
	return true;
}

TEST(the_oldest_devices_of_nobodys_go_first)
{
	struct db_world w;
	struct db_device out;
	unsigned ids = 0;

	db_world_init(&w);
	put(&w, 1, true, DB_TRUST_UNKNOWN, 1);	 /* on a list */
	put(&w, 2, false, DB_TRUST_REJECTED, 2); /* never forgotten */
	put(&w, 3, false, DB_TRUST_UNKNOWN, 5);
	put(&w, 4, false, DB_TRUST_UNKNOWN, 3); /* kept by the word of the caller */
	put(&w, 5, false, DB_TRUST_TRUSTED, 4);
	put(&w, 6, false, DB_TRUST_UNKNOWN, 6);
	check_int(db_devices_trim(w.db, 5, gone, &ids), DB_OK);
	check_int(ids, 0);
	check_int(db_devices_trim(w.db, 2, gone, &ids), DB_OK);
	check_int(ids, 1u << 5 | 1u << 3);
	check_int(db_device_get(w.db, (const uint8_t[UUID_LEN]){ 3 }, &out), DB_NONE);
	check_int(db_device_get(w.db, (const uint8_t[UUID_LEN]){ 4 }, &out), DB_OK);
	check_int(db_device_get(w.db, (const uint8_t[UUID_LEN]){ 6 }, &out), DB_OK);
	db_world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_extended_scan_brought_is_not_lost_by_later_writes),
		cmocka_unit_test(a_device_that_was_deleted_is_not_weaker_when_it_comes_back),
		cmocka_unit_test(the_oldest_devices_of_nobodys_go_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
