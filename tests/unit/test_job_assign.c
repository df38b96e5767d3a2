/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "assign.h"
#include "bytes.h"

TEST(the_better_server_is_chosen)
{
	static const struct {
		const char *name;
		struct assign_candidate c[2]; /* the first is the better one */
	} rows[] = {
		{ "louder",
		  { { .rssi = -60, .hops = 1, .relays = true },
		    { .rssi = -80, .hops = 1, .relays = true } } },
		{ "as loud, nearer to us",
		  { { .rssi = -70, .hops = 0, .relays = true },
		    { .rssi = -70, .hops = 2, .relays = true } } },
		{ "much louder beats nearer",
		  { { .rssi = -60, .hops = 3, .relays = true },
		    { .rssi = -90, .hops = ASSIGN_LOCAL } } },
		{ "local costs no hop",
		  { { .rssi = -70, .hops = ASSIGN_LOCAL },
		    { .rssi = -70, .hops = 0, .relays = true } } },
		{ "the other one after a failure",
		  { { .rssi = -75, .hops = 1, .relays = true },
		    { .rssi = -60,
		      .hops = 1,
		      .relays = true,
		      .tried = true,
		      .tried_last = true } } },
		{ "the one that works",
		  { { .rssi = -75, .hops = 1, .relays = true },
		    { .rssi = -65, .hops = 1, .relays = true, .failures = 3 } } },
		{ "fresh news",
		  { { .rssi = -72, .hops = 1, .relays = true, .age = 5 },
		    { .rssi = -70, .hops = 1, .relays = true, .age = 600 } } },
		{ "one that relays",
		  { { .rssi = -85, .hops = 1, .relays = true },
		    { .rssi = -60, .hops = 1, .relays = false } } },
		{ "unknown strength is middling",
		  { { .rssi = ASSIGN_RSSI_UNKNOWN, .hops = 1, .relays = true },
		    { .rssi = -90, .hops = 1, .relays = true } } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct assign_candidate turned[2] = { rows[i].c[1], rows[i].c[0] };

		check_row(rows[i].name, assign_best(rows[i].c, 2) == 0);
		check_row(rows[i].name, assign_best(turned, 2) == 1);
	}
	check_int(assign_best(NULL, 0), -1);
}

TEST(a_score_has_bounds_whatever_comes_in)
{
	struct assign_candidate worst = {
		.rssi = -128, .age = 1u << 31, .hops = 127, .failures = 1u << 31
	};
	struct assign_candidate best = { .rssi = 20, .hops = ASSIGN_LOCAL };

	check(assign_score(&worst) < assign_score(&best));
	check(assign_score(&worst) > -1000 && assign_score(&best) < 1000);
}

TEST(a_ttl_reaches_and_is_never_one)
{
	for (int hops = -1; hops < 130; hops++) {
		for (unsigned attempt = 0; attempt < 40; attempt++) {
			uint8_t ttl = assign_ttl(hops, attempt);

			check(ttl >= 2 && ttl <= 127);
			if (hops >= 0 && hops < 100)
				check(ttl >= hops + 1 && ttl >= assign_ttl(hops, 0));
		}
	}
	check(assign_ttl(0, 0) < assign_ttl(3, 0));
}

TEST(hops_come_from_received_ttls)
{
	static const struct {
		const char *name;
		uint8_t sent, received;
		int hops;
	} rows[] = {
		{ "heard directly", 7, 7, 0 },	      { "one relay", 7, 6, 1 },
		{ "to the last", 7, 1, 6 },	      { "more than sent", 7, 8, -1 },
		{ "sender never relayed", 0, 0, -1 }, { "prohibited", 1, 1, -1 },
		{ "not a TTL", 200, 100, -1 },	      { "not relayable any more", 7, 0, -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].name,
			  assign_hops(rows[i].sent, rows[i].received) == rows[i].hops);
}

TEST(the_pace_grows_with_success_and_shrinks_with_loss)
{
	struct pace p;

	pace_init(&p, 0);
	check_int(p.limit, PACE_START);
	for (int i = 0; i < 100; i++)
		pace_succeeded(&p, 200000);
	check_int(p.limit, PACE_MOST);
	for (int i = 0; i < 100; i++)
		pace_failed(&p);
	check_int(p.limit, PACE_LEAST);
	pace_succeeded(&p, 200000);
	pace_succeeded(&p, 200000);
	check_int(p.limit, PACE_LEAST + 1);
}

TEST(slow_air_gets_fewer_links)
{
	struct pace p;

	pace_init(&p, 0);
	pace_succeeded(&p, 100000);
	for (int i = 0; i < 50; i++) {
		pace_succeeded(&p, 900000);
		check(p.limit <= PACE_START);
	}
	check_int(p.limit, PACE_LEAST);
}

TEST(a_fixed_pace_is_never_passed)
{
	struct pace p;

	pace_init(&p, 1);
	for (int i = 0; i < 50; i++)
		pace_succeeded(&p, 0);
	check_int(p.limit, 1);
	for (int i = 0; i < 50; i++)
		pace_failed(&p);
	check_int(p.limit, 1);
}

TEST(only_a_faint_sighting_is_worth_waiting)
{
	check(assign_is_weak(&(struct assign_candidate){ .rssi = -95 }));
	check(!assign_is_weak(&(struct assign_candidate){ .rssi = -70 }));
	check(!assign_is_weak(&(struct assign_candidate){ .rssi = ASSIGN_RSSI_UNKNOWN }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_better_server_is_chosen),
		cmocka_unit_test(a_score_has_bounds_whatever_comes_in),
		cmocka_unit_test(a_ttl_reaches_and_is_never_one),
		cmocka_unit_test(hops_come_from_received_ttls),
		cmocka_unit_test(the_pace_grows_with_success_and_shrinks_with_loss),
		cmocka_unit_test(slow_air_gets_fewer_links),
		cmocka_unit_test(a_fixed_pace_is_never_passed),
		cmocka_unit_test(only_a_faint_sighting_is_worth_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
