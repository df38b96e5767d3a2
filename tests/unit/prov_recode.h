/* SPDX-License-Identifier: Apache-2.0 */
/* Decodes a provisioning PDU and encodes what was understood: for an accepted PDU of reserved-free
 * content the same octets. Shared by the table test and the fuzz target. */
#ifndef MESHMASON_TESTS_PROV_RECODE_H
#define MESHMASON_TESTS_PROV_RECODE_H

#include "pdu.h"

static inline bool prov_recode_start(struct bytes in, struct wr *w)
{
	struct prov_pdu_start m;

	if (!prov_pdu_start_decode(&m, in))
		return false;
	prov_pdu_start_encode(w, &m);
	return true;
}

static inline bool prov_recode_capabilities(struct bytes in, struct wr *w)
{
	struct prov_capabilities m;

	if (!prov_pdu_capabilities_decode(&m, in))
		return false;
	prov_pdu_capabilities_encode(w, &m);
	return true;
}

static inline bool prov_recode_public_key(struct bytes in, struct wr *w)
{
	struct prov_pdu_public_key m;

	if (!prov_pdu_public_key_decode(&m, in))
		return false;
	prov_pdu_public_key_encode(w, &m);
	return true;
}

static inline bool prov_recode_proof(enum prov_pdu_type type, struct bytes in, struct wr *w)
{
	struct prov_pdu_proof m;

	if (!prov_pdu_proof_decode(&m, in))
		return false;
	if (type == PROV_CONFIRMATION)
		prov_pdu_confirmation_encode(w, &m);
	else
		prov_pdu_random_encode(w, &m);
	return true;
}

static inline bool prov_recode_data(struct bytes in, struct wr *w)
{
	struct prov_pdu_data m;

	if (!prov_pdu_data_decode(&m, in))
		return false;
	prov_pdu_data_encode(w, &m);
	return true;
}

static inline bool prov_recode_octet(enum prov_pdu_type type, struct bytes in, struct wr *w)
{
	struct prov_pdu_invite invite;
	struct prov_pdu_failed failed;

	if (type == PROV_INVITE && prov_pdu_invite_decode(&invite, in))
		prov_pdu_invite_encode(w, &invite);
	else if (type == PROV_FAILED && prov_pdu_failed_decode(&failed, in))
		prov_pdu_failed_encode(w, &failed);
	else
		return false;
	return true;
}

static inline bool prov_recode_record(enum prov_pdu_type type, struct bytes in, struct wr *w)
{
	struct prov_pdu_record_request request;
	struct prov_pdu_record_response response;
	struct prov_pdu_records_list list;

	if (type == PROV_RECORD_REQUEST && prov_pdu_record_request_decode(&request, in))
		prov_pdu_record_request_encode(w, &request);
	else if (type == PROV_RECORD_RESPONSE && prov_pdu_record_response_decode(&response, in))
		prov_pdu_record_response_encode(w, &response);
	else if (type == PROV_RECORDS_LIST && prov_pdu_records_list_decode(&list, in))
		prov_pdu_records_list_encode(w, &list);
	else
		return false;
	return true;
}

static inline bool prov_recode(struct bytes pdu, struct wr *w)
{
	enum prov_pdu_type type;
	struct bytes in;

	if (!prov_pdu_split(pdu, &type, &in))
		return false;
	switch (type) {
	case PROV_INVITE:
	case PROV_FAILED:
		return prov_recode_octet(type, in, w);
	case PROV_CAPABILITIES:
		return prov_recode_capabilities(in, w);
	case PROV_START:
		return prov_recode_start(in, w);
	case PROV_PUBLIC_KEY:
		return prov_recode_public_key(in, w);
	case PROV_CONFIRMATION:
	case PROV_RANDOM:
		return prov_recode_proof(type, in, w);
	case PROV_DATA:
		return prov_recode_data(in, w);
	case PROV_INPUT_COMPLETE:
	case PROV_COMPLETE:
	case PROV_RECORDS_GET:
		if (!prov_pdu_empty_decode(in))
			return false;
		prov_pdu_empty_encode(w, type);
		return true;
	case PROV_RECORD_REQUEST:
	case PROV_RECORD_RESPONSE:
	case PROV_RECORDS_LIST:
		return prov_recode_record(type, in, w);
	}
	return false;
}

#endif
