/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a device's records. Input: the octets of a Records List behind their number, then
 * answers, each behind an octet: 0..127 that many octets of data, as the device has to give them,
 * behind two octets of the record's total length; from 128 on that less 128 octets as they are.
 * Accepted: at least one record is whole.
 */
#include <stdlib.h>

#include "fuzz.h"
#include "records.h"

static struct bytes take(struct rd *r, size_t n)
{
	return rd_bytes(r, n < r->left ? n : r->left);
}

static enum records_step honest(struct records *records, struct rd *r, size_t n)
{
	struct prov_pdu_record_request q = records_next(records);
	struct prov_pdu_record_response m = { PROV_RECORD_OK, q.id, q.offset, 0, { 0 } };
	uint8_t buf[256];
	struct wr w = wr_to(buf, sizeof(buf));

	m.total = rd_be16(r);
	m.data = take(r, n);
	m.status = m.data.n == 0; /* absent */
	prov_pdu_record_response_encode(&w, &m);
	return records_take(records, bytes_of(buf + 1, w.n - 1));
}

static void look(const struct records *records)
{
	struct prov_record_data got[PROV_RECORDS_MAX];
	size_t n = records_view(records, got), sum = 0;

	if (n > PROV_RECORDS_MAX)
		abort();
	for (size_t i = 0; i < n; i++) {
		volatile uint8_t octet = 0;

		for (size_t k = 0; k < got[i].data.n; k++)
			octet = octet ^ got[i].data.p[k];
		sum += got[i].data.n;
		if (got[i].data.n == 0 || got[i].data.n > PROV_RECORD_SIZE_MAX)
			abort();
	}
	if (sum > RECORDS_SUM_MAX)
		abort();
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct rd r = rd_from(bytes_of(data, n));
	struct records *records = records_new();
	struct prov_record_data got[PROV_RECORDS_MAX];
	enum records_step step;
	bool accepted;

	step = records_take_list(records, take(&r, rd_u8(&r)));
	while (step == RECORDS_ASK && r.left > 0) {
		uint8_t head = rd_u8(&r);

		if (head < 128)
			step = honest(records, &r, head);
		else
			step = records_take(records, take(&r, head - 128u));
	}
	look(records);
	accepted = step == RECORDS_DONE && records_view(records, got) > 0;
	records_free(records);
	return accepted;
}
