/* SPDX-License-Identifier: Apache-2.0 */
/* Trust anchors: the rows of the store, and the set that certificates are checked against. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_jobs.h"
#include "db_certificates.h"
#include "log.h"

void trust_copy_facts(struct db_certificate *out, const struct cert_facts *in)
{
	memset(out, 0, sizeof *out);
	out->present = true;
	snprintf(out->subject, sizeof out->subject, "%s", in->subject);
	snprintf(out->issuer, sizeof out->issuer, "%s", in->issuer);
	snprintf(out->serial, sizeof out->serial, "%s", in->serial);
	out->not_before = in->not_before;
	out->not_after = in->not_after;
	memcpy(out->fingerprint, in->fingerprint, sizeof out->fingerprint);
}

static void add_row(void *ctx, const struct db_anchor *a)
{
	char why[CERT_TEXT];

	if (!trust_add(ctx, a->der, why))
		log_warning("anchor=%lld is not used: %s", (long long)a->id, why);
}

static void add_crl(void *ctx, const struct db_crl *c)
{
	char why[CERT_TEXT];

	if (!trust_add_crl(ctx, c->der, why))
		log_warning("anchor=%lld: its revocation list is not used: %s",
			    (long long)c->anchor, why);
}

bool trust_load(struct jobs *j)
{
	struct trust *fresh = trust_new();
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];

	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_anchors(j->env.db, &page, add_row, fresh, next) != DB_OK) {
			trust_free(fresh);
			return false;
		}
	} while (*next);
	if (db_crls(j->env.db, add_crl, fresh) != DB_OK) {
		trust_free(fresh);
		return false;
	}
	if (j->trust)
		trust_free(j->trust);
	j->trust = fresh;
	return true;
}

enum jobs_rc jobs_anchor_check(struct jobs *j, struct bytes der, struct db_certificate *facts,
			       char why[JOBS_WHY])
{
	struct trust *scratch = trust_new();
	struct cert_facts f;
	char reason[CERT_TEXT] = "";
	bool ok = trust_add(scratch, der, reason);

	trust_free(scratch);
	memset(facts, 0, sizeof *facts);
	if (cert_facts(der, &f))
		trust_copy_facts(facts, &f);
	else if (ok)
		ok = false;
	snprintf(why, JOBS_WHY, "%s", ok ? "" : *reason ? reason : "this is no certificate");
	return ok ? JOBS_OK : JOBS_BAD_OPTION;
}

enum jobs_rc jobs_anchor_add(struct jobs *j, struct bytes der, const char *name, const char *by,
			     int64_t *id, char why[JOBS_WHY])
{
	struct db_anchor a = { .added = jobs_wall(j), .der = der };
	enum jobs_rc rc = jobs_anchor_check(j, der, &a.facts, why);
	enum db_rc stored;

	if (rc != JOBS_OK)
		return rc;
	snprintf(a.name, sizeof a.name, "%.127s", name && *name ? name : a.facts.subject);
	snprintf(a.added_by, sizeof a.added_by, "%s", by ? by : "");
	stored = db_anchor_insert(j->env.db, &a, id);
	if (stored == DB_CONFLICT)
		snprintf(why, JOBS_WHY, "this certificate is a trust anchor already");
	if (stored != DB_OK)
		return stored == DB_CONFLICT ? JOBS_CONFLICT : JOBS_STORE;
	return trust_load(j) ? JOBS_OK : JOBS_STORE;
}

enum jobs_rc jobs_anchor_delete(struct jobs *j, int64_t id)
{
	enum db_rc rc = db_anchor_delete(j->env.db, id);

	if (rc != DB_OK)
		return rc == DB_NONE ? JOBS_NOT_FOUND : JOBS_STORE;
	return trust_load(j) ? JOBS_OK : JOBS_STORE;
}

/* ---- revocation lists ---- */

struct one_anchor {
	int64_t id;
	uint8_t der[DB_DER_MAX];
	size_t n;
};

static void take_anchor(void *ctx, const struct db_anchor *a)
{
	struct one_anchor *one = ctx;

	if (a->id != one->id || a->der.n > sizeof one->der)
		return;
	memcpy(one->der, a->der.p, a->der.n);
	one->n = a->der.n;
}

static enum jobs_rc anchor_der(struct jobs *j, struct one_anchor *one)
{
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];

	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_anchors(j->env.db, &page, take_anchor, one, next) != DB_OK)
			return JOBS_STORE;
	} while (*next && !one->n);
	return one->n ? JOBS_OK : JOBS_NOT_FOUND;
}

/* It would keep every honest list out until that day: see "older" below. */
static bool is_from_the_future(struct jobs *j, const struct crl_facts *facts)
{
	static const int64_t clocks_differ = 86400;

	return facts->issued > jobs_wall(j) / 1000 + clocks_differ;
}

static enum jobs_rc crl_store(struct jobs *j, int64_t anchor, struct bytes der,
			      const struct crl_facts *facts, char why[JOBS_WHY])
{
	struct db_crl old, c = { .anchor = anchor,
				 .issued = facts->issued,
				 .next_update = facts->next_update,
				 .revoked = (int64_t)facts->revoked,
				 .added = jobs_wall(j),
				 .der = der };

	if (is_from_the_future(j, facts)) {
		snprintf(why, JOBS_WHY,
			 "This list says that it was issued on a day to come: check "
			 "this gateway's clock, then ask who issued it.");
		return JOBS_BAD_OPTION;
	}
	if (db_crl_get(j->env.db, anchor, &old) == DB_OK && old.issued > c.issued) {
		snprintf(why, JOBS_WHY, "This list is older than the one that is here already.");
		return JOBS_BAD_OPTION;
	}
	return db_crl_put(j->env.db, &c) == DB_OK && trust_load(j) ? JOBS_OK : JOBS_STORE;
}

enum jobs_rc jobs_crl_set(struct jobs *j, int64_t anchor, struct bytes text, char why[JOBS_WHY])
{
	struct one_anchor one = { .id = anchor };
	enum jobs_rc rc = anchor_der(j, &one);
	char reason[CERT_TEXT];
	struct crl_facts facts;
	uint8_t *der;
	size_t n;

	why[0] = '\0';
	if (rc != JOBS_OK)
		return rc;
	der = malloc(CRL_SIZE_MAX);
	if (!der)
		return JOBS_STORE;
	if (crl_read(text, bytes_of(one.der, one.n), der, &n, &facts, reason)) {
		rc = crl_store(j, anchor, bytes_of(der, n), &facts, why);
	} else {
		snprintf(why, JOBS_WHY, "%s", reason);
		rc = JOBS_BAD_OPTION;
	}
	free(der);
	return rc;
}

enum jobs_rc jobs_crl_delete(struct jobs *j, int64_t anchor)
{
	enum db_rc rc = db_crl_delete(j->env.db, anchor);

	if (rc != DB_OK)
		return rc == DB_NONE ? JOBS_NOT_FOUND : JOBS_STORE;
	return trust_load(j) ? JOBS_OK : JOBS_STORE;
}

int jobs_certificates_each(struct bytes text, void (*each)(void *ctx, struct bytes der), void *ctx)
{
	return cert_each(text, each, ctx);
}
