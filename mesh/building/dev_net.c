/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heard --> raw cache --> unveil --> own echo? --> seen? --> open --> ours: replay list, transport
 *           (a hash)      (1 AES)    (SRC, SEQ)     (CCM)        --> relay: TTL - 1, a little later
 *
 * A PDU is heard many times: as copies, and again from every relay with another TTL. The raw cache
 * catches the copies, the message cache the relays, both before CCM: only what was authentic is in
 * the message cache, so a forged PDU that it stops would have been refused later anyway.
 */
#include "dev_net.h"

#include <string.h>

#include "dev_core.h"

enum { SEQ_BLOCK = 256, SEQ_END = 0x1000000, RELAY_DELAY_MS = 25 };
enum { ADDR_ALL_RELAYS = 0xFFFE, ADDR_GROUPS_FROM = 0xC000, ADDR_VIRTUAL_FROM = 0x8000 };

#define REPLAY_WRITE_BEHIND SEC(4)

/* Never 0, which marks an empty place. */
static uint64_t hash_of(struct bytes raw)
{
	uint64_t h = raw.n * 0x9E3779B97F4A7C15u, word;
	size_t i = 0;

	for (; i + 8 <= raw.n; i += 8) {
		memcpy(&word, raw.p + i, 8);
		h = (h ^ word) * 0xFF51AFD7ED558CCDu;
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, raw.p + i, raw.n - i);
	h = (h ^ word) * 0xC4CEB9FE1A85EC53u;
	h ^= h >> 29;
	return h | 1;
}

static bool heard_before(struct dev_net *net, struct bytes raw)
{
	uint64_t h = hash_of(raw);
	uint64_t *slot = &net->raw[h >> 8 & (DEV_RAW_CACHE - 1)];

	if (*slot == h)
		return true;
	*slot = h;
	return false;
}

static uint64_t seen_key(const struct dev_net_pdu *pdu)
{
	return (uint64_t)pdu->src << 33 | (uint64_t)pdu->seq << 9 | (pdu->iv_index & 0xFF) << 1 | 1;
}

static size_t seen_set(uint64_t key)
{
	return key * 0x9E3779B97F4A7C15u >> 40 & (DEV_SEEN_SETS - 1);
}

static bool seen(const struct dev_net *net, const struct dev_net_pdu *pdu)
{
	uint64_t key = seen_key(pdu);
	const uint64_t *set = net->seen[seen_set(key)];

	return set[0] == key || set[1] == key || set[2] == key || set[3] == key;
}

static void remember(struct dev_net *net, const struct dev_net_pdu *pdu)
{
	uint64_t key = seen_key(pdu);
	size_t set = seen_set(key);

	net->seen[set][net->seen_next[set]++ & 3] = key; /* the oldest of the set goes */
}

void dev_net_start(struct device *d)
{
	struct dev_net *net = &d->net;

	memset(net, 0, sizeof(*net));
	net->n_keys = d->flash.n_net_keys;
	for (size_t i = 0; i < net->n_keys; i++)
		dev_net_key_make(&net->keys[i], d->flash.net_keys[i].index,
				 &d->flash.net_keys[i].key);
	net->seq = d->flash.seq_reserved;
	for (size_t i = 0; i < DEV_RELAYS; i++)
		net->relays[i].device = d;
}

void dev_net_stop(struct device *d)
{
	struct dev_net *net = &d->net;

	for (size_t i = 0; i < DEV_RELAYS; i++)
		timer_stop(d->env.timers, &net->relays[i].timer);
	timer_stop(d->env.timers, &net->save_replay);
	for (size_t i = 0; i < net->n_keys; i++)
		dev_net_key_free(&net->keys[i]);
	net->n_keys = 0;
}

struct dev_net_key *dev_net_key_find(struct device *d, uint16_t index)
{
	for (size_t i = 0; i < d->net.n_keys; i++)
		if (d->net.keys[i].index == index)
			return &d->net.keys[i];
	return NULL;
}

uint32_t dev_net_rx_iv(const struct device *d, uint8_t ivi_nid)
{
	uint32_t iv = d->flash.iv_index;

	return (iv & 1) == ivi_nid >> 7 || iv == 0 ? iv : iv - 1;
}

uint32_t dev_net_tx_iv(const struct device *d)
{
	uint32_t iv = d->flash.iv_index;

	return d->flash.iv_update && iv > 0 ? iv - 1 : iv;
}

/* Rows of an IV Index that nobody may send with any more can never match again. */
static void prune_replay(struct dev_image *im)
{
	size_t kept = 0;

	for (size_t i = 0; i < im->n_replay; i++)
		if (im->replay[i].iv_index + 1 >= im->iv_index)
			im->replay[kept++] = im->replay[i];
	im->n_replay = kept;
}

void dev_net_iv_changed(struct device *d, bool restart_seq)
{
	prune_replay(&d->flash);
	memset(d->net.raw, 0, sizeof(d->net.raw)); /* what did not decrypt may do so now */
	if (restart_seq)
		d->net.seq = d->flash.seq_reserved = 0;
	dev_save(d);
}

bool dev_net_take_seq(struct device *d, uint32_t *seq)
{
	struct dev_net *net = &d->net;

	if (net->seq >= SEQ_END)
		return false;
	if (net->seq >= d->flash.seq_reserved) {
		d->flash.seq_reserved = net->seq + SEQ_BLOCK;
		dev_save(d);
	}
	*seq = net->seq++;
	return true;
}

void dev_net_send(struct device *d, const struct dev_net_key *k, struct dev_net_pdu *pdu,
		  uint8_t count)
{
	uint8_t raw[NETWORK_PDU_MAX];

	pdu->src = d->flash.address;
	dev_put(d, AD_MESH_MESSAGE, dev_pdu_seal(k, pdu, raw), count,
		dev_transmit_interval(d->flash.network_transmit), 0);
}

void dev_net_send_fresh(struct device *d, const struct dev_net_key *k, struct dev_net_pdu *pdu,
			uint8_t count)
{
	if (!dev_net_take_seq(d, &pdu->seq))
		return;
	pdu->iv_index = dev_net_tx_iv(d);
	dev_net_send(d, k, pdu, count);
}

static struct dev_replay_row *replay_row(struct dev_image *im, uint16_t src)
{
	for (size_t i = 0; i < im->n_replay; i++)
		if (im->replay[i].src == src)
			return &im->replay[i];
	return NULL;
}

bool dev_net_replayed(const struct device *d, const struct dev_net_pdu *pdu)
{
	const struct dev_image *im = &d->flash;

	for (size_t i = 0; i < im->n_replay; i++) {
		const struct dev_replay_row *row = &im->replay[i];

		if (row->src == pdu->src)
			return pdu->iv_index < row->iv_index ||
			       (pdu->iv_index == row->iv_index && pdu->seq <= row->seq);
	}
	return im->n_replay == DEV_REPLAY_ROWS; /* a source that cannot be tracked is ignored */
}

static void save_replay(void *ctx)
{
	dev_save(ctx);
}

void dev_net_accepted(struct device *d, const struct dev_net_pdu *pdu)
{
	struct dev_replay_row *row = replay_row(&d->flash, pdu->src);

	if (!row && d->flash.n_replay == DEV_REPLAY_ROWS)
		return; /* the last place was taken while its segments came in */
	if (!row) {
		row = &d->flash.replay[d->flash.n_replay++];
		row->src = pdu->src;
	}
	row->iv_index = pdu->iv_index;
	row->seq = pdu->seq;
	/* Written behind: whatever such a message changes is saved with this row before it is
	 * answered, so that after a power cut only what changed nothing can come a second time. */
	if (!timer_running(&d->net.save_replay))
		timer_start(d->env.timers, &d->net.save_replay, REPLAY_WRITE_BEHIND, save_replay,
			    d);
}

static void send_relay(void *ctx)
{
	struct dev_relay *relay = ctx;
	struct device *d = relay->device;

	d->env.send(d->env.ctx, &relay->send);
}

static struct dev_relay *free_relay(struct dev_net *net)
{
	for (size_t i = 0; i < DEV_RELAYS; i++)
		if (!timer_running(&net->relays[i].timer))
			return &net->relays[i];
	return NULL;
}

/* Mesh 3.4.6.3: same key, same IV Index, one TTL less. In a flood that fills all places the PDU is
 * not relayed: others will do. */
static void relay(struct device *d, const struct dev_net_key *k, struct dev_net_pdu *pdu)
{
	struct dev_relay *slot = free_relay(&d->net);
	struct device_send *s;
	struct bytes raw;

	if (!slot)
		return;
	s = &slot->send;
	pdu->ttl--;
	raw = dev_pdu_seal(k, pdu, s->data + 2);
	s->count = dev_transmit_count(d->flash.relay_retransmit);
	s->interval_ms = dev_transmit_interval(d->flash.relay_retransmit);
	s->tag = 0;
	s->data[0] = (uint8_t)(raw.n + 1);
	s->data[1] = AD_MESH_MESSAGE;
	s->len = (uint8_t)(raw.n + 2);
	d->counts.relayed++;
	timer_start(d->env.timers, &slot->timer, dev_random_ms(d, 0, RELAY_DELAY_MS), send_relay,
		    slot);
}

/* The table of 3.4.2: no control message to a virtual address, nothing to the unassigned one. */
static bool destination_valid(const struct dev_net_pdu *pdu)
{
	if (pdu->dst == ADDR_UNASSIGNED)
		return false;
	return !pdu->ctl || pdu->dst < ADDR_VIRTUAL_FROM || pdu->dst >= ADDR_GROUPS_FROM;
}

static bool for_us(const struct device *d, uint16_t dst)
{
	return dev_is_own(d, dst) || dst == ADDR_ALL_NODES ||
	       (dst == ADDR_ALL_RELAYS && d->flash.relay);
}

static void handle(struct device *d, struct dev_net_key *k, struct dev_net_pdu *pdu)
{
	bool goes_on = d->flash.relay && pdu->ttl >= 2 && !dev_is_own(d, pdu->dst);
	struct dev_net_pdu copy = *pdu;

	if (!destination_valid(pdu))
		return;
	if (goes_on)
		relay(d, k, &copy);
	if (!for_us(d, pdu->dst))
		return;
	if (dev_net_replayed(d, pdu)) {
		d->counts.replayed++;
		return;
	}
	dev_transport_received(d, k, pdu);
}

void dev_net_heard(struct device *d, struct bytes raw)
{
	struct dev_net_pdu pdu;

	if (raw.n < DEV_PDU_MIN || raw.n > NETWORK_PDU_MAX || heard_before(&d->net, raw))
		return;
	for (size_t i = 0; i < d->net.n_keys; i++) {
		struct dev_net_key *k = &d->net.keys[i];

		if (k->nid != (raw.p[0] & 0x7F))
			continue;
		d->counts.unveiled++;
		if (!dev_pdu_unveil(k, dev_net_rx_iv(d, raw.p[0]), raw, &pdu))
			continue;
		if (dev_is_own(d, pdu.src) || seen(&d->net, &pdu))
			return;
		d->counts.opened++;
		if (!dev_pdu_open(k, raw, &pdu))
			continue;
		remember(&d->net, &pdu);
		handle(d, k, &pdu);
		return;
	}
}
