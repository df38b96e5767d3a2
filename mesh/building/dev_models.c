/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   client                                    server (primary element, device key)
 *      | SIG, Vendor Model App Get -----------> |
 *      | <------------------------------- List  |
 *      | Model Publication Get, Set ----------> |  on flash before the answer
 *      | <----------------------------- Status  |
 *      | Model Subscription Add, Delete ------> |  on flash before the answer
 *      | <----------------------------- Status  |
 *      | SIG, Vendor Model Subscription Get --> |
 *      | <------------------------------- List  |
 *
 * No vendor model lives here: of them all say Invalid Model. There are no virtual addresses.
 */
#include "dev_models.h"

#include <string.h>

#include "dev_core.h"

enum { INDEX_MASK = 0xFFF, VIRTUAL_FIRST = 0x8000, GROUP_FIRST = 0xC000, VENDOR_LEN = 4 };

/* Element address and model, as in every message here. */
struct place {
	uint16_t address;
	uint8_t element;
	struct bytes id; /* as it came */
	uint16_t model;
};

static bool place_decode(const struct device *d, struct place *p, uint16_t address, struct rd *r)
{
	struct rd id;

	p->address = address;
	p->element = (uint8_t)(address - d->flash.address);
	p->id = rd_rest(r);
	id = rd_from(p->id);
	p->model = rd_le16(&id);
	return (p->id.n == 2 || p->id.n == VENDOR_LEN) && address != ADDR_UNASSIGNED &&
	       address <= ADDR_UNICAST_LAST;
}

static enum config_status judge(const struct device *d, const struct place *p)
{
	if (!dev_is_own(d, p->address))
		return CONFIG_INVALID_ADDRESS;
	if (p->id.n == VENDOR_LEN ||
	    !dev_composition_has(d->make, d->flash.changed, p->element, p->model))
		return CONFIG_INVALID_MODEL;
	return CONFIG_SUCCESS;
}

static void list_begin(struct wr *w, const struct device *d, uint16_t opcode, const struct place *p)
{
	dev_access_opcode(w, opcode);
	wr_u8(w, (uint8_t)judge(d, p));
	wr_le16(w, p->address);
	wr_bytes(w, p->id);
}

static void list_apps(struct device *d, const struct dev_message *m, struct bytes params,
		      uint16_t opcode)
{
	uint16_t listed[DEV_BINDINGS];
	uint8_t buf[DEV_REPLY_MAX];
	struct wr w = wr_to(buf, sizeof(buf));
	struct rd r = rd_from(params);
	struct place p;
	size_t n = 0;

	if (!place_decode(d, &p, rd_le16(&r), &r))
		return;
	list_begin(&w, d, opcode, &p);
	for (size_t i = 0; judge(d, &p) == CONFIG_SUCCESS && i < d->flash.n_bindings; i++) {
		const struct dev_binding_row *b = &d->flash.bindings[i];

		if (b->element == p.element && b->model == p.model)
			listed[n++] = b->app_index;
	}
	for (size_t i = 0; i + 1 < n; i += 2) { /* two in three octets, 4.3.1.1 */
		wr_le16(&w, (uint16_t)(listed[i] | listed[i + 1] << 12));
		wr_u8(&w, (uint8_t)(listed[i + 1] >> 4));
	}
	if (n % 2 != 0)
		wr_le16(&w, listed[n - 1]);
	dev_access_reply(d, m, &w);
}

static void on_sig_app_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	list_apps(d, m, params, OP_SIG_MODEL_APP_LIST);
}

static void on_vendor_app_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	list_apps(d, m, params, OP_VENDOR_MODEL_APP_LIST);
}

/* ---- subscriptions ---- */

static void list_subscriptions(struct device *d, const struct dev_message *m, struct bytes params,
			       uint16_t opcode)
{
	uint8_t buf[DEV_REPLY_MAX];
	struct wr w = wr_to(buf, sizeof(buf));
	struct rd r = rd_from(params);
	struct place p;

	if (!place_decode(d, &p, rd_le16(&r), &r))
		return;
	list_begin(&w, d, opcode, &p);
	for (size_t i = 0; judge(d, &p) == CONFIG_SUCCESS && i < d->flash.n_subscriptions; i++) {
		const struct dev_subscription_row *s = &d->flash.subscriptions[i];

		if (s->element == p.element && s->model == p.model)
			wr_le16(&w, s->address);
	}
	dev_access_reply(d, m, &w);
}

static void on_sig_subscription_get(struct device *d, const struct dev_message *m,
				    struct bytes params)
{
	list_subscriptions(d, m, params, OP_SIG_SUBSCRIPTION_LIST);
}

static void on_vendor_subscription_get(struct device *d, const struct dev_message *m,
				       struct bytes params)
{
	list_subscriptions(d, m, params, OP_VENDOR_SUBSCRIPTION_LIST);
}

static struct dev_subscription_row *subscription_find(struct device *d, const struct place *p,
						      uint16_t address)
{
	for (size_t i = 0; i < d->flash.n_subscriptions; i++) {
		struct dev_subscription_row *s = &d->flash.subscriptions[i];

		if (s->element == p->element && s->model == p->model && s->address == address)
			return s;
	}
	return NULL;
}

static enum config_status subscribe(struct device *d, const struct place *p, uint16_t address)
{
	struct dev_image *im = &d->flash;
	enum config_status status = judge(d, p);

	if (status != CONFIG_SUCCESS || subscription_find(d, p, address))
		return status;
	if (address < GROUP_FIRST || address == ADDR_ALL_NODES)
		return CONFIG_INVALID_ADDRESS;
	if (im->n_subscriptions == DEV_SUBSCRIPTIONS)
		return CONFIG_INSUFFICIENT_RESOURCES;
	im->subscriptions[im->n_subscriptions++] =
		(struct dev_subscription_row){ p->element, p->model, address };
	dev_save(d);
	return CONFIG_SUCCESS;
}

static enum config_status unsubscribe(struct device *d, const struct place *p, uint16_t address)
{
	struct dev_subscription_row *s = subscription_find(d, p, address);

	if (s) {
		*s = d->flash.subscriptions[--d->flash.n_subscriptions];
		dev_save(d);
	}
	return judge(d, p);
}

static void change_subscription(struct device *d, const struct dev_message *m, struct bytes params,
				enum config_status (*change)(struct device *d,
							     const struct place *p,
							     uint16_t address))
{
	uint8_t buf[16];
	struct wr w = wr_to(buf, sizeof(buf));
	struct rd r = rd_from(params);
	uint16_t element = rd_le16(&r), address = rd_le16(&r);
	struct place p;

	if (!place_decode(d, &p, element, &r) ||
	    (address >= VIRTUAL_FIRST && address < GROUP_FIRST))
		return;
	dev_access_opcode(&w, OP_MODEL_SUBSCRIPTION_STATUS);
	wr_u8(&w, (uint8_t)change(d, &p, address));
	wr_le16(&w, element);
	wr_le16(&w, address);
	wr_bytes(&w, p.id);
	dev_access_reply(d, m, &w);
}

static void on_subscription_add(struct device *d, const struct dev_message *m, struct bytes params)
{
	change_subscription(d, m, params, subscribe);
}

static void on_subscription_delete(struct device *d, const struct dev_message *m,
				   struct bytes params)
{
	change_subscription(d, m, params, unsubscribe);
}

/* ---- publications ---- */

static struct dev_publication_row *publication_find(struct device *d, const struct place *p)
{
	for (size_t i = 0; i < d->flash.n_publications; i++) {
		struct dev_publication_row *row = &d->flash.publications[i];

		if (row->element == p->element && row->model == p->model)
			return row;
	}
	return NULL;
}

static uint16_t key_of(const struct dev_publication_row *row)
{
	return (uint16_t)((row->octets[2] | row->octets[3] << 8) & INDEX_MASK);
}

static void publication_drop(struct device *d, struct dev_publication_row *row)
{
	*row = d->flash.publications[--d->flash.n_publications];
}

/* An unassigned address ends it, whatever the rest says. */
static enum config_status publish(struct device *d, const struct place *p, struct bytes octets)
{
	struct dev_image *im = &d->flash;
	struct dev_publication_row *row = publication_find(d, p),
				   next = { p->element, p->model, { 0 } };
	enum config_status status = judge(d, p);

	if (status != CONFIG_SUCCESS)
		return status;
	memcpy(next.octets, octets.p, DEV_PUBLICATION_LEN);
	if (next.octets[0] == 0 && next.octets[1] == 0) {
		if (row)
			publication_drop(d, row);
		dev_save(d);
		return CONFIG_SUCCESS;
	}
	if (!dev_config_bound(d, p->element, p->model, key_of(&next)))
		return CONFIG_INVALID_APPKEY_INDEX;
	if (!row && im->n_publications == DEV_PUBLICATIONS)
		return CONFIG_INSUFFICIENT_RESOURCES;
	if (!row)
		row = &im->publications[im->n_publications++];
	*row = next;
	dev_save(d);
	return CONFIG_SUCCESS;
}

static void reply_publication(struct device *d, const struct dev_message *m, const struct place *p,
			      enum config_status status)
{
	static const uint8_t nothing[DEV_PUBLICATION_LEN];
	const struct dev_publication_row *row = publication_find(d, p);
	uint8_t buf[24];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, OP_MODEL_PUBLICATION_STATUS);
	wr_u8(&w, (uint8_t)status);
	wr_le16(&w, p->address);
	wr_copy(&w, row && status == CONFIG_SUCCESS ? row->octets : nothing, DEV_PUBLICATION_LEN);
	wr_bytes(&w, p->id);
	dev_access_reply(d, m, &w);
}

static void on_publication_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct rd r = rd_from(params);
	struct place p;

	if (place_decode(d, &p, rd_le16(&r), &r))
		reply_publication(d, m, &p, judge(d, &p));
}

static void on_publication_set(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct rd r = rd_from(params);
	uint16_t element = rd_le16(&r);
	struct bytes octets = rd_bytes(&r, DEV_PUBLICATION_LEN);
	struct place p;

	if (place_decode(d, &p, element, &r))
		reply_publication(d, m, &p, publish(d, &p, octets));
}

/* ---- what goes with something else ---- */

static bool is_lost(const struct device *d, uint8_t element, uint16_t model)
{
	return !dev_composition_has(d->make, d->flash.changed, element, model);
}

void dev_models_drop_lost(struct device *d)
{
	struct dev_image *im = &d->flash;

	for (size_t i = im->n_publications; i-- > 0;)
		if (is_lost(d, im->publications[i].element, im->publications[i].model))
			publication_drop(d, &im->publications[i]);
	for (size_t i = im->n_subscriptions; i-- > 0;)
		if (is_lost(d, im->subscriptions[i].element, im->subscriptions[i].model))
			im->subscriptions[i] = im->subscriptions[--im->n_subscriptions];
}

void dev_models_unbound(struct device *d, uint16_t app_index)
{
	for (size_t i = d->flash.n_publications; i-- > 0;)
		if (key_of(&d->flash.publications[i]) == app_index)
			publication_drop(d, &d->flash.publications[i]);
}

const struct dev_handler dev_model_handlers[] = {
	{ OP_SIG_MODEL_APP_GET, 4, 4, on_sig_app_get },
	{ OP_VENDOR_MODEL_APP_GET, 6, 6, on_vendor_app_get },
	{ OP_SIG_SUBSCRIPTION_GET, 4, 4, on_sig_subscription_get },
	{ OP_VENDOR_SUBSCRIPTION_GET, 6, 6, on_vendor_subscription_get },
	{ OP_MODEL_SUBSCRIPTION_ADD, 6, 8, on_subscription_add },
	{ OP_MODEL_SUBSCRIPTION_DELETE, 6, 8, on_subscription_delete },
	{ OP_MODEL_PUBLICATION_GET, 4, 6, on_publication_get },
	{ OP_MODEL_PUBLICATION_SET, 11, 13, on_publication_set },
	{ 0, 0, 0, NULL },
};
