/* SPDX-License-Identifier: Apache-2.0 */
#include "dev_flash.h"

#include <string.h>

#include "crypto.h"
#include "device.h"
#include "mesh_const.h"

/* Version 1 knew neither composition changes nor candidates, version 2 no faults, version 3 neither
 * publications nor subscriptions. */
enum { MAGIC = 0x4D4D4446, VERSION_1 = 1, VERSION_3 = 3, VERSION = 4, CHECK_LEN = 8 };
enum { FLAG_PROVISIONED = 1 << 0, FLAG_SILENCED = 1 << 1, FLAG_IV_UPDATE = 1 << 2 };
enum { FLAG_RELAY = 1 << 3, FLAG_BEACON = 1 << 4, FLAGS_VERSION_1 = 0x1F };
enum { FLAG_CHANGED = 1 << 5, FLAG_CANDIDATE = 1 << 6, FLAG_COMMITTED = 1 << 7 };

void dev_flash_blank(struct dev_image *out)
{
	memset(out, 0, sizeof(*out));
}

static uint8_t flags_of(const struct dev_image *im)
{
	return (uint8_t)((im->provisioned ? FLAG_PROVISIONED : 0) |
			 (im->silenced ? FLAG_SILENCED : 0) | (im->iv_update ? FLAG_IV_UPDATE : 0) |
			 (im->relay ? FLAG_RELAY : 0) | (im->beacon ? FLAG_BEACON : 0) |
			 (im->changed ? FLAG_CHANGED : 0) |
			 (im->candidate.present ? FLAG_CANDIDATE : 0) |
			 (im->candidate.committed ? FLAG_COMMITTED : 0));
}

static void write_node(struct wr *w, const struct dev_image *im)
{
	wr_be16(w, im->address);
	wr_u8(w, im->elements);
	wr_copy(w, im->device_key.octet, sizeof(im->device_key.octet));
	wr_be32(w, im->iv_index);
	wr_be16(w, im->iv_hours);
	wr_be16(w, im->recovery_hours);
	wr_be32(w, im->seq_reserved);
	wr_u8(w, im->relay_retransmit);
	wr_u8(w, im->network_transmit);
	wr_u8(w, im->default_ttl);
}

static void write_rows(struct wr *w, const struct dev_image *im)
{
	wr_u8(w, (uint8_t)im->n_net_keys);
	for (size_t i = 0; i < im->n_net_keys; i++) {
		wr_be16(w, im->net_keys[i].index);
		wr_copy(w, im->net_keys[i].key.octet, 16);
	}
	wr_u8(w, (uint8_t)im->n_app_keys);
	for (size_t i = 0; i < im->n_app_keys; i++) {
		wr_be16(w, im->app_keys[i].index);
		wr_be16(w, im->app_keys[i].net_index);
		wr_copy(w, im->app_keys[i].key.octet, 16);
	}
	wr_u8(w, (uint8_t)im->n_bindings);
	for (size_t i = 0; i < im->n_bindings; i++) {
		wr_u8(w, im->bindings[i].element);
		wr_be16(w, im->bindings[i].model);
		wr_be16(w, im->bindings[i].app_index);
	}
	wr_u8(w, (uint8_t)im->n_replay);
	for (size_t i = 0; i < im->n_replay; i++) {
		wr_be16(w, im->replay[i].src);
		wr_be32(w, im->replay[i].iv_index);
		wr_be24(w, im->replay[i].seq);
	}
}

static void write_models(struct wr *w, const struct dev_image *im)
{
	wr_u8(w, (uint8_t)im->n_publications);
	for (size_t i = 0; i < im->n_publications; i++) {
		wr_u8(w, im->publications[i].element);
		wr_be16(w, im->publications[i].model);
		wr_copy(w, im->publications[i].octets, DEV_PUBLICATION_LEN);
	}
	wr_u8(w, (uint8_t)im->n_subscriptions);
	for (size_t i = 0; i < im->n_subscriptions; i++) {
		wr_u8(w, im->subscriptions[i].element);
		wr_be16(w, im->subscriptions[i].model);
		wr_be16(w, im->subscriptions[i].address);
	}
}

static void write_candidate(struct wr *w, const struct dev_candidate *c)
{
	wr_u8(w, c->procedure);
	wr_be16(w, c->address);
	wr_u8(w, c->elements);
	wr_u8(w, c->changed);
	wr_copy(w, c->key.octet, sizeof(c->key.octet));
}

struct bytes dev_flash_write(const struct dev_image *im, uint8_t buf[DEV_IMAGE_MAX])
{
	struct wr w = wr_to(buf, DEV_IMAGE_MAX);
	uint8_t digest[32];

	wr_be32(&w, MAGIC);
	wr_u8(&w, VERSION);
	wr_u8(&w, flags_of(im));
	wr_be32(&w, im->resets);
	wr_u8(&w, im->faults);
	if (im->provisioned) {
		write_node(&w, im);
		write_rows(&w, im);
		write_models(&w, im);
		if (im->candidate.present)
			write_candidate(&w, &im->candidate);
	}
	sha256(bytes_of(buf, w.n), digest);
	wr_copy(&w, digest, CHECK_LEN);
	return wr_done(&w);
}

static bool range_valid(uint16_t address, uint8_t elements)
{
	return elements > 0 && address > 0 && address + elements - 1 <= ADDR_UNICAST_LAST;
}

static bool read_node(struct rd *r, struct dev_image *im)
{
	im->address = rd_be16(r);
	im->elements = rd_u8(r);
	rd_copy(r, im->device_key.octet, sizeof(im->device_key.octet));
	im->iv_index = rd_be32(r);
	im->iv_hours = rd_be16(r);
	im->recovery_hours = rd_be16(r);
	im->seq_reserved = rd_be32(r);
	im->relay_retransmit = rd_u8(r);
	im->network_transmit = rd_u8(r);
	im->default_ttl = rd_u8(r);
	return rd_ok(r) && range_valid(im->address, im->elements);
}

/* A count that the table has no room for breaks the image. */
static size_t read_count(struct rd *r, size_t room)
{
	size_t n = rd_u8(r);

	if (n > room)
		r->overrun = true;
	return rd_ok(r) ? n : 0;
}

static bool read_rows(struct rd *r, struct dev_image *im)
{
	im->n_net_keys = read_count(r, DEV_NET_KEYS);
	for (size_t i = 0; i < im->n_net_keys; i++) {
		im->net_keys[i].index = rd_be16(r);
		rd_copy(r, im->net_keys[i].key.octet, 16);
	}
	im->n_app_keys = read_count(r, DEV_APP_KEYS);
	for (size_t i = 0; i < im->n_app_keys; i++) {
		im->app_keys[i].index = rd_be16(r);
		im->app_keys[i].net_index = rd_be16(r);
		rd_copy(r, im->app_keys[i].key.octet, 16);
	}
	im->n_bindings = read_count(r, DEV_BINDINGS);
	for (size_t i = 0; i < im->n_bindings; i++) {
		im->bindings[i].element = rd_u8(r);
		im->bindings[i].model = rd_be16(r);
		im->bindings[i].app_index = rd_be16(r);
	}
	im->n_replay = read_count(r, DEV_REPLAY_ROWS);
	for (size_t i = 0; i < im->n_replay; i++) {
		im->replay[i].src = rd_be16(r);
		im->replay[i].iv_index = rd_be32(r);
		im->replay[i].seq = rd_be24(r);
	}
	return rd_ok(r) && im->n_net_keys > 0;
}

static bool read_models(struct rd *r, struct dev_image *im)
{
	im->n_publications = read_count(r, DEV_PUBLICATIONS);
	for (size_t i = 0; i < im->n_publications; i++) {
		im->publications[i].element = rd_u8(r);
		im->publications[i].model = rd_be16(r);
		rd_copy(r, im->publications[i].octets, DEV_PUBLICATION_LEN);
	}
	im->n_subscriptions = read_count(r, DEV_SUBSCRIPTIONS);
	for (size_t i = 0; i < im->n_subscriptions; i++) {
		im->subscriptions[i].element = rd_u8(r);
		im->subscriptions[i].model = rd_be16(r);
		im->subscriptions[i].address = rd_be16(r);
	}
	return rd_ok(r);
}

static bool read_candidate(struct rd *r, struct dev_candidate *c)
{
	uint8_t changed;

	if (!c->present)
		return !c->committed && rd_finished(r);
	c->procedure = rd_u8(r);
	c->address = rd_be16(r);
	c->elements = rd_u8(r);
	changed = rd_u8(r);
	c->changed = changed;
	rd_copy(r, c->key.octet, sizeof(c->key.octet));
	return rd_finished(r) && c->procedure <= NPPI_COMPOSITION && changed <= 1 &&
	       range_valid(c->address, c->elements);
}

static bool read_body(struct rd *r, struct dev_image *im, uint8_t version)
{
	if (!im->provisioned)
		return !im->candidate.present && !im->candidate.committed && rd_finished(r);
	return read_node(r, im) && read_rows(r, im) &&
	       (version <= VERSION_3 || read_models(r, im)) && read_candidate(r, &im->candidate);
}

static bool checked(struct bytes flash, struct bytes *body)
{
	uint8_t digest[32];

	if (!flash.p || flash.n <= CHECK_LEN || flash.n > DEV_IMAGE_MAX)
		return false;
	*body = bytes_of(flash.p, flash.n - CHECK_LEN);
	sha256(*body, digest);
	return memcmp(digest, flash.p + body->n, CHECK_LEN) == 0;
}

bool dev_flash_read(struct bytes flash, struct dev_image *out)
{
	struct bytes body;
	struct rd r;
	uint8_t version, flags;
	bool good;

	dev_flash_blank(out);
	if (!checked(flash, &body))
		return false;
	r = rd_from(body);
	if (rd_be32(&r) != MAGIC)
		return false;
	version = rd_u8(&r);
	if (version < VERSION_1 || version > VERSION)
		return false;
	flags = rd_u8(&r);
	out->resets = rd_be32(&r);
	out->faults = version >= VERSION_3 ? rd_u8(&r) : 0;
	out->provisioned = flags & FLAG_PROVISIONED;
	out->silenced = flags & FLAG_SILENCED;
	out->iv_update = flags & FLAG_IV_UPDATE;
	out->relay = flags & FLAG_RELAY;
	out->beacon = flags & FLAG_BEACON;
	out->changed = flags & FLAG_CHANGED;
	out->candidate.present = flags & FLAG_CANDIDATE;
	out->candidate.committed = flags & FLAG_COMMITTED;
	good = (version != VERSION_1 || !(flags & ~FLAGS_VERSION_1)) && read_body(&r, out, version);
	if (!good)
		dev_flash_blank(out);
	return good;
}

bool dev_flash_move(struct dev_image *im)
{
	const struct dev_candidate *c = &im->candidate;

	if (!c->present || !c->committed || c->procedure != NPPI_ADDRESS)
		return false;
	im->address = c->address;
	im->elements = c->elements;
	im->device_key = c->key;
	im->changed = c->changed;
	im->seq_reserved = 0;
	im->n_bindings = im->n_publications = im->n_subscriptions = 0; /* its keys stay */
	secret_wipe(&im->candidate, sizeof(im->candidate));
	return true;
}

bool device_state_read(struct bytes flash, struct device_state *out)
{
	struct dev_image im;

	memset(out, 0, sizeof(*out));
	if (!dev_flash_read(flash, &im))
		return false;
	dev_flash_move(&im);
	out->resets = im.resets;
	out->faults = im.faults;
	out->provisioned = im.provisioned;
	out->changed = im.changed;
	if (im.provisioned) {
		out->address = im.address;
		out->elements = im.elements;
		out->relay = im.relay;
		device_key_id(&im.device_key, out->device_key_id);
		if (im.candidate.committed)
			device_key_id(&im.candidate.key, out->candidate_key_id);
	}
	secret_wipe(&im, sizeof(im));
	return true;
}

bool device_keys_read(struct bytes flash, struct device_keys *out)
{
	struct dev_image im;
	bool found;

	memset(out, 0, sizeof(*out));
	found = dev_flash_read(flash, &im) && im.provisioned;
	if (found) {
		dev_flash_move(&im);
		out->net_key = im.net_keys[0].key;
		out->device_key = im.device_key;
		out->address = im.address;
		out->iv_index = im.iv_index;
	}
	secret_wipe(&im, sizeof(im));
	return found;
}
