/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "db_network.h"
#include "db_world.h"

static const uint8_t uuid[UUID_LEN] = { 1, 2, 3 };

static uint16_t reserve(struct db_world *w, uint8_t count, uint32_t iv)
{
	uint16_t first = 0;

	check_int(db_address_reserve(w->db, count, uuid, iv, &first), DB_OK);
	return first;
}

TEST(ranges_go_upward_from_two_without_gaps)
{
	struct db_world w;

	db_world_init(&w);
	check_int(reserve(&w, 1, 0), 0x0002);
	check_int(reserve(&w, 4, 0), 0x0003);
	check_int(reserve(&w, 1, 0), 0x0007);
	check_int(db_address_release(w.db, 0x0003), DB_OK);
	check_int(reserve(&w, 5, 0), 0x0008); /* does not fit into the gap of four */
	check_int(reserve(&w, 4, 0), 0x0003);
	db_world_free(&w);
}

TEST(what_was_offered_comes_back_only_as_the_iv_index_says)
{
	static const struct {
		const char *name;
		enum db_address_state state;
		uint32_t later;
		bool again;
	} rows[] = {
		{ "reserved stays", DB_ADDRESS_RESERVED, 100, false },
		{ "used stays", DB_ADDRESS_USED, 100, false },
		{ "burnt stays for ever", DB_ADDRESS_BURNT, 100, false },
		{ "excluded, same index", DB_ADDRESS_EXCLUDED, 0, false },
		{ "excluded, one later", DB_ADDRESS_EXCLUDED, 1, false },
		{ "excluded, two later", DB_ADDRESS_EXCLUDED, 2, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct db_world w;
		db_world_init(&w);
		uint16_t first = reserve(&w, 3, 7);

		check_int(db_address_set(w.db, first, rows[i].state, 7), DB_OK);
		check_row(rows[i].name,
			  (reserve(&w, 3, 7 + rows[i].later) == first) == rows[i].again);
		db_world_free(&w);
	}
}

TEST(only_a_reservation_can_be_released)
{
	struct db_world w;

	db_world_init(&w);
	uint16_t first = reserve(&w, 2, 0);
	check_int(db_address_set(w.db, first, DB_ADDRESS_BURNT, 0), DB_OK);
	check_int(db_address_release(w.db, first), DB_NONE);
	check_int(db_address_set(w.db, first, DB_ADDRESS_USED, 0), DB_OK);
	check_int(db_address_release(w.db, first), DB_NONE);
	db_world_free(&w);
}

TEST(a_claim_that_overlaps_is_refused)
{
	struct db_world w;

	db_world_init(&w);
	check_int(db_address_claim(w.db, 0x0010, 4, uuid, 0), DB_OK);
	check_int(db_address_claim(w.db, 0x0013, 1, uuid, 0), DB_CONFLICT);
	check_int(db_address_claim(w.db, 0x000E, 3, uuid, 0), DB_CONFLICT);
	check_int(db_address_claim(w.db, 0x0014, 1, uuid, 0), DB_OK);
	check_int(reserve(&w, 14, 0), 0x0002); /* exactly up to the claim */
	db_world_free(&w);
}

TEST(the_space_ends_at_the_last_unicast_address)
{
	struct db_world w;
	uint16_t first;
	uint32_t left;

	db_world_init(&w);
	check_int(db_address_claim(w.db, 1, 1, uuid, 0), DB_OK);
	for (uint32_t at = 2; at < 0x7FF0; at += 254)
		check_int(db_address_claim(w.db, (uint16_t)at,
					   (uint16_t)(at + 254 > 0x7FF0 ? 0x7FF0 - at : 254), uuid,
					   0),
			  DB_OK);
	check_int(db_address_free_count(w.db, 0, &left), DB_OK);
	check_int(left, 16);
	check_int(reserve(&w, 16, 0), 0x7FF0);
	check_int(db_address_reserve(w.db, 1, uuid, 0, &first), DB_NONE);
	check_int(db_address_reserve(w.db, 0, uuid, 0, &first), DB_CONFLICT);
	db_world_free(&w);
}

struct seen {
	uint32_t next;
	int overlaps;
};

static void no_overlap(void *ctx, const struct db_address *a)
{
	struct seen *s = ctx;

	if (a->first < s->next)
		s->overlaps++;
	s->next = (uint32_t)a->first + a->count;
}

TEST(no_two_ranges_ever_overlap_whatever_happens)
{
	struct db_world w;
	uint64_t seed = 2;
	uint32_t iv = 0;
	uint16_t last = 2;

	db_world_init(&w);
	for (int i = 0; i < 2000; i++) {
		uint8_t r[4];
		struct seen s = { 0 };

		db_world_random(&seed, r, sizeof r);
		if (r[0] < 160)
			last = reserve(&w, (uint8_t)(1 + r[1] % 8), iv);
		else if (r[0] < 220)
			db_address_set(w.db, (uint16_t)(2 + (r[1] << 8 | r[2]) % (last + 1)),
				       (enum db_address_state)(r[3] % 4), iv);
		else if (r[0] < 240)
			db_address_release(w.db, (uint16_t)(2 + (r[1] << 8 | r[2]) % (last + 1)));
		else
			iv++;
		if (i % 50 == 0) {
			check_int(db_addresses(w.db, no_overlap, &s), DB_OK);
			check_int(s.overlaps, 0);
		}
	}
	db_world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_go_upward_from_two_without_gaps),
		cmocka_unit_test(what_was_offered_comes_back_only_as_the_iv_index_says),
		cmocka_unit_test(only_a_reservation_can_be_released),
		cmocka_unit_test(a_claim_that_overlaps_is_refused),
		cmocka_unit_test(the_space_ends_at_the_last_unicast_address),
		cmocka_unit_test(no_two_ranges_ever_overlap_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
