/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's life:
 *
 *   factory-new --> beacons --> PB-ADV link --> provisioned --> node --> Node Reset --> beacons
 *                                                             |  ^
 *                                                             +--+ node refresh (dev_nppi.c)
 *
 * Whatever changes what it is goes to flash before anybody hears of it.
 */
#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "dev_core.h"

/* Three transmissions at 20 ms and the delay of an answer, with room. */
#define RESET_GRACE MSEC(500)

enum { DEFAULT_TTL = 7, THREE_AT_20_MS = 1 << 3 | 2 };

uint32_t dev_random_below(struct device *d, uint32_t n)
{
	uint32_t r;

	d->env.random(d->env.ctx, &r, sizeof(r));
	return r % n;
}

uint64_t dev_random_ms(struct device *d, uint32_t low, uint32_t high)
{
	return MSEC(low) + dev_random_below(d, (high - low) * 1000 + 1);
}

void dev_put(struct device *d, uint8_t ad_type, struct bytes data, uint8_t count,
	     uint16_t interval_ms, uint32_t tag)
{
	struct device_send s = { .count = count, .interval_ms = interval_ms, .tag = tag };
	struct wr w = wr_to(s.data, sizeof(s.data));

	wr_u8(&w, (uint8_t)(data.n + 1));
	wr_u8(&w, ad_type);
	wr_bytes(&w, data);
	s.len = (uint8_t)w.n;
	if (wr_ok(&w) && !d->mute)
		d->env.send(d->env.ctx, &s);
}

void dev_save(struct device *d)
{
	uint8_t buf[DEV_IMAGE_MAX];

	if (d->resetting) /* flash is blank already, and stays so */
		return;
	timer_stop(d->env.timers, &d->net.save_replay);
	d->env.save(d->env.ctx, dev_flash_write(&d->flash, buf));
	secret_wipe(buf, sizeof(buf));
	dev_fault_saved(d);
}

bool dev_is_own(const struct device *d, uint16_t address)
{
	return address >= d->flash.address && address - d->flash.address < d->flash.elements;
}

static void node_start(struct device *d)
{
	d->node = true;
	dev_net_start(d);
	dev_transport_start(d);
	dev_access_start(d);
	if (d->make->server)
		dev_rpr_start(d);
	dev_beacon_start(d);
}

static void node_stop(struct device *d)
{
	if (!d->node)
		return;
	if (d->make->server)
		dev_rpr_stop(d);
	dev_access_stop(d);
	dev_transport_stop(d);
	dev_net_stop(d);
	d->node = false;
}

/* Everything that could make it say something. */
static void stop_all(struct device *d)
{
	dev_beacon_stop(d);
	dev_pb_drop(&d->acceptor);
	dev_prov_reset(&d->prov);
	node_stop(d);
	timer_stop(d->env.timers, &d->reset_timer);
	timer_stop(d->env.timers, &d->fault.timer);
}

static void prov_send(void *ctx, struct bytes pdu)
{
	struct device *d = ctx;
	uint8_t said[DEV_FAULT_PDU];

	if (pdu.n > sizeof(said))
		return;
	memcpy(said, pdu.p, pdu.n);
	if (dev_fault_answers(d, DEV_FAULT_JOINING, said, pdu.n))
		dev_pb_send(&d->acceptor, bytes_of(said, pdu.n));
	secret_wipe(said, sizeof(said));
}

static void prov_random(void *ctx, void *out, size_t n)
{
	struct device *d = ctx;

	d->env.random(d->env.ctx, out, n);
}

static void prov_attention(void *ctx, uint8_t seconds)
{
	struct device *d = ctx;

	d->attention_until = timers_now(d->env.timers) + SEC(seconds);
}

/* What survives the end of a life as a node. */
static void blank_but(struct dev_image *im, bool changed)
{
	uint32_t resets = im->resets;
	uint8_t faults = im->faults;

	secret_wipe(im, sizeof(*im));
	dev_flash_blank(im);
	im->resets = resets;
	im->faults = faults;
	im->changed = changed;
}

/* From now on it is a node, whatever becomes of Complete; the link stays to repeat it. */
static bool prov_accept(void *ctx, const struct dev_prov_data *data)
{
	struct device *d = ctx;
	struct dev_image *im = &d->flash;

	blank_but(im, im->changed);
	im->provisioned = true;
	im->address = data->address;
	im->elements = dev_composition_elements(d->make, im->changed);
	im->device_key = data->device_key;
	im->iv_index = data->iv_index;
	im->iv_update = data->iv_update;
	im->iv_hours = data->iv_update ? DEV_HOURS_NEVER : 0;
	im->recovery_hours = DEV_HOURS_NEVER;
	im->beacon = true;
	im->relay_retransmit = im->network_transmit = THREE_AT_20_MS;
	im->default_ttl = DEFAULT_TTL;
	im->net_keys[0].index = data->net_index;
	im->net_keys[0].key = data->net_key;
	im->n_net_keys = 1;
	dev_save(d);
	dev_beacon_stop(d);
	node_start(d);
	return true;
}

static const struct dev_prov_ops prov_ops = { prov_send, prov_random, prov_attention, prov_accept };

static void link_opened(void *ctx)
{
	struct device *d = ctx;

	dev_prov_reset(&d->prov);
	d->prov.elements = dev_composition_elements(d->make, d->flash.changed);
	d->env.cancel_send(d->env.ctx, DEV_TAG_BEACON);
}

static void link_received(void *ctx, struct bytes pdu)
{
	struct device *d = ctx;

	if (!dev_fault_heard(d, DEV_FAULT_JOINING, pdu))
		dev_prov_received(&d->prov, pdu);
}

static void link_delivered(void *ctx)
{
}

static void link_ended(void *ctx, enum dev_pb_end why, uint8_t reason)
{
	struct device *d = ctx;

	dev_prov_reset(&d->prov);
}

static const struct dev_pb_ops link_ops = { link_opened, link_received, link_delivered,
					    link_ended };

static void on_reset(void *ctx)
{
	struct device *d = ctx;
	bool changed = dev_composition_changes(d->make);

	stop_all(d);
	blank_but(&d->flash, changed);
	d->resetting = false;
	dev_beacon_start(d);
}

void dev_reset(struct device *d)
{
	struct dev_image blank;
	uint8_t buf[DEV_IMAGE_MAX];

	/* Provisioned anew, it begins with the firmware that it has. */
	dev_flash_blank(&blank);
	blank.changed = dev_composition_changes(d->make);
	blank.resets = ++d->flash.resets;
	blank.faults = d->flash.faults;
	d->env.save(d->env.ctx, dev_flash_write(&blank, buf));
	d->resetting = true;
	timer_start(d->env.timers, &d->reset_timer, RESET_GRACE, on_reset, d);
}

void dev_rejoin(struct device *d)
{
	dev_beacon_stop(d);
	node_stop(d);
	node_start(d);
}

/* What the last power cut has interrupted. A node refresh that has changed nothing but the key goes
 * on: its candidate waits. One that was to change more needs the Link Close that never came. */
static void settle(struct device *d)
{
	struct dev_candidate *c = &d->flash.candidate;

	if (dev_flash_move(&d->flash)) {
		dev_save(d);
	} else if (c->present && !c->committed) {
		if (c->procedure == NPPI_DEVICE_KEY)
			c->committed = true;
		else
			secret_wipe(c, sizeof(*c));
		dev_save(d);
	}
}

void dev_power_on(struct device *d)
{
	d->mute = d->flash.silenced;
	if (d->mute)
		return;
	if (d->flash.provisioned) {
		settle(d);
		node_start(d);
	} else {
		dev_beacon_start(d);
	}
}

void dev_power_off(struct device *d)
{
	stop_all(d);
	d->mute = true;
}

struct device *device_new(const struct device_make *make, const struct device_env *env,
			  struct bytes flash)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->make = make;
	d->env = *env;
	dev_flash_read(flash, &d->flash);
	dev_pb_init(&d->acceptor, &d->env, DEV_TAG_ACCEPTOR, false, &link_ops, d);
	memcpy(d->acceptor.uuid, make->uuid, UUID_LEN);
	dev_prov_init(&d->prov, make, &prov_ops, d);
	dev_power_on(d);
	return d;
}

void device_free(struct device *d)
{
	if (!d)
		return;
	stop_all(d);
	secret_wipe(d, sizeof(*d));
	free(d);
}

void device_on_display(struct device *d, void (*shown)(void *ctx, const struct device_prompt *now),
		       void *ctx)
{
	d->prov.shown = shown;
	d->prov.shown_ctx = ctx;
}

bool device_press(struct device *d, const char *text)
{
	/* Its last PDU is on its way still: one at a time. */
	return !d->acceptor.tx.busy && dev_prov_entered(&d->prov, text);
}

static void heard_beacon(struct device *d, struct bytes data, struct bytes ad, int8_t rssi)
{
	struct dev_unprovisioned u;

	if (!d->node)
		return;
	if (data.n == DEV_SECURE_BEACON_LEN)
		dev_beacon_heard(d, data);
	else if (d->make->server && dev_unprovisioned_decode(&u, data))
		dev_rpr_heard_beacon(d, &u, ad, rssi);
}

static void heard_pb_adv(struct device *d, struct bytes data)
{
	/* A node keeps the link over which it became one, but accepts no other. */
	if (!d->node || d->acceptor.state != DEV_PB_IDLE)
		dev_pb_heard(&d->acceptor, data);
	if (d->node && d->make->server && d->rpr.link.pb.state != DEV_PB_IDLE)
		dev_pb_heard(&d->rpr.link.pb, data);
}

void device_heard_from(struct device *d, const uint8_t *address, struct bytes ad, int8_t rssi)
{
	if (d->node && d->make->server && !d->mute && d->make->fault != DEVICE_DEAD)
		dev_rpr_extended_heard(d, address, ad);
	device_heard(d, ad, rssi);
}

void device_heard(struct device *d, struct bytes ad, int8_t rssi)
{
	struct rd r = rd_from(ad);

	if (d->mute || d->make->fault == DEVICE_DEAD)
		return;
	while (r.left > 1) {
		uint8_t len = rd_u8(&r), type = rd_u8(&r);
		struct bytes data = rd_bytes(&r, len > 0 ? len - 1u : 0);

		if (len == 0 || !rd_ok(&r))
			return;
		if (type == AD_MESH_MESSAGE && d->node)
			dev_net_heard(d, data);
		else if (type == AD_PB_ADV)
			heard_pb_adv(d, data);
		else if (type == AD_MESH_BEACON)
			heard_beacon(d, data, ad, rssi);
	}
}
