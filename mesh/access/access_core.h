/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this layer only. */
#ifndef MESHMASON_ACCESS_CORE_H
#define MESHMASON_ACCESS_CORE_H

#include "access_env.h"

enum { ACCESS_LOOPS = 8 };

/* A message to ourselves on its way. */
struct access_loop {
	bool used;
	struct access *access;
	struct timer timer;
	struct access_message message;
	size_t len;
	uint8_t pdu[ACCESS_MAX];
};

struct access {
	struct access_env env;
	struct access_listener *listeners;
	struct access_listener *next_listener; /* where a delivery under way goes on */
	struct access_request *requests;       /* oldest first */
	bool malformed;			       /* somebody said so of the message under way */
	struct access_counters counters;
	struct access_loop loop[ACCESS_LOOPS];
};

/* Hands m to the oldest request that it answers. */
bool request_answered(struct access *a, const struct access_message *m);

#endif
