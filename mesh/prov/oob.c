/* SPDX-License-Identifier: Apache-2.0 */
#include "oob.h"

#include <assert.h>
#include <string.h>

enum {
	CAPS_PUBLIC_KEY_OOB = 1 << 0,
	OOB_SIZE_MAX = 8,      /* larger ones are reserved */
	OUTPUT_ACTIONS = 0x1F, /* the bits that have a meaning */
	INPUT_ACTIONS = 0x0F,
};

static bool offers(const struct prov_capabilities *caps, enum prov_algorithm algorithm)
{
	return caps->algorithms >> algorithm & 1;
}

static bool offers_interaction(uint8_t size, uint16_t actions)
{
	return size > 0 && size <= OOB_SIZE_MAX && actions;
}

/* A device that insists on OOB must be able to do it, and without CMAC: 5.4.1.2. */
static bool consistent(const struct prov_capabilities *caps)
{
	if (!(caps->oob_type & PROV_OOB_ONLY))
		return true;
	return !offers(caps, PROV_ALG_CMAC) &&
	       ((caps->oob_type & PROV_OOB_STATIC) ||
		offers_interaction(caps->output_size, caps->output_actions & OUTPUT_ACTIONS) ||
		offers_interaction(caps->input_size, caps->input_actions & INPUT_ACTIONS));
}

/* The stronger algorithm whenever it is offered, and never one below the policy. */
static bool choose_algorithm(const struct prov_policy *policy, const struct prov_capabilities *caps,
			     enum prov_algorithm *out)
{
	if (offers(caps, PROV_ALG_HMAC)) {
		*out = PROV_ALG_HMAC;
		return true;
	}
	*out = PROV_ALG_CMAC;
	return offers(caps, PROV_ALG_CMAC) && policy->min_algorithm == PROV_ALG_CMAC &&
	       !policy->saw_stronger;
}

/* Public key source and method are independent of each other, 5.4.2.3 and 5.4.2.4. */
static bool choose_method(const struct prov_policy *policy, const struct prov_capabilities *caps,
			  bool have_key, struct prov_pdu_start *out)
{
	out->oob_public_key = have_key && (caps->public_key_type & CAPS_PUBLIC_KEY_OOB);
	if (policy->require_oob_public_key && !out->oob_public_key)
		return false;
	if (policy->static_oob_len > 0 && (caps->oob_type & PROV_OOB_STATIC)) {
		out->method = PROV_AUTH_STATIC;
		return true;
	}
	out->method = PROV_AUTH_NONE;
	return !policy->require_static_oob && !(caps->oob_type & PROV_OOB_ONLY) &&
	       (out->oob_public_key || policy->allow_none);
}

bool oob_choose(const struct prov_policy *policy, const struct prov_capabilities *caps,
		bool have_key, struct prov_pdu_start *out, enum prov_end *why)
{
	memset(out, 0, sizeof(*out));
	if (!consistent(caps)) {
		*why = PROV_END_PROTOCOL;
		return false;
	}
	if (!choose_algorithm(policy, caps, &out->algorithm)) {
		*why = PROV_END_ALGORITHM_TOO_WEAK;
		return false;
	}
	if (!choose_method(policy, caps, have_key, out)) {
		*why = PROV_END_OOB_UNAVAILABLE;
		return false;
	}
	return true;
}

void oob_auth_binary(struct bytes value, struct secret32 *out, size_t n)
{
	assert(n <= sizeof(out->octet));
	memset(out, 0, sizeof(*out));
	if (value.n > 0)
		memcpy(out->octet, value.p, value.n < n ? value.n : n);
}

void oob_auth_alphanumeric(const char *text, struct secret32 *out, size_t n)
{
	oob_auth_binary(bytes_of(text, strlen(text)), out, n);
}

void oob_auth_number(uint64_t value, struct secret32 *out, size_t n)
{
	struct wr w;

	assert(n >= sizeof(value) && n <= sizeof(out->octet));
	memset(out, 0, sizeof(*out));
	w = wr_to(out->octet + n - sizeof(value), sizeof(value));
	wr_be64(&w, value);
}
