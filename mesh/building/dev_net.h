/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network layer of a simulated node, Mesh 3.4: what is ours comes up, what is not may be
 * relayed, and all that goes out takes a fresh sequence number.
 */
#ifndef MESHMASON_DEV_NET_H
#define MESHMASON_DEV_NET_H

#include "crypto.h"
#include "dev_flash.h"
#include "device.h"

struct device;

enum {
	DEV_RAW_CACHE = 512, /* hashes of PDUs heard, power of two */
	DEV_SEEN_SETS = 128, /* of four (SRC, SEQ) each, power of two */
	DEV_RELAYS = 24,     /* waiting for their random delay */
};

/* What a NetKey gives, 3.9.6.3; the contexts are made once for each key. */
struct dev_net_key {
	uint16_t index;
	uint8_t nid;
	uint8_t network_id[8];
	struct aes_key *encryption, *privacy, *beacon;
};

void dev_net_key_make(struct dev_net_key *k, uint16_t index, const struct secret16 *key);
void dev_net_key_free(struct dev_net_key *k);

/* A network PDU in the clear. */
struct dev_net_pdu {
	bool ctl;
	uint8_t ttl;
	uint32_t seq;
	uint16_t src, dst;
	uint32_t iv_index;
	uint8_t len; /* of transport: 1..16, with ctl 1..12 */
	uint8_t transport[16];
};

enum { DEV_PDU_HEADER = 9, DEV_PDU_MIN = 18 };

/* Takes the header's veil off: ctl, ttl, seq, src. False: too short, not this NID, or a source
 * that cannot be. Nothing is authentic yet. */
bool dev_pdu_unveil(const struct dev_net_key *k, uint32_t iv_index, struct bytes raw,
		    struct dev_net_pdu *out);
/* The rest of what dev_pdu_unveil began; false when the NetMIC is wrong. */
bool dev_pdu_open(const struct dev_net_key *k, struct bytes raw, struct dev_net_pdu *pdu);
/* The PDU as it goes over the air. */
struct bytes dev_pdu_seal(const struct dev_net_key *k, const struct dev_net_pdu *pdu,
			  uint8_t out[NETWORK_PDU_MAX]);

struct dev_relay {
	struct device *device;
	struct timer timer;
	struct device_send send;
};

struct dev_net {
	struct dev_net_key keys[DEV_NET_KEYS];
	size_t n_keys;
	uint32_t seq; /* the next one */
	uint64_t raw[DEV_RAW_CACHE];
	uint64_t seen[DEV_SEEN_SETS][4];
	uint8_t seen_next[DEV_SEEN_SETS];
	struct dev_relay relays[DEV_RELAYS];
	struct timer save_replay;
};

void dev_net_start(struct device *d);
void dev_net_stop(struct device *d);
/* The data of an AD structure of type 0x2A. */
void dev_net_heard(struct device *d, struct bytes raw);
/* The candidate IV Index for a received PDU, and the one to send with. */
uint32_t dev_net_rx_iv(const struct device *d, uint8_t ivi_nid);
uint32_t dev_net_tx_iv(const struct device *d);
/* False when this IV Index has no sequence number left. */
bool dev_net_take_seq(struct device *d, uint32_t *seq);
/* Seals and sends; pdu is complete but for src, which is the primary element. */
void dev_net_send(struct device *d, const struct dev_net_key *k, struct dev_net_pdu *pdu,
		  uint8_t count);
/* With a sequence number of its own and the IV Index of now. */
void dev_net_send_fresh(struct device *d, const struct dev_net_key *k, struct dev_net_pdu *pdu,
			uint8_t count);
struct dev_net_key *dev_net_key_find(struct device *d, uint16_t index);
/* Mesh 3.9.8. */
bool dev_net_replayed(const struct device *d, const struct dev_net_pdu *pdu);
void dev_net_accepted(struct device *d, const struct dev_net_pdu *pdu);
/* After the IV Index or its state has moved. */
void dev_net_iv_changed(struct device *d, bool restart_seq);

#endif
