/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ways of authentication a policy leaves open, never weaker than it says, and why the one
 * was taken:
 *
 *   policy        in this order
 *   certificate   the certificate's public key, with the static value where one is known
 *   static-oob    static value
 *   output-oob    static value, a prompt (output before input: they are equally strong)
 *   input-oob     static value, a prompt (input before output)
 *   none          static value, none
 *
 * A public key from the list is used with each of the last four, and then insisted upon.
 */
#include <stdio.h>
#include <string.h>

#include "devices.h"
#include "oob_prompt.h"
#include "runner.h"

static void take_secrets(struct task *t, struct oob_plan *out)
{
	struct jobs *j = t->job->jobs;
	struct db_device row;

	if (!device_row(j, t->row.uuid, &row))
		return;
	out->policy.saw_stronger = row.saw_hmac || row.saw_certificates;
	out->policy.static_oob_len = row.static_oob_len;
	memcpy(out->policy.static_oob, row.static_oob, row.static_oob_len);
	secret_wipe(row.static_oob, sizeof row.static_oob);
	out->has_key = db_device_oob_key(j->env.db, t->row.uuid, out->key) == DB_OK;
}

void oob_plan(struct task *t, struct oob_plan *out)
{
	static const enum prov_prompt prompts[] = { [DB_POLICY_OUTPUT_OOB] = PROV_PROMPT_OUTPUT,
						    [DB_POLICY_INPUT_OOB] = PROV_PROMPT_INPUT };
	const struct db_job_options *o = &t->job->row.options;
	const struct work *w = t->work;
	bool by_certificate = o->policy == DB_POLICY_CERTIFICATE;
	bool hmac = o->min_algorithm < 0 ? by_certificate : o->min_algorithm;

	*out = (struct oob_plan){ .policy = { .min_algorithm =
						      hmac ? PROV_ALG_HMAC : PROV_ALG_CMAC } };
	take_secrets(t, out);
	if (w->have_facts) {
		out->conflict =
			out->has_key && memcmp(out->key, w->facts.public_key, sizeof out->key) != 0;
		memcpy(out->key, w->facts.public_key, sizeof out->key);
		out->has_key = true;
	}
	out->policy.require_oob_public_key = by_certificate || out->has_key;
	out->policy.require_static_oob = o->policy == DB_POLICY_STATIC_OOB;
	out->policy.allow_none = o->policy == DB_POLICY_NONE;
	if ((size_t)o->policy < ARRAY_LEN(prompts))
		out->policy.prompt = prompts[o->policy];
}

static const char *why_static(enum db_job_policy policy)
{
	return policy == DB_POLICY_STATIC_OOB
		       ? "Asked for; its value is on the list."
		       : "Its value is on the list, which is stronger than what was asked for.";
}

static const char *why_prompt(enum db_job_policy policy, bool output)
{
	if ((policy == DB_POLICY_OUTPUT_OOB) == output)
		return output ? "Asked for; the device can show a value."
			      : "Asked for; a value can be entered at the device.";
	return output ? "No value can be entered at the device, but it can show one, which is as "
			"strong."
		      : "The device can show no value, but one can be entered, which is as strong.";
}

void oob_chosen(struct task *t, const struct prov_event *ev)
{
	static const char *const names[] = { [PROV_AUTH_NONE] = "none",
					     [PROV_AUTH_STATIC] = "static-oob",
					     [PROV_AUTH_OUTPUT] = "output-oob",
					     [PROV_AUTH_INPUT] = "input-oob" };
	enum db_job_policy policy = t->job->row.options.policy;
	const char *method = names[ev->method], *why = "", *more = "";

	switch (ev->method) {
	case PROV_AUTH_NONE:
		why = "Asked for: the network is given to whatever answers.";
		break;
	case PROV_AUTH_STATIC:
		why = why_static(policy);
		break;
	case PROV_AUTH_OUTPUT:
	case PROV_AUTH_INPUT:
		why = why_prompt(policy, ev->method == PROV_AUTH_OUTPUT);
		break;
	}
	if (t->work->have_facts) {
		method = "certificate";
		why = "Its certificate was accepted, and it must hold the key of it.";
		more = ev->method == PROV_AUTH_STATIC
			       ? " Its static value from the list is checked, too."
			       : "";
	} else if (ev->oob_public_key) {
		more = " Its public key is known from the list, and it must hold the other half.";
		if (ev->method == PROV_AUTH_NONE)
			why = "Asked for.";
	}
	snprintf(t->row.method, sizeof t->row.method, "%s", method);
	snprintf(t->row.method_why, sizeof t->row.method_why, "%s%s", why, more);
	t->work->algorithm = (uint8_t)ev->algorithm;
	t->work->method = (uint8_t)ev->method;
	task_save(t);
}
