/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole air as a pcap file that Wireshark reads: link type 251, Bluetooth Low Energy link
 * layer, one ADV_NONCONN_IND for each advertising event.
 */
#ifndef MESHMASON_BUILDING_AIR_PCAP_H
#define MESHMASON_BUILDING_AIR_PCAP_H

#include "bytes.h"

struct air_pcap;

/* NULL: errno says why. */
struct air_pcap *air_pcap_open(const char *path);
/* at: microseconds since 1970, or since whatever start. address has 6 octets, least significant
 * first; ad up to 31. A failed write is remembered. */
void air_pcap_write(struct air_pcap *p, uint64_t at, const uint8_t *address, struct bytes ad);
/* What is buffered goes to the file. */
void air_pcap_flush(struct air_pcap *p);
/* False when something could not be written. */
bool air_pcap_close(struct air_pcap *p);

#endif
