/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of a provisioning session, for its own files only; provisioner.h is its face. */
#ifndef MESHMASON_PROV_SESSION_H
#define MESHMASON_PROV_SESSION_H

#include "oob.h"
#include "prov_keys.h"
#include "provisioner.h"
#include "records.h"

enum {
	PROV_QUEUE = 3, /* Start, Public Key and Confirmation follow each other */
	PROV_AUTH_MAX = 32,
};

/* Where the parts of ConfirmationInputs stand. */
enum {
	AT_INVITE = 0,
	AT_CAPABILITIES = AT_INVITE + 1,
	AT_START = AT_CAPABILITIES + PROV_CAPABILITIES_LEN,
	AT_OUR_KEY = AT_START + PROV_START_LEN,
	AT_DEVICE_KEY = AT_OUR_KEY + PROV_PUBLIC_KEY_LEN,
};

enum prov_state {
	OPENING,
	LINK_OPEN, /* the owner's turn */
	AWAIT_RECORDS_LIST,
	AWAIT_RECORD,
	RECORDS_READ, /* the owner's turn */
	AWAIT_CAPABILITIES,
	ATTENDING, /* the owner's turn: only prov_abort() */
	AWAIT_PUBLIC_KEY,
	AWAIT_OOB_VALUE,      /* the owner's turn: what the device shows */
	AWAIT_INPUT_COMPLETE, /* what we show is entered at the device */
	AWAIT_CONFIRMATION,
	AWAIT_RANDOM,
	KEY_AGREED, /* the owner's turn */
	AWAIT_COMPLETE,
	CLOSING,
	ENDED,
	PROV_STATES,
};

struct prov {
	struct prov_env env;
	struct prov_carrier *carrier; /* NULL once its closed() has come */
	enum prov_state state;
	enum prov_end end;
	enum carrier_end carrier_end;
	uint8_t device_error;
	struct timer limit;
	struct timer turn; /* tells the owner what waits in news */
	unsigned news;	   /* a bit for each enum prov_event_type */
	bool *gone;	   /* set by prov_free() inside an event */
	bool outstanding;  /* the carrier has one of ours */
	struct prov_queued {
		size_t n;
		uint8_t pdu[PROV_PDU_MAX];
	} queue[PROV_QUEUE];
	size_t n_queued;
	struct records *records;
	struct prov_policy policy;
	bool attend_only;
	bool prompted;	      /* ended while a person was asked */
	bool have_device_key; /* out of band */
	struct prov_capabilities capabilities;
	struct prov_pdu_start start;
	uint8_t inputs[PROV_INPUTS_LEN];
	struct secret32 private_key;
	struct secret32 ecdh;
	char value[PROV_OOB_TEXT]; /* input OOB: what is to be entered */
	struct prov_keys keys;
	uint8_t random[PROV_AUTH_MAX];
	uint8_t confirmation[PROV_AUTH_MAX]; /* ours */
	uint8_t device_confirmation[PROV_AUTH_MAX];
	struct prov_session_keys session;
};

/* ---- provisioner.c ---- */
/* Says how the session ends; returns the state that ends it. */
enum prov_state prov_fail(struct prov *p, enum prov_end end);
/* The owner hears of it in a turn of its own: never inside a call, never with us half-way. */
void prov_announce(struct prov *p, unsigned news);
/* Room for the next PDU; it leaves after those before it. */
struct wr prov_compose(struct prov *p);
void prov_queue(struct prov *p, const struct wr *w);
/* The one place where the state changes. */
void prov_enter(struct prov *p, enum prov_state next);

/* ---- provisioner_auth.c: from Capabilities to Complete; each returns the next state ---- */
enum prov_state prov_auth_capabilities(struct prov *p, struct bytes in);
enum prov_state prov_auth_public_key(struct prov *p, struct bytes in);
/* What a person read from the device: stays in the state when it cannot be that. */
enum prov_state prov_auth_value(struct prov *p, const char *text);
enum prov_state prov_auth_input_complete(struct prov *p, struct bytes in);
enum prov_state prov_auth_confirmation(struct prov *p, struct bytes in);
enum prov_state prov_auth_random(struct prov *p, struct bytes in);
enum prov_state prov_auth_complete(struct prov *p, struct bytes in);

#endif
