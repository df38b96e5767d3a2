/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Node Provisioning Protocol Interface, Mesh 3.10.8: the node that hosts the server is provisioned
 * anew, over a link to itself.
 *
 *   client                              node
 *     | Link Open(procedure) ------------> |
 *     | <----- Link Status(0, active), Link Report(0, active)
 *     | PDU Send, Invite ... Random -----> |
 *     | PDU Send, Data ------------------> | candidate on flash
 *     | <------------- PDU Report, Complete |
 *     | Link Close(Success) -------------> | committed on flash
 *     | <------------- Link Status(0, closing), Link Report(8, idle)
 *     |                                    | 0x01: at the new address, under the new key
 *     | anything under the new key ------> | 0x00, 0x02: the old key is dead
 *
 * All of the session is said under the old key and address. However else the link ends, or after
 * Provisioning Failed, the candidate is gone and nothing has changed.
 */
#include <string.h>

#include "dev_core.h"

#define IDLE_LIMIT SEC(60)

static void drop_candidate(struct device *d)
{
	if (!d->flash.candidate.present || d->flash.candidate.committed)
		return;
	secret_wipe(&d->flash.candidate, sizeof(d->flash.candidate));
	dev_save(d);
}

static void on_idle(void *ctx)
{
	static const uint8_t timed_out = PROV_CLOSE_FAIL;

	dev_nppi_drop(ctx, RPR_LINK_CLOSED_BY_SERVER, &timed_out);
}

/* With a new address all changes at once, and later; with an old one the key waits for its first
 * message, and the composition does not. */
static void commit(struct device *d)
{
	struct dev_candidate *c = &d->flash.candidate;

	c->committed = true;
	if (c->procedure == NPPI_COMPOSITION) {
		d->flash.changed = c->changed;
		d->flash.elements = c->elements;
		dev_config_drop_lost(d);
	}
	dev_save(d);
}

static void on_move(void *ctx)
{
	struct device *d = ctx;

	if (!dev_flash_move(&d->flash))
		return;
	dev_save(d);
	dev_rejoin(d);
}

/* The provisionee's side. */

static void nppi_send(void *ctx, struct bytes pdu)
{
	struct device *d = ctx;

	uint8_t said[DEV_FAULT_PDU];

	if (pdu.p[0] == PROV_FAILED)
		drop_candidate(d);
	if (pdu.p[0] == PROV_COMPLETE && dev_fault_hurries_refresh(d)) {
		commit(d);
		timer_start(d->env.timers, &d->rpr.nppi.move, 0, on_move, d);
		return;
	}
	if (pdu.n > sizeof(said))
		return;
	memcpy(said, pdu.p, pdu.n);
	if (dev_fault_answers(d, DEV_FAULT_REFRESH, said, pdu.n))
		dev_rpr_report_pdu(d, bytes_of(said, pdu.n));
}

static void nppi_random(void *ctx, void *out, size_t n)
{
	struct device *d = ctx;

	d->env.random(d->env.ctx, out, n);
}

static void nppi_attention(void *ctx, uint8_t seconds)
{
	struct device *d = ctx;

	d->attention_until = timers_now(d->env.timers) + SEC(seconds);
}

/* Its own address, or one whose primary lies outside of the elements that it has now. */
static bool address_valid(const struct device *d, uint16_t address)
{
	if (d->rpr.nppi.procedure == NPPI_ADDRESS)
		return !dev_is_own(d, address);
	return address == d->flash.address;
}

static bool net_key_valid(const struct device *d, const struct dev_prov_data *data)
{
	for (size_t i = 0; i < d->flash.n_net_keys; i++) {
		const struct dev_net_key_row *row = &d->flash.net_keys[i];

		if (row->index == data->net_index)
			return secret16_equal(&row->key, &data->net_key);
	}
	return false;
}

/* The flags are ignored. */
static bool nppi_accept(void *ctx, const struct dev_prov_data *data)
{
	struct device *d = ctx;
	struct dev_candidate *c = &d->flash.candidate;
	enum nppi_procedure procedure = d->rpr.nppi.procedure;

	if (!address_valid(d, data->address) || !net_key_valid(d, data) ||
	    data->iv_index != d->flash.iv_index)
		return false;
	*c = (struct dev_candidate){ .present = true,
				     .procedure = (uint8_t)procedure,
				     .address = data->address,
				     .elements = d->rpr.nppi.prov.elements,
				     .changed =
					     d->flash.changed || (procedure != NPPI_DEVICE_KEY &&
								  dev_composition_changes(d->make)),
				     .key = data->device_key };
	dev_save(d);
	return true;
}

static const struct dev_prov_ops ops = { nppi_send, nppi_random, nppi_attention, nppi_accept };

void dev_nppi_start(struct device *d)
{
	dev_prov_init(&d->rpr.nppi.prov, d->make, &ops, d);
}

void dev_nppi_stop(struct device *d)
{
	timer_stop(d->env.timers, &d->rpr.nppi.idle);
	timer_stop(d->env.timers, &d->rpr.nppi.move);
	dev_prov_reset(&d->rpr.nppi.prov);
	d->rpr.nppi.state = RPR_LINK_IDLE;
}

static bool moving(const struct device *d)
{
	return d->flash.candidate.committed && d->flash.candidate.procedure == NPPI_ADDRESS;
}

/* A composition refresh needs something to change, and keeps the addresses: only a new address has
 * room for more elements. */
static bool may_open(const struct device *d, enum nppi_procedure procedure)
{
	if (moving(d))
		return false;
	if (procedure != NPPI_COMPOSITION)
		return true;
	return dev_composition_changes(d->make) && !d->flash.changed &&
	       dev_composition_elements(d->make, true) <= d->flash.elements;
}

enum rpr_status dev_nppi_open(struct device *d, enum nppi_procedure procedure)
{
	struct dev_nppi *nppi = &d->rpr.nppi;

	if (!may_open(d, procedure))
		return RPR_LINK_CANNOT_OPEN;
	dev_prov_reset(&nppi->prov);
	nppi->prov.elements = procedure == NPPI_DEVICE_KEY
				      ? d->flash.elements
				      : dev_composition_elements(d->make, true);
	nppi->procedure = procedure;
	nppi->state = RPR_LINK_ACTIVE;
	timer_start(d->env.timers, &nppi->idle, IDLE_LIMIT, on_idle, d);
	return RPR_SUCCESS;
}

void dev_nppi_received(struct device *d, struct bytes pdu)
{
	timer_start(d->env.timers, &d->rpr.nppi.idle, IDLE_LIMIT, on_idle, d);
	if (!dev_fault_heard(d, DEV_FAULT_REFRESH, pdu))
		dev_prov_received(&d->rpr.nppi.prov, pdu);
}

void dev_nppi_closing(struct device *d, enum prov_close_reason reason)
{
	struct dev_nppi *nppi = &d->rpr.nppi;

	if (reason == PROV_CLOSE_SUCCESS && nppi->prov.state == DEV_PROV_DONE &&
	    !dev_fault_forgets_refresh(d))
		commit(d);
	else
		drop_candidate(d);
	nppi->state = RPR_LINK_CLOSING;
}

/* The last word of the old address is acknowledged, or given up. Not from in here: this comes out
 * of the transport that is to be restarted. */
static void on_last_report(struct device *d, bool delivered)
{
	timer_start(d->env.timers, &d->rpr.nppi.move, 0, on_move, d);
}

void dev_nppi_closed(struct device *d)
{
	struct dev_nppi *nppi = &d->rpr.nppi;

	timer_stop(d->env.timers, &nppi->idle);
	dev_prov_reset(&nppi->prov);
	nppi->state = RPR_LINK_IDLE;
	dev_rpr_report_link(d, RPR_LINK_CLOSED_BY_CLIENT, NULL, moving(d) ? on_last_report : NULL);
}

void dev_nppi_drop(struct device *d, enum rpr_status status, const uint8_t *reason)
{
	struct dev_nppi *nppi = &d->rpr.nppi;

	drop_candidate(d);
	timer_stop(d->env.timers, &nppi->idle);
	dev_prov_reset(&nppi->prov);
	nppi->state = RPR_LINK_IDLE;
	dev_rpr_report_link(d, status, reason, NULL);
}
