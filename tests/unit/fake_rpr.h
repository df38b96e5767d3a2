/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Remote Provisioning Server (4.4.5) with one device behind it, over fake_access: the rules of
 * the specification, and on demand the ways in which BlueZ's server differs. The device answers
 * each PDU of type t with one octet 0x80 + t and the PDU's length. As its own provisionee (NPPI) it
 * does the same itself.
 */
#ifndef MESHMASON_TESTS_FAKE_RPR_H
#define MESHMASON_TESTS_FAKE_RPR_H

#include "fake_access.h"

enum { FAKE_SERVER = 0x0010, FAKE_PDUS = 300 };

struct fake_rpr {
	struct access *a;
	struct timers *timers;
	enum rpr_link_state state;
	uint8_t uuid[UUID_LEN];
	uint8_t out_count, in_count;
	struct timer opening, transfer, answer, closing, inactive;
	uint8_t pdu[ACCESS_MAX];
	size_t pdu_n;
	/* what the device has seen: first octet of each PDU */
	uint8_t seen[FAKE_PDUS];
	unsigned n_seen;
	bool nppi; /* the link is to itself */
	uint8_t procedure;
	/* what the test wants */
	bool report_first, refuses_nppi;
	bool bluez, foreign, dead, stuck, mute, answer_first, no_answer;
	uint8_t device_closes_at; /* number of the PDU that makes the device close */
	uint8_t answers_twice_at; /* number of the PDU with two answers */
	uint64_t open_delay, transfer_delay, answer_delay;
};

void fake_rpr_init(struct fake_rpr *s, struct access *a, struct timers *timers);
void fake_rpr_free(struct fake_rpr *s);
void fake_rpr_hear(struct fake_rpr *s, uint32_t opcode, struct bytes params);
void fake_rpr_say(struct fake_rpr *s, uint32_t opcode, bool segmented, const void *p, size_t n);
/* The device closes the link. */
void fake_rpr_device_close(struct fake_rpr *s);

#endif
