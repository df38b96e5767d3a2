/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MESHMASON_TESTS_FUZZ_H
#define MESHMASON_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a target defines: does with the input whatever is done with octets from outside, aborts
 * when a promise is broken, and says whether the input was accepted. */
bool fuzz_one(const uint8_t *data, size_t n);

#endif
