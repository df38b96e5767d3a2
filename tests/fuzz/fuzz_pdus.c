/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codecs of network, lower transport, access and beacons, each by itself. Input: an octet that
 * says which, then what it reads. What is accepted must be written again as it was.
 */
#include <stdlib.h>

#include "beacon.h"
#include "fuzz.h"
#include "lower_pdu.h"
#include "net_pdu.h"
#include "opcode.h"
#include "subnet.h"

enum which {
	SEGMENT,
	CONTROL_SEGMENT,
	ACK,
	OPCODE,
	UNPROVISIONED,
	SECURE,
	PRIVATE,
	NETWORK,
	KINDS
};

static const struct secret16 key = { { 0x7d, 0xd7, 0x36, 0x4c, 0xd8, 0x42, 0xad, 0x18, 0xc1, 0x7c,
				       0x2b, 0x82, 0x0c, 0x84, 0xc3, 0xd6 } };

static void promise(bool kept)
{
	if (!kept)
		abort();
}

static bool segment(bool ctl, struct bytes in)
{
	struct lower_segment s;
	uint8_t out[16];

	if (!lower_segment_decode(&s, ctl, in))
		return false;
	promise(s.seg_o <= s.seg_n && s.data.n > 0 && s.data.n <= (ctl ? 8 : 12));
	if (in.p[0] & 0x80 && (!ctl || !(in.p[1] & 0x80))) /* the reserved bit is not kept */
		promise(bytes_equal(bytes_of(out, lower_segment_encode(&s, out)), in));
	return true;
}

static bool ack(struct bytes in)
{
	struct lower_ack a;
	uint8_t out[LOWER_ACK_LEN];

	if (!lower_ack_decode(&a, in))
		return false;
	lower_ack_encode(&a, out);
	out[2] |= in.p[2] & 3; /* reserved */
	promise(bytes_equal(bytes_of(out, sizeof(out)), in));
	return true;
}

static bool opcode(struct bytes in)
{
	struct rd r = rd_from(in);
	uint8_t buf[3];
	struct wr w = wr_to(buf, sizeof(buf));
	uint32_t number;

	if (!opcode_read(&r, &number))
		return false;
	promise(opcode_write(&w, number) &&
		bytes_equal(wr_done(&w), bytes_of(in.p, in.n - r.left)));
	return true;
}

static bool beacon(enum which which, const struct subnet_key *k, struct bytes in)
{
	uint8_t out[BEACON_PRIVATE_LEN], random[BEACON_RANDOM_LEN];
	struct beacon_unprovisioned u;
	struct beacon_network b;
	struct rd r = rd_from(in);

	if (which == UNPROVISIONED)
		return beacon_unprovisioned_decode(&u, in);
	if (which == SECURE ? beacon_secure_decode(k, &b, in) : beacon_private_decode(k, &b, in))
		return true;
	/* Of our own making: flags and IV Index come back. */
	b.flags = rd_u8(&r) & 3;
	b.iv_index = rd_be32(&r);
	rd_copy(&r, random, sizeof(random));
	if (!rd_ok(&r))
		return false;
	beacon_private_encode(k, &b, random, out);
	promise(beacon_private_decode(k, &b, bytes_of(out, BEACON_PRIVATE_LEN)));
	beacon_secure_encode(k, &b, out);
	promise(beacon_secure_decode(k, &b, bytes_of(out, BEACON_SECURE_LEN)));
	return true;
}

static bool network(const struct subnet_key *k, struct bytes in)
{
	struct net_pdu p = { 0 }, again;
	struct rd r = rd_from(in);
	uint8_t out[NETWORK_PDU_MAX];
	size_t n;

	if (net_pdu_decode(&k->flooding, 0x12345678, in, &p))
		promise(p.len > 0 && p.len <= (p.ctl ? 12 : 16) && addr_is_unicast(p.src));
	p.iv_index = rd_be32(&r);
	p.seq = rd_be24(&r);
	p.src = rd_be16(&r) & ADDR_UNICAST_LAST;
	p.dst = rd_be16(&r);
	p.ttl = rd_u8(&r);
	p.ctl = p.ttl >> 7;
	p.ttl &= 0x7F;
	p.len = (uint8_t)(r.left < (p.ctl ? 12 : 16) ? r.left : (p.ctl ? 12 : 16));
	rd_copy(&r, p.transport, p.len);
	if (!rd_ok(&r) || p.len == 0 || p.src == ADDR_UNASSIGNED || p.dst == ADDR_UNASSIGNED)
		return false;
	n = net_pdu_encode(&k->flooding, &p, out);
	promise(n <= sizeof(out));
	if (!net_pdu_decode(&k->flooding, p.iv_index, bytes_of(out, n), &again))
		return false; /* shorter than a PDU may be */
	promise(again.seq == p.seq && again.src == p.src && again.dst == p.dst &&
		again.ctl == p.ctl && again.ttl == p.ttl &&
		bytes_equal(bytes_of(again.transport, again.len), bytes_of(p.transport, p.len)));
	return true;
}

bool fuzz_one(const uint8_t *data, size_t n)
{
	struct bytes in = bytes_of(data + 1, n - 1);
	struct subnet_key k = { 0 };
	enum which which;
	bool accepted;

	if (n < 1)
		return false;
	which = data[0] % KINDS;
	if (which <= CONTROL_SEGMENT)
		return segment(which == CONTROL_SEGMENT, in);
	if (which == ACK)
		return ack(in);
	if (which == OPCODE)
		return opcode(in);
	subnet_key_init(&k, &key);
	accepted = which == NETWORK ? network(&k, in) : beacon(which, &k, in);
	subnet_key_free(&k);
	return accepted;
}
