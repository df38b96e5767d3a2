/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams to the radio air:DIR. Input, repeated: an octet with the length of a datagram, then the
 * datagram. Accepted: one was heard. Each is heard or counted as malformed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bearer_air.h"
#include "fuzz.h"

struct world {
	char dir[32];
	struct timers timers;
	struct bearer_air *air;
	int fd;
	unsigned heard;
};

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static void on_heard(void *ctx, const struct bearer_report *r)
{
	struct world *w = ctx;
	volatile uint8_t octet = 0;

	promise(r->data.n > 0 && r->data.n <= AD_MAX);
	for (size_t i = 0; i < r->data.n; i++)
		octet = octet ^ r->data.p[i];
	w->heard++;
}

/* Two sockets for the whole run; they need no name any more once they are connected. */
static struct world *world_get(void)
{
	static struct world w;
	struct sockaddr_un to = { 0 };
	char error[BEARER_AIR_ERROR];

	if (w.air)
		return &w;
	strcpy(w.dir, "/tmp/fuzz-air-XXXXXX");
	promise(mkdtemp(w.dir));
	timers_init(&w.timers, 0);
	w.air = bearer_air_open(
		&(struct bearer_air_config){ .timers = &w.timers, .dir = w.dir, .name = "gateway" },
		error);
	promise(w.air);
	bearer_air_bearer(w.air)->heard = on_heard;
	bearer_air_bearer(w.air)->heard_ctx = &w;
	w.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	to.sun_family = AF_UNIX;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s/gateway", w.dir);
	promise(w.fd >= 0 && connect(w.fd, (struct sockaddr *)&to, sizeof(to)) == 0);
	promise(unlink(to.sun_path) == 0 && rmdir(w.dir) == 0);
	return &w;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct rd r = rd_from(bytes_of(data, n));
	struct world *w = world_get();
	struct bearer_air_counters before = bearer_air_counters(w->air), after;
	unsigned sent = 0, heard = w->heard;

	while (r.left > 0 && sent < 32) {
		size_t len = rd_u8(&r) & 0x3F;
		struct bytes d = rd_bytes(&r, len < r.left ? len : r.left);

		sent += send(w->fd, d.p ? (const void *)d.p : "", d.n, MSG_DONTWAIT) >= 0;
		bearer_air_readable(w->air);
	}
	after = bearer_air_counters(w->air);
	promise(w->heard - heard == after.received - before.received);
	promise(after.received - before.received + after.malformed - before.malformed == sent);
	return w->heard > heard;
}
