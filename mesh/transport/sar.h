/* SPDX-License-Identifier: Apache-2.0 */
/* Segmentation and reassembly: the states of 4.2.48 and 4.2.49, already in their units. */
#ifndef MESHMASON_SAR_H
#define MESHMASON_SAR_H

#include <stdint.h>

/* Counts are of transmissions in all, not of repetitions. */
struct sar_config {
	/* transmitter */
	uint16_t segment_interval_ms;
	uint8_t unicast_transmissions;
	uint8_t unicast_without_progress;
	uint16_t unicast_interval_ms;
	uint16_t unicast_increment_ms; /* for each hop that the TTL allows after the first */
	uint8_t multicast_transmissions;
	uint16_t multicast_interval_ms;
	/* receiver */
	uint8_t segments_threshold; /* above this SegN acknowledgments are repeated */
	uint8_t ack_delay_halves;   /* Acknowledgment Delay Increment, in half segment intervals */
	uint8_t ack_transmissions;
	uint16_t discard_ms;
	uint16_t receive_interval_ms; /* of the segments that peers send */
};

/* A quick sender that does not give up early, and the receiver of the specification's defaults:
 * many small exchanges with slow or lossy peers are our whole business. */
extern const struct sar_config sar_defaults;

enum sar_tables {
	SAR_TRANSFERS = 192,	/* going out, active or waiting for their destination */
	SAR_REASSEMBLIES = 256, /* coming in, or remembered as finished */
	SAR_SEQ_REACH = 8192,	/* SEQ may run this far ahead of SeqAuth, 3.5.3.1 */
};

#endif
