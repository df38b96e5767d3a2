/* SPDX-License-Identifier: Apache-2.0 */
/* What a model of a node is told to do: bound AppKeys, publication, subscriptions; 4.4.2. */
#ifndef MESHMASON_MODEL_CONFIG_H
#define MESHMASON_MODEL_CONFIG_H

#include "config_client.h"

enum { MODEL_LIST_MAX = 250, PUBLICATION_LEN = 7 }; /* a message has no room for more */

/* Address, AppKey index and credentials, TTL, period, retransmission: as in the message, 4.2.3. */
struct model_publication {
	uint16_t address;   /* 0: it publishes nothing */
	uint16_t app_index; /* 0..0xFFF */
	bool friend_credentials;
	uint8_t ttl, period, retransmit;
};
void model_publication_encode(struct wr *w, const struct model_publication *p);
/* False when malformed. */
bool model_publication_decode(struct model_publication *out, struct bytes octets);

/* One exchange about one model; embedded, stays until done or model_config_cancel. A node that does
 * not know the message is silent: ACCESS_TIMEOUT. */
struct model_config {
	void (*done)(void *ctx, enum access_result r, struct model_config *call);
	void *ctx;
	uint8_t status; /* enum config_status */
	size_t n;	/* AppKey indexes, or addresses */
	uint16_t list[MODEL_LIST_MAX];
	struct model_publication publication;
	/* own */
	struct access *access;
	struct access_request request;
	struct model_ref model;
	enum model_config_answer {
		MODEL_ANSWER_KEYS,
		MODEL_ANSWER_ADDRESSES,
		MODEL_ANSWER_PUBLICATION,
		MODEL_ANSWER_SUBSCRIPTION,
	} answer;
	uint16_t address; /* of a subscription */
	bool running;
};
void model_app_get(struct access *a, struct model_config *c, const struct access_target *node,
		   const struct model_ref *model);
void model_subscription_get(struct access *a, struct model_config *c,
			    const struct access_target *node, const struct model_ref *model);
void model_subscription_add(struct access *a, struct model_config *c,
			    const struct access_target *node, const struct model_ref *model,
			    uint16_t address);
void model_publication_get(struct access *a, struct model_config *c,
			   const struct access_target *node, const struct model_ref *model);
void model_publication_set(struct access *a, struct model_config *c,
			   const struct access_target *node, const struct model_ref *model,
			   const struct model_publication *p);
/* An answer to what c asks by its model, answer and address. False: malformed, or to something
 * else. */
bool model_config_decode(struct model_config *c, struct bytes params);
/* Fine when nothing runs. */
void model_config_cancel(struct model_config *c);

#endif
