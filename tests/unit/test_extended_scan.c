/* SPDX-License-Identifier: Apache-2.0 */
#include "ad_structures.h"
#include "check.h"
#include "crypto.h"
#include "fake_access.h"
#include "remote_prov_extended.h"
#include "vectors.h"

static const struct access_target server = { .dst = 0x0010,
					     .app_index = ACCESS_DEVICE_KEY,
					     .ttl = ACCESS_DEFAULT_TTL };

static long number(json_t *f)
{
	return json_is_string(f) ? strtol(json_string_value(f), NULL, 16)
				 : (long)json_integer_value(f);
}

static void check_start(const char *name, json_t *fields, bool valid, struct bytes want)
{
	struct vector uuid = { .n = 0 };
	uint8_t buf[64], types[16];
	struct wr w = wr_to(buf, sizeof(buf));
	struct rpr_extended_start m = { .ad_types = types,
					.timeout = (uint8_t)json_integer_value(
						json_object_get(fields, "timeout_s")) };
	json_t *type;
	size_t i;

	json_array_foreach(json_object_get(fields, "ad_types"), i, type) types[m.n_ad_types++] =
		(uint8_t)json_integer_value(type);
	if (json_object_get(fields, "uuid")) {
		uuid = vector_hex(fields, "uuid");
		m.uuid = uuid.octet;
	}
	check_row(name, rpr_extended_start_encode(&w, &m) == valid);
	check_row(name, !valid || bytes_equal(wr_done(&w), want));
}

static void check_report(const char *name, json_t *fields, struct bytes params)
{
	struct access_message m = { .src = 0x0123, .params = params };
	struct vector uuid = vector_hex(fields, "uuid");
	json_t *oob = json_object_get(fields, "oob"), *ad;
	struct rpr_extended_report r;
	struct bytes data;
	uint8_t type;
	size_t i;

	check_row(name, rpr_extended_report_decode(&r, &m));
	check_row(name, r.server == 0x0123 &&
				r.status == number(json_object_get(fields, "status")) &&
				memcmp(r.uuid, uuid.octet, UUID_LEN) == 0);
	check_row(name, r.has_oob == (oob != NULL));
	if (oob && strstr(name, "_be")) /* a library of its own reading: raw only */
		check_row(name, (r.oob_raw[0] << 8 | r.oob_raw[1]) == number(oob));
	else if (oob)
		check_row(name, r.oob_info == number(oob));
	struct rd at = rd_from(r.ads);
	json_array_foreach(json_object_get(fields, "ads"), i, ad)
	{
		struct vector want = vector_hex(ad, "data");

		check_row(name, ad_next(&at, &type, &data));
		check_row(name, type == number(json_object_get(ad, "type")) &&
					bytes_equal(data, vector_view(&want)));
	}
	check_row(name, !ad_next(&at, &type, &data));
}

TEST(every_published_vector_of_the_extended_scan_agrees)
{
	json_t *root = vectors_load("rpr.json"), *v;
	unsigned starts = 0, reports = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		const char *name = json_string_value(json_object_get(v, "name"));
		long opcode = number(json_object_get(v, "opcode"));
		json_t *fields = json_object_get(v, "fields");
		struct vector params = vector_hex(v, "params");

		if (opcode == OP_RPR_EXTENDED_SCAN_START) {
			check_start(name, fields, json_is_true(json_object_get(v, "valid")),
				    vector_view(&params));
			starts++;
		} else if (opcode == OP_RPR_EXTENDED_SCAN_REPORT) {
			check_report(name, fields, vector_view(&params));
			reports++;
		}
	}
	check_int(starts, 9);
	check_int(reports, 11);
	json_decref(root);
}

TEST(reports_of_wrong_length_are_refused)
{
	for (size_t n = 0; n < 30; n++) {
		uint8_t *exact = malloc(n + 1); /* ASan sees an octet too far */
		struct access_message m = { .params = bytes_of(exact + 1, n) };
		struct rpr_extended_report r;

		memset(exact, 0x5A, n + 1);
		check_int(rpr_extended_report_decode(&r, &m), n == 17 || n >= 19);
		free(exact);
	}
}

/* ---- what the structures say ---- */

static struct ad_facts facts_of(const char *hex, const uint32_t *hash)
{
	uint8_t octets[300];
	int n = hex_parse(hex, octets, sizeof(octets));
	uint8_t *exact = malloc((size_t)n + 1);
	struct ad_facts f;

	check(n >= 0);
	memcpy(exact, octets, (size_t)n);
	ad_read_facts(&f, bytes_of(exact, (size_t)n), hash);
	free(exact);
	return f;
}

TEST(names_are_utf8_without_control_characters_or_nothing)
{
	static const struct {
		const char *name, *ads, *want;
	} rows[] = {
		{ "plain", "06094c616d7031", "Lamp1" },
		{ "accents", "06094cc3bc7863", "L\xc3\xbcxc" },
		{ "four octets", "0509f09f92a1", "\xf0\x9f\x92\xa1" },
		{ "zeros behind it", "06094c61000000", "La" },
		{ "empty", "0109", "" },
		{ "a zero in it", "06094c00616d70", "" },
		{ "a line feed", "04094c0a61", "" },
		{ "escape", "04091b5b6d", "" },
		{ "C1 control", "0409c28541", "" },
		{ "overlong", "0309c0af", "" },
		{ "overlong of three", "0409e08080", "" },
		{ "surrogate", "0409eda080", "" },
		{ "beyond Unicode", "0509f4908080", "" },
		{ "cut character", "03094cc3", "" },
		{ "lone continuation", "030941bf", "" },
		{ "right to left override", "0509e280ae41", "" },
		{ "shortened", "03084c61", "La" },
		{ "the complete one counts", "03084c6104094c616d", "Lam" },
		{ "whichever comes first", "04094c616d03084c61", "Lam" },
		{ "length beyond the data", "20094c616d", "" },
		{ "length of zero ends it", "0004094c616d", "" },
		{ "what came before an overrun stays", "04094c616d0924", "Lam" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ad_facts f = facts_of(rows[i].ads, NULL);

		check_row(rows[i].name, strcmp(f.name, rows[i].want) == 0);
	}
}

TEST(a_long_name_is_cut_between_characters)
{
	uint8_t ads[2 + 100] = { 101, AD_COMPLETE_LOCAL_NAME };
	struct ad_facts f;

	for (size_t i = 0; i < 100; i += 2)
		memcpy(ads + 2 + i, "\xc3\xbc", 2);
	ad_read_facts(&f, bytes_of(ads, sizeof(ads)), NULL);
	check_int(strlen(f.name), AD_NAME - 2);
	check_mem(f.name + AD_NAME - 4, "\xc3\xbc", 3);
}

TEST(appearance_power_and_uri_are_read)
{
	uint8_t uri[] = { 0x17, '/', '/', 'a', '.', 'b' }, salt[16];
	uint32_t hash, other;
	struct ad_facts f = facts_of("0319c207020af407241700", NULL);

	check(f.has_appearance);
	check_int(f.appearance, 0x07C2);
	check_int(f.tx_power, -12);
	check_str(f.uri, "");
	s1(bytes_of(uri, sizeof(uri)), salt);
	struct rd r = rd_from(bytes_of(salt, sizeof(salt)));
	hash = rd_be32(&r);
	other = hash ^ 1;
	check_str(facts_of("0724172f2f612e62", NULL).uri, "https://a.b");
	check_str(facts_of("0724162f2f612e62", NULL).uri, "http://a.b");
	check_str(facts_of("0724172f2f612e62", &hash).uri, "https://a.b");
	check_str(facts_of("0724172f2f612e62", &other).uri, ""); /* another's */
	check_str(facts_of("0724452f2f612e62", NULL).uri, "");	 /* a scheme without a name */
	check_str(facts_of("0724172f2f610a62", NULL).uri, "");
	check_str(facts_of("022417", NULL).uri, "");
	f = facts_of("0219c20419c20700030af4f4", NULL); /* wrong lengths */
	check(!f.has_appearance);
	check_int(f.tx_power, AD_TX_POWER_UNKNOWN);
}

TEST(a_collection_takes_each_wanted_type_once)
{
	static const uint8_t types[] = { AD_COMPLETE_LOCAL_NAME, AD_APPEARANCE };
	static const uint8_t one[] = { 3, 0x19, 1, 2, 2, 0x0A, 4 },
			     two[] = { 3, 0x19, 9, 9, 3, 0x08, 'L', 'a' };
	uint8_t out[16];
	struct wr w = wr_to(out, sizeof(out));
	uint16_t seen = 0;

	check(!ad_collect(&w, &seen, types, 2, bytes_of(one, sizeof(one))));
	check(ad_collect(&w, &seen, types, 2, bytes_of(two, sizeof(two))));
	check_int(w.n, 8);
	check_mem(out, ((const uint8_t[]){ 3, 0x19, 1, 2, 3, 0x08, 'L', 'a' }), 8);
	w = wr_to(out, 3); /* no room: nothing of it, and no overrun */
	seen = 0;
	check(!ad_collect(&w, &seen, types, 2, bytes_of(one, sizeof(one))));
	check(wr_ok(&w) && w.n == 0);
}

/* ---- exchanges ---- */

static const uint8_t device[UUID_LEN] = { 1, 2, 3 };
static const uint8_t name_type[] = { AD_COMPLETE_LOCAL_NAME };

struct world {
	struct timers timers;
	struct access access;
	struct rpr_extended x;
	unsigned done, asked;
	enum access_result result;
	uint8_t status;
	bool has_oob;
	size_t n_ads;
	struct {
		uint8_t p[32];
		size_t n;
	} says[3];
};

static void peer(void *ctx, const struct access_target *to, uint32_t opcode, struct bytes params)
{
	struct world *w = ctx;
	struct access_message m = { .src = to->dst,
				    .app_index = to->app_index,
				    .opcode = OP_RPR_EXTENDED_SCAN_REPORT };

	check_int(opcode, OP_RPR_EXTENDED_SCAN_START);
	for (size_t i = 0; w->asked == 0 && i < ARRAY_LEN(w->says) && w->says[i].n > 0; i++) {
		m.params = bytes_of(w->says[i].p, w->says[i].n);
		fake_access_from_peer(&w->access, &m, true);
	}
	w->asked++;
}

static void on_done(void *ctx, enum access_result r, const struct rpr_extended_report *report)
{
	struct world *w = ctx;

	w->done++;
	w->result = r;
	check((report != NULL) == (r == ACCESS_OK));
	if (report) {
		w->status = report->status;
		w->has_oob = report->has_oob;
		w->n_ads = report->ads.n;
	}
}

static struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	timers_init(&w->timers, 0);
	fake_access_init(&w->access, &w->timers, 1);
	w->access.peer = peer;
	w->access.ctx = w;
	w->x.done = on_done;
	w->x.ctx = w;
	return w;
}

static void says(struct world *w, size_t i, uint8_t status, const uint8_t *uuid, size_t more)
{
	w->says[i].p[0] = status;
	memcpy(w->says[i].p + 1, uuid, UUID_LEN);
	w->says[i].n = 1 + UUID_LEN + more;
}

static void scan(struct world *w, uint8_t timeout)
{
	struct rpr_extended_start m = { name_type, 1, timeout ? device : NULL, timeout };

	rpr_extended_scan(&w->access, &w->x, &server, &m, device);
}

static void world_free(struct world *w)
{
	rpr_extended_cancel(&w->x);
	fake_access_free(&w->access);
	timers_free(&w->timers);
	free(w);
}

TEST(silence_is_asked_once_more_after_its_time)
{
	struct world *w = world_new();

	scan(w, 10);
	timers_advance(&w->timers, SEC(13));
	check_int(w->asked, 1);
	timers_advance(&w->timers, SEC(16));
	check_int(w->asked, 2);
	check_int(w->done, 0);
	timers_advance(&w->timers, SEC(40));
	check_int(w->asked, 2);
	check_int(w->done, 1);
	check_int(w->result, ACCESS_TIMEOUT);
	world_free(w);
}

TEST(another_devices_report_and_a_broken_one_are_no_answer)
{
	static const uint8_t other[UUID_LEN] = { 9 };
	struct world *w = world_new();

	says(w, 0, RPR_SUCCESS, other, 2);
	says(w, 1, RPR_SUCCESS, device, 1); /* half an OOB Information */
	says(w, 2, RPR_SUCCESS, device, 6);
	scan(w, 5);
	timers_advance(&w->timers, SEC(4));
	check_int(w->done, 1);
	check(w->has_oob);
	check_int(w->n_ads, 4);
	check_int(w->access.malformed, 1);
	world_free(w);
}

TEST(a_refusal_ends_it_also_with_the_zeros_of_bluez)
{
	static const uint8_t zeros[UUID_LEN];

	for (int bluez = 0; bluez < 2; bluez++) {
		struct world *w = world_new();

		says(w, 0, RPR_LIMITED_RESOURCES, bluez ? zeros : device, 0);
		scan(w, 5);
		timers_advance(&w->timers, SEC(4));
		check_int(w->done, 1);
		check_int(w->status, RPR_LIMITED_RESOURCES);
		check(!w->has_oob);
		world_free(w);
	}
}

TEST(a_cancelled_scan_says_nothing)
{
	struct world *w = world_new();

	says(w, 0, RPR_SUCCESS, device, 2);
	scan(w, 0);
	rpr_extended_cancel(&w->x);
	timers_advance(&w->timers, SEC(60));
	check_int(w->done, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_published_vector_of_the_extended_scan_agrees),
		cmocka_unit_test(reports_of_wrong_length_are_refused),
		cmocka_unit_test(names_are_utf8_without_control_characters_or_nothing),
		cmocka_unit_test(a_long_name_is_cut_between_characters),
		cmocka_unit_test(appearance_power_and_uri_are_read),
		cmocka_unit_test(a_collection_takes_each_wanted_type_once),
		cmocka_unit_test(silence_is_asked_once_more_after_its_time),
		cmocka_unit_test(another_devices_report_and_a_broken_one_are_no_answer),
		cmocka_unit_test(a_refusal_ends_it_also_with_the_zeros_of_bluez),
		cmocka_unit_test(a_cancelled_scan_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
