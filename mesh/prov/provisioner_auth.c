/* SPDX-License-Identifier: Apache-2.0 */
/* The middle of the exchange, Capabilities to Complete: 5.4.2.2 to 5.4.2.5. The chart is in
 * provisioner.c. */
#include <string.h>

#include "prov_session.h"

/* With AuthValue known: our commitment to Random. */
static enum prov_state commit(struct prov *p, struct secret32 *auth_value)
{
	size_t n = prov_keys_auth_len(p->start.algorithm);
	struct prov_pdu_proof proof = { .value = bytes_of(p->confirmation, n) };
	struct wr w;

	prov_keys_init(&p->keys, p->start.algorithm, p->inputs, &p->ecdh, auth_value);
	secret_wipe(&p->ecdh, sizeof(p->ecdh));
	secret_wipe(auth_value, sizeof(*auth_value));
	p->env.random(p->env.random_ctx, p->random, n);
	prov_keys_confirmation(&p->keys, p->random, p->confirmation);
	w = prov_compose(p);
	prov_pdu_confirmation_encode(&w, &proof);
	prov_queue(p, &w);
	return AWAIT_CONFIRMATION;
}

/* Both public keys are known: the shared secret, and where AuthValue comes from. */
static enum prov_state agree(struct prov *p)
{
	const uint8_t *device_key = p->inputs + AT_DEVICE_KEY;
	size_t n = prov_keys_auth_len(p->start.algorithm);
	struct secret32 auth_value = { { 0 } };

	/* Our X with either Y is a reflection: CVE-2020-26560. */
	if (memcmp(device_key, p->inputs + AT_OUR_KEY, PROV_PUBLIC_KEY_LEN / 2) == 0 ||
	    !p256_ecdh(&p->private_key, device_key, &p->ecdh))
		return prov_fail(p, PROV_END_KEY_INVALID);
	secret_wipe(&p->private_key, sizeof(p->private_key));
	switch (p->start.method) {
	case PROV_AUTH_OUTPUT:
		return AWAIT_OOB_VALUE;
	case PROV_AUTH_INPUT: /* drawn anew for every attempt, 5.4.2.4 */
		if (!oob_draw(&p->start, p->env.random, p->env.random_ctx, p->value))
			return prov_fail(p, PROV_END_OOB_UNAVAILABLE);
		return AWAIT_INPUT_COMPLETE;
	case PROV_AUTH_STATIC:
		oob_auth_binary(bytes_of(p->policy.static_oob, p->policy.static_oob_len),
				&auth_value, n);
		break;
	case PROV_AUTH_NONE:
		break;
	}
	return commit(p, &auth_value);
}

enum prov_state prov_auth_value(struct prov *p, const char *text)
{
	struct secret32 auth_value;

	if (p->state != AWAIT_OOB_VALUE ||
	    !oob_auth_text(&p->start, text, &auth_value, prov_keys_auth_len(p->start.algorithm)))
		return p->state;
	return commit(p, &auth_value);
}

enum prov_state prov_auth_input_complete(struct prov *p, struct bytes in)
{
	struct secret32 auth_value;
	size_t n = prov_keys_auth_len(p->start.algorithm);

	if (!oob_auth_text(&p->start, p->value, &auth_value, n))
		return prov_fail(p, PROV_END_OOB_UNAVAILABLE);
	secret_wipe(p->value, sizeof(p->value));
	return commit(p, &auth_value);
}

static void send_start(struct prov *p)
{
	struct wr w = prov_compose(p);

	prov_pdu_start_encode(&w, &p->start);
	memcpy(p->inputs + AT_START, w.p + 1, PROV_START_LEN);
	prov_queue(p, &w);
}

static void send_public_key(struct prov *p)
{
	struct prov_pdu_public_key key;
	struct wr w = prov_compose(p);

	memcpy(key.xy, p->inputs + AT_OUR_KEY, sizeof(key.xy));
	prov_pdu_public_key_encode(&w, &key);
	prov_queue(p, &w);
}

enum prov_state prov_auth_capabilities(struct prov *p, struct bytes in)
{
	enum prov_end why;

	if (!prov_pdu_capabilities_decode(&p->capabilities, in))
		return prov_fail(p, PROV_END_PROTOCOL);
	memcpy(p->inputs + AT_CAPABILITIES, in.p, PROV_CAPABILITIES_LEN);
	if (p->attend_only)
		return ATTENDING;
	if (!oob_choose(&p->policy, &p->capabilities, p->have_device_key, &p->start, &why))
		return prov_fail(p, why);
	if (!prov_keys_pair(p->env.random, p->env.random_ctx, &p->private_key,
			    p->inputs + AT_OUR_KEY))
		return prov_fail(p, PROV_END_KEY_INVALID);
	prov_announce(p, 1u << PROV_EV_CAPABILITIES);
	send_start(p);
	send_public_key(p);
	return p->start.oob_public_key ? agree(p) : AWAIT_PUBLIC_KEY;
}

enum prov_state prov_auth_public_key(struct prov *p, struct bytes in)
{
	memcpy(p->inputs + AT_DEVICE_KEY, in.p, PROV_PUBLIC_KEY_LEN);
	return agree(p);
}

enum prov_state prov_auth_confirmation(struct prov *p, struct bytes in)
{
	struct prov_pdu_proof proof = { .value = bytes_of(p->random, in.n) };
	struct wr w;

	if (secret_equal(in.p, p->confirmation, in.n))
		return prov_fail(p, PROV_END_AUTH_FAILED);
	memcpy(p->device_confirmation, in.p, in.n);
	w = prov_compose(p);
	prov_pdu_random_encode(&w, &proof);
	prov_queue(p, &w);
	return AWAIT_RANDOM;
}

enum prov_state prov_auth_random(struct prov *p, struct bytes in)
{
	uint8_t expected[PROV_AUTH_MAX];
	bool proved;

	prov_keys_confirmation(&p->keys, in.p, expected);
	proved = !secret_equal(in.p, p->random, in.n) &&
		 secret_equal(expected, p->device_confirmation, in.n);
	secret_wipe(expected, sizeof(expected));
	if (!proved)
		return prov_fail(p, PROV_END_AUTH_FAILED);
	prov_keys_session(&p->keys, p->random, in.p, &p->session);
	secret_wipe(&p->keys, sizeof(p->keys));
	return KEY_AGREED; /* our owner saves the device key, then calls prov_send_data() */
}

enum prov_state prov_auth_complete(struct prov *p, struct bytes in)
{
	prov_announce(p, 1u << PROV_EV_COMPLETE);
	return prov_fail(p, PROV_OK);
}
