/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a device's provisioning records, 5.4.2.6, between link open and Invite. This is the
 * retrieval alone: what to ask next, and whether an answer fits. Sending is the session's.
 */
#ifndef MESHMASON_RECORDS_H
#define MESHMASON_RECORDS_H

#include "pdu.h"
#include "provisioner.h"

enum {
	RECORDS_FRAGMENT = 57, /* 8 + 57: a PDU of 65 octets, which common receivers take */
	RECORDS_SUM_MAX = 32768,
	RECORDS_REQUESTS_MAX = 1024, /* a device that gives an octet at a time ends here */
};

enum records_step {
	RECORDS_ASK,  /* send records_next() */
	RECORDS_DONE, /* records_view() */
	RECORDS_BAD,  /* a violation: close the link with Fail */
};

struct records;

/* Wants the answer to Records Get first. */
struct records *records_new(void);
void records_free(struct records *r);
/* Parameters of a Records List, or of a Record Response to the last request. */
enum records_step records_take_list(struct records *r, struct bytes params);
enum records_step records_take(struct records *r, struct bytes params);
/* The request that is to be sent now. */
struct prov_pdu_record_request records_next(const struct records *r);
/* Everything that was listed and given, in the order of asking; views until records_free(). */
size_t records_view(const struct records *r, struct prov_record_data out[PROV_RECORDS_MAX]);

#endif
