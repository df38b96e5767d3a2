/* SPDX-License-Identifier: Apache-2.0 */
/* A btsnoop recording from somewhere else. Accepted: it holds an advertisement. */
#include <stdlib.h>

#include "fuzz.h"
#include "trace.h"

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct trace_reader r;
	struct trace_frame frame;
	bool found = false;
	FILE *f;

	if (n == 0)
		return false;
	f = fmemopen((void *)(uintptr_t)data, n, "rb");
	if (!f)
		abort();
	if (trace_open(&r, f)) {
		while (trace_read(&r, &frame) == TRACE_FRAME) {
			found = true;
			if (frame.len > AD_MAX)
				abort();
		}
	}
	fclose(f);
	return found;
}
