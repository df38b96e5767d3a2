/* SPDX-License-Identifier: Apache-2.0 */
/* PB-ADV, 5.3: links of the Provisioner over our own radio; several at once. */
#ifndef MESHMASON_PB_ADV_H
#define MESHMASON_PB_ADV_H

#include "bearer.h"
#include "carrier.h"
#include "timers.h"

struct pb_adv;

struct pb_adv_env {
	struct bearer *bearer;
	struct timers *timers;
	void (*random)(void *ctx, void *out, size_t n);
	void *ctx;
};

struct pb_adv *pb_adv_new(const struct pb_adv_env *env);
void pb_adv_free(struct pb_adv *p);
/* The data of one AD structure of type 0x29. */
void pb_adv_heard(struct pb_adv *p, struct bytes data);

/* A carrier over this radio; the caller owns it and frees it after closed() (or abandons a link
 * at once by freeing: nothing more is sent or called). */
struct prov_carrier *pb_adv_carrier_new(struct pb_adv *p);
void pb_adv_carrier_free(struct prov_carrier *c);

struct pb_adv_counters {
	uint64_t malformed, bad_fcs, foreign_link, retransmissions;
};
void pb_adv_counters(const struct pb_adv *p, struct pb_adv_counters *out);

#endif
