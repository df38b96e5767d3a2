/* SPDX-License-Identifier: Apache-2.0 */
/* Thin names over cmocka: a test is TEST(a_sentence), a row check names its row. */
#ifndef MESHMASON_TESTS_CHECK_H
#define MESHMASON_TESTS_CHECK_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define TEST(name) static void name(void **state)

#define check(cond)	   assert_true(cond)
#define check_int(a, b)	   assert_int_equal((a), (b))
#define check_str(a, b)	   assert_string_equal((a), (b))
#define check_mem(a, b, n) assert_memory_equal((a), (b), (n))
/* Says which row of a table failed. */
#define check_row(row, cond)                                      \
	do {                                                      \
		if (!(cond))                                      \
			fail_msg("row \"%s\": %s", (row), #cond); \
	} while (0)

#endif
