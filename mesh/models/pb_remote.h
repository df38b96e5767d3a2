/* SPDX-License-Identifier: Apache-2.0 */
/* PB-Remote, 5.2.3 and 4.4.6: a prov_carrier through one Remote Provisioning Server. */
#ifndef MESHMASON_PB_REMOTE_H
#define MESHMASON_PB_REMOTE_H

#include "access.h"
#include "carrier.h"

struct pb_remote_options {
	/* Seconds until we ask what became of an opening; 0: the server's own 10. It is not told to
	 * the server: to some, BlueZ's among them, Link Open's Timeout is the life of the whole
	 * link. */
	uint8_t open_timeout;
};

/* The caller owns it and frees it after closed(), or abandons the link at once by freeing. */
struct prov_carrier *pb_remote_new(struct access *a, struct timers *timers,
				   const struct access_target *server,
				   const struct pb_remote_options *options);
void pb_remote_free(struct prov_carrier *c);
/* Median-like recent time from PDU Send to PDU Outbound Report, microseconds; 0 unknown. */
uint64_t pb_remote_latency(const struct prov_carrier *c);

#endif
