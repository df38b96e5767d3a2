/* SPDX-License-Identifier: Apache-2.0 */
#include "pdu.h"

#include <assert.h>
#include <string.h>

enum {
	OOB_SIZE_MAX = 8,	/* digits or characters, 5.4.1.3 */
	OUTPUT_ACTION_LAST = 4, /* alphanumeric */
	INPUT_ACTION_LAST = 3,	/* alphanumeric */
	NET_KEY_INDEX_MAX = 0xFFF,
	DATA_FLAGS = 0x03,
};

bool prov_pdu_split(struct bytes pdu, enum prov_pdu_type *type, struct bytes *params)
{
	struct rd r = rd_from(pdu);
	uint8_t octet = rd_u8(&r);

	*params = rd_rest(&r);
	/* Two padding bits above a type of six: either way a value that is no type. */
	if (!rd_ok(&r) || octet > PROV_RECORDS_LIST)
		return false;
	*type = octet;
	return true;
}

void prov_pdu_invite_encode(struct wr *w, const struct prov_pdu_invite *m)
{
	wr_u8(w, PROV_INVITE);
	wr_u8(w, m->attention);
}

bool prov_pdu_invite_decode(struct prov_pdu_invite *m, struct bytes params)
{
	struct rd r = rd_from(params);

	m->attention = rd_u8(&r);
	return rd_finished(&r);
}

void prov_pdu_capabilities_encode(struct wr *w, const struct prov_capabilities *m)
{
	wr_u8(w, PROV_CAPABILITIES);
	wr_u8(w, m->elements);
	wr_be16(w, m->algorithms);
	wr_u8(w, m->public_key_type);
	wr_u8(w, m->oob_type);
	wr_u8(w, m->output_size);
	wr_be16(w, m->output_actions);
	wr_u8(w, m->input_size);
	wr_be16(w, m->input_actions);
}

bool prov_pdu_capabilities_decode(struct prov_capabilities *m, struct bytes params)
{
	struct rd r = rd_from(params);

	m->elements = rd_u8(&r);
	m->algorithms = rd_be16(&r);
	m->public_key_type = rd_u8(&r);
	m->oob_type = rd_u8(&r);
	m->output_size = rd_u8(&r);
	m->output_actions = rd_be16(&r);
	m->input_size = rd_u8(&r);
	m->input_actions = rd_be16(&r);
	return rd_finished(&r) && m->elements > 0;
}

void prov_pdu_start_encode(struct wr *w, const struct prov_pdu_start *m)
{
	wr_u8(w, PROV_START);
	wr_u8(w, (uint8_t)m->algorithm);
	wr_u8(w, m->oob_public_key);
	wr_u8(w, (uint8_t)m->method);
	wr_u8(w, m->action);
	wr_u8(w, m->size);
}

static bool action_and_size_allowed(uint8_t method, uint8_t action, uint8_t size)
{
	switch (method) {
	case PROV_AUTH_NONE:
	case PROV_AUTH_STATIC:
		return action == 0 && size == 0;
	case PROV_AUTH_OUTPUT:
		return action <= OUTPUT_ACTION_LAST && size >= 1 && size <= OOB_SIZE_MAX;
	case PROV_AUTH_INPUT:
		return action <= INPUT_ACTION_LAST && size >= 1 && size <= OOB_SIZE_MAX;
	default:
		return false;
	}
}

bool prov_pdu_start_decode(struct prov_pdu_start *m, struct bytes params)
{
	struct rd r = rd_from(params);
	uint8_t algorithm = rd_u8(&r), public_key = rd_u8(&r), method = rd_u8(&r);

	m->action = rd_u8(&r);
	m->size = rd_u8(&r);
	if (!rd_finished(&r) || algorithm > PROV_ALG_HMAC || public_key > 1 ||
	    !action_and_size_allowed(method, m->action, m->size))
		return false;
	m->algorithm = algorithm;
	m->oob_public_key = public_key;
	m->method = method;
	return true;
}

void prov_pdu_public_key_encode(struct wr *w, const struct prov_pdu_public_key *m)
{
	wr_u8(w, PROV_PUBLIC_KEY);
	wr_copy(w, m->xy, sizeof(m->xy));
}

bool prov_pdu_public_key_decode(struct prov_pdu_public_key *m, struct bytes params)
{
	struct rd r = rd_from(params);

	rd_copy(&r, m->xy, sizeof(m->xy));
	return rd_finished(&r);
}

void prov_pdu_confirmation_encode(struct wr *w, const struct prov_pdu_proof *m)
{
	wr_u8(w, PROV_CONFIRMATION);
	wr_bytes(w, m->value);
}

void prov_pdu_random_encode(struct wr *w, const struct prov_pdu_proof *m)
{
	wr_u8(w, PROV_RANDOM);
	wr_bytes(w, m->value);
}

bool prov_pdu_proof_decode(struct prov_pdu_proof *m, struct bytes params)
{
	m->value = params;
	return params.n == 16 || params.n == 32;
}

void prov_pdu_data_encode(struct wr *w, const struct prov_pdu_data *m)
{
	wr_u8(w, PROV_DATA);
	wr_copy(w, m->sealed, sizeof(m->sealed));
}

bool prov_pdu_data_decode(struct prov_pdu_data *m, struct bytes params)
{
	struct rd r = rd_from(params);

	rd_copy(&r, m->sealed, sizeof(m->sealed));
	return rd_finished(&r);
}

void prov_data_encode(struct wr *w, const struct prov_data *m)
{
	wr_copy(w, m->net_key.octet, sizeof(m->net_key.octet));
	wr_be16(w, m->net_key_index);
	wr_u8(w, m->flags);
	wr_be32(w, m->iv_index);
	wr_be16(w, m->address);
}

bool prov_data_decode(struct prov_data *m, struct bytes in)
{
	struct rd r = rd_from(in);

	rd_copy(&r, m->net_key.octet, sizeof(m->net_key.octet));
	m->net_key_index = rd_be16(&r);
	m->flags = rd_u8(&r);
	m->iv_index = rd_be32(&r);
	m->address = rd_be16(&r);
	return rd_finished(&r) && m->net_key_index <= NET_KEY_INDEX_MAX &&
	       !(m->flags & ~DATA_FLAGS) && m->address != ADDR_UNASSIGNED &&
	       m->address <= ADDR_UNICAST_LAST;
}

void prov_pdu_empty_encode(struct wr *w, enum prov_pdu_type type)
{
	assert(type == PROV_INPUT_COMPLETE || type == PROV_COMPLETE || type == PROV_RECORDS_GET);
	wr_u8(w, (uint8_t)type);
}

bool prov_pdu_empty_decode(struct bytes params)
{
	return params.n == 0;
}

void prov_pdu_failed_encode(struct wr *w, const struct prov_pdu_failed *m)
{
	wr_u8(w, PROV_FAILED);
	wr_u8(w, m->error);
}

bool prov_pdu_failed_decode(struct prov_pdu_failed *m, struct bytes params)
{
	struct rd r = rd_from(params);

	m->error = rd_u8(&r);
	return rd_finished(&r) && m->error != 0;
}

void prov_pdu_record_request_encode(struct wr *w, const struct prov_pdu_record_request *m)
{
	wr_u8(w, PROV_RECORD_REQUEST);
	wr_be16(w, m->id);
	wr_be16(w, m->offset);
	wr_be16(w, m->max);
}

bool prov_pdu_record_request_decode(struct prov_pdu_record_request *m, struct bytes params)
{
	struct rd r = rd_from(params);

	m->id = rd_be16(&r);
	m->offset = rd_be16(&r);
	m->max = rd_be16(&r);
	return rd_finished(&r) && m->max > 0;
}

void prov_pdu_record_response_encode(struct wr *w, const struct prov_pdu_record_response *m)
{
	wr_u8(w, PROV_RECORD_RESPONSE);
	wr_u8(w, m->status);
	wr_be16(w, m->id);
	wr_be16(w, m->offset);
	wr_be16(w, m->total);
	wr_bytes(w, m->data);
}

bool prov_pdu_record_response_decode(struct prov_pdu_record_response *m, struct bytes params)
{
	struct rd r = rd_from(params);

	m->status = rd_u8(&r);
	m->id = rd_be16(&r);
	m->offset = rd_be16(&r);
	m->total = rd_be16(&r);
	m->data = rd_rest(&r);
	return rd_finished(&r);
}

void prov_pdu_records_list_encode(struct wr *w, const struct prov_pdu_records_list *m)
{
	wr_u8(w, PROV_RECORDS_LIST);
	wr_be16(w, m->extensions);
	wr_bytes(w, m->ids);
}

bool prov_pdu_records_list_decode(struct prov_pdu_records_list *m, struct bytes params)
{
	struct rd r = rd_from(params);

	m->extensions = rd_be16(&r);
	m->ids = rd_rest(&r);
	return rd_finished(&r) && m->ids.n % 2 == 0;
}

uint16_t prov_pdu_records_list_id(const struct prov_pdu_records_list *m, size_t i)
{
	assert(2 * i + 2 <= m->ids.n);
	return (uint16_t)(m->ids.p[2 * i] << 8 | m->ids.p[2 * i + 1]);
}
