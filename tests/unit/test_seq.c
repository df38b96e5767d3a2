/* SPDX-License-Identifier: Apache-2.0 */
#include "seq.h"

#include <stdlib.h>

#include "check.h"

struct disk {
	uint32_t reserved;
	unsigned saves;
};

static void save(void *ctx, uint32_t reserved)
{
	struct disk *d = ctx;

	d->reserved = reserved;
	d->saves++;
}

TEST(a_block_is_reserved_before_its_first_number_leaves)
{
	struct disk disk = { 0 };
	struct seq s;
	uint32_t n;

	seq_init(&s, 0, save, &disk);
	check_int(disk.saves, 0);
	for (uint32_t i = 0; i < 5 * SEQ_BLOCK; i++) {
		check(seq_take(&s, &n));
		check_int(n, i);
		check(disk.reserved > n);
		check_int(disk.saves, i / SEQ_BLOCK + 1);
	}
}

TEST(a_crash_at_any_instant_never_repeats_a_number)
{
	uint8_t *used = calloc(1, SEQ_END);

	for (unsigned seed = 1; seed <= 5; seed++) {
		struct disk disk = { 0 };
		uint32_t rng = seed, n;

		memset(used, 0, SEQ_END);
		for (unsigned life = 0; life < 200; life++) {
			struct seq s;

			seq_init(&s, disk.reserved, save, &disk);
			rng = rng * 1103515245 + 12345;
			for (uint32_t i = 0; i < (rng >> 16) % 3000; i++) {
				check(seq_take(&s, &n));
				check_int(used[n], 0);
				used[n] = 1;
			}
		}
	}
	free(used);
}

TEST(the_last_number_is_given_once_and_then_nothing)
{
	struct disk disk = { 0 };
	struct seq s;
	uint32_t n;

	seq_init(&s, SEQ_END - 2, save, &disk);
	check(seq_take(&s, &n));
	check_int(n, 0xFFFFFE);
	check_int(disk.reserved, SEQ_END);
	check(seq_take(&s, &n));
	check_int(n, 0xFFFFFF);
	check(!seq_take(&s, &n));
	check(!seq_take(&s, &n));
	seq_init(&s, disk.reserved, save, &disk);
	check(!seq_take(&s, &n));
	seq_reset(&s);
	check(seq_take(&s, &n));
	check_int(n, 0);
	check_int(disk.reserved, SEQ_BLOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_reserved_before_its_first_number_leaves),
		cmocka_unit_test(a_crash_at_any_instant_never_repeats_a_number),
		cmocka_unit_test(the_last_number_is_given_once_and_then_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
