/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the stack needs of a radio: send one AD structure some times, hear advertising reports.
 * Behind it stand a controller, a folder of sockets, the simulated building, a recording, or the
 * daemon's outbox, which holds everything back until the turn's commit.
 */
#ifndef MESHMASON_BEARER_H
#define MESHMASON_BEARER_H

#include "bytes.h"
#include "mesh_const.h"

enum { RSSI_UNKNOWN = 127 };

/* One advertising report; data holds all its AD structures. A view, valid for the call only. */
struct bearer_report {
	struct bytes data;
	uint8_t event_type; /* ADV_NONCONN_IND is the only one that carries mesh */
	uint8_t address[6]; /* least significant octet first, as HCI has it */
	int8_t rssi;	    /* dBm, RSSI_UNKNOWN where the bearer cannot tell */
};

/* Kinds of sending, most urgent first: a radio's queue serves them in this order, fairly. */
enum bearer_class { BEARER_ACK, BEARER_NETWORK, BEARER_PROV, BEARER_BEACON };

struct bearer_send {
	enum bearer_class kind;
	uint8_t count;	      /* transmissions, 1 or more */
	uint16_t interval_ms; /* between them, at least; 20 or more on a real radio */
	uint32_t tag;	      /* chosen by the sender, for cancel; 0 cannot be cancelled */
	uint8_t len;	      /* of data, 3..31: one AD structure with its length octet */
	uint8_t data[AD_MAX];
};

struct bearer {
	/* Queues a copy; false when the queue is full (counted by the bearer): the caller treats it
	 * as loss on the air. Never calls back from within. */
	bool (*send)(struct bearer *b, const struct bearer_send *s);
	/* Drops what still waits under this tag. */
	void (*cancel)(struct bearer *b, uint32_t tag);
	/* Set by the stack; called by the bearer from its own turn for each report heard. */
	void (*heard)(void *ctx, const struct bearer_report *report);
	void *heard_ctx;
};

#endif
