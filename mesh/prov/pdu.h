/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Provisioning PDUs, 5.4.1: a struct and a codec for each. Encoders write the type octet too;
 * decoders take the parameters only, as prov_pdu_split() gives them. Everything is big-endian.
 * Decoders refuse wrong lengths and prohibited values; of what a device sends, reserved bits and
 * values are kept as they are, for the session to ignore (5.4.4).
 */
#ifndef MESHMASON_PROV_PDU_H
#define MESHMASON_PROV_PDU_H

#include "bytes.h"
#include "mesh_const.h"
#include "secret.h"

enum prov_pdu_size {
	PROV_CAPABILITIES_LEN = 11,
	PROV_START_LEN = 5,
	PROV_PUBLIC_KEY_LEN = 64,
	PROV_DATA_LEN = 25,	    /* Provisioning Data in the clear */
	PROV_SEALED_DATA_LEN = 33,  /* encrypted, with its MIC */
	PROV_RECORD_HEADER_LEN = 8, /* of a Record Response, with its type octet */
};

/* Splits a PDU; false for padding bits that are not 0, an unknown type, or nothing at all. */
bool prov_pdu_split(struct bytes pdu, enum prov_pdu_type *type, struct bytes *params);

/* Invite, 5.4.1.1 */
struct prov_pdu_invite {
	uint8_t attention; /* seconds */
};
void prov_pdu_invite_encode(struct wr *w, const struct prov_pdu_invite *m);
bool prov_pdu_invite_decode(struct prov_pdu_invite *m, struct bytes params);

/* Capabilities, 5.4.1.2, as on the wire (RFU bits kept). */
struct prov_capabilities {
	uint8_t elements;
	uint16_t algorithms;
	uint8_t public_key_type, oob_type, output_size;
	uint16_t output_actions;
	uint8_t input_size;
	uint16_t input_actions;
};
void prov_pdu_capabilities_encode(struct wr *w, const struct prov_capabilities *m);
bool prov_pdu_capabilities_decode(struct prov_capabilities *m, struct bytes params);

/* Start, 5.4.1.3. Reserved values are an error for the Provisionee that decodes it. */
struct prov_pdu_start {
	enum prov_algorithm algorithm;
	bool oob_public_key;
	enum prov_auth_method method;
	uint8_t action, size;
};
void prov_pdu_start_encode(struct wr *w, const struct prov_pdu_start *m);
bool prov_pdu_start_decode(struct prov_pdu_start *m, struct bytes params);

/* Public Key, 5.4.1.4: X || Y */
struct prov_pdu_public_key {
	uint8_t xy[PROV_PUBLIC_KEY_LEN];
};
void prov_pdu_public_key_encode(struct wr *w, const struct prov_pdu_public_key *m);
bool prov_pdu_public_key_decode(struct prov_pdu_public_key *m, struct bytes params);

/* Confirmation, 5.4.1.6, and Random, 5.4.1.7: 16 octets, or 32 with HMAC. A view. */
struct prov_pdu_proof {
	struct bytes value;
};
void prov_pdu_confirmation_encode(struct wr *w, const struct prov_pdu_proof *m);
void prov_pdu_random_encode(struct wr *w, const struct prov_pdu_proof *m);
bool prov_pdu_proof_decode(struct prov_pdu_proof *m, struct bytes params);

/* Data, 5.4.1.8 */
struct prov_pdu_data {
	uint8_t sealed[PROV_SEALED_DATA_LEN];
};
void prov_pdu_data_encode(struct wr *w, const struct prov_pdu_data *m);
bool prov_pdu_data_decode(struct prov_pdu_data *m, struct bytes params);

/* What is sealed in it. */
struct prov_data {
	struct secret16 net_key;
	uint16_t net_key_index;
	uint8_t flags; /* bit 0 key refresh phase 2, bit 1 IV update */
	uint32_t iv_index;
	uint16_t address;
};
void prov_data_encode(struct wr *w, const struct prov_data *m);
bool prov_data_decode(struct prov_data *m, struct bytes in);

/* Input Complete 5.4.1.5, Complete 5.4.1.9 and Records Get 5.4.1.13 are a type octet only. */
void prov_pdu_empty_encode(struct wr *w, enum prov_pdu_type type);
bool prov_pdu_empty_decode(struct bytes params);

/* Failed, 5.4.1.10 */
struct prov_pdu_failed {
	uint8_t error; /* enum prov_error, or reserved */
};
void prov_pdu_failed_encode(struct wr *w, const struct prov_pdu_failed *m);
bool prov_pdu_failed_decode(struct prov_pdu_failed *m, struct bytes params);

/* Record Request, 5.4.1.11 */
struct prov_pdu_record_request {
	uint16_t id, offset, max;
};
void prov_pdu_record_request_encode(struct wr *w, const struct prov_pdu_record_request *m);
bool prov_pdu_record_request_decode(struct prov_pdu_record_request *m, struct bytes params);

/* Record Response, 5.4.1.12. data is a view. */
struct prov_pdu_record_response {
	uint8_t status; /* enum prov_record_status, or reserved */
	uint16_t id, offset, total;
	struct bytes data;
};
void prov_pdu_record_response_encode(struct wr *w, const struct prov_pdu_record_response *m);
bool prov_pdu_record_response_decode(struct prov_pdu_record_response *m, struct bytes params);

/* Records List, 5.4.1.14. ids is a view of two octets for each; prov_pdu_records_list_id reads. */
struct prov_pdu_records_list {
	uint16_t extensions;
	struct bytes ids;
};
void prov_pdu_records_list_encode(struct wr *w, const struct prov_pdu_records_list *m);
bool prov_pdu_records_list_decode(struct prov_pdu_records_list *m, struct bytes params);
uint16_t prov_pdu_records_list_id(const struct prov_pdu_records_list *m, size_t i);

#endif
