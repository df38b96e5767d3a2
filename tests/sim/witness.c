/* SPDX-License-Identifier: Apache-2.0 */
#include "witness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "crypto.h"
#include "net_pdu.h"

enum { ADDRESSES = ADDR_UNICAST_LAST + 1, IV_INDEXES = 2, ROOM = 8192 };

struct witness {
	bool has_key;
	struct net_keys keys;
	uint16_t own;
	uint8_t last[AD_MAX]; /* most events repeat the one before */
	size_t last_n;
	/* By IV Index and SEQ: a hash of the PDU, 0 none. Two IV Indexes are longer than a run. */
	uint64_t *pdu[IV_INDEXES];
	uint32_t room[IV_INDEXES], numbers;
	uint16_t holder[ADDRESSES]; /* device, counted from 1, that has or had it */
	bool left[ADDRESSES];
	struct held {		/* by device: what it is now */
		uint16_t first; /* of its range; 0: no node */
		uint8_t count;
		char key_id[KEY_ID_TEXT];
		unsigned keys; /* that it has had, in all its lives */
	} * held;
	char fault[160];
};

struct witness *witness_new(void)
{
	struct witness *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	return w;
}

void witness_free(struct witness *w)
{
	if (w->has_key)
		net_keys_free(&w->keys);
	for (int i = 0; i < IV_INDEXES; i++)
		free(w->pdu[i]);
	free(w->held);
	free(w);
}

void witness_network(struct witness *w, const struct secret16 *net_key, uint16_t own)
{
	struct k2_keys keys;
	uint8_t zero = 0;

	if (w->has_key)
		return;
	k2(net_key, bytes_of(&zero, 1), &keys);
	net_keys_init(&w->keys, &keys);
	w->own = own;
	w->has_key = true;
}

static uint64_t hash_of(struct bytes b)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (size_t i = 0; i < b.n; i++)
		h = (h ^ b.p[i]) * 1099511628211u;
	return h ? h : 1;
}

static void note_number(struct witness *w, uint32_t iv_index, uint32_t seq, uint64_t hash)
{
	uint64_t *row;

	check(iv_index < IV_INDEXES);
	if (seq >= w->room[iv_index]) {
		uint32_t room = seq + ROOM;

		w->pdu[iv_index] = realloc(w->pdu[iv_index], room * sizeof(uint64_t));
		assert_non_null(w->pdu[iv_index]);
		memset(w->pdu[iv_index] + w->room[iv_index], 0,
		       (room - w->room[iv_index]) * sizeof(uint64_t));
		w->room[iv_index] = room;
	}
	row = &w->pdu[iv_index][seq];
	w->numbers += !*row;
	if (*row && *row != hash && !*w->fault)
		snprintf(w->fault, sizeof(w->fault), "SEQ %06x of IV Index %u is used twice", seq,
			 iv_index);
	*row = hash;
}

void witness_sent(struct witness *w, struct bytes ad)
{
	struct bytes pdu;
	struct net_pdu p;

	if (!w->has_key || ad.n < 3 || ad.n > AD_MAX || ad.p[1] != AD_MESH_MESSAGE)
		return;
	if (ad.n == w->last_n && memcmp(ad.p, w->last, ad.n) == 0)
		return;
	memcpy(w->last, ad.p, ad.n);
	w->last_n = ad.n;
	pdu = bytes_of(ad.p + 2, ad.n - 2);
	if (net_pdu_decode(&w->keys, pdu.p[0] >> 7, pdu, &p) && p.src == w->own)
		note_number(w, p.iv_index, p.seq, hash_of(pdu));
}

static void leave(struct witness *w, struct held *h)
{
	for (unsigned a = h->first; h->first && a < h->first + h->count; a++)
		w->left[a] = true;
	h->first = 0;
}

static void take(struct witness *w, const struct building *b, size_t i, unsigned address)
{
	const char *name = building_make_of(b, i)->name;

	if (*w->fault)
		return;
	if (w->holder[address] && w->holder[address] != i + 1)
		snprintf(w->fault, sizeof(w->fault), "address %04x of %s is given to %s", address,
			 building_make_of(b, w->holder[address] - 1u)->name, name);
	else if (w->left[address])
		snprintf(w->fault, sizeof(w->fault), "address %04x, which %s had, is given again",
			 address, name);
	w->holder[address] = (uint16_t)(i + 1);
}

void witness_look(struct witness *w, const struct building *b)
{
	if (!w->held)
		w->held = calloc(building_count(b), sizeof(*w->held));
	assert_non_null(w->held);
	for (size_t i = 0; i < building_count(b); i++) {
		struct device_state s = building_state_of(b, i);
		struct held *h = &w->held[i];

		if (!s.provisioned || s.address != h->first)
			leave(w, h);
		if (!s.provisioned)
			continue;
		if (strcmp(s.device_key_id, h->key_id) != 0)
			h->keys++;
		memcpy(h->key_id, s.device_key_id, sizeof(h->key_id));
		if (h->first && s.elements == h->count)
			continue;
		h->first = s.address;
		h->count = s.elements;
		for (unsigned a = s.address; a < s.address + s.elements && a < ADDRESSES; a++)
			take(w, b, i, a);
	}
}

unsigned witness_keys(const struct witness *w, size_t device)
{
	return w->held ? w->held[device].keys : 0;
}

const char *witness_fault(const struct witness *w)
{
	return *w->fault ? w->fault : NULL;
}

uint32_t witness_numbers(const struct witness *w)
{
	return w->numbers;
}
