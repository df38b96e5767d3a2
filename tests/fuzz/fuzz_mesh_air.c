/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Advertising reports, as they are, into a whole stack. Input, repeated: an octet with the length
 * of a report in its low six bits and a pause in its high two, then the report. Accepted: a PDU or
 * beacon was authentic, or a device without a network was told.
 */
#include "fuzz.h"
#include "fuzz_world.h"

bool fuzz_one(const uint8_t *data, size_t n)
{
	static const uint64_t pause[4] = { 0, MSEC(5), MSEC(400), SEC(11) };
	struct rd r = rd_from(bytes_of(data, n));
	struct mesh_counters c;
	struct fuzz_world w;
	bool accepted;

	fuzz_world_open(&w);
	while (r.left > 0) {
		uint8_t head = rd_u8(&r);
		size_t len = head & 0x3F;

		fuzz_world_report(&w, rd_bytes(&r, len < r.left ? len : r.left));
		timers_advance(&w.timers, timers_now(&w.timers) + pause[head >> 6]);
	}
	mesh_counters(w.mesh, &c);
	accepted = c.network_ok > 0 || w.unprovisioned > 0 || w.iv.index != IV_SAMPLE;
	fuzz_world_close(&w);
	return accepted;
}
