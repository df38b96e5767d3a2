/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that are only online: fetched before the link, kept, and used by the next attempt.
 */
#ifndef MESHMASON_FETCH_CERTIFICATE_H
#define MESHMASON_FETCH_CERTIFICATE_H

#include "provision.h"

/* The next attempt begins by fetching: it is known where the certificate is, and none is here. */
bool fetch_certificate_wanted(struct task *t);
/* Something is kept here, or it is known where to fetch it: it is worth a link. */
bool fetch_certificate_possible(struct task *t);
/* The step. Without a link: ends in a task that waits for its turn with the certificate here, or
 * that has failed. */
void fetch_certificate(struct task *t);
/* A certificate that is kept and still good: its facts are in the task's work. */
bool fetch_certificate_kept(struct task *t);
/* What the device itself gave is kept. */
void fetch_certificate_keep(struct task *t, const struct bytes *der, size_t n);
/* The records had no certificate. True: they said where it is, and that is worth a fetch; the link
 * is to be closed then, and the task goes on with fetch_certificate_next(). Otherwise message (may
 * be NULL) gets a sentence. */
bool fetch_certificate_elsewhere(struct task *t, struct bytes base_uri, enum reason *reason,
				 char message[DB_MESSAGE]);
/* Its link was closed for the sake of a fetch: that was no attempt of the device's. */
void fetch_certificate_next(struct task *t);
/* The device could not prove the key: what is kept may be of its former life. */
void fetch_certificate_doubt(struct task *t);
/* With the work of a task that ends. */
void fetch_certificate_cancel(struct jobs *j, struct work *w);

#endif
