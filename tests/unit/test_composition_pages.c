/* SPDX-License-Identifier: Apache-2.0 */
/* Composition Data pages 1 and 2, and pages of any size read in parts. */
#include "check.h"
#include "composition_pages.h"
#include "fake_access.h"
#include "large_composition.h"
#include "vectors.h"

/* A copy of its own: one octet too far is a fault. */
static bool relations(struct composition_relations *out, const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *data = malloc(n + 1);
	bool good;

	check_int(hex_parse(hex, data + 1, n), (int)n);
	good = composition_relations_decode(out, bytes_of(data + 1, n));
	free(data);
	return good;
}

/* 8.10.2: Configuration Server; a model of group 0 that extends the first one of its element; a
 * vendor model; then a second element whose vendor model extends that one. */
TEST(the_published_page_1_decodes)
{
	json_t *network = vectors_load("network.json"), *v;
	static struct composition_relations c;
	unsigned used = 0;
	size_t i;

	json_array_foreach(json_object_get(network, "composition_data"), i, v)
	{
		struct vector data = vector_hex(v, "data");

		if (strcmp(json_string_value(json_object_get(v, "id")), "8.10.2") != 0)
			continue;
		used++;
		check(composition_relations_decode(&c, vector_view(&data)));
		for (size_t n = 0; n < data.n; n++)
			check(!composition_relations_decode(&c, bytes_of(data.octet, n)) ||
			      c.n_models == 3); /* the first element alone is a page, too */
	}
	check_int(used, 1);
	check(relations(&c, "02010005000000010201000501170101"));
	check_int(c.n_models, 6);
	check_int(c.n_extends, 2);
	check(!c.models[0].corresponds && c.models[0].n_extends == 0);
	check(c.models[1].corresponds && c.models[1].group == 0 && c.models[1].n_extends == 1);
	check(c.extends[0].element == 0 && c.extends[0].model == 0);
	check(!c.models[2].corresponds);
	check(c.models[3].of.element == 1 && c.models[3].of.model == 0);
	check(c.models[4].corresponds && c.models[4].group == 1 && c.models[4].first == 1);
	check(c.extends[1].element == 0 && c.extends[1].model == 2);
	check(c.models[5].corresponds && c.models[5].group == 1);
	json_decref(network);
}

TEST(relations_are_read_in_both_formats_and_checked)
{
	static const struct {
		const char *name, *hex;
		bool ok;
	} rows[] = {
		{ "nothing", "", false },
		{ "no model at all", "0000", false },
		{ "one model", "010000", true },
		{ "an element without models",
		  "01000000"
		  "00",
		  true },
		{ "half an element", "01", false },
		{ "model missing", "020000", false },
		{ "group missing", "010001", false },
		{ "extends itself, short", "01000400", true },
		{ "extends itself, long", "0100060000", true },
		{ "long item cut", "01000600", false },
		{ "the element before, short",
		  "010000"
		  "01000407",
		  true },
		{ "the element before, long",
		  "010000"
		  "010006ff00",
		  true },
		{ "the element after",
		  "01000401"
		  "010000",
		  true },
		{ "before the first element", "01000407", false },
		{ "a model that is not there", "01000408", false },
		{ "an element that is not there", "01000401", false },
		{ "one octet after", "01000000", false },
		{ "256 models", "ff0100", false },
	};
	static struct composition_relations c;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(rows[i].name, relations(&c, rows[i].hex) == rows[i].ok);
}

TEST(relations_over_the_limits_are_refused_and_at_them_are_not)
{
	static uint8_t data[3 * 300 + 9 * 65];
	static struct composition_relations c;

	for (size_t i = 0; i < 2; i++)
		data[i * 257] = 255; /* models of two elements */
	data[514] = 2;
	check(composition_relations_decode(&c, bytes_of(data, 518)));
	check_int(c.n_models, 512);
	data[514] = 3;
	check(!composition_relations_decode(&c, bytes_of(data, 519)));
	/* Models that each extend themselves 63 times. */
	memset(data, 0, sizeof(data));
	data[0] = 8;
	for (size_t i = 0; i < 8; i++)
		data[2 + i * 64] = 63 << 2;
	check(composition_relations_decode(&c, bytes_of(data, 2 + 8 * 64)));
	data[0] = 9;
	data[2 + 8 * 64] = 63 << 2;
	check(!composition_relations_decode(&c, bytes_of(data, 2 + 9 * 64)));
}

TEST(mesh_profiles_decode_with_their_names)
{
	static const struct {
		const char *name, *hex;
		bool ok;
		size_t n;
	} rows[] = {
		{ "none", "", true, 0 },
		{ "one, on no element", "0116010000000000", true, 1 },
		{ "one on two", "01160100010200010000", true, 1 },
		{ "with data", "011601000101000300aabbcc", true, 1 },
		{ "two",
		  "0116010000000000"
		  "0516010000000000",
		  true, 2 },
		{ "data cut", "011601000101000300aabb", false, 0 },
		{ "elements cut",
		  "011601000103"
		  "0001",
		  false, 0 },
		{ "half a header", "0116", false, 0 },
		{ "33 elements",
		  "011601000121"
		  "000000000000000000000000000000000000000000000000000000000000000000"
		  "0000",
		  false, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].hex) / 2;
		uint8_t *data = malloc(n + 1);
		struct composition_profiles c;

		check_int(hex_parse(rows[i].hex, data + 1, n), (int)n);
		check_row(rows[i].name,
			  composition_profiles_decode(&c, bytes_of(data + 1, n)) == rows[i].ok);
		check_row(rows[i].name, !rows[i].ok || c.n == rows[i].n);
		if (i == 3) {
			check_int(c.profiles[0].id, 0x1601);
			check_int(c.profiles[0].x, 1);
			check_int(c.profiles[0].z, 1);
			check_int(c.profiles[0].n_elements, 1);
			check_mem(c.profiles[0].more.p, "\xaa\xbb\xcc", 3);
		}
		free(data);
	}
	check_str(composition_profile_name(0x1601), "Basic Lightness Controller");
	check(!composition_profile_name(0x15FF) && !composition_profile_name(0x1606));
}

/* ---- page by page ---- */

static const struct access_target node = { .dst = 0x0010,
					   .app_index = ACCESS_DEVICE_KEY,
					   .ttl = ACCESS_DEFAULT_TTL };

struct world {
	struct timers timers;
	struct access access;
	struct large_composition call;
	unsigned done, asked;
	enum access_result result;
	/* the node */
	uint8_t page, data[5000];
	uint16_t total, part;
	unsigned shrinks_at; /* the nth request finds another page */
	bool never_done;
	uint8_t got[LARGE_COMPOSITION_MAX];
	size_t got_n;
};

static void answer(struct world *w, const struct access_target *to, uint16_t offset)
{
	struct access_message m = { .src = to->dst,
				    .app_index = to->app_index,
				    .opcode = OP_LARGE_COMPOSITION_STATUS };
	uint8_t buf[ACCESS_MAX];
	struct wr out = wr_to(buf, sizeof(buf));
	size_t n = offset < w->total ? w->total - offset : 0;

	wr_u8(&out, w->page);
	wr_le16(&out, offset);
	wr_le16(&out, w->total);
	wr_copy(&out, w->data + offset, n > w->part ? w->part : n);
	m.params = wr_done(&out);
	fake_access_from_peer(&w->access, &m, true);
}

static void peer(void *ctx, const struct access_target *to, uint32_t opcode, struct bytes params)
{
	struct world *w = ctx;
	struct rd r = rd_from(params);
	uint8_t asked = rd_u8(&r);
	uint16_t offset = rd_le16(&r);

	check_int(opcode, OP_LARGE_COMPOSITION_GET);
	check(rd_finished(&r));
	check_int(asked, 128);
	if (++w->asked == w->shrinks_at || w->never_done)
		w->total--;
	answer(w, to, 7777); /* a part that nobody has asked for */
	answer(w, to, offset);
}

static void done(void *ctx, enum access_result r, struct large_composition *call)
{
	struct world *w = ctx;

	check(call == &w->call);
	w->done++;
	w->result = r;
	w->got_n = call->data.n;
	check(r == ACCESS_OK || call->data.n == 0);
	if (call->data.n)
		memcpy(w->got, call->data.p, call->data.n);
}

static struct world *world_new(uint16_t total, uint16_t part)
{
	struct world *w = calloc(1, sizeof(*w));

	timers_init(&w->timers, 0);
	fake_access_init(&w->access, &w->timers, 1);
	w->access.peer = peer;
	w->access.ctx = w;
	w->call.done = done;
	w->call.ctx = w;
	w->page = 128;
	w->total = total;
	w->part = part;
	for (size_t i = 0; i < sizeof(w->data); i++)
		w->data[i] = (uint8_t)(i * 7 + i / 256);
	return w;
}

static void run(struct world *w)
{
	large_composition_get(&w->access, &w->call, &node, 128);
	timers_advance(&w->timers, timers_now(&w->timers) + SEC(600));
	check_int(w->done, 1);
}

static void world_free(struct world *w)
{
	large_composition_cancel(&w->call);
	fake_access_free(&w->access);
	timers_free(&w->timers);
	free(w);
}

TEST(a_page_of_any_size_is_read_part_by_part)
{
	static const struct {
		uint16_t total, part;
		unsigned asked;
	} rows[] = { { 0, 40, 1 },  { 1, 40, 1 },     { 40, 40, 1 },
		     { 41, 40, 2 }, { 1000, 40, 25 }, { LARGE_COMPOSITION_MAX, 370, 12 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(rows[i].total, rows[i].part);

		run(w);
		check_int(w->result, ACCESS_OK);
		check_int(w->got_n, rows[i].total);
		check_mem(w->got, w->data, rows[i].total);
		check_int(w->asked, rows[i].asked);
		check_int(w->call.page, 128);
		world_free(w);
	}
}

TEST(parts_survive_loss)
{
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct world *w = world_new(200, 40);

		w->access.seed = seed;
		w->access.loss = 20;
		w->access.doubled = 20;
		run(w);
		check(w->result == ACCESS_OK || w->result == ACCESS_TIMEOUT);
		if (w->result == ACCESS_OK)
			check_mem(w->got, w->data, 200);
		world_free(w);
	}
}

TEST(a_page_that_changes_on_the_way_is_read_again)
{
	struct world *w = world_new(200, 40);

	w->shrinks_at = 3;
	run(w);
	check_int(w->result, ACCESS_OK);
	check_int(w->got_n, 199);
	check_mem(w->got, w->data, 199);
	check_int(w->asked, 3 + 5);
	world_free(w);
}

TEST(a_node_that_does_not_come_to_an_end_is_given_up)
{
	static const struct {
		const char *name;
		uint16_t total, part;
		bool never;
		enum access_result result;
	} rows[] = {
		{ "keeps changing", 2000, 40, true, ACCESS_REJECTED },
		{ "gives nothing", 100, 0, false, ACCESS_REJECTED },
		{ "too large", LARGE_COMPOSITION_MAX + 1, 300, false, ACCESS_TOO_LONG },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(rows[i].total, rows[i].part);

		w->never_done = rows[i].never;
		run(w);
		check_row(rows[i].name, w->result == rows[i].result);
		check_row(rows[i].name, w->asked < 20);
		world_free(w);
	}
}

TEST(a_lower_page_is_told_and_a_higher_one_is_not_meant)
{
	struct world *w = world_new(10, 40);

	w->page = 2;
	run(w);
	check_int(w->result, ACCESS_OK);
	check_int(w->call.page, 2);
	w->page = 129;
	w->done = 0;
	run(w);
	check_int(w->result, ACCESS_TIMEOUT);
	world_free(w);
}

TEST(malformed_parts_are_counted_and_no_answer)
{
	static const struct {
		const char *name, *hex;
		bool ok;
	} rows[] = {
		{ "empty page", "8000000000", true },
		{ "a part", "8000000300aabb", true },
		{ "the end", "8003000300", true },
		{ "beyond the end", "8009000300", true },
		{ "short", "80000003", false },
		{ "nothing", "", false },
		{ "more than there is", "8000000300aabbccdd", false },
		{ "over the end", "8002000300aabb", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t buf[16];
		int n = hex_parse(rows[i].hex, buf, sizeof(buf));
		struct large_composition_status s;

		check(n >= 0);
		check_row(rows[i].name, large_composition_status_decode(
						&s, bytes_of(buf, (size_t)n)) == rows[i].ok);
	}
}

TEST(a_cancelled_reading_is_never_told)
{
	struct world *w = world_new(200, 40);

	large_composition_get(&w->access, &w->call, &node, 128);
	while (w->asked < 2)
		check(timers_fire_next(&w->timers, SEC(60)));
	large_composition_cancel(&w->call);
	large_composition_cancel(&w->call);
	timers_advance(&w->timers, SEC(600));
	check_int(w->done, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_page_1_decodes),
		cmocka_unit_test(relations_are_read_in_both_formats_and_checked),
		cmocka_unit_test(relations_over_the_limits_are_refused_and_at_them_are_not),
		cmocka_unit_test(mesh_profiles_decode_with_their_names),
		cmocka_unit_test(a_page_of_any_size_is_read_part_by_part),
		cmocka_unit_test(parts_survive_loss),
		cmocka_unit_test(a_page_that_changes_on_the_way_is_read_again),
		cmocka_unit_test(a_node_that_does_not_come_to_an_end_is_given_up),
		cmocka_unit_test(a_lower_page_is_told_and_a_higher_one_is_not_meant),
		cmocka_unit_test(malformed_parts_are_counted_and_no_answer),
		cmocka_unit_test(a_cancelled_reading_is_never_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
