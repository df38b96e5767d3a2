/* SPDX-License-Identifier: Apache-2.0 */
#include "dev_access.h"

#include <string.h>

#include "dev_core.h"

enum { TWO_OCTETS = 0x80, THREE_OCTETS = 0xC0, RESERVED = 0x7F };

void dev_access_start(struct device *d)
{
	memset(&d->access, 0, sizeof(d->access));
	for (size_t i = 0; i < DEV_REPLIES; i++)
		d->access.replies[i].device = d;
}

void dev_access_stop(struct device *d)
{
	for (size_t i = 0; i < DEV_REPLIES; i++)
		timer_stop(d->env.timers, &d->access.replies[i].timer);
}

static bool opcode_decode(struct rd *r, uint16_t *opcode)
{
	uint8_t first = rd_u8(r);

	*opcode = first;
	if (first >= THREE_OCTETS || first == RESERVED)
		return false; /* no vendor model lives here */
	if (first >= TWO_OCTETS)
		*opcode = (uint16_t)(first << 8 | rd_u8(r));
	return rd_ok(r);
}

static const struct dev_handler *lookup(const struct dev_handler *table, uint16_t opcode)
{
	for (; table->handle; table++)
		if (table->opcode == opcode)
			return table;
	return NULL;
}

/* Configuration and remote provisioning belong to the device key, health to an AppKey that is
 * bound to it. All of them live on the primary element. */
static const struct dev_handler *find(const struct device *d, const struct dev_message *m,
				      uint16_t opcode)
{
	const struct dev_handler *h = NULL;

	if (m->peer.app_index != DEV_KEY_DEVICE) {
		if (dev_config_bound(d, 0, MODEL_HEALTH_SERVER, m->peer.app_index))
			h = lookup(dev_health_handlers, opcode);
		return h;
	}
	h = lookup(dev_config_handlers, opcode);
	if (!h)
		h = lookup(dev_model_handlers, opcode);
	if (!h)
		h = lookup(dev_composition_handlers, opcode);
	if (!h && d->make->large_composition)
		h = lookup(dev_large_composition_handlers, opcode);
	if (!h && d->make->server)
		h = lookup(dev_rpr_link_handlers, opcode);
	if (!h && d->make->server)
		h = lookup(dev_rpr_scan_handlers, opcode);
	return h;
}

void dev_access_received(struct device *d, const struct dev_message *m)
{
	struct rd r = rd_from(m->access);
	const struct dev_handler *h = NULL;
	uint16_t opcode;

	bool primary = m->dst == d->flash.address || m->dst > ADDR_UNICAST_LAST;

	if (!d->resetting && primary && opcode_decode(&r, &opcode))
		h = find(d, m, opcode);
	if (!h || r.left < h->min || r.left > h->max)
		d->counts.refused++;
	else
		h->handle(d, m, rd_rest(&r));
}

void dev_access_opcode(struct wr *w, uint16_t opcode)
{
	if (opcode > 0xFF)
		wr_u8(w, (uint8_t)(opcode >> 8));
	wr_u8(w, (uint8_t)opcode);
}

static void send_reply(void *ctx)
{
	struct dev_reply *reply = ctx;

	dev_transport_send(reply->device, &reply->to, bytes_of(reply->access, reply->len), false,
			   NULL);
}

void dev_access_reply(struct device *d, const struct dev_message *m, const struct wr *w)
{
	struct bytes access = wr_done(w);
	bool group = m->dst > ADDR_UNICAST_LAST;

	if (!access.p || access.n > DEV_REPLY_MAX)
		return;
	for (size_t i = 0; i < DEV_REPLIES; i++) {
		struct dev_reply *reply = &d->access.replies[i];

		if (timer_running(&reply->timer))
			continue;
		reply->to = m->peer;
		reply->to.ttl = m->peer.ttl == 0 ? 0 : d->flash.default_ttl;
		memcpy(reply->access, access.p, access.n);
		reply->len = access.n;
		timer_start(d->env.timers, &reply->timer,
			    dev_random_ms(d, 20, group ? 500 : 50) + dev_fault_wait(d), send_reply,
			    reply);
		return;
	}
	/* All places wait already: the client asks again. */
}
