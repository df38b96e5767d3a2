/* SPDX-License-Identifier: Apache-2.0 */
#include "nppi_story.h"

#include <stdlib.h>

#include "check.h"
#include "pb_adv.h"
#include "remote_prov_client.h"

/* ---- what happens to the node ---- */

static void cut_power(void *ctx)
{
	struct story *s = ctx;

	lab_restart(s->lab, 0);
}

static void recover(void *ctx)
{
	struct story *s = ctx;

	s->node->deaf = s->node->mute = false;
}

void story_recover(struct story *s)
{
	timer_stop(&s->lab->timers, &s->later);
	recover(s);
}

const char *story_name(enum nppi_procedure procedure)
{
	static const char *const names[] = { "device key refresh", "address refresh",
					     "composition refresh" };

	return names[procedure];
}

static void happen(struct story *s)
{
	s->happened = true;
	if (s->what == POWER_CUT) {
		timer_start(&s->lab->timers, &s->later, 0, cut_power, s);
		return;
	}
	s->node->deaf = s->what == DEAFNESS || s->what == SILENCE;
	s->node->mute = s->what == MUTENESS || s->what == SILENCE;
	timer_start(&s->lab->timers, &s->later, s->lasts, recover, s);
}

static void on_trace(void *ctx, const struct access_message *m, struct bytes pdu, bool outgoing)
{
	struct story *s = ctx;
	struct rd r = rd_from(pdu);

	if (!s->at || s->happened || outgoing != s->at->outgoing || rd_be16(&r) != s->at->opcode)
		return;
	if (s->at->octet >= 0 && (pdu.n < 4 || pdu.p[3] != s->at->octet))
		return;
	happen(s);
}

static void on_candidate(void *ctx, uint16_t address)
{
	struct story *s = ctx;

	check_int(address, s->address);
	s->candidates_used++;
}

/* ---- sessions ---- */

/* A bad address of a test may lie inside of the node. */
static bool is_elsewhere(const struct story *s)
{
	return s->data.address < s->address || s->data.address >= s->address + s->elements;
}

static void on_key_agreed(struct story *s, const struct prov_event *ev)
{
	struct mesh *mesh = s->lab->mesh;
	bool moves = s->address == 0 || (s->procedure == NPPI_ADDRESS && is_elsewhere(s));

	s->candidate = *ev->device_key;
	s->has_candidate = true;
	s->new_elements = ev->capabilities->elements;
	if (moves)
		check(mesh_node_set(mesh, s->data.address, s->new_elements, &s->candidate, NULL));
	else
		check(mesh_node_set(mesh, s->address, s->elements, &s->key, &s->candidate));
	prov_send_data(s->prov, &s->data);
}

static void on_prov(void *ctx, const struct prov_event *ev)
{
	struct story *s = ctx;

	if (s->aborts && ev->type == s->abort_at) {
		prov_abort(s->prov);
		return;
	}
	switch (ev->type) {
	case PROV_EV_LINK_OPEN:
		if (s->reads_records)
			prov_read_records(s->prov);
		else
			prov_invite(s->prov, &s->policy, NULL, 0);
		break;
	case PROV_EV_RECORDS:
		check_int(ev->n_records, 1);
		prov_invite(s->prov, &s->policy, NULL, 0);
		break;
	case PROV_EV_KEY_AGREED:
		on_key_agreed(s, ev);
		break;
	case PROV_EV_DATA_SENT:
		s->data_sent = true;
		break;
	case PROV_EV_COMPLETE:
		s->complete = true;
		break;
	case PROV_EV_ENDED:
		s->ended = true;
		s->end = ev->end;
		s->carrier_end = ev->carrier_end;
		s->device_error = ev->device_error;
		break;
	case PROV_EV_CAPABILITIES:
	case PROV_EV_OOB_OUTPUT:
	case PROV_EV_OOB_INPUT:
		break;
	}
}

static void run_session(struct story *s, struct prov_carrier *carrier)
{
	struct prov_env env = { .timers = &s->lab->timers,
				.random = lab_random,
				.random_ctx = s->lab,
				.event = on_prov,
				.ctx = s };

	s->data_sent = s->complete = s->ended = s->has_candidate = false;
	s->prov = prov_new(&env, carrier, s->node->make.uuid);
	if (!lab_run(s->lab, s->crashes ? SEC(10) : SEC(300), &s->ended) && !s->crashes)
		fail_msg("the session does not end");
	prov_free(s->prov);
	s->prov = NULL;
}

struct access_target story_target(const struct story *s, uint16_t address, int key)
{
	return (struct access_target){ .dst = address, .app_index = key, .ttl = 4 };
}

/* What a Configuration Manager gives, unless the test spoils it first. */
void story_plan(struct story *s, enum nppi_procedure procedure)
{
	s->procedure = procedure;
	s->data = (struct prov_data){ .net_key = s->lab->net_key,
				      .address = procedure == NPPI_ADDRESS ? NEW : s->address };
}

/* A carrier that closes with Fail whatever its owner says. */
struct failing {
	struct prov_carrier_ops ops;
	const struct prov_carrier_ops *real;
};

static void close_with_fail(struct prov_carrier *c, enum prov_close_reason reason)
{
	CONTAINER_OF(c->ops, struct failing, ops)->real->close(c, PROV_CLOSE_FAIL);
}

static void close_never(struct prov_carrier *c, enum prov_close_reason reason)
{
}

void story_refresh_with(struct story *s, bool close_fails)
{
	struct access_target node = story_target(s, s->address, OLD_KEY);
	struct pb_remote_options options = { .nppi = true, .procedure = s->procedure };
	struct prov_carrier *c =
		pb_remote_new(mesh_access(s->lab->mesh), &s->lab->timers, &node, &options);
	struct failing failing = { *c->ops, c->ops };

	failing.ops.close = s->crashes ? close_never : close_with_fail;
	if (close_fails || s->crashes)
		c->ops = &failing.ops;
	run_session(s, c);
	s->confirmed = pb_remote_close_confirmed(c);
	pb_remote_free(c);
}

void story_refresh(struct story *s)
{
	story_refresh_with(s, false);
}

/* ---- requests ---- */

void story_on_config(void *ctx, enum access_result r, struct config_call *call)
{
	struct story *s = ctx;

	s->done = true;
	s->result = r;
	s->page_number = call->page;
	s->page_n = call->composition.n;
	if (s->page_n)
		memcpy(s->page, call->composition.p, s->page_n);
}

bool story_answered(struct story *s)
{
	check(lab_run(s->lab, SEC(120), &s->done));
	s->done = false;
	return s->result == ACCESS_OK;
}

static void on_rpr(void *ctx, enum access_result r, struct rpr_call *call)
{
	struct story *s = ctx;

	s->done = true;
	s->result = r;
}

void story_close_link(struct story *s, enum prov_close_reason reason)
{
	struct access_target node = story_target(s, s->address, OLD_KEY);
	struct rpr_call call = { .done = on_rpr, .ctx = s };

	rpr_link_close(mesh_access(s->lab->mesh), &call, &node, reason);
	story_answered(s);
}

bool story_page(struct story *s, uint16_t address, int key, uint8_t number)
{
	struct access_target node = story_target(s, address, key);
	struct config_call call = { .done = story_on_config, .ctx = s };

	config_composition_get(mesh_access(s->lab->mesh), &call, &node, number);
	return story_answered(s);
}

/* Composition Data Get works on every node and changes nothing. */
bool story_probe(struct story *s, uint16_t address, int key)
{
	return story_page(s, address, key, COMPOSITION_PAGE_MODELS);
}

bool story_probe_new(struct story *s)
{
	return s->procedure == NPPI_ADDRESS ? story_probe(s, s->data.address, OLD_KEY)
					    : story_probe(s, s->address, NEW_KEY);
}

bool story_probe_old(struct story *s)
{
	return story_probe(s, s->address, OLD_KEY);
}

void story_must(bool ok, const char *what)
{
	if (!ok)
		fail_msg("%s", what);
}

/* ---- the node ---- */

struct story *story_new(uint64_t seed, double loss, const struct device_make *changes)
{
	struct story *s = calloc(1, sizeof(*s));

	s->lab = lab_new(seed, loss);
	s->lab->trace = on_trace;
	s->lab->candidate_used = on_candidate;
	s->lab->ctx = s;
	s->node = &s->lab->member[0];
	if (changes) {
		uint8_t uuid[UUID_LEN];

		memcpy(uuid, s->node->make.uuid, UUID_LEN);
		s->node->make = *changes;
		memcpy(s->node->make.uuid, uuid, UUID_LEN);
	}
	s->policy = (struct prov_policy){ .min_algorithm = PROV_ALG_CMAC, .allow_none = true };
	return s;
}

struct device_make story_server(uint8_t elements, uint8_t changed)
{
	return (struct device_make){ .elements = elements,
				     .changed_elements = changed,
				     .features = FEATURE_RELAY,
				     .algorithms = 3,
				     .server = true };
}

void story_free(struct story *s)
{
	timer_stop(&s->lab->timers, &s->later);
	lab_free(s->lab);
	free(s);
}

/* What the job does when the node has answered under the new key. */
void story_take_over(struct story *s)
{
	struct mesh *mesh = s->lab->mesh;

	if (s->procedure == NPPI_ADDRESS) {
		mesh_node_remove(mesh, s->address);
		s->address = s->data.address;
		s->elements = s->new_elements;
	}
	s->key = s->candidate;
	s->has_candidate = false;
	check(mesh_node_set(mesh, s->address, s->elements, &s->key, NULL));
}

void story_let_go(struct story *s)
{
	if (s->procedure == NPPI_ADDRESS)
		mesh_node_remove(s->lab->mesh, s->data.address);
	check(mesh_node_set(s->lab->mesh, s->address, s->elements, &s->key, NULL));
	s->has_candidate = false;
}

/* As new from the factory, over PB-ADV. */
void story_join(struct story *s)
{
	struct prov_carrier *carrier = pb_adv_carrier_new(mesh_pb_adv(s->lab->mesh));
	const struct moment *at = s->at;

	s->at = NULL;
	lab_add(s->lab, 0, 5);
	s->data = (struct prov_data){ .net_key = s->lab->net_key, .address = OLD };
	run_session(s, carrier);
	check_str(prov_end_text(s->end), prov_end_text(PROV_OK));
	pb_adv_carrier_free(carrier);
	s->address = OLD;
	s->elements = s->new_elements;
	s->key = s->candidate;
	s->at = at;
	story_must(story_probe_old(s), "no answer as a new node");
}

/* What its flash says is what we believe. */
void story_must_agree(struct story *s, const char *row)
{
	struct device_state state = lab_state(s->lab, 0);
	char id[KEY_ID_TEXT];

	check_row(row, state.provisioned && state.address == s->address);
	check_row(row, state.elements == s->elements);
	check_row(row, strcmp(state.device_key_id, device_key_id(&s->key, id)) == 0);
	check_row(row, state.candidate_key_id[0] == 0);
}

void story_must_succeed(struct story *s, enum nppi_procedure procedure, const char *row)
{
	struct secret16 old = s->key;
	uint16_t from = s->address;

	story_plan(s, procedure);
	if (procedure == NPPI_ADDRESS)
		s->data.address = from == NEW ? NEW + 0x10 : NEW;
	s->candidates_used = 0;
	story_refresh(s);
	if (s->end != PROV_OK || !s->complete)
		fail_msg("%s: %s", row, prov_end_text(s->end));
	check_row(row, !secret16_equal(&s->candidate, &old));
	check_row(row, story_probe_new(s));
	check_row(row, (s->candidates_used > 0) == (procedure != NPPI_ADDRESS));
	story_take_over(s);
	story_must_agree(s, row);
	/* The old key is dead, at the old address as well as at the new one. */
	check(mesh_node_set(s->lab->mesh, s->address, s->elements, &old, &s->key));
	check_row(row, !story_probe(s, s->address, OLD_KEY));
	check(mesh_node_set(s->lab->mesh, s->address, s->elements, &s->key, NULL));
	if (from != s->address) {
		check(mesh_node_set(s->lab->mesh, from, 1, &s->key, NULL));
		check_row(row, !story_probe(s, from, OLD_KEY));
		mesh_node_remove(s->lab->mesh, from);
	}
	check_row(row, story_probe(s, s->address, OLD_KEY));
}
