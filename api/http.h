/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd in external epoll mode, on the loop's own thread; no other file knows it.
 *
 *  first call    api_admit(): route, credentials, limit of the body
 *  further calls the body
 *  last call     api_answer(); a reply that waits for the commit, for the password worker or for
 *                events suspends the connection, and the same thread resumes it
 */
#ifndef MESHMASON_HTTP_H
#define MESHMASON_HTTP_H

#include "api_private.h"

/* NULL with a sentence in why. */
struct http *http_start(struct api *api, const struct api_listen *l, char why[API_WHY]);
/* Ends what is open, within 2 seconds, and stops. */
void http_stop(struct http *h);
int http_fd(const struct http *h);
const char *http_url(const struct http *h);
void http_run(struct http *h);
/* Microseconds; TIMERS_NEVER none. */
uint64_t http_timeout(const struct http *h);
/* The calls whose handlers ran before the commit may answer. */
void http_committed(struct http *h);
/* The reply a call waits for; it still waits for the commit. */
void http_finish(void *call, struct reply reply);
/* For events: this call has something to read; may it go on? */
void http_wake(void *call);
const struct auth_who *http_who(const void *call);

#endif
