/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access layer of a simulated node, Mesh 3.7: from an opcode to the model that takes it, and its
 * answer after the random delay.
 */
#ifndef MESHMASON_DEV_ACCESS_H
#define MESHMASON_DEV_ACCESS_H

#include "dev_transport.h"

enum { DEV_REPLIES = 8, DEV_REPLY_MAX = 120 };

struct dev_reply {
	struct device *device;
	struct timer timer;
	struct dev_peer to;
	size_t len;
	uint8_t access[DEV_REPLY_MAX];
};

struct dev_access {
	struct dev_reply replies[DEV_REPLIES];
};

/* One message that a model takes; all others are ignored without a word. */
struct dev_handler {
	uint16_t opcode; /* one octet below 0x80, or two */
	size_t min, max; /* length of the parameters */
	void (*handle)(struct device *d, const struct dev_message *m, struct bytes params);
};

extern const struct dev_handler dev_config_handlers[];
extern const struct dev_handler dev_model_handlers[];
extern const struct dev_handler dev_composition_handlers[];
extern const struct dev_handler dev_large_composition_handlers[];
extern const struct dev_handler dev_health_handlers[];
extern const struct dev_handler dev_rpr_link_handlers[];
extern const struct dev_handler dev_rpr_scan_handlers[];

void dev_access_start(struct device *d);
void dev_access_stop(struct device *d);
void dev_access_received(struct device *d, const struct dev_message *m);

/* Begins a message: the opcode. */
void dev_access_opcode(struct wr *w, uint16_t opcode);
/* Answers m, 20..50 ms later (20..500 for a group), under the keys and to the address that m came
 * from. */
void dev_access_reply(struct device *d, const struct dev_message *m, const struct wr *w);

#endif
