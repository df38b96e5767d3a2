/* SPDX-License-Identifier: Apache-2.0 */
#include "rpl.h"

#include "bytes.h"
#include "check.h"

struct saved {
	unsigned count;
	uint16_t src;
	uint64_t value;
};

static void save(void *ctx, uint16_t src, uint64_t ivi_seq)
{
	struct saved *s = ctx;

	s->count++;
	s->src = src;
	s->value = ivi_seq;
}

static uint64_t ivi_seq(uint32_t iv, uint32_t seq)
{
	return (uint64_t)iv << 24 | seq;
}

TEST(only_a_higher_number_under_iv_index_and_seq_is_fresh)
{
	static const struct {
		const char *name;
		uint32_t iv, seq;
		bool fresh;
	} rows[] = {
		{ "the same again", 5, 100, false },
		{ "one lower", 5, 99, false },
		{ "one higher", 5, 101, true },
		{ "a lower IV Index with a higher SEQ", 4, 0xFFFFFF, false },
		{ "a higher IV Index with a lower SEQ", 6, 0, true },
	};
	struct saved saved = { 0 };
	struct rpl r;

	rpl_init(&r, save, &saved);
	check(rpl_fresh(&r, 0x0123, 0));
	rpl_accept(&r, 0x0123, ivi_seq(5, 100));
	check_int(saved.count, 1);
	check_int(saved.src, 0x0123);
	check(saved.value == ivi_seq(5, 100));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check_row(rows[i].name,
			  rpl_fresh(&r, 0x0123, ivi_seq(rows[i].iv, rows[i].seq)) == rows[i].fresh);
		check_row(rows[i].name, rpl_fresh(&r, 0x0124, ivi_seq(rows[i].iv, rows[i].seq)));
	}
	rpl_free(&r);
}

TEST(number_zero_under_iv_index_zero_counts_too)
{
	struct saved saved = { 0 };
	struct rpl r;

	rpl_init(&r, save, &saved);
	check(rpl_fresh(&r, 1, 0));
	rpl_accept(&r, 1, 0);
	check(!rpl_fresh(&r, 1, 0));
	check(rpl_fresh(&r, 1, 1));
	rpl_free(&r);
}

TEST(a_row_from_the_store_holds_and_never_lowers)
{
	struct saved saved = { 0 };
	struct rpl r;

	rpl_init(&r, save, &saved);
	rpl_restore(&r, 7, ivi_seq(1, 50));
	check_int(saved.count, 0);
	check(!rpl_fresh(&r, 7, ivi_seq(1, 50)));
	check(rpl_fresh(&r, 7, ivi_seq(1, 51)));
	rpl_restore(&r, 7, ivi_seq(1, 20));
	check(!rpl_fresh(&r, 7, ivi_seq(1, 50)));
	rpl_restore(&r, 0x8000, 1); /* no unicast address: nothing happens */
	check(!rpl_fresh(&r, 0x8000, 2));
	rpl_free(&r);
}

TEST(forgotten_addresses_start_anew_and_others_do_not)
{
	struct saved saved = { 0 };
	struct rpl r;

	rpl_init(&r, save, &saved);
	for (uint16_t a = 10; a < 16; a++)
		rpl_accept(&r, a, 1000);
	rpl_forget(&r, 11, 3);
	for (uint16_t a = 10; a < 16; a++)
		check_int(rpl_fresh(&r, a, 5), a >= 11 && a < 14);
	rpl_forget(&r, 0x7FF0, 0xFFFF);
	rpl_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_higher_number_under_iv_index_and_seq_is_fresh),
		cmocka_unit_test(number_zero_under_iv_index_zero_counts_too),
		cmocka_unit_test(a_row_from_the_store_holds_and_never_lowers),
		cmocka_unit_test(forgotten_addresses_start_anew_and_others_do_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
