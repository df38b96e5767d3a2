/* SPDX-License-Identifier: Apache-2.0 */
/* What pb_remote.c (opening, closing, telling the owner) and pb_remote_pdu.c (the PDUs of an open
 * link) share. For nobody else. */
#ifndef MESHMASON_PB_REMOTE_PRIVATE_H
#define MESHMASON_PB_REMOTE_PRIVATE_H

#include "pb_remote.h"
#include "remote_prov_client.h"

enum {
	PB_REMOTE_TRIES = 3,
	PB_REMOTE_INBOX = 4, /* PDUs of the device that wait for a sent() to be told first */
	PB_REMOTE_LATENCIES = 5,
	PB_REMOTE_PDU = ACCESS_MAX - 3,
};

enum pb_remote_state {
	PBR_IDLE,
	PBR_OPENING,  /* Link Open is out */
	PBR_AWAITING, /* the server is opening; its Link Report is due */
	PBR_PROBING,  /* it never came: Link Get */
	PBR_CHECKING, /* opening was refused: Link Get */
	PBR_CLEARING, /* a stale link of ours: Link Close */
	PBR_PAUSING,  /* before the next Link Open */
	PBR_ACTIVE,
	PBR_CLOSING,  /* Link Close is out */
	PBR_SETTLING, /* the server is closing */
	PBR_ENDED,
};

/* A PDU Report, to be told when the PDU Send of number after has been. */
struct pb_remote_inbound {
	uint8_t after;
	size_t n;
	uint8_t pdu[PB_REMOTE_PDU];
};

struct pb_remote {
	struct prov_carrier carrier;
	struct access *access;
	struct timers *timers;
	struct access_target server;
	struct pb_remote_options options;
	struct access_listener on_link_report, on_outbound_report, on_pdu_report;
	struct timer limit; /* of the state */

	enum pb_remote_state state;
	uint8_t uuid[UUID_LEN];
	unsigned cleanups;
	bool close_confirmed;
	struct access_request open;
	bool open_running;
	struct rpr_call call; /* Link Get, Link Close */

	struct access_send send;
	bool sending;
	bool outstanding; /* no Outbound Report for out_number yet */
	bool transported; /* the server node has acknowledged it */
	bool behind;	  /* and yet the server said that it has only the one before */
	unsigned resends;
	uint8_t out_number;
	uint64_t sent_at;
	uint8_t out[1 + PB_REMOTE_PDU];
	size_t out_len;

	uint8_t in_number;
	struct pb_remote_inbound inbox[PB_REMOTE_INBOX];
	size_t n_inbox;

	struct timer teller;
	bool tell_opened, tell_sent, tell_closed;
	enum carrier_end end;

	uint64_t latency[PB_REMOTE_LATENCIES];
	size_t n_latency;
};

/* pb_remote.c */
bool pb_remote_is_from_server(const struct pb_remote *p, const struct access_message *m);
/* Counts what did not decode; returns decoded. */
bool pb_remote_is_good(const struct pb_remote *p, bool decoded);
/* Tells the owner, in later turns, what there is to tell. */
void pb_remote_kick(struct pb_remote *p);
/* The first in the inbox may be told. */
bool pb_remote_inbox_ready(const struct pb_remote *p);
/* Stops timer, request and transfer of the state. */
void pb_remote_stop_all(struct pb_remote *p);
/* The link is gone: nothing is sent any more. */
void pb_remote_ended(struct pb_remote *p, enum carrier_end end);
/* Link Close(Fail), and then that end. */
void pb_remote_fail(struct pb_remote *p, enum carrier_end end, uint8_t tries);
/* Link Get. */
void pb_remote_ask(struct pb_remote *p,
		   void (*done)(void *ctx, enum access_result r, struct rpr_call *call));

/* pb_remote_pdu.c */
void pb_remote_send(struct pb_remote *p, struct bytes pdu);
void pb_remote_outbound_report(void *ctx, const struct access_message *m);
void pb_remote_pdu_report(void *ctx, const struct access_message *m);

#endif
