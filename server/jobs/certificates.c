/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void chain_take(void *ctx, const struct db_chain_link *l)
{
	struct chain *c = ctx;
	uint8_t *copy;

	if (c->n == DB_CHAIN_MAX || l->der.n == 0)
		return;
	copy = malloc(l->der.n);
	if (!copy)
		abort();
	memcpy(copy, l->der.p, l->der.n);
	c->der[c->n++] = bytes_of(copy, l->der.n);
	c->source = l->source;
	c->at = l->at;
}

bool chain_load(struct jobs *j, const uint8_t uuid[UUID_LEN], struct chain *out)
{
	memset(out, 0, sizeof *out);
	return db_chain(j->env.db, uuid, chain_take, out) == DB_OK && out->n > 0;
}

void chain_free(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		free((void *)(uintptr_t)c->der[i].p);
	memset(c, 0, sizeof *c);
}

/* BCID and BPID of 5.5.1.1.4.6. A certificate that keeps silent does not say what is wanted. */
static bool product_fits(struct jobs *j, const struct cert_facts *facts, char why[CERT_TEXT])
{
	struct db_product want;

	if (db_device_product_get(j->env.db, facts->uuid, &want) != DB_OK)
		return true;
	if (!facts->has_ids) {
		snprintf(why, CERT_TEXT,
			 "The device list says which product this is, and the certificate names "
			 "none.");
		return false;
	}
	if ((want.company < 0 || want.company == facts->company) &&
	    (want.product < 0 || want.product == facts->product))
		return true;
	if (want.company >= 0 && want.company != facts->company)
		snprintf(why, CERT_TEXT,
			 "The certificate is of company 0x%04x; the device list says 0x%04x.",
			 facts->company, (unsigned)want.company);
	else
		snprintf(why, CERT_TEXT,
			 "The certificate is of product 0x%04x; the device list says 0x%04x.",
			 facts->product, (unsigned)want.product);
	return false;
}

bool certificate_judge(struct jobs *j, const uint8_t *uuid, const struct bytes *der, size_t n,
		       struct cert_facts *facts, enum reason *reason, char why[CERT_TEXT])
{
	int64_t now = jobs_wall(j) / 1000;
	enum cert_verdict v =
		cert_check(j->trust, der[0], der + 1, n - 1, uuid, (time_t)now, facts, why);

	if (v == CERT_OK) {
		*reason = REASON_CERTIFICATE_PRODUCT_MISMATCH;
		return product_fits(j, facts, why);
	}
	*reason = reason_of_certificate(v, now);
	if (!*why)
		snprintf(why, CERT_TEXT, "%s", jobs_reason(reason_code(*reason))->message);
	return false;
}

/* ---- what a certificate or a device would get ---- */

struct anchor_of {
	const uint8_t *fingerprint;
	struct jobs_verdict *out;
	char name[DB_NAME];
};

static void find_anchor(void *ctx, const struct db_anchor *a)
{
	struct anchor_of *f = ctx;

	if (memcmp(a->facts.fingerprint, f->fingerprint, sizeof a->facts.fingerprint) != 0)
		return;
	f->out->anchor = a->id;
	snprintf(f->name, sizeof f->name, "%s", a->name);
}

static bool name_anchor(struct jobs *j, const struct cert_facts *facts, struct jobs_verdict *out)
{
	struct anchor_of f = { .fingerprint = facts->anchor, .out = out };
	char next[DB_CURSOR] = "", cursor[DB_CURSOR];

	do {
		memcpy(cursor, next, sizeof cursor);
		struct db_page page = { .limit = 1000, .cursor = cursor };

		if (db_anchors(j->env.db, &page, find_anchor, &f, next) != DB_OK)
			return false;
	} while (*next);
	snprintf(out->message, sizeof out->message,
		 "It would be accepted: its chain ends in the trust anchor \"%.120s\".", f.name);
	return true;
}

static void refuse_with(struct jobs_verdict *out, enum reason reason, const char *message)
{
	const struct jobs_reason *r = jobs_reason(reason_code(reason));

	out->is = JOBS_VERDICT_REFUSED;
	out->code = r->code;
	out->advice = r->advice;
	snprintf(out->message, sizeof out->message, "%.255s", message);
}

enum jobs_rc jobs_certificate_check(struct jobs *j, const uint8_t *uuid, const struct bytes *der,
				    size_t n, struct jobs_verdict *out)
{
	char why[CERT_TEXT] = "";
	struct cert_facts facts;
	enum reason reason;

	memset(out, 0, sizeof *out);
	out->source = JOBS_FROM_REQUEST;
	if (certificate_judge(j, uuid, der, n, &facts, &reason, why)) {
		out->is = JOBS_VERDICT_TRUSTED;
		if (!name_anchor(j, &facts, out))
			return JOBS_STORE;
	} else {
		refuse_with(out, reason, why);
	}
	if (*facts.subject || facts.not_after)
		trust_copy_facts(&out->facts, &facts);
	return JOBS_OK;
}

/* What it was refused for when it was asked last, and nothing of it is kept. */
static void remembered(const struct db_device *row, struct jobs_verdict *out)
{
	const struct jobs_reason *r = jobs_reason(row->trust_code);

	out->source = row->trust == DB_TRUST_UNKNOWN ? JOBS_FROM_NOWHERE : JOBS_FROM_DEVICE;
	out->facts = row->certificate;
	if (row->trust != DB_TRUST_REJECTED || !r) {
		out->is = JOBS_VERDICT_UNKNOWN;
		snprintf(out->message, sizeof out->message,
			 "No certificate of this device is here yet.");
		out->advice = "Import it with the device list, or let a provision job ask the "
			      "device or its maker's site for it.";
		return;
	}
	out->is = JOBS_VERDICT_REFUSED;
	out->code = r->code;
	out->advice = r->advice;
	snprintf(out->message, sizeof out->message, "%.255s",
		 *row->trust_message ? row->trust_message : r->message);
}

enum jobs_rc jobs_device_check(struct jobs *j, const uint8_t uuid[UUID_LEN],
			       struct jobs_verdict *out)
{
	uint8_t der[DB_DER_MAX];
	enum jobs_rc rc = JOBS_OK;
	struct db_device row;
	struct chain kept;
	size_t n;

	memset(out, 0, sizeof *out);
	if (db_device_get(j->env.db, uuid, &row) != DB_OK)
		return JOBS_NOT_FOUND;
	secret_wipe(row.static_oob, sizeof row.static_oob);
	if (chain_load(j, uuid, &kept)) {
		rc = jobs_certificate_check(j, uuid, kept.der, kept.n, out);
		out->source = kept.source == DB_CHAIN_DEVICE ? JOBS_FROM_DEVICE : JOBS_FROM_CACHE;
	} else if (db_device_certificate(j->env.db, uuid, der, sizeof der, &n) == DB_OK) {
		rc = jobs_certificate_check(j, uuid, &(struct bytes){ der, n }, 1, out);
		out->source = JOBS_FROM_LIST;
	} else {
		remembered(&row, out);
	}
	chain_free(&kept);
	return rc;
}

enum jobs_rc jobs_device_set_product(struct jobs *j, const uint8_t uuid[UUID_LEN], int company,
				     int product)
{
	struct db_product p = { company, product };

	return db_device_product_put(j->env.db, uuid, &p) == DB_OK ? JOBS_OK : JOBS_STORE;
}

void jobs_device_product(struct jobs *j, const uint8_t uuid[UUID_LEN], int *company, int *product)
{
	struct db_product p;

	db_device_product_get(j->env.db, uuid, &p);
	*company = p.company;
	*product = p.product;
}
