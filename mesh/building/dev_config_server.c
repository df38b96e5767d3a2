/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   client                            server (primary element, device key)
 *      | Get, Set, Add, Delete, Bind --> |  changed states are on flash before the answer
 *      | <---------------------- Status  |
 *
 * Every Set with the same value gives the same answer. A wrong length or a prohibited value gives
 * none, Mesh 4.4.1.
 */
#include "dev_config_server.h"

#include <string.h>

#include "dev_core.h"
#include "dev_models.h"

enum { KEY_INDEX_MAX = 0xFFF, VENDOR_MODEL_LEN = 4 };
enum { RELAY_UNSUPPORTED = 2, TTL_MAX = 127 };

bool dev_config_bound(const struct device *d, uint8_t element, uint16_t model, uint16_t app_index)
{
	for (size_t i = 0; i < d->flash.n_bindings; i++) {
		const struct dev_binding_row *b = &d->flash.bindings[i];

		if (b->element == element && b->model == model && b->app_index == app_index)
			return true;
	}
	return false;
}

void dev_config_drop_lost(struct device *d)
{
	struct dev_image *im = &d->flash;
	size_t kept = 0;

	dev_models_drop_lost(d);
	for (size_t i = 0; i < im->n_bindings; i++) {
		const struct dev_binding_row *b = &im->bindings[i];

		if (dev_composition_has(d->make, im->changed, b->element, b->model))
			im->bindings[kept++] = *b;
	}
	im->n_bindings = kept;
}

static void reply_octets(struct device *d, const struct dev_message *m, uint16_t opcode,
			 const uint8_t *octets, size_t n)
{
	uint8_t buf[8];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, opcode);
	wr_copy(&w, octets, n);
	dev_access_reply(d, m, &w);
}

/* Two 12-bit indexes in three octets, 4.3.1.1. */
static void indexes_decode(struct rd *r, uint16_t *net, uint16_t *app)
{
	uint32_t both = rd_le24(r);

	*net = both & 0xFFF;
	*app = (uint16_t)(both >> 12);
}

static bool net_key_known(const struct device *d, uint16_t index)
{
	for (size_t i = 0; i < d->flash.n_net_keys; i++)
		if (d->flash.net_keys[i].index == index)
			return true;
	return false;
}

static struct dev_app_key_row *app_key_find(struct device *d, uint16_t index)
{
	for (size_t i = 0; i < d->flash.n_app_keys; i++)
		if (d->flash.app_keys[i].index == index)
			return &d->flash.app_keys[i];
	return NULL;
}

static void reply_app_key(struct device *d, const struct dev_message *m, enum config_status status,
			  uint16_t net, uint16_t app)
{
	uint8_t buf[8];
	struct wr w = wr_to(buf, sizeof(buf));

	dev_access_opcode(&w, OP_APPKEY_STATUS);
	wr_u8(&w, (uint8_t)status);
	wr_le16(&w, (uint16_t)(net | app << 12));
	wr_u8(&w, (uint8_t)(app >> 4));
	dev_access_reply(d, m, &w);
}

static enum config_status app_key_add(struct device *d, uint16_t net, uint16_t app,
				      const struct secret16 *key)
{
	struct dev_app_key_row *row = app_key_find(d, app);

	if (!net_key_known(d, net))
		return CONFIG_INVALID_NETKEY_INDEX;
	if (row && row->net_index != net)
		return CONFIG_INVALID_BINDING;
	if (row)
		return secret16_equal(&row->key, key) ? CONFIG_SUCCESS
						      : CONFIG_KEY_INDEX_ALREADY_STORED;
	if (d->flash.n_app_keys == DEV_APP_KEYS)
		return CONFIG_INSUFFICIENT_RESOURCES;
	row = &d->flash.app_keys[d->flash.n_app_keys++];
	row->index = app;
	row->net_index = net;
	row->key = *key;
	dev_save(d);
	return CONFIG_SUCCESS;
}

static void on_app_key_add(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct rd r = rd_from(params);
	struct secret16 key;
	uint16_t net, app;

	indexes_decode(&r, &net, &app);
	rd_copy(&r, key.octet, sizeof(key.octet));
	reply_app_key(d, m, app_key_add(d, net, app, &key), net, app);
	secret_wipe(&key, sizeof(key));
}

static void unbind_all(struct device *d, uint16_t app)
{
	struct dev_image *im = &d->flash;
	size_t kept = 0;

	for (size_t i = 0; i < im->n_bindings; i++)
		if (im->bindings[i].app_index != app)
			im->bindings[kept++] = im->bindings[i];
	im->n_bindings = kept;
	dev_models_unbound(d, app);
}

static enum config_status app_key_delete(struct device *d, uint16_t net, uint16_t app)
{
	struct dev_app_key_row *row = app_key_find(d, app);
	struct dev_app_key_row *last = d->flash.app_keys + d->flash.n_app_keys - 1;

	if (!net_key_known(d, net))
		return CONFIG_INVALID_NETKEY_INDEX;
	if (!row)
		return CONFIG_SUCCESS; /* a repeated Delete has to look like the first */
	if (row->net_index != net)
		return CONFIG_INVALID_BINDING;
	*row = *last;
	secret_wipe(last, sizeof(*last));
	d->flash.n_app_keys--;
	unbind_all(d, app);
	dev_save(d);
	return CONFIG_SUCCESS;
}

static void on_app_key_delete(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct rd r = rd_from(params);
	uint16_t net, app;

	indexes_decode(&r, &net, &app);
	reply_app_key(d, m, app_key_delete(d, net, app), net, app);
}

static void on_app_key_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct rd r = rd_from(params);
	uint16_t net = rd_le16(&r), listed[DEV_APP_KEYS];
	uint8_t buf[DEV_REPLY_MAX];
	struct wr w = wr_to(buf, sizeof(buf));
	size_t n = 0;

	if (net > KEY_INDEX_MAX)
		return;
	for (size_t i = 0; i < d->flash.n_app_keys; i++)
		if (d->flash.app_keys[i].net_index == net)
			listed[n++] = d->flash.app_keys[i].index;
	dev_access_opcode(&w, OP_APPKEY_LIST);
	wr_u8(&w, net_key_known(d, net) ? CONFIG_SUCCESS : CONFIG_INVALID_NETKEY_INDEX);
	wr_le16(&w, net);
	for (size_t i = 0; i + 1 < n; i += 2) {
		wr_le16(&w, (uint16_t)(listed[i] | listed[i + 1] << 12));
		wr_u8(&w, (uint8_t)(listed[i + 1] >> 4));
	}
	if (n % 2 != 0)
		wr_le16(&w, listed[n - 1]);
	dev_access_reply(d, m, &w);
}

static enum config_status bind(struct device *d, uint16_t address, uint16_t app, uint16_t model,
			       bool vendor)
{
	struct dev_image *im = &d->flash;
	uint8_t element = (uint8_t)(address - im->address);

	if (!dev_is_own(d, address))
		return CONFIG_INVALID_ADDRESS;
	if (vendor || !dev_composition_has(d->make, d->flash.changed, element, model))
		return CONFIG_INVALID_MODEL;
	if (model == MODEL_CONFIG_SERVER || model == MODEL_REMOTE_PROV_SERVER ||
	    model == MODEL_LARGE_COMPOSITION_SERVER)
		return CONFIG_CANNOT_BIND; /* they obey the device key only */
	if (!app_key_find(d, app))
		return CONFIG_INVALID_APPKEY_INDEX;
	if (dev_config_bound(d, element, model, app))
		return CONFIG_SUCCESS;
	if (im->n_bindings == DEV_BINDINGS)
		return CONFIG_INSUFFICIENT_RESOURCES;
	im->bindings[im->n_bindings++] = (struct dev_binding_row){ element, model, app };
	dev_save(d);
	return CONFIG_SUCCESS;
}

static void on_model_app_bind(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct rd r = rd_from(params);
	uint16_t address = rd_le16(&r), app = rd_le16(&r);
	struct bytes model = rd_rest(&r);
	struct rd id = rd_from(model);
	uint8_t buf[16];
	struct wr w = wr_to(buf, sizeof(buf));

	if ((model.n != 2 && model.n != VENDOR_MODEL_LEN) || app > KEY_INDEX_MAX ||
	    address == ADDR_UNASSIGNED || address > ADDR_UNICAST_LAST)
		return;
	dev_access_opcode(&w, OP_MODEL_APP_STATUS);
	wr_u8(&w, (uint8_t)bind(d, address, app, rd_le16(&id), model.n == VENDOR_MODEL_LEN));
	wr_le16(&w, address);
	wr_le16(&w, app);
	wr_bytes(&w, model);
	dev_access_reply(d, m, &w);
}

static void on_default_ttl_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	reply_octets(d, m, OP_DEFAULT_TTL_STATUS, &d->flash.default_ttl, 1);
}

static void on_default_ttl_set(struct device *d, const struct dev_message *m, struct bytes params)
{
	uint8_t ttl = params.p[0];

	if (ttl == 1 || ttl > TTL_MAX)
		return;
	d->flash.default_ttl = ttl;
	dev_save(d);
	on_default_ttl_get(d, m, params);
}

static void on_relay_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	bool can = d->make->features & FEATURE_RELAY;
	uint8_t state[2] = { can ? d->flash.relay : RELAY_UNSUPPORTED, d->flash.relay_retransmit };

	reply_octets(d, m, OP_RELAY_STATUS, state, sizeof(state));
}

static void on_relay_set(struct device *d, const struct dev_message *m, struct bytes params)
{
	if (params.p[0] > 1)
		return;
	if (d->make->features & FEATURE_RELAY) {
		d->flash.relay = params.p[0];
		d->flash.relay_retransmit = params.p[1];
		dev_save(d);
	}
	on_relay_get(d, m, params);
}

static void on_transmit_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	reply_octets(d, m, OP_NETWORK_TRANSMIT_STATUS, &d->flash.network_transmit, 1);
}

static void on_transmit_set(struct device *d, const struct dev_message *m, struct bytes params)
{
	d->flash.network_transmit = params.p[0];
	dev_save(d);
	on_transmit_get(d, m, params);
}

static void on_beacon_get(struct device *d, const struct dev_message *m, struct bytes params)
{
	uint8_t on = d->flash.beacon;

	reply_octets(d, m, OP_BEACON_STATUS, &on, 1);
}

static void on_beacon_set(struct device *d, const struct dev_message *m, struct bytes params)
{
	if (params.p[0] > 1)
		return;
	d->flash.beacon = params.p[0];
	dev_save(d);
	on_beacon_get(d, m, params);
}

static void on_node_reset(struct device *d, const struct dev_message *m, struct bytes params)
{
	reply_octets(d, m, OP_NODE_RESET_STATUS, NULL, 0);
	dev_reset(d);
}

const struct dev_handler dev_config_handlers[] = {
	{ OP_APPKEY_ADD, 19, 19, on_app_key_add },
	{ OP_APPKEY_DELETE, 3, 3, on_app_key_delete },
	{ OP_APPKEY_GET, 2, 2, on_app_key_get },
	{ OP_BEACON_GET, 0, 0, on_beacon_get },
	{ OP_BEACON_SET, 1, 1, on_beacon_set },
	{ OP_DEFAULT_TTL_GET, 0, 0, on_default_ttl_get },
	{ OP_DEFAULT_TTL_SET, 1, 1, on_default_ttl_set },
	{ OP_NETWORK_TRANSMIT_GET, 0, 0, on_transmit_get },
	{ OP_NETWORK_TRANSMIT_SET, 1, 1, on_transmit_set },
	{ OP_RELAY_GET, 0, 0, on_relay_get },
	{ OP_RELAY_SET, 2, 2, on_relay_set },
	{ OP_MODEL_APP_BIND, 6, 8, on_model_app_bind },
	{ OP_NODE_RESET, 0, 0, on_node_reset },
	{ 0, 0, 0, NULL },
};
