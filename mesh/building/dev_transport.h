/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The transport layers of a simulated node, Mesh 3.5 and 3.6: segments and their acknowledgments
 * both ways, and the encryption under application and device keys.
 */
#ifndef MESHMASON_DEV_TRANSPORT_H
#define MESHMASON_DEV_TRANSPORT_H

#include "dev_net.h"

enum {
	DEV_UPPER_MAX = 384,
	DEV_SAR_IN = 8,	  /* (SRC, DST) pairs in progress or last finished */
	DEV_SAR_OUT = 16, /* messages under way or waiting for their turn */
	DEV_ACK_COPIES = 2,
};

/* Which key secures an access message: an AppKey index, or the device key. */
enum { DEV_KEY_DEVICE = 0xFFFF };

/* The other end of an exchange, with the keys that both sides use. */
struct dev_peer {
	uint16_t address;
	uint16_t net_index;
	uint16_t app_index; /* or DEV_KEY_DEVICE */
	uint8_t ttl;
};

/* A received access message; src etc. are in peer. */
struct dev_message {
	struct dev_peer peer;
	uint16_t dst;
	struct bytes access;
};

/* Told once: the peer has it all, or that was given up. Not told by a reset. */
typedef void dev_sent_fn(struct device *d, bool delivered);

struct dev_sar_in {
	struct device *device;
	bool used, finished, expired;
	uint16_t src, dst, net_index;
	uint64_t seq_auth;
	uint8_t ttl, akf_aid, seg_n, last_len;
	bool szmic;
	uint32_t got;
	uint64_t touched, acked_at;
	struct timer ack, discard;
	uint8_t data[DEV_UPPER_MAX];
};

struct dev_sar_out {
	struct device *device;
	bool used, active;
	uint64_t order;
	struct dev_peer peer;
	dev_sent_fn *sent;
	size_t len; /* access message while waiting, upper transport PDU when active */
	uint8_t akf_aid, seg_n, next;
	uint32_t seq_first, iv_index, acked;
	uint8_t tries, tries_without_progress;
	bool waiting; /* for an acknowledgment: the retransmission timer runs */
	struct timer timer;
	uint8_t data[DEV_UPPER_MAX];
};

struct dev_transport {
	struct dev_sar_in in[DEV_SAR_IN];
	struct dev_sar_out out[DEV_SAR_OUT];
	uint64_t orders;
};

void dev_transport_start(struct device *d);
void dev_transport_stop(struct device *d);
/* A network PDU for us that is no replay. */
void dev_transport_received(struct device *d, struct dev_net_key *k, const struct dev_net_pdu *pdu);
/* Sends unsegmented when it fits and segmented is false; sent may be NULL. False, and sent is not
 * called, when there is no key or no room. */
bool dev_transport_send(struct device *d, const struct dev_peer *to, struct bytes access,
			bool segmented, dev_sent_fn *sent);

/* Upper transport, in dev_upper.c. */
struct dev_upper_nonce {
	bool device_key, szmic;
	uint32_t seq, iv_index;
	uint16_t src, dst;
};
void dev_upper_seal(const struct secret16 *key, const struct dev_upper_nonce *n,
		    struct bytes access, uint8_t *out);
bool dev_upper_open(const struct secret16 *key, const struct dev_upper_nonce *n, struct bytes upper,
		    uint8_t *out);
/* The key that peer names and its AKF and AID octet; NULL when we do not have it. */
const struct secret16 *dev_upper_key(const struct device *d, const struct dev_peer *peer,
				     uint8_t *akf_aid);
/* A whole upper transport PDU: finds the key, and gives the message to the access layer. False
 * when no key fits. */
bool dev_upper_received(struct device *d, const struct dev_net_key *k,
			const struct dev_net_pdu *last, const struct dev_upper_nonce *nonce,
			uint8_t akf_aid, struct bytes upper);

/* The SAR halves: dev_sar_in.c, dev_sar_out.c. */
void dev_sar_in_segment(struct device *d, struct dev_net_key *k, const struct dev_net_pdu *pdu);
bool dev_sar_out_send(struct device *d, const struct dev_peer *to, struct bytes access,
		      dev_sent_fn *sent);
bool dev_sar_out_acked(struct device *d, const struct dev_net_key *k, const struct dev_net_pdu *pdu,
		       uint16_t seq_zero, bool obo, uint32_t bits);
bool dev_sar_out_busy(const struct device *d);

/* AckedSegments of a whole message. */
static inline uint32_t dev_sar_all(uint8_t seg_n)
{
	return 0xFFFFFFFFu >> (31 - seg_n);
}

/* SeqAuth of the message that a segment belongs to, 3.5.3.1; false when SeqZero lies before the
 * first sequence number. */
bool dev_seq_auth(uint32_t seq, uint16_t seq_zero, uint32_t *first);

#endif
