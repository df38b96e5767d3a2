/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One device, from its beacon to a configured node. Table in the order of the work:
 *
 *   step           writes before it                    after a restart
 *   fetch_certificate  (online certificates only: fetch_certificate.c)   wait
 *   open_link      the server that holds a link        wait (its server is cleaned first)
 *   read_records                                       wait
 *   exchange       the verdict on its certificate      wait
 *   prompt         (a person is asked, see oob_prompt.h) wait, and is asked anew
 *   deliver_data   address, device key, pending node   prove_key
 *   close_link                                         prove_key
 *   prove_key                                          prove_key
 *   relay ...      composition, the node has joined    the same step
 *
 * Nothing leaves before its turn's commit, so whatever dies: a device that may have the network
 * key has its address and its device key in the store, and prove_key asks it.
 */
#include "provision.h"

#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "configure.h"
#include "devices.h"
#include "fetch_certificate.h"
#include "log.h"
#include "oob_prompt.h"
#include "prove.h"
#include "reach.h"
#include "session.h"
#include "survey.h"

enum { OPEN_SECONDS = 10, NET_KEY = 0, FLAG_IV_UPDATE = 1 << 1 };

static void read_records(struct task *t);
static void nothing(struct task *t);

static const struct step steps[] = {
	{ "wait", nothing, 0, PROVISION_WAIT, -1 },
	/* Longer than a link through a far server takes to say how it ends: who was silent. */
	{ "fetch_certificate", fetch_certificate, 0, PROVISION_WAIT, -1 },
	{ "open_link", provision_open_link, SEC(120), PROVISION_WAIT, DB_PHASE_LINK },
	{ "read_records", read_records, SEC(180), PROVISION_WAIT, DB_PHASE_RECORDS },
	{ "exchange", nothing, SEC(150), PROVISION_WAIT, DB_PHASE_EXCHANGE },
	{ "prompt", nothing, OOB_PROMPT_LIMIT, PROVISION_WAIT, -1 },
	{ "deliver_data", nothing, SEC(90), PROVISION_PROVE_KEY, DB_PHASE_DATA },
	{ "close_link", nothing, SEC(45), PROVISION_PROVE_KEY, DB_PHASE_DATA },
	{ "prove_key", provision_prove_key, 0, PROVISION_PROVE_KEY, DB_PHASE_PROVE },
	{ "relay", configure_relay, 0, PROVISION_RELAY, DB_PHASE_CONFIGURE },
	{ "default_ttl", configure_ttl, 0, PROVISION_TTL, DB_PHASE_CONFIGURE },
	{ "app_key", configure_app_key, 0, PROVISION_APP_KEY, DB_PHASE_CONFIGURE },
	{ "bind", configure_bind, 0, PROVISION_BIND, DB_PHASE_CONFIGURE },
	{ "capabilities", configure_capabilities, 0, PROVISION_CAPABILITIES, DB_PHASE_CONFIGURE },
};

const struct job_kind provision_kind = {
	.steps = steps,
	.n_steps = ARRAY_LEN(steps),
	.schedule = provision_schedule,
	.over = provision_over,
	.stop = provision_stop,
	.complete = provision_complete,
};

static void nothing(struct task *t)
{
}

/* How the attempt ends is decided here; the link closes first. */
static void decide(struct task *t, enum reason reason, const char *message, bool final)
{
	struct work *w = t->work;

	w->verdict = true;
	w->final = final;
	w->reason = reason;
	snprintf(w->message, sizeof w->message, "%s", message ? message : "");
	session_abort(w->session);
}

/* The device's own row, changed by what was learnt of it. */
static void remember(struct task *t, void (*change)(struct task *t, struct db_device *row))
{
	struct jobs *j = t->job->jobs;
	struct db_device row;

	if (!device_row(j, t->row.uuid, &row))
		return;
	change(t, &row);
	db_device_put(j->env.db, &row);
	secret_wipe(row.static_oob, sizeof row.static_oob);
	jobs_tell_device(j, t->row.uuid, false);
}

static void learn_trust(struct task *t, struct db_device *row)
{
	const struct work *w = t->work;

	if (w->have_facts)
		trust_copy_facts(&row->certificate, &w->facts);
	row->saw_certificates = true;
	row->trust = w->verdict ? DB_TRUST_REJECTED : DB_TRUST_TRUSTED;
	snprintf(row->trust_code, sizeof row->trust_code, "%s",
		 w->verdict ? reason_code(w->reason) : "");
	snprintf(row->trust_message, sizeof row->trust_message, "%s", w->verdict ? w->message : "");
}

static void learn_hmac(struct task *t, struct db_device *row)
{
	row->saw_hmac = true;
}

static void invite(struct task *t)
{
	struct work *w = t->work;
	struct oob_plan plan;

	oob_plan(t, &plan);
	if (plan.conflict) {
		decide(t, REASON_KEY_INVALID,
		       "The key of its certificate is not the one on the list.", true);
		return;
	}
	task_enter(t, PROVISION_EXCHANGE);
	prov_invite(w->session->prov, &plan.policy, plan.has_key ? plan.key : NULL, 0);
	secret_wipe(&plan, sizeof plan);
}

void provision_refuse(struct task *t, enum reason reason, const char *why)
{
	struct work *w = t->work;

	w->verdict = w->have_facts = true;
	w->reason = reason;
	snprintf(w->message, sizeof w->message, "%s", why);
	if (reason != REASON_CLOCK_WRONG) /* our fault, not the device's */
		remember(t, learn_trust);
	task_fail(t, reason, why);
}

/* A rejection is final for the job, and no policy goes round it: see provision_entry. */
static void judge_certificate(struct task *t, const struct bytes *der, size_t n)
{
	struct work *w = t->work;
	char why[CERT_TEXT] = "";
	enum reason reason;
	bool good = certificate_judge(t->job->jobs, t->row.uuid, der, n, &w->facts, &reason, why);

	w->have_facts = true;
	if (good) {
		remember(t, learn_trust);
		invite(t);
		return;
	}
	decide(t, reason, why, true);
	if (reason != REASON_CLOCK_WRONG)
		remember(t, learn_trust);
}

/* An imported certificate counts like one read from the device. */
static bool judge_imported(struct task *t)
{
	uint8_t der[DB_DER_MAX];
	size_t n;

	if (db_device_certificate(t->job->jobs->env.db, t->row.uuid, der, sizeof der, &n) != DB_OK)
		return false;
	judge_certificate(t, &(struct bytes){ der, n }, 1);
	return true;
}

/* It has none of its own: perhaps it says where it is. */
static void nothing_recorded(struct task *t, struct bytes base_uri)
{
	char message[DB_MESSAGE] = "";
	enum reason reason;
	bool elsewhere;

	if (judge_imported(t))
		return;
	elsewhere = fetch_certificate_elsewhere(t, base_uri, &reason, message);
	decide(t, reason, message, true);
	t->work->fetch_next = elsewhere;
}

static void records_read(struct task *t, const struct prov_event *ev)
{
	struct bytes chain[CERT_CHAIN_MAX + 1], base_uri = { NULL, 0 };
	size_t n = 1;

	chain[0] = base_uri;
	for (size_t i = 0; i < ev->n_records; i++) {
		const struct prov_record_data *r = &ev->records[i];

		if (r->id == PROV_RECORD_DEVICE_CERTIFICATE)
			chain[0] = r->data;
		else if (r->id == PROV_RECORD_BASE_URI)
			base_uri = r->data;
		else if (r->id >= PROV_RECORD_INTERMEDIATE_FIRST &&
			 r->id <= PROV_RECORD_INTERMEDIATE_LAST && n < ARRAY_LEN(chain))
			chain[n++] = r->data;
	}
	if (!chain[0].n) {
		nothing_recorded(t, base_uri);
		return;
	}
	fetch_certificate_keep(t, chain, n);
	judge_certificate(t, chain, n);
}

static void read_records(struct task *t)
{
	prov_read_records(t->work->session->prov);
}

/* What is here already need not be read: records are slow. */
static void link_opened(struct task *t)
{
	if (t->job->row.options.policy != DB_POLICY_CERTIFICATE) {
		invite(t);
	} else if (fetch_certificate_kept(t)) {
		remember(t, learn_trust);
		invite(t);
	} else if (t->device->oob_info & OOB_INFO_RECORDS) {
		task_enter(t, PROVISION_READ_RECORDS);
	} else if (!judge_imported(t)) {
		decide(t, REASON_CERTIFICATE_ABSENT,
		       t->device->oob_info & OOB_INFO_CBP
			       ? "The device's certificate is only online, and it was not imported."
			       : NULL,
		       true);
	}
}

/* The device forgot a former life in this network: its old address goes into quarantine. */
static bool bury_former_node(struct jobs *j, const uint8_t uuid[UUID_LEN], uint32_t iv_index)
{
	struct db_node old;
	enum db_rc rc = db_node_get_uuid(j->env.db, uuid, &old);

	if (rc != DB_OK)
		return rc == DB_NONE;
	secret_wipe(&old.device_key, sizeof old.device_key);
	return node_bury(j, old.address,
			 old.state == DB_NODE_PENDING ? DB_ADDRESS_BURNT : DB_ADDRESS_EXCLUDED);
}

/* DB_NONE: no range is free. */
static enum db_rc reserve(struct task *t, const struct prov_event *ev, uint32_t iv_index)
{
	struct jobs *j = t->job->jobs;
	struct db_node n = { .elements = ev->capabilities->elements,
			     .device_key = *ev->device_key,
			     .state = DB_NODE_PENDING,
			     .hops = -1,
			     .via = t->row.server,
			     .algorithm = (uint8_t)ev->algorithm,
			     .auth_method = (uint8_t)ev->method,
			     .oob_public_key = ev->oob_public_key,
			     .job = t->row.job,
			     .created = jobs_wall(j),
			     .key_created = jobs_wall(j) };
	struct db_device row;
	int server_hops = node_hops(j, t->row.server);
	enum db_rc rc = DB_ERROR;

	if (bury_former_node(j, t->row.uuid, iv_index))
		rc = db_address_reserve(j->env.db, n.elements, t->row.uuid, iv_index, &n.address);
	if (rc != DB_OK) {
		secret_wipe(&n, sizeof n);
		return rc;
	}
	memcpy(n.uuid, t->row.uuid, UUID_LEN);
	if (device_row(j, t->row.uuid, &row)) {
		memcpy(n.name, row.name, sizeof n.name);
		memcpy(n.area, row.area, sizeof n.area);
		memcpy(n.profile, row.profile, sizeof n.profile);
		n.certificate = row.certificate;
		secret_wipe(row.static_oob, sizeof row.static_oob);
	}
	if (t->row.server == j->own)
		n.hops = 0;
	else if (server_hops >= 0)
		n.hops = server_hops + 1;
	rc = db_node_insert(j->env.db, &n);
	if (rc == DB_OK && !mesh_node_set(j->env.mesh, n.address, n.elements, &n.device_key, NULL))
		rc = DB_CONFLICT;
	if (rc == DB_OK) {
		node_set_distance(j, n.address, n.hops, 0);
		t->row.address = n.address;
	}
	secret_wipe(&n, sizeof n);
	return rc;
}

/* The key and the address are in the same transaction as the step's name, and the Provisioning
 * Data waits behind that transaction. */
static void key_agreed(struct task *t, const struct prov_event *ev)
{
	struct jobs *j = t->job->jobs;
	struct db_net_key net;
	struct mesh_iv iv;

	mesh_iv(j->env.mesh, &iv);
	enum db_rc rc = db_net_key_get(j->env.db, NET_KEY, &net);
	if (rc == DB_NONE)
		rc = DB_ERROR; /* there is no network without it */
	if (rc == DB_OK)
		rc = reserve(t, ev, iv.index);
	if (rc != DB_OK) {
		if (rc != DB_NONE)
			db_fail(j->env.db); /* nothing of this turn is sent, and we end */
		secret_wipe(&net, sizeof net);
		decide(t, REASON_ADDRESSES_EXHAUSTED, NULL, true);
		return;
	}
	struct prov_data data = { .net_key = net.key,
				  .net_key_index = NET_KEY,
				  .flags = iv.update ? FLAG_IV_UPDATE : 0,
				  .iv_index = iv.index,
				  .address = t->row.address };
	task_enter(t, PROVISION_DELIVER_DATA);
	prov_send_data(t->work->session->prov, &data);
	secret_wipe(&data, sizeof data);
	secret_wipe(&net, sizeof net);
}

static void broke_off(struct task *t)
{
	pace_failed(&t->job->pace);
	t->mute_since = jobs_now(t->job->jobs);
	survey_mute(t->job->jobs);
}

static void link_ended(struct task *t, const struct prov_event *ev)
{
	struct work *w = t->work;
	bool opened = w->session->opened;
	uint64_t latency = w->session->server->local ? 0 : w->session->server->latency;

	w->session = NULL;
	if (oob_ended(t, ev))
		return;
	if (ev->end == PROV_OK)
		pace_succeeded(&t->job->pace, latency);
	else if (opened && (ev->end == PROV_END_CARRIER || ev->end == PROV_END_TIMEOUT))
		broke_off(t);
	if (!w->verdict) {
		w->reason = ev->end == PROV_OK ? REASON_TIMEOUT
					       : reason_of_session(ev->end, ev->carrier_end);
		/* Its confirmation value of our AuthValue, or of the key of the list, is another.
		 */
		if (ev->end == PROV_END_DEVICE_FAILED &&
		    ev->device_error == PROV_ERR_CONFIRMATION_FAILED)
			w->reason = REASON_AUTH_FAILED;
		snprintf(w->message, sizeof w->message, "%s",
			 ev->end == PROV_OK ? "" : prov_end_text(ev->end));
	}
	if (ev->end == PROV_END_AUTH_FAILED || ev->end == PROV_END_KEY_INVALID)
		fetch_certificate_doubt(t);
	if (t->step >= PROVISION_DELIVER_DATA)
		task_enter(t, PROVISION_PROVE_KEY); /* only the node itself knows what it took */
	else if (w->verdict && w->final && w->reason == REASON_CANCELLED)
		task_cancel(t);
	else if (w->fetch_next)
		fetch_certificate_next(t);
	else if (w->verdict && w->final)
		task_fail(t, w->reason, w->message);
	else
		provision_attempt_failed(t, w->reason, NULL);
}

static void on_session(struct task *t, const struct prov_event *ev)
{
	switch (ev->type) {
	case PROV_EV_LINK_OPEN:
		link_opened(t);
		break;
	case PROV_EV_RECORDS:
		records_read(t, ev);
		break;
	case PROV_EV_CAPABILITIES:
		if (ev->capabilities->algorithms & 1 << PROV_ALG_HMAC)
			remember(t, learn_hmac);
		oob_chosen(t, ev);
		break;
	case PROV_EV_OOB_OUTPUT:
	case PROV_EV_OOB_INPUT:
		oob_asked(t, ev);
		break;
	case PROV_EV_KEY_AGREED:
		key_agreed(t, ev);
		break;
	case PROV_EV_DATA_SENT:
		break;
	case PROV_EV_COMPLETE:
		task_enter(t, PROVISION_CLOSE_LINK);
		break;
	case PROV_EV_ENDED:
		link_ended(t, ev);
		break;
	}
}

void provision_open_link(struct task *t)
{
	struct server *s = server_find(t->job->jobs, t->row.server);

	t->work->session = session_open(t, s, OPEN_SECONDS, on_session);
}

void provision_over(struct task *t)
{
	struct work *w = t->work;

	if (w->session && !w->verdict)
		decide(t, t->step == PROVISION_OPEN_LINK ? REASON_LINK_OPEN_FAILED : REASON_TIMEOUT,
		       NULL, false);
}

bool provision_stop(struct task *t)
{
	if (t->step == PROVISION_FETCH) {
		task_cancel(t);
		return true;
	}
	if (t->step >= PROVISION_DELIVER_DATA || !t->work->session)
		return false;
	decide(t, REASON_CANCELLED, NULL, true);
	return true;
}

/* A certificate that was rejected is never gone round by a weaker policy. */
static bool is_barred(struct task *t)
{
	struct db_device row;
	bool barred = t->job->row.options.policy != DB_POLICY_CERTIFICATE &&
		      db_device_get(t->job->jobs->env.db, t->row.uuid, &row) == DB_OK &&
		      row.trust == DB_TRUST_REJECTED;
	const struct jobs_reason *r = barred ? jobs_reason(row.trust_code) : NULL;
	size_t n;

	if (barred)
		task_fail(t, r ? (enum reason)(r - jobs_reasons(&n)) : REASON_CERTIFICATE_UNTRUSTED,
			  row.trust_message);
	return barred;
}

enum provision_step provision_entry(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct db_node n;
	enum db_rc rc;

	if (is_barred(t))
		return PROVISION_WAIT;
	rc = db_node_get_uuid(j->env.db, t->row.uuid, &n);
	secret_wipe(&n.device_key, sizeof n.device_key);
	if (rc != DB_OK)
		return PROVISION_WAIT;
	if (n.state == DB_NODE_PENDING) {
		t->row.address = n.address;
		return PROVISION_PROVE_KEY;
	}
	if (t->device && device_is_free(t->device))
		return PROVISION_WAIT; /* reset since: it beacons again */
	t->row.address = n.address;
	if (n.state == DB_NODE_JOINED)
		return PROVISION_RELAY;
	task_succeed(t, "It is a node already.");
	return PROVISION_WAIT;
}
