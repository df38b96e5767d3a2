/* SPDX-License-Identifier: Apache-2.0 */
#include "air_pcap.h"

#include <stdio.h>
#include <stdlib.h>

#include "mesh_const.h"

enum {
	PCAP_MAGIC = 0xA1B2C3D4, /* microseconds, in the writer's order: ours is little-endian */
	LINKTYPE_BLUETOOTH_LE_LL = 251,
	SNAPLEN = 64,
	ACCESS_ADDRESS = 0x8E89BED6, /* of every advertising channel */
	PDU_ADV_NONCONN_IND = 2,
	TX_ADD = 1 << 6, /* the address is random */
	ADDRESS = 6,
	PDU_MAX = 2 + ADDRESS + AD_MAX,
	PACKET_MAX = 4 + PDU_MAX + 3,
};

struct air_pcap {
	FILE *file;
	bool failed;
};

/* Core Vol 6 Part B 3.1.1: x^24 + x^10 + x^9 + x^6 + x^4 + x^3 + x + 1 from 0x555555, both
 * written here with the bits reversed, since the air sends the least significant one first. */
static uint32_t crc24(struct bytes pdu)
{
	uint32_t crc = 0xAAAAAA;

	for (size_t i = 0; i < pdu.n; i++) {
		crc ^= pdu.p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xDA6000 : crc >> 1;
	}
	return crc;
}

static void put(struct air_pcap *p, struct bytes b)
{
	if (fwrite(b.p, 1, b.n, p->file) != b.n)
		p->failed = true;
}

struct air_pcap *air_pcap_open(const char *path)
{
	struct air_pcap *p;
	FILE *file = fopen(path, "wbe");
	uint8_t header[24];
	struct wr w = wr_to(header, sizeof(header));

	if (!file)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		abort();
	p->file = file;
	wr_le32(&w, PCAP_MAGIC);
	wr_le16(&w, 2);
	wr_le16(&w, 4);
	wr_le32(&w, 0);
	wr_le32(&w, 0);
	wr_le32(&w, SNAPLEN);
	wr_le32(&w, LINKTYPE_BLUETOOTH_LE_LL);
	put(p, wr_done(&w));
	return p;
}

void air_pcap_write(struct air_pcap *p, uint64_t at, const uint8_t *address, struct bytes ad)
{
	uint8_t record[16 + PACKET_MAX];
	struct wr w = wr_to(record, sizeof(record));
	uint32_t length = (uint32_t)(4 + 2 + ADDRESS + ad.n + 3);

	wr_le32(&w, (uint32_t)(at / 1000000));
	wr_le32(&w, (uint32_t)(at % 1000000));
	wr_le32(&w, length);
	wr_le32(&w, length);
	wr_le32(&w, ACCESS_ADDRESS);
	wr_u8(&w, PDU_ADV_NONCONN_IND | TX_ADD);
	wr_u8(&w, (uint8_t)(ADDRESS + ad.n));
	wr_copy(&w, address, ADDRESS);
	wr_bytes(&w, ad);
	wr_le24(&w, crc24(bytes_of(record + 20, 2 + ADDRESS + ad.n)));
	if (wr_ok(&w))
		put(p, wr_done(&w));
	else
		p->failed = true;
}

void air_pcap_flush(struct air_pcap *p)
{
	if (fflush(p->file) != 0)
		p->failed = true;
}

bool air_pcap_close(struct air_pcap *p)
{
	bool ok;

	if (!p)
		return true;
	ok = fclose(p->file) == 0 && !p->failed;
	free(p);
	return ok;
}
