/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration Client and what else the commissioner asks of a node, 4.4.2; Health Attention. */
#ifndef MESHMASON_CONFIG_CLIENT_H
#define MESHMASON_CONFIG_CLIENT_H

#include "access.h"
#include "secret.h"

enum { COMPOSITION_ELEMENTS_MAX = 32, COMPOSITION_MODELS_MAX = 64 };

/* Composition Data page 0, 4.2.2.1. A model is 0x0000xxxx (SIG) or company << 16 | id (vendor). */
struct composition_element {
	uint16_t location;
	uint8_t n_sig, n_vendor;
	uint32_t models[COMPOSITION_MODELS_MAX]; /* SIG first */
};
struct composition {
	uint16_t company, product, version, replay_list, features;
	uint8_t n_elements;
	struct composition_element elements[COMPOSITION_ELEMENTS_MAX];
};
/* data without the page octet. False when malformed or larger than the limits above. */
bool composition_decode(struct composition *out, struct bytes data);
bool composition_has_model(const struct composition *c, uint8_t element, uint32_t model);

struct model_ref {
	uint16_t element; /* its address */
	uint32_t model;	  /* as in struct composition_element; vendor when company != 0 */
	bool vendor;
};

/* One exchange with one node; embedded, stays until done or config_call_cancel. status is the
 * Status octet of the answer, 0 where the message has none. */
struct config_call {
	void (*done)(void *ctx, enum access_result r, struct config_call *call);
	void *ctx;
	uint8_t status;
	uint8_t value;		  /* TTL, relay state, attention, beacon state of the answer */
	uint8_t page;		  /* of the composition answered */
	uint8_t ttl;		  /* of the answer as received, for hop counts */
	struct bytes composition; /* page data without the page octet; valid during done only */
	/* own */
	struct access *access;
	struct access_request request;
	const struct config_answer *answer; /* what the answer looks like */
	uint8_t expect[8];		    /* fields that it must echo */
	uint8_t expect_len;
	bool running;
};
/* page: enum composition_page, the next composition's with COMPOSITION_NEXT added. The node answers
 * with the highest page that it has up to that one: c->page says which. Of a page that is too large
 * for one message there may be less than all: large_composition.h. */
void config_composition_get(struct access *a, struct config_call *c,
			    const struct access_target *node, uint8_t page);
void config_appkey_add(struct access *a, struct config_call *c, const struct access_target *node,
		       uint16_t net_index, uint16_t app_index, const struct secret16 *key);
void config_model_app_bind(struct access *a, struct config_call *c,
			   const struct access_target *node, const struct model_ref *model,
			   uint16_t app_index);
void config_default_ttl_set(struct access *a, struct config_call *c,
			    const struct access_target *node, uint8_t ttl);
/* retransmit: count in bits 0..2, steps in bits 3..7 (4.2.21). */
void config_relay_set(struct access *a, struct config_call *c, const struct access_target *node,
		      bool on, uint8_t retransmit);
void config_network_transmit_set(struct access *a, struct config_call *c,
				 const struct access_target *node, uint8_t transmit);
void config_node_reset(struct access *a, struct config_call *c, const struct access_target *node);
/* node->app_index is an AppKey bound to its Health Server. */
void health_attention_set(struct access *a, struct config_call *c, const struct access_target *node,
			  uint8_t seconds);
/* Fine when nothing runs. */
void config_call_cancel(struct config_call *c);

const char *config_status_text(uint8_t status);

#endif
