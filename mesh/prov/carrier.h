/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What carries provisioning PDUs: PB-ADV (pb_adv.h) or PB-Remote (models/pb_remote.h). A carrier
 * is embedded in its owner and used for one link at a time; it must stay until closed() has come.
 */
#ifndef MESHMASON_CARRIER_H
#define MESHMASON_CARRIER_H

#include "bytes.h"
#include "mesh_const.h"

enum carrier_end {
	CARRIER_CLOSED,	     /* by us, on request */
	CARRIER_OPEN_FAILED, /* the device did not answer the opening in time; a node refuses NPPI
			      */
	CARRIER_BUSY,	     /* the server has another link, or the device refused */
	CARRIER_LOST,	     /* the device closed the link, or vanished during it */
	CARRIER_SERVER_LOST, /* the Remote Provisioning Server does not answer any more */
	CARRIER_PROTOCOL,    /* numbering or framing that cannot be repaired */
};

struct prov_carrier;

/* Called by the carrier from the loop's turn, never from inside the owner's call. */
struct prov_carrier_events {
	void (*opened)(void *ctx);
	void (*sent)(void *ctx);			 /* the device has the last PDU */
	void (*received)(void *ctx, struct bytes pdu);	 /* type octet first; view for the call */
	void (*closed)(void *ctx, enum carrier_end end); /* last event, exactly once per open */
};

struct prov_carrier_ops {
	void (*open)(struct prov_carrier *c, const uint8_t uuid[UUID_LEN]);
	/* One PDU outstanding at a time: the next only after sent(). Copied. */
	void (*send)(struct prov_carrier *c, struct bytes pdu);
	/* closed() follows. During opening it cancels. */
	void (*close)(struct prov_carrier *c, enum prov_close_reason reason);
};

struct prov_carrier {
	const struct prov_carrier_ops *ops;
	const struct prov_carrier_events *events; /* set by the provisioner */
	void *ctx;				  /* theirs */
};

#endif
