/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of a simulated device, for its own files only; device.h is its face. */
#ifndef MESHMASON_DEV_CORE_H
#define MESHMASON_DEV_CORE_H

#include "dev_access.h"
#include "dev_beacon.h"
#include "dev_composition.h"
#include "dev_config_server.h"
#include "dev_fault.h"
#include "dev_flash.h"
#include "dev_net.h"
#include "dev_pb_adv.h"
#include "dev_prov.h"
#include "dev_rpr_server.h"
#include "dev_transport.h"
#include "device.h"

/* Work done and refused, for tests. */
struct dev_counts {
	uint32_t unveiled; /* network PDUs that cost a block of AES */
	uint32_t opened;   /* that cost a CCM */
	uint32_t relayed;
	uint32_t replayed;	/* dropped by the replay list */
	uint32_t undecryptable; /* upper transport PDUs without a key */
	uint32_t refused;	/* access messages that no model takes as they are */
};

struct device {
	const struct device_make *make;
	struct device_env env;
	struct dev_image flash;
	bool node;	/* runs as a provisioned node */
	bool mute;	/* without power: for good, or until it starts again */
	bool resetting; /* a Node Reset was obeyed; its answer is on its way */
	uint64_t attention_until;
	struct dev_counts counts;

	struct dev_beacon beacon;
	struct dev_pb_link acceptor;
	struct dev_prov prov;

	struct dev_net net;
	struct dev_transport transport;
	struct dev_access access;
	struct dev_rpr rpr;
	struct timer reset_timer;
	struct dev_fault fault;
};

/* Tags for env.cancel_send. */
enum { DEV_TAG_ACCEPTOR = 1, DEV_TAG_RPR, DEV_TAG_BEACON };

/* 0..n-1, and a span of time in microseconds. */
uint32_t dev_random_below(struct device *d, uint32_t n);
uint64_t dev_random_ms(struct device *d, uint32_t low, uint32_t high);
/* One AD structure on the air. */
void dev_put(struct device *d, uint8_t ad_type, struct bytes data, uint8_t count,
	     uint16_t interval_ms, uint32_t tag);
/* The flash image is durable when this returns. */
void dev_save(struct device *d);
bool dev_is_own(const struct device *d, uint16_t address);
/* Everything stops; dev_power_on starts it again from its flash. Not from within anything of it. */
void dev_power_off(struct device *d);
void dev_power_on(struct device *d);
/* The node starts anew from its flash: another address, for instance. */
void dev_rejoin(struct device *d);
/* Node Reset: flash at once, the rest after the answer has left. */
void dev_reset(struct device *d);

/* Transmit state octets, 4.2.20. */
static inline uint8_t dev_transmit_count(uint8_t state)
{
	return (uint8_t)((state & 7) + 1);
}

static inline uint16_t dev_transmit_interval(uint8_t state)
{
	uint16_t ms = (uint16_t)(((state >> 3) + 1) * 10);

	return ms < 20 ? 20 : ms; /* the floor of the advertising bearer */
}

#endif
