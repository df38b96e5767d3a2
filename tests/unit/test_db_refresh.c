/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "db_network.h"
#include "db_nodes.h"
#include "db_refresh.h"
#include "db_world.h"

static const uint8_t uuid[UUID_LEN] = { 1, 2, 3 }, other[UUID_LEN] = { 9 };

static struct db_node node_at(struct db_world *w, uint16_t address)
{
	struct db_node n = { .address = address, .elements = 2, .state = DB_NODE_CONFIGURED };

	memcpy(n.uuid, uuid, UUID_LEN);
	memset(&n.device_key, 0xAA, 16);
	check_int(db_address_claim(w->db, address, 2, uuid, 5), DB_OK);
	check_int(db_node_insert(w->db, &n), DB_OK);
	return n;
}

static void count(void *ctx, const struct db_node_page *p)
{
	++*(unsigned *)ctx;
}

static void count_state(void *ctx, const struct db_model_state *s)
{
	++*(unsigned *)ctx;
}

static void take(void *ctx, const struct db_refreshed *r)
{
	*(struct db_refreshed *)ctx = *r;
}

/* Its keys are sealed for its row: a new address seals them anew. */
TEST(a_node_moves_with_all_that_is_known_of_it)
{
	struct db_world w;
	struct db_node n, out;
	struct db_node_page page = { .page = 128, .data = bytes_of("abc", 3), .read_at = 7 };
	struct db_model_state bound = { .model = 0x1000, .n = 2, .value = { 1 } };
	unsigned pages = 0, states = 0;

	db_world_init(&w);
	n = node_at(&w, 0x0005);
	check_int(db_node_page_put(w.db, uuid, &page), DB_OK);
	check_int(db_node_page_put(w.db, uuid, &page), DB_OK);
	check_int(db_model_state_put(w.db, uuid, &bound), DB_OK);
	check_int(db_model_state_put(w.db, uuid, &bound), DB_OK);
	n.has_candidate = true;
	memset(&n.candidate, 0xCC, 16);
	n.refresh = (struct db_refresh){ DB_REFRESH_DATA, 1, 0x0100, 2, 1234, 77 };
	check_int(db_node_update(w.db, &n), DB_OK);
	n.address = 0x0100;
	check_int(db_node_move(w.db, 0x0005, &n), DB_CONFLICT); /* not ours */
	check_int(db_address_reserve_at(w.db, 0x0100, 2, uuid, 5), DB_OK);
	check_int(db_node_move(w.db, 0x0005, &n), DB_OK);
	check_int(db_node_get(w.db, 0x0005, &out), DB_NONE);
	check_int(db_node_get(w.db, 0x0100, &out), DB_OK);
	check(secret16_equal(&out.device_key, &n.device_key));
	check(secret16_equal(&out.candidate, &n.candidate));
	check_mem(&out.refresh, &n.refresh, sizeof out.refresh);
	check_int(db_node_pages(w.db, uuid, count, &pages), DB_OK);
	check_int(db_model_states(w.db, uuid, count_state, &states), DB_OK);
	check_int(pages, 1);
	check_int(states, 1);
	check_int(db_node_delete(w.db, 0x0100), DB_OK);
	pages = 0;
	check_int(db_node_pages(w.db, uuid, count, &pages), DB_OK);
	check_int(pages, 0); /* they went with it */
	db_world_free(&w);
}

TEST(pages_come_back_as_they_were_read)
{
	struct db_world w;
	static uint8_t large[DB_PAGE_MAX], out[DB_PAGE_MAX];
	struct db_node_page page = { .page = 0, .data = bytes_of(large, sizeof large) };
	size_t n;

	db_world_init(&w);
	node_at(&w, 0x0005);
	memset(large, 0x5A, sizeof large);
	check_int(db_node_page_get(w.db, uuid, 0, out, sizeof out, &n), DB_NONE);
	check_int(db_node_page_put(w.db, uuid, &page), DB_OK);
	check_int(db_node_page_get(w.db, uuid, 0, out, sizeof out, &n), DB_OK);
	check_int(n, sizeof large);
	check_mem(out, large, sizeof large);
	check_int(db_node_page_get(w.db, uuid, 0, out, sizeof out - 1, &n), DB_NONE);
	check_int(db_node_page_delete(w.db, uuid, 0), DB_OK);
	check_int(db_node_page_get(w.db, uuid, 0, out, sizeof out, &n), DB_NONE);
	check_int(db_node_page_put(w.db, other, &page), DB_CONFLICT); /* no such node */
	db_world_free(&w);
}

TEST(the_last_refresh_is_told_what_it_cost)
{
	struct db_world w;
	struct db_refreshed r = { .at = 1, .procedure = 1, .task = 4, .before = bytes_of("x", 1) };
	struct db_refreshed out = { 0 };

	db_world_init(&w);
	node_at(&w, 0x0005);
	check_int(db_refresh_insert(w.db, uuid, &r), DB_OK);
	r.task = 5;
	check_int(db_refresh_insert(w.db, uuid, &r), DB_OK);
	r.bindings = (struct db_restored){ 3, 1 };
	r.reread = true;
	check_int(db_refresh_reread(w.db, uuid, &r), DB_OK);
	check_int(db_refreshes(w.db, uuid, 1, take, &out), DB_OK);
	check(out.task == 5 && out.reread && out.bindings.restored == 3 && out.bindings.lost == 1);
	check_int(db_refreshes(w.db, uuid, 9, take, &out), DB_OK);
	check(out.task == 4 && !out.reread);
	db_world_free(&w);
}

static void count_kept(void *ctx, const struct db_refreshed *r)
{
	(*(int64_t *)ctx)++;
	check(r->task > 7); /* the oldest are gone */
}

TEST(what_a_node_went_through_is_not_kept_for_ever)
{
	struct db_refreshed r = { .before = bytes_of("x", 1) };
	struct db_world w;
	int64_t n = 0;

	db_world_init(&w);
	node_at(&w, 0x0005);
	for (r.task = 1; r.task <= DB_REFRESHES_KEPT + 7; r.task++)
		check_int(db_refresh_insert(w.db, uuid, &r), DB_OK);
	check_int(db_refreshes(w.db, uuid, 1000, count_kept, &n), DB_OK);
	check_int(n, DB_REFRESHES_KEPT);
	db_world_free(&w);
}

/* Offered in vain: for nobody else, and for that device only as it was offered. */
TEST(a_burnt_range_is_that_devices_own)
{
	struct db_world w;
	uint16_t first = 0;

	db_world_init(&w);
	check_int(db_address_reserve_at(w.db, 0x0100, 3, uuid, 0), DB_OK);
	check_int(db_address_reserve_at(w.db, 0x0102, 1, other, 0), DB_CONFLICT);
	check_int(db_address_reserve_at(w.db, 0x0100, 3, uuid, 0), DB_CONFLICT); /* still open */
	check_int(db_address_set(w.db, 0x0100, DB_ADDRESS_BURNT, 0), DB_OK);
	check_int(db_address_reserve_at(w.db, 0x0100, 3, other, 9), DB_CONFLICT);
	check_int(db_address_reserve_at(w.db, 0x0100, 4, uuid, 9), DB_CONFLICT);
	check_int(db_address_is_free(w.db, 0x0100, 2, uuid, 9), DB_OK);
	check_int(db_address_reserve_again(w.db, 2, uuid, 9, &first), DB_OK);
	check_int(first, 0x0100);
	/* Undone before anything was sent: it stays burnt. */
	check_int(db_address_release(w.db, 0x0100), DB_NONE);
	check_int(db_address_reserve_at(w.db, 0x0100, 3, other, 9), DB_CONFLICT);
	check_int(db_address_reserve_again(w.db, 4, uuid, 9, &first), DB_OK);
	check_int(first, 0x0002);
	/* In its next life it may not have it either. */
	check_int(db_address_disown(w.db, uuid), DB_OK);
	check_int(db_address_reserve_at(w.db, 0x0100, 3, uuid, 9), DB_CONFLICT);
	check_int(db_address_is_free(w.db, 0x0100, 2, uuid, 9), DB_CONFLICT);
	check_int(db_address_reserve_again(w.db, 2, uuid, 9, &first), DB_OK);
	check_int(first, 0x0006);
	check_int(db_address_disown(w.db, uuid), DB_NONE);
	db_world_free(&w);
}

TEST(only_what_is_there_can_be_chosen)
{
	struct db_world w;
	uint16_t first;

	db_world_init(&w);
	check_int(db_address_is_free(w.db, 0x0001, 1, uuid, 0), DB_CONFLICT); /* our own */
	check_int(db_address_is_free(w.db, 0x0002, 1, uuid, 0), DB_OK);
	check_int(db_address_is_free(w.db, 0x7FFF, 1, uuid, 0), DB_OK);
	check_int(db_address_is_free(w.db, 0x7FFF, 2, uuid, 0), DB_CONFLICT);
	check_int(db_address_is_free(w.db, 0x8000, 1, uuid, 0), DB_CONFLICT);
	check_int(db_address_is_free(w.db, 0x0002, 0, uuid, 0), DB_CONFLICT);
	check_int(db_address_reserve_at(w.db, 0x0003, 2, uuid, 7), DB_OK);
	check_int(db_address_set(w.db, 0x0003, DB_ADDRESS_EXCLUDED, 7), DB_OK);
	check_int(db_address_is_free(w.db, 0x0004, 1, uuid, 8), DB_CONFLICT);
	check_int(db_address_is_free(w.db, 0x0004, 1, uuid, 9), DB_OK);
	check_int(db_address_lowest_free(w.db, 2, 8, &first), DB_OK);
	check_int(first, 0x0005);
	check_int(db_address_lowest_free(w.db, 2, 9, &first), DB_OK);
	check_int(first, 0x0002);
	db_world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_moves_with_all_that_is_known_of_it),
		cmocka_unit_test(pages_come_back_as_they_were_read),
		cmocka_unit_test(the_last_refresh_is_told_what_it_cost),
		cmocka_unit_test(what_a_node_went_through_is_not_kept_for_ever),
		cmocka_unit_test(a_burnt_range_is_that_devices_own),
		cmocka_unit_test(only_what_is_there_can_be_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
