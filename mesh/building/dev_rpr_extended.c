/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   client                                        server
 *     | Extended Scan Start(AD types, UUID, t) ----> |
 *     |                                              |  that device's advertising, until all AD
 *     | <-------------- Extended Scan Report (SEG)   |  types are there or t seconds are over
 *
 * Without UUID the server tells of itself at once. This server does not scan actively, so no scan
 * response ends a scan, Mesh 4.4.5.3.
 */
#include <string.h>

#include "dev_core.h"

enum { TIMEOUT_MAX = 21 };

void dev_rpr_extended_stop(struct device *d)
{
	timer_stop(d->env.timers, &d->rpr.extended.end);
	d->rpr.extended.running = false;
}

static void send_report(struct device *d, const struct dev_peer *to, enum rpr_status status,
			const uint8_t *uuid, const uint16_t *oob, struct bytes ads)
{
	uint8_t buf[2 + 19 + DEV_EXTENDED_ADS];
	struct wr w = wr_to(buf, sizeof(buf));
	struct dev_peer peer = *to;

	peer.ttl = to->ttl == 0 ? 0 : d->flash.default_ttl;
	dev_access_opcode(&w, OP_RPR_EXTENDED_SCAN_REPORT);
	wr_u8(&w, (uint8_t)status);
	wr_copy(&w, uuid, UUID_LEN);
	if (oob) {
		wr_le16(&w, *oob);
		wr_bytes(&w, ads);
	}
	dev_transport_send(d, &peer, wr_done(&w), true, NULL);
}

static void finish(void *ctx)
{
	struct device *d = ctx;
	struct dev_rpr_extended *x = &d->rpr.extended;

	dev_rpr_extended_stop(d);
	send_report(d, &x->owner, RPR_SUCCESS, x->uuid, x->heard ? &x->oob : NULL,
		    bytes_of(x->ads, x->n_ads));
}

/* The Complete Local Name asks for a shortened one, too; the incomplete kinds may not be asked
 * for by themselves. */
static bool wanted(uint8_t filter, uint8_t type)
{
	return filter == type ||
	       (filter == AD_COMPLETE_LOCAL_NAME && type == AD_SHORTENED_LOCAL_NAME);
}

static bool filter_valid(struct bytes filter)
{
	for (size_t i = 0; i < filter.n; i++) {
		uint8_t type = filter.p[i];

		if (type == 0x02 || type == 0x04 || type == 0x06 ||
		    type == AD_SHORTENED_LOCAL_NAME ||
		    memchr(filter.p + i + 1, type, filter.n - i - 1))
			return false;
	}
	return filter.n >= 1 && filter.n <= DEV_AD_FILTER;
}

static void collect(struct dev_rpr_extended *x, uint8_t type, struct bytes data)
{
	struct wr w = wr_to(x->ads + x->n_ads, sizeof(x->ads) - x->n_ads);

	for (size_t i = 0; i < x->n_filter; i++) {
		if (x->collected >> i & 1 || !wanted(x->filter[i], type))
			continue;
		wr_u8(&w, (uint8_t)(data.n + 1));
		wr_u8(&w, type);
		wr_bytes(&w, data);
		if (wr_ok(&w))
			x->n_ads += w.n;
		x->collected |= (uint16_t)(1u << i);
		return;
	}
}

static bool is_own_uri(const struct dev_rpr_extended *x, struct bytes data)
{
	uint8_t salt[16];

	if (!x->has_hash)
		return true;
	s1(data, salt);
	return memcmp(salt, x->uri_hash, sizeof(x->uri_hash)) == 0;
}

static void collect_all(struct dev_rpr_extended *x, struct bytes ad, bool uri_only)
{
	struct rd r = rd_from(ad);

	while (r.left > 1) {
		uint8_t len = rd_u8(&r), type = rd_u8(&r);
		struct bytes data = rd_bytes(&r, len > 0 ? len - 1u : 0);

		if (len == 0 || !rd_ok(&r))
			break;
		if (type == AD_URI ? is_own_uri(x, data) : !uri_only)
			collect(x, type, data);
	}
}

static void finish_when_done(struct device *d)
{
	struct dev_rpr_extended *x = &d->rpr.extended;

	if (x->running && x->collected == (1u << x->n_filter) - 1)
		finish(d);
}

static bool is_beacon_of(const struct dev_rpr_extended *x, struct bytes ad)
{
	struct dev_unprovisioned u;

	return ad.n > 2 && ad.p[0] == ad.n - 1 && ad.p[1] == AD_MESH_BEACON &&
	       dev_unprovisioned_decode(&u, bytes_of(ad.p + 2, ad.n - 2)) &&
	       memcmp(u.uuid, x->uuid, UUID_LEN) == 0;
}

void dev_rpr_extended_beacon(struct device *d, const struct dev_unprovisioned *u, struct bytes ad)
{
	struct dev_rpr_extended *x = &d->rpr.extended;

	if (!x->running || memcmp(x->uuid, u->uuid, UUID_LEN) != 0)
		return;
	x->heard = true;
	x->oob = u->oob;
	x->has_hash = u->uri_hash;
	if (x->has_hash)
		memcpy(x->uri_hash, u->uri_hash, sizeof(x->uri_hash));
	collect_all(x, ad, false);
	finish_when_done(d);
}

/* What the device's address says is the device's; a URI is its own by its hash, whoever says it. */
void dev_rpr_extended_heard(struct device *d, const uint8_t *address, struct bytes ad)
{
	struct dev_rpr_extended *x = &d->rpr.extended;
	bool own;

	if (!x->running || !address)
		return;
	if (is_beacon_of(x, ad)) {
		memcpy(x->address, address, sizeof(x->address));
		x->has_address = true;
		return;
	}
	own = x->has_address && memcmp(x->address, address, sizeof(x->address)) == 0;
	if (own || x->has_hash) {
		collect_all(x, ad, !own);
		finish_when_done(d);
	}
}

static void put_own(struct wr *w, struct bytes filter, uint8_t type, const void *p, size_t n)
{
	if (n == 0 || !memchr(filter.p, type, filter.n))
		return;
	wr_u8(w, (uint8_t)(n + 1));
	wr_u8(w, type);
	wr_copy(w, p, n);
}

static void report_self(struct device *d, const struct dev_message *m, struct bytes filter)
{
	const struct device_make *make = d->make;
	uint16_t oob = dev_beacon_oob(make);
	uint8_t ads[3 * 2 + sizeof(make->name) + 2 + sizeof(make->uri)], appearance[2];
	struct wr w = wr_to(ads, sizeof(ads)), a = wr_to(appearance, sizeof(appearance));

	wr_le16(&a, make->appearance);
	put_own(&w, filter, AD_COMPLETE_LOCAL_NAME, make->name, strlen(make->name));
	put_own(&w, filter, AD_APPEARANCE, appearance, make->appearance ? sizeof(appearance) : 0);
	put_own(&w, filter, AD_URI, make->uri, strlen(make->uri));
	send_report(d, &m->peer, RPR_SUCCESS, make->uuid, &oob, wr_done(&w));
}

void dev_rpr_on_extended_start(struct device *d, const struct dev_message *m, struct bytes params)
{
	struct dev_rpr_extended *x = &d->rpr.extended;
	struct rd r = rd_from(params);
	struct bytes filter = rd_bytes(&r, rd_u8(&r));
	struct bytes uuid = rd_bytes(&r, r.left > 0 ? UUID_LEN : 0);
	uint8_t timeout = uuid.n ? rd_u8(&r) : 0;
	bool again;

	if (!rd_finished(&r) || !filter_valid(filter) ||
	    (uuid.n && (timeout == 0 || timeout > TIMEOUT_MAX)))
		return;
	if (uuid.n == 0) {
		report_self(d, m, filter);
		return;
	}
	again = x->running && dev_rpr_same(&x->owner, &m->peer) &&
		memcmp(x->uuid, uuid.p, UUID_LEN) == 0;
	if (dev_rpr_link_state(d) != RPR_LINK_IDLE || (x->running && !again)) {
		send_report(d, &m->peer, RPR_LIMITED_RESOURCES, uuid.p, NULL, bytes_of(NULL, 0));
		return;
	}
	memset(x->ads, 0, sizeof(x->ads));
	x->n_ads = 0;
	x->collected = 0;
	x->running = true;
	x->heard = x->has_address = x->has_hash = false;
	x->owner = m->peer;
	memcpy(x->uuid, uuid.p, UUID_LEN);
	memcpy(x->filter, filter.p, filter.n);
	x->n_filter = filter.n;
	timer_start(d->env.timers, &x->end, SEC(timeout), finish, d);
}
