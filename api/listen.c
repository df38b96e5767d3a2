/* SPDX-License-Identifier: Apache-2.0 */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 128 };

/* Splits at the last colon, taking off the brackets of an IPv6 address. */
static bool address_split(const char *address, char *host, size_t host_size, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : 0;

	if (!colon || n == 0 || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	if (*address == '[' && address[n - 1] == ']') {
		address++;
		n -= 2;
	} else if (memchr(address, ':', n)) {
		return false;
	}
	if (n == 0 || n >= host_size)
		return false;
	memcpy(host, address, n);
	host[n] = '\0';
	if (strcmp(host, "localhost") == 0)
		snprintf(host, host_size, "127.0.0.1");
	*port = colon + 1;
	return true;
}

static struct addrinfo *address_resolve(const char *address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
				  .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char host[128];
	const char *port;

	if (!address_split(address, host, sizeof(host), &port))
		return NULL;
	if (strlen(port) > 5 || getaddrinfo(host, port, &hints, &found) != 0)
		return NULL;
	return found;
}

void listen_address_text(const struct sockaddr *a, char *out, size_t size)
{
	const struct sockaddr_in6 *v6 = (const void *)a;
	const struct sockaddr_in *v4 = (const void *)a;

	*out = '\0';
	if (a->sa_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, out, (socklen_t)size);
	else if (a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &v6->sin6_addr, out, (socklen_t)size);
}

bool listen_is_loopback(const char *address)
{
	struct addrinfo *a = address_resolve(address);
	bool loopback = false;

	if (a && a->ai_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)a->ai_addr;

		loopback = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	} else if (a && a->ai_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)a->ai_addr;

		loopback = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	}
	if (a)
		freeaddrinfo(a);
	return loopback;
}

static void url_make(int fd, bool tls, char *url, size_t url_size)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	char host[64];
	unsigned port;
	bool v6;

	if (getsockname(fd, (struct sockaddr *)&at, &n) != 0)
		return;
	v6 = at.ss_family == AF_INET6;
	port = ntohs(v6 ? ((struct sockaddr_in6 *)&at)->sin6_port
			: ((struct sockaddr_in *)&at)->sin_port);
	listen_address_text((struct sockaddr *)&at, host, sizeof(host));
	/* Nobody can open the address "any": this machine's own does. */
	if (strcmp(host, "0.0.0.0") == 0)
		snprintf(host, sizeof(host), "127.0.0.1");
	if (strcmp(host, "::") == 0)
		snprintf(host, sizeof(host), "::1");
	snprintf(url, url_size, "%s://%s%s%s:%u", tls ? "https" : "http", v6 ? "[" : "", host,
		 v6 ? "]" : "", port);
}

int listen_open(const char *address, bool tls, char *url, size_t url_size, char *why,
		size_t why_size)
{
	struct addrinfo *a = address_resolve(address);
	int fd, on = 1;

	if (!a) {
		snprintf(why, why_size, "%s: ADDRESS:PORT is wanted, as in 127.0.0.1:8080.",
			 address);
		return -1;
	}
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		snprintf(why, why_size, "%s: %s.", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		freeaddrinfo(a);
		return -1;
	}
	freeaddrinfo(a);
	url_make(fd, tls, url, url_size);
	return fd;
}
