/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Provisioner's side of one provisioning session, 5.4, over any carrier. The owner decides at
 * five points, by calling back (from inside the event or later):
 *   PROV_EV_LINK_OPEN     -> prov_read_records() or prov_invite()
 *   PROV_EV_RECORDS       -> prov_invite(), with the certificate's public key where there is one
 *   PROV_EV_OOB_OUTPUT    -> prov_oob_value(), with what a person read from the device
 *   PROV_EV_KEY_AGREED    -> prov_send_data(), after the device key is in the store
 *   PROV_EV_COMPLETE      -> nothing: the link closes with Success, then PROV_EV_ENDED
 * and may call prov_abort() at any time. With PROV_EV_OOB_INPUT a person enters the value at the
 * device; the session goes on by itself then. PROV_EV_ENDED comes exactly once, last.
 */
#ifndef MESHMASON_PROVISIONER_H
#define MESHMASON_PROVISIONER_H

#include "carrier.h"
#include "crypto.h"
#include "pdu.h"
#include "timers.h"

enum {
	PROV_RECORD_SIZE_MAX = 8192,
	PROV_RECORDS_MAX = 18, /* certificate, 15 intermediates, base URI, name */
	PROV_OOB_SIZE = 8,     /* digits or characters at most, 5.4.1.3 */
	PROV_OOB_TEXT = PROV_OOB_SIZE + 1,
	PROV_PROMPT_SECONDS = 110, /* a device waits for 120 at least, 5.4.4 */
};

/* Whether a person can be asked; the two are equally strong. */
enum prov_prompt {
	PROV_PROMPT_NEVER,
	PROV_PROMPT_OUTPUT, /* what the device shows is told to us, if it can; else the other way */
	PROV_PROMPT_INPUT,  /* what we show is entered at the device, if it can; else as above */
};

/* What this session may do. Never weaker than said here. */
struct prov_policy {
	enum prov_algorithm min_algorithm; /* HMAC: a CMAC-only device is refused */
	bool saw_stronger; /* this UUID offered HMAC or certificates before: CMAC is a downgrade */
	bool require_oob_public_key; /* certificate policy */
	bool allow_none; /* authentication method None; with an OOB public key always allowed */
	uint8_t static_oob[32];
	size_t static_oob_len; /* 0: have none */
	bool require_static_oob;
	enum prov_prompt prompt; /* where not never, static or a prompt: nothing weaker */
};

/* Why a session ended. */
enum prov_end {
	PROV_OK,
	PROV_END_CARRIER,	/* see carrier_end */
	PROV_END_TIMEOUT,	/* 60 s without a PDU */
	PROV_END_DEVICE_FAILED, /* Provisioning Failed; see device_error */
	PROV_END_PROTOCOL,	/* wrong PDU, length, order or prohibited value */
	PROV_END_RECORDS,	/* violation of the record protocol */
	PROV_END_KEY_INVALID,	/* off-curve, or our own key reflected */
	PROV_END_AUTH_FAILED,	/* confirmation wrong or reflected, random reflected */
	PROV_END_ALGORITHM_TOO_WEAK,
	PROV_END_OOB_UNAVAILABLE, /* the policy's method is not offered, or we lack its value */
	PROV_END_ABORTED,
};

enum prov_event_type {
	PROV_EV_LINK_OPEN,
	PROV_EV_RECORDS,
	PROV_EV_CAPABILITIES, /* for information: method and algorithm are chosen */
	PROV_EV_OOB_OUTPUT,   /* the device shows something for prov_oob_value() */
	PROV_EV_OOB_INPUT,    /* value is to be entered at the device */
	PROV_EV_KEY_AGREED,
	PROV_EV_DATA_SENT, /* Provisioning Data has been handed to the carrier */
	PROV_EV_COMPLETE,
	PROV_EV_ENDED,
};

struct prov_record_data {
	uint16_t id;
	struct bytes data;
};

struct prov_event {
	enum prov_event_type type;
	/* PROV_EV_RECORDS: all records that the device listed and gave */
	const struct prov_record_data *records;
	size_t n_records;
	/* PROV_EV_CAPABILITIES, KEY_AGREED */
	const struct prov_capabilities *capabilities;
	enum prov_algorithm algorithm;
	enum prov_auth_method method;
	bool oob_public_key;
	/* PROV_EV_OOB_OUTPUT, OOB_INPUT: as in Start; method above */
	uint8_t action, size;
	const char *value; /* OOB_INPUT */
	/* PROV_EV_KEY_AGREED: wiped when the session is freed */
	const struct secret16 *device_key;
	/* PROV_EV_ENDED */
	enum prov_end end;
	enum carrier_end carrier_end; /* with PROV_END_CARRIER */
	uint8_t device_error;	      /* with PROV_END_DEVICE_FAILED: enum prov_error or RFU */
	bool prompting;		      /* while a person was asked */
};

struct prov;

struct prov_env {
	struct timers *timers;
	void (*random)(void *ctx, void *out, size_t n);
	void *random_ctx;
	void (*event)(void *ctx,
		      const struct prov_event *ev); /* never from inside a call of ours */
	void *ctx;
};

/* Starts by opening the link. The carrier stays the caller's, until PROV_EV_ENDED. */
struct prov *prov_new(const struct prov_env *env, struct prov_carrier *carrier,
		      const uint8_t uuid[UUID_LEN]);
/* Before PROV_EV_ENDED: abandons the session silently (a crash, in tests). Wipes secrets. */
void prov_free(struct prov *p);

/* Records Get, then each record of interest: certificate, intermediates, base URI, name. Only
 * before prov_invite, and only for devices that show OOB information bit 8. */
void prov_read_records(struct prov *p);
/* oob_public_key is 64 octets, or NULL for in-band exchange. attention in seconds. Without a policy
 * the device is only asked to attend: after PROV_EV_CAPABILITIES nothing happens until
 * prov_abort(). Like the others here, it does nothing to a session that is ending already. */
void prov_invite(struct prov *p, const struct prov_policy *policy, const uint8_t *oob_public_key,
		 uint8_t attention);
/* A person is asked at the moment. */
bool prov_is_prompting(const struct prov *p);
/* After PROV_EV_OOB_OUTPUT. False: text cannot be what the device shows, and we still wait for it.
 */
bool prov_oob_value(struct prov *p, const char *text);
void prov_send_data(struct prov *p, const struct prov_data *data);
/* Closes the link with Fail (Success when only asked to attend). PROV_EV_ENDED follows. */
void prov_abort(struct prov *p);

const char *prov_end_text(enum prov_end end);

#endif
