/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provisionee of a simulated device, Mesh 5.4: what arrives over its link, in order, to what
 * it answers. It knows no bearer; the chart is in the .c file.
 */
#ifndef MESHMASON_DEV_PROV_H
#define MESHMASON_DEV_PROV_H

#include "crypto.h"
#include "device.h"

enum {
	DEV_PROV_INPUTS = 1 + 11 + 5 + 2 * P256_PUBLIC,
	DEV_PROV_FRAGMENT = 57, /* a Record Response of 65 octets */
};

/* Decrypted and accepted Provisioning Data. */
struct dev_prov_data {
	struct secret16 net_key, device_key;
	uint16_t net_index, address;
	bool key_refresh, iv_update;
	uint32_t iv_index;
};

struct dev_prov_ops {
	void (*send)(void *ctx, struct bytes pdu);
	void (*random)(void *ctx, void *out, size_t n);
	void (*attention)(void *ctx, uint8_t seconds);
	/* It is on flash when this returns true, and Complete leaves afterwards; false: Invalid
	 * Data. */
	bool (*accept)(void *ctx, const struct dev_prov_data *data);
};

enum dev_prov_state {
	DEV_PROV_FRESH, /* records, or Invite */
	DEV_PROV_INVITED,
	DEV_PROV_STARTED,
	DEV_PROV_INPUT, /* a person has to enter something first */
	DEV_PROV_KEYED,
	DEV_PROV_CONFIRMED,
	DEV_PROV_KNOWN,
	DEV_PROV_DONE,
	DEV_PROV_FAILED,
};

struct dev_prov {
	const struct device_make *make;
	const struct dev_prov_ops *ops;
	void *ctx;
	enum dev_prov_state state;
	uint8_t elements; /* as Capabilities tell; the make's, unless the owner says otherwise */

	uint8_t inputs[DEV_PROV_INPUTS]; /* ConfirmationInputs, as they went over the air */
	bool hmac, oob_key;
	uint8_t method, action, size; /* of Start */
	bool showing;		      /* a person has something to read, or to enter */
	void (*shown)(void *ctx, const struct device_prompt *now); /* may be NULL */
	void *shown_ctx;
	size_t auth_len; /* 16 or 32 octets of Confirmation, Random, AuthValue */
	struct secret32 secret, ecdh, auth, random;
	uint8_t confirmation_salt[32];
	struct secret32 confirmation_key;
	uint8_t peer_confirmation[32], own_confirmation[32];
	struct secret16 session_key, device_key;
	uint8_t session_nonce[CCM_NONCE];
};

void dev_prov_init(struct dev_prov *p, const struct device_make *make,
		   const struct dev_prov_ops *ops, void *ctx);
/* A Provisioning PDU from the provisioner; answered through ops before it returns. */
void dev_prov_received(struct dev_prov *p, struct bytes pdu);
/* Forgets all secrets; as fresh as after init, with the elements that it had. */
void dev_prov_reset(struct dev_prov *p);

/* Output and Input OOB; in dev_prov_oob.c. */
void dev_prov_oob_capabilities(const struct device_make *make, struct wr *w);
/* Is Start's method, action and size among what was offered? */
bool dev_prov_oob_offered(const struct device_make *make, uint8_t method, uint8_t action,
			  uint8_t size);
/* Draws and shows, or waits for a person. */
void dev_prov_oob_begin(struct dev_prov *p);
void dev_prov_oob_end(struct dev_prov *p);
/* A person has entered this: Input Complete leaves. */
bool dev_prov_entered(struct dev_prov *p, const char *text);

/* The derivations of 5.4.2.4 and 5.4.2.5, on the fields above; in dev_prov_keys.c. */
void dev_prov_auth_value(struct dev_prov *p);
void dev_prov_derive_confirmation(struct dev_prov *p);
void dev_prov_confirm(const struct dev_prov *p, const uint8_t *random, uint8_t out[32]);
void dev_prov_derive_session(struct dev_prov *p, const uint8_t *peer_random);

/* Provisioning records, 5.4.2.6: the answer into w; false for what has none. In dev_records.c. */
bool dev_records_list(const struct device_make *make, struct wr *w);
bool dev_records_read(const struct device_make *make, struct bytes params, struct wr *w);

#endif
