/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   provisioner                                            device
 *      | Records Get, Record Request ... ------------------> |  FRESH only
 *      | <--------------------- Records List, Record Response |
 *      | Invite -------------------------------------------> |  FRESH
 *      | <------------------------------------- Capabilities |  INVITED
 *      | Start, Public Key --------------------------------> |  STARTED, then
 *      | <---------------------- Public Key (unless it is OOB)|  KEYED; shows its Output OOB
 *      | <------------------------------------ Input Complete |  INPUT before it, with Input OOB
 *      | Confirmation -------------------------------------> |
 *      | <------------------------------------- Confirmation |  CONFIRMED
 *      | Random -------------------------------------------> |  checked before ours leaves
 *      | <------------------------------------------- Random |  KNOWN
 *      | Data ---------------------------------------------> |  on flash, then
 *      | <----------------------------------------- Complete |  DONE
 *
 * An error is answered with Failed; after it, and after Complete, everything is unexpected.
 */
#include "dev_prov.h"

#include <string.h>

enum { INPUT_INVITE = 0, INPUT_CAPABILITIES = 1, INPUT_START = 12 };
enum { INPUT_KEY_PEER = 17, INPUT_KEY_OWN = INPUT_KEY_PEER + P256_PUBLIC };
enum { AUTH_LEN = -1, DATA_LEN = 25, DATA_MIC = 8 };
enum { KEY_REFRESH_FLAG = 1 << 0, IV_UPDATE_FLAG = 1 << 1, FLAGS_RFU = 0xFC };

void dev_prov_init(struct dev_prov *p, const struct device_make *make,
		   const struct dev_prov_ops *ops, void *ctx)
{
	memset(p, 0, sizeof(*p));
	p->make = make;
	p->elements = make->elements;
	p->ops = ops;
	p->ctx = ctx;
}

void dev_prov_reset(struct dev_prov *p)
{
	const struct device_make *make = p->make;
	const struct dev_prov_ops *ops = p->ops;
	void *ctx = p->ctx, *shown_ctx = p->shown_ctx;
	void (*shown)(void *, const struct device_prompt *) = p->shown;
	uint8_t elements = p->elements;

	dev_prov_oob_end(p);
	secret_wipe(p, sizeof(*p));
	dev_prov_init(p, make, ops, ctx);
	p->elements = elements;
	p->shown = shown;
	p->shown_ctx = shown_ctx;
}

static void send_pdu(struct dev_prov *p, uint8_t type, const void *params, size_t n)
{
	uint8_t pdu[1 + P256_PUBLIC];
	struct wr w = wr_to(pdu, sizeof(pdu));

	wr_u8(&w, type);
	wr_copy(&w, params, n);
	p->ops->send(p->ctx, wr_done(&w));
}

static enum dev_prov_state fail(struct dev_prov *p, enum prov_error error)
{
	uint8_t code = (uint8_t)error;

	send_pdu(p, PROV_FAILED, &code, 1);
	return DEV_PROV_FAILED;
}

static enum dev_prov_state on_records_get(struct dev_prov *p, struct bytes in)
{
	uint8_t pdu[3 + 2 * DEVICE_RECORDS_MAX];
	struct wr w = wr_to(pdu, sizeof(pdu));

	if (!dev_records_list(p->make, &w))
		return fail(p, PROV_ERR_INVALID_PDU);
	p->ops->send(p->ctx, wr_done(&w));
	return DEV_PROV_FRESH;
}

static enum dev_prov_state on_record_request(struct dev_prov *p, struct bytes in)
{
	uint8_t pdu[8 + DEV_PROV_FRAGMENT];
	struct wr w = wr_to(pdu, sizeof(pdu));

	if (in.p[4] == 0 && in.p[5] == 0) /* Fragment Maximum Size 0 is prohibited */
		return fail(p, PROV_ERR_INVALID_FORMAT);
	if (!dev_records_read(p->make, in, &w))
		return fail(p, PROV_ERR_INVALID_PDU);
	p->ops->send(p->ctx, wr_done(&w));
	return DEV_PROV_FRESH;
}

static enum dev_prov_state on_invite(struct dev_prov *p, struct bytes in)
{
	struct wr w = wr_to(p->inputs + INPUT_CAPABILITIES, 11);

	wr_u8(&w, p->elements);
	wr_be16(&w, p->make->algorithms);
	wr_u8(&w, p->make->oob_public_key ? 1 : 0);
	dev_prov_oob_capabilities(p->make, &w);
	p->inputs[INPUT_INVITE] = in.p[0];
	p->ops->attention(p->ctx, in.p[0]);
	send_pdu(p, PROV_CAPABILITIES, p->inputs + INPUT_CAPABILITIES, 11);
	return DEV_PROV_INVITED;
}

/* A key pair of this link, or the one whose public half went out of band. */
static bool take_key_pair(struct dev_prov *p)
{
	uint8_t *public_key = p->inputs + INPUT_KEY_OWN;
	struct secret32 random;

	if (p->oob_key) {
		p->secret = p->make->secret_key;
		return p256_public(&p->secret, public_key);
	}
	do
		p->ops->random(p->ctx, &random, sizeof(random));
	while (!p256_key_pair(&random, &p->secret, public_key));
	secret_wipe(&random, sizeof(random));
	return true;
}

static enum dev_prov_state on_start(struct dev_prov *p, struct bytes in)
{
	const struct device_make *make = p->make;
	uint8_t algorithm = in.p[0], key = in.p[1], method = in.p[2];
	uint8_t action = in.p[3], size = in.p[4];

	memcpy(p->inputs + INPUT_START, in.p, 5);
	if (algorithm > PROV_ALG_HMAC || !(make->algorithms & 1u << algorithm))
		return fail(p, PROV_ERR_INVALID_FORMAT);
	if (key > 1 || (key == 1 && !make->oob_public_key))
		return fail(p, PROV_ERR_INVALID_FORMAT);
	if (!dev_prov_oob_offered(make, method, action, size))
		return fail(p, PROV_ERR_INVALID_FORMAT);
	p->hmac = algorithm == PROV_ALG_HMAC;
	p->auth_len = p->hmac ? 32 : 16;
	p->oob_key = key == 1;
	p->method = method;
	p->action = action;
	p->size = size;
	dev_prov_auth_value(p);
	if (!take_key_pair(p))
		return fail(p, PROV_ERR_UNEXPECTED_ERROR);
	return DEV_PROV_STARTED;
}

static enum dev_prov_state on_public_key(struct dev_prov *p, struct bytes in)
{
	uint8_t *own = p->inputs + INPUT_KEY_OWN;

	/* A reflected key has our X whatever its Y. p256_ecdh refuses what is not on the curve. */
	if (memcmp(in.p, own, 32) == 0 || !p256_ecdh(&p->secret, in.p, &p->ecdh))
		return fail(p, PROV_ERR_INVALID_FORMAT);
	secret_wipe(&p->secret, sizeof(p->secret));
	memcpy(p->inputs + INPUT_KEY_PEER, in.p, P256_PUBLIC);
	if (!p->oob_key)
		send_pdu(p, PROV_PUBLIC_KEY, own, P256_PUBLIC);
	dev_prov_oob_begin(p);
	if (p->method == PROV_AUTH_INPUT)
		return DEV_PROV_INPUT; /* AuthValue is not known yet */
	dev_prov_derive_confirmation(p);
	return DEV_PROV_KEYED;
}

static enum dev_prov_state on_confirmation(struct dev_prov *p, struct bytes in)
{
	memset(&p->random, 0, sizeof(p->random));
	p->ops->random(p->ctx, p->random.octet, p->auth_len);
	dev_prov_confirm(p, p->random.octet, p->own_confirmation);
	memcpy(p->peer_confirmation, in.p, in.n);
	if (memcmp(p->peer_confirmation, p->own_confirmation, p->auth_len) == 0)
		return fail(p, PROV_ERR_INVALID_FORMAT);
	send_pdu(p, PROV_CONFIRMATION, p->own_confirmation, p->auth_len);
	return DEV_PROV_CONFIRMED;
}

static enum dev_prov_state on_random(struct dev_prov *p, struct bytes in)
{
	uint8_t expected[32];

	dev_prov_confirm(p, in.p, expected);
	if (!secret_equal(expected, p->peer_confirmation, p->auth_len))
		return fail(p, PROV_ERR_CONFIRMATION_FAILED);
	dev_prov_derive_session(p, in.p);
	send_pdu(p, PROV_RANDOM, p->random.octet, p->auth_len);
	return DEV_PROV_KNOWN;
}

static bool data_decode(struct dev_prov_data *d, struct bytes clear, uint8_t elements)
{
	struct rd r = rd_from(clear);
	uint8_t flags;

	rd_copy(&r, d->net_key.octet, 16);
	d->net_index = rd_be16(&r);
	flags = rd_u8(&r);
	d->key_refresh = flags & KEY_REFRESH_FLAG;
	d->iv_update = flags & IV_UPDATE_FLAG;
	d->iv_index = rd_be32(&r);
	d->address = rd_be16(&r);
	return rd_finished(&r) && d->net_index <= 0xFFF && !(flags & FLAGS_RFU) &&
	       d->address != ADDR_UNASSIGNED && d->address + elements - 1 <= ADDR_UNICAST_LAST;
}

static enum dev_prov_state on_data(struct dev_prov *p, struct bytes in)
{
	uint8_t clear[DATA_LEN];
	struct dev_prov_data data;
	bool good;

	if (!ccm_decrypt(&p->session_key, p->session_nonce, bytes_of(NULL, 0), in, DATA_MIC, clear))
		return fail(p, PROV_ERR_DECRYPTION_FAILED);
	good = data_decode(&data, bytes_of(clear, sizeof(clear)), p->elements);
	secret_wipe(clear, sizeof(clear));
	data.device_key = p->device_key;
	good = good && p->ops->accept(p->ctx, &data);
	secret_wipe(&data, sizeof(data));
	if (!good)
		return fail(p, PROV_ERR_INVALID_DATA);
	send_pdu(p, PROV_COMPLETE, NULL, 0);
	return DEV_PROV_DONE;
}

static const struct rule {
	enum dev_prov_state state;
	enum prov_pdu_type type;
	int len; /* of the parameters; AUTH_LEN is 16 or 32, by algorithm */
	enum dev_prov_state (*handle)(struct dev_prov *p, struct bytes in);
} rules[] = {
	{ DEV_PROV_FRESH, PROV_RECORDS_GET, 0, on_records_get },
	{ DEV_PROV_FRESH, PROV_RECORD_REQUEST, 6, on_record_request },
	{ DEV_PROV_FRESH, PROV_INVITE, 1, on_invite },
	{ DEV_PROV_INVITED, PROV_START, 5, on_start },
	{ DEV_PROV_STARTED, PROV_PUBLIC_KEY, P256_PUBLIC, on_public_key },
	{ DEV_PROV_KEYED, PROV_CONFIRMATION, AUTH_LEN, on_confirmation },
	{ DEV_PROV_CONFIRMED, PROV_RANDOM, AUTH_LEN, on_random },
	{ DEV_PROV_KNOWN, PROV_DATA, DATA_LEN + DATA_MIC, on_data },
};

static const struct rule *rule_for(const struct dev_prov *p, uint8_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (rules[i].state == p->state && rules[i].type == type)
			return &rules[i];
	return NULL;
}

void dev_prov_received(struct dev_prov *p, struct bytes pdu)
{
	struct rd r = rd_from(pdu);
	uint8_t type = rd_u8(&r);
	struct bytes params = rd_rest(&r);
	const struct rule *rule = rule_for(p, type);

	if (!rd_ok(&r))
		return;
	if (type > PROV_RECORDS_LIST) /* also with a padding bit set, 5.4.1 */
		p->state = fail(p, PROV_ERR_INVALID_PDU);
	else if (!rule)
		p->state = fail(p, PROV_ERR_UNEXPECTED_PDU);
	else if (params.n != (rule->len == AUTH_LEN ? p->auth_len : (size_t)rule->len))
		p->state = fail(p, PROV_ERR_INVALID_FORMAT);
	else
		p->state = rule->handle(p, params);
	if (p->state >= DEV_PROV_CONFIRMED)
		dev_prov_oob_end(p); /* whatever it was, it is used up */
}
