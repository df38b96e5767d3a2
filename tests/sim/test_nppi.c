/* SPDX-License-Identifier: Apache-2.0 */
/* A node is provisioned anew through itself (3.10.8): the stack, without server and jobs, and one
 * simulated device. Every procedure, and everything that the node refuses. */
#include "check.h"
#include "nppi_story.h"

static void on_large(void *ctx, enum access_result r, struct large_composition *call)
{
	struct story *s = ctx;

	s->done = true;
	s->result = r;
	s->page_number = call->page;
	s->page_n = call->data.n;
	if (s->page_n)
		memcpy(s->page, call->data.p, s->page_n);
}

/* An AppKey, bound on the last element. */
static void configure(struct story *s)
{
	struct access_target node = story_target(s, s->address, OLD_KEY);
	struct config_call call = { .done = story_on_config, .ctx = s };
	struct secret16 app = { { 0xA7 } };
	struct model_ref model = { .element = (uint16_t)(s->address + s->elements - 1),
				   .model = MODEL_GENERIC_ONOFF_SERVER };

	config_appkey_add(mesh_access(s->lab->mesh), &call, &node, 0, 5, &app);
	story_must(story_answered(s) && call.status == CONFIG_SUCCESS, "AppKey Add");
	config_model_app_bind(mesh_access(s->lab->mesh), &call, &node, &model, 5);
	story_must(story_answered(s) && call.status == CONFIG_SUCCESS, "Model App Bind");
}

TEST(each_procedure_succeeds_with_loss_and_without)
{
	static const double losses[] = { 0, 0.05, 0.1, 0.2 };

	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		for (int procedure = 0; procedure <= NPPI_COMPOSITION; procedure++) {
			struct device_make make = story_server(2, 2);
			struct story *s = story_new(10 + i, losses[i], &make);

			story_join(s);
			story_must_succeed(s, (enum nppi_procedure)procedure,
					   story_name((enum nppi_procedure)procedure));
			check_int(s->confirmed || losses[i] > 0, true);
			/* And from the new key again. */
			story_must_succeed(s, NPPI_DEVICE_KEY, "once more");
			story_free(s);
		}
	}
}

TEST(every_authentication_of_the_node_works_for_a_refresh)
{
	static const uint8_t record[200];

	for (int way = 0; way < 4; way++) {
		struct device_make make = story_server(1, 0);
		struct story *s;

		make.algorithms = way == 0 ? 1 : 3;
		make.static_oob_len = way == 1 ? 16 : way == 2 ? 32 : 0;
		memset(make.static_oob, 0x5A, sizeof(make.static_oob));
		make.certificates = way == 3;
		make.records[0].id = PROV_RECORD_DEVICE_CERTIFICATE;
		make.records[0].data = bytes_of(record, sizeof(record));
		make.n_records = way == 3;
		s = story_new(20 + (uint64_t)way, 0.05, &make);
		s->reads_records = way == 3;
		s->policy.require_static_oob = make.static_oob_len > 0;
		s->policy.static_oob_len = make.static_oob_len;
		memset(s->policy.static_oob, 0x5A, sizeof(s->policy.static_oob));
		story_join(s);
		story_must_succeed(s, NPPI_DEVICE_KEY, "key");
		story_must_succeed(s, NPPI_ADDRESS, "address");
		if (make.static_oob_len > 0) { /* and a wrong value does not */
			s->policy.static_oob[0] ^= 1;
			story_plan(s, NPPI_DEVICE_KEY);
			story_refresh(s);
			check_int(s->end, PROV_END_DEVICE_FAILED);
			check_int(s->device_error, PROV_ERR_CONFIRMATION_FAILED);
			story_must_agree(s, "wrong static OOB");
		}
		story_free(s);
	}
}

TEST(the_old_key_answers_until_the_new_one_is_heard)
{
	struct device_make make = story_server(1, 0);
	struct story *s = story_new(30, 0, &make);
	char id[KEY_ID_TEXT];

	story_join(s);
	story_plan(s, NPPI_DEVICE_KEY);
	story_refresh(s);
	check_int(s->end, PROV_OK);
	story_must(story_probe_old(s), "the old key is dead before its time");
	check_str(lab_state(s->lab, 0).candidate_key_id, device_key_id(&s->candidate, id));
	lab_restart(s->lab, 0);
	story_must(story_probe_old(s), "the old key is dead after a power cut");
	check_int(s->candidates_used, 0);
	story_must(story_probe_new(s), "the candidate is dead");
	check(s->candidates_used > 0);
	story_must(!story_probe_old(s), "the old key lives on");
	lab_restart(s->lab, 0);
	story_must(!story_probe_old(s), "the old key comes back after a power cut");
	story_must(story_probe_new(s), "the new key is lost in a power cut");
	story_take_over(s);
	story_must_agree(s, "at the end");
	story_free(s);
}

TEST(a_second_refresh_replaces_the_candidate_of_the_first)
{
	struct device_make make = story_server(1, 0);
	struct story *s = story_new(31, 0, &make);
	struct secret16 first;

	story_join(s);
	story_plan(s, NPPI_DEVICE_KEY);
	story_refresh(s);
	check_int(s->end, PROV_OK);
	first = s->candidate;
	story_refresh(s); /* nobody has used it */
	check_int(s->end, PROV_OK);
	check(!secret16_equal(&first, &s->candidate));
	check(mesh_node_set(s->lab->mesh, s->address, s->elements, &s->key, &first));
	story_must(!story_probe_new(s), "the first candidate lives");
	check(mesh_node_set(s->lab->mesh, s->address, s->elements, &s->key, &s->candidate));
	story_must(story_probe_new(s), "the second candidate is dead");
	story_take_over(s);
	story_must_agree(s, "at the end");
	story_free(s);
}

TEST(a_new_address_begins_a_new_term)
{
	struct device_make make = story_server(2, 3);
	struct story *s = story_new(32, 0, &make);
	struct composition c;
	struct config_call call = { .done = story_on_config, .ctx = s };
	struct access_target node;
	struct secret16 app = { { 0xA7 } };

	story_join(s);
	configure(s);
	for (int i = 0; i < 300; i++) /* its sequence numbers are in their second block */
		story_must(story_probe_old(s), "silent");
	check(s->lab->heard_src == OLD && s->lab->heard_seq > 300);
	story_plan(s, NPPI_ADDRESS);
	story_refresh(s);
	check_int(s->end, PROV_OK);
	check(s->confirmed);
	check_int(s->new_elements, 3); /* of the composition to come */
	story_must(story_probe_new(s), "not at the new address");
	check(s->lab->heard_src == NEW && s->lab->heard_seq < 50); /* from 0 again */
	story_must(!story_probe_old(s), "still at the old address");
	story_take_over(s);
	story_must_agree(s, "moved");
	story_must(story_page(s, NEW, OLD_KEY, 0), "page 0");
	check(composition_decode(&c, bytes_of(s->page, s->page_n)));
	check_int(c.n_elements, 3);
	check(lab_state(s->lab, 0).changed);
	/* Its keys have come along, what was bound to them has not. */
	node = story_target(s, NEW, OLD_KEY);
	config_appkey_add(mesh_access(s->lab->mesh), &call, &node, 0, 5, &app);
	story_must(story_answered(s) && call.status == CONFIG_SUCCESS, "the AppKey is lost");
	app.octet[0] ^= 1;
	config_appkey_add(mesh_access(s->lab->mesh), &call, &node, 0, 5, &app);
	story_must(story_answered(s) && call.status == CONFIG_KEY_INDEX_ALREADY_STORED,
		   "the AppKey is lost");
	lab_restart(s->lab, 0);
	story_must(story_probe(s, NEW, OLD_KEY), "not there after a power cut");
	story_free(s);
}

static void must_be_same(const uint8_t *a, size_t n, const uint8_t *b, size_t m, bool same)
{
	check_int(n == m && memcmp(a, b, n) == 0, same);
}

TEST(a_composition_refresh_makes_the_next_composition_the_current_one)
{
	static const uint8_t numbers[] = { 0, 1, 2 };
	struct device_make make = story_server(2, 2);
	struct story *s = story_new(33, 0.05, &make);
	uint8_t next[3][256], now[256];
	size_t next_n[3], now_n;

	make.large_composition = true;
	s->node->make.large_composition = true;
	story_join(s);
	configure(s);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		story_must(story_page(s, OLD, OLD_KEY, numbers[i] + COMPOSITION_NEXT),
			   "a next page");
		check_int(s->page_number, numbers[i] + COMPOSITION_NEXT);
		memcpy(next[i], s->page, s->page_n);
		next_n[i] = s->page_n;
		story_must(story_page(s, OLD, OLD_KEY, numbers[i]), "a page");
		check_int(s->page_number, numbers[i]);
		must_be_same(next[i], next_n[i], s->page, s->page_n, numbers[i] == 2);
	}
	story_must_succeed(s, NPPI_COMPOSITION, "composition refresh");
	check(lab_state(s->lab, 0).changed);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		story_must(story_page(s, OLD, OLD_KEY, numbers[i]), "a page, afterwards");
		must_be_same(next[i], next_n[i], s->page, s->page_n, true);
		memcpy(now, s->page, s->page_n);
		now_n = s->page_n;
		story_must(story_page(s, OLD, OLD_KEY, numbers[i] + COMPOSITION_NEXT),
			   "a next page");
		must_be_same(now, now_n, s->page, s->page_n, true);
	}
	/* Part by part it is the same. */
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		static struct large_composition call;
		struct access_target node = story_target(s, OLD, OLD_KEY);

		call = (struct large_composition){ .done = on_large, .ctx = s };
		large_composition_get(mesh_access(s->lab->mesh), &call, &node, numbers[i]);
		story_must(story_answered(s), "large composition");
		check_int(s->page_number, numbers[i]);
		must_be_same(next[i], next_n[i], s->page, s->page_n, true);
	}
	/* There is nothing more to change. */
	story_plan(s, NPPI_COMPOSITION);
	story_refresh(s);
	check_int(s->end, PROV_END_CARRIER);
	check_int(s->carrier_end, CARRIER_OPEN_FAILED);
	story_must_agree(s, "nothing to refresh");
	story_free(s);
}

TEST(provisioning_data_that_does_not_fit_changes_nothing)
{
	static const struct {
		const char *name;
		enum nppi_procedure procedure;
		uint16_t address; /* 0: the right one */
		uint16_t net_index;
		uint32_t iv_index;
		bool other_key, key_refresh, good;
	} rows[] = {
		{ "all is right", NPPI_DEVICE_KEY, 0, 0, 0, false, false, true },
		{ "the flags are ignored", NPPI_DEVICE_KEY, 0, 0, 0, false, true, true },
		{ "key: another address", NPPI_DEVICE_KEY, NEW, 0, 0, false, false, false },
		{ "key: its second element", NPPI_DEVICE_KEY, OLD + 1, 0, 0, false, false, false },
		{ "key: unknown net key index", NPPI_DEVICE_KEY, 0, 1, 0, false, false, false },
		{ "key: another net key", NPPI_DEVICE_KEY, 0, 0, 0, true, false, false },
		{ "key: another IV index", NPPI_DEVICE_KEY, 0, 0, 1, false, false, false },
		{ "address: the same", NPPI_ADDRESS, OLD, 0, 0, false, false, false },
		{ "address: its second element", NPPI_ADDRESS, OLD + 1, 0, 0, false, false, false },
		{ "address: just behind", NPPI_ADDRESS, OLD + 2, 0, 0, false, false, true },
		{ "address: another IV index", NPPI_ADDRESS, NEW, 0, 1, false, false, false },
		{ "address: another net key", NPPI_ADDRESS, NEW, 0, 0, true, false, false },
		{ "composition: another address", NPPI_COMPOSITION, NEW, 0, 0, false, false,
		  false },
		{ "composition: another IV index", NPPI_COMPOSITION, 0, 0, 1, false, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct device_make make = story_server(2, 2);
		struct story *s = story_new(40 + i, 0, &make);

		story_join(s);
		story_plan(s, rows[i].procedure);
		if (rows[i].address != 0)
			s->data.address = rows[i].address;
		s->data.net_key_index = rows[i].net_index;
		s->data.iv_index = rows[i].iv_index;
		s->data.flags = rows[i].key_refresh;
		s->data.net_key.octet[0] ^= rows[i].other_key;
		story_refresh(s);
		check_row(rows[i].name, s->complete == rows[i].good);
		if (!rows[i].good) {
			check_row(rows[i].name, s->end == PROV_END_DEVICE_FAILED);
			check_row(rows[i].name, s->device_error == PROV_ERR_INVALID_DATA);
			check_row(rows[i].name, !lab_state(s->lab, 0).changed);
			story_let_go(s);
			story_must_agree(s, rows[i].name);
			check_row(rows[i].name, story_probe_old(s));
			/* And rightly it still goes. */
			story_must_succeed(s, rows[i].procedure, rows[i].name);
		}
		story_free(s);
	}
}

TEST(a_session_that_is_not_closed_with_success_changes_nothing)
{
	static const struct {
		const char *name;
		bool aborts;
		enum prov_event_type at;
	} rows[] = {
		{ "abort of an open link", true, PROV_EV_LINK_OPEN },
		{ "abort after Capabilities", true, PROV_EV_CAPABILITIES },
		{ "abort after Random", true, PROV_EV_KEY_AGREED },
		{ "abort after Data", true, PROV_EV_DATA_SENT },
		{ "Fail after Complete", false, PROV_EV_COMPLETE },
	};

	for (size_t i = 0; i < 3 * ARRAY_LEN(rows); i++) {
		const char *name = rows[i / 3].name;
		enum nppi_procedure procedure = (enum nppi_procedure)(i % 3);
		struct device_make make = story_server(2, 2);
		struct story *s = story_new(60 + i, 0, &make);

		story_join(s);
		story_plan(s, procedure);
		s->aborts = rows[i / 3].aborts;
		s->abort_at = rows[i / 3].at;
		story_refresh_with(s, !s->aborts);
		check_row(name, s->end == (s->aborts ? PROV_END_ABORTED : PROV_OK));
		check_row(name, s->confirmed);
		check_row(name, !s->has_candidate || !story_probe_new(s));
		check_row(name, story_probe_old(s));
		lab_restart(s->lab, 0);
		check_row(name, !s->has_candidate || !story_probe_new(s));
		check_row(name, story_probe_old(s));
		check_row(name, !lab_state(s->lab, 0).changed);
		story_let_go(s);
		story_must_agree(s, name);
		s->aborts = false;
		story_must_succeed(s, procedure, name);
		story_free(s);
	}
}

TEST(an_older_candidate_survives_a_refresh_that_never_comes_to_its_data)
{
	struct device_make make = story_server(1, 0);
	struct story *s = story_new(80, 0, &make);
	struct secret16 first;

	story_join(s);
	story_plan(s, NPPI_DEVICE_KEY);
	story_refresh(s);
	check_int(s->end, PROV_OK);
	first = s->candidate;
	s->aborts = true;
	s->abort_at = PROV_EV_KEY_AGREED;
	story_refresh(s);
	check_int(s->end, PROV_END_ABORTED);
	s->candidate = first;
	check(mesh_node_set(s->lab->mesh, s->address, s->elements, &s->key, &first));
	story_must(story_probe_new(s), "the committed candidate is gone");
	story_take_over(s);
	story_must_agree(s, "at the end");
	story_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_procedure_succeeds_with_loss_and_without),
		cmocka_unit_test(every_authentication_of_the_node_works_for_a_refresh),
		cmocka_unit_test(the_old_key_answers_until_the_new_one_is_heard),
		cmocka_unit_test(a_second_refresh_replaces_the_candidate_of_the_first),
		cmocka_unit_test(a_new_address_begins_a_new_term),
		cmocka_unit_test(a_composition_refresh_makes_the_next_composition_the_current_one),
		cmocka_unit_test(provisioning_data_that_does_not_fit_changes_nothing),
		cmocka_unit_test(a_session_that_is_not_closed_with_success_changes_nothing),
		cmocka_unit_test(
			an_older_candidate_survives_a_refresh_that_never_comes_to_its_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
