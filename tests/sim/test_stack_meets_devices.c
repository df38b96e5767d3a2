/* SPDX-License-Identifier: Apache-2.0 */
/* The stack, without server and jobs, against simulated devices: PB-ADV, composition and relay,
 * then a scan and a second device through the first one. Every method that both sides have. */
#include <stdlib.h>

#include "ad_structures.h"
#include "check.h"
#include "config_client.h"
#include "lab.h"
#include "pb_adv.h"
#include "pb_remote.h"
#include "provisioner.h"
#include "remote_prov_extended.h"

enum { DEVICES = LAB_DEVICES, FIRST = LAB_FIRST };

struct story {
	struct lab *lab;
	/* of the session that runs */
	struct prov *prov;
	struct prov_policy policy;
	const uint8_t *oob_key;
	uint8_t oob_key_copy[64];
	bool use_records;
	uint16_t next_address;
	struct secret16 device_key;
	bool complete, ended;
	enum prov_end end;
	uint8_t elements;
	/* of calls */
	bool done;
	enum access_result result;
	unsigned reports;
};

static struct story *story_new(uint64_t seed, double loss)
{
	struct story *s = calloc(1, sizeof(*s));

	s->lab = lab_new(seed, loss);
	s->next_address = FIRST;
	return s;
}

static void story_free(struct story *s)
{
	if (s->prov)
		prov_free(s->prov);
	lab_free(s->lab);
	free(s);
}

/* ---- a session ---- */

static void on_key_agreed(struct story *st, const struct prov_event *ev)
{
	struct prov_data data = { .net_key = st->lab->net_key, .address = st->next_address };

	st->device_key = *ev->device_key;
	st->elements = ev->capabilities->elements;
	check(mesh_node_set(st->lab->mesh, st->next_address, st->elements, &st->device_key, NULL));
	prov_send_data(st->prov, &data);
}

static void on_prov(void *ctx, const struct prov_event *ev)
{
	struct story *st = ctx;

	switch (ev->type) {
	case PROV_EV_LINK_OPEN:
		if (st->use_records)
			prov_read_records(st->prov);
		else
			prov_invite(st->prov, &st->policy, st->oob_key, 0);
		break;
	case PROV_EV_RECORDS:
		check_int(ev->n_records, 1);
		check_int(ev->records[0].data.n, 200);
		prov_invite(st->prov, &st->policy, st->oob_key, 0);
		break;
	case PROV_EV_KEY_AGREED:
		on_key_agreed(st, ev);
		break;
	case PROV_EV_COMPLETE:
		st->complete = true;
		break;
	case PROV_EV_ENDED:
		st->ended = true;
		st->end = ev->end;
		break;
	case PROV_EV_CAPABILITIES:
	case PROV_EV_OOB_OUTPUT:
	case PROV_EV_OOB_INPUT:
		break;
	case PROV_EV_DATA_SENT:
		break;
	}
}

static void provision(struct story *st, struct prov_carrier *carrier, size_t i)
{
	struct prov_env env = { .timers = &st->lab->timers,
				.random = lab_random,
				.random_ctx = st->lab,
				.event = on_prov,
				.ctx = st };

	st->complete = st->ended = false;
	st->prov = prov_new(&env, carrier, st->lab->member[i].make.uuid);
	if (!lab_run(st->lab, SEC(120), &st->ended))
		fail_msg("the session with device %zu does not end", i);
	check_str(prov_end_text(st->end), prov_end_text(PROV_OK));
	check(st->complete);
	prov_free(st->prov);
	st->prov = NULL;
	st->next_address += st->elements;
}

static void must_be_node(struct story *st, size_t i, uint16_t address)
{
	struct device_state s;
	char id[KEY_ID_TEXT];

	check(device_state_read(bytes_of(st->lab->member[i].flash, st->lab->member[i].flash_len),
				&s));
	check(s.provisioned);
	check_int(s.address, address);
	check_str(s.device_key_id, device_key_id(&st->device_key, id));
}

/* ---- requests ---- */

static void on_config(void *ctx, enum access_result r, struct config_call *call)
{
	struct story *st = ctx;

	st->done = true;
	st->result = r;
	if (r == ACCESS_OK && call->composition.n) {
		struct composition c;

		check(composition_decode(&c, call->composition));
		check(composition_has_model(&c, 0, MODEL_REMOTE_PROV_SERVER));
	}
}

static void on_rpr(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct story *st = ctx;

	st->done = true;
	st->result = r;
}

static void must_answer(struct story *st, const char *what)
{
	if (!lab_run(st->lab, SEC(60), &st->done) || st->result != ACCESS_OK)
		fail_msg("%s: no answer (%d)", what, st->done ? (int)st->result : -1);
	st->done = false;
}

static void configure(struct story *st, uint16_t address)
{
	struct access_target node = { .dst = address, .app_index = ACCESS_DEVICE_KEY, .ttl = 4 };
	struct config_call call = { .done = on_config, .ctx = st };

	config_composition_get(mesh_access(st->lab->mesh), &call, &node, 0);
	must_answer(st, "Composition Data Get");
	config_relay_set(mesh_access(st->lab->mesh), &call, &node, true, 1);
	must_answer(st, "Relay Set");
	check_int(call.value, 1);
	config_default_ttl_set(mesh_access(st->lab->mesh), &call, &node, 6);
	must_answer(st, "Default TTL Set");
	check_int(call.value, 6);
}

static void on_report(void *ctx, const struct access_message *m)
{
	struct story *st = ctx;
	struct rpr_scan_report report;

	check(rpr_scan_report_decode(&report, m));
	if (memcmp(report.uuid, st->lab->member[1].make.uuid, UUID_LEN) == 0) {
		st->reports++;
		st->done = true;
	}
}

static void scan_through(struct story *st, uint16_t server)
{
	struct access_target to = { .dst = server, .app_index = ACCESS_DEVICE_KEY, .ttl = 4 };
	struct access_listener listener = { OP_RPR_SCAN_REPORT, on_report, st, NULL };
	struct rpr_call call = { .done = on_rpr, .ctx = st };

	access_listen(mesh_access(st->lab->mesh), &listener);
	rpr_capabilities_get(mesh_access(st->lab->mesh), &call, &to);
	must_answer(st, "Scan Capabilities Get");
	rpr_scan_start(mesh_access(st->lab->mesh), &call, &to, 0, 20, NULL);
	must_answer(st, "Scan Start");
	check_int(call.scan.status, RPR_SUCCESS);
	st->result = ACCESS_OK;
	if (st->reports == 0)
		must_answer(st, "Scan Report");
	check(st->reports > 0);
	access_unlisten(mesh_access(st->lab->mesh), &listener);
}

/* Device 0 beside the gateway by PB-ADV; device 1, out of the gateway's reach, through it. */
static void grow(struct story *st)
{
	struct access_target server = { .dst = FIRST, .app_index = ACCESS_DEVICE_KEY, .ttl = 4 };
	struct prov_carrier *carrier = pb_adv_carrier_new(mesh_pb_adv(st->lab->mesh));
	struct pb_remote_options options = { 0 };

	lab_add(st->lab, 0, 5);
	provision(st, carrier, 0);
	pb_adv_carrier_free(carrier);
	must_be_node(st, 0, FIRST);
	configure(st, FIRST);
	lab_add(st->lab, 1, 10);
	scan_through(st, FIRST);
	carrier = pb_remote_new(mesh_access(st->lab->mesh), &st->lab->timers, &server, &options);
	provision(st, carrier, 1);
	pb_remote_free(carrier);
	must_be_node(st, 1, (uint16_t)(FIRST + 1));
	configure(st, (uint16_t)(FIRST + 1));
}

TEST(no_oob_directly_and_through_a_server)
{
	struct story *st = story_new(1, 0);

	st->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_HMAC, .allow_none = true };
	grow(st);
	story_free(st);
}

TEST(cmac_only_devices_directly_and_through_a_server)
{
	struct story *st = story_new(2, 0.1);

	for (size_t i = 0; i < DEVICES; i++)
		st->lab->member[i].make.algorithms = 1;
	st->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_CMAC, .allow_none = true };
	grow(st);
	story_free(st);
}

TEST(static_oob_directly_and_through_a_server)
{
	struct story *st = story_new(3, 0.1);

	st->policy = (struct prov_policy){ .require_static_oob = true,
					   .min_algorithm = PROV_ALG_HMAC,
					   .static_oob_len = 32 };
	lab_random(st->lab, st->policy.static_oob, 32);
	for (size_t i = 0; i < DEVICES; i++) {
		st->lab->member[i].make.static_oob_len = 32;
		memcpy(st->lab->member[i].make.static_oob, st->policy.static_oob, 32);
	}
	grow(st);
	story_free(st);
}

TEST(an_oob_public_key_and_records_with_loss)
{
	for (uint64_t seed = 40; seed < 60; seed++) {
		struct story *st = story_new(seed, 0.2);
		static uint8_t record[200];
		struct secret32 random, secret;

		do {
			lab_random(st->lab, &random, sizeof(random));
		} while (!p256_key_pair(&random, &secret, st->oob_key_copy));
		st->oob_key = st->oob_key_copy;
		st->use_records = true;
		st->policy = (struct prov_policy){ .require_oob_public_key = true,
						   .min_algorithm = PROV_ALG_HMAC };
		for (size_t i = 0; i < DEVICES; i++) {
			struct device_make *make = &st->lab->member[i].make;

			make->oob_public_key = make->certificates = true;
			make->secret_key = secret;
			make->records[0].id = PROV_RECORD_DEVICE_CERTIFICATE;
			make->records[0].data = bytes_of(record, sizeof(record));
			make->n_records = 1;
		}
		grow(st);
		story_free(st);
	}
}

struct told {
	struct story *st;
	struct ad_facts facts;
	uint32_t hash;
	uint8_t uuid[UUID_LEN];
	bool has_oob;
};

static void on_extended(void *ctx, enum access_result r, const struct rpr_extended_report *report)
{
	struct told *t = ctx;

	t->st->done = true;
	t->st->result = r;
	if (!report)
		return;
	check_int(report->status, RPR_SUCCESS);
	t->has_oob = report->has_oob;
	memcpy(t->uuid, report->uuid, UUID_LEN);
	ad_read_facts(&t->facts, report->ads, &t->hash);
}

static void identity(struct device_make *make, const char *name, const char *uri)
{
	strcpy(make->name, name);
	strcpy(make->uri, uri);
	make->appearance = 0x0582;
}

/* Device 1 advertises them beside its beacons; device 0 listens for us, and tells of itself. */
TEST(an_extended_scan_brings_name_kind_and_uri)
{
	static const uint8_t types[] = { AD_COMPLETE_LOCAL_NAME, AD_APPEARANCE, AD_URI };
	struct access_target server = { .dst = FIRST, .app_index = ACCESS_DEVICE_KEY, .ttl = 4 };
	struct story *st = story_new(5, 0.1);
	struct prov_carrier *carrier = pb_adv_carrier_new(mesh_pb_adv(st->lab->mesh));
	struct told told = { .st = st };
	struct rpr_extended x = { .done = on_extended, .ctx = &told };

	for (size_t i = 0; i < DEVICES; i++) {
		struct device_make *make = &st->lab->member[i].make;
		uint8_t hash[16];

		identity(make, i ? "A lamp of the second floor" : "Gate", "\x17//a.b");
		s1(bytes_of(make->uri, strlen(make->uri)), hash);
		struct rd r = rd_from(bytes_of(hash, sizeof(hash)));
		told.hash = rd_be32(&r);
	}
	st->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_HMAC, .allow_none = true };
	lab_add(st->lab, 0, 5);
	provision(st, carrier, 0);
	pb_adv_carrier_free(carrier);
	configure(st, FIRST);
	lab_add(st->lab, 1, 10);
	for (int of_device = 1; of_device >= 0; of_device--) {
		const uint8_t *uuid = st->lab->member[of_device].make.uuid;
		struct rpr_extended_start m = { types, ARRAY_LEN(types), of_device ? uuid : NULL,
						of_device ? 20 : 0 };

		rpr_extended_scan(mesh_access(st->lab->mesh), &x, &server, &m, uuid);
		must_answer(st, "Extended Scan Report");
		check(told.has_oob && told.facts.has_appearance);
		check_mem(told.uuid, uuid, UUID_LEN);
		check_int(told.facts.appearance, 0x0582);
		/* what one PDU has room for */
		check_str(told.facts.name, of_device ? "A lamp of the second floo" : "Gate");
		check_str(told.facts.uri, "https://a.b");
	}
	story_free(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_oob_directly_and_through_a_server),
		cmocka_unit_test(cmac_only_devices_directly_and_through_a_server),
		cmocka_unit_test(static_oob_directly_and_through_a_server),
		cmocka_unit_test(an_oob_public_key_and_records_with_loss),
		cmocka_unit_test(an_extended_scan_brings_name_kind_and_uri),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
