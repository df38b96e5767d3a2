/* SPDX-License-Identifier: Apache-2.0 */
/* A target as a libFuzzer program; at its end it says how many inputs were accepted. */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static unsigned long accepted; /* libFuzzer hands nothing through */

static void say_accepted(void)
{
	fprintf(stderr, "stat::accepted_units:          %lu\n", accepted);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	return atexit(say_accepted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	accepted += fuzz_one(data, n);
	return 0;
}
