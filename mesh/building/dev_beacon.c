/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The IV Index as beacons move it, Mesh 3.11.5 and 3.11.6:
 *
 *   state here        beacon             done
 *   Normal n          n + 1, updating    In Progress n + 1, after 96 h in Normal
 *   Normal n          n + 1, normal      recovery: Normal n + 1, SEQ 0
 *   In Progress m     m, normal          Normal m, SEQ 0, after 96 h in progress
 *   any n             n + 2 .. n + 42    recovery: index and flag as they are, SEQ 0
 *
 * Recovery at most once in 192 h; after one, and for a node that joined during an update, the
 * 96 h do not bind.
 */
#include "dev_beacon.h"

#include <string.h>

#include "dev_core.h"

enum { BEACON_COPIES = 2, BEACON_INTERVAL_MS = 20, AUTHENTICATION = 8, FLAGS_LEN = 13 };
enum { KEY_REFRESH = 1 << 0, IV_UPDATE = 1 << 1, RECOVERY_REACH = 42 };
enum { STATE_HOURS = 96, RECOVERY_HOURS = 192 };

#define UNPROVISIONED_MIN_MS  2000
#define UNPROVISIONED_SPAN_MS 3000
#define NETWORK_MS	      10000
#define NETWORK_MAX_MS	      600000
#define HOUR		      SEC(3600)

static void next_unprovisioned(struct device *d, uint32_t low_ms);

bool dev_unprovisioned_decode(struct dev_unprovisioned *u, struct bytes data)
{
	struct rd r = rd_from(data);

	memset(u, 0, sizeof(*u));
	if (rd_u8(&r) != BEACON_UNPROVISIONED)
		return false;
	u->uuid = rd_bytes(&r, UUID_LEN).p;
	u->oob = rd_be16(&r);
	if (r.left > 0)
		u->uri_hash = rd_bytes(&r, 4).p;
	return rd_finished(&r);
}

uint16_t dev_beacon_oob(const struct device_make *make)
{
	if (make->certificates)
		return OOB_INFO_CBP | OOB_INFO_RECORDS;
	return make->n_records > 0 ? OOB_INFO_RECORDS : 0;
}

bool dev_beacon_uri_hash(const struct device_make *make, uint8_t hash[4])
{
	uint8_t salt[16];

	if (!*make->uri)
		return false;
	s1(bytes_of(make->uri, strlen(make->uri)), salt);
	memcpy(hash, salt, 4);
	return true;
}

/* What it is, for those who scan for more than meshes: each AD structure where it fits. */
static void say_identity(struct device *d)
{
	const struct device_make *m = d->make;
	struct device_send s = { .count = 1, .tag = DEV_TAG_BEACON };
	size_t n = strnlen(m->name, sizeof(m->name)), room = AD_MAX - 2 - 4;
	struct wr w = wr_to(s.data, sizeof(s.data));

	if (!m->appearance || !n)
		return;
	wr_u8(&w, 3);
	wr_u8(&w, AD_APPEARANCE);
	wr_le16(&w, m->appearance);
	wr_u8(&w, (uint8_t)(1 + (n < room ? n : room)));
	wr_u8(&w, n <= room ? AD_COMPLETE_LOCAL_NAME : AD_SHORTENED_LOCAL_NAME);
	wr_copy(&w, m->name, n < room ? n : room);
	s.len = (uint8_t)w.n;
	if (!d->mute)
		d->env.send(d->env.ctx, &s);
}

static void say_unprovisioned(void *ctx)
{
	struct device *d = ctx;
	uint8_t buf[1 + UUID_LEN + 2 + 4], hash[4];
	struct wr w = wr_to(buf, sizeof(buf));

	wr_u8(&w, BEACON_UNPROVISIONED);
	wr_copy(&w, d->make->uuid, UUID_LEN);
	wr_be16(&w, dev_beacon_oob(d->make));
	if (dev_beacon_uri_hash(d->make, hash))
		wr_copy(&w, hash, sizeof(hash));
	if (d->acceptor.state == DEV_PB_IDLE) {
		dev_put(d, AD_MESH_BEACON, wr_done(&w), BEACON_COPIES, BEACON_INTERVAL_MS,
			DEV_TAG_BEACON);
		say_identity(d);
		if (*d->make->uri)
			dev_put(d, AD_URI, bytes_of(d->make->uri, strlen(d->make->uri)), 1,
				BEACON_INTERVAL_MS, DEV_TAG_BEACON);
	}
	next_unprovisioned(d, UNPROVISIONED_MIN_MS);
}

static void next_unprovisioned(struct device *d, uint32_t low_ms)
{
	timer_start(d->env.timers, &d->beacon.timer,
		    dev_random_ms(d, low_ms, low_ms + UNPROVISIONED_SPAN_MS), say_unprovisioned, d);
}

void dev_beacon_encode(const struct dev_net_key *k, bool key_refresh, bool iv_update,
		       uint32_t iv_index, uint8_t out[DEV_SECURE_BEACON_LEN])
{
	struct wr w = wr_to(out, DEV_SECURE_BEACON_LEN);
	uint8_t mac[16];

	wr_u8(&w, BEACON_SECURE_NETWORK);
	wr_u8(&w, (uint8_t)((key_refresh ? KEY_REFRESH : 0) | (iv_update ? IV_UPDATE : 0)));
	wr_copy(&w, k->network_id, sizeof(k->network_id));
	wr_be32(&w, iv_index);
	aes_key_cmac(k->beacon, bytes_of(out + 1, FLAGS_LEN), mac);
	wr_copy(&w, mac, AUTHENTICATION);
}

static void say_network(void *ctx)
{
	struct device *d = ctx;
	uint64_t gap = (uint64_t)NETWORK_MS * (d->beacon.heard + 1);
	uint8_t beacon[DEV_SECURE_BEACON_LEN];

	for (size_t i = 0; d->flash.beacon && i < d->net.n_keys; i++) {
		dev_beacon_encode(&d->net.keys[i], false, d->flash.iv_update, d->flash.iv_index,
				  beacon);
		dev_put(d, AD_MESH_BEACON, bytes_of(beacon, sizeof(beacon)), BEACON_COPIES,
			BEACON_INTERVAL_MS, DEV_TAG_BEACON);
	}
	/* 3.10.3.1: all nodes together make about one beacon in ten seconds. */
	if (gap > NETWORK_MAX_MS)
		gap = NETWORK_MAX_MS;
	d->beacon.heard = 0;
	timer_start(d->env.timers, &d->beacon.timer,
		    MSEC(gap) + dev_random_ms(d, 0, NETWORK_MS / 10), say_network, d);
}

static void count_hour(void *ctx)
{
	struct device *d = ctx;

	if (d->flash.iv_hours < DEV_HOURS_NEVER - 1)
		d->flash.iv_hours++;
	if (d->flash.recovery_hours < DEV_HOURS_NEVER - 1)
		d->flash.recovery_hours++;
	dev_save(d);
	timer_start(d->env.timers, &d->beacon.hour, HOUR, count_hour, d);
}

void dev_beacon_start(struct device *d)
{
	memset(&d->beacon, 0, sizeof(d->beacon));
	if (d->node) {
		timer_start(d->env.timers, &d->beacon.timer, dev_random_ms(d, 0, NETWORK_MS),
			    say_network, d);
		timer_start(d->env.timers, &d->beacon.hour, HOUR, count_hour, d);
	} else {
		next_unprovisioned(d, 0);
	}
}

void dev_beacon_stop(struct device *d)
{
	timer_stop(d->env.timers, &d->beacon.timer);
	timer_stop(d->env.timers, &d->beacon.hour);
	d->env.cancel_send(d->env.ctx, DEV_TAG_BEACON);
}

static bool long_enough(uint16_t hours, uint16_t wanted)
{
	return hours == DEV_HOURS_NEVER || hours >= wanted;
}

static void set_iv(struct device *d, uint32_t index, bool updating, bool restart_seq)
{
	d->flash.iv_index = index;
	d->flash.iv_update = updating;
	d->flash.iv_hours = 0;
	dev_net_iv_changed(d, restart_seq);
}

static void recover(struct device *d, uint32_t index, bool updating)
{
	if (!long_enough(d->flash.recovery_hours, RECOVERY_HOURS))
		return;
	d->flash.recovery_hours = 0;
	set_iv(d, index, updating, true);
	d->flash.iv_hours = DEV_HOURS_NEVER;
	dev_save(d);
}

static void follow(struct device *d, uint32_t index, bool updating)
{
	const struct dev_image *im = &d->flash;
	bool aged = long_enough(im->iv_hours, STATE_HOURS);

	if (index < im->iv_index || index - im->iv_index > RECOVERY_REACH)
		return;
	if (index == im->iv_index) {
		/* The step back restarts SEQ, so nothing that is under way may go on after it. */
		if (im->iv_update && !updating && aged && !dev_sar_out_busy(d))
			set_iv(d, index, false, true);
	} else if (index == im->iv_index + 1 && updating && !im->iv_update) {
		if (aged)
			set_iv(d, index, true, false);
	} else {
		recover(d, index, updating);
	}
}

static bool authentic(struct device *d, const struct dev_net_key *k, struct bytes data)
{
	uint8_t mac[16];

	if (d->beacon.known && memcmp(d->beacon.last, data.p, data.n) == 0)
		return true;
	aes_key_cmac(k->beacon, bytes_of(data.p + 1, FLAGS_LEN), mac);
	if (!secret_equal(mac, data.p + 1 + FLAGS_LEN, AUTHENTICATION))
		return false;
	memcpy(d->beacon.last, data.p, data.n);
	d->beacon.known = true;
	return true;
}

void dev_beacon_heard(struct device *d, struct bytes data)
{
	struct rd r = rd_from(data);
	uint8_t type = rd_u8(&r), flags = rd_u8(&r);
	struct bytes id = rd_bytes(&r, 8);
	uint32_t index = rd_be32(&r);

	if (!rd_ok(&r) || data.n != DEV_SECURE_BEACON_LEN || type != BEACON_SECURE_NETWORK)
		return;
	for (size_t i = 0; i < d->net.n_keys; i++) {
		const struct dev_net_key *k = &d->net.keys[i];

		if (memcmp(id.p, k->network_id, 8) != 0 || !authentic(d, k, data))
			continue;
		d->beacon.heard++;
		/* Only the primary subnet moves the IV Index of its members. */
		if (k->index == 0 || !dev_net_key_find(d, 0))
			follow(d, index, flags & IV_UPDATE);
		return;
	}
}
