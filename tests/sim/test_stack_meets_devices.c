/* SPDX-License-Identifier: Apache-2.0 */
/* The stack, without server and jobs, against simulated devices: PB-ADV, composition and relay,
 * then a scan and a second device through the first one. Every method that both sides have. */
#include <stdlib.h>

#include "air.h"
#include "check.h"
#include "config_client.h"
#include "device.h"
#include "mesh.h"
#include "pb_adv.h"
#include "pb_remote.h"
#include "provisioner.h"
#include "remote_prov_client.h"

enum { DEVICES = 2, FIRST = 0x0002 };

struct lab {
	struct timers timers;
	uint64_t random;
	struct air *air;
	struct air_radio *gateway;
	struct bearer bearer;
	struct mesh *mesh;
	struct member {
		struct lab *lab;
		struct device_make make;
		struct device *device;
		struct air_radio *radio;
		uint8_t flash[DEVICE_FLASH_MAX];
		size_t flash_len;
	} member[DEVICES];
	/* of the session that runs */
	struct prov *prov;
	struct prov_policy policy;
	const uint8_t *oob_key;
	uint8_t oob_key_copy[64];
	bool use_records;
	uint16_t next_address;
	struct secret16 net_key, device_key;
	bool complete, ended;
	enum prov_end end;
	uint8_t elements;
	/* of calls */
	bool done;
	enum access_result result;
	unsigned reports;
};

static void lab_random(void *ctx, void *out, size_t n)
{
	struct lab *l = ctx;

	for (size_t i = 0; i < n; i++) {
		l->random = l->random * 6364136223846793005u + 1442695040888963407u;
		((uint8_t *)out)[i] = (uint8_t)(l->random >> 40);
	}
}

/* ---- the devices on the air ---- */

static void member_random(void *ctx, void *out, size_t n)
{
	lab_random(((struct member *)ctx)->lab, out, n);
}

static void member_send(void *ctx, const struct device_send *s)
{
	struct member *m = ctx;
	struct air_transmission t = { s->count, s->interval_ms, s->tag, bytes_of(s->data, s->len) };

	air_send(m->radio, &t);
}

static void member_cancel(void *ctx, uint32_t tag)
{
	air_cancel(((struct member *)ctx)->radio, tag);
}

static void member_save(void *ctx, struct bytes image)
{
	struct member *m = ctx;

	check(image.n <= sizeof(m->flash));
	memcpy(m->flash, image.p, image.n);
	m->flash_len = image.n;
}

static void member_heard(void *ctx, const struct air_report *r)
{
	device_heard(((struct member *)ctx)->device, r->ad, r->rssi);
}

static void member_add(struct lab *l, size_t i, double x)
{
	struct member *m = &l->member[i];
	struct air_radio_config radio = { .place = { x, 0, 0 },
					  .address = { (uint8_t)(i + 1) },
					  .heard = member_heard,
					  .ctx = m };
	struct device_env env = { &l->timers,	 member_random, member_send,
				  member_cancel, member_save,	m };

	m->lab = l;
	m->radio = air_add(l->air, &radio);
	m->device = device_new(&m->make, &env, bytes_of(m->flash, m->flash_len));
}

/* ---- the stack on the air ---- */

static bool gateway_send(struct bearer *b, const struct bearer_send *s)
{
	struct lab *l = CONTAINER_OF(b, struct lab, bearer);
	struct air_transmission t = { s->count, s->interval_ms, s->tag, bytes_of(s->data, s->len) };

	return air_send(l->gateway, &t);
}

static void gateway_cancel(struct bearer *b, uint32_t tag)
{
	air_cancel(CONTAINER_OF(b, struct lab, bearer)->gateway, tag);
}

static void gateway_heard(void *ctx, const struct air_report *r)
{
	struct lab *l = ctx;
	struct bearer_report report = { .data = r->ad,
					.event_type = ADV_NONCONN_IND,
					.rssi = r->rssi };

	l->bearer.heard(l->bearer.heard_ctx, &report);
}

static void ignore_seq(void *ctx, uint32_t reserved)
{
}

static void ignore_iv(void *ctx, const struct mesh_iv *iv, uint32_t seq)
{
}

static void ignore_replay(void *ctx, uint16_t src, uint64_t ivi_seq)
{
}

static struct lab *lab_new(uint64_t seed, double loss)
{
	static const struct mesh_store store = { ignore_seq, ignore_iv, ignore_replay, NULL };
	struct lab *l = calloc(1, sizeof(*l));
	struct air_radio_config radio = {
		.address = { 0xEE }, .outside = true, .heard = gateway_heard, .ctx = l
	};
	struct mesh_env env = { .bearer = &l->bearer,
				.timers = &l->timers,
				.store = &store,
				.random = lab_random,
				.ctx = l };
	struct mesh_boot boot = { .address = 1 };

	l->random = seed;
	l->next_address = FIRST;
	timers_init(&l->timers, SEC(1));
	l->air = air_new(&l->timers, seed, seed, loss);
	l->gateway = air_add(l->air, &radio);
	l->bearer.send = gateway_send;
	l->bearer.cancel = gateway_cancel;
	l->mesh = mesh_new(&env, &boot);
	lab_random(l, &l->net_key, sizeof(l->net_key));
	check(mesh_net_key_add(l->mesh, 0, &l->net_key));
	for (size_t i = 0; i < DEVICES; i++) {
		struct device_make *make = &l->member[i].make;

		memset(make->uuid, (int)(0xA0 + i), sizeof(make->uuid));
		make->elements = 1;
		make->features = FEATURE_RELAY;
		make->algorithms = 3;
		make->server = true;
	}
	return l;
}

static void lab_free(struct lab *l)
{
	if (l->prov)
		prov_free(l->prov);
	mesh_free(l->mesh);
	for (size_t i = 0; i < DEVICES; i++) {
		if (l->member[i].device)
			device_free(l->member[i].device);
	}
	air_free(l->air);
	timers_free(&l->timers);
	free(l);
}

static bool lab_run(struct lab *l, uint64_t limit, const bool *until)
{
	uint64_t end = timers_now(&l->timers) + limit;

	while (!*until && timers_fire_next(&l->timers, end))
		;
	return *until;
}

/* ---- a session ---- */

static void on_key_agreed(struct lab *l, const struct prov_event *ev)
{
	struct prov_data data = { .net_key = l->net_key, .address = l->next_address };

	l->device_key = *ev->device_key;
	l->elements = ev->capabilities->elements;
	check(mesh_node_set(l->mesh, l->next_address, l->elements, &l->device_key, NULL));
	prov_send_data(l->prov, &data);
}

static void on_prov(void *ctx, const struct prov_event *ev)
{
	struct lab *l = ctx;

	switch (ev->type) {
	case PROV_EV_LINK_OPEN:
		if (l->use_records)
			prov_read_records(l->prov);
		else
			prov_invite(l->prov, &l->policy, l->oob_key, 0);
		break;
	case PROV_EV_RECORDS:
		check_int(ev->n_records, 1);
		check_int(ev->records[0].data.n, 200);
		prov_invite(l->prov, &l->policy, l->oob_key, 0);
		break;
	case PROV_EV_KEY_AGREED:
		on_key_agreed(l, ev);
		break;
	case PROV_EV_COMPLETE:
		l->complete = true;
		break;
	case PROV_EV_ENDED:
		l->ended = true;
		l->end = ev->end;
		break;
	case PROV_EV_CAPABILITIES:
	case PROV_EV_DATA_SENT:
		break;
	}
}

static void provision(struct lab *l, struct prov_carrier *carrier, size_t i)
{
	struct prov_env env = { .timers = &l->timers,
				.random = lab_random,
				.random_ctx = l,
				.event = on_prov,
				.ctx = l };

	l->complete = l->ended = false;
	l->prov = prov_new(&env, carrier, l->member[i].make.uuid);
	if (!lab_run(l, SEC(120), &l->ended))
		fail_msg("the session with device %zu does not end", i);
	check_str(prov_end_text(l->end), prov_end_text(PROV_OK));
	check(l->complete);
	prov_free(l->prov);
	l->prov = NULL;
	l->next_address += l->elements;
}

static void must_be_node(struct lab *l, size_t i, uint16_t address)
{
	struct device_state s;
	char id[KEY_ID_TEXT];

	check(device_state_read(bytes_of(l->member[i].flash, l->member[i].flash_len), &s));
	check(s.provisioned);
	check_int(s.address, address);
	check_str(s.device_key_id, device_key_id(&l->device_key, id));
}

/* ---- requests ---- */

static void on_config(void *ctx, enum access_result r, struct config_call *call)
{
	struct lab *l = ctx;

	l->done = true;
	l->result = r;
	if (r == ACCESS_OK && call->composition.n) {
		struct composition c;

		check(composition_decode(&c, call->composition));
		check(composition_has_model(&c, 0, MODEL_REMOTE_PROV_SERVER));
	}
}

static void on_rpr(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct lab *l = ctx;

	l->done = true;
	l->result = r;
}

static void must_answer(struct lab *l, const char *what)
{
	if (!lab_run(l, SEC(60), &l->done) || l->result != ACCESS_OK)
		fail_msg("%s: no answer (%d)", what, l->done ? (int)l->result : -1);
	l->done = false;
}

static void configure(struct lab *l, uint16_t address)
{
	struct access_target node = { .dst = address, .app_index = ACCESS_DEVICE_KEY, .ttl = 4 };
	struct config_call call = { .done = on_config, .ctx = l };

	config_composition_get(mesh_access(l->mesh), &call, &node, 0);
	must_answer(l, "Composition Data Get");
	config_relay_set(mesh_access(l->mesh), &call, &node, true, 1);
	must_answer(l, "Relay Set");
	check_int(call.value, 1);
	config_default_ttl_set(mesh_access(l->mesh), &call, &node, 6);
	must_answer(l, "Default TTL Set");
	check_int(call.value, 6);
}

static void on_report(void *ctx, const struct access_message *m)
{
	struct lab *l = ctx;
	struct rpr_scan_report report;

	check(rpr_scan_report_decode(&report, m));
	if (memcmp(report.uuid, l->member[1].make.uuid, UUID_LEN) == 0) {
		l->reports++;
		l->done = true;
	}
}

static void scan_through(struct lab *l, uint16_t server)
{
	struct access_target to = { .dst = server, .app_index = ACCESS_DEVICE_KEY, .ttl = 4 };
	struct access_listener listener = { OP_RPR_SCAN_REPORT, on_report, l, NULL };
	struct rpr_call call = { .done = on_rpr, .ctx = l };

	access_listen(mesh_access(l->mesh), &listener);
	rpr_capabilities_get(mesh_access(l->mesh), &call, &to);
	must_answer(l, "Scan Capabilities Get");
	rpr_scan_start(mesh_access(l->mesh), &call, &to, 0, 20, NULL);
	must_answer(l, "Scan Start");
	check_int(call.scan.status, RPR_SUCCESS);
	l->result = ACCESS_OK;
	if (l->reports == 0)
		must_answer(l, "Scan Report");
	check(l->reports > 0);
	access_unlisten(mesh_access(l->mesh), &listener);
}

/* Device 0 beside the gateway by PB-ADV; device 1, out of the gateway's reach, through it. */
static void grow(struct lab *l)
{
	struct access_target server = { .dst = FIRST, .app_index = ACCESS_DEVICE_KEY, .ttl = 4 };
	struct prov_carrier *carrier = pb_adv_carrier_new(mesh_pb_adv(l->mesh));
	struct pb_remote_options options = { 0 };

	member_add(l, 0, 5);
	provision(l, carrier, 0);
	pb_adv_carrier_free(carrier);
	must_be_node(l, 0, FIRST);
	configure(l, FIRST);
	member_add(l, 1, 10);
	scan_through(l, FIRST);
	carrier = pb_remote_new(mesh_access(l->mesh), &l->timers, &server, &options);
	provision(l, carrier, 1);
	pb_remote_free(carrier);
	must_be_node(l, 1, (uint16_t)(FIRST + 1));
	configure(l, (uint16_t)(FIRST + 1));
}

TEST(no_oob_directly_and_through_a_server)
{
	struct lab *l = lab_new(1, 0);

	l->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_HMAC, .allow_none = true };
	grow(l);
	lab_free(l);
}

TEST(cmac_only_devices_directly_and_through_a_server)
{
	struct lab *l = lab_new(2, 0.1);

	for (size_t i = 0; i < DEVICES; i++)
		l->member[i].make.algorithms = 1;
	l->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_CMAC, .allow_none = true };
	grow(l);
	lab_free(l);
}

TEST(static_oob_directly_and_through_a_server)
{
	struct lab *l = lab_new(3, 0.1);

	l->policy = (struct prov_policy){ .require_static_oob = true,
					  .min_algorithm = PROV_ALG_HMAC,
					  .static_oob_len = 32 };
	lab_random(l, l->policy.static_oob, 32);
	for (size_t i = 0; i < DEVICES; i++) {
		l->member[i].make.static_oob_len = 32;
		memcpy(l->member[i].make.static_oob, l->policy.static_oob, 32);
	}
	grow(l);
	lab_free(l);
}

TEST(an_oob_public_key_and_records_with_loss)
{
	for (uint64_t seed = 40; seed < 60; seed++) {
		struct lab *l = lab_new(seed, 0.2);
		static uint8_t record[200];
		struct secret32 random, secret;

		do {
			lab_random(l, &random, sizeof(random));
		} while (!p256_key_pair(&random, &secret, l->oob_key_copy));
		l->oob_key = l->oob_key_copy;
		l->use_records = true;
		l->policy = (struct prov_policy){ .require_oob_public_key = true,
						  .min_algorithm = PROV_ALG_HMAC };
		for (size_t i = 0; i < DEVICES; i++) {
			struct device_make *make = &l->member[i].make;

			make->oob_public_key = make->certificates = true;
			make->secret_key = secret;
			make->records[0].id = PROV_RECORD_DEVICE_CERTIFICATE;
			make->records[0].data = bytes_of(record, sizeof(record));
			make->n_records = 1;
		}
		grow(l);
		lab_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_oob_directly_and_through_a_server),
		cmocka_unit_test(cmac_only_devices_directly_and_through_a_server),
		cmocka_unit_test(static_oob_directly_and_through_a_server),
		cmocka_unit_test(an_oob_public_key_and_records_with_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
