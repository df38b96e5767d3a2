/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	Provisioner				device
 *	Records Get			-->
 *					<--	Records List (IDs, any order)
 *	Record Request (ID, offset, 57)	-->
 *					<--	Record Response (ID, offset, total, 1..57 octets)
 *	... until offset = total, then the next record:
 *	the device certificate, its intermediates up to the first gap, the base URI, the name.
 */
#include "records.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_IDS = PROV_RECORD_APPEARANCE + 1 };

struct piece {
	uint16_t id;
	size_t start, n;
};

struct records {
	bool listed[RECORD_IDS];
	bool asking;
	uint16_t id;	/* being read */
	uint16_t total; /* of it, known after its first fragment */
	size_t offset;	/* octets of it that are here */
	unsigned requests;
	struct piece got[PROV_RECORDS_MAX];
	size_t n_got;
	size_t used; /* of buf, by finished records */
	uint8_t buf[RECORDS_SUM_MAX];
};

struct records *records_new(void)
{
	struct records *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	return r;
}

void records_free(struct records *r)
{
	free(r);
}

static enum records_step ask(struct records *r, uint16_t id)
{
	r->asking = true;
	r->id = id;
	r->total = 0;
	r->offset = 0;
	return ++r->requests <= RECORDS_REQUESTS_MAX ? RECORDS_ASK : RECORDS_BAD;
}

/* What comes after the record id, which the device gave or not. */
static enum records_step ask_after(struct records *r, uint16_t id, bool given)
{
	bool in_chain = id >= PROV_RECORD_DEVICE_CERTIFICATE && id < PROV_RECORD_INTERMEDIATE_LAST;

	r->asking = false;
	if (in_chain && given && r->listed[id + 1])
		return ask(r, (uint16_t)(id + 1));
	if (id >= PROV_RECORD_DEVICE_CERTIFICATE && id <= PROV_RECORD_INTERMEDIATE_LAST &&
	    r->listed[PROV_RECORD_BASE_URI])
		return ask(r, PROV_RECORD_BASE_URI);
	if (id != PROV_RECORD_LOCAL_NAME && r->listed[PROV_RECORD_LOCAL_NAME])
		return ask(r, PROV_RECORD_LOCAL_NAME);
	return RECORDS_DONE;
}

enum records_step records_take_list(struct records *r, struct bytes params)
{
	struct prov_pdu_records_list list;

	if (!prov_pdu_records_list_decode(&list, params))
		return RECORDS_BAD;
	for (size_t i = 0; i < list.ids.n / 2; i++) {
		uint16_t id = prov_pdu_records_list_id(&list, i);

		if (id < RECORD_IDS)
			r->listed[id] = true;
	}
	if (r->listed[PROV_RECORD_DEVICE_CERTIFICATE])
		return ask(r, PROV_RECORD_DEVICE_CERTIFICATE);
	return ask_after(r, PROV_RECORD_INTERMEDIATE_LAST, false);
}

struct prov_pdu_record_request records_next(const struct records *r)
{
	assert(r->asking);
	return (struct prov_pdu_record_request){
		.id = r->id,
		.offset = (uint16_t)r->offset,
		.max = RECORDS_FRAGMENT,
	};
}

static bool fragment_fits(const struct records *r, const struct prov_pdu_record_response *m)
{
	if (r->offset > 0 && m->total != r->total)
		return false;
	return m->data.n > 0 && m->data.n <= RECORDS_FRAGMENT && m->total <= PROV_RECORD_SIZE_MAX &&
	       r->offset + m->data.n <= m->total && r->used + m->total <= sizeof(r->buf);
}

enum records_step records_take(struct records *r, struct bytes params)
{
	struct prov_pdu_record_response m;

	if (!r->asking || !prov_pdu_record_response_decode(&m, params) || m.id != r->id ||
	    m.offset != r->offset)
		return RECORDS_BAD;
	if (m.status != PROV_RECORD_OK) {
		/* Absent, out of bounds or reserved: not available, which fails nothing. */
		return m.data.n == 0 ? ask_after(r, r->id, false) : RECORDS_BAD;
	}
	if (!fragment_fits(r, &m))
		return RECORDS_BAD;
	memcpy(r->buf + r->used + r->offset, m.data.p, m.data.n);
	r->total = m.total;
	r->offset += m.data.n;
	if (r->offset < r->total)
		return ++r->requests <= RECORDS_REQUESTS_MAX ? RECORDS_ASK : RECORDS_BAD;
	assert(r->n_got < PROV_RECORDS_MAX);
	r->got[r->n_got++] = (struct piece){ .id = r->id, .start = r->used, .n = r->total };
	r->used += r->total;
	return ask_after(r, r->id, true);
}

size_t records_view(const struct records *r, struct prov_record_data out[PROV_RECORDS_MAX])
{
	for (size_t i = 0; i < r->n_got; i++) {
		const struct piece *piece = &r->got[i];

		out[i].id = piece->id;
		out[i].data = bytes_of(r->buf + piece->start, piece->n);
	}
	return r->n_got;
}
