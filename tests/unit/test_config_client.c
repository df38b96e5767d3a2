/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "config_client.h"
#include "fake_access.h"
#include "model_names.h"
#include "vectors.h"

static const struct access_target node = { .dst = 0x0010,
					   .app_index = ACCESS_DEVICE_KEY,
					   .ttl = ACCESS_DEFAULT_TTL };

static unsigned long number(json_t *v)
{
	return json_is_string(v) ? strtoul(json_string_value(v), NULL, 16)
				 : (unsigned long)json_integer_value(v);
}

/* "company:model" of the vectors. */
static uint32_t vendor(json_t *v)
{
	const char *text = json_string_value(v);

	return (uint32_t)strtoul(text, NULL, 16) << 16 |
	       (uint32_t)strtoul(strchr(text, ':') + 1, NULL, 16);
}

static void check_composition(const char *name, struct bytes data, json_t *want)
{
	json_t *elements = json_object_get(want, "elements"), *e, *id;
	struct composition c;
	size_t i, k;

	check_row(name, composition_decode(&c, data));
	check_row(name, c.company == number(json_object_get(want, "cid")));
	check_row(name, c.product == number(json_object_get(want, "pid")));
	check_row(name, c.version == number(json_object_get(want, "vid")));
	check_row(name, c.replay_list == number(json_object_get(want, "crpl")));
	check_row(name, c.features == number(json_object_get(want, "features")));
	check_row(name, c.n_elements == json_array_size(elements));
	json_array_foreach(elements, i, e)
	{
		check_row(name, c.elements[i].location == number(json_object_get(e, "loc")));
		check_row(name, c.elements[i].n_sig == json_array_size(json_object_get(e, "sig")));
		check_row(name,
			  c.elements[i].n_vendor == json_array_size(json_object_get(e, "vendor")));
		json_array_foreach(json_object_get(e, "sig"), k, id) check_row(
			name, composition_has_model(&c, (uint8_t)i, (uint32_t)number(id)));
		json_array_foreach(json_object_get(e, "vendor"), k, id)
			check_row(name, composition_has_model(&c, (uint8_t)i, vendor(id)));
	}
	check_row(name, !composition_has_model(&c, 0, 0x7777));
	check_row(name, !composition_has_model(&c, c.n_elements, 0x0000));
	check_row(name, !composition_decode(&c, bytes_of(data.p, data.n - 1)));
}

TEST(published_compositions_decode)
{
	json_t *network = vectors_load("network.json"), *rpr = vectors_load("rpr.json"), *v;
	unsigned used = 0;
	size_t i;

	json_array_foreach(json_object_get(network, "composition_data"), i, v)
	{
		struct vector data = vector_hex(v, "data");

		if (!json_object_get(v, "decoded")) /* page 1: test_composition_pages.c; metadata:
						       not asked for */
			continue;
		check_composition(json_string_value(json_object_get(v, "id")), vector_view(&data),
				  json_object_get(v, "decoded"));
		used++;
	}
	json_array_foreach(json_object_get(rpr, "vectors"), i, v)
	{
		struct vector data = vector_hex(v, "params");

		if (strcmp(json_string_value(json_object_get(v, "opcode")), "0x02") != 0)
			continue;
		check_composition(json_string_value(json_object_get(v, "name")),
				  bytes_of(data.octet + 1, data.n - 1),
				  json_object_get(v, "fields"));
		used++;
	}
	check_int(used, 5);
	json_decref(network);
	json_decref(rpr);
}

TEST(malformed_compositions_are_refused)
{
	static const struct {
		const char *name, *hex;
		bool ok;
	} rows[] = {
		{ "nothing", "", false },
		{ "no element", "01000200030004000500", false },
		{ "an empty element",
		  "01000200030004000500"
		  "00000000",
		  true },
		{ "half an element",
		  "01000200030004000500"
		  "000001",
		  false },
		{ "model missing",
		  "01000200030004000500"
		  "00000100",
		  false },
		{ "half a vendor model",
		  "01000200030004000500"
		  "00000001"
		  "3f00",
		  false },
		{ "more models than there are",
		  "01000200030004000500"
		  "0000ffff"
		  "0000",
		  false },
		{ "one octet after",
		  "01000200030004000500"
		  "00000000"
		  "00",
		  false },
		{ "two elements",
		  "01000200030004000500"
		  "00000100"
		  "0000"
		  "01000000",
		  true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].hex) / 2;
		uint8_t *data = malloc(n + 1);
		struct composition c;

		check(hex_parse(rows[i].hex, data + 1, n) == (int)n);
		check_row(rows[i].name,
			  composition_decode(&c, bytes_of(data + 1, n)) == rows[i].ok);
		free(data);
	}
}

TEST(compositions_over_the_limits_are_refused_and_at_them_are_not)
{
	static uint8_t data[10 + 33 * 4 + 65 * 2];
	struct composition c;

	check(composition_decode(&c, bytes_of(data, 10 + 32 * 4)));
	check_int(c.n_elements, 32);
	check(!composition_decode(&c, bytes_of(data, 10 + 33 * 4)));
	data[12] = 64;
	check(composition_decode(&c, bytes_of(data, 10 + 4 + 64 * 2)));
	data[12] = 65;
	check(!composition_decode(&c, bytes_of(data, 10 + 4 + 65 * 2)));
}

TEST(a_vendor_model_of_company_zero_is_not_the_sig_model_of_that_number)
{
	static const uint8_t data[] = { 1, 0, 2, 0, 3, 0,    4,	   0,	 5,
					0, 0, 0, 0, 1, 0x00, 0x00, 0x00, 0x10 };
	struct composition c;

	check(composition_decode(&c, bytes_of(data, sizeof(data))));
	check(!composition_has_model(&c, 0, 0x1000));
}

/* Exchanges. */
struct world {
	struct timers timers;
	struct access access;
	struct config_call call;
	unsigned done, asked;
	bool inside;
	enum access_result result;
	uint32_t opcode; /* of the answers; n 0 says nothing */
	struct {
		uint8_t p[64];
		size_t n;
	} says[4];
	uint32_t last_opcode;
	uint8_t last[64];
	size_t last_n;
	uint8_t page[64];
	size_t page_n;
};

static void peer(void *ctx, const struct access_target *to, uint32_t opcode, struct bytes params)
{
	struct world *w = ctx;
	struct access_message m = {
		.src = to->dst, .app_index = to->app_index, .opcode = w->opcode, .ttl = 9
	};

	w->last_opcode = opcode;
	w->last_n = params.n;
	if (params.n > 0)
		memcpy(w->last, params.p, params.n);
	for (unsigned i = 0; i < ARRAY_LEN(w->says); i++) {
		m.params = bytes_of(w->says[i].p, w->says[i].n);
		if (w->says[i].n > 0)
			fake_access_from_peer(&w->access, &m, false);
	}
	w->asked++;
}

static void done(void *ctx, enum access_result r, struct config_call *call)
{
	struct world *w = ctx;

	check(!w->inside && call == &w->call);
	w->done++;
	w->result = r;
	w->page_n = call->composition.n;
	if (w->page_n > 0)
		memcpy(w->page, call->composition.p, w->page_n);
	for (size_t i = 0; i < sizeof(call->request.params); i++)
		check_int(call->request.params[i], 0); /* no key stays behind */
}

static struct world *world_new(uint32_t opcode)
{
	struct world *w = calloc(1, sizeof(*w));

	timers_init(&w->timers, 0);
	fake_access_init(&w->access, &w->timers, 1);
	w->access.peer = peer;
	w->access.ctx = w;
	w->call.done = done;
	w->call.ctx = w;
	w->opcode = opcode;
	w->inside = true;
	return w;
}

static void says(struct world *w, unsigned nth, const char *hex)
{
	int n = hex_parse(hex, w->says[nth].p, sizeof(w->says[nth].p));

	check(n >= 0);
	w->says[nth].n = (size_t)n;
}

static void run(struct world *w)
{
	w->inside = false;
	timers_advance(&w->timers, timers_now(&w->timers) + SEC(60));
}

static void check_sent(const struct world *w, uint32_t opcode, const char *hex)
{
	char text[2 * sizeof(w->last) + 1];

	check_int(w->last_opcode, opcode);
	check_str(hex_format(text, bytes_of(w->last, w->last_n)), hex);
}

static void world_free(struct world *w)
{
	config_call_cancel(&w->call);
	fake_access_free(&w->access);
	timers_free(&w->timers);
	free(w);
}

/* The record of rpr.json with this name: its parameters. */
static struct vector recorded(json_t *root, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		if (strcmp(json_string_value(json_object_get(v, "name")), name) == 0)
			return vector_hex(v, "params");
	}
	fail_msg("no record %s", name);
	return (struct vector){ .n = 0 };
}

static struct world *recorded_world(uint32_t opcode, const struct vector *answer)
{
	struct world *w = world_new(opcode);

	check(answer->n <= sizeof(w->says[0].p));
	memcpy(w->says[0].p, answer->octet, answer->n);
	w->says[0].n = answer->n;
	return w;
}

static void check_exchange(struct world *w, uint32_t opcode, const struct vector *request)
{
	run(w);
	check_int(w->result, ACCESS_OK);
	check_int(w->last_opcode, opcode);
	check_int(w->last_n, request->n);
	check_mem(w->last, request->octet, request->n);
	world_free(w);
}

TEST(recorded_configuration_messages_are_ours_octet_for_octet)
{
	static const struct model_ref model = { 5, 0x1000, false };
	json_t *root = vectors_load("rpr.json");
	struct vector log = recorded(root, "appkey_add_log"), add = recorded(root, "appkey_add"),
		      added = recorded(root, "appkey_status_log"),
		      bind = recorded(root, "model_app_bind_log"),
		      bound = recorded(root, "model_app_status_log"),
		      get = recorded(root, "composition_get_log"),
		      page = recorded(root, "composition_status_log");
	struct vector added_other = { .octet = { 0x00, 0x23, 0x61, 0x45 }, .n = 4 };
	struct secret16 key;
	struct world *w;

	memcpy(key.octet, log.octet + 3, 16);
	w = recorded_world(OP_APPKEY_STATUS, &added);
	config_appkey_add(&w->access, &w->call, &node, 0, 0, &key);
	check_exchange(w, OP_APPKEY_ADD, &log);
	memcpy(key.octet, add.octet + 3, 16);
	w = recorded_world(OP_APPKEY_STATUS, &added_other);
	config_appkey_add(&w->access, &w->call, &node, 0x123, 0x456, &key);
	check_exchange(w, OP_APPKEY_ADD, &add);
	w = recorded_world(OP_MODEL_APP_STATUS, &bound);
	config_model_app_bind(&w->access, &w->call, &node, &model, 0);
	check_exchange(w, OP_MODEL_APP_BIND, &bind);
	w = recorded_world(OP_COMPOSITION_DATA_STATUS, &page);
	config_composition_get(&w->access, &w->call, &node, 0);
	check_exchange(w, OP_COMPOSITION_DATA_GET, &get);
	json_decref(root);
}

TEST(an_appkey_is_added_and_only_its_own_status_counts)
{
	struct secret16 key;
	struct world *w = world_new(OP_APPKEY_STATUS);

	check(hex_parse_exact("0123456789abcdef0123456789abcdef", key.octet, 16));
	says(w, 0, "00236144");	  /* another AppKey */
	says(w, 1, "00236145ff"); /* too long */
	says(w, 2, "06236145");
	config_appkey_add(&w->access, &w->call, &node, 0x123, 0x456, &key);
	run(w);
	check_sent(w, OP_APPKEY_ADD, "2361450123456789abcdef0123456789abcdef");
	check_int(w->done, 1);
	check_int(w->result, ACCESS_OK);
	check_int(w->call.status, CONFIG_KEY_INDEX_ALREADY_STORED);
	check_int(w->call.ttl, 9);
	world_free(w);
}

TEST(models_are_bound_by_their_two_or_four_octets)
{
	static const struct {
		struct model_ref model;
		uint16_t app;
		const char *request, *wrong, *answer;
		uint8_t status;
	} rows[] = {
		{ { 5, 0x1000, false }, 0, "050000000010", "00040000000010", "00050000000010", 0 },
		{ { 0x10, 0x02E50001, true },
		  3,
		  "10000300e5020100",
		  "001000030001000000",
		  "0d10000300e5020100",
		  CONFIG_CANNOT_BIND },
		{ { 0x10, 0x00000001, true },
		  3,
		  "1000030000000100",
		  "00100003000100",
		  "001000030000000100",
		  0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new(OP_MODEL_APP_STATUS);

		says(w, 0, rows[i].wrong);
		says(w, 1, rows[i].answer);
		config_model_app_bind(&w->access, &w->call, &node, &rows[i].model, rows[i].app);
		run(w);
		check_sent(w, OP_MODEL_APP_BIND, rows[i].request);
		check_int(w->asked, 1);
		check_int(w->result, ACCESS_OK);
		check_int(w->call.status, rows[i].status);
		world_free(w);
	}
}

TEST(a_composition_page_comes_without_its_octet_and_may_be_a_lower_one)
{
	struct world *w = world_new(OP_COMPOSITION_DATA_STATUS);

	says(w, 0, "00");     /* a page of nothing */
	says(w, 1, "81aa");   /* above the one asked for */
	says(w, 2, "02bbcc"); /* the highest that the node has */
	config_composition_get(&w->access, &w->call, &node, 128);
	run(w);
	check_sent(w, OP_COMPOSITION_DATA_GET, "80");
	check_int(w->call.page, 2);
	check_int(w->page_n, 2);
	check_mem(w->page, "\xbb\xcc", 2);
	world_free(w);
}

TEST(a_node_may_follow_no_profile_at_all)
{
	struct world *w = world_new(OP_COMPOSITION_DATA_STATUS);

	says(w, 0, "82");
	config_composition_get(&w->access, &w->call, &node, COMPOSITION_NEXT + 2);
	run(w);
	check_int(w->result, ACCESS_OK);
	check_int(w->call.page, COMPOSITION_NEXT + COMPOSITION_PAGE_PROFILES);
	check_int(w->page_n, 0);
	world_free(w);
}

TEST(states_are_set_and_told_as_the_node_says_they_are)
{
	struct world *w = world_new(OP_DEFAULT_TTL_STATUS);

	says(w, 0, "07");
	config_default_ttl_set(&w->access, &w->call, &node, 5);
	run(w);
	check_sent(w, OP_DEFAULT_TTL_SET, "05");
	check_int(w->call.value, 7);
	w->opcode = OP_RELAY_STATUS;
	says(w, 0, "02");
	says(w, 1, "0200");
	config_relay_set(&w->access, &w->call, &node, true, 0x4A);
	run(w);
	check_sent(w, OP_RELAY_SET, "014a");
	check_int(w->call.value, 2); /* not supported */
	w->opcode = OP_NETWORK_TRANSMIT_STATUS;
	says(w, 0, "11");
	config_network_transmit_set(&w->access, &w->call, &node, 0x11);
	run(w);
	check_sent(w, OP_NETWORK_TRANSMIT_SET, "11");
	w->opcode = OP_HEALTH_ATTENTION_STATUS;
	says(w, 0, "1e");
	health_attention_set(&w->access, &w->call, &node, 30);
	run(w);
	check_sent(w, OP_HEALTH_ATTENTION_SET, "1e");
	check_int(w->call.value, 30);
	check_int(w->done, 4);
	world_free(w);
}

static void answer_empty(void *ctx, const struct access_target *to, uint32_t opcode,
			 struct bytes params)
{
	struct world *w = ctx;
	struct access_message m = { .src = to->dst,
				    .app_index = to->app_index,
				    .opcode = OP_NODE_RESET_STATUS };

	check_int(opcode, OP_NODE_RESET);
	check_int(params.n, 0);
	if (w->asked++ > 0) /* the first is lost on the way back */
		fake_access_from_peer(&w->access, &m, false);
}

TEST(node_reset_is_repeated_until_it_is_answered)
{
	struct world *w = world_new(OP_NODE_RESET_STATUS);

	w->access.peer = answer_empty;
	config_node_reset(&w->access, &w->call, &node);
	run(w);
	check_int(w->asked, 2);
	check_int(w->result, ACCESS_OK);
	world_free(w);
}

TEST(silence_is_a_timeout_and_a_cancelled_call_is_never_told)
{
	struct world *w = world_new(OP_RELAY_STATUS);

	config_relay_set(&w->access, &w->call, &node, false, 0);
	run(w);
	check_int(w->asked, 3);
	check_int(w->result, ACCESS_TIMEOUT);
	config_relay_set(&w->access, &w->call, &node, false, 0);
	config_call_cancel(&w->call);
	config_call_cancel(&w->call);
	run(w);
	check_int(w->done, 1);
	world_free(w);
}

TEST(answers_of_any_content_never_crash)
{
	static const uint32_t opcodes[] = { OP_APPKEY_STATUS,	   OP_MODEL_APP_STATUS,
					    OP_DEFAULT_TTL_STATUS, OP_RELAY_STATUS,
					    OP_NODE_RESET_STATUS,  OP_COMPOSITION_DATA_STATUS };
	static const struct secret16 key = { { 1 } };
	static const struct model_ref model = { 1, 0x02E50001, true };

	for (unsigned seed = 1; seed <= 600; seed++) {
		struct world *w = world_new(opcodes[seed % 6]);
		struct composition c;

		for (unsigned i = 0; i < ARRAY_LEN(w->says); i++) {
			w->says[i].n = fake_access_random(&w->access, 12);
			for (size_t k = 0; k < w->says[i].n; k++)
				w->says[i].p[k] = (uint8_t)fake_access_random(&w->access, 4);
		}
		switch (seed % 6) {
		case 0:
			config_appkey_add(&w->access, &w->call, &node, 0, 0, &key);
			break;
		case 1:
			config_model_app_bind(&w->access, &w->call, &node, &model, 0);
			break;
		case 2:
			config_default_ttl_set(&w->access, &w->call, &node, 0);
			break;
		case 3:
			config_relay_set(&w->access, &w->call, &node, true, 0);
			break;
		case 4:
			config_node_reset(&w->access, &w->call, &node);
			break;
		case 5:
			config_composition_get(&w->access, &w->call, &node, 0);
			break;
		}
		run(w);
		check_int(w->done, 1);
		composition_decode(&c, bytes_of(w->page, w->page_n));
		world_free(w);
	}
}

TEST(statuses_and_models_have_words)
{
	check_str(config_status_text(CONFIG_SUCCESS), "success");
	check_str(config_status_text(CONFIG_CANNOT_BIND), "cannot bind");
	check_str(config_status_text(CONFIG_INVALID_BINDING), "invalid binding");
	check_str(config_status_text(0x12), "a status reserved for future use");
	check_str(config_status_text(0xFF), "a status reserved for future use");
	check_str(model_name(0x0000), "Configuration Server");
	check_str(model_name(MODEL_REMOTE_PROV_SERVER), "Remote Provisioning Server");
	check_str(model_name(0x1000), "Generic OnOff Server");
	check_str(model_name(0x1311), "Light LC Client");
	check_str(model_name(0x1405), "Firmware Distribution Client");
	check(model_name(0x0FFF) == NULL);
	check(model_name(0x10000) == NULL); /* company 1, model 0 */
	check_str(company_name(0x0059), "Nordic Semiconductor");
	check_str(company_name(0x05F1), "Linux Foundation");
	check(company_name(0xFFFE) == NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_compositions_decode),
		cmocka_unit_test(malformed_compositions_are_refused),
		cmocka_unit_test(compositions_over_the_limits_are_refused_and_at_them_are_not),
		cmocka_unit_test(
			a_vendor_model_of_company_zero_is_not_the_sig_model_of_that_number),
		cmocka_unit_test(recorded_configuration_messages_are_ours_octet_for_octet),
		cmocka_unit_test(an_appkey_is_added_and_only_its_own_status_counts),
		cmocka_unit_test(models_are_bound_by_their_two_or_four_octets),
		cmocka_unit_test(a_composition_page_comes_without_its_octet_and_may_be_a_lower_one),
		cmocka_unit_test(a_node_may_follow_no_profile_at_all),
		cmocka_unit_test(states_are_set_and_told_as_the_node_says_they_are),
		cmocka_unit_test(node_reset_is_repeated_until_it_is_answered),
		cmocka_unit_test(silence_is_a_timeout_and_a_cancelled_call_is_never_told),
		cmocka_unit_test(answers_of_any_content_never_crash),
		cmocka_unit_test(statuses_and_models_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
