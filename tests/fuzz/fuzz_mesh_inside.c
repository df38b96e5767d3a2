/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody who has our keys can say: the input is in the clear, and encrypted here, so that
 * it reaches lower and upper transport, access layer, requests, our own element and the IV state.
 * Input, repeated: an octet that says what (enum kind, below) and who (bits 3 and 4), then that.
 * Accepted: a request of ours was answered, or our own element answered.
 */
#include "fuzz.h"
#include "fuzz_world.h"
#include "lower_pdu.h"
#include "upper_crypt.h"

enum kind {
	PAUSE,	 /* length of it */
	MESSAGE, /* how, length, an access message: sealed, and in segments where it must be */
	ACCESS,	 /* length, a lower transport PDU */
	CONTROL, /* likewise, of a control message */
	SEGMENT, /* AKF and AID, SegO, SegN, length, data; SeqZero is right */
	ACK,	 /* four octets: of our last segmented message */
	BEACON,	 /* flags, IV Index less the one now; bit 3: private, bit 4: other network */
	REPORT,	 /* length, an advertising report */
};

enum how {
	KEY = 3, /* device key of the sender, its candidate, ours, application key */
	SZMIC = 1 << 2,
	LONG = 1 << 3,
	OLD_IV = 1 << 4,
	BACKWARDS = 1 << 5,
	TO_ALL = 1 << 6,
	AGAIN = 1 << 7, /* with a sequence number that was used */
};

static void say(struct fuzz_world *w, uint16_t src, uint16_t dst, bool ctl, uint32_t iv,
		uint32_t seq, struct bytes transport)
{
	struct net_pdu p = { .iv_index = iv, .seq = seq, .src = src, .dst = dst, .ctl = ctl };
	uint8_t out[NETWORK_PDU_MAX];
	size_t max = ctl ? 12 : 16;

	if (transport.n == 0)
		return;
	p.ttl = 4;
	p.len = (uint8_t)(transport.n < max ? transport.n : max);
	memcpy(p.transport, transport.p, p.len);
	fuzz_world_structure(w, AD_MESH_MESSAGE,
			     bytes_of(out, net_pdu_encode(&w->net[0].flooding, &p, out)));
}

static void say_segments(struct fuzz_world *w, const struct upper_nonce *n, uint8_t key,
			 bool backwards, struct bytes upper)
{
	uint8_t seg_n = (uint8_t)((upper.n - 1) / LOWER_SEGMENT_ACCESS), out[16];

	w->their_seq += seg_n + 1u;
	for (unsigned i = 0; i <= seg_n; i++) {
		unsigned o = backwards ? seg_n - i : i;
		size_t at = o * LOWER_SEGMENT_ACCESS, left = upper.n - at;
		struct lower_segment s = {
			.key = key,
			.szmic = n->szmic,
			.seq_zero = n->seq & 0x1FFF,
			.seg_o = (uint8_t)o,
			.seg_n = seg_n,
			.data = bytes_of(upper.p + at, left < LOWER_SEGMENT_ACCESS
							       ? left
							       : (size_t)LOWER_SEGMENT_ACCESS),
		};

		say(w, n->src, n->dst, false, n->iv_index, (n->seq + i) & SEQ_MAX,
		    bytes_of(out, lower_segment_encode(&s, out)));
	}
}

static void say_message(struct fuzz_world *w, uint16_t src, uint8_t how, struct bytes access)
{
	static const struct secret16 *const keys[] = { &KEY_NODE, &KEY_CANDIDATE, &KEY_OURS,
						       &KEY_APP };
	struct upper_nonce n = { .device_key = (how & KEY) != 3,
				 .iv_index = w->iv.index - (how & OLD_IV ? 1 : 0),
				 .seq = w->their_seq,
				 .src = src,
				 .dst = how & TO_ALL ? ADDR_ALL_NODES : OURS };
	bool in_segments = how & LONG || access.n > LOWER_UNSEGMENTED_ACCESS - 4;
	uint8_t upper[1 + ACCESS_MAX + 8], key = n.device_key ? 0 : LOWER_AKF | k4(&KEY_APP);
	size_t len;

	if (access.n == 0 || access.n > ACCESS_MAX - 4)
		return;
	if (how & AGAIN && n.seq > 0)
		n.seq--;
	n.szmic = in_segments && how & SZMIC;
	len = upper_encrypt(keys[how & KEY], &n, access, upper + 1);
	if (in_segments) {
		say_segments(w, &n, key, how & BACKWARDS, bytes_of(upper + 1, len));
		return;
	}
	upper[0] = key;
	w->their_seq++;
	say(w, src, n.dst, false, n.iv_index, n.seq, bytes_of(upper, len + 1));
}

static void say_segment(struct fuzz_world *w, uint16_t src, struct rd *r)
{
	struct lower_segment s = { .key = rd_u8(r) & 0x7F, .seq_zero = w->their_seq & 0x1FFF };
	size_t len;
	uint8_t out[16];

	s.seg_o = rd_u8(r) & 0x1F;
	s.seg_n = rd_u8(r) & 0x1F;
	len = rd_u8(r) % (LOWER_SEGMENT_ACCESS + 1);
	s.data = rd_bytes(r, len < r->left ? len : r->left);
	say(w, src, OURS, false, w->iv.index, w->their_seq + s.seg_o,
	    bytes_of(out, lower_segment_encode(&s, out)));
}

static void say_ack(struct fuzz_world *w, uint16_t src, uint32_t acked)
{
	struct lower_ack a = { .acked = acked };
	struct lower_segment s;
	uint8_t out[LOWER_ACK_LEN];

	if (!lower_segment_decode(&s, false, bytes_of(w->sent.transport, w->sent.len)))
		return;
	a.seq_zero = s.seq_zero;
	lower_ack_encode(&a, out);
	say(w, src, OURS, true, w->iv.index, w->their_seq++, bytes_of(out, sizeof(out)));
}

static void say_beacon(struct fuzz_world *w, uint8_t head, uint8_t flags, int8_t ahead)
{
	const struct subnet_key *k = &w->net[head >> 4 & 1];
	struct beacon_network b = { flags & 3, w->iv.index + (uint32_t)ahead };
	uint8_t out[BEACON_PRIVATE_LEN], random[BEACON_RANDOM_LEN];

	if (head & 8) {
		memset(random, flags, sizeof(random));
		beacon_private_encode(k, &b, random, out);
		fuzz_world_structure(w, AD_MESH_BEACON, bytes_of(out, BEACON_PRIVATE_LEN));
	} else {
		beacon_secure_encode(k, &b, out);
		fuzz_world_structure(w, AD_MESH_BEACON, bytes_of(out, BEACON_SECURE_LEN));
	}
}

static struct bytes take(struct rd *r)
{
	size_t len = rd_u8(r);

	return rd_bytes(r, len < r->left ? len : r->left);
}

static void one(struct fuzz_world *w, struct rd *r)
{
	static const uint16_t who[4] = { NODE, NODE + 1, 0x0300, OURS };
	static const uint64_t pause[8] = { MSEC(1), MSEC(30), MSEC(300), SEC(1),
					   SEC(5),  SEC(12),  SEC(35),	 SEC(70) };
	uint8_t head = rd_u8(r), how;
	uint16_t src = who[head >> 3 & 3];

	switch ((enum kind)(head & 7)) {
	case PAUSE:
		timers_advance(&w->timers, timers_now(&w->timers) + pause[rd_u8(r) & 7]);
		break;
	case MESSAGE:
		how = rd_u8(r);
		say_message(w, src, how, take(r));
		break;
	case ACCESS:
		say(w, src, OURS, false, w->iv.index, w->their_seq++, take(r));
		break;
	case CONTROL:
		say(w, src, OURS, true, w->iv.index, w->their_seq++, take(r));
		break;
	case SEGMENT:
		say_segment(w, src, r);
		break;
	case ACK:
		say_ack(w, src, rd_be32(r));
		break;
	case BEACON:
		how = rd_u8(r);
		say_beacon(w, head, how, (int8_t)rd_u8(r));
		break;
	case REPORT:
		fuzz_world_report(w, take(r));
		break;
	}
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct rd r = rd_from(bytes_of(data, n));
	struct mesh_counters c;
	struct fuzz_world w;
	bool accepted;

	if (n > 4096)
		return false;
	fuzz_world_open(&w);
	w.their_seq = 1;
	for (unsigned i = 0; r.left > 0 && i < 200; i++)
		one(&w, &r);
	timers_advance(&w.timers, timers_now(&w.timers) + SEC(1));
	mesh_counters(w.mesh, &c);
	accepted = c.access_in > 0 && (!w.composition.running || !w.scan.running || w.answers > 0);
	fuzz_world_close(&w);
	return accepted;
}
