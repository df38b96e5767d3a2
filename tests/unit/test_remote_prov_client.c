/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "fake_access.h"
#include "remote_prov_client.h"
#include "vectors.h"

static const struct access_target server = { .dst = 0x0010,
					     .app_index = ACCESS_DEVICE_KEY,
					     .ttl = ACCESS_DEFAULT_TTL };

/* Vectors: messages of others that this client neither sends nor reads. */
static bool is_of_others(uint32_t opcode)
{
	static const uint32_t opcodes[] = {
		OP_RPR_EXTENDED_SCAN_START,
		OP_RPR_EXTENDED_SCAN_REPORT, /* test_extended_scan.c */
		OP_APPKEY_ADD,
		OP_APPKEY_STATUS, /* test_config_client.c */
		OP_MODEL_APP_BIND,
		OP_MODEL_APP_STATUS,
		OP_COMPOSITION_DATA_GET,
		OP_COMPOSITION_DATA_STATUS,
		0x8040 /* NetKey Add */,
		OP_APPKEY_LIST,
		0x8016 /* Key Refresh */,
		0x8072 /* aggregator */,
		0x806D /* SAR */,
		0x8070,
	};

	for (size_t i = 0; i < ARRAY_LEN(opcodes); i++) {
		if (opcodes[i] == opcode)
			return true;
	}
	return false;
}

static long field(json_t *v, const char *name)
{
	json_t *f = json_object_get(json_object_get(v, "fields"), name);

	return json_is_string(f) ? strtol(json_string_value(f), NULL, 16)
				 : (long)json_integer_value(f);
}

static bool has_field(json_t *v, const char *name)
{
	return json_object_get(json_object_get(v, "fields"), name) != NULL;
}

static struct vector hex_field(json_t *v, const char *name)
{
	return vector_hex(json_object_get(v, "fields"), name);
}

static void check_scan_report(const char *name, json_t *v, struct bytes params)
{
	struct access_message m = { .src = 0x0123, .ttl = 4, .params = params };
	bool is_be = strstr(name, "_be") != NULL; /* a library of its own reading: raw only */
	struct vector uuid = hex_field(v, "uuid");
	struct rpr_scan_report r;
	long oob = field(v, "oob");

	check_row(name, rpr_scan_report_decode(&r, &m));
	check_row(name, r.server == 0x0123 && r.ttl == 4 && r.rssi == field(v, "rssi"));
	check_row(name, memcmp(r.uuid, uuid.octet, UUID_LEN) == 0);
	if (is_be)
		check_row(name, r.oob_raw[0] == oob >> 8 && r.oob_raw[1] == (oob & 0xFF));
	else
		check_row(name, r.oob_info == oob);
	check_row(name, r.has_uri_hash == has_field(v, "uri_hash"));
	check_row(name, !r.has_uri_hash || r.uri_hash == (uint32_t)field(v, "uri_hash"));
	m.params.n--;
	check_row(name, !rpr_scan_report_decode(&r, &m));
}

static void check_answers(const char *name, uint32_t opcode, json_t *v, struct bytes in)
{
	struct bytes cut = bytes_of(in.p, in.n - 1);
	struct rpr_scan_capabilities caps;
	struct rpr_scan_status scan;
	struct rpr_link_status link;
	struct rpr_link_report report;
	uint8_t number;

	switch (opcode) {
	case OP_RPR_SCAN_CAPABILITIES_STATUS:
		check_row(name, rpr_scan_capabilities_decode(&caps, in));
		check_row(name, caps.max_items == field(v, "max_items") &&
					caps.active_scan == field(v, "active"));
		check_row(name, !rpr_scan_capabilities_decode(&caps, cut));
		break;
	case OP_RPR_SCAN_STATUS:
		check_row(name, rpr_scan_status_decode(&scan, in));
		check_row(name, scan.status == field(v, "status") &&
					scan.state == field(v, "state") &&
					scan.limit == field(v, "limit") &&
					scan.timeout == field(v, "timeout_s"));
		check_row(name, !rpr_scan_status_decode(&scan, cut));
		break;
	case OP_RPR_LINK_STATUS:
		check_row(name, rpr_link_status_decode(&link, in));
		check_row(name,
			  link.status == field(v, "status") && link.state == field(v, "state"));
		check_row(name, !rpr_link_status_decode(&link, cut));
		break;
	case OP_RPR_LINK_REPORT:
		check_row(name, rpr_link_report_decode(&report, in));
		check_row(name,
			  report.status == field(v, "status") && report.state == field(v, "state"));
		check_row(name,
			  report.reason == (has_field(v, "reason") ? field(v, "reason") : -1));
		break;
	case OP_RPR_PDU_OUTBOUND_REPORT:
		check_row(name, rpr_outbound_report_decode(&number, in));
		check_row(name, number == field(v, "number"));
		check_row(name, !rpr_outbound_report_decode(&number, cut));
		break;
	default:
		fail_msg("vector \"%s\" of an opcode that nobody knows", name);
	}
}

static void check_pdu(const char *name, json_t *v, struct bytes in)
{
	struct vector pdu = hex_field(v, "pdu");
	struct rpr_pdu m;
	uint8_t buf[64];
	struct wr w = wr_to(buf, sizeof(buf));

	check_row(name, rpr_pdu_decode(&m, in));
	check_row(name, m.number == field(v, "number") && bytes_equal(m.pdu, vector_view(&pdu)));
	check_row(name, rpr_pdu_encode(&w, &m) && bytes_equal(wr_done(&w), in));
	check_row(name, !rpr_pdu_decode(&m, bytes_of(in.p, 1)));
}

static void check_request(const char *name, uint32_t opcode, json_t *v, struct bytes want)
{
	bool valid = json_is_true(json_object_get(v, "valid"));
	struct vector uuid = { .n = 0 };
	const uint8_t *id = NULL;
	uint8_t buf[64];
	struct wr w = wr_to(buf, sizeof(buf));
	bool ok;

	if (has_field(v, "uuid")) {
		uuid = hex_field(v, "uuid");
		id = uuid.octet;
	}
	if (opcode == OP_RPR_SCAN_START)
		ok = rpr_scan_start_encode(
			&w, &(struct rpr_scan_start){ (uint8_t)field(v, "limit"),
						      (uint8_t)field(v, "timeout_s"), id });
	else if (opcode == OP_RPR_LINK_OPEN)
		ok = rpr_link_open_encode(
			&w, &(struct rpr_link_open){ id, (uint8_t)field(v, "timeout_s"),
						     (uint8_t)field(v, "nppi") });
	else
		ok = rpr_link_close_encode(&w, (enum prov_close_reason)field(v, "reason"));
	check_row(name, ok == valid);
	check_row(name, !ok || bytes_equal(wr_done(&w), want));
}

TEST(every_vector_of_a_message_that_we_use_agrees)
{
	json_t *root = vectors_load("rpr.json"), *v;
	unsigned used = 0;
	size_t i;

	json_array_foreach(json_object_get(root, "vectors"), i, v)
	{
		const char *name = json_string_value(json_object_get(v, "name"));
		uint32_t opcode = (uint32_t)strtoul(json_string_value(json_object_get(v, "opcode")),
						    NULL, 16);
		struct vector params = vector_hex(v, "params");

		if (is_of_others(opcode))
			continue;
		used++;
		if (opcode == OP_RPR_SCAN_REPORT)
			check_scan_report(name, v, vector_view(&params));
		else if (opcode == OP_RPR_PDU_SEND || opcode == OP_RPR_PDU_REPORT)
			check_pdu(name, v, vector_view(&params));
		else if (opcode == OP_RPR_SCAN_START || opcode == OP_RPR_LINK_OPEN ||
			 opcode == OP_RPR_LINK_CLOSE)
			check_request(name, opcode, v, vector_view(&params));
		else
			check_answers(name, opcode, v, vector_view(&params));
	}
	check_int(used, 33);
	json_decref(root);
}

TEST(oob_information_is_little_endian_unless_that_is_impossible)
{
	static const struct {
		uint8_t raw[2];
		uint16_t want;
	} rows[] = {
		{ { 0x80, 0x01 }, 0x0180 }, /* certificate and records, as it should be */
		{ { 0x01, 0x02 }, 0x0102 }, /* bit 9 is reserved: BlueZ's order */
		{ { 0x01, 0x04 }, 0x0104 }, /* bit 10 */
		{ { 0x02, 0x02 }, 0x0202 }, /* reserved either way */
		{ { 0x04, 0x02 }, 0x0204 }, { { 0x00, 0x08 }, 0x0800 }, { { 0x00, 0x00 }, 0x0000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t p[19] = { 0 };
		struct access_message m = { .params = bytes_of(p, sizeof(p)) };
		struct rpr_scan_report r;

		memcpy(p + 17, rows[i].raw, 2);
		check(rpr_scan_report_decode(&r, &m));
		check_int(r.oob_info, rows[i].want);
	}
}

static bool decodes(uint32_t opcode, const struct access_message *m)
{
	union {
		struct rpr_scan_report report;
		struct rpr_scan_capabilities caps;
		struct rpr_scan_status scan;
		struct rpr_link_status link;
		struct rpr_link_report lr;
		struct rpr_pdu pdu;
		uint8_t number;
	} u;

	switch (opcode) {
	case OP_RPR_SCAN_REPORT:
		return rpr_scan_report_decode(&u.report, m);
	case OP_RPR_SCAN_CAPABILITIES_STATUS:
		return rpr_scan_capabilities_decode(&u.caps, m->params);
	case OP_RPR_SCAN_STATUS:
		return rpr_scan_status_decode(&u.scan, m->params);
	case OP_RPR_LINK_STATUS:
		return rpr_link_status_decode(&u.link, m->params);
	case OP_RPR_LINK_REPORT:
		return rpr_link_report_decode(&u.lr, m->params);
	case OP_RPR_PDU_OUTBOUND_REPORT:
		return rpr_outbound_report_decode(&u.number, m->params);
	case OP_RPR_PDU_REPORT:
		return rpr_pdu_decode(&u.pdu, m->params);
	}
	return false;
}

TEST(messages_of_wrong_length_are_refused)
{
	static const struct {
		uint32_t opcode;
		uint64_t lengths; /* bit n: length n is right */
	} rows[] = {
		{ OP_RPR_SCAN_REPORT, 1u << 19 | 1u << 23 },
		{ OP_RPR_SCAN_CAPABILITIES_STATUS, 1u << 2 },
		{ OP_RPR_SCAN_STATUS, 1u << 4 },
		{ OP_RPR_LINK_STATUS, 1u << 2 },
		{ OP_RPR_LINK_REPORT, 1u << 2 | 1u << 3 },
		{ OP_RPR_PDU_OUTBOUND_REPORT, 1u << 1 },
		{ OP_RPR_PDU_REPORT, ~UINT64_C(3) },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t n = 0; n < 30; n++) {
			uint8_t *exact = malloc(n + 1); /* ASan sees an octet too far */
			struct bytes p = bytes_of(exact + 1, n);
			struct access_message m = { .params = p };

			memset(exact, 0x5A, n + 1);
			check_int(decodes(rows[i].opcode, &m), rows[i].lengths >> n & 1);
			free(exact);
		}
	}
}

/* Exchanges: one call, and what the peer says to it. */
struct world {
	struct timers timers;
	struct access access;
	struct rpr_call call;
	unsigned done;
	bool inside;
	enum access_result result;
	/* the peer's answers, in order; n 0 says nothing */
	uint32_t opcode;
	struct {
		uint8_t p[8];
		size_t n;
	} says[4];
	unsigned asked;
	uint32_t last_opcode;
	uint8_t last[32];
	size_t last_n;
};

static void peer(void *ctx, const struct access_target *to, uint32_t opcode, struct bytes params)
{
	struct world *w = ctx;
	struct access_message m = { .src = to->dst,
				    .app_index = to->app_index,
				    .opcode = w->opcode };

	w->last_opcode = opcode;
	w->last_n = params.n;
	if (params.n > 0)
		memcpy(w->last, params.p, params.n);
	if (w->asked < ARRAY_LEN(w->says) && w->says[w->asked].n > 0) {
		m.params = bytes_of(w->says[w->asked].p, w->says[w->asked].n);
		fake_access_from_peer(&w->access, &m, false);
	}
	w->asked++;
}

static void done(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct world *w = ctx;

	check(!w->inside);
	check(call == &w->call);
	w->done++;
	w->result = r;
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

static void world_free(struct world *w)
{
	rpr_call_cancel(&w->call);
	fake_access_free(&w->access);
	timers_free(&w->timers);
	free(w);
}

TEST(capabilities_come_after_two_losses_and_a_malformed_answer)
{
	struct world *w = world_new(OP_RPR_SCAN_CAPABILITIES_STATUS);

	says(w, 1, "0501ff");
	says(w, 2, "0501");
	rpr_capabilities_get(&w->access, &w->call, &server);
	run(w);
	check_int(w->last_opcode, OP_RPR_SCAN_CAPABILITIES_GET);
	check_int(w->last_n, 0);
	check_int(w->asked, 3);
	check_int(w->done, 1);
	check_int(w->result, ACCESS_OK);
	check(w->call.answered && w->call.capabilities.active_scan);
	check_int(w->call.capabilities.max_items, 5);
	world_free(w);
}

TEST(a_scan_starts_for_all_or_for_one_device)
{
	static const uint8_t uuid[UUID_LEN] = { 1, 2, 3 };
	struct world *w = world_new(OP_RPR_SCAN_STATUS);

	says(w, 0, "0001200a");
	says(w, 1, "02020401");
	rpr_scan_start(&w->access, &w->call, &server, 0, 10, NULL);
	run(w);
	check_int(w->last_n, 2);
	check_mem(w->last, ((const uint8_t[]){ 0, 10 }), 2);
	check_int(w->call.scan.state, RPR_SCAN_MULTIPLE);
	check_int(w->call.scan.limit, 32);
	w->inside = true;
	rpr_scan_start(&w->access, &w->call, &server, 4, 255, uuid);
	run(w);
	check_int(w->last_n, 18);
	check_int(w->last[1], 255);
	check_mem(w->last + 2, uuid, UUID_LEN);
	check_int(w->result, ACCESS_OK);
	check_int(w->call.scan.status,
		  RPR_INVALID_STATE); /* another client's scan: told as it is */
	check_int(w->done, 2);
	world_free(w);
}

TEST(silence_is_tolerated_where_bluez_is_silent_and_nowhere_else)
{
	struct world *w = world_new(OP_RPR_SCAN_STATUS);

	rpr_scan_stop(&w->access, &w->call, &server);
	run(w);
	check_int(w->result, ACCESS_OK);
	check(!w->call.answered);
	rpr_link_get(&w->access, &w->call, &server);
	run(w);
	check_int(w->result, ACCESS_OK);
	check(!w->call.answered);
	check_int(w->call.link.state, RPR_LINK_IDLE);
	rpr_link_close(&w->access, &w->call, &server, PROV_CLOSE_FAIL);
	run(w);
	check_int(w->result, ACCESS_TIMEOUT);
	rpr_scan_start(&w->access, &w->call, &server, 0, 1, NULL);
	run(w);
	check_int(w->result, ACCESS_TIMEOUT);
	rpr_capabilities_get(&w->access, &w->call, &server);
	run(w);
	check_int(w->result, ACCESS_TIMEOUT);
	check_int(w->done, 5);
	w->access.refuse = ACCESS_NO_KEY; /* not a silence of the server */
	rpr_link_get(&w->access, &w->call, &server);
	run(w);
	check_int(w->result, ACCESS_NO_KEY);
	world_free(w);
}

TEST(link_get_and_link_close_take_only_what_answers_them)
{
	struct world *w = world_new(OP_RPR_LINK_STATUS);

	says(w, 0, "0402"); /* somebody else was refused */
	says(w, 1, "0003");
	rpr_link_get(&w->access, &w->call, &server);
	run(w);
	check(w->call.answered);
	check_int(w->call.link.state, RPR_LINK_TRANSFER);
	w->asked = 0;
	says(w, 0, "0002"); /* a late answer to Link Open */
	says(w, 1, "0004");
	rpr_link_close(&w->access, &w->call, &server, PROV_CLOSE_SUCCESS);
	run(w);
	check_int(w->last_opcode, OP_RPR_LINK_CLOSE);
	check_int(w->last[0], PROV_CLOSE_SUCCESS);
	check_int(w->call.link.state, RPR_LINK_CLOSING);
	check_int(w->done, 2);
	world_free(w);
}

TEST(a_cancelled_call_is_never_told)
{
	struct world *w = world_new(OP_RPR_LINK_STATUS);

	says(w, 0, "0000");
	rpr_link_get(&w->access, &w->call, &server);
	rpr_call_cancel(&w->call);
	rpr_call_cancel(&w->call);
	run(w);
	check_int(w->done, 0);
	rpr_link_get(&w->access, &w->call, &server); /* and may be used again */
	w->asked = 0;
	run(w);
	check_int(w->done, 1);
	world_free(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vector_of_a_message_that_we_use_agrees),
		cmocka_unit_test(oob_information_is_little_endian_unless_that_is_impossible),
		cmocka_unit_test(messages_of_wrong_length_are_refused),
		cmocka_unit_test(capabilities_come_after_two_losses_and_a_malformed_answer),
		cmocka_unit_test(a_scan_starts_for_all_or_for_one_device),
		cmocka_unit_test(silence_is_tolerated_where_bluez_is_silent_and_nowhere_else),
		cmocka_unit_test(link_get_and_link_close_take_only_what_answers_them),
		cmocka_unit_test(a_cancelled_call_is_never_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
