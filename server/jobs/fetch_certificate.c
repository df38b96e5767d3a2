/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mesh 5.6, certificates over the Internet. Where the base URI comes from, and what happens:
 *
 *   advertised beside the beacon, and    fetch ---> good: kept, then the link opens
 *   named by its hash                       `-----> not to be had: the link opens, and the device
 *                                                   itself is asked (record 0x0001, then 0x0000)
 *   record 0x0000 and no record 0x0001   link closes ---> fetch ---> good: kept, the link opens
 * again
 *                                                            `-----> not to be had: the task fails
 *
 * Nothing is held open during a fetch: no link, no server. What came is judged before the link,
 * like any other certificate; that a site could prove its own name says nothing about it.
 */
#include "fetch_certificate.h"

#include <stdio.h>
#include <string.h>

#include "base_uri.h"
#include "cert_response.h"
#include "certificates.h"
#include "devices.h"
#include "log.h"
#include "reasons.h"

enum { HTTP_OK = 200, HTTP_REDIRECT = 300, HTTP_CLIENT = 400, HTTP_SERVER = 500 };
enum { HTTP_NOT_FOUND = 404, HTTP_GONE = 410 };

static const int64_t keep_ms = INT64_C(7) * 24 * 3600 * 1000; /* 5.8: not for ever */
static const uint64_t crowded = SEC(2);

static bool wants_certificate(const struct task *t)
{
	return t->job->row.options.policy == DB_POLICY_CERTIFICATE;
}

/* What a record said wins; what is advertised counts for devices with certificates only. */
static bool find_uri(struct task *t, struct db_device_uri *out)
{
	struct jobs *j = t->job->jobs;
	char why[BASE_URI_WHY];
	struct db_device row;
	bool ok;

	if (db_device_uri_get(j->env.db, t->row.uuid, out) == DB_OK)
		return true;
	if (!t->device || !(t->device->oob_info & OOB_INFO_CBP) ||
	    db_device_get(j->env.db, t->row.uuid, &row) != DB_OK)
		return false;
	secret_wipe(row.static_oob, sizeof row.static_oob);
	ok = *row.scan.uri &&
	     base_uri_read(bytes_of((const uint8_t *)row.scan.uri, strlen(row.scan.uri)),
			   t->row.uuid, out->uri, why);
	out->recorded = false;
	return ok;
}

bool fetch_certificate_kept(struct task *t)
{
	struct jobs *j = t->job->jobs;
	struct cert_facts facts;
	char why[CERT_TEXT];
	enum reason reason;
	struct chain kept;
	bool good;

	good = chain_load(j, t->row.uuid, &kept) && jobs_wall(j) < kept.at + keep_ms &&
	       certificate_judge(j, t->row.uuid, kept.der, kept.n, &facts, &reason, why);
	chain_free(&kept);
	if (good && t->work) {
		t->work->facts = facts;
		t->work->have_facts = true;
	}
	return good;
}

static bool is_imported(struct task *t)
{
	struct db_device row;
	bool has = db_device_get(t->job->jobs->env.db, t->row.uuid, &row) == DB_OK &&
		   row.has_certificate;

	secret_wipe(row.static_oob, sizeof row.static_oob);
	return has;
}

bool fetch_certificate_wanted(struct task *t)
{
	struct db_device_uri u;

	if (!wants_certificate(t) || !t->job->jobs->env.fetch || !find_uri(t, &u) ||
	    is_imported(t) || fetch_certificate_kept(t))
		return false;
	return u.recorded || !t->fetch_failed;
}

bool fetch_certificate_possible(struct task *t)
{
	struct db_device_uri u;

	return fetch_certificate_kept(t) || (t->job->jobs->env.fetch && find_uri(t, &u));
}

void fetch_certificate_keep(struct task *t, const struct bytes *der, size_t n)
{
	struct jobs *j = t->job->jobs;

	for (size_t i = 0; i < n; i++) {
		if (der[i].n > CERT_SIZE_MAX)
			return;
	}
	db_chain_put(j->env.db, t->row.uuid, der, n, DB_CHAIN_DEVICE, jobs_wall(j));
}

void fetch_certificate_doubt(struct task *t)
{
	db_chain_delete(t->job->jobs->env.db, t->row.uuid);
}

bool fetch_certificate_elsewhere(struct task *t, struct bytes base_uri, enum reason *reason,
				 char message[DB_MESSAGE])
{
	struct jobs *j = t->job->jobs;
	struct db_device_uri u = { .recorded = true, .at = jobs_wall(j) };
	char why[BASE_URI_WHY];

	*reason = REASON_CERTIFICATE_ABSENT;
	if (!base_uri.n) {
		snprintf(message, DB_MESSAGE, "The device gives no certificate over the link.");
		return false;
	}
	if (!j->env.fetch) {
		snprintf(message, DB_MESSAGE,
			 "The device's certificate is only online, and nothing is fetched here.");
		return false;
	}
	if (!base_uri_read(base_uri, t->row.uuid, u.uri, why)) {
		*reason = REASON_CERTIFICATE_FETCH_FAILED;
		snprintf(message, DB_MESSAGE, "%s", why);
		return false;
	}
	return db_device_uri_put(j->env.db, t->row.uuid, &u) == DB_OK;
}

void fetch_certificate_next(struct task *t)
{
	t->row.attempts -= t->row.attempts > 0;
	task_again(t, 0);
}

/* ---- the step ---- */

/* Not to be had. A device with records may still show one itself; later may be better for a site
 * that is silent, and never for an answer that no rule allows. */
static void not_had(struct task *t, bool later, const char *why)
{
	struct db_device_uri u;
	bool records = t->device && t->device->oob_info & OOB_INFO_RECORDS;

	if (find_uri(t, &u) && !u.recorded && records) {
		log_info("job=%lld a certificate is not at its advertised place: %s",
			 (long long)t->row.job, why);
		t->fetch_failed = true;
		fetch_certificate_next(t);
	} else if (reason_clock_is_wrong(jobs_wall(t->job->jobs) / 1000)) {
		task_fail(t, REASON_CLOCK_WRONG, NULL); /* no site's certificate is good then */
	} else if (later) {
		provision_attempt_failed(t, REASON_CERTIFICATE_FETCH_FAILED, why);
	} else {
		task_fail(t, REASON_CERTIFICATE_FETCH_FAILED, why);
	}
}

static void judge_fetched(struct task *t, const struct cert_response *got)
{
	struct jobs *j = t->job->jobs;
	char why[CERT_TEXT] = "";
	enum reason reason;

	db_chain_put(j->env.db, t->row.uuid, got->der, got->n, DB_CHAIN_FETCHED, jobs_wall(j));
	if (certificate_judge(j, t->row.uuid, got->der, got->n, &t->work->facts, &reason, why))
		fetch_certificate_next(t);
	else
		provision_refuse(t, reason, why);
}

/* Table of 5.6.1.2: only 200 brings anything. */
static const char *status_text(int status)
{
	if (status >= HTTP_REDIRECT && status < HTTP_CLIENT)
		return "it wants to send us elsewhere, and redirects are not followed";
	if (status == HTTP_NOT_FOUND)
		return "it knows no certificate of this device";
	if (status == HTTP_GONE)
		return "it has withdrawn this device's certificate";
	return status >= HTTP_SERVER ? "it has a fault of its own"
				     : "it does not answer such a request";
}

static void on_fetched(void *ctx, const struct jobs_fetched *f)
{
	struct task *t = ctx;
	char why[CERT_TEXT];
	struct cert_response got;

	t->work->fetch = 0;
	if (f->end != JOBS_FETCH_OK) {
		not_had(t, f->end == JOBS_FETCH_FAILED, f->why);
	} else if (f->status != HTTP_OK) {
		snprintf(why, sizeof why, "The maker's site answered with status %d: %s.",
			 f->status, status_text(f->status));
		not_had(t, f->status >= HTTP_SERVER && f->status != 501, why);
	} else if (cert_response_read(&got, f->type, f->body, why)) {
		judge_fetched(t, &got);
	} else if (got.broken) {
		provision_refuse(t, REASON_CERTIFICATE_CHAIN, why);
	} else {
		not_had(t, false, why);
	}
}

void fetch_certificate(struct task *t)
{
	struct jobs *j = t->job->jobs;
	char request[BASE_URI_REQUEST];
	struct db_device_uri u;

	if (!find_uri(t, &u) || !base_uri_request(u.uri, t->row.uuid, NULL, 0, request)) {
		fetch_certificate_next(t);
		return;
	}
	t->work->fetch = j->env.fetch(j->env.ctx, request, on_fetched, t);
	if (!t->work->fetch) {
		t->row.attempts -= t->row.attempts > 0;
		task_again(t, crowded);
	}
}

void fetch_certificate_cancel(struct jobs *j, struct work *w)
{
	if (w->fetch)
		j->env.fetch_cancel(j->env.ctx, w->fetch);
	w->fetch = 0;
}
