/* SPDX-License-Identifier: Apache-2.0 */
/* Lower transport, Mesh 3.5: the four formats, and what goes out in one piece. */
#include "dev_transport.h"

#include <string.h>

#include "dev_core.h"

enum { SEG = 0x80, OPCODE_MASK = 0x7F, UNSEGMENTED_MAX = 15, MIC_SHORT = 4 };
enum { OBO = 0x8000, ACK_LEN = 7 };

bool dev_seq_auth(uint32_t seq, uint16_t seq_zero, uint32_t *first)
{
	uint32_t f = (seq & ~0x1FFFu) | seq_zero;

	if (f > seq) {
		if (f < 0x2000)
			return false;
		f -= 0x2000;
	}
	*first = f;
	return true;
}

void dev_transport_start(struct device *d)
{
	memset(&d->transport, 0, sizeof(d->transport));
	for (size_t i = 0; i < DEV_SAR_IN; i++)
		d->transport.in[i].device = d;
	for (size_t i = 0; i < DEV_SAR_OUT; i++)
		d->transport.out[i].device = d;
}

void dev_transport_stop(struct device *d)
{
	for (size_t i = 0; i < DEV_SAR_IN; i++) {
		timer_stop(d->env.timers, &d->transport.in[i].ack);
		timer_stop(d->env.timers, &d->transport.in[i].discard);
	}
	for (size_t i = 0; i < DEV_SAR_OUT; i++)
		timer_stop(d->env.timers, &d->transport.out[i].timer);
	secret_wipe(&d->transport, sizeof(d->transport));
}

static void on_control(struct device *d, struct dev_net_key *k, const struct dev_net_pdu *pdu)
{
	struct rd r = rd_from(bytes_of(pdu->transport, pdu->len));
	uint8_t opcode = rd_u8(&r) & OPCODE_MASK;
	uint16_t field = rd_be16(&r);
	uint32_t bits = rd_be32(&r);

	/* All others are for friends, low power nodes and heartbeat subscribers. */
	if (opcode != CONTROL_SEGMENT_ACK || !rd_finished(&r))
		return;
	if (dev_sar_out_acked(d, k, pdu, field >> 2 & 0x1FFF, field & OBO, bits))
		dev_net_accepted(d, pdu);
}

static void on_access(struct device *d, struct dev_net_key *k, const struct dev_net_pdu *pdu)
{
	struct dev_upper_nonce nonce = {
		.seq = pdu->seq, .iv_index = pdu->iv_index, .src = pdu->src, .dst = pdu->dst
	};
	struct bytes upper = bytes_of(pdu->transport + 1, pdu->len - 1u);

	if (upper.n <= MIC_SHORT || upper.n > UNSEGMENTED_MAX ||
	    !dev_upper_received(d, k, pdu, &nonce, pdu->transport[0], upper))
		d->counts.undecryptable++;
}

void dev_transport_received(struct device *d, struct dev_net_key *k, const struct dev_net_pdu *pdu)
{
	bool segmented = pdu->transport[0] & SEG;

	if (pdu->ctl && !segmented)
		on_control(d, k, pdu);
	else if (!pdu->ctl && segmented)
		dev_sar_in_segment(d, k, pdu);
	else if (!pdu->ctl)
		on_access(d, k, pdu);
	/* No segmented control message is meant for a node like this. */
}

static bool send_whole(struct device *d, const struct dev_peer *to, struct bytes access)
{
	struct dev_net_key *k = dev_net_key_find(d, to->net_index);
	struct dev_upper_nonce nonce = { .device_key = to->app_index == DEV_KEY_DEVICE,
					 .src = d->flash.address,
					 .dst = to->address };
	struct dev_net_pdu pdu = { .ttl = to->ttl, .dst = to->address };
	const struct secret16 *key = dev_upper_key(d, to, &pdu.transport[0]);

	if (!k || !key || !dev_net_take_seq(d, &pdu.seq))
		return false;
	pdu.iv_index = dev_net_tx_iv(d);
	nonce.seq = pdu.seq;
	nonce.iv_index = pdu.iv_index;
	dev_upper_seal(key, &nonce, access, pdu.transport + 1);
	pdu.len = (uint8_t)(1 + access.n + MIC_SHORT);
	dev_net_send(d, k, &pdu, dev_transmit_count(d->flash.network_transmit));
	return true;
}

bool dev_transport_send(struct device *d, const struct dev_peer *to, struct bytes access,
			bool segmented, dev_sent_fn *sent)
{
	if (access.n == 0 || access.n > ACCESS_MAX)
		return false;
	if (segmented || access.n + MIC_SHORT > UNSEGMENTED_MAX)
		return dev_sar_out_send(d, to, access, sent);
	return send_whole(d, to, access);
}
