/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PB-Remote, 5.2.3 and 4.4.6: a prov_carrier through one Remote Provisioning Server; or to the node
 * itself that hosts it, which is then provisioned anew (NPPI, 3.10.8).
 */
#ifndef MESHMASON_PB_REMOTE_H
#define MESHMASON_PB_REMOTE_H

#include "access.h"
#include "carrier.h"

struct pb_remote_options {
	/* Seconds until we ask what became of an opening; 0: the server's own 10. It is not told to
	 * the server: to some, BlueZ's among them, Link Open's Timeout is the life of the whole
	 * link. */
	uint8_t open_timeout;
	/* The server is its own provisionee. open() takes the node's UUID, and does not use it. All
	 * of the session goes under the node's old key and address; a Close with Success commits,
	 * any other end changes nothing. CARRIER_OPEN_FAILED: the node refuses the procedure. */
	bool nppi;
	enum nppi_procedure procedure;
};

/* The caller owns it and frees it after closed(), or abandons the link at once by freeing. */
struct prov_carrier *pb_remote_new(struct access *a, struct timers *timers,
				   const struct access_target *server,
				   const struct pb_remote_options *options);
void pb_remote_free(struct prov_carrier *c);
/* After closed(): the server has confirmed our Link Close. If not, nobody knows whether a Success
 * has committed; a Link Report that is missing alone leaves nothing in doubt. */
bool pb_remote_close_confirmed(const struct prov_carrier *c);
/* Median-like recent time from PDU Send to PDU Outbound Report, microseconds; 0 unknown. */
uint64_t pb_remote_latency(const struct prov_carrier *c);

#endif
