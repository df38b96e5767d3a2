/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a faulty device does otherwise than a sound one: it bends what it says on a link, or loses
 * its power in the middle of one. enum device_fault in device.h says what there is.
 */
#ifndef MESHMASON_DEV_FAULT_H
#define MESHMASON_DEV_FAULT_H

#include "bytes.h"
#include "crypto.h"
#include "timers.h"

struct device;

enum { DEV_FAULT_PDU = 80 }; /* no shorter than what a device says or hears on a link */

/* The link at hand: as an unprovisioned device, or to a node itself (dev_nppi.c). */
enum dev_fault_link { DEV_FAULT_JOINING, DEV_FAULT_REFRESH };

struct dev_fault {
	struct timer timer; /* power off and on, or the flash that is ready at last */
	size_t heard_len;   /* of the provisioner's last PDU, to be reflected */
	uint8_t heard[DEV_FAULT_PDU];
	uint64_t flash_until;	  /* the slow flash is busy so long */
	enum dev_fault_link late; /* the link that Complete belongs to */
};

/* A Provisioning PDU for this device; true: it does not live to take it. */
bool dev_fault_heard(struct device *d, enum dev_fault_link link, struct bytes pdu);
/* Our answer, which may be changed in place; false: it does not leave, or not now. */
bool dev_fault_answers(struct device *d, enum dev_fault_link link, uint8_t *pdu, size_t n);
/* It has carried so many PDUs over its link as a server; true: it does not live to carry more. */
bool dev_fault_serving(struct device *d, unsigned carried);
/* The node refresh is to have no consequence; or one without waiting for the end of the link. */
bool dev_fault_forgets_refresh(const struct device *d);
bool dev_fault_hurries_refresh(const struct device *d);
/* The flash was written: a slow one is busy with it from now on. */
void dev_fault_saved(struct device *d);
/* How long an answer has to wait for the flash. */
uint64_t dev_fault_wait(const struct device *d);

#endif
