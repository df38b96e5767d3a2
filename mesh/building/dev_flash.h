/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulated device remembers without power: one image, versioned and with a check sum.
 * An image that does not read is no image: the device is as new.
 */
#ifndef MESHMASON_DEV_FLASH_H
#define MESHMASON_DEV_FLASH_H

#include "bytes.h"
#include "secret.h"

enum {
	DEV_NET_KEYS = 2,
	DEV_APP_KEYS = 8,
	DEV_BINDINGS = 24,
	DEV_PUBLICATIONS = 16,
	DEV_SUBSCRIPTIONS = 32,
	DEV_PUBLICATION_LEN = 7,
	DEV_REPLAY_ROWS = 48,
	DEV_IMAGE_MAX = 2048,
};

enum { DEV_HOURS_NEVER = 0xFFFF };

struct dev_net_key_row {
	uint16_t index;
	struct secret16 key;
};

struct dev_app_key_row {
	uint16_t index, net_index;
	struct secret16 key;
};

struct dev_binding_row {
	uint8_t element; /* counted from the primary */
	uint16_t model, app_index;
};

/* Address, AppKey index and credentials, TTL, period, retransmission: as in its messages. */
struct dev_publication_row {
	uint8_t element;
	uint16_t model;
	uint8_t octets[DEV_PUBLICATION_LEN];
};

struct dev_subscription_row {
	uint8_t element;
	uint16_t model, address;
};

/* The highest IV Index and SEQ accepted from one source, Mesh 3.9.8. */
struct dev_replay_row {
	uint16_t src;
	uint32_t iv_index, seq;
};

/* What a node refresh leads to, 3.10.8. Committed when its link has been closed with Success. A
 * new key alone then waits for its first message; a new address is moved to at once. */
struct dev_candidate {
	bool present, committed;
	uint8_t procedure; /* enum nppi_procedure */
	uint16_t address;
	uint8_t elements;
	bool changed; /* composition: that of the later firmware */
	struct secret16 key;
};

struct dev_image {
	bool provisioned;
	bool silenced; /* lost its power for good: see make.fault */
	bool changed;  /* its composition is that of the later firmware; outlives Node Resets */
	uint32_t resets;
	uint8_t faults; /* how often it has lost its power by make.fault */

	/* The rest means something only when provisioned. */
	uint16_t address;
	uint8_t elements;
	struct secret16 device_key;
	uint32_t iv_index;
	bool iv_update;
	uint16_t iv_hours;	 /* in this IV state; DEV_HOURS_NEVER: no limit binds */
	uint16_t recovery_hours; /* since the last recovery; DEV_HOURS_NEVER: none yet */
	uint32_t seq_reserved;	 /* no sequence number at or above it was ever used */
	bool relay, beacon;
	uint8_t relay_retransmit, network_transmit, default_ttl;

	struct dev_net_key_row net_keys[DEV_NET_KEYS];
	size_t n_net_keys;
	struct dev_app_key_row app_keys[DEV_APP_KEYS];
	size_t n_app_keys;
	struct dev_binding_row bindings[DEV_BINDINGS];
	size_t n_bindings;
	struct dev_publication_row publications[DEV_PUBLICATIONS];
	size_t n_publications;
	struct dev_subscription_row subscriptions[DEV_SUBSCRIPTIONS];
	size_t n_subscriptions;
	struct dev_replay_row replay[DEV_REPLAY_ROWS];
	size_t n_replay;
	struct dev_candidate candidate;
};

/* As the factory leaves it. */
void dev_flash_blank(struct dev_image *out);
/* False for an empty, broken or foreign image; out is then blank. */
bool dev_flash_read(struct bytes flash, struct dev_image *out);
/* A committed Node Address Refresh takes effect: new key, address and composition, sequence
 * numbers from 0. The keys of the subnets stay, what was bound to models does not. False when there
 * is none. */
bool dev_flash_move(struct dev_image *image);
/* A view into buf. */
struct bytes dev_flash_write(const struct dev_image *image, uint8_t buf[DEV_IMAGE_MAX]);

#endif
