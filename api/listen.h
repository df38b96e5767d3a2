/* SPDX-License-Identifier: Apache-2.0 */
/* The listening socket: "127.0.0.1:8080", "[::1]:8080", "localhost:0". */
#ifndef MESHMASON_LISTEN_H
#define MESHMASON_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* A descriptor that listens, and its url; -1 with a sentence in why. */
int listen_open(const char *address, bool tls, char *url, size_t url_size, char *why,
		size_t why_size);
bool listen_is_loopback(const char *address);
/* The numeric address, without the port. */
void listen_address_text(const struct sockaddr *a, char *out, size_t size);

#endif
