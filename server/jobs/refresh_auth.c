/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a node proves itself while it is provisioned anew. All of the session goes under its present
 * device key; whoever has that key, too, must not get the next one where the node can be told
 * from him: by the public key of the certificate that was accepted when it joined, or of the list,
 * and by its static value. How it joined it can prove itself again, and offering less is no way
 * round that; but BlueZ offers nothing of it here, whatever it offered then.
 */
#include <stdio.h>
#include <string.h>

#include "certificates.h"
#include "refresh.h"

enum { KEY_LEN = P256_PUBLIC, COMPANY_BLUEZ = 0x05F1 };

static bool is_of_node(const struct db_node *n, struct bytes der, uint8_t key[KEY_LEN])
{
	struct cert_facts facts;

	if (!n->certificate.present || !der.n || !cert_facts(der, &facts) ||
	    memcmp(facts.fingerprint, n->certificate.fingerprint, sizeof facts.fingerprint) != 0)
		return false;
	memcpy(key, facts.public_key, KEY_LEN);
	return true;
}

static bool key_of(struct jobs *j, const struct db_node *n, uint8_t key[KEY_LEN])
{
	uint8_t der[DB_DER_MAX];
	struct chain chain;
	bool found;
	size_t len;

	found = chain_load(j, n->uuid, &chain) && is_of_node(n, chain.der[0], key);
	chain_free(&chain);
	if (!found && db_device_certificate(j->env.db, n->uuid, der, sizeof der, &len) == DB_OK)
		found = is_of_node(n, bytes_of(der, len), key);
	return found || db_device_oob_key(j->env.db, n->uuid, key) == DB_OK;
}

void refresh_invite(struct task *t, const struct db_node *n)
{
	struct prov_policy policy = { .min_algorithm = n->algorithm == PROV_ALG_HMAC
							       ? PROV_ALG_HMAC
							       : PROV_ALG_CMAC,
				      .allow_none = true };
	struct jobs *j = t->job->jobs;
	uint8_t key[KEY_LEN];
	bool has_key = key_of(j, n, key);
	struct db_device row;

	if (db_device_get(j->env.db, n->uuid, &row) == DB_OK) {
		policy.static_oob_len = row.static_oob_len;
		memcpy(policy.static_oob, row.static_oob, row.static_oob_len);
		secret_wipe(row.static_oob, sizeof row.static_oob);
	}
	if (n->company != COMPANY_BLUEZ) {
		policy.require_oob_public_key = has_key && n->oob_public_key;
		policy.require_static_oob =
			policy.static_oob_len && n->auth_method == PROV_AUTH_STATIC;
	}
	prov_invite(t->work->session->prov, &policy, has_key ? key : NULL, 0);
	secret_wipe(&policy, sizeof policy);
}

void refresh_authenticated(struct task *t, const struct prov_event *ev)
{
	bool by_value = ev->method == PROV_AUTH_STATIC;
	const char *method = by_value ? "static-oob" : "none";
	const char *why = "It is known by its present device key, under which all of this went.";

	if (ev->oob_public_key) {
		method = "certificate";
		why = "It holds the key of its certificate, or of the list.";
	} else if (by_value) {
		why = "Its static value is on the list.";
	}
	snprintf(t->row.method, sizeof t->row.method, "%s", method);
	snprintf(t->row.method_why, sizeof t->row.method_why, "%s", why);
}
