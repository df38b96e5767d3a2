/* SPDX-License-Identifier: Apache-2.0 */
/* Upper transport, Mesh 3.6: which key, which nonce. */
#include <string.h>

#include "dev_core.h"

enum { AKF = 0x40, AID_MASK = 0x3F, MIC_SHORT = 4, MIC_LONG = 8 };
enum { NONCE_APPLICATION = 1, NONCE_DEVICE = 2, ASZMIC = 0x80 };

static void nonce_of(const struct dev_upper_nonce *n, uint8_t out[CCM_NONCE])
{
	struct wr w = wr_to(out, CCM_NONCE);

	wr_u8(&w, n->device_key ? NONCE_DEVICE : NONCE_APPLICATION);
	wr_u8(&w, n->szmic ? ASZMIC : 0);
	wr_be24(&w, n->seq);
	wr_be16(&w, n->src);
	wr_be16(&w, n->dst);
	wr_be32(&w, n->iv_index);
}

void dev_upper_seal(const struct secret16 *key, const struct dev_upper_nonce *n,
		    struct bytes access, uint8_t *out)
{
	uint8_t nonce[CCM_NONCE];

	nonce_of(n, nonce);
	ccm_encrypt(key, nonce, bytes_of(NULL, 0), access, n->szmic ? MIC_LONG : MIC_SHORT, out);
}

bool dev_upper_open(const struct secret16 *key, const struct dev_upper_nonce *n, struct bytes upper,
		    uint8_t *out)
{
	uint8_t nonce[CCM_NONCE];

	nonce_of(n, nonce);
	return ccm_decrypt(key, nonce, bytes_of(NULL, 0), upper, n->szmic ? MIC_LONG : MIC_SHORT,
			   out);
}

const struct secret16 *dev_upper_key(const struct device *d, const struct dev_peer *peer,
				     uint8_t *akf_aid)
{
	*akf_aid = 0;
	if (peer->app_index == DEV_KEY_DEVICE)
		return &d->flash.device_key;
	for (size_t i = 0; i < d->flash.n_app_keys; i++) {
		const struct dev_app_key_row *row = &d->flash.app_keys[i];

		if (row->index == peer->app_index && row->net_index == peer->net_index) {
			*akf_aid = AKF | k4(&row->key);
			return &row->key;
		}
	}
	return NULL;
}

/* A message under the candidate makes it the device key, 3.6.4.2; the old one is dead before
 * anything is answered. */
static bool open_candidate(struct device *d, const struct dev_upper_nonce *n, struct bytes upper,
			   uint8_t *out)
{
	struct dev_candidate *c = &d->flash.candidate;

	if (!c->committed || c->procedure == NPPI_ADDRESS ||
	    !dev_upper_open(&c->key, n, upper, out))
		return false;
	d->flash.device_key = c->key;
	secret_wipe(c, sizeof(*c));
	dev_save(d);
	return true;
}

static void deliver(struct device *d, const struct dev_net_pdu *last, struct dev_message *m,
		    uint16_t app_index)
{
	m->peer.app_index = app_index;
	dev_net_accepted(d, last);
	dev_access_received(d, m);
}

bool dev_upper_received(struct device *d, const struct dev_net_key *k,
			const struct dev_net_pdu *last, const struct dev_upper_nonce *nonce,
			uint8_t akf_aid, struct bytes upper)
{
	struct dev_upper_nonce n = *nonce;
	size_t mic = n.szmic ? MIC_LONG : MIC_SHORT;
	uint8_t clear[DEV_UPPER_MAX];
	struct dev_message m = { .peer = { n.src, k->index, 0, last->ttl }, .dst = n.dst };

	if (upper.n <= mic || upper.n > DEV_UPPER_MAX)
		return false;
	m.access = bytes_of(clear, upper.n - mic);
	n.device_key = !(akf_aid & AKF);
	if (n.device_key) {
		if ((akf_aid & AID_MASK) != 0 || !dev_is_own(d, n.dst) ||
		    (!dev_upper_open(&d->flash.device_key, &n, upper, clear) &&
		     !open_candidate(d, &n, upper, clear)))
			return false;
		deliver(d, last, &m, DEV_KEY_DEVICE);
		return true;
	}
	for (size_t i = 0; i < d->flash.n_app_keys; i++) {
		const struct dev_app_key_row *row = &d->flash.app_keys[i];

		if (row->net_index == k->index && k4(&row->key) == (akf_aid & AID_MASK) &&
		    dev_upper_open(&row->key, &n, upper, clear)) {
			deliver(d, last, &m, row->index);
			return true;
		}
	}
	return false;
}
