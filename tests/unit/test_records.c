/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "check.h"
#include "records.h"

/* A device's answers, and what it was asked. */
struct device {
	struct records *r;
	enum records_step step;
	uint16_t asked[40]; /* record IDs, each once */
	size_t n_asked;
	unsigned requests;
};

static enum records_step list(struct device *d, const char *hex)
{
	uint8_t params[300];
	int n = hex_parse(hex, params, sizeof(params));

	check(n >= 0);
	d->r = records_new();
	d->step = records_take_list(d->r, bytes_of(params, (size_t)n));
	return d->step;
}

static struct prov_pdu_record_request next(struct device *d)
{
	struct prov_pdu_record_request q = records_next(d->r);

	check_int(q.max, RECORDS_FRAGMENT);
	d->requests++;
	if (q.offset == 0)
		d->asked[d->n_asked++] = q.id;
	return q;
}

static enum records_step answer(struct device *d, const struct prov_pdu_record_response *m)
{
	uint8_t pdu[2000];
	struct wr w = wr_to(pdu, sizeof(pdu));

	prov_pdu_record_response_encode(&w, m);
	check(wr_ok(&w));
	d->step = records_take(d->r, bytes_of(pdu + 1, w.n - 1));
	return d->step;
}

/* Octet i of record id, so that a misplaced fragment shows. */
static uint8_t octet_of(uint16_t id, size_t i)
{
	return (uint8_t)(id * 31 + i * 7 + (i >> 8));
}

/* Answers honestly, step octets at a time, until the record is through. */
static enum records_step give(struct device *d, uint16_t id, size_t total, size_t step)
{
	uint8_t data[RECORDS_FRAGMENT];

	for (size_t offset = 0; offset < total;) {
		struct prov_pdu_record_request q = next(d);
		size_t n = total - offset < step ? total - offset : step;

		check_int(q.id, id);
		check_int(q.offset, offset);
		for (size_t i = 0; i < n; i++)
			data[i] = octet_of(id, offset + i);
		offset += n;
		answer(d, &(struct prov_pdu_record_response){ PROV_RECORD_OK, id, q.offset,
							      (uint16_t)total, bytes_of(data, n) });
		if (offset < total && d->step != RECORDS_ASK)
			return d->step;
	}
	return d->step;
}

static enum records_step refuse(struct device *d, uint8_t status)
{
	struct prov_pdu_record_request q = next(d);

	return answer(d, &(struct prov_pdu_record_response){
				 .status = status, .id = q.id, .offset = q.offset });
}

static void check_record(const struct prov_record_data *r, uint16_t id, size_t n)
{
	check_int(r->id, id);
	check_int(r->data.n, n);
	for (size_t i = 0; i < n; i++)
		check_int(r->data.p[i], octet_of(id, i));
}

TEST(a_chain_a_uri_and_a_name_are_read_in_that_order)
{
	struct prov_record_data got[PROV_RECORDS_MAX];
	struct device d = { 0 };

	/* Listed in any order, with duplicates, an appearance, an unknown one, extension bits. */
	check_int(list(&d, "ffff0011000300010000000100120100ffff0002"), RECORDS_ASK);
	check_int(give(&d, 1, 696, 57), RECORDS_ASK);
	check_int(give(&d, 2, 57, 57), RECORDS_ASK);
	check_int(give(&d, 3, 58, 57), RECORDS_ASK);
	check_int(give(&d, 0, 30, 57), RECORDS_ASK);
	check_int(give(&d, 17, 1, 57), RECORDS_DONE);
	check_int(d.requests, 13 + 1 + 2 + 1 + 1);
	check_int(records_view(d.r, got), 5);
	check_record(&got[0], 1, 696);
	check_record(&got[1], 2, 57);
	check_record(&got[2], 3, 58);
	check_record(&got[3], 0, 30);
	check_record(&got[4], 17, 1);
	records_free(d.r);
}

TEST(shorter_fragments_than_asked_for_are_fine)
{
	struct prov_record_data got[PROV_RECORDS_MAX];
	struct device d = { 0 };

	check_int(list(&d, "00000001"), RECORDS_ASK);
	check_int(give(&d, 1, 500, 13), RECORDS_DONE);
	check_int(records_view(d.r, got), 1);
	check_record(&got[0], 1, 500);
	records_free(d.r);
}

TEST(all_eighteen_records_fit)
{
	struct prov_record_data got[PROV_RECORDS_MAX];
	struct device d = { 0 };

	list(&d, "00000000000100020003000400050006000700080009000a000b000c000d000e000f00100011");
	for (uint16_t id = 1; id <= 16; id++)
		check_int(give(&d, id, 600, 57), RECORDS_ASK);
	check_int(give(&d, 0, 40, 57), RECORDS_ASK);
	check_int(give(&d, 17, 20, 57), RECORDS_DONE);
	check_int(records_view(d.r, got), 18);
	check_record(&got[15], 16, 600);
	check_record(&got[17], 17, 20);
	records_free(d.r);
}

TEST(what_is_asked_for_follows_from_the_list)
{
	static const struct {
		const char *name, *list;
		uint16_t asked[6];
		size_t n;
	} rows[] = {
		{ "empty list", "0000", { 0 }, 0 },
		{ "appearance and unknown only", "000000121234", { 0 }, 0 },
		{ "URI only", "00000000", { 0 }, 1 },
		{ "name only", "00000011", { 17 }, 1 },
		{ "URI and name", "000000110000", { 0, 17 }, 2 },
		{ "intermediates without a certificate", "000000020003", { 0 }, 0 },
		{ "a gap in the chain", "0000000100020004", { 1, 2 }, 2 },
		{ "no first intermediate", "0000000100030011", { 1, 17 }, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct device d = { 0 };

		list(&d, rows[i].list);
		while (d.step == RECORDS_ASK)
			give(&d, records_next(d.r).id, 10, 57);
		check_row(rows[i].name, d.step == RECORDS_DONE);
		check_row(rows[i].name, d.n_asked == rows[i].n);
		check_row(rows[i].name,
			  memcmp(d.asked, rows[i].asked, rows[i].n * sizeof(uint16_t)) == 0);
		records_free(d.r);
	}
}

TEST(a_record_that_is_listed_and_then_absent_fails_nothing)
{
	struct prov_record_data got[PROV_RECORDS_MAX];
	struct device d = { 0 };

	list(&d, "000000010002000300110000");
	check_int(give(&d, 1, 100, 57), RECORDS_ASK);
	check_int(refuse(&d, PROV_RECORD_ABSENT), RECORDS_ASK); /* 2: the chain ends there */
	check_int(records_next(d.r).id, 0);
	check_int(refuse(&d, PROV_RECORD_BAD_OFFSET), RECORDS_ASK);
	check_int(refuse(&d, 0x7F), RECORDS_DONE);
	check_int(records_view(d.r, got), 1);
	check_record(&got[0], 1, 100);
	records_free(d.r);
}

TEST(a_record_that_goes_away_half_way_is_dropped_whole)
{
	struct prov_record_data got[PROV_RECORDS_MAX];
	struct device d = { 0 };
	uint8_t data[RECORDS_FRAGMENT] = { 0 };

	list(&d, "000000010000");
	next(&d);
	answer(&d, &(struct prov_pdu_record_response){ 0, 1, 0, 200, bytes_of(data, 57) });
	check_int(refuse(&d, PROV_RECORD_BAD_OFFSET), RECORDS_ASK);
	check_int(give(&d, 0, 20, 57), RECORDS_DONE);
	check_int(records_view(d.r, got), 1);
	check_record(&got[0], 0, 20);
	records_free(d.r);
}

struct reply {
	uint8_t status;
	uint16_t id, offset, total;
	size_t n;
};

static const struct violation {
	const char *name;
	struct reply first;  /* to the request for record 1, offset 0 */
	struct reply second; /* to the one for offset 57, where its total is not 0 */
} violations[] = {
	{ "another record", { 0, 2, 0, 200, 57 }, { 0, 0, 0, 0, 0 } },
	{ "another offset", { 0, 1, 57, 200, 57 }, { 0, 0, 0, 0, 0 } },
	{ "no data", { 0, 1, 0, 200, 0 }, { 0, 0, 0, 0, 0 } },
	{ "an empty record as success", { 0, 1, 0, 0, 0 }, { 0, 0, 0, 0, 0 } },
	{ "more than asked for", { 0, 1, 0, 200, 58 }, { 0, 0, 0, 0, 0 } },
	{ "more than there is", { 0, 1, 0, 20, 21 }, { 0, 0, 0, 0, 0 } },
	{ "over the size limit", { 0, 1, 0, PROV_RECORD_SIZE_MAX + 1, 57 }, { 0, 0, 0, 0, 0 } },
	{ "as long as can be said", { 0, 1, 0, 0xFFFF, 57 }, { 0, 0, 0, 0, 0 } },
	{ "absent, with data", { PROV_RECORD_ABSENT, 1, 0, 0, 5 }, { 0, 0, 0, 0, 0 } },
	{ "absent, of another record", { PROV_RECORD_ABSENT, 9, 0, 0, 0 }, { 0, 0, 0, 0, 0 } },
	{ "the length grows", { 0, 1, 0, 200, 57 }, { 0, 1, 57, 201, 57 } },
	{ "the length shrinks", { 0, 1, 0, 200, 57 }, { 0, 1, 57, 114, 57 } },
	{ "the first fragment again", { 0, 1, 0, 200, 57 }, { 0, 1, 0, 200, 57 } },
	{ "a fragment left out", { 0, 1, 0, 200, 57 }, { 0, 1, 114, 200, 57 } },
	{ "past the end", { 0, 1, 0, 100, 57 }, { 0, 1, 57, 100, 44 } },
	{ "nothing more", { 0, 1, 0, 100, 57 }, { 0, 1, 57, 100, 0 } },
};

static enum records_step reply(struct device *d, const struct reply *a)
{
	static const uint8_t data[100];

	return answer(d, &(struct prov_pdu_record_response){ a->status, a->id, a->offset, a->total,
							     bytes_of(data, a->n) });
}

TEST(violations_are_noticed)
{
	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		const struct violation *v = &violations[i];
		struct device d = { 0 };

		list(&d, "000000010002");
		reply(&d, &v->first);
		if (v->second.total > 0) {
			check_row(v->name, d.step == RECORDS_ASK);
			reply(&d, &v->second);
		}
		check_row(v->name, d.step == RECORDS_BAD);
		records_free(d.r);
	}
}

TEST(a_list_or_a_response_that_cannot_be_read_is_a_violation)
{
	struct device d = { 0 };

	check_int(list(&d, ""), RECORDS_BAD);
	records_free(d.r);
	check_int(list(&d, "000000"), RECORDS_BAD);
	records_free(d.r);
	check_int(list(&d, "00000001"), RECORDS_ASK);
	check_int(records_take(d.r, bytes_of("\0\0\1\0\0\0", 6)), RECORDS_BAD);
	records_free(d.r);
}

TEST(the_sum_of_all_records_is_limited)
{
	struct device d = { 0 };

	list(&d, "000000010002000300040005");
	for (uint16_t id = 1; id <= 4; id++)
		check_int(give(&d, id, PROV_RECORD_SIZE_MAX, 57), RECORDS_ASK);
	check_int(give(&d, 5, 1, 57), RECORDS_BAD);
	records_free(d.r);
}

TEST(an_octet_at_a_time_does_not_hold_the_link_for_ever)
{
	struct device d = { 0 };

	list(&d, "00000001");
	check_int(give(&d, 1, PROV_RECORD_SIZE_MAX, 1), RECORDS_BAD);
	check(d.requests <= RECORDS_REQUESTS_MAX);
	records_free(d.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_a_uri_and_a_name_are_read_in_that_order),
		cmocka_unit_test(shorter_fragments_than_asked_for_are_fine),
		cmocka_unit_test(all_eighteen_records_fit),
		cmocka_unit_test(what_is_asked_for_follows_from_the_list),
		cmocka_unit_test(a_record_that_is_listed_and_then_absent_fails_nothing),
		cmocka_unit_test(a_record_that_goes_away_half_way_is_dropped_whole),
		cmocka_unit_test(violations_are_noticed),
		cmocka_unit_test(a_list_or_a_response_that_cannot_be_read_is_a_violation),
		cmocka_unit_test(the_sum_of_all_records_is_limited),
		cmocka_unit_test(an_octet_at_a_time_does_not_hold_the_link_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
